//! Joins the measurements of the parts of the assurance, each a file of its own in `target/assurance`, into
//! `target/assurance.json` and `docs/reports/assurance.md`. Figures not measured in this checkout come from
//! `docs/reports/assurance.json`, the record of the last long run, and are told apart.
//!
//! `xtask assurance`: brings record and page up to what was measured here. `xtask assurance --check`: fails if they say
//! anything else.

use crate::{Done, root};
use breakwater_invariants::figures;
use serde_json::{Map, Number, Value, json};
use std::{collections::BTreeMap, fmt::Write as _, fs, io, path::Path};

/// A row of the page: what is told, in which figures, and by what it is measured.
struct Row {
    what: &'static str,
    /// Keys: one figure, or a part and the whole.
    keys: &'static [&'static str],
    /// Make's target.
    target: &'static str,
}

const fn row(what: &'static str, keys: &'static [&'static str], target: &'static str) -> Row {
    Row { what, keys, target }
}

const ROWS: [Row; 18] = [
    row("promises checked after every action", &["invariants"], "test"),
    row("random sequences of actions in CI", &["sequences"], "test"),
    row("actions that went through in them", &["steps"], "test"),
    row(
        "planted mistakes, at least one for each promise, noticed by its check",
        &["planted_caught", "planted"],
        "mutants",
    ),
    row(
        "the same sequences on the compiled program, state equal byte by byte",
        &["chain_sequences"],
        "test",
    ),
    row("actions in those", &["chain_actions"], "test"),
    row(
        "wrong accounts tried, in every slot of every instruction",
        &["matrix_cells"],
        "test",
    ),
    row("of which did anything but fail as declared", &["matrix_failed"], "test"),
    row(
        "mutants of the engine that its tests notice",
        &["mutants_caught", "mutants_viable"],
        "mutants",
    ),
    row(
        "mutants that change nothing, each with its reason",
        &["mutants_explained"],
        "mutants",
    ),
    row(
        "lines of the engine that its tests run, percent",
        &["coverage_lines"],
        "coverage",
    ),
    row(
        "claims about sizing, bounty, stress cover and flow proved for all parameters",
        &["smt_claims"],
        "smt",
    ),
    row("inequalities in them", &["smt_inequalities"], "smt"),
    row(
        "planted falsehoods that the same prover refutes",
        &["smt_falsehoods"],
        "smt",
    ),
    row("seconds of fuzzing in the last long run", &["fuzz_seconds"], "fuzz"),
    row("sequences played in them", &["fuzz_sequences"], "fuzz"),
    row("branches of engine and checks reached", &["fuzz_branches"], "fuzz"),
    row("sequences that broke a promise", &["fuzz_crashes"], "fuzz"),
];

/// Differ from run to run, by the clock: a check does not look at them.
const OF_THE_RUN: &str = "fuzz_";

/// Joins them, or with `check` only compares.
///
/// # Errors
/// If a file cannot be read or written.
pub fn run(check: bool) -> Done {
    let wrong = join(check)?;
    for line in &wrong {
        eprintln!("{line}");
    }
    Ok(wrong.is_empty())
}

fn join(check: bool) -> io::Result<Vec<String>> {
    let root = root();
    let parts = figures::folder();
    let (record_file, page_file) = (
        root.join("docs/reports/assurance.json"),
        root.join("docs/reports/assurance.md"),
    );
    let record = if record_file.exists() {
        object(&record_file)?
    } else {
        Map::new()
    };
    let measured = measured(&parts)?;
    let keys = || ROWS.iter().flat_map(|row| row.keys.iter().copied());
    let mut figures = Map::new();
    for key in keys() {
        if let Some(value) = measured.get(key).or(record.get(key)) {
            figures.insert(key.into(), value.clone());
        }
    }
    let mut wrong = broken(&figures);
    wrong.extend(
        keys()
            .filter(|key| !figures.contains_key(*key))
            .map(|key| format!("{key}: never measured")),
    );

    let mut told = figures.clone();
    let here: Map<_, _> = keys()
        .map(|key| (key.into(), json!(measured.contains_key(key))))
        .collect();
    told.insert("measured_here".into(), here.into());
    write(&root.join("target/assurance.json"), &pretty(&told))?;

    if check {
        for (key, value) in figures.iter().filter(|(key, _)| !key.starts_with(OF_THE_RUN)) {
            if record.get(key) != Some(value) {
                wrong.push(format!(
                    "{key}: {value} here, {:?} in docs/reports/assurance.json",
                    record.get(key)
                ));
            }
        }
        if fs::read_to_string(&page_file)? != page(&record) {
            wrong.push("docs/reports/assurance.md is not what its figures give".into());
        }
        if !wrong.is_empty() {
            wrong.push(
                "Run 'make assurance' and commit docs/reports/assurance.json and docs/reports/assurance.md.".into(),
            );
        }
    } else {
        write(&record_file, &pretty(&figures))?;
        write(&page_file, &page(&figures))?;
    }
    let count = keys().filter(|key| measured.contains_key(*key)).count();
    println!(
        "target/assurance.json: {} figures, {count} of them measured here",
        figures.len()
    );
    Ok(wrong)
}

/// The numbers in all parts.
fn measured(folder: &Path) -> io::Result<Map<String, Value>> {
    let mut all = Map::new();
    if folder.exists() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                all.extend(object(&path)?.into_iter().filter(|(_, value)| value.is_number()));
            }
        }
    }
    Ok(all)
}

fn object(path: &Path) -> io::Result<Map<String, Value>> {
    serde_json::from_str(&fs::read_to_string(path)?)
        .map_err(|error| io::Error::other(format!("{}: {error}", path.display())))
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text)
}

fn pretty(figures: &Map<String, Value>) -> String {
    // Sorted, whatever order the map keeps: that depends on what else is compiled with serde_json.
    let sorted: BTreeMap<_, _> = figures.iter().collect();
    format!("{:#}\n", json!(sorted))
}

/// Promises of the project about its figures that are not kept.
fn broken(figures: &Map<String, Value>) -> Vec<String> {
    let get = |key: &str| figures.get(key).and_then(Value::as_f64);
    let promise = |key: &str, holds: fn(f64) -> bool, what: &str| {
        get(key)
            .filter(|value| !holds(*value))
            .map(|value| format!("{key} is {value}: {what}"))
    };
    let part = |key, of, least: f64| match (get(key), get(of)) {
        (Some(value), Some(all)) if value < all * least => Some(format!("{key}: {value} of {all}")),
        _ => None,
    };
    [
        promise("invariants", |n| n >= 30.0, "at least 30"),
        promise("sequences", |n| n >= 2_000.0, "at least 2,000"),
        promise("matrix_failed", |n| n == 0.0, "none"),
        promise("coverage_lines", |n| n >= 98.0, "at least 98%"),
        promise("fuzz_crashes", |n| n == 0.0, "none"),
        part("planted_caught", "planted", 1.0),
        part("mutants_caught", "mutants_viable", 0.95),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// With commas, as people read it.
pub fn grouped(number: &Number) -> String {
    let text = number.to_string();
    let (whole, rest) = text
        .split_once('.')
        .map_or((text.as_str(), None), |(whole, rest)| (whole, Some(rest)));
    let mut out = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    match rest {
        Some(rest) => format!("{out}.{rest}"),
        None => out,
    }
}

fn page(figures: &Map<String, Value>) -> String {
    let mut text = String::from(HEAD);
    for Row { what, keys, target } in &ROWS {
        let told: Vec<_> = keys
            .iter()
            .filter_map(|key| figures.get(*key)?.as_number().map(grouped))
            .collect();
        let told = if told.is_empty() {
            "not measured".into()
        } else {
            told.join(" of ")
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "| {what} | {told} | `make {target}` |");
    }
    text.push_str(TAIL);
    text
}

const HEAD: &str = "# Assurance

What was tried to make the money rules fail, by machine, and how it went. This page is generated by `make assurance` from figures
that were measured; what CI measures again, it compares with them.

| what | figure | measured by |
|---|---:|---|
";

const TAIL: &str = "
## What each part says

- **Promises** ([invariants.md](../invariants.md)) are checked after every action of random sequences: all actions, several accounts,
  suppliers, guardians, keepers and buyers, at any price and time. A failure is printed as the shortest sequence that was found to
  cause it. `make fuzz` plays the same sequences for as long as `FUZZ_SECONDS` says, and looks for those that reach new branches of
  the engine; what it found is kept in `~/.cache/breakwater/fuzz`, and the next run goes on from there.
- **Planted mistakes**: for each promise a mistake of one line in the engine ([planted.toml](../../crates/invariants/planted.toml)) that the
  check of this promise must notice. A promise whose check notices nothing fails the build.
- **On the compiled program** the same sequences leave the same bytes in every account as the engine does.
- **Wrong accounts**: for every instruction and every slot of the IDL, accounts of another owner, type, market or user, unsigned,
  read-only, uninitialized, closed, executable, duplicated, swapped, and look-alikes of programs; the right one among those of another
  market; and for every instruction an account and a byte too few. Each must fail with a declared error and change nothing; where
  another account is rightly accepted, the matrix says why.
- **Mutants**: cargo-mutants changes the engine in every way it knows, one at a time. Those that no test notices are listed with the
  reason why they change nothing: [mutants.md](mutants.md). A survivor that is not listed fails the run, and so does a listed one
  that is caught.
- **Proofs**: z3 looks for parameters within the bounds of [table.rs](../../crates/engine/src/config/table.rs), an account and books that
  refute what sizing, bounty, stress cover, pipeline and flow promise, every rounding included, and finds that there are none
  ([claims.py](../../scripts/smt/claims.py)). What is proved is a model in whole numbers ([model.py](../../scripts/smt/model.py)); 1,400
  examples of it, at every threshold and corner, are what the engine is compared with
  ([tests/model](../../crates/engine/tests/model/main.rs)). Falsehoods that differ from a claim by one thing must be refuted, and each
  rule of `Config::validate` that they rest on must have a claim that fails without it.
- **Coverage** counts the engine's lines without its tests, under its own tests and the sequences.

## What it does not say

Tests and proofs are about the rules as they are written, not about whether these are the right rules for a market. The proofs are
about single liquidations, not about sequences of them; the sequences are random, not all. Nobody outside has audited any of it.

`make mutants`, `make fuzz` and `make coverage` take long and are not part of CI: their figures are those of the last run before this
page was committed. The mutants of cargo-mutants take hours: they were last run before the rules of stress cover and flow came, on an
engine of which a third is another one now.
";

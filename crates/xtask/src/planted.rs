//! Plants the mistakes of `planted.toml` in a copy of the engine, and demands that the invariant that each is for
//! notices it. Goes on where it was stopped: what was caught is remembered until the engine, the checks or the mistake
//! change.
//!
//! Most mistakes are planted together, each behind a switch that the environment turns on, so the engine is built once
//! for all of them. Without any of them everything must hold. Mistakes that a switch cannot be put around, such as
//! constants, are built one by one.
//!
//! `xtask planted [NAME...]`: all, or those for the invariants of these names.

use crate::{Done, root};
use breakwater_invariants::{
    figures, invariants,
    mistakes::{self, Mistake},
};
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::Command,
};

/// Folders of the packages that the copy is made of.
const PACKAGES: [&str; 2] = ["crates/engine", "crates/invariants"];

/// Plants them all, or those for the promises of these names; whether each was noticed.
///
/// # Errors
/// If a promise has no mistake, or a file or a build fails.
pub fn run(only: &[String]) -> Done {
    Ok(plant(only)?)
}

fn plant(only: &[String]) -> io::Result<bool> {
    let root = root();
    let mut bugs = mistakes::read()?;
    let unplanted: Vec<_> = invariants::all()
        .filter(|invariant| bugs.iter().all(|bug| bug.invariant != invariant.name))
        .map(|invariant| invariant.name)
        .collect();
    if !unplanted.is_empty() {
        return Err(io::Error::other(format!("no mistake is planted for {unplanted:?}")));
    }
    bugs.retain(|bug| only.is_empty() || only.contains(&bug.invariant));

    let folder = root.join("target/planted");
    let tree = folder.join("tree");
    copy(&root, &tree)?;
    let sources = sources(&tree)?;
    let memory = folder.join("caught");
    let caught: BTreeSet<String> = fs::read_to_string(&memory)
        .map(|text| text.lines().map(str::to_owned).collect())
        .unwrap_or_default();
    let mut bench = Bench {
        build: folder.join("build"),
        tree,
        memory,
        caught,
        count: bugs.len(),
        missed: Vec::new(),
    };
    let keys: Vec<_> = bugs
        .iter()
        .map(|bug| format!("{:016x} {}", hash(&sources, bug), bug.invariant))
        .collect();
    let open: Vec<_> = (0..bugs.len())
        .filter(|at| !bench.caught.contains(&keys[*at]))
        .collect();
    println!("{} of {} are remembered as caught", bugs.len() - open.len(), bugs.len());

    // Together, behind switches.
    let (switched, files) = switches(&bench.tree, &bugs, &open)?;
    if !switched.is_empty() {
        let originals = files.iter().map(|(file, text)| Ok((file, replace(file, text)?)));
        let originals = originals.collect::<io::Result<Vec<_>>>()?;
        let done = bench.play_switched(&bugs, &keys, &switched);
        for (file, text) in originals {
            fs::write(file, text)?;
        }
        done?;
    }
    // One by one.
    for at in open.into_iter().filter(|at| !switched.contains(at)) {
        let bug = &bugs[at];
        let file = bench.tree.join("crates/engine/src").join(&bug.file);
        let source = fs::read_to_string(&file)?;
        let places = source.matches(&bug.find).count();
        let told = if places != 1 || bug.find.contains('\n') || bug.replace.contains('\n') {
            format!("{places} places in {} where one line should be", bug.file)
        } else {
            fs::write(&file, source.replace(&bug.find, &bug.replace))?;
            let found = bench.build_and_play(&bug.invariant);
            fs::write(&file, source)?;
            found?.1
        };
        bench.judge(at + 1, bug, &keys[at], &told)?;
    }
    let missed = bench.missed;
    println!(
        "{} of {} planted mistakes were caught",
        bugs.len() - missed.len(),
        bugs.len()
    );
    if only.is_empty() {
        figures::write(
            "planted.json",
            &json!({ "planted": bugs.len(), "planted_caught": bugs.len() - missed.len() }),
        )?;
    }
    if !missed.is_empty() {
        println!("not noticed by: {missed:?}");
    }
    Ok(missed.is_empty())
}

/// Where mistakes are planted, and what has come of it.
struct Bench {
    tree: PathBuf,
    build: PathBuf,
    /// The file of what was caught.
    memory: PathBuf,
    caught: BTreeSet<String>,
    count: usize,
    missed: Vec<String>,
}

impl Bench {
    /// Builds the sequences on the copy as it is. Returns the program, or what the compiler has against it.
    fn built(&self) -> io::Result<Result<PathBuf, String>> {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = Command::new(cargo)
            .args([
                "test",
                "--no-run",
                "--package",
                "breakwater-invariants",
                "--test",
                "sequences",
            ])
            .current_dir(&self.tree)
            .env("CARGO_TARGET_DIR", &self.build)
            .env("CARGO_TERM_COLOR", "never")
            .env("RUSTFLAGS", "--cap-lints=allow")
            .output()?;
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        let program = told
            .lines()
            .find_map(|line| line.split_once("tests/sequences.rs (")?.1.strip_suffix(')'));
        Ok(match program {
            Some(program) if output.status.success() => Ok(self.tree.join(program)),
            _ => Err(told),
        })
    }

    /// Plays the sequences, with the mistake of this number switched on, against one invariant or all of them. Returns
    /// whether they hold, and what was told.
    fn play(&self, program: &Path, only: Option<&str>, mistake: usize) -> io::Result<(bool, String)> {
        let mut command = Command::new(program);
        command
            .current_dir(self.tree.join("crates/invariants"))
            .env("BREAKWATER_MISTAKE", mistake.to_string())
            .env("RUST_BACKTRACE", "0")
            // The figures of these runs are nobody's.
            .env("BREAKWATER_ASSURANCE", self.build.join("figures"))
            .env_remove("BREAKWATER_ONLY");
        if let Some(only) = only {
            command.env("BREAKWATER_ONLY", only);
            // A mistake that is noticed ends them early; some need a rare state.
            if env::var_os("BREAKWATER_SEQUENCES").is_none() {
                command.env("BREAKWATER_SEQUENCES", "12000");
            }
        }
        let output = command.output()?;
        let told = [output.stdout, output.stderr]
            .map(|text| String::from_utf8_lossy(&text).into_owned())
            .concat();
        Ok((output.status.success(), told))
    }

    /// Plays against one invariant with a mistake that has been made in the copy itself.
    fn build_and_play(&self, only: &str) -> io::Result<(bool, String)> {
        match self.built()? {
            Ok(program) => self.play(&program, Some(only), 0),
            Err(told) => Ok((false, told)),
        }
    }

    /// Plays each of `switched` against its invariant, once everything holds without any of them.
    fn play_switched(&mut self, bugs: &[Mistake], keys: &[String], switched: &[usize]) -> io::Result<()> {
        let program = self.built()?.map_err(io::Error::other)?;
        let (holds, told) = self.play(&program, None, 0)?;
        if !holds {
            return Err(io::Error::other(format!("without any mistake: {told}")));
        }
        println!("{} behind switches; all of them off, everything holds", switched.len());
        for at in switched {
            let (number, bug) = (*at + 1, &bugs[*at]);
            let (_, told) = self.play(&program, Some(&bug.invariant), number)?;
            self.judge(number, bug, &keys[*at], &told)?;
        }
        Ok(())
    }

    /// Says what came of a mistake, and remembers it if its own invariant noticed it.
    fn judge(&mut self, number: usize, bug: &Mistake, key: &str, told: &str) -> io::Result<()> {
        print!("{number:>3}/{} {}: ", self.count, bug.invariant);
        io::stdout().flush()?;
        let wanted = format!("invariant violated: {}", bug.invariant);
        if told.lines().any(|line| line == wanted) {
            println!("caught");
            self.caught.insert(key.to_owned());
            let all: Vec<_> = self.caught.iter().map(String::as_str).collect();
            return fs::write(&self.memory, all.join("\n"));
        }
        let last: Vec<_> = told.lines().rev().take(25).collect();
        println!("MISSED\n{}", last.into_iter().rev().collect::<Vec<_>>().join("\n"));
        self.missed.push(bug.invariant.clone());
        Ok(())
    }
}

/// The mistakes that a switch can be put around, by their places in the list, and the files with the switches.
fn switches(tree: &Path, bugs: &[Mistake], open: &[usize]) -> io::Result<(Vec<usize>, BTreeMap<PathBuf, String>)> {
    let (mut switched, mut files) = (Vec::new(), BTreeMap::new());
    for at in open {
        let bug = &bugs[*at];
        let file = tree.join("crates/engine/src").join(&bug.file);
        let text = match files.get(&file) {
            Some(text) => String::clone(text),
            None => fs::read_to_string(&file)?,
        };
        if let Some(with) = switch(*at + 1, bug, &text) {
            files.insert(file, with);
            switched.push(*at);
        }
    }
    if !files.is_empty() {
        let root = tree.join("crates/engine/src/lib.rs");
        let text = match files.get(&root) {
            Some(text) => String::clone(text),
            None => fs::read_to_string(&root)?,
        };
        files.insert(root, text + SWITCH);
    }
    Ok((switched, files))
}

/// Which mistake is switched on.
const SWITCH: &str = "
#[cfg(not(any(test, feature = \"idl\")))]
extern crate std;
pub(crate) fn mistake(number: u32) -> bool {
    static CHOSEN: std::sync::OnceLock<u32> = std::sync::OnceLock::new();
    let chosen = || std::env::var(\"BREAKWATER_MISTAKE\").ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    *CHOSEN.get_or_init(chosen) == number
}
";

/// The file with a switch between the line and the mistake: around the part of a statement that can be either. `None`
/// where that is not a matter of one expression.
fn switch(number: usize, bug: &Mistake, text: &str) -> Option<String> {
    let (place, _) = text.match_indices(&bug.find).next()?;
    let line = text[..place].rsplit('\n').next().unwrap_or_default();
    // A part of a line is a part of an expression, and what is around it would have to be known.
    if text.matches(&bug.find).count() != 1 || !line.trim().is_empty() {
        return None;
    }
    if is_constant(&text[..place]) {
        return None;
    }
    let [right, wrong] = [&bug.find, &bug.replace].map(|code| code.trim());
    let chosen = format!("if crate::mistake({number})");
    let around = |(head, right, wrong, tail): Parts| format!("{head}{chosen} {{ {wrong} }} else {{ {right} }}{tail}");
    let switched = if right.starts_with('.') {
        call(right, wrong).map(around)
    } else if let Some(parts) = expression(right, wrong) {
        Some(around(parts))
    } else if right.ends_with(';') && !right.starts_with("let ") {
        // Two whole statements.
        Some(format!("{chosen} {{ {wrong} }} else {{ {right} }}"))
    } else {
        None
    };
    Some(text.replacen(&bug.find, &switched?, 1))
}

/// Text before a choice, the right choice, the wrong one, and the text after it.
type Parts<'a> = (&'a str, &'a str, &'a str, &'a str);

/// True if the text that follows is part of a constant, which the compiler works out.
fn is_constant(before: &str) -> bool {
    let items = [
        "const ",
        "pub const ",
        "static ",
        "fn ",
        "pub fn ",
        "pub(crate) fn ",
        "impl",
    ];
    let item = before
        .lines()
        .rev()
        .find(|line| items.iter().any(|item| line.starts_with(item)));
    item.is_some_and(|line| line.contains("const ") || line.starts_with("static "))
}

/// The arguments of a call in a chain, if nothing else differs.
fn call<'a>(right: &'a str, wrong: &'a str) -> Option<Parts<'a>> {
    let part = |code: &'a str| {
        let (from, to) = (code.find('(')? + 1, code.rfind(')')?);
        Some((code.get(..from)?, code.get(from..to)?, code.get(to..)?))
    };
    let ((head, right, tail), (same, wrong, end)) = (part(right)?, part(wrong)?);
    (head == same && tail == end).then_some((head, right, wrong, tail))
}

/// The expression that a line is, or that is assigned, returned, decided by or stored in it, if nothing else differs.
fn expression<'a>(right: &'a str, wrong: &'a str) -> Option<Parts<'a>> {
    const SHAPES: [(&str, &str, &str); 9] = [
        ("let ", " = ", ";"),
        ("", " = ", ";"),
        ("", " => ", ","),
        ("", " if ", " => {"),
        ("", ": ", ","),
        ("if ", "", " {"),
        ("} else if ", "", " {"),
        ("", "", ","),
        ("", "", ""),
    ];
    SHAPES.iter().find_map(|(begin, between, end)| {
        let part = |code: &'a str| {
            let inner = code.strip_prefix(begin)?.strip_suffix(end)?;
            let at = begin.len() + inner.find(between)? + between.len();
            let (head, rest) = code.split_at(at);
            let rest = rest.strip_suffix(end)?;
            let whole = [';', ',', '{', '}'].iter().all(|last| !rest.ends_with(*last)) || between != &"";
            let known =
                between != &"" || begin != &"" || rest.contains('(') && !rest.contains(" = ") && !rest.contains("=>");
            (whole && known).then_some((head, rest))
        };
        let ((head, right), (same, wrong)) = (part(right)?, part(wrong)?);
        (head == same && !right.is_empty()).then_some((head, right, wrong, *end))
    })
}

/// Writes a file, and returns what was there.
fn replace(file: &Path, text: &str) -> io::Result<String> {
    let old = fs::read_to_string(file)?;
    fs::write(file, text)?;
    Ok(old)
}

/// Copies what is needed of the workspace, and touches no file that is the same already: so Cargo builds little.
fn copy(root: &Path, tree: &Path) -> io::Result<()> {
    let manifest = fs::read_to_string(root.join("Cargo.toml"))?;
    let members = format!("members = {PACKAGES:?}");
    let manifest: Vec<_> = manifest
        .lines()
        .map(|line| if line.starts_with("members = ") { &members } else { line })
        .collect();
    write(&tree.join("Cargo.toml"), (manifest.join("\n") + "\n").as_bytes())?;
    if !tree.join("Cargo.lock").exists() {
        fs::copy(root.join("Cargo.lock"), tree.join("Cargo.lock"))?;
    }
    for package in PACKAGES {
        for file in files(&root.join(package))? {
            let inside = file.strip_prefix(root).map_err(io::Error::other)?;
            if is_needed(inside) {
                write(&tree.join(inside), &fs::read(&file)?)?;
            }
        }
        // What is no more.
        for file in files(&tree.join(package))? {
            let inside = file.strip_prefix(tree).map_err(io::Error::other)?;
            if !is_needed(inside) || !root.join(inside).exists() {
                fs::remove_file(file)?;
            }
        }
    }
    Ok(())
}

/// True if the sequences need this file of the workspace, or its manifest names it.
fn is_needed(inside: &Path) -> bool {
    let engine = inside.starts_with("crates/engine/src");
    let proof = inside.starts_with("crates/invariants/src");
    engine || proof || inside.ends_with("Cargo.toml") || inside.ends_with("tests/sequences.rs")
}

fn write(file: &Path, bytes: &[u8]) -> io::Result<()> {
    if fs::read(file).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(file, bytes)
}

/// All files below a folder, in order.
///
/// # Errors
/// If one cannot be listed.
pub fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::path);
    let mut files = Vec::new();
    for entry in entries {
        if entry.file_type()?.is_dir() {
            files.extend(self::files(&entry.path())?);
        } else {
            files.push(entry.path());
        }
    }
    Ok(files)
}

/// Everything that an outcome depends on, but for the mistake.
fn sources(tree: &Path) -> io::Result<Vec<u8>> {
    let mut sources = fs::read(tree.join("Cargo.toml"))?;
    for package in PACKAGES {
        for file in files(&tree.join(package))? {
            sources.extend(
                file.strip_prefix(tree)
                    .map_err(io::Error::other)?
                    .to_string_lossy()
                    .bytes(),
            );
            sources.extend(fs::read(file)?);
        }
    }
    Ok(sources)
}

/// FNV-1a. It has to notice changes, not forgeries.
fn hash(sources: &[u8], bug: &Mistake) -> u64 {
    let bug = [&bug.invariant, &bug.file, &bug.find, &bug.replace].map(String::as_bytes);
    let all = sources.iter().chain(bug.into_iter().flatten());
    all.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

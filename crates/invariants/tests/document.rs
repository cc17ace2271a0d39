//! `docs/invariants.md` says what is checked. `BREAKWATER_WRITE=1` writes it.

use breakwater_invariants::{invariants::CHAPTERS, mistakes};
use std::{collections::HashSet, env, fmt::Write as _, fs, path::PathBuf};

const HEAD: &str = "\
# What must always be true

Written from the checks themselves (`crates/invariants/src/invariants`); do not edit it by hand.

Random sequences of every action play on one market of the engine: six accounts of four owners, three suppliers, two guardians,
two keepers, and whoever buys, funds, repays or donates; prices with confidence, averages and publish times of both feeds; time
and slots. The parameters come in 32 flavors. After every action all of these promises are checked, with sums of their own
on integers of any size: of the engine they ask no more than the interest up to a call, which has a check of its own. A call
is made through the engine as the program makes it; one that is refused is undone, as a chain would. The sequences are the test
`every_invariant_holds_after_every_action` in `crates/invariants/tests/sequences.rs`, which also fails if a promise or an action
hardly ever came up, and which makes a sequence that fails as short as it can be:

    cargo test -p breakwater-invariants --test sequences
    BREAKWATER_ONLY=index-never-falls cargo test -p breakwater-invariants --test sequences
    BREAKWATER_SEQUENCES=100000 BREAKWATER_SEED=7 cargo test -p breakwater-invariants --test sequences

A check that cannot fail is worth nothing. So for each promise there is a mistake of one line in the engine that breaks it,
and `cargo run -p breakwater-xtask -- planted` builds the engine with each of them and demands that the check of that
promise notices.
";

fn document() -> String {
    let mistakes = mistakes::read().unwrap();
    let mut text = HEAD.to_owned();
    for chapter in CHAPTERS {
        write!(
            text,
            "\n## {}\n\n| promise | | a mistake that it catches |\n|---|---|---|\n",
            chapter.title
        )
        .unwrap();
        for invariant in chapter.invariants {
            let bug = mistakes.iter().find(|bug| bug.invariant == invariant.name);
            let bug = bug.unwrap_or_else(|| panic!("no mistake is planted for {}", invariant.name));
            let code = |line: &str| format!("`{}`", line.trim().replace('|', "\\|"));
            writeln!(
                text,
                "| **{}** | {} | {}: {} becomes {} |",
                invariant.name,
                invariant.statement,
                bug.file,
                code(&bug.find),
                code(&bug.replace)
            )
            .unwrap();
        }
    }
    text
}

#[test]
fn the_document_is_what_is_checked() {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/invariants.md");
    let document = document();
    if env::var_os("BREAKWATER_WRITE").is_some() {
        fs::write(&file, &document).unwrap();
    }
    let written = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        written == document,
        "run this test with BREAKWATER_WRITE=1 and commit docs/invariants.md"
    );
}

#[test]
fn every_promise_has_a_name_of_its_own_and_one_sentence() {
    let mut names = HashSet::new();
    for invariant in CHAPTERS.iter().flat_map(|chapter| chapter.invariants) {
        let name = invariant.name;
        assert!(names.insert(name), "{name} is there twice");
        assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{name}");
        assert!(
            invariant.statement.ends_with('.') && !invariant.statement.contains('\n'),
            "{name}"
        );
    }
    assert!(names.len() >= 30);
}

//! `docs/attacks.md` names a test for each attack. This looks whether they are there.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

const TABLE: &str = include_str!("../../../docs/attacks.md");

/// Text between backticks, in order.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The tests that the table names, by file.
fn named() -> BTreeMap<String, BTreeSet<String>> {
    let mut named: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let rows = TABLE.lines().filter(|line| line.starts_with("| "));
    for cell in rows.filter_map(|row| row.split('|').nth(3)) {
        let mut file = None;
        for word in quoted(cell) {
            if Path::new(word).extension().is_some_and(|extension| extension == "rs") {
                file = Some(word);
            } else {
                let file = file.unwrap_or_else(|| panic!("{word} is of no file"));
                named.entry(file.to_owned()).or_default().insert(word.to_owned());
            }
        }
    }
    named
}

/// The tests of a file: functions that the line before marks as such.
fn tests_of(path: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    lines
        .windows(2)
        .filter(|pair| pair[0] == "#[test]")
        .filter_map(|pair| pair[1].strip_prefix("fn ")?.strip_suffix("() {"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_test_that_is_named_is_there() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("instructions");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let named = named();
    for (file, tests) in &named {
        let base = if file.starts_with("crates/") { &root } else { &folder };
        let there = tests_of(&base.join(file));
        let missing: Vec<_> = tests.difference(&there).collect();
        assert!(missing.is_empty(), "{file} has no {missing:?}");
    }
    // A row without a test would be a claim.
    let rows = TABLE
        .lines()
        .filter(|line| line.starts_with("| ") && line.matches('|').count() == 5);
    let claims: Vec<&str> = rows
        .skip(1)
        .filter(|row| !row.starts_with("| **") && !row.contains(".rs`"))
        .collect();
    assert!(claims.is_empty(), "{claims:#?}");
    assert!(named.len() > 15, "{named:#?}");
}

#[test]
fn every_attack_of_this_folder_is_named() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("instructions/attacks");
    let named = named();
    for file in fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()) {
        let name = format!("attacks/{}", file.file_name().unwrap().to_str().unwrap());
        if name == "attacks/table.rs" {
            continue;
        }
        let listed = named.get(&name).cloned().unwrap_or_default();
        assert_eq!(listed, tests_of(&file), "{name}");
    }
}

//! The engine's rooms use each other only as the table of `docs/architecture.md` allows: no import goes up, none in a
//! circle. Tests may use whatever they need.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

/// The rooms that each room may use, by the table "The engine's rooms": each may name only rooms above it.
fn allowed(architecture: &str) -> Vec<(String, BTreeSet<String>)> {
    let section = architecture.split("## The engine's rooms").nth(1).unwrap_or("");
    let section = section.split("\n## ").next().unwrap_or("");
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let names = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    rows.filter_map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let [_, room, _, uses, _] = cells[..] else { return None };
        Some((room.trim_matches('`').to_owned(), names(uses)))
    })
    .collect()
}

/// Paths that begin with `crate::` in a source without its comments and tests, written out: `crate::{a::b, c}` is
/// `a::b` and `c`.
fn paths(source: &str) -> Vec<String> {
    let source = source.split("#[cfg(test)]").next().unwrap_or("");
    let code: String = source
        .lines()
        .map(|line| line.split("//").next().unwrap_or(""))
        .collect();
    let mut found = Vec::new();
    for part in code.split("crate::").skip(1) {
        found.extend(trees(part).0);
    }
    found
}

/// The use-trees at the beginning of `text`, written out, and how long they are.
fn trees(text: &str) -> (Vec<String>, usize) {
    let end = text
        .find(|c: char| !(c.is_alphanumeric() || "_:".contains(c)))
        .unwrap_or(text.len());
    let head = text[..end].to_owned();
    if !text[end..].starts_with('{') {
        return (vec![head], end);
    }
    let mut all = Vec::new();
    let mut at = end + 1;
    while at < text.len() && !text[at..].starts_with('}') {
        if text[at..].starts_with(|c: char| c.is_whitespace() || c == ',') {
            at += 1;
            continue;
        }
        let (inner, length) = trees(&text[at..]);
        all.extend(inner.into_iter().map(|inner| format!("{head}{inner}")));
        at += length.max(1);
    }
    (all, at + 1)
}

/// Every use of a room that the table does not allow.
fn forbidden(root: &Path) -> io::Result<Vec<String>> {
    let rooms = allowed(&fs::read_to_string(root.join("docs/architecture.md"))?);
    let source = root.join("crates/engine/src");
    // What the crate says at its top belongs to the room that it is from.
    let mut from = BTreeMap::new();
    for item in fs::read_to_string(source.join("lib.rs"))?.split("pub use ").skip(1) {
        for path in trees(item).0 {
            if let Some((room, rest)) = path.split_once("::") {
                let name = rest.rsplit("::").next().unwrap_or(rest);
                from.insert(name.to_owned(), room.to_owned());
            }
        }
    }
    let mut found = Vec::new();
    for (place, (room, uses)) in rooms.iter().enumerate() {
        let above: BTreeSet<_> = rooms[..place].iter().map(|(room, _)| room).collect();
        found.extend(
            uses.iter()
                .filter(|used| !above.contains(used))
                .map(|used| format!("{room} is above {used}")),
        );
        for file in files(&source.join(room))? {
            for path in paths(&fs::read_to_string(&file)?) {
                let first = path.split("::").next().unwrap_or("");
                let used = from.get(first).map_or(first, String::as_str);
                let is_room = rooms.iter().any(|(room, _)| room == used);
                if is_room && used != room && !uses.contains(used) {
                    found.push(format!("{}: {room} uses {used} ({path})", file.display()));
                }
            }
        }
    }
    Ok(found)
}

/// The source files under a folder but those of tests.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.file_stem().is_some_and(|name| name == "tests") {
            continue;
        }
        if path.is_dir() {
            found.extend(files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    Ok(found)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn no_room_uses_one_above_it() {
    assert_eq!(forbidden(&root()).unwrap(), Vec::<String>::new());
}

#[test]
fn every_room_of_the_engine_is_in_the_table() {
    let table = allowed(&fs::read_to_string(root().join("docs/architecture.md")).unwrap());
    let table: BTreeSet<String> = table.into_iter().map(|(room, _)| room).collect();
    let folders = fs::read_dir(root().join("crates/engine/src")).unwrap();
    let folders = folders
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir());
    let folders: BTreeSet<String> = folders.map(|entry| entry.file_name().into_string().unwrap()).collect();
    assert_eq!(table, folders);
}

#[test]
fn paths_are_written_out() {
    let source = "use crate::{a::{B, c::D}, E}; // crate::f\nfn g() { crate::h::i() }\n#[cfg(test)] use crate::j;";
    assert_eq!(paths(source), ["a::B", "a::c::D", "E", "h::i"]);
}

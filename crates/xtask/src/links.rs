//! Looks for links to files that are not there, and for names of source files in prose and comments that no file has.

use crate::{Done, root};
use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

/// Kinds of the files that are looked at.
const KINDS: [&str; 6] = ["md", "rs", "ts", "sh", "py", "toml"];
/// Names of these kinds are looked for.
const NAMED: [&str; 5] = [".rs", ".md", ".ts", ".sh", ".py"];
/// Files that are not looked at.
const APART: [&str; 2] = ["clients/js/src/generated/", "crates/xtask/src/links.rs"];
/// Names of files that are elsewhere: what `breakwater localnet` writes, and another protocol's.
const ELSEWHERE: [&str; 3] = [
    "quotes.sh",
    "localnet/quotes.sh",
    "programs/klend/src/state/liquidation_operations.rs",
];

/// Prints what leads nowhere, with its file and line; true if there is nothing.
///
/// # Errors
/// If git or a file cannot be read.
pub fn run() -> Done {
    let root = root();
    let files = tracked(&root)?;
    let mut dead = 0;
    for file in &files {
        let kind = file.extension().and_then(|kind| kind.to_str()).unwrap_or_default();
        if !KINDS.contains(&kind) || APART.iter().any(|apart| file.starts_with(apart)) {
            continue;
        }
        let text = fs::read_to_string(root.join(file))?;
        for (number, line) in text.lines().enumerate() {
            let links = if kind == "md" { links(line) } else { Vec::new() };
            let gone = links.into_iter().filter(|link| !leads(&root, file, link));
            let prose = if kind == "md" { line } else { comment(line, kind) };
            let unknown = names(prose).into_iter().filter(|name| !is_known(&files, name));
            for what in gone.chain(unknown) {
                eprintln!("{}:{}: {what}", file.display(), number + 1);
                dead += 1;
            }
        }
    }
    if dead > 0 {
        eprintln!("{dead} links or file names lead nowhere.");
    }
    Ok(dead == 0)
}

/// Files that git knows of, from the root.
fn tracked(root: &Path) -> io::Result<Vec<PathBuf>> {
    let listed = Command::new("git").arg("-C").arg(root).arg("ls-files").output()?;
    let names = String::from_utf8_lossy(&listed.stdout).into_owned();
    Ok(names
        .lines()
        .map(PathBuf::from)
        .filter(|file| root.join(file).exists())
        .collect())
}

/// Targets of a line's links, without anchors, but for those to other places.
fn links(line: &str) -> Vec<&str> {
    let targets = line.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets
        .map(|target| target.split('#').next().unwrap_or_default())
        .filter(|target| !target.is_empty() && !target.contains("://") && !target.contains(' '))
        .collect()
}

fn leads(root: &Path, from: &Path, link: &str) -> bool {
    let folder = root.join(from);
    folder.parent().is_some_and(|folder| folder.join(link).exists())
}

/// The comment of a line of source.
fn comment<'a>(line: &'a str, kind: &str) -> &'a str {
    let mark = if ["rs", "ts"].contains(&kind) { "//" } else { "# " };
    let at = line.find(mark).filter(|at| !line[..*at].ends_with(':'));
    at.map_or("", |at| &line[at..])
}

/// Names of source files in prose, but for addresses elsewhere and names with a wildcard.
fn names(prose: &str) -> Vec<&str> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || "_-./*:".contains(c);
    prose
        .split(|c| !is_name(c))
        .map(|word| word.trim_matches(['.', ':', '/']))
        .filter(|word| NAMED.iter().any(|kind| word.ends_with(kind) && word.len() > kind.len()))
        .filter(|word| !word.contains(':') && !word.contains('*') && !word.ends_with("docs.rs"))
        .collect()
}

/// True if some file has this name, or this end of its path.
fn is_known(files: &[PathBuf], name: &str) -> bool {
    let name = name.trim_start_matches("../").trim_start_matches("./");
    ELSEWHERE.contains(&name) || files.iter().any(|file| file.ends_with(name))
}

//! Plants the mistakes of `planted.toml` in a copy of the engine, one after another, and demands that the invariant that each is
//! for notices it. Goes on where it was stopped: what was caught is remembered until the engine, the checks or the mistake change.
//!
//! `planted [NAME...]`: all, or those for the invariants of these names.

use breakwater_proof::{
    figures, invariants,
    mistakes::{self, Mistake},
};
use serde_json::json;
use std::{
    collections::BTreeSet,
    env, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

/// What came of a mistake.
enum Outcome {
    Caught,
    /// Why not, in the words of whoever was asked last.
    Missed(String),
}

/// Folders of the packages that the copy is made of.
const PACKAGES: [&str; 2] = ["crates/engine", "crates/proof"];

fn main() -> ExitCode {
    match run(&env::args().skip(1).collect::<Vec<_>>()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("planted: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(only: &[String]) -> io::Result<bool> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
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
    let mut caught: BTreeSet<String> = fs::read_to_string(&memory)
        .map(|text| text.lines().map(str::to_owned).collect())
        .unwrap_or_default();
    let mut missed = Vec::new();
    for (number, bug) in bugs.iter().enumerate() {
        print!("{:>3}/{} {}: ", number + 1, bugs.len(), bug.invariant);
        io::stdout().flush()?;
        let key = format!("{:016x} {}", hash(&sources, bug), bug.invariant);
        if caught.contains(&key) {
            println!("caught, as remembered");
            continue;
        }
        match plant(&tree, &folder.join("build"), bug)? {
            Outcome::Caught => {
                println!("caught");
                caught.insert(key);
                fs::write(
                    &memory,
                    caught.iter().map(String::as_str).collect::<Vec<_>>().join("\n"),
                )?;
            }
            Outcome::Missed(why) => {
                println!("MISSED\n{why}");
                missed.push(&bug.invariant);
            }
        }
    }
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

/// Builds the copy with the mistake in it, runs the sequences against its invariant, and takes the mistake out again.
fn plant(tree: &Path, build: &Path, bug: &Mistake) -> io::Result<Outcome> {
    let file = tree.join("crates/engine/src").join(&bug.file);
    let source = fs::read_to_string(&file)?;
    let places = source.matches(&bug.find).count();
    if places != 1 || bug.find.contains('\n') || bug.replace.contains('\n') {
        return Ok(Outcome::Missed(format!(
            "{places} places in {} where one line should be",
            bug.file
        )));
    }
    fs::write(&file, source.replace(&bug.find, &bug.replace))?;
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "test",
            "--quiet",
            "--package",
            "breakwater-proof",
            "--test",
            "sequences",
        ])
        .current_dir(tree)
        .env("CARGO_TARGET_DIR", build)
        .env("BREAKWATER_ONLY", &bug.invariant)
        .env("RUSTFLAGS", "--cap-lints=allow")
        .env("RUST_BACKTRACE", "0")
        .output();
    fs::write(&file, source)?;
    let output = output?;
    let told = [output.stdout, output.stderr]
        .map(|text| String::from_utf8_lossy(&text).into_owned())
        .concat();
    let wanted = format!("invariant violated: {}", bug.invariant);
    if told.lines().any(|line| line == wanted) {
        return Ok(Outcome::Caught);
    }
    let last: Vec<_> = told.lines().rev().take(25).collect();
    Ok(Outcome::Missed(last.into_iter().rev().collect::<Vec<_>>().join("\n")))
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

/// Whether the sequences need this file of the workspace, or its manifest names it. This program has no business there.
fn is_needed(inside: &Path) -> bool {
    let engine = inside.starts_with("crates/engine/src");
    let bin = inside.starts_with("crates/proof/src/bin") && !inside.ends_with("fuzz.rs");
    let proof = inside.starts_with("crates/proof/src") && !bin;
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
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
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

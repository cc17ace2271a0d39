//! Where the parts of the assurance leave what they measured, for `docs/reports/assurance.md`.

use serde_json::Value;
use std::{env, fs, io, path::PathBuf};

/// The folder that BREAKWATER_ASSURANCE names, else the workspace's `target/assurance`.
#[must_use]
pub fn folder() -> PathBuf {
    let here = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/assurance"));
    env::var_os("BREAKWATER_ASSURANCE").map_or_else(here, PathBuf::from)
}

/// Writes the figures of one part to a file of this name.
///
/// # Errors
/// The errors of the file system.
pub fn write(file: &str, figures: &Value) -> io::Result<()> {
    fs::create_dir_all(folder())?;
    fs::write(folder().join(file), format!("{figures:#}\n"))
}

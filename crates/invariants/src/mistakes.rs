//! The mistakes of `planted.toml`.

use serde::Deserialize;
use std::{fs, io};

/// One line of the engine, and what it is replaced by.
#[derive(Deserialize)]
pub struct Mistake {
    /// The invariant whose check must notice it.
    pub invariant: String,
    /// The file, in `crates/engine/src`.
    pub file: String,
    /// Text that stands there once.
    pub find: String,
    /// Text put in its place.
    pub replace: String,
}

/// All of them.
///
/// # Errors
/// If the file cannot be read, or says something else.
pub fn read() -> io::Result<Vec<Mistake>> {
    #[derive(Deserialize)]
    struct File {
        bug: Vec<Mistake>,
    }
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/planted.toml"))?;
    let file: File = toml::from_str(&text).map_err(io::Error::other)?;
    Ok(file.bug)
}

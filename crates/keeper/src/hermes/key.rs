//! The key that a server knows its customers by.

use std::{fmt, fs, path::PathBuf};

use super::Error;

/// A key: its text, or the file that has it. Never shown.
#[derive(Clone)]
pub enum ApiKey {
    /// The key itself.
    Text(String),
    /// A file with nothing else in it, read at each request.
    File(PathBuf),
}

impl ApiKey {
    /// The key's text.
    ///
    /// # Errors
    /// [`Error::Key`] if the file cannot be read or is empty, or the text is none that a header can hold.
    pub fn read(&self) -> Result<String, Error> {
        let text = match self {
            Self::Text(text) => text.clone(),
            Self::File(path) => {
                fs::read_to_string(path).map_err(|error| Error::Key(format!("{}: {error}", path.display())))?
            }
        };
        let text = text.trim();
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Error::Key("not one word of visible characters".to_owned()));
        }
        Ok(text.to_owned())
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) => f.write_str("Text(…)"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
        }
    }
}

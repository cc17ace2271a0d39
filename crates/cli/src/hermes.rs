//! Where to fetch Pyth's signed updates: the flags of every command that does.

use std::{env, path::PathBuf};

use breakwater_keeper::hermes::{ApiKey, Hermes};
use clap::Args;

/// The environment variable with the key: no flag, for those are seen by everybody on the machine.
const KEY: &str = "BREAKWATER_HERMES_KEY";

/// Flags for a Hermes server.
#[derive(Args)]
pub struct Source {
    /// Hermes' base URL, such as https://pyth.dourolabs.app/hermes; its key is taken from --hermes-key-file, or else from
    /// the environment variable BREAKWATER_HERMES_KEY
    #[arg(long, env = "BREAKWATER_HERMES", value_name = "URL")]
    pub hermes: Option<String>,
    /// File with the key and nothing else; read at each request, so that a key can be exchanged
    #[arg(long, env = "BREAKWATER_HERMES_KEY_FILE", value_name = "FILE")]
    pub hermes_key_file: Option<PathBuf>,
}

impl Source {
    /// The client; `None` if no server is named.
    ///
    /// # Errors
    /// The URL is none, or the key would be sent in the clear, in words.
    pub fn client(&self) -> Result<Option<Hermes>, String> {
        let Some(url) = &self.hermes else { return Ok(None) };
        let text = env::var(KEY).ok().filter(|key| !key.is_empty());
        let file = self.hermes_key_file.clone().map(ApiKey::File);
        let key = file.or(text.map(ApiKey::Text));
        let client = Hermes::new(url, key).map_err(|error| format!("--hermes: {error}"))?;
        Ok(Some(client))
    }
}

//! Where to fetch Pyth's signed updates: the flags of every command that does.

use std::{env, path::PathBuf};

use breakwater_client::pyth::FeedId;
use breakwater_keeper::hermes::{ApiKey, Hermes};
use clap::Args;
use reqwest::{Client, Url};

use crate::price_account::Shown;

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
        let client = Hermes::new(url, self.key()).map_err(|error| format!("--hermes: {error}"))?;
        Ok(Some(client))
    }

    fn key(&self) -> Option<ApiKey> {
        let text = env::var(KEY).ok().filter(|key| !key.is_empty());
        let file = self.hermes_key_file.clone().map(ApiKey::File);
        file.or(text.map(ApiKey::Text))
    }

    /// Moves a price at a localnet's Hermes. False if no server is named.
    ///
    /// # Errors
    /// The server's refusal, in words: one that is no localnet's has no such route.
    pub fn set_price(&self, id: &FeedId, shown: Shown) -> Result<bool, String> {
        let Some(base) = &self.hermes else { return Ok(false) };
        // The same checks of URL and key as for asking.
        self.client()?;
        let mut url = Url::parse(base).map_err(|error| format!("--hermes: {error}"))?;
        url.set_path(&format!("{}/localnet/price", url.path().trim_end_matches('/')));
        url.query_pairs_mut()
            .append_pair("id", &hex::encode(id))
            .append_pair("price", &shown.price.to_string())
            .append_pair("conf", &shown.conf.to_string())
            .append_pair("ema", &shown.ema.to_string())
            .append_pair("expo", &shown.expo.to_string());
        let mut request = Client::new().post(url);
        if let Some(key) = self.key() {
            request = request.bearer_auth(key.read().map_err(|error| error.to_string())?);
        }
        let failed = |error: reqwest::Error| format!("--hermes: {}", error.without_url());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        runtime.block_on(async {
            let response = request.send().await.map_err(failed)?;
            let status = response.status();
            if status.is_success() {
                return Ok(true);
            }
            let why = response.text().await.map_err(failed)?;
            Err(format!("--hermes: {status}: {why}"))
        })
    }
}

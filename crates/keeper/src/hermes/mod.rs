//! Pyth's signed updates over HTTP: a client of Hermes, Pyth's price service.
//!
//! [`Hermes`] asks one server for the newest update of some feeds. What is done with bad answers — waiting, asking for
//! fewer feeds — is [`source`]'s.

mod error;
mod key;
pub mod source;

pub use error::Error;
pub use key::ApiKey;
pub use source::Live;

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use breakwater_client::pyth::{FeedId, Update};
use reqwest::{Client, Response, StatusCode, Url, header::RETRY_AFTER};
use serde::Deserialize;

/// Pyth's own server. It wants a key.
pub const PYTH: &str = "https://pyth.dourolabs.app/hermes";
/// The longest that an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// The largest answer that is read, bytes: an update of a hundred feeds has a tenth of it.
const LARGEST: usize = 512 * 1_024;

/// Where updates are fetched from.
pub trait Fetch: Send + Sync + 'static {
    /// The newest update of these feeds, all of one moment, its proofs checked. Its signatures are not: that takes the
    /// set of signers, which the chain has.
    fn latest(&self, feeds: &[FeedId]) -> impl Future<Output = Result<Update, Error>> + Send;
}

/// A server that speaks Hermes' version 2.
#[derive(Clone, Debug)]
pub struct Hermes {
    client: Client,
    base: Url,
    key: Option<ApiKey>,
}

impl Hermes {
    /// At this base URL, whose path is kept. A key is shown to no other host, and never over a network in the clear.
    ///
    /// # Errors
    /// [`Error::BaseUrl`], [`Error::KeyInTheClear`]; [`Error::Unreachable`] if there is no TLS to be had.
    pub fn new(base: &str, key: Option<ApiKey>) -> Result<Self, Error> {
        Self::with_patience(base, key, PATIENCE)
    }

    fn with_patience(base: &str, key: Option<ApiKey>, patience: Duration) -> Result<Self, Error> {
        let parsed = Url::parse(base).map_err(|_| Error::BaseUrl)?;
        let host = parsed
            .host_str()
            .filter(|_| ["http", "https"].contains(&parsed.scheme()));
        let host = host.ok_or(Error::BaseUrl)?;
        let loopback = ["127.0.0.1", "localhost", "[::1]"].contains(&host);
        if key.is_some() && parsed.scheme() == "http" && !loopback {
            return Err(Error::KeyInTheClear);
        }
        // Headers with a key are left out of requests to another host.
        let client = Client::builder().timeout(patience).build();
        let client = client.map_err(|error| Error::Unreachable(error.without_url().to_string()))?;
        Ok(Self {
            client,
            base: parsed,
            key,
        })
    }

    /// The server's name and port, for logs: nothing else of its URL is shown.
    #[must_use]
    pub fn name(&self) -> String {
        crate::rpc_pool::name_of(self.base.as_str())
    }

    fn url(&self, feeds: &[FeedId]) -> Url {
        let mut url = self.base.clone();
        let path = format!("{}/v2/updates/price/latest", self.base.path().trim_end_matches('/'));
        url.set_path(&path);
        let mut query = url.query_pairs_mut();
        for feed in feeds {
            query.append_pair("ids[]", &hex::encode(feed));
        }
        query.append_pair("encoding", "base64").append_pair("parsed", "false");
        drop(query);
        url
    }
}

impl Fetch for Hermes {
    async fn latest(&self, feeds: &[FeedId]) -> Result<Update, Error> {
        let mut request = self.client.get(self.url(feeds));
        if let Some(key) = &self.key {
            // Read each time: a key that was exchanged counts at once.
            request = request.bearer_auth(key.read()?);
        }
        let response = request.send().await.map_err(no_answer)?;
        if let Some(error) = refusal(&response) {
            return Err(error);
        }
        let update = read(&body(response).await?)?;
        for feed in feeds {
            update.price(feed).map_err(Error::Update)?;
        }
        update.check_proofs().map_err(Error::Update)?;
        Ok(update)
    }
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn no_answer(error: reqwest::Error) -> Error {
    if error.is_timeout() {
        return Error::TimedOut;
    }
    // The innermost cause says it best, and the outer ones name the URL.
    let mut cause: &dyn std::error::Error = &error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    Error::Unreachable(cause.to_string())
}

fn refusal(response: &Response) -> Option<Error> {
    let status = response.status();
    let error = match status {
        _ if status.is_success() => return None,
        StatusCode::UNAUTHORIZED => Error::Unauthorized,
        StatusCode::FORBIDDEN => Error::Forbidden,
        StatusCode::NOT_FOUND => Error::NotFound,
        StatusCode::TOO_MANY_REQUESTS => {
            // Its other form, a date, is rare: without a number the rest is the usual one.
            let header = response
                .headers()
                .get(RETRY_AFTER)
                .and_then(|value| value.to_str().ok());
            let seconds = header.and_then(|value| value.trim().parse().ok());
            Error::RateLimited(seconds.map(Duration::from_secs))
        }
        _ => Error::Status(status.as_u16()),
    };
    Some(error)
}

async fn body(mut response: Response) -> Result<Vec<u8>, Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(no_answer)? {
        body.extend_from_slice(&chunk);
        if body.len() > LARGEST {
            return Err(Error::TooLarge);
        }
    }
    Ok(body)
}

/// Hermes' answer, as far as it is of use.
#[derive(Deserialize)]
struct Answer {
    binary: Binary,
}

#[derive(Deserialize)]
struct Binary {
    data: Vec<String>,
}

fn read(body: &[u8]) -> Result<Update, Error> {
    let answer: Answer = serde_json::from_slice(body).map_err(|_| Error::NotAnAnswer)?;
    // One update for all feeds; more of them would be of more moments.
    let [update] = answer.binary.data.as_slice() else {
        return Err(Error::NotAnAnswer);
    };
    let bytes = BASE64_STANDARD.decode(update).map_err(|_| Error::NotAnAnswer)?;
    Update::parse(&bytes).map_err(Error::Update)
}

/// A feed's identifier from its 64 hexadecimal digits, with or without 0x before them. `None` if they are none.
#[must_use]
pub fn feed_id(text: &str) -> Option<FeedId> {
    let mut id = FeedId::default();
    hex::decode_to_slice(text.strip_prefix("0x").unwrap_or(text), &mut id).ok()?;
    Some(id)
}

#[cfg(test)]
mod tests;

//! Reasons for which there is no update.

use std::{fmt, time::Duration};

use breakwater_client::pyth;

/// Reason for which there is no update: one for each cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The base URL is no URL of HTTP.
    BaseUrl,
    /// The key would be sent in the clear to another machine.
    KeyInTheClear,
    /// The file with the key cannot be read, or has none in it.
    Key(String),
    /// No connection, or one that broke.
    Unreachable(String),
    /// No answer in time.
    TimedOut,
    /// 401: there is no key, or it is not known (any more).
    Unauthorized,
    /// 403: the key is not entitled to one of the feeds.
    Forbidden,
    /// 404: one of the feeds is not known.
    NotFound,
    /// 429: too many requests; how long to rest, if it says so.
    RateLimited(Option<Duration>),
    /// Any other status than success.
    Status(u16),
    /// The answer is larger than any update.
    TooLarge,
    /// The answer is not Hermes'.
    NotAnAnswer,
    /// The update in it is no good: cut off, without a feed that was asked for, or with a proof that does not hold.
    Update(pyth::Error),
}

impl Error {
    /// Name of the cause in metrics and logs.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::BaseUrl => "base_url",
            Self::KeyInTheClear => "key_in_the_clear",
            Self::Key(_) => "key",
            Self::Unreachable(_) => "unreachable",
            Self::TimedOut => "timed_out",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::RateLimited(_) => "rate_limited",
            Self::Status(_) => "status",
            Self::TooLarge => "too_large",
            Self::NotAnAnswer => "not_an_answer",
            Self::Update(_) => "update",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BaseUrl => f.write_str("no URL of HTTP"),
            Self::KeyInTheClear => f.write_str("a key is sent over https only, or to this machine"),
            Self::Key(why) => write!(f, "the key: {why}"),
            Self::Unreachable(why) => write!(f, "no connection: {why}"),
            Self::TimedOut => f.write_str("no answer in time"),
            Self::Unauthorized => f.write_str("401: no key, or not a valid one"),
            Self::Forbidden => f.write_str("403: the key is not entitled to one of the feeds"),
            Self::NotFound => f.write_str("404: one of the feeds is not known there"),
            Self::RateLimited(Some(rest)) => write!(f, "429: too many requests, for {} s", rest.as_secs()),
            Self::RateLimited(None) => f.write_str("429: too many requests"),
            Self::Status(status) => write!(f, "status {status}"),
            Self::TooLarge => f.write_str("the answer is larger than any update"),
            Self::NotAnAnswer => f.write_str("the answer is not Hermes'"),
            Self::Update(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for Error {}

//! A source of updates that survives what servers do: it waits, asks for fewer feeds, and says what is wrong once.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anchor_lang::prelude::Pubkey;
use breakwater_client::pyth::{FeedId, Stack, Update};
use breakwater_engine::FeedPin;
use tokio::{task::JoinHandle, time::timeout};
use tracing::{info, warn};

use super::{Error, Fetch};
use crate::{
    metrics::{Metrics, name},
    prices::{Posted, Updates},
};

/// A look waits so long for an answer; a slower one is taken in at a later look.
const GRACE: Duration = Duration::from_millis(400);
/// Rest after a 429 that names none, and the longest one that is kept to.
const LIMITED: Duration = Duration::from_mins(1);
const LONGEST_LIMITED: Duration = Duration::from_mins(10);
/// Rest after a key was refused: it may be exchanged meanwhile.
const UNAUTHORIZED: Duration = Duration::from_secs(30);
/// Rest after any other trouble; twice as long each time.
const TROUBLE: Duration = Duration::from_secs(1);
/// The longest of these, as a power of two of [`TROUBLE`].
const DOUBLINGS: u32 = 5;
/// A feed that is refused is not asked for again for so long.
const REFUSED: Duration = Duration::from_mins(10);
/// An update that is further ahead of this machine's clock gives way to any other.
const MOST_AHEAD: Duration = Duration::from_mins(1);

/// Updates of a server, beside the accounts that others post to.
#[derive(Debug)]
pub struct Live<F> {
    fetch: Arc<F>,
    posted: Posted,
    shard: u16,
    metrics: Arc<Metrics>,
    state: State,
    asking: Option<Asking>,
    spacing: Duration,
    /// When the server was asked last.
    asked: Option<Instant>,
}

#[derive(Debug)]
struct Asking {
    feeds: Vec<FeedId>,
    answer: JoinHandle<Result<Update, Error>>,
}

/// What is known of a server. Decides, and asks nothing.
#[derive(Debug, Default)]
struct State {
    newest: Option<Update>,
    /// Nothing is asked until then.
    rest: Option<Instant>,
    failures: u32,
    /// Feeds that are refused, and until when.
    refused: HashMap<FeedId, Instant>,
    /// Feeds to be asked for alone: one of them was refused.
    alone: VecDeque<FeedId>,
    /// What is wrong; told once.
    trouble: Option<Error>,
}

impl State {
    /// The feeds to ask for now, of those wanted; none while it rests.
    fn ask(&mut self, wanted: &[FeedId], now: Instant) -> Vec<FeedId> {
        if self.rest.is_some_and(|until| now < until) {
            return Vec::new();
        }
        self.refused.retain(|_, until| now < *until);
        self.alone.retain(|feed| wanted.contains(feed));
        if let Some(feed) = self.alone.front() {
            return vec![*feed];
        }
        let mut allowed: Vec<FeedId> = Vec::new();
        for feed in wanted {
            if !self.refused.contains_key(feed) && !allowed.contains(feed) {
                allowed.push(*feed);
            }
        }
        allowed
    }

    /// Takes in the answer to a question about these feeds. Returns what is newly wrong.
    fn take(&mut self, feeds: &[FeedId], answer: Result<Update, Error>, now: Instant) -> Option<Error> {
        let single = self.alone.front().is_some_and(|feed| feeds == [*feed]);
        let error = match answer {
            Ok(update) => {
                if single {
                    self.alone.pop_front();
                } else {
                    self.keep(update);
                }
                (self.rest, self.failures) = (None, 0);
                if self.alone.is_empty() {
                    self.trouble = None;
                }
                return None;
            }
            Err(error) => error,
        };
        match &error {
            Error::Forbidden | Error::NotFound => match feeds {
                [feed] => {
                    self.refused.insert(*feed, now + REFUSED);
                    self.alone.retain(|other| other != feed);
                }
                // It does not say which.
                _ => self.alone = feeds.iter().copied().collect(),
            },
            Error::RateLimited(rest) => {
                self.rest = Some(now + rest.unwrap_or(LIMITED).clamp(TROUBLE, LONGEST_LIMITED));
            }
            Error::Unauthorized | Error::Key(_) => self.rest = Some(now + UNAUTHORIZED),
            _ => {
                self.rest = Some(now + TROUBLE * (1 << self.failures.min(DOUBLINGS)));
                self.failures = self.failures.saturating_add(1);
            }
        }
        let new = self.trouble.as_ref() != Some(&error);
        self.trouble = Some(error.clone());
        new.then_some(error)
    }

    /// Keeps the newest update: a server behind another address may be behind in time as well.
    fn keep(&mut self, update: Update) {
        let time = |update: &Update| update.prices.iter().map(|price| price.message.publish_time).max();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        // A server that was wrong about the time would be believed for ever.
        let is_ahead = |known: &Update| {
            let most = now.saturating_add(MOST_AHEAD).as_secs();
            time(known).is_some_and(|time| u64::try_from(time).is_ok_and(|time| time > most))
        };
        let replaced = |known: &Update| time(known) <= time(&update) || is_ahead(known);
        if self.newest.as_ref().is_none_or(replaced) {
            self.newest = Some(update);
        }
    }
}

impl<F: Fetch> Live<F> {
    /// Fetches by `fetch`; what is posted goes to the accounts of `shard`, which are shown beside those of others.
    #[must_use]
    pub fn new(fetch: F, posted: Posted, shard: u16, metrics: Arc<Metrics>) -> Self {
        Self {
            fetch: Arc::new(fetch),
            posted,
            shard,
            metrics,
            state: State::default(),
            asking: None,
            spacing: Duration::ZERO,
            asked: None,
        }
    }

    /// The same, which asks at most once in this time, however often the market is looked at.
    #[must_use]
    pub fn spaced(self, spacing: Duration) -> Self {
        Self { spacing, ..self }
    }

    async fn take_answer(&mut self) {
        let Some(Asking { feeds, mut answer }) = self.asking.take() else {
            return;
        };
        let Ok(ended) = timeout(GRACE, &mut answer).await else {
            self.asking = Some(Asking { feeds, answer });
            return;
        };
        let answer = ended.unwrap_or_else(|error| Err(Error::Unreachable(error.to_string())));
        let before = self.state.trouble.is_some();
        if let Err(error) = &answer {
            self.metrics
                .count(name::hermes_troubles_total, &[("kind", error.kind())]);
        }
        if let Some(error) = self.state.take(&feeds, answer, Instant::now()) {
            let feeds: Vec<String> = feeds.iter().map(hex::encode).collect();
            let feeds = feeds.join(",");
            warn!(%error, feeds, "no update of Hermes: prices are those that others post");
        } else if before && self.state.trouble.is_none() {
            info!("Hermes answers again");
        }
        self.metrics.set(name::hermes_up, self.state.trouble.is_none().into());
        self.metrics
            .set(name::hermes_feeds_refused, self.state.refused.len() as u64);
    }
}

impl<F: Fetch> Updates for Live<F> {
    fn candidates(&self, pin: &FeedPin) -> Vec<Pubkey> {
        let mut accounts = self.posted.candidates(pin);
        let stack = Stack::of_receiver(&Pubkey::new_from_array(pin.owner.0));
        let own = stack.map(|stack| stack.price_account(self.shard, &pin.key.0));
        accounts.extend(own.filter(|own| !accounts.contains(own)));
        accounts
    }

    async fn refresh(&mut self, feeds: &[FeedId]) {
        let soon = self.asked.is_some_and(|at| at.elapsed() < self.spacing);
        if self.asking.is_none() && !soon {
            let feeds = self.state.ask(feeds, Instant::now());
            if feeds.is_empty() {
                return;
            }
            self.asked = Some(Instant::now());
            let (fetch, asked) = (Arc::clone(&self.fetch), feeds.clone());
            let answer = tokio::spawn(async move { fetch.latest(&asked).await });
            self.asking = Some(Asking { feeds, answer });
        }
        self.take_answer().await;
    }

    fn newest(&self) -> Option<&Update> {
        self.state.newest.as_ref()
    }

    fn forget(&mut self) {
        self.state.newest = None;
    }

    fn shard(&self) -> Option<u16> {
        Some(self.shard)
    }
}

#[cfg(test)]
mod tests;

//! Blindness: while the market believes neither the prices of its accounts nor what the keeper could post, nobody can be
//! liquidated, and somebody must be told.

use std::time::{Duration, Instant};

use breakwater_engine::{Error, Readings};
use tracing::{error, info};

use crate::metrics::Metrics;

/// How often it is said again.
const AGAIN: Duration = Duration::from_mins(1);

/// Since when, and what was said of it.
#[derive(Debug, Default)]
pub(super) struct Watch {
    since: Option<Instant>,
    told: Option<(Instant, Error)>,
    /// The oldest of the newest dollar readings, publish time.
    published: i64,
}

impl Watch {
    /// Publish time of the older of the two dollar readings that every market has; the last one that was seen where an
    /// account has none any more.
    pub(super) fn newest(&mut self, readings: &Readings) -> i64 {
        if let Some((collateral, quote)) = readings.collateral.zip(readings.quote) {
            self.published = collateral.publish_time.min(quote.publish_time);
        }
        self.published
    }

    /// A look at the market: why it believes no price, if it does not.
    pub(super) fn look(&mut self, metrics: &Metrics, refused: Option<Error>) {
        let Some(why) = refused else {
            if let Some(since) = self.since.take() {
                info!(seconds = since.elapsed().as_secs(), "prices are good again");
                self.told = None;
            }
            metrics.set_blind(None);
            return;
        };
        let since = *self.since.get_or_insert_with(Instant::now);
        metrics.set_blind(Some((since, why.to_string())));
        if self.told.is_none_or(|(at, what)| what != why || at.elapsed() >= AGAIN) {
            self.told = Some((Instant::now(), why));
            let seconds = since.elapsed().as_secs();
            error!(?why, seconds, "nobody can be liquidated: no price is believed");
        }
    }
}

//! How fast suppliers may leave: a limit on what is taken out of the pool on balance.
//!
//! The market remembers what has left less what has come, and forgets it with time. With n remembered and assets A in
//! the pool, the pool stood at A + n before, and
//!
//! ```text
//! a withdrawal of a atoms:   n + a ≤ outflow_limit × (A + n),   then n ← n + a
//! a supply of a atoms:       n ← n − a
//! forgotten in t seconds:    n > 0: outflow_limit × (A + n) × t ÷ outflow_window,  until nothing is left
//!                            n < 0: n ← n × window ÷ (window + t)
//! ```
//!
//! So at most the limit leaves at once, and it is refilled over the window: in any time W on balance at most
//!
//! ```text
//! outflow_limit × (1 + W ÷ outflow_window)
//! ```
//!
//! of what the pool held, and what had come lately. A supply makes room for itself, and A + n is the same after it: so
//! neither can a borrowed fortune that passes through lift the limit, nor use it up for everyone else, as it could if
//! withdrawals alone were counted. A market whose limit is one has none.

use crate::{
    config::Config,
    error::{Error, Result},
    math::{
        num::{self, BPS},
        units::{Clock, Quote},
    },
};

stored! {
    /// Outflow from the pool on balance, as far as it is remembered.
    Outflow {
        /// Quote atoms that suppliers took out less those that they put in; negative if more came.
        net: i64,
        /// When it was that much, seconds since 1970.
        at: i64,
    }
}

impl Outflow {
    /// A supply into a pool of these assets.
    pub(crate) fn supplied(&mut self, config: &Config, assets: Quote, amount: Quote, clock: Clock) {
        let now = self.remembered(config, assets, clock);
        *self = Self {
            net: now.net.saturating_sub_unsigned(amount.0),
            ..now
        };
    }

    /// A withdrawal from a pool of these assets.
    ///
    /// # Errors
    /// [`Error::OutflowLimitReached`].
    pub(crate) fn withdrawn(&mut self, config: &Config, assets: Quote, amount: Quote, clock: Clock) -> Result<()> {
        let now = self.remembered(config, assets, clock);
        if amount > now.left(config, assets) {
            return Err(Error::OutflowLimitReached);
        }
        *self = Self {
            net: now.net.saturating_add_unsigned(amount.0),
            ..now
        };
        Ok(())
    }

    /// The most that suppliers may take out now of a pool of these assets, quote atoms, whatever its cash. For
    /// suppliers who want to leave.
    #[must_use]
    pub fn headroom(&self, config: &Config, assets: Quote, clock: Clock) -> Quote {
        self.remembered(config, assets, clock).left(config, assets)
    }

    fn left(&self, config: &Config, assets: Quote) -> Quote {
        if config.outflow_limit.factor() >= BPS {
            return Quote(u64::MAX);
        }
        let limit = i64::try_from(self.limit(config, assets)).unwrap_or(i64::MAX);
        Quote(u64::try_from(limit.saturating_sub(self.net)).unwrap_or(0))
    }

    /// The limit, rounded up: whatever is in the pool, an atom of it may go.
    fn limit(&self, config: &Config, assets: Quote) -> u64 {
        let before = assets.0.saturating_add_signed(self.net);
        num::mul_div_ceil(before, config.outflow_limit.factor(), BPS).unwrap_or(u64::MAX)
    }

    /// The outflow still remembered now. At most an atom more is forgotten each time than the rule says, so that small
    /// pools forget too.
    fn remembered(&self, config: &Config, assets: Quote, clock: Clock) -> Self {
        let elapsed = clock.since(self.at);
        if elapsed == 0 {
            return *self;
        }
        let window = u64::from(config.outflow_window);
        let size = self.net.unsigned_abs();
        let net = if self.net > 0 {
            let forgotten = num::mul_div_ceil(self.limit(config, assets), elapsed, window).unwrap_or(u64::MAX);
            i64::try_from(size.saturating_sub(forgotten)).unwrap_or(i64::MAX)
        } else {
            let left = num::mul_div_floor(size, window, window.saturating_add(elapsed)).unwrap_or(0);
            0i64.saturating_sub_unsigned(left)
        };
        Self { net, at: clock.unix }
    }
}

#[cfg(test)]
mod tests;

//! Lowest price and age by the market's stored readings, for actions that are shown none.

use super::Guard;
use crate::{
    config::Config,
    math::units::{Clock, Price},
};

impl Guard {
    /// The lowest of the newest accepted price, that price as the guard lets it move, and the market's own EMA;
    /// zero before the first reading. Quote atoms per collateral atom.
    #[must_use]
    pub fn lowest(&self, config: &Config) -> Price {
        // No accepted price is so large that its bounds do not fit.
        let guarded = self.clamp(config, self.spot).unwrap_or(self.spot);
        self.spot.min(guarded).min(self.own_ema)
    }

    /// How old the newest accepted price is, seconds; none before the clock has reached it.
    #[must_use]
    pub fn age(&self, clock: Clock) -> u64 {
        clock.since(self.priced_at)
    }
}

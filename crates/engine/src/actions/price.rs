use crate::{
    error::Result,
    guard::{BrakePull, Prices},
    market::Market,
    oracle::{Believed, Purpose, Readings},
    units::{Bps, Clock, Price},
};

record! {
    /// A price was observed, good or bad.
    Observation {
        /// Price of the reading, quote atoms per collateral atom, Q64.64.
        spot: Price,
        /// The same, clamped by the velocity limit, Q64.64.
        guarded: Price,
        /// The market's own average of the guarded price, Q64.64.
        average: Price,
        /// The widest confidence interval among the feeds, bps of its price.
        confidence: Bps,
        /// 0 = Normal, 1 = Guarded, 2 = Halted.
        level: u8,
        /// Reasons for caution: the bits of `LevelChange`'s flags.
        flags: u8,
        /// Publish time of the collateral feed, seconds since 1970.
        collateral_published: i64,
        /// Publish time of the quote feed, seconds since 1970.
        quote_published: i64,
    }
}

impl Market {
    /// Accepts readings: records their publish times, so that time never runs backwards for this market, and moves its
    /// guards.
    ///
    /// # Errors
    /// One for each reason to refuse a reading; see [`crate::oracle`].
    pub fn accept_prices(&mut self, readings: &Readings, purpose: Purpose, clock: Clock) -> Result<Prices> {
        let believed = self.believe(readings, purpose, clock)?;
        let mut guard = self.guard;
        let verdict = guard.observe(&self.config, &believed, clock)?;
        self.guard = guard;
        self.oracle.record(readings);
        Ok(Prices::new(believed, verdict))
    }

    /// Accepts readings for their own sake, bad ones too; anyone may.
    ///
    /// # Errors
    /// Those of [`Market::accept_prices`].
    pub fn observe_price(&mut self, readings: &Readings, clock: Clock) -> Result<(Prices, Observation)> {
        let prices = self.accept_prices(readings, Purpose::Observe, clock)?;
        let observation = Observation {
            spot: prices.spot(),
            guarded: prices.guarded(),
            average: prices.average(),
            confidence: prices.believed().confidence(),
            level: prices.level().byte(),
            flags: prices.flags().0,
            collateral_published: readings.collateral.publish_time,
            quote_published: readings.quote.publish_time,
        };
        Ok((prices, observation))
    }

    /// Halts the market for `seconds`, whatever its prices; who may is the caller's business. Nothing that needs no price
    /// is stopped.
    ///
    /// # Errors
    /// [`crate::Error::BrakeTooLong`], [`crate::Error::BrakeResting`].
    pub fn pull_brake(&mut self, seconds: u32, clock: Clock) -> Result<BrakePull> {
        self.guard.pull_brake(&self.config, seconds, clock)
    }

    fn believe(&self, readings: &Readings, purpose: Purpose, clock: Clock) -> Result<Believed> {
        let decimals = (self.collateral_decimals, self.quote_decimals);
        self.oracle.read(&self.config, decimals, readings, purpose, clock)
    }
}

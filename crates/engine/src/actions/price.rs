use crate::{
    error::Result,
    market::Market,
    oracle::{Observation, Prices, Purpose, RawReading},
    units::Clock,
};

impl Market {
    /// Accepts a pair of readings and records their publish times, so that time never runs backwards for this market.
    ///
    /// # Errors
    /// One for each reason to refuse a reading; see [`crate::oracle`].
    pub fn accept_prices(
        &mut self,
        collateral: &RawReading,
        quote: &RawReading,
        purpose: Purpose,
        clock: Clock,
    ) -> Result<Prices> {
        let decimals = (self.collateral_decimals, self.quote_decimals);
        self.oracle
            .accept(&self.config, decimals, collateral, quote, purpose, clock)
    }

    /// Accepts a pair of readings for their own sake; anyone may.
    ///
    /// # Errors
    /// Those of [`Market::accept_prices`], and [`crate::Error::PriceOutOfRange`].
    pub fn observe_price(&mut self, collateral: &RawReading, quote: &RawReading, clock: Clock) -> Result<Observation> {
        let mut oracle = self.oracle;
        let decimals = (self.collateral_decimals, self.quote_decimals);
        let prices = oracle.accept(&self.config, decimals, collateral, quote, Purpose::Observe, clock)?;
        let observation = Observation {
            spot: prices.spot()?,
            low: prices.low()?,
            high: prices.high()?,
            collateral_published: oracle.collateral_published,
            quote_published: oracle.quote_published,
        };
        self.oracle = oracle;
        Ok(observation)
    }
}

use crate::{
    backstop::capacity::Stress,
    error::{Error, Result},
    market::Market,
    math::units::{Bps, Clock, DebtShares, Price},
    price::{
        guard::{Level, Prices},
        oracle::{Look, PriceUse, Readings},
    },
};

record! {
    /// A price was observed, good or bad.
    Observation {
        /// Price of the reading, quote atoms per collateral atom, Q64.64.
        spot: Price,
        /// The same, clamped by the velocity limit, Q64.64.
        guarded: Price,
        /// The market's own EMA of the guarded price, Q64.64.
        own_ema: Price,
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
    /// Accepts readings for a use: keeps the newest of what is shown and known, and moves the guards. A reading left
    /// out counts as it is known, so nothing need be shown while that is young enough; see [`crate::price::oracle`].
    ///
    /// # Errors
    /// The errors of [`Oracle::read`](crate::price::oracle::Oracle::read).
    pub fn accept_prices(&mut self, shown: &Readings, usage: PriceUse, clock: Clock) -> Result<Prices> {
        let decimals = (self.collateral_decimals, self.quote_decimals);
        let mut look = Look::at(&self.oracle.known, self.oracle.has_redemption());
        let oracle_price = self
            .oracle
            .compose(&mut look, &self.config, decimals, shown, usage, clock)?;
        let mut guard = self.guard;
        let breaker = guard.observe(&self.config, &oracle_price, clock)?;
        if breaker.teaches {
            self.volatility.observe(&self.config, breaker.guarded, clock);
        }
        if breaker.level != Level::Normal || breaker.before != Level::Normal {
            self.books.auction.renew(clock)?;
        }
        if self.books.pool.debt_shares == DebtShares::ZERO {
            // The map is empty.
            let ltv = self.liquidation_ltv(clock);
            self.map.center(breaker.guarded, self.books.pool.index, ltv);
        }
        self.guard = guard;
        look.store(&mut self.oracle.known);
        Ok(Prices::new(oracle_price, breaker, usage, clock))
    }

    /// Readings that the market knows already, accepted for a use: [`Market::accept_prices`] with nothing shown.
    ///
    /// # Errors
    /// The errors of [`Market::accept_prices`].
    pub fn known_prices(&mut self, usage: PriceUse, clock: Clock) -> Result<Prices> {
        self.accept_prices(&Readings::NONE, usage, clock)
    }

    /// Accepts readings for their own sake, bad ones too; anyone may.
    ///
    /// # Errors
    /// The errors of [`Market::accept_prices`].
    pub fn observe_price(&mut self, shown: &Readings, clock: Clock) -> Result<(Prices, Observation)> {
        let accepted = self.accept_prices(shown, PriceUse::Observe, clock);
        // By reference: they are large, and dear to move.
        let prices = accepted.as_ref().map_err(|error| *error)?;
        // Here and not in every action that is shown a price: what each map leaves out it counts in full, so being late
        // costs nobody anything, and moving it takes more compute than a liquidation may ask for.
        let index = self.books.pool.index;
        self.map
            .follow_price(prices.guarded(), index, self.liquidation_ltv(clock));
        // So that the kept sums follow the price when nobody liquidates, and others have few bands to walk.
        let stress = Stress::new(
            &self.map,
            self.books.pool.index,
            prices.lowest(),
            self.config.stress_fall,
        )?;
        self.map.set_threshold(stress.threshold);
        let (collateral_published, quote_published) = prices.oracle_price().published();
        let observation = Observation {
            spot: prices.spot(),
            guarded: prices.guarded(),
            own_ema: prices.own_ema(),
            confidence: prices.oracle_price().confidence(),
            level: prices.level().byte(),
            flags: prices.flags().0,
            collateral_published,
            quote_published,
        };
        Ok((*prices, observation))
    }

    /// Keeps the readings of feeds that live, where observing was refused because another is too old for a price: so
    /// nobody replaces a living feed as a dead one, [`Market::replace_dead_feeds`]. A reading that is too old by itself
    /// proves nothing, and is not kept: else whoever has an update of a dead feed that was never shown could keep it
    /// from being replaced. No price comes of it, so it moves no guard.
    ///
    /// `refused` is the error of [`Market::observe_price`] for the same readings.
    ///
    /// # Errors
    /// `refused`, unless it is [`Error::PriceTooOld`] and a reading is shown that is young enough by itself and newer
    /// than what is known of its feed; those of a reading.
    #[cold]
    #[inline(never)]
    pub fn keep_living_feeds(&mut self, shown: &Readings, refused: Error, clock: Clock) -> Result<()> {
        if refused != Error::PriceTooOld {
            return Err(refused);
        }
        let mut look = Look::at(&self.oracle.known, self.oracle.has_redemption());
        let young = shown.young(&self.config, clock);
        look.take(&self.oracle.known, &self.config, &young, clock)?;
        if !look.is_newer(&self.oracle.known) {
            return Err(refused);
        }
        look.store(&mut self.oracle.known);
        Ok(())
    }
}

//! Readings: which ones count, and how they compose to the price of collateral in quote.
//!
//! A reading that is shown is refused, with an error of its own, when it is not positive, has an exponent out of range,
//! or is more than an hour ahead of the chain's clock. The newer of the shown and the known reading counts ([`known`]);
//! an action is refused when that is too old for it. The breaker decides if an action may use the believed price:
//! [`crate::price::guard`]. The price of collateral in quote is the collateral feed over the quote feed, so a depeg of
//! the quote token is seen.

use crate::{
    config::Config,
    error::{Error, Result},
    math::units::{Clock, Key},
};

mod feeds;
mod known;
mod oracle_price;
mod redemption;

pub use feeds::Feeds;
pub(crate) use known::Look;
pub use known::{FeedPrice, Known, MAX_AHEAD, Reading, ReadingSet, SILENCE};
pub use oracle_price::OraclePrice;

/// [`FeedPin::kind`] of no feed.
pub const FEED_NONE: u8 = 0;
/// [`FeedPin::kind`] of a Pyth pull feed (`PriceUpdateV2`).
pub const FEED_PULL: u8 = 1;
/// [`FeedPin::kind`] of a classic Pyth push price account.
pub const FEED_PUSH: u8 = 2;

stored! {
    /// Where a market's price comes from; pinned at creation.
    FeedPin {
        /// Pull: the feed id. Push: the address of the price account.
        key: Key,
        /// The program that owns the price account. Pull: one of the known Pyth receivers.
        owner: Key,
        /// 1 = pull (`PriceUpdateV2`), 2 = push (classic price account), 0 = no feed, and then all is zero.
        kind: u8,
        /// Zeros.
        padding: [u8; 7],
    }
}

stored! {
    /// A market's feeds, and what it knows of them.
    Oracle {
        /// USD price of the collateral token.
        collateral_feed: FeedPin,
        /// USD price of the quote token.
        quote_feed: FeedPin,
        /// USD price of the token that the collateral can be redeemed for; no feed unless the collateral is redeemable.
        base_feed: FeedPin,
        /// Redemption rate of one collateral token, in that base token; pinned if and only if the base is.
        rate_feed: FeedPin,
        /// The readings it has accepted.
        known: Known,
    }
}

/// A Pyth account's reading, decoded and not yet believed. Prices are mantissas: price × 10^`expo` USD.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawReading {
    /// Aggregate price.
    pub price: i64,
    /// Half-width of the confidence interval, in the price's units.
    pub conf: u64,
    /// Decimal exponent.
    pub expo: i32,
    /// Pyth's exponentially weighted moving average of the price.
    pub ema_price: i64,
    /// When the price was published, seconds since 1970.
    pub publish_time: i64,
}

/// Readings shown of a market's feeds. A reading left out counts as it is known: the same as showing it again. Base and
/// rate are not looked at unless the market pins them.
pub type Readings = Feeds<Option<RawReading>>;

/// Use of a price. It decides how old the price may be and at which level it may be used, and an action takes no price
/// that was accepted for another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PriceUse {
    /// Borrowing, withdrawing against debt, taking capital out of the backstop.
    Borrow,
    /// Liquidating.
    Liquidate,
    /// Selling inventory.
    Sell,
    /// Only recording.
    Observe,
}

impl PriceUse {
    /// Oldest price, seconds.
    #[inline]
    #[must_use]
    pub fn max_age(self, config: &Config) -> u32 {
        match self {
            Self::Borrow | Self::Sell => config.max_age_short,
            Self::Liquidate | Self::Observe => config.max_age_long,
        }
    }
}

impl Readings {
    /// Nothing is shown.
    pub const NONE: Self = Self {
        collateral: None,
        quote: None,
        base: None,
        rate: None,
    };

    /// Both feeds of a market without redemption.
    #[must_use]
    pub const fn of(collateral: RawReading, quote: RawReading) -> Self {
        Self {
            collateral: Some(collateral),
            quote: Some(quote),
            ..Self::NONE
        }
    }

    /// The same with base and redemption rate.
    #[must_use]
    pub const fn with_redemption(self, base: RawReading, rate: RawReading) -> Self {
        Self {
            base: Some(base),
            rate: Some(rate),
            ..self
        }
    }

    /// The readings among them that are young enough by themselves.
    #[must_use]
    pub fn young(&self, config: &Config, clock: Clock) -> Self {
        let most = Feeds {
            rate: config.max_age_rate,
            ..Feeds::default().map(|()| config.max_age_long)
        };
        let is_young =
            |raw: &RawReading, most: u32| clock.unix <= raw.publish_time.saturating_add_unsigned(most.into());
        self.zip(most)
            .map(|(shown, most)| shown.filter(|raw| is_young(raw, most)))
    }
}

impl FeedPin {
    /// No feed.
    pub const NONE: Self = Self {
        key: Key([0; 32]),
        owner: Key([0; 32]),
        kind: FEED_NONE,
        padding: [0; 7],
    };

    /// True if there is no feed.
    #[inline]
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.kind == FEED_NONE
    }

    /// Checks that the pin is complete.
    ///
    /// # Errors
    /// [`Error::FeedKindUnknown`], [`Error::FeedPinInvalid`].
    pub fn validate(&self) -> Result<()> {
        if !matches!(self.kind, FEED_PULL | FEED_PUSH) {
            return Err(Error::FeedKindUnknown);
        }
        if self.key == Key::default() || self.owner == Key::default() || self.padding != [0; 7] {
            return Err(Error::FeedPinInvalid);
        }
        Ok(())
    }
}

impl Oracle {
    /// An oracle of these feeds that knows this of them.
    pub(crate) fn pinned(feeds: &Feeds, known: &Known) -> Self {
        Self {
            collateral_feed: feeds.collateral,
            quote_feed: feeds.quote,
            base_feed: feeds.base,
            rate_feed: feeds.rate,
            known: *known,
        }
    }

    /// Its feeds.
    #[inline]
    #[must_use]
    pub fn feeds(&self) -> Feeds<&FeedPin> {
        Feeds {
            collateral: &self.collateral_feed,
            quote: &self.quote_feed,
            base: &self.base_feed,
            rate: &self.rate_feed,
        }
    }

    /// True if the collateral counts at most at its redemption value.
    #[inline]
    #[must_use]
    pub fn has_redemption(&self) -> bool {
        !self.rate_feed.is_none()
    }

    /// Checks that every pin is complete, that base and rate come together, and that no feed is pinned twice.
    ///
    /// # Errors
    /// [`Error::FeedKindUnknown`], [`Error::FeedPinInvalid`].
    pub fn validate(&self) -> Result<()> {
        let Feeds {
            collateral,
            quote,
            base,
            rate,
        } = self.feeds();
        collateral.validate()?;
        quote.validate()?;
        if collateral.key == quote.key {
            return Err(Error::FeedPinInvalid);
        }
        if *base == FeedPin::NONE && *rate == FeedPin::NONE {
            return Ok(());
        }
        base.validate()?;
        rate.validate()?;
        // The base may be the quote: JitoSOL against SOL.
        let twice = base.key == collateral.key || base.key == rate.key;
        if twice || [collateral.key, quote.key].contains(&rate.key) {
            return Err(Error::FeedPinInvalid);
        }
        Ok(())
    }

    /// Takes the newest of what is shown and known, and composes it. Stores nothing: that is what the second result is
    /// for, and [`OraclePrice::since`] says from when the price is.
    ///
    /// `decimals` are the collateral and the quote mint's.
    ///
    /// # Errors
    /// One error for each reason to refuse a reading: [`Error::PriceNotPositive`], [`Error::PriceExponentOutOfRange`],
    /// [`Error::PriceFromFuture`], [`Error::PriceTooOld`], [`Error::FeedsTooFarApart`]; [`Error::PriceRequired`],
    /// [`Error::RedemptionFeedsRequired`] where nothing is shown or known; [`Error::PriceOutOfRange`].
    pub fn read(
        &self,
        config: &Config,
        decimals: (u8, u8),
        shown: &Readings,
        usage: PriceUse,
        clock: Clock,
    ) -> Result<(OraclePrice, Known)> {
        let mut look = Look::at(&self.known, self.has_redemption());
        let oracle_price = self.compose(&mut look, config, decimals, shown, usage, clock)?;
        let mut known = self.known;
        look.store(&mut known);
        Ok((oracle_price, known))
    }

    /// [`Oracle::read`] for who stores in place what is known then: `look`, which begins as [`Look::at`] what is known.
    ///
    /// # Errors
    /// The errors of [`Oracle::read`].
    #[inline(always)]
    #[allow(
        clippy::inline_always,
        reason = "handing the result over costs as much as a good part of the work"
    )]
    pub(crate) fn compose(
        &self,
        look: &mut Look,
        config: &Config,
        decimals: (u8, u8),
        shown: &Readings,
        usage: PriceUse,
        clock: Clock,
    ) -> Result<OraclePrice> {
        look.take(&self.known, config, shown, clock)?;
        look.check_age(config, usage.max_age(config), clock)?;
        OraclePrice::new(config, decimals, look.used(), look.rate())
    }
}

#[cfg(test)]
pub(crate) mod tests;

//! Readings: which ones are believed, and how they compose to the price of collateral in quote.
//!
//! A reading is refused, with an error of its own, when it is not positive, has an exponent out of range, comes from
//! the future, is too old for the action, or is older than one already accepted. Whether an action may use what was
//! believed is the breaker's decision: [`crate::guard`]. The price of collateral in quote is the collateral feed over the
//! quote feed, so a depeg of the quote token is seen.

use crate::{
    config::Config,
    error::{Error, Result},
    units::{Clock, Key},
};

mod believed;
mod redemption;

pub use believed::Believed;
use believed::Reading;

/// [`FeedPin::kind`] of no feed.
pub const FEED_NONE: u8 = 0;
/// [`FeedPin::kind`] of a Pyth pull feed (`PriceUpdateV2`).
pub const FEED_PULL: u8 = 1;
/// [`FeedPin::kind`] of a classic Pyth push price account.
pub const FEED_PUSH: u8 = 2;

/// Exponents that a reading may have.
const EXPONENTS: core::ops::RangeInclusive<i32> = -18..=12;

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
    /// A market's feeds and the newest publish times it has accepted.
    Oracle {
        /// USD price of the collateral token.
        collateral_feed: FeedPin,
        /// USD price of the quote token.
        quote_feed: FeedPin,
        /// USD price of the token that the collateral can be redeemed for; no feed unless the collateral is redeemable.
        base_feed: FeedPin,
        /// What one collateral token is redeemed for, in that base token; pinned if and only if the base is.
        rate_feed: FeedPin,
        /// Newest publish time accepted for the collateral feed, seconds since 1970.
        collateral_published: i64,
        /// Newest publish time accepted for the quote feed, seconds since 1970.
        quote_published: i64,
        /// Newest publish time accepted for the base feed, seconds since 1970.
        base_published: i64,
        /// Newest publish time accepted for the rate feed, seconds since 1970.
        rate_published: i64,
    }
}

/// What a Pyth account says, decoded and not yet believed. Prices are mantissas: price × 10^`expo` USD.
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

/// What a market's feeds say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Readings {
    /// Collateral token in USD.
    pub collateral: RawReading,
    /// Quote token in USD.
    pub quote: RawReading,
    /// Base token in USD, and the redemption rate; for markets that pin these feeds.
    pub redemption: Option<(RawReading, RawReading)>,
}

/// What a price is wanted for; it decides how old the price may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Borrowing, withdrawing against debt, buying inventory.
    Trade,
    /// Liquidating.
    Liquidate,
    /// Only recording.
    Observe,
}

impl FeedPin {
    /// No feed.
    pub const NONE: Self = Self {
        key: Key([0; 32]),
        owner: Key([0; 32]),
        kind: FEED_NONE,
        padding: [0; 7],
    };

    /// Whether there is no feed.
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
    /// Whether the collateral counts at most at what it can be redeemed for.
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
        let Self {
            collateral_feed,
            quote_feed,
            base_feed,
            rate_feed,
            ..
        } = self;
        collateral_feed.validate()?;
        quote_feed.validate()?;
        if collateral_feed.key == quote_feed.key {
            return Err(Error::FeedPinInvalid);
        }
        if *base_feed == FeedPin::NONE && *rate_feed == FeedPin::NONE {
            return Ok(());
        }
        base_feed.validate()?;
        rate_feed.validate()?;
        let markets = [collateral_feed.key, quote_feed.key];
        // The base may be the quote: JitoSOL against SOL.
        let twice = base_feed.key == collateral_feed.key || base_feed.key == rate_feed.key;
        if twice || markets.contains(&rate_feed.key) {
            return Err(Error::FeedPinInvalid);
        }
        Ok(())
    }

    /// Checks all readings and composes them. Records nothing: see [`Oracle::record`].
    ///
    /// `decimals` are the collateral and the quote mint's.
    ///
    /// # Errors
    /// One error for each reason to refuse a reading (see the module); [`Error::RedemptionFeedsRequired`],
    /// [`Error::PriceOutOfRange`].
    pub fn read(
        &self,
        config: &Config,
        decimals: (u8, u8),
        readings: &Readings,
        purpose: Purpose,
        clock: Clock,
    ) -> Result<Believed> {
        let times = Times::of(config, purpose, clock);
        let collateral = check(&readings.collateral, times, self.collateral_published)?;
        let quote = check(&readings.quote, times, self.quote_published)?;
        if !self.has_redemption() {
            return Believed::new(config, decimals, collateral, quote, None);
        }
        let (base, rate) = readings.redemption.ok_or(Error::RedemptionFeedsRequired)?;
        let base = check(&base, times, self.base_published)?;
        let rate = check(&rate, times, self.rate_published)?;
        Believed::new(config, decimals, collateral, quote, Some((base, rate)))
    }

    /// Records the publish times of readings that were believed.
    pub(crate) fn record(&mut self, readings: &Readings) {
        self.collateral_published = readings.collateral.publish_time;
        self.quote_published = readings.quote.publish_time;
        if let Some((base, rate)) = readings.redemption.filter(|_| self.has_redemption()) {
            self.base_published = base.publish_time;
            self.rate_published = rate.publish_time;
        }
    }
}

/// Between what times a price may have been published.
#[derive(Clone, Copy)]
struct Times {
    oldest: i64,
    latest: i64,
}

impl Times {
    fn of(config: &Config, purpose: Purpose, clock: Clock) -> Self {
        let max_age = match purpose {
            Purpose::Trade => config.max_age_short,
            Purpose::Liquidate | Purpose::Observe => config.max_age_long,
        };
        Self {
            oldest: clock.unix.saturating_sub(i64::from(max_age)),
            latest: clock.unix.saturating_add(i64::from(config.future_tolerance)),
        }
    }
}

fn check(raw: &RawReading, times: Times, newest: i64) -> Result<Reading> {
    let price = u64::try_from(raw.price)
        .ok()
        .filter(|price| *price > 0)
        .ok_or(Error::PriceNotPositive)?;
    if !EXPONENTS.contains(&raw.expo) {
        return Err(Error::PriceExponentOutOfRange);
    }
    if raw.publish_time > times.latest {
        return Err(Error::PriceFromFuture);
    }
    if raw.publish_time < times.oldest {
        return Err(Error::PriceTooOld);
    }
    if raw.publish_time < newest {
        return Err(Error::PriceBehindAccepted);
    }
    let ema = u64::try_from(raw.ema_price).ok().filter(|ema| *ema > 0);
    Ok(Reading {
        price,
        conf: raw.conf,
        ema,
        expo: raw.expo,
    })
}

#[cfg(test)]
pub(crate) mod tests;

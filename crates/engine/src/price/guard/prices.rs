use super::{BreakerReading, Flags, Level, LevelChange};
use crate::{
    error::{Error, Result},
    math::{
        num,
        units::{Bps, Clock, Divisor, Price},
    },
    price::oracle::{OraclePrice, PriceUse},
};

/// Readings as a market accepted them, with the breaker's reading: what every action that needs a price is given. It is
/// good for the use that it was accepted for, at that moment, and for nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prices {
    oracle_price: OraclePrice,
    breaker: BreakerReading,
    usage: PriceUse,
    /// When they were accepted, seconds since 1970.
    accepted_at: i64,
}

/// The two prices of a liquidation, quote atoms per collateral atom: judged high, settled low.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiquidationPrices {
    /// h: decides whether an account is liquidated, and how far.
    pub judged: Price,
    /// l: what its collateral counts for when it changes hands; at most h.
    pub settled: Price,
}

impl LiquidationPrices {
    /// h ÷ l in units of 2^-32, rounded up, if the gap 1 − l/h is at most `max_gap`; `None` beyond it.
    #[must_use]
    pub fn spread(&self, max_gap: Bps) -> Option<u64> {
        let (judged, settled) = (self.judged.raw(), self.settled.raw());
        if judged == settled {
            return Some(1 << 32);
        }
        if self.is_beyond(max_gap) {
            return None;
        }
        // Below 2^104: see `oracle::believed`. What the shift drops of l is less than 2^-40 of it, or nothing.
        let (judged, settled) = if is_short(settled) {
            (judged << 32, settled)
        } else {
            (judged << 24, settled >> 8)
        };
        num::narrow(num::div_ceil(judged, settled).ok()?).ok()
    }

    /// The same by `settled`, l prepared, which who liquidates has at hand: 1 + (h − l) ÷ l takes a few products
    /// then, instead of a division of 128 bits.
    pub(crate) fn spread_by(&self, settled: &Divisor, max_gap: Bps) -> Option<u64> {
        if self.judged == self.settled || !is_short(self.settled.raw()) {
            return self.spread(max_gap);
        }
        let gap = num::narrow(self.judged.raw().saturating_sub(self.settled.raw()));
        let Ok(part) = gap.and_then(|gap| settled.fraction_up(gap)) else {
            return self.spread(max_gap);
        };
        // In units of 2^-64: of which at most 2^32 of the others are left.
        (!self.is_beyond(max_gap)).then(|| part.div_ceil(1 << 32).wrapping_add(1 << 32))
    }

    /// True if h − l > h × max_gap.
    #[inline]
    fn is_beyond(&self, max_gap: Bps) -> bool {
        let times = |price, ratio: Bps| num::q_times(price, ratio.factor()).unwrap_or(u128::MAX);
        let (judged, settled) = (self.judged.raw(), self.settled.raw());
        times(judged.saturating_sub(settled), num::WHOLE) > times(judged, max_gap)
    }
}

/// True if 32 bits more still fit beside a price of up to twice this one.
fn is_short(price: u128) -> bool {
    price >> 95 == 0
}

impl Prices {
    pub(crate) fn new(oracle_price: OraclePrice, breaker: BreakerReading, usage: PriceUse, clock: Clock) -> Self {
        Self {
            oracle_price,
            breaker,
            usage,
            accepted_at: clock.unix,
        }
    }

    /// The use they were accepted for.
    #[inline]
    #[must_use]
    pub fn usage(&self) -> PriceUse {
        self.usage
    }

    /// The price of the reading, rounded down: see [`OraclePrice::spot`].
    #[inline]
    #[must_use]
    pub fn spot(&self) -> Price {
        self.oracle_price.spot()
    }

    /// Spot as the guard lets it move.
    #[inline]
    #[must_use]
    pub fn guarded(&self) -> Price {
        self.breaker.guarded
    }

    /// The market's own EMA of the guarded price.
    #[inline]
    #[must_use]
    pub fn own_ema(&self) -> Price {
        self.breaker.own_ema
    }

    /// Level of trust in these prices.
    #[inline]
    #[must_use]
    pub fn level(&self) -> Level {
        self.breaker.level
    }

    /// Reasons for caution.
    #[inline]
    #[must_use]
    pub fn flags(&self) -> Flags {
        self.breaker.flags
    }

    /// The change of level that these readings brought about, if any.
    #[must_use]
    pub fn change(&self) -> Option<LevelChange> {
        self.breaker.change(self.spot())
    }

    /// The readings behind it.
    #[must_use]
    pub fn oracle_price(&self) -> &OraclePrice {
        &self.oracle_price
    }

    /// Checks that they were accepted for this use, and now: the first thing that every action does with them.
    ///
    /// # Errors
    /// [`Error::PricesForOtherUse`], [`Error::PricesOfOtherMoment`].
    #[inline]
    pub fn check(&self, usage: PriceUse, clock: Clock) -> Result<()> {
        if self.usage != usage {
            return Err(Error::PricesForOtherUse);
        }
        if self.accepted_at != clock.unix {
            return Err(Error::PricesOfOtherMoment);
        }
        Ok(())
    }

    /// Checks that they may be used so: see [`Level::permit`].
    ///
    /// # Errors
    /// [`Error::ConfidenceTooWide`] if this very reading is too uncertain, [`Error::MarketHalted`],
    /// [`Error::MarketGuarded`].
    pub fn permit(&self, usage: PriceUse) -> Result<()> {
        if self.flags().has(Flags::CONFIDENCE_HALT) {
            return Err(Error::ConfidenceTooWide);
        }
        self.level().permit(usage)
    }

    /// The prices of a liquidation. An account is judged at the higher of spot and guarded price: it must be below its
    /// margin at both, so neither a wick down nor what is left of it can liquidate anybody. Collateral taken from it is
    /// settled at the lower, so the backstop pays no more than the market does. Normal means that they are equal.
    ///
    /// # Errors
    /// The errors of [`Prices::permit`].
    pub fn liquidation(&self) -> Result<LiquidationPrices> {
        self.permit(PriceUse::Liquidate)?;
        Ok(LiquidationPrices {
            judged: self.judged(),
            settled: self.spot().min(self.guarded()),
        })
    }

    /// The higher of spot and guarded price, at which accounts are judged.
    #[inline]
    #[must_use]
    pub fn judged(&self) -> Price {
        self.spot().max(self.guarded())
    }

    /// The lowest of spot, guarded price and the market's own EMA: the stress cover falls from there.
    #[inline]
    #[must_use]
    pub fn lowest(&self) -> Price {
        self.spot().min(self.guarded()).min(self.own_ema())
    }

    /// The higher of the two EMAs, at which the flow limit counts; the market's own where Pyth gives none.
    #[must_use]
    pub fn flow_price(&self) -> Price {
        self.max_ema().unwrap_or(self.own_ema())
    }

    /// The price at which collateral counts for borrowing, rounded down:
    ///
    /// ```text
    /// min(spot, guarded, own EMA, Pyth's EMA) − (spot − low)
    /// ```
    ///
    /// Zero when uncertainty eats all of it.
    ///
    /// # Errors
    /// [`Error::EmaUnavailable`], those of [`Prices::permit`], [`Error::PriceOutOfRange`].
    pub fn conservative(&self) -> Result<Price> {
        let ema = self.oracle_price.ema()?;
        self.permit(PriceUse::Borrow)?;
        let (spot, low) = (self.spot(), self.oracle_price.low()?);
        let uncertainty = spot.raw().saturating_sub(low.raw());
        let lowest = self.lowest().min(ema);
        Ok(Price::from_raw(lowest.raw().saturating_sub(uncertainty)))
    }

    /// The price that the auction starts from, and whether a discount may be taken off it. Normal: the upper end of the
    /// confidence interval. Guarded: the highest of spot, guarded price and both EMAs, and the confidence on top,
    /// without discount. Rounded up.
    ///
    /// # Errors
    /// [`Error::EmaUnavailable`], those of [`Prices::permit`], [`Error::PriceOutOfRange`], [`Error::Overflow`].
    pub fn ask_reference(&self) -> Result<Price> {
        self.oracle_price.ema()?;
        self.permit(PriceUse::Sell)?;
        if self.level() == Level::Normal {
            return self.oracle_price.high();
        }
        self.highest()
    }

    /// The most that collateral may be worth: the highest of spot, guarded price and both EMAs, and the confidence
    /// on top. Rounded up.
    ///
    /// # Errors
    /// [`Error::EmaUnavailable`], [`Error::PriceOutOfRange`], [`Error::Overflow`].
    pub fn highest(&self) -> Result<Price> {
        let ema = self.oracle_price.ema()?;
        let high = self.oracle_price.high()?;
        let uncertainty = high.raw().saturating_sub(self.spot().raw());
        let highest = self.spot().max(self.guarded()).max(self.own_ema()).max(ema);
        highest
            .raw()
            .checked_add(uncertainty)
            .map(Price::from_raw)
            .ok_or(Error::Overflow)
    }

    /// The higher of the two EMAs: the auction's floor hangs below it, and sales are limited at it.
    ///
    /// # Errors
    /// [`Error::EmaUnavailable`], [`Error::PriceOutOfRange`].
    pub fn max_ema(&self) -> Result<Price> {
        Ok(self.oracle_price.ema()?.max(self.own_ema()))
    }
}

#[cfg(test)]
impl Prices {
    /// The same, as if accepted for another use, at another moment.
    pub(crate) fn used(&self, usage: PriceUse, clock: Clock) -> Self {
        Self {
            usage,
            accepted_at: clock.unix,
            ..*self
        }
    }
}

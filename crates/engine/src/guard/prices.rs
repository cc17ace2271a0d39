use super::{Action, Flags, Level, LevelChange, Verdict, within};
use crate::{
    config::Config,
    error::{Error, Result},
    oracle::Believed,
    units::Price,
};

/// Readings as a market accepted them, with the guard's verdict: what every action that needs a price is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prices {
    believed: Believed,
    verdict: Verdict,
}

impl Prices {
    pub(crate) fn new(believed: Believed, verdict: Verdict) -> Self {
        Self { believed, verdict }
    }

    /// The price of the reading, rounded down: see [`Believed::spot`].
    #[inline]
    #[must_use]
    pub fn spot(&self) -> Price {
        self.believed.spot()
    }

    /// Spot as the guard lets it move.
    #[inline]
    #[must_use]
    pub fn guarded(&self) -> Price {
        self.verdict.guarded
    }

    /// The market's own average of the guarded price.
    #[inline]
    #[must_use]
    pub fn average(&self) -> Price {
        self.verdict.average
    }

    /// What these prices are trusted for.
    #[inline]
    #[must_use]
    pub fn level(&self) -> Level {
        self.verdict.level
    }

    /// Reasons for caution.
    #[inline]
    #[must_use]
    pub fn flags(&self) -> Flags {
        self.verdict.flags
    }

    /// The change of level that these readings brought about, if any.
    #[must_use]
    pub fn change(&self) -> Option<LevelChange> {
        self.verdict.change(self.spot())
    }

    /// The readings behind it.
    #[must_use]
    pub fn believed(&self) -> &Believed {
        &self.believed
    }

    /// See [`Level::permit`].
    ///
    /// # Errors
    /// [`Error::ConfidenceTooWide`] if this very reading is too uncertain, [`Error::MarketHalted`],
    /// [`Error::MarketGuarded`].
    pub fn permit(&self, action: Action) -> Result<()> {
        if self.flags().has(Flags::CONFIDENCE_HALT) {
            return Err(Error::ConfidenceTooWide);
        }
        self.level().permit(action)
    }

    /// The price at which accounts are judged and taken over: the higher of spot and guarded price. An account must be
    /// below its margin at both, so neither a wick down nor what is left of it can liquidate anybody.
    ///
    /// The two may be no further apart than `max_gap`: beyond it, backstop or owner would deal far from the market.
    /// Normal means that they are equal.
    ///
    /// # Errors
    /// Those of [`Prices::permit`], and [`Error::PriceGapTooWide`].
    pub fn liquidation(&self, config: &Config) -> Result<Price> {
        self.permit(Action::Liquidate)?;
        let (spot, guarded) = (self.spot(), self.guarded());
        if spot != guarded && !within(spot, guarded, config.max_gap) {
            return Err(Error::PriceGapTooWide);
        }
        Ok(spot.max(guarded))
    }

    /// The price at which collateral counts for borrowing, rounded down:
    ///
    /// ```text
    /// min(spot, guarded, own average, Pyth's average) − (spot − low)
    /// ```
    ///
    /// Zero when uncertainty eats all of it.
    ///
    /// # Errors
    /// [`Error::EmaUnavailable`], those of [`Prices::permit`], [`Error::PriceOutOfRange`].
    pub fn conservative(&self) -> Result<Price> {
        self.conservative_and_low().map(|(conservative, _)| conservative)
    }

    /// [`Prices::conservative`] and [`Believed::low`], which is dear, for who needs both.
    pub(crate) fn conservative_and_low(&self) -> Result<(Price, Price)> {
        let ema = self.believed.ema()?;
        self.permit(Action::Borrow)?;
        let (spot, low) = (self.spot(), self.believed.low()?);
        let uncertainty = spot.raw().saturating_sub(low.raw());
        let lowest = spot.min(self.guarded()).min(self.average()).min(ema);
        Ok((Price::from_raw(lowest.raw().saturating_sub(uncertainty)), low))
    }

    /// The price that the unwind starts from, and whether a discount may be taken off it. Normal: the upper end of the
    /// confidence interval. Guarded: the highest of spot, guarded price and both averages, and the confidence on top,
    /// without discount. Rounded up.
    ///
    /// # Errors
    /// [`Error::EmaUnavailable`], those of [`Prices::permit`], [`Error::PriceOutOfRange`], [`Error::Overflow`].
    pub fn offered(&self) -> Result<Price> {
        let ema = self.believed.ema()?;
        self.permit(Action::Sell)?;
        let high = self.believed.high()?;
        if self.level() == Level::Normal {
            return Ok(high);
        }
        let uncertainty = high.raw().saturating_sub(self.spot().raw());
        let highest = self.spot().max(self.guarded()).max(self.average()).max(ema);
        highest
            .raw()
            .checked_add(uncertainty)
            .map(Price::from_raw)
            .ok_or(Error::Overflow)
    }

    /// The higher of the two averages: the unwind's floor hangs below it.
    ///
    /// # Errors
    /// [`Error::EmaUnavailable`], [`Error::PriceOutOfRange`].
    pub fn trend(&self) -> Result<Price> {
        Ok(self.believed.ema()?.max(self.average()))
    }
}

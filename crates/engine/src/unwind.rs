//! The unwind: when and at what price the backstop sells inventory.
//!
//! A linear variable-rate Dutch auction keeps sales to a schedule (Paradigm's VRGDA, with a linear price):
//!
//! ```text
//! r        = clamp(inventory / unwind_time, min_rate, max_rate)      collateral atoms per second
//! lag      = now − anchor                                            behind (+) or ahead (−) of schedule
//! discount = clamp(slope × lag, −max_premium, max_discount)
//! ask      = max( offered × (1 − discount),  trend × (1 − floor_band) )
//! ```
//!
//! `offered` is the upper end of the confidence interval, and while Guarded the highest of all prices, without discount
//! ([`Prices::offered`]); `trend` is the higher of the two averages ([`Prices::trend`]).
//!
//! A sale of a atoms moves the anchor forward by a ÷ r. The anchor prices the auction but cannot bound the flow: it lags
//! while nobody buys, and a lag of an hour would let an hour's worth go at once. So there are two marks. The second,
//! `flow`, never lags behind now, and a sale moves it by a ÷ max_rate. Neither may pass now + burst. Hence in any
//! window W at most max_rate × (W + burst) is sold, whatever anyone does.

use crate::{
    config::Config,
    error::{Error, Result},
    guard::{Level, Prices},
    num::{self, BPS},
    pace::{self, MICROS, Pace, micros},
    units::{Bps, Clock, Collateral, Price},
};

const MICROS_PER_HOUR: u64 = 3_600 * MICROS;

stored! {
    /// How far the unwind has sold, against time.
    Schedule {
        /// The moment up to which the schedule is fulfilled, microseconds since 1970. It sets the price.
        anchor: i64,
        /// The moment up to which the flow limit is used, microseconds since 1970. It bounds the pace.
        flow: i64,
    }
}

/// A moment at which inventory may arrive, and what is the same for all of it.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// Microseconds since 1970.
    now: i64,
    /// Lag beyond it does not count, seconds.
    longest_lag: u64,
}

impl Arrival {
    /// At `clock`.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub fn at(config: &Config, clock: Clock) -> Result<Self> {
        Ok(Self {
            now: micros(clock)?,
            longest_lag: Schedule::longest_lag(config)?,
        })
    }
}

/// What the backstop offers now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Quote atoms for one collateral atom, rounded up.
    pub ask: Price,
    /// Most collateral that can be bought now, atoms.
    pub available: Collateral,
    /// Discount off the upper end of the confidence interval, bps; negative is a premium. The floor may hold the ask
    /// above it.
    pub discount: i64,
}

impl Schedule {
    /// `seized` atoms arrive beside `held` ones. They are new to the market and so begin without a discount: the lag shrinks to
    /// the old part of the inventory,
    ///
    /// ```text
    /// lag ← lag × held ÷ (held + seized)
    /// ```
    ///
    /// by whole seconds, rounded down. `arrival` is that of the moment. Sales that ran ahead still count.
    #[inline]
    pub fn arrive(&mut self, arrival: &Arrival, held: Collateral, seized: Collateral) {
        if self.anchor < arrival.now {
            self.dilute(arrival, held, seized);
        }
    }

    /// [`Schedule::arrive`] behind the schedule. Apart from it, for a batch does it once.
    #[cold]
    #[inline(never)]
    fn dilute(&mut self, arrival: &Arrival, held: Collateral, seized: Collateral) {
        if held == Collateral::ZERO {
            self.anchor = arrival.now;
            return;
        }
        let lag = arrival.now.saturating_sub(self.anchor).unsigned_abs() / MICROS;
        let lag = lag.min(arrival.longest_lag);
        // The part lost is below one, so it fits; were it not to, all would be lost.
        let lost = num::mul_div_floor(lag, seized.0, held.0.saturating_add(seized.0)).unwrap_or(lag);
        let kept = lag.saturating_sub(lost).saturating_mul(MICROS);
        self.anchor = self.anchor.max(arrival.now.saturating_sub_unsigned(kept));
    }

    /// Sales are stopped until `unix`: the discount begins anew then. Else whoever may stop sales keeps other buyers away while it
    /// grows, and is the first when it is over.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub(crate) fn stop(&mut self, unix: i64) -> Result<()> {
        self.anchor = self.anchor.max(micros(Clock { unix, slot: 0 })?);
        Ok(())
    }

    /// The lag at which the discount is the largest, seconds, rounded up: more would only make it outlive the return of
    /// buyers.
    fn longest_lag(config: &Config) -> Result<u64> {
        num::mul_div_ceil(config.unwind_max_discount.factor(), 3_600, config.unwind_slope.factor())
    }

    /// The scheduled rate, collateral atoms per second, rounded down.
    #[must_use]
    pub fn rate(config: &Config, inventory: Collateral) -> u64 {
        let wanted = inventory.0.checked_div(u64::from(config.unwind_time)).unwrap_or(0);
        wanted.clamp(
            config.unwind_min_rate,
            config.unwind_max_rate.max(config.unwind_min_rate),
        )
    }

    /// The anchor, at most as far behind as the largest discount needs.
    fn anchor(&self, config: &Config, now: i64) -> Result<i64> {
        let lag = Self::longest_lag(config)?.saturating_mul(MICROS);
        Ok(self.anchor.max(now.saturating_sub_unsigned(lag)))
    }

    /// The discount at `level` now, bps, rounded towards zero; negative is a premium. Nothing but a premium unless the
    /// level is Normal.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub fn discount(&self, config: &Config, level: Level, clock: Clock) -> Result<i64> {
        let now = micros(clock)?;
        let lag = now.saturating_sub(self.anchor(config, now)?);
        let size = num::mul_div_floor(config.unwind_slope.factor(), lag.unsigned_abs(), MICROS_PER_HOUR)?;
        let limit = match (lag < 0, level) {
            (true, _) => config.unwind_max_premium,
            (false, Level::Normal) => config.unwind_max_discount,
            (false, _) => Bps(0),
        };
        let size = i64::try_from(size.min(limit.factor())).map_err(|_| Error::Overflow)?;
        Ok(if lag < 0 { size.saturating_neg() } else { size })
    }

    /// The ask, rounded up, in favour of the backstop.
    ///
    /// # Errors
    /// Those of [`Prices::offered`].
    pub fn ask(&self, config: &Config, prices: &Prices, clock: Clock) -> Result<Price> {
        let discount = self.discount(config, prices.level(), clock)?;
        let factor = BPS
            .checked_add_signed(discount.saturating_neg())
            .ok_or(Error::Overflow)?;
        let scheduled = prices.offered()?.scale_up(factor)?;
        let floor = prices.trend()?.scale_up(config.unwind_floor_band.below_one())?;
        Ok(scheduled.max(floor))
    }

    /// The most that can be sold now, atoms, rounded down.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub fn available(&self, config: &Config, inventory: Collateral, clock: Clock) -> Result<Collateral> {
        let now = micros(clock)?;
        let end = pace::after(now, config.unwind_burst);
        let (schedule, limit) = Self::paces(config, inventory);
        let by_schedule = schedule.room(self.anchor(config, now)?, end);
        let by_flow = limit.room(self.flow.max(now), end);
        Ok(inventory.min(Collateral(by_schedule.min(by_flow))))
    }

    /// Records a sale out of `inventory`.
    ///
    /// # Errors
    /// [`Error::UnwindTooFast`] if either mark would pass now + burst, [`Error::Overflow`].
    pub fn sell(&mut self, config: &Config, inventory: Collateral, amount: Collateral, clock: Clock) -> Result<()> {
        let now = micros(clock)?;
        let end = pace::after(now, config.unwind_burst);
        let (schedule, limit) = Self::paces(config, inventory);
        let advance = |pace: Pace, mark| pace.advance(mark, end, amount.0).ok_or(Error::UnwindTooFast);
        *self = Self {
            anchor: advance(schedule, self.anchor(config, now)?)?,
            flow: advance(limit, self.flow.max(now))?,
        };
        Ok(())
    }

    /// The scheduled pace, and the fastest.
    fn paces(config: &Config, inventory: Collateral) -> (Pace, Pace) {
        let per_second = |atoms| Pace { atoms, period: MICROS };
        (
            per_second(Self::rate(config, inventory)),
            per_second(config.unwind_max_rate),
        )
    }
}

#[cfg(test)]
mod tests;

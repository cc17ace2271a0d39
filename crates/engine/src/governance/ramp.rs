//! How the liquidation LTV changes: announced, and then slowly, along a straight line. Nobody becomes liquidatable
//! overnight.

use crate::{
    config::Config,
    error::{Error, Result},
    math::{
        num,
        units::{Bps, Clock},
    },
};

/// Fastest change, bps a day.
pub const FASTEST: u64 = 100;
/// Longest from its start to its end, seconds: 180 days. A change that takes longer is nobody's plan.
pub const LONGEST: u64 = 180 * DAY;
/// Seconds in a day.
const DAY: u64 = 86_400;

stored! {
    /// An announced change of the liquidation LTV; all zeros if there is none.
    Ramp {
        /// When it begins, seconds since 1970.
        starts_at: i64,
        /// When it is done, seconds since 1970.
        ends_at: i64,
        /// The liquidation LTV from then on, bps.
        to: Bps,
        /// Zeros.
        padding: [u8; 4],
    }
}

record! {
    /// A change of the liquidation LTV was announced.
    RampAnnounced {
        /// Now, bps.
        from: Bps,
        /// At the end, bps.
        to: Bps,
        /// When it begins, seconds since 1970.
        starts_at: i64,
        /// When it is done, seconds since 1970.
        ends_at: i64,
    }
}

record! {
    /// An announced change of the liquidation LTV was taken back.
    RampCancellation {
        /// The liquidation LTV that stays, bps.
        stays: Bps,
        /// The liquidation LTV that was announced, bps.
        announced: Bps,
    }
}

impl Ramp {
    /// True if there is one that has not ended.
    #[must_use]
    pub fn is_ahead(&self, clock: Clock) -> bool {
        clock.unix < self.ends_at
    }

    /// Where the liquidation LTV goes from `present`, bps: there, without a ramp.
    #[must_use]
    pub fn target(&self, present: Bps) -> Bps {
        if self.ends_at == 0 { present } else { self.to }
    }

    /// The liquidation LTV at a moment, bps: `from` before the start, `to` after the end, and between them on a
    /// straight line, rounded up, in favor of the accounts.
    #[must_use]
    pub fn at(&self, from: Bps, clock: Clock) -> Bps {
        if self.ends_at == 0 || clock.unix <= self.starts_at {
            return from;
        }
        if clock.unix >= self.ends_at {
            return self.to;
        }
        let length = self.ends_at.saturating_sub(self.starts_at).unsigned_abs();
        let gone = clock.unix.saturating_sub(self.starts_at).unsigned_abs();
        let change = u64::from(from.0.abs_diff(self.to.0));
        if self.to < from {
            let down = num::mul_div_floor(change, gone, length).unwrap_or(change);
            Bps(from.0.saturating_sub(u32::try_from(down).unwrap_or(0)))
        } else {
            let up = num::mul_div_ceil(change, gone, length).unwrap_or(0);
            Bps(from.0.saturating_add(u32::try_from(up).unwrap_or(0)))
        }
    }

    /// A new ramp from the present LTV `from`.
    ///
    /// # Errors
    /// [`Error::RampTooSoon`] with less notice than [`Config::change_delay`], [`Error::RampTooSteep`] if it is faster
    /// than [`FASTEST`], [`Error::RampTooLong`] if it is longer than [`LONGEST`], those of [`Config::validate`] for the
    /// parameters with the new LTV.
    pub(crate) fn new(config: &Config, from: Bps, to: Bps, starts_at: i64, ends_at: i64, clock: Clock) -> Result<Self> {
        let target = Config {
            liquidation_ltv: to,
            ..*config
        };
        target.validate()?;
        if starts_at < clock.unix.saturating_add(config.change_delay()) {
            return Err(Error::RampTooSoon);
        }
        let length = u64::try_from(ends_at.saturating_sub(starts_at)).unwrap_or(0);
        let change = u64::from(from.0.abs_diff(to.0));
        if length == 0 || num::wide(change, DAY) > num::wide(length, FASTEST) {
            return Err(Error::RampTooSteep);
        }
        if length > LONGEST {
            return Err(Error::RampTooLong);
        }
        Ok(Self {
            starts_at,
            ends_at,
            to,
            padding: [0; 4],
        })
    }
}

#[cfg(test)]
mod tests;

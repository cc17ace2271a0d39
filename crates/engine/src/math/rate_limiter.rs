//! A rate limiter (GCRA): so many atoms in so much time, kept as the moment up to which that is used.
//!
//! Each use moves that moment, `used_until`, forward by the time it takes at that rate, and not past an end. Rounded so
//! that many small amounts cannot outrun it.

use crate::{
    error::{Error, Result},
    math::{num, units::Clock},
};

/// Microseconds in a second.
pub(crate) const MICROS: u64 = 1_000_000;

/// At most `atoms` in every `period` microseconds.
#[derive(Clone, Copy)]
pub(crate) struct RateLimiter {
    pub atoms: u64,
    pub period: u64,
}

/// The clock in microseconds since 1970.
///
/// # Errors
/// [`Error::Overflow`].
pub(crate) fn micros(clock: Clock) -> Result<i64> {
    // What fits. The compiler's checked multiplication forms all 128 bits of the product, which is dear on chain.
    const LAST: i64 = i64::MAX / MICROS.cast_signed();
    if clock.unix > LAST || clock.unix < -LAST {
        return Err(Error::Overflow);
    }
    Ok(clock.unix.wrapping_mul(MICROS.cast_signed()))
}

/// `seconds` after `now`, in microseconds since 1970.
pub(crate) fn after(now: i64, seconds: u32) -> i64 {
    now.saturating_add(i64::from(seconds).saturating_mul(MICROS.cast_signed()))
}

impl RateLimiter {
    /// The atoms that fit between `used_until` and `end`, rounded down.
    pub(crate) fn headroom(self, used_until: i64, end: i64) -> u64 {
        let left = u64::try_from(end.saturating_sub(used_until)).unwrap_or(0);
        num::mul_div_floor(left, self.atoms, self.period).unwrap_or(u64::MAX)
    }

    /// `used_until` after `amount` atoms, rounded up; `None` if that is beyond `end`.
    pub(crate) fn advance(self, used_until: i64, end: i64, amount: u64) -> Option<i64> {
        let took = num::mul_div_ceil(amount, self.period, self.atoms).ok()?;
        used_until
            .checked_add_unsigned(took)
            .filter(|used_until| *used_until <= end)
    }
}

//! Fixed-point arithmetic with the direction of each rounding in the function's name.
//!
//! Every function is total: where a result does not fit, it is [`Error::Overflow`]. Q64.64 numbers are `u128` with 64
//! fractional bits. Products of two `u64` are formed in `u128`, where they always fit.

use crate::{
    error::{Error, Result},
    math::units::Bps,
};
use core::num::NonZeroU64;

mod factor;
mod width;

pub use factor::{Factor, Reciprocal};
pub use width::{MAX_RATIO, Width, are_native};

/// 1.0 in Q64.64.
pub const ONE: u128 = 1 << 64;

/// Ratios are in basis points: this many make one.
pub const BPS: u64 = 10_000;

/// The ratio one.
pub const WHOLE: Bps = Bps(10_000);

/// The low half of a word.
const LOW: u64 = 0xffff_ffff;

/// a × b, exact.
///
/// On chain, schoolbook multiplication on 32-bit halves: the virtual machine has no 64 × 64 → 128 multiplication,
/// and the compiler's own helper costs more compute units. [`wide_by_halves`] is tested against the host's.
#[inline]
#[must_use]
pub fn wide(a: u64, b: u64) -> u128 {
    if cfg!(target_os = "solana") {
        wide_by_halves(a, b)
    } else {
        // (2^64 − 1)² < 2^128: cannot wrap.
        u128::from(a).wrapping_mul(u128::from(b))
    }
}

/// a × b on 32-bit halves. No sum below wraps: (2^32 − 1)² + 2 (2^32 − 1) < 2^64.
#[inline]
fn wide_by_halves(a: u64, b: u64) -> u128 {
    let (a1, a0) = (a >> 32, a & LOW);
    let (b1, b0) = (b >> 32, b & LOW);
    let low = a0.wrapping_mul(b0);
    let middle = a1.wrapping_mul(b0).wrapping_add(low >> 32);
    let other = a0.wrapping_mul(b1).wrapping_add(middle & LOW);
    let high = a1.wrapping_mul(b1).wrapping_add(middle >> 32).wrapping_add(other >> 32);
    join(high, (other << 32) | (low & LOW))
}

/// a × b, exact, for a factor of 32 bits: two native multiplications.
#[inline]
#[must_use]
pub fn wide_small(a: u64, b: u32) -> u128 {
    let b = u64::from(b);
    let low = (a & LOW).wrapping_mul(b);
    // (2^32 − 1)² + 2^32 < 2^64
    let high = (a >> 32).wrapping_mul(b).wrapping_add(low >> 32);
    join(high >> 32, (high << 32) | (low & LOW))
}

/// a + b in 64 bits.
#[inline]
fn sum(a: u64, b: u64) -> Result<u64> {
    a.checked_add(b).ok_or(Error::Overflow)
}

/// The value as `u64`, or [`Error::Overflow`].
#[inline]
pub fn narrow(value: u128) -> Result<u64> {
    u64::try_from(value).map_err(|_| Error::Overflow)
}

/// a + b.
#[inline]
pub fn add(a: u128, b: u128) -> Result<u128> {
    a.checked_add(b).ok_or(Error::Overflow)
}

/// a − b; [`Error::Overflow`] if b > a.
#[inline]
pub fn sub(a: u128, b: u128) -> Result<u128> {
    a.checked_sub(b).ok_or(Error::Overflow)
}

/// n ÷ d, rounded down. Divides in 64 bits as far as it can: the virtual machine has no 128-bit division.
#[inline]
pub fn div_floor(n: u128, d: u128) -> Result<u128> {
    match (split(n), split(d)) {
        ((0, n), (0, d)) => n.checked_div(d).map(u128::from),
        (_, (0, small)) if small <= LOW => div_rem_small(n, small).map(|(floor, _)| floor),
        _ => n.checked_div(d),
    }
    .ok_or(Error::Overflow)
}

/// n ÷ d, rounded up. Divides in 64 bits as far as it can.
#[inline]
pub fn div_ceil(n: u128, d: u128) -> Result<u128> {
    let (floor, exact) = match (split(n), split(d)) {
        ((0, n), (0, d)) if d > 0 => return Ok(u128::from(n.div_ceil(d))),
        (_, (0, small)) if small <= LOW => {
            let (floor, rest) = div_rem_small(n, small).ok_or(Error::Overflow)?;
            (floor, rest == 0)
        }
        // One more than what n − 1 gives, which spares the product that would tell whether there is a remainder.
        _ => (n.saturating_sub(1).checked_div(d).ok_or(Error::Overflow)?, n == 0),
    };
    // floor < 2^128 − 1 unless d = 1, which is small: nothing is added there.
    if exact { Ok(floor) } else { add(floor, 1) }
}

/// n ÷ d, rounded down, and the remainder: long division in native 64-bit steps.
#[inline]
fn div_rem_small(n: u128, d: u64) -> Option<(u128, u64)> {
    debug_assert!(d <= LOW);
    let d = NonZeroU64::new(d)?;
    let (high, low) = split(n);
    // Each remainder is below d < 2^32: the shifts drop nothing, and both lower quotients are below 2^32.
    let middle = ((high % d) << 32) | (low >> 32);
    let bottom = ((middle % d) << 32) | (low & LOW);
    Some((join(high / d, ((middle / d) << 32) | (bottom / d)), bottom % d))
}

/// a × b ÷ d, rounded down.
#[inline]
pub fn mul_div_floor(a: u64, b: u64, d: u64) -> Result<u64> {
    if a <= LOW && b <= LOW {
        return a.wrapping_mul(b).checked_div(d).ok_or(Error::Overflow);
    }
    narrow(div_floor(wide(a, b), u128::from(d))?)
}

/// a × b ÷ d, rounded up.
#[inline]
pub fn mul_div_ceil(a: u64, b: u64, d: u64) -> Result<u64> {
    if a <= LOW && b <= LOW && d > 0 {
        return Ok(a.wrapping_mul(b).div_ceil(d));
    }
    narrow(div_ceil(wide(a, b), u128::from(d))?)
}

/// amount × ratio, rounded down, for a ratio in basis points of at most one; a larger one counts as one.
#[inline]
#[must_use]
pub fn part(amount: u64, ratio: Bps) -> u64 {
    let ratio = ratio.factor().min(BPS);
    if are_native(amount, 0) {
        return amount.wrapping_mul(ratio) / BPS;
    }
    // The whole ten thousands and what is left of them, apart: native steps, and neither product exceeds the amount.
    let rest = (amount % BPS).wrapping_mul(ratio) / BPS;
    (amount / BPS).wrapping_mul(ratio).wrapping_add(rest)
}

/// amount × ratio, rounded down, at most the largest number; for any ratio.
#[inline]
#[must_use]
pub fn scaled(amount: u64, ratio: Bps) -> u64 {
    if amount < 1 << 58 && ratio.0 < 1 << 18 {
        // As in `part`: (2^58 ÷ 10,000) × 2^18 < 2^63.
        let rest = (amount % BPS).wrapping_mul(ratio.factor()) / BPS;
        return (amount / BPS).wrapping_mul(ratio.factor()).wrapping_add(rest);
    }
    mul_div_floor(amount, ratio.factor(), BPS).unwrap_or(u64::MAX)
}

/// The integer and fractional words of a Q64.64 number.
#[inline]
#[must_use]
#[allow(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "taking the low word is the purpose"
)]
pub const fn split(q: u128) -> (u64, u64) {
    ((q >> 64) as u64, q as u64)
}

/// A 128-bit number of its two words.
#[inline]
#[must_use]
pub fn join(high: u64, low: u64) -> u128 {
    (u128::from(high) << 64) | u128::from(low)
}

/// q, Q64.64, rounded up to an integer.
#[inline]
pub fn ceil(q: u128) -> Result<u64> {
    match split(q) {
        (integer, 0) => Ok(integer),
        (u64::MAX, _) => Err(Error::Overflow),
        (integer, _) => Ok(integer.wrapping_add(1)),
    }
}

/// q × n, rounded down to an integer. q is Q64.64.
#[inline]
pub fn q_mul_floor(q: u128, n: u64) -> Result<u64> {
    Factor::of(q).floor(n)
}

/// q × n, rounded up to an integer. q is Q64.64.
#[inline]
pub fn q_mul_ceil(q: u128, n: u64) -> Result<u64> {
    Factor::of(q).ceil(n)
}

/// n ÷ q, rounded down to an integer. q is Q64.64 and not zero.
#[inline]
pub fn q_div_floor(n: u64, q: u128) -> Result<u64> {
    narrow(div_floor(u128::from(n) << 64, q)?)
}

/// n ÷ q, rounded up to an integer. q is Q64.64 and not zero.
#[inline]
pub fn q_div_ceil(n: u64, q: u128) -> Result<u64> {
    narrow(div_ceil(u128::from(n) << 64, q)?)
}

/// q × n, exact. q and the result are Q64.64. The virtual machine has no 128-bit multiplication, and the compiler's
/// checked one is dear.
#[inline]
pub fn q_times(q: u128, n: u64) -> Result<u128> {
    let (integer, fraction) = split(q);
    let whole = if integer == 0 { 0 } else { narrow(wide(integer, n))? };
    add(join(whole, 0), wide(fraction, n))
}

/// n ÷ d, rounded down, for a divisor below 2^32: long division in native steps.
#[inline]
pub fn div_floor_small(n: u128, d: u32) -> Result<u128> {
    div_rem_small(n, u64::from(d))
        .map(|(quotient, _)| quotient)
        .ok_or(Error::Overflow)
}

/// a ÷ b, at most one, in units of 2^−`bits`, at most 23 of them: rounded down, and less than two units too small.
/// Divides the leading bits alone, natively. One if b is zero. b is below 2^104, as prices are.
#[inline]
#[must_use]
pub fn fraction(a: u128, b: u128, bits: u32) -> u64 {
    if a >= b {
        return 1 << bits;
    }
    let (mut a, mut b) = match (split(a), split(b)) {
        ((0, a), (0, b)) => (a, b),
        // 24 bits of b are left, or more.
        _ => (split(a >> 40).1, split(b >> 40).1.wrapping_add(1)),
    };
    while b >> 40 != 0 {
        (a, b) = (a >> 12, (b >> 12).wrapping_add(1));
    }
    (a << bits).checked_div(b).unwrap_or(0)
}

/// True if |a − b| > `band` × b, for numbers below 2^112.
#[inline]
#[must_use]
pub fn strays(a: u128, b: u128, band: Bps) -> bool {
    if let ((0, a), (0, b)) = (split(a), split(b))
        && band <= WHOLE
    {
        // The difference is an integer: so the other side may be rounded down.
        return a.abs_diff(b) > part(b, band);
    }
    let times = |n: u128, ratio: Bps| q_times(n, ratio.factor()).unwrap_or(u128::MAX);
    times(a.abs_diff(b), WHOLE) > times(b, band)
}

/// q × f, rounded down, where f is a fraction below one in units of 2^−64. q and the result are Q64.64.
#[inline]
#[must_use]
pub fn q_mul_fraction(q: u128, f: u64) -> u128 {
    let (integer, fraction) = split(q);
    // The result is below q, so the sum fits.
    wide(integer, f).wrapping_add(wide(fraction, f) >> 64)
}

#[cfg(test)]
mod tests;

//! Fixed-point arithmetic with the direction of each rounding in the function's name.
//!
//! Every function is total: where a result does not fit, it is [`Error::Overflow`]. Q64.64 numbers are `u128` with 64
//! fractional bits. Products of two `u64` are formed in `u128`, where they always fit.

use crate::{
    error::{Error, Result},
    units::Bps,
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
/// On chain, schoolbook multiplication on 32-bit halves: the virtual machine has no 64 × 64 → 128 multiplication, and
/// the compiler's own helper costs more compute units. [`wide_by_halves`] is tested against the host's.
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

/// n ÷ d, rounded down. Divides in 64 bits where both fit: the virtual machine has no 128-bit division.
#[inline]
pub fn div_floor(n: u128, d: u128) -> Result<u128> {
    match (split(n), split(d)) {
        ((0, n), (0, d)) => n.checked_div(d).map(u128::from),
        _ => n.checked_div(d),
    }
    .ok_or(Error::Overflow)
}

/// n ÷ d, rounded up.
#[inline]
pub fn div_ceil(n: u128, d: u128) -> Result<u128> {
    match (split(n), split(d)) {
        ((0, n), (0, d)) if d > 0 => Ok(u128::from(n.div_ceil(d))),
        _ => {
            let floor = n.checked_div(d).ok_or(Error::Overflow)?;
            // floor × d ≤ n, so the product fits; floor < 2^128 − 1 unless d = 1, where nothing is added.
            if floor.wrapping_mul(d) == n {
                Ok(floor)
            } else {
                add(floor, 1)
            }
        }
    }
}

/// n ÷ d, rounded down, and the remainder: long division in native 64-bit steps.
#[inline]
fn div_rem_small(n: u128, d: u32) -> Option<(u128, u64)> {
    let d = NonZeroU64::new(u64::from(d))?;
    let (high, low) = split(n);
    // Each remainder is below d < 2^32: the shifts drop nothing, and both lower quotients are below 2^32.
    let middle = ((high % d) << 32) | (low >> 32);
    let bottom = ((middle % d) << 32) | (low & LOW);
    Some((join(high / d, ((middle / d) << 32) | (bottom / d)), bottom % d))
}

/// a × b ÷ d, rounded down.
#[inline]
pub fn mul_div_floor(a: u64, b: u64, d: u64) -> Result<u64> {
    narrow(div_floor(wide(a, b), u128::from(d))?)
}

/// a × b ÷ d, rounded up.
#[inline]
pub fn mul_div_ceil(a: u64, b: u64, d: u64) -> Result<u64> {
    narrow(div_ceil(wide(a, b), u128::from(d))?)
}

/// amount × ratio, rounded down, for a ratio in basis points of at most one; a larger one counts as one.
#[inline]
#[must_use]
pub fn part(amount: u64, ratio: Bps) -> u64 {
    let ratio = ratio.factor().min(BPS);
    // The whole ten thousands and what is left of them, apart: native steps, and neither product exceeds the amount.
    let rest = (amount % BPS).wrapping_mul(ratio) / BPS;
    (amount / BPS).wrapping_mul(ratio).wrapping_add(rest)
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
    div_rem_small(n, d).map(|(quotient, _)| quotient).ok_or(Error::Overflow)
}

/// Whether |a − b| > `band` × b, for numbers below 2^112.
#[inline]
#[must_use]
pub fn strays(a: u128, b: u128, band: Bps) -> bool {
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
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn multiplying_by_halves_is_multiplying(a: u64, b: u64) {
            prop_assert_eq!(wide_by_halves(a, b), u128::from(a) * u128::from(b));
        }

        #[test]
        fn dividing_in_steps_is_dividing(n: u128, d in 1u32..) {
            let wide = u128::from(d);
            prop_assert_eq!(div_rem_small(n, d), Some((n / wide, (n % wide) as u64)));
        }

        #[test]
        fn a_part_is_the_product_with_the_ratio(amount: u64, ratio in 0u32..=10_000) {
            prop_assert_eq!(Ok(part(amount, Bps(ratio))), mul_div_floor(amount, u64::from(ratio), BPS));
        }

        #[test]
        fn a_small_factor_is_a_factor(a: u64, b: u32) {
            prop_assert_eq!(wide_small(a, b), u128::from(a) * u128::from(b));
        }

        #[test]
        fn floor_and_ceil_bracket_the_exact_quotient(a: u64, b: u64, d in 1u64..) {
            let exact = wide(a, b);
            if let Ok(floor) = mul_div_floor(a, b, d) {
                prop_assert!(wide(floor, d) <= exact && exact < wide(floor, d) + u128::from(d));
            }
            match (mul_div_floor(a, b, d), mul_div_ceil(a, b, d)) {
                (Ok(floor), Ok(ceil)) => prop_assert_eq!(ceil - floor, u64::from(!exact.is_multiple_of(u128::from(d)))),
                (Ok(floor), Err(error)) => prop_assert!(floor == u64::MAX && error == Error::Overflow),
                (floor, ceil) => prop_assert_eq!(floor, ceil),
            }
        }

        #[test]
        fn fixed_point_product_is_exact_within_one(q in 0u128..1 << 100, n in 0u64..1 << 28) {
            let exact = q * u128::from(n);
            prop_assert_eq!(u128::from(q_mul_floor(q, n).unwrap()), exact >> 64);
            let remainder = u128::from(exact & (ONE - 1) != 0);
            prop_assert_eq!(u128::from(q_mul_ceil(q, n).unwrap()), (exact >> 64) + remainder);
        }

        #[test]
        fn fixed_point_quotient_undoes_the_product(q in 1u128..1 << 100, n: u64) {
            if let Ok(floor) = q_div_floor(n, q) {
                prop_assert!(q_mul_floor(q, floor).unwrap() <= n);
            }
            if let Ok(ceil) = q_div_ceil(n, q) {
                prop_assert!(q_mul_ceil(q, ceil).map_or(true, |product| product >= n));
            }
        }

        #[test]
        fn multiplying_by_words_is_multiplying(q: u128, n: u64, bits in 0u32..128, shift in 0u32..64) {
            let (q, n) = (q >> bits, n >> shift);
            prop_assert_eq!(q_times(q, n).ok(), q.checked_mul(u128::from(n)));
        }

        #[test]
        fn fraction_product_is_exact_rounded_down(q in 0u128..1 << 64, f: u64) {
            prop_assert_eq!(q_mul_fraction(q, f), (q * u128::from(f)) >> 64);
        }
    }

    #[test]
    fn the_edges_of_multiplying_by_halves() {
        for a in [0, 1, u64::from(u32::MAX), 1 << 32, u64::MAX - 1, u64::MAX] {
            for b in [0, 1, u64::from(u32::MAX), 1 << 32, u64::MAX - 1, u64::MAX] {
                assert_eq!(wide_by_halves(a, b), u128::from(a) * u128::from(b));
            }
            for b in [0, 1, u32::MAX] {
                assert_eq!(wide_small(a, b), wide(a, u64::from(b)));
            }
        }
    }

    #[test]
    fn a_part_is_never_more_than_the_whole() {
        assert_eq!(
            [WHOLE, Bps(10_001), Bps(0)].map(|ratio| part(u64::MAX, ratio)),
            [u64::MAX, u64::MAX, 0]
        );
    }

    #[test]
    fn division_by_zero_is_an_error() {
        assert_eq!(div_floor(1, 0), Err(Error::Overflow));
        assert_eq!(div_ceil(u128::MAX, 0), Err(Error::Overflow));
        assert_eq!(mul_div_floor(1, 1, 0), Err(Error::Overflow));
        assert_eq!(q_div_floor(1, 0), Err(Error::Overflow));
    }
}

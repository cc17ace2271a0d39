//! Fixed-point arithmetic with the direction of each rounding in the function's name.
//!
//! Every function is total: where a result does not fit, it is [`Error::Overflow`]. Q64.64 numbers are `u128` with 64
//! fractional bits. Products of two `u64` are formed in `u128`, where they always fit.

use crate::error::{Error, Result};

/// 1.0 in Q64.64.
pub const ONE: u128 = 1 << 64;

/// Ratios are in basis points: this many make one.
pub const BPS: u64 = 10_000;

/// a × b, exact.
#[inline]
#[must_use]
pub fn wide(a: u64, b: u64) -> u128 {
    // (2^64 − 1)² < 2^128: cannot wrap.
    u128::from(a).wrapping_mul(u128::from(b))
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
    match (u64::try_from(n), u64::try_from(d)) {
        (Ok(n), Ok(d)) => n.checked_div(d).map(u128::from),
        _ => n.checked_div(d),
    }
    .ok_or(Error::Overflow)
}

/// n ÷ d, rounded up.
#[inline]
pub fn div_ceil(n: u128, d: u128) -> Result<u128> {
    let floor = div_floor(n, d)?;
    // floor × d ≤ n, so the product fits; floor < 2^128 − 1 unless d = 1, where nothing is added.
    if floor.wrapping_mul(d) == n { Ok(floor) } else { add(floor, 1) }
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

/// The integer and fractional words of a Q64.64 number.
#[inline]
#[must_use]
#[allow(clippy::as_conversions, clippy::cast_possible_truncation, reason = "taking the low word is the purpose")]
pub const fn split(q: u128) -> (u64, u64) {
    ((q >> 64) as u64, q as u64)
}

/// q × n, rounded down to an integer. q is Q64.64.
#[inline]
pub fn q_mul_floor(q: u128, n: u64) -> Result<u64> {
    let (integer, fraction) = split(q);
    narrow(add(wide(integer, n), wide(fraction, n) >> 64)?)
}

/// q × n, rounded up to an integer. q is Q64.64.
#[inline]
pub fn q_mul_ceil(q: u128, n: u64) -> Result<u64> {
    let (integer, fraction) = split(q);
    let low = wide(fraction, n);
    let carry = u128::from(split(low).1 != 0);
    narrow(add(add(wide(integer, n), low >> 64)?, carry)?)
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
        fn fraction_product_is_exact_rounded_down(q in 0u128..1 << 64, f: u64) {
            prop_assert_eq!(q_mul_fraction(q, f), (q * u128::from(f)) >> 64);
        }
    }

    #[test]
    fn division_by_zero_is_an_error() {
        assert_eq!(div_floor(1, 0), Err(Error::Overflow));
        assert_eq!(div_ceil(u128::MAX, 0), Err(Error::Overflow));
        assert_eq!(mul_div_floor(1, 1, 0), Err(Error::Overflow));
        assert_eq!(q_div_floor(1, 0), Err(Error::Overflow));
    }
}

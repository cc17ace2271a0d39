//! Q64.64 numbers prepared for many multiplications or divisions.

use super::{LOW, ceil, join, narrow, split, sum, wide};
use crate::error::{Error, Result};

/// A Q64.64 number taken apart, to multiply by it many times. Kept like this, it also hides from the compiler that a
/// product of halves is a 128-bit product, for which it would call its own, dearer helper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Factor {
    integer: u64,
    fraction: u64,
    /// The 32-bit halves of the fraction.
    high: u64,
    low: u64,
}

impl Factor {
    /// Factor of q, Q64.64.
    #[inline]
    #[must_use]
    pub fn of(q: u128) -> Self {
        let (integer, fraction) = split(q);
        Self {
            integer,
            fraction,
            high: fraction >> 32,
            low: fraction & LOW,
        }
    }

    /// q × n, rounded down to an integer.
    #[inline]
    pub fn floor(&self, n: u64) -> Result<u64> {
        // Prices and indices are often below one: then there is nothing more to multiply.
        if self.integer == 0 {
            return Ok(self.below(n));
        }
        sum(narrow(wide(self.integer, n))?, self.below(n))
    }

    /// q × n, rounded up to an integer.
    #[inline]
    pub fn ceil(&self, n: u64) -> Result<u64> {
        ceil(self.times(n)?)
    }

    /// q × n, exact, Q64.64; the same as [`super::q_times`].
    #[inline]
    pub fn times(&self, n: u64) -> Result<u128> {
        Ok(join(self.floor(n)?, self.fraction.wrapping_mul(n)))
    }

    /// fraction × n, rounded down: the high word of [`wide`].
    #[inline]
    fn below(&self, n: u64) -> u64 {
        let (n1, n0) = (n >> 32, n & LOW);
        let middle = n1.wrapping_mul(self.low).wrapping_add(n0.wrapping_mul(self.low) >> 32);
        let other = n0.wrapping_mul(self.high).wrapping_add(middle & LOW);
        n1.wrapping_mul(self.high)
            .wrapping_add(middle >> 32)
            .wrapping_add(other >> 32)
    }
}

/// A Q64.64 number and its inverse: dividing by it is multiplying, which is far cheaper on chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reciprocal {
    q: Factor,
    /// 1 ÷ q, rounded down.
    inverse: Factor,
}

impl Reciprocal {
    /// Reciprocal of q, Q64.64. [`Error::Overflow`] if q is zero.
    #[inline]
    pub fn of(q: u128) -> Result<Self> {
        // 2^128 − 1 for 2^128: the same unless q is a power of two, and then 2^−64 less.
        let inverse = u128::MAX.checked_div(q).ok_or(Error::Overflow)?;
        Ok(Self {
            q: Factor::of(q),
            inverse: Factor::of(inverse),
        })
    }

    /// q.
    #[inline]
    #[must_use]
    pub fn factor(&self) -> &Factor {
        &self.q
    }

    /// n ÷ q, rounded down to an integer; the same as [`q_div_floor`].
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "the call costs as much as a good part of the work")]
    pub fn divide(&self, n: u64) -> Result<u64> {
        self.divide_with_rest(n).map(|(quotient, _)| quotient)
    }

    /// n ÷ q, rounded up to an integer; the same as [`q_div_ceil`].
    #[inline]
    pub fn divide_up(&self, n: u64) -> Result<u64> {
        let (quotient, rest) = self.divide_with_rest(n)?;
        sum(quotient, u64::from(rest != 0))
    }

    /// n ÷ q, rounded down to an integer, and the rest, n − quotient × q, Q64.64.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "see `divide`")]
    pub fn divide_with_rest(&self, n: u64) -> Result<(u64, u128)> {
        let Factor { integer, fraction, .. } = self.q;
        // The quotient reaches 2^64 where n reaches q × 2^64.
        if integer == 0 && n >= fraction {
            return Err(Error::Overflow);
        }
        // The inverse is at most 2^−64 too small, so the estimate is the quotient or one less: no product wraps.
        let estimate = self.inverse.integer.wrapping_mul(n).wrapping_add(self.inverse.below(n));
        // It is one less if what it leaves holds q once more. It leaves less than 2q; so for q below one half the low
        // word is all of it, and one native multiplication finds it instead of a 128-bit one.
        if integer == 0 && fraction < 1 << 63 {
            let left = fraction.wrapping_mul(estimate).wrapping_neg();
            let short = left >= fraction;
            let rest = if short { left.wrapping_sub(fraction) } else { left };
            Ok((estimate.wrapping_add(u64::from(short)), u128::from(rest)))
        } else {
            let q = join(integer, fraction);
            let product = wide(fraction, estimate).wrapping_add(join(integer.wrapping_mul(estimate), 0));
            let left = join(n, 0).wrapping_sub(product);
            let short = left >= q;
            let rest = if short { left.wrapping_sub(q) } else { left };
            Ok((estimate.wrapping_add(u64::from(short)), rest))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::num::{ONE, q_div_ceil, q_div_floor, q_mul_ceil, q_times};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_number_taken_apart_multiplies_as_before(q: u128, n: u64, bits in 0u32..128, shift in 0u32..64) {
            let (q, n) = (q >> bits, n >> shift);
            let (integer, fraction) = (q >> 64, u128::from(split(q).1));
            let exact = fraction * u128::from(n);
            let expected = |below: u128| {
                integer.checked_mul(u128::from(n)).and_then(|whole| whole.checked_add(below)).ok_or(Error::Overflow).and_then(narrow)
            };
            prop_assert_eq!(Factor::of(q).floor(n), expected(exact >> 64));
            prop_assert_eq!(Factor::of(q).ceil(n), expected(exact.div_ceil(ONE)));
            prop_assert_eq!(Factor::of(q).times(n), q_times(q, n));
        }

        #[test]
        fn dividing_by_the_reciprocal_is_dividing(bits in 0u32..128, low: u128, n: u64, shift in 0u32..64) {
            let (q, n) = ((low >> bits).max(1), n >> shift);
            let reciprocal = Reciprocal::of(q).unwrap();
            prop_assert_eq!(reciprocal.divide(n), q_div_floor(n, q));
            prop_assert_eq!(reciprocal.divide_up(n), q_div_ceil(n, q));
            if let Ok((quotient, rest)) = reciprocal.divide_with_rest(n) {
                prop_assert!(rest < q);
                prop_assert_eq!(q_times(q, quotient).unwrap() + rest, u128::from(n) << 64);
            }
        }

        /// Multiples of q and their neighbors, where one too few shows.
        #[test]
        fn the_reciprocal_misses_no_quotient(q in 1u128..1 << 66, times in 0u64..1 << 50, near in 0u64..3) {
            if let Ok(multiple) = q_mul_ceil(q, times) {
                let (n, reciprocal) = ((multiple + near).saturating_sub(1), Reciprocal::of(q).unwrap());
                prop_assert_eq!(reciprocal.divide(n), q_div_floor(n, q));
                prop_assert_eq!(reciprocal.divide_up(n), q_div_ceil(n, q));
                let (quotient, rest) = reciprocal.divide_with_rest(n).unwrap();
                prop_assert_eq!((rest < q, q_times(q, quotient).unwrap() + rest), (true, u128::from(n) << 64));
            }
        }

        /// Between a half and one, what a quotient one too small leaves may be more than the low word holds.
        #[test]
        fn the_largest_quotients_by_more_than_a_half(fraction in 1u64 << 63.., below in 0u64..1 << 62) {
            let (q, n) = (u128::from(fraction), fraction - 1 - below);
            let (quotient, rest) = Reciprocal::of(q).unwrap().divide_with_rest(n).unwrap();
            prop_assert_eq!(Ok(quotient), q_div_floor(n, q));
            prop_assert_eq!(q_times(q, quotient).unwrap() + rest, u128::from(n) << 64);
        }

        /// As the liquidation of a part of a debt counts on: see `actions/liquidate.rs`.
        #[test]
        fn a_payment_leaves_the_exact_debt_of_the_shares_it_leaves(
            bits in 30u32..110, low: u128, held in 1u64..1 << 40, paid: u64,
        ) {
            let index = (low >> (128 - bits)).max(1);
            let reciprocal = Reciprocal::of(index).unwrap();
            let Ok(exact) = reciprocal.factor().times(held) else { return Ok(()) };
            let Ok(debt) = ceil(exact) else { return Ok(()) };
            let paid = paid % debt;
            let (shares, rest) = reciprocal.divide_with_rest(paid).unwrap();
            prop_assert!(shares <= held);
            prop_assert_eq!(exact - join(paid, 0) + rest, reciprocal.factor().times(held - shares).unwrap());
        }
    }

    #[test]
    fn the_edges_of_a_product() {
        for a in [0, 1, u64::from(u32::MAX), 1 << 32, u64::MAX - 1, u64::MAX] {
            for b in [0, 1, u64::from(u32::MAX), 1 << 32, u64::MAX - 1, u64::MAX] {
                assert_eq!(Factor::of(u128::from(b)).below(a), split(wide(a, b)).0);
            }
        }
    }

    #[test]
    fn the_edges_of_the_reciprocal() {
        for q in [
            1,
            2,
            (1 << 63) - 1,
            1 << 63,
            (1 << 63) + 1,
            ONE - 1,
            ONE,
            ONE + 1,
            10 * ONE,
            u128::MAX - 1,
            u128::MAX,
        ] {
            for n in [0, 1, 2, 10, (1 << 63) - 1, 1 << 63, u64::MAX - 1, u64::MAX] {
                let reciprocal = Reciprocal::of(q).unwrap();
                assert_eq!(reciprocal.divide(n), q_div_floor(n, q), "{n} / {q}");
                assert_eq!(reciprocal.divide_up(n), q_div_ceil(n, q), "{n} / {q}");
            }
        }
    }

    #[test]
    fn zero_has_no_reciprocal() {
        assert_eq!(Reciprocal::of(0), Err(Error::Overflow));
    }
}

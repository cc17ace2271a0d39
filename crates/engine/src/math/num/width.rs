//! Integers of two widths, for rules written once.

use super::{div_floor, div_rem_small, narrow, wide_small};
use crate::math::units::Bps;
use core::num::NonZeroU64;

/// The integers in which products of amounts and ratios are compared and divided. A rule is written once, for any
/// width: amounts that [`are_native`] are judged by it in `u64`, with native products and divisions, all others in
/// `u128`.
pub trait Width: Copy + Ord {
    /// amount × ratio, exact. The ratio is at most [`MAX_RATIO`].
    fn product(amount: u64, ratio: Bps) -> Self;
    /// self − other, if that is not negative.
    fn minus(self, other: Self) -> Option<Self>;
    /// self ÷ d, rounded down.
    fn quotient(self, d: Self) -> Option<Self>;
    /// self ÷ d, rounded down, and the remainder.
    fn divide(self, d: u32) -> Option<(Self, u64)>;
    /// self ÷ d, rounded up.
    fn divide_up(self, d: u32) -> Option<Self>;
    /// The number as `u64`, if it fits.
    fn narrow(self) -> Option<u64>;
}

/// The largest ratio in a [`Width::product`].
pub const MAX_RATIO: Bps = Bps(25_000);

/// True if both amounts are so small that their products with ratios fit `u64`: 2^49 × 25,000 < 2^64.
#[inline]
#[must_use]
pub fn are_native(a: u64, b: u64) -> bool {
    (a | b) < 1 << 49
}

impl Width for u64 {
    #[inline]
    fn product(amount: u64, ratio: Bps) -> Self {
        debug_assert!(are_native(amount, 0) && ratio <= MAX_RATIO);
        amount.wrapping_mul(ratio.factor())
    }
    #[inline]
    fn minus(self, other: Self) -> Option<Self> {
        self.checked_sub(other)
    }
    #[inline]
    fn quotient(self, d: Self) -> Option<Self> {
        self.checked_div(d)
    }
    #[inline]
    fn divide(self, d: u32) -> Option<(Self, u64)> {
        let d = NonZeroU64::new(u64::from(d))?;
        Some((self / d, self % d))
    }
    #[inline]
    fn divide_up(self, d: u32) -> Option<Self> {
        NonZeroU64::new(u64::from(d)).map(|d| self.div_ceil(d.get()))
    }
    #[inline]
    fn narrow(self) -> Option<u64> {
        Some(self)
    }
}

impl Width for u128 {
    #[inline]
    fn product(amount: u64, ratio: Bps) -> Self {
        wide_small(amount, ratio.0)
    }
    #[inline]
    fn minus(self, other: Self) -> Option<Self> {
        self.checked_sub(other)
    }
    #[inline]
    fn quotient(self, d: Self) -> Option<Self> {
        div_floor(self, d).ok()
    }
    #[inline]
    fn divide(self, d: u32) -> Option<(Self, u64)> {
        div_rem_small(self, u64::from(d))
    }
    #[inline]
    fn divide_up(self, d: u32) -> Option<Self> {
        let (floor, rest) = div_rem_small(self, u64::from(d))?;
        floor.checked_add(Self::from(rest != 0))
    }
    #[inline]
    fn narrow(self) -> Option<u64> {
        narrow(self).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::num::wide;
    use proptest::prelude::*;

    proptest! {
        /// Whatever a rule does in one width, it does in the other.
        #[test]
        fn both_widths_agree(
            a in 0u64..1 << 49, b in 0u64..1 << 49, x in 0..=MAX_RATIO.0, y in 0..=MAX_RATIO.0, d: u32,
        ) {
            prop_assert!(are_native(a, b));
            let (p, q) = (u64::product(a, Bps(x)), u64::product(b, Bps(y)));
            let (wide_p, wide_q) = (u128::product(a, Bps(x)), u128::product(b, Bps(y)));
            prop_assert_eq!((u128::from(p), u128::from(q)), (wide_p, wide_q));
            prop_assert_eq!(p.cmp(&q), wide_p.cmp(&wide_q));
            prop_assert_eq!(p.minus(q).map(u128::from), wide_p.minus(wide_q));
            prop_assert_eq!(p.quotient(q).map(u128::from), wide_p.quotient(wide_q));
            prop_assert_eq!(p.divide(d).map(|(q, r)| (u128::from(q), r)), wide_p.divide(d));
            prop_assert_eq!(p.divide_up(d).map(u128::from), wide_p.divide_up(d));
            prop_assert_eq!(p.divide_up(d), p.divide(d).map(|(q, r)| q + u64::from(r != 0)));
        }
    }

    #[test]
    fn the_edges_of_the_native_width() {
        assert!(are_native((1 << 49) - 1, (1 << 49) - 1));
        assert!(!are_native(1 << 49, 0) && !are_native(0, 1 << 49));
        assert_eq!(
            u128::from(u64::product((1 << 49) - 1, MAX_RATIO)),
            wide((1 << 49) - 1, MAX_RATIO.factor())
        );
    }

    #[test]
    fn division_by_zero_is_nothing() {
        assert_eq!(
            (1u64.divide(0), 1u64.divide_up(0), 1u64.quotient(0)),
            (None, None, None)
        );
        let largest = u128::MAX;
        assert_eq!(
            (largest.divide(0), largest.divide_up(0), largest.quotient(0)),
            (None, None, None)
        );
    }
}

//! Sums without rounding and without an end: the checks' own arithmetic, which shares nothing with the engine's.

use num_bigint::{BigInt, Sign};

/// An integer of any size.
pub(crate) type Int = BigInt;

/// As an [`Int`].
pub(crate) fn int(number: impl Into<Int>) -> Int {
    number.into()
}

/// Ratios are in ten thousandths.
pub(crate) fn whole() -> Int {
    int(10_000)
}

/// One, in numbers with 64 fractional bits.
pub(crate) fn one() -> Int {
    int(1) << 64
}

/// n ÷ d, rounded down; d is positive.
pub(crate) fn floor(n: &Int, d: &Int) -> Int {
    let quotient = n / d;
    // `/` rounds towards zero.
    if n.sign() == Sign::Minus && &quotient * d != *n {
        quotient - 1
    } else {
        quotient
    }
}

/// n ÷ d, rounded up; d is positive.
pub(crate) fn ceil(n: &Int, d: &Int) -> Int {
    -floor(&-n, d)
}

/// A number with 64 fractional bits, rounded down.
pub(crate) fn trunc(q: &Int) -> Int {
    q >> 64
}

/// Worth of so many atoms at a price with 64 fractional bits, rounded down.
pub(crate) fn value(price: &Int, atoms: u64) -> Int {
    (price * atoms) >> 64
}

/// The root of a number that is not negative, rounded down.
pub(crate) fn root(number: &Int) -> Int {
    number.sqrt()
}

/// The larger of a number and nothing.
pub(crate) fn positive(number: Int) -> Int {
    if number.sign() == Sign::Minus { int(0) } else { number }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn divisions_round_as_they_say_on_both_sides_of_zero() {
        let both = |n: i32, d: i32| (floor(&int(n), &int(d)), ceil(&int(n), &int(d)));
        assert_eq!(both(7, 2), (int(3), int(4)));
        assert_eq!(both(-7, 2), (int(-4), int(-3)));
        assert_eq!(both(8, 2), (int(4), int(4)));
        assert_eq!(both(-8, 2), (int(-4), int(-4)));
    }
}

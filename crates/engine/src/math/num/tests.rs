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
        prop_assert_eq!(div_rem_small(n, u64::from(d)), Some((n / wide, (n % wide) as u64)));
    }

    /// Whichever way the sizes of the two numbers choose.
    #[test]
    fn dividing_is_dividing(n: u128, d: u128, small in 0u32..128, smaller in 0u32..128) {
        let (n, d) = (n >> small, d >> smaller);
        prop_assert_eq!(div_floor(n, d).ok(), n.checked_div(d));
        prop_assert_eq!(div_ceil(n, d).ok(), (d > 0).then(|| n.div_ceil(d)));
    }

    #[test]
    fn a_fraction_is_the_quotient_but_for_two_units(a: u128, b: u128, shift in 24u32..128, bits in 0u32..=23) {
        let b = (b >> shift).max(1);
        let a = a % (b + b / 8 + 1);
        let exact = (f64::min(a as f64 / b as f64, 1.0)) * f64::from(1u32 << bits);
        let found = fraction(a, b, bits) as f64;
        prop_assert!(found <= exact && found > exact - 2.0, "{found} {exact}");
    }

    #[test]
    fn a_part_is_the_product_with_the_ratio(amount: u64, shift in 0u32..64, ratio in 0u32..=10_000) {
        let amount = amount >> shift;
        prop_assert_eq!(Ok(part(amount, Bps(ratio))), mul_div_floor(amount, u64::from(ratio), BPS));
    }

    #[test]
    fn a_scaled_amount_is_the_product_with_the_ratio(amount: u64, shift in 0u32..64, ratio: u32, small in 0u32..32) {
        let (amount, ratio) = (amount >> shift, ratio >> small);
        let exact = u128::from(amount) * u128::from(ratio) / u128::from(BPS);
        prop_assert_eq!(scaled(amount, Bps(ratio)), u64::try_from(exact).unwrap_or(u64::MAX));
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
    fn straying_is_what_the_products_say(a: u128, b: u128, band in 0u32..20_000, bits in 16u32..128, near in -2i64..3) {
        let (a, b) = (a >> bits, b >> bits);
        let strayed = |a: u128| a.abs_diff(b) * u128::from(BPS) > b * u128::from(band);
        prop_assert_eq!(strays(a, b, Bps(band)), strayed(a));
        // at the edge of the band
        let edge = (b + b / u128::from(BPS) * u128::from(band) + b % u128::from(BPS) * u128::from(band) / u128::from(BPS))
            .saturating_add_signed(i128::from(near));
        prop_assert_eq!(strays(edge, b, Bps(band)), strayed(edge));
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
fn the_edges_of_dividing() {
    let edges = [0, 1, u128::from(LOW), u128::from(LOW) + 1, ONE - 1, ONE, u128::MAX];
    for n in edges {
        for d in edges {
            assert_eq!(div_floor(n, d).ok(), n.checked_div(d), "{n} ÷ {d}");
            assert_eq!(div_ceil(n, d).ok(), (d > 0).then(|| n.div_ceil(d)), "{n} ÷ {d}");
        }
    }
}

#[test]
fn a_part_of_the_largest_native_amount_and_of_the_next_one() {
    for amount in [(1 << 49) - 1, 1 << 49] {
        for ratio in [1, 9_999, 10_000] {
            assert_eq!(
                Ok(part(amount, Bps(ratio))),
                mul_div_floor(amount, u64::from(ratio), BPS)
            );
        }
    }
}

#[test]
fn the_edges_of_scaling() {
    for amount in [0, (1 << 58) - 1, 1 << 58, u64::MAX] {
        for ratio in [0, 1, 9_999, 10_000, (1 << 18) - 1, 1 << 18, u32::MAX] {
            let exact = u128::from(amount) * u128::from(ratio) / u128::from(BPS);
            assert_eq!(scaled(amount, Bps(ratio)), u64::try_from(exact).unwrap_or(u64::MAX));
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
    assert_eq!(div_floor_small(1, 0), Err(Error::Overflow));
    assert_eq!(mul_div_floor(1, 1, 0), Err(Error::Overflow));
    assert_eq!(q_div_floor(1, 0), Err(Error::Overflow));
}

use super::*;
use proptest::prelude::*;

#[test]
fn the_logarithm_is_within_its_bound_and_never_falls() {
    let mut last = i64::MIN;
    // Every mantissa of 22 bits: finer than the table's steps, as fine as its lines.
    for mantissa in 1u64 << 21..1 << 22 {
        let log = log2(mantissa);
        let exact = (mantissa as f64).log2() * 65_536.0;
        assert!((log as f64 - exact).abs() <= 12.0, "{mantissa}: {log} {exact}");
        assert!(log >= last, "{mantissa}");
        last = log;
    }
    for shift in 0..64 {
        assert_eq!(log2(1 << shift), i64::from(shift) << 16);
    }
    assert_eq!(log2(u64::MAX) >> 4, (64 << 12) - 1);
}

#[test]
fn the_table_of_logarithms_is_rounded_to_nearest() {
    for (i, (log, slope)) in LOG_TABLE.iter().enumerate() {
        let exact = |i: usize| ((1.0 + i as f64 / 64.0).log2() * 65_536.0).round();
        let expected = (exact(i), exact(i + 1) - exact(i));
        assert_eq!((f64::from(*log), f64::from(*slope)), expected, "{i}");
    }
}

#[test]
fn powers_are_exact_to_2_to_the_minus_58() {
    for (i, power) in EXP_TABLE.iter().enumerate() {
        let exact = 2f64.powf(i as f64 / 32.0) * 2f64.powi(63);
        assert!((*power as f64 - exact).abs() <= 2f64.powi(12), "{i}: {power} {exact}");
    }
}

fn map(origin: i64) -> LiquidationMap {
    LiquidationMap {
        origin,
        ..bytemuck::Zeroable::zeroed()
    }
}

#[test]
fn shares_move_with_their_account_and_leave_with_their_debt() {
    let mut map = map(0);
    let (none, some) = (DebtShares(0), DebtShares(64));
    let bands = [0, 1, 2].map(|collateral| map.band(some, Collateral(collateral)));
    assert_eq!((bands, map.band(none, Collateral(0))), ([255, 192, 160], 0));
    assert_eq!(map.follow((none, 0), (some, 192)), Ok(()));
    assert_eq!(map.bands[192], some);
    assert_eq!(map.follow((some, 192), (some, 160)), Ok(()));
    assert_eq!((map.bands[160], map.bands[192]), (some, none));
    assert_eq!(map.shares_between(160, 160), 64);
    assert_eq!((map.shares_between(0, 255), map.shares_between(0, 159)), (64, 0));
    assert_eq!(map.follow((some, 160), (none, 0)), Ok(()));
    assert_eq!(map.shares_between(0, 255), 0);
    assert_eq!(map.follow((some, 160), (none, 0)), Err(Error::BooksBroken));
}

#[test]
fn what_lies_beyond_is_in_the_outermost_bands() {
    let map = map(0);
    assert_eq!(map.band(DebtShares(1), Collateral(u64::MAX)), 0);
    assert_eq!(map.band(DebtShares(u64::MAX), Collateral(1)), 255);
    assert_eq!(map.band(DebtShares(1), Collateral(0)), 255);
}

#[test]
fn numbers_of_any_size_have_their_logarithm() {
    for bits in 0..128 {
        assert_eq!(log2_wide(1 << bits), i64::from(bits) << 16, "{bits}");
        let exact = (1.5f64.log2() + f64::from(bits)) * 65_536.0;
        if bits > 0 {
            let log = log2_wide(3 << (bits - 1)) as f64;
            assert!((log - exact).abs() <= 12.0, "{bits}: {log} {exact}");
        }
    }
}

#[test]
fn what_is_nothing_has_no_place_on_the_map() {
    let (price, index) = (Price::from_raw(num::ONE), Index::from_raw(num::ONE));
    assert_eq!(
        log_at(price, index, Bps(10_000)) >> 4,
        -1,
        "one, but for the rounding of 10,000's logarithm"
    );
    assert_eq!(log_at(Price::default(), index, Bps(10_000)), 0);
    assert_eq!(log_at(price, Index::default(), Bps(10_000)), 0);
    assert_eq!(log_at(price, index, Bps(0)), 0);
}

#[test]
fn shifting_keeps_within_63_bits() {
    assert_eq!(
        (shifted(5, 3), shifted(40, -3), shifted(5, 0)),
        (Some(40), Some(5), Some(5))
    );
    assert_eq!(
        (shifted(1 << 62, 0), shifted(1 << 63, 0), shifted(1 << 62, 1)),
        (Some(1 << 62), None, None)
    );
    assert_eq!(
        (shifted(u64::MAX, -63), shifted(u64::MAX, -99), shifted(1, 99)),
        (Some(1), Some(1), None)
    );
}

#[test]
fn a_ratio_is_in_the_band_of_its_logarithm() {
    let map = map(32);
    let bands = [-99, 0, 31, 32, 33, 64, 287, 288, 999].map(|band: i32| {
        let ratio = 2f64.powf((f64::from(band) + 0.5) / 32.0);
        let price = Price::from_raw((ratio * 2f64.powi(64)) as u128);
        let shares = DebtShares((ratio * f64::from(1 << 30)) as u64);
        let band = map.band_of(log_at(price, Index::from_raw(num::ONE), Bps(10_000)));
        assert_eq!(map.band(shares, Collateral(1 << 30)), band);
        band
    });
    assert_eq!(bands, [0, 0, 0, 0, 1, 32, 255, 255, 255]);
}

#[test]
fn a_map_is_centered_to_the_octave() {
    let origin = |raw: u128| {
        let mut map = map(0);
        map.center(Price::from_raw(raw), Index::from_raw(num::ONE), Bps(10_000));
        map.origin
    };
    // The logarithm of 10,000 bps is a hair below zero.
    assert_eq!(origin(num::ONE + num::ONE / 1_000), -160);
    assert_eq!(origin(num::ONE * 2 - num::ONE / 1_000), -160);
    assert_eq!(origin(num::ONE * 2 + num::ONE / 1_000), -128);
    assert_eq!(origin(num::ONE - num::ONE / 1_000), -192);
}

#[test]
fn edges_are_powers_of_two_wherever_the_map_begins() {
    let edge = |origin, band| map(origin).edge(band, Index::from_raw(num::ONE), Bps(10_000));
    assert_eq!(edge(0, 0), Ok(Price::from_raw(num::ONE)));
    assert_eq!(edge(0, 64), Ok(Price::from_raw(num::ONE << 2)));
    assert_eq!(edge(-32, 0), Ok(Price::from_raw(num::ONE >> 1)));
    assert_eq!(edge(-320, 0), Ok(Price::from_raw(num::ONE >> 10)));
    assert_eq!(edge(-320, 32), Ok(Price::from_raw(num::ONE >> 9)));
    assert_eq!(edge(-32 * 200, 0), Ok(Price::default()));
    assert_eq!(edge(32 * 40, 0), Ok(Price::from_raw(num::ONE << 40)));
    assert_eq!(edge(32 * 64, 0), Err(Error::Overflow));
    assert_eq!(edge(32 * 200, 0), Err(Error::Overflow));
    // An LTV of a half doubles the price.
    let half = map(0).edge(0, Index::from_raw(num::ONE), Bps(5_000));
    assert_eq!(half, Ok(Price::from_raw(num::ONE << 1)));
}

proptest! {
    #[test]
    fn an_account_is_liquidated_within_its_band(
        shares in 1u64 << 20..1 << 60, collateral in 1u64 << 20..1 << 50, index in 1u128 << 54..1 << 66, ltv in 100u32..10_000,
    ) {
        let (index, ltv) = (Index::from_raw(index), Bps(ltv));
        // p = ρ × index ÷ LTV
        let exact = shares as f64 / collateral as f64 * index.raw() as f64 / (f64::from(ltv.0) / 1e4);
        prop_assume!(exact < 2f64.powi(100) && exact > 2f64.powi(30));
        let mut map = map(0);
        map.center(Price::from_raw(exact as u128), index, ltv);
        let band = map.band(DebtShares(shares), Collateral(collateral));
        // Rounding of three logarithms may put it next to the octave that the map was centered on.
        prop_assert!((159..=192).contains(&band), "{band}");
        let (low, high) = (map.edge(band, index, ltv).unwrap(), map.edge(band + 1, index, ltv).unwrap());
        prop_assert!(low.raw() as f64 <= exact * 1.0004, "{low:?} {exact}");
        prop_assert!(high.raw() as f64 >= exact * 0.9996, "{high:?} {exact}");
        let width = high.raw() as f64 / low.raw() as f64;
        prop_assert!((width - 2f64.powf(1.0 / 32.0)).abs() < 1e-6, "{width}");
    }
}

use super::{
    folds::FAR,
    log::{LOG_TABLE, log2, log2_wide},
    sums::weight,
    *,
};
use proptest::prelude::*;
use std::vec::Vec;

#[test]
fn the_logarithm_is_within_its_bound_and_never_falls() {
    let mut last = i64::MIN;
    // Every mantissa of 22 bits: finer than the table's steps, as fine as its lines.
    for mantissa in 1u64 << 21..1 << 22 {
        let log = log2(mantissa);
        let exact = (mantissa as f64).log2() * 65_536.0;
        let error = log as f64 - exact;
        assert!((-5.0..=1.0).contains(&error), "{mantissa}: {log} {exact}");
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
    assert_eq!(map.follow((some, 160), (none, 0)), Err(Error::InvariantViolated));
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

#[test]
fn a_weight_is_what_floating_point_says() {
    for band in 0..=254u8 {
        let exact = 2f64.powi(32) / (2f64.powf((f64::from(band) + 1.0) / 32.0) * (1.0 + 2f64.powi(-12)));
        let found = f64::from(weight(band));
        assert!(found <= exact && found > exact - 1.000_001, "{band}: {found} {exact}");
    }
    assert_eq!(weight(255), 0, "it has no upper edge");
}

#[test]
fn a_threshold_is_moved_one_band_and_all_the_way() {
    let mut map = map(0);
    for (band, shares) in [(0, 5), (100, 7), (254, 11), (255, 13)] {
        map.follow((DebtShares(0), 0), (DebtShares(shares), band)).unwrap();
    }
    let expected = |from: u8| {
        let bands = [(0, 5), (100, 7), (254, 11), (255, 13)];
        let counted = bands.iter().filter(|(band, _)| *band >= from);
        counted.fold((0, 0), |(shares, weight), (band, held)| {
            (
                shares + held,
                weight + u128::from(*held) * u128::from(super::sums::weight(*band)),
            )
        })
    };
    for band in [0, 1, 0, 255, 254, 255, 0, 100, 101, 100, 99, 255] {
        let ahead = map.sums_from(band);
        map.set_threshold(band);
        assert_eq!((map.sums(), map.threshold), (ahead, u64::from(band)));
        assert_eq!((ahead.shares, ahead.weight), expected(band), "{band}");
    }
    // The last band counts whole: shares and nothing against them.
    let under = map.under(map.sums());
    assert_eq!((under.shares, under.collateral), (DebtShares(13), Collateral(0)));
}

#[test]
fn collateral_is_rounded_down_once_wherever_the_map_begins() {
    let under = |origin, shares: u64, weight: u128| {
        let under = map(origin).under(Sums { shares, weight });
        assert_eq!(under.shares, DebtShares(shares));
        under.collateral.0
    };
    assert_eq!((under(0, 3, (7 << 32) - 1), under(0, 3, 7 << 32)), (6, 7));
    assert_eq!((under(32, 3, (7 << 33) - 1), under(32, 3, 7 << 33)), (6, 7));
    assert_eq!((under(-32, 3, (7 << 31) - 1), under(-32, 3, 7 << 31)), (6, 7));
    assert_eq!(
        (under(-32 * 32, 3, 7), under(-32 * 33, 3, 7), under(-32 * 40, 3, 7)),
        (7, 14, 7 << 8)
    );
    // What is nothing, or more than there can be.
    assert_eq!(
        (under(32 * 96, 3, u128::MAX), under(32 * 64, 3, u128::MAX)),
        (0, 0xffff_ffff)
    );
    assert_eq!((under(-32 * 95, 0, 1), under(-32 * 96, 0, 1)), (1 << 63, u64::MAX));
    assert_eq!(
        (under(-32 * 96, 0, 0), under(-32 * 400, 0, 0), under(-32 * 400, 0, 1)),
        (0, 0, u64::MAX)
    );
}

#[test]
fn a_move_that_the_map_does_not_hold_changes_nothing() {
    let mut map = map(0);
    map.follow((DebtShares(0), 0), (DebtShares(64), 160)).unwrap();
    map.set_threshold(100);
    let before = map;
    for (from, to) in [((65, 160), (1, 170)), ((1, 161), (0, 0)), ((64, 99), (64, 160))] {
        let [from, to] = [from, to].map(|(shares, band)| (DebtShares(shares), band));
        assert_eq!(map.follow(from, to), Err(Error::InvariantViolated));
        assert!(map == before);
    }
}

#[test]
fn everything_is_under_water_at_no_price_and_a_map_is_passed_at_both_ends() {
    let map = map(0);
    let index = Index::from_raw(num::ONE);
    assert_eq!(map.threshold_at(Price::default(), index), 0);
    assert_eq!(map.threshold_at(Price::from_raw(1), index), 0);
    // An edge belongs to the band below it by the margin, and 0.021% above it no more.
    let two = num::ONE << 1;
    assert_eq!(map.threshold_at(Price::from_raw(two), index), 31);
    assert_eq!(map.threshold_at(Price::from_raw(two + two / 4_700), index), 32);
    assert_eq!(map.threshold_at(Price::from_raw(num::ONE << 9), index), 255);
    assert_eq!(map.threshold_at(Price::from_raw(1 << 103), index), 255);
}

/// B(q) as the map has it, quote atoms, exact but for what floating point leaves.
fn shortfall(map: &LiquidationMap, price: Price, index: Index) -> f64 {
    let under = map.under(map.sums_from(map.threshold_at(price, index)));
    let one = 2f64.powi(64);
    index.raw() as f64 / one * under.shares.0 as f64 - price.raw() as f64 / one * under.collateral.0 as f64
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// I5, the first half: whatever moves, and wherever the threshold goes.
    #[test]
    fn the_kept_sums_are_those_over_the_bands(
        moves in prop::collection::vec((0usize..12, 0u64..1 << 40, 0u8..=255, any::<u8>(), any::<bool>()), 1..200),
    ) {
        let mut map = map(0);
        let mut accounts = [(DebtShares(0), 0u8); 12];
        for (which, shares, band, threshold, moves) in moves {
            let to = (DebtShares(shares), band);
            let ahead = map.sums_after(accounts[which], to);
            map.follow(accounts[which], to).unwrap();
            prop_assert_eq!(map.sums(), ahead);
            accounts[which] = to;
            if moves {
                map.set_threshold(threshold);
            }
            let from = usize::try_from(map.threshold).unwrap();
            let (mut held, mut weights) = (0, 0);
            for (band, shares) in map.bands.iter().enumerate().skip(from) {
                held += shares.0;
                weights += u128::from(shares.0) * u128::from(weight(band as u8));
            }
            prop_assert_eq!(map.sums(), Sums { shares: held, weight: weights });
            let of_accounts: u64 = accounts.iter().filter(|(_, band)| usize::from(*band) >= from).map(|(shares, _)| shares.0).sum();
            prop_assert_eq!(held, of_accounts);
        }
    }

    /// I5, the second half: at any price and index, never less than the accounts lack, and not more by a band.
    #[test]
    fn the_shortfall_is_that_of_the_accounts_within_a_band(
        accounts in prop::collection::vec((1u64 << 24..1 << 44, 0.05f64..7.5), 1..20), centered in 1u128 << 50..1 << 70,
        index in 1u128 << 54..1 << 66, fallen in 0.02f64..3.0, kept: u8, near in 0u8..3,
    ) {
        let index = Index::from_raw(index);
        let mut map = map(0);
        map.center(Price::from_raw(centered), index, Bps(8_000));
        map.set_threshold(kept);
        // Ratios around the one that is liquidated at the center, in units of shares to collateral.
        let middle = 0.8 * centered as f64 / index.raw() as f64;
        let mut price = (centered as f64 * fallen) as u128;
        let mut held = std::vec::Vec::new();
        for (shares, part) in accounts {
            let collateral = shares as f64 / (middle * part);
            prop_assume!(collateral > 2f64.powi(20) && collateral < 2f64.powi(60));
            let collateral = collateral as u64;
            let band = map.band(DebtShares(shares), Collateral(collateral));
            prop_assume!(band < 255);
            map.follow((DebtShares(0), 0), (DebtShares(shares), band)).unwrap();
            held.push((shares, collateral));
        }
        if near > 0 {
            // The price at which the first account has just nothing, and a hair beside it.
            let (shares, collateral) = held[0];
            price = ((shares as f64 / collateral as f64) * index.raw() as f64 * [1.0, 0.9999, 1.0001][usize::from(near)]) as u128;
        }
        let one = 2f64.powi(64);
        let (q, i) = (price as f64 / one, index.raw() as f64 / one);
        let lacking: f64 = held.iter().map(|(shares, collateral)| (*shares as f64 * i - *collateral as f64 * q).max(0.0)).sum();
        let found = shortfall(&map, Price::from_raw(price), index);
        // Of the rounding of collateral to atoms, and floating point.
        let all: f64 = held.iter().map(|(shares, _)| *shares as f64 * i).sum();
        let rounding = q + all * 1e-9 + 1.0;
        prop_assert!(found >= lacking - all * 1e-9 - 1.0, "{found} {lacking}");
        // A band, 2.2%, and 2^-12: of what accounts that have just nothing, or lack something, owe.
        let close: f64 = held.iter().filter(|(shares, collateral)| *shares as f64 * i >= *collateral as f64 * q * 0.975)
            .map(|(shares, _)| *shares as f64 * i).sum();
        prop_assert!(found <= lacking + close * 0.0222 + rounding, "{found} {lacking} {close}");
    }
}

/// An account, and every window of the map that it has been through: by which a clamp after a clamp says where it is.
struct Walker {
    shares: u64,
    place: Place,
    at: i64,
    beyond: bool,
}

impl Walker {
    fn new(map: &LiquidationMap) -> Self {
        Self {
            shares: 0,
            place: map.place(DebtShares(1), 0),
            at: map.origin,
            beyond: false,
        }
    }

    /// Is put into a band.
    fn put(&mut self, map: &mut LiquidationMap, shares: u64, band: u8) {
        map.follow(
            (DebtShares(self.shares), map.band_at(self.place)),
            (DebtShares(shares), band),
        )
        .unwrap();
        *self = Self {
            shares,
            place: map.place(DebtShares(shares), band),
            at: map.origin + i64::from(band),
            beyond: band == 255,
        };
    }

    /// Has been through a move of the map to `origin`.
    fn clamp(&mut self, origin: i64) {
        self.at = self.at.max(origin);
        self.beyond |= self.at >= origin + 255;
    }

    fn band(&self, map: &LiquidationMap) -> usize {
        if self.beyond {
            255
        } else {
            usize::try_from(self.at - map.origin).unwrap()
        }
    }
}

/// Moves a map to this origin, as a price does.
fn go(map: &mut LiquidationMap, walkers: &mut [Walker], origin: i64) {
    // A hair above the middle of the octave.
    let exponent = u32::try_from((origin + CENTER) / 32 + 64).unwrap();
    let price = Price::from_raw((1 << exponent) + (1 << (exponent - 1)));
    let far = price.raw() >> FAR >= map.centered.raw() || price.raw() <= map.centered.raw() >> FAR;
    let moved = map.follow_price(price, Index::from_raw(num::ONE), Bps(10_000));
    assert!(map.centered == price || !far);
    if moved {
        assert_eq!(map.origin, origin);
        for walker in walkers.iter_mut() {
            walker.clamp(origin);
        }
    } else {
        assert!(!far || map.origin == origin);
    }
}

#[track_caller]
fn check(map: &LiquidationMap, walkers: &[Walker]) {
    let mut bands = [DebtShares(0); BANDS];
    for walker in walkers.iter().filter(|walker| walker.shares > 0) {
        assert_eq!(
            usize::from(map.band_at(walker.place)),
            walker.band(map),
            "{:?} of {:?}",
            walker.place,
            map.folded
        );
        bands[walker.band(map)].0 += walker.shares;
    }
    assert!(map.bands == bands);
    let mut fresh = *map;
    fresh.set_threshold(0);
    fresh.set_threshold(u8::try_from(map.threshold).unwrap());
    assert!(fresh == *map, "the kept sums are those over the bands");
    let all = fresh.sums_from(0);
    let weight_of = |band: usize| u128::from(weight(u8::try_from(band).unwrap()));
    assert_eq!(
        all.weight,
        bands
            .iter()
            .enumerate()
            .map(|(band, held)| u128::from(held.0) * weight_of(band))
            .sum::<u128>()
    );
}

#[test]
fn a_map_follows_ten_thousandfold_up_and_down_and_every_share_with_it() {
    let mut map = map(0);
    map.centered = Price::from_raw(num::ONE << 5);
    let mut walkers: Vec<Walker> = (0..6).map(|_| Walker::new(&map)).collect();
    for (walker, band) in walkers.iter_mut().zip([0, 31, 100, 200, 254]) {
        walker.put(&mut map, 1 << 20, band);
    }
    check(&map, &walkers);
    // 2^14 is more than 10^4.
    for octave in (0..=14).chain((-14..14).rev()).chain(-14..=0) {
        go(&mut map, &mut walkers, octave * 32);
        check(&map, &walkers);
        // Another comes where the price is, and counts like one of a map that never moved.
        let stays = walkers.len() - 1;
        walkers[stays].put(&mut map, 7, 150);
        check(&map, &walkers);
    }
    assert_eq!(map.origin, 0);
    // One that is touched is where it belongs, whatever it has been through; the others count no less than they should.
    for (walker, band) in walkers.iter_mut().zip([0, 31, 100, 200, 254]) {
        assert!(walker.band(&map) >= usize::from(band));
        walker.put(&mut map, 1 << 20, band);
    }
    check(&map, &walkers);
    // Up and all the way back: who was above the fold at every turn has never been anywhere else.
    let mut still = Walker::new(&map);
    still.put(&mut map, 3, 190);
    walkers.push(still);
    for octave in [2, 4, 2, 0, -2, 0] {
        go(&mut map, &mut walkers, octave * 32);
        check(&map, &walkers);
    }
    assert_eq!(walkers.last().unwrap().band(&map), 190);
}

#[test]
fn a_map_moves_at_two_octaves_and_not_before() {
    let mut map = map(0);
    let (index, one) = (Index::from_raw(num::ONE), Price::from_raw(num::ONE));
    map.center(one, index, Bps(9_000));
    let origin = map.origin;
    for (raw, moves) in [
        (num::ONE * 4 - 1, 0),
        (num::ONE / 4 + 1, 0),
        (num::ONE * 4, 64),
        (num::ONE / 4, -64),
    ] {
        let mut map = map;
        assert_eq!(map.follow_price(Price::from_raw(raw), index, Bps(9_000)), moves != 0);
        assert_eq!(map.origin, origin + moves);
        assert_eq!(map.centered.raw(), if moves == 0 { num::ONE } else { raw });
    }
}

#[test]
fn more_turns_than_can_be_told_apart_count_everything_whole_until_it_is_touched() {
    let mut map = map(0);
    map.centered = Price::from_raw(num::ONE << 5);
    let mut walkers: Vec<Walker> = (0..40).map(|_| Walker::new(&map)).collect();
    // Ever higher peaks and ever higher troughs, with debt at both ends each time.
    let mut lumped = 0;
    for (turn, pair) in (0i64..).zip(0..20) {
        let far = if turn % 2 == 0 { turn } else { turn + 4 };
        let before = map.told_apart;
        go(&mut map, &mut walkers, far * 32);
        if map.told_apart == 1 && before > 1 {
            lumped += 1;
            assert_eq!(
                map.bands[255].0,
                walkers.iter().map(|walker| walker.shares).sum::<u64>()
            );
            for walker in &mut walkers {
                walker.beyond |= walker.shares > 0;
            }
        }
        check(&map, &walkers);
        walkers[2 * pair].put(&mut map, 5, 3);
        walkers[2 * pair + 1].put(&mut map, 9, 250);
        check(&map, &walkers);
    }
    assert!(map.told_apart <= 8);
    assert!(lumped > 0);
}

#[test]
fn a_map_that_cannot_count_another_folding_stays_where_it_is() {
    let mut map = map(0);
    map.centered = Price::from_raw(num::ONE << 5);
    map.follow((DebtShares(0), 0), (DebtShares(64), 1)).unwrap();
    map.folds = u64::from(u16::MAX);
    let mut stays = map;
    let price = Price::from_raw((num::ONE * 3) << 7);
    assert!(!stays.follow_price(price, Index::from_raw(num::ONE), Bps(10_000)));
    assert_eq!((stays.bands, stays.origin, stays.centered), (map.bands, 0, price));
    // Without anything to fold it moves on.
    map.follow((DebtShares(64), 1), (DebtShares(64), 200)).unwrap();
    assert!(map.follow_price(price, Index::from_raw(num::ONE), Bps(10_000)));
    assert_eq!((map.origin, map.bands[104]), (96, DebtShares(64)));
}

proptest! {
    /// I5 on a map that moves: every account is where a clamp after a clamp says, and the sums are those over the
    /// bands.
    #[test]
    fn a_moving_map_is_a_recount(
        moves in prop::collection::vec((0usize..12, 0u64..1 << 40, 0u8..=255, prop::option::of(-20i64..20), any::<u8>()), 1..120),
    ) {
        let mut map = map(0);
        map.centered = Price::from_raw(num::ONE << 5);
        let mut walkers: Vec<Walker> = (0..12).map(|_| Walker::new(&map)).collect();
        for (which, shares, band, octave, threshold) in moves {
            if let Some(octave) = octave {
                let turns = map.told_apart;
                go(&mut map, &mut walkers, octave * 32);
                if map.told_apart == 1 && turns == 8 {
                    let lumped = walkers.iter().map(|walker| walker.shares).sum::<u64>() == map.bands[255].0;
                    for walker in &mut walkers {
                        walker.beyond |= lumped && walker.shares > 0;
                    }
                }
                check(&map, &walkers);
            }
            walkers[which].put(&mut map, shares, band);
            map.set_threshold(threshold);
            check(&map, &walkers);
        }
    }
}

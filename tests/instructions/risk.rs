//! The liquidation map, and what follows from it: every band against a recount, the measures against floating point.

mod map;
mod measures;
mod own;

use breakwater_client::MarketKeys;
use breakwater_engine::{DebtShares, MarginAccount, Market, account::map::LiquidationMap};
use breakwater_testkit::World;

/// How far the program's two logarithms may put an account from where it is, bands: 12 units of 2^-16 each.
const BAND_ERROR: f64 = 2.0 * 12.0 * 32.0 / 65_536.0;

/// A whole number as floating point has it.
#[allow(clippy::cast_precision_loss, reason = "floating point is the point")]
fn real(number: impl Into<u128>) -> f64 {
    number.into() as f64
}

/// Where an account is on a map, in bands from the lower edge of the first, unbounded.
fn place_of(map: &LiquidationMap, account: &MarginAccount) -> f64 {
    let ratio = real(account.debt_shares.0) / real(account.collateral.0);
    #[allow(clippy::cast_precision_loss, reason = "far below 2^53")]
    let origin = map.origin as f64;
    ratio.log2() * 32.0 - origin
}

/// The band in which an account's debt must be, or zero without debt. The program's own logarithm decides close to an
/// edge; that it is right but for its error is checked here.
#[track_caller]
pub fn band_of(map: &LiquidationMap, account: &MarginAccount) -> u8 {
    if account.debt_shares == DebtShares::ZERO {
        return 0;
    }
    let band = map.band(account.debt_shares, account.collateral);
    assert_band(band, place_of(map, account), BAND_ERROR);
    band
}

/// Asserts that what is at `place` is in `band`, but for this error; the outermost bands hold what lies beyond them.
#[track_caller]
fn assert_band(band: u8, place: f64, error: f64) {
    let (lowest, highest) = (f64::from(band) - error, f64::from(band) + 1.0 + error);
    assert!(
        (band == 0 || lowest <= place) && (band == u8::MAX || place <= highest),
        "what is at {place} is in band {band}"
    );
}

/// Change that an action which turns `before` into `after` must make to the map, and to the band that `after`
/// remembers.
#[track_caller]
pub fn place(market: &mut Market, before: &MarginAccount, after: &mut MarginAccount) {
    market.map.bands[usize::from(market.map.band_at(before.place))].0 -= before.debt_shares.0;
    let band = band_of(&market.map, after);
    after.place = market.map.place(after.debt_shares, band);
    market.map.bands[usize::from(band)].0 += after.debt_shares.0;
    sum_anew(&mut market.map);
}

/// Collateral for a debt share at the upper edge of a band, 2^-12 less, in units of 2^-32 ÷ the origin's ratio;
/// nothing for the last band.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positive, below 2^32"
)]
fn weight_of(band: usize) -> u128 {
    if band == usize::from(u8::MAX) {
        return 0;
    }
    let edge = 2f64.powf((real(u64::try_from(band).unwrap()) + 1.0) / 32.0);
    (2f64.powi(32) / edge / (1.0 + 2f64.powi(-12))).floor() as u128
}

/// The map's two sums over its bands from the threshold on, counted anew.
#[track_caller]
pub fn sum_anew(map: &mut LiquidationMap) {
    let from = usize::try_from(map.threshold).unwrap();
    let (mut shares, mut weight) = (0, 0);
    for (band, held) in map.bands.iter().enumerate().skip(from) {
        shares += held.0;
        weight += u128::from(held.0) * weight_of(band);
    }
    map.under_shares = DebtShares(shares);
    let low = weight & u128::from(u64::MAX);
    map.under_weight = [low, weight >> 64].map(|word| u64::try_from(word).unwrap());
}

/// Moves the map's threshold to where an action at the lowest price `lowest` (Q64.64) must have moved it: the band of
/// `lowest` less the stress fall. Close to an edge the program's own logarithm decides, `moved_to`; that it is right
/// but for its error is checked here.
#[track_caller]
pub fn move_threshold(market: &mut Market, lowest: u128, moved_to: u64) {
    let kept = 1.0 - f64::from(market.config.stress_fall.0) / 1e4;
    let ratio = real(lowest) * kept / real(market.books.pool.index.raw());
    #[allow(clippy::cast_precision_loss, reason = "far below 2^53")]
    let place = ratio.log2() * 32.0 - market.map.origin as f64;
    assert_band(u8::try_from(moved_to).unwrap(), place, 2.0 * BAND_ERROR);
    market.map.threshold = moved_to;
    sum_anew(&mut market.map);
}

/// Writes a market's state: to put it where no sequence of actions would bring it soon.
#[track_caller]
pub fn edit_market(world: &mut World, keys: &MarketKeys, edit: impl FnOnce(&mut Market)) {
    let mut state = world.market_state(keys);
    edit(&mut state);
    world.set_market(keys, &state);
}

//! The liquidation map against a recount over all margin accounts, band by band, to the share: after every transaction
//! of random sequences of all actions, and at the ends of what the map can tell apart.

mod ends;
mod sequences;

use super::band_of;
use crate::scene::USDC;
use breakwater_client::MarketKeys;
use breakwater_engine::{Bps, Config, DebtShares, account::map::BANDS};
use breakwater_testkit::{Position, World, default_config};

/// Asserts that the market's map is a recount over its accounts, and that each account remembers the band in which its
/// debt is: the one that it belongs into, of a map that has not moved.
#[track_caller]
pub fn assert_recounted(world: &mut World, market: &MarketKeys, positions: &[Position]) {
    assert_counted(world, market, positions, |held, belongs| held == belongs);
}

/// The same of a map that has followed the price: who has not been touched since is in no band below the one that it
/// belongs into.
#[track_caller]
pub fn assert_followed(world: &mut World, market: &MarketKeys, positions: &[Position]) {
    assert_counted(world, market, positions, |held, belongs| held >= belongs);
}

#[track_caller]
fn assert_counted(world: &mut World, market: &MarketKeys, positions: &[Position], fits: fn(u8, u8) -> bool) {
    let state = world.market_state(market);
    let mut counted = [DebtShares::ZERO; BANDS];
    for position in positions {
        if world.account(&position.address).is_none() {
            continue;
        }
        let account = world.margin_account(position);
        if account.debt_shares == DebtShares::ZERO {
            continue;
        }
        let band = state.map.band_at(account.place);
        assert!(fits(band, band_of(&state.map, &account)), "{account:?}");
        counted[usize::from(band)].0 += account.debt_shares.0;
    }
    for (band, (mapped, counted)) in state.map.bands.iter().zip(&counted).enumerate() {
        assert_eq!(mapped, counted, "band {band}");
    }
}

/// The default parameters without interest: debts in atoms are exact, and 1,024 shares each.
fn still() -> Config {
    Config {
        interest_base: Bps(0),
        interest_slope_low: Bps(0),
        interest_slope_high: Bps(0),
        ..default_config()
    }
}

/// Where the map must begin when it is centered: at the whole octave at or below the ratio five octaves below the one
/// that is liquidated at `price` quote atoms for a collateral atom. Asserts it, but for the error of four logarithms.
#[track_caller]
fn assert_centerd(world: &mut World, market: &MarketKeys, price: f64) {
    let state = world.market_state(market);
    let clock = world.clock();
    let index = super::real(state.books.pool.index.raw()) / 2f64.powi(64);
    let ltv = f64::from(state.liquidation_ltv(clock).0) / 1e4;
    #[allow(clippy::cast_precision_loss, reason = "a few hundred")]
    let origin = state.map.origin as f64;
    let exact = (price * ltv / index).log2() * 32.0 - 160.0;
    let error = 2.0 * super::BAND_ERROR;
    assert!(
        (origin - error..=origin + 32.0 + error).contains(&exact) && state.map.origin % 32 == 0,
        "the map begins at {origin}, not at {exact}"
    );
    assert_eq!(state.map.shares_between(0, u8::MAX), 0);
}

/// A pool of a million, and nobody who owes anything.
const POOL: u64 = 1_000_000 * USDC;

//! Each limit that a caller names, or that an action has of its own, to the atom.

mod borrowing;
mod liquidating;
mod money_out;
mod observing;
mod supplying;

use crate::{
    Bps, Clock, Collateral, Config, DebtShares, Error, GuardianPosition, GuardianShares, Index, KeeperLedger, Key,
    LpShares, MarginAccount, Market, Pool, Prices, Quote, Result,
    actions::Willing,
    config::tests::CONFIG,
    num::ONE,
    oracle::tests::{NOW, prices_with, raw},
};

/// At a price of exactly an eighth: 1,000 collateral atoms are worth 125 quote atoms.
fn prices() -> Prices {
    prices_with(&CONFIG, raw(125_0000_0000, 0))
}

/// One share of debt is an atom, nothing takes a haircut or a bounty's tip, and everything is small.
fn market() -> Market {
    let mut market: Market = bytemuck::Zeroable::zeroed();
    market.config = Config {
        min_debt: Quote(10),
        bounty_tip: Quote(0),
        volatility_max: Bps(0),
        crowding_max: Bps(0),
        band_floor: Quote(u64::MAX),
        ..CONFIG
    };
    market.books.pool = Pool::new(NOW.unix);
    market.books.pool.index = Index::from_raw(ONE);
    market.books.pool.cash = Quote(1_000_000);
    market.books.pool.lp_supply = LpShares(1_000_000_000);
    market
}

fn later(seconds: i64) -> Clock {
    Clock {
        unix: NOW.unix + seconds,
        slot: NOW.slot + 1,
    }
}

/// What an action says, and that it changed nothing of the market if it says no.
#[track_caller]
#[allow(
    clippy::needless_pass_by_value,
    reason = "a result is easier to write than a reference to one"
)]
fn says<T: PartialEq + core::fmt::Debug>(
    market: &Market,
    act: impl FnOnce(&mut Market) -> Result<T>,
    expected: Result<T>,
) {
    let mut tried = *market;
    let found = act(&mut tried);
    assert_eq!(found, expected);
    if found.is_err() {
        assert!(tried == *market, "{expected:?}: it changed the market");
    }
}

/// An account of so much debt and collateral, on the market's books and map.
fn account(market: &mut Market, debt: u64, collateral: u64) -> MarginAccount {
    let mut account = MarginAccount::new(Key([1; 32]), Key([2; 32]), 0, 255);
    (account.debt_shares, account.collateral) = (DebtShares(debt), Collateral(collateral));
    let index = market.books.pool.index;
    market.map.centre(prices().guarded(), index, Bps(8_000));
    account.band = market.map.band(account.debt_shares, account.collateral);
    let band = &mut market.map.bands[usize::from(account.band)];
    band.0 += debt;
    market.books.pool.debt_shares.0 += debt;
    account
}

//! Each limit that a caller names, or that an action has of its own, to the atom.

mod borrowing;
mod governing;
mod liquidating;
mod money_out;
mod observing;
mod supplying;
mod telling;

use crate::{
    Bps, Clock, Collateral, Config, DebtShares, Error, GuardianPosition, GuardianShares, Index, KeeperLedger, Key,
    LpShares, MarginAccount, Market, Pool, Price, Prices, Quote, Result,
    config::tests::CONFIG,
    math::num::ONE,
    price::{
        guard::{BreakerReading, Flags, Level},
        oracle::{
            PriceUse,
            tests::{NOW, prices_with, raw},
        },
    },
};

/// At a price of exactly an eighth: 1,000 collateral atoms are worth 125 quote atoms.
fn prices() -> Prices {
    prices_with(&CONFIG, raw(125_0000_0000, 0))
}

/// One share of debt is an atom, no fall is to be stood, nothing has a tip, and everything is small.
fn market() -> Market {
    let mut market: Market = bytemuck::Zeroable::zeroed();
    market.config = Config {
        min_debt: Quote(10),
        bounty_tip: Quote(0),
        stress_fall: Bps(0),
        stress_volatility: Bps(0),
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

/// Checks an action's result, and that it changed nothing of the market if it was refused.
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

/// `over` ÷ `under` quote atoms for a collateral atom, rounded down.
fn price(under: u128, over: u128) -> Price {
    Price::from_raw(ONE * over / under)
}

/// Prices apart: spot, and the guarded price, which is the market's own EMA too.
fn at(spot: Price, guarded: Price, level: Level) -> Prices {
    // Eight decimals of a dollar; 1,000 atoms of collateral are a unit beside those of the quote.
    let dollars = ((spot.raw() + 1) * 1_000 * 1_0000_0000) >> 64;
    let read = prices_with(&CONFIG, raw(i64::try_from(dollars).unwrap(), 0));
    assert_eq!(read.spot(), spot);
    judged(&read, guarded, guarded, level)
}

/// The same reading, with another breaker reading.
fn judged(prices: &Prices, guarded: Price, own_ema: Price, level: Level) -> Prices {
    let breaker = BreakerReading {
        before: level,
        level,
        flags: Flags::NONE,
        guarded,
        own_ema,
        teaches: true,
    };
    Prices::new(*prices.oracle_price(), breaker, PriceUse::Liquidate, NOW)
}

/// That the map holds so many shares, and its kept sums are those over its bands.
#[track_caller]
fn check_map(market: &Market, shares: u64) {
    let map = &market.map;
    assert_eq!(map.shares_between(0, 255), shares);
    let mut fresh = *map;
    fresh.set_threshold(0);
    fresh.set_threshold(u8::try_from(map.threshold).unwrap());
    assert!(fresh == *map);
}

/// An account of so much debt and collateral, on the market's books and map.
fn account(market: &mut Market, debt: u64, collateral: u64) -> MarginAccount {
    let mut account = MarginAccount::new(Key([1; 32]), Key([2; 32]), 0, 255);
    (account.debt_shares, account.collateral) = (DebtShares(debt), Collateral(collateral));
    let index = market.books.pool.index;
    market.map.center(prices().guarded(), index, Bps(8_000));
    let band = market.map.band(account.debt_shares, account.collateral);
    account.place = market.map.place(account.debt_shares, band);
    let to = (account.debt_shares, band);
    market.map.follow((DebtShares(0), 0), to).unwrap();
    market.books.pool.debt_shares.0 += debt;
    account
}

//! A market's debts by price, counted by the test itself: bands in floating point, debts in plain integers.

use super::{band_of, real};
use breakwater_client::MarketKeys;
use breakwater_engine::{Clock, MarginAccount, Market, account::map::LiquidationMap};
use breakwater_testkit::{Position, World};

/// 2^64 as floating point.
const ONE: f64 = 18_446_744_073_709_551_616.0;

/// A market and all its accounts at one moment.
pub struct Own {
    pub market: Market,
    pub accounts: Vec<MarginAccount>,
    /// Quote atoms for a debt share, Q64.64.
    pub index: u128,
    /// The liquidation LTV, bps.
    pub ltv: u32,
    /// Seconds and slot.
    pub clock: Clock,
}

impl Own {
    /// As things stand.
    #[track_caller]
    pub fn of(world: &mut World, keys: &MarketKeys, positions: &[Position]) -> Self {
        let (market, clock) = (world.market_state(keys), world.clock());
        let accounts = positions.iter().map(|one| world.margin_account(one)).collect();
        Self {
            market,
            accounts,
            index: market.books_at(clock).unwrap().pool.index.raw(),
            ltv: market.liquidation_ltv(clock).0,
            clock,
        }
    }

    /// Debt of some shares, quote atoms, rounded up.
    pub fn debt(&self, shares: u64) -> u64 {
        u64::try_from((self.index * u128::from(shares)).div_ceil(1 << 64)).unwrap()
    }

    /// The price at which an account is liquidated, quote atoms for a collateral atom.
    pub fn liquidated_at(&self, account: &MarginAccount) -> f64 {
        let debt = real(account.debt_shares.0) * real(self.index) / ONE;
        debt / real(account.collateral.0) / (f64::from(self.ltv) / 1e4)
    }

    /// Where a price is on the map, in bands from the lower edge of the first, unbounded.
    pub fn place_of_price(&self, price: f64) -> f64 {
        let ratio = price * f64::from(self.ltv) / 1e4 / (real(self.index) / ONE);
        ratio.log2() * 32.0 - origin(&self.market.map)
    }

    /// The band of a price.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a band")]
    pub fn band_of_price(&self, price: f64) -> u8 {
        self.place_of_price(price).floor().clamp(0.0, 255.0) as u8
    }

    /// The band of an account with debt.
    #[track_caller]
    pub fn band_of(&self, account: &MarginAccount) -> u8 {
        band_of(&self.market.map, account)
    }

    /// Debt of all accounts whose bands are `from` to `to`, both included, quote atoms.
    #[track_caller]
    pub fn debt_between(&self, from: u8, to: u8) -> u64 {
        let shares = self
            .accounts
            .iter()
            .filter(|account| account.has_debt() && (from..=to).contains(&self.band_of(account)))
            .map(|account| account.debt_shares.0)
            .sum();
        self.debt(shares)
    }

    /// Debt that a fall of `drop` bps from `price` would liquidate, by bands.
    #[track_caller]
    pub fn debt_within(&self, price: f64, drop: u32) -> u64 {
        let below = price * (1.0 - f64::from(drop) / 1e4);
        self.debt_between(self.band_of_price(below), self.band_of_price(price))
    }
}

#[allow(clippy::cast_precision_loss, reason = "some hundreds")]
fn origin(map: &LiquidationMap) -> f64 {
    map.origin as f64
}

//! Limits of a new market, caps, and what suppliers may take out at once.

use super::scene::{self, NOW, SOL, USDC, later, market, new_market, prices, prices_for, refused};
use breakwater_engine::{
    Bps, Collateral, Config, Error, KeeperLedger, Key, LpShares, MarginAccount, Market, Quote, price::oracle::PriceUse,
};

#[test]
fn a_new_market_begins_within_the_first_limits() {
    assert_eq!(new_market(&Config::EXAMPLE).unwrap_err(), Error::FirstLimitExceeded);
    assert_eq!(
        new_market(&Config::EXAMPLE.first()).unwrap().config,
        Config::EXAMPLE.first()
    );
    // Bounds come first.
    let wrong = Config {
        min_debt: Quote(0),
        ..Config::EXAMPLE
    };
    assert_eq!(new_market(&wrong).unwrap_err(), Error::ParameterOutOfBounds);
}

#[test]
fn the_supply_cap_is_on_all_that_is_in_the_pool() {
    let (mut market, _) = market();
    market.config.supply_cap = Quote(150_000 * USDC);
    let supply = |market: &mut Market, amount| market.supply(Quote(amount), LpShares(0), NOW);
    refused(
        &market,
        |market| supply(market, 50_000 * USDC + 1),
        Error::SupplyCapReached,
    );
    supply(&mut market, 50_000 * USDC).unwrap();
    refused(&market, |market| supply(market, 1), Error::SupplyCapReached);
    // A cap below what is there stops nothing but supplies.
    market.config.supply_cap = Quote(0);
    market
        .withdraw(LpShares(1_000_000), LpShares(u64::MAX), Quote(0), NOW)
        .unwrap();
    refused(&market, |market| supply(market, 1), Error::SupplyCapReached);
}

#[test]
fn the_debt_caps_are_on_what_is_owed_after_it() {
    let (mut market, account) = market();
    let prices = prices(&mut market, 100, NOW);
    market.config.account_debt_cap = Quote(4_000 * USDC);
    market.config.debt_cap = Quote(6_000 * USDC);
    let borrow = |market: &mut Market, account: &mut MarginAccount, amount: u64| {
        market.borrow(account, Quote(amount), &prices, NOW)
    };
    let over = 4_000 * USDC + 1;
    refused(
        &market,
        |market| borrow(market, &mut account.clone(), over),
        Error::AccountDebtCapReached,
    );
    let (mut first, mut second) = (account, account);
    borrow(&mut market, &mut first, 4_000 * USDC).unwrap();
    let over = 2_000 * USDC + 1;
    refused(
        &market,
        |market| borrow(market, &mut second.clone(), over),
        Error::DebtCapReached,
    );
    borrow(&mut market, &mut second, 2_000 * USDC).unwrap();
    // What the backstop owes counts, and caps stop no liquidation and no repayment.
    (market.config.account_debt_cap, market.config.debt_cap) = (Quote(0), Quote(0));
    let day = later(86_400);
    assert!(market.books_at(day).unwrap().pool.debt().unwrap() > Quote(6_000 * USDC));
    market.repay(&mut second, Quote(u64::MAX), day).unwrap();
    let prices = scene::prices(&mut market, 100, day);
    refused(
        &market,
        |market| market.borrow(&mut second.clone(), Quote(20 * USDC), &prices, day),
        Error::AccountDebtCapReached,
    );
}

#[test]
fn the_backstops_debt_counts_against_the_cap_and_is_not_stopped_by_it() {
    let (mut market, mut account) = market();
    let calm = prices(&mut market, 100, NOW);
    market.borrow(&mut account, Quote(6_900 * USDC), &calm, NOW).unwrap();
    let mut other = MarginAccount::new(Key([8; 32]), Key([9; 32]), 1, 255);
    market.deposit_collateral(&mut other, Collateral(100 * SOL)).unwrap();
    market.withdraw_all_equity();
    market.config.debt_cap = Quote(0);
    let mut ledger = KeeperLedger::new(Key([8; 32]), Key([10; 32]), 255);
    // At $70 the account is beyond the take-over LTV: the backstop takes it whole.
    let day = later(86_400);
    market.guard = bytemuck::Zeroable::zeroed();
    let low = prices_for(&mut market, PriceUse::Liquidate, 70, day);
    let done = market
        .liquidations(&low, day)
        .unwrap()
        .liquidate(&mut account, &mut ledger)
        .unwrap();
    assert!(done.whole && done.paid_in_cash < done.repaid);
    market.config.debt_cap = Quote(6_900 * USDC);
    refused(
        &market,
        |market| {
            let low = market.known_prices(PriceUse::Borrow, day)?;
            market.borrow(&mut other.clone(), Quote(20 * USDC), &low, day)
        },
        Error::DebtCapReached,
    );
}

trait Emptied {
    fn withdraw_all_equity(&mut self);
}

impl Emptied for Market {
    /// Leaves the backstop without cash, as if it had been spent.
    fn withdraw_all_equity(&mut self) {
        self.books.backstop.cash = Quote(0);
    }
}

#[test]
fn the_outflow_limit_is_on_withdrawals_by_suppliers() {
    let (mut market, _) = market();
    let held = market.books.pool.lp_supply;
    let withdraw = |market: &mut Market, part: u64, clock| {
        let shares = LpShares(100_000 * USDC / 1_000 * part * 1_000);
        market.withdraw(shares, held, Quote(0), clock)
    };
    market.config.outflow_limit = Bps(1_000);
    refused(&market, |market| withdraw(market, 101, NOW), Error::OutflowLimitReached);
    withdraw(&mut market, 100, NOW).unwrap();
    refused(&market, |market| withdraw(market, 1, NOW), Error::OutflowLimitReached);
    // What is supplied may leave again at once.
    let supply = market.supply(Quote(500 * USDC), LpShares(0), NOW).unwrap();
    market.withdraw(supply.shares, supply.shares, Quote(0), NOW).unwrap();
    refused(&market, |market| withdraw(market, 1, NOW), Error::OutflowLimitReached);
    withdraw(&mut market, 90, later(86_400)).unwrap();
    market.config.outflow_limit = Bps(10_000);
    withdraw(&mut market, 810, later(86_400)).unwrap();
}

//! Margin accounts: what an owner may do, to the atom.

use super::*;

/// 10,000 collateral atoms, worth 1,250; 70% of that is 875.
fn ready() -> (Market, MarginAccount) {
    let mut market = market();
    let account = account(&mut market, 0, 10_000);
    (market, account)
}

fn borrow(account: MarginAccount, amount: u64) -> impl FnOnce(&mut Market) -> Result<Quote> {
    move |market| {
        let (cash, mut account) = (market.books.pool.cash, account);
        let done = market.borrow(&mut account, Quote(amount), &prices().used(PriceUse::Borrow, NOW), NOW)?;
        assert_eq!(market.books.pool.cash.0, cash.0 - amount);
        let band = market.map.band(account.debt_shares, account.collateral);
        assert_eq!(account.place, market.map.place(account.debt_shares, band));
        assert_eq!(market.map.bands[usize::from(band)], account.debt_shares);
        assert_eq!(account.last_risk_slot, NOW.slot);
        Ok(done.debt_after)
    }
}

#[test]
fn a_loan_keeps_within_ltv_caps_and_minimum() {
    let (market, account) = ready();
    says(&market, borrow(account, 875), Ok(Quote(875)));
    says(&market, borrow(account, 876), Err(Error::InitialLtvExceeded));
    says(&market, borrow(account, 10), Ok(Quote(10)));
    says(&market, borrow(account, 9), Err(Error::DebtBelowMinimum));
    says(&market, borrow(account, 0), Err(Error::ZeroAmount));
    let with = |change: fn(&mut Market), amount, expected| {
        let mut market = market;
        change(&mut market);
        says(&market, borrow(account, amount), expected);
    };
    with(|m| m.config.account_debt_cap = Quote(500), 500, Ok(Quote(500)));
    with(
        |m| m.config.account_debt_cap = Quote(500),
        501,
        Err(Error::AccountDebtCapReached),
    );
    with(|m| m.config.debt_cap = Quote(500), 500, Ok(Quote(500)));
    with(|m| m.config.debt_cap = Quote(500), 501, Err(Error::DebtCapReached));
    with(|m| m.books.pool.cash = Quote(500), 500, Ok(Quote(500)));
    with(
        |m| m.books.pool.cash = Quote(500),
        501,
        Err(Error::InsufficientLiquidity),
    );
}

#[test]
fn collateral_leaves_as_far_as_the_debt_allows() {
    let mut market = market();
    let account = account(&mut market, 700, 10_000);
    let withdraw = |account: MarginAccount, amount, with_prices: bool| {
        move |market: &mut Market| {
            let mut account = account;
            let prices = prices().used(PriceUse::Borrow, NOW);
            let done =
                market.withdraw_collateral(&mut account, Collateral(amount), with_prices.then_some(&prices), NOW)?;
            assert_eq!(done.collateral_after, account.collateral);
            let band = market.map.band(account.debt_shares, account.collateral);
            assert_eq!(account.place, market.map.place(account.debt_shares, band));
            Ok((account.collateral.0, account.last_risk_slot))
        }
    };
    // 700 is 70% of 1,000, which 8,000 are worth.
    says(&market, withdraw(account, 2_000, true), Ok((8_000, NOW.slot)));
    says(&market, withdraw(account, 2_001, true), Err(Error::InitialLtvExceeded));
    says(&market, withdraw(account, 1, false), Err(Error::PriceRequired));
    says(
        &market,
        withdraw(account, 10_001, true),
        Err(Error::InsufficientCollateral),
    );
    let free = MarginAccount {
        debt_shares: DebtShares(0),
        place: bytemuck::Zeroable::zeroed(),
        ..account
    };
    says(&market, withdraw(free, 10_000, false), Ok((0, 0)));
    says(
        &market,
        withdraw(free, 10_001, false),
        Err(Error::InsufficientCollateral),
    );
}

#[test]
fn a_debt_is_repaid_as_far_as_it_goes() {
    let mut market = market();
    let account = account(&mut market, 700, 10_000);
    let repay = |account: MarginAccount, amount| {
        move |market: &mut Market| {
            let mut account = account;
            let done = market.repay(&mut account, Quote(amount), NOW)?;
            assert_eq!(market.map.shares_between(0, 255), account.debt_shares.0);
            assert_eq!(market.books.pool.cash.0, 1_000_000 + done.amount.0);
            Ok((done.amount, done.debt_after, account.debt_shares))
        }
    };
    says(&market, repay(account, 699), Ok((Quote(699), Quote(1), DebtShares(1))));
    says(&market, repay(account, 701), Ok((Quote(700), Quote(0), DebtShares(0))));
    says(&market, repay(account, 0), Err(Error::ZeroAmount));
    let free = MarginAccount {
        debt_shares: DebtShares(0),
        ..account
    };
    says(&market, repay(free, 1), Err(Error::NoDebt));
}

#[test]
fn an_account_is_closed_when_it_holds_and_owes_nothing() {
    let with = |debt, collateral| {
        Market::check_closable(&MarginAccount {
            debt_shares: DebtShares(debt),
            collateral: Collateral(collateral),
            ..bytemuck::Zeroable::zeroed()
        })
    };
    assert_eq!(with(0, 0), Ok(()));
    for (debt, collateral) in [(1, 0), (0, 1), (1, 1)] {
        assert_eq!(with(debt, collateral), Err(Error::AccountNotEmpty));
    }
}

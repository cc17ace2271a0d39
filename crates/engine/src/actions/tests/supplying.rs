//! Suppliers: shares and atoms at 1,000 to one, and what bounds them.

use super::*;

#[test]
fn a_supplier_gets_no_fewer_shares_than_named_and_keeps_within_the_cap() {
    let mut market = market();
    let supply = |amount, least| {
        move |market: &mut Market| {
            let done = market.supply(Quote(amount), LpShares(least), NOW)?;
            let pool = &market.books.pool;
            assert_eq!(
                (pool.cash.0, pool.lp_supply.0),
                (1_000_000 + amount, 1_000_000_000 + done.shares.0)
            );
            Ok(done.shares)
        }
    };
    says(&market, supply(50, 0), Ok(LpShares(50_000)));
    says(&market, supply(50, 50_000), Ok(LpShares(50_000)));
    says(&market, supply(50, 50_001), Err(Error::SlippageExceeded));
    says(&market, supply(0, 0), Err(Error::ZeroAmount));
    market.config.supply_cap = Quote(1_000_050);
    says(&market, supply(50, 0), Ok(LpShares(50_000)));
    says(&market, supply(51, 0), Err(Error::SupplyCapReached));
}

#[test]
fn a_supplier_leaves_with_no_less_than_named() {
    let mut market = market();
    let withdraw = |shares, held, least| {
        move |market: &mut Market| {
            let done = market.withdraw(LpShares(shares), LpShares(held), Quote(least), NOW)?;
            assert_eq!(market.books.pool.lp_supply.0, 1_000_000_000 - shares);
            Ok((done.amount, market.books.pool.cash))
        }
    };
    says(&market, withdraw(50_000, 60_000, 0), Ok((Quote(50), Quote(999_950))));
    says(&market, withdraw(50_000, 50_000, 50), Ok((Quote(50), Quote(999_950))));
    says(&market, withdraw(50_000, 49_999, 0), Err(Error::InsufficientLpShares));
    says(&market, withdraw(50_000, 50_000, 51), Err(Error::SlippageExceeded));
    says(&market, withdraw(999, 999, 0), Err(Error::ZeroAmount));
    // All but 50 is lent.
    market.books.pool.cash = Quote(50);
    market.books.pool.debt_shares = DebtShares(999_950);
    says(&market, withdraw(50_000, 50_000, 50), Ok((Quote(50), Quote(0))));
    says(&market, withdraw(51_000, 51_000, 0), Err(Error::InsufficientLiquidity));
}

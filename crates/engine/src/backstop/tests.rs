use super::*;
use crate::{
    account::sizing::{Demand, Extent},
    math::{num::ONE, units::Bps},
};

/// One quote atom for one collateral atom, and for one share of debt.
fn pool(due: u64) -> Pool {
    let mut pool = Pool::new(0);
    pool.index = crate::Index::from_raw(ONE);
    pool.reserves_owed = crate::Fixed::from_raw((u128::from(due) << 64) | 1);
    pool
}

#[test]
fn equity_is_what_it_owns_less_what_it_owes() {
    let backstop = Backstop {
        cash: Quote(100),
        inventory: Collateral(41),
        debt_shares: DebtShares(30),
        funded_credits: Quote(1_000),
        unfunded_credits: Quote(4),
        reserve: Quote(2_000),
    };
    let equity = |backstop: &Backstop, price: u128| backstop.equity(&pool(7), Price::from_raw(price));
    assert_eq!(equity(&backstop, ONE), Ok(100 + 41 + 7 - 30 - 4));
    // The inventory is rounded down: 20.5.
    assert_eq!(equity(&backstop, ONE / 2), Ok(100 + 20 + 7 - 30 - 4));
    let broke = Backstop {
        debt_shares: DebtShares(300),
        ..backstop
    };
    assert_eq!(equity(&broke, 0), Ok(100 + 7 - 300 - 4));
    let mut dearer = pool(7);
    dearer.index = crate::Index::from_raw(ONE + 1);
    // 30 shares owe 30 and a fraction: 31.
    assert_eq!(backstop.equity(&dearer, Price::from_raw(ONE)), Ok(113));
}

/// Cash, funded and unfunded credits.
fn with(cash: u64, funded: u64, unfunded: u64) -> Backstop {
    Backstop {
        cash: Quote(cash),
        funded_credits: Quote(funded),
        unfunded_credits: Quote(unfunded),
        ..bytemuck::Zeroable::zeroed()
    }
}

#[test]
fn a_bounty_is_funded_as_far_as_there_is_cash() {
    let credited = |cash, bounty| {
        let mut backstop = with(cash, 2, 3);
        backstop.credit(Quote(bounty)).map(|()| backstop)
    };
    assert_eq!(credited(10, 9), Ok(with(1, 11, 3)));
    assert_eq!(credited(10, 10), Ok(with(0, 12, 3)));
    assert_eq!(credited(10, 11), Ok(with(0, 12, 4)));
    assert_eq!(credited(0, 5), Ok(with(0, 2, 8)));
    assert_eq!(credited(10, 0), Ok(with(10, 2, 3)));
}

#[test]
fn what_comes_in_funds_credits_first() {
    let funded = |unfunded, amount| {
        let mut backstop = with(0, 2, unfunded);
        let left = backstop.fund_credits(Quote(amount))?;
        Ok::<_, crate::Error>((backstop, left.0))
    };
    assert_eq!(funded(3, 2), Ok((with(0, 4, 1), 0)));
    assert_eq!(funded(3, 3), Ok((with(0, 5, 0), 0)));
    assert_eq!(funded(3, 4), Ok((with(0, 5, 0), 1)));
    assert_eq!(funded(0, 4), Ok((with(0, 2, 0), 4)));
}

#[test]
fn income_tells_penalties_deficits_and_gains_apart() {
    let terms = Terms {
        demand: Demand {
            extent: Extent::Partial,
            repay: Quote(1_000),
            penalty: Bps(200),
            value: Quote(1_020),
        },
        seize: Collateral(10),
        worth: Quote(1_020),
        penalty_amount: Quote(20),
        deficit: Quote::ZERO,
    };
    let bad = Terms {
        worth: Quote(900),
        penalty_amount: Quote::ZERO,
        deficit: Quote(100),
        ..terms
    };
    let mut equity_sources: EquitySources = bytemuck::Zeroable::zeroed();
    equity_sources.absorb(&terms);
    let told = |equity_sources: &EquitySources| {
        (
            equity_sources.book.0,
            equity_sources.penalties.0,
            equity_sources.deficits.0,
            equity_sources.gains,
        )
    };
    assert_eq!(told(&equity_sources), (1_020, 20, 0, 0));
    equity_sources.absorb(&bad);
    assert_eq!(told(&equity_sources), (1_920, 20, 100, 0));
    // A third of the inventory, 640 on the books, for 700; then the rest, 1,280, for 1,000.
    assert_eq!(equity_sources.sell(Collateral(30), Collateral(10), Quote(700)), 60);
    assert_eq!(told(&equity_sources), (1_280, 20, 100, 60));
    assert_eq!(equity_sources.sell(Collateral(20), Collateral(20), Quote(1_000)), -280);
    assert_eq!(told(&equity_sources), (0, 20, 100, -220));
}

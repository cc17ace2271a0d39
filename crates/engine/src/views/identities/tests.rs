use super::*;
use crate::{
    math::units::{Collateral, DebtShares, GuardianShares, LpShares, Quote},
    pool::Pool,
};

/// Books of which every total is another number.
fn market() -> Market {
    let mut market: Market = bytemuck::Zeroable::zeroed();
    market.books.pool = Pool::new(0);
    let pool = &mut market.books.pool;
    (pool.cash, pool.debt_shares, pool.lp_supply) = (Quote(10), DebtShares(9), LpShares(100));
    let backstop = &mut market.books.backstop;
    backstop.cash = Quote(20);
    (backstop.funded_credits, backstop.unfunded_credits) = (Quote(3), Quote(8));
    (backstop.inventory, backstop.debt_shares) = (Collateral(5), DebtShares(5));
    market.books.guardians.shares = GuardianShares(6);
    (market.map.bands[0], market.map.bands[255]) = (DebtShares(1), DebtShares(3));
    market
}

const TOTALS: Totals = Totals {
    quote_vault: 33,
    collateral_vault: 12,
    account_collateral: 7,
    account_debt_shares: 4,
    keeper_credits: 11,
    lp_mint_supply: 100,
    lp_held: 100,
    guardian_shares: 6,
};

#[track_caller]
fn broken(change: impl FnOnce(&mut Totals), expected: &[Identity]) {
    let mut totals = TOTALS;
    change(&mut totals);
    let found = identities(&market(), &totals);
    let broken: std::vec::Vec<_> = found
        .iter()
        .filter(|(_, holds)| !holds)
        .map(|(name, _)| *name)
        .collect();
    assert_eq!(broken, expected);
}

#[test]
fn each_identity_is_broken_by_one_atom_and_by_no_donation() {
    broken(|_| {}, &[]);
    broken(|t| t.quote_vault += 1, &[]);
    broken(|t| t.quote_vault -= 1, &[Identity::QuoteVault]);
    broken(|t| t.collateral_vault += 1, &[]);
    broken(|t| t.collateral_vault -= 1, &[Identity::CollateralVault]);
    broken(|t| t.account_collateral += 1, &[Identity::CollateralVault]);
    broken(|t| t.account_collateral = u128::MAX, &[Identity::CollateralVault]);
    let of_debt = [Identity::DebtShares, Identity::LiquidationMap];
    broken(|t| t.account_debt_shares += 1, &of_debt);
    broken(|t| t.account_debt_shares -= 1, &of_debt);
    broken(|t| t.keeper_credits += 1, &[Identity::KeeperCredits]);
    broken(|t| t.keeper_credits -= 1, &[Identity::KeeperCredits]);
    broken(|t| t.guardian_shares += 1, &[Identity::GuardianShares]);
    broken(|t| t.guardian_shares -= 1, &[Identity::GuardianShares]);
    // A holder may burn: the mint has less than the books, and all of it has a holder.
    broken(|t| (t.lp_mint_supply, t.lp_held) = (99, 99), &[]);
    broken(|t| (t.lp_mint_supply, t.lp_held) = (101, 101), &[Identity::LpSupply]);
    broken(|t| t.lp_held = 99, &[Identity::LpSupply]);
    broken(|t| t.lp_held = 101, &[Identity::LpSupply]);
}

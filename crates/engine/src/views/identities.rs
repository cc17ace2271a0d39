//! The money identities that hold after every action, checked against totals that the caller counts on its own.

use crate::{market::Market, math::num::add};

/// Totals counted outside the engine: from token accounts, and over all accounts of a market.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Tokens in the market's quote vault, atoms.
    pub quote_vault: u64,
    /// Tokens in the market's collateral vault, atoms.
    pub collateral_vault: u64,
    /// Collateral of all margin accounts, atoms.
    pub account_collateral: u128,
    /// Debt shares of all margin accounts.
    pub account_debt_shares: u128,
    /// Unclaimed credits of all keeper ledgers, quote atoms.
    pub keeper_credits: u128,
    /// Supply of the LP mint, atoms.
    pub lp_mint_supply: u64,
    /// LP shares held by everybody, atoms.
    pub lp_held: u128,
    /// Shares of all guardians' positions that are of the present epoch.
    pub guardian_shares: u128,
}

/// One money identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// quote vault ≥ pool cash + backstop cash + funded keeper credits (any excess is a donation).
    QuoteVault,
    /// collateral vault ≥ Σ account collateral + backstop inventory.
    CollateralVault,
    /// pool debt shares = Σ account debt shares + backstop debt shares.
    DebtShares,
    /// funded + unfunded keeper credits = Σ keeper ledgers.
    KeeperCredits,
    /// LP supply on the books ≥ supply of the mint (a holder may burn) = Σ holders.
    LpSupply,
    /// guardian shares = Σ guardians' positions of the present epoch.
    GuardianShares,
    /// Σ bands of the liquidation map = Σ account debt shares.
    LiquidationMap,
}

/// Checks every identity; true means that it holds.
#[must_use]
pub fn identities(market: &Market, totals: &Totals) -> [(Identity, bool); 7] {
    let books = &market.books;
    let (pool, backstop) = (&books.pool, &books.backstop);
    let claims = [pool.cash.0, backstop.cash.0, backstop.funded_credits.0];
    let claims = claims
        .iter()
        .fold(0u128, |sum, part| sum.saturating_add(u128::from(*part)));
    let collateral = add(totals.account_collateral, u128::from(backstop.inventory.0));
    let shares = add(totals.account_debt_shares, u128::from(backstop.debt_shares.0));
    [
        (Identity::QuoteVault, u128::from(totals.quote_vault) >= claims),
        (
            Identity::CollateralVault,
            collateral.is_ok_and(|sum| u128::from(totals.collateral_vault) >= sum),
        ),
        (Identity::DebtShares, shares == Ok(u128::from(pool.debt_shares.0))),
        (
            Identity::KeeperCredits,
            add(backstop.funded_credits.0.into(), backstop.unfunded_credits.0.into()) == Ok(totals.keeper_credits),
        ),
        (
            Identity::LpSupply,
            pool.lp_supply.0 >= totals.lp_mint_supply && u128::from(totals.lp_mint_supply) == totals.lp_held,
        ),
        (
            Identity::GuardianShares,
            totals.guardian_shares == u128::from(books.guardians.shares.0),
        ),
        (
            Identity::LiquidationMap,
            totals.account_debt_shares == u128::from(market.map.shares_between(0, u8::MAX)),
        ),
    ]
}

#[cfg(test)]
mod tests;

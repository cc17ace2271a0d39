//! Liquidation, the backstop and its keepers.

use super::build;
use crate::{MarketKeys, addresses};
use anchor_lang::{
    prelude::{AccountMeta, Pubkey},
    solana_program::instruction::Instruction,
    system_program,
};
use breakwater::{accounts, instruction};

/// Liquidates one margin account. The keeper signs; its ledger must be open.
#[must_use]
pub fn liquidate(keys: &MarketKeys, margin_account: &Pubkey, keeper: &Pubkey) -> Instruction {
    build(
        &accounts::Liquidate {
            market: keys.market,
            margin_account: *margin_account,
            keeper_ledger: addresses::keeper_ledger(&keys.market, keeper),
            keeper: *keeper,
            feeds: keys.feeds(),
        },
        &instruction::Liquidate {},
    )
}

/// Liquidates those of `margin_accounts` that can be. The keeper signs; its ledger must be open.
#[must_use]
pub fn liquidate_batch(keys: &MarketKeys, keeper: &Pubkey, margin_accounts: &[Pubkey]) -> Instruction {
    let mut batch = build(
        &accounts::LiquidateBatch {
            market: keys.market,
            keeper_ledger: addresses::keeper_ledger(&keys.market, keeper),
            keeper: *keeper,
            feeds: keys.feeds(),
        },
        &instruction::LiquidateBatch {},
    );
    batch
        .accounts
        .extend(margin_accounts.iter().map(|address| AccountMeta::new(*address, false)));
    batch
}

/// Gives `amount` quote atoms to the backstop, for good. The funder signs.
#[must_use]
pub fn fund_backstop(keys: &MarketKeys, funder: &Pubkey, amount: u64) -> Instruction {
    build(
        &accounts::FundBackstop {
            market: keys.market,
            funder: *funder,
            quote_mint: keys.quote_mint,
            funder_quote: keys.quote_of(funder),
            quote_vault: keys.quote_vault,
            quote_token_program: keys.quote_token_program,
        },
        &instruction::FundBackstop { amount },
    )
}

/// Buys `amount` collateral atoms from the backstop for at most `max_cost` quote atoms. The buyer signs.
#[must_use]
pub fn buy_inventory(keys: &MarketKeys, buyer: &Pubkey, amount: u64, max_cost: u64) -> Instruction {
    build(
        &accounts::BuyInventory {
            market: keys.market,
            buyer: *buyer,
            collateral_mint: keys.collateral_mint,
            quote_mint: keys.quote_mint,
            buyer_collateral: keys.collateral_of(buyer),
            buyer_quote: keys.quote_of(buyer),
            collateral_vault: keys.collateral_vault,
            quote_vault: keys.quote_vault,
            feeds: keys.feeds(),
            collateral_token_program: keys.collateral_token_program,
            quote_token_program: keys.quote_token_program,
        },
        &instruction::BuyInventory { amount, max_cost },
    )
}

/// Opens the ledger that liquidations credit. The keeper signs and pays the rent.
#[must_use]
pub fn open_keeper_ledger(keys: &MarketKeys, keeper: &Pubkey) -> Instruction {
    build(
        &accounts::OpenKeeperLedger {
            market: keys.market,
            keeper_ledger: addresses::keeper_ledger(&keys.market, keeper),
            keeper: *keeper,
            system_program: system_program::ID,
        },
        &instruction::OpenKeeperLedger {},
    )
}

/// Pays a keeper all that its ledger holds. The keeper signs.
#[must_use]
pub fn claim_bounty(keys: &MarketKeys, keeper: &Pubkey) -> Instruction {
    build(
        &accounts::ClaimBounty {
            market: keys.market,
            keeper_ledger: addresses::keeper_ledger(&keys.market, keeper),
            keeper: *keeper,
            quote_mint: keys.quote_mint,
            keeper_quote: keys.quote_of(keeper),
            quote_vault: keys.quote_vault,
            quote_token_program: keys.quote_token_program,
        },
        &instruction::ClaimBounty {},
    )
}

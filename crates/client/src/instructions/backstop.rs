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
            quote: keys.quote_token(),
            funder_quote: keys.quote_of(funder),
        },
        &instruction::FundBackstop { amount },
    )
}

/// Buys `amount` collateral atoms from the backstop for at most `max_cost` quote atoms. The buyer signs.
#[must_use]
pub fn buy_inventory(keys: &MarketKeys, buyer: &Pubkey, amount: u64, max_cost: u64) -> Instruction {
    build(&purchase(keys, buyer), &instruction::BuyInventory { amount, max_cost })
}

/// Buys as much collateral from the backstop as `budget` quote atoms pay for, at least `min_amount` atoms. The buyer
/// signs.
#[must_use]
pub fn buy_inventory_for(keys: &MarketKeys, buyer: &Pubkey, budget: u64, min_amount: u64) -> Instruction {
    build(
        &purchase(keys, buyer),
        &instruction::BuyInventoryFor { budget, min_amount },
    )
}

fn purchase(keys: &MarketKeys, buyer: &Pubkey) -> accounts::BuyInventory {
    accounts::BuyInventory {
        market: keys.market,
        buyer: *buyer,
        collateral: keys.collateral_token(),
        quote: keys.quote_token(),
        buyer_collateral: keys.collateral_of(buyer),
        buyer_quote: keys.quote_of(buyer),
        feeds: keys.feeds(),
    }
}

/// Writes off what the backstop cannot pay; while it has inventory, what it could not pay even at the highest price.
/// Nobody signs.
#[must_use]
pub fn settle_deficit(keys: &MarketKeys) -> Instruction {
    build(
        &accounts::SettleDeficit {
            market: keys.market,
            feeds: keys.feeds(),
        },
        &instruction::SettleDeficit {},
    )
}

/// Announces that `amount` quote atoms of equity will be taken out; zero takes it back. It may be announced until the
/// slot `expires_slot`. The protocol's authority signs.
#[must_use]
pub fn queue_equity_withdrawal(keys: &MarketKeys, authority: &Pubkey, amount: u64, expires_slot: u64) -> Instruction {
    build(
        &accounts::QueueEquityWithdrawal {
            protocol: addresses::protocol(),
            authority: *authority,
            market: keys.market,
        },
        &instruction::QueueEquityWithdrawal { amount, expires_slot },
    )
}

/// Takes the announced equity out, to the authority's own tokens. The protocol's authority signs.
#[must_use]
pub fn withdraw_equity(keys: &MarketKeys, authority: &Pubkey) -> Instruction {
    build(
        &accounts::WithdrawEquity {
            protocol: addresses::protocol(),
            authority: *authority,
            market: keys.market,
            quote: keys.quote_token(),
            receiver_quote: keys.quote_of(authority),
            feeds: keys.feeds(),
        },
        &instruction::WithdrawEquity {},
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
            quote: keys.quote_token(),
            keeper_quote: keys.quote_of(keeper),
        },
        &instruction::ClaimBounty {},
    )
}

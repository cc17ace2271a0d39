//! Margin accounts. `margin_account` is the address that [`crate::addresses::margin_account`] gives.

use super::build;
use crate::{MarketKeys, addresses};
use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction, system_program};
use breakwater::{
    accounts::{self, Feeds},
    instruction,
};

/// Opens `owner`'s margin account number `id`. The owner signs, `payer` signs and pays the rent.
#[must_use]
pub fn open_account(keys: &MarketKeys, owner: &Pubkey, payer: &Pubkey, id: u16) -> Instruction {
    build(
        &accounts::OpenAccount {
            market: keys.market,
            margin_account: addresses::margin_account(&keys.market, owner, id),
            owner: *owner,
            payer: *payer,
            system_program: system_program::ID,
        },
        &instruction::OpenAccount { id },
    )
}

/// Closes an empty margin account; its rent goes to the owner, who signs.
#[must_use]
pub fn close_account(margin_account: &Pubkey, owner: &Pubkey) -> Instruction {
    build(
        &accounts::CloseAccount {
            margin_account: *margin_account,
            owner: *owner,
        },
        &instruction::CloseAccount {},
    )
}

/// Adds `amount` collateral atoms, from anyone's account to anyone's margin account. The depositor signs.
#[must_use]
pub fn deposit_collateral(keys: &MarketKeys, margin_account: &Pubkey, depositor: &Pubkey, amount: u64) -> Instruction {
    build(
        &accounts::DepositCollateral {
            market: keys.market,
            margin_account: *margin_account,
            depositor: *depositor,
            collateral: keys.collateral_token(),
            depositor_collateral: keys.collateral_of(depositor),
        },
        &instruction::DepositCollateral { amount },
    )
}

/// Takes out `amount` collateral atoms, showing the market its feeds, which an account with debt needs. The owner
/// signs.
#[must_use]
pub fn withdraw_collateral(keys: &MarketKeys, margin_account: &Pubkey, owner: &Pubkey, amount: u64) -> Instruction {
    withdraw_collateral_with(keys, margin_account, owner, amount, keys.feeds())
}

/// Takes out `amount` collateral atoms without any price: enough for an account that has no debt. The owner signs.
#[must_use]
pub fn withdraw_collateral_without_debt(
    keys: &MarketKeys,
    margin_account: &Pubkey,
    owner: &Pubkey,
    amount: u64,
) -> Instruction {
    withdraw_collateral_with(keys, margin_account, owner, amount, MarketKeys::KNOWN_FEEDS)
}

fn withdraw_collateral_with(
    keys: &MarketKeys,
    margin_account: &Pubkey,
    owner: &Pubkey,
    amount: u64,
    feeds: Feeds,
) -> Instruction {
    build(
        &accounts::WithdrawCollateral {
            market: keys.market,
            margin_account: *margin_account,
            owner: *owner,
            collateral: keys.collateral_token(),
            owner_collateral: keys.collateral_of(owner),
            feeds,
        },
        &instruction::WithdrawCollateral { amount },
    )
}

/// Borrows `amount` quote atoms against the account's collateral. The owner signs.
#[must_use]
pub fn borrow(keys: &MarketKeys, margin_account: &Pubkey, owner: &Pubkey, amount: u64) -> Instruction {
    build(
        &accounts::Borrow {
            market: keys.market,
            margin_account: *margin_account,
            owner: *owner,
            quote: keys.quote_token(),
            owner_quote: keys.quote_of(owner),
            feeds: keys.feeds(),
        },
        &instruction::Borrow { amount },
    )
}

/// Repays `amount` quote atoms of anyone's debt. The payer signs.
#[must_use]
pub fn repay(keys: &MarketKeys, margin_account: &Pubkey, payer: &Pubkey, amount: u64) -> Instruction {
    build(
        &accounts::Repay {
            market: keys.market,
            margin_account: *margin_account,
            payer: *payer,
            quote: keys.quote_token(),
            payer_quote: keys.quote_of(payer),
        },
        &instruction::Repay { amount },
    )
}

/// Repays the whole debt, whatever it is by then. The payer signs.
#[must_use]
pub fn repay_all(keys: &MarketKeys, margin_account: &Pubkey, payer: &Pubkey) -> Instruction {
    repay(keys, margin_account, payer, u64::MAX)
}

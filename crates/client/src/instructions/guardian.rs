//! Guardians of the backstop.

use super::build;
use crate::{MarketKeys, addresses};
use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction, system_program};
use breakwater::{accounts, instruction};

/// Opens a guardian's position. The guardian signs and pays the rent.
#[must_use]
pub fn open_guardian_position(keys: &MarketKeys, guardian: &Pubkey) -> Instruction {
    build(
        &accounts::OpenGuardianPosition {
            market: keys.market,
            position: addresses::guardian_position(&keys.market, guardian),
            guardian: *guardian,
            system_program: system_program::ID,
        },
        &instruction::OpenGuardianPosition {},
    )
}

/// Closes a guardian's position that holds no shares. The guardian signs and gets the rent.
#[must_use]
pub fn close_guardian_position(keys: &MarketKeys, guardian: &Pubkey) -> Instruction {
    build(
        &accounts::CloseGuardianPosition {
            market: keys.market,
            position: addresses::guardian_position(&keys.market, guardian),
            guardian: *guardian,
        },
        &instruction::CloseGuardianPosition {},
    )
}

/// Puts `amount` quote atoms behind the backstop for at least `min_shares` shares, if the claim lacks at most
/// `max_impairment` quote atoms at the stored price. The guardian signs.
#[must_use]
pub fn guardian_deposit(
    keys: &MarketKeys,
    guardian: &Pubkey,
    amount: u64,
    min_shares: u64,
    max_impairment: u64,
) -> Instruction {
    build(
        &accounts::GuardianDeposit {
            market: keys.market,
            position: addresses::guardian_position(&keys.market, guardian),
            guardian: *guardian,
            quote: keys.quote_token(),
            guardian_quote: keys.quote_of(guardian),
        },
        &instruction::GuardianDeposit {
            amount,
            min_shares,
            max_impairment,
        },
    )
}

/// Gives `shares` up for a fixed claim of at least `min_amount` quote atoms, which opens after the cooldown; zero
/// takes an open request back. The guardian signs.
#[must_use]
pub fn guardian_request(keys: &MarketKeys, guardian: &Pubkey, shares: u64, min_amount: u64) -> Instruction {
    build(
        &accounts::GuardianRequest {
            market: keys.market,
            position: addresses::guardian_position(&keys.market, guardian),
            guardian: *guardian,
        },
        &instruction::GuardianRequest { shares, min_amount },
    )
}

/// Is paid as much of `amount` quote atoms as can leave of an open request, and at least `min_amount`, showing the
/// market its feeds, which it needs while there is inventory or debt and its stored prices are too old. The guardian
/// signs.
#[must_use]
pub fn guardian_withdraw(keys: &MarketKeys, guardian: &Pubkey, amount: u64, min_amount: u64) -> Instruction {
    build(
        &accounts::GuardianWithdraw {
            market: keys.market,
            position: addresses::guardian_position(&keys.market, guardian),
            guardian: *guardian,
            quote: keys.quote_token(),
            guardian_quote: keys.quote_of(guardian),
            feeds: keys.feeds(),
        },
        &instruction::GuardianWithdraw { amount, min_amount },
    )
}

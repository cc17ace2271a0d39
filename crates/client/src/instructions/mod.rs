//! One builder for each instruction. Everything that can be derived is derived: token accounts are the associated
//! ones of whoever signs. To show another account, change the `accounts` of what comes back.

mod backstop;
mod margin;
mod market;

pub use backstop::{buy_inventory, claim_bounty, fund_backstop, liquidate, liquidate_batch, open_keeper_ledger};
pub use margin::{
    borrow, close_account, deposit_collateral, open_account, repay, repay_all, withdraw_collateral,
    withdraw_collateral_without_debt,
};
pub use market::{create_market, initialize, observe_price, supply, withdraw};

use anchor_lang::{InstructionData, ToAccountMetas, prelude::Pubkey, solana_program::instruction::Instruction};
use anchor_spl::associated_token::spl_associated_token_account;

fn build(accounts: &impl ToAccountMetas, data: &impl InstructionData) -> Instruction {
    Instruction {
        program_id: breakwater::ID,
        accounts: accounts.to_account_metas(None),
        data: data.data(),
    }
}

/// Creates an owner's associated token account, unless it exists: what a first supply needs for its LP shares.
#[must_use]
pub fn create_token_account(payer: &Pubkey, owner: &Pubkey, mint: &Pubkey, token_program: &Pubkey) -> Instruction {
    spl_associated_token_account::instruction::create_associated_token_account_idempotent(
        payer,
        owner,
        mint,
        token_program,
    )
}

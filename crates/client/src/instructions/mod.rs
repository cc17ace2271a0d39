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
pub use market::{create_market, initialize, observe_price, pull_brake, set_guardian, supply, withdraw};

use anchor_lang::{InstructionData, ToAccountMetas, solana_program::instruction::Instruction};

fn build(accounts: &impl ToAccountMetas, data: &impl InstructionData) -> Instruction {
    Instruction {
        program_id: breakwater::ID,
        accounts: accounts.to_account_metas(None),
        data: data.data(),
    }
}

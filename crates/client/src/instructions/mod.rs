//! One builder for each instruction. Everything that can be derived is derived: token accounts are the associated
//! ones of whoever signs. To show another account, change the `accounts` of what comes back.

mod backstop;
mod governance;
mod guardian;
mod margin;
mod market;

pub use backstop::{
    buy_inventory, buy_inventory_for, claim_bounty, fund_backstop, liquidate, liquidate_batch, open_keeper_ledger,
    queue_equity_withdrawal, settle_deficit, withdraw_equity,
};
pub use governance::{
    accept_authority, cancel_change, cancel_equity_withdrawal, cancel_ramp, create_depth_budget, execute_depth_share,
    execute_emergency_admin, execute_feeds, execute_parameters, execute_sentinel, lower_depth_share, pause,
    propose_authority, queue_depth_share, queue_emergency_admin, queue_feeds, queue_parameters, queue_sentinel,
    raise_stress, tighten,
};
pub use guardian::{
    close_guardian_position, guardian_deposit, guardian_request, guardian_withdraw, open_guardian_position,
};
pub use margin::{
    borrow, close_account, deposit_collateral, open_account, repay, repay_all, withdraw_collateral,
    withdraw_collateral_without_debt,
};
pub use market::{
    announce_liquidation_ltv, create_market, emergency_halt, initialize, observe_price, set_emergency_admin, supply,
    withdraw,
};

use anchor_lang::{InstructionData, ToAccountMetas, solana_program::instruction::Instruction};

fn build(accounts: &impl ToAccountMetas, data: &impl InstructionData) -> Instruction {
    Instruction {
        program_id: breakwater::ID,
        accounts: accounts.to_account_metas(None),
        data: data.data(),
    }
}

//! One file for each instruction, on the compiled program in solana-program-test: what it does, every way it is
//! refused, and, after each step, that all money is accounted for. `frozen` is about what a freeze authority can do,
//! `guards` about prices over time; `worst_day`, `incentives` and `share_price` are about what many of them come to, on
//! LiteSVM; `matrix` puts every wrong account in the place of every right one; `security_txt` is about what the program
//! says of itself.

#![allow(
    clippy::large_types_passed_by_value,
    reason = "parameters and states, passed once a test"
)]

mod attack;
mod attacks;
mod backing;
mod bad_feeds;
mod scene;

mod announce_liquidation_ltv;
mod borrow;
mod buy_inventory;
mod buy_inventory_for;
mod claim_bounty;
mod close_account;
mod close_guardian_position;
mod conformance;
mod create_market;
mod deposit_collateral;
mod emergency_halt;
mod frozen;
mod fund_backstop;
mod governance;
mod guardian_deposit;
mod guardian_request;
mod guardian_withdraw;
mod guards;
mod incentives;
mod initialize;
mod liquidate;
mod liquidate_batch;
mod matrix;
mod observe_price;
mod open_account;
mod open_guardian_position;
mod open_keeper_ledger;
mod pyth_post;
mod queue_equity_withdrawal;
mod repay;
mod risk;
mod security_txt;
mod set_emergency_admin;
mod settle_deficit;
mod share_price;
mod supply;
mod withdraw;
mod withdraw_collateral;
mod withdraw_equity;
mod worst_day;

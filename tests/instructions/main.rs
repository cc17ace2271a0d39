//! One file for each instruction, on the compiled program in solana-program-test: what it does, every way it is
//! refused, and, after each step, that all money is accounted for. `guards` is about prices over time, on LiteSVM.

mod attack;
mod bad_feeds;
mod scene;

mod borrow;
mod buy_inventory;
mod claim_bounty;
mod close_account;
mod create_market;
mod deposit_collateral;
mod fund_backstop;
mod guards;
mod initialize;
mod liquidate;
mod liquidate_batch;
mod observe_price;
mod open_account;
mod open_keeper_ledger;
mod pull_brake;
mod repay;
mod set_guardian;
mod supply;
mod withdraw;
mod withdraw_collateral;

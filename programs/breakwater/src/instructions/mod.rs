//! One file for each instruction: its accounts, with the error of each constraint, and its handler.

mod borrow;
mod buy_inventory;
mod claim_bounty;
mod close_account;
mod create_market;
mod deposit_collateral;
mod fund_backstop;
mod initialize;
mod liquidate;
mod liquidate_batch;
mod observe_price;
mod open_account;
mod open_keeper_ledger;
mod repay;
mod supply;
mod withdraw;
mod withdraw_collateral;

pub use borrow::*;
pub use buy_inventory::*;
pub use claim_bounty::*;
pub use close_account::*;
pub use create_market::*;
pub use deposit_collateral::*;
pub use fund_backstop::*;
pub use initialize::*;
pub use liquidate::*;
pub use liquidate_batch::*;
pub use observe_price::*;
pub use open_account::*;
pub use open_keeper_ledger::*;
pub use repay::*;
pub use supply::*;
pub use withdraw::*;
pub use withdraw_collateral::*;

use crate::{error::OrBreakwaterError, feeds};
use anchor_lang::prelude::*;
use breakwater_engine::{Clock, Market, Prices, oracle::Purpose};

/// Reads both feeds of a market and has the engine accept them.
fn accept_prices(
    market: &mut Market,
    collateral_feed: &AccountInfo,
    quote_feed: &AccountInfo,
    purpose: Purpose,
    clock: Clock,
) -> Result<Prices> {
    let collateral = feeds::read(&market.oracle.collateral_feed, collateral_feed)?;
    let quote = feeds::read(&market.oracle.quote_feed, quote_feed)?;
    market
        .accept_prices(&collateral, &quote, purpose, clock)
        .or_program_error()
}

//! The backstop's money: given, sold for, settled, taken out.

mod buy_inventory;
mod cancel_equity_withdrawal;
mod fund_backstop;
mod queue_equity_withdrawal;
mod settle_deficit;
mod withdraw_equity;

pub use buy_inventory::*;
pub use cancel_equity_withdrawal::*;
pub use fund_backstop::*;
pub use queue_equity_withdrawal::*;
pub use settle_deficit::*;
pub use withdraw_equity::*;

//! Margin accounts: opened, filled, borrowed against, repaid, emptied, closed.

mod borrow;
mod close_account;
mod deposit_collateral;
mod open_account;
mod repay;
mod withdraw_collateral;

pub use borrow::*;
pub use close_account::*;
pub use deposit_collateral::*;
pub use open_account::*;
pub use repay::*;
pub use withdraw_collateral::*;

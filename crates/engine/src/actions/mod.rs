//! The actions: one method of [`crate::Market`] each, all-or-nothing.
//!
//! Every method works on copies of the books and the account, and stores them only after its last check. It returns
//! what happened; the same struct is the body of the event that the program emits.

mod backstop;
mod governance;
mod guardians;
mod liquidate;
mod margin;
mod pool;
mod price;
mod settle;
mod withdraw_equity;

pub use backstop::{BountyClaim, Funding, Sale};
pub use governance::AVERAGES_SETTLE;
pub use guardians::{DEAD_SECONDS, GuardianDeposit, GuardianRequest, GuardianWithdrawal, RELEASED_AGE};
pub use liquidate::{Assessment, Liquidation, Liquidations};
pub use margin::{Borrowing, CollateralChange, Repayment};
pub use pool::{Supply, Withdrawal};
pub use price::Observation;
pub use settle::Settlement;
pub use withdraw_equity::{EquityWithdrawal, EquityWithdrawalCancellation, EquityWithdrawalQueued};

#[cfg(test)]
mod tests;

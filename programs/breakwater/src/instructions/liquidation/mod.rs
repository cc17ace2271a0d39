//! Liquidation, and the keepers that are paid for it.

mod claim_bounty;
mod liquidate;
mod liquidate_batch;
mod open_keeper_ledger;

pub use claim_bounty::*;
pub use liquidate::*;
pub use liquidate_batch::*;
pub use open_keeper_ledger::*;

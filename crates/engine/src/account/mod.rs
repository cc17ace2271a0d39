//! Who borrows, and who liquidates: the margin account and the keeper's ledger, how much of an account is liquidated
//! ([`sizing`]) and at what pace while Guarded (`guarded_steps`), and where the debt of all of them is liquidated
//! ([`map`]).

pub(crate) mod guarded_steps;
pub mod map;
pub mod position;
pub mod sizing;

pub use position::{KeeperLedger, MarginAccount};

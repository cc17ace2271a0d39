//! Sequences of every action on one market, and what must be true after each of them.
//!
//! | what | where |
//! |---|---|
//! | what may happen, and how it is read from bytes | [`Action`], [`Bytes`] |
//! | what the program is asked, with every number | [`Call`] |
//! | a market with everybody around it, without a chain | [`State`] |
//! | how it begins | [`Setting`] |
//! | what must be true | [`invariants`] |
//! | who checks it, and counts | [`Proof`] |
//! | mistakes that the checks must notice | [`mistakes`] |
//! | where it is written what came of it | [`figures`] |

mod action;
mod bytes;
mod call;
mod cover;
mod exact;
mod facts;
pub mod figures;
mod history;
pub mod invariants;
pub mod mistakes;
mod perform;
mod proof;
mod sequence;
mod setting;
mod state;

pub use action::{Action, Feed, Size, squeeze};
pub use bytes::Bytes;
pub use call::{Call, Done};
pub use perform::Performed;
pub use proof::{Counts, Proof, Violation};
pub use sequence::{Failure, play, setting, shortest};
pub use setting::{ACCOUNTS, Flavor, GUARDIANS, KEEPERS, SUPPLIERS, Setting};
pub use state::{State, Step};

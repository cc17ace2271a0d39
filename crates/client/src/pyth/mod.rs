//! Pyth's signed updates of pull feeds: reading and checking them, and posting them on either of Pyth's two stacks.
//!
//! - [`Stack`] is the table of programs; every address is derived from it.
//! - [`Update`] is what Hermes gives: prices, their Merkle proofs, and a signed message (VAA) with the root of the tree.
//! - [`SignerSet`] says who may sign. Which set an update needs is written in its VAA, and nowhere configured.
//! - [`stale_feeds`] says what must be posted before an action finds young enough prices, [`Posting`] turns an update into
//!   transactions that fit the network, and [`instructions`] has the single ones.
//! - With the feature `routers`, `routers` signs updates itself, for tests and local chains.
//!
//! Nothing here asks a node or a clock, and nothing panics, whatever the bytes.

mod error;
pub mod instructions;
pub mod merkle;
mod message;
mod post;
mod refresh;
#[cfg(feature = "routers")]
pub mod routers;
mod signers;
pub mod stack;
mod update;
mod vaa;
mod wire;

#[cfg(test)]
mod tests;

pub use error::Error;
pub use instructions::Poster;
pub use message::{MESSAGE_BYTES, Message};
pub use post::{Action, Draft, LOADED_BYTES, Posting, TRANSACTION_BYTES};
pub use refresh::stale_feeds;
pub use signers::SignerSet;
pub use stack::Stack;
pub use update::{PriceUpdate, Update};
pub use vaa::{Body, Signature, Vaa};

/// Identifier of a price feed, as Pyth gives it.
pub type FeedId = [u8; 32];
/// Result of reading, checking or posting an update.
pub type Result<T> = core::result::Result<T, Error>;

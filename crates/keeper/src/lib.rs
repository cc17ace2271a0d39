//! The keeper of a Breakwater market: finds the margin accounts that can be liquidated, and liquidates them. It needs
//! no capital, keeps no state of its own, and any number of keepers may work on one market.
//!
//! | question | module |
//! |---|---|
//! | who can be liquidated at a price, without looking at everybody | [`index`] |
//! | whom to liquidate now, and what will come of it | [`plan`] |
//! | how many fit into a transaction | [`pack`], [`limits`], [`table`] |
//! | what to pay for a place in a block | [`fee`] |
//! | what else to do | [`crank`] |
//! | whether the market bears what is sold | [`depth`] |
//! | whom to ask, and whom to believe | [`rotation`], [`trust`], [`rpc_pool`] |
//! | which price accounts to show | [`prices`] |
//! | what Pyth signs, and when to post it | [`hermes`], [`post`] |
//! | what becomes of a transaction | [`outbox`] |
//!
//! These decide, and know no network. Their needs of one is the trait [`chain::Chain`], which [`node`] implements over
//! JSON-RPC; [`follow`] is the WebSocket, [`server`] the metrics, and [`keeper`] the loop that puts all of it together.

pub mod chain;
pub mod crank;
pub mod depth;
pub mod fee;
pub mod follow;
pub mod hermes;
pub mod index;
pub mod keeper;
pub mod limits;
pub mod metrics;
pub mod node;
pub mod outbox;
pub mod pack;
pub mod plan;
pub mod post;
pub mod prices;
pub mod rotation;
pub mod rpc_pool;
pub mod server;
mod settings;
pub mod snapshot;
pub mod table;
pub mod transact;
pub mod trust;

pub use keeper::Keeper;
pub use settings::{Settings, TableSettings};

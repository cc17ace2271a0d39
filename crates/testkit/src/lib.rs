//! A world to test Breakwater in, or a program that calls it: the compiled program on a local chain, actors with
//! tokens, Pyth accounts of both kinds, a clock that stands still until it is moved, and one line for each action.
//!
//! ```no_run
//! use breakwater::error::BreakwaterError;
//! use breakwater_testkit::{Failure, MarketSpec, World, assert_fails_with, pyth::usd};
//!
//! # fn main() -> Result<(), Failure> {
//! let mut world = World::lite();
//! let market = world.market(&MarketSpec::default());
//! let lena = world.trader(&market, "lena", 0, 1_000_000_000_000);
//! let alice = world.trader(&market, "alice", 10_000_000_000, 0);
//! let keeper = world.keeper(&market, "kate");
//! world.supply(&market, &lena, 500_000_000_000)?;
//! world.fund_backstop(&market, &lena, 100_000_000_000)?;
//!
//! let position = world.open(&market, &alice, 0)?;
//! world.deposit(&position, 10_000_000_000)?;
//! world.borrow(&position, 650_000_000)?;
//! assert_fails_with(world.liquidate(&keeper, &position), BreakwaterError::BorrowedThisSlot);
//! world.next_slot();
//! assert_fails_with(world.liquidate(&keeper, &position), BreakwaterError::AccountHealthy);
//!
//! world.advance(60);
//! world.set_price(&market.collateral_feed, usd(80), usd(80).unsigned_abs() / 1_000);
//! let outcome = world.liquidate(&keeper, &position)?;
//! println!("liquidated for {} compute units", outcome.compute_units);
//! # Ok(())
//! # }
//! ```
//!
//! - [`World`] is where everything happens. [`World::lite`] and [`World::program_test`] choose the backend.
//! - [`ix`] builds single instructions. To attack, change an account of one and send it:
//!   [`World::send`], [`World::assert_error_unchanged`].
//! - Unless told not to, a world checks after every successful transaction that all tokens of every market are
//!   accounted for.
//! - [`World::mint`] writes the layout of a mint; [`World::create_mint`] has the token program make it, with any
//!   extension of Token-2022, and [`World::freeze`] does what a freeze authority can.
//! - Nothing depends on the time of day, on chance, or on the order of tests.

pub mod actor;
pub mod backend;
mod identities;
pub mod keys;
pub mod mint;
mod outcome;
pub mod program_file;
pub mod pyth;
pub mod real_mint;
mod world;

pub use actor::Actor;
pub use backend::BackendKind;
/// Builders of single instructions.
pub use breakwater_client::instructions as ix;
pub use mint::MintSpec;
pub use outcome::{ExpectedError, Failure, Outcome, assert_fails_with};
/// An account as a world stores it.
pub use solana_account::Account;
pub use world::{
    Feed, FeedSpec, MarketSpec, Position, START, START_SLOT, Snapshot, TRANSACTION_BYTES, World, default_config,
};

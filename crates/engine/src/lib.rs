//! The Breakwater engine: every money and risk rule, in one place, without Solana.
//!
//! The state structs are the very bytes that the on-chain program stores; each action is one method of
//! [`Market`] that checks, computes and applies, or returns an [`Error`] and changes nothing. The engine has no
//! clock and reads no account: the caller passes a [`Clock`] and [`RawReading`]s.
//!
//! Units: *atoms* are a token's smallest unit. [`Quote`] and [`Collateral`] are atoms of the two tokens of a
//! market, [`Price`] is quote atoms for one collateral atom (Q64.64), ratios are [`Bps`].
//!
//! | question | module |
//! |---|---|
//! | how much is liquidated, and at what penalty | [`sizing`] |
//! | what the backstop owns and owes, and what its books say | [`backstop`], [`statement`] |
//! | how much it may take on, and who may take new risk | [`stress`] |
//! | what guardians put in, earn and lose | [`guardians`] |
//! | what comes back of debt that was written off | [`recovery`] |
//! | at what price and pace inventory is sold | [`unwind`] |
//! | what interest does | [`interest`], [`pool`] |
//! | which readings are believed, and what price they compose to | [`oracle`] |
//! | what a price is trusted for, and which price an action uses | [`guard`] |
//! | how markets that sell one asset share its depth | [`depth`] |
//! | what a parameter means and its bounds | [`config`], [`config::table`] |
//! | how parameters and feeds change | [`governance`] |
//! | what can be paused | [`pause`] |
//! | what suppliers get who leave, and how fast they may | [`impairment`], [`outflow`] |
//! | where a falling price would end (off chain only) | [`cascade`] |
//! | where debt is liquidated, how volatile the price | [`map`], [`risk`], [`volatility`] |
//! | how the liquidation LTV changes | [`ramp`] |
//! | what an action does, step by step | [`actions`] |
//! | what must always be true of the money | [`audit`] |
#![no_std]
#![deny(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]
#![cfg_attr(
    test,
    allow(
        clippy::arithmetic_side_effects,
        clippy::as_conversions,
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        clippy::expect_used,
        clippy::inconsistent_digit_grouping,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used,
    )
)]

#[cfg(any(test, feature = "idl"))]
extern crate std;

#[macro_use]
mod layout;
pub mod actions;
pub mod audit;
pub mod backstop;
#[cfg(not(target_os = "solana"))]
pub mod cascade;
pub mod config;
pub mod depth;
mod error;
pub mod governance;
pub mod guard;
pub mod guardians;
pub mod impairment;
pub mod interest;
pub mod map;
mod market;
pub mod num;
pub mod oracle;
pub mod outflow;
mod pace;
pub mod pause;
pub mod pool;
mod position;
pub mod ramp;
pub mod recovery;
pub mod risk;
mod shares;
pub mod sizing;
pub mod statement;
pub mod stress;
mod units;
pub mod unwind;
pub mod volatility;

pub use backstop::{Backstop, Income};
pub use config::{Config, Parameter};
pub use depth::{DepthAllocation, DepthBudget};
pub use error::{Error, Result};
pub use governance::{ParameterChange, QueuedChange};
pub use guard::{Guard, Level, Prices};
pub use guardians::{GuardianPosition, Guardians};
pub use market::{Books, Feeds, Market, NewMarket, TakeOut};
pub use oracle::{FeedPin, Oracle, RawReading, Readings};
pub use outflow::Outflow;
pub use pause::Pauses;
pub use pool::Pool;
pub use position::{KeeperLedger, MarginAccount};
pub use recovery::Recovery;
pub use units::{
    Bps, Clock, Collateral, DebtShares, Divisor, Fixed, GuardianShares, Index, Key, LpShares, Price, Quote,
};
pub use unwind::Schedule;

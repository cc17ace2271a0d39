//! The Breakwater engine: every money and risk rule, in one place, without Solana.
//!
//! The state structs are the very bytes that the on-chain program stores; each action is one method of
//! [`Market`] that checks, computes and applies, or returns an [`Error`] and changes nothing. The engine has no
//! clock and reads no account: the caller passes a [`Clock`] and [`RawReading`]s.
//!
//! Units: *atoms* are a token's smallest unit. [`Quote`] and [`Collateral`] are atoms of the two tokens of a
//! market, [`Price`] is quote atoms for one collateral atom (Q64.64), ratios are [`Bps`].
//!
//! | room | questions |
//! |---|---|
//! | [`math`] | atoms, ratios, fixed point, shares, rate limiter |
//! | [`config`] | what a parameter means, its bounds, and what must hold between them ([`config::table`]) |
//! | [`price`] | which readings count and what price they compose to ([`price::oracle`]); what it is trusted for and which price an action uses ([`price::guard`]); how much it moves ([`price::volatility`]) |
//! | [`pool`] | suppliers' money: interest ([`pool::interest`]), how fast money may leave ([`pool::outflow`]), what comes back of a loss ([`pool::recovery`]) |
//! | [`account`] | borrowers: how much is liquidated and at what penalty ([`account::sizing`]), where debt is liquidated ([`account::map`]) |
//! | [`backstop`] | the protocol's vault: how much it may take on ([`backstop::capacity`]), at what price and pace it sells ([`backstop::auction`]), what guardians put in, earn and lose ([`backstop::guardians`]) |
//! | [`governance`] | how parameters and feeds change, what can be paused ([`governance::pause`]), how the liquidation LTV changes ([`governance::ramp`]), how markets share an asset's depth ([`governance::depth`]) |
//! | [`actions`] | what an instruction does, step by step |
//! | [`views`] | what can be asked: [`views::balance_sheet`], [`views::risk`], [`views::cascade`], [`views::identities`] |
//!
//! [`Market`] is the only place that knows all rooms: what it may take on, and what leaving pays while something is
//! lost, is in its own files.
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
pub mod account;
pub mod actions;
pub mod backstop;
pub mod config;
mod error;
pub mod governance;
pub mod market;
pub mod math;
pub mod pool;
pub mod price;
pub mod views;

pub use account::{KeeperLedger, MarginAccount};
pub use backstop::{
    Backstop, EquitySources,
    auction::Auction,
    guardians::{GuardianPosition, Guardians},
};
pub use config::{Config, Parameter};
pub use error::{Error, Result, unless_halted};
pub use governance::{
    ParameterChange, QueuedChange,
    depth::{DepthAllocation, DepthBudget},
    pause::Pauses,
};
pub use market::{AnnouncedWithdrawal, Books, Market, NewMarket, Pricing};
pub use math::units::{
    Bps, Clock, Collateral, DebtShares, Divisor, Fixed, GuardianShares, Index, Key, LpShares, Price, Quote,
};
pub use pool::{Pool, outflow::Outflow, recovery::Recovery};
pub use price::{
    guard::{Guard, Level, Prices},
    oracle::{FeedPin, Feeds, Oracle, RawReading, Readings},
};

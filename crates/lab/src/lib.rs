//! The laboratory: replays a price history through the compiled program and reports what happened.
//!
//! - [`scenario`]: the file that says what is known of the prices and who takes part.
//! - [`path`]: a price for every step, exact where prices are known, random in between.
//! - [`run`]: the replay, in LiteSVM, with every identity checked after every step.
//! - [`flow`], [`profit`]: what is measured on the way: the pace of sales, and who gained and lost.
//! - [`cascade`]: the cascade laboratory, which measures liquidation mechanisms against each other.
//! - [`record`], [`report`]: what a run leaves behind, and how people read it.
#![allow(
    clippy::cast_precision_loss,
    reason = "floats are for people; whatever is checked is an integer"
)]

pub mod cascade;
pub mod flow;
pub mod guards;
pub mod path;
pub mod profit;
pub mod record;
pub mod report;
pub mod risk;
mod rounding;
pub mod run;
pub mod scenario;

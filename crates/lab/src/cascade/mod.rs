//! The cascade laboratory: liquidation mechanisms on the same price path, with the same accounts, selling into the same
//! market of limited depth, so that a sale moves the price that decides about the next liquidation.
//!
//! - [`setup`], [`path`], [`candles`]: a scenario and its exogenous price.
//! - [`impact`], [`exchange`]: what sales do to the price.
//! - [`borrowers`], [`lending`], [`order`], [`map`]: who borrows, in one market of the engine.
//! - [`mechanism`]: what happens to accounts above their limit; Breakwater is the engine itself.
//! - [`simulation`], [`metrics`], [`outcome`]: one run, or several that share buyers, and what is measured.
//! - [`least`], [`cover`]: what a run is measured against, and what the stress cover promises.
//! - [`search`], [`contagion`], [`bound`]: what takes many runs to know.
//! - [`cell`], [`goals`]: one run among many, and what must hold of all.
//! - [`replay`]: the same through the compiled program.
//! - [`study`], [`sweep`], [`pool`]: everything that `breakwater lab` does, on all processors.

use breakwater_engine as engine;
use thiserror::Error;

use crate::scenario::ScenarioError;

pub mod borrowers;
pub mod bound;
pub mod candles;
pub mod cell;
pub mod contagion;
pub mod cover;
pub mod exchange;
pub mod goals;
pub mod impact;
pub mod least;
pub mod lending;
pub mod map;
pub mod mechanism;
pub mod metrics;
pub mod order;
pub mod outcome;
pub mod path;
pub mod pool;
pub mod replay;
pub mod search;
pub mod setup;
pub mod simulation;
pub mod study;
pub mod sweep;

pub use mechanism::Kind;
pub use outcome::Outcome;
pub use path::Path;
pub use setup::Setup;
pub use simulation::run;

/// Why the laboratory could not work.
#[derive(Debug, Error)]
pub enum LabError {
    /// Not TOML, or a field is missing, unknown or of the wrong type.
    #[error("the scenario does not parse: {0}")]
    Syntax(String),
    /// A number lies outside what the laboratory can work with.
    #[error("{field} is {value}, but it has to be from {low} to {high}")]
    OutOfRange {
        /// Dotted name of the field.
        field: &'static str,
        /// The value in the file.
        value: f64,
        /// Least accepted.
        low: f64,
        /// Most accepted.
        high: f64,
    },
    /// The points of a trend are not usable.
    #[error("path.points need at least one point, hours in order, and positive prices")]
    Points,
    /// A candle file cannot be read.
    #[error("the candles cannot be read: {0}")]
    Candles(String),
    /// The known prices do not make sense.
    #[error(transparent)]
    Known(#[from] ScenarioError),
    /// The engine refused something that should have worked.
    #[error("the engine refused: {0:?}")]
    Engine(engine::Error),
    /// Money appeared or vanished.
    #[error("money is not conserved: {quote} quote atoms and {collateral} collateral atoms too many")]
    NotConserved {
        /// Quote atoms that nobody paid in.
        quote: i128,
        /// Collateral atoms that nobody put in.
        collateral: i128,
    },
}

impl From<engine::Error> for LabError {
    fn from(error: engine::Error) -> Self {
        Self::Engine(error)
    }
}

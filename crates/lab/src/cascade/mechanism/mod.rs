//! Liquidation mechanisms: what is done about accounts above their liquidation LTV, and what becomes of their collateral.
//!
//! All see the same accounts, the same oracle and the same outside market, and all have the same capital of the protocol
//! behind them. Who liquidates or buys sells at once what it gets, and acts if that brings more than it pays.

mod absorb;
mod breakwater;
mod desk;
mod dump;
mod dutch;
mod none;

use std::{fmt, str::FromStr};

use breakwater_engine::{Clock, Collateral, Level, Price, Prices, Quote, Readings, Result};
use serde::{Deserialize, Serialize};

use super::{exchange::Exchange, lending::Lending, setup::COLLATERAL_UNIT, tally::Tally};

/// What keepers and buyers want to earn at least: 0.1% of what they pay.
pub const EDGE: f64 = 0.001;
/// Nobody moves for a purchase of less, whole quote tokens.
pub const WORTH_IT: f64 = 100.0;

/// A step, as everybody sees it.
pub struct Moment {
    /// Time.
    pub clock: Clock,
    /// What the oracle says.
    pub readings: Readings,
    /// What the market makes of it.
    pub prices: Prices,
}

/// What a mechanism acts on.
pub struct Stage<'a> {
    /// The market and its borrowers.
    pub lending: &'a mut Lending,
    /// Where collateral is sold.
    pub exchange: &'a mut Exchange,
    /// What is counted.
    pub tally: &'a mut Tally,
}

/// A liquidation mechanism.
pub trait Mechanism: Send {
    /// Everything that keepers, buyers and the protocol do in one step.
    ///
    /// # Errors
    /// What the engine refuses and should not.
    fn step(&mut self, now: &Moment, stage: &mut Stage<'_>) -> Result<()>;

    /// Collateral that was taken and is not sold.
    fn inventory(&self, lending: &Lending) -> Collateral;

    /// The protocol's own capital at a price, quote atoms. Deficits still in accounts are not in it.
    ///
    /// # Errors
    /// None for healthy books.
    fn equity(&self, lending: &Lending, price: Price) -> Result<i128>;

    /// Bad debt that is certain at a price and not counted yet.
    ///
    /// # Errors
    /// None for healthy books.
    fn pending(&self, _price: Price) -> Result<u64> {
        Ok(0)
    }

    /// Quote and collateral atoms that are neither in the market nor with its borrowers.
    fn holdings(&self) -> (i128, i128) {
        (0, 0)
    }

    /// What prices are trusted for.
    fn level(&self, _now: &Moment) -> Level {
        Level::Normal
    }
}

/// The mechanisms that are compared.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Nobody does anything.
    None,
    /// Keepers repay half of a debt for collateral with a bonus of 8%, and dump it.
    Dump,
    /// The same with all of the debt at once.
    Full,
    /// The protocol absorbs whole accounts and sells at a fixed discount.
    Absorb,
    /// Whole accounts are auctioned, a falling price each, under a global cap.
    Dutch,
    /// The engine.
    Breakwater,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::None,
        Self::Dump,
        Self::Full,
        Self::Absorb,
        Self::Dutch,
        Self::Breakwater,
    ];

    /// As files and options name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Dump => "dump",
            Self::Full => "full",
            Self::Absorb => "absorb",
            Self::Dutch => "dutch",
            Self::Breakwater => "breakwater",
        }
    }

    /// For tables.
    pub fn title(self) -> &'static str {
        match self {
            Self::None => "Nothing",
            Self::Dump => "Dump (50%, 8% bonus)",
            Self::Full => "Full liquidation",
            Self::Absorb => "Absorb and sell",
            Self::Dutch => "Dutch auctions",
            Self::Breakwater => "Breakwater",
        }
    }

    /// Ready for a market, with capital of the protocol behind it.
    ///
    /// # Errors
    /// What the engine refuses and should not.
    pub fn ready(self, lending: &mut Lending, capital: Quote, clock: Clock) -> Result<Box<dyn Mechanism>> {
        Ok(match self {
            Self::None => Box::new(none::Nothing::new(capital)),
            Self::Dump => Box::new(dump::Dump::half(capital)),
            Self::Full => Box::new(dump::Dump::full(capital)),
            Self::Absorb => Box::new(absorb::Absorb::new(capital)),
            Self::Dutch => Box::new(dutch::Dutch::new(capital)),
            Self::Breakwater => Box::new(breakwater::Breakwater::new(lending, capital, clock)?),
        })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(name: &str) -> std::result::Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|kind| kind.name() == name);
        found.ok_or_else(|| format!("one of {}", Self::ALL.map(Self::name).join(", ")))
    }
}

/// Whole tokens as collateral atoms, rounded down; at most `most`.
fn atoms(tokens: f64, most: Collateral) -> Collateral {
    Collateral(crate::rounding::floor_u64(tokens * COLLATERAL_UNIT)).min(most)
}

/// A price in quote tokens per collateral token.
pub fn per_token(price: Price) -> f64 {
    price.raw() as f64 / 2f64.powi(64) * COLLATERAL_UNIT / super::setup::QUOTE_UNIT
}

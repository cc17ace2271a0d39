//! Liquidation mechanisms: what is done about accounts above their liquidation LTV, and what becomes of their
//! collateral.
//!
//! All see the same accounts, the same oracle and the same outside market, and all have the same capital of the
//! protocol behind them. Who liquidates or buys sells at once what it gets, and acts if that brings more than it pays.

mod aave;
mod absorb;
mod breakwater;
mod careful;
mod crvusd;
mod dump;
mod dutch;
mod euler;
mod fluid;
mod inventory_seller;
mod kamino;
mod keepers;
mod liquity;
mod none;
#[cfg(test)]
mod peers;

pub use dump::BONUS;

use std::{fmt, str::FromStr};

use breakwater_engine::{Clock, Collateral, Level, Price, Prices, Quote, Readings, Result};
use serde::{Deserialize, Serialize};

use super::{
    exchange::Exchange,
    lending::Lending,
    metrics::Metrics,
    setup::{COLLATERAL_UNIT, QUOTE_UNIT},
};

/// Least profit that keepers and buyers want: 0.1% of the amount they pay.
pub const EDGE: f64 = 0.001;
/// Nobody moves for a purchase of less, whole quote tokens.
pub const WORTH_IT: f64 = 100.0;

/// A step, as everybody sees it.
#[derive(Clone, Copy)]
pub struct Moment {
    /// Time.
    pub clock: Clock,
    /// The oracle's readings.
    pub readings: Readings,
    /// The market's prices made of them.
    pub prices: Prices,
}

/// State that a mechanism acts on.
pub struct Environment<'a> {
    /// The market and its borrowers.
    pub lending: &'a mut Lending,
    /// Where collateral is sold.
    pub exchange: &'a mut Exchange,
    /// Counts of the run.
    pub metrics: &'a mut Metrics,
}

/// A liquidation mechanism.
pub trait Mechanism: Send {
    /// Everything that keepers, buyers and the protocol do in one step.
    ///
    /// # Errors
    /// Refusals by the engine that should not occur.
    fn step(&mut self, now: &Moment, environment: &mut Environment<'_>) -> Result<()>;

    /// Owners who know the true price already liquidate themselves at the price that the market was shown last, where
    /// the rules let them and it pays. They act before everybody else.
    ///
    /// # Errors
    /// Refusals by the engine that should not occur.
    fn informed(&mut self, _now: &Moment, _stage: &mut Environment<'_>) -> Result<()> {
        Ok(())
    }

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

    /// Wealth of the owners besides their accounts and payments to them, quote atoms at a price in quote tokens.
    fn owned(&self, _lending: &Lending, _price: f64) -> f64 {
        0.0
    }

    /// Quote and collateral atoms that are neither in the market nor with its borrowers.
    fn holdings(&self) -> (i128, i128) {
        (0, 0)
    }

    /// Level of trust in the prices.
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
    /// The same, and the rules see prices of one to two hours ago.
    Sky,
    /// A tenth of a debt at a time, for a bonus that grows with the LTV.
    Kamino,
    /// Half of a debt or all of it, for a bonus of 5%.
    Aave,
    /// A discount that grows with what health lacks, up to 15%.
    Euler,
    /// All accounts together down to the limit, for a penalty of 1%.
    Fluid,
    /// Depositors pay debts and hold the collateral.
    LiquityHold,
    /// Depositors pay debts, and half of them sell the collateral.
    LiquityHalf,
    /// Collateral is sold and bought back in bands of prices.
    Crvusd,
    /// The least that is needed, for the smallest bonus that somebody takes.
    Careful,
    /// The engine.
    Breakwater,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::None,
        Self::Dump,
        Self::Full,
        Self::Absorb,
        Self::Dutch,
        Self::Sky,
        Self::Kamino,
        Self::Aave,
        Self::Euler,
        Self::Fluid,
        Self::LiquityHold,
        Self::LiquityHalf,
        Self::Crvusd,
        Self::Careful,
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
            Self::Sky => "sky",
            Self::Kamino => "kamino",
            Self::Aave => "aave",
            Self::Euler => "euler",
            Self::Fluid => "fluid",
            Self::LiquityHold => "liquity-hold",
            Self::LiquityHalf => "liquity-half",
            Self::Crvusd => "crvusd",
            Self::Careful => "careful",
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
            Self::Sky => "Sky (price of an hour ago)",
            Self::Kamino => "Kamino (10%, bonus by LTV)",
            Self::Aave => "Aave (50/100%, 5% bonus)",
            Self::Euler => "Euler (reverse Dutch)",
            Self::Fluid => "Fluid, Jupiter (ticks, 1%)",
            Self::LiquityHold => "Liquity, depositors hold",
            Self::LiquityHalf => "Liquity, half of them sell",
            Self::Crvusd => "crvUSD (soft liquidation)",
            Self::Careful => "Careful keepers",
            Self::Breakwater => "Breakwater",
        }
    }

    /// Ready for a market, with capital of the protocol behind it.
    ///
    /// # Errors
    /// Refusals by the engine that should not occur.
    pub fn ready(self, lending: &mut Lending, capital: Quote, clock: Clock) -> Result<Box<dyn Mechanism>> {
        Ok(match self {
            Self::None => Box::new(none::Nothing::new(capital)),
            Self::Dump => Box::new(dump::Dump::half(capital)),
            Self::Full => Box::new(dump::Dump::full(capital)),
            Self::Absorb => Box::new(absorb::Absorb::new(capital)),
            Self::Dutch => Box::new(dutch::Dutch::new(capital)),
            Self::Sky => Box::new(dutch::Dutch::delayed(capital)),
            Self::Kamino => Box::new(keepers::Keepers::new(kamino::Kamino, capital)),
            Self::Aave => Box::new(keepers::Keepers::new(aave::Aave, capital)),
            Self::Euler => Box::new(keepers::Keepers::new(euler::Euler, capital)),
            Self::Fluid => Box::new(fluid::Fluid::new(capital)),
            Self::LiquityHold => Box::new(liquity::Liquity::hold(capital)),
            Self::LiquityHalf => Box::new(liquity::Liquity::half(capital)),
            Self::Crvusd => Box::new(crvusd::Crvusd::new(lending, capital)),
            Self::Careful => Box::new(keepers::Keepers::new(careful::Careful, capital)),
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

/// Whole tokens of collateral.
fn tokens(amount: Collateral) -> f64 {
    amount.0 as f64 / COLLATERAL_UNIT
}

/// Whole quote tokens.
fn whole(amount: Quote) -> f64 {
    amount.0 as f64 / QUOTE_UNIT
}

/// A price in quote tokens per collateral token.
pub fn per_token(price: Price) -> f64 {
    price.raw() as f64 / 2f64.powi(64) * COLLATERAL_UNIT / QUOTE_UNIT
}

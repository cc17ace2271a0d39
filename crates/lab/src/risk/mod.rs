//! An experiment: the same crash with and without the stress cover, with the same borrowers asking for the same loans,
//! on the engine alone. It writes `docs/reports/risk-experiment.md`, which shows what `stress_*` do.
//!
//! - [`demand`]: who asks for which loan, and what they do when it is refused.
//! - [`paths`]: the day on which they borrow, and the crashes after it.
//! - [`run`]: a day and its crashes through one market, and what they cost.
//! - [`variants`]: the markets that are compared.
//! - [`table`], [`document`]: the figures, and the page.

use breakwater_engine::{Config, Result};

use crate::{
    guards::on_every_processor,
    scenario::{Scenario, ScenarioError},
};
use demand::Shape;
use paths::{Crash, Day};
use run::{Loans, Losses, Town};
use variants::Variant;

pub mod demand;
pub mod document;
pub mod paths;
pub mod run;
pub mod table;
pub mod variants;

/// Who borrows, and on what kind of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Case {
    /// For tables.
    pub name: &'static str,
    /// Who borrows.
    pub shape: Shape,
    /// True if the price grows restless in the course of the day.
    pub restless: bool,
}

/// All of them.
pub const CASES: [Case; 4] = [
    Case {
        name: "crowded",
        shape: Shape::Crowded,
        restless: false,
    },
    Case {
        name: "spread",
        shape: Shape::Spread,
        restless: false,
    },
    Case {
        name: "crowded, restless",
        shape: Shape::Crowded,
        restless: true,
    },
    Case {
        name: "spread, restless",
        shape: Shape::Spread,
        restless: true,
    },
];

/// Outcome of one case in one market.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// On the day.
    pub loans: Loans,
    /// In each crash.
    pub losses: Vec<Losses>,
}

/// The days and the crashes.
pub struct Experiment {
    /// A calm and a restless day.
    days: [Day; 2],
    /// The crashes; each begins at the end of either day, at the same price.
    pub crashes: Vec<Crash>,
}

impl Experiment {
    /// With every crash; Black Thursday as `scenario` has it.
    ///
    /// # Errors
    /// The errors of the scenario's known prices.
    pub fn new(scenario: &Scenario) -> std::result::Result<Self, ScenarioError> {
        Ok(Self {
            days: [paths::day(false), paths::day(true)],
            crashes: paths::crashes(scenario)?,
        })
    }

    /// One case in a market of these parameters.
    ///
    /// # Errors
    /// Refusals by the engine for other reasons than a loan's margin or a full backstop.
    pub fn outcome(&self, case: &Case, config: &Config) -> Result<Outcome> {
        let day = &self.days[usize::from(case.restless)];
        let (town, loans) = Town::after(day, &demand::borrowers(case.shape, day), config)?;
        let through = |crash: &Crash| town.clone().through(&crash.after(day));
        Ok(Outcome {
            loans,
            losses: self.crashes.iter().map(through).collect::<Result<_>>()?,
        })
    }

    /// Every case in every market, on every processor: a list of cases for each market.
    ///
    /// # Errors
    /// The errors of [`Experiment::outcome`].
    pub fn all(&self, variants: &[Variant]) -> Result<Vec<Vec<Outcome>>> {
        let of = |variant: &Variant| CASES.iter().map(|case| self.outcome(case, &variant.config)).collect();
        on_every_processor(variants, of).into_iter().collect()
    }
}

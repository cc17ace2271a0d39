//! An experiment: what each price guard costs and what it saves, on paths from a wick of ten seconds to a crash of two
//! days, with the engine alone. It writes `docs/reports/guards.md`, which justifies the default of every guard.
//!
//! - [`paths`]: what an oracle prints, beside what the collateral was worth.
//! - [`population`]: who borrows.
//! - [`run`]: one path through one market, and what it cost whom.
//! - [`variants`]: the markets that are compared.
//! - [`table`], [`document`]: the figures, and the page.

use std::thread;

use breakwater_engine::Error;
use thiserror::Error as ThisError;

use crate::scenario::{Scenario, ScenarioError};
use paths::Path;
use population::Population;
use run::Outcome;
use variants::Variant;

pub mod document;
pub mod paths;
pub mod population;
pub mod run;
pub mod table;
pub mod variants;
pub(crate) mod writer;

/// Why the experiment could not be made.
#[derive(Debug, PartialEq, ThisError)]
pub enum GuardsError {
    /// The scenario has no path.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// The engine refused something that should have worked.
    #[error("the engine refused: {0:?}")]
    Engine(Error),
}

impl From<Error> for GuardsError {
    fn from(error: Error) -> Self {
        Self::Engine(error)
    }
}

/// Every path, and the people in front of it.
pub struct Experiment {
    /// The paths.
    pub paths: Vec<Path>,
    populations: Vec<Population>,
}

impl Experiment {
    /// All paths; Black Thursday as `scenario` has it.
    pub fn new(scenario: &Scenario) -> Result<Self, GuardsError> {
        Self::on(paths::all(scenario)?)
    }

    /// On these paths.
    pub fn on(paths: Vec<Path>) -> Result<Self, GuardsError> {
        let populations = paths
            .iter()
            .filter_map(|path| path.prints.first())
            .map(Population::before)
            .collect::<Result<_, _>>()?;
        Ok(Self { paths, populations })
    }

    /// Outcomes of a market on every path, in their order.
    pub fn outcomes(&self, variant: &Variant) -> Result<Vec<Outcome>, GuardsError> {
        let mut outcomes = Vec::with_capacity(self.paths.len());
        for (path, population) in self.paths.iter().zip(&self.populations) {
            let population = population.clone().under(&variant.config)?;
            outcomes.push(run::run(path, population, variant.policy)?.0);
        }
        Ok(outcomes)
    }

    /// The same for many markets, on every processor.
    pub fn all(&self, variants: &[Variant]) -> Result<Vec<Vec<Outcome>>, GuardsError> {
        on_every_processor(variants, |variant| self.outcomes(variant))
            .into_iter()
            .collect()
    }
}

/// Results of `work` for every item, in their order.
pub(crate) fn on_every_processor<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let share = items.len().div_ceil(workers).max(1);
    let work = &work;
    thread::scope(|scope| {
        let parts: Vec<_> = items
            .chunks(share)
            .map(|part| scope.spawn(move || part.iter().map(work).collect::<Vec<_>>()))
            .collect();
        parts
            .into_iter()
            // A worker panics only where this thread would have.
            .flat_map(|part| part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

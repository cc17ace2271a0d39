//! `summary.json`: a list of runs. Money is a fraction of all debt at the start.

use serde::Serialize;

use crate::cascade::{
    Outcome,
    cell::Cell,
    study::{Plan, Study},
};

/// One run.
#[derive(Clone, Debug, Serialize)]
pub struct Entry<'a> {
    /// Name of the scenario.
    pub path: &'a str,
    /// Name of the market.
    pub of: &'a str,
    /// The settings that distinguish it from other runs.
    #[serde(flatten)]
    pub cell: Cell,
    /// Debt liquidated ÷ the same without feedback; `null` where that was not run.
    pub multiplier: Option<f64>,
    /// Debt liquidated beyond the same without feedback; `null` where that was not run.
    pub extra: Option<f64>,
    /// Everything else.
    pub outcome: &'a Outcome,
}

/// Every run of a study.
pub fn summary<'a>(plan: &'a Plan, study: &'a Study) -> Vec<Entry<'a>> {
    let entry = |(cell, outcome): &'a (Cell, Outcome)| Entry {
        path: &plan.ground.scenarios[cell.scenario].name,
        of: &plan.ground.markets[cell.market].0,
        cell: *cell,
        multiplier: study.results.multiplier(cell),
        extra: study.results.extra(cell),
        outcome,
    };
    study.results.list.iter().map(entry).collect()
}

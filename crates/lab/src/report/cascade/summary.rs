//! `summary.json`: a list of runs. Money is a fraction of all debt at the start.

use serde::Serialize;

use crate::cascade::study::{Run, Study};

/// One run.
#[derive(Clone, Debug, Serialize)]
pub struct Entry<'a> {
    /// Name of the scenario.
    pub scenario: &'a str,
    /// The mechanism.
    pub mechanism: &'static str,
    /// The fraction of all debt whose sale moves a calm price by 1%.
    pub depth: f64,
    /// Seed.
    pub seed: u64,
    /// Debt liquidated ÷ the same without feedback.
    pub multiplier: f64,
    /// Most debt made due by sales ÷ value sold, in ten minutes.
    pub max_reproduction: f64,
    /// Furthest fall of the price below the exogenous one, as a fraction of it.
    pub endogenous_drawdown: f64,
    /// Smallest fall, on a path of this shape and at this depth, that leaves damage above 1%; `null`: none up to 95%.
    pub critical_shock: Option<f64>,
    /// What debts exceeded their collateral by.
    pub bad_debt: f64,
    /// What neither collateral nor the protocol's capital pays.
    pub supplier_loss: f64,
    /// Liquidated beyond what the exogenous price asked for.
    pub over_liquidation: f64,
    /// What owners lost by liquidations, collateral at the exogenous price.
    pub borrower_loss: f64,
    /// Most sold in ten minutes, in units of what moves a calm price by 1%.
    pub peak_flow: f64,
    /// The protocol's capital at its lowest.
    pub backstop_worst_equity: f64,
    /// And at the end.
    pub backstop_final_equity: f64,
    /// Hours from the first to the last moment with something to sell.
    pub unwind_hours: f64,
}

/// Every run of a study.
pub fn summary(study: &Study) -> Vec<Entry<'_>> {
    study.runs.iter().map(entry).collect()
}

fn entry(run: &Run) -> Entry<'_> {
    let Run {
        multiplier,
        critical_shock,
        outcome,
    } = run;
    Entry {
        scenario: &outcome.scenario,
        mechanism: outcome.mechanism.name(),
        depth: outcome.depth,
        seed: outcome.seed,
        multiplier: *multiplier,
        max_reproduction: outcome.max_reproduction,
        endogenous_drawdown: outcome.endogenous_drawdown,
        critical_shock: *critical_shock,
        bad_debt: outcome.bad_debt,
        supplier_loss: outcome.supplier_loss,
        over_liquidation: outcome.over_liquidation,
        borrower_loss: outcome.borrower_loss,
        peak_flow: outcome.peak_flow,
        backstop_worst_equity: outcome.worst_equity,
        backstop_final_equity: outcome.final_equity,
        unwind_hours: outcome.unwind_hours,
    }
}

//! Figures of a run. Money is a fraction of all debt at the start.

use serde::Serialize;

use super::{
    Kind, Path, Setup,
    least::{Ending, Start},
    metrics::{Metrics, Sample},
    setup::{DEBT, QUOTE_UNIT},
};

/// A trip of the breaker was false if an hour later the exogenous price is within this of what it was a minute before.
const BACK: f64 = 0.02;
const SECONDS_PER_HOUR: u32 = 3_600;
const SECONDS_PER_MINUTE: u32 = 60;

/// The figures of one run.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// Name of the scenario.
    pub scenario: String,
    /// The mechanism.
    pub mechanism: Kind,
    /// The fraction of all debt whose sale moves the price by 1%.
    pub depth: f64,
    /// Seed of path and people.
    pub seed: u64,
    /// True if sales move the price.
    pub feedback: bool,
    /// Debt liquidated.
    pub liquidated: f64,
    /// Number of liquidations.
    pub liquidations: u64,
    /// Furthest that the price fell below the first one, news and sales together.
    pub total_fall: f64,
    /// The least that had to be liquidated on the exogenous path.
    pub least_needed: f64,
    /// Furthest that the price was below the exogenous one, as a fraction of it.
    pub endogenous_drawdown: f64,
    /// Debts above their collateral, of accounts as they were taken over and of those left at the end.
    pub bad_debt: f64,
    /// Loss that neither collateral nor the protocol's capital pays.
    pub supplier_loss: f64,
    /// Liquidated beyond the least that brings accounts within their limit at the exogenous price.
    pub over_liquidation: f64,
    /// Loss of the owners by liquidation, collateral at the exogenous price.
    pub borrower_loss: f64,
    /// Wealth of the owners at the end, collateral at the exogenous price and savings included.
    pub owners_wealth: f64,
    /// That, less what they would have if nobody had been liquidated.
    pub owners_gain: f64,
    /// Loss of the protocol and its suppliers together.
    pub loss: f64,
    /// Debt above collateral that a fall by the stress fall would have left at the start.
    pub under_water: f64,
    /// Debt taken by partial liquidations while the stress cover was negative.
    pub uncovered: f64,
    /// Debt of accounts that were taken over whole at the take-over LTV.
    pub taken_over: f64,
    /// Bounties of keepers.
    pub bounties: f64,
    /// Gain of informed owners from liquidating themselves.
    pub informed_gain: f64,
    /// Debt that they took off their own accounts by it.
    pub by_informed: f64,
    /// Growth of debts by interest.
    pub growth: f64,
    /// Most sold in ten minutes, in units of what moves a calm market by 1%.
    pub peak_flow: f64,
    /// Most that the protocol held at market price.
    pub peak_inventory: f64,
    /// The protocol's capital at its lowest, at the oracle's price.
    pub worst_equity: f64,
    /// And at the end.
    pub final_equity: f64,
    /// Profit of the protocol.
    pub profit: f64,
    /// Hours from the first to the last moment with something to sell.
    pub unwind_hours: f64,
    /// Collateral left to sell at the end.
    pub left_over: f64,
    /// Part of the time Guarded.
    pub guarded_time: f64,
    /// Part of the time Halted.
    pub halted_time: f64,
    /// How often the breaker left Normal.
    pub trips: usize,
    /// How often it did so for nothing.
    pub false_trips: usize,
    /// Most debt that was due and not served.
    pub unserved: f64,
    /// For the plots.
    #[serde(skip)]
    pub samples: Vec<Sample>,
}

impl Outcome {
    /// From the counts, the start and the ending.
    pub fn of(setup: &Setup, path: &Path, kind: Kind, metrics: &Metrics, start: &Start, ending: &Ending) -> Self {
        let atoms = DEBT * QUOTE_UNIT;
        let part = |value: f64| value / atoms;
        let capital = part(metrics.equity as f64);
        let left = part(ending.pending as f64);
        let seconds = metrics.seconds_at.iter().sum::<u64>().max(1) as f64;
        let (guarded, halted) = (metrics.seconds_at[1] as f64, metrics.seconds_at[2] as f64);
        let false_trips = metrics.trips.iter().filter(|step| was_false(path, **step)).count();
        Self {
            scenario: setup.name.clone(),
            mechanism: kind,
            depth: setup.impact.depth,
            seed: setup.seed,
            feedback: !setup.impact.off,
            liquidated: part(metrics.liquidated as f64),
            liquidations: metrics.liquidations,
            total_fall: metrics.total_fall,
            least_needed: part(start.least),
            endogenous_drawdown: metrics.drawdown,
            bad_debt: part(metrics.bad_debt as f64) + left,
            supplier_loss: (left - capital).max(0.0) + part(metrics.written_off as f64),
            over_liquidation: part(metrics.over),
            borrower_loss: part(metrics.borrower_loss),
            owners_wealth: part(ending.wealth),
            owners_gain: part(ending.wealth - ending.untouched),
            loss: (setup.protocol.equity - capital).max(0.0) + left + part(metrics.written_off as f64),
            under_water: part(start.under_water),
            uncovered: part(metrics.uncovered as f64),
            taken_over: part(metrics.taken_over as f64),
            bounties: part(metrics.bounties as f64),
            informed_gain: part(metrics.informed),
            by_informed: part(metrics.by_informed as f64),
            growth: ending.growth,
            peak_flow: metrics.peak_flow,
            peak_inventory: metrics.peak_inventory,
            worst_equity: part(metrics.worst_equity.unwrap_or(metrics.equity) as f64),
            final_equity: capital,
            profit: capital - setup.protocol.equity,
            unwind_hours: metrics
                .held
                .map_or(0.0, |(from, to)| (to - from) as f64 / f64::from(SECONDS_PER_HOUR)),
            left_over: metrics.samples.last().map_or(0.0, |sample| sample.inventory),
            guarded_time: guarded / seconds,
            halted_time: halted / seconds,
            trips: metrics.trips.len(),
            false_trips,
            unserved: metrics.unserved,
            samples: metrics.samples.clone(),
        }
    }
}

fn was_false(path: &Path, step: usize) -> bool {
    let steps = |seconds: u32| (seconds / path.step_seconds) as usize;
    let before = path.prices[step.saturating_sub(steps(SECONDS_PER_MINUTE))];
    let later = (step + steps(SECONDS_PER_HOUR)).min(path.prices.len() - 1);
    (path.prices[later] / before - 1.0).abs() <= BACK
}

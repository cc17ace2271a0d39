//! The figures of many seeds in one line.

use crate::cascade::{
    Kind, Outcome,
    cell::{Cell, Part, median, worst},
    search,
    study::{Plan, Study},
};

/// One run, against the same without feedback.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// Which.
    pub cell: Cell,
    /// Its outcome.
    pub outcome: &'a Outcome,
    /// Liquidated ÷ the same without feedback; not a number where that was not run.
    pub multiplier: f64,
    /// Liquidated beyond the same without feedback.
    pub extra: f64,
}

/// Runs that differ in their seeds only.
#[derive(Clone, Debug)]
pub struct Line<'a> {
    /// Number of the scenario.
    pub scenario: usize,
    /// The mechanism.
    pub mechanism: Kind,
    /// The depth.
    pub depth: Part,
    /// The runs.
    pub runs: Vec<Run<'a>>,
}

/// A figure of a run.
pub type Figure = fn(&Run<'_>) -> f64;

/// The runs of some cells that were made.
pub fn line(study: &Study, cells: impl IntoIterator<Item = Cell>) -> Vec<Run<'_>> {
    let run = |cell: Cell| {
        Some(Run {
            cell,
            outcome: study.results.get(&cell)?,
            multiplier: study.results.multiplier(&cell).unwrap_or(f64::NAN),
            extra: study.results.extra(&cell).unwrap_or(f64::NAN),
        })
    };
    cells.into_iter().filter_map(run).collect()
}

/// Every combination of scenario, mechanism and depth of the comparison, in that order.
pub fn lines<'a>(plan: &Plan, study: &'a Study) -> Vec<Line<'a>> {
    let mut lines: Vec<Line<'a>> = Vec::new();
    for run in line(study, plan.compared()) {
        let Cell {
            scenario,
            mechanism,
            depth,
            ..
        } = run.cell;
        let same = |line: &&mut Line<'_>| (line.scenario, line.mechanism, line.depth) == (scenario, mechanism, depth);
        match lines.iter_mut().find(same) {
            Some(line) => line.runs.push(run),
            None => lines.push(Line {
                scenario,
                mechanism,
                depth,
                runs: vec![run],
            }),
        }
    }
    lines
}

/// The middle of a figure over some runs.
pub fn middle(runs: &[Run<'_>], figure: Figure) -> f64 {
    median(runs.iter().map(figure))
}

/// The largest.
pub fn largest(runs: &[Run<'_>], figure: Figure) -> f64 {
    worst(runs.iter().map(figure))
}

impl<'a> Line<'a> {
    /// The middle of a figure over the seeds.
    pub fn median(&self, figure: Figure) -> f64 {
        middle(&self.runs, figure)
    }

    /// The largest.
    pub fn worst(&self, figure: Figure) -> f64 {
        largest(&self.runs, figure)
    }

    /// The run that is plotted: the first seed's.
    pub fn first(&self) -> Option<&Run<'a>> {
        self.runs.first()
    }
}

/// Furthest fall of the price.
pub fn total_fall(run: &Run<'_>) -> f64 {
    run.outcome.total_fall
}
/// Furthest that sales pushed it.
pub fn drawdown(run: &Run<'_>) -> f64 {
    run.outcome.endogenous_drawdown
}
/// Liquidated ÷ the same without feedback.
pub fn multiplier(run: &Run<'_>) -> f64 {
    run.multiplier
}
/// Liquidated beyond the same without feedback.
pub fn extra(run: &Run<'_>) -> f64 {
    run.extra
}
/// Debt liquidated.
pub fn liquidated(run: &Run<'_>) -> f64 {
    run.outcome.liquidated
}
/// Liquidated ÷ the least that had to be.
pub fn over_least(run: &Run<'_>) -> f64 {
    run.outcome.liquidated / run.outcome.least_needed
}
/// Bad debt.
pub fn bad_debt(run: &Run<'_>) -> f64 {
    run.outcome.bad_debt
}
/// Suppliers' loss.
pub fn suppliers(run: &Run<'_>) -> f64 {
    run.outcome.supplier_loss
}
/// Loss of the owners by liquidations.
pub fn borrowers(run: &Run<'_>) -> f64 {
    run.outcome.borrower_loss
}
/// Wealth of the owners at the end, against nobody having been liquidated.
pub fn owners(run: &Run<'_>) -> f64 {
    run.outcome.owners_gain
}
/// Loss of the protocol and its suppliers.
pub fn loss(run: &Run<'_>) -> f64 {
    run.outcome.loss
}
/// That, as a part of B(S).
pub fn loss_over_under_water(run: &Run<'_>) -> f64 {
    run.outcome.loss / run.outcome.under_water
}
/// Most debt that was due and not served.
pub fn unserved(run: &Run<'_>) -> f64 {
    run.outcome.unserved
}
/// Collateral left to sell at the end.
pub fn left(run: &Run<'_>) -> f64 {
    run.outcome.left_over
}
/// Bad debt or suppliers' loss, whichever is larger.
pub fn damage(run: &Run<'_>) -> f64 {
    search::damage(run.outcome)
}

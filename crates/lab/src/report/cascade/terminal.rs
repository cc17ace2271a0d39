//! The result for the terminal.

use std::fmt::Write;

use super::figures::{Line, lines};
use crate::{
    cascade::study::{Run, Study},
    report::format::percent,
};

/// Every mechanism at the first depth, scenario by scenario; medians over the seeds.
pub fn table(study: &Study) -> String {
    let mut out = String::new();
    let all = lines(study);
    let depth = all.first().map_or(0.0, |line| line.depth);
    for setup in &study.setups {
        let own = all
            .iter()
            .filter(|line| line.scenario == setup.name && (line.depth - depth).abs() < f64::EPSILON);
        let own: Vec<&Line<'_>> = own.collect();
        let seeds = own.first().map_or(0, |line| line.seeds());
        // Writing to a string cannot fail.
        let _ = writeln!(
            out,
            "\n{}: {}\n1% of impact per {} of debt sold; medians of {seeds} seeds; percentages are of all debt.\n\n  {:<22}{}",
            setup.name,
            setup.about,
            percent(depth, 2),
            "",
            HEADS.map(|head| format!("{head:>11}")).concat(),
        );
        for line in own {
            let cells = cells(line).map(|cell| format!("{cell:>11}")).concat();
            let _ = writeln!(out, "  {:<22}{cells}", line.mechanism.title());
        }
    }
    out
}

const HEADS: [&str; 9] = [
    "multiplier",
    "max R",
    "drawdown",
    "bad debt",
    "suppliers",
    "borrowers",
    "peak flow",
    "equity end",
    "critical",
];

fn cells(line: &Line<'_>) -> [String; 9] {
    let part = |figure: fn(&Run) -> f64| percent(line.median(figure), 1);
    [
        format!("{:.2}", line.median(|run| run.multiplier)),
        format!("{:.2}", line.median(|run| run.outcome.max_reproduction)),
        part(|run| run.outcome.endogenous_drawdown),
        part(|run| run.outcome.bad_debt),
        part(|run| run.outcome.supplier_loss),
        part(|run| run.outcome.borrower_loss),
        format!("{:.1}", line.median(|run| run.outcome.peak_flow)),
        part(|run| run.outcome.final_equity),
        line.critical_shock()
            .map_or_else(|| "none".to_owned(), |shock| percent(-shock, 0)),
    ]
}

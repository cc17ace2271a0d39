//! The result for the terminal.

use std::fmt::Write;

use super::figures::{
    Line, bad_debt, borrowers, drawdown, extra, lines, liquidated, loss, multiplier, suppliers, total_fall,
};
use crate::{
    cascade::{
        goals::Goals,
        study::{Plan, STRESS, Study},
    },
    report::format::percent,
};

/// Every mechanism at the first depth, scenario by scenario; medians over the seeds.
pub fn table(plan: &Plan, study: &Study) -> String {
    let mut out = String::new();
    let all = lines(plan, study);
    let depth = all.first().map_or(STRESS, |line| line.depth);
    for (scenario, setup) in plan.ground.scenarios.iter().enumerate() {
        let own = all
            .iter()
            .filter(|line| line.scenario == scenario && line.depth == depth);
        let own: Vec<&Line<'_>> = own.collect();
        let seeds = own.first().map_or(0, |line| line.runs.len());
        // Writing to a string cannot fail.
        let _ = writeln!(
            out,
            "\n{}: {}\n1% of impact per {} of debt sold; medians of {seeds} seeds; percentages are of all debt.\n\n  {:<28}{}",
            setup.name,
            setup.about,
            percent(depth.value(), 2),
            "",
            HEADS.map(|head| format!("{head:>12}")).concat(),
        );
        for line in own {
            let cells = cells(line).map(|cell| format!("{cell:>12}")).concat();
            let _ = writeln!(out, "  {:<28}{cells}", line.mechanism.title());
        }
    }
    out
}

const HEADS: [&str; 9] = [
    "total fall",
    "by sales",
    "multiplier",
    "extra",
    "liquidated",
    "bad debt",
    "suppliers",
    "borrowers",
    "loss",
];

fn cells(line: &Line<'_>) -> [String; 9] {
    let part = |figure| percent(line.median(figure), 1);
    [
        part(total_fall),
        part(drawdown),
        format!("{:.2}", line.median(multiplier)),
        part(extra),
        part(liquidated),
        part(bad_debt),
        part(suppliers),
        part(borrowers),
        part(loss),
    ]
}

/// The goals, a line each.
pub fn goals(goals: &Goals) -> String {
    let mut out = String::new();
    for (name, goal) in goals {
        let verdict = if goal.ok { "held  " } else { "MISSED" };
        let worst = goal.worst.as_ref().map_or_else(String::new, |worst| {
            let seed = worst.seed.map_or_else(String::new, |seed| format!(", seed {seed}"));
            let capital = worst
                .capital
                .map_or_else(String::new, |capital| format!(", capital {}", percent(capital, 1)));
            format!("{}{seed}{capital}", worst.path)
        });
        let _ = writeln!(
            out,
            "  {verdict}  {name:<52}{:>9.4}  at most {:>7.4}  of {:>5} runs  {worst}",
            goal.value, goal.limit, goal.runs
        );
    }
    out
}

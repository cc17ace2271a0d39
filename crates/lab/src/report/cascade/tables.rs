//! Tables of the page.

use std::fmt::Write;

use super::figures::Line;
use crate::{
    cascade::{
        contagion::Backing,
        study::{Run, Study},
        sweep::{Tried, sweeps as all_sweeps},
    },
    report::{format::percent, page::escape},
};

/// Heads and rows; the first cell of a row is its name.
#[derive(Clone, Debug, Default)]
pub struct Table {
    heads: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

/// A section with a table; nothing if it has no rows.
pub fn section(title: &str, note: &str, table: &Table) -> String {
    if table.rows.is_empty() {
        return String::new();
    }
    let mut out =
        format!("<section>\n<h2>{title}</h2>\n<p class=\"note\">{note}</p>\n<div class=\"wide\"><table>\n<tr>");
    // Writing to a string cannot fail.
    for head in &table.heads {
        let _ = write!(out, "<th class=\"number\">{head}</th>");
    }
    out += "</tr>\n";
    for row in &table.rows {
        out += "<tr>";
        for (place, cell) in row.iter().enumerate() {
            let _ = if place == 0 {
                write!(out, "<th>{cell}</th>")
            } else {
                write!(out, "<td class=\"number\">{cell}</td>")
            };
        }
        out += "</tr>\n";
    }
    out + "</table></div>\n</section>\n"
}

fn part(value: f64) -> String {
    percent(value, 1)
}

fn ratio(value: f64) -> String {
    format!("{value:.2}")
}

/// Every figure of every mechanism at every depth.
pub fn figures(_study: &Study, own: &[&Line<'_>]) -> Table {
    let heads = vec![
        "",
        "depth",
        "multiplier",
        "max R",
        "drawdown",
        "critical",
        "bad debt",
        "tail",
        "suppliers",
        "over-liquidated",
        "borrowers lose",
        "peak flow",
        "peak inventory",
        "worst equity",
        "profit",
        "unwind h",
        "left",
        "Guarded",
        "Halted",
        "trips (false)",
        "unserved",
    ];
    let row = |line: &&Line<'_>| {
        let median = |figure: fn(&Run) -> f64| part(line.median(figure));
        let trips = line.median(|run| run.outcome.trips as f64);
        let false_trips = line.median(|run| run.outcome.false_trips as f64);
        vec![
            line.mechanism.title().to_owned(),
            percent(line.depth, 2),
            ratio(line.median(|run| run.multiplier)),
            ratio(line.median(|run| run.outcome.max_reproduction)),
            median(|run| run.outcome.endogenous_drawdown),
            line.critical_shock()
                .map_or_else(|| "none".to_owned(), |shock| percent(-shock, 0)),
            median(|run| run.outcome.bad_debt),
            part(line.quantile(0.95, |run| run.outcome.bad_debt)),
            median(|run| run.outcome.supplier_loss),
            median(|run| run.outcome.over_liquidation),
            median(|run| run.outcome.borrower_loss),
            format!("{:.1}", line.median(|run| run.outcome.peak_flow)),
            median(|run| run.outcome.peak_inventory),
            median(|run| run.outcome.worst_equity),
            median(|run| run.outcome.profit),
            format!("{:.1}", line.median(|run| run.outcome.unwind_hours)),
            median(|run| run.outcome.left_over),
            median(|run| run.outcome.guarded_time),
            median(|run| run.outcome.halted_time),
            format!("{trips:.0} ({false_trips:.0})"),
            median(|run| run.outcome.unserved),
        ]
    };
    Table {
        heads,
        rows: own.iter().map(row).collect(),
    }
}

/// Capital needed.
pub fn capital(study: &Study) -> Table {
    let row = |capital: &crate::cascade::study::Capital| {
        let needed = capital.needed.map_or_else(|| "over 100%".to_owned(), part);
        vec![escape(&capital.scenario), capital.mechanism.title().to_owned(), needed]
    };
    Table {
        heads: vec!["", "mechanism", "capital"],
        rows: study.capital.iter().map(row).collect(),
    }
}

/// Contagion.
pub fn contagion(study: &Study) -> Table {
    let heads = vec![
        "",
        "mechanism",
        "backing",
        "alone",
        "beside",
        "more by",
        "loss alone",
        "loss beside",
        "drawdown",
    ];
    let row = |one: &crate::cascade::contagion::Contagion| {
        let backing = match one.backing {
            Backing::Isolated => "isolated",
            Backing::Shared => "shared",
        };
        vec![
            escape(&one.scenario),
            one.mechanism.title().to_owned(),
            backing.to_owned(),
            part(one.alone),
            part(one.beside),
            if one.alone > 0.0 {
                part(one.beside / one.alone - 1.0)
            } else {
                "—".to_owned()
            },
            part(one.loss_alone),
            part(one.loss_beside),
            part(one.endogenous_drawdown),
        ]
    };
    Table {
        heads,
        rows: study.contagion.iter().map(row).collect(),
    }
}

/// Sweeps: the worst over the scenarios.
pub fn sweeps(study: &Study) -> Table {
    let heads = vec![
        "parameter",
        "value",
        "multiplier",
        "drawdown",
        "worst equity",
        "profit",
        "suppliers",
        "bad debt",
        "unserved",
    ];
    let mut rows = Vec::new();
    for sweep in all_sweeps() {
        for value in sweep.values {
            let same =
                |tried: &&Tried| tried.parameter == sweep.parameter && (tried.value - value).abs() < f64::EPSILON;
            let tried: Vec<&Tried> = study.tried.iter().filter(same).collect();
            let Some(first) = tried.first() else {
                continue;
            };
            let most =
                |figure: fn(&Tried) -> f64| tried.iter().map(|one| figure(one)).fold(f64::NEG_INFINITY, f64::max);
            let least = |figure: fn(&Tried) -> f64| tried.iter().map(|one| figure(one)).fold(f64::INFINITY, f64::min);
            let shown = if first.is_default {
                format!("<b>{value}</b>")
            } else {
                value.to_string()
            };
            rows.push(vec![
                format!("{}: {}", sweep.parameter, sweep.about),
                shown,
                ratio(most(|one| one.multiplier)),
                part(most(|one| one.endogenous_drawdown)),
                part(least(|one| one.worst_equity)),
                part(least(|one| one.profit)),
                part(most(|one| one.supplier_loss)),
                part(most(|one| one.bad_debt)),
                part(most(|one| one.unserved)),
            ]);
        }
    }
    Table { heads, rows }
}

//! The page around the plots.

use std::fmt::Write;

use plotters::style::RGBColor;

use super::{
    figures::{Line, lines},
    plots, tables,
};
use crate::{
    cascade::{
        Kind,
        setup::Setup,
        study::{Run, Study},
    },
    report::{
        ReportError,
        format::percent,
        page::{document, escape, figure},
    },
};

const LEAD: &str = "Six ways to deal with accounts above their limit, on the same price path, with the same accounts, the same \
                    capital of the protocol, selling into the same market: what is sold moves the price, and the price \
                    decides who is liquidated next. Breakwater is the engine of the program itself. Money is in percent of \
                    all debt at the start; figures are medians over the seeds, plots are of the first.";

/// The whole page.
pub fn page(study: &Study) -> Result<String, ReportError> {
    let all = lines(study);
    let title = "The cascade laboratory";
    let mut body = format!("<h1>{title}</h1>\n<p class=\"lead\">{LEAD}</p>\n");
    for setup in &study.setups {
        body += &scenario(study, &all, setup)?;
    }
    body += &tables::section("Capital that suppliers need", CAPITAL, &tables::capital(study));
    body += &tables::section("Contagion", CONTAGION, &tables::contagion(study));
    body += &tables::section(
        "Sweeps: Breakwater, one parameter at a time",
        SWEEPS,
        &tables::sweeps(study),
    );
    let setups = serde_json::to_string_pretty(&study.setups).unwrap_or_default();
    let _ = write!(
        body,
        "<section>\n<h2>Parameters</h2>\n<p class=\"note\">A run is reproducible from these and its seed.</p>\n\
         <details><summary>show</summary><pre>{}</pre></details>\n</section>\n",
        escape(&setups)
    );
    Ok(document(title, &body))
}

const CAPITAL: &str =
    "The least capital of the protocol with which suppliers lose nothing, at the scenario's depth, first seed.";
const CONTAGION: &str = "Two markets whose buyers share their capital; the first falls as the scenario says, the second half as \
                         far at the same time. Liquidated in the second, while the first stands still and while it falls.";
const SWEEPS: &str = "Each line is one value of one parameter, everything else at its default (bold), first seed. Worst over the \
                      scenarios.";

fn scenario(study: &Study, all: &[Line<'_>], setup: &Setup) -> Result<String, ReportError> {
    let own: Vec<&Line<'_>> = all.iter().filter(|line| line.scenario == setup.name).collect();
    let depth = own.first().map_or(0.0, |line| line.depth);
    let at_first: Vec<&Line<'_>> = own
        .iter()
        .copied()
        .filter(|line| (line.depth - depth).abs() < f64::EPSILON)
        .collect();
    let kinds: Vec<Kind> = at_first.iter().map(|line| line.mechanism).collect();
    let names: Vec<(&str, RGBColor)> = kinds.iter().map(|kind| (kind.title(), plots::colour(*kind))).collect();
    let with_fair: Vec<(&str, RGBColor)> = names
        .iter()
        .copied()
        .chain([("exogenous price", plots::FAIR)])
        .collect();
    let name = escape(&setup.name);
    let mut out = format!("<h1>{name}</h1>\n<p class=\"lead\">{}</p>\n", escape(&setup.about));
    let note = format!("1% of impact per {} of all debt sold.", percent(depth, 2));
    out += &figure("Price", &note, &with_fair, &plots::price(&at_first)?);
    out += &figure(
        "Debt liquidated",
        "Percent of all debt.",
        &names,
        &plots::over_time(&at_first, "of all debt", |s| s.liquidated)?,
    );
    out += &figure(
        "Taken and not yet sold",
        "At market price, percent of all debt.",
        &names,
        &plots::over_time(&at_first, "of all debt", |s| s.inventory)?,
    );
    out += &figure(
        "The protocol's capital",
        "With what it holds at the oracle's price; where keepers liquidate it is untouched until the end.",
        &names,
        &plots::over_time(&at_first, "of all debt", |s| s.equity)?,
    );
    for (title, note, value) in BY_DEPTH {
        out += &figure(title, note, &names, &plots::bars(&by_depth(&own, value), "")?);
    }
    out += &tables::section(&format!("{name}: all figures"), ALL, &tables::figures(study, &own));
    Ok(out)
}

const ALL: &str = "Medians over the seeds. <i>Tail</i>: the 95% quantile of bad debt over the seeds. <i>Max R</i>: debt that falls \
                   due because of what was sold, per unit sold, at its highest in ten minutes. <i>Peak flow</i>: most sold in ten \
                   minutes, in units of what moves a calm price by 1%. <i>Critical</i>: the smallest fall of this shape that leaves \
                   damage above 1% of debt.";

/// A figure of a line.
type Figure = fn(&Line<'_>) -> f64;

const BY_DEPTH: [(&str, &str, Figure); 3] = [
    (
        "Furthest below the exogenous price, by depth",
        "The depth stands over each group: percent of all debt whose sale moves the price by 1%.",
        |line| line.median(|run: &Run| run.outcome.endogenous_drawdown),
    ),
    (
        "Bad debt and suppliers' loss, by depth",
        "Whichever is larger.",
        |line| line.median(|run: &Run| crate::cascade::search::damage(&run.outcome)),
    ),
    (
        "Critical shock, by depth",
        "No bar: even 95% does no damage above 1% of debt.",
        |line| line.critical_shock().unwrap_or(0.0),
    ),
];

fn by_depth(own: &[&Line<'_>], value: Figure) -> Vec<(String, Vec<(Kind, f64)>)> {
    let mut groups: Vec<(f64, Vec<(Kind, f64)>)> = Vec::new();
    for line in own {
        let bar = (line.mechanism, value(line));
        match groups
            .iter_mut()
            .find(|(depth, _)| (depth - line.depth).abs() < f64::EPSILON)
        {
            Some((_, bars)) => bars.push(bar),
            None => groups.push((line.depth, vec![bar])),
        }
    }
    groups
        .into_iter()
        .map(|(depth, bars)| (percent(depth, 2), bars))
        .collect()
}

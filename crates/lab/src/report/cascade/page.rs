//! The page around the plots.

use std::fmt::Write;

use plotters::style::RGBColor;

use super::{
    figures::{Figure, Line, damage, drawdown, lines, total_fall},
    plots, tables,
};
use crate::{
    cascade::{
        Kind,
        goals::Goals,
        setup::Setup,
        study::{Plan, STRESS, Study},
    },
    report::{
        ReportError,
        format::percent,
        page::{document, escape, figure},
    },
};

const LEAD: &str = "Ways to deal with accounts above their limit, on the same price path, with the same accounts,
the same capital of \
                    the protocol, selling into the same market: what is sold moves the price, and the price decides \
                    who is \
                    liquidated next. Breakwater is the engine of the program itself. Money is in percent of all debt \
                    at the \
                    start; figures are medians over the seeds, plots are of the first.";

/// The whole page.
pub fn page(plan: &Plan, study: &Study, goals: &Goals) -> Result<String, ReportError> {
    let all = lines(plan, study);
    let title = "The cascade laboratory";
    let mut body = format!("<h1>{title}</h1>\n<p class=\"lead\">{LEAD}</p>\n");
    if plan.deep {
        body += &tables::goals(goals).html();
        body += &tables::breakwater(plan, study).html();
        body += &tables::listed(plan, study).html();
    }
    for (scenario, setup) in plan.ground.scenarios.iter().enumerate() {
        body += &self::scenario(plan, study, &all, scenario, setup)?;
    }
    if plan.deep {
        for section in [
            tables::worse(plan, study),
            tables::calibration(plan, study),
            tables::ages(plan, study),
            tables::populations(plan, study),
            tables::behaviors(plan, study),
            tables::contagion(study),
            tables::depeg(study),
            tables::searched(plan, study),
            tables::curve(plan, study),
            tables::sweeps(study),
        ] {
            body += &section.html();
        }
    }
    let setups = serde_json::to_string_pretty(&plan.ground.scenarios).unwrap_or_default();
    let _ = write!(
        body,
        "<section>\n<h2>Parameters</h2>\n<p class=\"note\">A run is reproducible from these and its seed.</p>\n{}\
         <details><summary>Scenarios</summary><pre>{}</pre></details>\n</section>\n",
        tables::parameters(plan).html(),
        escape(&setups)
    );
    Ok(document(title, &body))
}

fn scenario(plan: &Plan, study: &Study, all: &[Line<'_>], number: usize, setup: &Setup) -> Result<String, ReportError> {
    let own: Vec<&Line<'_>> = all.iter().filter(|line| line.scenario == number).collect();
    let depth = own.first().map_or(STRESS, |line| line.depth);
    let at_first: Vec<&Line<'_>> = own.iter().copied().filter(|line| line.depth == depth).collect();
    let kinds: Vec<Kind> = at_first.iter().map(|line| line.mechanism).collect();
    let names: Vec<(&str, RGBColor)> = kinds.iter().map(|kind| (kind.title(), plots::color(*kind))).collect();
    let with_fair: Vec<(&str, RGBColor)> = names
        .iter()
        .copied()
        .chain([("exogenous price", plots::FAIR)])
        .collect();
    let name = escape(&setup.name);
    let mut out = format!("<h1>{name}</h1>\n<p class=\"lead\">{}</p>\n", escape(&setup.about));
    let note = format!("1% of impact per {} of all debt sold.", percent(depth.value(), 2));
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
    let _ = write!(
        out,
        "<section>\n<h2>{name}: all figures</h2>\n<p class=\"note\">{ALL}</p>\n{}</section>\n",
        tables::all_figures(&own).html()
    );
    if plan.deep {
        let _ = write!(
            out,
            "<section>\n<h2>{name}: Breakwater, seed by seed</h2>\n<details><summary>show</summary>\n{}</details>\n</section>\n",
            tables::per_seed(plan, study, number).html()
        );
    }
    Ok(out)
}

const ALL: &str = "Medians over the seeds, in brackets the worst. <i>Drawdown</i>: how far own sales pushed the
price. <i>Extra</i>: debt \
                   liquidated beyond the same without feedback. <i>÷ least</i>: by the least that keeps every \
                   account within its limit. \
                   <i>Owners</i>: what they have at the end, against nobody having been liquidated. <i>Loss</i>: of \
                   the protocol and its \
                   suppliers; <i>B(S)</i>: what the stress fall leaves under water at the start. <i>Peak flow</i>: \
                   most sold in ten minutes, \
                   in units of what moves a calm price by 1%.";

const BY_DEPTH: [(&str, &str, Figure); 3] = [
    (
        "Total fall of the price, by depth",
        "The depth stands over each group: percent of all debt whose sale moves the price by 1%.",
        total_fall,
    ),
    ("Fall by own sales, by depth", "Below the exogenous price.", drawdown),
    ("Bad debt and suppliers' loss, by depth", "Whichever is larger.", damage),
];

fn by_depth(own: &[&Line<'_>], value: Figure) -> Vec<(String, Vec<(Kind, f64)>)> {
    let mut groups: Vec<(crate::cascade::cell::Part, Vec<(Kind, f64)>)> = Vec::new();
    for line in own {
        let bar = (line.mechanism, line.median(value));
        match groups.iter_mut().find(|(depth, _)| *depth == line.depth) {
            Some((_, bars)) => bars.push(bar),
            None => groups.push((line.depth, vec![bar])),
        }
    }
    groups
        .into_iter()
        .map(|(depth, bars)| (percent(depth.value(), 2), bars))
        .collect()
}

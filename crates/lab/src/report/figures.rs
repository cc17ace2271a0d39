//! Each plot's title, and how to read it.

use plotters::style::RGBColor;

use super::{
    ReportError,
    format::{percent, short},
    heat,
    page::{escape, share},
    plots,
};
use crate::record::Record;

/// A plot with its heading, its legend and a sentence on how to read it.
pub struct Figure<'a> {
    pub title: &'a str,
    pub note: String,
    pub legend: Vec<(String, RGBColor)>,
    pub svg: String,
}

/// All figures, in the order of the page.
pub fn figures(record: &Record) -> Result<Vec<Figure<'_>>, ReportError> {
    let limits = &record.limits;
    let (base, quote) = (escape(&record.symbols.0), escape(&record.symbols.1));
    Ok(vec![
        Figure {
            title: "Price, and what it was trusted for",
            note: format!(
                "The known prices of the scenario, hit exactly, with a random bridge in between (seed {}). The band below is the \
                 level of the market's breaker, which changed {} times. Normal ({} of the time): everything is allowed. Guarded \
                 ({}): liquidations in steps, no discount on inventory, no new loans. Halted ({}): only what needs no price.",
                record.seed,
                record.summary.level_changes,
                share(record, 0),
                share(record, 1),
                share(record, 2),
            ),
            legend: legend(&[
                ("price", plots::PRICE),
                ("the oracle's average", plots::AVERAGE),
                ("Normal", plots::LEVELS[0]),
                ("Guarded", plots::LEVELS[1]),
                ("Halted", plots::LEVELS[2]),
            ]),
            svg: plots::price(record)? + &plots::levels(record)?,
        },
        beside(record)?,
        heat_map(record)?,
        measures(record)?,
        Figure {
            title: "Liquidations",
            note: format!(
                "Debt that the backstop took over from margin accounts, per quarter of an hour (left, {quote}), and the \
                 number of liquidations so far (right). An account falls due above an LTV of {} and is brought back to {}; while Guarded in steps.",
                percent(limits.liquidation_ltv, 0),
                percent(limits.target_ltv, 0)
            ),
            legend: legend(&[("debt taken over", plots::DEBT), ("liquidations so far", plots::PRICE)]),
            svg: plots::liquidations(record)?,
        },
        Figure {
            title: "The backstop's inventory",
            note: format!("Collateral taken over and not yet sold, {base}."),
            legend: legend(&[("inventory", plots::INVENTORY)]),
            svg: plots::inventory(record)?,
        },
        Figure {
            title: "The backstop's debt and equity",
            note: format!(
                "Its debt to the pool, its cash, and its equity with the inventory at the price of the moment, {quote}. \
                 As long as equity is above zero, the backstop can pay the pool in full."
            ),
            legend: legend(&[("equity", plots::EQUITY), ("debt", plots::DEBT), ("cash", plots::CASH)]),
            svg: plots::balance(record)?,
        },
        Figure {
            title: "Discount of the ask",
            note: format!(
                "How far below the price the backstop offers its inventory; below the zero line the ask is above the price. The \
                 dashed line is the largest discount, {}. Where the line touches the bottom, the ask was far above a falling \
                 price, held there by the floor under the averages or because the market was Guarded, and nothing was sold. No \
                 inventory, or Halted: no ask.",
                percent(limits.max_discount, 1)
            ),
            legend: legend(&[("discount", plots::DISCOUNT)]),
            svg: plots::discount(record)?,
        },
        Figure {
            title: "Sales",
            note: format!(
                "Inventory sold per quarter of an hour, {base}. The dashed line is the most that the flow limit allows \
                 in a quarter of an hour."
            ),
            legend: legend(&[("sold", plots::INVENTORY), ("flow limit", plots::DEBT)]),
            svg: plots::sales(record)?,
        },
        Figure {
            title: "Loan-to-value of the accounts",
            note: format!(
                "Accounts with debt by LTV: {} before the first step, {} after the step with the lowest price, {} at the end. \
                 The others owe nothing any more.",
                record.before.len(),
                record.at_lowest.len(),
                record.after.len()
            ),
            legend: legend(&[
                ("before", plots::CASH),
                ("at the lowest price", plots::AVERAGE),
                ("at the end", plots::PRICE),
                ("limits of the market", plots::DEBT),
            ]),
            svg: plots::ltv(record)?,
        },
    ])
}

fn legend(entries: &[(&str, RGBColor)]) -> Vec<(String, RGBColor)> {
    entries
        .iter()
        .map(|(name, color)| ((*name).to_owned(), *color))
        .collect()
}

fn beside(record: &Record) -> Result<Figure<'_>, ReportError> {
    let quote = escape(&record.symbols.1);
    let beside = &record.beside;
    Ok(Figure {
        title: "With the backstop, and without the backstop",
        note: format!(
            "The replay follows known prices, which nobody's sale moves. Here they are the news, and the same accounts sell on an exchange \
             where {} {quote} move the price by 1%, what the market's parameters say, in the cascade laboratory (docs/reports/lab.md; \
             assumptions in crates/lab/src/run/beside.rs). Without the backstop keepers repay half of a debt that is due and sell its collateral at once: \
             {} {quote} are liquidated, {} are left as bad debt, and the suppliers lose {}. With it, which is the engine itself: {}, {} and {}.",
            short(beside.depth),
            short(beside.without.liquidated),
            short(beside.without.bad_debt),
            short(beside.without.supplier_loss),
            short(beside.with.liquidated),
            short(beside.with.bad_debt),
            short(beside.with.supplier_loss),
        ),
        legend: legend(&[
            ("the news alone", plots::PRICE),
            ("Breakwater", plots::INVENTORY),
            ("without the backstop", plots::DEBT),
        ]),
        svg: plots::beside(record)?,
    })
}

fn heat_map(record: &Record) -> Result<Figure<'_>, ReportError> {
    let quote = escape(&record.symbols.1);
    let shades = heat::shades(record);
    let mut legend = vec![("price".to_owned(), plots::PRICE)];
    let mut from = "above 0".to_owned();
    for (limit, color) in &shades {
        legend.push((format!("{from} to {} {quote}", short(*limit)), *color));
        from = short(*limit);
    }
    Ok(Figure {
        title: "The liquidation map",
        note: format!(
            "Where debt would be liquidated: the debt in each band of prices, 2.2% wide, as the market keeps it on chain, every ten \
             minutes. Where the price goes down into a band, its debt is due; the backstop takes over a part of it, and the rest moves \
             to lower bands: all to the same one, where the target LTV lies. Of the loans asked for at the start, {} were cut because margin \
             follows risk, {} were refused.",
            record.summary.loans_cut, record.summary.loans_refused
        ),
        legend,
        svg: heat::map(record, &shades)?,
    })
}

fn measures(record: &Record) -> Result<Figure<'_>, ReportError> {
    let s = &record.summary;
    Ok(Figure {
        title: "How near it is, and what stands behind it",
        note: format!(
            "Threshold proximity (left): how far the price must fall to reach the nearest band with debt. Depth ratio (right): what the \
             backstop owns after a fall of 10% ÷ what would fall due by it, cut off at {}. Below 1 (dashed), it would owe some of that to the \
             pool. Market gearing, how far a fall of 1% would end if everyone dumped, was {} at its highest.",
            heat::CUT,
            super::format::grouped(s.gearing_highest, 2)
        ),
        legend: legend(&[("threshold proximity", heat::PROXIMITY), ("depth ratio", heat::DEPTH)]),
        svg: heat::measures(record)?,
    })
}

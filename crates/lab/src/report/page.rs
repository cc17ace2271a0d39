//! The text of the report around its plots.

use std::fmt::{Display, Write};

use plotters::style::RGBColor;

use super::{
    ReportError,
    figures::figures,
    format::{grouped, percent},
};
use crate::{profit, record::Record, scenario::time_label};

const STYLE: &str = include_str!("style.css");

pub fn page(record: &Record) -> Result<String, ReportError> {
    let mut body = String::new();
    let title = format!("{}: a crash absorbed by the backstop", escape(&record.name));
    // Writing to a string cannot fail, so these results carry nothing.
    let _ = write!(body, "<h1>{title}</h1>\n<p class=\"lead\">{}</p>\n", summary(record));
    body += &tiles(record);
    for figure in figures(record)? {
        body += &self::figure(figure.title, &figure.note, &figure.legend, &figure.svg);
    }
    let _ = write!(
        body,
        "<div class=\"pair\">\n{}{}</div>\n",
        results(record),
        profits(record)
    );
    body += &checks(record);
    Ok(document(&title, &body))
}

/// A page that needs nothing else.
pub fn document(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n"
    )
}

/// A plot with its heading, a sentence on how to read it, and what its colors mean.
pub fn figure(title: &str, note: &str, legend: &[(impl Display, RGBColor)], svg: &str) -> String {
    let mut out = format!("<section>\n<h2>{title}</h2>\n<p class=\"note\">{note}</p>\n<p class=\"legend\">");
    for (name, RGBColor(r, g, b)) in legend {
        let _ = write!(
            out,
            "<span><i style=\"background:#{r:02x}{g:02x}{b:02x}\"></i>{name}</span>"
        );
    }
    out + "</p>\n" + svg + "\n</section>\n"
}

fn summary(record: &Record) -> String {
    let s = &record.summary;
    let (base, quote) = (escape(&record.symbols.0), escape(&record.symbols.1));
    let outcome = if s.bad_debt_left == 0.0 && s.supplier_loss == 0.0 {
        "No bad debt was left in the accounts and the suppliers lost nothing".to_owned()
    } else {
        format!(
            "{} {quote} of bad debt were left in the accounts and the suppliers lost {} {quote}",
            grouped(s.bad_debt_left, 2),
            grouped(s.supplier_loss, 2)
        )
    };
    format!(
        "{} {} of {} leveraged accounts had to be liquidated, {} times in all. The backstop took over {} {quote} of debt \
         and {} {base} of collateral and sold what it took on schedule; at the peak it \
         used {} of its flow limit. {outcome}. The backstop's equity went from {} to {} {quote}; at its lowest it was {}. \
         On an exchange that sales move, the price would have fallen to {} {quote} without the backstop, to {} with it.",
        escape(&record.about),
        s.accounts_liquidated,
        s.accounts,
        grouped(f64::from(s.liquidations), 0),
        grouped(s.repaid, 0),
        grouped(s.seized, 0),
        percent(s.peak_flow_over_bound, 1),
        grouped(s.backstop_equity_start, 0),
        grouped(s.backstop_equity_end, 0),
        grouped(s.backstop_equity_worst, 0),
        grouped(record.beside.without.lowest, 2),
        grouped(record.beside.with.lowest, 2),
    )
}

fn tiles(record: &Record) -> String {
    let s = &record.summary;
    let quote = escape(&record.symbols.1);
    let gain = profit::atoms(record.profits.backstop) / record.quote_unit;
    let failed = record.checks.iter().filter(|c| !c.holds).count();
    let tiles = [
        (grouped(s.bad_debt_left, 2), format!("{quote} of bad debt left")),
        (grouped(s.supplier_loss, 2), format!("{quote} lost by suppliers")),
        (
            format!("{} / {}", s.accounts_liquidated, s.accounts),
            "accounts liquidated".to_owned(),
        ),
        (
            percent(s.peak_flow_over_bound, 1),
            "of the flow limit used at the peak".to_owned(),
        ),
        (
            grouped(gain.abs(), 0),
            format!("{quote} {} by the backstop", if gain < 0.0 { "lost" } else { "gained" }),
        ),
        (
            if failed == 0 {
                "all hold".to_owned()
            } else {
                format!("{failed} failed")
            },
            format!("{} checks of the books", grouped(s.identities_checked as f64, 0)),
        ),
    ];
    let mut out = "<div class=\"tiles\">\n".to_owned();
    for (value, name) in tiles {
        let _ = writeln!(out, "<div><strong>{value}</strong>{name}</div>");
    }
    out + "</div>\n"
}

/// The share of time at a level, by its number.
pub fn share(record: &Record, level: usize) -> String {
    let seconds = record.summary.seconds_at;
    let all = seconds.iter().sum::<u64>().max(1);
    percent(seconds[level] as f64 / all as f64, 1)
}

/// The figures of a run as name, value and unit; the terminal prints the same.
pub fn rows(record: &Record) -> Vec<[String; 3]> {
    let s = &record.summary;
    let (base, quote) = (record.symbols.0.as_str(), record.symbols.1.as_str());
    let row = |name: &str, value: String, unit: &str| [name.to_owned(), value, unit.to_owned()];
    let sold: f64 = record.sales.iter().map(|sale| sale.amount).sum();
    let paid: f64 = record.sales.iter().map(|sale| sale.paid).sum();
    let sold_worth: f64 = record.sales.iter().map(|sale| sale.worth).sum();
    let seized_worth: f64 = record.liquidations.iter().map(|l| l.worth).sum();
    let repaid: f64 = record.liquidations.iter().map(|l| l.repaid).sum();
    let whole = record.liquidations.iter().filter(|l| l.whole).count();
    vec![
        row("margin accounts", grouped(f64::from(s.accounts), 0), ""),
        row("loans cut", grouped(f64::from(s.loans_cut), 0), ""),
        row("loans refused", grouped(f64::from(s.loans_refused), 0), ""),
        row("steps", grouped(f64::from(s.steps), 0), ""),
        row("liquidations", grouped(f64::from(s.liquidations), 0), ""),
        row("  of which took all of the debt", grouped(whole as f64, 0), ""),
        row("accounts liquidated", grouped(f64::from(s.accounts_liquidated), 0), ""),
        row("debt taken over", grouped(s.repaid, 2), quote),
        row("collateral taken over", grouped(s.seized, 4), base),
        row("penalties in it", grouped(seized_worth - repaid, 2), quote),
        row("collateral sold", grouped(sold, 4), base),
        row(
            "average selling price",
            if sold > 0.0 {
                grouped(paid / sold, 2)
            } else {
                "none".into()
            },
            quote,
        ),
        row("sold below the price by", grouped(sold_worth - paid, 2), quote),
        row("largest inventory", grouped(s.inventory_peak, 4), base),
        row("inventory at the end", grouped(s.inventory_end, 4), base),
        row("backstop equity before", grouped(s.backstop_equity_start, 2), quote),
        row(
            "backstop equity at its lowest",
            grouped(s.backstop_equity_worst, 2),
            quote,
        ),
        row("backstop equity at the end", grouped(s.backstop_equity_end, 2), quote),
        row("bad debt left in accounts", grouped(s.bad_debt_left, 2), quote),
        row("loss of the suppliers", grouped(s.supplier_loss, 2), quote),
        row("peak of sales over their limit", percent(s.peak_flow_over_bound, 2), ""),
        row(
            "peak of steps over their limit",
            percent(s.peak_steps_over_bound, 2),
            "",
        ),
        row("time Normal", share(record, 0), ""),
        row("time Guarded", share(record, 1), ""),
        row("time Halted", share(record, 2), ""),
        row("changes of level", grouped(f64::from(s.level_changes), 0), ""),
        row("lowest depth ratio at 10%", times(s.depth_ratio_lowest), ""),
        row("highest market gearing", grouped(s.gearing_highest, 2), ""),
        row(
            "lowest price without the backstop",
            grouped(record.beside.without.lowest, 2),
            &format!("{quote}, {} with it", grouped(record.beside.with.lowest, 2)),
        ),
        row("wall-clock time", grouped(s.seconds, 1), "s"),
    ]
}

/// A ratio, or what to say when nothing is divided by.
fn times(ratio: f64) -> String {
    if ratio.is_finite() {
        format!("{}×", grouped(ratio, 2))
    } else {
        "none due".to_owned()
    }
}

fn results(record: &Record) -> String {
    let mut out = "<section>\n<h2>Results</h2>\n<table>\n".to_owned();
    for [name, value, unit] in rows(record) {
        let class = if name.starts_with(' ') { " class=\"part\"" } else { "" };
        let (name, unit) = (escape(name.trim_start()), escape(&unit));
        let _ = writeln!(
            out,
            "<tr><th{class}>{name}</th><td class=\"number\">{value}</td><td>{unit}</td></tr>"
        );
    }
    out + "</table>\n</section>\n"
}

fn profits(record: &Record) -> String {
    let at = record.samples.last().map_or_else(String::new, |s| {
        format!(" ({} {})", grouped(s.price, 2), escape(&record.symbols.1))
    });
    let sum = match record.profits.sum() {
        Ok(0) => "The sum is zero to the last bit: money changed hands, none was made or lost.",
        _ => "The sum is not zero: the books are wrong.",
    };
    let mut out = format!(
        "<section>\n<h2>Who gained and who lost</h2>\n<p class=\"note\">From after the set-up to the end, everything \
         valued at the last price{at}. {sum}</p>\n<table>\n"
    );
    for (name, raw) in record.profits.named() {
        let value = grouped(profit::atoms(raw) / record.quote_unit, 2);
        let quote = escape(&record.symbols.1);
        let _ = writeln!(
            out,
            "<tr><th>{name}</th><td class=\"number\">{value}</td><td>{quote}</td></tr>"
        );
    }
    out + "</table>\n</section>\n"
}

fn checks(record: &Record) -> String {
    let mut out = "<section>\n<h2>What was checked</h2>\n<table>\n".to_owned();
    for check in &record.checks {
        let (class, word) = if check.holds { ("yes", "holds") } else { ("no", "FAILS") };
        let _ = writeln!(
            out,
            "<tr><th>{}</th><td>{}</td><td class=\"{class}\">{word}</td></tr>",
            escape(&check.claim),
            escape(&check.measured)
        );
    }
    let from = record.samples.first().map_or_else(String::new, |s| time_label(s.unix));
    let to = record.samples.last().map_or_else(String::new, |s| time_label(s.unix));
    let _ = write!(
        out,
        "</table>\n</section>\n<footer>{} to {} UTC, replayed through the compiled program in a Solana virtual machine \
         with the real SPL Token program; seed {}.</footer>\n",
        from, to, record.seed
    );
    out
}

/// Text as HTML shows it.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

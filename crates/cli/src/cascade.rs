//! `breakwater cascade`: the cascade curve of a market.

use std::{error::Error, fmt::Write as _};

use breakwater_engine::{
    Bps, Price,
    views::{
        cascade::{CRISIS, Curve, End, Pace, Seller},
        risk::DROPS,
    },
};
use clap::Args;
use serde::Serialize;

use crate::{
    chain::Chain,
    format::{self, lines, percent, signed_tokens, tokens},
    options::{Cluster, FeedAccounts, MarketName, Output},
    snapshot::Snapshot,
};

/// Where a fall of the price by news ends, once those who are liquidated by it have sold: if everyone dumps, if keepers
/// repay half of a debt and dump, and with Breakwater's backstop. An estimate from the liquidation map and the market's
/// depth.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  breakwater cascade SOL/USDC\n  breakwater cascade SOL/USDC --hours 1 --step 1000 --json"
)]
pub struct Options {
    /// The market: its address, or a pair like SOL/USDC
    #[arg(env = "BREAKWATER_MARKET")]
    market: MarketName,
    /// Hours over which the news come, besides at once
    #[arg(long, env = "BREAKWATER_HOURS", default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=72))]
    hours: u32,
    /// Step between the falls that are told, bps
    #[arg(long, env = "BREAKWATER_STEP", value_name = "BPS", default_value_t = 500, value_parser = clap::value_parser!(u32).range(100..=5_000))]
    step: u32,
    #[command(flatten)]
    feeds: FeedAccounts,
    #[command(flatten)]
    cluster: Cluster,
    #[command(flatten)]
    output: Output,
}

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The largest fall that is told.
const LARGEST: u32 = 5_000;
/// Columns of the picture for 100%.
const WIDTH: u32 = 50;

/// A market's curve. Falls and ratios in bps, amounts in quote atoms, prices in quote tokens for one collateral token.
#[derive(Serialize)]
struct View {
    market: String,
    price: String,
    /// Sale that moves the price by 1%, as configured: `market_depth`.
    depth: String,
    hours: u32,
    /// How far a fall of 1% ends if everyone dumps, ÷ 1%.
    gearing_bps: u32,
    /// Debt that the next 1% of a fall makes due, and how much more the second does.
    delta: String,
    gamma: i64,
    /// Fall, and what moves the price by it ÷ debt that it makes due; `null` if it makes none due.
    market_depth_ratios: Vec<(u32, Option<u32>)>,
    /// Fall, and what the backstop has ÷ what it would take over then; `null` if that is nothing.
    backstop_depth_ratios: Vec<(u32, Option<u32>)>,
    /// The smallest fall by news that ends at half the price.
    critical: Critical,
    curve: Vec<Point>,
}

#[derive(Serialize)]
#[allow(clippy::struct_field_names, reason = "the unit is part of each name in JSON")]
struct Critical {
    everyone_bps: u32,
    keepers_bps: u32,
    backstop_bps: u32,
    everyone_over_hours_bps: u32,
    backstop_over_hours_bps: u32,
}

/// Where one fall by news ends.
#[derive(Serialize)]
struct Point {
    news_bps: u32,
    /// C after it: what the backstop would have to spare after the stress fall on top, nothing liquidated on the way.
    cover: String,
    everyone: Ends,
    keepers: Ends,
    backstop: Ends,
    everyone_over_hours: Ends,
    backstop_over_hours: Ends,
}

#[derive(Serialize)]
struct Ends {
    fall_bps: u32,
    /// The part of it that sales made.
    own_bps: u32,
    /// Debt due on the way, what of it waits on its own margin, and what is not yet sold.
    due: String,
    waiting: String,
    unsold: String,
}

impl Ends {
    fn of(end: &End) -> Self {
        Self {
            fall_bps: end.fall.0,
            own_bps: end.own().0,
            due: end.liquidatable.0.to_string(),
            waiting: end.waiting.0.to_string(),
            unsold: end.unsold.0.to_string(),
        }
    }
}

pub fn run(options: &Options) -> Result<()> {
    let chain = Chain::new(options.cluster.url());
    let snapshot = Snapshot::at(&chain, &options.market.0, &options.feeds)?;
    let quotes = snapshot.quotes.as_ref().map_err(Clone::clone)?;
    let curve = snapshot
        .market
        .cascade(quotes.prices(), snapshot.clock)
        .map_err(|error| format!("the cascade curve: {error:?}"))?;
    let view = view(&snapshot, quotes.prices().spot(), &curve, options);
    if options.output.json {
        println!("{}", serde_json::to_string_pretty(&view)?);
    } else {
        print!("{}", text(&snapshot, &view)?);
    }
    Ok(())
}

fn view(snapshot: &Snapshot, spot: Price, curve: &Curve, options: &Options) -> View {
    let (once, over) = (Pace::AT_ONCE, Pace::hours(options.hours));
    let critical = |seller, pace| curve.critical(seller, pace).0;
    let measures = curve.measures();
    let ratios = |ratios: [Bps; DROPS.len()]| {
        let known = |ratio: Bps| Some(ratio.0).filter(|ratio| *ratio != u32::MAX);
        DROPS
            .iter()
            .zip(ratios)
            .map(|(drop, ratio)| (drop.0, known(ratio)))
            .collect()
    };
    let step = usize::try_from(options.step).unwrap_or(usize::MAX);
    View {
        market: snapshot.keys.market.to_string(),
        price: format::price(spot, snapshot.decimals()),
        depth: snapshot.market.config.market_depth.0.to_string(),
        hours: options.hours,
        gearing_bps: measures.gearing.0,
        delta: measures.delta.0.to_string(),
        gamma: measures.gamma,
        market_depth_ratios: ratios(measures.market_depth_ratios),
        backstop_depth_ratios: ratios(measures.backstop_depth_ratios),
        critical: Critical {
            everyone_bps: measures.critical.0,
            keepers_bps: critical(Seller::Keepers, once),
            backstop_bps: critical(Seller::Backstop, once),
            everyone_over_hours_bps: critical(Seller::Everyone, over),
            backstop_over_hours_bps: critical(Seller::Backstop, over),
        },
        curve: (0..=LARGEST)
            .step_by(step)
            .map(|news| point(curve, Bps(news), over))
            .collect(),
    }
}

fn point(curve: &Curve, news: Bps, over: Pace) -> Point {
    let ends = |seller, pace| Ends::of(&curve.end(news, seller, pace));
    Point {
        news_bps: news.0,
        cover: curve.cover(news).to_string(),
        everyone: ends(Seller::Everyone, Pace::AT_ONCE),
        keepers: ends(Seller::Keepers, Pace::AT_ONCE),
        backstop: ends(Seller::Backstop, Pace::AT_ONCE),
        everyone_over_hours: ends(Seller::Everyone, over),
        backstop_over_hours: ends(Seller::Backstop, over),
    }
}

fn text(snapshot: &Snapshot, view: &View) -> Result<String> {
    let (_, quote) = snapshot.symbols();
    let decimals = snapshot.market.quote_decimals;
    let amount = |atoms: &str| -> Result<String> { Ok(format!("{} {quote}", tokens(atoms.parse()?, decimals))) };
    let crisis = |bps: u32| {
        if bps >= CRISIS.0 {
            "none below it".to_owned()
        } else {
            percent(Bps(bps))
        }
    };
    let ratios = |ratios: &[(u32, Option<u32>)]| {
        let each = ratios.iter().map(|(drop, ratio)| {
            let times = ratio.map_or("-".to_owned(), |ratio| format!("{:.2}", f64::from(ratio) / 1e4));
            format!("{}% {times}", drop / 100)
        });
        each.collect::<Vec<_>>().join("   ")
    };
    let Critical {
        everyone_bps,
        keepers_bps,
        backstop_bps,
        everyone_over_hours_bps,
        backstop_over_hours_bps,
    } = view.critical;
    let hours = view.hours;
    let over = format!(
        "everyone {}, backstop {}",
        crisis(everyone_over_hours_bps),
        crisis(backstop_over_hours_bps)
    );
    let rows = [
        ("price", format!("{} {quote}", view.price)),
        ("depth, configured", format!("{} move it by 1%", amount(&view.depth)?)),
        ("market gearing", format!("{:.2}", f64::from(view.gearing_bps) / 1e4)),
        ("due in the next 1%", amount(&view.delta)?),
        (
            "  and the second 1%",
            format!("{} {quote} more", signed_tokens(view.gamma.into(), decimals)),
        ),
        ("depth ÷ debt in a fall", ratios(&view.market_depth_ratios)),
        ("backstop ÷ debt", ratios(&view.backstop_depth_ratios)),
        (
            "half the price after",
            format!(
                "everyone {}, keepers {}, backstop {}",
                crisis(everyone_bps),
                crisis(keepers_bps),
                crisis(backstop_bps)
            ),
        ),
        ("  news over hours", over),
    ];
    let mut out = format!("{}  news, and where they end\n\n{}\n", snapshot.name, lines(&rows));
    let _ = writeln!(
        out,
        "  {:>6}  {:>8} {:>8} {:>8}   over {hours} h {:>6} {:>8}  {:>18}",
        "news", "everyone", "keepers", "backstop", "all", "backstop", "waits"
    );
    for point in &view.curve {
        let _ = writeln!(
            out,
            "  {:>6}  {:>8} {:>8} {:>8}   {:>15} {:>8}  {:>18}  {}",
            percent(Bps(point.news_bps)),
            percent(Bps(point.everyone.fall_bps)),
            percent(Bps(point.keepers.fall_bps)),
            percent(Bps(point.backstop.fall_bps)),
            percent(Bps(point.everyone_over_hours.fall_bps)),
            percent(Bps(point.backstop_over_hours.fall_bps)),
            tokens(point.backstop.waiting.parse()?, decimals),
            bar(point),
        );
    }
    out.push_str("\n  ▒ news   B with the backstop   E if everyone dumps, at once; a column is 2% of the price\n");
    Ok(out)
}

/// A fall as a bar, with marks where it ends.
fn bar(point: &Point) -> String {
    let column = |bps: u32| usize::try_from(bps.min(10_000) * WIDTH / 10_000).unwrap_or(0);
    let (news, everyone, backstop) = (
        column(point.news_bps),
        column(point.everyone.fall_bps),
        column(point.backstop.fall_bps),
    );
    let mut cells = vec!['▒'; news];
    cells.resize(everyone.max(backstop).max(news) + 1, '·');
    cells[everyone] = 'E';
    cells[backstop] = 'B';
    cells.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(fall: u32) -> Ends {
        Ends {
            fall_bps: fall,
            own_bps: 0,
            due: "0".to_owned(),
            waiting: "0".to_owned(),
            unsold: "0".to_owned(),
        }
    }

    fn point(news: u32, everyone: u32, backstop: u32) -> Point {
        Point {
            news_bps: news,
            cover: "0".to_owned(),
            everyone: ends(everyone),
            keepers: ends(0),
            backstop: ends(backstop),
            everyone_over_hours: ends(0),
            backstop_over_hours: ends(0),
        }
    }

    #[test]
    fn a_bar_shows_the_news_and_where_they_end() {
        assert_eq!(bar(&point(1_000, 2_400, 1_400)), "▒▒▒▒▒··B····E");
        // Where both end at the news, only the backstop is seen.
        assert_eq!(bar(&point(0, 0, 0)), "B");
        assert_eq!(bar(&point(1_000, 1_000, 1_000)), "▒▒▒▒▒B");
        assert_eq!(bar(&point(5_000, 10_000, 5_100)).chars().count(), 51);
    }
}

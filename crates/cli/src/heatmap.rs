//! `breakwater heatmap`: where debt is liquidated.

use std::{convert::Infallible, error::Error, fmt::Write as _, io::IsTerminal};

use breakwater_engine::{account::map::BANDS, views::risk::PriceBand};
use clap::Args;
use serde::Serialize;

use crate::{
    chain::Chain,
    format::{self, signed_tokens, tokens},
    market::level_with_flags,
    options::{Cluster, FeedAccounts, MarketName, Output},
    snapshot::Snapshot,
};

/// The liquidation map as a picture: debt by the price at which it is liquidated.
#[derive(Args)]
#[command(after_help = "Example:\n  breakwater heatmap SOL/USDC")]
pub struct Options {
    /// The market: its address, or a pair like SOL/USDC
    #[arg(env = "BREAKWATER_MARKET")]
    market: MarketName,
    /// Width of the picture, columns
    #[arg(long, env = "BREAKWATER_WIDTH", default_value_t = 50, value_parser = clap::value_parser!(u16).range(10..=200))]
    width: u16,
    /// Leave colors out, also when the output is a terminal
    #[arg(long, env = "NO_COLOR", value_parser = not_empty)]
    no_color: bool,
    #[command(flatten)]
    feeds: FeedAccounts,
    #[command(flatten)]
    cluster: Cluster,
    #[command(flatten)]
    output: Output,
}

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The map. Prices in quote tokens for one collateral token, debt in atoms.
#[derive(Serialize)]
struct View {
    market: String,
    /// `null` when the price accounts are not usable now.
    price: Option<String>,
    price_error: Option<String>,
    /// The stress cover C, and the inventory that is still taken over while it is negative, collateral atoms.
    cover: Option<String>,
    pipeline_headroom: Option<String>,
    total_debt: String,
    /// Bands that hold debt, highest price first.
    bands: Vec<Loaded>,
}

#[derive(Serialize)]
struct Loaded {
    band: u8,
    /// Accounts of the band are liquidated from here…
    from_price: String,
    /// … up to below here; `null` in the last band.
    to_price: Option<String>,
    debt: String,
    /// How far the price must fall to the band's upper edge, bps; negative if it is below that edge by so much. `null`
    /// without a price, and for the last band.
    fall_bps: Option<i64>,
    #[serde(skip)]
    atoms: u64,
}

/// By the convention for `NO_COLOR` any value says yes, zero too.
#[allow(clippy::unnecessary_wraps, reason = "what clap asks for")]
fn not_empty(value: &str) -> std::result::Result<bool, Infallible> {
    Ok(!value.is_empty())
}

pub fn run(options: &Options) -> Result<()> {
    let chain = Chain::new(options.cluster.url());
    let snapshot = Snapshot::at(&chain, &options.market.0, &options.feeds)?;
    let view = view(&snapshot)?;
    if options.output.json {
        println!("{}", serde_json::to_string_pretty(&view)?);
        return Ok(());
    }
    let color = !options.no_color && std::io::stdout().is_terminal();
    print!("{}", picture(&snapshot, &view, options.width.into(), color));
    Ok(())
}

fn view(snapshot: &Snapshot) -> Result<View> {
    let failed = |error| format!("the map: {error:?}");
    let decimals = snapshot.decimals();
    let judged = snapshot
        .quotes
        .as_ref()
        .ok()
        .map(breakwater_client::quotes::Quotes::judged_at);
    let price = judged.map(|price| decimals.whole(price));
    let mut bands = Vec::new();
    for band in (0..=u8::MAX).rev() {
        let PriceBand { edge, debt } = snapshot.market.price_band(band, snapshot.clock).map_err(failed)?;
        if debt.0 == 0 {
            continue;
        }
        let upper = match band.checked_add(1) {
            Some(next) => Some(snapshot.market.price_band(next, snapshot.clock).map_err(failed)?.edge),
            None => None,
        };
        #[allow(
            clippy::cast_possible_truncation,
            reason = "a ratio of two prices in bps, for showing"
        )]
        let fall_bps = price
            .zip(upper)
            .map(|(price, upper)| ((1.0 - decimals.whole(upper) / price) * 1e4) as i64);
        bands.push(Loaded {
            band,
            from_price: format::price(edge, decimals),
            to_price: upper.map(|upper| format::price(upper, decimals)),
            debt: debt.0.to_string(),
            fall_bps,
            atoms: debt.0,
        });
    }
    let total: u64 = bands.iter().map(|band| band.atoms).sum();
    let quotes = snapshot.quotes.as_ref();
    let balance_sheet = quotes.ok().and_then(|quotes| quotes.balance_sheet().ok());
    Ok(View {
        market: snapshot.keys.market.to_string(),
        price: judged.map(|price| format::price(price, decimals)),
        price_error: quotes.err().cloned(),
        cover: balance_sheet.map(|balance_sheet| balance_sheet.cover.cover.to_string()),
        pipeline_headroom: balance_sheet.map(|balance_sheet| balance_sheet.pipeline_headroom.0.to_string()),
        total_debt: total.to_string(),
        bands,
    })
}

/// Rows of the picture: a longer map is shown in steps of several bands.
const ROWS: usize = 40;

fn picture(snapshot: &Snapshot, view: &View, width: usize, color: bool) -> String {
    let (collateral, quote) = snapshot.symbols();
    let mut out = format!("{}  debt by the price at which it is liquidated\n\n", snapshot.name);
    let total: u64 = view.bands.iter().map(|band| band.atoms).sum();
    let _ = writeln!(
        out,
        "  all debt {} {quote}",
        tokens(total, snapshot.market.quote_decimals)
    );
    if let (Ok(quotes), Some(price)) = (&snapshot.quotes, &view.price) {
        let _ = writeln!(out, "  price {price} {quote}, {}", level_with_flags(quotes.prices()));
        let cover = view.cover.as_ref().and_then(|cover| cover.parse().ok());
        let headroom = view
            .pipeline_headroom
            .as_ref()
            .and_then(|headroom| headroom.parse().ok());
        if let (Some(cover), Some(headroom)) = (cover, headroom) {
            let cover = signed_tokens(cover, snapshot.market.quote_decimals);
            let headroom = tokens(headroom, snapshot.market.collateral_decimals);
            let _ = writeln!(
                out,
                "  cover {cover} {quote}, pipeline headroom {headroom} {collateral}"
            );
        }
        out.push('\n');
    }
    if let Some(error) = &view.price_error {
        let _ = writeln!(out, "  no price: {error}\n");
    }
    let (Some(top), Some(bottom)) = (view.bands.first(), view.bands.last()) else {
        out.push_str("  nobody owes anything\n");
        return out;
    };
    let (top, bottom) = (usize::from(top.band), usize::from(bottom.band));
    let step = (top - bottom).div_euclid(ROWS) + 1;
    let rows: Vec<Row> = (bottom..=top)
        .rev()
        .step_by(step)
        .map(|high| Row::of(view, high.saturating_sub(step - 1), high))
        .collect();
    let most = rows.iter().map(|row| row.debt).max().unwrap_or(0).max(1);
    let (mut below, mut gap) = (false, false);
    for row in &rows {
        // One line for any number of bands without debt.
        if row.price.is_none() && std::mem::replace(&mut gap, true) {
            continue;
        }
        gap = row.price.is_none();
        if row.fall.is_some_and(|fall| fall >= 0) && !below {
            below = true;
            let _ = writeln!(
                out,
                "  {:>14} ── price {}",
                view.price.as_deref().unwrap_or(""),
                "─".repeat(width.saturating_sub(6))
            );
        }
        row.draw(&mut out, most, width, color, snapshot);
    }
    out
}

/// Some bands in one line.
struct Row {
    price: Option<String>,
    fall: Option<i64>,
    debt: u64,
}

impl Row {
    fn of(view: &View, low: usize, high: usize) -> Self {
        let inside: Vec<&Loaded> = view
            .bands
            .iter()
            .filter(|band| (low..=high.min(BANDS)).contains(&usize::from(band.band)))
            .collect();
        Self {
            price: inside.last().map(|band| band.from_price.clone()),
            fall: inside.first().and_then(|band| band.fall_bps),
            debt: inside.iter().map(|band| band.atoms).sum(),
        }
    }

    fn draw(&self, out: &mut String, most: u64, width: usize, color: bool, snapshot: &Snapshot) {
        let Some(price) = &self.price else {
            let _ = writeln!(out, "  {:>14} ┊", "");
            return;
        };
        // Eighths of a column.
        let eighths = usize::try_from(u128::from(self.debt) * (width as u128) * 8 / u128::from(most))
            .unwrap_or(0)
            .max(1);
        let partial = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8];
        let bar = format!("{}{partial}", "█".repeat(eighths / 8));
        let pad = " ".repeat(width.saturating_sub(bar.chars().count()));
        // Red is what is due already, then by distance.
        let code = match self.fall {
            Some(..0) => "31",
            Some(0..500) => "33",
            Some(500..1_500) => "93",
            _ => "32",
        };
        let bar = if color {
            format!("\x1b[{code}m{bar}\x1b[0m")
        } else {
            bar
        };
        let fall = self.fall.map_or(String::new(), |bps| match bps {
            ..0 => "due".to_owned(),
            #[allow(clippy::cast_precision_loss, reason = "for showing")]
            bps => format!("-{:.1}%", bps as f64 / 100.0),
        });
        let debt = tokens(self.debt, snapshot.market.quote_decimals);
        let _ = writeln!(out, "  {price:>14} │{bar}{pad} {debt:>18}  {fall}");
    }
}

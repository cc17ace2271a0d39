//! `breakwater backstop`.

use std::{error::Error, fmt::Write as _};

use breakwater_engine::Bps;
use clap::Subcommand;
use serde::Serialize;

use crate::{
    chain::Chain,
    format::{self, lines, percent, signed_tokens, tokens},
    look::Look,
    market::level_with_flags,
    options::ShowMarket,
};

#[derive(Subcommand)]
pub enum Command {
    /// The backstop's balance sheet, who stands behind it, and what it sells at what price
    #[command(after_help = "Example:\n  breakwater backstop show SOL/USDC")]
    Show(ShowMarket),
}

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Hours from now at which the ask is told.
const HOURS: [u32; 6] = [0, 1, 2, 4, 8, 24];

/// The backstop. Amounts in atoms, prices in quote tokens for one collateral token.
#[derive(Serialize)]
struct View {
    market: String,
    cash: String,
    inventory: String,
    inventory_value: String,
    inventory_stressed: String,
    inventory_book: String,
    due_from_pool: String,
    debt: String,
    keeper_credits: String,
    equity: String,
    equity_stressed: String,
    guardians_claim: String,
    guardian_shares: String,
    protocol_equity: String,
    room: String,
    penalties: String,
    deficits: String,
    sales_gain: i64,
    /// Since when it has had no room, unix time; `null` if it has.
    no_room_since: Option<i64>,
    sells_per_second: String,
    /// What is offered, if prices stay and nobody buys; empty while nothing may be sold.
    schedule: Vec<Step>,
}

#[derive(Serialize)]
struct Step {
    in_seconds: u32,
    ask: String,
    available: String,
    discount_bps: i64,
}

pub fn run(command: &Command) -> Result<()> {
    let Command::Show(options) = command;
    let chain = Chain::new(options.cluster.url());
    let look = Look::at(&chain, &options.market.0, &options.feeds)?;
    let view = view(&look)?;
    if options.output.json {
        println!("{}", serde_json::to_string_pretty(&view)?);
    } else {
        print!("{}", text(&look, &view)?);
    }
    Ok(())
}

fn view(look: &Look) -> Result<View> {
    let quotes = look.quotes.as_ref().map_err(Clone::clone)?;
    let statement = quotes
        .statement()
        .map_err(|error| format!("the balance sheet: {error:?}"))?;
    let market = quotes.market();
    let schedule = HOURS.iter().filter_map(|hours| {
        let in_seconds = hours * 3_600;
        let offer = quotes.offer_in(in_seconds).ok()?;
        Some(Step {
            in_seconds,
            ask: format::price(offer.ask, look.decimals()),
            available: offer.available.0.to_string(),
            discount_bps: offer.discount,
        })
    });
    let number = |amount: u64| amount.to_string();
    Ok(View {
        market: look.keys.market.to_string(),
        cash: number(statement.cash.0),
        inventory: number(statement.inventory.0),
        inventory_value: number(statement.inventory_value.0),
        inventory_stressed: number(statement.inventory_stressed.0),
        inventory_book: number(statement.inventory_book.0),
        due_from_pool: number(statement.due.0),
        debt: number(statement.debt.0),
        keeper_credits: number(statement.keeper_credits.0),
        equity: statement.equity.to_string(),
        equity_stressed: statement.equity_stressed.to_string(),
        guardians_claim: number(statement.guardians.0),
        guardian_shares: number(market.guardians.shares.0),
        protocol_equity: statement.protocol.to_string(),
        room: number(statement.room.0),
        penalties: number(market.income.penalties.0),
        deficits: number(market.income.deficits.0),
        sales_gain: market.income.gains,
        no_room_since: Some(market.shortage.since).filter(|since| *since != 0),
        sells_per_second: number(statement.rate),
        schedule: if statement.inventory.0 == 0 {
            Vec::new()
        } else {
            schedule.collect()
        },
    })
}

fn text(look: &Look, view: &View) -> Result<String> {
    let (collateral, quote) = look.symbols();
    let decimals = look.decimals();
    let quotes =
        |atoms: &str| -> Result<String> { Ok(format!("{} {quote}", signed_tokens(atoms.parse()?, decimals.quote))) };
    let coins =
        |atoms: &str| -> Result<String> { Ok(format!("{} {collateral}", tokens(atoms.parse()?, decimals.collateral))) };
    let mut rows = vec![
        ("cash", quotes(&view.cash)?),
        ("inventory", coins(&view.inventory)?),
        ("  at spot", quotes(&view.inventory_value)?),
        ("  under stress", quotes(&view.inventory_stressed)?),
        ("  when taken over", quotes(&view.inventory_book)?),
        ("due from the pool", quotes(&view.due_from_pool)?),
        ("debt to the pool", quotes(&view.debt)?),
        ("equity", quotes(&view.equity)?),
        ("  under stress", quotes(&view.equity_stressed)?),
        ("  guardians' claim", quotes(&view.guardians_claim)?),
        ("  protocol's", quotes(&view.protocol_equity)?),
        ("room", quotes(&view.room)?),
        ("owed to keepers", quotes(&view.keeper_credits)?),
        ("penalties so far", quotes(&view.penalties)?),
        ("deficits so far", quotes(&view.deficits)?),
        ("gain on sales so far", quotes(&view.sales_gain.to_string())?),
    ];
    if let Some(since) = view.no_room_since {
        rows.push(("no room since", format::seconds(look.clock.unix - since)));
    }
    if let Ok(quotes) = &look.quotes {
        rows.push(("level", level_with_flags(quotes.prices())));
    }
    let mut out = format!("{}  backstop\n\n{}", look.name, lines(&rows));
    if view.schedule.is_empty() {
        out.push_str("\n  nothing is for sale now\n");
        return Ok(out);
    }
    out.push_str("\n  for sale, if prices stay and nobody buys:\n");
    for ask in &view.schedule {
        let discount = u32::try_from(ask.discount_bps.unsigned_abs()).map(|bps| percent(Bps(bps)))?;
        let word = if ask.discount_bps < 0 { "premium" } else { "discount" };
        let when = if ask.in_seconds == 0 {
            "now".to_owned()
        } else {
            format!("in {} h", ask.in_seconds / 3_600)
        };
        let _ = writeln!(
            out,
            "  {when:<8} up to {:>22} at {:>14}  {word} {discount}",
            coins(&ask.available)?,
            ask.ask
        );
    }
    Ok(out)
}

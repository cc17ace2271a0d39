//! `breakwater backstop`.

use std::{error::Error, fmt::Write as _};

use breakwater_engine::{Bps, Quote, views::balance_sheet::BalanceSheet};
use clap::Subcommand;
use serde::Serialize;

use crate::{
    chain::Chain,
    format::{self, lines, percent, signed_tokens, tokens},
    market::level_with_flags,
    options::ShowMarket,
    snapshot::Snapshot,
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
    inventory_book: String,
    due_from_pool: String,
    debt: String,
    /// Owed to keepers, and in the vault.
    funded_credits: String,
    /// Owed to keepers, and not there yet: what comes in pays it first.
    unfunded_credits: String,
    /// Written off, and paid back before guardians and protocol have anything.
    written_off: String,
    /// Inventory left that may pay it back, collateral atoms.
    recovering: String,
    /// Loss of the suppliers if everything were settled at this price.
    impaired: String,
    /// Loss of the guardians' claim then.
    claim_impaired: String,
    equity: String,
    guardians_claim: String,
    guardian_shares: String,
    /// Yield of the claim: bps a year for standing by, and bps of it in a fall of 20%.
    guardians_standing_by_bps: Option<u32>,
    guardians_in_a_crash_bps: Option<u32>,
    protocol_equity: String,
    stress: Stress,
    /// Inventory that is still taken over while the cover is negative, collateral atoms.
    pipeline_headroom: String,
    /// Most that is sold in an hour, quote atoms at the higher EMA.
    hourly_flow: String,
    penalties: String,
    deficits: String,
    sales_gain: i64,
    /// Interest that guardians have earned so far.
    standby: String,
    /// Offers, if prices stay and nobody buys; empty while nothing may be sold.
    schedule: Vec<Step>,
}

/// Tells if everyone under water could be paid after a fall of the price. Quote atoms.
#[derive(Serialize)]
pub struct Stress {
    /// C, at `fall_bps`: decides how much of a partial liquidation is taken.
    cover: String,
    fall_bps: u32,
    /// Shortfall of accounts under water at that price.
    underwater: String,
    /// A, at `admission_fall_bps`, less what has asked to leave: decides about new risk.
    admission: String,
    admission_fall_bps: u32,
    leaving: String,
}

impl Stress {
    /// The stress of a balance sheet.
    pub fn of(balance_sheet: &BalanceSheet) -> Self {
        let BalanceSheet { cover, admission, .. } = balance_sheet;
        Self {
            cover: cover.cover.to_string(),
            fall_bps: cover.fall.0,
            underwater: cover.underwater.0.to_string(),
            admission: (admission.cover - i128::from(admission.leaving.0)).to_string(),
            admission_fall_bps: admission.fall.0,
            leaving: admission.leaving.0.to_string(),
        }
    }

    /// C and A, a line each.
    pub fn lines(&self, quote: &str, decimals: u8) -> Result<[(&'static str, String); 2]> {
        let amount =
            |atoms: &str| -> Result<String> { Ok(format!("{} {quote}", signed_tokens(atoms.parse()?, decimals))) };
        let after = |bps| format!("after a fall of {} with nothing sold", percent(Bps(bps)));
        let leaving = if self.leaving == "0" {
            String::new()
        } else {
            format!(", and {} that asked to leave", amount(&self.leaving)?)
        };
        Ok([
            ("cover", format!("{} {}", amount(&self.cover)?, after(self.fall_bps))),
            (
                "  for new loans",
                format!(
                    "{} {}{leaving}",
                    amount(&self.admission)?,
                    after(self.admission_fall_bps)
                ),
            ),
        ])
    }
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
    let snapshot = Snapshot::at(&chain, &options.market.0, &options.feeds)?;
    let view = view(&snapshot)?;
    if options.output.json {
        println!("{}", serde_json::to_string_pretty(&view)?);
    } else {
        print!("{}", text(&snapshot, &view)?);
    }
    Ok(())
}

fn view(snapshot: &Snapshot) -> Result<View> {
    let quotes = snapshot.quotes.as_ref().map_err(Clone::clone)?;
    let balance_sheet = quotes
        .balance_sheet()
        .map_err(|error| format!("the balance sheet: {error:?}"))?;
    let market = quotes.market();
    let schedule = HOURS.iter().filter_map(|hours| {
        let in_seconds = hours * 3_600;
        let offer = quotes.offer_in(in_seconds).ok()?;
        Some(Step {
            in_seconds,
            ask: format::price(offer.ask, snapshot.decimals()),
            available: offer.available.0.to_string(),
            discount_bps: offer.discount,
        })
    });
    let number = |amount: u64| amount.to_string();
    let guardians = quotes.guardian_yield(Quote::ZERO).ok();
    let (claim, sources) = (&market.books.guardians, &market.books.equity_sources);
    Ok(View {
        market: snapshot.keys.market.to_string(),
        cash: number(balance_sheet.cash.0),
        inventory: number(balance_sheet.inventory.0),
        inventory_value: number(balance_sheet.inventory_value.0),
        inventory_book: number(balance_sheet.inventory_book.0),
        due_from_pool: number(balance_sheet.reserves_owed.0),
        debt: number(balance_sheet.debt.0),
        funded_credits: number(balance_sheet.funded_credits.0),
        unfunded_credits: number(balance_sheet.unfunded_credits.0),
        written_off: number(balance_sheet.written_off.0),
        recovering: number(balance_sheet.recovering.0),
        impaired: number(balance_sheet.impaired.0),
        claim_impaired: number(balance_sheet.claim_impaired.0),
        equity: balance_sheet.equity.to_string(),
        guardians_claim: number(balance_sheet.guardians.0),
        guardian_shares: number(claim.shares.0),
        guardians_standing_by_bps: guardians.map(|earns| earns.standing_by.0),
        guardians_in_a_crash_bps: guardians.map(|earns| earns.in_a_crash.0),
        protocol_equity: balance_sheet.protocol.to_string(),
        stress: Stress::of(&balance_sheet),
        pipeline_headroom: number(balance_sheet.pipeline_headroom.0),
        hourly_flow: number(balance_sheet.hourly_flow.0),
        penalties: number(sources.penalties.0),
        deficits: number(sources.deficits.0),
        sales_gain: sources.gains,
        standby: number(sources.standby.0),
        schedule: if balance_sheet.inventory.0 == 0 {
            Vec::new()
        } else {
            schedule.collect()
        },
    })
}

fn text(snapshot: &Snapshot, view: &View) -> Result<String> {
    let (collateral, quote) = snapshot.symbols();
    let decimals = snapshot.decimals();
    let quotes =
        |atoms: &str| -> Result<String> { Ok(format!("{} {quote}", signed_tokens(atoms.parse()?, decimals.quote))) };
    let coins =
        |atoms: &str| -> Result<String> { Ok(format!("{} {collateral}", tokens(atoms.parse()?, decimals.collateral))) };
    let mut rows = vec![
        ("cash", quotes(&view.cash)?),
        ("inventory", coins(&view.inventory)?),
        ("  at spot", quotes(&view.inventory_value)?),
        ("  when taken over", quotes(&view.inventory_book)?),
        ("due from the pool", quotes(&view.due_from_pool)?),
        ("debt to the pool", quotes(&view.debt)?),
        ("equity", quotes(&view.equity)?),
        ("  guardians' claim", quotes(&view.guardians_claim)?),
        ("  protocol's", quotes(&view.protocol_equity)?),
    ];
    rows.extend(view.stress.lines(&quote, decimals.quote)?);
    rows.extend([
        (
            "pipeline headroom",
            format!(
                "{}, and as much as is sold; more while the cover is positive",
                coins(&view.pipeline_headroom)?
            ),
        ),
        ("sells at most", format!("{} an hour", quotes(&view.hourly_flow)?)),
        (
            "owed to keepers",
            format!(
                "{}, and {} for which there is no cash yet",
                quotes(&view.funded_credits)?,
                quotes(&view.unfunded_credits)?
            ),
        ),
        (
            "suppliers lack",
            format!(
                "{}, the guardians' claim {}, if all were settled now",
                quotes(&view.impaired)?,
                quotes(&view.claim_impaired)?
            ),
        ),
        (
            "written off",
            format!(
                "{}, to be paid back first out of {}",
                quotes(&view.written_off)?,
                coins(&view.recovering)?
            ),
        ),
        ("penalties so far", quotes(&view.penalties)?),
        ("deficits so far", quotes(&view.deficits)?),
        ("gain on sales so far", quotes(&view.sales_gain.to_string())?),
        ("guardians' interest", quotes(&view.standby)?),
    ]);
    if let (Some(year), Some(crash)) = (view.guardians_standing_by_bps, view.guardians_in_a_crash_bps) {
        let text = format!(
            "{} a year standing by, {} in a fall of 20%",
            percent(Bps(year)),
            percent(Bps(crash))
        );
        rows.push(("guardians earn", text));
    }
    if let Ok(quotes) = &snapshot.quotes {
        rows.push(("level", level_with_flags(quotes.prices())));
    }
    let mut out = format!("{}  backstop\n\n{}", snapshot.name, lines(&rows));
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

//! `breakwater market`.

mod list;

use std::error::Error;

use breakwater_engine::{
    Bps, Config, Key, Level, MarginAccount, Quote,
    pool::{Pool, interest},
    price::guard::Flags,
    views::risk::DROPS,
};
use clap::Subcommand;
use serde::Serialize;
use serde_json::Value;

use crate::{
    account,
    backstop::Stress,
    chain::Chain,
    format::{self, lines, percent, tokens},
    idl::Idl,
    migrate,
    options::ShowMarket,
    snapshot::Snapshot,
};

#[derive(Subcommand)]
pub enum Command {
    /// Every market of the program
    #[command(after_help = "Example:\n  breakwater market list")]
    List(list::Options),
    /// A market: prices and breaker, pool, what limits new loans, measures of risk, backstop; with --json every
    /// parameter
    #[command(after_help = "Examples:\n  breakwater market show SOL/USDC\n  breakwater market show SOL/USDC --json")]
    Show(ShowMarket),
    /// Creates markets from configuration files, as far as they are not there; the same as `breakwater migrate`
    #[command(after_help = "Example:\n  breakwater market create --url http://127.0.0.1:8899 \
                            --keypair localnet/authority.json --config localnet/market.toml --dry-run")]
    Create(migrate::Options),
}

type Result<T> = std::result::Result<T, Box<dyn Error>>;

pub fn run(command: &Command) -> Result<()> {
    match command {
        Command::List(options) => list::run(options),
        Command::Show(options) => show(options),
        Command::Create(options) => migrate::run(options),
    }
}

/// A market. Amounts in atoms, prices in quote tokens for one collateral token, ratios in bps.
#[derive(Serialize)]
struct View {
    market: String,
    name: String,
    id: u16,
    collateral_mint: String,
    quote_mint: String,
    collateral_decimals: u8,
    quote_decimals: u8,
    collateral_feed: String,
    quote_feed: String,
    unix_time: i64,
    slot: u64,
    /// `null` when the price accounts are not usable now; then `price_error` says why.
    prices: Option<Prices>,
    price_error: Option<String>,
    pool: PoolView,
    ltv: Ltvs,
    /// `null` without prices.
    new_loans: Option<NewLoans>,
    risk: Option<Risk>,
    backstop: Backstop,
    parameters: Value,
}

#[derive(Serialize)]
struct Prices {
    level: &'static str,
    flags: Vec<&'static str>,
    spot: String,
    guarded: String,
    own_ema: String,
    judged_at: String,
    confidence_bps: u32,
    age_seconds: Option<i64>,
    /// Why nothing is liquidated at these prices, if so.
    liquidations_refused: Option<String>,
}

#[derive(Serialize)]
struct PoolView {
    cash: String,
    debt: String,
    assets: String,
    lp_supply: String,
    utilization_bps: u64,
    borrow_rate_bps: u64,
}

#[derive(Serialize)]
struct Ltvs {
    initial_bps: u32,
    target_bps: u32,
    liquidation_bps: u32,
    takeover_bps: u32,
    /// Where an announced ramp takes the liquidation LTV, and when.
    ramp: Option<(u32, i64, i64)>,
}

#[derive(Serialize)]
struct Risk {
    proximity_bps: Option<u32>,
    /// Fall of the price, bps, and debt of the accounts that it makes liquidatable.
    debt_within: Vec<(u32, String)>,
    deviation_bps: u32,
}

#[derive(Serialize)]
struct Backstop {
    cash: String,
    inventory: String,
    debt: String,
    funded_credits: String,
    unfunded_credits: String,
    guardians_claim: String,
    /// Stress that it can stand; `null` without prices.
    stress: Option<Stress>,
    /// Inventory that is still taken over while the cover is negative, collateral atoms.
    pipeline_headroom: Option<String>,
    /// Most that is sold in an hour, quote atoms at the higher EMA.
    hourly_flow: String,
}

/// The largest loan that the market gives one account with plenty of collateral, and the rule that binds.
#[derive(Serialize)]
struct NewLoans {
    most: String,
    bound_by: String,
}

fn show(options: &ShowMarket) -> Result<()> {
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
    let Snapshot {
        market, clock, keys, ..
    } = snapshot;
    let failed = |error| format!("{}: {error:?}", snapshot.name);
    let books = market.books_at(*clock).map_err(failed)?;
    let mut parameters = Idl::embedded()
        .account("Market", &snapshot.data)
        .ok_or("the market cannot be read by this command's IDL")?;
    let quotes = snapshot.quotes.as_ref().ok();
    let balance_sheet = quotes.and_then(|quotes| quotes.balance_sheet().ok());
    let number = |amount: u64| amount.to_string();
    Ok(View {
        market: keys.market.to_string(),
        name: snapshot.name.clone(),
        id: market.id,
        collateral_mint: keys.collateral_mint.to_string(),
        quote_mint: keys.quote_mint.to_string(),
        collateral_decimals: market.collateral_decimals,
        quote_decimals: market.quote_decimals,
        collateral_feed: keys.collateral_feed.to_string(),
        quote_feed: keys.quote_feed.to_string(),
        unix_time: clock.unix,
        slot: clock.slot,
        prices: quotes.map(|quotes| prices(snapshot, quotes.prices())),
        price_error: snapshot.quotes.as_ref().err().cloned(),
        pool: pool(&books.pool, &market.config)?,
        ltv: Ltvs {
            initial_bps: market.config.initial_ltv.0,
            target_bps: market.config.target_ltv.0,
            liquidation_bps: market.liquidation_ltv(*clock).0,
            takeover_bps: market.config.takeover_ltv.0,
            ramp: (market.ramp.ends_at > clock.unix).then_some((
                market.ramp.to.0,
                market.ramp.starts_at,
                market.ramp.ends_at,
            )),
        },
        new_loans: quotes.map(|_| new_loans(snapshot)),
        risk: quotes.and_then(|quotes| quotes.risk().ok()).map(|risk| Risk {
            proximity_bps: risk.proximity.map(|bps| bps.0),
            debt_within: DROPS
                .iter()
                .zip(risk.debt_within)
                .map(|(drop, debt)| (drop.0, number(debt.0)))
                .collect(),
            deviation_bps: risk.deviation.0,
        }),
        backstop: Backstop {
            cash: number(books.backstop.cash.0),
            inventory: number(books.backstop.inventory.0),
            debt: number(books.pool.index.debt(books.backstop.debt_shares).map_err(failed)?.0),
            funded_credits: number(books.backstop.funded_credits.0),
            unfunded_credits: number(books.backstop.unfunded_credits.0),
            guardians_claim: number(books.guardians.claim.0),
            stress: balance_sheet.as_ref().map(Stress::of),
            pipeline_headroom: balance_sheet.map(|balance_sheet| number(balance_sheet.pipeline_headroom.0)),
            hourly_flow: number(market.config.hourly_flow().0),
        },
        parameters: parameters["config"].take(),
    })
}

/// See [`NewLoans`]. Asks for an account whose collateral is worth ten times the pool's cash.
fn new_loans(snapshot: &Snapshot) -> NewLoans {
    let asked = snapshot.trading().and_then(|quotes| {
        let plenty = Quote(quotes.market().books.pool.cash.0.saturating_mul(10));
        let account = MarginAccount {
            collateral: quotes.judged_at().divisor()?.collateral_floor(plenty)?,
            ..MarginAccount::new(Key::default(), Key::default(), 0, 0)
        };
        quotes.max_borrow(&account)
    });
    let (most, bound_by) = account::most(asked);
    NewLoans {
        most: most.0.to_string(),
        bound_by,
    }
}

fn prices(snapshot: &Snapshot, prices: &breakwater_engine::Prices) -> Prices {
    let decimals = snapshot.decimals();
    Prices {
        level: level(prices.level()),
        flags: flags(prices.flags()),
        spot: format::price(prices.spot(), decimals),
        guarded: format::price(prices.guarded(), decimals),
        own_ema: format::price(prices.own_ema(), decimals),
        judged_at: format::price(prices.spot().max(prices.guarded()), decimals),
        confidence_bps: prices.oracle_price().confidence().0,
        age_seconds: snapshot.price_age(),
        liquidations_refused: prices.liquidation().err().map(|error| format!("{error:?}")),
    }
}

fn pool(pool: &Pool, config: &Config) -> Result<PoolView> {
    let failed = |error| format!("the pool: {error:?}");
    let utilization = pool.utilization().map_err(failed)?;
    Ok(PoolView {
        cash: pool.cash.0.to_string(),
        debt: pool.debt().map_err(failed)?.0.to_string(),
        assets: pool.assets().map_err(failed)?.0.to_string(),
        lp_supply: pool.lp_supply.0.to_string(),
        utilization_bps: utilization,
        borrow_rate_bps: interest::rate(config, utilization).map_err(failed)?,
    })
}

/// The level's name.
pub fn level(level: Level) -> &'static str {
    match level {
        Level::Normal => "Normal",
        Level::Guarded => "Guarded",
        Level::Halted => "Halted",
    }
}

/// The names of the flags that are raised.
pub fn flags(flags: Flags) -> Vec<&'static str> {
    let names = [
        (Flags::VELOCITY, "velocity"),
        (Flags::OWN_EMA, "own EMA"),
        (Flags::EMA, "Pyth's EMA"),
        (Flags::NO_EMA, "no EMA of Pyth"),
        (Flags::CONFIDENCE_GUARD, "confidence"),
        (Flags::CONFIDENCE_HALT, "confidence, hard limit"),
        (Flags::EMERGENCY_HALT, "emergency halt"),
    ];
    let raised = names.iter().filter(|(flag, _)| flags.has(*flag));
    raised.map(|(_, name)| *name).collect()
}

/// "Guarded (velocity, own EMA)".
pub fn level_with_flags(prices: &breakwater_engine::Prices) -> String {
    let raised = flags(prices.flags());
    let level = level(prices.level());
    if raised.is_empty() {
        return level.to_owned();
    }
    format!("{level} ({})", raised.join(", "))
}

fn text(snapshot: &Snapshot, view: &View) -> Result<String> {
    let (collateral, quote) = snapshot.symbols();
    let decimals = snapshot.decimals();
    let quote_tokens =
        |atoms: &str| -> Result<String> { Ok(format!("{} {quote}", tokens(atoms.parse()?, decimals.quote))) };
    let mut out = format!("{}  {}\n\n", view.name, view.market);
    let mut rows = Vec::new();
    match (&snapshot.quotes, &view.prices) {
        (Ok(quotes), Some(prices)) => {
            rows.push(("level", level_with_flags(quotes.prices())));
            rows.push((
                "spot",
                format!("{} {quote}, {} s old", prices.spot, prices.age_seconds.unwrap_or(0)),
            ));
            rows.push(("guarded price", prices.guarded.clone()));
            rows.push(("own EMA", prices.own_ema.clone()));
            let refused = prices
                .liquidations_refused
                .clone()
                .map_or_else(String::new, |error| format!(" ({error})"));
            rows.push(("accounts judged at", format!("{}{refused}", prices.judged_at)));
        }
        _ => rows.push(("no price", view.price_error.clone().unwrap_or_default())),
    }
    let pool = &view.pool;
    rows.push(("pool cash", quote_tokens(&pool.cash)?));
    rows.push(("pool debt", quote_tokens(&pool.debt)?));
    let bps = |ratio: u64| percent(Bps(u32::try_from(ratio).unwrap_or(u32::MAX)));
    rows.push(("utilization", bps(pool.utilization_bps)));
    rows.push(("interest", format!("{} a year", bps(pool.borrow_rate_bps))));
    let ltv = &view.ltv;
    rows.push(("initial LTV", percent(Bps(ltv.initial_bps))));
    rows.push(("liquidation LTV", percent(Bps(ltv.liquidation_bps))));
    rows.push((
        "target, take-over",
        format!("{}, {}", percent(Bps(ltv.target_bps)), percent(Bps(ltv.takeover_bps))),
    ));
    if let Some((to, starts, ends)) = ltv.ramp {
        let ramp = format!("to {} from {starts} to {ends} (unix time)", percent(Bps(to)));
        rows.push(("liquidation LTV goes", ramp));
    }
    if let Some(loans) = &view.new_loans {
        let text = format!(
            "to one account at most {}: {}",
            quote_tokens(&loans.most)?,
            loans.bound_by
        );
        rows.push(("new loans", text));
    }
    if let Some(risk) = &view.risk {
        let nearest = risk
            .proximity_bps
            .map_or("no debt".to_owned(), |bps| format!("{} below", percent(Bps(bps))));
        rows.push(("nearest debt", nearest));
        let within = risk.debt_within.iter().map(|(drop, debt)| {
            let debt = tokens(debt.parse()?, decimals.quote);
            Ok(format!("{}% {debt}", drop / 100))
        });
        rows.push(("debt within a fall", within.collect::<Result<Vec<_>>>()?.join("   ")));
        rows.push(("volatility", percent(Bps(risk.deviation_bps))));
    }
    let backstop = &view.backstop;
    if let Some(stress) = &backstop.stress {
        rows.extend(stress.lines(&quote, decimals.quote)?);
    }
    if let Some(headroom) = &backstop.pipeline_headroom {
        rows.push((
            "pipeline headroom",
            format!("{} {collateral}", tokens(headroom.parse()?, decimals.collateral)),
        ));
    }
    rows.push((
        "backstop sells at most",
        format!("{} an hour", quote_tokens(&backstop.hourly_flow)?),
    ));
    rows.push(("backstop cash", quote_tokens(&view.backstop.cash)?));
    let inventory = tokens(view.backstop.inventory.parse()?, decimals.collateral);
    rows.push(("backstop inventory", format!("{inventory} {collateral}")));
    rows.push(("backstop debt", quote_tokens(&view.backstop.debt)?));
    rows.push((
        "owed to keepers",
        format!(
            "{}, and {} for which there is no cash yet",
            quote_tokens(&backstop.funded_credits)?,
            quote_tokens(&backstop.unfunded_credits)?
        ),
    ));
    rows.push(("guardians' claim", quote_tokens(&view.backstop.guardians_claim)?));
    out.push_str(&lines(&rows));
    Ok(out)
}

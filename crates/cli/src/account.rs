//! `breakwater account`.

use std::{error::Error, path::Path};

use anchor_lang::prelude::Pubkey;
use breakwater::state::address;
use breakwater_client::{
    decode,
    quotes::{Largest, Quotes},
};
use breakwater_engine::{Bps, MarginAccount, Quote};
use clap::{ArgGroup, Args, Subcommand, builder::FalseyValueParser};
use serde::Serialize;
use solana_keypair::read_keypair_file;
use solana_signer::Signer;

use crate::{
    chain::Chain,
    format::{lines, percent, price, tokens},
    options::{Cluster, FeedAccounts, MarketName, Output},
    snapshot::Snapshot,
};

/// Exit code of `account show --check` when one of the accounts can be liquidated.
pub const LIQUIDATABLE: u8 = 3;

#[derive(Subcommand)]
pub enum Command {
    /// Margin accounts: debt, health, liquidation price, what may be borrowed, what a liquidation would do
    #[command(
        after_help = "Examples:\n  breakwater account show --market SOL/USDC --owner localnet/alice.json\n  \
                            breakwater account show --market SOL/USDC --owner localnet/bob.json --json"
    )]
    Show(Show),
}

#[derive(Args)]
#[command(group = ArgGroup::new("which").required(true).args(["accounts", "owner"]).multiple(true))]
pub struct Show {
    /// Addresses of margin accounts
    accounts: Vec<Pubkey>,
    /// All accounts of this owner: an address, or a keypair file
    #[arg(long, env = "BREAKWATER_OWNER", requires = "market", value_parser = owner)]
    owner: Option<Pubkey>,
    /// The market in which to look for the owner's accounts: its address, or a pair like SOL/USDC
    #[arg(long, env = "BREAKWATER_MARKET")]
    market: Option<MarketName>,
    /// Exit with code 3 if one of the accounts can be liquidated
    #[arg(long, env = "BREAKWATER_CHECK", value_parser = FalseyValueParser::new())]
    check: bool,
    #[command(flatten)]
    feeds: FeedAccounts,
    #[command(flatten)]
    cluster: Cluster,
    #[command(flatten)]
    output: Output,
}

fn owner(text: &str) -> std::result::Result<Pubkey, String> {
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let keypair = read_keypair_file(Path::new(text));
    keypair
        .map(|keypair| keypair.pubkey())
        .map_err(|error| format!("neither an address nor a keypair file: {error}"))
}

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Shows the accounts. Returns true if one of them can be liquidated, and that was asked for.
pub fn run(command: &Command) -> Result<bool> {
    let Command::Show(options) = command;
    let chain = Chain::new(options.cluster.url());
    let mut views = Vec::new();
    let mut text = String::new();
    let mut seen: Vec<Snapshot> = Vec::new();
    for (key, account) in find(&chain, options)? {
        let market = address(account.market);
        let known = seen.iter().position(|snapshot| snapshot.keys.market == market);
        let index = known.map_or_else(
            || -> Result<usize> {
                seen.push(Snapshot::at(&chain, &market, &options.feeds)?);
                Ok(seen.len() - 1)
            },
            Ok,
        )?;
        let view = View::of(&key, &account, &seen[index])?;
        text.push_str(&describe(&view, &seen[index])?);
        views.push(view);
    }
    if options.output.json {
        println!("{}", serde_json::to_string_pretty(&views)?);
    } else {
        print!("{text}");
    }
    Ok(options.check && views.iter().any(|view| view.liquidatable == Some(true)))
}

fn find(chain: &Chain, options: &Show) -> Result<Vec<(Pubkey, MarginAccount)>> {
    let mut found = Vec::new();
    for (key, account) in options.accounts.iter().zip(chain.accounts(&options.accounts)?) {
        let (_, data) = account.ok_or_else(|| format!("there is no account {key} here"))?;
        found.push((
            *key,
            decode::margin_account(&data).map_err(|error| format!("{key}: {error}"))?,
        ));
    }
    if let (Some(owner), Some(market)) = (options.owner, options.market) {
        // The owner comes after the discriminator and the market.
        let all = chain.program_accounts(breakwater::state::MarginAccount::SPACE, Some((8 + 32, owner)))?;
        let before = found.len();
        for (key, data) in all {
            let Ok(account) = decode::margin_account(&data) else {
                continue;
            };
            if address(account.market) == market.0 {
                found.push((key, account));
            }
        }
        if found.len() == before {
            return Err(format!("{owner} has no account in the market {market}").into());
        }
        found[before..].sort_by_key(|(_, account)| account.id);
    }
    Ok(found)
}

/// A margin account. Amounts in atoms, prices in quote tokens for one collateral token, ratios in bps. Fields that
/// follow from prices are `null` when the market's price accounts are not usable now; then `price_error` says why.
#[derive(Serialize)]
struct View {
    account: String,
    market: String,
    market_name: String,
    owner: String,
    id: u16,
    collateral: String,
    debt: String,
    price_error: Option<String>,
    price: Option<String>,
    value: Option<String>,
    ltv_bps: Option<u32>,
    liquidation_ltv_bps: u32,
    /// Below 10,000 the account can be liquidated. `null` without debt.
    health_factor_bps: Option<u32>,
    liquidatable: Option<bool>,
    liquidation_price: Option<String>,
    /// At it, or below, all of the account is taken over.
    takeover_price: Option<String>,
    /// LTV up to which may be borrowed, at the conservative price.
    initial_ltv_bps: u32,
    max_borrow: Option<String>,
    /// Limit that one atom more is refused for, or any amount.
    borrow_bound_by: Option<String>,
    max_withdraw: Option<String>,
    /// The same of a withdrawal; `null` without debt.
    withdraw_bound_by: Option<String>,
    /// Effects of a liquidation now.
    liquidation: Option<Liquidation>,
    /// Part of it that waits until the backstop has sold some of its inventory: its cover is used up.
    liquidation_waits: Option<String>,
    /// Why there is none, for an account that can be liquidated.
    liquidation_refused: Option<String>,
}

#[derive(Serialize)]
struct Liquidation {
    repaid: String,
    seized: String,
    penalty_bps: u32,
    bounty: String,
    deficit: String,
    debt_after: String,
    collateral_after: String,
    whole: bool,
    taken_over: bool,
}

impl View {
    fn of(key: &Pubkey, account: &MarginAccount, snapshot: &Snapshot) -> Result<Self> {
        let failed = |error| format!("{key}: {error:?}");
        let debt = snapshot
            .market
            .books_at(snapshot.clock)
            .map_err(failed)?
            .pool
            .index
            .debt(account.debt_shares);
        let mut view = Self {
            account: key.to_string(),
            market: snapshot.keys.market.to_string(),
            market_name: snapshot.name.clone(),
            owner: address(account.owner).to_string(),
            id: account.id,
            collateral: account.collateral.0.to_string(),
            debt: debt.map_err(failed)?.0.to_string(),
            price_error: snapshot.quotes.as_ref().err().cloned(),
            price: None,
            value: None,
            ltv_bps: None,
            liquidation_ltv_bps: snapshot.market.liquidation_ltv(snapshot.clock).0,
            health_factor_bps: None,
            liquidatable: None,
            liquidation_price: None,
            takeover_price: None,
            initial_ltv_bps: snapshot.market.config.initial_ltv.0,
            max_borrow: None,
            borrow_bound_by: None,
            max_withdraw: None,
            withdraw_bound_by: None,
            liquidation: None,
            liquidation_waits: None,
            liquidation_refused: None,
        };
        if let Ok(quotes) = &snapshot.quotes {
            view.judge(account, snapshot, quotes).map_err(failed)?;
        }
        Ok(view)
    }

    fn judge(
        &mut self,
        account: &MarginAccount,
        snapshot: &Snapshot,
        quotes: &Quotes,
    ) -> breakwater_engine::Result<()> {
        let health = quotes.health(account)?;
        self.price = Some(price(quotes.judged_at(), snapshot.decimals()));
        self.value = Some(health.value.0.to_string());
        self.ltv_bps = Some(health.ltv.0);
        self.health_factor_bps = health.factor.map(|factor| factor.0);
        self.liquidatable = Some(health.liquidatable);
        self.liquidation_price = health.liquidation_price.map(|at| price(at, snapshot.decimals()));
        self.takeover_price = health.takeover_price.map(|at| price(at, snapshot.decimals()));
        // What an instruction would be refused for, whatever its amount, allows nothing.
        let trading = snapshot.trading();
        let trading = trading.as_ref().map_err(|refused| *refused);
        let (borrow, bound_by) = most(trading.and_then(|quotes| quotes.max_borrow(account)));
        self.max_borrow = Some(borrow.0.to_string());
        self.borrow_bound_by = Some(bound_by);
        let withdraw = if account.has_debt() {
            let (withdraw, bound_by) = most(trading.and_then(|quotes| quotes.max_withdrawal(account)));
            self.withdraw_bound_by = Some(bound_by);
            withdraw
        } else {
            account.collateral
        };
        self.max_withdraw = Some(withdraw.0.to_string());
        match quotes.preview(account) {
            Ok(preview) => {
                self.liquidation_waits = (preview.waiting > Quote::ZERO).then(|| preview.waiting.0.to_string());
                self.liquidation = preview.done.map(|done| Liquidation {
                    repaid: done.repaid.0.to_string(),
                    seized: done.seized.0.to_string(),
                    penalty_bps: done.penalty.0,
                    bounty: done.bounty.0.to_string(),
                    deficit: done.deficit.0.to_string(),
                    debt_after: done.debt_after.0.to_string(),
                    collateral_after: done.collateral_after.0.to_string(),
                    whole: done.whole,
                    taken_over: done.taken_over,
                });
            }
            Err(error) if health.liquidatable => self.liquidation_refused = Some(format!("{error:?}")),
            Err(_) => {}
        }
        Ok(())
    }
}

/// The largest amount and the name of the rule that binds; nothing where no amount is accepted.
pub fn most<A: Default>(asked: breakwater_engine::Result<Largest<A>>) -> (A, String) {
    match asked {
        Ok(most) => (most.amount, format!("{:?}", most.bound_by)),
        Err(refused) => (A::default(), format!("{refused:?}")),
    }
}

fn describe(view: &View, snapshot: &Snapshot) -> Result<String> {
    let (collateral, quote) = snapshot.symbols();
    let decimals = snapshot.decimals();
    let quotes = |atoms: &str| -> Result<String> { Ok(format!("{} {quote}", tokens(atoms.parse()?, decimals.quote))) };
    let coins =
        |atoms: &str| -> Result<String> { Ok(format!("{} {collateral}", tokens(atoms.parse()?, decimals.collateral))) };
    let mut rows = vec![
        ("owner", format!("{}, number {}", view.owner, view.id)),
        ("collateral", coins(&view.collateral)?),
        ("debt", quotes(&view.debt)?),
    ];
    if let Some(error) = &view.price_error {
        rows.push(("no price", error.clone()));
    }
    if let (Some(price), Some(value), Some(ltv)) = (&view.price, &view.value, view.ltv_bps) {
        rows.push(("worth", format!("{} at {price}", quotes(value)?)));
        let limit = percent(Bps(view.liquidation_ltv_bps));
        rows.push(("LTV", format!("{}; liquidated above {limit}", percent(Bps(ltv)))));
    }
    if let Some(factor) = view.health_factor_bps {
        let word = if view.liquidatable == Some(true) {
            "can be liquidated"
        } else {
            "healthy"
        };
        rows.push(("health", format!("{:.4}, {word}", f64::from(factor) / 1e4)));
    }
    if let Some(at) = &view.liquidation_price {
        rows.push(("liquidation price", format!("{at} {quote}")));
    }
    if let Some(at) = &view.takeover_price {
        rows.push(("taken over whole at", format!("{at} {quote}")));
    }
    rows.push(("borrows up to", format!("{} LTV", percent(Bps(view.initial_ltv_bps)))));
    let bound = |by: &Option<String>| by.as_ref().map_or_else(String::new, |by| format!("; beyond: {by}"));
    if let (Some(borrow), Some(withdraw)) = (&view.max_borrow, &view.max_withdraw) {
        rows.push(("can borrow", quotes(borrow)? + &bound(&view.borrow_bound_by)));
        rows.push(("can withdraw", coins(withdraw)? + &bound(&view.withdraw_bound_by)));
    }
    if let Some(done) = &view.liquidation {
        let text = format!(
            "{} repaid, {} taken, penalty {}; {} {}",
            quotes(&done.repaid)?,
            coins(&done.seized)?,
            percent(Bps(done.penalty_bps)),
            if done.taken_over {
                "taken over, leaves"
            } else {
                "leaves"
            },
            quotes(&done.debt_after)?
        );
        rows.push(("a liquidation now", text));
    }
    if let Some(waits) = &view.liquidation_waits {
        rows.push((
            "waits",
            format!("{}: the backstop sells what it holds first", quotes(waits)?),
        ));
    }
    if let Some(error) = &view.liquidation_refused {
        rows.push(("a liquidation now", format!("is refused: {error}")));
    }
    Ok(format!("{}  {}\n\n{}\n", view.market_name, view.account, lines(&rows)))
}

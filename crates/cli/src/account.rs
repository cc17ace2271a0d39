//! `breakwater account`.

use std::{error::Error, path::Path};

use anchor_lang::prelude::Pubkey;
use breakwater::state::address;
use breakwater_client::{decode, quotes::Quotes};
use breakwater_engine::{Bps, Collateral, MarginAccount};
use clap::{ArgGroup, Args, Subcommand, builder::FalseyValueParser};
use serde::Serialize;
use solana_keypair::read_keypair_file;
use solana_signer::Signer;

use crate::{
    chain::Chain,
    format::{lines, percent, price, tokens},
    look::Look,
    options::{Cluster, FeedAccounts, MarketName, Output},
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

/// Whether one of them can be liquidated, and that was asked for.
pub fn run(command: &Command) -> Result<bool> {
    let Command::Show(options) = command;
    let chain = Chain::new(options.cluster.url());
    let mut views = Vec::new();
    let mut text = String::new();
    let mut seen: Vec<Look> = Vec::new();
    for (key, account) in find(&chain, options)? {
        let market = address(account.market);
        let known = seen.iter().position(|look| look.keys.market == market);
        let index = known.map_or_else(
            || -> Result<usize> {
                seen.push(Look::at(&chain, &market, &options.feeds)?);
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

/// A margin account. Amounts in atoms, prices in quote tokens for one collateral token, ratios in bps. What follows from
/// prices is `null` when the market's price accounts are not usable now; then `price_error` says why.
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
    /// What may be borrowed up to, at the conservative price.
    initial_ltv_bps: Option<u32>,
    volatility_haircut_bps: Option<u32>,
    crowding_haircut_bps: Option<u32>,
    max_borrow: Option<String>,
    max_withdraw: Option<String>,
    /// What a liquidation would do now.
    liquidation: Option<Liquidation>,
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
    insolvent: bool,
}

impl View {
    fn of(key: &Pubkey, account: &MarginAccount, look: &Look) -> Result<Self> {
        let failed = |error| format!("{key}: {error:?}");
        let debt = look
            .market
            .books_at(look.clock)
            .map_err(failed)?
            .pool
            .index
            .debt(account.debt_shares);
        let mut view = Self {
            account: key.to_string(),
            market: look.keys.market.to_string(),
            market_name: look.name.clone(),
            owner: address(account.owner).to_string(),
            id: account.id,
            collateral: account.collateral.0.to_string(),
            debt: debt.map_err(failed)?.0.to_string(),
            price_error: look.quotes.as_ref().err().cloned(),
            price: None,
            value: None,
            ltv_bps: None,
            liquidation_ltv_bps: look.market.liquidation_ltv(look.clock).0,
            health_factor_bps: None,
            liquidatable: None,
            liquidation_price: None,
            initial_ltv_bps: None,
            volatility_haircut_bps: None,
            crowding_haircut_bps: None,
            max_borrow: None,
            max_withdraw: None,
            liquidation: None,
            liquidation_refused: None,
        };
        if let Ok(quotes) = &look.quotes {
            view.judge(account, look, quotes).map_err(failed)?;
        }
        Ok(view)
    }

    fn judge(&mut self, account: &MarginAccount, look: &Look, quotes: &Quotes) -> breakwater_engine::Result<()> {
        let health = quotes.health(account)?;
        self.price = Some(price(quotes.judged_at(), look.decimals()));
        self.value = Some(health.value.0.to_string());
        self.ltv_bps = Some(health.ltv.0);
        self.health_factor_bps = health.factor.map(|factor| factor.0);
        self.liquidatable = Some(health.liquidatable);
        self.liquidation_price = health.liquidation_price.map(|at| price(at, look.decimals()));
        if let Ok(limit) = quotes.market().initial_ltv(account, quotes.prices(), look.clock) {
            self.initial_ltv_bps = Some(limit.limit.0);
            self.volatility_haircut_bps = Some(limit.volatility.0);
            self.crowding_haircut_bps = Some(limit.crowding.0);
        }
        // What an instruction would be refused for, whatever its amount, allows nothing.
        let trading = look.trading();
        let borrow = trading.as_ref().and_then(|quotes| quotes.max_borrow(account).ok());
        let withdraw = match trading {
            _ if !account.has_debt() => account.collateral,
            Some(quotes) => quotes.max_withdrawal(account).unwrap_or_default(),
            None => Collateral::ZERO,
        };
        self.max_borrow = Some(borrow.unwrap_or_default().0.to_string());
        self.max_withdraw = Some(withdraw.0.to_string());
        match quotes.liquidation(account) {
            Ok(done) => {
                self.liquidation = Some(Liquidation {
                    repaid: done.repaid.0.to_string(),
                    seized: done.seized.0.to_string(),
                    penalty_bps: done.penalty.0,
                    bounty: done.bounty.0.to_string(),
                    deficit: done.deficit.0.to_string(),
                    debt_after: done.debt_after.0.to_string(),
                    collateral_after: done.collateral_after.0.to_string(),
                    whole: done.whole,
                    insolvent: done.insolvent,
                });
            }
            Err(error) if health.liquidatable => self.liquidation_refused = Some(format!("{error:?}")),
            Err(_) => {}
        }
        Ok(())
    }
}

fn describe(view: &View, look: &Look) -> Result<String> {
    let (collateral, quote) = look.symbols();
    let decimals = look.decimals();
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
    if let Some(limit) = view.initial_ltv_bps {
        let haircuts = [
            ("volatility", view.volatility_haircut_bps),
            ("crowding", view.crowding_haircut_bps),
        ];
        let taken = haircuts.iter().filter_map(|(name, bps)| {
            bps.filter(|bps| *bps > 0)
                .map(|bps| format!(", {name} took {}", percent(Bps(bps))))
        });
        rows.push((
            "borrows up to",
            format!("{} LTV{}", percent(Bps(limit)), taken.collect::<String>()),
        ));
    }
    if let (Some(borrow), Some(withdraw)) = (&view.max_borrow, &view.max_withdraw) {
        rows.push(("can borrow", quotes(borrow)?));
        rows.push(("can withdraw", coins(withdraw)?));
    }
    if let Some(done) = &view.liquidation {
        let text = format!(
            "{} repaid, {} taken, penalty {}; leaves {}",
            quotes(&done.repaid)?,
            coins(&done.seized)?,
            percent(Bps(done.penalty_bps)),
            quotes(&done.debt_after)?
        );
        rows.push(("a liquidation now", text));
    }
    if let Some(error) = &view.liquidation_refused {
        rows.push(("a liquidation now", format!("is refused: {error}")));
    }
    Ok(format!("{}  {}\n\n{}\n", view.market_name, view.account, lines(&rows)))
}

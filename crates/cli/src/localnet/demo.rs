//! Sets up a new localnet: a market, and people in it.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use anchor_lang::{
    prelude::Pubkey,
    solana_program::{instruction::Instruction, system_instruction},
};
use anchor_spl::{
    associated_token::{self, spl_associated_token_account},
    token::{self, spl_token},
};
use breakwater_client::{MarketKeys, addresses, feeds, instructions as ix};
use breakwater_engine::Feeds;
use serde::Serialize;
use solana_keypair::{Keypair, read_keypair_file, write_keypair_file};
use solana_signer::Signer;

use super::{
    book::Book,
    net::{Net, owned},
};
use crate::{
    chain::Wallet,
    migrate::Market,
    price_account::{PriceAccount, Shown},
};

type Result<T> = std::result::Result<T, String>;

/// Lamports of everybody.
const LAMPORTS: u64 = 1_000_000_000_000;
/// The actors' holdings and actions, in whole tokens: name, collateral deposited, LTV borrowed up to (bps), collateral
/// kept, quote kept.
const PEOPLE: [(&str, u64, u64, u64, u64); 8] = [
    ("supplier", 0, 0, 0, 100_000),
    ("alice", 100, 6_000, 20, 5_000),
    ("bob", 200, 6_600, 20, 5_000),
    ("carol", 50, 4_000, 20, 5_000),
    ("dave", 0, 0, 20, 0),
    ("keeper", 0, 0, 0, 0),
    ("guardian", 0, 0, 0, 100_000),
    ("buyer", 0, 0, 0, 200_000),
];
/// Quote tokens supplied to the pool, and given to the backstop.
const POOL: u64 = 500_000;
const BACKSTOP: u64 = 50_000;

/// Which price guards the market has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Guards {
    /// A price may jump at will: nothing is clamped, and the market stays Normal
    Open,
    /// The guards of the configuration: a jump makes the market Guarded, and liquidations wait until the guarded price
    /// has followed
    Real,
}

/// The things made, for whoever tries them.
#[derive(Serialize)]
pub struct Demo {
    pub market: String,
    pub name: String,
    pub collateral_mint: String,
    pub quote_mint: String,
    pub collateral_feed: String,
    pub quote_feed: String,
    pub actors: Vec<Actor>,
}

#[derive(Serialize)]
pub struct Actor {
    pub name: String,
    pub address: String,
    pub keypair: String,
    /// Margin account number 0, for those who have one.
    pub margin_account: Option<String>,
}

/// A sample of what `breakwater depth` asks: a market of constant product, at whatever price the localnet's feeds are.
const QUOTES: &str = r#"#!/bin/sh
# A sample hook for `breakwater depth`. It reads {"sell": MINT, "for": MINT, "amount": "ATOMS"} and answers as a market of
# constant product would that holds 100,000 SOL and 15,000,000 USDC: its price falls by 1% for a sale of 75,000 USDC.
amount=$(sed 's/.*"amount":"\([0-9]*\)".*/\1/')
awk -v a="$amount" 'BEGIN { x = 1e14; y = 1.5e13; printf "{\"received\":\"%.0f\"}\n", y * a / (x + a) - 0.5 }'
"#;

/// Writes the sample as a command.
fn write_quotes(folder: &Path) -> std::io::Result<()> {
    let file = folder.join("quotes.sh");
    fs::write(&file, QUOTES)?;
    let mut permissions = fs::metadata(&file)?.permissions();
    permissions.set_mode(0o755);
    fs::set_permissions(&file, permissions)
}

/// Keypairs in a folder: those that are there, new ones otherwise, so that addresses survive a restart.
fn keypair(folder: &Path, name: &str) -> Result<Keypair> {
    let file = folder.join(format!("{name}.json"));
    let at = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    if file.exists() {
        return read_keypair_file(&file).map_err(|error| at(&error));
    }
    let keypair = Keypair::new();
    write_keypair_file(&keypair, &file).map_err(|error| at(&error))?;
    Ok(keypair)
}

/// The program, its market of `file` and the actors, at these USD prices of collateral and quote, which go into the
/// book.
pub fn build(net: &Net, file: &Market, folder: &Path, elf: &[u8], prices: [Shown; 2], book: &Book) -> Result<Demo> {
    let at = |error: std::io::Error| format!("{}: {error}", folder.display());
    fs::create_dir_all(folder)
        .and_then(|()| write_quotes(folder))
        .map_err(at)?;
    let authority = keypair(folder, "authority")?;
    let authority_key = authority.pubkey();
    net.airdrop(&authority_key, LAMPORTS)?;
    net.deploy(&breakwater::ID, &authority_key, elf)?;
    let sides = [&file.collateral, &file.quote];
    for side in sides {
        net.mint(&side.mint, side.decimals, &authority_key)?;
    }
    let shown = publish(net, file, prices, book)?;
    let [collateral, quote] = sides.map(|side| (side.mint, token::ID, Pubkey::default()));
    let keys = MarketKeys::derive(collateral, quote, file.id).with_feeds(shown);

    let wallet = Wallet::new(&net.url, authority);
    let args = file.creation();
    let named = |what: &str| {
        let what = what.to_owned();
        move |error: String| format!("{what}: {error}")
    };
    wallet
        .send(ix::initialize(&authority_key))
        .map_err(named("the protocol"))?;
    wallet
        .send(ix::create_depth_budget(&authority_key, &file.depth.budget))
        .map_err(named("the depth budget"))?;
    let budget = addresses::depth_budget(&file.depth.budget);
    let create = [
        ix::create_market(&keys, &authority_key, &budget, args),
        ix::observe_price(&keys),
    ];
    wallet.send_all(&create, &[]).map_err(named("the market"))?;
    let mut actors = Vec::new();
    let people: Vec<Keypair> = PEOPLE
        .iter()
        .map(|(name, ..)| keypair(folder, name))
        .collect::<Result<_>>()?;
    for ((name, deposit, ltv, spare, cash), person) in PEOPLE.iter().zip(&people) {
        let key = person.pubkey();
        net.airdrop(&key, LAMPORTS)?;
        let demo = DemoMarket {
            file,
            keys: &keys,
            authority: authority_key,
            person: key,
            prices: prices.map(|shown| shown.price.unsigned_abs()),
        };
        demo.act(&wallet, person, name, [*deposit, *ltv, *spare, *cash])
            .map_err(named(name))?;
        let margin_account = (*deposit > 0).then(|| addresses::margin_account(&keys.market, &key, 0).to_string());
        actors.push(Actor {
            name: (*name).to_owned(),
            address: key.to_string(),
            keypair: folder.join(format!("{name}.json")).display().to_string(),
            margin_account,
        });
    }
    Ok(Demo {
        market: keys.market.to_string(),
        name: file.name.clone(),
        collateral_mint: keys.collateral_mint.to_string(),
        quote_mint: keys.quote_mint.to_string(),
        collateral_feed: keys.collateral_feed.to_string(),
        quote_feed: keys.quote_feed.to_string(),
        actors,
    })
}

/// Writes the price accounts that the file pins, and enters them in the book. The redemption rate of collateral is 1.
fn publish(net: &Net, file: &Market, prices: [Shown; 2], book: &Book) -> Result<Feeds<Option<Pubkey>>> {
    let clock = net.clock();
    let at = |shown| Shown {
        published: clock.unix,
        ..shown
    };
    let [collateral, quote] = prices.map(at);
    let shown = Feeds {
        collateral,
        quote,
        base: collateral,
        rate: at(Shown::standing(100_000_000)),
    };
    file.feeds()
        .zip(shown)
        .zip(Feeds::NAMES)
        .try_map(|((pin, shown), name)| {
            if pin.is_none() {
                return Ok(None);
            }
            let address =
                feeds::default_account(&pin).ok_or("a localnet needs feeds of a known receiver, or push feeds")?;
            let mut account = PriceAccount::new(&pin, &address, shown);
            account.show(shown, clock.slot);
            book.add(&format!("{name} of {}", file.name), &pin, address, shown);
            net.write(&address, owned(Pubkey::new_from_array(pin.owner.0), account.data()))?;
            Ok(Some(address))
        })
}

/// Any price is taken as it is, and the averages follow at once.
const OPEN: [(&str, u32); 8] = [
    ("max_velocity", 10_000),
    ("velocity_horizon", 3_600),
    ("velocity_slack", 10_000),
    ("own_ema_band", 10_000),
    ("own_ema_seconds", 1),
    ("ema_band", 10_000),
    ("auction_floor_band", 10_000),
    ("volatility_max", 0),
];

/// A configuration file's text with the price guards as wanted.
pub fn with_guards(text: &str, guards: Guards) -> String {
    if guards == Guards::Real {
        return text.to_owned();
    }
    let open = |line: &str| {
        let name = line.split('=').next().unwrap_or_default().trim();
        let found = OPEN.iter().find(|(known, _)| *known == name);
        found.map_or_else(|| format!("{line}\n"), |(name, value)| format!("{name} = {value}\n"))
    };
    text.lines().map(open).collect()
}

/// The setting of one actor's first actions.
struct DemoMarket<'a> {
    file: &'a Market,
    keys: &'a MarketKeys,
    authority: Pubkey,
    person: Pubkey,
    /// Prices of collateral and quote, as mantissas of the same exponent.
    prices: [u64; 2],
}

impl DemoMarket<'_> {
    fn act(&self, wallet: &Wallet, person: &Keypair, name: &str, plan: [u64; 4]) -> Result<()> {
        let (keys, key) = (self.keys, self.person);
        let collateral = |whole: u64| whole * 10u64.pow(self.file.collateral.decimals.into());
        let quote = |whole: u64| whole * 10u64.pow(self.file.quote.decimals.into());
        let [deposit, ltv, spare, cash] = plan;
        let mut all = Vec::new();
        let pool = if name == "supplier" { POOL + BACKSTOP } else { 0 };
        self.hold(&mut all, &keys.collateral_mint, collateral(deposit + spare));
        self.hold(&mut all, &keys.quote_mint, quote(cash + pool));
        match name {
            "supplier" => {
                self.hold(&mut all, &keys.lp_mint, 0);
                all.push(ix::supply(keys, &key, quote(POOL), 0));
                all.push(ix::fund_backstop(keys, &key, quote(BACKSTOP)));
            }
            "keeper" => all.push(ix::open_keeper_ledger(keys, &key)),
            _ if deposit > 0 => {
                let account = addresses::margin_account(&keys.market, &key, 0);
                all.push(ix::open_account(keys, &key, &key, 0));
                all.push(ix::deposit_collateral(keys, &account, &key, collateral(deposit)));
                all.push(ix::borrow(keys, &account, &key, self.loan(deposit, ltv)));
            }
            _ => {}
        }
        wallet.send_all(&all, &[person]).map(|_| ())
    }

    /// Quote atoms that `deposit` whole collateral tokens carry at this LTV.
    fn loan(&self, deposit: u64, ltv: u64) -> u64 {
        let [collateral, quote] = self.prices.map(u128::from);
        let one = 10u128.pow(self.file.quote.decimals.into());
        let atoms = u128::from(deposit) * collateral * one / quote * u128::from(ltv) / 10_000;
        u64::try_from(atoms).unwrap_or(u64::MAX)
    }

    /// The associated account of a mint with so many atoms.
    fn hold(&self, all: &mut Vec<Instruction>, mint: &Pubkey, amount: u64) {
        let (person, authority) = (self.person, self.authority);
        let account = associated_token::get_associated_token_address(&person, mint);
        all.push(
            spl_associated_token_account::instruction::create_associated_token_account_idempotent(
                &authority,
                &person,
                mint,
                &token::ID,
            ),
        );
        if amount == 0 {
            return;
        }
        if *mint == spl_token::native_mint::ID {
            all.push(system_instruction::transfer(&person, &account, amount));
            all.extend(spl_token::instruction::sync_native(&token::ID, &account));
        } else {
            all.extend(spl_token::instruction::mint_to(
                &token::ID,
                mint,
                &account,
                &authority,
                &[],
                amount,
            ));
        }
    }
}

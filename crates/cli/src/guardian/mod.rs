//! `breakwater guardian run`: a bot for capital that stands behind a backstop.

#[cfg(test)]
mod crashes;
mod strategy;

use std::{
    error::Error,
    time::{Duration, Instant},
};

use anchor_spl::token_interface::TokenAccount;
use breakwater_client::{addresses, decode, instructions as ix, quotes::Quotes};
use breakwater_engine::{Bps, GuardianPosition, Key, Quote};
use clap::{Args, Subcommand, builder::FalseyValueParser};
use serde_json::json;
use strategy::{Decision, Limits, Sight, Step, decide};

use crate::{
    chain::{Chain, Wallet},
    format::tokens,
    options::{Cluster, FeedAccounts, MarketName, Output, Signing},
    price::mantissa,
    snapshot::Snapshot,
    stop,
};

#[derive(Subcommand)]
pub enum Command {
    /// Joins a backstop when a cascade is near and its penalties pay, or standing by does, and asks to leave when it is
    /// over
    #[command(
        after_help = "Example:\n  breakwater guardian run SOL/USDC --keypair localnet/guardian.json --capital 10000 --dry-run \
                            --once\n\nThe strategy is one function: crates/cli/src/guardian/strategy.rs. Capital can be lost: \
                            docs/backstop.md, \"Loss\"."
    )]
    Run(Options),
}

#[derive(Args)]
pub struct Options {
    /// The market: its address, or a pair like SOL/USDC
    #[arg(env = "BREAKWATER_MARKET")]
    market: MarketName,
    #[command(flatten)]
    signing: Signing,
    #[command(flatten)]
    limits: LimitOptions,
    /// Say what would be done and why, and send nothing
    #[arg(long, env = "BREAKWATER_DRY_RUN", value_parser = FalseyValueParser::new())]
    dry_run: bool,
    /// Decide once and end
    #[arg(long, env = "BREAKWATER_ONCE", value_parser = FalseyValueParser::new())]
    once: bool,
    /// Seconds between two looks
    #[arg(long, env = "BREAKWATER_INTERVAL", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    interval: u64,
    /// Priority fee, millionths of a lamport for each compute unit
    #[arg(long, env = "BREAKWATER_PRIORITY_FEE", default_value_t = 0)]
    priority_fee: u64,
    #[command(flatten)]
    feeds: FeedAccounts,
    #[command(flatten)]
    cluster: Cluster,
    #[command(flatten)]
    output: Output,
}

/// Limits set by the owner of the capital.
#[derive(Args)]
struct LimitOptions {
    /// Most to put in, quote tokens
    #[arg(long, env = "BREAKWATER_GUARDIAN_CAPITAL", value_name = "TOKENS")]
    capital: String,
    /// Least to put in, quote tokens
    #[arg(
        long,
        env = "BREAKWATER_GUARDIAN_LEAST",
        value_name = "TOKENS",
        default_value = "100"
    )]
    least: String,
    /// The fall of the price that is prepared for, bps
    #[arg(
        long,
        env = "BREAKWATER_GUARDIAN_DROP",
        value_name = "BPS",
        default_value_t = 2_000,
        value_parser = clap::value_parser!(u32).range(1..10_000)
    )]
    drop: u32,
    /// A cascade is near only if the nearest debt is at most this far below the price, bps
    #[arg(
        long,
        env = "BREAKWATER_GUARDIAN_PROXIMITY",
        value_name = "BPS",
        default_value_t = 500
    )]
    proximity: u32,
    /// … and if what the backstop has is at most this part of what that fall has it take over, bps
    #[arg(
        long,
        env = "BREAKWATER_GUARDIAN_DEPTH_RATIO",
        value_name = "BPS",
        default_value_t = 10_000
    )]
    depth_ratio: u32,
    /// Least share of penalties that the fall would earn, bps of what is put in
    #[arg(long, env = "BREAKWATER_GUARDIAN_RETURN", value_name = "BPS", default_value_t = 50)]
    least_return: u32,
    /// Stands by without a cascade for at least this, bps a year; 0 never does
    #[arg(long, env = "BREAKWATER_GUARDIAN_YIELD", value_name = "BPS", default_value_t = 0)]
    least_yield: u32,
    /// Least that the protocol's own capital must have to spare after the market's stress fall, bps of the debt that
    /// the fall prepared for has the backstop take over
    #[arg(long, env = "BREAKWATER_GUARDIAN_RESERVE", value_name = "BPS", default_value_t = 0)]
    reserve: u32,
    /// How long nothing must have been near before it asks to leave, seconds: capital that was asked for earns nothing
    /// until the cooldown is over, and cannot be taken back before
    #[arg(
        long,
        env = "BREAKWATER_GUARDIAN_CALM",
        value_name = "SECONDS",
        default_value_t = 86_400
    )]
    calm: u32,
}

type Result<T> = std::result::Result<T, Box<dyn Error>>;

impl LimitOptions {
    fn limits(&self, decimals: u8) -> Result<Limits> {
        let atoms = |text: &str| -> Result<Quote> { Ok(Quote(mantissa(text, -i32::from(decimals))?.unsigned_abs())) };
        Ok(Limits {
            capital: atoms(&self.capital)?,
            least: atoms(&self.least)?,
            drop: Bps(self.drop),
            proximity: Bps(self.proximity),
            depth_ratio: Bps(self.depth_ratio),
            least_return: Bps(self.least_return),
            least_yield: Bps(self.least_yield),
            reserve: Bps(self.reserve),
            calm_seconds: self.calm.into(),
        })
    }
}

pub fn run(command: &Command) -> Result<()> {
    let Command::Run(options) = command;
    let mut bot = Bot {
        wallet: Wallet::new(options.cluster.url(), options.signing.read()?).paying(options.priority_fee),
        options,
        quiet_since: Instant::now(),
        told: None,
    };
    let stop = stop::requested()?;
    loop {
        match bot.look() {
            Err(error) if !options.once => eprintln!("breakwater: {error}; trying again"),
            result => result?,
        }
        if options.once || stop.recv_timeout(Duration::from_secs(options.interval)).is_ok() {
            return Ok(());
        }
    }
}

struct Bot<'a> {
    wallet: Wallet,
    options: &'a Options,
    /// When something was last near, as far as this process has seen: a new one waits the whole time anew.
    quiet_since: Instant,
    /// Decision said last: the same is not said twice.
    told: Option<Decision>,
}

impl Bot<'_> {
    /// Looks once, decides, and acts.
    fn look(&mut self) -> Result<()> {
        let chain = self.wallet.chain();
        let snapshot = Snapshot::at(chain, &self.options.market.0, &self.options.feeds)?;
        let quotes = snapshot.quotes.as_ref().map_err(Clone::clone)?;
        let limits = self.options.limits.limits(snapshot.market.quote_decimals)?;
        let calm_for = i64::try_from(self.quiet_since.elapsed().as_secs())?;
        let (sight, opened) = self.sight(chain, &snapshot, quotes, &limits, calm_for)?;
        if strategy::is_near(&limits, &sight) {
            self.quiet_since = Instant::now();
        }
        let decision = decide(&limits, &sight);
        let signature = if self.options.dry_run {
            None
        } else {
            self.act(&snapshot, &decision.step, opened)?
        };
        self.tell(&snapshot, decision, signature);
        Ok(())
    }

    fn sight(
        &self,
        chain: &Chain,
        snapshot: &Snapshot,
        quotes: &Quotes,
        limits: &Limits,
        calm_for: i64,
    ) -> Result<(Sight, bool)> {
        let failed = |error| format!("{}: {error:?}", snapshot.name);
        let guardian = self.wallet.signer();
        let wanted = [
            addresses::guardian_position(&snapshot.keys.market, &guardian),
            snapshot.keys.quote_of(&guardian),
        ];
        let found = chain.accounts(&wanted)?;
        let (position, cash) = (
            found.first().and_then(Option::as_ref),
            found.get(1).and_then(Option::as_ref),
        );
        let stored = match position {
            Some((_, data)) => decode::guardian_position(data).map_err(|error| error.to_string())?,
            None => GuardianPosition::new(Key(snapshot.keys.market.to_bytes()), Key(guardian.to_bytes()), 0),
        };
        let cash = match cash {
            Some((_, data)) => anchor_lang::AccountDeserialize::try_deserialize(&mut data.as_slice())
                .map(|account: TokenAccount| account.amount)
                .map_err(|error| format!("{}: {error}", wanted[1]))?,
            None => 0,
        };
        let sight = Sight::of(quotes, limits, &stored, Quote(cash), calm_for).map_err(failed)?;
        Ok((sight, position.is_some()))
    }

    /// Returns the signature of what was sent.
    fn act(&self, snapshot: &Snapshot, step: &Step, opened: bool) -> Result<Option<String>> {
        let (keys, guardian) = (&snapshot.keys, self.wallet.signer());
        let instructions = match step {
            Step::Wait => return Ok(None),
            Step::Join(amount) => {
                let open = (!opened).then(|| ix::open_guardian_position(keys, &guardian));
                // What the claim lacked when it was decided, and a thousandth of what is put in.
                let lacks = snapshot
                    .market
                    .claim_impairment(snapshot.clock)
                    .map_or(0, |lacks| lacks.0);
                let most = lacks.saturating_add(amount.0 / 1_000);
                let join = ix::guardian_deposit(keys, &guardian, amount.0, 0, most);
                open.into_iter().chain([join]).collect()
            }
            Step::Ask(shares) => vec![ix::guardian_request(keys, &guardian, shares.0, 0)],
            Step::Stay => vec![ix::guardian_request(keys, &guardian, 0, 0)],
            Step::Leave(least) => vec![ix::guardian_withdraw(keys, &guardian, u64::MAX, least.0)],
        };
        Ok(Some(self.wallet.send_all(&instructions, &[])?))
    }

    fn tell(&mut self, snapshot: &Snapshot, decision: Decision, signature: Option<String>) {
        if self.told.as_ref() == Some(&decision) && signature.is_none() {
            return;
        }
        let (_, quote) = snapshot.symbols();
        let amount = |atoms: Quote| format!("{} {quote}", tokens(atoms.0, snapshot.market.quote_decimals));
        let (name, what) = match decision.step {
            Step::Join(put) => ("join", format!("join with {}", amount(put))),
            Step::Ask(shares) => ("ask", format!("ask to leave with {} shares", shares.0)),
            Step::Stay => ("stay", "take the request to leave back".to_owned()),
            Step::Leave(least) => ("leave", format!("leave for at least {}", amount(least))),
            Step::Wait => ("wait", "wait".to_owned()),
        };
        if self.options.output.json {
            let (amount, shares) = match decision.step {
                Step::Join(put) | Step::Leave(put) => (Some(put.0.to_string()), None),
                Step::Ask(shares) => (None, Some(shares.0.to_string())),
                Step::Stay | Step::Wait => (None, None),
            };
            let line = json!({
                "unix_time": snapshot.clock.unix,
                "step": name,
                "amount": amount,
                "shares": shares,
                "why": decision.why,
                "dry_run": self.options.dry_run,
                "signature": signature,
            });
            println!("{line}");
        } else {
            let would = if self.options.dry_run && decision.step != Step::Wait {
                "would "
            } else {
                ""
            };
            let sent = signature.map_or_else(String::new, |signature| format!("  {signature}"));
            println!("{} {would}{what}: {}{sent}", snapshot.clock.unix, decision.why);
        }
        self.told = Some(decision);
    }
}

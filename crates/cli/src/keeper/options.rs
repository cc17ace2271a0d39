//! The flags of `breakwater keeper run`. Each has an environment variable.

use std::{net::SocketAddr, path::PathBuf, str::FromStr, time::Duration};

use anchor_lang::prelude::Pubkey;
use breakwater_keeper::{
    Settings, TableSettings, crank::Cranks, fee::FeePolicy, hermes::feed_id, post::own_shard, rpc_pool::name_of,
};
use clap::{Args, ValueEnum, builder::FalseyValueParser};
use solana_keypair::{Keypair, read_keypair_file};
use tracing::level_filters::LevelFilter;

use crate::{hermes::Source, options::MarketName};

/// `breakwater keeper run`.
#[derive(Args)]
#[command(after_help = "\
Example:
  breakwater keeper run --market SOL/USDC --keypair localnet/keeper.json --url http://127.0.0.1:8899 --once

Exit codes: 0 done, or told to stop; 1 failed; 2 wrong usage.")]
pub struct Run {
    /// The market: its address, or a pair like SOL/USDC
    #[arg(long, env = "BREAKWATER_MARKET")]
    pub market: MarketName,
    /// Nodes of the cluster, the more the better: bad ones are left out [repeatable, or separated by commas]
    #[arg(
        long,
        env = "BREAKWATER_URL",
        value_delimiter = ',',
        default_value = "http://127.0.0.1:8899"
    )]
    pub url: Vec<String>,
    /// Their WebSockets, in the same order [default: the URL's, of the next port if it names one]
    #[arg(long, env = "BREAKWATER_WS_URL", value_delimiter = ',')]
    pub ws_url: Vec<String>,
    /// The genesis hash that every node must have [default: that of the first node that answers]
    #[arg(long, env = "BREAKWATER_GENESIS")]
    pub genesis: Option<String>,
    /// The file with the keeper's keypair: it pays the fees and earns the bounties
    #[arg(long, env = "BREAKWATER_KEYPAIR")]
    keypair: PathBuf,
    /// Accounts that hold updates of pull feeds, as FEED_ID:ACCOUNT; the newest is shown, also of those that the keeper
    /// itself posts to [default: the accounts that Pyth keeps]
    #[arg(long, env = "BREAKWATER_PRICE_ACCOUNT", value_delimiter = ',')]
    pub price_account: Vec<PriceAccount>,
    /// Signed prices to post where the accounts that others post to are too old; without it somebody else must post
    #[command(flatten)]
    pub hermes: Source,
    /// Post a price when it has moved so many basis points from the newest account; whatever its move, it is posted when
    /// that is too old for what is due, or accounts are due at it that were not before
    #[arg(long, env = "BREAKWATER_POST_BPS", default_value_t = 50)]
    post_bps: u64,
    /// Shard of the price feed program's accounts to post to [default: the market's own, the same for all its keepers]
    #[arg(long, env = "BREAKWATER_POST_SHARD")]
    post_shard: Option<u16>,
    /// Look once, do what there is to do, wait until it is confirmed, and exit
    #[arg(long, env = "BREAKWATER_ONCE", value_parser = FalseyValueParser::new())]
    pub once: bool,
    /// Simulate everything and send nothing
    #[arg(long, env = "BREAKWATER_DRY_RUN", value_parser = FalseyValueParser::new())]
    #[allow(clippy::struct_field_names, reason = "the name of the flag")]
    dry_run: bool,
    /// Serve /metrics (Prometheus) and /healthz here
    #[arg(long, env = "BREAKWATER_LISTEN")]
    pub listen: Option<SocketAddr>,
    /// How to log, to standard error
    #[arg(long, env = "BREAKWATER_LOG", default_value = "text")]
    pub log: Log,
    /// How much: error, warn, info, debug, trace
    #[arg(long, env = "BREAKWATER_LOG_LEVEL", default_value = "info")]
    pub log_level: LevelFilter,
    /// Milliseconds between two looks at the market; a price that changes is looked at before
    #[arg(long, env = "BREAKWATER_INTERVAL_MS", default_value_t = 1_000)]
    interval_ms: u64,
    /// Seconds between two loads of all accounts; missed updates are noticed before, by the sum of all debt
    #[arg(long, env = "BREAKWATER_RESYNC_SECONDS", default_value_t = 600)]
    resync_seconds: u64,
    /// Seconds that one node is asked before the next is: the longest that one whose lies cannot be told from truth
    /// holds work up
    #[arg(long, env = "BREAKWATER_READER_SECONDS", default_value_t = 10)]
    pub reader_seconds: u64,
    /// Milliseconds that an answer may take
    #[arg(long, env = "BREAKWATER_TIMEOUT_MS", default_value_t = 3_000)]
    pub timeout_ms: u64,
    /// Seconds by which a node's clock may differ from this machine's, before it counts as stale; 0 does not look
    #[arg(long, env = "BREAKWATER_CLOCK_DRIFT_SECONDS", default_value_t = 60)]
    clock_drift_seconds: u32,
    /// Most transactions with liquidations under way
    #[arg(long, env = "BREAKWATER_IN_FLIGHT", default_value_t = 16)]
    in_flight: usize,
    /// Least price of a compute unit, micro-lamports
    #[arg(long, env = "BREAKWATER_FEE_FLOOR", default_value_t = 1_000)]
    fee_floor: u64,
    /// Highest price of a compute unit, micro-lamports: at 1,000,000 a full batch pays 0.0001 SOL on top of the base
    /// fee
    #[arg(long, env = "BREAKWATER_FEE_CAP", default_value_t = 1_000_000)]
    fee_cap: u64,
    /// Which of the recent fees on this market to match, in percent
    #[arg(long, env = "BREAKWATER_FEE_PERCENTILE", default_value_t = 75, value_parser = clap::value_parser!(u8).range(0..=100))]
    fee_percentile: u8,
    /// Show the price when nobody has for so many seconds; 0 never does
    #[arg(long, env = "BREAKWATER_OBSERVE_SECONDS", default_value_t = 15)]
    observe_seconds: u32,
    /// The same while the market is not Normal, or liquidations wait for the guarded price; 0 never does
    #[arg(long, env = "BREAKWATER_OBSERVE_URGENT_SECONDS", default_value_t = 2)]
    observe_urgent_seconds: u32,
    /// Claim bounties from so many quote atoms on that the backstop has cash for; 0 never does
    #[arg(long, env = "BREAKWATER_CLAIM_ABOVE", default_value_t = 0)]
    claim_above: u64,
    /// File of depths measured by `breakwater depth`: warns, in log and metrics, if the market's depth is configured
    /// larger than the measured one
    #[arg(long, env = "BREAKWATER_DEPTH_FILE", value_name = "FILE")]
    depth_file: Option<PathBuf>,
    /// Do not settle deficits
    #[arg(long, env = "BREAKWATER_NO_SETTLE", value_parser = FalseyValueParser::new())]
    no_settle: bool,
    /// Most lookup tables to keep; each holds about 250 accounts and locks about 0.06 SOL
    #[arg(long, env = "BREAKWATER_TABLES", default_value_t = 0)]
    tables: usize,
    /// Put accounts into them that a fall of so many basis points would liquidate
    #[arg(long, env = "BREAKWATER_TABLES_WITHIN", default_value_t = 2_000)]
    tables_within: u64,
    /// Lookup tables to use besides those that are found on the chain
    #[arg(long, env = "BREAKWATER_LOOKUP_TABLE", value_delimiter = ',')]
    lookup_table: Vec<Pubkey>,
}

/// How to log.
#[derive(Clone, Copy, ValueEnum)]
pub enum Log {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// An account that holds updates of a pull feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceAccount {
    pub feed: [u8; 32],
    pub account: Pubkey,
}

impl FromStr for PriceAccount {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (id, account) = text.split_once(':').ok_or("expected FEED_ID:ACCOUNT")?;
        let account = account
            .parse()
            .map_err(|error| format!("{account} is no address: {error}"))?;
        let feed = feed_id(id).ok_or_else(|| format!("{id} is not 64 hexadecimal digits"))?;
        Ok(Self { feed, account })
    }
}

impl Run {
    /// The keypair.
    pub fn keypair(&self) -> Result<Keypair, String> {
        read_keypair_file(&self.keypair).map_err(|error| format!("{}: {error}", self.keypair.display()))
    }

    /// Settings of the keeper.
    pub fn settings(&self) -> Result<Settings, String> {
        if self.interval_ms == 0 || self.in_flight == 0 || self.timeout_ms == 0 {
            return Err("--interval-ms, --in-flight and --timeout-ms must not be zero".to_owned());
        }
        Ok(Settings {
            market: self.market.0,
            interval: Duration::from_millis(self.interval_ms),
            resync: Duration::from_secs(self.resync_seconds.max(1)),
            in_flight: self.in_flight,
            dry_run: self.dry_run,
            fees: FeePolicy {
                floor: self.fee_floor,
                cap: self.fee_cap,
                percentile: self.fee_percentile,
            },
            cranks: Cranks {
                observe_every: self.observe_seconds,
                observe_urgently: self.observe_urgent_seconds,
                claim_above: self.claim_above,
                settle: !self.no_settle,
            },
            tables: TableSettings {
                most: self.tables,
                within: self.tables_within,
                given: self.lookup_table.clone(),
            },
            post_bps: self.post_bps,
            depth_file: self.depth_file.clone(),
            clock_drift: Some(i64::from(self.clock_drift_seconds)).filter(|drift| *drift > 0),
        })
    }

    /// The shard that prices are posted to.
    pub fn shard(&self) -> u16 {
        self.post_shard.unwrap_or_else(|| own_shard(&self.market.0))
    }

    /// Name and WebSocket of each node.
    pub fn web_sockets(&self) -> Result<Vec<(String, String)>, String> {
        if !self.ws_url.is_empty() && self.ws_url.len() != self.url.len() {
            let (sockets, urls) = (self.ws_url.len(), self.url.len());
            return Err(format!(
                "{sockets} of --ws-url for {urls} of --url: give as many, or none"
            ));
        }
        let given = |(number, url): (usize, &String)| {
            let socket = self.ws_url.get(number).cloned().map_or_else(|| web_socket(url), Ok)?;
            Ok((name_of(&socket), socket))
        };
        self.url.iter().enumerate().map(given).collect()
    }
}

/// The WebSocket that a node has by custom: the same address, of the next port if one is named.
fn web_socket(url: &str) -> Result<String, String> {
    let name = name_of(url);
    let rest = match url.split_once("://") {
        Some(("http", rest)) => format!("ws://{rest}"),
        Some(("https", rest)) => format!("wss://{rest}"),
        _ => return Err(format!("{name} is no URL of HTTP")),
    };
    let port = name.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
    match port {
        None => Ok(rest),
        Some(port) => {
            let next = port.checked_add(1).ok_or_else(|| format!("{name} has no next port"))?;
            Ok(rest.replacen(&format!(":{port}"), &format!(":{next}"), 1))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_web_socket_is_the_next_port_if_one_is_named() {
        assert_eq!(web_socket("http://127.0.0.1:8899").unwrap(), "ws://127.0.0.1:8900");
        assert_eq!(
            web_socket("https://node.example/?key=8899").unwrap(),
            "wss://node.example/?key=8899"
        );
        assert_eq!(
            web_socket("ftp://node.example").unwrap_err(),
            "ftp://node.example is no URL of HTTP"
        );
        assert_eq!(
            web_socket("http://h:65535").unwrap_err(),
            "http://h:65535 has no next port"
        );
    }

    #[test]
    fn a_price_account_is_a_feed_and_an_account() {
        let account = Pubkey::new_from_array([7; 32]);
        let id = "0f".repeat(32);
        let expected = PriceAccount {
            feed: [0x0f; 32],
            account,
        };
        assert_eq!(format!("{id}:{account}").parse(), Ok(expected.clone()));
        assert_eq!(format!("0x{id}:{account}").parse(), Ok(expected));
        let refused = |text: &str| text.parse::<PriceAccount>().unwrap_err();
        assert_eq!(refused(&id), "expected FEED_ID:ACCOUNT");
        assert_eq!(refused(&format!("0f:{account}")), "0f is not 64 hexadecimal digits");
        assert!(refused(&format!("{id}:0")).starts_with("0 is no address"));
    }
}

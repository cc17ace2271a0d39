//! `breakwater events`: what happened, told by the program itself.
//!
//! Signatures of the market's (or the program's) address are asked for, and each transaction is read once. To follow,
//! the same question is asked again every second from the last signature on: nothing is missed when a connection
//! breaks, and every cluster answers it.

use std::{error::Error, time::Duration};

use anchor_lang::prelude::Pubkey;
use base64::{Engine, prelude::BASE64_STANDARD};
use breakwater_client::logs;
use clap::{Args, builder::FalseyValueParser, error::ErrorKind};
use serde_json::{Value, json};

use crate::{
    chain::Chain,
    idl::Idl,
    options::{Cluster, MarketName, Output},
    stop,
};

/// Events of past transactions, oldest first, and of new ones as they come.
#[derive(Args)]
#[command(after_help = "Examples:\n  breakwater events SOL/USDC --limit 100\n  breakwater events --json --limit 5")]
pub struct Options {
    /// Only transactions that name this market: its address, or a pair like SOL/USDC
    #[arg(env = "BREAKWATER_MARKET")]
    market: Option<MarketName>,
    /// Only transactions that name this account, whatever the market
    #[arg(long, env = "BREAKWATER_ACCOUNT")]
    account: Option<Pubkey>,
    /// Read at most so many past transactions, the newest ones
    #[arg(long, env = "BREAKWATER_LIMIT", default_value_t = 50)]
    limit: usize,
    /// Only transactions before this one
    #[arg(long, env = "BREAKWATER_BEFORE", value_name = "SIGNATURE")]
    before: Option<String>,
    /// Only transactions after this one
    #[arg(long, env = "BREAKWATER_AFTER", value_name = "SIGNATURE")]
    after: Option<String>,
    /// Go on with new transactions as they come, until stopped
    #[arg(long, env = "BREAKWATER_FOLLOW", value_parser = FalseyValueParser::new())]
    follow: bool,
    #[command(flatten)]
    cluster: Cluster,
    #[command(flatten)]
    output: Output,
}

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Signatures in one answer.
const PAGE: usize = 1_000;
/// Pause between two questions while following.
const PAUSE: Duration = Duration::from_secs(1);

pub fn run(options: &Options) -> Result<()> {
    // Not clap's own rule, which takes a BREAKWATER_FOLLOW that says no for a yes.
    if options.follow && options.before.is_some() {
        let why = "--follow goes on after the newest transaction, --before ends earlier: give one of them\n";
        clap::Error::raw(ErrorKind::ArgumentConflict, why).exit();
    }
    let chain = Chain::new(options.cluster.url());
    let market = options.market.map(|market| market.0);
    let address = options.account.or(market).unwrap_or(breakwater::ID);
    let mut newest = options.after.clone();
    let mut limit = options.limit;
    let stop = options.follow.then(stop::requested).transpose()?;
    loop {
        match signatures(&chain, &address, options.before.as_deref(), newest.as_deref(), limit) {
            Ok(found) => {
                for signature in found {
                    print(&chain, &signature, options.output.json)?;
                    newest = Some(signature);
                }
                // Whatever came in between is to be told.
                limit = usize::MAX;
            }
            Err(error) if options.follow => eprintln!("breakwater: {error}; trying again"),
            Err(error) => return Err(error.into()),
        }
        let Some(stop) = &stop else { return Ok(()) };
        if stop.recv_timeout(PAUSE).is_ok() {
            return Ok(());
        }
    }
}

/// Successful transactions that name `address`, oldest first; of more than `limit` the newest.
fn signatures(
    chain: &Chain,
    address: &Pubkey,
    before: Option<&str>,
    after: Option<&str>,
    limit: usize,
) -> crate::chain::Result<Vec<String>> {
    let mut found = Vec::new();
    let mut before = before.map(str::to_owned);
    while found.len() < limit {
        let page = PAGE.min(limit - found.len());
        let mut window = json!({ "limit": page, "commitment": "confirmed" });
        for (name, end) in [("before", before.as_deref()), ("until", after)] {
            if let Some(end) = end {
                window[name] = end.into();
            }
        }
        let answer = chain.request("getSignaturesForAddress", json!([address.to_string(), window]))?;
        let entries = answer.as_array().cloned().unwrap_or_default();
        let signature = |entry: &Value| entry["signature"].as_str().map(str::to_owned);
        found.extend(
            entries
                .iter()
                .filter(|entry| entry["err"].is_null())
                .filter_map(signature),
        );
        before = entries.last().and_then(signature);
        if entries.len() < page {
            break;
        }
    }
    found.reverse();
    Ok(found)
}

/// Prints a transaction's events, one a line.
fn print(chain: &Chain, signature: &str, json: bool) -> Result<()> {
    let options = json!({ "encoding": "json", "commitment": "confirmed", "maxSupportedTransactionVersion": 0 });
    let transaction = chain.request("getTransaction", json!([signature, options]))?;
    let lines = transaction["meta"]["logMessages"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let lines: Vec<&str> = lines.iter().filter_map(Value::as_str).collect();
    if lines.contains(&"Log truncated") {
        eprintln!("breakwater: the log of {signature} was cut by the cluster, events may be missing");
    }
    for line in logs::attribute(&lines)
        .iter()
        .filter(|line| line.program == breakwater::ID)
    {
        let Some(data) = line.text.strip_prefix("Program data: ") else {
            continue;
        };
        let Some((name, fields)) = BASE64_STANDARD.decode(data).ok().and_then(|data| {
            Idl::embedded()
                .event(&data)
                .map(|(name, fields)| (name.to_owned(), fields))
        }) else {
            continue;
        };
        if json {
            let event = json!({
                "signature": signature,
                "slot": transaction["slot"],
                "unix_time": transaction["blockTime"],
                "event": name,
                "data": fields,
            });
            println!("{event}");
        } else {
            let short: String = signature.chars().take(8).collect();
            println!("{} {short}… {name}{}", transaction["slot"], flat(&fields, ""));
        }
    }
    Ok(())
}

/// Every field as " name=value"; a structure's fields by their own names, those of a list with their number.
fn flat(value: &Value, name: &str) -> String {
    match value {
        Value::Object(fields) => fields.iter().map(|(name, field)| flat(field, name)).collect(),
        Value::Array(items) => {
            let item = |(number, item)| format!("\n    {number}:{}", flat(item, ""));
            items.iter().enumerate().map(item).collect()
        }
        Value::String(text) => format!(" {name}={text}"),
        other => format!(" {name}={other}"),
    }
}

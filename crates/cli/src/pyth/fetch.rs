//! `breakwater pyth fetch`.

use base64::{Engine, prelude::BASE64_STANDARD};
use breakwater_client::pyth::FeedId;
use breakwater_keeper::hermes::feed_id;
use clap::Args;
use serde_json::json;

use super::{Result, fetched, pull_feeds};
use crate::{
    chain::Chain,
    hermes::Source,
    options::{Cluster, MarketName, Output},
};

#[derive(Args)]
pub struct Options {
    /// The market: its address, or a pair like SOL/USDC
    #[arg(env = "BREAKWATER_MARKET", required_unless_present = "feed")]
    market: Option<MarketName>,
    /// A feed by its id instead of a market's [repeatable]
    #[arg(long, env = "BREAKWATER_FEED", value_name = "ID", value_delimiter = ',', value_parser = parse_id)]
    feed: Vec<Id>,
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    cluster: Cluster,
    #[command(flatten)]
    output: Output,
}

/// A feed's identifier. A type of its own: of an array the parser would make many values.
#[derive(Clone, Copy, Debug)]
struct Id(FeedId);

fn parse_id(text: &str) -> std::result::Result<Id, String> {
    feed_id(text)
        .map(Id)
        .ok_or_else(|| "not 64 hexadecimal digits".to_owned())
}

pub fn run(options: &Options) -> Result<()> {
    let feeds = match options.market {
        Some(market) if options.feed.is_empty() => pull_feeds(&Chain::new(options.cluster.url()), market)?.1,
        _ => options.feed.iter().map(|id| id.0).collect(),
    };
    let update = fetched(&options.source, &feeds)?;
    let data = BASE64_STANDARD.encode(update.bytes()?);
    if options.output.json {
        let feeds: Vec<String> = feeds.iter().map(hex::encode).collect();
        println!(
            "{}",
            serde_json::to_string_pretty(&json!({ "feeds": feeds, "data": data }))?
        );
    } else {
        println!("{data}");
    }
    Ok(())
}

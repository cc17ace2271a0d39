//! `breakwater pyth`: Pyth's signed updates, fetched, read and posted.

mod decode;
mod fetch;
mod post;

use std::error::Error;

use breakwater_client::{
    feeds,
    pyth::{FeedId, Update},
};
use breakwater_keeper::hermes::{Fetch, Hermes};
use clap::Subcommand;

use crate::{chain::Chain, hermes::Source, options::MarketName};

#[derive(Subcommand)]
pub enum Command {
    /// Fetches the newest update of a market's feeds from Hermes, and prints it in base64
    #[command(after_help = "Example:\n  breakwater pyth fetch SOL/USDC --hermes http://127.0.0.1:8901/hermes")]
    Fetch(fetch::Options),
    /// Reads an update: who signed it, and its prices
    #[command(
        after_help = "Example:\n  breakwater pyth fetch SOL/USDC --hermes http://127.0.0.1:8901/hermes | breakwater pyth decode"
    )]
    Decode(decode::Options),
    /// Posts an update to the accounts that a market's price is read from
    #[command(
        after_help = "Example:\n  breakwater pyth post SOL/USDC --hermes http://127.0.0.1:8901/hermes --keypair localnet/keeper.json"
    )]
    Post(post::Options),
}

type Result<T> = std::result::Result<T, Box<dyn Error>>;

pub fn run(command: &Command) -> Result<()> {
    match command {
        Command::Fetch(options) => fetch::run(options),
        Command::Decode(options) => decode::run(options),
        Command::Post(options) => post::run(options),
    }
}

/// The market, and its pull feeds without repetition.
fn pull_feeds(chain: &Chain, name: MarketName) -> Result<(breakwater_engine::Market, Vec<FeedId>)> {
    let market = chain
        .market(&name.0)?
        .ok_or_else(|| format!("there is no market {name} here"))?;
    let feeds = feeds::pull_feeds(&market.oracle.feeds().copied());
    if feeds.is_empty() {
        return Err("the market has push feeds only: nobody can post those".into());
    }
    Ok((market, feeds))
}

/// Asks Hermes, which must be named.
fn fetched(source: &Source, feeds: &[FeedId]) -> Result<Update> {
    let hermes: Hermes = source
        .client()?
        .ok_or("name a server with --hermes, such as https://pyth.dourolabs.app/hermes")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let update = runtime.block_on(hermes.latest(feeds));
    update.map_err(|error| format!("{}: {error}", hermes.name()).into())
}

//! `breakwater migrate`: brings a cluster to what the configuration files say. Compares everything that is there
//! already and leaves it as it is: parameters of a market that exists change through its governance only.

mod file;
mod parameters;

use std::{error::Error, path::PathBuf};

use anchor_lang::prelude::Pubkey;
use breakwater_client::{MarketKeys, addresses, instructions as ix};
use breakwater_engine as engine;
use clap::{Args, builder::FalseyValueParser};
pub use file::Market;
use file::Token;
use parameters::differences;
use solana_keypair::read_keypair_file;

use crate::chain::{Chain, Wallet};

/// Files to deploy from, the cluster, and the signer.
#[derive(Args)]
pub struct Options {
    /// A market's configuration file [repeatable, or separated by commas]
    #[arg(
        long,
        env = "BREAKWATER_CONFIG",
        value_name = "FILE",
        value_delimiter = ',',
        required = true
    )]
    config: Vec<PathBuf>,
    /// The cluster's JSON-RPC address
    #[arg(long, env = "BREAKWATER_URL")]
    url: String,
    /// Keypair file of the protocol's authority, who pays; to initialize the protocol, of the program's upgrade
    /// authority
    #[arg(long, env = "BREAKWATER_KEYPAIR", value_name = "FILE")]
    keypair: PathBuf,
    /// Refuse to run if this command was built for another program
    #[arg(long, env = "BREAKWATER_PROGRAM_ID")]
    program_id: Option<Pubkey>,
    /// Say what would be done, and send nothing
    #[arg(long, env = "BREAKWATER_DRY_RUN", value_parser = FalseyValueParser::new())]
    dry_run: bool,
}

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Initializes the protocol and creates the markets, as far as they are not there, and compares every market with its
/// file.
pub fn run(options: &Options) -> Result<()> {
    if let Some(id) = options.program_id.filter(|id| *id != breakwater::ID) {
        return Err(format!(
            "this command was built for the program {}, not for {id}",
            breakwater::ID
        )
        .into());
    }
    let markets: Vec<Market> = options
        .config
        .iter()
        .map(|path| Market::read(path))
        .collect::<std::result::Result<_, _>>()?;
    let signer =
        read_keypair_file(&options.keypair).map_err(|error| format!("{}: {error}", options.keypair.display()))?;
    let wallet = Wallet::new(&options.url, signer);
    println!("program {}, signer {}", breakwater::ID, wallet.signer());
    initialize(&wallet, options.dry_run)?;
    // Every mint is looked at before the first market is created.
    let keys: Vec<MarketKeys> = markets
        .iter()
        .map(|market| keys(wallet.chain(), market))
        .collect::<Result<_>>()?;
    for (market, keys) in markets.iter().zip(&keys) {
        create(&wallet, market, keys, options.dry_run)?;
    }
    Ok(())
}

fn initialize(wallet: &Wallet, dry_run: bool) -> Result<()> {
    let (chain, signer) = (wallet.chain(), wallet.signer());
    let upgrade_authority = chain.upgrade_authority()?;
    if let Some(protocol) = chain.protocol()? {
        println!("protocol: exists, authority {}", protocol.authority);
        return Ok(());
    }
    if upgrade_authority != Some(signer) {
        let found = upgrade_authority.map_or("nobody".to_owned(), |key| key.to_string());
        return Err(
            format!("only the program's upgrade authority can initialize: that is {found}, not {signer}").into(),
        );
    }
    if dry_run {
        println!("protocol: would be initialized, authority {signer}");
        return Ok(());
    }
    wallet.send(ix::initialize(&signer))?;
    println!("protocol: initialized, authority {signer}");
    Ok(())
}

/// The market's addresses. Its mints must be there and have the decimals that the file counts in.
fn keys(chain: &Chain, market: &Market) -> Result<MarketKeys> {
    let side = |token: &Token| -> Result<(Pubkey, Pubkey, Pubkey)> {
        let (token_program, decimals) = chain.mint(&token.mint)?;
        if decimals != token.decimals {
            let Token {
                mint,
                decimals: expected,
                ..
            } = token;
            return Err(format!(
                "{}: {mint} has {decimals} decimals, the file says {expected}",
                market.name
            )
            .into());
        }
        // Creating a market shows it no price account.
        Ok((token.mint, token_program, Pubkey::default()))
    };
    Ok(MarketKeys::derive(
        side(&market.collateral)?,
        side(&market.quote)?,
        market.id,
    ))
}

fn create(wallet: &Wallet, market: &Market, keys: &MarketKeys, dry_run: bool) -> Result<()> {
    let Market { name, .. } = market;
    let chain = wallet.chain();
    let address = keys.market;
    let mut done = "exists";
    let mut found = chain.market(&address)?;
    if found.is_none() {
        let authority = chain.protocol()?.map(|protocol| protocol.authority);
        let signer = wallet.signer();
        if let Some(authority) = authority.filter(|authority| *authority != signer) {
            return Err(
                format!("{name}: only the protocol's authority {authority} can create it, not {signer}").into(),
            );
        }
        if dry_run {
            println!("market {name}: would be created at {address}");
            return Ok(());
        }
        let args = market.creation();
        let budget = addresses::depth_budget(&market.depth.budget);
        let mut instructions = Vec::new();
        if chain.account(&budget)?.is_none() {
            instructions.push(ix::create_depth_budget(&signer, &market.depth.budget));
        }
        instructions.push(ix::create_market(keys, &signer, &budget, args));
        wallet
            .send_all(&instructions, &[])
            .map_err(|error| format!("{name}: {error}"))?;
        (done, found) = ("created", chain.market(&address)?);
    }
    let found = found.ok_or_else(|| format!("{name}: {address} was created and is not there"))?;
    compare(market, &found)?;
    println!("market {name}: {done} at {address}, as the file says");
    Ok(())
}

/// Fails, naming every difference, unless the stored market is what the file says.
fn compare(market: &Market, found: &engine::Market) -> Result<()> {
    let mut different = differences(&market.parameters.0, &found.config);
    let feeds = market.feeds().zip(found.oracle.feeds().copied()).each();
    let names = ["collateral feed", "quote feed", "base feed", "rate feed"];
    for (name, (file, chain)) in names.into_iter().zip(feeds) {
        if file != chain {
            different.push((name, format!("{file:?}"), format!("{chain:?}")));
        }
    }
    let (share, budget) = (found.depth.share.0, breakwater::state::address(found.depth.budget));
    if share != market.depth.share {
        different.push(("depth share", market.depth.share.to_string(), share.to_string()));
    }
    let expected = addresses::depth_budget(&market.depth.budget);
    if budget != expected {
        different.push(("depth budget", expected.to_string(), budget.to_string()));
    }
    if different.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = different
        .iter()
        .map(|(name, file, chain)| format!("\n  {name}: {file} in the file, {chain} on the chain"))
        .collect();
    let Market { name, .. } = market;
    Err(format!(
        "market {name} exists and differs from the file; nothing was changed:{}",
        lines.concat()
    )
    .into())
}

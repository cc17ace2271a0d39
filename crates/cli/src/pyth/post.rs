//! `breakwater pyth post`.

use std::path::PathBuf;

use anchor_lang::prelude::Pubkey;
use breakwater_client::pyth::{Action, Draft, FeedId, Poster, Posting, SignerSet, Stack, Update};
use breakwater_keeper::post::{account_seed, own_shard};
use clap::{Args, builder::FalseyValueParser};
use serde::Serialize;

use super::{Result, decode, fetched, pull_feeds};
use crate::{
    chain::{CLOCK, Wallet, read_clock},
    hermes::Source,
    options::{Cluster, MarketName, Output, Signing},
};

#[derive(Args)]
pub struct Options {
    /// The market: its address, or a pair like SOL/USDC
    #[arg(env = "BREAKWATER_MARKET")]
    market: MarketName,
    /// File with the update, as `pyth fetch` prints it; - is standard input [default: fetched from --hermes]
    #[arg(long, env = "BREAKWATER_UPDATE", value_name = "FILE")]
    update: Option<PathBuf>,
    #[command(flatten)]
    source: Source,
    /// Shard of the price feed program's accounts to post to; 0 is the one that Pyth sponsors [default: the one that the
    /// market's keepers post to]
    #[arg(long, env = "BREAKWATER_POST_SHARD")]
    shard: Option<u16>,
    /// Priority fee, millionths of a lamport for each compute unit
    #[arg(long, env = "BREAKWATER_PRIORITY_FEE", default_value_t = 0)]
    priority_fee: u64,
    /// Check everything, and send nothing
    #[arg(long, env = "BREAKWATER_DRY_RUN", value_parser = FalseyValueParser::new())]
    dry_run: bool,
    #[command(flatten)]
    signing: Signing,
    #[command(flatten)]
    cluster: Cluster,
    #[command(flatten)]
    output: Output,
}

/// What was posted, and what it cost.
#[derive(Serialize)]
struct Posted {
    accounts: Vec<Account>,
    /// Signatures of the transactions; none in a dry run.
    transactions: Vec<String>,
    /// The largest transaction, bytes.
    largest_bytes: usize,
    /// Compute units that all of them ask for.
    units: u32,
    /// Fees, and rent of price accounts that were made; 0 in a dry run.
    lamports: u64,
}

#[derive(Serialize)]
struct Account {
    feed: String,
    account: String,
}

pub fn run(options: &Options) -> Result<()> {
    let wallet = Wallet::new(options.cluster.url(), options.signing.read()?);
    let (market, feeds) = pull_feeds(wallet.chain(), options.market)?;
    let update = match &options.update {
        Some(file) => Update::parse(&decode::bytes(&decode::read(file)?))?,
        None => fetched(&options.source, &feeds)?,
    };
    let receiver = Pubkey::new_from_array(market.oracle.collateral_feed.owner.0);
    let stack = Stack::of_receiver(&receiver).ok_or("the market's collateral has a push feed: nobody can post it")?;
    check(&wallet, &stack, &update)?;
    // Feeds of another stack cannot be posted with these.
    let of_stack: Vec<FeedId> = market
        .oracle
        .feeds()
        .each()
        .into_iter()
        .filter(|pin| pin.owner.0 == receiver.to_bytes() && feeds.contains(&pin.key.0))
        .map(|pin| pin.key.0)
        .collect();
    let shard = options.shard.unwrap_or_else(|| own_shard(&options.market.0));
    let seed = account_seed();
    let posting = Posting {
        poster: Poster {
            stack,
            payer: wallet.signer(),
            treasury: seed.bytes().fold(0, u8::wrapping_add),
        },
        shard,
        seed: &seed,
        rent: wallet.chain().rent(Posting::vaa_account_bytes(&update)?)?,
        tables: &[],
        then: &Action::default(),
    };
    let drafts = posting.transactions(&update, &of_stack)?;
    let mut posted = Posted {
        accounts: of_stack
            .iter()
            .map(|feed| Account {
                feed: hex::encode(feed),
                account: stack.price_account(shard, feed).to_string(),
            })
            .collect(),
        transactions: Vec::new(),
        largest_bytes: drafts.iter().map(|draft| draft.bytes).max().unwrap_or(0),
        units: drafts.iter().map(|draft| draft.units).sum(),
        lamports: 0,
    };
    if !options.dry_run {
        let before = wallet.balance()?;
        posted.transactions = send(&wallet, &posting, &drafts, options.priority_fee)?;
        posted.lamports = before.saturating_sub(wallet.balance()?);
    }
    if options.output.json {
        println!("{}", serde_json::to_string_pretty(&posted)?);
    } else {
        tell(&posted, drafts.len());
    }
    Ok(())
}

/// Fails unless the chain will believe the update: no fee is spent on one that it refuses.
fn check(wallet: &Wallet, stack: &Stack, update: &Update) -> Result<()> {
    let accounts = wallet.chain().accounts(&[stack.signer_set(update.vaa.set), CLOCK])?;
    let [set, clock] = accounts.as_slice() else {
        return Err("fewer accounts than asked for".into());
    };
    let set = set.as_ref().filter(|(owner, _)| *owner == stack.bridge);
    let (_, data) = set.ok_or_else(|| format!("there is no set {} of signers here", update.vaa.set))?;
    update.check(&SignerSet::decode(data)?, read_clock(clock.as_ref())?.unix)?;
    Ok(())
}

/// One after the other; what is left behind by a failure is closed.
fn send(wallet: &Wallet, posting: &Posting, drafts: &[Draft], fee: u64) -> Result<Vec<String>> {
    let mut signatures = Vec::new();
    for draft in drafts {
        match wallet.send_with_budget(&draft.with_budget(fee)) {
            Ok(signature) => signatures.push(signature),
            Err(error) => {
                if !signatures.is_empty() {
                    let close = posting.poster.close_encoded_vaa(&posting.vaa_account()?);
                    // Its rent, 0.003 SOL. The error that matters is the first.
                    let _ = wallet.send(close);
                }
                return Err(format!("transaction {} of {}: {error}", signatures.len() + 1, drafts.len()).into());
            }
        }
    }
    Ok(signatures)
}

fn tell(posted: &Posted, count: usize) {
    for Account { feed, account } in &posted.accounts {
        println!("{feed} in {account}");
    }
    let Posted {
        transactions,
        largest_bytes,
        units,
        lamports,
        ..
    } = posted;
    if transactions.is_empty() {
        println!(
            "would be posted by {count} transactions of at most {largest_bytes} bytes, asking for {units} compute units"
        );
    } else {
        println!(
            "posted by {count} transactions of at most {largest_bytes} bytes, asking for {units} compute units: {lamports} lamports"
        );
    }
}

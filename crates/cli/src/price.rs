//! `breakwater price`: moves the price of a market on a chain whose accounts can be written.

use std::error::Error;

use anchor_lang::prelude::Pubkey;
use breakwater_client::decode;
use breakwater_engine::Feeds;
use clap::{Args, ValueEnum, builder::FalseyValueParser};
use serde_json::json;

use crate::{
    chain::{CLOCK, Chain, read_clock},
    hermes::Source,
    options::{Cluster, FeedAccounts, MarketName, Output},
    price_account::{PriceAccount, Shown},
    snapshot::PriceAccounts,
};

/// Moves a price on a localnet: writes the Pyth account, published now. Clusters without cheatcodes refuse.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  breakwater price SOL/USDC 140\n  breakwater price SOL/USDC 0.98 --side quote --conf 0.002"
)]
pub struct Options {
    /// A market, by its address or a pair like SOL/USDC, or the address of a price account
    #[arg(value_name = "MARKET|FEED")]
    target: MarketName,
    /// The new price, USD (of a redemption rate: base tokens for one)
    usd: String,
    /// Half-width of the confidence interval, USD [default: in the same proportion as before]
    #[arg(long, env = "BREAKWATER_CONF")]
    conf: Option<String>,
    /// Which of a market's feeds
    #[arg(long, env = "BREAKWATER_SIDE", value_enum, default_value_t = Side::Collateral)]
    side: Side,
    /// Move Pyth's EMA to the new price as well, as if it had stood there for long
    #[arg(long, env = "BREAKWATER_SETTLE", value_parser = FalseyValueParser::new())]
    settle: bool,
    /// Move it at the localnet's Hermes, and in no account: its sponsor, if it has one, and whoever posts follow
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    feeds: FeedAccounts,
    #[command(flatten)]
    cluster: Cluster,
    #[command(flatten)]
    output: Output,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Side {
    Collateral,
    Quote,
    Base,
    Rate,
}

type Result<T> = std::result::Result<T, Box<dyn Error>>;

pub fn run(options: &Options) -> Result<()> {
    let chain = Chain::new(options.cluster.url());
    let feed = feed(&chain, options)?;
    let accounts = chain.accounts(&[feed, CLOCK])?;
    let [Some((owner, data)), clock] = accounts.as_slice() else {
        return Err(format!("there is no account {feed} here").into());
    };
    let mut account = PriceAccount::read(owner, data).ok_or_else(|| format!("{feed} is no Pyth account"))?;
    let clock = read_clock(clock.as_ref())?;
    let before = account.shown();
    // A second ahead, which every market tolerates: the localnet may have published in between, and time must not go
    // back.
    let now = before.later(clock.unix + 1);
    let price = mantissa(&options.usd, now.expo)?;
    let shown = Shown {
        price,
        conf: match &options.conf {
            Some(conf) => mantissa(conf, now.expo)?.unsigned_abs(),
            None => in_proportion(before, price),
        },
        ema: if options.settle { price } else { now.ema },
        ..now
    };
    account.show(shown, clock.slot);
    let told = match &account {
        PriceAccount::Pull(update) => options.source.set_price(&update.price_message.feed_id, shown)?,
        PriceAccount::Push(_) => false,
    };
    if !told {
        write(&chain, &feed, &account)?;
    }
    if options.output.json {
        let told = json!({
            "feed": feed.to_string(),
            "before": decimal(before.price, before.expo),
            "price": decimal(shown.price, shown.expo),
            "conf": decimal(i64::try_from(shown.conf)?, shown.expo),
            "average": decimal(shown.ema, shown.expo),
            "publish_time": shown.published,
        });
        println!("{}", serde_json::to_string_pretty(&told)?);
    } else {
        let [was, is] = [before.price, shown.price].map(|price| decimal(price, before.expo));
        println!("{feed}: {was} -> {is} USD");
    }
    Ok(())
}

/// Writes a price account, as only a localnet lets one.
fn write(chain: &Chain, feed: &Pubkey, account: &PriceAccount) -> Result<()> {
    let data = hex::encode(account.data());
    let written = chain.request("surfnet_setAccount", json!([feed.to_string(), { "data": data }]));
    written.map_err(|error| {
        if error.to_lowercase().contains("method not found") {
            "this cluster has no cheatcodes: prices can be moved on a localnet only (`breakwater localnet`, or Surfpool)"
                .to_owned()
        } else {
            error
        }
    })?;
    Ok(())
}

/// The account of the market's feed, or the account itself.
fn feed(chain: &Chain, options: &Options) -> Result<Pubkey> {
    let target = options.target.0;
    let (owner, data) = chain
        .account(&target)?
        .ok_or_else(|| format!("there is neither a market nor a price account {target} here"))?;
    if owner != breakwater::ID {
        return Ok(target);
    }
    let market = decode::market(&data).map_err(|error| format!("{target}: {error}"))?;
    let feeds = Feeds::NAMES.zip(PriceAccounts::of(&market, &options.feeds).addresses);
    let (name, feed) = match options.side {
        Side::Collateral => feeds.collateral,
        Side::Quote => feeds.quote,
        Side::Base => feeds.base,
        Side::Rate => feeds.rate,
    };
    feed.ok_or_else(|| format!("the market has no {name} feed with a known account; --{name}-feed names one").into())
}

fn in_proportion(before: Shown, price: i64) -> u64 {
    let conf =
        u128::from(before.conf) * u128::from(price.unsigned_abs()) / u128::from(before.price.unsigned_abs().max(1));
    u64::try_from(conf).unwrap_or(u64::MAX)
}

/// A decimal number as a whole number of 10^`expo`.
pub fn mantissa(text: &str, expo: i32) -> std::result::Result<i64, String> {
    let refused = || format!("{text} is no price with at most {} decimals", -expo.min(0));
    let places = usize::try_from(-expo).map_err(|_| refused())?;
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let plain = !whole.is_empty()
        && [whole, part]
            .iter()
            .all(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()));
    if !plain || part.len() > places {
        return Err(refused());
    }
    let price: i64 = format!("{whole}{part:0<places$}").parse().map_err(|_| refused())?;
    if price == 0 {
        Err("a price of zero is refused by every market".to_owned())
    } else {
        Ok(price)
    }
}

/// A whole number of 10^`expo` as a decimal number, exactly.
pub fn decimal(mantissa: i64, expo: i32) -> String {
    let places = usize::try_from(-expo).unwrap_or(0);
    let digits = format!("{:0>width$}", mantissa.unsigned_abs(), width = places + 1);
    let (whole, part) = digits.split_at(digits.len() - places);
    let part = part.trim_end_matches('0');
    let sign = if mantissa < 0 { "-" } else { "" };
    if part.is_empty() {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{part}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_exact_decimals() {
        assert_eq!(mantissa("142.5", -8), Ok(14_250_000_000));
        assert_eq!(mantissa("0.00000001", -8), Ok(1));
        assert_eq!(mantissa("7", 0), Ok(7));
        for wrong in [
            "",
            "-1",
            "1e3",
            "0.000000001",
            ".5",
            "99999999999999999999",
            "0",
            "1.2.3",
        ] {
            assert!(mantissa(wrong, -8).is_err(), "{wrong}");
        }
        assert_eq!(decimal(14_250_000_000, -8), "142.5");
        assert_eq!(hex::encode([0, 255, 16]), "00ff10");
        assert_eq!(decimal(1, -8), "0.00000001");
        assert_eq!(decimal(-300_000_000, -8), "-3");
    }
}

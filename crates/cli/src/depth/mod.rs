//! `breakwater depth`: how much of an asset can be sold until its price has moved by 1%, measured again and again, and
//! what of that a market may promise.

mod hook;
mod search;

use std::{
    error::Error,
    path::PathBuf,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use breakwater_engine::{Bps, Quote};
use breakwater_keeper::depth::{Measured, Sample};
use clap::{Args, error::ErrorKind};
use hook::Hook;
use serde_json::json;

use crate::{
    format::{lines, percent, tokens},
    options::{self, Output},
    price::mantissa,
    stop,
};

/// How much of an asset can be sold until its price has moved by 1%, by quotes that could be executed; and the
/// `market_depth` that follows for a market: its share of the stress quantile of all samples.
#[derive(Args)]
#[command(after_help = "\
The hook is asked {\"sell\": MINT, \"for\": MINT, \"amount\": \"ATOMS\"}, and answers {\"received\": \"ATOMS\"}, {\"received\": null} \
where nobody would buy so much, or {\"error\": \"WHY\"}. A command reads the question from its standard input and prints the answer; \
an address gets it as a POST.

Examples (the hook is a sample that a localnet brings):
  breakwater depth SOL --hook localnet/quotes.sh --file localnet/depth.json
  breakwater depth SOL --file localnet/depth.json --share 6000 --json")]
pub struct Options {
    /// Asset to sell: a symbol or a mint's address
    #[arg(env = "BREAKWATER_ASSET")]
    asset: String,
    /// Asset to sell it for: a symbol or a mint's address
    #[arg(
        long = "for",
        env = "BREAKWATER_DEPTH_FOR",
        value_name = "ASSET",
        default_value = "USDC"
    )]
    quote: String,
    /// Where quotes come from: a command, or an http:// address of this machine. Without one the file is only reported
    #[arg(long, env = "BREAKWATER_DEPTH_HOOK", value_name = "COMMAND|URL")]
    hook: Option<Hook>,
    /// Keeps the samples; the keeper's --depth-file
    #[arg(long, env = "BREAKWATER_DEPTH_FILE", value_name = "FILE")]
    file: Option<PathBuf>,
    /// Samples to take
    #[arg(long, env = "BREAKWATER_DEPTH_SAMPLES", default_value_t = 1)]
    samples: u32,
    /// Seconds between two samples
    #[arg(long, env = "BREAKWATER_DEPTH_INTERVAL", default_value_t = 60)]
    interval: u64,
    /// A sale that does not move the price, tokens of what is sold
    #[arg(long, env = "BREAKWATER_DEPTH_PROBE", value_name = "TOKENS", default_value = "1")]
    probe: String,
    /// The part of the samples, the lowest ones, that counts as stress, bps [default: the file's, or 500]
    #[arg(long, env = "BREAKWATER_DEPTH_QUANTILE", value_name = "BPS", value_parser = clap::value_parser!(u32).range(0..=10_000))]
    quantile: Option<u32>,
    /// The market's share of the depth, bps [default: the file's, or 10000]
    #[arg(long, env = "BREAKWATER_DEPTH_SHARE", value_name = "BPS", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    share: Option<u32>,
    /// Decimals of what is sold [default: the symbol's]
    #[arg(long, env = "BREAKWATER_DEPTH_DECIMALS")]
    decimals: Option<u8>,
    /// Decimals of what it is sold for [default: the symbol's]
    #[arg(long, env = "BREAKWATER_DEPTH_QUOTE_DECIMALS")]
    quote_decimals: Option<u8>,
    #[command(flatten)]
    output: Output,
}

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The lowest twentieth.
const QUANTILE: u32 = 500;
const WHOLE: u32 = 10_000;

/// One side of the sale.
struct Side {
    name: String,
    mint: String,
    decimals: u8,
}

impl Side {
    fn of(text: &str, decimals: Option<u8>, option: &str) -> Result<Self> {
        let (mint, known) = options::mint(text)?;
        let decimals = decimals
            .or(known)
            .ok_or_else(|| format!("the decimals of {text} are not known: give them with --{option}"))?;
        Ok(Self {
            name: options::symbol(&mint),
            mint: mint.to_string(),
            decimals,
        })
    }
}

pub fn run(options: &Options) -> Result<()> {
    if options.hook.is_none() && options.file.is_none() {
        let why = "neither a --hook to ask nor a --file to report\n";
        clap::Error::raw(ErrorKind::MissingRequiredArgument, why).exit();
    }
    let asset = Side::of(&options.asset, options.decimals, "decimals")?;
    let quote = Side::of(&options.quote, options.quote_decimals, "quote-decimals")?;
    let mut measured = open(options, &asset, &quote)?;
    if let Some(hook) = &options.hook {
        sample(options, hook, &mut measured, &asset, &quote)?;
    } else if let Some(file) = &options.file {
        measured.write(file)?;
    }
    if options.output.json {
        println!("{:#}", report(&measured));
    } else {
        print!("{}", text(&measured, &asset, &quote));
    }
    Ok(())
}

/// The file, or an empty one, read as the options say.
fn open(options: &Options, asset: &Side, quote: &Side) -> Result<Measured> {
    let found = options.file.as_deref().map(Measured::read).transpose()?.flatten();
    let (file, is_new) = (options.file.as_ref(), found.is_none());
    if options.hook.is_none() && is_new {
        let file = file.map_or_else(String::new, |file| file.display().to_string());
        return Err(format!("{file} is not there, and without --hook nothing can be measured").into());
    }
    let mut measured = found.unwrap_or_else(|| Measured {
        asset: asset.mint.clone(),
        quote: quote.mint.clone(),
        quantile_bps: QUANTILE,
        share_bps: WHOLE,
        samples: Vec::new(),
    });
    if (&measured.asset, &measured.quote) != (&asset.mint, &quote.mint) {
        let Measured { asset, quote, .. } = measured;
        return Err(format!("the file has samples of {asset} sold for {quote}").into());
    }
    measured.quantile_bps = options.quantile.unwrap_or(measured.quantile_bps);
    measured.share_bps = options.share.unwrap_or(measured.share_bps);
    Ok(measured)
}

/// Takes samples, and writes each as it comes: nothing is lost when it is stopped.
fn sample(options: &Options, hook: &Hook, measured: &mut Measured, asset: &Side, quote: &Side) -> Result<()> {
    let probe = mantissa(&options.probe, -i32::from(asset.decimals))?.unsigned_abs();
    let stop = stop::requested()?;
    let mut failed = None;
    let mut taken = 0;
    for number in 0..options.samples {
        if number > 0 && stop.recv_timeout(Duration::from_secs(options.interval)).is_ok() {
            break;
        }
        match search::depth(probe, |amount| hook.quote(&asset.mint, &quote.mint, amount)) {
            Ok(depth) => {
                taken += 1;
                measured.add(Sample {
                    unix_time: now(),
                    depth,
                });
                if let Some(file) = &options.file {
                    measured.write(file)?;
                }
            }
            Err(error) => {
                eprintln!("breakwater: {error}");
                failed = Some(error);
            }
        }
    }
    match failed {
        Some(_) if taken == 0 => Err("no sample could be taken".into()),
        _ => Ok(()),
    }
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

fn report(measured: &Measured) -> serde_json::Value {
    let amount = |depth: Option<Quote>| depth.map(|depth| depth.0.to_string());
    let depths = || measured.samples.iter().map(|sample| sample.depth);
    json!({
        "asset": measured.asset,
        "quote": measured.quote,
        "samples": measured.samples.len(),
        "newest": measured.samples.last().map(|sample| sample.depth.to_string()),
        "lowest": amount(depths().min().map(Quote)),
        "highest": amount(depths().max().map(Quote)),
        "quantile_bps": measured.quantile_bps,
        "stress": amount(measured.stress()),
        "share_bps": measured.share_bps,
        "market_depth": amount(measured.suggested()),
    })
}

fn text(measured: &Measured, asset: &Side, quote: &Side) -> String {
    let amount = |atoms: Option<u64>| {
        atoms.map_or("nothing measured".to_owned(), |atoms| {
            format!("{} {}", tokens(atoms, quote.decimals), quote.name)
        })
    };
    let depths = || measured.samples.iter().map(|sample| sample.depth);
    let rows = [
        ("samples", measured.samples.len().to_string()),
        ("newest", amount(depths().next_back())),
        ("lowest", amount(depths().min())),
        ("highest", amount(depths().max())),
        (
            "in stress",
            format!(
                "{}, of the lowest {}",
                amount(measured.stress().map(|depth| depth.0)),
                percent(Bps(measured.quantile_bps))
            ),
        ),
        (
            "market_depth",
            format!(
                "{}, the market's {} of that",
                amount(measured.suggested().map(|depth| depth.0)),
                percent(Bps(measured.share_bps))
            ),
        ),
    ];
    format!(
        "{} sold for {}: what moves the price by 1%\n\n{}",
        asset.name,
        quote.name,
        lines(&rows)
    )
}

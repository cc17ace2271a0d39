//! Options that many commands have.

use std::{fmt, path::PathBuf, str::FromStr};

use anchor_lang::prelude::Pubkey;
use breakwater_client::addresses;
use breakwater_engine::Feeds;
use clap::{Args, builder::FalseyValueParser};
use solana_keypair::{Keypair, read_keypair_file};

/// Where the cluster is.
#[derive(Args, Clone, Debug)]
pub struct Cluster {
    /// The cluster's JSON-RPC address, or one of localnet, devnet, mainnet
    #[arg(long, env = "BREAKWATER_URL", default_value = "localnet")]
    url: String,
}

impl Cluster {
    /// Its JSON-RPC address.
    pub fn url(&self) -> &str {
        match self.url.as_str() {
            "localnet" => "http://127.0.0.1:8899",
            "devnet" => "https://api.devnet.solana.com",
            "mainnet" => "https://api.mainnet-beta.solana.com",
            url => url,
        }
    }
}

/// For machines or for people.
#[derive(Args, Clone, Copy, Debug)]
pub struct Output {
    /// Print JSON
    #[arg(long, env = "BREAKWATER_JSON", value_parser = FalseyValueParser::new())]
    pub json: bool,
}

/// Pyth accounts to read. A push feed's is pinned; of a pull feed any genuine update may be shown.
#[derive(Args, Clone, Copy, Debug, Default)]
#[allow(clippy::struct_field_names, reason = "they name options")]
pub struct FeedAccounts {
    /// Price account of the collateral [default: the pinned or Pyth's own]
    #[arg(long, env = "BREAKWATER_COLLATERAL_FEED", value_name = "ADDRESS")]
    pub collateral_feed: Option<Pubkey>,
    /// Price account of the quote token [default: the pinned or Pyth's own]
    #[arg(long, env = "BREAKWATER_QUOTE_FEED", value_name = "ADDRESS")]
    pub quote_feed: Option<Pubkey>,
    /// Price account of what the collateral is redeemed for [default: the pinned or Pyth's own]
    #[arg(long, env = "BREAKWATER_BASE_FEED", value_name = "ADDRESS")]
    pub base_feed: Option<Pubkey>,
    /// Account of the redemption rate [default: the pinned or Pyth's own]
    #[arg(long, env = "BREAKWATER_RATE_FEED", value_name = "ADDRESS")]
    pub rate_feed: Option<Pubkey>,
}

impl FeedAccounts {
    /// The accounts, by feed.
    pub fn named(&self) -> Feeds<Option<Pubkey>> {
        Feeds {
            collateral: self.collateral_feed,
            quote: self.quote_feed,
            base: self.base_feed,
            rate: self.rate_feed,
        }
    }
}

/// Who signs.
#[derive(Args, Clone, Debug)]
pub struct Signing {
    /// Keypair file of who signs and pays
    #[arg(long, env = "BREAKWATER_KEYPAIR", value_name = "FILE")]
    keypair: PathBuf,
}

impl Signing {
    /// Reads the file.
    pub fn read(&self) -> Result<Keypair, String> {
        read_keypair_file(&self.keypair).map_err(|error| format!("{}: {error}", self.keypair.display()))
    }
}

/// Mints that are called by a symbol, and their decimals: those of the configurations in `migrations`.
const SYMBOLS: [(&str, Pubkey, u8); 3] = [
    (
        "SOL",
        anchor_lang::prelude::pubkey!("So11111111111111111111111111111111111111112"),
        9,
    ),
    (
        "USDC",
        anchor_lang::prelude::pubkey!("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"),
        6,
    ),
    (
        "JitoSOL",
        anchor_lang::prelude::pubkey!("J1toso1uCk3RLmjorhTtrVwY9HJ7X8V9yYac6Y7kGCPn"),
        9,
    ),
];

/// A mint by its symbol or address, and its decimals if they are known.
pub fn mint(name: &str) -> Result<(Pubkey, Option<u8>), String> {
    let known = SYMBOLS.iter().find(|(symbol, ..)| symbol.eq_ignore_ascii_case(name));
    if let Some((_, address, decimals)) = known {
        return Ok((*address, Some(*decimals)));
    }
    let address: Pubkey = name
        .parse()
        .map_err(|_| format!("{name} is neither a known symbol nor a mint's address"))?;
    let known = SYMBOLS.iter().find(|(_, mint, _)| *mint == address);
    Ok((address, known.map(|(.., decimals)| *decimals)))
}

/// A mint's symbol, or the first digits of its address.
pub fn symbol(mint: &Pubkey) -> String {
    let known = SYMBOLS.iter().find(|(_, address, _)| address == mint);
    known.map_or_else(
        || format!("{}…", mint.to_string().chars().take(4).collect::<String>()),
        |(symbol, ..)| (*symbol).to_owned(),
    )
}

/// A market as people name it: its address, or `SOL/USDC`, or `SOL/USDC#1` for the second of a pair of mints; a mint by
/// its symbol or its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarketName(pub Pubkey);

impl FromStr for MarketName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((collateral, rest)) = text.split_once('/') else {
            return text
                .parse()
                .map(Self)
                .map_err(|_| format!("{text} is neither an address nor a pair like SOL/USDC"));
        };
        let (quote, id) = rest.split_once('#').unwrap_or((rest, "0"));
        let ((collateral, _), (quote, _)) = (mint(collateral)?, mint(quote)?);
        let id = id.parse().map_err(|_| format!("{id} is no market number"))?;
        Ok(Self(addresses::market(&collateral, &quote, id)))
    }
}

impl fmt::Display for MarketName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A market to look at.
#[derive(Args)]
pub struct ShowMarket {
    /// The market: its address, or a pair like SOL/USDC
    #[arg(env = "BREAKWATER_MARKET")]
    pub market: MarketName,
    #[command(flatten)]
    pub feeds: FeedAccounts,
    #[command(flatten)]
    pub cluster: Cluster,
    #[command(flatten)]
    pub output: Output,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_market_has_many_names() {
        let [(_, sol, _), (_, usdc, _), _] = SYMBOLS;
        let address = addresses::market(&sol, &usdc, 0);
        let second = addresses::market(&sol, &usdc, 1);
        for (name, expected) in [
            ("SOL/USDC".to_owned(), address),
            ("sol/usdc#1".to_owned(), second),
            (format!("{sol}/{usdc}"), address),
            (address.to_string(), address),
        ] {
            assert_eq!(name.parse(), Ok(MarketName(expected)));
        }
        let refused = |name: &str| name.parse::<MarketName>().unwrap_err();
        assert_eq!(refused("SOL"), "SOL is neither an address nor a pair like SOL/USDC");
        assert_eq!(
            refused("SOL/EURC"),
            "EURC is neither a known symbol nor a mint's address"
        );
        assert_eq!(refused("SOL/USDC#x"), "x is no market number");
        assert_eq!((symbol(&sol), symbol(&address).chars().count()), ("SOL".to_owned(), 5));
        assert_eq!(mint("sol"), Ok((sol, Some(9))));
        assert_eq!(mint(&usdc.to_string()), Ok((usdc, Some(6))));
        assert_eq!(mint(&address.to_string()), Ok((address, None)));
    }
}

//! A market's configuration file.

use std::{fs, path::Path};

use anchor_lang::prelude::Pubkey;
use breakwater::instructions::CreateMarketArgs;
use breakwater_client::pyth::Stack;
use breakwater_engine::{
    FeedPin, Feeds, Key,
    price::oracle::{FEED_PULL, FEED_PUSH},
};
use serde::{Deserialize, Deserializer, de::Error as _};

use super::parameters::Parameters;

/// One market: what the file says.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Market {
    /// Name that people know it by.
    pub name: String,
    /// Tells apart the markets of one pair of mints.
    pub id: u16,
    /// The token deposited.
    pub collateral: Token,
    /// The token lent.
    pub quote: Token,
    /// The feeds of collateral that can be redeemed.
    pub redemption: Option<Redemption>,
    /// Its part of what can be sold of one asset.
    pub depth: Depth,
    /// The market's parameters.
    pub parameters: Parameters,
}

/// One of the market's two tokens.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// Its mint.
    #[serde(deserialize_with = "address")]
    pub mint: Pubkey,
    /// Decimals that the mint must have; every amount in the file is in atoms of this size.
    pub decimals: u8,
    /// Its price in USD.
    pub feed: Feed,
}

/// Redemption of collateral: the thing it is redeemed for, and how much of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redemption {
    /// USD price of what it is redeemed for.
    pub base: Feed,
    /// How much of that one token is redeemed for.
    pub rate: Feed,
}

/// A market's share of a depth budget.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Depth {
    /// The asset that is sold, as its budget is named.
    pub budget: String,
    /// The share, bps.
    pub share: u32,
}

/// A Pyth feed.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Feed {
    /// Updates that anybody posts to a receiver program.
    Pull {
        /// 64 hexadecimal digits.
        #[serde(deserialize_with = "feed_id")]
        id: [u8; 32],
        /// The receiver program; one of the two that Breakwater knows.
        #[serde(deserialize_with = "receiver")]
        receiver: Pubkey,
    },
    /// A classic price account.
    Push {
        /// The account.
        #[serde(deserialize_with = "address")]
        account: Pubkey,
        /// The program that owns it.
        #[serde(deserialize_with = "address")]
        owner: Pubkey,
    },
}

impl Feed {
    /// As a market pins it.
    pub fn pin(&self) -> FeedPin {
        let (key, owner, kind) = match self {
            Self::Pull { id, receiver } => (*id, receiver, FEED_PULL),
            Self::Push { account, owner } => (account.to_bytes(), owner, FEED_PUSH),
        };
        FeedPin {
            key: Key(key),
            owner: Key(owner.to_bytes()),
            kind,
            padding: [0; 7],
        }
    }
}

impl Market {
    /// Reads a file and checks its parameters against the engine's bounds and a new market's limits.
    pub fn read(path: &Path) -> Result<Self, String> {
        let at = path.display();
        let text = fs::read_to_string(path).map_err(|error| format!("{at}: {error}"))?;
        Self::parse(&text).map_err(|error| format!("{at}: {error}"))
    }

    /// The same of a file's text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let market: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        let config = market.parameters.0;
        config
            .validate()
            .and_then(|()| config.check_first_limits())
            .map_err(|error| format!("the engine refuses the parameters: {error:?}"))?;
        Ok(market)
    }

    /// Arguments of the instruction that creates it.
    pub fn creation(&self) -> CreateMarketArgs {
        let Feeds {
            collateral,
            quote,
            base,
            rate,
        } = self.feeds();
        let present = |pin: FeedPin| (pin != FeedPin::NONE).then_some(pin);
        CreateMarketArgs {
            id: self.id,
            collateral_feed: collateral,
            quote_feed: quote,
            base_feed: present(base),
            rate_feed: present(rate),
            depth_share: self.depth.share,
            config: self.parameters.0,
        }
    }

    /// Its feeds.
    pub fn feeds(&self) -> Feeds {
        let (base, rate) = self
            .redemption
            .as_ref()
            .map_or((FeedPin::NONE, FeedPin::NONE), |redemption| {
                (redemption.base.pin(), redemption.rate.pin())
            });
        Feeds {
            collateral: self.collateral.feed.pin(),
            quote: self.quote.feed.pin(),
            base,
            rate,
        }
    }
}

fn address<'de, D: Deserializer<'de>>(from: D) -> Result<Pubkey, D::Error> {
    let text = String::deserialize(from)?;
    text.parse()
        .map_err(|error| D::Error::custom(format!("{text} is no address: {error}")))
}

fn receiver<'de, D: Deserializer<'de>>(from: D) -> Result<Pubkey, D::Error> {
    let receiver = address(from)?;
    match Stack::of_receiver(&receiver) {
        Some(stack) => Ok(stack.receiver),
        None => Err(D::Error::custom(format!("{receiver} is no known Pyth receiver"))),
    }
}

fn feed_id<'de, D: Deserializer<'de>>(from: D) -> Result<[u8; 32], D::Error> {
    let text = String::deserialize(from)?;
    let mut id = [0; 32];
    hex::decode_to_slice(&text, &mut id)
        .map_err(|_| D::Error::custom(format!("{text} is not 64 hexadecimal digits")))?;
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use breakwater_engine::{Config, Parameter};

    fn folder() -> &'static Path {
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations"))
    }

    fn files() -> Vec<(String, Market)> {
        let mut files: Vec<(String, Market)> = fs::read_dir(folder())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
            .map(|path| {
                let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
                (name, Market::read(&path).unwrap())
            })
            .collect();
        files.sort_by(|a, b| a.0.cmp(&b.0));
        files
    }

    #[test]
    fn every_configuration_is_valid_and_named_as_its_file() {
        let files = files();
        let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["jitosol-usdc", "sol-usdc", "usdc-sol"]);
        for (name, market) in &files {
            assert_eq!(market.name.to_lowercase().replace('/', "-"), *name);
        }
    }

    /// Relations that the engine does not ask for, but every file gives as a reason.
    #[test]
    fn reasons_hold() {
        for (name, market) in files() {
            let config = market.parameters.0;
            let penalty = config.min_debt.0 * u64::from(config.penalty.0) / 10_000;
            assert_eq!(config.bounty_tip.0 * 2, penalty, "{name}: half of the smallest penalty");
            assert_eq!(
                config.bounty_share.0 * 4,
                config.penalty.0,
                "{name}: half of what it allows"
            );
            let (theta, whole) = (config.takeover_ltv.0, 10_000);
            assert!(
                whole - theta <= config.auction_max_discount.0,
                "{name}: selling at the largest discount would leave margin"
            );
            let bands = config.own_ema_band.max(config.ema_band);
            assert_eq!(config.auction_floor_band, bands, "{name}: the floor and the bands");
            assert_eq!(
                config.guarded_flow.0 * 320,
                config.debt_cap.0,
                "{name}: the example's part of the cap"
            );
            assert_eq!(
                config.debt_cap.0,
                config.market_depth.0 * 200,
                "{name}: a two hundredth"
            );
            assert_eq!(config.debt_cap.0 * 5, config.supply_cap.0 * 4, "{name}: four fifths");
            assert_eq!(config.account_debt_cap.0 * 8, config.debt_cap.0, "{name}: an eighth");
            let slowest = u64::from(config.auction_max_discount.0) * 60 / u64::from(config.auction_slope.0);
            assert_eq!(slowest, 100, "{name}: minutes to the largest discount");
        }
    }

    /// Amounts that grow with a market.
    const MARKETS_SIZE: [Parameter; 5] = [
        Parameter::market_depth,
        Parameter::guarded_flow,
        Parameter::supply_cap,
        Parameter::debt_cap,
        Parameter::account_debt_cap,
    ];
    /// How much larger the example's are than those of SOL/USDC.
    const SCALE: u64 = 100;

    fn parameters(file: &str) -> Config {
        let (_, market) = files().into_iter().find(|(name, _)| name == file).unwrap();
        market.parameters.0
    }

    /// One set of parameters: what the laboratory, the demo and the documents run is what is deployed.
    #[test]
    fn sol_usdc_is_the_example() {
        let file = parameters("sol-usdc");
        for parameter in Parameter::ALL {
            let scale = if MARKETS_SIZE.contains(parameter) { SCALE } else { 1 };
            let expected = parameter.get(&Config::EXAMPLE);
            assert_eq!(parameter.get(&file) * scale, expected, "{}", parameter.name());
        }
    }

    /// The list at the top of a file names the parameters that differ from SOL/USDC, with the values that it gives, and
    /// no other.
    #[test]
    fn each_file_says_how_it_differs() {
        let (sol, mut lists) = (parameters("sol-usdc"), 0);
        for (name, market) in files().iter().filter(|(name, _)| name != "sol-usdc") {
            let text = fs::read_to_string(folder().join(name).with_extension("toml")).unwrap();
            let (head, _) = text.split_once("\n\n").unwrap();
            let config = market.parameters.0;
            let different: Vec<&str> = Parameter::ALL
                .iter()
                .filter(|parameter| parameter.get(&sol) != parameter.get(&config))
                .map(|parameter| parameter.name())
                .collect();
            // Of each entry what stands before the colon.
            let mut listed = Vec::new();
            for entry in head.split("\n# - ").skip(1) {
                let (names, reason) = entry.split_once(':').unwrap();
                assert!(reason.trim().len() > 20, "{name}: {names} without a reason");
                for item in names.replace("\n#", " ").split(',') {
                    let mut words = item.split_whitespace();
                    let word = words.next().unwrap();
                    let parameter = Parameter::ALL.iter().find(|parameter| parameter.name() == word);
                    let parameter = parameter.unwrap_or_else(|| panic!("{name}: {word} is no parameter"));
                    if let Some(value) = words.next() {
                        assert_eq!(value.parse(), Ok(parameter.get(&config)), "{name}: {word}");
                    }
                    listed.push((*parameter, word.to_owned()));
                }
            }
            listed.sort_by_key(|(parameter, _)| parameter.id());
            let listed: Vec<String> = listed.into_iter().map(|(_, word)| word).collect();
            assert_eq!(listed, different, "{name}");
            lists += 1;
        }
        assert_eq!(lists, 2);
    }

    /// Shares of all markets together in each asset's depth are at most the whole, and follow their depths.
    #[test]
    fn shares_of_depth_add_up() {
        let mut sums: std::collections::BTreeMap<String, u32> = std::collections::BTreeMap::new();
        for (_, market) in files() {
            *sums.entry(market.depth.budget).or_default() += market.depth.share;
        }
        assert_eq!(
            sums.into_iter().collect::<Vec<_>>(),
            [("SOL".to_owned(), 7_500), ("USDC".to_owned(), 5_000)]
        );
        let of = |name: &str| {
            let (_, market) = files().into_iter().find(|(file, _)| file == name).unwrap();
            (u64::from(market.depth.share), market.parameters.0.market_depth.0)
        };
        let ((sol, sol_depth), (staked, staked_depth)) = (of("sol-usdc"), of("jitosol-usdc"));
        assert_eq!(sol * staked_depth, staked * sol_depth, "both are of one measurement");
    }

    /// An independent list: the accounts that Pyth documents for these symbols. Each is derived from its feed's id.
    #[test]
    fn feed_ids_are_those_of_the_accounts_that_pyth_documents() {
        const SOL: &str = "7AviUf9nL62mcxNbQGKm4nKDQnPjswo6c5MX4D57HmyE";
        const USDC: &str = "6HAuqASbHEh4w4REJEUUUCginTLfj1kwCh215ZLtMkrT";
        const JITOSOL: &str = "FvKB6oTnYvhdKxPeygwhVHE3H4EMr6kLwJnMjvGrdVUU";
        const JITOSOL_RATE: &str = "2bDeHa8T3GeRwTMjvKegDgCAcSU9DMKR52xLn8pJW19p";
        let expected: [&[&str]; 3] = [&[JITOSOL, USDC, SOL, JITOSOL_RATE], &[SOL, USDC], &[USDC, SOL]];
        for ((name, market), expected) in files().iter().zip(expected) {
            let pins = market.feeds().each();
            let accounts: Vec<String> = pins
                .iter()
                .filter_map(breakwater_client::feeds::default_account)
                .map(|account| account.to_string())
                .collect();
            assert_eq!(accounts, expected, "{name}");
        }
    }

    #[test]
    fn a_file_says_everything_and_nothing_else() {
        let text = fs::read_to_string(folder().join("sol-usdc.toml")).unwrap();
        let refused = |text: &str| Market::parse(text).unwrap_err();
        let with = text.replace("[parameters]", "[parameters]\nleast_debt = 1");
        assert!(refused(&with).contains("unknown field `least_debt`"));
        let without: String = text
            .lines()
            .filter(|line| !line.starts_with("min_debt"))
            .collect::<Vec<_>>()
            .join("\n");
        assert!(refused(&without).contains("missing field `min_debt`"));
        assert!(refused(&text.replace("initial_ltv = ", "initial_ltv = 9")).contains("the engine refuses"));
        let (receiver, other) = (Stack::REC2.receiver.to_string(), breakwater::ID.to_string());
        assert!(refused(&text.replace(&receiver, &other)).contains("is no known Pyth receiver"));
        assert!(refused(&text.replace("id = \"ef0d", "id = \"0xef0d")).contains("is not 64 hexadecimal digits"));
    }
}

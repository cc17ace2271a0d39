//! The scenario file: what is known of a price history, and who takes part in the replay.

mod anchors;
mod market;

pub use anchors::{Anchor, Anchors, Day, Hour, PRICE_DECIMALS, dollars, time_label};
pub use market::{MarketShape, Token};

use breakwater_engine as engine;
use serde::Deserialize;
use thiserror::Error;

const SECONDS_PER_HOUR: u32 = 3_600;

/// Why a scenario file cannot be used.
#[derive(Debug, Error, PartialEq)]
pub enum ScenarioError {
    /// Not TOML, a field is missing, unknown or of the wrong type; the text says where.
    #[error("the scenario does not parse: {0}")]
    Syntax(String),
    /// A number lies outside what the replay can work with.
    #[error("{field} is {value}, but it has to be {wanted}")]
    OutOfRange {
        /// Dotted name of the field.
        field: String,
        /// The value in the file.
        value: String,
        /// The values accepted.
        wanted: &'static str,
    },
    /// A date is not in the calendar or carries a time of day.
    #[error("{0} is not a calendar date")]
    Date(String),
    /// The known prices are not in the order of time.
    #[error("{0} does not come after the known price before it")]
    Order(String),
    /// Fewer than two known prices, or the first or last is not usable as an end of the path.
    #[error("{0}")]
    Ends(&'static str),
    /// An hour's open, or the next known open, lies on or beyond the hour's stated low or high.
    #[error("{at}: {price} is not inside the stated low and high of the hour {hour}")]
    OutsideHour {
        /// When that price holds.
        at: String,
        /// The price.
        price: f64,
        /// The hour with the stated low or high.
        hour: String,
    },
    /// The engine refuses the market's parameters.
    #[error("the program would refuse the market's parameters: {0:?}")]
    Config(engine::Error),
}

/// A scenario as it stands in the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Name, for titles.
    pub name: String,
    /// One sentence on what happened.
    pub about: String,
    /// Seed of everything random.
    pub seed: u64,
    /// Seconds between two steps; divides an hour.
    pub step_seconds: u32,
    /// How the path behaves between the known prices.
    pub path: PathShape,
    /// The known prices, day by day.
    pub day: Vec<Day>,
    /// The tokens and the market's parameters.
    pub market: MarketShape,
    /// The borrowers.
    pub accounts: Accounts,
    /// The suppliers.
    pub pool: Pool,
    /// The backstop.
    pub backstop: Backstop,
    /// The keeper.
    pub keeper: Keeper,
    /// The buyers of inventory.
    pub buyers: Buyers,
}

/// The random part of the path and what the oracle says beside the price.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PathShape {
    /// Standard deviation of the price's logarithm over one hour.
    pub hourly_volatility: f64,
    /// Fixed part of the confidence, as a fraction of the price.
    pub confidence: f64,
    /// Part of the confidence per unit of the last minute's relative move.
    pub confidence_per_minute_move: f64,
    /// Time constant of the oracle's average, in seconds.
    pub ema_seconds: f64,
}

/// Who borrows.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accounts {
    /// Number of margin accounts, each of an owner of its own.
    pub count: u32,
    /// Lowest loan-to-value at the first price.
    pub lowest_ltv: f64,
    /// Highest loan-to-value at the first price.
    pub highest_ltv: f64,
    /// Median collateral, in whole tokens.
    pub median_collateral: f64,
    /// Standard deviation of the logarithm of the collateral.
    pub size_spread: f64,
}

/// Who supplies.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pool {
    /// Number of suppliers, with equal parts.
    pub suppliers: u32,
    /// Their supply together, in whole quote tokens.
    pub supplied: f64,
}

/// The capital behind the market.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backstop {
    /// Funds given to it before the first step, in whole quote tokens.
    pub funded: f64,
}

/// Who liquidates, without any capital.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keeper {
    /// Shows the market its prices this often, in seconds, if nothing else did.
    pub observe_seconds: u32,
    /// Most accounts in one transaction.
    pub batch: usize,
}

/// Who takes inventory, to sell it elsewhere at the price of the moment.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Buyers {
    /// How many; they take turns.
    pub count: u32,
    /// Funds of each, in whole quote tokens.
    pub funds: f64,
    /// Buys if the ask is below the price by at least this, in basis points: what selling elsewhere costs.
    pub edge: u32,
    /// Smallest purchase that is worth a transaction, in whole quote tokens.
    pub smallest: f64,
}

impl Scenario {
    /// Reads and checks a scenario.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        let scenario: Self = toml::from_str(text).map_err(|error| ScenarioError::Syntax(error.to_string()))?;
        scenario.check()?;
        scenario.anchors()?;
        Ok(scenario)
    }

    fn check(&self) -> Result<(), ScenarioError> {
        let step = self.step_seconds;
        require(
            step > 0 && SECONDS_PER_HOUR.is_multiple_of(step) && SECONDS_PER_HOUR / step >= 12,
            "step_seconds",
            &step,
            "a divisor of 3600 and at most 300",
        )?;
        let path = &self.path;
        in_range(
            "path.hourly_volatility",
            path.hourly_volatility,
            0.0..=1.0,
            "from 0 to 1",
        )?;
        in_range("path.confidence", path.confidence, 0.0..=0.1, "from 0 to 0.1")?;
        in_range(
            "path.confidence_per_minute_move",
            path.confidence_per_minute_move,
            0.0..=10.0,
            "from 0 to 10",
        )?;
        in_range("path.ema_seconds", path.ema_seconds, 1.0..=1e6, "from 1 to 1000000")?;
        let accounts = &self.accounts;
        require(accounts.count > 0, "accounts.count", &accounts.count, "at least 1")?;
        in_range(
            "accounts.lowest_ltv",
            accounts.lowest_ltv,
            0.01..=0.99,
            "from 0.01 to 0.99",
        )?;
        in_range(
            "accounts.highest_ltv",
            accounts.highest_ltv,
            accounts.lowest_ltv..=0.99,
            "from the lowest LTV to 0.99",
        )?;
        in_range(
            "accounts.median_collateral",
            accounts.median_collateral,
            1e-3..=1e6,
            "from 0.001 to 1000000",
        )?;
        in_range("accounts.size_spread", accounts.size_spread, 0.0..=3.0, "from 0 to 3")?;
        require(
            self.pool.suppliers > 0,
            "pool.suppliers",
            &self.pool.suppliers,
            "at least 1",
        )?;
        in_range("pool.supplied", self.pool.supplied, 1.0..=1e10, "from 1 to 10000000000")?;
        in_range(
            "backstop.funded",
            self.backstop.funded,
            0.0..=1e10,
            "from 0 to 10000000000",
        )?;
        require(
            self.keeper.observe_seconds > 0,
            "keeper.observe_seconds",
            &self.keeper.observe_seconds,
            "at least 1",
        )?;
        require(
            (1..=24).contains(&self.keeper.batch),
            "keeper.batch",
            &self.keeper.batch,
            "from 1 to 24",
        )?;
        let buyers = &self.buyers;
        require(buyers.count > 0, "buyers.count", &buyers.count, "at least 1")?;
        in_range("buyers.funds", buyers.funds, 1.0..=1e10, "from 1 to 10000000000")?;
        require(buyers.edge <= 5_000, "buyers.edge", &buyers.edge, "at most 5000")?;
        in_range(
            "buyers.smallest",
            buyers.smallest,
            0.0..=buyers.funds,
            "from 0 to what a buyer has",
        )?;
        self.market.check()?;
        self.market.config().validate().map_err(ScenarioError::Config)
    }
}

fn in_range(
    field: &str,
    value: f64,
    range: std::ops::RangeInclusive<f64>,
    wanted: &'static str,
) -> Result<(), ScenarioError> {
    require(range.contains(&value), field, &value, wanted)
}

fn require(holds: bool, field: &str, value: &dyn ToString, wanted: &'static str) -> Result<(), ScenarioError> {
    if holds {
        return Ok(());
    }
    Err(ScenarioError::OutOfRange {
        field: field.to_owned(),
        value: value.to_string(),
        wanted,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLACK_THURSDAY: &str = include_str!("../../scenarios/black-thursday.toml");

    fn with(from: &str, to: &str) -> Result<Scenario, ScenarioError> {
        assert!(BLACK_THURSDAY.contains(from), "{from}");
        Scenario::parse(&BLACK_THURSDAY.replacen(from, to, 1))
    }

    fn out_of_range(result: Result<Scenario, ScenarioError>) -> (String, String) {
        match result {
            Err(ScenarioError::OutOfRange { field, value, .. }) => (field, value),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn black_thursday_parses() {
        let anchors = Scenario::parse(BLACK_THURSDAY)
            .and_then(|s| s.anchors())
            .expect("valid");
        assert_eq!(anchors.start, 1_583_971_200);
        assert_eq!(anchors.list.len(), 36);
        let worst = Anchor {
            hour: 26,
            open: 9_660_000_000,
            low: Some(8_600_000_000),
            high: Some(12_020_000_000),
        };
        assert_eq!(anchors.list[20], worst);
        assert_eq!(
            anchors.list[35],
            Anchor {
                hour: 48,
                open: 13_410_000_000,
                low: None,
                high: None
            }
        );
    }

    #[test]
    fn a_typo_is_named() {
        let Err(ScenarioError::Syntax(text)) = with("hourly_volatility", "hourly_volatilty") else {
            panic!("a misspelt field was accepted");
        };
        assert!(text.contains("unknown field `hourly_volatilty`"), "{text}");
    }

    #[test]
    fn numbers_out_of_range_are_named() {
        assert_eq!(
            out_of_range(with("step_seconds = 20", "step_seconds = 7")),
            ("step_seconds".into(), "7".into())
        );
        assert_eq!(
            out_of_range(with("count = 320", "count = 0")),
            ("accounts.count".into(), "0".into())
        );
        assert_eq!(
            out_of_range(with("highest_ltv = 0.69", "highest_ltv = 0.2")),
            ("accounts.highest_ltv".into(), "0.2".into())
        );
        assert_eq!(
            out_of_range(with("hour = 2, open = 185.0", "hour = 2, open = -1.0")),
            ("open of 2020-03-12 02:00".into(), "-1".into())
        );
        assert_eq!(
            out_of_range(with("hour = 24,", "hour = 25,")),
            ("hour".into(), "25".into())
        );
    }

    #[test]
    fn hours_come_in_order() {
        assert_eq!(
            with("hour = 3, open = 184.1", "hour = 1, open = 184.1").map(|_| ()),
            Err(ScenarioError::Order("2020-03-12 01:00".into()))
        );
        assert_eq!(
            with("date = 2020-03-13", "date = 2020-03-11").map(|_| ()),
            Err(ScenarioError::Order("2020-03-11 00:00".into()))
        );
        assert_eq!(
            with("date = 2020-03-13", "date = 2020-03-13T01:00:00Z").map(|_| ()),
            Err(ScenarioError::Date("2020-03-13T01:00:00Z".into()))
        );
    }

    #[test]
    fn a_low_must_lie_below_the_opens_around_it() {
        assert_eq!(
            with("open = 168.0, low = 125.0", "open = 168.0, low = 133.0").map(|_| ()),
            Err(ScenarioError::OutsideHour {
                at: "12 Mar 11:00".into(),
                price: 132.9,
                hour: "12 Mar 10:00".into()
            })
        );
        assert_eq!(
            with("hour = 24, open = 134.1", "hour = 24, open = 134.1, low = 134.0").map(|_| ()),
            Err(ScenarioError::Ends(
                "the last known price ends the path: it has no low or high"
            ))
        );
    }

    #[test]
    fn black_thursday_is_the_example_but_for_its_size() {
        let ours = Scenario::parse(BLACK_THURSDAY).expect("valid").market.config();
        let example = engine::Config::EXAMPLE;
        let of_its_size = engine::Config {
            guarded_flow: ours.guarded_flow,
            market_depth: ours.market_depth,
            supply_cap: ours.supply_cap,
            debt_cap: ours.debt_cap,
            account_debt_cap: ours.account_debt_cap,
            ..example
        };
        assert_eq!(ours, of_its_size);
        // A fiftieth of it.
        assert_eq!(ours.market_depth.0 * 50, example.market_depth.0);
        assert_eq!(ours.debt_cap.0 * 50, example.debt_cap.0);
        assert_eq!(
            with("size = 0.02", "size = 0.000001").map(|_| ()),
            Err(ScenarioError::OutOfRange {
                field: "market.size".into(),
                value: "0.000001".into(),
                wanted: "from 0.0001 to 10000"
            })
        );
    }
}

//! A scenario file's contents: the path of the price, the market that sales move, the oracle, the borrowers, the
//! protocol.
//!
//! Amounts of money are fractions of all debt at the start, unless a name says otherwise; so a scenario has no size.

use std::collections::BTreeMap;

use breakwater_engine::{Config, Parameter, Quote};
use serde::{Deserialize, Serialize};

use super::{LabError, borrowers::Given, impact::Impact};
use crate::{rounding::nearest_u64, scenario::PathShape};

/// Decimals of the collateral token in the laboratory's markets.
pub const COLLATERAL_UNIT: f64 = 1e9;
/// Atoms of one quote token.
pub const QUOTE_UNIT: f64 = 1e6;
/// All debt at the start, whole quote tokens.
pub const DEBT: f64 = 100_000_000.0;
/// The parameters that are amounts of quote: a larger market has them in proportion.
const AMOUNTS: [&str; 8] = [
    "min_debt",
    "bounty_tip",
    "bounty_cap",
    "guarded_flow",
    "market_depth",
    "supply_cap",
    "debt_cap",
    "account_debt_cap",
];

/// A scenario.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Setup {
    /// For titles.
    pub name: String,
    /// One sentence on what happens.
    pub about: String,
    /// The exogenous price.
    pub path: Course,
    /// Seed of everything random.
    #[serde(default = "one")]
    pub seed: u64,
    /// Seconds between two steps.
    #[serde(default = "ten")]
    pub step_seconds: u32,
    /// How sales move the price.
    #[serde(default)]
    pub impact: Impact,
    /// The oracle's view of the price.
    #[serde(default)]
    pub oracle: OracleShape,
    /// Who borrows.
    #[serde(default)]
    pub borrowers: Borrowers,
    /// Who borrows, if they are not drawn; scenario files cannot say it.
    #[serde(skip)]
    pub people: Option<Vec<Given>>,
    /// Who keeps the market going, and when they do not.
    #[serde(default)]
    pub keepers: Keepers,
    /// Who takes collateral off the outside market because it has become cheap.
    #[serde(default)]
    pub buyers: BargainHunters,
    /// Who lends.
    #[serde(default)]
    pub suppliers: Suppliers,
    /// True if the collateral can be redeemed, whatever it is sold for, at the price that a trend's random walk alone
    /// would make: the trend is then how far it trades below that.
    #[serde(default)]
    pub redeemable: bool,
    /// The capital behind the debt, and how it sells.
    #[serde(default)]
    pub protocol: Protocol,
}

fn one() -> u64 {
    1
}

fn ten() -> u32 {
    10
}

/// Where the exogenous price goes.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Course {
    /// Black Thursday: the known prices of the demo's scenario, or the candles of a file, and then quiet until `hours`.
    BlackThursday {
        /// Length.
        hours: u32,
        /// Standard deviation of the logarithm over one hour, after the known prices.
        hourly_volatility: f64,
        /// True to take the candles.
        #[serde(default)]
        candles: bool,
    },
    /// Known prices, a random bridge between each two, and then quiet until `hours`.
    Known {
        /// Unix time of hour 0.
        start: i64,
        /// Length.
        hours: u32,
        /// Hour, and price in quote; in order, the first at hour 0.
        prices: Vec<(f64, f64)>,
        /// Standard deviation of the logarithm over one hour, in the bridges and after them.
        hourly_volatility: f64,
    },
    /// Straight lines in the logarithm between these points, plus a random walk, plus jumps.
    Trend {
        /// Length.
        hours: u32,
        /// Hour, and price as a fraction of the first; in order.
        points: Vec<(f64, f64)>,
        /// Standard deviation of the logarithm over one hour.
        hourly_volatility: f64,
        /// Jumps a day (Poisson).
        #[serde(default)]
        jumps_per_day: f64,
        /// Standard deviation of a jump's logarithm.
        #[serde(default)]
        jump_deviation: f64,
    },
}

/// The oracle's treatment of the market's price.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct OracleShape {
    /// Steps between a price and the reading that shows it.
    pub latency_steps: usize,
    /// Steps by which the price of a reading is older still than its time says: the publishers themselves are behind.
    pub unnoticed_steps: usize,
    /// Fixed part of the confidence, as a fraction of the price.
    pub confidence: f64,
    /// Part of the confidence per unit of the last minute's relative move.
    pub confidence_per_minute_move: f64,
    /// Time constant of the oracle's average, seconds.
    pub ema_seconds: f64,
}

impl Default for OracleShape {
    fn default() -> Self {
        Self {
            latency_steps: 1,
            unnoticed_steps: 0,
            confidence: 0.0005,
            confidence_per_minute_move: 0.2,
            ema_seconds: 3_600.0,
        }
    }
}

impl OracleShape {
    /// As the paths of the demo have it.
    pub fn path_shape(&self) -> PathShape {
        PathShape {
            hourly_volatility: 0.0,
            confidence: self.confidence,
            confidence_per_minute_move: self.confidence_per_minute_move,
            ema_seconds: self.ema_seconds,
        }
    }
}

/// Who borrows, and what some do about it.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Borrowers {
    /// Number of accounts.
    pub count: u32,
    /// LTV at the start = liquidation LTV × highest × Beta(alpha, beta).
    pub alpha: f64,
    /// See `alpha`.
    pub beta: f64,
    /// The highest LTV at the start, as a fraction of the liquidation LTV.
    pub highest: f64,
    /// Standard deviation of the logarithm of an account's size.
    pub size_spread: f64,
    /// The largest account, as a fraction of all debt; larger draws are cut.
    pub largest: f64,
    /// The share of borrowers who watch their accounts.
    pub attentive: f64,
    /// The LTV at which they decide to act, as a fraction of the liquidation LTV.
    pub attention: f64,
    /// How long they take to act, seconds (mean of an exponential distribution).
    pub delay: f64,
    /// Amount they can add, as a fraction of their debt: every other one repays, the rest add collateral.
    pub savings: f64,
    /// The share of owners who see the true price before the oracle shows it, and liquidate themselves at the lagging
    /// one when that pays.
    pub informed: f64,
}

impl Default for Borrowers {
    fn default() -> Self {
        Self {
            count: 1_000,
            alpha: 2.5,
            beta: 1.5,
            highest: 0.97,
            size_spread: 1.5,
            largest: 0.02,
            attentive: 0.2,
            attention: 0.95,
            delay: 900.0,
            savings: 0.2,
            informed: 0.0,
        }
    }
}

/// Who shows the market its prices, liquidates and buys.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Keepers {
    /// Steps from one time that they act to the next.
    pub every: usize,
    /// How long nothing reaches the chain, while the price falls fastest; minutes.
    pub outage_minutes: f64,
}

impl Default for Keepers {
    fn default() -> Self {
        Self {
            every: 1,
            outage_minutes: 0.0,
        }
    }
}

/// Buyers on the outside market who step in when sales have pushed the price far enough, with limited capital that
/// comes back.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct BargainHunters {
    /// Their capital, fraction of all debt.
    pub capital: f64,
    /// How far below the exogenous price they begin, as a logarithm.
    pub from: f64,
    /// Half-life of what they have tied up, seconds.
    pub half_life: f64,
}

impl Default for BargainHunters {
    fn default() -> Self {
        Self {
            capital: 0.0,
            from: 0.05,
            half_life: 21_600.0,
        }
    }
}

/// The suppliers' behavior when the price falls.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Suppliers {
    /// From this fall of the oracle's price on all of them want to leave, and take whatever cash there is; 0: they
    /// stay.
    pub run_from: f64,
}

impl Default for Suppliers {
    fn default() -> Self {
        Self { run_from: 0.0 }
    }
}

/// The capital behind the debt, and the parameters of the market: those of [`Config::EXAMPLE`] or of a file, amounts in
/// proportion to the debt. The laboratory has no set of its own.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Protocol {
    /// The protocol's own capital, the same for every mechanism.
    pub equity: f64,
    /// The exchange's depth as the market believes it to be, fraction of all debt that moves the price by 1%. Unless
    /// told, as its parameters say.
    pub assumed_depth: Option<f64>,
    /// Parameters that differ, by name: for sweeps.
    pub parameters: BTreeMap<String, u64>,
    /// Whose parameters.
    pub market: String,
    /// The same; scenario files cannot say it.
    #[serde(skip, default = "example")]
    pub base: Config,
}

fn example() -> Config {
    Config::EXAMPLE
}

impl Default for Protocol {
    fn default() -> Self {
        Self {
            equity: 0.1,
            assumed_depth: None,
            parameters: BTreeMap::new(),
            market: "example".to_owned(),
            base: Config::EXAMPLE,
        }
    }
}

impl Protocol {
    /// The engine's parameters for a market of [`DEBT`].
    ///
    /// # Errors
    /// [`LabError::Syntax`] for a name that is no parameter's, or a value that it cannot have.
    pub fn config(&self) -> Result<Config, LabError> {
        let mut config = self.base;
        // A market that is full.
        let scale = DEBT * QUOTE_UNIT / self.base.debt_cap.0 as f64;
        let refused = |name: &str, value: u64| LabError::Syntax(format!("no parameter {name} can be {value}"));
        for parameter in Parameter::ALL {
            if AMOUNTS.contains(&parameter.name()) {
                let value = nearest_u64(parameter.get(&self.base) as f64 * scale);
                parameter
                    .set(&mut config, value)
                    .map_err(|_| refused(parameter.name(), value))?;
            }
        }
        if let Some(depth) = self.assumed_depth {
            config.market_depth = quote(depth);
        }
        for (name, &value) in &self.parameters {
            let parameter = Parameter::ALL.iter().find(|parameter| parameter.name() == name);
            parameter
                .ok_or_else(|| refused(name, value))?
                .set(&mut config, value)
                .map_err(|_| refused(name, value))?;
        }
        Ok(config)
    }

    /// The fraction of all debt whose sale moves the price by 1%, as the market believes.
    ///
    /// # Errors
    /// As [`Self::config`].
    pub fn assumed_depth(&self) -> Result<f64, LabError> {
        Ok(self.config()?.market_depth.0 as f64 / QUOTE_UNIT / DEBT)
    }
}

/// A fraction of all debt in quote atoms.
pub fn quote(fraction: f64) -> Quote {
    Quote(nearest_u64(fraction * DEBT * QUOTE_UNIT))
}

impl Setup {
    /// Reads and checks a scenario.
    ///
    /// # Errors
    /// [`LabError::Syntax`], [`LabError::OutOfRange`].
    pub fn parse(text: &str) -> Result<Self, LabError> {
        let setup: Self = toml::from_str(text).map_err(|error| LabError::Syntax(error.to_string()))?;
        setup.check()?;
        Ok(setup)
    }

    /// The same on the candles of a file, if it is Black Thursday.
    pub fn on_candles(&self) -> Option<Self> {
        let mut setup = self.clone();
        let Course::BlackThursday { candles, .. } = &mut setup.path else {
            return None;
        };
        *candles = true;
        setup.name += ", hourly candles";
        Some(setup)
    }

    /// Checks that every number is one that the laboratory can work with.
    ///
    /// # Errors
    /// [`LabError::OutOfRange`] with the first that is not.
    pub fn check(&self) -> Result<(), LabError> {
        let (impact, oracle, people, protocol) = (&self.impact, &self.oracle, &self.borrowers, &self.protocol);
        let hours = match &self.path {
            Course::BlackThursday { hours, .. } | Course::Known { hours, .. } | Course::Trend { hours, .. } => *hours,
        };
        let (keepers, buyers) = (&self.keepers, &self.buyers);
        // An older reading is refused by the engine: nobody could act at all.
        let oldest = f64::from(protocol.base.max_age_long / self.step_seconds.max(1));
        let ranges = [
            ("path.hours", f64::from(hours), 1.0, 8_760.0),
            ("step_seconds", f64::from(self.step_seconds), 1.0, 300.0),
            ("impact.depth", impact.depth, 1e-6, 1e3),
            ("impact.permanent", impact.permanent, 0.0, 1.0),
            ("impact.concavity", impact.concavity, 0.1, 1.0),
            ("impact.half_life", impact.half_life, 1.0, 1e7),
            ("impact.thinning", impact.thinning, 0.0, 100.0),
            ("impact.thinnest", impact.thinnest, 1e-3, 1.0),
            ("oracle.latency_steps", oracle.latency_steps as f64, 0.0, oldest),
            ("oracle.unnoticed_steps", oracle.unnoticed_steps as f64, 0.0, 360.0),
            ("oracle.confidence", oracle.confidence, 0.0, 0.1),
            ("oracle.ema_seconds", oracle.ema_seconds, 1.0, 1e6),
            ("borrowers.count", f64::from(people.count), 1.0, 1e6),
            ("borrowers.alpha", people.alpha, 0.1, 100.0),
            ("borrowers.beta", people.beta, 0.1, 100.0),
            ("borrowers.highest", people.highest, 0.1, 0.99),
            ("borrowers.size_spread", people.size_spread, 0.0, 3.0),
            ("borrowers.largest", people.largest, 1e-6, 1.0),
            ("borrowers.attentive", people.attentive, 0.0, 1.0),
            ("borrowers.attention", people.attention, 0.1, 1.0),
            ("borrowers.delay", people.delay, 0.0, 1e6),
            ("borrowers.savings", people.savings, 0.0, 1.0),
            ("borrowers.informed", people.informed, 0.0, 1.0),
            ("protocol.equity", protocol.equity, 0.0, 10.0),
            ("keepers.every", keepers.every as f64, 1.0, oldest.max(1.0)),
            ("keepers.outage_minutes", keepers.outage_minutes, 0.0, 1e4),
            ("buyers.capital", buyers.capital, 0.0, 1e3),
            ("buyers.from", buyers.from, 0.0, 10.0),
            ("buyers.half_life", buyers.half_life, 1.0, 1e7),
            ("suppliers.run_from", self.suppliers.run_from, 0.0, 1.0),
        ];
        for (field, value, low, high) in ranges {
            if !(low..=high).contains(&value) {
                return Err(LabError::OutOfRange {
                    field,
                    value,
                    low,
                    high,
                });
            }
        }
        if let Course::Known { prices: points, .. } | Course::Trend { points, .. } = &self.path {
            let ordered = points.windows(2).all(|pair| pair[0].0 < pair[1].0);
            if points.is_empty() || !ordered || points.iter().any(|point| point.1 <= 0.0) {
                return Err(LabError::Points);
            }
        }
        Ok(())
    }
}

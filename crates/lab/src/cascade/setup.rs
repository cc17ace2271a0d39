//! What a scenario file says: the path of the price, the market that sales move, the oracle, the borrowers, the protocol.
//!
//! Amounts of money are fractions of all debt at the start, unless a name says otherwise; so a scenario has no size.

use breakwater_engine::{Bps, Collateral, Config, Quote};
use serde::{Deserialize, Serialize};

use super::{LabError, impact::Impact};
use crate::{
    rounding::{nearest_u32, nearest_u64},
    scenario::PathShape,
};

/// Decimals of the collateral token in the laboratory's markets.
pub const COLLATERAL_UNIT: f64 = 1e9;
/// Atoms of one quote token.
pub const QUOTE_UNIT: f64 = 1e6;
/// All debt at the start, whole quote tokens.
pub const DEBT: f64 = 100_000_000.0;
/// What is lent is the scenario's choice, not a cap's.
const NO_CAP: Quote = Quote(u64::MAX);

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
    /// Of everything random.
    #[serde(default = "one")]
    pub seed: u64,
    /// Seconds between two steps.
    #[serde(default = "ten")]
    pub step_seconds: u32,
    /// How sales move the price.
    #[serde(default)]
    pub impact: Impact,
    /// What the oracle says of the price.
    #[serde(default)]
    pub oracle: OracleShape,
    /// Who borrows.
    #[serde(default)]
    pub borrowers: Borrowers,
    /// What stands behind the debt, and how it sells.
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
        /// Whether to take the candles.
        #[serde(default)]
        candles: bool,
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

/// What the oracle makes of the market's price.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct OracleShape {
    /// Steps between a price and the reading that shows it.
    pub latency_steps: usize,
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
    /// What they can add, as a fraction of their debt: every other one repays, the rest add collateral.
    pub savings: f64,
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
        }
    }
}

/// What stands behind the debt. The same capital for every mechanism; the rest is Breakwater's.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Protocol {
    /// The protocol's own capital.
    pub equity: f64,
    /// Fastest unwind: collateral worth this fraction of all debt, an hour, at the first price.
    pub unwind_per_hour: f64,
    /// Time in which the whole inventory is scheduled to be sold, hours.
    pub unwind_hours: f64,
    /// How far sales may run ahead of the schedule, seconds.
    pub unwind_burst: u32,
    /// Growth of the discount, bps an hour.
    pub unwind_slope: u32,
    /// Largest discount, bps.
    pub unwind_max_discount: u32,
    /// How far below the averages inventory may be sold, bps.
    pub unwind_floor_band: u32,
    /// Where a liquidation stops, bps.
    pub target_ltv: u32,
    /// Most net debt per unit of equity, bps.
    pub backstop_leverage: u32,
    /// While Guarded: debt taken over in steps, fraction of all debt a minute.
    pub guarded_flow: f64,
    /// The guards' speed limit, bps a second.
    pub max_velocity: u32,
    /// Off the price of inventory when the backstop's room is counted, bps.
    pub inventory_haircut: u32,
    /// Growth of the discount of external liquidations, bps a minute without room.
    pub external_slope: u32,
}

/// Chosen from the laboratory's sweeps: docs/lab.md.
impl Default for Protocol {
    fn default() -> Self {
        Self {
            equity: 0.1,
            unwind_per_hour: 0.01,
            unwind_hours: 24.0,
            unwind_burst: 600,
            unwind_slope: 100,
            unwind_max_discount: 500,
            unwind_floor_band: 1_500,
            target_ltv: 7_900,
            backstop_leverage: 200_000,
            guarded_flow: 0.035,
            max_velocity: 10,
            inventory_haircut: 0,
            external_slope: 1,
        }
    }
}

impl Protocol {
    /// The engine's parameters for a market of [`DEBT`], at a first price in quote tokens.
    pub fn config(&self, first_price: f64) -> Config {
        let per_second = DEBT * self.unwind_per_hour / 3_600.0 / first_price * COLLATERAL_UNIT;
        Config {
            unwind_max_rate: nearest_u64(per_second).max(1),
            unwind_min_rate: nearest_u64(per_second / 1_000.0).max(1),
            unwind_time: nearest_u32(self.unwind_hours * 3_600.0),
            unwind_burst: self.unwind_burst,
            unwind_slope: Bps(self.unwind_slope),
            unwind_max_discount: Bps(self.unwind_max_discount),
            unwind_floor_band: Bps(self.unwind_floor_band),
            target_ltv: Bps(self.target_ltv),
            backstop_leverage: Bps(self.backstop_leverage),
            guarded_flow: quote(self.guarded_flow),
            max_velocity: Bps(self.max_velocity),
            inventory_haircut: Bps(self.inventory_haircut),
            external_slope: Bps(self.external_slope),
            inventory_cap: Collateral(u64::MAX),
            // Every mechanism meets the same borrowers: nobody is refused.
            volatility_max: Bps(0),
            crowding_max: Bps(0),
            band_floor: Quote(u64::MAX),
            supply_cap: NO_CAP,
            debt_cap: NO_CAP,
            account_debt_cap: NO_CAP,
            ..Config::EXAMPLE
        }
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

    /// Whether every number is one that the laboratory can work with.
    ///
    /// # Errors
    /// [`LabError::OutOfRange`] with the first that is not.
    pub fn check(&self) -> Result<(), LabError> {
        let (impact, oracle, people, protocol) = (&self.impact, &self.oracle, &self.borrowers, &self.protocol);
        let hours = match &self.path {
            Course::BlackThursday { hours, .. } | Course::Trend { hours, .. } => *hours,
        };
        let ranges = [
            ("path.hours", f64::from(hours), 1.0, 8_760.0),
            ("step_seconds", f64::from(self.step_seconds), 1.0, 300.0),
            ("impact.depth", impact.depth, 1e-6, 1e3),
            ("impact.permanent", impact.permanent, 0.0, 1.0),
            ("impact.concavity", impact.concavity, 0.1, 1.0),
            ("impact.half_life", impact.half_life, 1.0, 1e7),
            ("impact.thinning", impact.thinning, 0.0, 100.0),
            ("impact.thinnest", impact.thinnest, 1e-3, 1.0),
            ("oracle.latency_steps", oracle.latency_steps as f64, 0.0, 60.0),
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
            ("protocol.equity", protocol.equity, 0.0, 10.0),
            ("protocol.unwind_per_hour", protocol.unwind_per_hour, 1e-6, 1e3),
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
        if let Course::Trend { points, .. } = &self.path {
            let ordered = points.windows(2).all(|pair| pair[0].0 < pair[1].0);
            if points.is_empty() || !ordered || points.iter().any(|point| point.1 <= 0.0) {
                return Err(LabError::Points);
            }
        }
        Ok(())
    }
}

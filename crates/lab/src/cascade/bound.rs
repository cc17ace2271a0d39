//! The engine's cascade curve before a crash, against the laboratory's run of it.
//!
//! The curve is told the borrowers, as the market's liquidation map has them, and one figure of depth: that of the
//! exchange. At once, with everyone selling, it is a bound: the fall by news that it calls critical is no larger than
//! the smallest that does damage in the laboratory, whatever the shape of the path, whoever dumps. Paced it is an
//! estimate: it is to say whether the dump baseline's sales push the price by a half.

use breakwater_engine::{
    Bps,
    price::oracle::PriceUse,
    views::cascade::{CRISIS, Curve, End, Pace, Seller},
};
use serde::Serialize;

use super::{
    Kind, LabError, Path, Setup,
    cell::Part,
    lending::{Lending, Shown, clock},
    mechanism::BONUS,
    run, search,
    setup::quote,
};
use crate::rounding::{fraction, nearest_u32};

/// Depths at which curve and laboratory are compared.
pub const DEPTHS: [Part; 8] = [
    Part(2_500),
    Part(5_000),
    Part(10_000),
    Part(20_000),
    Part(30_000),
    Part(50_000),
    Part(70_000),
    Part(100_000),
];

/// The paths whose news have a pace, in the terms of the curve: minutes of the fall, and minutes for which it stays.
pub const PACED: [(&str, Pace); 4] = [
    ("Black Thursday", Pace { fall: 1_560, stay: 600 }),
    ("Crash without rebound", Pace { fall: 240, stay: 600 }),
    ("Wick", Pace { fall: 3, stay: 3 }),
    ("Slow bleed", Pace { fall: 3_600, stay: 300 }),
];

/// Seconds between two prices that the curve is told.
const MINUTE: u32 = 60;
/// Who dumps: keepers who repay half of a debt, and who repay all of it.
const DUMPING: [Kind; 2] = [Kind::Dump, Kind::Full];

/// Curve and laboratory at one depth of one path.
#[derive(Clone, Debug, Serialize)]
pub struct Bounded {
    /// Number of the scenario.
    pub scenario: usize,
    /// The fraction of all debt whose sale moves the price by 1%.
    pub depth: Part,
    /// Seed.
    pub seed: u64,
    /// The curve's critical fall by news if everyone dumps at once.
    pub curve: f64,
    /// The smallest fall of the path's shape that does damage, whoever dumps; `None` if none does.
    pub laboratory: Option<f64>,
}

impl Bounded {
    /// How far the laboratory's critical fall lies below the curve's; negative if it does not, as is promised.
    pub fn excess(&self) -> f64 {
        self.laboratory
            .map_or(f64::NEG_INFINITY, |laboratory| self.curve - laboratory)
    }
}

/// Where the price of one path ends, by the curve and in the laboratory, while keepers dump.
#[derive(Clone, Debug, Serialize)]
pub struct Paced {
    /// Number of the scenario.
    pub scenario: usize,
    /// The fraction of all debt whose sale moves the price by 1%.
    pub depth: Part,
    /// Seed.
    pub seed: u64,
    /// By the curve whose news come in a straight line.
    pub line: Ends,
    /// By the curve that is told the path's own news, minute by minute.
    pub along: Ends,
    /// In the laboratory.
    pub laboratory: Ends,
}

/// The furthest that a price falls.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Ends {
    /// News and sales together.
    pub total: f64,
    /// By sales, below what the news alone would have made it.
    pub own: f64,
}

impl Ends {
    fn of(end: End) -> Self {
        Self {
            total: fraction(end.fall),
            own: fraction(end.own()),
        }
    }
}

impl Paced {
    /// True if the straight line and the laboratory agree about sales pushing the price by a half.
    pub fn line_agrees(&self) -> bool {
        same_side(self.line.own, self.laboratory.own)
    }

    /// True if they agree about the price falling by a half, which the news alone may decide.
    pub fn line_agrees_in_all(&self) -> bool {
        same_side(self.line.total, self.laboratory.total)
    }

    /// The same of the curve that knows the path's own news.
    pub fn along_agrees_in_all(&self) -> bool {
        same_side(self.along.total, self.laboratory.total)
    }
}

/// True if both are on one side of [`CRISIS`].
fn same_side(one: f64, other: f64) -> bool {
    let crisis = fraction(CRISIS);
    (one >= crisis) == (other >= crisis)
}

/// The curve of a scenario's market at its first price, as its views show it, but for the bonus, which is that of the
/// keepers who dump here, and for the depth, which is what it is `told`: a fraction of all debt.
///
/// # Errors
/// The errors of the engine.
pub fn curve(setup: &Setup, path: &Path, told: f64) -> Result<Curve, LabError> {
    let first = Shown::first(path);
    let (lending, _) = Lending::open(setup, &setup.protocol.config()?, &first)?;
    let mut market = lending.market;
    let prices = market.accept_prices(&first.readings(), PriceUse::Observe, clock(path.start))?;
    market.config.takeover_penalty = Bps(nearest_u32(BONUS * 1e4));
    market.config.market_depth = quote(told);
    Ok(market.cascade(&prices, clock(path.start))?)
}

/// The curve's critical fall by news if everyone dumps at once.
pub fn critical(curve: &Curve) -> f64 {
    fraction(curve.critical(Seller::Everyone, Pace::AT_ONCE))
}

/// Compares the critical falls of a scenario whose exchange is as deep as `setup` says.
///
/// # Errors
/// The errors of a run.
pub fn bounded(scenario: usize, depth: Part, setup: &Setup, path: &Path) -> Result<Bounded, LabError> {
    let mut laboratory: Option<f64> = None;
    for kind in DUMPING {
        let found = search::critical_shock(setup, path, kind)?;
        laboratory = match (laboratory, found) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
    }
    Ok(Bounded {
        scenario,
        depth,
        seed: setup.seed,
        curve: critical(&curve(setup, path, setup.impact.depth)?),
        laboratory,
    })
}

/// Compares where the price of a scenario ends while keepers dump; `None` for a path without a pace.
///
/// # Errors
/// The errors of a run.
pub fn paced(scenario: usize, depth: Part, setup: &Setup, path: &Path) -> Result<Option<Paced>, LabError> {
    let Some(&(_, pace)) = PACED.iter().find(|(name, _)| *name == setup.name) else {
        return Ok(None);
    };
    let curve = curve(setup, path, setup.impact.depth)?;
    let outcome = run(setup, path, Kind::Dump)?;
    Ok(Some(Paced {
        scenario,
        depth,
        seed: setup.seed,
        line: line(&curve, path, pace),
        along: along(&curve, path),
        laboratory: Ends {
            total: outcome.total_fall,
            own: outcome.endogenous_drawdown,
        },
    }))
}

/// Where the news of a path end by the curve if they come in a straight line.
pub fn line(curve: &Curve, path: &Path, pace: Pace) -> Ends {
    Ends::of(curve.end(Bps(nearest_u32(path.fall() * 1e4)), Seller::Keepers, pace))
}

/// Where they end if they come as they do, a price a minute.
pub fn along(curve: &Curve, path: &Path) -> Ends {
    let steps = (MINUTE / path.step_seconds).max(1) as usize;
    let news = path.prices.iter().step_by(steps).map(|price| {
        let fall = 1.0 - (price / path.first()).min(1.0);
        Bps(nearest_u32(fall * 1e4))
    });
    Ends::of(curve.along(news, Seller::Keepers))
}

//! An oracle's prints in a wick and in a crash, and the true worth of the collateral.
//!
//! All in integers, so that every machine makes the same paths. The two that come from [`crate::path`] are the
//! exception; their prices are rounded to the feed's last digit.

use super::writer::{BASE, HOUR, MINUTE, PARTS, START, TIGHT, Writer};
use crate::{
    path,
    scenario::{Anchor, Anchors, PathShape, Scenario, ScenarioError},
};

/// [`Path::name`] of a true jump every five minutes, up and down in turn, of 0.1% to 2%.
pub const JUMPS: &str = "jumps of 0.1% to 2%";
/// [`Path::name`] of half of the price lost over a day.
pub const SLOW_DAY: &str = "−50% in a day";
/// [`Path::name`] of the same day in a market that is shown its price once an hour.
pub const HOURLY: &str = "−50% in a day, shown every hour";
/// [`Path::name`] of the demo's scenario.
pub const BLACK_THURSDAY: &str = "Black Thursday";

/// One reading, with the truth beside it; prices in units of 1e-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Print {
    /// Unix time in seconds.
    pub unix: i64,
    /// Price that the oracle says.
    pub price: i64,
    /// Half-width of the confidence interval that it says.
    pub confidence: u64,
    /// Pyth's EMA.
    pub ema: i64,
    /// Worth of the collateral at that time.
    pub fair: i64,
}

/// Kind of event that a path is made to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Prints that are wrong for ten seconds: whoever is liquidated was healthy before and after.
    Wick,
    /// The same, shown to a market that nobody had shown a price for an hour.
    WickAfterQuiet,
    /// Wrong prices for a minute and more: a bad feed, or a thin market that is being pushed.
    Pushed,
    /// Every print is true.
    Crash,
    /// Every print is true, and the market should stay open for borrowers.
    Ordinary,
}

/// A sequence of readings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// For tables.
    pub name: String,
    /// Kind of event that it is made to measure.
    pub kind: Kind,
    /// In order of time.
    pub prints: Vec<Print>,
}

impl Writer {
    fn path(self, name: &str, kind: Kind) -> Path {
        Path {
            name: name.to_owned(),
            kind,
            prints: self.prints,
        }
    }
}

/// Depths of wicks, hundredths of a percent of the price.
const DEPTHS: [i64; 6] = [200, 300, 500, 1_000, 2_000, 4_000];

/// All paths of the experiment; the last is Black Thursday as `scenario` has it.
///
/// # Errors
/// The errors of the scenario's known prices.
pub fn all(scenario: &Scenario) -> Result<Vec<Path>, ScenarioError> {
    let mut paths = Vec::new();
    for depth in DEPTHS {
        let name = format!("−{}% for 10 s", depth / 100);
        let quiet_name = format!("{name}, after a quiet hour");
        let wick = |writer: Writer| writer.jump(PARTS - depth).hold(10).jump(PARTS).hold(10 * MINUTE);
        paths.push(wick(Writer::new()).path(&name, Kind::Wick));
        paths.push(wick(Writer::new().quiet(HOUR)).path(&quiet_name, Kind::WickAfterQuiet));
    }
    paths.extend(pushed());
    paths.extend(crashes());
    let day = slow_day(&scenario.path);
    let hourly = day.prints.iter().filter(|print| (print.unix - START) % HOUR == 0);
    paths.push(Path {
        name: HOURLY.to_owned(),
        kind: Kind::Ordinary,
        prints: hourly.copied().collect(),
    });
    paths.push(jumps());
    paths.push(day);
    paths.push(black_thursday(scenario)?);
    Ok(paths)
}

/// Wrong for longer than a wick.
fn pushed() -> [Path; 6] {
    let after = |writer: Writer, name| writer.hold(10 * MINUTE).path(name, Kind::Pushed);
    let minute = |depth: i64| Writer::new().jump(PARTS - depth).hold(MINUTE).jump(PARTS);
    let push = |writer: Writer| {
        let bottom = writer.slide(8_800, 3 * MINUTE).hold(MINUTE);
        bottom.slide(PARTS, 3 * MINUTE).confidence(TIGHT)
    };
    let slow = Writer::new().slide(8_000, 30 * MINUTE).slide(PARTS, 10 * MINUTE);
    [
        after(minute(1_000), "−10% for a minute"),
        after(minute(2_000), "−20% for a minute"),
        after(push(Writer::new()), "−12% in 3 min and back"),
        after(
            push(Writer::new().confidence(150)),
            "−12% in 3 min and back, confidence 1.5%",
        ),
        after(
            push(Writer::new().confidence(400)),
            "−12% in 3 min and back, confidence 4%",
        ),
        after(slow, "−20% in 30 min, back in 10"),
    ]
}

/// Down in straight lines; then two hours in which the price stays, or goes on falling.
fn crashes() -> [Path; 9] {
    let crash = || Writer::new().true_from_here();
    let stays = |writer: Writer, name| writer.confidence(TIGHT).hold(2 * HOUR).path(name, Kind::Crash);
    let shown_every = |seconds| crash().every(seconds).slide(6_000, 10 * MINUTE);
    [
        stays(crash().slide(8_000, 10), "−20% in 10 s"),
        stays(crash().slide(7_000, MINUTE), "−30% in 1 min"),
        crash()
            .slide(7_000, MINUTE)
            .slide(5_500, 2 * HOUR)
            .path("−30% in 1 min, −15% in 2 h", Kind::Crash),
        stays(crash().slide(7_000, 3 * MINUTE), "−30% in 3 min"),
        stays(crash().slide(7_000, 5 * MINUTE), "−30% in 5 min"),
        stays(crash().slide(6_000, 10 * MINUTE), "−40% in 10 min"),
        stays(shown_every(20), "−40% in 10 min, shown every 20 s"),
        stays(shown_every(MINUTE), "−40% in 10 min, shown every minute"),
        stays(
            crash().confidence(200).slide(6_000, 10 * MINUTE),
            "−40% in 10 min, confidence 2%",
        ),
    ]
}

fn jumps() -> Path {
    let mut writer = Writer::new().true_from_here();
    for tenths in 1..=20 {
        let to = if tenths % 2 == 1 { PARTS - 10 * tenths } else { PARTS };
        writer = writer.jump(to).hold(5 * MINUTE);
    }
    writer.path(JUMPS, Kind::Ordinary)
}

/// Half of the price lost over a day, with the random bridge of the demo's scenario.
fn slow_day(shape: &PathShape) -> Path {
    let list = (0..=24).map(|hour| Anchor {
        hour,
        open: BASE - BASE / 48 * i64::from(hour),
        low: None,
        high: None,
    });
    let anchors = Anchors {
        start: START,
        list: list.collect(),
    };
    from_points(SLOW_DAY, &path::build(&anchors, shape, 5, 1))
}

fn black_thursday(scenario: &Scenario) -> Result<Path, ScenarioError> {
    let anchors = scenario.anchors()?;
    let points = path::build(&anchors, &scenario.path, scenario.step_seconds, scenario.seed);
    Ok(from_points(BLACK_THURSDAY, &points))
}

fn from_points(name: &str, points: &[path::Point]) -> Path {
    let read = points.iter().map(|point| Print {
        unix: point.unix,
        price: point.price,
        confidence: point.confidence,
        ema: point.ema,
        fair: point.price,
    });
    Path {
        name: name.to_owned(),
        kind: Kind::Crash,
        prints: read.collect(),
    }
}

//! A price path between known prices: a seeded random bridge that hits every known price exactly.
//!
//! The path is built in logarithms of the price, hour by hour. A stated low or high of an hour becomes a point of the
//! path at a random time inside the hour; from there to the neighboring points runs a Brownian bridge that is mirrored
//! at the stated limits. Hours of which nothing is known are part of one longer bridge.

use std::collections::VecDeque;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use rand_distr::StandardNormal;

use crate::{
    rounding::{nearest_i64, nearest_u64},
    scenario::{Anchor, Anchors, PathShape},
};

const SECONDS_PER_HOUR: u32 = 3_600;
const SECONDS_PER_MINUTE: u32 = 60;

/// The oracle's output at one step; prices in units of 1e-8.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Point {
    /// Unix time in seconds.
    pub unix: i64,
    /// Price.
    pub price: i64,
    /// Half-width of the confidence interval.
    pub confidence: u64,
    /// Exponential average of the price.
    pub ema: i64,
}

/// A point that the path has to pass, and the limits of the stretch that begins there (exclusive).
#[derive(Clone, Copy)]
struct Waypoint {
    step: u32,
    price: i64,
    low: i64,
    high: i64,
}

/// The path from the first to the last known price, one point every `step_seconds`, both ends included.
///
/// The same arguments give the same path. `step_seconds` divides an hour at least into twelve (the scenario checks it).
pub fn build(anchors: &Anchors, shape: &PathShape, step_seconds: u32, seed: u64) -> Vec<Point> {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let steps_per_hour = SECONDS_PER_HOUR / step_seconds;
    let step_volatility = shape.hourly_volatility / f64::from(steps_per_hour).sqrt();

    let waypoints = waypoints(&anchors.list, steps_per_hour, &mut rng);
    let mut prices: Vec<i64> = Vec::new();
    for pair in waypoints.windows(2) {
        bridge(&mut prices, pair[0], pair[1], step_volatility, &mut rng);
    }
    prices.extend(waypoints.last().map(|last| last.price));
    with_oracle(&prices, anchors.start, shape, step_seconds)
}

fn waypoints(anchors: &[Anchor], steps_per_hour: u32, rng: &mut ChaCha20Rng) -> Vec<Waypoint> {
    let mut waypoints = Vec::new();
    for anchor in anchors {
        let (low, high) = (anchor.low.unwrap_or(0), anchor.high.unwrap_or(i64::MAX));
        let open = anchor.hour * steps_per_hour;
        let mut point = |step, price| waypoints.push(Waypoint { step, price, low, high });
        point(open, anchor.open);
        let mut extremes: Vec<i64> = anchor.low.into_iter().chain(anchor.high).collect();
        // Each extreme gets a slot of its own with a margin before and after, so that no two points of the path are
        // so near in time that the move between them is a single print.
        let slots = if extremes.len() == 2 { 5 } else { 3 };
        let slot = steps_per_hour / slots;
        if rng.random_bool(0.5) {
            extremes.reverse();
        }
        for (i, price) in (0u32..).zip(extremes) {
            let begin = open + slot * (2 * i + 1);
            point(begin + rng.random_range(0..slot), price);
        }
    }
    waypoints
}

/// Appends the points from `from` (included) to `to` (excluded).
fn bridge(prices: &mut Vec<i64>, from: Waypoint, to: Waypoint, volatility: f64, rng: &mut ChaCha20Rng) {
    let target = (to.price as f64).ln();
    let mut x = (from.price as f64).ln();
    prices.push(from.price);
    for step in from.step + 1..to.step {
        let left = f64::from(to.step - step + 1);
        let noise: f64 = rng.sample(StandardNormal);
        x += (target - x) / left + volatility * ((left - 1.0) / left).sqrt() * noise;
        prices.push(mirror(x, from.low, from.high));
    }
}

/// e^x, reflected at the limits until it lies between them; never equal to one of them.
fn mirror(x: f64, low: i64, high: i64) -> i64 {
    let (bottom, top) = ((low as f64).ln(), (high as f64).ln());
    let mut x = x;
    while x < bottom || x > top {
        x = if x < bottom { 2.0 * bottom - x } else { 2.0 * top - x };
    }
    nearest_i64(x.exp()).clamp(low + 1, high - 1)
}

fn with_oracle(prices: &[i64], start: i64, shape: &PathShape, step_seconds: u32) -> Vec<Point> {
    let mut publisher = Publisher::new(shape, step_seconds);
    let times = (start..).step_by(step_seconds as usize);
    times
        .zip(prices)
        .map(|(unix, &price)| publisher.publish(unix, price))
        .collect()
}

/// The oracle's figures beside the price: a confidence that grows with the move of the last minute, and an average.
#[derive(Clone, Debug)]
pub struct Publisher {
    shape: PathShape,
    /// Weight of a new price in the average.
    weight: f64,
    ema: Option<f64>,
    /// The prices of the last minute, oldest first.
    minute: VecDeque<i64>,
    steps_per_minute: usize,
}

impl Publisher {
    /// One that publishes every `step_seconds`.
    pub fn new(shape: &PathShape, step_seconds: u32) -> Self {
        let steps_per_minute = (SECONDS_PER_MINUTE / step_seconds).max(1) as usize;
        Self {
            shape: *shape,
            weight: 1.0 - (-f64::from(step_seconds) / shape.ema_seconds).exp(),
            ema: None,
            minute: VecDeque::with_capacity(steps_per_minute + 1),
            steps_per_minute,
        }
    }

    /// The next price, in units of 1e-8.
    pub fn publish(&mut self, unix: i64, price: i64) -> Point {
        if self.minute.len() > self.steps_per_minute {
            self.minute.pop_front();
        }
        self.minute.push_back(price);
        let now = price as f64;
        let before = self.minute.front().map_or(now, |first| *first as f64);
        let relative = self.shape.confidence + self.shape.confidence_per_minute_move * ((now - before) / before).abs();
        let mut ema = self.ema.unwrap_or(now);
        ema += self.weight * (now - ema);
        self.ema = Some(ema);
        Point {
            unix,
            price,
            confidence: nearest_u64(now * relative),
            ema: nearest_i64(ema),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;

    const BLACK_THURSDAY: &str = include_str!("../scenarios/black-thursday.toml");

    fn scenario() -> Scenario {
        Scenario::parse(BLACK_THURSDAY).expect("the scenario of the repository is valid")
    }

    fn path(scenario: &Scenario, seed: u64) -> Vec<Point> {
        let anchors = scenario.anchors().expect("valid");
        build(&anchors, &scenario.path, scenario.step_seconds, seed)
    }

    #[test]
    fn covers_two_days_in_steps_of_twenty_seconds() {
        let scenario = scenario();
        let path = path(&scenario, scenario.seed);
        assert_eq!(path.len(), 48 * 180 + 1);
        assert_eq!(path[0].unix, 1_583_971_200);
        assert_eq!(path[path.len() - 1].unix, 1_584_144_000);
        assert!(path.windows(2).all(|p| p[1].unix - p[0].unix == 20));
    }

    #[test]
    fn every_open_is_exact() {
        let scenario = scenario();
        let anchors = scenario.anchors().expect("valid");
        for seed in 0..20 {
            let path = path(&scenario, seed);
            for anchor in &anchors.list {
                assert_eq!(
                    path[anchor.hour as usize * 180].price,
                    anchor.open,
                    "hour {}",
                    anchor.hour
                );
            }
        }
    }

    #[test]
    fn every_stated_extreme_is_reached_once_and_never_passed() {
        let scenario = scenario();
        let anchors = scenario.anchors().expect("valid");
        let (mut lows, mut highs) = (0, 0);
        for seed in 0..20 {
            let path = path(&scenario, seed);
            for anchor in &anchors.list {
                let open = anchor.hour as usize * 180;
                let hour = &path[open..(open + 180).min(path.len())];
                if let Some(low) = anchor.low {
                    lows += 1;
                    assert_eq!(hour.iter().filter(|p| p.price == low).count(), 1);
                    assert_eq!(hour.iter().map(|p| p.price).min(), Some(low));
                }
                if let Some(high) = anchor.high {
                    highs += 1;
                    assert_eq!(hour.iter().filter(|p| p.price == high).count(), 1);
                    assert_eq!(hour.iter().map(|p| p.price).max(), Some(high));
                }
            }
        }
        assert_eq!((lows, highs), (20 * 11, 20 * 8));
    }

    #[test]
    fn the_seed_decides() {
        let scenario = scenario();
        assert_eq!(path(&scenario, 7), path(&scenario, 7));
        let differing = path(&scenario, 7)
            .iter()
            .zip(path(&scenario, 8))
            .filter(|(a, b)| a.price != b.price)
            .count();
        assert!(differing > 8_000, "only {differing} points differ");
    }

    #[test]
    fn steps_are_as_large_as_the_volatility_says() {
        let scenario = scenario();
        let path = path(&scenario, 1);
        // Between 08:00 and 10:00 of the first day nothing is stated but the two ends.
        let quiet = &path[8 * 180..10 * 180];
        let squares: f64 = quiet
            .windows(2)
            .map(|p| (p[1].price as f64 / p[0].price as f64).ln().powi(2))
            .sum();
        let hourly = (squares / 2.0).sqrt();
        assert!(
            (hourly / scenario.path.hourly_volatility - 1.0).abs() < 0.15,
            "{hourly}"
        );
    }

    #[test]
    fn confidence_and_average_follow_their_definition() {
        let shape = PathShape {
            hourly_volatility: 0.0,
            confidence: 0.001,
            confidence_per_minute_move: 0.5,
            ema_seconds: 20.0 / std::f64::consts::LN_2,
        };
        let points = with_oracle(&[1_000_000, 1_000_000, 1_000_000, 900_000], 0, &shape, 20);
        // A fall of 10% within the minute adds 5% to the 0.1%; one step is one half-life of this average.
        assert_eq!(
            points[2],
            Point {
                unix: 40,
                price: 1_000_000,
                confidence: 1_000,
                ema: 1_000_000
            }
        );
        assert_eq!(
            points[3],
            Point {
                unix: 60,
                price: 900_000,
                confidence: 45_900,
                ema: 950_000
            }
        );
    }
}

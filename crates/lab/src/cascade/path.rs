//! The exogenous price: what it were if nobody's liquidation moved it.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use rand_distr::StandardNormal;

use super::{
    LabError,
    candles::Candles,
    setup::{Course, Setup},
};
use crate::{
    path,
    rounding::nearest_usize,
    scenario::{Scenario, dollars},
};

const BLACK_THURSDAY: &str = include_str!("../../scenarios/black-thursday.toml");
const SECONDS_PER_HOUR: f64 = 3_600.0;
const HOURS_PER_DAY: f64 = 24.0;
/// When generated paths begin.
const START: i64 = 1_700_000_000;
/// Their first price, quote tokens.
const FIRST: f64 = 100.0;

/// A price for every step, in quote tokens per collateral token.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    /// Unix time of the first step.
    pub start: i64,
    /// Seconds between two steps.
    pub step_seconds: u32,
    /// The prices.
    pub prices: Vec<f64>,
}

impl Path {
    /// The path of a scenario. A Black Thursday that wants them takes its known prices from `candles`.
    ///
    /// # Errors
    /// Those of the demo's scenario and of the candles.
    pub fn of(setup: &Setup, candles: Option<&Candles>) -> Result<Self, LabError> {
        let step_seconds = setup.step_seconds;
        let mut rng = ChaCha20Rng::seed_from_u64(setup.seed);
        match &setup.path {
            Course::BlackThursday {
                hours,
                hourly_volatility,
                candles: wanted,
            } => {
                let scenario = Scenario::parse(BLACK_THURSDAY)?;
                let mut anchors = scenario.anchors()?;
                if *wanted {
                    let candles = candles.ok_or_else(|| LabError::Candles("no file was given".to_owned()))?;
                    anchors = candles.anchors(anchors.start, *hours);
                }
                let points = path::build(&anchors, &scenario.path, step_seconds, setup.seed);
                let mut path = Self {
                    start: anchors.start,
                    step_seconds,
                    prices: points.iter().map(|point| dollars(point.price)).collect(),
                };
                path.go_on(steps(*hours, step_seconds), *hourly_volatility, &mut rng);
                Ok(path)
            }
            Course::Trend {
                hours,
                points,
                hourly_volatility,
                jumps_per_day,
                jump_deviation,
            } => {
                let mut walk = 0.0;
                let step_hours = f64::from(step_seconds) / SECONDS_PER_HOUR;
                let deviation = hourly_volatility * step_hours.sqrt();
                let jump_chance = (jumps_per_day / HOURS_PER_DAY * step_hours).min(1.0);
                let prices = (0..=steps(*hours, step_seconds))
                    .map(|step| {
                        if step > 0 {
                            walk += deviation * rng.sample::<f64, _>(StandardNormal);
                            if *jumps_per_day > 0.0 && rng.random_bool(jump_chance) {
                                walk += jump_deviation * rng.sample::<f64, _>(StandardNormal);
                            }
                        }
                        FIRST * (trend(points, step as f64 * step_hours) + walk).exp()
                    })
                    .collect();
                Ok(Self {
                    start: START,
                    step_seconds,
                    prices,
                })
            }
        }
    }

    /// A random walk from the last price, until there are this many steps.
    fn go_on(&mut self, steps: usize, hourly_volatility: f64, rng: &mut ChaCha20Rng) {
        let deviation = hourly_volatility * (f64::from(self.step_seconds) / SECONDS_PER_HOUR).sqrt();
        self.prices.truncate(steps + 1);
        while let Some(last) = self.prices.last().copied().filter(|_| self.prices.len() <= steps) {
            self.prices
                .push(last * (deviation * rng.sample::<f64, _>(StandardNormal)).exp());
        }
    }

    /// The first price.
    pub fn first(&self) -> f64 {
        self.prices.first().copied().unwrap_or(FIRST)
    }

    /// The lowest price, as a fall from the first.
    pub fn fall(&self) -> f64 {
        1.0 - self.prices.iter().copied().fold(f64::INFINITY, f64::min) / self.first()
    }

    /// The same shape with another fall: all logarithms of price ÷ first price times a factor.
    #[must_use]
    pub fn with_fall(&self, fall: f64) -> Self {
        let (first, before) = (self.first(), self.fall());
        let factor = (1.0 - fall).ln() / (1.0 - before).ln();
        let deepen = |price: &f64| first * (factor * (price / first).ln()).exp();
        Self {
            prices: self.prices.iter().map(deepen).collect(),
            ..self.clone()
        }
    }

    /// The same with every price at the first: nothing happens.
    #[must_use]
    pub fn flat(&self) -> Self {
        Self {
            prices: vec![self.first(); self.prices.len()],
            ..self.clone()
        }
    }

    /// Unix time of a step.
    pub fn unix(&self, step: usize) -> i64 {
        self.start + i64::from(self.step_seconds) * i64::try_from(step).unwrap_or(0)
    }
}

fn steps(hours: u32, step_seconds: u32) -> usize {
    nearest_usize(f64::from(hours) * SECONDS_PER_HOUR / f64::from(step_seconds))
}

/// The logarithm at an hour: straight lines between the points, flat before the first and after the last.
fn trend(points: &[(f64, f64)], hour: f64) -> f64 {
    let after = points.partition_point(|point| point.0 <= hour);
    match (after.checked_sub(1).map(|before| points[before]), points.get(after)) {
        (Some(from), Some(to)) => {
            let part = (hour - from.0) / (to.0 - from.0);
            from.1.ln() + (to.1.ln() - from.1.ln()) * part
        }
        (Some(end), None) | (None, Some(&end)) => end.1.ln(),
        (None, None) => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn straight(hourly_volatility: f64, jumps_per_day: f64) -> Setup {
        Setup::parse(&format!(
            "name = 'x'\nabout = 'y'\n[path]\nkind = 'trend'\nhours = 10\npoints = [[1, 1.0], [3, 0.5]]\n\
             hourly_volatility = {hourly_volatility}\njumps_per_day = {jumps_per_day}\njump_deviation = 0.1"
        ))
        .expect("valid")
    }

    #[test]
    fn lines_are_straight_in_logarithms() {
        let path = Path::of(&straight(0.0, 0.0), None).expect("valid");
        assert_eq!(path.prices.len(), 3_601);
        let at = |hour: usize| path.prices[hour * 360];
        for (hour, price) in [
            (0, 100.0),
            (1, 100.0),
            (2, 100.0 * 0.5f64.sqrt()),
            (3, 50.0),
            (10, 50.0),
        ] {
            assert!((at(hour) - price).abs() < 1e-9, "{hour} {}", at(hour));
        }
        assert!((path.fall() - 0.5).abs() < 1e-12);
    }

    #[test]
    fn a_path_can_be_deepened() {
        let path = Path::of(&straight(0.01, 0.0), None).expect("valid");
        for fall in [0.1, 0.5, 0.9] {
            let deepened = path.with_fall(fall);
            assert!((deepened.fall() - fall).abs() < 1e-9);
            assert!((deepened.first() - path.first()).abs() < 1e-9);
        }
    }

    #[test]
    fn volatility_and_jumps_are_what_they_say() {
        let deviation = |setup: &Setup| {
            let path = Path::of(setup, None).expect("valid");
            let tail = &path.prices[4 * 360..];
            let squares: f64 = tail.windows(2).map(|pair| (pair[1] / pair[0]).ln().powi(2)).sum();
            (squares / 6.0).sqrt()
        };
        let calm = deviation(&straight(0.02, 0.0));
        assert!((calm / 0.02 - 1.0).abs() < 0.05, "{calm}");
        assert!(deviation(&straight(0.02, 48.0)) > 3.0 * calm);
    }

    #[test]
    fn black_thursday_is_the_demos_and_goes_on() {
        let text = include_str!("../../scenarios/cascade/black-thursday.toml");
        let path = Path::of(&Setup::parse(text).expect("valid"), None).expect("valid");
        assert_eq!(path.prices.len(), 72 * 360 + 1);
        assert!((path.first() - 194.6).abs() < 1e-9);
        assert!((path.prices[48 * 360] - 134.1).abs() < 1e-9);
        assert!((path.fall() - (1.0 - 86.0 / 194.6)).abs() < 1e-9);
    }
}

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

/// See [`bridges`].
const RESTLESS: f64 = 0.5;

/// A price for every step, in quote tokens per collateral token.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    /// Unix time of the first step.
    pub start: i64,
    /// Seconds between two steps.
    pub step_seconds: u32,
    /// The prices.
    pub prices: Vec<f64>,
    /// Redemption value of the collateral, if it can be redeemed; in quote tokens, for every step.
    pub redemption: Option<Vec<f64>>,
}

impl Path {
    /// The path of a scenario. A Black Thursday that wants them takes its known prices from `candles`.
    ///
    /// # Errors
    /// The errors of the demo's scenario and of the candles.
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
                    redemption: None,
                };
                path.go_on(steps(*hours, step_seconds), *hourly_volatility, &mut rng);
                Ok(path)
            }
            Course::Known {
                start,
                hours,
                prices: known,
                hourly_volatility,
            } => {
                let mut path = Self {
                    start: *start,
                    step_seconds,
                    prices: bridges(known, *hourly_volatility, step_seconds, &mut rng),
                    redemption: None,
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
                let (prices, redemption): (Vec<f64>, Vec<f64>) = (0..=steps(*hours, step_seconds))
                    .map(|step| {
                        if step > 0 {
                            walk += deviation * rng.sample::<f64, _>(StandardNormal);
                            if *jumps_per_day > 0.0 && rng.random_bool(jump_chance) {
                                walk += jump_deviation * rng.sample::<f64, _>(StandardNormal);
                            }
                        }
                        let redeemed = FIRST * walk.exp();
                        (redeemed * trend(points, step as f64 * step_hours).exp(), redeemed)
                    })
                    .unzip();
                Ok(Self {
                    start: START,
                    step_seconds,
                    prices,
                    redemption: setup.redeemable.then_some(redemption),
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

    /// Redemption value of the collateral at a step, if it can be redeemed.
    pub fn redeemed(&self, step: usize) -> Option<f64> {
        self.redemption.as_ref()?.get(step).copied()
    }

    /// The first price.
    pub fn first(&self) -> f64 {
        self.prices.first().copied().unwrap_or(FIRST)
    }

    /// The lowest price, as a fall from the first.
    pub fn fall(&self) -> f64 {
        1.0 - self.prices.iter().copied().fold(f64::INFINITY, f64::min) / self.first()
    }

    /// The same shape with another fall: all logarithms of price ÷ first price times a factor. Not redeemable.
    #[must_use]
    pub fn with_fall(&self, fall: f64) -> Self {
        let (first, before) = (self.first(), self.fall());
        let factor = (1.0 - fall).ln() / (1.0 - before).ln();
        let deepen = |price: &f64| first * (factor * (price / first).ln()).exp();
        Self {
            prices: self.prices.iter().map(deepen).collect(),
            redemption: None,
            ..*self
        }
    }

    /// The largest part of so many seconds' falls, as fractions of the price before, that is not exceeded by `part` of
    /// them.
    pub fn quantile_of_falls(&self, seconds: u32, part: f64) -> f64 {
        let steps = (seconds / self.step_seconds).max(1) as usize;
        let later = self.prices.iter().skip(steps);
        let mut falls: Vec<f64> = self
            .prices
            .iter()
            .zip(later)
            .map(|(before, after)| 1.0 - after / before)
            .collect();
        let place = nearest_usize(part * falls.len().saturating_sub(1) as f64);
        if place >= falls.len() {
            return 0.0;
        }
        *falls.select_nth_unstable_by(place, f64::total_cmp).1
    }

    /// The steps of so many seconds in which the price falls furthest.
    pub fn steepest(&self, seconds: f64) -> std::ops::Range<usize> {
        let steps = nearest_usize(seconds / f64::from(self.step_seconds));
        let later = self.prices.iter().skip(steps);
        let falls = self.prices.iter().zip(later).map(|(before, after)| after / before);
        let lowest = falls.enumerate().min_by(|a, b| a.1.total_cmp(&b.1));
        let begin = lowest.map_or(0, |(step, _)| step);
        begin..begin + steps
    }

    /// The same with every price at the first: nothing happens.
    #[must_use]
    pub fn flat(&self) -> Self {
        Self {
            prices: vec![self.first(); self.prices.len()],
            redemption: None,
            ..*self
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

/// Known prices, and between each two a random bridge of their logarithms, mirrored at the lowest and the highest of
/// all.
///
/// Where the price moves fast it is restless too: between two prices the deviation over an hour is at least
/// [`RESTLESS`] of what it were if the whole move had come at random.
fn bridges(known: &[(f64, f64)], hourly_volatility: f64, step_seconds: u32, rng: &mut ChaCha20Rng) -> Vec<f64> {
    let (low, high) = known.iter().fold((f64::INFINITY, 0.0f64), |(low, high), (_, price)| {
        (low.min(*price), high.max(*price))
    });
    let (low, high) = (low.ln(), high.ln());
    let step_hours = f64::from(step_seconds) / SECONDS_PER_HOUR;
    let place = |hour: f64| nearest_usize(hour / step_hours);
    let mut prices = Vec::new();
    for pair in known.windows(2) {
        let [(from_hour, from), (to_hour, to)] = [pair[0], pair[1]];
        let (begin, end) = (place(from_hour), place(to_hour));
        let (target, mut x) = (to.ln(), from.ln());
        let restless = RESTLESS * (target - x).abs() / (to_hour - from_hour).sqrt();
        let deviation = hourly_volatility.max(restless) * step_hours.sqrt();
        if end > begin {
            prices.push(from);
        }
        for step in begin + 1..end {
            let left = (end - step + 1) as f64;
            x += (target - x) / left + deviation * ((left - 1.0) / left).sqrt() * rng.sample::<f64, _>(StandardNormal);
            while x < low || x > high {
                x = if x < low { 2.0 * low - x } else { 2.0 * high - x };
            }
            prices.push(x.exp());
        }
    }
    prices.extend(known.last().map(|last| last.1));
    prices
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
    fn known_prices_are_met_and_never_passed() {
        let setup = Setup::parse(
            "name = 'x'\nabout = 'y'\n[path]\nkind = 'known'\nstart = 3600\nhours = 6\n\
             prices = [[0, 100.0], [1, 90.0], [1.25, 60.0], [2, 80.0], [4, 85.0]]\nhourly_volatility = 0.02",
        )
        .expect("valid");
        for seed in 0..10 {
            let path = Path::of(&Setup { seed, ..setup.clone() }, None).expect("valid");
            assert_eq!((path.start, path.prices.len()), (3_600, 6 * 360 + 1));
            for (hour, price) in [(0.0, 100.0), (1.0, 90.0), (1.25, 60.0), (2.0, 80.0), (4.0, 85.0)] {
                let at = path.prices[nearest_usize(hour * 360.0)];
                assert!((at - price).abs() < 1e-9, "{hour} {at}");
            }
            assert!(
                path.prices[..4 * 360]
                    .iter()
                    .all(|price| (60.0..=100.0).contains(price))
            );
            assert!(
                (320..=400).contains(&path.steepest(900.0).start),
                "{:?}",
                path.steepest(900.0)
            );
        }
    }

    #[test]
    fn quantiles_of_falls_are_those_of_a_straight_line() {
        let path = Path::of(&straight(0.0, 0.0), None).expect("valid");
        // Down 50% within two of ten hours: a minute of that is 1 − 0.5^(1/120).
        let minute = 1.0 - 0.5f64.powf(1.0 / 120.0);
        assert!((path.quantile_of_falls(60, 0.999) - minute).abs() < 1e-9);
        assert!(path.quantile_of_falls(60, 0.5).abs() < 1e-9);
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

//! Writes paths of readings in integers, so that every machine makes the same.

use rand::Rng;

use super::paths::Print;
use crate::path::Point;

/// The first price of the paths made here: 100 US dollars in units of 1e-8.
pub(crate) const BASE: i64 = 100_0000_0000;
/// Hundredths of a percent of [`BASE`].
pub(crate) const PARTS: i64 = 10_000;
/// Seconds between two readings.
const STEP: i64 = 5;
/// Time constant of Pyth's EMA, seconds.
const EMA_SECONDS: i128 = 3_600;
/// Fractional units of the average, so that small moves are not lost.
const EMA_UNIT: i128 = 1 << 20;
/// Confidence of a tight print: 5 hundredths of a percent.
pub(crate) const TIGHT: i64 = 5;

/// When paths begin: a full minute.
pub(crate) const START: i64 = 1_700_000_040;

pub(crate) const MINUTE: i64 = 60;
pub(crate) const HOUR: i64 = 3_600;

/// Writes a path step by step.
#[derive(Clone)]
pub(crate) struct Writer {
    pub prints: Vec<Print>,
    unix: i64,
    price: i64,
    fair: i64,
    ema: i128,
    /// Confidence, hundredths of a percent of the price.
    confidence: i64,
    /// Seconds between two prints that the market is shown.
    shown_every: i64,
}

impl Writer {
    /// Five minutes of good prints at the first price.
    pub fn new() -> Self {
        let writer = Self {
            prints: Vec::new(),
            unix: START,
            price: BASE,
            fair: BASE,
            ema: i128::from(BASE) * EMA_UNIT,
            confidence: TIGHT,
            shown_every: STEP,
        };
        writer.hold(5 * MINUTE)
    }

    /// Time passes, and nobody shows the market its prices.
    pub fn quiet(mut self, seconds: i64) -> Self {
        for _ in 0..seconds / STEP {
            self.pass();
        }
        self
    }

    /// The same price for so many seconds.
    pub fn hold(mut self, seconds: i64) -> Self {
        for _ in 0..seconds / STEP {
            self.pass();
            if self.unix % self.shown_every == 0 {
                self.print();
            }
        }
        self
    }

    /// From here on, the market is shown one print in so many seconds.
    pub fn every(mut self, seconds: i64) -> Self {
        self.shown_every = seconds;
        self
    }

    /// In a straight line to so many hundredths of a percent of the first price.
    pub fn slide(mut self, to: i64, seconds: i64) -> Self {
        let (from, to, steps) = (self.price, BASE / PARTS * to, seconds / STEP);
        for step in 1..=steps {
            self.price = from + (to - from) * step / steps;
            self = self.hold(STEP);
        }
        self
    }

    /// At once to so many hundredths of a percent of the first price.
    pub fn jump(mut self, to: i64) -> Self {
        self.price = BASE / PARTS * to;
        self
    }

    /// From here on, what is printed is what the collateral is worth.
    pub fn true_from_here(mut self) -> Self {
        // The one value that no price has.
        self.fair = 0;
        self
    }

    /// From here on, confidence in hundredths of a percent of the price.
    pub fn confidence(mut self, parts: i64) -> Self {
        self.confidence = parts;
        self
    }

    /// One step of time, and of Pyth's EMA.
    fn pass(&mut self) {
        self.unix += STEP;
        let apart = i128::from(self.price) * EMA_UNIT - self.ema;
        self.ema += apart * i128::from(STEP) / (EMA_SECONDS + i128::from(STEP));
    }

    fn print(&mut self) {
        let confidence = i128::from(self.price) * i128::from(self.confidence) / i128::from(PARTS);
        self.prints.push(Print {
            unix: self.unix,
            price: self.price,
            confidence: u64::try_from(confidence).unwrap_or(u64::MAX),
            ema: i64::try_from(self.ema / EMA_UNIT).unwrap_or(i64::MAX),
            fair: if self.fair == 0 { self.price } else { self.fair },
        });
    }

    /// A random walk for so many seconds that is drawn back to the first price within an hour or so: every 20 seconds a
    /// step of `size` units of 1e-8 up or down, and a 180th of the way back.
    pub fn wander(mut self, size: i64, seconds: i64, rng: &mut impl Rng) -> Self {
        const EVERY: i64 = 20;
        for _ in 0..seconds / EVERY {
            let step = if rng.random_bool(0.5) { size } else { -size };
            self.price += step - (self.price - BASE) / (HOUR / EVERY);
            self = self.hold(EVERY);
        }
        self
    }

    /// Follows the points of [`crate::path`], as if their first price had been the one of the paths made here.
    pub fn follow(mut self, points: &[Point]) -> Self {
        let of_first = |value: i64, first: i64| {
            let scaled = i128::from(value) * i128::from(BASE) / i128::from(first);
            i64::try_from(scaled).unwrap_or(i64::MAX)
        };
        for pair in points.windows(2) {
            let (first, point) = (points[0].price, &pair[1]);
            self.price = of_first(point.price, first);
            let confidence = i64::try_from(point.confidence).unwrap_or(i64::MAX);
            self.confidence = confidence.saturating_mul(PARTS) / point.price.max(1);
            self = self.hold(point.unix - pair[0].unix);
        }
        self
    }
}

//! Hourly candles from a CSV file: `unix_time,open,high,low,close`, with a header and `#` comments.

use std::{fs, path::Path};

use super::LabError;
use crate::{
    rounding::nearest_i64,
    scenario::{Anchor, Anchors, PRICE_DECIMALS},
};

const SECONDS_PER_HOUR: i64 = 3_600;

/// One hour.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Candle {
    unix: i64,
    open: f64,
    high: f64,
    low: f64,
}

/// A history, in order of time.
#[derive(Clone, Debug, PartialEq)]
pub struct Candles {
    list: Vec<Candle>,
}

impl Candles {
    /// Reads a file.
    ///
    /// # Errors
    /// [`LabError::Candles`] with the line that cannot be read.
    pub fn read(file: &Path) -> Result<Self, LabError> {
        let text =
            fs::read_to_string(file).map_err(|error| LabError::Candles(format!("{}: {error}", file.display())))?;
        Self::parse(&text)
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// [`LabError::Candles`].
    pub fn parse(text: &str) -> Result<Self, LabError> {
        let mut list: Vec<Candle> = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            if line.starts_with('#') || line.starts_with("unix_time") || line.trim().is_empty() {
                continue;
            }
            let wrong = || LabError::Candles(format!("line {number}: {line}"));
            let fields: Result<Vec<f64>, _> = line.split(',').map(|field| field.trim().parse::<f64>()).collect();
            let [unix, open, high, low, close] = *fields.map_err(|_| wrong())? else {
                return Err(wrong());
            };
            let candle = Candle {
                unix: nearest_i64(unix),
                open,
                high,
                low,
            };
            let follows = list.last().is_none_or(|last| candle.unix > last.unix);
            if !follows
                || candle.unix % SECONDS_PER_HOUR != 0
                || low <= 0.0
                || low > open.min(close)
                || high < open.max(close)
            {
                return Err(wrong());
            }
            list.push(candle);
        }
        if list.len() < 2 {
            return Err(LabError::Candles("fewer than two candles".to_owned()));
        }
        Ok(Self { list })
    }

    /// The known prices from `start` on, for so many hours; all of them if none is that late. An extreme that an open
    /// reaches is not stated: a path has to reach it inside the hour.
    pub fn anchors(&self, start: i64, hours: u32) -> Anchors {
        let from = self.list.iter().position(|candle| candle.unix >= start).unwrap_or(0);
        let chosen = &self.list[from..];
        let first = chosen.first().map_or(start, |candle| candle.unix);
        let mut list: Vec<Anchor> = Vec::new();
        for (candle, next) in chosen.iter().zip(chosen.iter().skip(1).map(Some).chain([None])) {
            let hour = u32::try_from((candle.unix - first) / SECONDS_PER_HOUR).unwrap_or(u32::MAX);
            if hour > hours {
                break;
            }
            let mantissa = |price: f64| nearest_i64(price * 10f64.powi(PRICE_DECIMALS));
            let ends = next.filter(|_| hour < hours).map(|next| (candle.open, next.open));
            let low = ends
                .filter(|(open, after)| candle.low < open.min(*after))
                .map(|_| mantissa(candle.low));
            let high = ends
                .filter(|(open, after)| candle.high > open.max(*after))
                .map(|_| mantissa(candle.high));
            list.push(Anchor {
                hour,
                open: mantissa(candle.open),
                low,
                high,
            });
        }
        Anchors { start: first, list }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "# a comment\nunix_time,open,high,low,close\n3600,10,12,9,11\n7200,11,11,8,8.5\n10800,8.5,9,8,8.8\n";

    #[test]
    fn candles_become_known_prices() {
        let anchors = Candles::parse(TEXT).expect("valid").anchors(0, 2);
        assert_eq!(anchors.start, 3_600);
        let unit = 100_000_000;
        let anchor = |hour, open, low, high| Anchor { hour, open, low, high };
        assert_eq!(
            anchors.list,
            [
                anchor(0, 10 * unit, Some(9 * unit), Some(12 * unit)),
                anchor(1, 11 * unit, Some(8 * unit), None),
                anchor(2, 850_000_000, None, None),
            ]
        );
    }

    #[test]
    fn a_wrong_line_is_named() {
        let error = |text: &str| Candles::parse(text).expect_err("wrong").to_string();
        assert_eq!(
            error("3600,10,12,9"),
            "the candles cannot be read: line 1: 3600,10,12,9"
        );
        assert_eq!(
            error("3600,10,12,11,11"),
            "the candles cannot be read: line 1: 3600,10,12,11,11"
        );
        assert_eq!(
            error("3600,10,12,9,11"),
            "the candles cannot be read: fewer than two candles"
        );
    }
}

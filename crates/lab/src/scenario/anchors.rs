//! The known prices of a scenario, and their place in time.

use serde::Deserialize;
use time::{Date, Month, UtcDateTime};

use crate::rounding::nearest_i64;

use super::{Scenario, ScenarioError, in_range, require};

/// Prices are integers with eight decimals, as Pyth reports them.
pub const PRICE_DECIMALS: i32 = 8;

const SECONDS_PER_HOUR: i64 = 3_600;
const HOURS_PER_DAY: u32 = 24;

/// The known prices of one day.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Day {
    /// The day (UTC).
    pub date: toml::value::Datetime,
    /// The hours of which something is known, in order.
    pub hours: Vec<Hour>,
}

/// Known prices of one hour, in quote per whole collateral token.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hour {
    /// Hour of the day, 0 to 24.
    pub hour: u32,
    /// Price at the full hour.
    pub open: f64,
    /// Lowest price within the hour.
    pub low: Option<f64>,
    /// Highest price within the hour.
    pub high: Option<f64>,
}

/// A known price, placed in time, as integers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Anchor {
    /// Full hours since the first known price.
    pub hour: u32,
    /// Price at that hour.
    pub open: i64,
    /// Lowest price within the hour.
    pub low: Option<i64>,
    /// Highest price within the hour.
    pub high: Option<i64>,
}

/// The known prices in order of time, and the time of the first.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Anchors {
    /// Unix time of the first known price.
    pub start: i64,
    /// The known prices; at least two, the last without low and high.
    pub list: Vec<Anchor>,
}

impl Scenario {
    /// The known prices as one list over all days.
    ///
    /// Fails if they are out of order, not positive, or contradict a stated low or high.
    pub fn anchors(&self) -> Result<Anchors, ScenarioError> {
        let mut start = None;
        let mut list: Vec<Anchor> = Vec::new();
        for day in &self.day {
            let midnight = midnight(&day.date)?;
            for hour in &day.hours {
                let label = format!("{} {:02}:00", day.date, hour.hour);
                require(hour.hour <= HOURS_PER_DAY, "hour", &hour.hour, "from 0 to 24")?;
                let unix = midnight + i64::from(hour.hour) * SECONDS_PER_HOUR;
                let start = *start.get_or_insert(unix);
                let since = u32::try_from((unix - start) / SECONDS_PER_HOUR)
                    .map_err(|_| ScenarioError::Order(label.clone()))?;
                if list.last().is_some_and(|last| last.hour >= since) {
                    return Err(ScenarioError::Order(label));
                }
                list.push(Anchor {
                    hour: since,
                    open: mantissa(hour.open, "open", &label)?,
                    low: hour.low.map(|p| mantissa(p, "low", &label)).transpose()?,
                    high: hour.high.map(|p| mantissa(p, "high", &label)).transpose()?,
                });
            }
        }
        let start = start.ok_or(ScenarioError::Ends("there is no known price"))?;
        check_anchors(start, &list)?;
        Ok(Anchors { start, list })
    }
}

/// A stated low or high has to be reached inside the hour and nowhere else, so the prices at both ends of the stretch
/// that it bounds have to lie strictly inside.
fn check_anchors(start: i64, list: &[Anchor]) -> Result<(), ScenarioError> {
    if list.len() < 2 {
        return Err(ScenarioError::Ends("a path needs at least two known prices"));
    }
    for pair in list.windows(2) {
        for end in pair {
            let (hour, open) = (&pair[0], end.open);
            if hour.low.is_some_and(|low| open <= low) || hour.high.is_some_and(|high| open >= high) {
                return Err(ScenarioError::OutsideHour {
                    at: label(start, end.hour),
                    price: dollars(open),
                    hour: label(start, hour.hour),
                });
            }
        }
    }
    match list.last() {
        Some(Anchor {
            low: None, high: None, ..
        }) => Ok(()),
        _ => Err(ScenarioError::Ends(
            "the last known price ends the path: it has no low or high",
        )),
    }
}

/// A price in the units of the scenario file.
pub fn dollars(price: i64) -> f64 {
    price as f64 / 10f64.powi(PRICE_DECIMALS)
}

/// Time as `12 Mar 06:00` (UTC).
pub fn time_label(unix: i64) -> String {
    UtcDateTime::from_unix_timestamp(unix).map_or_else(
        |_| unix.to_string(),
        |t| {
            let month = t.month().to_string();
            format!("{} {} {:02}:{:02}", t.day(), &month[..3], t.hour(), t.minute())
        },
    )
}

fn label(start: i64, hour: u32) -> String {
    time_label(start + i64::from(hour) * SECONDS_PER_HOUR)
}

fn midnight(date: &toml::value::Datetime) -> Result<i64, ScenarioError> {
    let error = || ScenarioError::Date(date.to_string());
    let (Some(day), None, None) = (date.date, date.time, date.offset) else {
        return Err(error());
    };
    Month::try_from(day.month)
        .and_then(|month| Date::from_calendar_date(i32::from(day.year), month, day.day))
        .map(|day| UtcDateTime::new(day, time::Time::MIDNIGHT).unix_timestamp())
        .map_err(|_| error())
}

fn mantissa(price: f64, name: &str, label: &str) -> Result<i64, ScenarioError> {
    in_range(
        &format!("{name} of {label}"),
        price,
        1e-4..=1e7,
        "from 0.0001 to 10000000",
    )?;
    Ok(nearest_i64(price * 10f64.powi(PRICE_DECIMALS)))
}

//! The day on which everybody borrows, and the crashes that may follow it.

use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use crate::{
    guards::{
        paths::Print,
        writer::{BASE, HOUR, MINUTE, PARTS, Writer},
    },
    path,
    scenario::{Scenario, ScenarioError},
};

/// Standard deviation of the price over an hour on a calm day, bps, if it were not drawn back.
pub const CALM: i64 = 50;
/// The same in the last hour of a restless day, which begins calm.
pub const RESTLESS: i64 = 400;
/// Hours of a day.
pub const HOURS: i64 = 24;
/// Seconds between the readings of a day.
const EVERY: i64 = 20;
/// Seed of both days.
const SEED: u64 = 6;
/// 1,000 × √180: there are 180 readings in an hour.
const ROOT: i64 = 13_416;

/// A day of borrowing. It ends at its first price.
pub struct Day {
    /// In order of time.
    pub prints: Vec<Print>,
    /// Writes what comes after it.
    end: Writer,
}

/// A day on which the price stays restless as it began, or grows ever more so.
pub fn day(restless: bool) -> Day {
    let mut rng = ChaCha20Rng::seed_from_u64(SEED);
    let mut writer = Writer::new().true_from_here().every(EVERY);
    for hour in 0..HOURS {
        let grown = if restless {
            (RESTLESS - CALM) * hour / (HOURS - 1)
        } else {
            0
        };
        let size = BASE / PARTS * (CALM + grown) * 1_000 / ROOT;
        writer = writer.wander(size, HOUR, &mut rng);
    }
    let mut end = writer.slide(PARTS, 5 * MINUTE).every(EVERY / 4);
    Day {
        prints: std::mem::take(&mut end.prints),
        end,
    }
}

/// A crash that begins at the end of a day.
pub struct Crash {
    /// For tables.
    pub name: &'static str,
    course: Course,
}

enum Course {
    /// In a straight line to so many hundredths of a percent of the first price, in so many seconds; then two hours
    /// there.
    Slide(i64, i64),
    /// Black Thursday.
    Points(Vec<path::Point>),
}

impl Crash {
    /// Prints read from the end of a day on.
    pub fn after(&self, day: &Day) -> Vec<Print> {
        let writer = day.end.clone();
        let written = match &self.course {
            Course::Slide(to, seconds) => writer.slide(*to, *seconds).hold(2 * HOUR),
            Course::Points(points) => writer.every(EVERY).follow(points),
        };
        written.prints
    }
}

/// All crashes; Black Thursday as `scenario` has it, from its first price.
///
/// # Errors
/// The errors of the scenario's known prices.
pub fn crashes(scenario: &Scenario) -> Result<Vec<Crash>, ScenarioError> {
    let anchors = scenario.anchors()?;
    let points = path::build(&anchors, &scenario.path, scenario.step_seconds, scenario.seed);
    let slide = |name, to, seconds| Crash {
        name,
        course: Course::Slide(to, seconds),
    };
    Ok(vec![
        slide("−20% in an hour", 8_000, HOUR),
        slide("−30% in an hour", 7_000, HOUR),
        slide("−40% in an hour", 6_000, HOUR),
        slide("−40% in 3 min", 6_000, 3 * MINUTE),
        Crash {
            name: "Black Thursday",
            course: Course::Points(points),
        },
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_end_where_they_began_and_crashes_go_on_from_there() {
        let scenario = Scenario::parse(include_str!("../../scenarios/black-thursday.toml")).expect("valid");
        for day in [day(false), day(true)] {
            let (first, last) = (day.prints[0], day.prints[day.prints.len() - 1]);
            assert_eq!((first.price, last.price), (BASE, BASE));
            for crash in crashes(&scenario).expect("valid") {
                let prints = crash.after(&day);
                let lowest = prints.iter().map(|print| print.price).min().expect("not empty");
                let expected = match crash.course {
                    Course::Slide(to, _) => BASE / PARTS * to,
                    // 86 of 194.6.
                    Course::Points(_) => 4_419_321_685,
                };
                assert_eq!(lowest, expected, "{}", crash.name);
                assert!(prints[0].unix > last.unix && prints.is_sorted_by_key(|print| print.unix));
            }
        }
    }

    #[test]
    fn a_restless_day_ends_eight_times_as_restless_as_a_calm_one() {
        let moved = |day: &Day, hour: usize| {
            let prints = &day.prints[60 + 180 * hour..60 + 180 * (hour + 1)];
            let squares = prints
                .windows(2)
                .map(|pair| (pair[1].price - pair[0].price).pow(2) as f64);
            // Of the first price, over the hour.
            (squares.sum::<f64>()).sqrt() / BASE as f64
        };
        let (calm, restless) = (day(false), day(true));
        for hour in 0..23 {
            assert!((0.0045..0.0055).contains(&moved(&calm, hour)), "{hour}");
        }
        assert!((0.0045..0.0055).contains(&moved(&restless, 0)));
        assert!(
            (0.036..0.044).contains(&moved(&restless, 23)),
            "{}",
            moved(&restless, 23)
        );
    }
}

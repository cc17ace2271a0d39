//! One run among many, by what distinguishes it: so that no run is done twice, and every table and every goal is a
//! question to the same results.

use std::collections::HashMap;

use serde::{Serialize, Serializer};

use super::{Kind, LabError, Outcome, Path, Setup, candles::Candles, run, setup::Protocol};

/// A fraction, in millionths: of all debt, of the price.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Part(pub u32);

impl Part {
    /// The nearest one to a fraction.
    pub fn of(value: f64) -> Self {
        Self(crate::rounding::nearest_u32(value * 1e6))
    }

    /// As a fraction.
    pub fn value(self) -> f64 {
        f64::from(self.0) / 1e6
    }
}

impl Serialize for Part {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(self.value())
    }
}

/// Who borrows.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum People {
    /// As the scenario says: LTVs spread out, few near the limit.
    Usual,
    /// All within a few points of the initial LTV.
    Crowded,
    /// Most at the highest LTV that there is: LTV = 77.6% × Beta(8, 1).
    Loopers,
}

impl People {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Usual, Self::Crowded, Self::Loopers];

    /// For tables.
    pub fn title(self) -> &'static str {
        match self {
            Self::Usual => "spread",
            Self::Crowded => "crowded",
            Self::Loopers => "loopers",
        }
    }

    fn apply(self, setup: &mut Setup) {
        let borrowers = &mut setup.borrowers;
        match self {
            Self::Usual => {}
            // Mean 70%, deviation 2.3 points.
            Self::Crowded => (borrowers.alpha, borrowers.beta) = (90.0, 9.8),
            Self::Loopers => (borrowers.alpha, borrowers.beta) = (8.0, 1.0),
        }
    }
}

/// Keepers show the market a price when the last one is about to become too old, in steps so short that one of them
/// ends just then.
fn seldom(setup: &mut Setup) {
    let age = setup.protocol.base.max_age_long;
    let (mut step, mut rest) = (setup.step_seconds, age % setup.step_seconds);
    while rest > 0 {
        (step, rest) = (rest, step % rest);
    }
    let oracle = &mut setup.oracle;
    oracle.latency_steps *= (setup.step_seconds / step) as usize;
    setup.step_seconds = step;
    setup.keepers.every = ((age / step) as usize + 1).saturating_sub(oracle.latency_steps).max(1);
}

/// Behavior of the people, and failures.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Behavior {
    /// As the scenario says.
    Usual,
    /// So many percent of the borrowers watch their accounts.
    Attention(u8),
    /// Buyers with 5% of all debt step in when sales have pushed the price by 5%.
    BargainHunters,
    /// Nothing reaches the chain for the half hour in which the price falls fastest.
    Outage,
    /// Keepers come as seldom as the age of a price allows, and meanwhile every owner knows the true price.
    Informed,
    /// The same keepers; no owner knows more than the oracle.
    SeldomKeepers,
    /// All suppliers leave, as far as there is cash, once the price has fallen by a tenth.
    Run,
    /// The oracle shows the price of 30 seconds ago and does not say so: one that says so is too old to be believed.
    SlowOracle,
    /// Impact is forgotten three times as fast.
    Resilient,
}

impl Behavior {
    /// The behaviors that are compared, the usual one first.
    pub const COMPARED: [Self; 11] = [
        Self::Usual,
        Self::Attention(0),
        Self::Attention(40),
        Self::Attention(60),
        Self::BargainHunters,
        Self::Resilient,
        Self::Outage,
        Self::SlowOracle,
        Self::SeldomKeepers,
        Self::Informed,
        Self::Run,
    ];

    /// For tables.
    pub fn title(self) -> String {
        match self {
            Self::Usual => "as usual (a fifth of the borrowers watches)".to_owned(),
            Self::Attention(0) => "nobody watches".to_owned(),
            Self::Attention(percent) => format!("{percent}% of the borrowers watch"),
            Self::BargainHunters => "buyers with 5% of the debt from −5% on".to_owned(),
            Self::Resilient => "impact is forgotten in a third of the time".to_owned(),
            Self::Outage => "nothing reaches the chain for the worst half hour".to_owned(),
            Self::SlowOracle => "the oracle is 30 seconds late, and its times do not show it".to_owned(),
            Self::SeldomKeepers => "keepers come as seldom as a price's age allows".to_owned(),
            Self::Informed => "the same, and every owner knows the true price".to_owned(),
            Self::Run => "suppliers leave after a fall of 10%".to_owned(),
        }
    }

    fn apply(self, setup: &mut Setup) {
        match self {
            Self::Usual => {}
            Self::Attention(percent) => setup.borrowers.attentive = f64::from(percent) / 100.0,
            Self::BargainHunters => setup.buyers.capital = 0.05,
            Self::Resilient => setup.impact.half_life /= 3.0,
            Self::Outage => setup.keepers.outage_minutes = 30.0,
            Self::SlowOracle => {
                let late = (30 / setup.step_seconds) as usize;
                setup.oracle.unnoticed_steps = late.saturating_sub(setup.oracle.latency_steps);
            }
            Self::SeldomKeepers => seldom(setup),
            Self::Informed => {
                seldom(setup);
                setup.borrowers.informed = 1.0;
            }
            Self::Run => setup.suppliers.run_from = 0.1,
        }
    }
}

/// A run.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize)]
pub struct Cell {
    /// Number of the market whose parameters it has.
    pub market: usize,
    /// Number of the scenario.
    pub scenario: usize,
    /// The mechanism.
    pub mechanism: Kind,
    /// The fraction of all debt whose sale moves the price by 1%.
    pub depth: Part,
    /// The market's belief about that depth; `None`: as its parameters say.
    pub assumed: Option<Part>,
    /// The protocol's capital.
    pub equity: Part,
    /// The seed.
    pub seed: u64,
    /// Who borrows.
    pub people: People,
    /// Behavior of the people.
    pub behavior: Behavior,
    /// True if sales move the price.
    pub feedback: bool,
}

impl Cell {
    /// The same without feedback: what a multiplier divides by. Without feedback depth does not matter.
    #[must_use]
    pub fn control(self) -> Self {
        Self {
            feedback: false,
            depth: Part(0),
            ..self
        }
    }
}

/// Scenarios, markets and candles that runs are made of.
#[derive(Clone, Debug)]
pub struct Ground {
    /// The scenarios.
    pub scenarios: Vec<Setup>,
    /// Names and parameters of the markets.
    pub markets: Vec<(String, breakwater_engine::Config)>,
    /// Black Thursday's candles.
    pub candles: Option<Candles>,
}

impl Ground {
    /// The setup and the path of a cell.
    ///
    /// # Errors
    /// The errors of the path.
    pub fn setup(&self, cell: &Cell) -> Result<(Setup, Path), LabError> {
        let mut setup = self.scenarios[cell.scenario].clone();
        setup.seed = cell.seed;
        let (name, config) = &self.markets[cell.market];
        setup.protocol = Protocol {
            equity: cell.equity.value(),
            assumed_depth: cell.assumed.map(Part::value),
            market: name.clone(),
            base: *config,
            ..setup.protocol
        };
        if cell.feedback {
            setup.impact.depth = cell.depth.value();
        } else {
            setup.impact.off = true;
        }
        cell.people.apply(&mut setup);
        cell.behavior.apply(&mut setup);
        let path = Path::of(&setup, self.candles.as_ref())?;
        Ok((setup, path))
    }

    /// Runs a cell.
    ///
    /// # Errors
    /// The errors of a run.
    pub fn run(&self, cell: &Cell) -> Result<Outcome, LabError> {
        let (setup, path) = self.setup(cell)?;
        run(&setup, &path, cell.mechanism)
    }
}

/// Every run that was done.
#[derive(Clone, Debug, Default)]
pub struct Results {
    /// In the order in which they were asked for.
    pub list: Vec<(Cell, Outcome)>,
    places: HashMap<Cell, usize>,
}

impl Results {
    /// From a list.
    pub fn new(list: Vec<(Cell, Outcome)>) -> Self {
        let places = list
            .iter()
            .enumerate()
            .map(|(place, (cell, _))| (*cell, place))
            .collect();
        Self { list, places }
    }

    /// One of them.
    pub fn get(&self, cell: &Cell) -> Option<&Outcome> {
        self.places.get(cell).map(|place| &self.list[*place].1)
    }

    /// Liquidated ÷ the same without feedback; one if there was nothing to liquidate either way. `None` if the other
    /// was not run.
    pub fn multiplier(&self, cell: &Cell) -> Option<f64> {
        let (with, without) = (self.get(cell)?.liquidated, self.get(&cell.control())?.liquidated);
        Some(if with.abs() < f64::EPSILON && without.abs() < f64::EPSILON {
            1.0
        } else {
            with / without
        })
    }

    /// Liquidated beyond the same without feedback, fraction of all debt.
    pub fn extra(&self, cell: &Cell) -> Option<f64> {
        Some(self.get(cell)?.liquidated - self.get(&cell.control())?.liquidated)
    }
}

/// The middle one of some figures, or the mean of the middle two; `NaN` if there are none.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    match (
        values.get(half),
        half.checked_sub(1).and_then(|before| values.get(before)),
    ) {
        (Some(&upper), Some(&lower)) if values.len().is_multiple_of(2) => f64::midpoint(lower, upper),
        (Some(&middle), _) => middle,
        _ => f64::NAN,
    }
}

/// The largest; negative infinity if there are none.
pub fn worst(values: impl IntoIterator<Item = f64>) -> f64 {
    values.into_iter().fold(f64::NEG_INFINITY, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_is_between_the_middle_two() {
        assert!((median([4.0, 1.0, 3.0, 2.0]) - 2.5).abs() < f64::EPSILON);
        assert!((median([9.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!((median([7.0]) - 7.0).abs() < f64::EPSILON);
        assert!(median([]).is_nan());
    }

    #[test]
    fn a_part_comes_back_as_it_went() {
        for value in [0.0025, 0.005, 0.05, 0.1, 0.0] {
            assert!((Part::of(value).value() - value).abs() < 1e-12);
        }
    }
}

//! Goals that all runs must meet. `make lab` fails if one is missed.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    Kind, Outcome,
    bound::Paced,
    cell::{Cell, Part, median, worst},
    cover::Covered,
    study::{BLEED, CALIBRATED, CAPITAL, CAPITALS, CRASH, DEEP, HALF, OCTOBER, Plan, STRESS, Study, TOO_FAST},
};

/// Suppliers' loss below this is none: a ten-thousandth of a basis point.
const NOTHING: f64 = 1e-8;
/// Where more than this is liquidated, the multiplier says something; elsewhere what is liquidated in addition does.
pub const MUCH: f64 = 0.1;
/// The paced curve may be on the wrong side in two cells of 32.
const WRONG_SIDE: f64 = 2.0 / 32.0;
/// Multipliers beyond this are listed.
pub const LISTED: f64 = 1.11;

/// Tells if curve and runs agree about a cell.
type Agrees = fn(&Paced) -> bool;

/// The run that is furthest from a goal.
#[derive(Clone, Debug, Serialize)]
pub struct Worst {
    /// Name of the scenario, and of the borrowers where they are not the usual ones.
    pub path: String,
    /// Its seed; none where the value is a median over seeds.
    pub seed: Option<u64>,
    /// The protocol's capital, fraction of all debt; none where it is a median over capitals.
    pub capital: Option<f64>,
}

/// One goal.
#[derive(Clone, Debug, Serialize)]
pub struct Goal {
    /// The goal in words, for people.
    pub about: String,
    /// The value measured.
    pub value: f64,
    /// Most that it may be.
    pub limit: f64,
    /// True if the value is no more than the limit.
    pub ok: bool,
    /// On how many runs.
    pub runs: usize,
    /// Where it is furthest from the goal.
    pub worst: Option<Worst>,
}

/// The goals by their names; those of markets other than the first have its name before them.
pub type Goals = BTreeMap<String, Goal>;

/// A value and where it was found.
type Found = (f64, Option<Worst>);

struct Judge<'a> {
    plan: &'a Plan,
    study: &'a Study,
    market: usize,
    goals: &'a mut Goals,
}

/// Every goal, for every market.
pub fn goals(plan: &Plan, study: &Study) -> Goals {
    let mut goals = Goals::new();
    for market in 0..plan.ground.markets.len() {
        let mut judge = Judge {
            plan,
            study,
            market,
            goals: &mut goals,
        };
        judge.drawdowns();
        judge.cliff();
        judge.multipliers();
        judge.cover();
        judge.deep();
        judge.october();
        judge.age();
        if market == 0 {
            judge.curve();
        }
    }
    goals
}

impl<'a> Judge<'a> {
    fn path(&self, scenario: usize) -> String {
        self.plan.ground.scenarios[scenario].name.clone()
    }

    fn put(&mut self, name: &str, about: &str, limit: f64, strict: bool, found: impl IntoIterator<Item = Found>) {
        let found: Vec<Found> = found.into_iter().collect();
        let runs = found.len();
        let Some((value, worst)) = found.into_iter().max_by(|a, b| a.0.total_cmp(&b.0)) else {
            return;
        };
        self.judge(name, about, limit, strict, (value, worst), runs);
    }

    fn judge(&mut self, name: &str, about: &str, limit: f64, strict: bool, (value, worst): Found, runs: usize) {
        if runs == 0 {
            return;
        }
        let name = if self.market == 0 {
            name.to_owned()
        } else {
            format!("{}: {name}", self.plan.ground.markets[self.market].0)
        };
        let goal = Goal {
            about: about.to_owned(),
            value,
            limit,
            ok: if strict { value < limit } else { value <= limit },
            runs,
            worst,
        };
        self.goals.insert(name, goal);
    }

    fn outcomes(&self, cells: Vec<Cell>) -> Vec<(Cell, &'a Outcome)> {
        let study = self.study;
        cells
            .into_iter()
            .filter_map(|cell| study.results.get(&cell).map(|outcome| (cell, outcome)))
            .collect()
    }

    fn at(&self, cell: &Cell) -> Worst {
        Worst {
            path: self.path(cell.scenario),
            seed: Some(cell.seed),
            capital: Some(cell.equity.value()),
        }
    }

    fn drawdowns(&mut self) {
        let goals = [
            (
                "1 drawdown, stress depth",
                "drawdown by own sales in every run, at 0.5% of debt for 1%",
                STRESS,
                0.05,
            ),
            (
                "1 drawdown, half the assumed depth",
                "the same at 0.25%, where the market believes 0.5%",
                HALF,
                0.085,
            ),
            ("1 drawdown, deep market", "the same at 5%", DEEP, 0.02),
        ];
        for (name, about, depth, limit) in goals {
            let outcomes = self.outcomes(self.plan.of_goals(self.market, depth));
            let found: Vec<Found> = outcomes
                .iter()
                .map(|(cell, outcome)| (outcome.endogenous_drawdown, Some(self.at(cell))))
                .collect();
            self.put(name, about, limit, false, found);
        }
    }

    /// How far a path's drawdowns, medians over the seeds, are apart between the least and the most capital. In
    /// brackets: of one seed alone, where that is furthest.
    fn cliff(&mut self) {
        let outcomes = self.outcomes(self.plan.of_goals(self.market, STRESS));
        let drawdowns = |scenario: usize, equity: Part, seed: Option<u64>| {
            let own = outcomes.iter().filter(move |(cell, _)| {
                (cell.scenario, cell.equity) == (scenario, equity) && seed.is_none_or(|seed| cell.seed == seed)
            });
            median(own.map(|(_, outcome)| outcome.endogenous_drawdown))
        };
        let apart = |scenario: usize, seed: Option<u64>| {
            let each = CAPITALS.map(|equity| drawdowns(scenario, equity, seed));
            worst(each) + worst(each.map(|drawdown| -drawdown))
        };
        let mut found: Vec<Found> = Vec::new();
        for scenario in 0..self.plan.ground.scenarios.len() {
            let seeds = outcomes.iter().filter(|(cell, _)| cell.scenario == scenario);
            let alone = seeds.map(|(cell, _)| (apart(scenario, Some(cell.seed)), cell.seed));
            let Some((most, seed)) = alone.max_by(|a, b| a.0.total_cmp(&b.0)) else {
                continue;
            };
            let place = Worst {
                path: format!("{} (one seed alone: {most:.4})", self.path(scenario)),
                seed: Some(seed),
                capital: None,
            };
            found.push((apart(scenario, None), Some(place)));
        }
        let about = "how far a path's drawdowns (medians) are apart between capital of 2, 5, 10 and 15%";
        self.put("2 no cliff", about, 0.01, true, found);
    }

    /// Medians over all runs of each kind; the worst is the path whose own median is the highest.
    fn multipliers(&mut self) {
        let cells = self.plan.of_goals(self.market, STRESS);
        let (study, plan) = (self.study, self.plan);
        let of = |much: bool, figure: &dyn Fn(&Cell) -> Option<f64>| -> Vec<(usize, f64)> {
            let all = cells.iter().filter(|cell| {
                let control = study.results.get(&cell.control());
                control.is_some_and(|control| (control.liquidated > MUCH) == much)
            });
            all.filter_map(|cell| Some((cell.scenario, figure(cell)?))).collect()
        };
        let wide = of(true, &|cell| study.results.multiplier(cell));
        let narrow = of(false, &|cell| study.results.extra(cell));
        let middle = |values: &[(usize, f64)]| -> Found {
            let own = |scenario: usize| median(values.iter().filter(|one| one.0 == scenario).map(|one| one.1));
            let paths = (0..plan.ground.scenarios.len()).filter(|path| values.iter().any(|one| one.0 == *path));
            let worst = paths.max_by(|a, b| own(*a).total_cmp(&own(*b)));
            let place = worst.map(|scenario| Worst {
                path: format!("{} ({:.3})", plan.ground.scenarios[scenario].name, own(scenario)),
                seed: None,
                capital: None,
            });
            (median(values.iter().map(|one| one.1)), place)
        };
        let about = "median of debt liquidated ÷ the same without feedback, where more than 10% is liquidated without";
        self.judge("3 multiplier", about, 1.05, false, middle(&wide), wide.len());
        let about = "median of debt liquidated beyond the same without feedback, elsewhere";
        self.judge(
            "3 extra debt liquidated",
            about,
            0.015,
            false,
            middle(&narrow),
            narrow.len(),
        );
    }

    fn cover(&mut self) {
        let counted: Vec<&Covered> = self
            .study
            .covered
            .iter()
            .filter(|one| one.market == self.market && one.counts())
            .collect();
        let found: Vec<Found> = counted
            .iter()
            .map(|one| {
                let place = Worst {
                    path: format!("{}, {}", self.path(one.scenario), one.people.title()),
                    seed: Some(one.seed),
                    capital: Some(one.equity),
                };
                (one.supplier_loss, Some(place))
            })
            .collect();
        let about = "suppliers' loss where the cover was there and the price fell by no more than the stress fall";
        self.put("4 suppliers whole", about, NOTHING, false, found);
    }

    /// With the laboratory's usual capital, medians over the seeds; the worst is the seed that loses most.
    fn deep(&mut self) {
        let outcomes: Vec<(Cell, &Outcome)> = self
            .outcomes(self.plan.of_goals(self.market, DEEP))
            .into_iter()
            .filter(|(cell, _)| cell.equity == CAPITAL)
            .collect();
        for (name, about, scenario, limit) in [
            (
                "5 deep market, bleed",
                "what the backstop loses in the bleed at 5%, median",
                BLEED,
                0.01,
            ),
            (
                "5 deep market, crash",
                "what the backstop loses in the crash at 5%, median",
                CRASH,
                0.03,
            ),
        ] {
            let number = self.plan.named(scenario);
            let own: Vec<&(Cell, &Outcome)> = outcomes
                .iter()
                .filter(|(cell, _)| Some(cell.scenario) == number)
                .collect();
            let most = own.iter().max_by(|a, b| a.1.loss.total_cmp(&b.1.loss));
            let place = most.map(|(cell, outcome)| {
                let place = self.at(cell);
                let path = format!("{} ({:.4})", place.path, outcome.loss);
                Worst { path, ..place }
            });
            let value = median(own.iter().map(|(_, outcome)| outcome.loss));
            self.judge(name, about, limit, false, (value, place), own.len());
        }
        let dumps = self.outcomes(self.plan.deep_dump(self.market));
        let mut found = Vec::new();
        for scenario in [CRASH, BLEED].into_iter().filter_map(|name| self.plan.named(name)) {
            let dump = dumps.iter().filter(|(cell, _)| cell.scenario == scenario);
            let own = outcomes.iter().filter(|(cell, _)| cell.scenario == scenario);
            let lost = |outcome: &Outcome| outcome.borrower_loss;
            let ratio = median(own.map(|(_, outcome)| lost(outcome))) / median(dump.map(|(_, outcome)| lost(outcome)));
            let place = Worst {
                path: self.path(scenario),
                seed: None,
                capital: Some(CAPITAL.value()),
            };
            found.push((ratio, Some(place)));
        }
        let about = "what borrowers lose by liquidation at 5%, as a part of what they lose to the dump; medians";
        self.put("5 deep market, borrowers", about, 0.5, true, found);
    }

    fn october(&mut self) {
        let outcomes = self.outcomes(self.plan.of_october(self.market));
        let found: Vec<Found> = outcomes
            .iter()
            .map(|(cell, outcome)| (outcome.borrower_loss, Some(self.at(cell))))
            .collect();
        let about = format!(
            "what borrowers lose on a day like {OCTOBER}, at the calibrated depth of {}% of debt for 1%",
            CALIBRATED.value() * 100.0
        );
        self.put("6 a day like October 2025", &about, 0.002, false, found);
    }

    /// A market that must allow older prices than the first, because its feeds come no sooner, is not judged:
    /// docs/reports/lab.md says what its penalty does not cover.
    fn age(&mut self) {
        let markets = &self.plan.ground.markets;
        let config = &markets[self.market].1;
        if config.max_age_long > markets[0].1.max_age_long {
            return;
        }
        let moves = &self.study.moves;
        let found: Vec<Found> = moves
            .iter()
            .filter(|moves| !TOO_FAST.contains(&self.path(moves.scenario).as_str()))
            .filter_map(|moves| Some((moves.scenario, *moves.falls.get(&config.max_age_long)?)))
            .map(|(scenario, fall)| {
                let place = Worst {
                    path: self.path(scenario),
                    seed: None,
                    capital: None,
                };
                (fall, Some(place))
            })
            .collect();
        let about = format!(
            "the fall that 99.9% of a price's moves over the {} s that a reading may be old do not exceed, median over \
             the seeds, at most the penalty; not on {}, where ten seconds are too long",
            config.max_age_long,
            TOO_FAST.join("; ")
        );
        self.put(
            "7 penalty and age",
            &about,
            crate::rounding::fraction(config.penalty),
            false,
            found,
        );
    }

    /// The cascade curve against the laboratory: see [`super::bound`].
    fn curve(&mut self) {
        let bounded = &self.study.bounded;
        let found: Vec<Found> = bounded
            .iter()
            .map(|one| {
                let place = Worst {
                    path: format!("{}, depth {}%", self.path(one.scenario), one.depth.value() * 100.0),
                    seed: Some(one.seed),
                    capital: None,
                };
                (one.excess(), Some(place))
            })
            .collect();
        let about = "how far the smallest fall that does damage while keepers dump lies below the curve's critical fall \
                     if everyone dumps at once; negative: it lies above";
        self.put("8 cascade curve, a bound", about, 0.0, false, found);
        let paced = &self.study.paced;
        let goals: [(&str, &str, Agrees); 2] = [
            (
                "8 cascade curve, paced",
                "part of the cells (four paths, eight depths, each seed) in which the curve, told the pace, and the \
                 dump baseline disagree whether sales push the price by 50%",
                Paced::line_agrees,
            ),
            (
                "8 cascade curve, minute by minute",
                "the same for a fall of 50%, sales and news, where the curve is told the path's own news",
                Paced::along_agrees_in_all,
            ),
        ];
        for (name, about, agrees) in goals {
            let wrong: Vec<&Paced> = paced.iter().filter(|one| !agrees(one)).collect();
            let place = wrong.first().map(|one| Worst {
                path: format!("{}, depth {}%", self.path(one.scenario), one.depth.value() * 100.0),
                seed: Some(one.seed),
                capital: None,
            });
            let value = wrong.len() as f64 / paced.len().max(1) as f64;
            self.judge(name, about, WRONG_SIDE, false, (value, place), paced.len());
        }
    }
}

/// Runs whose multiplier is beyond [`LISTED`] where more than [`MUCH`] is liquidated: the cell and the multiplier.
pub fn listed(plan: &Plan, study: &Study) -> Vec<(Cell, f64)> {
    let mut cells: Vec<(Cell, f64)> = plan
        .of_goals(0, STRESS)
        .into_iter()
        .filter(|cell| {
            let control = study.results.get(&cell.control());
            cell.mechanism == Kind::Breakwater && control.is_some_and(|control| control.liquidated > MUCH)
        })
        .filter_map(|cell| Some((cell, study.results.multiplier(&cell)?)))
        .filter(|(_, multiplier)| *multiplier > LISTED)
        .collect();
    cells.sort_by(|a, b| b.1.total_cmp(&a.1));
    cells
}

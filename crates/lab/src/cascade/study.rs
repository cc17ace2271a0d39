//! Everything that `breakwater lab` measures: which runs are made, and what follows from many of them.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    path::Path as File,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::Serialize;

use super::{
    Kind, LabError, Outcome, Path, Setup,
    bound::{self, Bounded, Paced},
    cell::{Behavior, Cell, Ground, Part, People, Results},
    contagion::{self, Contagion, Shared},
    cover::{self, Covered},
    pool, run, search,
    sweep::{SWEEPS, Tried},
};

macro_rules! scenarios {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../../scenarios/cascade/", $name, ".toml")))),*]
    };
}

/// The scenarios of the repository, by the names that options use. The first seven are real crashes.
pub const SCENARIOS: [(&str, &str); 12] = scenarios![
    "black-thursday",
    "may-2021",
    "terra-sol",
    "terra-luna",
    "ftx",
    "august-2024",
    "october-2025",
    "crash",
    "v-shape",
    "wick",
    "slow-bleed",
    "no-return",
];

/// A token that depegs: see [`depeg`].
const DEPEG: &str = include_str!("../../scenarios/cascade/depeg.toml");

/// The day that calibrates depth, and that goal 6 speaks of.
pub const OCTOBER: &str = "10 October 2025";
/// The crash and the bleed of goal 5.
pub const CRASH: &str = "Crash without rebound";
/// See [`CRASH`].
pub const BLEED: &str = "Slow bleed";

/// Capital of the protocol in the goals.
pub const CAPITALS: [Part; 4] = [Part(20_000), Part(50_000), Part(100_000), Part(150_000)];
/// Capital of everything else.
pub const CAPITAL: Part = Part(100_000);
/// The stress column: what the market's parameters say.
pub const STRESS: Part = Part(5_000);
/// Half of that.
pub const HALF: Part = Part(2_500);
/// Depth on a calm day like that of the calibration.
pub const CALIBRATED: Part = Part(30_000);
/// A deep market, whose parameters say so.
pub const DEEP: Part = Part(50_000);
/// Depths of the calibration.
pub const CALIBRATION: [Part; 9] = [
    Part(2_500),
    Part(5_000),
    Part(10_000),
    Part(15_000),
    Part(20_000),
    Part(25_000),
    Part(30_000),
    Part(50_000),
    Part(100_000),
];
/// In goal 4 the price falls by the stress fall, and with fewer seeds by this part of it.
const HALFWAY: f64 = 0.6;
/// Ages of a price, seconds, over which its move is measured, beside those that the markets allow.
const AGES: [u32; 5] = [10, 20, 30, 60, 120];
/// Steps of the paths on which it is, seconds: ages are whole seconds, runs are made in longer steps.
const FINE: u32 = 1;
/// The oldest age that is looked at.
const OLDEST: u32 = 120;
/// The part of all moves that the penalty covers.
const OF_MOVES: f64 = 0.999;
/// Days on which the price moves further within ten seconds than the penalty is: the price of SOL, ETH or LUNA while
/// everything failed at once. No age that a market can live with makes up for that, so goal 7 does not speak of them.
pub const TOO_FAST: [&str; 4] = ["19 May 2021", "Terra, SOL", "Terra, LUNA", "FTX"];

/// Accounts of the speed measurement.
const MANY: u32 = 100_000;

/// How long a large market takes: 72 hours of the crash in steps of ten seconds with 100,000 accounts, Breakwater and
/// the dump baseline one after the other. Seconds of one processor, drawing the accounts included.
///
/// # Errors
/// The errors of a run.
pub fn speed() -> Result<f64, LabError> {
    let mut setup = Plan::scenario("crash")?;
    setup.step_seconds = 10;
    setup.borrowers.count = MANY;
    let path = Path::of(&setup, None)?;
    let began = processor_seconds();
    for kind in [Kind::Breakwater, Kind::Dump] {
        run(&setup, &path, kind)?;
    }
    Ok(processor_seconds() - began)
}

/// Processor time that this thread has used, seconds; where the system does not say, the time of day, which other
/// programs slow down.
fn processor_seconds() -> f64 {
    let nanoseconds = std::fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|text| text.split(' ').next()?.parse::<u64>().ok());
    let day = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    nanoseconds.map_or_else(|| day().as_secs_f64(), |used| Duration::from_nanos(used).as_secs_f64())
}

/// Measurements to be made.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Scenarios, and markets; the first market is the one whose mechanisms are compared.
    pub ground: Ground,
    /// The mechanisms.
    pub mechanisms: Vec<Kind>,
    /// Depths at which mechanisms are compared.
    pub depths: Vec<Part>,
    /// Number of seeds of the goals; each scenario counts up from its own.
    pub seeds: u64,
    /// Number of seeds of everything else.
    pub few: u64,
    /// True to measure the goals, to sweep parameters, and to search for results that take many runs.
    pub deep: bool,
}

impl Plan {
    /// One of the repository's scenarios by name, or a file.
    ///
    /// # Errors
    /// [`LabError::Syntax`] and those of [`Setup::check`].
    pub fn scenario(name: &str) -> Result<Setup, LabError> {
        if let Some((_, text)) = SCENARIOS.iter().find(|(known, _)| *known == name) {
            return Setup::parse(text);
        }
        let text = std::fs::read_to_string(File::new(name)).map_err(|error| {
            let known: Vec<_> = SCENARIOS.iter().map(|(known, _)| *known).collect();
            LabError::Syntax(format!(
                "{name} is neither a file ({error}) nor one of {}",
                known.join(", ")
            ))
        })?;
        Setup::parse(&text)
    }
}

/// A smallest shock, or a least capital.
#[derive(Clone, Debug, Serialize)]
pub struct Found {
    /// Number of the scenario.
    pub scenario: usize,
    /// The mechanism.
    pub mechanism: Kind,
    /// `None`: there is none.
    pub value: Option<f64>,
}

/// How far a path falls within the age of a price.
#[derive(Clone, Debug, Serialize)]
pub struct Moves {
    /// Number of the scenario.
    pub scenario: usize,
    /// For each of [`Plan::ages`]: the fall that 99.9% of all moves over that time do not exceed, median over the
    /// seeds.
    pub falls: BTreeMap<u32, f64>,
    /// And in the worst seed.
    pub worst: BTreeMap<u32, f64>,
    /// The oldest age, whole seconds, over which the median is no more than the first market's penalty; 0 if one second
    /// is too long.
    pub covered: u32,
}

/// A token that trades below what it is redeemed for.
#[derive(Clone, Debug, Serialize)]
pub struct Depegged {
    /// True if the market pins its redemption.
    pub redeemable: bool,
    /// Result of the run.
    pub outcome: Outcome,
}

/// The results.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Study {
    /// Every run: see [`crate::report::cascade::summary`].
    #[serde(skip)]
    pub results: Results,
    /// The promise of the stress cover.
    pub covered: Vec<Covered>,
    /// The smallest fall of a scenario's shape that leaves damage, at the stress depth; first seed.
    pub critical: Vec<Found>,
    /// The least capital with which suppliers lose nothing, at the stress depth; first seed.
    pub capital: Vec<Found>,
    /// The cascade curve's critical falls, and the laboratory's.
    pub bounded: Vec<Bounded>,
    /// Where it says that a path ends, and where that ends.
    pub paced: Vec<Paced>,
    /// Effects of one market on another.
    pub contagion: Vec<Contagion>,
    /// Sweeps of parameters.
    pub tried: Vec<Tried>,
    /// Moves of the price.
    pub moves: Vec<Moves>,
    /// Depegs.
    pub depegged: Vec<Depegged>,
}

/// A thing to do; scenarios by their number.
enum Task {
    Run(Cell),
    Cover(Cell, f64),
    Critical(usize, Kind),
    Capital(usize, Kind),
    Bound(usize, Part, u64),
    Pace(usize, Part, u64),
    Contagion(usize, Kind, Shared),
    Sweep(usize, usize, f64),
    Moves(usize),
    Depeg(Kind, bool, u64),
}

#[allow(clippy::large_enum_variant, reason = "a few hundred, each taken apart at once")]
enum Done {
    Run(Cell, Box<Outcome>),
    Cover(Covered),
    Critical(Found),
    Capital(Found),
    Bounded(Bounded),
    Paced(Option<Paced>),
    Contagion(Contagion),
    Tried(Tried),
    Moves(Moves),
    Depegged(Depegged),
}

/// Mechanisms whose contagion is measured, and whose behavior beyond the usual.
const CONTAGIOUS: [Kind; 2] = [Kind::Dump, Kind::Breakwater];

impl Plan {
    /// A cell of the first market as it is compared.
    pub fn cell(&self, scenario: usize, mechanism: Kind, depth: Part, seed: u64) -> Cell {
        Cell {
            market: 0,
            scenario,
            mechanism,
            depth,
            assumed: assumed(depth),
            equity: CAPITAL,
            seed,
            people: People::Usual,
            behavior: Behavior::Usual,
            feedback: true,
        }
    }

    /// So many seeds of a scenario.
    pub fn seeds_of(&self, scenario: usize, count: u64) -> impl Iterator<Item = u64> + use<> {
        let first = self.ground.scenarios[scenario].seed;
        first..first + count
    }

    /// The number of the scenario of this name.
    pub fn named(&self, name: &str) -> Option<usize> {
        self.ground.scenarios.iter().position(|setup| setup.name == name)
    }

    /// Every run of the comparison.
    pub fn compared(&self) -> Vec<Cell> {
        let mut cells = Vec::new();
        for scenario in 0..self.ground.scenarios.len() {
            for &mechanism in &self.mechanisms {
                for &depth in &self.depths {
                    let seeds = self.seeds_of(scenario, self.few);
                    cells.extend(seeds.map(|seed| self.cell(scenario, mechanism, depth, seed)));
                }
            }
        }
        cells
    }

    /// Every run of goals 1 to 3, of one market at one depth.
    pub fn of_goals(&self, market: usize, depth: Part) -> Vec<Cell> {
        let seeds = if market == 0 { self.seeds } else { self.few };
        let mut cells = Vec::new();
        for scenario in 0..self.ground.scenarios.len() {
            for equity in CAPITALS {
                cells.extend(self.seeds_of(scenario, seeds).map(|seed| Cell {
                    market,
                    equity,
                    ..self.cell(scenario, Kind::Breakwater, depth, seed)
                }));
            }
        }
        cells
    }

    /// Breakwater on a day like that of the calibration, at the depth that it shows.
    pub fn of_october(&self, market: usize) -> Vec<Cell> {
        let seeds = if market == 0 { self.seeds } else { self.few };
        let cells = self.named(OCTOBER).into_iter().flat_map(|october| {
            CAPITALS.into_iter().flat_map(move |equity| {
                self.seeds_of(october, seeds).map(move |seed| Cell {
                    market,
                    equity,
                    ..self.cell(october, Kind::Breakwater, CALIBRATED, seed)
                })
            })
        });
        cells.collect()
    }

    /// The dump baseline in a deep market.
    pub fn deep_dump(&self, market: usize) -> Vec<Cell> {
        let scenarios = [CRASH, BLEED].into_iter().filter_map(|name| self.named(name));
        let cells = scenarios.flat_map(|scenario| {
            self.seeds_of(scenario, self.few).map(move |seed| Cell {
                market,
                ..self.cell(scenario, Kind::Dump, DEEP, seed)
            })
        });
        cells.collect()
    }

    /// The dump baseline on the day of the calibration.
    pub fn calibration(&self) -> Vec<Cell> {
        let Some(october) = self.named(OCTOBER) else {
            return Vec::new();
        };
        let cells = CALIBRATION.iter().flat_map(|&depth| {
            [Kind::Dump, Kind::Kamino].into_iter().flat_map(move |kind| {
                self.seeds_of(october, self.few).map(move |seed| Cell {
                    assumed: None,
                    ..self.cell(october, kind, depth, seed)
                })
            })
        });
        cells.collect()
    }

    /// Breakwater and dump while people do other things than usual.
    pub fn behaviors(&self) -> Vec<Cell> {
        let mut cells = Vec::new();
        for scenario in 0..self.ground.scenarios.len() {
            for behavior in Behavior::COMPARED {
                for kind in CONTAGIOUS {
                    let seeds = self.seeds_of(scenario, self.few.min(2));
                    cells.extend(seeds.map(|seed| Cell {
                        behavior,
                        ..self.cell(scenario, kind, STRESS, seed)
                    }));
                }
            }
        }
        cells
    }

    /// Breakwater and dump with other borrowers.
    pub fn populations(&self) -> Vec<Cell> {
        let mut cells = Vec::new();
        for scenario in 0..self.ground.scenarios.len() {
            for people in People::ALL {
                for kind in CONTAGIOUS {
                    let seeds = self.seeds_of(scenario, self.few.min(2));
                    cells.extend(seeds.map(|seed| Cell {
                        people,
                        ..self.cell(scenario, kind, STRESS, seed)
                    }));
                }
            }
        }
        cells
    }

    fn tasks(&self) -> Result<Vec<Task>, LabError> {
        let mut cells = self.compared();
        if self.deep {
            for market in 0..self.ground.markets.len() {
                for depth in [STRESS, HALF, DEEP] {
                    cells.extend(self.of_goals(market, depth));
                }
                cells.extend(self.of_october(market));
                cells.extend(self.deep_dump(market));
            }
            cells.extend(self.calibration());
            cells.extend(self.behaviors());
            cells.extend(self.populations());
        }
        let controls: Vec<Cell> = cells
            .iter()
            .filter(|cell| needs_control(cell))
            .map(|cell| cell.control())
            .collect();
        let mut known = HashSet::new();
        let all = cells.into_iter().chain(controls).filter(|cell| known.insert(*cell));
        // The longest first, so that no processor waits for them at the end.
        let mut tasks = Vec::new();
        if self.deep {
            self.deep_tasks(&mut tasks)?;
        }
        tasks.extend(all.map(Task::Run));
        Ok(tasks)
    }

    fn deep_tasks(&self, tasks: &mut Vec<Task>) -> Result<(), LabError> {
        for (scenario, setup) in self.ground.scenarios.iter().enumerate() {
            tasks.push(Task::Moves(scenario));
            for depth in bound::DEPTHS {
                let seeds = self.seeds_of(scenario, self.few);
                tasks.extend(
                    seeds.flat_map(|seed| [Task::Bound(scenario, depth, seed), Task::Pace(scenario, depth, seed)]),
                );
            }
            for market in 0..self.ground.markets.len() {
                let seeds = if market == 0 { self.seeds } else { self.few };
                for people in People::ALL {
                    for seed in self.seeds_of(scenario, seeds) {
                        let cell = Cell {
                            market,
                            people,
                            ..self.cell(scenario, Kind::Breakwater, STRESS, seed)
                        };
                        tasks.push(Task::Cover(cell, 1.0));
                        if seed < setup.seed + self.few {
                            tasks.push(Task::Cover(cell, HALFWAY));
                        }
                    }
                }
            }
            if SEARCHED.contains(&setup.name.as_str()) {
                for &kind in &self.mechanisms {
                    tasks.extend([Task::Critical(scenario, kind), Task::Capital(scenario, kind)]);
                }
            }
            if SWEPT.contains(&setup.name.as_str()) {
                for kind in CONTAGIOUS {
                    tasks.extend(Shared::ALL.map(|shared| Task::Contagion(scenario, kind, shared)));
                }
                for (number, sweep) in SWEEPS.iter().enumerate() {
                    let values = sweep.values(&self.searched(scenario)?.0)?;
                    tasks.extend(values.into_iter().map(|value| Task::Sweep(scenario, number, value)));
                }
            }
        }
        for kind in CONTAGIOUS {
            for redeemable in [false, true] {
                tasks.extend((1..=self.few).map(|seed| Task::Depeg(kind, redeemable, seed)));
            }
        }
        Ok(())
    }

    /// The start of searches and sweeps: the first seed at the stress depth.
    fn searched(&self, scenario: usize) -> Result<(Setup, Path), LabError> {
        let seed = self.ground.scenarios[scenario].seed;
        self.ground.setup(&self.cell(scenario, Kind::Breakwater, STRESS, seed))
    }

    /// The first market on an exchange of this depth.
    fn at_depth(&self, scenario: usize, depth: Part, seed: u64) -> Result<(Setup, Path), LabError> {
        let (mut setup, path) = self.ground.setup(&self.cell(scenario, Kind::Dump, STRESS, seed))?;
        setup.impact.depth = depth.value();
        Ok((setup, path))
    }

    /// Ages of a price, seconds, over which its move is measured.
    pub fn ages(&self) -> BTreeSet<u32> {
        let allowed = self.ground.markets.iter().map(|(_, config)| config.max_age_long);
        AGES.into_iter().chain(allowed).collect()
    }

    fn moves(&self, scenario: usize) -> Result<Moves, LabError> {
        let paths = self
            .seeds_of(scenario, self.seeds)
            .map(|seed| {
                let setup = Setup {
                    seed,
                    step_seconds: FINE,
                    ..self.ground.scenarios[scenario].clone()
                };
                Path::of(&setup, self.ground.candles.as_ref())
            })
            .collect::<Result<Vec<Path>, LabError>>()?;
        let falls = |age: u32| paths.iter().map(move |path| path.quantile_of_falls(age, OF_MOVES));
        let ages = self.ages();
        let of = |what: fn(Vec<f64>) -> f64| ages.iter().map(|&age| (age, what(falls(age).collect()))).collect();
        let penalty = crate::rounding::fraction(self.ground.markets[0].1.penalty);
        let (mut covered, mut beyond) = (0, OLDEST + 1);
        while beyond - covered > 1 {
            let age = u32::midpoint(covered, beyond);
            if super::cell::median(falls(age)) <= penalty {
                covered = age;
            } else {
                beyond = age;
            }
        }
        Ok(Moves {
            scenario,
            falls: of(super::cell::median),
            worst: of(super::cell::worst),
            covered,
        })
    }

    fn depeg(&self, kind: Kind, redeemable: bool, seed: u64) -> Result<Depegged, LabError> {
        let mut setup = Setup::parse(DEPEG)?;
        (setup.redeemable, setup.seed) = (redeemable, seed);
        setup.impact.depth = STRESS.value();
        setup.protocol.base = self.ground.markets[0].1;
        setup.protocol.assumed_depth = assumed(STRESS).map(Part::value);
        let path = Path::of(&setup, None)?;
        let mut outcome = run(&setup, &path, kind)?;
        outcome.samples = Vec::new();
        Ok(Depegged { redeemable, outcome })
    }

    fn work(&self, task: &Task) -> Result<Done, LabError> {
        Ok(match *task {
            Task::Run(cell) => {
                let mut outcome = self.ground.run(&cell)?;
                // Only the first seed of what is compared is plotted.
                let first = self.ground.scenarios[cell.scenario].seed;
                if cell != self.cell(cell.scenario, cell.mechanism, cell.depth, first) {
                    outcome.samples = Vec::new();
                }
                Done::Run(cell, Box::new(outcome))
            }
            Task::Cover(cell, part) => Done::Cover(cover::measure(&self.ground, &cell, part)?),
            Task::Critical(scenario, mechanism) => {
                let (setup, path) = self.searched(scenario)?;
                Done::Critical(Found {
                    scenario,
                    mechanism,
                    value: search::critical_shock(&setup, &path, mechanism)?,
                })
            }
            Task::Capital(scenario, mechanism) => {
                let (setup, path) = self.searched(scenario)?;
                Done::Capital(Found {
                    scenario,
                    mechanism,
                    value: search::capital_needed(&setup, &path, mechanism)?,
                })
            }
            Task::Bound(scenario, depth, seed) => {
                let (setup, path) = self.at_depth(scenario, depth, seed)?;
                Done::Bounded(bound::bounded(scenario, depth, &setup, &path)?)
            }
            Task::Pace(scenario, depth, seed) => {
                let (setup, path) = self.at_depth(scenario, depth, seed)?;
                Done::Paced(bound::paced(scenario, depth, &setup, &path)?)
            }
            Task::Contagion(scenario, kind, shared) => {
                let (setup, path) = self.searched(scenario)?;
                Done::Contagion(contagion::measure(&setup, &path, kind, shared)?)
            }
            Task::Sweep(scenario, number, value) => {
                let (setup, path) = self.searched(scenario)?;
                Done::Tried(SWEEPS[number].tried(value, &setup, &path)?)
            }
            Task::Moves(scenario) => Done::Moves(self.moves(scenario)?),
            Task::Depeg(kind, redeemable, seed) => Done::Depegged(self.depeg(kind, redeemable, seed)?),
        })
    }

    /// Does everything, on all processors. `watch` is told how much is done, of how much.
    ///
    /// # Errors
    /// The errors of a run.
    pub fn study(&self, mut watch: impl FnMut(usize, usize) + Send) -> Result<Study, LabError> {
        let tasks = self.tasks()?;
        let results = pool::all(&tasks, |task| self.work(task), &mut |done| watch(done, tasks.len()))?;
        let mut study = Study::default();
        let mut runs = Vec::new();
        for result in results {
            match result {
                Done::Run(cell, outcome) => runs.push((cell, *outcome)),
                Done::Cover(covered) => study.covered.push(covered),
                Done::Critical(found) => study.critical.push(found),
                Done::Capital(found) => study.capital.push(found),
                Done::Bounded(bounded) => study.bounded.push(bounded),
                Done::Paced(paced) => study.paced.extend(paced),
                Done::Contagion(contagion) => study.contagion.push(contagion),
                Done::Tried(tried) => study.tried.push(tried),
                Done::Moves(moves) => study.moves.push(moves),
                Done::Depegged(depegged) => study.depegged.push(depegged),
            }
        }
        study.results = Results::new(runs);
        Ok(study)
    }
}

/// A market's belief where the exchange is so deep: a deep market's parameters say so, no other's do.
pub fn assumed(depth: Part) -> Option<Part> {
    (depth > STRESS).then_some(depth)
}

/// True if a multiplier is asked for: elsewhere half the depth, or ten times it, is only there for the drawdown.
fn needs_control(cell: &Cell) -> bool {
    cell.depth == STRESS || (cell.depth != HALF && cell.market == 0 && cell.equity == CAPITAL)
}

/// Scenarios in which smallest shocks and least capitals are searched for.
const SEARCHED: [&str; 4] = ["Black Thursday", CRASH, "Wick", BLEED];
/// Scenarios in which parameters are swept and contagion is measured.
const SWEPT: [&str; 4] = ["Black Thursday", OCTOBER, CRASH, BLEED];

//! Everything that `breakwater lab` measures: mechanisms on scenarios at depths with seeds, and what follows from many runs.

use std::{
    path::Path as File,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::Serialize;

use super::{
    Kind, LabError, Outcome, Path, Setup,
    candles::Candles,
    contagion::{self, Backing, Contagion},
    pool, run, search,
    sweep::{self, Sweep, Tried, multiplier},
};

/// The scenarios of the repository, by the names that options use.
pub const SCENARIOS: [(&str, &str); 4] = [
    (
        "black-thursday",
        include_str!("../../scenarios/cascade/black-thursday.toml"),
    ),
    ("crash", include_str!("../../scenarios/cascade/crash.toml")),
    ("wick", include_str!("../../scenarios/cascade/wick.toml")),
    ("slow-bleed", include_str!("../../scenarios/cascade/slow-bleed.toml")),
];

/// Accounts of the speed measurement.
const MANY: u32 = 100_000;

/// How long a large market takes: 72 hours of the crash in steps of ten seconds with 100,000 accounts, Breakwater and the
/// dump baseline one after the other. Seconds of one processor, drawing the accounts included.
///
/// # Errors
/// Those of a run.
pub fn speed() -> Result<f64, LabError> {
    let mut setup = Plan::scenario("crash")?;
    setup.borrowers.count = MANY;
    let path = Path::of(&setup, None)?;
    let began = processor_seconds();
    for kind in [Kind::Breakwater, Kind::Dump] {
        run(&setup, &path, kind)?;
    }
    Ok(processor_seconds() - began)
}

/// What this thread has used of a processor; where the system does not say, the time of day, which other programs slow
/// down.
fn processor_seconds() -> f64 {
    let nanoseconds = std::fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|text| text.split(' ').next()?.parse::<u64>().ok());
    let day = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    nanoseconds.map_or_else(|| day().as_secs_f64(), |used| Duration::from_nanos(used).as_secs_f64())
}

/// What is to be measured.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The scenarios.
    pub scenarios: Vec<Setup>,
    /// The mechanisms.
    pub mechanisms: Vec<Kind>,
    /// Depths: the fraction of all debt whose sale moves the price by 1%.
    pub depths: Vec<f64>,
    /// Number of seeds; each scenario counts up from its own.
    pub seeds: u64,
    /// Whether to sweep parameters, and to search for what takes many runs.
    pub deep: bool,
    /// Black Thursday's candles.
    pub candles: Option<Candles>,
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

/// One run, against the same without feedback.
#[derive(Clone, Debug, Serialize)]
pub struct Run {
    /// Debt liquidated ÷ the same without feedback.
    pub multiplier: f64,
    /// The smallest shock of this shape that leaves damage, at this depth; `None`: none does, or it was not looked for.
    pub critical_shock: Option<f64>,
    /// Everything else.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// Capital that suppliers need.
#[derive(Clone, Debug, Serialize)]
pub struct Capital {
    /// Name of the scenario.
    pub scenario: String,
    /// The mechanism.
    pub mechanism: Kind,
    /// The least capital with which suppliers lose nothing; `None`: all debt's worth is not enough.
    pub needed: Option<f64>,
}

/// The results.
#[derive(Clone, Debug, Serialize)]
pub struct Study {
    /// Every scenario as it was used.
    pub setups: Vec<Setup>,
    /// Every run.
    pub runs: Vec<Run>,
    /// Capital for zero loss, at the scenarios' own depth.
    pub capital: Vec<Capital>,
    /// What one market does to another.
    pub contagion: Vec<Contagion>,
    /// Sweeps of parameters.
    pub tried: Vec<Tried>,
}

/// A thing to do; scenarios by their number.
enum Task {
    Run {
        scenario: usize,
        kind: Kind,
        depth: f64,
        seed: u64,
    },
    Control {
        scenario: usize,
        kind: Kind,
        seed: u64,
    },
    Critical {
        scenario: usize,
        kind: Kind,
        depth: f64,
    },
    Capital {
        scenario: usize,
        kind: Kind,
    },
    Contagion {
        scenario: usize,
        kind: Kind,
        backing: Backing,
    },
    Sweep {
        scenario: usize,
        sweep: Sweep,
        value: f64,
    },
}

enum Done {
    Run(Box<Outcome>),
    Control(usize, Kind, u64, f64),
    Critical(usize, Kind, f64, Option<f64>),
    Capital(Capital),
    Contagion(Contagion),
    Tried(Tried),
}

/// Markets that catch something from each other: what is compared.
const CONTAGIOUS: [(Kind, Backing); 3] = [
    (Kind::Dump, Backing::Isolated),
    (Kind::Breakwater, Backing::Isolated),
    (Kind::Breakwater, Backing::Shared),
];

impl Plan {
    fn tasks(&self) -> Vec<Task> {
        let mut tasks = Vec::new();
        for (scenario, setup) in self.scenarios.iter().enumerate() {
            for &kind in &self.mechanisms {
                for seed in (setup.seed..).take(usize::try_from(self.seeds).unwrap_or(usize::MAX)) {
                    tasks.push(Task::Control { scenario, kind, seed });
                    tasks.extend(self.depths.iter().map(|&depth| Task::Run {
                        scenario,
                        kind,
                        depth,
                        seed,
                    }));
                }
                tasks.extend(
                    self.depths
                        .iter()
                        .map(|&depth| Task::Critical { scenario, kind, depth }),
                );
                if self.deep {
                    tasks.push(Task::Capital { scenario, kind });
                }
            }
            if self.deep {
                let contagious = CONTAGIOUS.iter().filter(|(kind, _)| self.mechanisms.contains(kind));
                tasks.extend(contagious.map(|&(kind, backing)| Task::Contagion {
                    scenario,
                    kind,
                    backing,
                }));
                if self.mechanisms.contains(&Kind::Breakwater) {
                    let values = |sweep: Sweep| {
                        sweep
                            .values
                            .iter()
                            .map(move |&value| Task::Sweep { scenario, sweep, value })
                    };
                    tasks.extend(sweep::sweeps().into_iter().flat_map(values));
                }
            }
        }
        tasks
    }

    fn setup(&self, scenario: usize, depth: Option<f64>, seed: Option<u64>) -> Result<(Setup, Path), LabError> {
        let mut setup = self.scenarios[scenario].clone();
        setup.impact.depth = depth.unwrap_or(setup.impact.depth);
        setup.seed = seed.unwrap_or(setup.seed);
        let path = Path::of(&setup, self.candles.as_ref())?;
        Ok((setup, path))
    }

    fn work(&self, task: &Task) -> Result<Done, LabError> {
        Ok(match *task {
            Task::Run {
                scenario,
                kind,
                depth,
                seed,
            } => {
                let (setup, path) = self.setup(scenario, Some(depth), Some(seed))?;
                let mut outcome = run(&setup, &path, kind)?;
                // Only one seed is plotted.
                if seed != self.scenarios[scenario].seed {
                    outcome.samples = Vec::new();
                }
                Done::Run(Box::new(outcome))
            }
            Task::Control { scenario, kind, seed } => {
                let (mut setup, path) = self.setup(scenario, None, Some(seed))?;
                setup.impact.off = true;
                Done::Control(scenario, kind, seed, run(&setup, &path, kind)?.liquidated)
            }
            Task::Critical { scenario, kind, depth } => {
                let (setup, path) = self.setup(scenario, Some(depth), None)?;
                Done::Critical(scenario, kind, depth, search::critical_shock(&setup, &path, kind)?)
            }
            Task::Capital { scenario, kind } => {
                let (setup, path) = self.setup(scenario, None, None)?;
                let needed = search::capital_needed(&setup, &path, kind)?;
                Done::Capital(Capital {
                    scenario: setup.name,
                    mechanism: kind,
                    needed,
                })
            }
            Task::Contagion {
                scenario,
                kind,
                backing,
            } => {
                let (setup, path) = self.setup(scenario, None, None)?;
                Done::Contagion(contagion::measure(&setup, &path, kind, backing)?)
            }
            Task::Sweep { scenario, sweep, value } => {
                let (setup, path) = self.setup(scenario, None, None)?;
                Done::Tried(sweep::tried(&sweep, value, &setup, &path)?)
            }
        })
    }

    /// Does everything, on all processors. `watch` is told how much is done, of how much.
    ///
    /// # Errors
    /// Those of a run.
    pub fn study(&self, mut watch: impl FnMut(usize, usize) + Send) -> Result<Study, LabError> {
        let tasks = self.tasks();
        let results = pool::all(&tasks, |task| self.work(task), &mut |done| watch(done, tasks.len()))?;
        let mut study = Study {
            setups: self.scenarios.clone(),
            runs: Vec::new(),
            capital: Vec::new(),
            contagion: Vec::new(),
            tried: Vec::new(),
        };
        let (mut controls, mut criticals) = (Vec::new(), Vec::new());
        for result in results {
            match result {
                Done::Run(outcome) => {
                    study.runs.push(Run {
                        multiplier: 1.0,
                        critical_shock: None,
                        outcome: *outcome,
                    });
                }
                Done::Control(scenario, kind, seed, liquidated) => controls.push((scenario, kind, seed, liquidated)),
                Done::Critical(scenario, kind, depth, shock) => criticals.push((scenario, kind, depth, shock)),
                Done::Capital(capital) => study.capital.push(capital),
                Done::Contagion(contagion) => study.contagion.push(contagion),
                Done::Tried(tried) => study.tried.push(tried),
            }
        }
        for run in &mut study.runs {
            let outcome = &run.outcome;
            let named = |scenario: usize| self.scenarios[scenario].name == outcome.scenario;
            let control = controls.iter().find(|(scenario, kind, seed, _)| {
                named(*scenario) && *kind == outcome.mechanism && *seed == outcome.seed
            });
            run.multiplier = multiplier(outcome.liquidated, control.map_or(0.0, |control| control.3));
            let same = |depth: f64| (depth - outcome.depth).abs() < f64::EPSILON;
            run.critical_shock = criticals
                .iter()
                .find(|(scenario, kind, depth, _)| named(*scenario) && *kind == outcome.mechanism && same(*depth))
                .and_then(|critical| critical.3);
        }
        Ok(study)
    }
}

//! The promise of the stress cover: with capital of B(q) and a little more, suppliers lose nothing, however the price
//! falls by up to the stress fall.

use serde::Serialize;

use super::{
    Kind, LabError, Outcome,
    cell::{Cell, Ground, People},
    least::{Start, stress_fall},
    lending::Lending,
    run,
    setup::{DEBT, QUOTE_UNIT},
};

/// How often capital and path are adjusted to each other.
const ROUNDS: u32 = 5;
/// Discounts and bounties as they are believed to be before a run has shown them, fraction of all debt.
const FIRST: f64 = 0.005;
/// A fall is near enough to the one wanted.
const NEAR: f64 = 0.003;
/// Capital that is given beyond what the last run required, as a part of it: another run requires a little more or
/// less.
const SLACK: f64 = 0.01;

/// One run with just the capital that the promise asks for.
#[derive(Clone, Debug, Serialize)]
pub struct Covered {
    /// The market.
    pub market: usize,
    /// Number of the scenario.
    pub scenario: usize,
    /// Seed.
    pub seed: u64,
    /// Who borrows.
    pub people: People,
    /// The fall that was wanted, as a part of the stress fall.
    pub part: f64,
    /// Furthest fall of the price, news and sales together.
    pub total_fall: f64,
    /// The stress fall.
    pub stress_fall: f64,
    /// B(q) at the start, with the interest of the run.
    pub under_water: f64,
    /// P·(p − q).
    pub pipeline: f64,
    /// Largest discount × debt taken by partials while C < 0.
    pub discount: f64,
    /// Bounties.
    pub bounties: f64,
    /// The capital.
    pub equity: f64,
    /// Suppliers' loss.
    pub supplier_loss: f64,
    /// The backstop's equity at the end.
    pub final_equity: f64,
}

impl Covered {
    /// Capital that the promise asks for.
    pub fn required(&self) -> f64 {
        self.under_water + self.pipeline + self.discount + self.bounties
    }

    /// True if the run is one that the promise speaks of.
    pub fn counts(&self) -> bool {
        self.total_fall <= self.stress_fall && self.equity >= self.required()
    }
}

/// Finds capital and fall by a few runs: the cell's path is scaled until the price falls by `part` of the stress fall,
/// news and sales together, and capital is what the run itself shows to be required.
///
/// # Errors
/// The errors of a run.
pub fn measure(ground: &Ground, cell: &Cell, part: f64) -> Result<Covered, LabError> {
    let (mut setup, path) = ground.setup(cell)?;
    let config = setup.protocol.config()?;
    let stress = stress_fall(&config);
    let wanted = part * stress;
    let atoms = DEBT * QUOTE_UNIT;
    let pipeline = config.pipeline_value().0 as f64 / atoms * stress;
    let discount = f64::from(config.auction_max_discount.0) / 1e4;
    let (mut news, mut equity) = (wanted, 0.0);
    let mut best: Option<Covered> = None;
    for _ in 0..ROUNDS {
        let scaled = path.with_fall(news);
        let start = Start::at(&setup, &config, &scaled)?;
        if equity <= 0.0 {
            equity = start.under_water_after(stress, 1.0) / atoms + pipeline + FIRST;
        }
        setup.protocol.equity = equity;
        let outcome: Outcome = run(&setup, &scaled, Kind::Breakwater)?;
        let covered = Covered {
            market: cell.market,
            scenario: cell.scenario,
            seed: cell.seed,
            people: cell.people,
            part,
            total_fall: outcome.total_fall,
            stress_fall: stress,
            under_water: start.under_water_after(stress, outcome.growth) / atoms,
            pipeline,
            discount: discount * outcome.uncovered,
            bounties: outcome.bounties,
            equity,
            supplier_loss: outcome.supplier_loss,
            final_equity: outcome.final_equity,
        };
        let near = covered.counts() && wanted - covered.total_fall < NEAR;
        // What sales add is taken off the news, and a little more.
        let kept = (1.0 - wanted) / (1.0 - outcome.total_fall);
        news = 1.0 - (1.0 - news) * kept * (1.0 + NEAR / 4.0);
        equity = covered.required() * (1.0 + SLACK);
        if covered.counts() || best.is_none() {
            best = Some(covered);
        }
        if near {
            break;
        }
    }
    best.ok_or(LabError::Points)
}

impl Start {
    /// The start of a run.
    ///
    /// # Errors
    /// The errors of the engine.
    pub fn at(setup: &super::Setup, config: &breakwater_engine::Config, path: &super::Path) -> Result<Self, LabError> {
        let people = Lending::people(setup, config, path)?;
        Ok(Self::of(&people, config, path))
    }
}

//! One market on its way along a path; or several, in step, whose buyers share their capital.

use std::{collections::VecDeque, ops::Range};

use breakwater_engine::{Clock, Collateral, Error, Index, Market, Price, price::oracle::PriceUse};

use super::{
    LabError, Outcome, Path, Setup,
    exchange::Exchange,
    impact::Memory,
    least::{self, Start},
    lending::{Lending, Op, Shown, clock, mantissa},
    mechanism::{Environment, Kind, Mechanism, Moment, per_token},
    metrics::{Metrics, Sample},
    setup::{COLLATERAL_UNIT, DEBT, QUOTE_UNIT, quote},
};
use crate::path::Publisher;

/// Points that a run leaves for the plots.
const SAMPLES: usize = 720;

/// Steps between two looks at the queue.
const QUEUE_STEPS: usize = 6;

/// Buyers' capital behind more than one market: what is bought in one of them is missing in all until it was sold on.
#[derive(Clone, Copy, Debug)]
pub struct Buyers {
    /// Quote tokens.
    pub capital: f64,
    /// Half-life of what is tied up, seconds.
    pub half_life: f64,
    /// Tied up now.
    pub tied: f64,
}

impl Buyers {
    /// Part that is free; a twentieth always is, for somebody always comes.
    fn free(&self) -> f64 {
        (1.0 - self.tied / self.capital).max(0.05)
    }
}

/// One market on its way.
pub struct Simulation {
    setup: Setup,
    path: Path,
    kind: Kind,
    exchange: Exchange,
    publisher: Publisher,
    /// Prices that the oracle has not shown yet.
    unseen: VecDeque<Unseen>,
    /// The oracle's latest reading, and the prices that the market made of the one shown to it last.
    latest: Shown,
    now: Moment,
    /// Steps in which nothing reaches the chain.
    outage: Range<usize>,
    start: Start,
    index_before: Index,
    /// Readings shown to the market at each step, if they are recorded.
    pub shown: Vec<Shown>,
    /// The market after each step in which something was done, if it is recorded.
    pub states: Vec<(usize, Market)>,
    /// The market.
    pub lending: Lending,
    mechanism: Box<dyn Mechanism>,
    metrics: Metrics,
    before: (i128, i128),
}

/// A price on its way to the oracle.
#[derive(Clone, Copy)]
struct Unseen {
    price: f64,
    redeemed: Option<f64>,
}

impl Simulation {
    /// A market at the first step of a path. `record` keeps everything that is done, for a replay.
    ///
    /// # Errors
    /// The errors of the engine.
    pub fn new(setup: &Setup, path: &Path, kind: Kind, record: bool) -> Result<Self, LabError> {
        let mut publisher = Publisher::new(&setup.oracle.path_shape(), setup.step_seconds);
        let first = Shown {
            point: publisher.publish(path.start, mantissa(path.first())),
            redeemed: path.redeemed(0).map(mantissa),
        };
        let config = setup.protocol.config()?;
        let (mut lending, people) = Lending::open(setup, &config, &first)?;
        if record {
            lending.journal = Some(Vec::new());
        }
        let mechanism = kind.ready(&mut lending, quote(setup.protocol.equity), clock(path.start - 1))?;
        let outage = setup.keepers.outage_minutes * 60.0;
        let readings = first.readings();
        let prices = lending
            .market
            .accept_prices(&readings, PriceUse::Liquidate, clock(path.start))?;
        let now = Moment {
            clock: clock(path.start),
            readings,
            prices,
        };
        let mut simulation = Self {
            exchange: Exchange::new(&setup.impact, &setup.buyers, path.first()),
            unseen: VecDeque::new(),
            latest: first,
            now,
            outage: if outage > 0.0 { path.steepest(outage) } else { 0..0 },
            start: Start::of(&people, &config, path),
            index_before: lending.index,
            shown: if record { vec![first] } else { Vec::new() },
            states: Vec::new(),
            metrics: Metrics::default(),
            before: (0, 0),
            setup: setup.clone(),
            path: path.clone(),
            kind,
            publisher,
            lending,
            mechanism,
        };
        simulation.before = simulation.money();
        Ok(simulation)
    }

    /// Quote and collateral atoms everywhere.
    fn money(&self) -> (i128, i128) {
        let (mut quote, mut collateral) = self.lending.holdings();
        let (inventory_seller, stock) = self.mechanism.holdings();
        quote += inventory_seller + self.metrics.agents + self.metrics.owners - i128::from(self.exchange.paid);
        collateral += stock + i128::from(self.exchange.taken);
        (quote, collateral)
    }

    /// Time of the present step.
    pub fn clock(&self) -> Clock {
        clock(self.path.unix(self.lending.step))
    }

    /// The engine's backstop at the present price, quote atoms.
    ///
    /// # Errors
    /// None for healthy books.
    pub fn backstop_equity(&self) -> Result<i128, LabError> {
        let books = &self.lending.market.books;
        Ok(books.equity(price(self.exchange.price()))?)
    }

    /// Quote atoms came from another market, or went there.
    pub fn moved(&mut self, atoms: i128) {
        self.before.0 += atoms;
    }

    /// The market takes what the oracle says; an oracle that is too far behind stops it for this step.
    fn show(&mut self, purpose: PriceUse) -> Result<bool, LabError> {
        let clock = self.clock();
        let readings = self.latest.readings();
        let prices = match self.lending.market.accept_prices(&readings, purpose, clock) {
            Ok(prices) => prices,
            Err(Error::PriceTooOld) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        self.now = Moment {
            clock,
            readings,
            prices,
        };
        Ok(true)
    }

    /// One step; `buyers` is the part of shared buyers' capital that is free, `memory` what another simulation left on
    /// the same exchange. Returns what was sold, quote tokens.
    fn step(&mut self, step: usize, buyers: f64, memory: Option<Memory>) -> Result<f64, LabError> {
        self.lending.step = step;
        self.exchange
            .advance(self.path.prices[step], f64::from(self.path.step_seconds), buyers);
        if let Some(memory) = memory {
            self.exchange.adopt(memory);
        }
        self.unseen.push_back(Unseen {
            price: self.exchange.price(),
            redeemed: self.path.redeemed(step),
        });
        // Before the first price has come through, the oracle shows what it showed at the start.
        let oracle = &self.setup.oracle;
        let came = if self.unseen.len() > oracle.latency_steps + oracle.unnoticed_steps {
            self.unseen.pop_front()
        } else {
            None
        };
        let published = self.path.unix(step.saturating_sub(oracle.latency_steps));
        let news = came.map(|seen| Shown {
            point: self.publisher.publish(published, mantissa(seen.price)),
            redeemed: seen.redeemed.map(mantissa),
        });
        let keepers = step.is_multiple_of(self.setup.keepers.every);
        let mut acted = false;
        if !self.outage.contains(&step) {
            if keepers {
                self.latest = news.unwrap_or(self.latest);
            }
            // Owners who know more use what the market was shown last.
            if (keepers || self.setup.borrowers.informed > 0.0) && self.show(PriceUse::Liquidate)? {
                self.act(keepers)?;
                acted = true;
            }
        }
        if self.lending.journal.is_some() {
            self.shown.push(self.latest);
        }
        self.measure(step)?;
        let done = |journal: &Vec<(usize, Op)>| journal.last().is_some_and(|(last, _)| *last == step);
        if acted && self.lending.journal.as_ref().is_some_and(done) {
            self.states.push((step, self.lending.market));
        }
        Ok(self.exchange.step_sold)
    }

    /// Everybody who acts in a step; `keepers`: they too.
    fn act(&mut self, keepers: bool) -> Result<(), LabError> {
        let now = self.now;
        self.lending.accrue(now.clock)?;
        if keepers {
            self.lending.watch(&now.prices, now.clock)?;
            let (run_from, fall) = (
                self.setup.suppliers.run_from,
                1.0 - per_token(now.prices.spot()) / self.path.first(),
            );
            if run_from > 0.0 && fall >= run_from {
                self.lending.run(now.clock)?;
            }
        }
        let Self {
            lending,
            exchange,
            metrics,
            mechanism,
            ..
        } = self;
        let mut environment = Environment {
            lending,
            exchange,
            metrics,
        };
        if self.setup.borrowers.informed > 0.0 {
            mechanism.informed(&now, &mut environment)?;
        }
        if keepers {
            mechanism.step(&now, &mut environment)?;
        }
        Ok(())
    }

    fn measure(&mut self, step: usize) -> Result<(), LabError> {
        let now = &self.now;
        let unix = self.path.unix(step);
        let Self {
            lending,
            exchange,
            metrics,
            mechanism,
            path,
            ..
        } = self;
        let index = lending.index;
        let in_debt = |shares: f64| shares * index.raw() as f64 / 2f64.powi(64) / QUOTE_UNIT;
        metrics.sales(unix, exchange.step_units);

        let spot = now.prices.spot();
        let threshold = lending.due_from(spot);
        if step.is_multiple_of(QUEUE_STEPS) && lending.order.may_have(threshold) {
            metrics.unserved = metrics.unserved.max(in_debt(lending.map.above(threshold)) / DEBT);
        }
        let (inventory, equity) = (mechanism.inventory(lending), mechanism.equity(lending, spot)?);
        let price = exchange.price();
        let atoms = DEBT * QUOTE_UNIT;
        let sample = Sample {
            unix,
            fair: exchange.fair(),
            price,
            liquidated: metrics.liquidated as f64 / atoms,
            inventory: inventory.0 as f64 / COLLATERAL_UNIT * price / DEBT,
            equity: equity as f64 / atoms,
            level: mechanism.level(now),
        };
        let seconds = u64::from(path.step_seconds);
        // Less than a ten-thousandth of a token is nothing.
        let held = if inventory.0 as f64 > COLLATERAL_UNIT * 1e-4 {
            inventory
        } else {
            Collateral::ZERO
        };
        metrics.total_fall = metrics.total_fall.max(1.0 - price / path.first());
        metrics.state(unix, step, seconds, &sample, equity, held);
        if step.is_multiple_of(path.prices.len().div_ceil(SAMPLES)) || step + 1 == path.prices.len() {
            metrics.samples.push(sample);
        }
        Ok(())
    }

    /// The end of the path.
    fn finish(self) -> Result<(Outcome, Self), LabError> {
        let (before, after) = (self.before, self.money());
        if before != after {
            return Err(LabError::NotConserved {
                quote: after.0 - before.0,
                collateral: after.1 - before.1,
            });
        }
        let price = price(self.exchange.price());
        let pending = self.lending.under_water(price)? + self.mechanism.pending(price)?;
        let last = self.exchange.fair();
        let growth = self.lending.index.raw() as f64 / self.index_before.raw() as f64;
        let ending = least::Ending {
            pending,
            growth,
            wealth: self.lending.wealth(last)? + self.metrics.owners as f64 + self.mechanism.owned(&self.lending, last),
            untouched: self.start.wealth(last, growth),
        };
        let outcome = Outcome::of(&self.setup, &self.path, self.kind, &self.metrics, &self.start, &ending);
        Ok((outcome, self))
    }
}

/// A price in quote tokens per collateral token, as the engine has it.
fn price(per_token: f64) -> Price {
    let atoms = per_token * QUOTE_UNIT / COLLATERAL_UNIT;
    Price::from_raw(crate::rounding::nearest_u128(atoms * 2f64.powi(64)))
}

/// Runs one market along its path.
///
/// # Errors
/// Refusals by the engine that should not occur, and [`LabError::NotConserved`].
pub fn run(setup: &Setup, path: &Path, kind: Kind) -> Result<Outcome, LabError> {
    recorded(setup, path, kind, false).map(|(outcome, _)| outcome)
}

/// The same, with the market at the end.
///
/// # Errors
/// As [`run`].
pub fn recorded(setup: &Setup, path: &Path, kind: Kind, record: bool) -> Result<(Outcome, Simulation), LabError> {
    let mut simulation = Simulation::new(setup, path, kind, record)?;
    for step in 1..path.prices.len() {
        simulation.step(step, 1.0, None)?;
    }
    simulation.finish()
}

/// Resource that several markets share.
#[derive(Clone, Copy, Debug)]
pub enum Common {
    /// Buyers' capital: what is bought in one of them thins the depth of all.
    Buyers(Buyers),
    /// The exchange: they sell the same token.
    Exchange,
}

/// Runs markets of equal paths' length in step. `between` may move capital after every step.
///
/// # Errors
/// As [`run`].
pub fn together(
    mut simulations: Vec<Simulation>,
    common: Common,
    mut between: impl FnMut(&mut [Simulation]) -> Result<(), LabError>,
) -> Result<Vec<Outcome>, LabError> {
    let steps = simulations
        .iter()
        .map(|simulation| simulation.path.prices.len())
        .min()
        .unwrap_or(0);
    let mut common = common;
    for step in 1..steps {
        match &mut common {
            Common::Buyers(buyers) => {
                let free = buyers.free();
                for simulation in &mut simulations {
                    buyers.tied += simulation.step(step, free, None)?;
                }
                let seconds = simulations
                    .first()
                    .map_or(0.0, |simulation| f64::from(simulation.path.step_seconds));
                buyers.tied *= (-seconds / buyers.half_life * std::f64::consts::LN_2).exp();
            }
            Common::Exchange => {
                // The first lets time pass, the others go on where it stopped; the last leaves the memory of the step.
                let mut memory = None;
                for simulation in &mut simulations {
                    simulation.step(step, 1.0, memory)?;
                    memory = Some(simulation.exchange.memory());
                }
                if let (Some(first), Some(memory)) = (simulations.first_mut(), memory) {
                    first.exchange.adopt(memory);
                }
            }
        }
        between(&mut simulations)?;
    }
    simulations
        .into_iter()
        .map(|simulation| simulation.finish().map(|(outcome, _)| outcome))
        .collect()
}

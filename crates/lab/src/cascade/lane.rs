//! One market on its way along a path; or several, in step, whose buyers share their capital.

use std::collections::VecDeque;

use breakwater_engine::{Clock, Collateral, Market, Price, oracle::Purpose};

use super::{
    LabError, Outcome, Path, Setup,
    exchange::Exchange,
    lending::{Lending, Op, clock, print},
    mechanism::{Kind, Mechanism, Moment, Stage, per_token},
    order,
    setup::{COLLATERAL_UNIT, DEBT, QUOTE_UNIT, quote},
    tally::{Sample, Tally},
};
use crate::{
    guards::population::readings,
    path::{Point, Publisher},
    rounding::nearest_i64,
    scenario::PRICE_DECIMALS,
};

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
pub struct Lane {
    setup: Setup,
    path: Path,
    kind: Kind,
    exchange: Exchange,
    publisher: Publisher,
    /// Prices that the oracle has not shown yet.
    unseen: VecDeque<(i64, f64)>,
    /// What the oracle showed at each step, if it is recorded.
    pub shown: Vec<Point>,
    /// The market after each step in which something was done, if it is recorded.
    pub states: Vec<(usize, Market)>,
    /// The market.
    pub lending: Lending,
    mechanism: Box<dyn Mechanism>,
    tally: Tally,
    before: (i128, i128),
}

fn mantissa(price: f64) -> i64 {
    nearest_i64(price * 10f64.powi(PRICE_DECIMALS)).max(1)
}

impl Lane {
    /// A market at the first step of a path. `record` keeps everything that is done, for a replay.
    ///
    /// # Errors
    /// What the engine refuses.
    pub fn new(setup: &Setup, path: &Path, kind: Kind, record: bool) -> Result<Self, LabError> {
        let mut publisher = Publisher::new(&setup.oracle.path_shape(), setup.step_seconds);
        let first = publisher.publish(path.start, mantissa(path.first()));
        let config = setup.protocol.config(path.first());
        let (mut lending, _) = Lending::open(setup, &config, &first)?;
        if record {
            lending.journal = Some(Vec::new());
        }
        let mechanism = kind.ready(&mut lending, quote(setup.protocol.equity), clock(path.start - 1))?;
        let mut lane = Self {
            exchange: Exchange::new(&setup.impact, path.first()),
            unseen: VecDeque::new(),
            shown: Vec::new(),
            states: Vec::new(),
            tally: Tally::default(),
            before: (0, 0),
            setup: setup.clone(),
            path: path.clone(),
            kind,
            publisher,
            lending,
            mechanism,
        };
        lane.show(&first)?;
        lane.before = lane.money();
        Ok(lane)
    }

    /// Quote and collateral atoms everywhere.
    fn money(&self) -> (i128, i128) {
        let (mut quote, mut collateral) = self.lending.holdings();
        let (desk, stock) = self.mechanism.holdings();
        quote += desk + self.tally.agents + self.tally.owners - i128::from(self.exchange.paid);
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
        Ok(books.backstop.equity(&books.pool, price(self.exchange.price()))?)
    }

    /// Quote atoms came from another market, or went there.
    pub fn moved(&mut self, atoms: i128) {
        self.before.0 += atoms;
    }

    fn show(&mut self, point: &Point) -> Result<Moment, LabError> {
        let clock = clock(self.path.unix(self.lending.step));
        let readings = readings(&print(point));
        let prices = self
            .lending
            .market
            .accept_prices(&readings, Purpose::Liquidate, clock)?;
        if self.lending.journal.is_some() {
            self.shown.push(*point);
        }
        Ok(Moment {
            clock,
            readings,
            prices,
        })
    }

    /// One step; `buyers` is the part of shared buyers' capital that is free. Returns what was sold, quote tokens.
    fn step(&mut self, step: usize, buyers: f64) -> Result<f64, LabError> {
        let seconds = self.path.step_seconds;
        let unix = self.path.unix(step);
        self.lending.step = step;
        self.exchange
            .advance(self.path.prices[step], f64::from(seconds), buyers);
        self.unseen.push_back((unix, self.exchange.price()));
        let seen = if self.unseen.len() > self.setup.oracle.latency_steps {
            self.unseen.pop_front()
        } else {
            None
        };
        // Before the first price has come through, the oracle shows what it knew, as of now.
        let (at, price) = seen.unwrap_or((unix, self.path.first()));
        let point = self.publisher.publish(at, mantissa(price));
        let now = self.show(&point)?;

        self.lending.accrue(now.clock)?;
        self.lending.watch(&now.prices, now.clock)?;
        let Self {
            lending,
            exchange,
            tally,
            mechanism,
            ..
        } = self;
        mechanism.step(
            &now,
            &mut Stage {
                lending,
                exchange,
                tally,
            },
        )?;
        self.measure(step, &now)?;
        let acted = |journal: &Vec<(usize, Op)>| journal.last().is_some_and(|(last, _)| *last == step);
        if self.lending.journal.as_ref().is_some_and(acted) {
            self.states.push((step, self.lending.market));
        }
        Ok(self.exchange.step_sold)
    }

    fn measure(&mut self, step: usize, now: &Moment) -> Result<(), LabError> {
        let Self {
            lending,
            exchange,
            tally,
            mechanism,
            path,
            ..
        } = self;
        let unix = now.clock.unix;
        let (before, after) = exchange.step_prices;
        let index = lending.index;
        let in_debt = |shares: f64| shares * index.raw() as f64 / 2f64.powi(64) / QUOTE_UNIT;
        let due = if after < before {
            let spot = now.prices.spot();
            let at = |price: f64| {
                let ltv = f64::from(lending.market.config.liquidation_ltv.0) / 1e4;
                order::threshold(ltv * price / per_token(spot), spot, index)
            };
            in_debt(lending.map.between(at(after), at(before)))
        } else {
            0.0
        };
        tally.sales(unix, exchange.step_sold, exchange.step_units, due);

        let spot = now.prices.spot();
        let threshold = lending.due_from(spot);
        if step.is_multiple_of(QUEUE_STEPS) && lending.order.may_have(threshold) {
            tally.unserved = tally.unserved.max(in_debt(lending.map.above(threshold)) / DEBT);
        }
        let (inventory, equity) = (mechanism.inventory(lending), mechanism.equity(lending, spot)?);
        let price = exchange.price();
        let atoms = DEBT * QUOTE_UNIT;
        let sample = Sample {
            unix,
            fair: exchange.fair(),
            price,
            liquidated: tally.liquidated as f64 / atoms,
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
        tally.state(unix, step, seconds, &sample, equity, held);
        if step.is_multiple_of(path.prices.len().div_ceil(SAMPLES)) || step + 1 == path.prices.len() {
            tally.samples.push(sample);
        }
        Ok(())
    }

    /// The end of the path.
    fn finish(mut self) -> Result<(Outcome, Self), LabError> {
        self.tally.close_generation();
        let (before, after) = (self.before, self.money());
        if before != after {
            return Err(LabError::NotConserved {
                quote: after.0 - before.0,
                collateral: after.1 - before.1,
            });
        }
        let price = price(self.exchange.price());
        let pending = self.lending.under_water(price)? + self.mechanism.pending(price)?;
        let outcome = Outcome::of(&self.setup, &self.path, self.kind, &self.tally, pending);
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
/// What the engine refuses and should not, and [`LabError::NotConserved`].
pub fn run(setup: &Setup, path: &Path, kind: Kind) -> Result<Outcome, LabError> {
    recorded(setup, path, kind, false).map(|(outcome, _)| outcome)
}

/// The same, with the market at the end.
///
/// # Errors
/// As [`run`].
pub fn recorded(setup: &Setup, path: &Path, kind: Kind, record: bool) -> Result<(Outcome, Lane), LabError> {
    let mut lane = Lane::new(setup, path, kind, record)?;
    for step in 1..path.prices.len() {
        lane.step(step, 1.0)?;
    }
    lane.finish()
}

/// Runs markets of equal paths' length in step, with shared buyers. `between` may move capital after every step.
///
/// # Errors
/// As [`run`].
pub fn together(
    mut lanes: Vec<Lane>,
    mut buyers: Buyers,
    mut between: impl FnMut(&mut [Lane]) -> Result<(), LabError>,
) -> Result<Vec<Outcome>, LabError> {
    let steps = lanes.iter().map(|lane| lane.path.prices.len()).min().unwrap_or(0);
    for step in 1..steps {
        let free = buyers.free();
        for lane in &mut lanes {
            buyers.tied += lane.step(step, free)?;
        }
        let seconds = lanes.first().map_or(0.0, |lane| f64::from(lane.path.step_seconds));
        buyers.tied *= (-seconds / buyers.half_life * std::f64::consts::LN_2).exp();
        between(&mut lanes)?;
    }
    lanes
        .into_iter()
        .map(|lane| lane.finish().map(|(outcome, _)| outcome))
        .collect()
}

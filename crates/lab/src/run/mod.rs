//! The replay: every step of the path through the compiled program, with everything checked.
//!
//! The program does what matters; the engine on the host (the same code) decides for keeper and buyers what is worth
//! sending, and foretells each outcome, so that the program can be held to it byte for byte.

mod beside;
mod books;
mod buyers;
mod checks;
mod demo_market;
mod keeper;
mod map;
mod promises;
mod target;

use std::{collections::BTreeSet, time::Instant};

use breakwater_engine::{
    Error, MarginAccount, Market, Prices, price::oracle::PriceUse, unless_halted, views::identities,
};
use breakwater_testkit::Failure;
use thiserror::Error as ThisError;

use crate::{
    cascade::LabError,
    flow,
    path::{self, Point},
    profit::{Overflow, Profits},
    record::{self, Record, Sample, Sold},
    scenario::{Scenario, ScenarioError},
};
use checks::Metrics;
use demo_market::DemoMarket;

/// Why a replay could not go on.
#[derive(Debug, ThisError)]
pub enum RunError {
    /// The scenario does not make sense.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// The program refused something that should have worked.
    #[error("the program refused {action}: {failure:?}")]
    Refused {
        /// Instruction.
        action: &'static str,
        /// The program's answer.
        failure: Box<Failure>,
    },
    /// The engine refused something that should have worked.
    #[error("the engine refused: {0:?}")]
    Engine(Error),
    /// The spread of account sizes is not a number.
    #[error("the account sizes cannot be drawn")]
    Sizes,
    /// The laboratory could not do the same.
    #[error(transparent)]
    Laboratory(#[from] LabError),
    /// A value left the range of 127 bits.
    #[error(transparent)]
    Overflow(#[from] Overflow),
}

impl From<Error> for RunError {
    fn from(error: Error) -> Self {
        Self::Engine(error)
    }
}

fn refused(action: &'static str) -> impl Fn(Failure) -> RunError {
    move |failure| RunError::Refused {
        action,
        failure: Box::new(failure),
    }
}

/// Where a replay stands, for a progress bar.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    /// Steps done.
    pub step: usize,
    /// Steps in all.
    pub steps: usize,
    /// The market now.
    pub sample: Sample,
    /// Liquidations so far.
    pub liquidations: usize,
}

/// Replays a scenario. `watch` is called after every step.
pub fn run(scenario: &Scenario, mut watch: impl FnMut(&Standing)) -> Result<Record, RunError> {
    let began = Instant::now();
    let points = path::build(
        &scenario.anchors()?,
        &scenario.path,
        scenario.step_seconds,
        scenario.seed,
    );
    let Some((first, rest)) = points.split_first() else {
        return Err(ScenarioError::Ends("there is no known price").into());
    };
    let lowest = points.iter().map(|point| point.price).min();
    let mut replay = Replay::new(scenario, first)?;
    let start = replay.everyone()?;
    let beside = replay.beside(&points)?;
    let mut ltvs = Ltvs {
        before: replay.ltvs()?,
        ..Ltvs::default()
    };
    for (done, point) in rest.iter().enumerate() {
        let sample = replay.step(point)?;
        if Some(point.price) == lowest {
            ltvs.at_lowest = replay.ltvs()?;
        }
        let liquidations = replay.liquidations.len();
        watch(&Standing {
            step: done + 1,
            steps: rest.len(),
            sample,
            liquidations,
        });
    }
    replay.claim()?;
    let price = replay.prices(PriceUse::Observe)?.spot();
    let profits = Profits::between(&start, &replay.everyone()?, price.raw())?;
    ltvs.after = replay.ltvs()?;
    replay.record(profits, ltvs, beside, began.elapsed().as_secs_f64())
}

/// LTVs of the accounts with debt, at three moments.
#[derive(Default)]
struct Ltvs {
    before: Vec<f64>,
    at_lowest: Vec<f64>,
    after: Vec<f64>,
}

struct Replay<'a> {
    scenario: &'a Scenario,
    demo: DemoMarket,
    /// The market and the accounts on chain, as of the last transaction.
    market: Market,
    accounts: Vec<MarginAccount>,
    /// When the market last saw its prices.
    observed_at: i64,
    /// Holdings of the suppliers at the last look, and the amount write-offs took from it, in units of 2^-64 quote
    /// atoms.
    supplied: i128,
    written_off: i128,
    next_buyer: usize,
    metrics: Metrics,
    liquidated: BTreeSet<usize>,
    samples: Vec<Sample>,
    map: Vec<record::Column>,
    liquidations: Vec<record::Liquidation>,
    sales: Vec<Sold>,
    /// Inventory sold.
    sold: Vec<flow::Flow>,
    /// Debt taken over in steps while Guarded.
    stepped: Vec<flow::Flow>,
}

impl<'a> Replay<'a> {
    /// Sets the demo market at the first point.
    fn new(scenario: &'a Scenario, first: &Point) -> Result<Self, RunError> {
        let mut demo = DemoMarket::build(scenario, first)?;
        let market = demo.world.market_state(&demo.keys);
        let accounts = demo
            .borrowers
            .iter()
            .map(|position| demo.world.margin_account(position))
            .collect();
        let mut replay = Self {
            scenario,
            demo,
            market,
            accounts,
            observed_at: first.unix,
            supplied: books::supplied(&market)?,
            written_off: 0,
            next_buyer: 0,
            metrics: Metrics::default(),
            liquidated: BTreeSet::new(),
            samples: Vec::new(),
            map: Vec::new(),
            liquidations: Vec::new(),
            sales: Vec::new(),
            sold: Vec::new(),
            stepped: Vec::new(),
        };
        replay.audit();
        let prices = replay.prices(PriceUse::Observe)?;
        replay.sample(&prices)?;
        Ok(replay)
    }

    /// One step: new prices, then everybody acts, then everything is checked.
    fn step(&mut self, point: &Point) -> Result<Sample, RunError> {
        self.demo.show(point);
        let prices = self.prices(PriceUse::Liquidate)?;
        let liquidated = self.liquidate(&prices)?;
        let sold = self.sell(&prices)?;
        let seen = liquidated || sold;
        if seen {
            self.observed_at = point.unix;
        } else if point.unix - self.observed_at >= i64::from(self.scenario.keeper.observe_seconds) {
            self.demo
                .world
                .observe_price(&self.demo.keys)
                .map_err(refused("observe_price"))?;
            self.market = self.demo.world.market_state(&self.demo.keys);
            self.observed_at = point.unix;
        }
        self.audit();
        self.write_offs()?;
        self.sample(&prices)
    }

    /// The prices as the market would accept them now.
    fn prices(&self, purpose: PriceUse) -> Result<Prices, RunError> {
        let mut market = self.market;
        Ok(market.accept_prices(&self.demo.readings(), purpose, self.demo.world.clock())?)
    }

    /// Checks the money identities and the liquidation map on what the accounts really hold.
    fn audit(&mut self) {
        let totals = self.demo.world.totals(&self.demo.keys);
        let market = self.demo.world.market_state(&self.demo.keys);
        let unix = self.demo.world.unix();
        for (identity, holds) in identities::identities(&market, &totals) {
            self.metrics.identity(unix, identity, holds);
        }
        let DemoMarket { world, borrowers, .. } = &mut self.demo;
        let accounts: Vec<_> = borrowers
            .iter()
            .map(|position| world.margin_account(position))
            .collect();
        self.metrics.map(unix, map::miscounted(&market, &accounts));
    }
}

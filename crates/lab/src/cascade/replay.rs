//! The same run through the compiled program: what the laboratory did to the engine is done again with transactions in
//! LiteSVM, and both must end alike, to the atom, account by account.

use breakwater_client::MarketKeys;
use breakwater_engine::{Collateral, Config, Guard, MarginAccount, Market, Quote};
use breakwater_testkit::{
    Actor, Failure, FeedSpec, MarketSpec, MintSpec, Outcome, Position, START_SLOT, World, ix, pyth::Quotation,
};
use bytemuck::Zeroable;
use solana_message::AddressLookupTableAccount;
use thiserror::Error;

use super::{
    Kind, LabError, Path, Setup,
    borrowers::{Borrower, Savings},
    lending::{Lending, Op, SUPPLIED, Shown, opening, welcoming},
    setup::quote,
    simulation::{Simulation, recorded},
};
use crate::{path::Point, scenario::PRICE_DECIMALS};

const DOLLAR: i64 = 100_000_000;
/// Buyers never run out.
const RICH: u64 = 1 << 53;

/// Why a replay could not be made, or what differs.
#[derive(Debug, Error)]
pub enum ReplayError {
    /// The run itself.
    #[error(transparent)]
    Lab(#[from] LabError),
    /// The program refused what the engine did.
    #[error("step {step}: the program refused {op:?}: {failure:?}")]
    Refused {
        /// The step.
        step: usize,
        /// The operation.
        op: Op,
        /// The program's answer.
        failure: Box<Failure>,
    },
    /// The program refused the beginning.
    #[error("the program refused the set-up: {0:?}")]
    SetUp(Box<Failure>),
    /// The market differs.
    #[error("step {step}: {what} differs")]
    Market {
        /// The step.
        step: usize,
        /// Which part.
        what: &'static str,
    },
    /// An account differs.
    #[error("account {id} differs: {lab:?} in the laboratory, {program:?} in the program")]
    Account {
        /// Its number.
        id: usize,
        /// Collateral, debt shares and time of the last step.
        lab: Kept,
        /// The same on chain.
        program: Kept,
    },
}

impl From<Failure> for ReplayError {
    fn from(failure: Failure) -> Self {
        Self::SetUp(Box::new(failure))
    }
}

/// Contents of a margin account: collateral, debt shares, and when a guarded step was last taken.
pub type Kept = (Collateral, u64, i64);

/// Counts of the things compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// Margin accounts.
    pub accounts: usize,
    /// States of the market, after steps in which something was done.
    pub states: usize,
    /// Borrowers' repayments, their collateral added, batches, purchases, settlements.
    pub ops: [usize; 5],
}

/// Runs Breakwater on a scenario, does the same through the program, and compares.
///
/// # Errors
/// [`ReplayError`] with the first difference.
///
/// # Panics
/// As [`World`] does, if the program has not been built.
pub fn replay(setup: &Setup, path: &Path) -> Result<Compared, ReplayError> {
    let (_, simulation) = recorded(setup, path, Kind::Breakwater, true)?;
    let first = simulation.shown.first().copied().ok_or(LabError::Points)?;
    let config = setup.protocol.config()?;
    let (_, people) = Lending::open(setup, &config, &first).map_err(LabError::from)?;
    let mut chain = Chain::build((setup, &config), path, &people, &first)?;
    chain.follow(path, &simulation)
}

struct Chain {
    world: World,
    keys: MarketKeys,
    keeper: Actor,
    trader: Actor,
    positions: Vec<Position>,
    tables: Vec<AddressLookupTableAccount>,
    start: i64,
}

impl Chain {
    fn build(
        (setup, config): (&Setup, &Config),
        path: &Path,
        people: &[Borrower],
        first: &Shown,
    ) -> Result<Self, ReplayError> {
        let begin = opening(first).point;
        let first = &first.point;
        let mut world = World::lite();
        world.check_identities(false);
        world.set_clock(begin.unix, START_SLOT);
        let keys = world.market(&MarketSpec {
            id: 0,
            collateral: MintSpec::classic("COLL", 9),
            quote: MintSpec::classic("QUOTE", 6),
            collateral_feed: FeedSpec::pull("COLL/USD", begin.price),
            quote_feed: FeedSpec::pull("QUOTE/USD", DOLLAR),
            redemption_feeds: None,
            config: *config,
        });
        world.set_config(&keys, welcoming(config));
        let mut chain = Self {
            keeper: world.keeper(&keys, "keeper"),
            trader: world.trader(&keys, "buyer", 0, RICH),
            positions: Vec::new(),
            tables: Vec::new(),
            start: begin.unix,
            world,
            keys,
        };
        chain.show(&begin, begin.unix);
        let supplied = quote(SUPPLIED).0;
        let lender = chain.world.trader(&keys, "supplier", 0, supplied);
        chain.world.supply(&keys, &lender, supplied)?;
        for (id, person) in people.iter().enumerate() {
            chain.borrow(id, person)?;
        }
        chain.world.set_config(&keys, *config);
        chain.world.set_guard(&keys, Guard::zeroed());
        let addresses: Vec<_> = chain.positions.iter().map(|position| position.address).collect();
        chain.tables = vec![chain.world.lookup_table("margin accounts", &addresses)];
        chain.show(&begin, path.start - 1);
        let capital = quote(setup.protocol.equity).0;
        if capital > 0 {
            let funder = chain.world.trader(&keys, "funder", 0, capital);
            chain.world.fund_backstop(&keys, &funder, capital)?;
        }
        chain.show(first, path.start);
        chain.world.observe_price(&keys)?;
        Ok(chain)
    }

    fn borrow(&mut self, id: usize, person: &Borrower) -> Result<(), ReplayError> {
        let (more, saved) = match person.savings {
            Savings::None => (0, 0),
            Savings::Quote(Quote(amount)) => (0, amount),
            Savings::Collateral(Collateral(amount)) => (amount, 0),
        };
        let owner = self
            .world
            .trader(&self.keys, &format!("borrower {id}"), person.collateral.0 + more, saved);
        let position = Position::new(&self.keys, &owner, 0);
        let (address, key) = (&position.address, owner.key());
        let instructions = [
            ix::open_account(&self.keys, &key, &key, 0),
            ix::deposit_collateral(&self.keys, address, &key, person.collateral.0),
            ix::borrow(&self.keys, address, &key, person.debt.0),
        ];
        self.world.send(&instructions, &[&owner])?;
        self.positions.push(position);
        Ok(())
    }

    /// Moves time, and the Pyth accounts to a reading.
    fn show(&mut self, point: &Point, unix: i64) {
        self.world
            .set_clock(unix, START_SLOT + unix.abs_diff(self.start) * 5 / 2);
        let collateral = Quotation {
            price: point.price,
            conf: point.confidence,
            expo: -PRICE_DECIMALS,
            ema_price: point.ema,
            ema_conf: point.confidence,
            publish_time: point.unix,
        };
        let dollar = Quotation::settled(DOLLAR, -PRICE_DECIMALS, 0, point.unix);
        for (feed, quotation) in [(self.keys.collateral_feed, collateral), (self.keys.quote_feed, dollar)] {
            self.world.edit_feed(&feed, |feed| *feed.quotation_mut() = quotation);
        }
    }

    /// Step by step what the laboratory did.
    fn follow(&mut self, path: &Path, simulation: &Simulation) -> Result<Compared, ReplayError> {
        let mut compared = Compared::default();
        let mut ops = simulation.lending.journal.iter().flatten().peekable();
        let mut states = simulation.states.iter().peekable();
        for (step, point) in simulation.shown.iter().enumerate().skip(1) {
            self.show(&point.point, path.unix(step));
            self.world.observe_price(&self.keys)?;
            while let Some((_, op)) = ops.next_if(|(at, _)| *at == step) {
                compared.ops[index(op)] += 1;
                self.act(op).map_err(|failure| ReplayError::Refused {
                    step,
                    op: op.clone(),
                    failure: Box::new(failure),
                })?;
            }
            if let Some((_, state)) = states.next_if(|(at, _)| *at == step) {
                compared.states += 1;
                self.compare(step, state)?;
            }
        }
        self.compare(simulation.shown.len(), &simulation.lending.market)?;
        for (id, account) in simulation.lending.accounts.iter().enumerate() {
            let program = kept(&self.world.margin_account(&self.positions[id]));
            let lab = kept(account);
            if lab != program {
                return Err(ReplayError::Account { id, lab, program });
            }
            compared.accounts += 1;
        }
        self.world.assert_identities();
        Ok(compared)
    }

    fn act(&mut self, op: &Op) -> Result<Outcome, Failure> {
        let (world, keys) = (&mut self.world, &self.keys);
        match op {
            Op::Repay(id, amount) => world.repay(&self.positions[*id as usize], amount.0),
            Op::Add(id, amount) => world.deposit(&self.positions[*id as usize], amount.0),
            Op::Batch(ids) => {
                let accounts: Vec<_> = ids.iter().map(|id| self.positions[*id as usize].address).collect();
                let batch = ix::liquidate_batch(keys, &self.keeper.key(), &accounts);
                world.send_with_tables(&[batch], &[&self.keeper], &self.tables)
            }
            Op::Buy(amount, cost) => world.buy_inventory(keys, &self.trader, amount.0, cost.0),
            Op::Settle => world.settle_deficit(keys),
        }
    }

    fn compare(&mut self, step: usize, lab: &Market) -> Result<(), ReplayError> {
        let program = self.world.market_state(&self.keys);
        let parts = [
            ("the books", lab.books == program.books),
            ("the guard", lab.guard == program.guard),
        ];
        match parts.iter().find(|(_, same)| !same) {
            None => Ok(()),
            Some((what, _)) => Err(ReplayError::Market { step, what }),
        }
    }
}

fn kept(account: &MarginAccount) -> Kept {
    (account.collateral, account.debt_shares.0, account.stepped_until)
}

fn index(op: &Op) -> usize {
    match op {
        Op::Repay(..) => 0,
        Op::Add(..) => 1,
        Op::Batch(_) => 2,
        Op::Buy(..) => 3,
        Op::Settle => 4,
    }
}

//! What to liquidate: asks the engine, by doing on a copy of the market what the program would do.

use breakwater_engine::{
    Clock, Error, KeeperLedger, Key, Market, Prices, Readings, Result, actions::Liquidation, oracle::Purpose,
};

use crate::index::{AccountIndex, Entry, Moment};

/// A market at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// Its address.
    pub address: Key,
    /// Its state.
    pub market: &'a Market,
    /// What its feeds say.
    pub readings: &'a Readings,
    /// The cluster's clock.
    pub clock: Clock,
}

/// An account to liquidate, and what will come of it if nobody is faster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The account.
    pub account: Key,
    /// What the engine foretells.
    pub liquidation: Liquidation,
}

/// Accounts that are liquidatable and not due, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Skipped {
    /// A transaction of this keeper's is under way.
    pub busy: usize,
    /// They were liquidated by a step moments ago.
    pub cooling: usize,
    /// They borrowed or withdrew in this slot.
    pub same_slot: usize,
    /// The market's flow limit of guarded liquidations is used up.
    pub flow: usize,
    /// The backstop has no room for them.
    pub full: usize,
    /// The engine refused them for a reason that it should not have.
    pub odd: usize,
}

/// What a tick asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Accounts above the liquidation LTV, but for those that were not looked at: see `most` of [`plan`].
    pub found: usize,
    /// Those to liquidate now, the furthest under water first.
    pub due: Vec<Due>,
    /// The others.
    pub skipped: Skipped,
    /// One that there is no room for: a batch with it makes the market note so, and liquidation with own capital opens.
    pub without_room: Option<Key>,
    /// Why nobody can be liquidated at these prices, if so.
    pub refused: Option<Error>,
}

/// Plans for at most `most` accounts. `busy` says whose transaction is under way.
#[must_use]
pub fn plan(scene: &Scene, index: &AccountIndex, most: usize, busy: impl Fn(&Key) -> bool) -> Plan {
    let mut plan = Plan::default();
    if let Err(error) = fill(&mut plan, scene, index, most, busy) {
        plan.refused = Some(error);
    }
    plan
}

fn fill(plan: &mut Plan, scene: &Scene, index: &AccountIndex, most: usize, busy: impl Fn(&Key) -> bool) -> Result<()> {
    let Scene {
        address,
        market,
        readings,
        clock,
    } = *scene;
    let mut market = *market;
    let prices: Prices = market.accept_prices(readings, Purpose::Liquidate, clock)?;
    let moment = Moment::new(&market, prices.liquidation(&market.config)?, clock)?;
    let map = market.map;
    let mut liquidations = market.liquidations(&prices, clock)?;
    let mut ledger: KeeperLedger = bytemuck::Zeroable::zeroed();
    for entry in index.liquidatable(&moment) {
        if plan.due.len() >= most {
            break;
        }
        plan.found += 1;
        if busy(&entry.address) {
            plan.skipped.busy += 1;
            continue;
        }
        let mut account = entry.account(address, map.band(entry.debt_shares, entry.collateral));
        match liquidations.liquidate(&mut account, &mut ledger) {
            Ok(liquidation) => plan.due.push(Due {
                account: entry.address,
                liquidation,
            }),
            Err(error) => plan.skip(entry, error),
        }
    }
    Ok(())
}

impl Plan {
    fn skip(&mut self, entry: &Entry, error: Error) {
        let Skipped {
            cooling,
            same_slot,
            flow,
            full,
            odd,
            ..
        } = &mut self.skipped;
        match error {
            Error::AccountCooling => *cooling += 1,
            Error::SameSlot => *same_slot += 1,
            Error::GuardedFlowUsed => *flow += 1,
            Error::BackstopFull => {
                *full += 1;
                self.without_room.get_or_insert(entry.address);
            }
            _ => *odd += 1,
        }
    }

    /// The bounties that are due, quote atoms.
    #[must_use]
    pub fn bounty(&self) -> u64 {
        self.due.iter().map(|due| due.liquidation.bounty.0).sum()
    }
}

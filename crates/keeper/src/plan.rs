//! Plans liquidations: asks the engine, by doing on a copy of the market what the program would do.

use breakwater_engine::{
    Clock, Error, Key, Market, Prices, Readings, Result, actions::Liquidation, price::oracle::PriceUse,
};

use crate::index::{AccountIndex, Moment};

/// A market at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// Its address.
    pub address: Key,
    /// Its state.
    pub market: &'a Market,
    /// Readings of its feeds.
    pub readings: &'a Readings,
    /// The cluster's clock.
    pub clock: Clock,
}

/// An account to liquidate, and what will come of it if nobody is faster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Liquidatable {
    /// The account.
    pub account: Key,
    /// The engine's forecast.
    pub liquidation: Liquidation,
}

/// Accounts that are liquidatable and not due, by reason. Nothing is remembered of them: the next look asks again, so
/// they are due as soon as the price has moved, inventory was sold, or a rest is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Skipped {
    /// A transaction of this keeper's is under way.
    pub busy: usize,
    /// They were liquidated by a step moments ago.
    pub cooldown: usize,
    /// They borrowed or withdrew in this slot.
    pub borrowed_this_slot: usize,
    /// The market's limit of guarded liquidations is used up.
    pub flow: usize,
    /// The stress cover is used up and the pipeline full: they wait on their own margin until inventory is sold.
    pub pipeline: usize,
    /// Spot and guarded price are too far apart for a partial liquidation.
    pub gap: usize,
    /// Settled at the lower price they would be under water: they wait for it to rise, or to be taken over.
    pub below_debt: usize,
    /// The engine refused them for a reason that it should not have.
    pub unexpected: usize,
}

impl Skipped {
    /// How many for each reason, by its name in metrics and logs.
    #[must_use]
    pub fn reasons(&self) -> [(&'static str, usize); 8] {
        let Self {
            busy,
            cooldown,
            borrowed_this_slot,
            flow,
            pipeline,
            gap,
            below_debt,
            unexpected,
        } = *self;
        [
            ("busy", busy),
            ("cooldown", cooldown),
            ("borrowed_this_slot", borrowed_this_slot),
            ("flow", flow),
            ("pipeline", pipeline),
            ("gap", gap),
            ("below_debt", below_debt),
            ("unexpected", unexpected),
        ]
    }
}

/// Work that a tick asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Accounts above the liquidation LTV, but for those that were not looked at: see `most` of [`plan`].
    pub found: usize,
    /// Accounts to liquidate now: take-overs first, then the nearest to one, for those cost the backstop most if they
    /// are late.
    pub liquidatable: Vec<Liquidatable>,
    /// The others.
    pub skipped: Skipped,
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
    let prices: Prices = market.accept_prices(readings, PriceUse::Liquidate, clock)?;
    let moment = Moment::new(&market, prices.liquidation()?.judged, clock)?;
    let mut liquidations = market.liquidations(&prices, clock)?;
    // What is taken over needs no room, and leaves some to nobody: it goes first, whatever its size.
    let over = index.liquidatable(&moment).filter(|entry| moment.is_taken_over(entry));
    let partly = index.liquidatable(&moment).filter(|entry| !moment.is_taken_over(entry));
    for entry in over.chain(partly) {
        if plan.liquidatable.len() >= most {
            break;
        }
        plan.found += 1;
        if busy(&entry.address) {
            plan.skipped.busy += 1;
            continue;
        }
        let mut account = entry.account(address);
        match liquidations.assess(&account) {
            Ok(assessed) => {
                // The next one is assessed after it.
                liquidations.apply(&assessed, &mut account);
                plan.liquidatable.push(Liquidatable {
                    account: entry.address,
                    liquidation: liquidations.liquidation(&assessed),
                });
            }
            Err(error) => plan.skip(error),
        }
    }
    Ok(())
}

impl Plan {
    fn skip(&mut self, error: Error) {
        let skipped = &mut self.skipped;
        *match error {
            Error::AccountCooldown => &mut skipped.cooldown,
            Error::BorrowedThisSlot => &mut skipped.borrowed_this_slot,
            Error::GuardedFlowUsed => &mut skipped.flow,
            Error::PipelineFull => &mut skipped.pipeline,
            Error::PriceGapTooWide => &mut skipped.gap,
            Error::CollateralBelowDebt => &mut skipped.below_debt,
            _ => &mut skipped.unexpected,
        } += 1;
    }

    /// The bounties that are due, quote atoms.
    #[must_use]
    pub fn bounty(&self) -> u64 {
        self.liquidatable.iter().map(|due| due.liquidation.bounty.0).sum()
    }
}

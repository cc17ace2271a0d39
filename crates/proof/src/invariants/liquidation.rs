//! Who is liquidated and who is not, and when.

use super::{Invariant, Verdict, demand, every, priced};
use crate::{
    ACCOUNTS, Call, Done, Stage,
    exact::int,
    facts::{Facts, View, room, standing},
    history::History,
    perform::perform,
};
use breakwater_engine::{Error, MarginAccount};

pub(super) const INVARIANTS: &[Invariant] = &[
    Invariant {
        name: "healthy-accounts-stay",
        statement: "Nobody is liquidated, against the backstop or by others, whose debt is not above the liquidation LTV at spot and at the guarded price.",
        check: |facts, _| {
            let view = priced(facts)?;
            every(taken(facts).into_iter().map(|account| {
                let (unhealthy, _) = standing(facts, view, account);
                demand(unhealthy, || {
                    format!("{account:?} was liquidated at {}", view.liquidation)
                })
            }))
        },
    },
    Invariant {
        name: "unhealthy-accounts-can-be-liquidated",
        statement: "Whenever a price is accepted, every account above its liquidation LTV can be liquidated, unless what stops it is true: no room in the backstop, its own slot or rest, the flow limit, a pause, a level, or prices too far apart; and nothing but an uncertain price or the breaker stops it for an insolvent one.",
        check: probes,
    },
    Invariant {
        name: "insolvent-accounts-go-whole",
        statement: "An account at or above the insolvency LTV is taken over whole, all debt and all that it is worth, whatever the backstop's room; and no other is recorded as insolvent.",
        check: |facts, _| {
            let view = priced(facts)?;
            every(facts.liquidations().map(|(_, account, done)| {
                let (_, insolvent) = standing(facts, view, account);
                let fine = done.insolvent == insolvent && (!insolvent || done.whole);
                demand(fine, || format!("insolvent: {insolvent}, and {done:?}"))
            }))
        },
    },
    Invariant {
        name: "others-only-when-the-backstop-is-full",
        statement: "Others with their own capital get an account only if the backstop has no room for it, and never an insolvent one.",
        check: external,
    },
    Invariant {
        name: "liquidation-improves-or-closes",
        statement: "Every liquidation leaves the account without debt, or with no more debt for each atom of collateral than before, within one share and one atom.",
        check: |facts, _| {
            let Some(Done::Liquidated(_) | Done::ExternallyLiquidated(_)) = facts.done() else {
                return None;
            };
            every((0..ACCOUNTS).map(|at| {
                let (old, new) = (&facts.step.before.accounts[at], &facts.step.after.accounts[at]);
                if old == new || !new.has_debt() {
                    return (old != new).then_some(Ok(()));
                }
                let worse = int(new.debt_shares.0 - 1) * old.collateral.0;
                demand(worse <= int(old.debt_shares.0) * (int(new.collateral.0) + 1), || {
                    format!("{old:?} became {new:?}")
                })
            }))
        },
    },
    Invariant {
        name: "no-liquidation-in-the-slot-of-a-loan",
        statement: "An account that borrowed, or withdrew against debt, in a slot is not liquidated in that slot.",
        check: |facts, _| {
            facts.done()?;
            every(taken(facts).into_iter().map(|account| {
                demand(account.last_risk_slot != facts.step.after.clock.slot, || {
                    format!("{account:?}")
                })
            }))
        },
    },
    Invariant {
        name: "guarded-steps-rest",
        statement: "While Guarded an account rests guarded_cooldown seconds between two steps, unless it is insolvent.",
        check: |facts, _| {
            let view = priced(facts).filter(|view| view.level == 1)?;
            every(taken(facts).into_iter().map(|account| {
                if standing(facts, view, account).1 {
                    return None;
                }
                let rested = facts.now >= account.stepped_at + i64::from(facts.config.guarded_cooldown);
                let noted = facts
                    .step
                    .after
                    .accounts
                    .iter()
                    .find(|after| (after.owner, after.id) == (account.owner, account.id))
                    .is_some_and(|after| after.stepped_at == facts.now);
                demand(rested && noted, || {
                    format!("{account:?} at {}, noted: {noted}", facts.now)
                })
            }))
        },
    },
    Invariant {
        name: "guarded-flow-is-bounded",
        statement: "In any stretch of time, guarded steps take at most guarded_flow × (stretch + guarded_window) ÷ guarded_window off accounts.",
        check: |facts, history| {
            priced(facts).filter(|view| view.level == 1)?;
            if taken(facts).is_empty() {
                return None;
            }
            let (flow, window) = (
                i128::from(facts.config.guarded_flow.0),
                i128::from(facts.config.guarded_window),
            );
            every(History::stretches(&history.steps).map(|(stretch, sum, _)| {
                demand(sum * window <= flow * (stretch + window), || {
                    format!("{sum} atoms in {stretch} seconds")
                })
            }))
        },
    },
];

/// The accounts that were liquidated, as they were.
fn taken<'a>(facts: &'a Facts) -> Vec<&'a MarginAccount> {
    match facts.call_done() {
        Some((Call::LiquidateExternal { account, .. }, _)) => vec![&facts.step.before.accounts[*account]],
        _ => facts.liquidations().map(|(_, account, _)| account).collect(),
    }
}

/// Tries to liquidate every account that should be, on the stage as it now is, and judges what is said against it.
fn probes(facts: &Facts, _: &History) -> Verdict {
    // A call that was refused may still have accepted a price; what it left is thrown away.
    priced(facts)?;
    let stage = &facts.step.after;
    let view = View::of(stage);
    every((0..ACCOUNTS).map(|account| {
        let margin = &stage.accounts[account];
        let (due, insolvent) = standing(facts, &view, margin);
        if !due {
            return None;
        }
        let mut clone = stage.clone();
        // The price is the one of this second: accepted again it stays what it is.
        let result = perform(&mut clone, &Call::Liquidate { keeper: 0, account }).result;
        let excused = match &result {
            Ok(_) => true,
            Err(error) => excuse(*error, stage, margin, &View::of(&clone), facts, insolvent),
        };
        demand(excused, || {
            format!("account {account} is due, insolvent: {insolvent}, and the answer is {result:?}")
        })
    }))
}

/// Whether this refusal of a liquidation is true.
fn excuse(error: Error, stage: &Stage, account: &MarginAccount, view: &View, facts: &Facts, insolvent: bool) -> bool {
    let (config, now) = (&stage.market.config, stage.clock.unix);
    let guarded = view.level == 1 && !insolvent;
    match error {
        Error::SameSlot => account.last_risk_slot == stage.clock.slot,
        Error::AccountCooling => guarded && now < account.stepped_at + i64::from(config.guarded_cooldown),
        // Some of the flow is used, or the limit is below the least step.
        Error::GuardedFlowUsed => {
            guarded && (stage.market.guard.flow > now * 1_000_000 || config.guarded_flow < config.min_debt)
        }
        Error::ActionPaused => now < stage.market.pauses.liquidate,
        Error::MarketHalted => view.level == 2,
        Error::ConfidenceTooWide => view.asked == 2,
        Error::PriceGapTooWide => view.gap_too_wide(config),
        Error::PriceTooOld => {
            let readings = [stage.readings.collateral, stage.readings.quote];
            readings
                .iter()
                .any(|reading| now - reading.publish_time > i64::from(config.max_age_long))
        }
        Error::BackstopFull => {
            // At the smallest penalty the room is smallest, at the largest it is largest; the engine's is within 2^-16 of the
            // exact one. What an account of less than twice the minimum debt needs cannot be cut.
            let (n, d) = room(stage, &facts.index, view, config.penalty_min.0);
            let debt = facts.debt(account.debt_shares);
            let least = int(config.min_debt.0).max(if debt < int(2 * config.min_debt.0) {
                debt
            } else {
                int(0)
            });
            !insolvent && n < (least + 4) * d * 65_537 / 65_536
        }
        _ => false,
    }
}

fn external(facts: &Facts, _: &History) -> Verdict {
    let (Call::LiquidateExternal { account, .. }, Done::ExternallyLiquidated(done)) = facts.call_done()? else {
        return None;
    };
    let view = priced(facts)?;
    let before = &facts.step.before;
    let account = &before.accounts[*account];
    let (_, insolvent) = standing(facts, view, account);
    // The books as they were, interest included.
    let mut accrued = before.clone();
    accrued.market.books = before.market.books_at(facts.step.after.clock).ok()?;
    let (n, d) = room(&accrued, &facts.index, view, facts.config.penalty_max.0);
    let debt = facts.debt(account.debt_shares);
    let least = int(facts.config.min_debt.0).max(if debt < int(2 * facts.config.min_debt.0) {
        debt
    } else {
        int(0)
    });
    let full = n < (least + 4) * d * 65_537 / 65_536;
    demand(!insolvent && full, || {
        format!("{done:?}: insolvent: {insolvent}, and the backstop has no room: {full}")
    })
}

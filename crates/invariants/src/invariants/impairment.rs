//! Promises to suppliers between a loss and its settlement, and the money that comes back after it.

use super::{Invariant, Verdict, demand, every, guardians::highest, priced, stress::own_fall};
use crate::{
    Call, Done, State,
    cover::{all_claims, shortfalls},
    exact::{Int, floor, int, one, positive, trunc},
    facts::{Facts, accrued, equity, stored_lowest},
    history::History,
};
use breakwater_engine::{Books, market::SUPPLY_TOLERANCE};

pub(super) const INVARIANTS: &[Invariant] = &[
    Invariant {
        name: "a-withdrawal-pays-its-part-of-what-is-there",
        statement: "A withdrawal pays, to the atom, its shares' part of the pool's assets less what is impaired at m: the lowest stored price less what it may have fallen since.",
        check: withdrawal,
    },
    Invariant {
        name: "who-stays-is-no-worse-off",
        statement: "What an LP share is worth at m does not fall when a supplier, a guardian or the protocol leaves; for a guardian whose own S is less by now than what the price may have fallen, at that.",
        check: stays,
    },
    Invariant {
        name: "nobody-joins-a-loss",
        statement: "Nobody supplies while more than a thousandth of the pool is impaired at the stored price, and nobody supplies or deposits as a guardian while written-off debt may still be paid back.",
        check: joins,
    },
    Invariant {
        name: "a-guardian-accepts-what-the-claim-lacks",
        statement: "A guardian who joins was told what all claims together lack at the stored price.",
        check: told,
    },
    Invariant {
        name: "written-off-debt-is-paid-back-first",
        statement: "While debt is written off the backstop keeps no cash: what comes in beyond credits and debt goes to the pool until all is paid back. It grows by settlements and is lost only with the last of the inventory of then, unless the market is not Normal or a tenth of it is in what else is held, at the highest price, and then the guardians' claim and the protocol's capital are void.",
        check: recovery,
    },
];

/// Most that the price may have fallen since the stored one was accepted, ten thousandths.
fn fallen_since(state: &State) -> u32 {
    let config = &state.market.config;
    let age = (state.clock.unix - state.market.guard.priced_at).max(0);
    let moved = int(config.max_velocity.0) * age;
    u32::try_from(moved).unwrap_or(u32::MAX).min(config.stress_fall.0)
}

/// Impaired part of a state's pool, quote atoms, for each band that the price may be in. The state's books are accrued.
fn impaired(state: &State, index: &Int, fall: u32) -> Vec<Int> {
    let lowest = stored_lowest(state);
    let all = shortfalls(state, index, &lowest, fall, state.market.map.origin);
    // Nobody owes anything before there is a price.
    if all.is_empty() { vec![int(0)] } else { all }
}

/// Assets by the books, quote atoms.
fn assets(books: &Books, index: &Int) -> Int {
    trunc(&((int(books.pool.cash.0) << 64) + index * books.pool.debt_shares.0 - int(books.pool.reserves_owed.raw())))
}

/// Assets at m, with the virtual atom, and shares with the virtual ones.
fn worth(state: &State, index: &Int, fall: u32) -> Vec<(Int, Int)> {
    let books = &state.market.books;
    let all = assets(books, index);
    let shares: Int = int(books.pool.lp_supply.0) + 1_000;
    impaired(state, index, fall)
        .into_iter()
        .map(|impaired| (positive(&all - impaired) + 1, shares.clone()))
        .collect()
}

/// The state as the call found it, at the time of the call and with interest.
fn found(facts: &Facts) -> Option<State> {
    let mut state = accrued(facts)?;
    state.clock = facts.step.after.clock;
    // Prices that the call has accepted are stored by then.
    state.market.guard = facts.step.after.market.guard;
    Some(state)
}

fn withdrawal(facts: &Facts, _: &History) -> Verdict {
    let Done::Withdrawn(done) = facts.done()? else {
        return None;
    };
    let before = found(facts)?;
    let fair = worth(&before, &facts.index, fallen_since(&before));
    let paid = int(done.amount.0);
    let is_his_part = |(there, all): &(Int, Int)| floor(&(there * done.shares.0), all) == paid;
    demand(fair.iter().any(is_his_part), || {
        format!("{done:?} of what is there and all shares: {fair:?}")
    })
}

fn stays(facts: &Facts, _: &History) -> Verdict {
    let leaves = matches!(
        facts.done()?,
        Done::Withdrawn(_) | Done::GuardianWithdrawn(_) | Done::EquityWithdrawal(_)
    );
    if !leaves {
        return None;
    }
    let (before, after) = (found(facts)?, &facts.step.after);
    let fall = match *facts.call_done()?.0 {
        Call::GuardianWithdraw { guardian, .. } => fallen_since(&before).min(own_fall(facts, guardian)),
        _ => fallen_since(&before),
    };
    let [old, new] = [&before, after].map(|state| worth(state, &facts.index, fall));
    let kept = old
        .iter()
        .zip(&new)
        .any(|((there, all), (left, shares))| left * all >= there * shares);
    demand(kept, || format!("{old:?} became {new:?}"))
}

fn joins(facts: &Facts, _: &History) -> Verdict {
    let before = found(facts)?;
    let written_off = before.market.books.recovery.written_off.0;
    match facts.done()? {
        Done::Supplied(_) => {
            let lost = impaired(&before, &facts.index, 0);
            let all = assets(&before.market.books, &facts.index);
            let tolerated = |lost: &Int| lost * 10_000 <= &all * SUPPLY_TOLERANCE.0;
            demand(written_off == 0 && lost.iter().any(tolerated), || {
                format!("{lost:?} of {all} impaired, {written_off} written off")
            })
        }
        Done::GuardianDeposited(_) => demand(written_off == 0, || format!("{written_off} written off")),
        _ => None,
    }
}

fn told(facts: &Facts, _: &History) -> Verdict {
    let Done::GuardianDeposited(done) = facts.done()? else {
        return None;
    };
    let before = found(facts)?;
    let claims = all_claims(&before.market);
    let lowest = stored_lowest(&before);
    let covers = crate::cover::covers_from(&before, &facts.index, &lowest, 0, before.market.map.origin);
    let covers = if covers.is_empty() {
        vec![int(before.market.books.backstop.cash.0)]
    } else {
        covers
    };
    let lacks: Vec<Int> = covers
        .into_iter()
        .map(|cover| positive(&claims - positive(cover)))
        .collect();
    demand(lacks.contains(&int(done.impaired.0)), || {
        format!("{done:?}, and the claim lacks {lacks:?}")
    })
}

fn recovery(facts: &Facts, _: &History) -> Verdict {
    let (before, after) = (accrued(facts)?, &facts.step.after.market.books);
    let (old, new) = (&before.market.books, after);
    let (owed, left) = (old.recovery.written_off.0, new.recovery.written_off.0);
    let settled = matches!(facts.done()?, Done::Settled(_));
    if owed == 0 && left == 0 && !settled {
        return None;
    }
    // Calls that need no interest leave it for later.
    let is_accrued = new.pool.accrued_at == old.pool.accrued_at;
    let held = left == 0 || new.backstop.cash.0 == 0;
    let counted = new.recovery.inventory <= new.backstop.inventory && (left == 0) == (new.recovery.inventory.0 == 0);
    let claims = |books: &Books| books.guardians.claim.0 + books.guardians.waiting.0 + books.guardians.open.0;
    let void = claims(new) == 0 && new.equity_sources.paid_in == 0 && new.backstop.reserve.0 == 0;
    let to_pool = |paid: u64| new.pool.cash.0 == old.pool.cash.0 + paid;
    let moved = match facts.done()? {
        Done::Sold(sale) => {
            let rest = sale.cost.0 - (new.backstop.funded_credits.0 - old.backstop.funded_credits.0) - sale.repaid.0;
            let whole = sale.amount >= old.recovery.inventory;
            // What else is held may carry it on.
            let view = priced(facts)?;
            let surplus = equity(&facts.step.after, &facts.index, &highest(view)?) + left;
            let carried = surplus >= int((owed - sale.recovered.0) / 10).max(int(1));
            let goes_on = new.backstop.inventory.0 > 0 && (view.level != 0 || carried);
            let ends = whole && !goes_on;
            let lost = if ends { owed - sale.recovered.0 } else { 0 };
            sale.recovered.0 == rest.min(owed)
                && sale.lost.0 == lost
                && left + sale.recovered.0 + sale.lost.0 == owed
                && to_pool(sale.repaid.0 + sale.recovered.0)
                && (lost == 0 || void && sale.guardians_lost.0 == claims(old))
        }
        Done::Funded(funding) => {
            let credits = new.backstop.funded_credits.0 - old.backstop.funded_credits.0;
            let rest = funding.amount.0 - credits - funding.repaid.0;
            funding.recovered.0 == rest.min(owed)
                && left + funding.recovered.0 == owed
                && to_pool(funding.repaid.0 + funding.recovered.0)
        }
        Done::Settled(done) if old.backstop.inventory.0 > 0 => {
            left == done.written_off.0 && int(left) + reserves(old) >= int(owed) + done.suppliers.0
        }
        Done::Settled(_) => left == 0 && void,
        _ => !is_accrued || left == owed,
    };
    every([
        demand(held && counted, || {
            format!("{:?} beside {:?}", new.recovery, new.backstop)
        }),
        demand(moved, || {
            format!("{:?} became {:?}: {:?}", old.recovery, new.recovery, facts.done())
        }),
    ])
}

/// Whole atoms that the pool owes the backstop.
fn reserves(books: &Books) -> Int {
    floor(&int(books.pool.reserves_owed.raw()), &one())
}

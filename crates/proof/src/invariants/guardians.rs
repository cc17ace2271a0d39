//! Whose loss, whose gain: guardians, the protocol's own equity, and keepers.

use super::{Invariant, Verdict, demand, every, priced};
use crate::{
    Call, Done, KEEPERS,
    exact::{Int, ceil, floor, int, positive, whole},
    facts::{Facts, equity},
    history::History,
};

pub(super) const INVARIANTS: &[Invariant] = &[
    Invariant {
        name: "guardian-gets-its-part-at-most",
        statement: "A guardian who leaves gets at most its shares' part of the claim, of the backstop's equity at the conservative price less the haircut, and of what it put in and its shares have earned since.",
        check: leaving,
    },
    Invariant {
        name: "guardians-wait",
        statement: "A guardian leaves with no more than it asked for, not before guardian_cooldown has passed since, and not after guardian_window more.",
        check: |facts, _| {
            let (Call::GuardianWithdraw { guardian, shares }, Done::GuardianWithdrawn(_)) = facts.call_done()? else {
                return None;
            };
            let (position, config) = (&facts.step.before.guardians[*guardian], facts.config);
            let opens = position.requested_at + i64::from(config.guardian_cooldown);
            let open = (opens..=opens + i64::from(config.guardian_window)).contains(&facts.now);
            demand(open && *shares <= position.requested, || {
                format!("{shares:?} at {} of {position:?}", facts.now)
            })
        },
    },
    Invariant {
        name: "guardians-claim-only-grows",
        statement: "A share of the guardians' claim never stands for less than before, and the claim falls only when one of them leaves; but both end when a deficit is settled.",
        check: |facts, _| {
            let [before, after] = [&facts.step.before, &facts.step.after].map(|stage| &stage.market.guardians);
            match facts.done() {
                Some(Done::Settled(_)) => return None,
                _ if before.shares.0 == 0 => return None,
                _ => {}
            }
            let of = |claim: u64, shares: u64| int(claim + 1) * (int(shares) + 1_000);
            let grows = of(after.claim.0, before.shares.0) >= of(before.claim.0, after.shares.0);
            let leaves = matches!(facts.done(), Some(Done::GuardianWithdrawn(_)));
            demand(grows && (leaves || after.claim >= before.claim), || {
                format!("{before:?} became {after:?}")
            })
        },
    },
    Invariant {
        name: "guardians-earn-their-share-at-most",
        statement: "Of the penalties of a call, guardians earn at most guardian_share × min(1, claim ÷ equity), with inventory at the stressed price.",
        check: earnings,
    },
    Invariant {
        name: "losses-in-order",
        statement: "Suppliers lose only when the backstop has nothing left, neither inventory nor cash; then the guardians' whole claim is void, the protocol's own capital too, and the suppliers lose exactly what the backstop still owes.",
        check: settlement,
    },
    Invariant {
        name: "eras-end-with-settlements",
        statement: "The guardians' era ends when a deficit is settled, and only then.",
        check: |facts, _| {
            let [before, after] = [&facts.step.before, &facts.step.after].map(|stage| stage.market.guardians.era);
            let ends = u64::from(matches!(facts.done(), Some(Done::Settled(_))));
            if ends == 0 && before == after {
                return None;
            }
            demand(after == before + ends, || format!("era {before} became {after}"))
        },
    },
    Invariant {
        name: "equity-leaves-above-the-floor",
        statement: "Equity is taken out only in the amount announced and in its time, and leaves the protocol, after the guardians' claim and with inventory at the conservative price less the haircut, at least equity_floor of the market's debt.",
        check: taken_out,
    },
    Invariant {
        name: "credits-are-bounties",
        statement: "A keeper's credit grows by the bounties of its own liquidations, ends when it is claimed, and is paid out in full.",
        check: credits,
    },
];

/// The backstop's equity as it counts for whoever takes money out. The conservative price is only for Normal.
fn releasable(facts: &Facts, accrued: &crate::Stage) -> Option<Int> {
    if accrued.market.books.backstop.inventory.0 == 0 {
        return Some(equity(accrued, &facts.index, &int(0)));
    }
    let conservative = priced(facts)?.conservative()?;
    let price = floor(&(conservative * (10_000 - facts.config.inventory_haircut.0)), &whole());
    Some(equity(accrued, &facts.index, &price))
}

/// The stage before the call, with interest up to the call.
fn accrued(facts: &Facts) -> Option<crate::Stage> {
    let mut stage = facts.step.before.clone();
    stage.market.books = stage.market.books_at(facts.step.after.clock).ok()?;
    Some(stage)
}

fn leaving(facts: &Facts, history: &History) -> Verdict {
    let (Call::GuardianWithdraw { shares, .. }, Done::GuardianWithdrawn(done)) = facts.call_done()? else {
        return None;
    };
    let before = accrued(facts)?;
    let all = before.market.guardians.shares.0;
    let Some(equity) = releasable(facts, &before) else {
        return demand(false, || "left without a price".to_owned());
    };
    // Of one virtual atom more, as shares are counted.
    let payable = positive(equity).min(int(before.market.guardians.claim.0)) + 1;
    let part = ceil(&(payable * shares.0), &(int(all) + 1_000));
    let paid = int(done.amount.0);
    let expected = (&history.part >> 64) + 1 + history.roundings;
    demand(paid <= part && paid <= expected, || {
        format!("{paid} atoms paid where the part is {part}, and the expectation {expected}")
    })
}

fn earnings(facts: &Facts, _: &History) -> Verdict {
    let Done::Liquidated(done) = facts.done()? else {
        return None;
    };
    let [before, after] = [&facts.step.before, &facts.step.after].map(|stage| &stage.market.guardians);
    let earned = int(after.claim.0) - before.claim.0;
    if before.shares.0 == 0 {
        return demand(earned == int(0), || format!("{earned} atoms for nobody"));
    }
    let equity = equity(&accrued(facts)?, &facts.index, &priced(facts)?.stressed);
    let penalties = done.iter().filter(|(_, done)| done.deficit.0 == 0);
    let penalties: Int = penalties.map(|(_, done)| int(done.repaid.0) * done.penalty.0).sum();
    if equity <= int(0) {
        return demand(earned == int(0), || format!("{earned} atoms out of no equity"));
    }
    let claim = int(before.claim.0).min(equity.clone());
    let most = penalties * facts.config.guardian_share.0 * claim;
    demand(&earned * whole() * whole() * equity <= most, || {
        format!("{earned} atoms earned")
    })
}

fn settlement(facts: &Facts, _: &History) -> Verdict {
    let Done::Settled(done) = facts.done()? else {
        return None;
    };
    let before = accrued(facts)?;
    let (books, after) = (&before.market.books, &facts.step.after.market);
    let owed = facts.debt(done.shares);
    let empty = books.backstop.inventory.0 == 0 && books.backstop.cash.0 == 0;
    let told = done.guardians == before.market.guardians.claim && int(done.suppliers.0) == owed;
    let own = int(done.protocol.0) == int(before.market.income.paid_in.0) + after_reserve(facts, &before);
    let void = after.guardians.claim.0 == 0 && after.guardians.shares.0 == 0;
    let written = books.pool.debt_shares.0 - after.books.pool.debt_shares.0;
    let square = after.books.backstop.debt_shares.0 == 0 && after.books.pool.cash == books.pool.cash;
    demand(
        empty && told && own && void && written == done.shares.0 + netted(&before, done.shares.0) && square,
        || format!("{done:?} of {:?}", books.backstop),
    )
}

/// What the pool owed the backstop, netted against its debt just before: whole atoms become the backstop's reserve.
fn after_reserve(facts: &Facts, before: &crate::Stage) -> Int {
    let due = int(before.market.books.pool.due.raw()) >> 64u32;
    let owed = facts.debt(before.market.books.backstop.debt_shares);
    int(before.market.books.backstop.reserve.0) + due.min(owed)
}

/// Debt shares that this netting cancelled.
fn netted(before: &crate::Stage, written: u64) -> u64 {
    before.market.books.backstop.debt_shares.0 - written
}

fn taken_out(facts: &Facts, _: &History) -> Verdict {
    let Done::TakenOut(done) = facts.done()? else {
        return None;
    };
    let (announced, config) = (&facts.step.before.market.take_out, facts.config);
    let opens = announced.queued_at + i64::from(config.take_out_delay);
    let open = (opens..=opens + i64::from(config.take_out_window)).contains(&facts.now);
    let approved = facts.step.after.clock.slot <= announced.expires_slot;
    let mut after = accrued(facts)?;
    let Some(equity) = releasable(facts, &after) else {
        return demand(false, || "taken out without a price".to_owned());
    };
    after = facts.step.after.clone();
    let left = equity - done.amount.0 - after.market.guardians.claim.0;
    let owed = facts.debt(after.market.books.pool.debt_shares);
    let floor = owed * config.equity_floor.0;
    demand(
        open && approved && done.amount == announced.amount && &left * whole() >= floor,
        || format!("{done:?} of {announced:?} leaves {left}"),
    )
}

fn credits(facts: &Facts, _: &History) -> Verdict {
    let (call, done) = facts.call_done()?;
    let keeper = match call {
        Call::Liquidate { keeper, .. } | Call::LiquidateBatch { keeper, .. } | Call::Claim { keeper } => Some(*keeper),
        _ => None,
    };
    every((0..KEEPERS).map(|at| {
        let [before, after] = [&facts.step.before, &facts.step.after].map(|stage| stage.ledgers[at].credit.0);
        let due = match done {
            Done::Liquidated(done) if keeper == Some(at) => {
                before + done.iter().map(|(_, done)| done.bounty.0).sum::<u64>()
            }
            Done::Claimed(claim) if keeper == Some(at) => {
                return demand(after == 0 && claim.amount.0 == before, || {
                    format!("{claim:?} of {before}, {after} left")
                });
            }
            _ if before == after => return None,
            _ => before,
        };
        demand(after == due, || {
            format!("the credit of {before} became {after}, not {due}")
        })
    }))
}

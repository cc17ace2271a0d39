//! Whose loss, whose gain: guardians, the protocol's own equity, and keepers.

use super::{Invariant, Verdict, demand, every, priced};
use crate::{
    Call, Done, KEEPERS,
    exact::{Int, ceil, floor, int, one, positive, value, whole},
    facts::{Facts, accrued, equity},
    history::History,
};
use breakwater_engine::{Books, DebtShares, Error, actions::Settlement};

pub(super) const INVARIANTS: &[Invariant] = &[
    Invariant {
        name: "guardian-gets-its-part-at-most",
        statement: "A guardian who leaves gets at most its shares' part of the claim, of the backstop's equity at the conservative price, and of what it put in and its shares have earned since.",
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
        statement: "A share of the guardians' claim never stands for less than before, and the claim falls only when one of them leaves; but both end when a loss beyond them is final.",
        check: |facts, _| {
            let [before, after] = [&facts.step.before, &facts.step.after].map(|stage| &stage.market.books.guardians);
            if before.shares.0 == 0 || before.era != after.era {
                return None;
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
        statement: "Of the penalties of a call, of a take-over no more than β of the debt and nothing while Guarded, guardians earn at most guardian_share × min(1, claim ÷ equity), with inventory at q.",
        check: earnings,
    },
    Invariant {
        name: "standing-by-is-paid",
        statement: "When interest accrues, the guardians' claim grows by standby_share × the backstop's part of it × claim ÷ (claim + the protocol's capital and reserves), to a four millionth of that part; and in all they never earn more than standby_share of what the backstop did.",
        check: standby,
    },
    Invariant {
        name: "losses-in-order",
        statement: "Suppliers lose only what the backstop's debt exceeds everything it has by, with inventory at the highest price and its confidence: with nothing left that is all it owes, the guardians' whole claim is void, and the protocol's own capital too; with inventory left both stand behind what was written off.",
        check: settlement,
    },
    Invariant {
        name: "eras-end-with-final-losses",
        statement: "The guardians' era ends when a deficit is settled with nothing left, or when the last of the inventory is sold that could pay back what was written off and did not; and only then.",
        check: |facts, _| {
            let [before, after] = [&facts.step.before, &facts.step.after].map(|stage| stage.market.books.guardians.era);
            let ends = u64::from(match facts.done() {
                Some(Done::Settled(done)) => done.inventory.0 == 0,
                Some(Done::Sold(sale)) => sale.lost.0 > 0,
                _ => false,
            });
            if ends == 0 && before == after {
                return None;
            }
            demand(after == before + ends, || format!("era {before} became {after}"))
        },
    },
    Invariant {
        name: "equity-leaves-above-the-claim",
        statement: "Equity is taken out only in the amount announced and in its time, and leaves the backstop worth at least the guardians' claim, with inventory at the conservative price.",
        check: taken_out,
    },
    Invariant {
        name: "gains-leave-before-capital",
        statement: "What the protocol takes out is what it gained first: its capital, beside which guardians stand by, falls by no more than what is left of its equity lacks of it.",
        check: gains_first,
    },
    Invariant {
        name: "credits-are-bounties",
        statement: "A keeper's credit grows by the bounties of its own liquidations, and falls by what it is paid.",
        check: credits,
    },
    Invariant {
        name: "claims-pay-what-is-funded",
        statement: "A claim pays the smaller of the keeper's credit and the funded credits, and the rest stays owed; it is refused only without a credit, or while nothing is funded.",
        check: claims,
    },
    Invariant {
        name: "funded-credits-came-in",
        statement: "The backstop's cash, what is set aside for keepers and what they were paid is, to the atom, what buyers, guardians, givers and interest brought, less what it spent on debt and on those who took capital out: the pool lends nothing for bounties.",
        check: |facts, history| {
            let backstop = &facts.step.after.market.books.backstop;
            let there = i128::from(backstop.cash.0) + i128::from(backstop.funded_credits.0) + history.claimed;
            demand(there == history.cash, || {
                format!("{backstop:?} with {} paid, of {}", history.claimed, history.cash)
            })
        },
    },
];

/// The backstop's equity as it counts for whoever takes money out. The conservative price is only for Normal.
fn releasable(facts: &Facts, accrued: &crate::Stage) -> Option<Int> {
    if !accrued.market.books.leaving_needs_prices() {
        return Some(equity(accrued, &facts.index, &int(0)));
    }
    Some(equity(accrued, &facts.index, &priced(facts)?.conservative()?))
}

fn leaving(facts: &Facts, history: &History) -> Verdict {
    let (Call::GuardianWithdraw { shares, .. }, Done::GuardianWithdrawn(done)) = facts.call_done()? else {
        return None;
    };
    let before = accrued(facts)?;
    let all = before.market.books.guardians.shares.0;
    let Some(equity) = releasable(facts, &before) else {
        return demand(false, || "left without a price".to_owned());
    };
    // Of one virtual atom more, as shares are counted.
    let payable = positive(equity).min(int(before.market.books.guardians.claim.0)) + 1;
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
    let (view, before) = (priced(facts)?, accrued(facts)?);
    let guardians = &before.market.books.guardians;
    let earned = int(facts.step.after.market.books.guardians.claim.0) - guardians.claim.0;
    if guardians.shares.0 == 0 {
        return demand(earned == int(0), || format!("{earned} atoms for nobody"));
    }
    let equity = equity(&before, &facts.index, &view.fallen(facts.config.stress_fall.0));
    let penalties = done.iter().map(|(_, done)| match (done.taken_over, view.level) {
        (true, 1) => int(0),
        (true, _) => {
            let margin = positive(value(&view.settled, done.seized.0) - done.repaid.0) * whole();
            margin.min(int(done.repaid.0) * facts.config.penalty.0)
        }
        (false, _) => int(done.repaid.0) * done.penalty.0,
    });
    let penalties: Int = penalties.sum();
    if equity <= int(0) {
        return demand(earned == int(0), || format!("{earned} atoms out of no equity"));
    }
    let claim = int(guardians.claim.0).min(equity.clone());
    let most = penalties * facts.config.guardian_share.0 * claim;
    demand(&earned * whole() * whole() * equity <= most, || {
        format!("{earned} atoms earned")
    })
}

fn standby(facts: &Facts, _: &History) -> Verdict {
    let [before, after] = [&facts.step.before, &facts.step.after].map(|stage| &stage.market.books);
    let (guardians, config) = (&before.guardians, facts.config);
    let reserves = |books: &Books| (int(books.backstop.reserve.0) << 64) + books.pool.due.raw();
    let whole_time = demand(
        int(after.income.standby.0) << 64 <= reserves(after) * config.standby_share.0 / whole(),
        || format!("{:?} of {:?}", after.income, after.backstop),
    );
    // What else moves the claim is another promise.
    let other = matches!(
        facts.done(),
        Some(Done::Liquidated(_) | Done::GuardianDeposited(_) | Done::GuardianWithdrawn(_) | Done::Settled(_))
    );
    let other = other || before.guardians.era != after.guardians.era;
    let earned = reserves(after) - reserves(before);
    if other || earned <= int(0) || guardians.shares.0 == 0 {
        return (guardians.shares.0 > 0).then_some(whole_time?);
    }
    let exactly = |books: &Books| (int(books.guardians.claim.0) << 64) + books.guardians.fraction;
    let got = exactly(after) - exactly(before);
    let given = Int::from(before.income.paid_in) + before.backstop.reserve.0 - before.income.standby.0;
    let capital = int(guardians.claim.0) + positive(given);
    let share = floor(&(earned * config.standby_share.0), &whole());
    let most = floor(&(&share * guardians.claim.0), &capital.max(int(1)));
    let least = &most - (share >> 22u32) - (1u64 << 26);
    every([
        whole_time,
        demand(least <= got && got <= most, || {
            format!("the claim grew by {got}, not between {least} and {most}, in units of 2^-64 atoms")
        }),
    ])
}

fn settlement(facts: &Facts, _: &History) -> Verdict {
    let Done::Settled(done) = facts.done()? else {
        return None;
    };
    let before = accrued(facts)?;
    let (books, after) = (&before.market.books, &facts.step.after.market);
    if books.backstop.inventory.0 > 0 {
        return in_part(facts, &before, done);
    }
    let owed = facts.debt(done.shares);
    let empty = books.backstop.inventory.0 == 0 && books.backstop.cash.0 == 0;
    let told = done.guardians == before.market.books.guardians.claim && int(done.suppliers.0) == owed;
    let income = &books.income;
    let own = positive(Int::from(income.paid_in) + after_reserve(facts, &before) - income.standby.0);
    let own = int(done.protocol.0) == own;
    let void = after.books.guardians.claim.0 == 0 && after.books.guardians.shares.0 == 0;
    let written = books.pool.debt_shares.0 - after.books.pool.debt_shares.0;
    let square = after.books.backstop.debt_shares.0 == 0 && after.books.pool.cash == books.pool.cash;
    demand(
        empty && told && own && void && written == done.shares.0 + netted(&before, done.shares.0) && square,
        || format!("{done:?} of {:?}", books.backstop),
    )
}

/// A settlement with inventory left.
fn in_part(facts: &Facts, before: &crate::Stage, done: &Settlement) -> Verdict {
    let (books, after) = (&before.market.books, &facts.step.after.market.books);
    let view = priced(facts)?;
    let highest = (&view.spot)
        .max(&view.guarded)
        .max(&view.average)
        .max(view.ema.as_ref()?)
        + (&view.high - &view.spot);
    // Rounded up; and what the pool owed the backstop has been netted.
    let worth = ceil(&(highest * books.backstop.inventory.0), &one());
    let shares = done.shares.0 + after.backstop.debt_shares.0;
    let debt = facts.debt(DebtShares(shares));
    let lacking = positive(&debt + after.backstop.unfunded_credits.0 - worth).min(debt);
    // A share is worth less than an atom or two; so is each rounding.
    let share = (&facts.index >> 64u32) + 2;
    let suppliers = int(done.suppliers.0);
    let exact = suppliers <= &lacking + 1 && suppliers > &lacking - share;
    let stand = done.protocol.0 == 0
        && done.guardians.0 == 0
        && after.guardians == books.guardians
        && after.income == books.income;
    let square = after.backstop.cash.0 == 0 && after.pool.cash == books.pool.cash && view.level == 0;
    let counted = done.inventory == books.backstop.inventory && after.recovery.inventory == done.inventory;
    demand(exact && stand && square && counted, || {
        format!("{done:?} of {:?}: {lacking} is lacking", books.backstop)
    })
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
    let before = accrued(facts)?;
    let Some(equity) = releasable(facts, &before) else {
        return demand(false, || "taken out without a price".to_owned());
    };
    let left = equity - done.amount.0 - before.market.books.guardians.claim.0;
    demand(open && done.amount == announced.amount && left >= int(0), || {
        format!("{done:?} of {announced:?} leaves {left}")
    })
}

fn gains_first(facts: &Facts, _: &History) -> Verdict {
    let Done::TakenOut(done) = facts.done()? else {
        return None;
    };
    let before = accrued(facts)?;
    let books = &before.market.books;
    let left = releasable(facts, &before)? - done.amount.0 - books.guardians.claim.0;
    let capital = positive(Int::from(books.income.paid_in) + books.backstop.reserve.0 - books.income.standby.0);
    let expected = books.income.paid_in - positive(capital - left).min(int(done.amount.0));
    let paid_in = facts.step.after.market.books.income.paid_in;
    demand(Int::from(paid_in) == expected, || format!("{paid_in}, not {expected}"))
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
            Done::Claimed(claim) if keeper == Some(at) => before - claim.amount.0,
            _ if before == after => return None,
            _ => before,
        };
        demand(after == due, || {
            format!("the credit of {before} became {after}, not {due}")
        })
    }))
}

fn claims(facts: &Facts, _: &History) -> Verdict {
    let Call::Claim { keeper } = facts.step.call.as_ref()? else {
        return None;
    };
    let [before, after] = [&facts.step.before, &facts.step.after].map(|stage| &stage.market.books);
    let credit = facts.step.before.ledgers[*keeper].credit.0;
    let funded = before.backstop.funded_credits.0;
    let due = credit.min(funded);
    let fine = match &facts.step.result {
        Ok(Done::Claimed(claim)) => {
            let left = funded - after.backstop.funded_credits.0;
            due > 0 && claim.amount.0 == due && claim.credit_after.0 == credit - due && left == due
        }
        Err(Error::NothingToClaim) => credit == 0,
        Err(Error::CreditsUnfunded) => credit > 0 && funded == 0,
        _ => false,
    };
    demand(fine && before.pool == after.pool, || {
        format!("{:?} of a credit of {credit}, {funded} funded", facts.step.result)
    })
}

//! Whose loss, whose gain: guardians, the protocol's own equity, and keepers.

use super::{Invariant, Verdict, demand, every, priced, stress::own_fall};
use crate::{
    Call, Done, GUARDIANS, KEEPERS,
    cover::{all_claims, covers_from, requested},
    exact::{Int, ceil, floor, int, one, positive, value, whole},
    facts::{Facts, accrued, equity, stored_lowest},
    history::History,
};
use breakwater_engine::{
    Books, DebtShares, Error, GuardianPosition, Pricing,
    actions::{DEAD_SECONDS, Settlement},
};

pub(super) const INVARIANTS: &[Invariant] = &[
    Invariant {
        name: "guardian-gets-its-part-at-most",
        statement: "Whatever guardians ask, are paid and take back: all that one is paid is at most what it put in and what its shares and requests have earned.",
        check: |facts, history| {
            let Done::GuardianWithdrawn(done) = facts.done()? else {
                return None;
            };
            let expected = (&history.part >> 64) + 1 + history.roundings;
            demand(int(done.amount.0) <= expected, || {
                format!("{done:?} paid where the expectation is {expected}")
            })
        },
    },
    Invariant {
        name: "requests-add-up",
        statement: "What waits, the shares of the open claims and what counts as paid are the sums of the positions of the present epoch, and their unpaid claims are at most what the market says.",
        check: |facts, _| {
            let guardians = &facts.step.after.market.books.guardians;
            let positions = facts
                .step
                .after
                .guardians
                .map(|position| position.in_epoch(guardians.epoch));
            let sum = |of: fn(&GuardianPosition) -> u64| positions.iter().map(of).sum::<u64>();
            let unpaid: u64 = positions
                .iter()
                .filter_map(|position| position.unpaid(guardians).ok())
                .map(|unpaid| unpaid.0)
                .sum();
            let fine = guardians.waiting.0 == sum(|position| position.waiting.0)
                && guardians.open_shares.0 == sum(|position| position.open_shares.0)
                && guardians.paid.0 == sum(|position| position.paid.0)
                && int(unpaid) <= requested(&facts.step.after.market);
            demand(fine, || format!("{guardians:?} of {positions:?}"))
        },
    },
    Invariant {
        name: "asking-creates-nothing",
        statement: "Who asks to leave gets its shares' part of the claim at most; asking moves no money and leaves all claims together what they were, whatever the backstop has lost; taking back moves none either and never makes them more.",
        check: asking,
    },
    Invariant {
        name: "requests-are-paid-their-part-of-the-cover",
        statement: "A payment is at most the stress cover at the request's own S, and brings a request to at most its part of that and of what requests were paid before, by what was asked: so nobody gains by coming first, or often. Until no reading was accepted for seven days it is made at Normal, at a stored price no older than borrowing allows; once the release is over at any level, at a stored price of an hour at most.",
        check: paid,
    },
    Invariant {
        name: "who-could-leave-earns-nothing",
        statement: "A request earns for standing by only after a payment of less than was wanted: what is left because no more was wanted waits, and earns nothing.",
        check: |facts, _| {
            let (Call::GuardianWithdraw { guardian, amount, .. }, Done::GuardianWithdrawn(done)) = facts.call_done()?
            else {
                return None;
            };
            let after = &facts.step.after;
            let position = after.guardians[*guardian].in_epoch(after.market.books.guardians.epoch);
            let open = position.open_shares.0 > 0;
            let fine = !open || done.amount < *amount;
            demand(fine && (open || done.amount == *amount || done.unpaid.0 == 0), || {
                format!("{done:?} of {amount:?} leaves {position:?}")
            })
        },
    },
    Invariant {
        name: "loss-order-holds-for-who-asked",
        statement: "Who asked to leave, before a loss or after it, is paid at most its claim × min(1, equity ÷ all claims), equity at the stored prices, and each other atom of claim finds no less afterwards.",
        check: shared_loss,
    },
    Invariant {
        name: "guardians-wait",
        statement: "A request is paid or taken back from its opening on only, which is guardian_cooldown after it was asked; and it keeps its opening, its S and its release as long as it runs.",
        check: waiting,
    },
    Invariant {
        name: "guardians-claim-only-grows",
        statement: "A share of the guardians' claim never stands for less than before, and the claim falls only when one of them asks to leave; but both end when a loss beyond them is final.",
        check: |facts, _| {
            let [before, after] = [&facts.step.before, &facts.step.after].map(|state| &state.market.books.guardians);
            if before.shares.0 == 0 || before.epoch != after.epoch {
                return None;
            }
            let of = |claim: u64, shares: u64| int(claim + 1) * (int(shares) + 1_000);
            let grows = of(after.claim.0, before.shares.0) >= of(before.claim.0, after.shares.0);
            let leaves = matches!(facts.done(), Some(Done::GuardianRequested(_)));
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
        statement: "When interest accrues, the guardians' claim, and the open requests, each grow by standby_share × the backstop's part of it × their own ÷ (all claims + the protocol's capital and reserves), to a four millionth of that part, and what waits does not; and in all they never earn more than standby_share of what the backstop did.",
        check: standby,
    },
    Invariant {
        name: "losses-in-order",
        statement: "Suppliers lose only what the backstop's debt exceeds everything it has by, with inventory at the highest price and its confidence: with nothing left that is all it owes, the guardians' whole claim is void, and the protocol's own capital too; with inventory left both stand behind what was written off.",
        check: settlement,
    },
    Invariant {
        name: "epochs-end-with-final-losses",
        statement: "The guardians' epoch ends when a deficit is settled with nothing left, or when the last of the inventory is sold that could pay back what was written off and did not; and only then.",
        check: |facts, _| {
            let [before, after] =
                [&facts.step.before, &facts.step.after].map(|state| state.market.books.guardians.epoch);
            let ends = u64::from(match facts.done() {
                Some(Done::Settled(done)) => done.inventory.0 == 0,
                Some(Done::Sold(sale)) => sale.lost.0 > 0,
                _ => false,
            });
            if ends == 0 && before == after {
                return None;
            }
            demand(after == before + ends, || format!("epoch {before} became {after}"))
        },
    },
    Invariant {
        name: "equity-leaves-above-the-claim",
        statement: "Equity is taken out only in the amount announced and in the time announced, at Normal and at a stored price no older than borrowing allows, and leaves the backstop worth at least all the guardians' claims, with inventory at the lowest stored price.",
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

/// The backstop's equity as it counts for whoever takes money out: at the lowest of the stored prices, at least
/// nothing.
fn releasable(facts: &Facts, accrued: &crate::State) -> Int {
    equity(accrued, &facts.index, &stored_lowest(&facts.step.after))
}

/// True if the stored prices are good for leaving, if any are needed: at Normal, and no older than borrowing allows.
fn is_fresh(facts: &Facts, accrued: &crate::State) -> bool {
    let guard = &facts.step.after.market.guard;
    let age = facts.now - guard.priced_at;
    let normal = guard.level == 0 && facts.now >= guard.halt_until;
    !accrued.market.needs_prices(Pricing::Leave) || (normal && age <= i64::from(facts.config.max_age_short))
}

/// Unpaid part of a guardian's request, quote atoms, rounded down: by itself, or by its shares of the open claims.
fn unpaid(state: &crate::State, guardian: usize) -> Int {
    let guardians = &state.market.books.guardians;
    let position = state.guardians[guardian].in_epoch(guardians.epoch);
    if position.open_shares.0 == 0 {
        return int(position.waiting.0);
    }
    // With the virtual shares and their atom.
    let (assets, shares) = (int(guardians.open.0) + 1, int(guardians.open_shares.0) + 1_000);
    floor(&(assets * position.open_shares.0), &shares).min(int(guardians.open.0))
}

fn waiting(facts: &Facts, _: &History) -> Verdict {
    let epoch = facts.step.after.market.books.guardians.epoch;
    let touched = match facts.call_done()? {
        (Call::GuardianWithdraw { guardian, .. }, _) => Some(*guardian),
        (Call::GuardianRequest { guardian, shares }, _) if shares.0 == 0 => Some(*guardian),
        _ => None,
    };
    let asked = match facts.call_done()? {
        (Call::GuardianRequest { guardian, shares }, _) if shares.0 > 0 => Some(*guardian),
        _ => None,
    };
    let config = facts.config;
    every((0..GUARDIANS).map(|at| {
        let [before, after] = [&facts.step.before, &facts.step.after].map(|state| state.guardians[at].in_epoch(epoch));
        let terms = |position: &GuardianPosition| (position.opens_at, position.fall, position.release);
        if asked == Some(at) {
            let opens = facts.now + i64::from(config.guardian_cooldown);
            let given = (opens, config.stress_fall, config.guardian_release);
            return demand(terms(&after) == given && !before.has_request(), || format!("{after:?}"));
        }
        if !before.has_request() {
            return None;
        }
        let open = touched != Some(at) || facts.now >= before.opens_at;
        let kept = !after.has_request() || terms(&after) == terms(&before);
        demand(open && kept, || format!("{before:?} became {after:?} at {}", facts.now))
    }))
}

fn asking(facts: &Facts, _: &History) -> Verdict {
    let (Call::GuardianRequest { shares, .. }, Done::GuardianRequested(done)) = facts.call_done()? else {
        return None;
    };
    let (before, after) = (accrued(facts)?, &facts.step.after);
    let guardians = &before.market.books.guardians;
    let still = before.market.books.backstop == after.market.books.backstop
        && before.market.books.pool == after.market.books.pool;
    let (all, now) = (all_claims(&before.market), all_claims(&after.market));
    let (kept, most) = if shares.0 == 0 {
        (now <= all, int(done.amount.0))
    } else {
        let part = int(shares.0) * (int(guardians.claim.0) + 1);
        (now == all, floor(&part, &(int(guardians.shares.0) + 1_000)))
    };
    demand(still && kept && int(done.amount.0) <= most, || {
        format!("{done:?}, where {most} is the part of {guardians:?}")
    })
}

fn paid(facts: &Facts, _: &History) -> Verdict {
    let (Call::GuardianWithdraw { guardian, .. }, Done::GuardianWithdrawn(done)) = facts.call_done()? else {
        return None;
    };
    let (before, after) = (accrued(facts)?, &facts.step.after);
    let age = facts.now - after.market.guard.priced_at;
    let request = before.guardians[*guardian];
    let released = facts.now >= request.opens_at + i64::from(request.release) && age <= 3_600;
    let dead = age >= DEAD_SECONDS;
    let (guardians, amount) = (&before.market.books.guardians, int(done.amount.0));
    let position = before.guardians[*guardian].in_epoch(guardians.epoch);
    let asked = unpaid(&before, *guardian) + position.paid.0;
    let all = requested(&before.market) + guardians.paid.0;
    let fall = own_fall(facts, *guardian);
    let covers = covers_from(
        &before,
        &facts.index,
        &stored_lowest(after),
        fall,
        after.market.map.origin,
    );
    let within = |cover: &Int| {
        let cover = positive(cover.clone());
        let part = floor(&((&cover + guardians.paid.0) * &asked), &all.clone().max(int(1)));
        amount <= cover && amount <= positive(part - position.paid.0)
    };
    let fine = amount == int(0) || covers.is_empty() || covers.iter().any(within);
    demand(fine && (dead || released || is_fresh(facts, &before)), || {
        format!("{done:?} at covers of {covers:?}, of {guardians:?}")
    })
}

fn shared_loss(facts: &Facts, _: &History) -> Verdict {
    let (Call::GuardianWithdraw { guardian, .. }, Done::GuardianWithdrawn(done)) = facts.call_done()? else {
        return None;
    };
    let (before, after) = (accrued(facts)?, &facts.step.after);
    let (had, claims) = (positive(releasable(facts, &before)), all_claims(&before.market));
    let (left, still) = (positive(releasable(facts, after)), all_claims(&after.market));
    let own = unpaid(&before, *guardian);
    let part = int(done.amount.0) * &claims <= own * had.clone().min(claims.clone());
    // To the atoms that rounding costs.
    let kept = had >= claims || (left + 3u32) * &claims >= had * &still;
    demand(part && kept, || {
        format!("{done:?} of claims of {claims}, of which {still} are left")
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
    let [before, after] = [&facts.step.before, &facts.step.after].map(|state| &state.market.books);
    let (guardians, config) = (&before.guardians, facts.config);
    let reserves = |books: &Books| (int(books.backstop.reserve.0) << 64) + books.pool.reserves_owed.raw();
    let whole_time = demand(
        int(after.equity_sources.standby.0) << 64 <= reserves(after) * config.standby_share.0 / whole(),
        || format!("{:?} of {:?}", after.equity_sources, after.backstop),
    );
    // What else moves the claim is another promise.
    let other = matches!(
        facts.done(),
        Some(
            Done::Liquidated(_)
                | Done::GuardianDeposited(_)
                | Done::GuardianRequested(_)
                | Done::GuardianWithdrawn(_)
                | Done::Settled(_)
        )
    );
    let other = other || before.guardians.epoch != after.guardians.epoch;
    let earned = reserves(after) - reserves(before);
    let there = guardians.shares.0 > 0 || guardians.open_shares.0 > 0;
    if other || earned <= int(0) || !there {
        return there.then_some(whole_time?);
    }
    let given = Int::from(before.equity_sources.paid_in) + before.backstop.reserve.0 - before.equity_sources.standby.0;
    let capital = all_claims(&facts.step.before.market) + positive(given);
    let share = floor(&(earned * config.standby_share.0), &whole());
    let grew = |shares: u64, own: u64, got: Int| {
        if shares == 0 {
            return demand(got == int(0), || format!("{got} for nobody"));
        }
        let most = floor(&(&share * own), &capital.clone().max(int(1)));
        let least = &most - (&share >> 22u32) - (1u64 << 26);
        demand(least <= got && got <= most, || {
            format!("a claim grew by {got}, not between {least} and {most}, in units of 2^-64 atoms")
        })
    };
    let now = &after.guardians;
    let got = |from: (u64, u64), to: (u64, u64)| (int(to.0) << 64) + to.1 - (int(from.0) << 64) - from.1;
    every([
        whole_time,
        grew(
            guardians.shares.0,
            guardians.claim.0,
            got((guardians.claim.0, guardians.fraction), (now.claim.0, now.fraction)),
        ),
        grew(
            guardians.open_shares.0,
            guardians.open.0,
            got(
                (guardians.open.0, guardians.open_fraction),
                (now.open.0, now.open_fraction),
            ),
        ),
        demand(now.waiting == guardians.waiting, || format!("{now:?} of {guardians:?}")),
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
    let told = int(done.guardians.0) == all_claims(&before.market) && int(done.suppliers.0) == owed;
    let income = &books.equity_sources;
    let own = positive(Int::from(income.paid_in) + after_reserve(facts, &before) - income.standby.0);
    let own = int(done.protocol.0) == own;
    let void = all_claims(after) == int(0) && after.books.guardians.shares.0 == 0;
    let written = books.pool.debt_shares.0 - after.books.pool.debt_shares.0;
    let square = after.books.backstop.debt_shares.0 == 0 && after.books.pool.cash == books.pool.cash;
    demand(
        empty && told && own && void && written == done.shares.0 + netted(&before, done.shares.0) && square,
        || format!("{done:?} of {:?}", books.backstop),
    )
}

/// The most that collateral may be worth.
pub(super) fn highest(view: &crate::facts::View) -> Option<Int> {
    let averages = (&view.own_ema).max(view.ema.as_ref()?);
    Some((&view.spot).max(&view.guarded).max(averages) + (&view.high - &view.spot))
}

/// A settlement with inventory left.
fn in_part(facts: &Facts, before: &crate::State, done: &Settlement) -> Verdict {
    let (books, after) = (&before.market.books, &facts.step.after.market.books);
    let view = priced(facts)?;
    // Rounded up; and what the pool owed the backstop has been netted.
    let worth = ceil(&(highest(view)? * books.backstop.inventory.0), &one());
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
        && after.equity_sources == books.equity_sources;
    let square = after.backstop.cash.0 == 0 && after.pool.cash == books.pool.cash && view.level == 0;
    let counted = done.inventory == books.backstop.inventory && after.recovery.inventory == done.inventory;
    demand(exact && stand && square && counted, || {
        format!("{done:?} of {:?}: {lacking} is lacking", books.backstop)
    })
}

/// Reserve after the pool's debt to the backstop, netted against the backstop's debt just before, is added: whole
/// atoms.
fn after_reserve(facts: &Facts, before: &crate::State) -> Int {
    let due = int(before.market.books.pool.reserves_owed.raw()) >> 64u32;
    let owed = facts.debt(before.market.books.backstop.debt_shares);
    int(before.market.books.backstop.reserve.0) + due.min(owed)
}

/// Debt shares that this netting canceled.
fn netted(before: &crate::State, written: u64) -> u64 {
    before.market.books.backstop.debt_shares.0 - written
}

fn taken_out(facts: &Facts, _: &History) -> Verdict {
    let Done::EquityWithdrawal(done) = facts.done()? else {
        return None;
    };
    let announced = &facts.step.before.market.announced_withdrawal;
    let open = (announced.opens_at..=announced.closes_at).contains(&facts.now);
    let before = accrued(facts)?;
    let left = releasable(facts, &before) - done.amount.0 - all_claims(&before.market);
    let fine = open && is_fresh(facts, &before) && done.amount == announced.amount && left >= int(0);
    demand(fine, || format!("{done:?} of {announced:?} leaves {left}"))
}

fn gains_first(facts: &Facts, _: &History) -> Verdict {
    let Done::EquityWithdrawal(done) = facts.done()? else {
        return None;
    };
    let before = accrued(facts)?;
    let books = &before.market.books;
    let left = releasable(facts, &before) - done.amount.0 - all_claims(&before.market);
    let capital =
        positive(Int::from(books.equity_sources.paid_in) + books.backstop.reserve.0 - books.equity_sources.standby.0);
    let expected = books.equity_sources.paid_in - positive(capital - left).min(int(done.amount.0));
    let paid_in = facts.step.after.market.books.equity_sources.paid_in;
    demand(Int::from(paid_in) == expected, || format!("{paid_in}, not {expected}"))
}

fn credits(facts: &Facts, _: &History) -> Verdict {
    let (call, done) = facts.call_done()?;
    let keeper = match call {
        Call::Liquidate { keeper, .. } | Call::LiquidateBatch { keeper, .. } | Call::Claim { keeper } => Some(*keeper),
        _ => None,
    };
    every((0..KEEPERS).map(|at| {
        let [before, after] = [&facts.step.before, &facts.step.after].map(|state| state.ledgers[at].credit.0);
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
    let [before, after] = [&facts.step.before, &facts.step.after].map(|state| &state.market.books);
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

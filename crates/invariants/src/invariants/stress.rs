//! Limits of the backstop: the stress cover, the pipeline, and their purpose.

use super::{Invariant, Verdict, demand, every, path, priced};
use crate::{
    ACCOUNTS, Call, Done, State,
    cover::{
        Under, admission_fall, brute_force, covers, covers_from, exact_cover, overstatement, requested, rounding,
        thresholds, under, underwater, volatile_fall,
    },
    exact::{Int, ceil, floor, int, whole},
    facts::{Facts, Standing, View, accrued, pipeline, pipeline_headroom, rounded_headroom, standing, stored_lowest},
    history::History,
    perform::perform,
};
use breakwater_engine::{Collateral, DebtShares, Market, Quote, Result, backstop::capacity::StressBalanceSheet};

pub(super) const INVARIANTS: &[Invariant] = &[
    Invariant {
        name: "kept-sums-are-the-bands",
        statement: "The two sums that the liquidation map keeps are those over its bands from the threshold on, each share with the collateral of its band's upper edge, to the last bit.",
        check: |facts, _| {
            let map = &facts.step.after.market.map;
            let [low, high] = map.under_weight;
            let kept = Under {
                shares: map.under_shares.0,
                weight: (int(high) << 64) + low,
            };
            let counted = under(&map.bands, usize::try_from(map.threshold).unwrap_or(usize::MAX));
            demand(kept == counted, || format!("{kept:?} kept, {counted:?} counted"))
        },
    },
    Invariant {
        name: "cover-is-the-sum",
        statement: "At S_base and at the S of admission, S_base and the volatility's part within the largest, the stress cover told is cash, reserves owed and inventory at q, less the backstop's debt, unfunded credits and what the bands under water at q lack, to the atom.",
        check: |facts, _| match statements(facts)? {
            Ok(told) => every(told.iter().map(|(fall, told)| sum(facts, *fall, told))),
            Err(error) => demand(false, || format!("{error:?}")),
        },
    },
    Invariant {
        name: "underwater-debt-is-never-understated",
        statement: "What the accounts under water at q lack is told as at least what it is, account by account, and at most a band more; in the outermost bands, which hold what lies beyond them, at most as all of the debt.",
        check: |facts, _| {
            let told = statements(facts)?.ok()?;
            every(told.iter().map(|(fall, told)| within_a_band(facts, *fall, told)))
        },
    },
    Invariant {
        name: "new-risk-keeps-the-cover",
        statement: "Nobody borrows, or withdraws against debt, who leaves A, the stress cover of admission less capital that has asked to leave, negative and lower than it was.",
        check: admission,
    },
    Invariant {
        name: "leaving-keeps-the-cover",
        statement: "A guardian leaves with at most the stress cover at S_base; and equity is taken out only if what stays covers the fall of admission, what guardians have asked for not counted.",
        check: exits,
    },
    Invariant {
        name: "leaving-capital-is-not-counted",
        statement: "After a loan, or a withdrawal against debt, the stress cover at admission's fall is at least what all guardians' requests have not been paid yet, or no lower than before.",
        check: not_counted,
    },
    Invariant {
        name: "sentinel-raises-little-and-rests",
        statement: "The sentinel raises the fall of admission by at most ten points, of which nothing is left after six hours; not again before twelve hours have passed; and it changes nothing else.",
        check: raise,
    },
    Invariant {
        name: "take-overs-cost-the-bounty-at-most",
        statement: "A take-over lowers the stress cover by at most the bounty, whether accounts count at their bands' edges or each with its own collateral.",
        check: take_over,
    },
    Invariant {
        name: "partials-stay-within-cover-or-pipeline",
        statement: "After a partial liquidation the stress cover is not negative, or the inventory is at most what the flow limit sells in the pipeline's time.",
        check: partial,
    },
    Invariant {
        name: "pipeline-is-taken-at-once",
        statement: "At Normal, whatever the stress cover: a partial liquidation of the smaller of what is due and (P − inventory) × l ÷ (1 + β) passes whenever that is at least the smaller of the minimum debt and what is due; it takes less only to leave no dust.",
        check: at_once,
    },
    Invariant {
        name: "no-path-costs-suppliers-more-than-the-pipeline",
        statement: "With a stress cover that is not negative, no path of the price that stays above q, without new loans, exits and interest, costs suppliers more than the pipeline × (p − q), the largest discount on what is sold, and bounties; and where the ask stays above q with the discount, it counts only on the debt that partial liquidations took without cover.",
        check: path::suppliers,
    },
];

/// The market's statements of C and of the parts of A, at the prices of a call that was done; and the falls that they
/// should be at.
fn statements(facts: &Facts) -> Option<Result<[(u32, StressBalanceSheet); 2]>> {
    let view = priced(facts)?;
    let market = &facts.step.after.market;
    if view.fallen(market.config.stress_max.0) == int(0) {
        return None;
    }
    let told = market.stress(facts.step.prices.as_ref()?, facts.step.after.clock);
    let falls = [market.config.stress_fall.0, admission_fall(market, facts.now)];
    Some(told.map(|[cover, admission]| [(falls[0], cover), (falls[1], admission)]))
}

/// The state now, with interest up to now.
fn now(facts: &Facts) -> State {
    let mut state = facts.step.after.clone();
    if let Ok(books) = state.market.books_at(state.clock) {
        state.market.books = books;
    }
    state
}

fn sum(facts: &Facts, fall: u32, told: &StressBalanceSheet) -> Verdict {
    let (view, state) = (priced(facts)?, now(facts));
    let counted = covers(&state, &facts.index, view, fall, state.market.map.origin);
    let leaving = requested(&state.market) + announced(facts, &state.market);
    let leaving = leaving.min(int(u64::MAX));
    let fine = told.fall.0 == fall
        && int(told.price.raw()) == view.fallen(fall)
        && counted.contains(&int(told.cover))
        && int(told.leaving.0) == leaving;
    demand(fine, || {
        format!("{told:?} at a fall of {fall}; counted {counted:?}, leaving {leaving}")
    })
}

fn within_a_band(facts: &Facts, fall: u32, told: &StressBalanceSheet) -> Verdict {
    let (view, state) = (priced(facts)?, &facts.step.after);
    let (q, origin) = (view.fallen(fall), state.market.map.origin);
    let exact = brute_force(state, &facts.index, &q);
    let near = thresholds(&view.lowest, fall, &facts.index, origin);
    let lowest = *near.first()?;
    let more = overstatement(state, &facts.index, &q, lowest);
    let told = int(told.underwater.0) << 64;
    // Which band q ÷ index is in is known to a two thousandth of the debt that may be on the edge.
    let edge = state
        .accounts
        .iter()
        .map(|account| &facts.index * account.debt_shares.0 / 2_000);
    let fine = &told + edge.sum::<Int>() >= exact && told <= &exact + more;
    demand(fine, || {
        format!(
            "{told} told, {exact} is the sum, {:?}",
            underwater(&under(&state.recount(), lowest), origin, &facts.index, &q)
        )
    })
}

/// A before and after, for each band that q ÷ index may be in.
fn admissions(facts: &Facts, view: &View) -> Option<Vec<(Int, Int)>> {
    let (before, after) = (accrued(facts)?, &facts.step.after);
    let (fall, origin) = (admission_fall(&after.market, facts.now), after.market.map.origin);
    let of = |state: &State| {
        let leaving = requested(&state.market) + announced(facts, &state.market);
        covers(state, &facts.index, view, fall, origin)
            .into_iter()
            .map(move |cover| cover - &leaving)
    };
    Some(of(&before).zip(of(after)).collect())
}

fn admission(facts: &Facts, _: &History) -> Verdict {
    let (account, view) = match facts.call_done()?.0 {
        Call::Borrow { account, .. } | Call::WithdrawCollateral { account, .. } => (*account, priced(facts)?),
        _ => return None,
    };
    if !facts.step.after.accounts[account].has_debt() {
        return None;
    }
    let pairs = admissions(facts, view)?;
    let kept = |(before, after): &(Int, Int)| *after >= int(0) || after >= before;
    demand(pairs.iter().any(kept), || format!("before and after: {pairs:?}"))
}

fn exits(facts: &Facts, _: &History) -> Verdict {
    let after = &facts.step.after;
    let (call, done) = facts.call_done()?;
    let (fall, asked) = match (call, done) {
        // Who gets nothing takes nothing.
        (_, Done::GuardianWithdrawn(done)) if done.amount.0 == 0 => return None,
        (Call::GuardianWithdraw { guardian, .. }, _) => (own_fall(facts, *guardian), int(0)),
        // Guardians who asked to leave come first.
        (_, Done::EquityWithdrawal(_)) => (volatile_fall(&after.market), requested(&after.market)),
        _ => return None,
    };
    let covers = covers_from(
        after,
        &facts.index,
        &stored_lowest(after),
        fall,
        after.market.map.origin,
    );
    demand(
        covers.is_empty() || covers.iter().any(|cover| cover - &asked >= int(0)),
        || format!("{covers:?}, and {asked} asked for"),
    )
}

/// S of a request, ten thousandths: what it was when asked, falling from its opening to nothing in the time that it was
/// given, rounded up.
pub(super) fn own_fall(facts: &Facts, guardian: usize) -> u32 {
    let position = &facts.step.before.guardians[guardian];
    let release = i64::from(position.release);
    let left = (release - (facts.now - position.opens_at)).clamp(0, release);
    let fall = ceil(&(int(position.fall.0) * left), &int(release.max(1)));
    u32::try_from(fall).unwrap_or(u32::MAX)
}

/// A loan or a withdrawal against debt counts no capital that has asked to leave, request by request: what is covered
/// without it, or was covered by less before.
fn not_counted(facts: &Facts, _: &History) -> Verdict {
    let (Call::Borrow { account, .. } | Call::WithdrawCollateral { account, .. }, view) =
        (facts.call_done()?.0, priced(facts)?)
    else {
        return None;
    };
    let (before, after) = (accrued(facts)?, &facts.step.after);
    let guardians = &after.market.books.guardians;
    let unpaid = after.guardians.iter().filter_map(|position| {
        let position = position.in_epoch(guardians.epoch);
        position.unpaid(guardians).ok()
    });
    let unpaid: Int = unpaid.map(|unpaid| int(unpaid.0)).sum();
    if unpaid == int(0) || !after.accounts[*account].has_debt() {
        return None;
    }
    let (fall, origin) = (admission_fall(&after.market, facts.now), after.market.map.origin);
    let [before, after] = [&before, after].map(|state| covers(state, &facts.index, view, fall, origin));
    let kept = |(before, after): (&Int, &Int)| *after >= unpaid || after >= before;
    demand(before.is_empty() || before.iter().zip(&after).any(kept), || {
        format!("{before:?} and {after:?} with {unpaid} asked for")
    })
}

fn raise(facts: &Facts, history: &History) -> Verdict {
    let Done::StressRaised(done) = facts.done()? else {
        return None;
    };
    let [before, after] = [&facts.step.before, &facts.step.after].map(|state| &state.market);
    let rested = history.raised.is_none_or(|at| facts.now >= at + 12 * 3_600);
    let alone = Market {
        stress_raise: before.stress_raise,
        ..*after
    };
    let fine = (1..=1_000).contains(&done.points.0)
        && rested
        && alone == *before
        && admission_fall(after, facts.now) == volatile_fall(before) + done.points.0
        && admission_fall(after, facts.now + 6 * 3_600) == volatile_fall(before);
    demand(fine, || format!("{done:?} after one at {:?}", history.raised))
}

fn take_over(facts: &Facts, _: &History) -> Verdict {
    let view = priced(facts)?;
    let bounties: Int = facts.liquidations().map(|(_, _, done)| int(done.bounty.0)).sum();
    facts.liquidations().next()?;
    if facts.liquidations().any(|(_, _, done)| !done.taken_over) {
        return None;
    }
    let (before, after) = (accrued(facts)?, &facts.step.after);
    let (fall, origin) = (facts.config.stress_fall.0, after.market.map.origin);
    let of = |state| covers(state, &facts.index, view, fall, origin);
    let pairs: Vec<_> = of(&before).into_iter().zip(of(after)).collect();
    let slack = rounding(&view.fallen(fall), &facts.index) * facts.liquidations().count();
    let kept = |(before, after): &(Int, Int)| after + &bounties + &slack >= *before;
    let q = view.fallen(fall);
    let exactly = [&before, after].map(|state| exact_cover(state, &facts.index, &q) >> 64u32);
    let own = kept(&(exactly[0].clone(), exactly[1].clone()));
    demand(own && (pairs.is_empty() || pairs.iter().any(kept)), || {
        format!("before and after: {pairs:?}, exactly {exactly:?}, bounties of {bounties}")
    })
}

fn partial(facts: &Facts, _: &History) -> Verdict {
    let view = priced(facts)?;
    // Of a batch the last one tells: those before it left the same or more.
    let (_, _, last) = facts.liquidations().last()?;
    if last.taken_over {
        return None;
    }
    let after = &facts.step.after;
    let covers = covers(
        after,
        &facts.index,
        view,
        facts.config.stress_fall.0,
        after.market.map.origin,
    );
    let covered = covers.iter().any(|cover| *cover >= int(0));
    let (n, d) = pipeline(facts.config, view);
    let inventory = after.market.books.backstop.inventory.0;
    demand(covered || d * inventory <= n, || {
        format!("a cover of {covers:?}, and an inventory of {inventory}")
    })
}

/// True if the stress cover is negative, or may be, once `repay` is taken off this account: the band of the rest of it
/// is not known.
pub(super) fn would_be_uncovered(facts: &Facts, account: usize, repay: &Int, penalty: u32) -> bool {
    let (Some(mut state), Some(view)) = (accrued(facts), priced(facts)) else {
        return false;
    };
    let margin = &mut state.accounts[account];
    let narrow = |number: Int| u64::try_from(number).unwrap_or(u64::MAX);
    let shares = narrow(floor(&(repay << 64), &facts.index)).min(margin.debt_shares.0);
    let worth = repay * (10_000 + penalty);
    let seized = narrow(floor(&(worth << 64), &(whole() * &view.settled))).min(margin.collateral.0);
    margin.debt_shares = DebtShares(margin.debt_shares.0 - shares);
    margin.collateral = Collateral(margin.collateral.0 - seized);
    let left = *margin;
    let (config, backstop) = (facts.config, &mut state.market.books.backstop);
    backstop.debt_shares = DebtShares(backstop.debt_shares.0 + shares);
    backstop.inventory = Collateral(backstop.inventory.0 + seized);
    let bounty = (repay * config.bounty_share.0 / whole() + config.bounty_tip.0).min(int(config.bounty_cap.0));
    backstop.unfunded_credits = Quote(backstop.unfunded_credits.0 + narrow(bounty.min(repay * penalty / 20_000)));
    // In the band below its ratio or the next: a band is 2.2% of what its collateral counts for.
    let origin = facts.step.after.market.map.origin;
    let map = &state.market.map;
    state.accounts[account].place = map.place(left.debt_shares, map.band(left.debt_shares, left.collateral));
    let q = view.fallen(config.stress_fall.0);
    let slack = rounding(&q, &facts.index) + ((&q * left.collateral.0) >> 64u32) * 23 / 1_000;
    let covers = covers(&state, &facts.index, view, config.stress_fall.0, origin);
    covers.iter().any(|cover| *cover < slack)
}

/// Tries every account that is due a partial liquidation.
fn at_once(facts: &Facts, _: &History) -> Verdict {
    priced(facts)?;
    let (state, config) = (&facts.step.after, facts.config);
    let view = View::of(state);
    if facts.now < state.market.pauses.liquidate {
        return None;
    }
    every((0..ACCOUNTS).map(|account| {
        let margin = &state.accounts[account];
        let due = margin.has_debt() && standing(facts, &view, margin) == Standing::Partial;
        if !due || margin.last_risk_slot == state.clock.slot || view.level != 0 {
            return None;
        }
        let mut clone = state.clone();
        let result = perform(&mut clone, &Call::Liquidate { keeper: 0, account }).result;
        if View::of(&clone).level != 0 {
            return None;
        }
        let (debt, value) = (facts.debt(margin.debt_shares), view.settled_value(margin.collateral));
        let penalty = floor(&((&value - &debt) * whole()), &debt).min(int(config.penalty.0));
        let penalty = u32::try_from(penalty).unwrap_or(0);
        // At Normal spot and guarded price are one.
        let divisor = whole() * whole() - int(config.target_ltv.0) * (10_000 + penalty);
        let needed = ceil(&((&debt * whole() - &value * config.target_ltv.0) * whole()), &divisor).min(debt.clone());
        let smallest = int(config.min_debt.0);
        let wanted = if &debt - &needed < smallest {
            debt.clone()
        } else {
            needed
        };
        let (n, d) = pipeline_headroom(state, &view, penalty);
        let headroom = floor(&n, &d) - rounded_headroom(&view);
        let least = (&wanted).min(&smallest).clone();
        if headroom < least {
            return None;
        }
        // No dust is left, unless the cut would be a crumb otherwise.
        let largest = &debt - &smallest;
        let cut = if largest < least {
            headroom
        } else {
            headroom.min(largest)
        };
        let expected = wanted.min(cut);
        let fine = match &result {
            Ok(Done::Liquidated(done)) => int(done[0].1.repaid.0) >= expected,
            _ => false,
        };
        demand(fine, || {
            format!("account {account} should be reduced of {expected}: {result:?}")
        })
    }))
}

/// Equity that the protocol has announced to take out, until its time is over.
fn announced(facts: &Facts, market: &Market) -> u64 {
    let announced = &market.announced_withdrawal;
    if facts.now > announced.closes_at {
        0
    } else {
        announced.amount.0
    }
}

//! Promises to suppliers.

use super::{Invariant, Verdict, demand, every};
use crate::{
    Call, Done,
    exact::{Int, ceil, floor, int, one, positive, trunc, whole},
    facts::Facts,
    history::History,
};
use breakwater_engine::{Error, Pool};

pub(super) const INVARIANTS: &[Invariant] = &[
    Invariant {
        name: "lp-share-never-loses",
        statement: "An LP share is never worth less than before, but by the loss that a settlement records.",
        check: |facts, _| {
            if matches!(facts.done(), Some(Done::Settled(_))) {
                return None;
            }
            let [(assets, shares), (assets_after, shares_after)] =
                [&facts.step.before, &facts.step.after].map(|state| worth(&state.market.books.pool));
            demand(&assets_after * &shares >= &assets * &shares_after, || {
                format!("{assets} atoms for {shares} shares became {assets_after} for {shares_after}")
            })
        },
    },
    Invariant {
        name: "index-never-falls",
        statement: "The index that turns debt shares into debt never falls.",
        check: |facts, _| {
            let [before, after] = indices(facts);
            if before == after {
                return None;
            }
            demand(after > before, || format!("{before} became {after}"))
        },
    },
    Invariant {
        name: "interest-follows-the-rate",
        statement: "Debt grows by the two-slope rate at the utilization before, compounded over the time that passed, and by nothing else.",
        check: interest,
    },
    Invariant {
        name: "backstop-earns-the-reserve-factor",
        statement: "Of all interest exactly the reserve factor becomes the backstop's, within 2^-49 of an atom and in favor of the suppliers.",
        check: reserve,
    },
    Invariant {
        name: "suppliers-feel-no-liquidation",
        statement: "A liquidation leaves what belongs to the suppliers as it was, but for a few atoms of rounding in their favor.",
        check: unfelt,
    },
    Invariant {
        name: "outflow-is-bounded",
        statement: "In any stretch of time suppliers take out on balance at most outflow_limit × (1 + stretch ÷ outflow_window) of what the pool held, and what had come lately when it began; and never more than the pool's cash.",
        check: outflow,
    },
    Invariant {
        name: "caps-hold",
        statement: "After a supply the pool is within its cap; after a loan its debt and the account's are within theirs.",
        check: caps,
    },
    Invariant {
        name: "books-never-break",
        statement: "No call is refused because its numbers do not fit or because the books would contradict themselves, unless it names 2^48 atoms or more.",
        check: |facts, _| {
            let call = facts.step.call.as_ref()?;
            if largest(call) >= 1 << 48 {
                return None;
            }
            demand(
                !matches!(facts.step.result, Err(Error::Overflow | Error::InvariantViolated)),
                || format!("{:?}", facts.step.result),
            )
        },
    },
];

fn indices(facts: &Facts) -> [Int; 2] {
    [&facts.step.before, &facts.step.after].map(|state| int(state.market.books.pool.index.raw()))
}

/// Cash and debt less what is due to the backstop, quote atoms with 64 fractional bits.
fn assets(pool: &Pool, index: &Int) -> Int {
    (int(pool.cash.0) << 64) + index * pool.debt_shares.0 - int(pool.reserves_owed.raw())
}

/// Pair that shares are priced from, virtual ones included: whole atoms, and shares.
fn worth(pool: &Pool) -> (Int, Int) {
    let assets = trunc(&assets(pool, &int(pool.index.raw())));
    (assets + 1, int(pool.lp_supply.0) + 1_000)
}

fn interest(facts: &Facts, _: &History) -> Verdict {
    let (before, after) = (&facts.step.before.market, &facts.step.after.market);
    let pool = &before.books.pool;
    let seconds = after.books.pool.accrued_at - pool.accrued_at;
    let [old, new] = indices(facts);
    if seconds > 30 * 86_400 {
        // Longer is several steps, at a rate each.
        return None;
    }
    if seconds == 0 || pool.debt_shares.0 == 0 {
        let wrong = || format!("the index moved from {old} to {new} in no time, or of no debt");
        return (old != new).then(|| Err(wrong()));
    }
    let config = &before.config;
    let debt = trunc(&(&old * pool.debt_shares.0));
    let used = floor(&(&debt * whole()), &positive(&debt + pool.cash.0).max(int(1)));
    let kink = config.interest_kink.0;
    let sloped = if used <= int(kink) {
        floor(&(&used * config.interest_slope_low.0), &int(kink))
    } else {
        floor(&((&used - kink) * config.interest_slope_high.0), &int(10_000 - kink)) + config.interest_slope_low.0
    };
    let rate = sloped + config.interest_base.0;
    // x = n ÷ d. 1 + x ≤ e^x ≤ 1 + x + x² for x below one; and at most some units of the last place are lost.
    let (n, d) = (rate * seconds, whole() * 31_536_000);
    let least = &old + floor(&(&old * &n), &d) - 4;
    let most = ceil(&(&old * (&d * &d + &n * &d + &n * &n)), &(&d * &d));
    demand(least <= new && new <= most, || {
        format!("{old} became {new}, not between {least} and {most}")
    })
}

fn reserve(facts: &Facts, _: &History) -> Verdict {
    let (before, after) = (&facts.step.before.market, &facts.step.after.market);
    let [old, new] = indices(facts);
    let [epoch, later] = [before, after].map(|market| market.books.guardians.epoch);
    if old == new || epoch != later || matches!(facts.done(), Some(Done::Settled(_))) {
        return None;
    }
    let (pool, backstop) = (&before.books.pool, &before.books.backstop);
    let paid = int(after.books.backstop.reserve.0) - backstop.reserve.0;
    let got = (paid << 64) + after.books.pool.reserves_owed.raw() - pool.reserves_owed.raw();
    let due = (new - old) * pool.debt_shares.0 * before.config.reserve_factor.0;
    let most = floor(&due, &whole());
    demand(got <= most && got >= &most - (1 << 15), || {
        format!("the backstop got {got} of {most}, in units of 2^-64 atoms")
    })
}

fn unfelt(facts: &Facts, _: &History) -> Verdict {
    let Done::Liquidated(done) = facts.done()? else {
        return None;
    };
    let count = done.len() * 3;
    let accrued = facts.step.before.market.books_at(facts.step.after.clock).ok()?.pool;
    let pool = &facts.step.after.market.books.pool;
    let gained = assets(pool, &facts.index) - assets(&accrued, &facts.index);
    // A share is worth less than an atom; so is each rounding.
    let most = int(count) * (&facts.index).max(&one());
    demand(int(0) <= gained && gained <= most, || {
        format!("the suppliers gained {gained} units of 2^-64 atoms")
    })
}

fn outflow(facts: &Facts, history: &History) -> Verdict {
    let Done::Withdrawn(done) = facts.done()? else {
        return None;
    };
    let config = facts.config;
    let before = facts.step.before.market.books_at(facts.step.after.clock).ok()?.pool;
    let cash = demand(done.amount <= before.cash, || {
        format!("{done:?} out of {:?}", before.cash)
    });
    if config.outflow_limit.0 >= 10_000 {
        return cash;
    }
    let (limit, window) = (i128::from(config.outflow_limit.0), i128::from(config.outflow_window));
    let now = facts.now;
    let (mut net, mut held, mut count) = (0, 0, 0);
    let bounded = history.outflows.iter().rev().map(|flow| {
        (net, held, count) = (net + flow.net, held.max(flow.held), count + 1);
        let stretch = i128::from(now - flow.at);
        let most = held * limit * (window + stretch) + flow.lately * 10_000 * window;
        // Each time an atom may go whatever the limit, and one more is forgotten.
        demand((net - 2 * count) * 10_000 * window <= most, || {
            format!(
                "{net} atoms left in {stretch} seconds, of {held}, and {} had come",
                flow.lately
            )
        })
    });
    every([cash].into_iter().chain(bounded))
}

fn caps(facts: &Facts, _: &History) -> Verdict {
    let (config, pool) = (facts.config, &facts.step.after.market.books.pool);
    match facts.call_done()? {
        (Call::Supply { .. }, _) => {
            let held = trunc(&assets(pool, &facts.index));
            demand(held <= int(config.supply_cap.0), || format!("{held} atoms in the pool"))
        }
        (Call::Borrow { account, .. }, _) => {
            let owed = facts.debt(facts.step.after.accounts[*account].debt_shares);
            let all = facts.debt(pool.debt_shares);
            let fine = owed <= int(config.account_debt_cap.0) && all <= int(config.debt_cap.0);
            demand(fine, || format!("{owed} of {all} atoms owed"))
        }
        _ => None,
    }
}

/// The largest amount that a call names.
fn largest(call: &Call) -> u64 {
    match *call {
        Call::Supply { amount, .. }
        | Call::Borrow { amount, .. }
        | Call::Repay { amount, .. }
        | Call::Fund { amount }
        | Call::GuardianDeposit { amount, .. }
        | Call::GuardianWithdraw { amount, .. }
        | Call::QueueEquityWithdrawal { amount, .. } => amount.0,
        Call::Deposit { amount, .. } | Call::WithdrawCollateral { amount, .. } | Call::Buy { amount } => amount.0,
        Call::Withdraw { shares, .. } => shares.0,
        Call::BuyFor { budget, .. } => budget.0,
        Call::GuardianRequest { shares, .. } => shares.0,
        Call::DonateQuote { amount } | Call::DonateCollateral { amount } => amount,
        Call::Tighten { to, .. } => to,
        _ => 0,
    }
}

//! At what pace and price inventory is sold.

use super::{Invariant, Verdict, demand, every, priced};
use crate::{
    Call, Done, Stage,
    exact::{ceil, int, whole},
    facts::Facts,
    history::History,
    perform::perform,
};
use breakwater_engine::{Clock, oracle::Purpose};

pub(super) const INVARIANTS: &[Invariant] = &[
    Invariant {
        name: "unwind-flow-is-bounded",
        statement: "In any stretch of time at most unwind_max_rate × (stretch + unwind_burst) atoms of inventory are sold, whatever anyone does.",
        check: |facts, history| {
            let Done::Sold(_) = facts.done()? else {
                return None;
            };
            let (rate, burst) = (
                i128::from(facts.config.unwind_max_rate),
                i128::from(facts.config.unwind_burst),
            );
            every(History::stretches(&history.sales).map(|(stretch, sum, _)| {
                demand(sum <= rate * (stretch + burst), || {
                    format!("{sum} atoms in {stretch} seconds")
                })
            }))
        },
    },
    Invariant {
        name: "ask-stays-above-its-floors",
        statement: "Inventory is sold no lower than the floor below the higher average, nor than the largest discount off the upper end of the confidence interval; while Guarded, no lower than the highest of spot, guarded price and averages, and the confidence on top.",
        check: floors,
    },
    Invariant {
        name: "ask-is-no-higher-than-the-premium",
        statement: "The ask is at most the largest premium above the price it starts from, unless the floor is higher.",
        check: |facts, _| {
            let Done::Sold(sale) = facts.done()? else {
                return None;
            };
            let (view, config) = (priced(facts)?, facts.config);
            let start = start(facts)?;
            let premium = ceil(&(start * (10_000 + config.unwind_max_premium.0)), &whole());
            let trend = view.ema.as_ref()?.max(&view.average);
            let floor = ceil(&(trend * (10_000 - config.unwind_floor_band.0)), &whole());
            demand(int(sale.ask.raw()) <= premium.max(floor), || format!("{sale:?}"))
        },
    },
    Invariant {
        name: "purchase-pays-the-ask",
        statement: "A buyer pays the ask for every atom, rounded up to the next quote atom, and never more than the budget or limit that the buyer named.",
        check: |facts, _| {
            let (call, Done::Sold(sale)) = facts.call_done()? else {
                return None;
            };
            let exact = int(sale.ask.raw()) * sale.amount.0;
            let due = ceil(&exact, &(int(1) << 64));
            let budget = match call {
                Call::BuyFor { budget, .. } => budget.0,
                _ => u64::MAX,
            };
            demand(int(sale.cost.0) == due && sale.cost.0 <= budget, || {
                format!("{sale:?} for a budget of {budget}")
            })
        },
    },
    Invariant {
        name: "waiting-never-raises-the-ask",
        statement: "At unchanged prices and without sales the ask is no higher a minute later, or an hour.",
        check: waiting,
    },
    Invariant {
        name: "proceeds-pay-debt-first",
        statement: "What a buyer pays, what is given to the backstop and what guardians put in pays its debt to the pool first: it is cash only when no debt is left.",
        check: |facts, _| {
            let (received, repaid) = match facts.done()? {
                Done::Sold(sale) => (sale.cost, sale.repaid),
                Done::Funded(funding) => (funding.amount, funding.repaid),
                Done::GuardianDeposited(deposit) => (deposit.amount, deposit.repaid),
                _ => return None,
            };
            let before = facts.step.before.market.books_at(facts.step.after.clock).ok()?;
            let owed = facts.debt(before.backstop.debt_shares);
            let cash = facts.step.after.market.books.backstop.cash.0 - before.backstop.cash.0;
            let due = int(received.0).min(owed);
            demand(int(repaid.0) == due && cash == received.0 - repaid.0, || {
                format!("{repaid:?} of {due} paid with {received:?}, {cash} kept")
            })
        },
    },
];

/// The price that the schedule starts from: the upper end of the confidence interval, or while Guarded the highest of all
/// prices and the confidence on top.
fn start(facts: &Facts) -> Option<crate::exact::Int> {
    let view = priced(facts)?;
    if view.level == 0 {
        return Some(view.high.clone());
    }
    let highest = (&view.spot)
        .max(&view.guarded)
        .max(&view.average)
        .max(view.ema.as_ref()?);
    Some(highest + (&view.high - &view.spot))
}

fn floors(facts: &Facts, _: &History) -> Verdict {
    let Done::Sold(sale) = facts.done()? else {
        return None;
    };
    let (view, config) = (priced(facts)?, facts.config);
    let ask = int(sale.ask.raw());
    let trend = view.ema.as_ref()?.max(&view.average);
    let floor = trend * (10_000 - config.unwind_floor_band.0);
    let discount = if view.level == 0 {
        config.unwind_max_discount.0
    } else {
        0
    };
    let least = start(facts)? * (10_000 - discount);
    demand(&ask * whole() >= floor && &ask * whole() >= least, || {
        format!("{sale:?} with a floor of {floor} and a least ask of {least}, times 10,000")
    })
}

fn waiting(facts: &Facts, _: &History) -> Verdict {
    priced(facts)?;
    let stage = &facts.step.after;
    if stage.market.books.backstop.inventory.0 == 0 {
        return None;
    }
    let mut market = stage.market;
    let prices = market
        .accept_prices(&stage.readings, Purpose::Trade, stage.clock)
        .ok()?;
    let ask = |seconds: i64| {
        let clock = Clock {
            unix: stage.clock.unix + seconds,
            ..stage.clock
        };
        market.offer(&prices, clock).map(|offer| offer.ask)
    };
    let asks = [ask(0).ok()?, ask(60).ok()?, ask(3_600).ok()?];
    demand(asks.is_sorted_by(|sooner, later| later <= sooner), || {
        format!("{asks:?}")
    })
}

/// What one call after another brings about, on a copy.
pub(super) fn in_turn(stage: &Stage, calls: &[Call]) -> Option<(Stage, Vec<Done>)> {
    let mut stage = stage.clone();
    let done = calls
        .iter()
        .map(|call| perform(&mut stage, call).result.ok())
        .collect::<Option<_>>()?;
    Some((stage, done))
}

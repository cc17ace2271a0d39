//! At what pace and price inventory is sold.

use super::{Invariant, Verdict, demand, every, priced};
use crate::{
    Call, Done, State,
    exact::{ceil, int, whole},
    facts::Facts,
    history::History,
    perform::perform,
};
use breakwater_engine::{Clock, price::oracle::PriceUse};

pub(super) const INVARIANTS: &[Invariant] = &[
    Invariant {
        name: "one-flow-is-bounded",
        statement: "In any stretch of time at most what the flow limit, k × market_depth ÷ the higher EMA of each moment, takes the stretch and auction_burst for leaves the collateral vault for any reason but owners' own withdrawals; so at most the largest flow in it × (stretch + auction_burst).",
        check: |facts, history| {
            let left = facts.step.after.collateral_vault < facts.step.before.collateral_vault;
            if !left || matches!(facts.call_done()?.0, Call::WithdrawCollateral { .. }) {
                return None;
            }
            if facts.view.is_none() {
                return demand(false, || "collateral left without a price".to_owned());
            }
            let burst = i64::from(facts.config.auction_burst);
            let mut taken = int(0);
            every(history.departures.iter().rev().map(|(at, seconds)| {
                taken += seconds;
                let stretch = facts.now - at;
                demand(taken <= int(stretch + burst) << 32, || {
                    format!("the flow of {taken} × 2^-32 seconds in {stretch}")
                })
            }))
        },
    },
    Invariant {
        name: "ask-stays-above-its-floors",
        statement: "Inventory is sold no lower than the floor below the higher EMA, nor than the largest discount off the upper end of the confidence interval; while Guarded, no lower than the highest of spot, guarded price and averages, and the confidence on top.",
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
            let premium = ceil(&(start * (10_000 + config.auction_max_premium.0)), &whole());
            let trend = view.ema.as_ref()?.max(&view.own_ema);
            let floor = ceil(&(trend * (10_000 - config.auction_floor_band.0)), &whole());
            demand(int(sale.ask.raw()) <= premium.max(floor), || format!("{sale:?}"))
        },
    },
    Invariant {
        name: "purchase-pays-the-ask",
        statement: "A buyer pays the mean of the ask before and after for every atom, rounded up to the next quote atom, and never more than the budget that the buyer named, nor for less than the least.",
        check: |facts, _| {
            let (call, Done::Sold(sale)) = facts.call_done()? else {
                return None;
            };
            let exact = int(sale.ask.raw()) * sale.amount.0;
            let due = ceil(&exact, &(int(1) << 64));
            let (budget, least) = match call {
                Call::BuyFor { budget, min_amount } => (budget.0, min_amount.0),
                Call::Buy { amount } => (u64::MAX, amount.0),
                _ => (u64::MAX, 0),
            };
            let [first, last] = asks(facts)?;
            let mean = (first + last + 1) >> 1u32;
            let fine = int(sale.ask.raw()) == mean && int(sale.cost.0) == due;
            demand(fine && sale.cost.0 <= budget && sale.amount.0 >= least, || {
                format!("{sale:?} for a budget of {budget}, at a mean of {mean}")
            })
        },
    },
    Invariant {
        name: "discount-is-for-those-who-could-buy",
        statement: "The discount has grown for no longer than since the last reading at which nobody could have it.",
        check: |facts, history| {
            let Done::Sold(sale) = facts.done()? else {
                return None;
            };
            let (view, config) = (priced(facts)?, facts.config);
            let grown = int(facts.now - history.doubted?) * config.auction_slope.0;
            let least = start(facts)? * (whole() * 3_600 - grown);
            demand(
                view.level != 0 || int(sale.ask.raw()) * whole() * 3_600 >= least,
                || format!("{sale:?}, doubted at {:?}", history.doubted),
            )
        },
    },
    Invariant {
        name: "waiting-never-raises-the-ask",
        statement: "At unchanged prices and without sales the ask is no higher a minute later, or an hour.",
        check: waiting,
    },
    Invariant {
        name: "proceeds-pay-keepers-then-debt",
        statement: "What a buyer pays, what is given to the backstop and what guardians put in funds keepers' credits first, then pays its debt to the pool, then what was written off: it is cash only when none of that is left.",
        check: |facts, _| {
            let (received, repaid, recovered) = match facts.done()? {
                Done::Sold(sale) => (sale.cost, sale.repaid, sale.recovered.0),
                Done::Funded(funding) => (funding.amount, funding.repaid, funding.recovered.0),
                Done::GuardianDeposited(deposit) => (deposit.amount, deposit.repaid, 0),
                _ => return None,
            };
            let before = facts.step.before.market.books_at(facts.step.after.clock).ok()?;
            let (old, new) = (&before.backstop, &facts.step.after.market.books.backstop);
            let funded = received.0.min(old.unfunded_credits.0);
            let owed = facts.debt(old.debt_shares);
            let due = int(received.0 - funded).min(owed);
            let fine = int(repaid.0) == due
                && new.funded_credits.0 == old.funded_credits.0 + funded
                && new.unfunded_credits.0 == old.unfunded_credits.0 - funded
                && new.cash.0 - old.cash.0 == received.0 - funded - repaid.0 - recovered;
            demand(fine, || {
                format!("{received:?} should fund {funded} and pay {due}: {old:?} became {new:?}")
            })
        },
    },
];

/// Asks of the schedule before and after the sale.
pub(super) fn asks(facts: &Facts) -> Option<[crate::exact::Int; 2]> {
    let (before, after) = (&facts.step.before.market, &facts.step.after);
    let mut sold = before.books.auction;
    let mut market = *before;
    let prices = market
        .accept_prices(&after.readings.shown(), PriceUse::Sell, after.clock)
        .ok()?;
    let first = market.offer(&prices, after.clock).ok()?.ask;
    sold.anchor = after.market.books.auction.anchor;
    market.books.auction = sold;
    let last = market.offer(&prices, after.clock).ok()?.ask;
    Some([int(first.raw()), int(last.raw())])
}

/// The price that the schedule starts from: the upper end of the confidence interval, or while Guarded the highest of
/// all prices and the confidence on top.
fn start(facts: &Facts) -> Option<crate::exact::Int> {
    let view = priced(facts)?;
    if view.level == 0 {
        return Some(view.high.clone());
    }
    let highest = (&view.spot)
        .max(&view.guarded)
        .max(&view.own_ema)
        .max(view.ema.as_ref()?);
    Some(highest + (&view.high - &view.spot))
}

fn floors(facts: &Facts, _: &History) -> Verdict {
    let Done::Sold(sale) = facts.done()? else {
        return None;
    };
    let (view, config) = (priced(facts)?, facts.config);
    let ask = int(sale.ask.raw());
    let trend = view.ema.as_ref()?.max(&view.own_ema);
    let floor = trend * (10_000 - config.auction_floor_band.0);
    let discount = if view.level == 0 {
        config.auction_max_discount.0
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
    let state = &facts.step.after;
    if state.market.books.backstop.inventory.0 == 0 {
        return None;
    }
    let mut market = state.market;
    let prices = market
        .accept_prices(&state.readings.shown(), PriceUse::Sell, state.clock)
        .ok()?;
    let ask = |seconds: i64| {
        let clock = Clock {
            unix: state.clock.unix + seconds,
            ..state.clock
        };
        market.offer(&prices, clock).map(|offer| offer.ask)
    };
    let asks = [ask(0).ok()?, ask(60).ok()?, ask(3_600).ok()?];
    demand(asks.is_sorted_by(|sooner, later| later <= sooner), || {
        format!("{asks:?}")
    })
}

/// Effects of one call after another, on a copy.
pub(super) fn in_turn(state: &State, calls: &[Call]) -> Option<(State, Vec<Done>)> {
    let mut state = state.clone();
    let done = calls
        .iter()
        .map(|call| perform(&mut state, call).result.ok())
        .collect::<Option<_>>()?;
    Some((state, done))
}

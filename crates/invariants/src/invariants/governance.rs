//! How parameters change.

use super::{Invariant, Verdict, demand, every};
use crate::{
    Call,
    exact::int,
    facts::{Facts, liquidation_ltv},
    history::History,
};
use breakwater_engine::{Parameter, config::Tighter};

pub(super) const INVARIANTS: &[Invariant] = &[
    Invariant {
        name: "parameters-only-tighten",
        statement: "Without the timelock no parameter changes but the one that is tightened, in the direction that only limits; and the parameters stay valid.",
        check: tightening,
    },
    Invariant {
        name: "depth-halves-in-a-day-at-most",
        statement: "Without the timelock the market's depth, which carries all sales, is never lowered below half of what it was before any such lowering of the last 24 hours.",
        check: |facts, history| {
            let Call::Tighten { parameter, .. } = facts.step.call.as_ref()? else {
                return None;
            };
            facts.done()?;
            (*parameter == Parameter::market_depth.id()).then_some(())?;
            let depth = u128::from(facts.step.after.market.config.market_depth.0);
            let lately = history.lowered.iter().filter(|(at, _)| facts.now - at < 86_400);
            every(lately.map(|(at, from)| {
                demand(depth * 2 >= u128::from(*from), || {
                    format!("{depth} where it was {from} {} seconds ago", facts.now - at)
                })
            }))
        },
    },
    Invariant {
        name: "liquidation-ltv-moves-slowly",
        statement: "The liquidation LTV moves by at most 1% of the collateral's value a day, not within three days of an announcement, and no announcement moves it at once.",
        check: ramp,
    },
];

fn tightening(facts: &Facts, _: &History) -> Verdict {
    let [before, after] = [&facts.step.before, &facts.step.after].map(|state| &state.market.config);
    let changed = |parameter: &&Parameter| parameter.get(before) != parameter.get(after);
    let mut changed = Parameter::ALL.iter().filter(changed);
    let (first, others) = (changed.next(), changed.count());
    match facts.step.call.as_ref()? {
        Call::Tighten { parameter, .. } => {
            let first = first?;
            let (from, to) = (first.get(before), first.get(after));
            let limits = match first.tighter() {
                Tighter::Lower => to < from,
                Tighter::Higher => to > from,
                Tighter::Neither => false,
            };
            let fine = others == 0 && first.id() == *parameter && limits && after.validate().is_ok();
            demand(fine, || format!("{} went from {from} to {to}", first.name()))
        }
        // The liquidation LTV becomes what the last ramp has brought it to.
        Call::AnnounceLtv { .. } if facts.step.result.is_ok() => demand(
            others == 0 && first.is_none_or(|first| *first == Parameter::liquidation_ltv),
            || format!("{first:?} changed"),
        ),
        _ => first.map(|first| Err(format!("{} changed", first.name()))),
    }
}

fn ramp(facts: &Facts, _: &History) -> Verdict {
    let (before, after) = (&facts.step.before, &facts.step.after);
    let announced = matches!(facts.step.call, Some(Call::AnnounceLtv { .. })) && facts.step.result.is_ok();
    let ((n, d), (m, e)) = (liquidation_ltv(before), liquidation_ltv(after));
    let seconds = after.clock.unix - before.clock.unix;
    if (&n, &d) == (&m, &e) && !announced {
        return None;
    }
    // |m/e − n/d| ≤ seconds × 100 ÷ 86,400, and one basis point where an announcement rounds.
    let moved = (&m * &d - &n * &e).magnitude() * 86_400u32;
    let most = (int(seconds) * 100 + i32::from(announced) * 86_400) * &d * &e;
    let early = announced && after.market.ramp.starts_at < after.clock.unix + 3 * 86_400;
    demand(int(moved) <= most && !early, || {
        format!("from {n} ÷ {d} to {m} ÷ {e} in {seconds} seconds, too early: {early}")
    })
}

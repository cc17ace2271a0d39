//! Which prices are believed, and what doubt stops.

use super::{Invariant, Verdict, demand, every};
use crate::{
    Call, Done,
    exact::{ceil, int, whole},
    facts::{Facts, may_give_way, since, suffices, used},
    history::History,
};
use breakwater_engine::{Error, Pricing};

pub(super) const INVARIANTS: &[Invariant] = &[
    Invariant {
        name: "publish-times-never-go-back",
        statement: "The newest publish time that a market knows of a feed never goes back, unless that reading was ahead of the clock and gives way to one that is not: after as long as a price may be old to one that is newer than the one before it, after five minutes to any.",
        check: |facts, _| {
            facts.step.call.as_ref()?;
            let [before, after] = [&facts.step.before, &facts.step.after].map(|state| {
                let newest = &state.market.oracle.known.newest;
                [newest.collateral, newest.quote]
            });
            every(before.iter().zip(&after).map(|(before, after)| {
                let gave_way = may_give_way(&facts.step.before, before, after.published);
                demand(after.published >= before.published || gave_way, || {
                    format!("{} became {}", before.published, after.published)
                })
            }))
        },
    },
    Invariant {
        name: "ahead-of-the-clock-once",
        statement: "Once a reading ahead of the clock has given way, none that is ahead of the clock is accepted that was published up to max_age_long after it, until what is known has passed it; so each counts once at most.",
        check: |facts, history| {
            facts.step.call.as_ref()?;
            let [before, after] = [&facts.step.before, &facts.step.after].map(|state| {
                let newest = &state.market.oracle.known.newest;
                [newest.collateral.published, newest.quote.published]
            });
            let age = i64::from(facts.config.max_age_long);
            let bars = history.gave_way.iter().zip(before.iter().zip(&after));
            let new = bars.filter(|(gone, (before, after))| *before < *gone && after > before && **after > facts.now);
            let mut new = new.peekable();
            new.peek()?;
            every(
                new.map(|(gone, (_, after))| {
                    demand(*after > gone + age, || format!("{after} although {gone} gave way"))
                }),
            )
        },
    },
    Invariant {
        name: "a-living-feed-is-kept",
        statement: "Who observes a reading that is young enough, not ahead of the clock and newer than what is known of its feed has it known afterwards, whatever the other feed: also where that is too old for a price.",
        check: |facts, _| {
            if !matches!(facts.step.call, Some(Call::Observe)) {
                return None;
            }
            if !matches!(facts.step.result, Ok(_) | Err(Error::PriceTooOld)) {
                return None;
            }
            let shown = facts.step.before.readings.shown();
            let [before, after] =
                [&facts.step.before, &facts.step.after].map(|state| &state.market.oracle.known.newest);
            let pairs = [
                (shown.collateral, &before.collateral, &after.collateral),
                (shown.quote, &before.quote, &after.quote),
            ];
            let young = 0..=i64::from(facts.config.max_age_long);
            let mut newer = pairs.iter().filter_map(|(shown, before, after)| {
                let time = shown.as_ref()?.publish_time;
                (young.contains(&(facts.now - time)) && time > before.published).then_some((time, after.published))
            });
            let mut newer = newer.by_ref().peekable();
            newer.peek()?;
            every(
                newer.map(|(shown, known)| {
                    demand(known >= shown, || format!("{shown} was shown, and {known} is known"))
                }),
            )
        },
    },
    Invariant {
        name: "no-stale-price",
        statement: "No price is used that is older than the call allows, counted from when it was published, or accepted if that was earlier; nor one whose feeds were published further apart than max_skew.",
        check: |facts, _| {
            facts.view.as_ref()?;
            let config = facts.config;
            let oldest = match facts.step.call.as_ref()? {
                Call::Observe | Call::Liquidate { .. } | Call::LiquidateBatch { .. } => config.max_age_long,
                _ => config.max_age_short,
            };
            let (collateral, quote) = used(facts.touched);
            let age = facts.now - since(facts.touched);
            let skew = collateral.publish_time.abs_diff(quote.publish_time);
            every([
                demand(age <= i64::from(oldest), || format!("{age} seconds old")),
                demand(skew <= u64::from(config.max_skew), || format!("{skew} seconds apart")),
            ])
        },
    },
    Invariant {
        name: "nobody-is-refused-for-order",
        statement: "Who shows two readings of about one moment that are young enough is not refused for their age or order, whatever anybody showed before.",
        check: |facts, _| {
            let usage = match facts.step.call.as_ref()? {
                Call::Observe | Call::Liquidate { .. } | Call::LiquidateBatch { .. } => facts.config.max_age_long,
                Call::Borrow { .. } | Call::Buy { .. } | Call::BuyFor { .. } => facts.config.max_age_short,
                _ => return None,
            };
            let error = facts.step.result.as_ref().err()?;
            let refused = matches!(error, Error::PriceTooOld | Error::FeedsTooFarApart);
            demand(!(refused && suffices(&facts.step.before, usage)), || {
                format!("{error:?} at {:?}", facts.step.before.readings)
            })
        },
    },
    Invariant {
        name: "reference-keeps-its-velocity",
        statement: "The guard's reference moves by at most max_velocity × the seconds since it last moved, of which no more than velocity_horizon count, and only on readings that are not too uncertain.",
        check: velocity,
    },
    Invariant {
        name: "own-ema-follows-slowly",
        statement: "The market's own own_ema moves towards the guarded price at a price later than the last, and only then, by its part of the time since: elapsed ÷ (own_ema_seconds + elapsed).",
        check: own_ema,
    },
    Invariant {
        name: "breaker-rises-at-once",
        statement: "An accepted reading leaves the market at the level that its doubts and the emergency halt ask for, or above.",
        check: |facts, _| {
            let view = facts.view.as_ref()?;
            demand(view.level >= view.asked, || {
                format!("level {} where {} is asked for", view.level, view.asked)
            })
        },
    },
    Invariant {
        name: "breaker-falls-after-calm",
        statement: "What prices have brought about holds for calm_seconds without a cause, and ends only at a price later than the last.",
        check: |facts, _| {
            facts.view.as_ref()?;
            let [before, after] = [&facts.step.before, facts.touched].map(|state| &state.market.guard);
            if after.breaker_level >= before.breaker_level {
                return None;
            }
            let calm = facts.now - before.caused_at >= i64::from(facts.config.calm_seconds);
            let later = since(facts.touched) > before.priced_at;
            demand(calm && later, || {
                format!(
                    "from {} to {}, last caused at {}",
                    before.breaker_level, after.breaker_level, before.caused_at
                )
            })
        },
    },
    Invariant {
        name: "nothing-is-dealt-when-halted",
        statement: "Nobody borrows, is liquidated or buys, and no loss is settled at a price, while the market is Halted, or at a reading whose confidence is above the hard limit, or while the market is halted by hand.",
        check: |facts, _| {
            let dealt = matches!(
                facts.done()?,
                Done::Borrowed(_) | Done::Liquidated(_) | Done::Sold(_) | Done::Settled(_)
            );
            let view = facts.view.as_ref().filter(|_| dealt)?;
            demand(view.asked < 2 && view.level < 2, || "dealt while Halted".to_owned())
        },
    },
    Invariant {
        name: "halt-is-short-and-cools-down",
        statement: "An emergency halt or a pause holds for at least a second and at most halt_seconds, and rests halt_cooldown seconds before the next of its kind.",
        check: emergency_halts,
    },
    Invariant {
        name: "pauses-stop-their-kind",
        statement: "What is paused is not done, what is not paused is not refused as if it were, and leaving, repaying and adding collateral are never stopped by a pause, an emergency halt or a level.",
        check: pauses,
    },
];

fn velocity(facts: &Facts, _: &History) -> Verdict {
    let view = facts.view.as_ref()?;
    let [before, after] = [&facts.step.before, facts.touched].map(|state| &state.market.guard);
    let (old, new) = (int(before.reference.raw()), int(after.reference.raw()));
    if old == int(0) {
        return demand(new == view.spot || new == int(0), || {
            format!("the first reference is {new}")
        });
    }
    let config = facts.config;
    let elapsed = (facts.now - before.moved_at).clamp(0, i64::from(config.velocity_horizon));
    let most = ceil(&(&old * config.max_velocity.0 * elapsed), &whole()) + 1;
    demand(int((&new - &old).magnitude().clone()) <= most, || {
        format!("{old} became {new} in {elapsed} seconds, further than {most}")
    })
}

fn own_ema(facts: &Facts, _: &History) -> Verdict {
    let view = facts.view.as_ref()?;
    let [before, after] = [&facts.step.before, facts.touched].map(|state| &state.market.guard);
    let (old, new) = (int(before.own_ema.raw()), int(after.own_ema.raw()));
    let elapsed = facts.now - before.own_ema_at;
    if old == int(0) || since(facts.touched) <= before.priced_at || after.own_ema_at == before.own_ema_at {
        return demand(old == new || old == int(0), || {
            format!("{old} became {new} at no later price")
        });
    }
    let total = elapsed + i64::from(facts.config.own_ema_seconds);
    if elapsed >= 1 << 20 {
        return None;
    }
    // Old + (guarded − old) × elapsed ÷ total, rounded towards old.
    let off = &new * total - (&old * total + (&view.guarded - &old) * elapsed);
    let towards = if view.guarded >= old { -off } else { off };
    demand(int(0) <= towards && towards < int(total), || {
        format!("{old} became {new} on {} after {elapsed} seconds", view.guarded)
    })
}

fn emergency_halts(facts: &Facts, _: &History) -> Verdict {
    let (until, before) = match facts.call_done()? {
        (_, Done::EmergencyHalted(pull)) => (pull.until, vec![facts.step.before.market.guard.halt_until]),
        (Call::Pause { kinds, .. }, Done::Paused(pause)) => {
            let paused = paused_until(facts);
            let paused = paused.iter().enumerate().filter(|(bit, _)| kinds >> bit & 1 == 1);
            (pause.until, paused.map(|(_, until)| *until).collect())
        }
        _ => return None,
    };
    let config = facts.config;
    let holds = until - facts.now;
    let rested = before
        .iter()
        .all(|before| *before == 0 || facts.now >= before + i64::from(config.halt_cooldown));
    demand((1..=i64::from(config.halt_seconds)).contains(&holds) && rested, || {
        format!("holds {holds} seconds, after one until {before:?}, now {}", facts.now)
    })
}

/// Until when each kind is paused, in the order of the kinds' bits.
fn paused_until(facts: &Facts) -> [i64; 6] {
    let pauses = &facts.step.before.market.pauses;
    [
        pauses.supply,
        pauses.borrow,
        pauses.withdraw,
        pauses.liquidate,
        pauses.sell,
        pauses.guardian_deposit,
    ]
}

fn pauses(facts: &Facts, _: &History) -> Verdict {
    let call = facts.step.call.as_ref()?;
    let kind = match call {
        Call::Supply { .. } => Some(0),
        Call::Borrow { .. } => Some(1),
        Call::WithdrawCollateral { account, .. } => facts.step.before.accounts[*account].has_debt().then_some(2),
        Call::Liquidate { .. } | Call::LiquidateBatch { .. } => Some(3),
        Call::Buy { .. } | Call::BuyFor { .. } => Some(4),
        Call::GuardianDeposit { .. } => Some(5),
        _ => None,
    };
    let error = facts.step.result.as_ref().err();
    let paused = kind.is_some_and(|kind| facts.now < paused_until(facts)[kind]);
    let free = matches!(
        call,
        Call::Withdraw { .. } | Call::Repay { .. } | Call::Deposit { .. } | Call::Fund { .. } | Call::Claim { .. }
    ) || matches!(call, Call::Settle) && !facts.step.before.market.needs_prices(Pricing::Settle);
    let stopped = matches!(
        error,
        Some(Error::ActionPaused | Error::MarketHalted | Error::MarketGuarded | Error::ConfidenceTooWide)
    );
    every([
        kind.and_then(|_| {
            let fine = if paused {
                error.is_some()
            } else {
                error != Some(&Error::ActionPaused)
            };
            demand(fine, || format!("paused: {paused}, and the call gave {error:?}"))
        }),
        free.then(|| {
            if stopped {
                Err(format!("stopped: {error:?}"))
            } else {
                Ok(())
            }
        }),
    ])
}

//! Who is liquidated and who is not, and when.

use super::{Invariant, Verdict, demand, every, priced};
use crate::{
    ACCOUNTS, Call, Done, State,
    exact::{Int, ceil, int, positive, whole},
    facts::{Facts, Standing, View, pipeline_headroom, rounded_headroom, standing, suffices},
    history::History,
    perform::perform,
};
use breakwater_engine::{Config, Error, MarginAccount};

pub(super) const INVARIANTS: &[Invariant] = &[
    Invariant {
        name: "healthy-accounts-stay",
        statement: "Nobody is liquidated whose debt is not above the liquidation LTV at spot and at the guarded price.",
        check: |facts, _| {
            let view = priced(facts)?;
            every(facts.liquidations().map(|(_, account, _)| {
                demand(standing(facts, view, account) != Standing::Healthy, || {
                    format!("{account:?} was liquidated at {}", view.judged)
                })
            }))
        },
    },
    Invariant {
        name: "unhealthy-accounts-can-be-liquidated",
        statement: "Whenever a price is accepted, every account above its liquidation LTV can be liquidated, unless what stops it is true: the pipeline, its own slot or rest, the guarded limit, a pause, a level, prices too far apart, or collateral below the debt at the lower of them.",
        check: |facts, _| probes(facts, Standing::Partial),
    },
    Invariant {
        name: "take-overs-always-pass",
        statement: "Whenever a price is accepted, every account at or above the take-over LTV can be taken over, whatever the stress cover, the pipeline, the guarded limit or the gap between the prices: nothing but the slot of its own loan, a pause, the breaker or an uncertain price stops it.",
        check: |facts, _| probes(facts, Standing::TakeOver),
    },
    Invariant {
        name: "take-overs-go-whole",
        statement: "An account at or above the take-over LTV is taken over whole, all debt and all collateral that the margin's limit does not leave; and no other is recorded as taken over.",
        check: |facts, _| {
            let view = priced(facts)?;
            every(facts.liquidations().map(|(_, account, done)| {
                let whole = standing(facts, view, account) == Standing::TakeOver;
                // Something is left only of more margin than a take-over takes.
                let most = facts.config.takeover_penalty;
                let all = done.collateral_after.0 == 0 || done.penalty == most;
                demand(done.taken_over == whole && (!whole || done.whole && all), || {
                    format!("taken over: {whole}, and {done:?}")
                })
            }))
        },
    },
    Invariant {
        name: "judged-high-settled-low",
        statement: "A liquidation is settled at the lower of spot and guarded price, though judged at the higher; of a partial one the two are at most max_gap apart, and the collateral is worth the debt at the lower.",
        check: |facts, _| {
            let view = priced(facts)?;
            every(facts.liquidations().map(|(_, account, done)| {
                let settled = int(done.price.raw()) == view.settled;
                let covered = view.settled_value(account.collateral) >= facts.debt(account.debt_shares);
                let near = done.taken_over || covered && !view.gap_too_wide(facts.config);
                demand(settled && near, || {
                    format!("{done:?} between {} and {}", view.settled, view.judged)
                })
            }))
        },
    },
    Invariant {
        name: "liquidation-improves-or-closes",
        statement: "Every liquidation leaves the account without debt, or with no more debt for each atom of collateral than before, within one share and one atom.",
        check: |facts, _| {
            let Some(Done::Liquidated(_)) = facts.done() else {
                return None;
            };
            every((0..ACCOUNTS).map(|at| {
                let (old, new) = (&facts.step.before.accounts[at], &facts.step.after.accounts[at]);
                if old == new || !new.has_debt() {
                    return (old != new).then_some(Ok(()));
                }
                let worse = int(new.debt_shares.0 - 1) * old.collateral.0;
                demand(worse <= int(old.debt_shares.0) * (int(new.collateral.0) + 1), || {
                    format!("{old:?} became {new:?}")
                })
            }))
        },
    },
    Invariant {
        name: "no-liquidation-in-the-slot-of-a-loan",
        statement: "An account that borrowed, or withdrew against debt, in a slot is not liquidated in that slot.",
        check: |facts, _| {
            facts.done()?;
            every(facts.liquidations().map(|(_, account, _)| {
                demand(account.last_risk_slot != facts.step.after.clock.slot, || {
                    format!("{account:?}")
                })
            }))
        },
    },
    Invariant {
        name: "guarded-steps-keep-their-pace",
        statement: "While Guarded at most guarded_close_factor of its debt, or the minimum debt, is taken off an account at once, refilled over guarded_refill, unless it is taken over or dust would be left; and what is taken uses up no more than its part.",
        check: |facts, _| {
            priced(facts).filter(|view| view.level == 1)?;
            every(facts.liquidations().map(|(_, account, done)| {
                if done.taken_over {
                    return None;
                }
                let own = Own::of(facts.config, facts.now, account, facts.debt(account.debt_shares));
                let dust = own.is_full() && &own.debt - &own.step < int(facts.config.min_debt.0);
                let paced = dust || int(done.repaid.0) <= own.headroom();
                let noted = facts
                    .step
                    .after
                    .accounts
                    .iter()
                    .find(|after| (after.owner, after.id) == (account.owner, account.id))
                    .is_some_and(|after| int(after.stepped_until) == own.until(done.repaid.0));
                demand(paced && noted, || {
                    format!("{account:?} at {}, noted: {noted}", facts.now)
                })
            }))
        },
    },
    Invariant {
        name: "guarded-flow-is-bounded",
        statement: "In any stretch of time, guarded steps take at most guarded_flow × (stretch + guarded_window) ÷ guarded_window off accounts.",
        check: |facts, history| {
            priced(facts).filter(|view| view.level == 1)?;
            facts.liquidations().next()?;
            let (flow, window) = (
                i128::from(facts.config.guarded_flow.0),
                i128::from(facts.config.guarded_window),
            );
            every(History::stretches(&history.steps).map(|(stretch, sum, _)| {
                demand(sum * window <= flow * (stretch + window), || {
                    format!("{sum} atoms in {stretch} seconds")
                })
            }))
        },
    },
];

/// The pace of one account's guarded steps, in quote atoms and microseconds since 1970.
struct Own {
    debt: Int,
    /// Amount that may be taken at once.
    step: Int,
    refill: Int,
    now: Int,
    /// Up to where it is used.
    used: Int,
}

impl Own {
    fn of(config: &Config, now: i64, account: &MarginAccount, debt: Int) -> Self {
        let part = &debt * config.guarded_close_factor.0 / whole();
        let now: Int = int(now) * 1_000_000;
        Self {
            debt,
            step: part.max(int(config.min_debt.0)),
            refill: int(config.guarded_refill) * 1_000_000,
            used: int(account.stepped_until).max(now.clone()),
            now,
        }
    }

    fn is_full(&self) -> bool {
        self.used == self.now
    }

    /// Amount that may be taken now.
    fn headroom(&self) -> Int {
        let left = &self.now + &self.refill - &self.used;
        positive(left) * &self.step / &self.refill
    }

    /// Up to where it is used once so much is taken.
    fn until(&self, repaid: u64) -> Int {
        &self.used + ceil(&(&self.refill * repaid), &self.step)
    }
}

/// Tries to liquidate every account of this standing, on the state as it now is, and judges what is said against it.
fn probes(facts: &Facts, which: Standing) -> Verdict {
    // A call that was refused may still have accepted a price; what it left is thrown away.
    priced(facts)?;
    let state = &facts.step.after;
    let view = View::of(state);
    every((0..ACCOUNTS).map(|account| {
        let margin = &state.accounts[account];
        if !margin.has_debt() || standing(facts, &view, margin) != which {
            return None;
        }
        let mut clone = state.clone();
        // The price is the one of this second: accepted again it stays what it is.
        let result = perform(&mut clone, &Call::Liquidate { keeper: 0, account }).result;
        let excused = match &result {
            Ok(_) => true,
            Err(error) => excuse(*error, state, margin, &View::of(&clone), facts, which),
        };
        demand(excused, || {
            format!("account {account} is due: {which:?}, and the answer is {result:?}")
        })
    }))
}

/// True if this refusal of a liquidation is justified.
fn excuse(error: Error, state: &State, account: &MarginAccount, view: &View, facts: &Facts, which: Standing) -> bool {
    let (config, now) = (&state.market.config, state.clock.unix);
    let partial = which == Standing::Partial;
    let guarded = view.level == 1 && partial;
    match error {
        Error::BorrowedThisSlot => account.last_risk_slot == state.clock.slot,
        Error::AccountCooldown => {
            let own = Own::of(config, now, account, facts.debt(account.debt_shares));
            guarded && own.headroom() < int(config.min_debt.0)
        }
        // Some of the flow is used.
        Error::GuardedFlowUsed => guarded && state.market.guard.flow_used_until > now * 1_000_000,
        Error::ActionPaused => now < state.market.pauses.liquidate,
        Error::MarketHalted => view.level == 2,
        Error::ConfidenceTooWide => view.asked == 2,
        Error::PriceGapTooWide => partial && view.gap_too_wide(config),
        Error::CollateralBelowDebt => {
            partial && view.settled_value(account.collateral) < facts.debt(account.debt_shares)
        }
        // Whether it could have been less is another promise: `pipeline-is-taken-at-once`.
        Error::PipelineFull => {
            let (n, d) = pipeline_headroom(state, view, config.penalty.0);
            let least = facts.debt(account.debt_shares).min(int(config.min_debt.0));
            partial && n < (least + rounded_headroom(view)) * d
        }
        Error::PriceTooOld | Error::FeedsTooFarApart => !suffices(state, config.max_age_long),
        // Nothing was ever accepted of a feed, and nothing is shown.
        Error::PriceRequired => state.readings.hidden > 0,
        _ => false,
    }
}

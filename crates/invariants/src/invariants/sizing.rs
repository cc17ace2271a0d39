//! How much is taken of an account, and what for.

use super::{Invariant, Verdict, demand, every, priced};
use crate::{
    Call,
    exact::{Int, ceil, floor, int, positive, whole},
    facts::{Facts, Standing, View, standing},
    history::History,
};
use breakwater_engine::{MarginAccount, actions::Liquidation};

pub(super) const INVARIANTS: &[Invariant] = &[
    Invariant {
        name: "no-more-than-the-target-needs",
        statement: "A partial liquidation repays at most what brings the account to the target LTV at the price that it is judged at, rounded up; or all of it, or as much of that as the pipeline or a step allows, if dust would be left.",
        check: |facts, _| {
            every(cuts(facts)?.into_iter().map(|cut| {
                if cut.taken_over {
                    return None;
                }
                let (n, d) = cut.needed_at_most(facts);
                let needed = ceil(&n, &d);
                let dust = &cut.debt - &needed < int(facts.config.min_debt.0);
                let repaid = int(cut.done.repaid.0);
                demand(repaid <= needed || dust && repaid <= cut.debt, || {
                    format!("{repaid} of {}, and {needed} would do", cut.debt)
                })
            }))
        },
    },
    Invariant {
        name: "no-less-than-the-target-needs",
        statement: "At Normal a liquidation repays all that the target LTV needs, unless the stress cover would be negative after it.",
        check: enough,
    },
    Invariant {
        name: "guarded-steps-are-small",
        statement: "While Guarded a step takes at most guarded_close_factor of the debt, or the minimum debt, unless dust would be left, and no more than the target LTV needs.",
        check: small,
    },
    Invariant {
        name: "seizure-within-the-penalty",
        statement: "What is seized is worth, at the price that it is settled at, at most the debt repaid and the penalty; and what a backstop that loses takes is all there is.",
        check: |facts, _| {
            let view = priced(facts)?;
            every(cuts(facts)?.into_iter().map(|cut| {
                let (repaid, seized) = (cut.done.repaid.0, cut.done.seized.0);
                let worth = &view.settled * seized;
                // Of a take-over the penalty is told to a basis point below what was left.
                let told = cut.done.penalty.0 + u32::from(cut.taken_over && cut.done.collateral_after.0 == 0);
                let most = int(repaid) * (10_000 + told);
                let loses = cut.deficit(view) > int(0) && seized == cut.account.collateral.0;
                let slack = if cut.taken_over { whole() } else { int(0) };
                demand(loses || worth * whole() <= (most + slack) << 64, || {
                    format!("{seized} seized for {repaid}")
                })
            }))
        },
    },
    Invariant {
        name: "penalty-is-flat",
        statement: "The penalty of a partial liquidation is β, that of a take-over the largest a take-over takes; but neither is more than what the collateral exceeds the debt by, to the basis point below.",
        check: |facts, _| {
            let (view, config) = (priced(facts)?, facts.config);
            every(cuts(facts)?.into_iter().map(|cut| {
                let wanted = if cut.taken_over {
                    config.takeover_penalty
                } else {
                    config.penalty
                };
                let surplus = positive(view.settled_value(cut.account.collateral) - &cut.debt);
                let due = floor(&(surplus * whole()), &cut.debt).min(int(wanted.0));
                demand(int(cut.done.penalty.0) == due, || {
                    format!("{:?} of {}, not {due} bps", cut.done.penalty, cut.debt)
                })
            }))
        },
    },
    Invariant {
        name: "losses-are-told",
        statement: "What a taken-over account's debt exceeds its collateral by is recorded as the backstop's deficit, to the atom, and no other deficit is.",
        check: |facts, _| {
            let view = priced(facts)?;
            every(cuts(facts)?.into_iter().map(|cut| {
                let (told, deficit) = (int(cut.done.deficit.0), cut.deficit(view));
                demand(told == deficit, || format!("a deficit of {deficit} told as {told}"))
            }))
        },
    },
    Invariant {
        name: "bounty-is-what-was-promised",
        statement: "A bounty is the tip and the keeper's share of the debt repaid, of a take-over of what the collateral pays of it, at most the cap; and of a partial liquidation at most half of the penalty.",
        check: |facts, _| {
            let (view, config) = (priced(facts)?, facts.config);
            every(cuts(facts)?.into_iter().map(|cut| {
                let repaid = int(cut.done.repaid.0);
                let paid = (&repaid).min(&view.settled_value(cut.account.collateral)).clone();
                let share = floor(&(paid * config.bounty_share.0), &whole());
                let earned = (share + config.bounty_tip.0).min(int(config.bounty_cap.0));
                let penalty = floor(&(&repaid * cut.done.penalty.0), &whole());
                let due = if cut.taken_over {
                    earned
                } else {
                    earned.min(penalty / 2)
                };
                demand(int(cut.done.bounty.0) == due, || {
                    format!("{:?}, and the bounty due is {due}", cut.done)
                })
            }))
        },
    },
    Invariant {
        name: "cash-before-debt",
        statement: "The backstop pays with its cash first, and assumes debt only for the rest: it never owes the pool, or keepers, while it has cash.",
        check: |facts, _| {
            let backstop = &facts.step.after.market.books.backstop;
            let owes = backstop.debt_shares.0 > 0 || backstop.unfunded_credits.0 > 0;
            let beside = backstop.cash.0 > 0 && owes;
            every([demand(!beside, || format!("{backstop:?}")), cash_first(facts)])
        },
    },
];

/// A liquidation's part of one account.
struct Cut<'a> {
    account: &'a MarginAccount,
    debt: Int,
    taken_over: bool,
    done: &'a Liquidation,
}

fn cuts<'a>(facts: &'a Facts) -> Option<Vec<Cut<'a>>> {
    let view = priced(facts)?;
    let cuts = facts.liquidations().map(|(_, account, done)| Cut {
        account,
        debt: facts.debt(account.debt_shares),
        taken_over: standing(facts, view, account) == Standing::TakeOver,
        done,
    });
    Some(cuts.collect())
}

impl Cut<'_> {
    /// (D − τV_h) ÷ (1 − τ(1+β)h/l), quote atoms, as a numerator and a denominator; at most D.
    fn needed(&self, facts: &Facts) -> (Int, Int) {
        self.needed_within(facts, 0)
    }

    /// The same with the divisor some units of 10^-8 smaller: the engine rounds h ÷ l and then the divisor, where they
    /// are two prices.
    fn needed_at_most(&self, facts: &Facts) -> (Int, Int) {
        let apart = facts.view.as_ref().is_some_and(|view| view.judged != view.settled);
        self.needed_within(facts, if apart { 2 } else { 0 })
    }

    fn needed_within(&self, facts: &Facts, units: u32) -> (Int, Int) {
        let Some(view) = &facts.view else {
            return (int(0), int(1));
        };
        let target = facts.config.target_ltv.0;
        let excess = &self.debt * whole() - view.value(self.account.collateral) * target;
        // Everything × 10,000² × l.
        let divisor =
            (whole() * whole() - units) * &view.settled - int(target) * (10_000 + self.done.penalty.0) * &view.judged;
        let n = excess * whole() * &view.settled;
        if n > &self.debt * &divisor {
            (self.debt.clone(), int(1))
        } else {
            (n, divisor)
        }
    }

    fn deficit(&self, view: &View) -> Int {
        if self.taken_over {
            positive(&self.debt - view.settled_value(self.account.collateral))
        } else {
            int(0)
        }
    }
}

fn small(facts: &Facts, _: &History) -> Verdict {
    let config = facts.config;
    priced(facts).filter(|view| view.level == 1)?;
    every(cuts(facts)?.into_iter().map(|cut| {
        if cut.taken_over {
            return None;
        }
        let (n, d) = cut.needed_at_most(facts);
        let needed = ceil(&n, &d);
        // An account that would be dust needs all of it.
        let wanted = if &cut.debt - &needed < int(config.min_debt.0) {
            cut.debt.clone()
        } else {
            needed
        };
        let step = (&cut.debt * config.guarded_close_factor.0 / whole()).max(int(config.min_debt.0));
        let dust = &cut.debt - &step < int(config.min_debt.0);
        let repaid = int(cut.done.repaid.0);
        demand((dust || repaid <= step) && repaid <= wanted, || {
            format!(
                "{:?} of {}, a step is {step}, {wanted} wanted",
                cut.done.repaid, cut.debt
            )
        })
    }))
}

fn enough(facts: &Facts, _: &History) -> Verdict {
    let Call::Liquidate { .. } = facts.step.call.as_ref()? else {
        return None;
    };
    priced(facts).filter(|view| view.level == 0)?;
    every(facts.liquidations().zip(cuts(facts)?).map(|((at, _, _), cut)| {
        let (n, d) = cut.needed(facts);
        let repaid = int(cut.done.repaid.0);
        let uncovered = || super::stress::would_be_uncovered(facts, at, &ceil(&n, &d), cut.done.penalty.0);
        demand(&repaid * &d >= n || uncovered(), || format!("{repaid} of {}", cut.debt))
    }))
}

fn cash_first(facts: &Facts) -> Verdict {
    let Call::Liquidate { .. } = facts.step.call.as_ref()? else {
        return None;
    };
    let before = facts.step.before.market.books_at(facts.step.after.clock).ok()?;
    every(facts.liquidations().map(|(_, _, done)| {
        let most = before.backstop.cash.min(done.repaid);
        demand(done.paid_in_cash == most, || format!("{done:?} with {most:?} in cash"))
    }))
}

//! How much is taken of an account, what for, and what the backstop is left with.

use super::{Invariant, Verdict, demand, every, priced};
use crate::{
    Call, Done,
    exact::{Int, ceil, int, positive, whole},
    facts::{Facts, View, debt, equity, room, standing},
    history::History,
};
use breakwater_engine::{Collateral, MarginAccount, Quote};

pub(super) const INVARIANTS: &[Invariant] = &[
    Invariant {
        name: "no-more-than-the-target-needs",
        statement: "A liquidation repays at most what brings the account to the target LTV, rounded up; or all of it, if it is insolvent or dust would be left.",
        check: |facts, _| {
            every(cuts(facts)?.into_iter().map(|cut| {
                if standing(facts, priced(facts)?, cut.account).1 {
                    return None;
                }
                let (n, d) = cut.needed(facts);
                let needed = ceil(&n, &d);
                let dust = &cut.debt - &needed < int(facts.config.min_debt.0);
                let repaid = int(cut.repaid.0);
                demand(repaid <= needed || dust && repaid == cut.debt, || {
                    format!("{repaid} of {}, and {needed} would do", cut.debt)
                })
            }))
        },
    },
    Invariant {
        name: "no-less-than-the-target-needs",
        statement: "At Normal a liquidation against the backstop repays all that the target LTV needs, unless the backstop's room ends before.",
        check: enough,
    },
    Invariant {
        name: "guarded-steps-are-small",
        statement: "While Guarded a step takes at most guarded_step of what the target LTV needs, or the minimum debt, unless dust would be left.",
        check: small,
    },
    Invariant {
        name: "seizure-within-the-penalty",
        statement: "What is seized is worth, at the price of the liquidation, at most the debt repaid and the penalty; and what a backstop that loses takes is all there is.",
        check: |facts, _| {
            let view = priced(facts)?;
            every(cuts(facts)?.into_iter().map(|cut| {
                let worth = &view.liquidation * cut.seized.0;
                let most = int(cut.repaid.0) * (10_000 + cut.penalty);
                let loses = cut.deficit(view) > int(0) && cut.seized == cut.account.collateral;
                demand(loses || worth * whole() <= most << 64, || {
                    format!("{} seized for {}", cut.seized.0, cut.repaid.0)
                })
            }))
        },
    },
    Invariant {
        name: "penalty-within-bounds",
        statement: "A penalty is at most the largest, at most what the collateral exceeds the debt by, and, while Guarded, at most the smallest; against the backstop it is no lower than the smallest unless the collateral does not cover it.",
        check: penalty,
    },
    Invariant {
        name: "penalty-rises-with-the-ltv",
        statement: "At Normal the penalty against the backstop is on the straight line from the liquidation LTV to the insolvency LTV, within two basis points below.",
        check: line,
    },
    Invariant {
        name: "losses-are-told",
        statement: "What an account's debt exceeds its collateral by is recorded as the backstop's deficit, to the atom, and no other deficit is.",
        check: |facts, _| {
            let view = priced(facts)?;
            every(cuts(facts)?.into_iter().map(|cut| {
                let (told, deficit) = (cut.told.clone()?, cut.deficit(view));
                demand(told == deficit, || format!("a deficit of {deficit} told as {told}"))
            }))
        },
    },
    Invariant {
        name: "bounty-within-its-cap",
        statement: "A bounty is at most the tip and the keeper's share of the debt repaid, and at most half of the penalty; for an insolvent account at most the tip, and nothing below the minimum debt.",
        check: bounty,
    },
    Invariant {
        name: "backstop-keeps-its-limits",
        statement: "Unless it took an insolvent account, the backstop is left with net debt of at most leverage × equity and inventory of at most the cap; the bounty is not counted.",
        check: limits,
    },
    Invariant {
        name: "cash-before-debt",
        statement: "The backstop pays with its cash first, and assumes debt only for the rest: it never owes the pool while it has cash.",
        check: |facts, _| {
            let backstop = &facts.step.after.market.books.backstop;
            let beside = backstop.cash.0 > 0 && backstop.debt_shares.0 > 0;
            every([demand(!beside, || format!("{backstop:?}")), cash_first(facts)])
        },
    },
    Invariant {
        name: "others-get-a-slow-discount",
        statement: "What an account loses to others is at most external_slope × the time since the backstop was first found full, and the gap between spot and guarded price.",
        check: discount,
    },
];

/// What was taken of one account.
struct Cut<'a> {
    account: &'a MarginAccount,
    debt: Int,
    repaid: Quote,
    seized: Collateral,
    penalty: u32,
    /// The deficit that was recorded, against the backstop.
    told: Option<Int>,
}

fn cuts<'a>(facts: &'a Facts) -> Option<Vec<Cut<'a>>> {
    if let (Call::LiquidateExternal { account, .. }, Done::ExternallyLiquidated(done)) = facts.call_done()? {
        let account = &facts.step.before.accounts[*account];
        return Some(vec![Cut {
            account,
            debt: facts.debt(account.debt_shares),
            repaid: done.repaid,
            seized: done.seized,
            penalty: done.penalty.0,
            told: None,
        }]);
    }
    let cuts = facts.liquidations().map(|(_, account, done)| Cut {
        account,
        debt: facts.debt(account.debt_shares),
        repaid: done.repaid,
        seized: done.seized,
        penalty: done.penalty.0,
        told: Some(int(done.deficit.0)),
    });
    Some(cuts.collect())
}

impl Cut<'_> {
    /// (D − τV) ÷ (1 − τ(1+β)), quote atoms, as a numerator and a denominator; at most D.
    fn needed(&self, facts: &Facts) -> (Int, Int) {
        let target = facts.config.target_ltv.0;
        let worth = facts
            .view
            .as_ref()
            .map_or(int(0), |view| view.value(self.account.collateral));
        let excess = &self.debt * whole() - worth * target;
        let divisor = whole() * whole() - int(target) * (10_000 + self.penalty);
        let n = excess * whole();
        if n > &self.debt * &divisor {
            (self.debt.clone(), int(1))
        } else {
            (n, divisor)
        }
    }

    fn deficit(&self, view: &View) -> Int {
        positive(&self.debt - view.value(self.account.collateral))
    }
}

fn enough(facts: &Facts, _: &History) -> Verdict {
    let Call::Liquidate { .. } = facts.step.call.as_ref()? else {
        return None;
    };
    let view = priced(facts).filter(|view| view.level == 0)?;
    let mut before = facts.step.before.clone();
    before.market.books = before.market.books_at(facts.step.after.clock).ok()?;
    every(cuts(facts)?.into_iter().map(|cut| {
        let (n, d) = cut.needed(facts);
        let repaid = int(cut.repaid.0);
        let reached = &repaid * &d >= n;
        let (room, unit) = room(&before, &facts.index, view, cut.penalty);
        // Within what rounding the room costs.
        let most = |amount: &Int| (amount + 4) * &unit * 65_537 / 65_536;
        let filled = most(&repaid) >= room;
        // There is no room for all of it, and less would leave dust.
        let spared = &cut.debt - &repaid <= int(facts.config.min_debt.0) && most(&cut.debt) >= room;
        demand(reached || filled || spared, || format!("{repaid} of {}", cut.debt))
    }))
}

fn small(facts: &Facts, _: &History) -> Verdict {
    let (view, config) = (priced(facts).filter(|view| view.level == 1)?, facts.config);
    every(cuts(facts)?.into_iter().map(|cut| {
        if standing(facts, view, cut.account).1 {
            return None;
        }
        let (n, d) = cut.needed(facts);
        let needed = ceil(&n, &d);
        // An account that would be dust needs all of it.
        let wanted = if &cut.debt - &needed < int(config.min_debt.0) {
            cut.debt.clone()
        } else {
            needed
        };
        let step = (wanted * config.guarded_step.0 / whole()).max(int(config.min_debt.0));
        let dust = &cut.debt - &step < int(config.min_debt.0);
        demand(dust || int(cut.repaid.0) <= step, || {
            format!("{:?} of {}, a step is {step}", cut.repaid, cut.debt)
        })
    }))
}

fn penalty(facts: &Facts, _: &History) -> Verdict {
    let (view, config) = (priced(facts)?, facts.config);
    every(cuts(facts)?.into_iter().map(|cut| {
        let worth = view.value(cut.account.collateral);
        let most = if view.level == 0 {
            config.penalty_max.0
        } else {
            config.penalty_min.0
        };
        let covered = int(cut.penalty) * &cut.debt <= positive(&worth - &cut.debt) * whole();
        let least = config.penalty_min.0;
        // Below the smallest only where the next basis point would not be covered.
        let short = int(cut.penalty + 1) * &cut.debt > positive(&worth - &cut.debt) * whole();
        let low = cut.told.is_some() && cut.penalty < least && !short;
        demand(cut.penalty <= most && covered && !low, || {
            format!("{} bps of {} with collateral worth {worth}", cut.penalty, cut.debt)
        })
    }))
}

fn line(facts: &Facts, _: &History) -> Verdict {
    let (view, config) = (priced(facts).filter(|view| view.level == 0)?, facts.config);
    let (ltv_n, ltv_d) = crate::facts::liquidation_ltv(&facts.step.before);
    let from = ceil(&ltv_n, &ltv_d);
    every(facts.liquidations().map(|(_, account, done)| {
        let (debt, worth) = (facts.debt(account.debt_shares), view.value(account.collateral));
        // Of less than this, atoms are too coarse for two basis points.
        if worth < int(1 << 20) {
            return None;
        }
        let span = (int(config.insolvency_ltv.0) - &from) * &worth;
        let above = (&debt * whole() - &from * &worth).min(span.clone());
        let range = config.penalty_max.0 - config.penalty_min.0;
        // In ten thousandths, times the span.
        let wanted = int(config.penalty_min.0) * &span + above * range;
        let cover = positive(&worth - &debt) * whole();
        let high = int(done.penalty.0) * &span <= wanted;
        let near = int(done.penalty.0 + 2) * &span > wanted || int(done.penalty.0 + 2) * &debt > cover;
        demand(high && near, || {
            format!("{} bps of {debt} with collateral worth {worth}", done.penalty.0)
        })
    }))
}

fn bounty(facts: &Facts, _: &History) -> Verdict {
    let config = facts.config;
    every(facts.liquidations().map(|(_, _, done)| {
        let paid = int(done.bounty.0) + done.bounty_unpaid.0;
        let fine = if done.insolvent {
            paid <= int(config.bounty_tip.0) && (paid == int(0) || done.repaid >= config.min_debt)
        } else {
            let share = int(done.repaid.0) * config.bounty_share.0;
            let half = int(done.repaid.0) * done.penalty.0;
            &paid * whole() <= int(config.bounty_tip.0) * whole() + share && paid * 2 * whole() <= half
        };
        demand(fine, || format!("{done:?}"))
    }))
}

fn limits(facts: &Facts, _: &History) -> Verdict {
    let Call::Liquidate { .. } = facts.step.call.as_ref()? else {
        return None;
    };
    let (view, config) = (priced(facts)?, facts.config);
    every(facts.liquidations().map(|(_, _, done)| {
        if done.insolvent {
            return None;
        }
        let (stage, backstop) = (&facts.step.after, &facts.step.after.market.books.backstop);
        // As it was before the bounty, which left cash or added debt; and both sides rounded by an atom or two.
        let equity = equity(stage, &facts.index, &view.stressed) + done.bounty.0 + 3;
        let net = debt(&facts.index, backstop.debt_shares) - backstop.cash.0 - done.bounty.0;
        let fine = net * whole() <= &equity * config.backstop_leverage.0 + whole();
        let within = backstop.inventory <= config.inventory_cap;
        demand(fine && within, || format!("{backstop:?} with equity of {equity}"))
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

fn discount(facts: &Facts, _: &History) -> Verdict {
    let (Call::LiquidateExternal { .. }, Done::ExternallyLiquidated(done)) = facts.call_done()? else {
        return None;
    };
    let (view, config) = (priced(facts)?, facts.config);
    let shortage = &facts.step.before.market.shortage;
    let remembered = shortage.since > 0 && facts.now <= shortage.seen_at + i64::from(config.external_memory);
    let waited = if remembered { facts.now - shortage.since } else { 0 };
    let (low, high) = ((&view.spot).min(&view.guarded), (&view.spot).max(&view.guarded));
    let gap = (high - low) * whole();
    // slope × minutes + gap ÷ low, in ten thousandths, times 60 × low.
    let most = int(config.external_slope.0) * waited * low + gap * 60;
    demand(int(done.penalty.0) * 60 * low <= most, || {
        format!("{} bps after {waited} seconds", done.penalty.0)
    })
}

//! Liquidations while Guarded: a part at a time, at most so much a window for the whole market.

use super::Guard;
use crate::{
    config::Config,
    error::{Error, Result},
    num,
    pace::{self, MICROS, Pace, micros},
    position::MarginAccount,
    sizing::Demand,
    units::{Clock, Quote},
};

/// What guarded liquidations may still take over.
///
/// The flow limit is a pace with a burst: `guarded_flow` at once, refilled over `guarded_window`. So in any time W at
/// most guarded_flow × (W + window) / window quote atoms of debt are taken over in steps.
#[derive(Clone, Copy)]
pub(crate) struct Steps {
    pace: Pace,
    /// Up to where the flow limit is used, and where it ends; microseconds since 1970.
    flow: i64,
    end: i64,
    /// Accounts whose last step was after this one still rest; seconds since 1970.
    rested: i64,
}

impl Steps {
    pub(crate) fn of(config: &Config, guard: &Guard, clock: Clock) -> Result<Self> {
        let now = micros(clock)?;
        Ok(Self {
            pace: Pace {
                atoms: config.guarded_flow.0,
                period: u64::from(config.guarded_window).saturating_mul(MICROS),
            },
            flow: guard.flow.max(now),
            end: pace::after(now, config.guarded_window),
            rested: clock.unix.saturating_sub(i64::from(config.guarded_cooldown)),
        })
    }

    /// What is taken of `wanted` from an account of `debt` now: `guarded_step` of it, but no less than the minimum debt, so
    /// that small accounts are not nibbled at, and all of it if dust would be left; within what the flow limit leaves. A rest
    /// of flow below the minimum debt is none: crumbs would only make accounts rest. Returns it with the mark that the flow
    /// limit is used up to after it.
    ///
    /// # Errors
    /// [`Error::AccountCooling`] within `guarded_cooldown` seconds of the account's last step,
    /// [`Error::GuardedFlowUsed`].
    #[inline(always)]
    #[allow(
        clippy::inline_always,
        reason = "handing the result over costs as much as a good part of the work"
    )]
    pub(crate) fn step(
        &self,
        config: &Config,
        account: &MarginAccount,
        wanted: &Demand,
        debt: Quote,
    ) -> Result<(Quote, i64)> {
        if account.stepped_at > self.rested {
            return Err(Error::AccountCooling);
        }
        let part = Quote(num::part(wanted.repay.0, config.guarded_step)).max(config.min_debt);
        let leaves_dust = debt.0.checked_sub(part.0).is_none_or(|left| left < config.min_debt.0);
        let size = if leaves_dust { wanted.repay } else { part };
        let repay = wanted.most_within(config, debt, size, Error::GuardedFlowUsed)?;
        match self.take(repay) {
            Ok(mark) => Ok((repay, mark)),
            Err(_) => self.rest(config, wanted, debt, size),
        }
    }

    /// As [`Steps::step`], where the flow limit leaves less than a step of this `size`: it takes another division to find out
    /// how much.
    #[cold]
    #[inline(never)]
    fn rest(&self, config: &Config, wanted: &Demand, debt: Quote, size: Quote) -> Result<(Quote, i64)> {
        let left = Quote(self.pace.room(self.flow, self.end));
        if left < size.min(wanted.repay).min(config.min_debt) {
            return Err(Error::GuardedFlowUsed);
        }
        let repay = wanted.most_within(config, debt, size.min(left), Error::GuardedFlowUsed)?;
        Ok((repay, self.take(repay)?))
    }

    /// The mark that the flow limit is used up to once `repay` quote atoms are taken.
    ///
    /// # Errors
    /// [`Error::GuardedFlowUsed`].
    #[inline]
    pub(crate) fn take(&self, repay: Quote) -> Result<i64> {
        self.pace
            .advance(self.flow, self.end, repay.0)
            .ok_or(Error::GuardedFlowUsed)
    }

    /// Records a step that uses the flow limit up to `mark`, which is to be stored.
    #[inline]
    pub(crate) fn record(&mut self, mark: i64) {
        self.flow = mark;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::tests::CONFIG,
        sizing::Extent,
        units::{Bps, DebtShares},
    };
    use proptest::prelude::*;

    const NOW: Clock = Clock { unix: 1_000, slot: 1 };

    /// A step of `part` bps of 400, of an account of `debt` that rested `rested` seconds, with `left` of a flow of 1,000.
    fn step(debt: u64, min_debt: u64, part: u32, rested: i64, left: i64) -> Result<u64> {
        let config = Config {
            min_debt: Quote(min_debt),
            guarded_step: Bps(part),
            guarded_flow: Quote(1_000),
            guarded_window: 1_000,
            ..CONFIG
        };
        let guard = Guard {
            flow: (NOW.unix + 1_000 - left) * 1_000_000,
            ..bytemuck::Zeroable::zeroed()
        };
        let account = MarginAccount {
            stepped_at: NOW.unix - rested,
            ..bytemuck::Zeroable::zeroed()
        };
        let wanted = Demand {
            extent: Extent::Partial,
            repay: Quote(400),
            penalty: Bps(0),
            value: Quote::ZERO,
        };
        let steps = Steps::of(&config, &guard, NOW)?;
        let (repay, _) = steps.step(&config, &account, &wanted, Quote(debt))?;
        Ok(repay.0)
    }

    #[test]
    fn an_account_rests_to_the_second() {
        let cooldown = i64::from(CONFIG.guarded_cooldown);
        assert_eq!(step(1_000, 10, 2_500, cooldown, 1_000), Ok(100));
        assert_eq!(step(1_000, 10, 2_500, cooldown - 1, 1_000), Err(Error::AccountCooling));
    }

    #[test]
    fn a_step_is_no_crumb_and_leaves_no_dust() {
        assert_eq!(step(1_000, 150, 2_500, 99, 1_000), Ok(150), "the minimum debt");
        assert_eq!(step(1_000, 500, 10_000, 99, 1_000), Ok(400), "all that is wanted");
        // A part of 300 leaves 300, which is no dust; of 599 it would leave less, and all that is wanted goes.
        assert_eq!(step(600, 300, 7_500, 99, 1_000), Ok(300));
        assert_eq!(step(599, 300, 7_500, 99, 1_000), Ok(400));
        assert_eq!(step(1_000, 10, 7_500, 99, 120), Ok(120), "the flow's rest");
        assert_eq!(step(1_000, 120, 7_500, 99, 120), Ok(120));
        assert_eq!(step(1_000, 121, 7_500, 99, 120), Err(Error::GuardedFlowUsed));
    }

    proptest! {
        /// A step is found without asking what the flow limit leaves; it must be the one that asking first gives.
        #[test]
        fn a_step_is_the_smaller_of_its_size_and_what_the_flow_limit_leaves(
            debt in 1u64..1 << 40, wanted in 1u64..1 << 40, min_debt in 1u64..1 << 36, part in 1u32..=10_000,
            flow in 1u64..1 << 42, window in 1u32..3_600, used in 0i64..4_000_000_000, whole: bool,
        ) {
            let config = Config {
                min_debt: Quote(min_debt),
                guarded_step: Bps(part),
                guarded_flow: Quote(flow),
                guarded_window: window,
                ..CONFIG
            };
            let guard = Guard { flow: NOW.unix * 1_000_000 + used, ..bytemuck::Zeroable::zeroed() };
            let account = MarginAccount { debt_shares: DebtShares(1), ..bytemuck::Zeroable::zeroed() };
            let wanted = Demand {
                extent: if whole { Extent::Whole } else { Extent::Partial },
                repay: Quote(wanted.min(debt)),
                penalty: Bps(0),
                value: Quote::ZERO,
            };
            let steps = Steps::of(&config, &guard, NOW).unwrap();
            let got = steps.step(&config, &account, &wanted, Quote(debt));

            let left = steps.pace.room(steps.flow, steps.end);
            let part = num::part(wanted.repay.0, config.guarded_step).max(min_debt);
            let size = if debt.saturating_sub(part) < min_debt { wanted.repay.0 } else { part.min(wanted.repay.0) };
            let expected = if left < size.min(min_debt) {
                Err(Error::GuardedFlowUsed)
            } else {
                wanted.within(&config, Quote(debt), Quote(size.min(left)), Error::GuardedFlowUsed)
            };
            match (got, expected) {
                (Ok((repay, mark)), Ok(expected)) => {
                    prop_assert_eq!(wanted.cut_to(repay), expected);
                    prop_assert!(steps.flow < mark && mark <= steps.end);
                }
                (got, expected) => prop_assert_eq!(got.map(|(repay, _)| wanted.cut_to(repay)), expected),
            }
        }
    }
}

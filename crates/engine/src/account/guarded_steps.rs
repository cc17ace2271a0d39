//! Liquidations while Guarded: at a pace of each account, and at one of the whole market.

use crate::{
    account::{position::MarginAccount, sizing::Demand},
    config::Config,
    error::{Error, Result},
    math::{
        num,
        rate_limiter::{self, MICROS, RateLimiter, micros},
        units::{Clock, Quote},
    },
    price::guard::Guard,
};

/// Debt that guarded liquidations may still take over.
///
/// Two paces with a burst, of the market and of each account:
///
/// | | at once | refilled over | refused with |
/// |---|---|---|---|
/// | the market | `guarded_flow` | `guarded_window` | [`Error::GuardedFlowUsed`] |
/// | an account | a step: `guarded_close_factor` of its debt, at least `min_debt` | `guarded_refill` | [`Error::AccountCooldown`] |
///
/// So in any time W at most burst × (W + refill) ÷ refill quote atoms of debt are taken over in steps. An account's
/// pace is used in proportion to the debt taken: a keeper who takes crumbs leaves the rest to others.
#[derive(Clone, Copy)]
pub(crate) struct Steps {
    limiter: RateLimiter,
    /// Up to where the flow limit is used, and where it ends; microseconds since 1970.
    flow: i64,
    end: i64,
    /// Microseconds since 1970.
    now: i64,
    /// In which time an account's step is refilled, and when it is if nothing is left of it now.
    refill: u64,
    refilled: i64,
}

/// A step that may be taken of an account, and what it uses up.
#[derive(Clone, Copy)]
pub(crate) struct Step {
    /// The moment up to which the market's flow limit is used after it, microseconds since 1970.
    pub flow: i64,
    /// The account's pace, and up to where it is used before it.
    own: RateLimiter,
    used: i64,
}

impl Step {
    /// The same step, with the flow limit used up to another moment.
    #[inline]
    pub(crate) fn with_flow(self, flow: i64) -> Self {
        Self { flow, ..self }
    }

    /// The moment up to which the account's pace is used once `repay` quote atoms are taken off it, microseconds
    /// since 1970.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    #[inline]
    pub(crate) fn until(&self, repay: Quote) -> Result<i64> {
        // Where a step would leave dust it is more than fits: the account then rests for longer.
        self.own.advance(self.used, i64::MAX, repay.0).ok_or(Error::Overflow)
    }
}

impl Steps {
    pub(crate) fn of(config: &Config, guard: &Guard, clock: Clock) -> Result<Self> {
        let now = micros(clock)?;
        Ok(Self {
            limiter: RateLimiter {
                atoms: config.guarded_flow.0,
                period: u64::from(config.guarded_window).saturating_mul(MICROS),
            },
            flow: guard.flow_used_until.max(now),
            end: rate_limiter::after(now, config.guarded_window),
            now,
            refill: u64::from(config.guarded_refill).saturating_mul(MICROS),
            refilled: rate_limiter::after(now, config.guarded_refill),
        })
    }

    /// The part of `wanted` that is taken from an account of `debt` now, quote atoms: a step, or its refilled part, and
    /// all of it if dust would be left of the debt; within the rest of the flow limit. Less than the minimum debt is
    /// taken only where no more is wanted. Returns it with what it uses up.
    ///
    /// # Errors
    /// [`Error::AccountCooldown`], [`Error::GuardedFlowUsed`].
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
    ) -> Result<(Quote, Step)> {
        let part = Quote(num::part(debt.0, config.guarded_close_factor)).max(config.min_debt);
        let own = RateLimiter {
            atoms: part.0,
            period: self.refill,
        };
        let used = account.stepped_until.max(self.now);
        let size = if used > self.now {
            self.refilled_of(own, used)
        } else if debt.0.checked_sub(part.0).is_none_or(|left| left < config.min_debt.0) {
            wanted.repay
        } else {
            part
        };
        let repay = wanted.most_within(config, debt, size, Error::AccountCooldown)?;
        let (repay, flow) = match self.take(repay) {
            Ok(used_until) => (repay, used_until),
            Err(_) => self.rest(config, wanted, debt, size)?,
        };
        Ok((repay, Step { flow, own, used }))
    }

    /// Refilled part of an account's step, quote atoms.
    #[cold]
    #[inline(never)]
    fn refilled_of(&self, own: RateLimiter, used: i64) -> Quote {
        Quote(own.headroom(used, self.refilled))
    }

    /// As [`Steps::step`], where the flow limit leaves less than this `size`: it takes another division to find out
    /// how much.
    #[cold]
    #[inline(never)]
    fn rest(&self, config: &Config, wanted: &Demand, debt: Quote, size: Quote) -> Result<(Quote, i64)> {
        let left = Quote(self.limiter.headroom(self.flow, self.end));
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
        self.limiter
            .advance(self.flow, self.end, repay.0)
            .ok_or(Error::GuardedFlowUsed)
    }

    /// Records a step that uses the flow limit up to `mark`, which is to be stored.
    #[inline]
    pub(crate) fn record(&mut self, used_until: i64) {
        self.flow = used_until;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        account::sizing::Extent,
        config::tests::CONFIG,
        math::units::{Bps, DebtShares},
    };
    use proptest::prelude::*;

    const NOW: Clock = Clock { unix: 1_000, slot: 1 };

    /// A step of an account of `debt` of which 400 is wanted, of `part` bps and the rest of it refilled for `refilled`
    /// seconds of 100, with `left` of a flow of 1,000. Returns the debt taken, and for how many microseconds more the
    /// account's pace is used then.
    fn step(debt: u64, min_debt: u64, part: u32, refilled: i64, left: i64) -> Result<(u64, i64)> {
        let config = Config {
            min_debt: Quote(min_debt),
            guarded_close_factor: Bps(part),
            guarded_refill: 100,
            guarded_flow: Quote(1_000),
            guarded_window: 1_000,
            ..CONFIG
        };
        let guard = Guard {
            flow_used_until: (NOW.unix + 1_000 - left) * 1_000_000,
            ..bytemuck::Zeroable::zeroed()
        };
        let account = MarginAccount {
            stepped_until: (NOW.unix + 100 - refilled) * 1_000_000,
            ..bytemuck::Zeroable::zeroed()
        };
        let wanted = Demand {
            extent: Extent::Partial,
            repay: Quote(400),
            penalty: Bps(0),
            value: Quote::ZERO,
        };
        let steps = Steps::of(&config, &guard, NOW)?;
        let (repay, step) = steps.step(&config, &account, &wanted, Quote(debt))?;
        let until = step.until(repay)? - account.stepped_until.max(NOW.unix * 1_000_000);
        Ok((repay.0, until))
    }

    #[test]
    fn a_step_is_refilled_to_the_microsecond() {
        // 250 of 1,000 in 100 seconds.
        assert_eq!(step(1_000, 10, 2_500, 100, 1_000), Ok((250, 100_000_000)));
        assert_eq!(
            step(1_000, 10, 2_500, 5_000, 1_000),
            Ok((250, 100_000_000)),
            "no more in time"
        );
        assert_eq!(step(1_000, 10, 2_500, 50, 1_000), Ok((125, 50_000_000)));
        // 10 take 4 seconds: what is less is no step.
        assert_eq!(step(1_000, 10, 2_500, 4, 1_000), Ok((10, 4_000_000)));
        assert_eq!(step(1_000, 10, 2_500, 3, 1_000), Err(Error::AccountCooldown));
        assert_eq!(step(1_000, 10, 2_500, 0, 1_000), Err(Error::AccountCooldown));
        // Rounded up to a microsecond: 300 in 100 seconds are 333,333.3 for one.
        assert_eq!(step(1_000, 1, 3_000, 1, 1_000), Ok((3, 1_000_000)));
        assert_eq!(step(1_000, 1, 3_000, 100, 1), Ok((1, 333_334)));
    }

    #[test]
    fn a_crumb_leaves_the_rest_of_the_step() {
        // 10 of 250: 240 are left at once.
        assert_eq!(step(1_000, 10, 2_500, 100, 10), Ok((10, 4_000_000)));
        assert_eq!(step(1_000, 10, 2_500, 96, 1_000), Ok((240, 96_000_000)));
    }

    #[test]
    fn a_step_is_no_crumb_and_leaves_no_dust() {
        let taken = |debt, min_debt, part, left| step(debt, min_debt, part, 100, left).map(|(taken, _)| taken);
        assert_eq!(taken(1_000, 350, 2_500, 1_000), Ok(350), "the minimum debt");
        assert_eq!(taken(1_000, 500, 10_000, 1_000), Ok(400), "all that is wanted");
        // A step of 300 leaves 300, which is no dust; of 299 it would leave less, and all that is wanted goes.
        assert_eq!(taken(600, 300, 5_000, 1_000), Ok(300));
        assert_eq!(
            step(599, 300, 5_000, 100, 1_000),
            Ok((400, 133_333_334)),
            "it rests for longer"
        );
        assert_eq!(taken(1_000, 10, 3_000, 120), Ok(120), "the flow's rest");
        assert_eq!(taken(1_000, 120, 3_000, 120), Ok(120));
        assert_eq!(taken(1_000, 121, 3_000, 120), Err(Error::GuardedFlowUsed));
    }

    proptest! {
        /// Whoever takes what and when: what leaves an account in any stretch keeps to its pace.
        #[test]
        fn no_stretch_of_time_takes_more_off_an_account_than_its_pace(
            tries in prop::collection::vec((0i64..200, 1u64..1 << 32, 1u64..1 << 32), 1..60), min_debt in 1u64..1 << 16,
        ) {
            const DEBT: u64 = 1 << 34;
            let config = Config {
                min_debt: Quote(min_debt), guarded_flow: Quote(u64::MAX >> 20), guarded_refill: 300, ..CONFIG
            };
            let mut account: MarginAccount = bytemuck::Zeroable::zeroed();
            let mut taken: std::vec::Vec<(i64, u64)> = std::vec::Vec::new();
            let mut now = NOW.unix;
            for (wait, wanted, pipeline) in tries {
                now += wait;
                let steps = Steps::of(&config, &bytemuck::Zeroable::zeroed(), Clock { unix: now, slot: 0 }).unwrap();
                let wanted = Demand {
                    extent: Extent::Partial, repay: Quote(wanted), penalty: Bps(0), value: Quote::ZERO,
                };
                // The debt stays: with less of it a step is less.
                if let Ok((repay, step)) = steps.step(&config, &account, &wanted, Quote(DEBT)) {
                    let repay = repay.min(Quote(pipeline));
                    account.stepped_until = step.until(repay).unwrap();
                    taken.push((now, repay.0));
                }
            }
            let burst = DEBT / 4;
            for (from, (start, _)) in taken.iter().enumerate() {
                let mut sum = 0;
                for (end, repaid) in &taken[from..] {
                    sum += u128::from(*repaid);
                    let stretch = u128::try_from(end - start).unwrap();
                    prop_assert!(sum * 300 <= u128::from(burst) * (stretch + 300), "{sum} in {stretch}");
                }
            }
        }

        /// A step is found without asking what the flow limit leaves; it must be the one that asking first gives.
        #[test]
        fn a_step_is_the_smaller_of_its_size_and_what_the_flow_limit_leaves(
            debt in 1u64..1 << 40, wanted in 1u64..1 << 40, min_debt in 1u64..1 << 36, part in 1u32..=10_000,
            flow in 1u64..1 << 42, window in 1u32..3_600, used in 0i64..4_000_000_000, whole: bool, stepped in 0i64..600,
        ) {
            let config = Config {
                min_debt: Quote(min_debt),
                guarded_close_factor: Bps(part),
                guarded_refill: 300,
                guarded_flow: Quote(flow),
                guarded_window: window,
                ..CONFIG
            };
            let guard = Guard { flow_used_until: NOW.unix * 1_000_000 + used, ..bytemuck::Zeroable::zeroed() };
            let account = MarginAccount {
                debt_shares: DebtShares(1),
                stepped_until: (NOW.unix + (stepped - 300).max(0)) * 1_000_000,
                ..bytemuck::Zeroable::zeroed()
            };
            let wanted = Demand {
                extent: if whole { Extent::Whole } else { Extent::Partial },
                repay: Quote(wanted.min(debt)),
                penalty: Bps(0),
                value: Quote::ZERO,
            };
            let steps = Steps::of(&config, &guard, NOW).unwrap();
            let got = steps.step(&config, &account, &wanted, Quote(debt));

            let left = steps.limiter.headroom(steps.flow, steps.end);
            let part = num::part(debt, config.guarded_close_factor).max(min_debt);
            let size = if stepped > 300 {
                (u128::from(part) * u128::try_from(600 - stepped).unwrap() / 300) as u64
            } else if debt.saturating_sub(part) < min_debt {
                wanted.repay.0
            } else {
                part.min(wanted.repay.0)
            };
            let expected = if size < min_debt.min(wanted.repay.0) {
                Err(Error::AccountCooldown)
            } else if left < size.min(wanted.repay.0).min(min_debt) {
                Err(Error::GuardedFlowUsed)
            } else {
                wanted.within(&config, Quote(debt), Quote(size.min(left)), Error::GuardedFlowUsed)
            };
            match (got, expected) {
                (Ok((repay, step)), Ok(expected)) => {
                    prop_assert_eq!(wanted.capped_to(repay), expected);
                    prop_assert!(steps.flow < step.flow && step.flow <= steps.end);
                }
                (got, expected) => prop_assert_eq!(got.map(|(repay, _)| wanted.capped_to(repay)), expected),
            }
        }
    }
}

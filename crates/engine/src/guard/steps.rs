//! Liquidations while Guarded: a part at a time, at most so much a window for the whole market.

use super::Guard;
use crate::{
    config::Config,
    error::{Error, Result},
    num,
    pace::{self, MICROS, Pace, micros},
    position::MarginAccount,
    sizing::Terms,
    units::{Clock, Quote},
};

/// What guarded liquidations may still take over.
///
/// The flow limit is a pace with a burst: `guarded_flow` at once, refilled over `guarded_window`. So in any time W at
/// most guarded_flow × (W + window) / window quote atoms of debt are taken over in steps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Steps {
    flow: i64,
    now: i64,
}

impl Steps {
    pub(crate) fn of(guard: &Guard, clock: Clock) -> Result<Self> {
        let now = micros(clock)?;
        Ok(Self {
            flow: guard.flow.max(now),
            now,
        })
    }

    /// The most that may be taken from an account of `debt` that would be relieved of `wanted`: `guarded_step` of it, but no
    /// less than the minimum debt, so that small accounts are not nibbled at, and all of it if dust would be left; within
    /// what the flow limit leaves. A rest of flow below the minimum debt is none: crumbs would only make accounts rest.
    ///
    /// # Errors
    /// [`Error::AccountCooling`] within `guarded_cooldown` seconds of the account's last step,
    /// [`Error::GuardedFlowUsed`].
    pub(crate) fn limit(
        &self,
        config: &Config,
        account: &MarginAccount,
        debt: Quote,
        wanted: &Terms,
        clock: Clock,
    ) -> Result<Quote> {
        if clock.unix < account.stepped_at.saturating_add(i64::from(config.guarded_cooldown)) {
            return Err(Error::AccountCooling);
        }
        let least = config.min_debt.0;
        let part = num::part(wanted.repay.0, config.guarded_step).max(least);
        let step = if debt.0.saturating_sub(part) < least {
            wanted.repay.0
        } else {
            part.min(wanted.repay.0)
        };
        let left = Self::pace(config).room(self.flow, self.end(config));
        if left < step.min(least) {
            return Err(Error::GuardedFlowUsed);
        }
        Ok(Quote(step.min(left)))
    }

    /// After a step of `taken` quote atoms; also the mark to store.
    ///
    /// # Errors
    /// [`Error::GuardedFlowUsed`].
    pub(crate) fn after(&self, config: &Config, taken: Quote) -> Result<Self> {
        let flow = Self::pace(config)
            .advance(self.flow, self.end(config), taken.0)
            .ok_or(Error::GuardedFlowUsed)?;
        Ok(Self { flow, ..*self })
    }

    /// The mark to store.
    pub(crate) fn mark(&self) -> i64 {
        self.flow
    }

    fn pace(config: &Config) -> Pace {
        Pace {
            atoms: config.guarded_flow.0,
            period: u64::from(config.guarded_window).saturating_mul(MICROS),
        }
    }

    fn end(&self, config: &Config) -> i64 {
        pace::after(self.now, config.guarded_window)
    }
}

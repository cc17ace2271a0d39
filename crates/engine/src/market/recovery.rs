//! Recovery of written-off debt, and when it ends: see [`crate::pool::recovery`].

use super::Books;
use crate::{
    error::Result,
    math::{
        num,
        units::{Bps, Collateral, Price, Quote},
    },
};

/// Least value of the rest of the inventory beyond the debt for the account to stay open, bps of the written-off debt.
pub const CARRIED: Bps = Bps(1_000);

/// Losses for good behind the suppliers' own loss, quote atoms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ended {
    /// The protocol's own capital at book.
    pub protocol: Quote,
    /// The guardians' claim.
    pub guardians: Quote,
}

impl Books {
    /// Pays back what was written off, out of cash: of which there is none while anybody is owed anything. Returns how
    /// much.
    pub(crate) fn pay_back(&mut self) -> Result<Quote> {
        let owed = self.recovery.written_off;
        if owed == Quote::ZERO {
            return Ok(Quote::ZERO);
        }
        let paid = owed.min(self.backstop.cash);
        self.backstop.cash = self.backstop.cash.minus(paid)?;
        self.pool.cash = self.pool.cash.plus(paid)?;
        self.recovery.written_off = owed.minus(paid)?;
        if paid == owed {
            self.recovery.inventory = Collateral::ZERO;
        }
        Ok(paid)
    }

    /// `amount` of inventory was sold, and its proceeds are in. Returns what ended with the last of the inventory of
    /// then.
    ///
    /// It ends only at a price at which a deficit may be settled: `highest`, which there is at Normal alone. At any
    /// other, and where the rest of the inventory is worth enough at that, the account goes on with all that is held:
    /// else whoever buys the last atom would choose the moment of the lowest price.
    pub(crate) fn count_down(&mut self, amount: Collateral, highest: Option<Price>) -> Ended {
        if self.recovery.written_off == Quote::ZERO {
            return Ended::default();
        }
        let left = self.recovery.inventory.0.saturating_sub(amount.0);
        self.recovery.inventory = Collateral(left);
        if left > 0 {
            return Ended::default();
        }
        let carried = num::part(self.recovery.written_off.0, CARRIED).max(1);
        // More than can be counted is more than enough.
        let surplus = highest.map_or(i128::MAX, |price| {
            self.backstop.equity(&self.pool, price).unwrap_or(i128::MAX)
        });
        if surplus >= i128::from(carried) && self.backstop.inventory != Collateral::ZERO {
            self.recovery.inventory = self.backstop.inventory;
            return Ended::default();
        }
        self.close_recovery()
    }

    /// Ends the recovery: the written-off debt is lost for good, and whatever ranks behind it.
    pub(crate) fn close_recovery(&mut self) -> Ended {
        let protocol = self.protocol_capital();
        self.recovery = bytemuck::Zeroable::zeroed();
        self.backstop.reserve = Quote::ZERO;
        // Of what was taken over since something may still be held.
        let book = self.equity_sources.book;
        self.equity_sources = crate::EquitySources {
            book,
            ..bytemuck::Zeroable::zeroed()
        };
        let guardians = self.guardians.void();
        Ended { protocol, guardians }
    }

    /// The backstop's equity with inventory at `price`, quote atoms, rounded down, after what was written off: what
    /// guardians and protocol have. See [`crate::Backstop::equity`].
    ///
    /// # Errors
    /// [`crate::Error::Overflow`].
    pub fn equity(&self, price: Price) -> Result<i128> {
        let equity = self.backstop.equity(&self.pool, price)?;
        Ok(equity.saturating_sub(i128::from(self.recovery.written_off.0)))
    }
}

#[cfg(test)]
mod tests;

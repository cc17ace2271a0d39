//! A market's capacity for risk: its stress cover, and the part of it that new risk, protocol equity and guardians must
//! leave. The formula is in [`crate::backstop::capacity`].

use super::{Books, Market};
use crate::{
    account::{map::LiquidationMap, position::MarginAccount},
    backstop::capacity::{Cover, Stress, StressBalanceSheet, pipeline_headroom},
    error::{Error, Result},
    math::{
        num::{self, Factor},
        units::{Bps, Clock, Collateral, DebtShares, Price, Quote},
    },
    price::guard::Prices,
};

/// An account before and after what its owner wants to do.
#[derive(Clone, Copy)]
pub(crate) struct Move<'a> {
    pub before: &'a MarginAccount,
    pub after: &'a MarginAccount,
}

impl Move<'_> {
    fn ends(&self, map: &LiquidationMap) -> [(DebtShares, u8); 2] {
        [self.before, self.after].map(|account| (account.debt_shares, map.band_at(account.place)))
    }
}

impl Market {
    /// The fall that new risk must leave cover for, bps: [`Market::volatile_fall`], and what a sentinel has added.
    #[must_use]
    pub fn admission_fall(&self, clock: Clock) -> Bps {
        let raised = self.stress_raise.at(clock);
        Bps(self.volatile_fall().0.saturating_add(raised.0))
    }

    /// The fall that the price's volatility asks cover for, bps: S_base + `stress_volatility` × σ, at least S_base,
    /// at most `stress_max`. Rounded down.
    #[must_use]
    pub fn volatile_fall(&self) -> Bps {
        let config = &self.config;
        let deviation = self.volatility.deviation(config).factor();
        let added = num::scaled(deviation, config.stress_volatility);
        let fall = u64::from(config.stress_fall.0).saturating_add(added);
        Bps(u32::try_from(fall)
            .unwrap_or(u32::MAX)
            .min(config.stress_max.0)
            .max(config.stress_fall.0))
    }

    /// C of `books` after a fall of `fall`, quote atoms.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub(crate) fn cover_of(&self, books: &Books, lowest: Price, fall: Bps) -> Result<Cover> {
        let stress = Stress::new(&self.map, books.pool.index, lowest, fall)?;
        let sums = self.map.sums_from(stress.threshold);
        let index = Factor::of(books.pool.index.raw());
        stress.cover(&books.backstop, books.reserves_owed(), &index, (&self.map, sums))
    }

    /// Refuses a move that leaves A negative and lower than it was.
    ///
    /// # Errors
    /// [`Error::StressCoverExceeded`], [`Error::Overflow`].
    pub(crate) fn check_admission(&self, books: &Books, moved: &Move, lowest: Price, clock: Clock) -> Result<()> {
        let stress = Stress::new(&self.map, books.pool.index, lowest, self.admission_fall(clock))?;
        let index = Factor::of(books.pool.index.raw());
        let leaving = self.leaving(books, clock)?;
        let admission = |sums| {
            let owed = books.reserves_owed();
            let cover = stress.cover(&books.backstop, owed, &index, (&self.map, sums))?;
            Ok(cover.without(leaving))
        };
        let before = self.map.sums_from(stress.threshold);
        let [from, to] = moved.ends(&self.map);
        let after = admission(before.moved(stress.threshold, from, to))?;
        if after < 0 && after < admission(before)? {
            return Err(Error::StressCoverExceeded);
        }
        Ok(())
    }

    /// Capital that has asked to leave: guardians' fixed claims, and the equity announced until its time is over, quote
    /// atoms.
    fn leaving(&self, books: &Books, clock: Clock) -> Result<Quote> {
        let requested = books.guardians.requested()?;
        let announced = if clock.unix > self.announced_withdrawal.closes_at {
            0
        } else {
            // Any amount can be announced.
            self.announced_withdrawal.amount.0
        };
        Ok(Quote(requested.0.saturating_add(announced)))
    }

    /// Refuses to take protocol equity out of `books`, already without it, if what stays does not cover the fall of
    /// [`Market::volatile_fall`] beside what guardians have asked for, who come first. Without an accepted price nobody
    /// has a debt, and nothing is refused.
    ///
    /// # Errors
    /// [`Error::StressCoverExceeded`], [`Error::Overflow`].
    pub(crate) fn check_equity_withdrawal(&self, books: &Books, lowest: Price) -> Result<()> {
        let cover = self.cover_of(books, lowest, self.volatile_fall())?;
        if cover.without(books.guardians.requested()?) < 0 {
            return Err(Error::StressCoverExceeded);
        }
        Ok(())
    }

    /// C at `stress_fall` (first) and what A is made of, at the fall of admission (second), interest included; stores
    /// nothing.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub fn stress(&self, prices: &Prices, clock: Clock) -> Result<[StressBalanceSheet; 2]> {
        let books = self.books_at(clock)?;
        let leaving = self.leaving(&books, clock)?;
        let at = |fall| {
            let stress = Stress::new(&self.map, books.pool.index, prices.lowest(), fall)?;
            let under = self.map.under(self.map.sums_from(stress.threshold));
            let debt = books.pool.index.debt(under.shares)?;
            let value = stress.price.quote_floor(under.collateral)?;
            Ok(StressBalanceSheet {
                fall,
                price: stress.price,
                underwater: Quote(debt.0.saturating_sub(value.0)),
                cover: self.cover_of(&books, prices.lowest(), fall)?.value(),
                leaving,
            })
        };
        Ok([at(self.config.stress_fall)?, at(self.admission_fall(clock))?])
    }

    /// The inventory that fits the pipeline beside what is held, collateral atoms, rounded down: (P − inventory), P
    /// at the higher EMA.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub fn pipeline_headroom(&self, prices: &Prices) -> Result<Collateral> {
        pipeline_headroom(&self.config, &self.books.backstop, prices.flow_price())
    }
}

#[cfg(test)]
mod tests;

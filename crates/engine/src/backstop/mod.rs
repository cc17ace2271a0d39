//! The backstop's books: what it owns and owes, and where its equity came from. How much it may take on:
//! [`crate::backstop::capacity`].

pub mod auction;
pub mod capacity;
pub mod guardians;

use crate::{
    account::sizing::Terms,
    error::{Error, Result},
    math::{
        num,
        units::{Collateral, DebtShares, Price, Quote},
    },
    pool::Pool,
};

stored! {
    /// The protocol-owned vault's books. It never holds cash while it owes the pool, or keepers what has no cash yet.
    Backstop {
        /// Quote atoms.
        cash: Quote,
        /// Collateral atoms taken over and not yet sold.
        inventory: Collateral,
        /// Debt to the pool, in shares of the pool's debt.
        debt_shares: DebtShares,
        /// Bounties credited to keepers that the vault holds cash for, quote atoms. Already out of `cash`.
        funded_credits: Quote,
        /// Bounties credited to keepers that there was no cash for, quote atoms: what comes in pays them first.
        unfunded_credits: Quote,
        /// Paid by the pool out of interest since the last settled deficit, quote atoms.
        reserve: Quote,
    }
}

stored! {
    /// Where the backstop's equity came from and went, since the last settled deficit, quote atoms. It is told to
    /// whoever asks; `paid_in`, `standby` and the backstop's reserve decide what guardians earn for standing by.
    EquitySources {
        /// Given for good, less what was taken out beyond what the protocol had gained; negative where that was
        /// reserves.
        paid_in: i64,
        /// Penalties of liquidations, the guardians' share included.
        penalties: Quote,
        /// Excess of debts over the collateral's value when both were taken over.
        deficits: Quote,
        /// Value of the inventory still held, as of when it was taken over.
        book: Quote,
        /// Proceeds of sales less the book value of what was sold.
        gains: i64,
        /// The guardians' earnings of the pool's interest for standing by.
        standby: Quote,
    }
}

impl Backstop {
    /// The backstop's equity with inventory at `price`, quote atoms: cash + inventory + reserves owed by the pool −
    /// debt − unfunded credits. Each asset rounded down, the debt up. Negative when it owes more than it has.
    ///
    /// Funded credits are not subtracted: they left `cash` when they were funded. Nor is what was written off:
    /// [`crate::Books::equity`] does.
    ///
    /// # Errors
    /// [`crate::Error::Overflow`].
    pub(crate) fn equity(&self, pool: &Pool, price: Price) -> Result<i128> {
        let assets = self
            .cash
            .plus(price.quote_floor(self.inventory)?)?
            .plus(pool.reserves_owed())?;
        let debt = pool.index.debt(self.debt_shares)?.plus(self.unfunded_credits)?;
        Ok(i128::from(assets.0).saturating_sub(i128::from(debt.0)))
    }

    /// Checks the invariant of every action beside a pool of so many debt shares: the backstop's are among them, and it
    /// keeps no cash while it owes anything.
    ///
    /// # Errors
    /// [`Error::InvariantViolated`].
    #[inline]
    pub(crate) fn invariant(&self, pool_shares: DebtShares) -> Result<()> {
        let debt_is_part_of_the_pools = self.debt_shares <= pool_shares;
        let owes = self.debt_shares.0 != 0 || self.unfunded_credits != Quote::ZERO;
        let no_cash_beside_debt = self.cash == Quote::ZERO || !owes;
        if debt_is_part_of_the_pools && no_cash_beside_debt {
            Ok(())
        } else {
            Err(Error::InvariantViolated)
        }
    }

    /// Credits a keeper with `bounty`: out of cash as far as there is any, the rest unfunded.
    ///
    /// # Errors
    /// [`crate::Error::Overflow`].
    #[inline]
    pub(crate) fn credit(&mut self, bounty: Quote) -> Result<()> {
        let funded = self.cash.min(bounty);
        self.cash = self.cash.minus(funded)?;
        self.funded_credits = self.funded_credits.plus(funded)?;
        self.unfunded_credits = self.unfunded_credits.plus(bounty.minus(funded)?)?;
        Ok(())
    }

    /// Funds credits out of `amount` that comes in. Returns what is left of it.
    ///
    /// # Errors
    /// [`crate::Error::Overflow`].
    pub(crate) fn fund_credits(&mut self, amount: Quote) -> Result<Quote> {
        let funded = amount.min(self.unfunded_credits);
        self.unfunded_credits = self.unfunded_credits.minus(funded)?;
        self.funded_credits = self.funded_credits.plus(funded)?;
        amount.minus(funded)
    }
}

impl EquitySources {
    /// Inventory was taken over on `terms`.
    #[inline]
    pub(crate) fn absorb(&mut self, terms: &Terms) {
        self.book.0 = self.book.0.saturating_add(terms.worth.0);
        self.penalties.0 = self.penalties.0.saturating_add(terms.penalty_amount.0);
        if terms.deficit > Quote::ZERO {
            self.deficits.0 = self.deficits.0.saturating_add(terms.deficit.0);
        }
    }

    /// `amount` of `inventory` was sold for `cost`. Returns the gain over book value, rounded up.
    pub(crate) fn sell(&mut self, inventory: Collateral, amount: Collateral, cost: Quote) -> i64 {
        let book = num::mul_div_floor(self.book.0, amount.0, inventory.0).unwrap_or(self.book.0);
        let gain = cost.0.cast_signed().saturating_sub(book.cast_signed());
        self.book.0 = self.book.0.saturating_sub(book);
        self.gains = self.gains.saturating_add(gain);
        gain
    }
}

#[cfg(test)]
mod tests;

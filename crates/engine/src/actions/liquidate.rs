use crate::{
    backstop::Marks,
    error::{Error, Result},
    market::{Books, Market},
    position::{KeeperLedger, MarginAccount},
    sizing::{self, Extent, Terms},
    units::{Bps, Clock, Collateral, DebtShares, Price, Quote},
};

record! {
    /// An account was liquidated against the backstop. No token moved.
    Liquidation {
        /// Price it was done at, quote atoms per collateral atom, Q64.64.
        price: Price,
        /// Debt taken off the account, quote atoms.
        repaid: Quote,
        /// The part of it that the backstop paid in cash; the rest it assumed as its own debt.
        paid_in_cash: Quote,
        /// Collateral taken, atoms.
        seized: Collateral,
        /// What the debt exceeded the collateral by: the backstop's loss, quote atoms.
        deficit: Quote,
        /// Bounty credited to the keeper, quote atoms.
        bounty: Quote,
        /// Bounty that neither backstop nor pool had cash for, quote atoms. It is not owed.
        bounty_unpaid: Quote,
        /// Debt left in the account, quote atoms.
        debt_after: Quote,
        /// Collateral left in the account, atoms.
        collateral_after: Collateral,
        /// Penalty, bps of the debt repaid.
        penalty: Bps,
        /// The LTV was at or beyond the insolvency LTV.
        insolvent: bool,
        /// All of the debt was taken.
        whole: bool,
    }
}

impl Market {
    /// Liquidates one account against the backstop: to the target LTV, or whole (see [`crate::sizing`]), as far as
    /// there is room. The backstop's cash pays first; for the rest debt shares move from the account to the backstop,
    /// so the pool neither gains nor loses. The keeper's bounty is credited to its ledger.
    ///
    /// # Errors
    /// [`Error::SameSlot`], [`Error::NoDebt`], [`Error::AccountHealthy`], [`Error::BackstopFull`], [`Error::Overflow`].
    pub fn liquidate(
        &mut self,
        account: &mut MarginAccount,
        ledger: &mut KeeperLedger,
        marks: &Marks,
        clock: Clock,
    ) -> Result<Liquidation> {
        if account.last_risk_slot == clock.slot {
            return Err(Error::SameSlot);
        }
        let mut books = self.books;
        books.accrue(&self.config, clock)?;
        let debt = books.pool.index.debt(account.debt_shares)?;
        if debt == Quote::ZERO {
            return Err(Error::NoDebt);
        }
        let terms = sizing::terms(&self.config, debt, account.collateral, marks.price)?;
        let room = books.backstop.room(&self.config, &books.pool, marks, terms.penalty)?;
        let terms = terms.within(&self.config, debt, account.collateral, marks.price, room)?;

        let mut next = *account;
        let paid_in_cash = books.absorb(&mut next, &terms, clock)?;
        let earned = terms.bounty(&self.config)?;
        let bounty = books.credit_bounty(earned)?;
        let credit = ledger.credit.plus(bounty)?;
        let debt_after = books.pool.index.debt(next.debt_shares)?;
        books.invariant()?;

        self.books = books;
        *account = next;
        ledger.credit = credit;
        Ok(Liquidation {
            price: marks.price,
            repaid: terms.repay,
            paid_in_cash,
            seized: terms.seize,
            deficit: terms.deficit,
            bounty,
            bounty_unpaid: earned.minus(bounty)?,
            debt_after,
            collateral_after: next.collateral,
            penalty: terms.penalty,
            insolvent: terms.extent == Extent::Insolvent,
            whole: next.debt_shares == DebtShares::ZERO,
        })
    }

    /// Whether [`Market::liquidate`] would find the account above its liquidation LTV at `clock`. For keepers.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub fn is_liquidatable(&self, account: &MarginAccount, price: Price, clock: Clock) -> Result<bool> {
        let debt = self.books_at(clock)?.pool.index.debt(account.debt_shares)?;
        Ok(sizing::exceeds(debt, price.value(account.collateral)?, self.config.liquidation_ltv))
    }
}

impl Books {
    /// Moves debt and collateral from the account to the backstop. Returns the part paid in cash.
    ///
    /// The shares moved are rounded down, in favour of the backstop; those paid in cash again, in favour of the pool.
    fn absorb(&mut self, account: &mut MarginAccount, terms: &Terms, clock: Clock) -> Result<Quote> {
        let cash = self.backstop.cash.min(terms.repay);
        let shares = self.pool.shares_paid(terms.repay, account.debt_shares)?;
        let settled = if cash == terms.repay { shares } else { self.pool.shares_paid(cash, shares)? };
        self.pool.collect(cash, settled)?;
        if self.backstop.inventory == Collateral::ZERO {
            self.unwind.begin(clock)?;
        }
        self.backstop.cash = self.backstop.cash.minus(cash)?;
        self.backstop.debt_shares = self.backstop.debt_shares.plus(shares.minus(settled)?)?;
        self.backstop.inventory = self.backstop.inventory.plus(terms.seize)?;
        account.debt_shares = account.debt_shares.minus(shares)?;
        account.collateral = account.collateral.minus(terms.seize)?;
        Ok(cash)
    }

    /// Sets quote atoms aside for a keeper: from the backstop's cash, else lent by the pool to the backstop, else not
    /// at all. Returns what was set aside.
    fn credit_bounty(&mut self, bounty: Quote) -> Result<Quote> {
        let from_cash = self.backstop.cash.min(bounty);
        let lent = bounty.minus(from_cash)?.min(self.pool.cash);
        self.backstop.cash = self.backstop.cash.minus(from_cash)?;
        if lent > Quote::ZERO {
            let shares = self.pool.lend(lent)?;
            self.backstop.debt_shares = self.backstop.debt_shares.plus(shares)?;
        }
        let credited = from_cash.plus(lent)?;
        self.backstop.keeper_credits = self.backstop.keeper_credits.plus(credited)?;
        Ok(credited)
    }
}

use crate::{
    backstop::{Capacity, Marks},
    config::Config,
    error::{Error, Result},
    guard::{Level, Prices, Steps},
    market::{Books, Market},
    num,
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

/// Liquidations of one market at one moment and one price. What they share — interest up to now, prices, the
/// backstop's capacity — is computed once; then each account costs only its own arithmetic.
pub struct Liquidations<'a> {
    market: &'a mut Market,
    clock: Clock,
    /// The market's parameters. While Guarded the smallest penalty is the largest too: no reward for pushing a price.
    config: Config,
    marks: Marks,
    capacity: Capacity,
    /// While Guarded.
    steps: Option<Steps>,
    /// The pool's index.
    index: num::Reciprocal,
}

impl Market {
    /// Begins liquidating: accrues interest, and takes stock of the backstop at these prices.
    ///
    /// # Errors
    /// Those of [`Prices::liquidation`]; [`Error::PriceOutOfRange`], [`Error::Overflow`].
    pub fn liquidations(&mut self, prices: &Prices, clock: Clock) -> Result<Liquidations<'_>> {
        let mut config = self.config;
        let mut steps = None;
        if prices.level() == Level::Guarded {
            config.penalty_max = config.penalty_min;
            steps = Some(Steps::of(&self.guard, clock)?);
        }
        let books = self.books_at(clock)?;
        let marks = Marks::new(&self.config, prices)?;
        let capacity = Capacity::of(&books.backstop, &books.pool, &marks)?;
        let index = books.pool.index.reciprocal()?;
        self.books = books;
        Ok(Liquidations {
            market: self,
            clock,
            config,
            marks,
            capacity,
            steps,
            index,
        })
    }

    /// Whether an account is above its liquidation LTV at `price` and `clock`. For keepers.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub fn is_liquidatable(&self, account: &MarginAccount, price: Price, clock: Clock) -> Result<bool> {
        let debt = self.books_at(clock)?.pool.index.debt(account.debt_shares)?;
        Ok(sizing::exceeds(
            debt,
            price.value(account.collateral)?,
            self.config.liquidation_ltv,
        ))
    }
}

impl Liquidations<'_> {
    /// Liquidates one account against the backstop: to the target LTV, or whole (see [`crate::sizing`]), as far as
    /// there is room. While Guarded, no more than a step at a time, but insolvent accounts whole. The backstop's cash pays first; for the rest debt shares move from the account to the backstop,
    /// so the pool neither gains nor loses. The keeper's bounty is credited to its ledger.
    ///
    /// # Errors
    /// [`Error::SameSlot`], [`Error::NoDebt`], [`Error::AccountHealthy`], [`Error::AccountCooling`],
    /// [`Error::GuardedFlowUsed`], [`Error::BackstopFull`], [`Error::Overflow`].
    pub fn liquidate(&mut self, account: &mut MarginAccount, ledger: &mut KeeperLedger) -> Result<Liquidation> {
        if account.last_risk_slot == self.clock.slot {
            return Err(Error::SameSlot);
        }
        let config = &self.config;
        let debt = self.debt(account.debt_shares)?;
        if debt == Quote::ZERO {
            return Err(Error::NoDebt);
        }
        let wanted = sizing::terms(config, debt, account.collateral, &self.marks.price)?;
        let steps = self.steps.filter(|_| wanted.extent != Extent::Insolvent);
        let wanted = match &steps {
            Some(steps) => {
                let limit = steps.limit(config, account, debt, &wanted, self.clock)?;
                let price = &self.marks.price;
                wanted.within(config, debt, account.collateral, price, limit, Error::GuardedFlowUsed)?
            }
            None => wanted,
        };
        let (terms, capacity) = self.fit(wanted, debt, account.collateral)?;
        let steps = match steps {
            Some(steps) => Some(steps.after(config, terms.repay)?),
            None => None,
        };

        let collateral = account.collateral.minus(terms.seize)?;
        let mut books = self.market.books;
        let (debt_shares, paid_in_cash) = self.absorb(&mut books, account.debt_shares, debt, &terms)?;
        let earned = terms.bounty(config)?;
        let bounty = self.credit_bounty(&mut books, earned)?;
        let capacity = capacity.after_paying(bounty)?;
        let credit = ledger.credit.plus(bounty)?;
        let debt_after = self.debt(debt_shares)?;
        books.invariant()?;

        self.market.books = books;
        self.capacity = capacity;
        if let Some(steps) = steps {
            self.steps = Some(steps);
            self.market.guard.flow = steps.mark();
            account.stepped_at = self.clock.unix;
        }
        account.collateral = collateral;
        account.debt_shares = debt_shares;
        ledger.credit = credit;
        Ok(Liquidation {
            price: self.marks.price.price,
            repaid: terms.repay,
            paid_in_cash,
            seized: terms.seize,
            deficit: terms.deficit,
            bounty,
            bounty_unpaid: earned.minus(bounty)?,
            debt_after,
            collateral_after: collateral,
            penalty: terms.penalty,
            insolvent: terms.extent == Extent::Insolvent,
            whole: debt_shares == DebtShares::ZERO,
        })
    }

    /// The terms cut down to what fits, and the capacity after them. Solving for the room is dear, so it is done only
    /// when the wanted terms do not fit. Insolvent accounts always do.
    fn fit(&self, wanted: Terms, debt: Quote, collateral: Collateral) -> Result<(Terms, Capacity)> {
        let config = &self.config;
        let after = self.capacity.after(wanted.repay, wanted.seize, &self.marks)?;
        if wanted.extent == Extent::Insolvent || after.is_within(config) {
            return Ok((wanted, after));
        }
        let room = self.capacity.room(config, &self.marks, wanted.penalty)?;
        let cut = wanted.within(config, debt, collateral, &self.marks.price, room, Error::BackstopFull)?;
        Ok((cut, self.capacity.after(cut.repay, cut.seize, &self.marks)?))
    }

    /// Moves the debt and collateral of `terms` from an account of `held` shares to the backstop. Returns the shares
    /// left to the account, and the part paid in cash.
    ///
    /// The shares moved are rounded down, in favour of the backstop; those paid in cash again, in favour of the pool.
    fn absorb(&self, books: &mut Books, held: DebtShares, debt: Quote, terms: &Terms) -> Result<(DebtShares, Quote)> {
        let Books { pool, backstop, unwind } = books;
        let cash = backstop.cash.min(terms.repay);
        let shares = if terms.repay == debt {
            held
        } else {
            self.shares(terms.repay)?.min(held)
        };
        let settled = match cash {
            Quote::ZERO => DebtShares::ZERO,
            all if all == terms.repay => shares,
            part => self.shares(part)?.min(shares),
        };
        pool.collect(cash, settled)?;
        if backstop.inventory == Collateral::ZERO {
            unwind.begin(self.clock)?;
        }
        backstop.cash = backstop.cash.minus(cash)?;
        backstop.debt_shares = backstop.debt_shares.plus(shares.minus(settled)?)?;
        backstop.inventory = backstop.inventory.plus(terms.seize)?;
        Ok((held.minus(shares)?, cash))
    }

    /// See [`crate::Index::debt`].
    #[inline]
    fn debt(&self, shares: DebtShares) -> Result<Quote> {
        self.index.factor().ceil(shares.0).map(Quote)
    }

    /// See [`crate::Index::shares_for_payment`].
    #[inline]
    fn shares(&self, amount: Quote) -> Result<DebtShares> {
        self.index.divide(amount.0).map(DebtShares)
    }

    /// Sets quote atoms aside for a keeper: from the backstop's cash, else lent by the pool to the backstop, else not
    /// at all. Returns what was set aside.
    fn credit_bounty(&self, books: &mut Books, bounty: Quote) -> Result<Quote> {
        let Books { pool, backstop, .. } = books;
        let from_cash = backstop.cash.min(bounty);
        let lent = bounty.minus(from_cash)?.min(pool.cash);
        backstop.cash = backstop.cash.minus(from_cash)?;
        if lent > Quote::ZERO {
            // As `Index::shares_for_loan`.
            let shares = self.index.divide_up(lent.0).map(DebtShares)?;
            pool.lend_for(lent, shares)?;
            backstop.debt_shares = backstop.debt_shares.plus(shares)?;
        }
        let credited = from_cash.plus(lent)?;
        backstop.keeper_credits = backstop.keeper_credits.plus(credited)?;
        Ok(credited)
    }
}

use crate::{
    backstop::{BackstopPrices, Capacity, Marks},
    error::{Error, Result},
    guard::{Level, Prices, Step, Steps},
    guardians::Guardians,
    market::{Books, Market},
    num, pause,
    position::{KeeperLedger, MarginAccount},
    sizing::{self, Demand, Extent, Rules, Terms},
    units::{Bps, Clock, Collateral, DebtShares, Price, Quote},
    unwind::Arrival,
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

/// What is to be done with an account.
pub(super) struct Due {
    /// Its debt, quote atoms, Q64.64 and exact: index × shares.
    exact: u128,
    /// Its debt, quote atoms, rounded up.
    pub debt: Quote,
    /// On which terms.
    pub terms: Terms,
    /// The step that these terms are, while Guarded and unless the account is insolvent.
    pub step: Option<Step>,
}

/// What an account is left with.
pub(super) struct Left {
    pub shares: DebtShares,
    /// The debt of these shares, quote atoms, rounded up.
    pub debt: Quote,
}

/// Liquidations of one market at one moment and one price. What they share — interest up to now, prices, the
/// backstop's capacity — is computed once; then each account costs only its own arithmetic.
pub struct Liquidations<'a> {
    pub(super) market: &'a mut Market,
    pub(super) clock: Clock,
    /// What accounts are judged by. While Guarded the smallest penalty is the largest too: no reward for pushing a price.
    rules: Rules,
    pub(super) marks: Marks,
    capacity: Capacity,
    /// The guardians' part of each penalty.
    guardian_rate: Bps,
    arrival: Arrival,
    /// While Guarded.
    steps: Option<Steps>,
    /// The pool's index.
    index: num::Reciprocal,
}

impl Market {
    /// Begins liquidating: accrues interest, and takes stock of the backstop at these prices.
    ///
    /// # Errors
    /// [`Error::ActionPaused`], those of [`Prices::liquidation`]; [`Error::PriceOutOfRange`], [`Error::Overflow`].
    pub fn liquidations(&mut self, prices: &Prices, clock: Clock) -> Result<Liquidations<'_>> {
        pause::check(self.pauses.liquidate, clock)?;
        let mut steps = None;
        if prices.level() == Level::Guarded {
            steps = Some(Steps::of(&self.config, &self.guard, clock)?);
        }
        let books = self.books_at(clock)?;
        let marks = Marks::new(BackstopPrices::new(&self.config, prices)?)?;
        let capacity = Capacity::of(&books.backstop, &books.pool, marks.stressed)?;
        let index = books.pool.index.reciprocal()?;
        let guardian_rate = self.guardians.rate(&self.config, capacity.equity());
        let arrival = Arrival::at(&self.config, clock)?;
        self.books = books;
        let mut rules = Rules {
            liquidation_ltv: self.liquidation_ltv(clock),
            ..Rules::of(&self.config)
        };
        if steps.is_some() {
            rules.penalty_max = rules.penalty_min;
        }
        Ok(Liquidations {
            rules,
            market: self,
            clock,
            marks,
            capacity,
            guardian_rate,
            arrival,
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
            self.liquidation_ltv(clock),
        ))
    }
}

impl Liquidations<'_> {
    /// Liquidates one account against the backstop: to the target LTV, or whole (see [`crate::sizing`]), as far as
    /// there is room. While Guarded, no more than a step at a time, but insolvent accounts whole. The backstop's cash pays
    /// first; for the rest debt shares move from the account to the backstop, so the pool neither gains nor loses. The
    /// keeper's bounty is credited to its ledger.
    ///
    /// # Errors
    /// [`Error::SameSlot`], [`Error::NoDebt`], [`Error::AccountHealthy`], [`Error::AccountCooling`],
    /// [`Error::GuardedFlowUsed`], [`Error::BackstopFull`], [`Error::Overflow`].
    #[inline]
    pub fn liquidate(&mut self, account: &mut MarginAccount, ledger: &mut KeeperLedger) -> Result<Liquidation> {
        let due = self.due(account, None)?;
        let mut terms = due.terms;
        let mut capacity = self.capacity.after(terms.repay, terms.seize, &self.marks)?;
        if !self.fits(&terms, &capacity) {
            (terms, capacity) = self.cut(terms.demand(), due.debt, account.collateral)?;
        }
        let step = self.step_for(due.step, &terms)?;
        let (left, moved) = self.relieve(account.debt_shares, &due, terms.repay)?;
        let collateral = account.collateral.minus(terms.seize)?;

        let market = &*self.market;
        let mut books = market.books;
        let paid_in_cash = self.absorb(&mut books, moved, &terms)?;
        let earned = terms.bounty(&market.config)?;
        let (bounty, bounty_unpaid) = self.credit_bounty(&mut books, earned)?;
        let capacity = capacity.after_paying(bounty)?;
        let credit = ledger.credit.plus(bounty)?;
        let guardians = Guardians::earned(terms.penalty_amount, self.guardian_rate);
        let claim = market.guardians.claim.plus(guardians)?;
        books.invariant()?;

        let market = &mut *self.market;
        let band = market.map.band(left.shares, collateral);
        market
            .map
            .follow((account.debt_shares, account.band), (left.shares, band))?;
        let held = market.books.backstop.inventory;
        market.books = books;
        market.books.unwind.arrive(&self.arrival, held, terms.seize);
        market.guardians.claim = claim;
        market.income.absorb(&terms);
        if terms.extent != Extent::Insolvent {
            market.shortage.clear();
        }
        self.capacity = capacity;
        self.step_taken(account, step);
        account.collateral = collateral;
        account.debt_shares = left.shares;
        account.band = band;
        ledger.credit = credit;
        Ok(Liquidation {
            price: self.marks.price.price,
            repaid: terms.repay,
            paid_in_cash,
            seized: terms.seize,
            deficit: terms.deficit,
            bounty,
            bounty_unpaid,
            debt_after: left.debt,
            collateral_after: collateral,
            penalty: terms.penalty,
            insolvent: terms.extent == Extent::Insolvent,
            whole: left.shares == DebtShares::ZERO,
        })
    }

    /// Notes that the backstop had no room for an account of this market: the discount of external liquidations begins to
    /// grow. For batches, which skip such accounts.
    pub fn note_shortage(&mut self) {
        let market = &mut *self.market;
        let _ = market.shortage.note(&market.config, self.clock);
    }

    /// What is to be done with an account now. `penalty` replaces the market's.
    #[inline(always)]
    #[allow(
        clippy::inline_always,
        reason = "handing the result over costs as much as a good part of the work"
    )]
    pub(super) fn due(&self, account: &MarginAccount, penalty: Option<Bps>) -> Result<Due> {
        if account.last_risk_slot == self.clock.slot {
            return Err(Error::SameSlot);
        }
        let exact = self.index.factor().times(account.debt_shares.0)?;
        let debt = Quote(num::ceil(exact)?);
        if debt == Quote::ZERO {
            return Err(Error::NoDebt);
        }
        let (config, price) = (&self.market.config, &self.marks.price);
        let value = price.value(account.collateral)?;
        let demand = match penalty {
            None => Demand::of(&self.rules, debt, value)?,
            Some(penalty) => {
                let rules = Rules {
                    penalty_min: penalty,
                    penalty_max: penalty,
                    ..self.rules
                };
                Demand::of(&rules, debt, value)?
            }
        };
        let (demand, step) = match &self.steps {
            Some(steps) if demand.extent != Extent::Insolvent => {
                let (demand, step) = steps.step(config, account, demand, debt, self.clock)?;
                (demand, Some(step))
            }
            _ => (demand, None),
        };
        let terms = demand.terms(account.collateral, price)?;
        Ok(Due {
            exact,
            debt,
            terms,
            step,
        })
    }

    /// The step of these terms, which may have been cut since.
    #[inline]
    pub(super) fn step_for(&self, step: Option<Step>, terms: &Terms) -> Result<Option<Step>> {
        match (step, &self.steps) {
            (Some(step), Some(steps)) if step.repay != terms.repay => steps.take(terms.repay).map(Some),
            _ => Ok(step),
        }
    }

    /// Records a step of a guarded liquidation.
    #[inline]
    pub(super) fn step_taken(&mut self, account: &mut MarginAccount, step: Option<Step>) {
        if let (Some(step), Some(steps)) = (step, &mut self.steps) {
            self.market.guard.flow = steps.record(step);
            account.stepped_at = self.clock.unix;
        }
    }

    /// Whether the backstop may be left with `after` by these terms. Insolvent accounts always fit.
    #[inline]
    fn fits(&self, terms: &Terms, after: &Capacity) -> bool {
        terms.extent == Extent::Insolvent || after.is_within(&self.market.config)
    }

    /// What does not fit, cut down to what does, and the capacity after it. Solving for the room is dear. A rest of room below
    /// the minimum debt is none: it would go in crumbs.
    #[cold]
    #[inline(never)]
    fn cut(&self, wanted: Demand, debt: Quote, collateral: Collateral) -> Result<(Terms, Capacity)> {
        let config = &self.market.config;
        let room = self.capacity.room(config, &self.marks.prices(), wanted.penalty)?;
        if room < config.min_debt {
            return Err(Error::BackstopFull);
        }
        let terms = wanted
            .within(config, debt, room, Error::BackstopFull)?
            .terms(collateral, &self.marks.price)?;
        let terms = Terms {
            extent: Extent::Cut,
            ..terms
        };
        Ok((terms, self.capacity.after(terms.repay, terms.seize, &self.marks)?))
    }

    /// Whether the backstop would take on these terms, or part of them.
    pub(super) fn has_room(&self, terms: &Terms, debt: Quote, collateral: Collateral) -> Result<bool> {
        let after = self.capacity.after(terms.repay, terms.seize, &self.marks)?;
        if self.fits(terms, &after) {
            return Ok(true);
        }
        match self.cut(terms.demand(), debt, collateral) {
            Ok(_) => Ok(true),
            Err(Error::BackstopFull) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Takes `repay` off the debt that `due` says an account of `held` shares has. Returns what is left to the account, and
    /// the shares taken off, rounded down: in favour of who takes the debt over.
    ///
    /// With r what the division leaves, repay = index × shares + r; so
    ///
    /// ```text
    /// index × (held − shares) = index × held − repay + r
    /// ```
    ///
    /// exactly, which saves a product.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "see `due`")]
    pub(super) fn relieve(&self, held: DebtShares, due: &Due, repay: Quote) -> Result<(Left, DebtShares)> {
        if repay == due.debt {
            let left = Left {
                shares: DebtShares::ZERO,
                debt: Quote::ZERO,
            };
            return Ok((left, held));
        }
        let (shares, rest) = self.index.divide_with_rest(repay.0)?;
        // index × the shares left: cannot wrap.
        let exact = due.exact.wrapping_sub(num::join(repay.0, 0)).wrapping_add(rest);
        let left = Left {
            shares: held.minus(DebtShares(shares))?,
            debt: Quote(num::ceil(exact)?),
        };
        Ok((left, DebtShares(shares)))
    }

    /// Moves the collateral of `terms` and debt of so many `shares` to the backstop. Returns the part paid in cash; the
    /// shares that it pays are rounded down, in favour of the pool.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "see `due`")]
    fn absorb(&self, books: &mut Books, shares: DebtShares, terms: &Terms) -> Result<Quote> {
        let Books { pool, backstop, .. } = books;
        let cash = backstop.cash.min(terms.repay);
        let settled = match cash {
            Quote::ZERO => DebtShares::ZERO,
            all if all == terms.repay => shares,
            part => self.shares(part)?.min(shares),
        };
        pool.collect(cash, settled)?;
        backstop.cash = backstop.cash.minus(cash)?;
        backstop.debt_shares = backstop.debt_shares.plus(shares.minus(settled)?)?;
        backstop.inventory = backstop.inventory.plus(terms.seize)?;
        Ok(cash)
    }

    /// See [`crate::Index::shares_for_payment`].
    #[inline]
    fn shares(&self, amount: Quote) -> Result<DebtShares> {
        self.index.divide(amount.0).map(DebtShares)
    }

    /// Sets quote atoms aside for a keeper: from the backstop's cash, else lent by the pool to the backstop, else not
    /// at all. Returns what was set aside, and what was not.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "see `due`")]
    fn credit_bounty(&self, books: &mut Books, bounty: Quote) -> Result<(Quote, Quote)> {
        let Books { pool, backstop, .. } = books;
        let from_cash = backstop.cash.min(bounty);
        let rest = bounty.minus(from_cash)?;
        let lent = rest.min(pool.cash);
        backstop.cash = backstop.cash.minus(from_cash)?;
        if lent > Quote::ZERO {
            // As `Index::shares_for_loan`.
            let shares = self.index.divide_up(lent.0).map(DebtShares)?;
            pool.lend_for(lent, shares)?;
            backstop.debt_shares = backstop.debt_shares.plus(shares)?;
        }
        let unpaid = rest.minus(lent)?;
        let credited = bounty.minus(unpaid)?;
        backstop.keeper_credits = backstop.keeper_credits.plus(credited)?;
        Ok((credited, unpaid))
    }
}

use crate::{
    error::{Error, Result},
    guard::{Level, Prices, Step, Steps},
    guardians::Guardians,
    map::Sums,
    market::{Books, Market},
    num, pause,
    position::{KeeperLedger, MarginAccount},
    sizing::{self, Demand, Extent, Rules, Terms, Values},
    stress::{self, Stress},
    units::{Bps, Clock, Collateral, DebtShares, Divisor, Price, Quote},
};

record! {
    /// An account was liquidated against the backstop. No token moved.
    Liquidation {
        /// Price it was settled at, the lower of spot and guarded price: quote atoms per collateral atom, Q64.64.
        price: Price,
        /// Debt taken off the account, quote atoms.
        repaid: Quote,
        /// The part of it that the backstop paid in cash; the rest it assumed as its own debt.
        paid_in_cash: Quote,
        /// Collateral taken, atoms.
        seized: Collateral,
        /// What the debt exceeded the collateral by at that price: the backstop's loss, quote atoms.
        deficit: Quote,
        /// Bounty credited to the keeper, quote atoms.
        bounty: Quote,
        /// Debt left in the account, quote atoms.
        debt_after: Quote,
        /// Collateral left in the account, atoms.
        collateral_after: Collateral,
        /// Penalty, bps of the debt repaid.
        penalty: Bps,
        /// The LTV was at or beyond the take-over LTV.
        taken_over: bool,
        /// All of the debt was taken.
        whole: bool,
    }
}

/// What is to be done with an account, as far as the account alone can tell.
struct Due {
    /// Its debt, quote atoms, Q64.64 and exact: index × shares.
    exact: u128,
    /// Its debt, quote atoms, rounded up.
    debt: Quote,
    /// How much of it is to be taken.
    demand: Demand,
    /// The step that this is, while Guarded and unless the account is taken over.
    step: Option<Step>,
}

/// Everything that a liquidation on some terms changes, worked out and not yet stored.
struct Outcome {
    terms: Terms,
    books: Books,
    sums: Sums,
    paid_in_cash: Quote,
    bounty: Quote,
    account: MarginAccount,
    /// Debt left in the account, quote atoms, rounded up.
    debt_after: Quote,
}

/// Liquidations of one market at one moment and one price. What they share — interest up to now, prices, the fall that
/// the backstop must stand — is computed once; then each account costs only its own arithmetic.
pub struct Liquidations<'a> {
    market: &'a mut Market,
    prices: &'a Prices,
    clock: Clock,
    rules: Rules,
    /// The price that accounts are judged at, where it is not the one that they are settled at.
    judged: Option<Price>,
    /// The price that they are settled at.
    settled: Divisor,
    /// The fall of `stress_fall`.
    stress: Stress,
    /// The guardians' part of each penalty.
    guardian_rate: Bps,
    /// Where the auction's anchor is once inventory has arrived.
    anchor: i64,
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
    pub fn liquidations<'a>(&'a mut self, prices: &'a Prices, clock: Clock) -> Result<Liquidations<'a>> {
        pause::check(self.pauses.liquidate, clock)?;
        let at = prices.liquidation()?;
        let mut steps = None;
        if prices.level() == Level::Guarded {
            steps = Some(Steps::of(&self.config, &self.guard, clock)?);
        }
        let config = &self.config;
        let rules = Rules::new(config, self.liquidation_ltv(clock), &at);
        let books = self.books_at(clock)?;
        let stress = Stress::new(&self.map, books.pool.index, prices.lowest(), config.stress_fall)?;
        let held = books.backstop.inventory;
        let anchor = books
            .unwind
            .anchor_after_arrival(config, held, prices.average(), clock)?;
        let guardian_rate = books.guardian_rate(config, stress.price)?;
        let index = books.pool.index.reciprocal()?;
        let settled = at.settled.divisor()?;
        self.map.set_threshold(stress.threshold, false);
        self.books = books;
        Ok(Liquidations {
            market: self,
            prices,
            clock,
            rules,
            judged: (at.judged != at.settled).then_some(at.judged),
            settled,
            stress,
            guardian_rate,
            anchor,
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
    /// Liquidates one account against the backstop (see [`crate::sizing`]).
    ///
    /// - At the take-over LTV or beyond: whole, always.
    /// - Below it, to the target LTV, in full while the stress cover is not negative after it ([`crate::stress`]). Else only as
    ///   far as the inventory stays within the pipeline, what is sold in `pipeline` seconds; beyond that the account waits:
    ///   its own margin bears the fall first. While Guarded, no more than a step at a time besides.
    ///
    /// The backstop's cash pays first; for the rest debt shares move from the account to the backstop, so the pool neither
    /// gains nor loses. The keeper's bounty is credited to its ledger.
    ///
    /// # Errors
    /// [`Error::SameSlot`], [`Error::NoDebt`], [`Error::AccountHealthy`], [`Error::PriceGapTooWide`],
    /// [`Error::CollateralBelowDebt`], [`Error::AccountCooling`], [`Error::GuardedFlowUsed`], [`Error::PipelineFull`],
    /// [`Error::Overflow`].
    #[inline]
    pub fn liquidate(&mut self, account: &mut MarginAccount, ledger: &mut KeeperLedger) -> Result<Liquidation> {
        let due = self.due(account)?;
        let mut step = due.step;
        let mut outcome = self.outcome(account, &due, due.demand)?;
        if due.demand.extent != Extent::TakeOver && self.is_uncovered(&outcome)? {
            let cut = self.within_pipeline(&due)?;
            if cut != due.demand {
                step = self.step_of(step, cut.repay)?;
                outcome = self.outcome(account, &due, cut)?;
            }
        }
        let credit = ledger.credit.plus(outcome.bounty)?;
        outcome.books.invariant()?;

        let from = (account.debt_shares, account.band);
        let to = (outcome.account.debt_shares, outcome.account.band);
        self.market.map.shift(from, to, outcome.sums)?;
        self.market.books = outcome.books;
        *account = outcome.account;
        ledger.credit = credit;
        self.record_step(account, step);
        let terms = outcome.terms;
        Ok(Liquidation {
            price: self.settled.price,
            repaid: terms.repay,
            paid_in_cash: outcome.paid_in_cash,
            seized: terms.seize,
            deficit: terms.deficit,
            bounty: outcome.bounty,
            debt_after: outcome.debt_after,
            collateral_after: account.collateral,
            penalty: terms.penalty,
            taken_over: terms.extent == Extent::TakeOver,
            whole: account.debt_shares == DebtShares::ZERO,
        })
    }

    /// What is to be done with an account now.
    #[inline(always)]
    #[allow(
        clippy::inline_always,
        reason = "handing the result over costs as much as a good part of the work"
    )]
    fn due(&self, account: &MarginAccount) -> Result<Due> {
        if account.last_risk_slot == self.clock.slot {
            return Err(Error::SameSlot);
        }
        let exact = self.index.factor().times(account.debt_shares.0)?;
        let debt = Quote(num::ceil(exact)?);
        if debt == Quote::ZERO {
            return Err(Error::NoDebt);
        }
        let settled = self.settled.value(account.collateral)?;
        let judged = match self.judged {
            None => settled,
            Some(price) => price.value(account.collateral)?,
        };
        let demand = Demand::of(&self.rules, debt, Values { judged, settled })?;
        let (demand, step) = match &self.steps {
            Some(steps) if demand.extent != Extent::TakeOver => {
                let (demand, step) = steps.step(&self.market.config, account, demand, debt, self.clock)?;
                (demand, Some(step))
            }
            _ => (demand, None),
        };
        Ok(Due {
            exact,
            debt,
            demand,
            step,
        })
    }

    /// What taking `demand` of an account changes.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "see `due`")]
    fn outcome(&self, account: &MarginAccount, due: &Due, demand: Demand) -> Result<Outcome> {
        let market = &*self.market;
        let config = &market.config;
        let terms = demand.terms(&self.rules, account.collateral, &self.settled)?;
        let (shares, moved, debt_after) = self.reduce_debt(account.debt_shares, due, terms.repay)?;
        let mut after = *account;
        after.debt_shares = shares;
        after.collateral = account.collateral.minus(terms.seize)?;
        after.band = market.map.band(shares, after.collateral);

        let mut books = market.books;
        let paid_in_cash = self.absorb(&mut books, moved, &terms)?;
        let bounty = terms.bounty(config);
        books.backstop.credit(bounty)?;
        if self.guardian_rate != Bps(0) {
            let earned = self.guardians_earn(&terms);
            books.guardians.claim = books.guardians.claim.plus(earned)?;
        }
        books.income.absorb(&terms);
        books.unwind.anchor = self.anchor;
        let sums = market
            .map
            .sums_after((account.debt_shares, account.band), (shares, after.band));
        Ok(Outcome {
            terms,
            books,
            sums,
            paid_in_cash,
            bounty,
            account: after,
            debt_after,
        })
    }

    /// The guardians' part of the penalty. For a take-over while Guarded they earn nothing: nobody is paid for a price pushed
    /// that far.
    fn guardians_earn(&self, terms: &Terms) -> Quote {
        if self.steps.is_some() && terms.extent == Extent::TakeOver {
            return Quote::ZERO;
        }
        Guardians::earned(terms.shared_penalty(&self.market.config), self.guardian_rate)
    }

    /// Whether the stress cover would be negative.
    #[inline]
    fn is_uncovered(&self, outcome: &Outcome) -> Result<bool> {
        let books = &outcome.books;
        let map = (&self.market.map, outcome.sums);
        let cover = self
            .stress
            .cover(&books.backstop, books.reserves_owed(), self.index.factor(), map)?;
        Ok(cover.is_negative())
    }

    /// What is due cut down to what the pipeline takes. A rest of the pipeline that is worth less than the minimum debt, or
    /// than what is wanted, is none.
    ///
    /// # Errors
    /// [`Error::PipelineFull`].
    #[cold]
    #[inline(never)]
    fn within_pipeline(&self, due: &Due) -> Result<Demand> {
        let (config, backstop) = (&self.market.config, &self.market.books.backstop);
        let room = stress::pipeline_room(config, backstop, self.prices.flow_price())?;
        // x(1+β)/l ≤ room
        let value = self.settled.price.value(room).unwrap_or(Quote(u64::MAX));
        let most = num::mul_div_floor(value.0, num::BPS, due.demand.penalty.above_one())?;
        due.demand.within(config, due.debt, Quote(most), Error::PipelineFull)
    }

    /// The step of this repayment, which may have been cut since.
    #[inline]
    fn step_of(&self, step: Option<Step>, repay: Quote) -> Result<Option<Step>> {
        match (step, &self.steps) {
            (Some(step), Some(steps)) if step.repay != repay => steps.take(repay).map(Some),
            _ => Ok(step),
        }
    }

    /// Records a step of a guarded liquidation.
    #[inline]
    fn record_step(&mut self, account: &mut MarginAccount, step: Option<Step>) {
        if let (Some(step), Some(steps)) = (step, &mut self.steps) {
            self.market.guard.flow = steps.record(step);
            account.stepped_at = self.clock.unix;
        }
    }

    /// Takes `repay` off the debt that `due` says an account of `held` shares has. Returns the shares left to the account, those
    /// taken off, rounded down, in favor of who takes the debt over, and the debt left.
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
    fn reduce_debt(&self, held: DebtShares, due: &Due, repay: Quote) -> Result<(DebtShares, DebtShares, Quote)> {
        if repay == due.debt {
            return Ok((DebtShares::ZERO, held, Quote::ZERO));
        }
        let (shares, rest) = self.index.divide_with_rest(repay.0)?;
        // index × the shares left: cannot wrap.
        let exact = due.exact.wrapping_sub(num::join(repay.0, 0)).wrapping_add(rest);
        let moved = DebtShares(shares);
        Ok((held.minus(moved)?, moved, Quote(num::ceil(exact)?)))
    }

    /// Moves the collateral of `terms` and debt of so many `shares` to the backstop. Returns the part paid in cash; the
    /// shares that it pays are rounded down, in favor of the pool.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "see `due`")]
    fn absorb(&self, books: &mut Books, shares: DebtShares, terms: &Terms) -> Result<Quote> {
        let Books { pool, backstop, .. } = books;
        let cash = backstop.cash.min(terms.repay);
        let settled = match cash {
            Quote::ZERO => DebtShares::ZERO,
            all if all == terms.repay => shares,
            part => DebtShares(self.index.divide(part.0)?).min(shares),
        };
        pool.collect(cash, settled)?;
        backstop.cash = backstop.cash.minus(cash)?;
        backstop.debt_shares = backstop.debt_shares.plus(shares.minus(settled)?)?;
        backstop.inventory = backstop.inventory.plus(terms.seize)?;
        Ok(cash)
    }
}

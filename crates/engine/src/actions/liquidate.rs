use crate::{
    account::{
        guarded_steps::{Step, Steps},
        map::Sums,
        position::{KeeperLedger, MarginAccount},
        sizing::{self, Demand, Extent, Rules, Terms, Values},
    },
    backstop::{
        Backstop,
        capacity::{self, Stress},
        guardians::Guardians,
    },
    error::{Error, Result},
    governance::pause,
    market::Market,
    math::{
        num::{self, Factor},
        units::{Bps, Clock, Collateral, DebtShares, Divisor, Price, Quote},
    },
    price::{
        guard::{Level, Prices},
        oracle::PriceUse,
    },
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
        /// Excess of the debt over the collateral's value at that price, quote atoms: the backstop's loss.
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

/// An account's debt, quote atoms.
struct Debt {
    /// Q64.64 and exact: index × shares.
    exact: u128,
    /// Rounded up.
    whole: Quote,
}

/// A liquidation worked out and not yet stored: the words that change and no others, for copying the account and all
/// books out and back would be an eighth of the whole work. In this order, for an error takes the place of the first
/// field, which the compiler then moves byte by byte.
#[repr(C)]
pub struct Assessment {
    /// The band that holds the account.
    held: u8,
    /// The band that it goes into.
    band: u8,
    terms: Terms,
    /// The account's debt.
    shares: DebtShares,
    /// The account's collateral.
    collateral: Collateral,
    /// The map's kept sums.
    sums: Sums,
    /// The pool's cash.
    pool_cash: Quote,
    /// All debt shares.
    pool_shares: DebtShares,
    backstop: Backstop,
    /// The guardians' claim.
    claim: Quote,
    paid_in_cash: Quote,
    bounty: Quote,
    /// Debt left in the account, quote atoms, rounded up.
    debt_after: Quote,
    /// Shares left in the band that holds the account.
    left: DebtShares,
    /// Of a guarded step: the moments up to which the flow limit and the account's pace are used then.
    used: Option<(i64, i64)>,
}

/// Liquidations of one market at one moment and one price. Their shared part — interest up to now, prices, the fall
/// that the backstop must stand — is computed once; then each account costs only its own arithmetic.
pub struct Liquidations<'a> {
    market: &'a mut Market,
    prices: &'a Prices,
    clock: Clock,
    rules: Rules,
    /// The price that accounts are judged at, where it is not the one that they are settled at.
    judged: Option<Factor>,
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
    /// [`Error::ActionPaused`], those of [`Prices::check`] and [`Prices::liquidation`]; [`Error::PriceOutOfRange`],
    /// [`Error::Overflow`].
    pub fn liquidations<'a>(&'a mut self, prices: &'a Prices, clock: Clock) -> Result<Liquidations<'a>> {
        pause::check(self.pauses.liquidate, clock)?;
        prices.check(PriceUse::Liquidate, clock)?;
        let at = prices.liquidation()?;
        let mut steps = None;
        if prices.level() == Level::Guarded {
            steps = Some(Steps::of(&self.config, &self.guard, clock)?);
        }
        let config = &self.config;
        // Not `books_at`, which would move all of them once more.
        let mut books = self.books;
        books.accrue(config, clock)?;
        let stress = Stress::new(&self.map, books.pool.index, prices.lowest(), config.stress_fall)?;
        let held = books.backstop.inventory;
        let anchor = books
            .auction
            .anchor_after_arrival(config, held, prices.own_ema(), clock)?;
        let guardian_rate = books.guardian_rate(config, stress.price)?;
        let index = books.pool.index.reciprocal()?;
        let settled = at.settled.divisor()?;
        let spread = at.spread_by(&settled, config.max_gap);
        let rules = Rules::with_spread(config, self.liquidation_ltv(clock), spread);
        self.map.set_threshold(stress.threshold);
        self.books = books;
        Ok(Liquidations {
            market: self,
            prices,
            clock,
            rules,
            judged: (at.judged != at.settled).then(|| Factor::of(at.judged.raw())),
            settled,
            stress,
            guardian_rate,
            anchor,
            steps,
            index,
        })
    }

    /// True if an account is above its liquidation LTV at `price` and `clock`. For keepers.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub fn is_liquidatable(&self, account: &MarginAccount, price: Price, clock: Clock) -> Result<bool> {
        let debt = self.books_at(clock)?.pool.index.debt(account.debt_shares)?;
        Ok(sizing::exceeds(
            debt,
            price.quote_floor(account.collateral)?,
            self.liquidation_ltv(clock),
        ))
    }
}

impl Liquidations<'_> {
    /// Liquidates one account against the backstop: [`Liquidations::assess`], and then [`Liquidations::apply`]. The
    /// keeper's bounty is credited to its ledger.
    ///
    /// # Errors
    /// The errors of [`Liquidations::assess`]; [`Error::Overflow`].
    #[inline]
    pub fn liquidate(&mut self, account: &mut MarginAccount, ledger: &mut KeeperLedger) -> Result<Liquidation> {
        let assessed = self.assess(account)?;
        let credit = ledger.credit.plus(assessed.bounty)?;
        // From here on nothing can fail.
        ledger.credit = credit;
        self.apply(&assessed, account);
        Ok(self.liquidation(&assessed))
    }

    /// Works out how an account would be liquidated now (see [`crate::account::sizing`]), and changes nothing.
    ///
    /// - At the take-over LTV or beyond: whole, always.
    /// - Below it, to the target LTV, in full while the stress cover is not negative after it
    ///   ([`crate::backstop::capacity`]). Else only as far as the inventory stays within the pipeline, what is sold in
    ///   `pipeline` seconds; beyond that the account waits: its own margin bears the fall first. While Guarded, no more
    ///   than a step at a time besides.
    ///
    /// The backstop's cash pays first; for the rest debt shares move from the account to the backstop, so the pool
    /// neither gains nor loses.
    ///
    /// # Errors
    /// [`Error::BorrowedThisSlot`], [`Error::NoDebt`], [`Error::AccountHealthy`], [`Error::PriceGapTooWide`],
    /// [`Error::CollateralBelowDebt`], [`Error::AccountCooldown`], [`Error::GuardedFlowUsed`], [`Error::PipelineFull`],
    /// [`Error::Overflow`].
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "it is dear to hand over")]
    pub fn assess(&self, account: &MarginAccount) -> Result<Assessment> {
        let debt = self.debt(account)?;
        let (demand, mut step) = self.demand(account, debt.whole)?;
        let mut assessed = self.on_terms(account, &debt, demand)?;
        if demand.extent != Extent::TakeOver && self.is_uncovered(&assessed)? {
            let capped = self.within_pipeline(demand, debt.whole)?;
            if capped != demand {
                step = self.step_of(step, capped.repay)?;
                assessed = self.on_terms(account, &debt, capped)?;
            }
        }
        if let Some(step) = &step {
            assessed.used = Some((step.flow, step.until(assessed.terms.demand.repay)?));
        }
        assessed.backstop.invariant(assessed.pool_shares)?;
        assessed.left = self.market.map.left((account.debt_shares, assessed.held))?;
        Ok(assessed)
    }

    /// Stores what [`Liquidations::assess`] has just worked out for an account. The bounty is the caller's to credit.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "see `assess`")]
    pub fn apply(&mut self, assessed: &Assessment, account: &mut MarginAccount) {
        let left = (assessed.left, assessed.held);
        let to = (assessed.shares, assessed.band);
        self.market.map.shift(left, to, assessed.sums);
        let books = &mut self.market.books;
        (books.pool.cash, books.pool.debt_shares) = (assessed.pool_cash, assessed.pool_shares);
        books.backstop = assessed.backstop;
        books.guardians.claim = assessed.claim;
        books.equity_sources.absorb(&assessed.terms);
        books.auction.anchor = self.anchor;
        account.debt_shares = assessed.shares;
        account.collateral = assessed.collateral;
        account.place = self.market.map.place(assessed.shares, assessed.band);
        self.record_step(account, assessed.used);
    }

    /// The result of a liquidation as it is told.
    #[inline]
    #[must_use]
    pub fn liquidation(&self, assessed: &Assessment) -> Liquidation {
        let terms = &assessed.terms;
        Liquidation {
            price: self.settled.price,
            repaid: terms.demand.repay,
            paid_in_cash: assessed.paid_in_cash,
            seized: terms.seize,
            deficit: terms.deficit,
            bounty: assessed.bounty,
            debt_after: assessed.debt_after,
            collateral_after: assessed.collateral,
            penalty: terms.demand.penalty,
            taken_over: terms.demand.extent == Extent::TakeOver,
            whole: assessed.shares == DebtShares::ZERO,
        }
    }

    /// An account's debt now.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "see `assess`")]
    fn debt(&self, account: &MarginAccount) -> Result<Debt> {
        if account.last_risk_slot == self.clock.slot {
            return Err(Error::BorrowedThisSlot);
        }
        let exact = self.index.factor().times(account.debt_shares.0)?;
        let whole = Quote(num::ceil(exact)?);
        if whole == Quote::ZERO {
            return Err(Error::NoDebt);
        }
        Ok(Debt { exact, whole })
    }

    /// How much of its debt is to be taken, as far as the account alone can tell. While Guarded, and unless the account
    /// is taken over, that is a step: then also what it uses up.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "see `assess`")]
    fn demand(&self, account: &MarginAccount, debt: Quote) -> Result<(Demand, Option<Step>)> {
        let settled = self.settled.quote_floor(account.collateral)?;
        let judged = match &self.judged {
            None => settled,
            Some(price) => Quote(price.floor(account.collateral.0)?),
        };
        let demand = Demand::of(&self.rules, debt, Values { judged, settled })?;
        match &self.steps {
            Some(steps) if demand.extent != Extent::TakeOver => {
                let (repay, step) = steps.step(&self.market.config, account, &demand, debt)?;
                Ok((demand.capped_to(repay), Some(step)))
            }
            _ => Ok((demand, None)),
        }
    }

    /// A liquidation that takes `demand` of an account, but for what it leaves in its band and uses up of a step.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "see `assess`")]
    fn on_terms(&self, account: &MarginAccount, debt: &Debt, demand: Demand) -> Result<Assessment> {
        let market = &*self.market;
        let config = &market.config;
        let terms = demand.terms(&self.rules, account.collateral, &self.settled)?;
        let (shares, moved, debt_after) = self.reduce_debt(account.debt_shares, debt, terms.demand.repay)?;
        let collateral = account.collateral.minus(terms.seize)?;
        let band = market.map.band(shares, collateral);

        let (paid_in_cash, settled) = self.pay(moved, terms.demand.repay)?;
        let (pool_cash, pool_shares) = market.books.pool.collected(paid_in_cash, settled)?;
        let mut backstop = market.books.backstop;
        backstop.cash = backstop.cash.minus(paid_in_cash)?;
        backstop.debt_shares = backstop.debt_shares.plus(moved.minus(settled)?)?;
        backstop.inventory = backstop.inventory.plus(terms.seize)?;
        let bounty = terms.bounty(config);
        backstop.credit(bounty)?;
        let mut claim = market.books.guardians.claim;
        if self.guardian_rate != Bps(0) {
            claim = claim.plus(self.guardians_earn(&terms))?;
        }
        let held = market.map.band_at(account.place);
        let sums = market.map.sums_after((account.debt_shares, held), (shares, band));
        Ok(Assessment {
            held,
            band,
            terms,
            shares,
            collateral,
            sums,
            pool_cash,
            pool_shares,
            backstop,
            claim,
            paid_in_cash,
            bounty,
            debt_after,
            left: DebtShares::ZERO,
            used: None,
        })
    }

    /// The guardians' part of the penalty. For a take-over while Guarded they earn nothing: nobody is paid for a price
    /// pushed that far.
    fn guardians_earn(&self, terms: &Terms) -> Quote {
        if self.steps.is_some() && terms.demand.extent == Extent::TakeOver {
            return Quote::ZERO;
        }
        Guardians::earned(terms.shared_penalty(&self.market.config), self.guardian_rate)
    }

    /// True if the stress cover would be negative.
    #[inline]
    fn is_uncovered(&self, assessed: &Assessment) -> Result<bool> {
        let map = (&self.market.map, assessed.sums);
        let owed = self.market.books.reserves_owed();
        let cover = self.stress.cover(&assessed.backstop, owed, self.index.factor(), map)?;
        Ok(cover.is_negative())
    }

    /// The demand cut down to the headroom in the pipeline. Room that is worth less than the minimum debt, and less
    /// than the demand, counts as none.
    ///
    /// # Errors
    /// [`Error::PipelineFull`].
    #[cold]
    #[inline(never)]
    fn within_pipeline(&self, demand: Demand, debt: Quote) -> Result<Demand> {
        let (config, backstop) = (&self.market.config, &self.market.books.backstop);
        let headroom = capacity::pipeline_headroom(config, backstop, self.prices.flow_price())?;
        // x(1+β)/l ≤ headroom
        let value = self.settled.price.quote_floor(headroom).unwrap_or(Quote(u64::MAX));
        let most = num::mul_div_floor(value.0, num::BPS, demand.penalty.above_one())?;
        demand.within(config, debt, Quote(most), Error::PipelineFull)
    }

    /// A step that has been cut to `repay` since.
    #[inline]
    fn step_of(&self, step: Option<Step>, repay: Quote) -> Result<Option<Step>> {
        match (step, &self.steps) {
            (Some(step), Some(steps)) => Ok(Some(step.with_flow(steps.take(repay)?))),
            _ => Ok(None),
        }
    }

    /// Records a step of a guarded liquidation, by the moments up to which the flow limit and the account's pace are
    /// used.
    #[inline]
    fn record_step(&mut self, account: &mut MarginAccount, used: Option<(i64, i64)>) {
        if let (Some((flow, own)), Some(steps)) = (used, &mut self.steps) {
            steps.record(flow);
            self.market.guard.flow_used_until = flow;
            account.stepped_until = own;
        }
    }

    /// Takes `repay` off the `debt` of an account of `held` shares. Returns the shares left to the account, those
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
    #[allow(clippy::inline_always, reason = "see `assess`")]
    fn reduce_debt(&self, held: DebtShares, debt: &Debt, repay: Quote) -> Result<(DebtShares, DebtShares, Quote)> {
        if repay == debt.whole {
            return Ok((DebtShares::ZERO, held, Quote::ZERO));
        }
        let (shares, rest) = self.index.divide_with_rest(repay.0)?;
        // index × the shares left: cannot wrap.
        let exact = debt.exact.wrapping_sub(num::join(repay.0, 0)).wrapping_add(rest);
        let moved = DebtShares(shares);
        Ok((held.minus(moved)?, moved, Quote(num::ceil(exact)?)))
    }

    /// The backstop's payment at once for debt of so many `shares`, `repay` quote atoms: cash, and the shares that it
    /// settles, rounded down, in favor of the pool.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "see `assess`")]
    fn pay(&self, shares: DebtShares, repay: Quote) -> Result<(Quote, DebtShares)> {
        let cash = self.market.books.backstop.cash.min(repay);
        let settled = match cash {
            Quote::ZERO => DebtShares::ZERO,
            all if all == repay => shares,
            part => DebtShares(self.index.divide(part.0)?).min(shares),
        };
        Ok((cash, settled))
    }
}

use crate::{
    account::{map::Place, position::MarginAccount, sizing},
    error::{Error, Result},
    governance::pause,
    market::{Books, Market, Move, Pricing},
    math::units::{Clock, Collateral, DebtShares, Quote},
    price::{guard::Prices, oracle::PriceUse},
};

record! {
    /// Collateral was added to or taken from a margin account.
    CollateralChange {
        /// Collateral atoms moved.
        amount: Collateral,
        /// Collateral atoms the account holds now.
        collateral_after: Collateral,
    }
}

record! {
    /// A margin account borrowed.
    Borrowing {
        /// Quote atoms paid out.
        amount: Quote,
        /// Debt shares created.
        shares: DebtShares,
        /// Quote atoms the account owes now.
        debt_after: Quote,
    }
}

record! {
    /// Debt of a margin account was repaid.
    Repayment {
        /// Quote atoms paid.
        amount: Quote,
        /// Debt shares canceled.
        shares: DebtShares,
        /// Quote atoms the account still owes.
        debt_after: Quote,
    }
}

impl Market {
    /// Adds collateral to an account; anyone may, at any time.
    ///
    /// # Errors
    /// [`Error::ZeroAmount`], [`Error::Overflow`].
    pub fn deposit_collateral(&mut self, account: &mut MarginAccount, amount: Collateral) -> Result<CollateralChange> {
        amount.nonzero()?;
        let mut next = *account;
        next.collateral = next.collateral.plus(amount)?;
        next.place = self.place_of(&next);
        let (from, to) = (self.held(account), self.held(&next));
        self.map.follow(from, to)?;
        *account = next;
        Ok(CollateralChange {
            amount,
            collateral_after: account.collateral,
        })
    }

    /// Takes collateral out of an account. With debt it needs prices, and the rest must carry the debt at the initial
    /// LTV; without debt it needs neither.
    ///
    /// # Errors
    /// [`Error::ZeroAmount`], [`Error::InsufficientCollateral`]; with debt [`Error::ActionPaused`],
    /// [`Error::PriceRequired`], [`Error::InitialLtvExceeded`], [`Error::StressCoverExceeded`],
    /// [`Error::DebtBelowMinimum`], [`Error::FeedsSettling`], those of [`Prices::check`] and [`Prices::conservative`];
    /// [`Error::Overflow`].
    pub fn withdraw_collateral(
        &mut self,
        account: &mut MarginAccount,
        amount: Collateral,
        prices: Option<&Prices>,
        clock: Clock,
    ) -> Result<CollateralChange> {
        amount.nonzero()?;
        if amount > account.collateral {
            return Err(Error::InsufficientCollateral);
        }
        self.transact_on(account, clock, |market, books, account, next| {
            next.collateral = next.collateral.minus(amount)?;
            next.place = market.place_of(next);
            if books.needs_prices(Pricing::Withdraw(account)) {
                pause::check(market.pauses.withdraw, clock)?;
                let moved = Move {
                    before: account,
                    after: next,
                };
                market.check_initial_margin(books, &moved, prices.ok_or(Error::PriceRequired)?, clock)?;
                next.last_risk_slot = clock.slot;
            }
            Ok(CollateralChange {
                amount,
                collateral_after: next.collateral,
            })
        })
    }

    /// Lends `amount` to an account against its collateral. The caps come last: they say no to what would else be fine.
    ///
    /// # Errors
    /// [`Error::ActionPaused`], [`Error::ZeroAmount`], [`Error::InsufficientLiquidity`], [`Error::DebtBelowMinimum`],
    /// [`Error::InitialLtvExceeded`], [`Error::StressCoverExceeded`], those of [`Prices::conservative`],
    /// [`Error::AccountDebtCapReached`], [`Error::DebtCapReached`], [`Error::Overflow`].
    pub fn borrow(
        &mut self,
        account: &mut MarginAccount,
        amount: Quote,
        prices: &Prices,
        clock: Clock,
    ) -> Result<Borrowing> {
        pause::check(self.pauses.borrow, clock)?;
        amount.nonzero()?;
        self.transact_on(account, clock, |market, books, account, next| {
            let shares = books.pool.lend(amount)?;
            next.debt_shares = next.debt_shares.plus(shares)?;
            next.place = market.place_of(next);
            next.last_risk_slot = clock.slot;
            let moved = Move {
                before: account,
                after: next,
            };
            let debt_after = market.check_initial_margin(books, &moved, prices, clock)?;
            if debt_after > market.config.account_debt_cap {
                return Err(Error::AccountDebtCapReached);
            }
            if books.pool.index.debt(books.pool.debt_shares)? > market.config.debt_cap {
                return Err(Error::DebtCapReached);
            }
            Ok(Borrowing {
                amount,
                shares,
                debt_after,
            })
        })
    }

    /// Repays debt of an account; anyone may, at any time. Pays at most the whole debt: any larger `amount` means all.
    /// A rest below the minimum debt is allowed, for repaying is never refused.
    ///
    /// # Errors
    /// [`Error::ZeroAmount`], [`Error::NoDebt`], [`Error::Overflow`].
    pub fn repay(&mut self, account: &mut MarginAccount, amount: Quote, clock: Clock) -> Result<Repayment> {
        amount.nonzero()?;
        self.transact_on(account, clock, |market, books, _, next| {
            let debt = books.pool.index.debt(next.debt_shares)?;
            if debt == Quote::ZERO {
                return Err(Error::NoDebt);
            }
            let amount = amount.min(debt);
            let shares = books.pool.shares_paid(amount, next.debt_shares)?;
            books.pool.collect(amount, shares)?;
            next.debt_shares = next.debt_shares.minus(shares)?;
            next.place = market.place_of(next);
            Ok(Repayment {
                amount,
                shares,
                debt_after: books.pool.index.debt(next.debt_shares)?,
            })
        })
    }

    /// [`Market::transact`] with a copy of an account, which is stored and its debt put where it then belongs on the
    /// liquidation map.
    #[inline]
    fn transact_on<T>(
        &mut self,
        account: &mut MarginAccount,
        clock: Clock,
        act: impl FnOnce(&Self, &mut Books, &MarginAccount, &mut MarginAccount) -> Result<T>,
    ) -> Result<T> {
        let mut next = *account;
        let from = self.held(account);
        let (done, left) = self.transact(clock, |market, books| {
            let done = act(market, books, account, &mut next)?;
            Ok((done, market.map.left(from)?))
        })?;
        let to = self.held(&next);
        let sums = self.map.sums_after(from, to);
        self.map.shift((left, from.1), to, sums);
        *account = next;
        Ok(done)
    }

    /// An account may be closed when it holds nothing and owes nothing.
    ///
    /// # Errors
    /// [`Error::AccountNotEmpty`].
    pub fn check_closable(account: &MarginAccount) -> Result<()> {
        if account.collateral == Collateral::ZERO && !account.has_debt() {
            Ok(())
        } else {
            Err(Error::AccountNotEmpty)
        }
    }

    /// debt ≥ minimum, debt ≤ initial LTV × value at the conservative price, and the stress cover suffices.
    /// Returns the debt.
    fn check_initial_margin(&self, books: &Books, moved: &Move, prices: &Prices, clock: Clock) -> Result<Quote> {
        let account = moved.after;
        let debt = books.pool.index.debt(account.debt_shares)?;
        if debt < self.config.min_debt {
            return Err(Error::DebtBelowMinimum);
        }
        prices.check(PriceUse::Borrow, clock)?;
        if clock.unix < self.guard.settled_at {
            return Err(Error::FeedsSettling);
        }
        let value = prices.conservative()?.quote_floor(account.collateral)?;
        if sizing::exceeds(debt, value, self.config.initial_ltv) {
            return Err(Error::InitialLtvExceeded);
        }
        self.check_admission(books, moved, prices.lowest(), clock)?;
        Ok(debt)
    }

    /// Where an account's debt belongs.
    fn place_of(&self, account: &MarginAccount) -> Place {
        let (shares, collateral) = (account.debt_shares, account.collateral);
        self.map.place(shares, self.map.band(shares, collateral))
    }

    /// An account's debt, and the band that holds it.
    fn held(&self, account: &MarginAccount) -> (DebtShares, u8) {
        (account.debt_shares, self.map.band_at(account.place))
    }
}

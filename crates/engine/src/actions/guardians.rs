use crate::{
    error::{Error, Result},
    guard::Prices,
    guardians::GuardianPosition,
    market::{Books, Market},
    pause,
    units::{Clock, Collateral, GuardianShares, Quote},
};

record! {
    /// A guardian put capital behind the backstop.
    GuardianDeposit {
        /// Quote atoms put in.
        amount: Quote,
        /// Shares received, rounded down.
        shares: GuardianShares,
        /// The part of it that paid the backstop's debt to the pool.
        repaid: Quote,
        /// The guardians' claim now, quote atoms.
        claim_after: Quote,
    }
}

record! {
    /// A guardian asked to leave.
    GuardianRequest {
        /// Shares to be taken out; zero takes an earlier request back.
        shares: GuardianShares,
        /// From when they can be, seconds since 1970.
        opens_at: i64,
        /// Until when, seconds since 1970.
        closes_at: i64,
    }
}

record! {
    /// A guardian left.
    GuardianWithdrawal {
        /// Shares cancelled.
        shares: GuardianShares,
        /// Quote atoms paid out, rounded down.
        amount: Quote,
        /// The guardians' claim now, quote atoms.
        claim_after: Quote,
    }
}

impl Market {
    /// Takes a guardian's capital in, for at least `min_shares` shares of the claim. At any level, for it needs no price.
    ///
    /// # Errors
    /// [`Error::ActionPaused`]; [`Error::ZeroAmount`], also if it is too little for one share; [`Error::SlippageExceeded`],
    /// [`Error::Overflow`].
    pub fn guardian_deposit(
        &mut self,
        position: &mut GuardianPosition,
        amount: Quote,
        min_shares: GuardianShares,
        clock: Clock,
    ) -> Result<GuardianDeposit> {
        pause::check(self.pauses.guardian_deposit, clock)?;
        amount.nonzero()?;
        let mut books = self.books;
        books.accrue(&self.config, clock)?;
        let mut guardians = self.guardians;
        let shares = guardians.shares_for(amount)?.nonzero()?;
        if shares < min_shares {
            return Err(Error::SlippageExceeded);
        }
        guardians.take_in(amount, shares)?;
        let repaid = books.receive(amount)?;
        let mut next = position.in_era(guardians.era);
        next.shares = next.shares.plus(shares)?;
        books.invariant()?;

        self.books = books;
        self.guardians = guardians;
        *position = next;
        Ok(GuardianDeposit {
            amount,
            shares,
            repaid,
            claim_after: guardians.claim,
        })
    }

    /// Asks to take `shares` out: `guardian_cooldown` seconds from now, for `guardian_window` seconds. It replaces an
    /// earlier request. The shares go on taking part in gains and losses.
    ///
    /// # Errors
    /// [`Error::InsufficientGuardianShares`].
    pub fn guardian_request(
        &self,
        position: &mut GuardianPosition,
        shares: GuardianShares,
        clock: Clock,
    ) -> Result<GuardianRequest> {
        let mut next = position.in_era(self.guardians.era);
        if shares > next.shares {
            return Err(Error::InsufficientGuardianShares);
        }
        (next.requested, next.requested_at) = (shares, clock.unix);
        *position = next;
        let opens_at = clock.unix.saturating_add(i64::from(self.config.guardian_cooldown));
        Ok(GuardianRequest {
            shares,
            opens_at,
            closes_at: opens_at.saturating_add(i64::from(self.config.guardian_window)),
        })
    }

    /// Pays `shares` out, which were asked for in time: their part of min(claim, equity), at least `min_amount`. Out of the
    /// backstop's cash, which there is only when it owes the pool nothing. Prices are needed while it holds inventory.
    ///
    /// # Errors
    /// [`Error::ZeroAmount`], [`Error::InsufficientGuardianShares`], [`Error::TooEarly`], [`Error::Expired`],
    /// [`Error::PriceRequired`], those of [`Prices::conservative`], [`Error::SlippageExceeded`],
    /// [`Error::BackstopCashInsufficient`], [`Error::Overflow`].
    pub fn guardian_withdraw(
        &mut self,
        position: &mut GuardianPosition,
        shares: GuardianShares,
        min_amount: Quote,
        prices: Option<&Prices>,
        clock: Clock,
    ) -> Result<GuardianWithdrawal> {
        shares.nonzero()?;
        let mut next = position.in_era(self.guardians.era);
        next.check_leaving(&self.config, shares, clock)?;
        let mut books = self.books;
        books.accrue(&self.config, clock)?;
        let mut guardians = self.guardians;
        let amount = guardians.pay_out(shares, self.releasable(&books, prices)?)?;
        if amount < min_amount {
            return Err(Error::SlippageExceeded);
        }
        if amount > books.backstop.cash {
            return Err(Error::BackstopCashInsufficient);
        }
        books.backstop.cash = books.backstop.cash.minus(amount)?;
        next.shares = next.shares.minus(shares)?;
        next.requested = next.requested.minus(shares)?;
        books.invariant()?;

        self.books = books;
        self.guardians = guardians;
        *position = next;
        Ok(GuardianWithdrawal {
            shares,
            amount,
            claim_after: guardians.claim,
        })
    }

    /// A position may be closed when it holds no shares of this era.
    ///
    /// # Errors
    /// [`Error::AccountNotEmpty`].
    pub fn check_position_closable(&self, position: &GuardianPosition) -> Result<()> {
        if position.in_era(self.guardians.era).shares == GuardianShares::ZERO {
            Ok(())
        } else {
            Err(Error::AccountNotEmpty)
        }
    }

    /// The backstop's equity as it counts for whoever takes money out, quote atoms: inventory at the conservative price
    /// less the haircut. With inventory it takes prices, at Normal.
    pub(super) fn releasable(&self, books: &Books, prices: Option<&Prices>) -> Result<Quote> {
        let backstop = &books.backstop;
        let price = if backstop.inventory == Collateral::ZERO {
            crate::Price::default()
        } else {
            let prices = prices.ok_or(Error::PriceRequired)?;
            let haircut = self.config.inventory_haircut.below_one();
            prices.conservative()?.scale_down(haircut)?
        };
        let equity = backstop.equity(&books.pool, price)?;
        Ok(Quote(u64::try_from(equity.max(0)).unwrap_or(u64::MAX)))
    }
}

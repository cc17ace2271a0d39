use crate::{
    error::{Error, Result},
    guard::Prices,
    guardians::GuardianPosition,
    market::{Books, Market},
    oracle::PriceUse,
    pause,
    units::{Clock, GuardianShares, Price, Quote},
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
        /// What the claim lacked before, at the stored price, quote atoms.
        impaired: Quote,
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
    /// Takes a guardian's capital in, for at least `min_shares` shares of the claim, if the claim lacks at most `max_impairment`
    /// quote atoms ([`Market::claim_impairment`]): who joins bears his part of that. At any level, for it takes the stored price;
    /// who wants a fresh one shows it first. Not while written-off debt may still be paid back ([`crate::recovery`]).
    ///
    /// # Errors
    /// [`Error::ActionPaused`]; [`Error::ZeroAmount`], also if it is too little for one share; [`Error::SlippageExceeded`],
    /// [`Error::WrittenOff`], [`Error::ClaimImpaired`], [`Error::Overflow`].
    pub fn guardian_deposit(
        &mut self,
        position: &mut GuardianPosition,
        amount: Quote,
        min_shares: GuardianShares,
        max_impairment: Quote,
        clock: Clock,
    ) -> Result<GuardianDeposit> {
        pause::check(self.pauses.guardian_deposit, clock)?;
        amount.nonzero()?;
        let mut books = self.books;
        books.accrue(&self.config, clock)?;
        books.recovery.check_open()?;
        let impaired = self.claim_impaired_at(&books);
        if impaired > max_impairment {
            return Err(Error::ClaimImpaired);
        }
        let mut guardians = books.guardians;
        let shares = guardians.shares_for(amount)?.nonzero()?;
        if shares < min_shares {
            return Err(Error::SlippageExceeded);
        }
        guardians.take_in(amount, shares)?;
        books.guardians = guardians;
        let (repaid, _) = books.receive(amount)?;
        let mut next = position.in_era(guardians.era);
        next.shares = next.shares.plus(shares)?;
        books.invariant()?;

        self.books = books;
        *position = next;
        Ok(GuardianDeposit {
            amount,
            shares,
            repaid,
            impaired,
            claim_after: guardians.claim,
        })
    }

    /// Asks to take `shares` out: `guardian_cooldown` seconds from now, for `guardian_window` seconds. It replaces an
    /// earlier request. The shares go on taking part in gains and losses, and no longer count for new risk.
    ///
    /// # Errors
    /// [`Error::InsufficientGuardianShares`], [`Error::Overflow`].
    pub fn guardian_request(
        &mut self,
        position: &mut GuardianPosition,
        shares: GuardianShares,
        clock: Clock,
    ) -> Result<GuardianRequest> {
        let mut books = self.books;
        books.accrue(&self.config, clock)?;
        let mut next = position.in_era(books.guardians.era);
        if shares > next.shares {
            return Err(Error::InsufficientGuardianShares);
        }
        books.guardians.request(next.requested, shares)?;
        (next.requested, next.requested_at) = (shares, clock.unix);
        books.invariant()?;

        self.books = books;
        *position = next;
        let opens_at = clock.unix.saturating_add(i64::from(self.config.guardian_cooldown));
        Ok(GuardianRequest {
            shares,
            opens_at,
            closes_at: opens_at.saturating_add(i64::from(self.config.guardian_window)),
        })
    }

    /// Pays `shares` out, which were asked for in time: their part of min(claim, equity), at least `min_amount`. Out of the
    /// backstop's cash, which there is only when it owes nobody anything, and at most the stress cover at `stress_fall`: the rest
    /// stays until it suffices. Prices are needed while there is inventory or debt.
    ///
    /// # Errors
    /// [`Error::ZeroAmount`], [`Error::InsufficientGuardianShares`], [`Error::TooEarly`], [`Error::Expired`],
    /// [`Error::PriceRequired`], those of [`Prices::conservative`], [`Error::SlippageExceeded`],
    /// [`Error::BackstopCashInsufficient`], [`Error::StressCoverExceeded`], [`Error::Overflow`].
    pub fn guardian_withdraw(
        &mut self,
        position: &mut GuardianPosition,
        shares: GuardianShares,
        min_amount: Quote,
        prices: Option<&Prices>,
        clock: Clock,
    ) -> Result<GuardianWithdrawal> {
        shares.nonzero()?;
        let mut books = self.books;
        books.accrue(&self.config, clock)?;
        let mut guardians = books.guardians;
        let mut next = position.in_era(guardians.era);
        next.check_leaving(&self.config, shares, clock)?;
        let at = LeavingPrices::of(&books, prices, clock)?;
        let amount = guardians.pay_out(shares, positive(books.equity(at.conservative)?))?;
        if amount < min_amount {
            return Err(Error::SlippageExceeded);
        }
        if amount > books.backstop.cash {
            return Err(Error::BackstopCashInsufficient);
        }
        if amount > self.cover_of(&books, at.lowest, self.config.stress_fall)?.spare() {
            return Err(Error::StressCoverExceeded);
        }
        books.backstop.cash = books.backstop.cash.minus(amount)?;
        guardians.request(shares, GuardianShares::ZERO)?;
        books.guardians = guardians;
        next.shares = next.shares.minus(shares)?;
        next.requested = next.requested.minus(shares)?;
        books.invariant()?;

        self.books = books;
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
        if position.in_era(self.books.guardians.era).shares == GuardianShares::ZERO {
            Ok(())
        } else {
            Err(Error::AccountNotEmpty)
        }
    }
}

/// What inventory and accounts count at for whoever takes money out, quote atoms per collateral atom.
#[derive(Clone, Copy, Default)]
pub(super) struct LeavingPrices {
    /// What inventory is worth.
    pub conservative: Price,
    /// Where the stress cover falls from.
    pub lowest: Price,
}

impl LeavingPrices {
    /// The prices at which money may leave the backstop. They are needed while inventory or debt depends on them.
    ///
    /// # Errors
    /// [`Error::PriceRequired`], those of [`Prices::check`] and [`Prices::conservative`].
    pub(super) fn of(books: &Books, prices: Option<&Prices>, clock: Clock) -> Result<Self> {
        match prices {
            Some(prices) => {
                prices.check(PriceUse::Borrow, clock)?;
                Ok(Self {
                    conservative: prices.conservative()?,
                    lowest: prices.lowest(),
                })
            }
            None if books.leaving_needs_prices() => Err(Error::PriceRequired),
            None => Ok(Self::default()),
        }
    }
}

/// Quote atoms, at least none.
pub(super) fn positive(equity: i128) -> Quote {
    Quote(u64::try_from(equity.max(0)).unwrap_or(u64::MAX))
}

use crate::{
    backstop::guardians::{GuardianPosition, Means},
    error::{Error, Result},
    governance::pause,
    market::{Books, Market, Pricing},
    math::units::{Clock, GuardianShares, Quote},
    price::guard::Level,
};

/// Without an accepted reading for so long, seconds, level and age no longer keep guardians in: seven days.
pub const DEAD_SECONDS: i64 = 7 * 86_400;

/// Largest age of the stored prices for a request whose release is over, seconds, where borrowing allows less: an hour.
pub const RELEASED_AGE: u64 = 3_600;

record! {
    /// A guardian put capital behind the backstop.
    GuardianDeposit {
        /// Quote atoms put in.
        amount: Quote,
        /// Shares received, rounded down.
        shares: GuardianShares,
        /// The part of it that paid the backstop's debt to the pool.
        repaid: Quote,
        /// Impairment of the claim before, at the stored price, quote atoms.
        impaired: Quote,
        /// The guardians' claim now, quote atoms.
        claim_after: Quote,
    }
}

record! {
    /// A guardian asked to leave, or took that back.
    GuardianRequest {
        /// Shares given up; of a request that was taken back, shares received.
        shares: GuardianShares,
        /// The fixed claim for them, quote atoms; of a request that was taken back, what was unpaid of it.
        amount: Quote,
        /// From when it is paid, or can be taken back, seconds since 1970; zero if it was taken back.
        opens_at: i64,
        /// The claim of the guardians who stay now, quote atoms.
        claim_after: Quote,
    }
}

record! {
    /// A guardian was paid.
    GuardianWithdrawal {
        /// Quote atoms paid out, rounded down.
        amount: Quote,
        /// Unpaid part of the request now, quote atoms.
        unpaid: Quote,
        /// All fixed claims of those who asked to leave now, quote atoms.
        requested_after: Quote,
    }
}

impl Market {
    /// Takes a guardian's capital in, for at least `min_shares` shares of the claim, if the claim lacks at most
    /// `max_impairment` quote atoms ([`Market::claim_impairment`]): who joins bears his part of that. At any level, for
    /// it takes the stored price; who wants a fresh one shows it first. Not while written-off debt may still be paid
    /// back ([`crate::pool::recovery`]).
    ///
    /// # Errors
    /// [`Error::ActionPaused`]; [`Error::ZeroAmount`], also if it is too little for one share;
    /// [`Error::SlippageExceeded`], [`Error::WrittenOff`], [`Error::ClaimImpaired`], [`Error::Overflow`].
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
        self.transact_for(position, clock, |market, books, next| {
            books.recovery.check_open()?;
            let impaired = market.claim_impaired_at(books);
            if impaired > max_impairment {
                return Err(Error::ClaimImpaired);
            }
            let shares = books.guardians.shares_for(amount)?.nonzero()?;
            if shares < min_shares {
                return Err(Error::SlippageExceeded);
            }
            books.guardians.take_in(amount, shares)?;
            let (repaid, _) = books.receive(amount)?;
            next.shares = next.shares.plus(shares)?;
            Ok(GuardianDeposit {
                amount,
                shares,
                repaid,
                impaired,
                claim_after: books.guardians.claim,
            })
        })
    }

    /// [`Market::transact`] with a copy of a guardian's position as well, as it is in the present epoch.
    #[inline]
    fn transact_for<T>(
        &mut self,
        position: &mut GuardianPosition,
        clock: Clock,
        act: impl FnOnce(&Self, &mut Books, &mut GuardianPosition) -> Result<T>,
    ) -> Result<T> {
        let mut next = position.in_epoch(self.books.guardians.epoch);
        let done = self.transact(clock, |market, books| act(market, books, &mut next))?;
        *position = next;
        Ok(done)
    }

    /// Asks to leave with `shares`: they are given up for a fixed claim of at least `min_amount`, which opens
    /// `guardian_cooldown` seconds from now; see [`crate::backstop::guardians`]. The claim is the shares' part of the
    /// guardians' claim, rounded down. One request at a time.
    ///
    /// No shares at all take an open request back, at the share value of then: what is unpaid of it buys shares as a
    /// deposit does.
    ///
    /// # Errors
    /// [`Error::RequestRunning`], [`Error::InsufficientGuardianShares`], [`Error::ClaimWorthless`],
    /// [`Error::SlippageExceeded`]; of taking back [`Error::NothingRequested`], [`Error::TimelockActive`];
    /// [`Error::Overflow`].
    pub fn guardian_request(
        &mut self,
        position: &mut GuardianPosition,
        shares: GuardianShares,
        min_amount: Quote,
        clock: Clock,
    ) -> Result<GuardianRequest> {
        if shares == GuardianShares::ZERO {
            return self.take_request_back(position, clock);
        }
        self.transact_for(position, clock, |market, books, next| {
            if next.has_request() {
                return Err(Error::RequestRunning);
            }
            if shares > next.shares {
                return Err(Error::InsufficientGuardianShares);
            }
            let amount = books.guardians.ask(next, shares)?;
            if amount < min_amount {
                return Err(Error::SlippageExceeded);
            }
            // Its own terms: nothing of this is read again.
            let config = &market.config;
            next.opens_at = clock.unix.saturating_add(config.guardian_cooldown.into());
            (next.fall, next.release) = (config.stress_fall, config.guardian_release);
            Ok(GuardianRequest {
                shares,
                amount,
                opens_at: next.opens_at,
                claim_after: books.guardians.claim,
            })
        })
    }

    fn take_request_back(&mut self, position: &mut GuardianPosition, clock: Clock) -> Result<GuardianRequest> {
        self.transact_for(position, clock, |_, books, next| {
            next.check_open(clock)?;
            let (amount, shares) = books.guardians.take_back(next)?;
            Ok(GuardianRequest {
                shares,
                amount,
                opens_at: 0,
                claim_after: books.guardians.claim,
            })
        })
    }

    /// Pays an open request as much of `amount` as can leave now, and at least `min_amount`: its part of max(0, C), of
    /// what there is, and of the backstop's cash, which there is only when it owes nobody anything
    /// ([`crate::backstop::guardians`]). It may be nothing. The part left unpaid because no more could leave earns for
    /// standing by from then on.
    ///
    /// While inventory or debt depends on prices: at Normal, at stored prices no older than `max_age_short`; show some
    /// if they are. Once the release is over the level no longer refuses, and the stored prices may be
    /// [`RELEASED_AGE`] old: both hang on parameters, and nobody is kept by those. Without an accepted reading for
    /// [`DEAD_SECONDS`] the stored ones are taken as they are, whatever the level: nobody is kept by a dead feed.
    ///
    /// # Errors
    /// [`Error::ZeroAmount`], [`Error::NothingRequested`], [`Error::TimelockActive`], [`Error::MarketGuarded`],
    /// [`Error::MarketHalted`], [`Error::PriceTooOld`], [`Error::SlippageExceeded`], [`Error::Overflow`].
    pub fn guardian_withdraw(
        &mut self,
        position: &mut GuardianPosition,
        amount: Quote,
        min_amount: Quote,
        clock: Clock,
    ) -> Result<GuardianWithdrawal> {
        amount.nonzero()?;
        self.transact_for(position, clock, |market, books, next| {
            next.check_open(clock)?;
            if books.needs_prices(Pricing::Leave) && market.guard.age(clock) < DEAD_SECONDS.unsigned_abs() {
                if next.is_released(clock) {
                    market.check_stored_age(RELEASED_AGE.max(market.config.max_age_short.into()), clock)?;
                } else {
                    market.check_leaving_price(clock)?;
                }
            }
            let lowest = market.guard.lowest(&market.config);
            let means = Means {
                cover: market.cover_of(books, lowest, next.fall_at(clock))?.spare(),
                equity: positive(books.equity(lowest)?),
                cash: books.backstop.cash,
            };
            let paid = books.guardians.pay(next, amount, &means)?;
            if paid < min_amount {
                return Err(Error::SlippageExceeded);
            }
            books.backstop.cash = books.backstop.cash.minus(paid)?;
            Ok(GuardianWithdrawal {
                amount: paid,
                unpaid: next.unpaid(&books.guardians)?,
                requested_after: books.guardians.requested()?,
            })
        })
    }

    /// Checks that capital may leave at the stored prices: at Normal, and no older than borrowing allows.
    ///
    /// # Errors
    /// [`Error::MarketGuarded`], [`Error::MarketHalted`], [`Error::PriceTooOld`].
    pub(super) fn check_leaving_price(&self, clock: Clock) -> Result<()> {
        match Level::from_byte(self.guard.level) {
            _ if self.guard.is_emergency_halted(clock) => Err(Error::MarketHalted),
            Level::Halted => Err(Error::MarketHalted),
            Level::Guarded => Err(Error::MarketGuarded),
            Level::Normal => self.check_stored_age(self.config.max_age_short.into(), clock),
        }
    }

    /// Checks that the stored prices are at most `most` seconds old.
    ///
    /// # Errors
    /// [`Error::PriceTooOld`].
    fn check_stored_age(&self, most: u64, clock: Clock) -> Result<()> {
        if self.guard.age(clock) > most {
            return Err(Error::PriceTooOld);
        }
        Ok(())
    }

    /// A position may be closed when it holds no shares and no request of this epoch.
    ///
    /// # Errors
    /// [`Error::AccountNotEmpty`].
    pub fn check_position_closable(&self, position: &GuardianPosition) -> Result<()> {
        let position = position.in_epoch(self.books.guardians.epoch);
        if position.shares == GuardianShares::ZERO && !position.has_request() {
            Ok(())
        } else {
            Err(Error::AccountNotEmpty)
        }
    }
}

/// Quote atoms, at least none.
pub(super) fn positive(equity: i128) -> Quote {
    Quote(u64::try_from(equity.max(0)).unwrap_or(u64::MAX))
}

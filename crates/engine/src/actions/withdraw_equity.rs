use super::guardians::positive;
use crate::{
    error::{Error, Result},
    governance::check_approval,
    market::{AnnouncedWithdrawal, Market, Pricing},
    math::units::{Clock, Quote},
};

record! {
    /// Equity of the protocol is announced to be taken out; zero takes an announcement back.
    EquityWithdrawalQueued {
        /// Quote atoms.
        amount: Quote,
        /// From when, seconds since 1970.
        opens_at: i64,
        /// Until when, seconds since 1970.
        closes_at: i64,
    }
}

record! {
    /// An announcement of taking equity out was taken back.
    EquityWithdrawalCancellation {
        /// Quote atoms that stay.
        amount: Quote,
    }
}

record! {
    /// Equity of the protocol was taken out.
    EquityWithdrawal {
        /// Quote atoms.
        amount: Quote,
        /// The protocol's equity left, at the lowest of the stored prices, quote atoms.
        equity_after: Quote,
    }
}

impl Market {
    /// Announces that the protocol will take `amount` of its equity out, `equity_withdrawal_delay` seconds from now and
    /// for `equity_withdrawal_window` seconds; the announcement keeps both times, whatever these parameters become. It
    /// replaces an earlier one, and zero takes it back. It can be announced until `expires_slot`, see
    /// [`crate::governance`]. Who may is the caller's business.
    ///
    /// # Errors
    /// [`Error::ApprovalExpired`], [`Error::ApprovalTooLong`].
    pub fn queue_equity_withdrawal(
        &mut self,
        amount: Quote,
        expires_slot: u64,
        clock: Clock,
    ) -> Result<EquityWithdrawalQueued> {
        check_approval(expires_slot, clock)?;
        let opens_at = clock.unix.saturating_add(self.config.equity_withdrawal_delay.into());
        let closes_at = opens_at.saturating_add(self.config.equity_withdrawal_window.into());
        self.announced_withdrawal = if amount == Quote::ZERO {
            bytemuck::Zeroable::zeroed()
        } else {
            AnnouncedWithdrawal {
                amount,
                opens_at,
                closes_at,
            }
        };
        Ok(EquityWithdrawalQueued {
            amount,
            opens_at,
            closes_at,
        })
    }

    /// Takes an announcement back; who may is the caller's business.
    ///
    /// # Errors
    /// [`Error::NothingQueued`].
    pub fn cancel_equity_withdrawal(&mut self) -> Result<EquityWithdrawalCancellation> {
        let amount = self.announced_withdrawal.amount;
        if amount == Quote::ZERO {
            return Err(Error::NothingQueued);
        }
        self.announced_withdrawal = bytemuck::Zeroable::zeroed();
        Ok(EquityWithdrawalCancellation { amount })
    }

    /// Takes the announced equity out of the backstop's cash, all or none, in its time. While inventory or debt depends
    /// on prices: at Normal, at stored prices no older than `max_age_short`. The equity left must be worth all the
    /// guardians' claims, and the stress cover must suffice beside the guardians' requests, which come first: see
    /// [`crate::backstop::capacity`].
    ///
    /// Unlike a guardian's request it closes again, for it would be at the disposal of whoever steals the authority's
    /// key; its S does not fall to nothing, for the protocol's capital stands first; and it does not leave at the price
    /// of a dead feed, for the authority can change feeds.
    ///
    /// # Errors
    /// [`Error::NothingQueued`], [`Error::TimelockActive`], [`Error::Expired`], [`Error::BackstopCashInsufficient`],
    /// [`Error::MarketGuarded`], [`Error::MarketHalted`], [`Error::PriceTooOld`], [`Error::EquityBelowClaim`],
    /// [`Error::StressCoverExceeded`], [`Error::Overflow`].
    pub fn withdraw_equity(&mut self, clock: Clock) -> Result<EquityWithdrawal> {
        let AnnouncedWithdrawal {
            amount,
            opens_at,
            closes_at,
        } = self.announced_withdrawal;
        if amount == Quote::ZERO {
            return Err(Error::NothingQueued);
        }
        if clock.unix < opens_at {
            return Err(Error::TimelockActive);
        }
        if clock.unix > closes_at {
            return Err(Error::Expired);
        }
        let equity_after = self.transact(clock, |market, books| {
            if amount > books.backstop.cash {
                return Err(Error::BackstopCashInsufficient);
            }
            let capital = books.protocol_capital();
            books.backstop.cash = books.backstop.cash.minus(amount)?;
            let claim = books.guardians.all_claims()?;
            if books.needs_prices(Pricing::Leave) {
                market.check_leaving_price(clock)?;
            }
            let lowest = market.guard.lowest(&market.config);
            let equity = positive(books.equity(lowest)?);
            if equity < claim {
                return Err(Error::EquityBelowClaim);
            }
            market.check_equity_withdrawal(books, lowest)?;
            // What it gained goes first, then its capital: guardians stand by beside the rest of that.
            let left = equity.minus(claim)?;
            let taken = capital.0.saturating_sub(left.0).min(amount.0);
            let taken = i64::try_from(taken).unwrap_or(i64::MAX);
            books.equity_sources.paid_in = books.equity_sources.paid_in.saturating_sub(taken);
            Ok(left)
        })?;
        self.announced_withdrawal = bytemuck::Zeroable::zeroed();
        Ok(EquityWithdrawal { amount, equity_after })
    }
}

use super::guardians::{LeavingPrices, positive};
use crate::{
    error::{Error, Result},
    governance::check_approval,
    guard::Prices,
    guardians::check_window,
    market::{Market, TakeOut},
    units::{Clock, Quote},
};

record! {
    /// Equity of the protocol is announced to be taken out; zero takes an announcement back.
    TakeOutQueued {
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
    TakeOutCancellation {
        /// Quote atoms that stay.
        amount: Quote,
    }
}

record! {
    /// Equity of the protocol was taken out.
    TakenOut {
        /// Quote atoms.
        amount: Quote,
        /// The protocol's equity left, at the conservative price, quote atoms.
        equity_after: Quote,
    }
}

impl Market {
    /// Announces that the protocol will take `amount` of its equity out, `take_out_delay` seconds from now; replaces an
    /// earlier announcement, and zero takes it back. It can be announced until `expires_slot`, see [`crate::governance`]. Who
    /// may is the caller's business.
    ///
    /// # Errors
    /// [`Error::ApprovalExpired`], [`Error::ApprovalTooLong`].
    pub fn queue_take_out(&mut self, amount: Quote, expires_slot: u64, clock: Clock) -> Result<TakeOutQueued> {
        check_approval(expires_slot, clock)?;
        self.take_out = TakeOut {
            amount,
            queued_at: clock.unix,
        };
        let opens_at = clock.unix.saturating_add(self.config.take_out_delay.into());
        Ok(TakeOutQueued {
            amount,
            opens_at,
            closes_at: opens_at.saturating_add(self.config.take_out_window.into()),
        })
    }

    /// Takes an announcement back; who may is the caller's business.
    ///
    /// # Errors
    /// [`Error::NothingQueued`].
    pub fn cancel_take_out(&mut self) -> Result<TakeOutCancellation> {
        let amount = self.take_out.amount;
        if amount == Quote::ZERO {
            return Err(Error::NothingQueued);
        }
        self.take_out = bytemuck::Zeroable::zeroed();
        Ok(TakeOutCancellation { amount })
    }

    /// Takes the announced equity out of the backstop's cash. What is left must be worth the guardians' claim, with inventory at
    /// the conservative price, and the stress cover must suffice beside what guardians have asked for: see [`crate::stress`].
    ///
    /// # Errors
    /// [`Error::NothingQueued`], [`Error::TooEarly`], [`Error::Expired`], [`Error::BackstopCashInsufficient`],
    /// [`Error::PriceRequired`], those of [`Prices::conservative`], [`Error::EquityBelowClaim`], [`Error::StressCoverExceeded`],
    /// [`Error::Overflow`].
    pub fn take_out(&mut self, prices: Option<&Prices>, clock: Clock) -> Result<TakenOut> {
        let TakeOut { amount, queued_at } = self.take_out;
        if amount == Quote::ZERO {
            return Err(Error::NothingQueued);
        }
        check_window(
            queued_at,
            self.config.take_out_delay,
            self.config.take_out_window,
            clock,
        )?;
        let mut books = self.books;
        books.accrue(&self.config, clock)?;
        if amount > books.backstop.cash {
            return Err(Error::BackstopCashInsufficient);
        }
        let capital = books.protocol_capital();
        books.backstop.cash = books.backstop.cash.minus(amount)?;
        let claim = books.guardians.claim;
        let at = LeavingPrices::of(&books, prices, clock)?;
        let equity = positive(books.equity(at.conservative)?);
        if equity < claim {
            return Err(Error::EquityBelowClaim);
        }
        self.check_equity_withdrawal(&books, at.lowest)?;
        // What it gained goes first, then its capital: guardians stand by beside the rest of that.
        let left = equity.minus(claim)?;
        let taken = capital.0.saturating_sub(left.0).min(amount.0);
        let taken = i64::try_from(taken).unwrap_or(i64::MAX);
        books.income.paid_in = books.income.paid_in.saturating_sub(taken);
        books.invariant()?;

        self.books = books;
        self.take_out = bytemuck::Zeroable::zeroed();
        Ok(TakenOut {
            amount,
            equity_after: left,
        })
    }
}

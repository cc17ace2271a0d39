use crate::{
    error::{Error, Result},
    guard::Prices,
    guardians::check_window,
    market::{Market, TakeOut},
    num,
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
    /// Equity of the protocol was taken out.
    TakenOut {
        /// Quote atoms.
        amount: Quote,
        /// The protocol's equity left, at the conservative price, quote atoms.
        equity_after: Quote,
        /// What must be left, quote atoms.
        floor: Quote,
    }
}

impl Market {
    /// Announces that the protocol will take `amount` of its equity out, `take_out_delay` seconds from now; replaces an
    /// earlier announcement, and zero takes it back. Who may is the caller's business.
    pub fn queue_take_out(&mut self, amount: Quote, clock: Clock) -> TakeOutQueued {
        self.take_out = TakeOut {
            amount,
            queued_at: clock.unix,
        };
        let opens_at = clock.unix.saturating_add(i64::from(self.config.take_out_delay));
        TakeOutQueued {
            amount,
            opens_at,
            closes_at: opens_at.saturating_add(i64::from(self.config.take_out_window)),
        }
    }

    /// Takes the announced equity out of the backstop's cash. What is left to the protocol, after the guardians' claim and
    /// with inventory at the conservative price less the haircut, must be at least `equity_floor` of the market's debt.
    ///
    /// # Errors
    /// [`Error::NothingQueued`], [`Error::TooEarly`], [`Error::Expired`], [`Error::BackstopCashInsufficient`],
    /// [`Error::PriceRequired`], those of [`Prices::conservative`], [`Error::EquityFloorReached`], [`Error::Overflow`].
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
        books.backstop.cash = books.backstop.cash.minus(amount)?;
        // Rounded up: a floor is at least what it says.
        let debt = books.pool.index.debt(books.pool.debt_shares)?;
        let floor = num::mul_div_ceil(debt.0, self.config.equity_floor.factor(), num::BPS).map(Quote)?;
        let claim = self.guardians.claim;
        let equity = self.releasable(&books, prices)?;
        if equity < claim.plus(floor)? {
            return Err(Error::EquityFloorReached);
        }
        books.invariant()?;

        self.books = books;
        self.take_out = bytemuck::Zeroable::zeroed();
        self.income.paid_in.0 = self.income.paid_in.0.saturating_sub(amount.0);
        Ok(TakenOut {
            amount,
            equity_after: equity.minus(claim)?,
            floor,
        })
    }
}

use crate::{
    error::{Error, Result},
    market::Market,
    units::{Clock, Collateral, DebtShares, Quote},
};

record! {
    /// The backstop could not pay its debt: who bore what, quote atoms.
    Settlement {
        /// The protocol's own capital: what was given to the backstop for good and what the pool paid it, since the last
        /// settlement, less what guardians earned of it. All of it is lost.
        protocol: Quote,
        /// The guardians' claims, also of those who asked to leave. All of it is void.
        guardians: Quote,
        /// Debt that the pool will not be paid: the LP price falls by it, once.
        suppliers: Quote,
        /// Debt shares cancelled.
        shares: DebtShares,
    }
}

impl Market {
    /// Settles a deficit: the backstop has sold everything, has no cash, and still owes the pool. Anyone may. What keepers are
    /// owed without cash for it stays owed, first of all.
    ///
    /// The protocol's equity is gone by then, the guardians' claim is voided, and what is still owed is written off the
    /// pool's books. It is the only thing that ever lowers the price of an LP share.
    ///
    /// # Errors
    /// [`Error::NothingToSettle`], [`Error::Overflow`].
    pub fn settle_deficit(&mut self, clock: Clock) -> Result<Settlement> {
        let mut books = self.books;
        books.accrue(&self.config, clock)?;
        // Accruing pays nothing a second time in one second, and a liquidation may have been in between.
        books.pay_due()?;
        let backstop = &mut books.backstop;
        let shares = backstop.debt_shares;
        let empty = backstop.inventory == Collateral::ZERO && backstop.cash == Quote::ZERO;
        if !empty || shares == DebtShares::ZERO {
            return Err(Error::NothingToSettle);
        }
        let suppliers = books.pool.index.debt(shares)?;
        books.pool.write_off(shares)?;
        backstop.debt_shares = DebtShares::ZERO;
        let protocol = books.protocol_capital();
        books.backstop.reserve = Quote::ZERO;
        books.income = bytemuck::Zeroable::zeroed();
        let guardians = books.guardians.void();
        books.invariant()?;

        self.books = books;
        Ok(Settlement {
            protocol,
            guardians,
            suppliers,
            shares,
        })
    }
}

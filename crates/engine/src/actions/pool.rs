use crate::{
    error::{Error, Result},
    governance::pause,
    market::Market,
    math::units::{Clock, LpShares, Quote},
};

record! {
    /// Quote was supplied to the pool.
    Supply {
        /// Quote atoms supplied.
        amount: Quote,
        /// LP shares minted.
        shares: LpShares,
    }
}

record! {
    /// A supplier left the pool.
    Withdrawal {
        /// LP shares burned.
        shares: LpShares,
        /// Quote atoms paid out.
        amount: Quote,
    }
}

impl Market {
    /// Supplies `amount` to the pool for LP shares at par, rounded down in favor of those who are in already. Not while
    /// the pool is impaired ([`Market::impaired`]).
    ///
    /// # Errors
    /// [`Error::ActionPaused`], [`Error::ZeroAmount`] (also if the amount buys no share), [`Error::SlippageExceeded`]
    /// if fewer than `min_shares`, [`Error::SupplyCapReached`], [`Error::WrittenOff`], [`Error::PoolImpaired`],
    /// [`Error::Overflow`].
    pub fn supply(&mut self, amount: Quote, min_shares: LpShares, clock: Clock) -> Result<Supply> {
        pause::check(self.pauses.supply, clock)?;
        amount.nonzero()?;
        let (assets, shares) = self.transact(clock, |market, books| {
            let assets = books.pool.assets()?;
            let shares = books.pool.shares_for_supply(amount)?.nonzero()?;
            if shares < min_shares {
                return Err(Error::SlippageExceeded);
            }
            if assets.plus(amount)? > market.config.supply_cap {
                return Err(Error::SupplyCapReached);
            }
            market.check_supply(books, assets)?;
            books.pool.take_in(amount, shares)?;
            Ok((assets, shares))
        })?;
        self.outflow.supplied(&self.config, assets, amount, clock);
        Ok(Supply { amount, shares })
    }

    /// Burns `shares` of the `held` LP shares for their part of what is there at the stored price, quote atoms, rounded
    /// down in favor of those who stay: see [`Market::impaired`]. It needs no price, and no feed that has died keeps
    /// anybody in.
    ///
    /// # Errors
    /// [`Error::ZeroAmount`] (also if the shares are worth no atom), [`Error::InsufficientLpShares`],
    /// [`Error::SlippageExceeded`] if less than `min_amount`, [`Error::InsufficientLiquidity`],
    /// [`Error::OutflowLimitReached`], [`Error::Overflow`].
    pub fn withdraw(
        &mut self,
        shares: LpShares,
        held: LpShares,
        min_amount: Quote,
        clock: Clock,
    ) -> Result<Withdrawal> {
        shares.nonzero()?;
        if shares > held {
            return Err(Error::InsufficientLpShares);
        }
        let (amount, outflow) = self.transact(clock, |market, books| {
            let value = market.lp_value_of(books, shares, clock)?;
            let amount = value.amount.nonzero()?;
            if amount < min_amount {
                return Err(Error::SlippageExceeded);
            }
            if amount > books.pool.cash {
                return Err(Error::InsufficientLiquidity);
            }
            let mut outflow = market.outflow;
            outflow.withdrawn(&market.config, value.assets, amount, clock)?;
            books.pool.cash = books.pool.cash.minus(amount)?;
            books.pool.lp_supply = books.pool.lp_supply.minus(shares)?;
            Ok((amount, outflow))
        })?;
        self.outflow = outflow;
        Ok(Withdrawal { shares, amount })
    }
}

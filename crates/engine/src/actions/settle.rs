use crate::{
    error::{Error, Result},
    market::{Books, Ended, Market, Pricing},
    math::units::{Clock, Collateral, DebtShares, Fixed, Quote},
    price::{guard::Prices, oracle::PriceUse},
};

record! {
    /// The backstop could not pay its debt: who bore what, quote atoms.
    Settlement {
        /// The protocol's own capital: what was given to the backstop for good and what the pool paid it, since the
        /// last loss, less what guardians earned of it. All of it is lost; nothing yet while inventory is left.
        protocol: Quote,
        /// The guardians' claims, also of those who asked to leave. All of it is void; nothing yet while inventory is
        /// left.
        guardians: Quote,
        /// Debt that the pool will not be paid: the LP price falls by it, once.
        suppliers: Quote,
        /// Debt shares canceled.
        shares: DebtShares,
        /// Written off and not paid back so far: what the inventory fetches beyond the debt that is left pays it first.
        /// Nothing without inventory.
        written_off: Quote,
        /// Inventory that may pay it back, collateral atoms.
        inventory: Collateral,
    }
}

impl Market {
    /// Settles a deficit: writes off what the backstop owes the pool and could not pay even at the highest price.
    /// Anyone may.
    ///
    /// ```text
    /// d = debt + unfunded credits − cash − reserves owed − inventory × highest   at most the debt; rounded down
    /// highest = max(spot, guarded, own EMA, Pyth's EMA) + confidence
    /// ```
    ///
    /// With inventory left that takes a fresh price at Normal, and d is written off: no interest, no utilization, and
    /// the LP price falls by it. Proceeds of the inventory beyond the rest of the debt pay it back first
    /// ([`crate::pool::recovery`]); the guardians' claim stands behind that. Without inventory no price is needed,
    /// nothing can come back, and the protocol's capital and the guardians' claim are lost with it.
    ///
    /// Unfunded credits of keepers stay owed, first of all. A settlement is the only thing that ever lowers the price
    /// of an LP share.
    ///
    /// # Errors
    /// [`Error::NothingToSettle`]; with inventory [`Error::PriceRequired`], those of [`Prices::check`] and
    /// [`Prices::highest`]; [`Error::Overflow`].
    pub fn settle_deficit(&mut self, prices: Option<&Prices>, clock: Clock) -> Result<Settlement> {
        self.transact(clock, |_, books| {
            // Accruing pays nothing a second time in one second, and a liquidation may have been in between.
            books.pay_reserves_owed()?;
            if books.backstop.debt_shares == DebtShares::ZERO {
                return Err(Error::NothingToSettle);
            }
            let inventory = books.backstop.inventory;
            let worth = if books.needs_prices(Pricing::Settle) {
                worth(inventory, prices.ok_or(Error::PriceRequired)?, clock)?
            } else {
                Quote::ZERO
            };
            let lacking = lacking(books, worth)?;
            let shares = books.pool.shares_paid(lacking, books.backstop.debt_shares)?;
            if shares == DebtShares::ZERO {
                return Err(Error::NothingToSettle);
            }
            let suppliers = books.pool.index.debt(shares)?;
            books.pool.write_off(shares)?;
            books.backstop.debt_shares = books.backstop.debt_shares.minus(shares)?;
            books.recovery.written_off = books.recovery.written_off.plus(suppliers)?;
            books.recovery.inventory = inventory;
            let mut ended = Ended::default();
            if inventory == Collateral::ZERO {
                // A fraction of an atom by now.
                books.pool.reserves_owed = Fixed::default();
                ended = books.close_recovery();
            }
            Ok(Settlement {
                protocol: ended.protocol,
                guardians: ended.guardians,
                suppliers,
                shares,
                written_off: books.recovery.written_off,
                inventory,
            })
        })
    }
}

/// The most that inventory may fetch, quote atoms, rounded up.
fn worth(inventory: Collateral, prices: &Prices, clock: Clock) -> Result<Quote> {
    prices.check(PriceUse::Borrow, clock)?;
    prices.permit(PriceUse::Borrow)?;
    // More than can be counted is more than enough.
    Ok(prices.highest()?.quote_ceil(inventory).unwrap_or(Quote(u64::MAX)))
}

/// Excess of the backstop's debt over its assets, keepers paid first and inventory fetching `worth`; at most the debt.
/// Quote atoms.
fn lacking(books: &Books, worth: Quote) -> Result<Quote> {
    let backstop = &books.backstop;
    let debt = books.pool.index.debt(backstop.debt_shares)?;
    let owed = debt.plus(backstop.unfunded_credits)?;
    let held = [backstop.cash, books.reserves_owed(), worth];
    let rest = held.iter().fold(owed.0, |rest, part| rest.saturating_sub(part.0));
    Ok(Quote(rest).min(debt))
}

use super::liquidate::Due;
use crate::{
    error::{Error, Result},
    guard::Prices,
    market::Market,
    num::{self, BPS},
    position::MarginAccount,
    sizing::Extent,
    units::{Bps, Clock, Collateral, Price, Quote},
};

record! {
    /// An account was liquidated by somebody's own capital.
    ExternalLiquidation {
        /// Price it was judged at, quote atoms per collateral atom, Q64.64.
        price: Price,
        /// Debt repaid by the caller, quote atoms.
        repaid: Quote,
        /// Collateral handed out to the caller, atoms.
        seized: Collateral,
        /// What the account lost by it, bps of the debt repaid, at that price.
        penalty: Bps,
        /// For how long the backstop had had no room, seconds.
        waited: u64,
        /// Debt left in the account, quote atoms.
        debt_after: Quote,
        /// Collateral left in the account, atoms.
        collateral_after: Collateral,
    }
}

/// What the caller of [`Market::liquidate_external`] is willing to do.
#[derive(Clone, Copy, Debug)]
pub struct Willing {
    /// Most debt to repay, quote atoms.
    pub max_repay: Quote,
    /// Least collateral to get, atoms.
    pub min_collateral: Collateral,
}

impl Market {
    /// Repays debt of an account with the caller's own capital, for collateral at a discount. Only while the backstop has
    /// no room for the account, and not for insolvent accounts, which it takes always.
    ///
    /// The same accounts, the same sizing and the same steps as for the backstop. The discount is off the lower of spot
    /// and guarded price, starts at zero when the backstop is first found without room, and grows by `external_slope` a
    /// minute; what the account loses by it is never more than the penalty that it would have paid to the backstop:
    ///
    /// ```text
    /// penalty = min( slope × minutes + (higher − lower) ÷ lower,  β )
    /// ```
    ///
    /// The pool gets cash for debt, rounded in its favour.
    ///
    /// # Errors
    /// [`Error::BackstopHasRoom`], [`Error::AccountInsolvent`], [`Error::SlippageExceeded`], [`Error::ZeroAmount`],
    /// [`Error::RepaymentTooSmall`] while Guarded for less than the minimum debt that is not all that is due,
    /// [`Error::DebtBelowMinimum`] if
    /// nothing can be repaid without leaving dust, those of
    /// [`crate::actions::Liquidations::liquidate`] and [`Prices::liquidation`].
    pub fn liquidate_external(
        &mut self,
        account: &mut MarginAccount,
        willing: Willing,
        prices: &Prices,
        clock: Clock,
    ) -> Result<ExternalLiquidation> {
        willing.max_repay.nonzero()?;
        let mut liquidations = self.liquidations(prices, clock)?;
        let Due { debt, terms, .. } = liquidations.due(account, None)?;
        if terms.extent == Extent::Insolvent {
            return Err(Error::AccountInsolvent);
        }
        if liquidations.has_room(&terms, debt, account.collateral)? {
            return Err(Error::BackstopHasRoom);
        }
        let config = liquidations.market.config;
        let mut shortage = liquidations.market.shortage;
        let waited = shortage.note(&config, clock);
        let discount = num::mul_div_floor(config.external_slope.factor(), waited, 60)?.saturating_add(gap(prices)?);
        let penalty = Bps(u32::try_from(discount).unwrap_or(u32::MAX).min(terms.penalty.0));

        let due = liquidations.due(account, Some(penalty))?;
        let Due { terms, step, .. } = due;
        let price = liquidations.marks.price;
        let least = terms.repay.min(config.min_debt);
        let too_little = Error::DebtBelowMinimum;
        let terms = terms.within(&config, debt, account.collateral, &price, willing.max_repay, too_little)?;
        // While Guarded it makes the account rest, and crumbs would do only that.
        if step.is_some() && terms.repay < least {
            return Err(Error::RepaymentTooSmall);
        }
        if terms.seize < willing.min_collateral {
            return Err(Error::SlippageExceeded);
        }
        let step = liquidations.step_for(step, &terms)?;
        let (left, paid) = liquidations.relieve(account.debt_shares, &due, terms.repay)?;
        let mut books = liquidations.market.books;
        books.pool.collect(terms.repay, paid)?;
        let collateral = account.collateral.minus(terms.seize)?;
        books.invariant()?;

        let map = &mut liquidations.market.map;
        let band = map.band(left.shares, collateral);
        map.follow((account.debt_shares, account.band), (left.shares, band))?;
        account.band = band;
        liquidations.market.books = books;
        liquidations.market.shortage = shortage;
        liquidations.step_taken(account, step);
        (account.debt_shares, account.collateral) = (left.shares, collateral);
        Ok(ExternalLiquidation {
            price: price.price,
            repaid: terms.repay,
            seized: terms.seize,
            penalty: terms.penalty,
            waited,
            debt_after: left.debt,
            collateral_after: collateral,
        })
    }
}

/// How far the higher of spot and guarded price is above the lower, bps of the lower, rounded down.
fn gap(prices: &Prices) -> Result<u64> {
    let (spot, guarded) = (prices.spot(), prices.guarded());
    let (low, high) = (spot.min(guarded).raw(), spot.max(guarded).raw());
    num::narrow(num::div_floor(num::q_times(num::sub(high, low)?, BPS)?, low)?)
}

//! Impairment: what suppliers would lose if everything were settled now. Nobody leaves the pool with another's part of
//! it.
//!
//! Between a loss and its settlement the pool's books still count debt that nobody will pay. So who leaves is paid his
//! part of what is there, at the price
//!
//! ```text
//! m        = min(stored spot, guarded, own EMA) × (1 − min(S_base, max_velocity × age of the stored price))
//! impaired = max(0, −(cash + reserves owed + inventory × m − backstop debt − unfunded credits − B(m)))
//! ```
//!
//! which is the stress cover at m instead of q ([`crate::backstop::capacity`]): B(m) is what accounts under water at m
//! lack. It is never more than the debt of the backstop and of those accounts: keepers' credits beyond that are not the
//! suppliers' to pay.
//!
//! Who shows a fresh price in the same transaction is paid by it; who shows none is paid as if the price had fallen
//! since by what it may. Feeds that are dead lead to q = min × (1 − S_base), and never to a refusal. Where C, the
//! cover at q, is not negative, nothing is impaired at any m above q, and nothing more is worked out.
//!
//! | who | at | pays |
//! |---|---|---|
//! | leaves | m | shares ÷ supply × (assets − impaired), rounded down |
//! | comes | the stored price, not aged | par; refused while more than [`SUPPLY_TOLERANCE`] of the assets is impaired |
//!
//! So what sells for more later belongs to those who stayed.

use crate::{
    error::{Error, Result},
    market::{Books, Market},
    math::units::{Bps, Clock, LpShares, Price, Quote},
};

/// Supply is refused while more than this part of the pool's assets is impaired, bps: below that who comes loses no
/// more than it to those who are there.
pub const SUPPLY_TOLERANCE: Bps = Bps(10);

/// Value of LP shares to a supplier who leaves now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LpValue {
    /// The suppliers' assets by the books, quote atoms: new suppliers pay for these.
    pub assets: Quote,
    /// The part of them that would be lost if everything were settled at m, quote atoms, rounded up.
    pub impaired: Quote,
    /// Payment for the shares, quote atoms, rounded down: their part of the rest. Cash and the outflow limit may allow
    /// less.
    pub amount: Quote,
}

impl Market {
    /// Payment for `shares` now at the stored price, interest included; stores nothing. To learn the payment after
    /// showing a fresh price, ask a market that has accepted it.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub fn lp_value(&self, shares: LpShares, clock: Clock) -> Result<LpValue> {
        self.lp_value_of(&self.books_at(clock)?, shares, clock)
    }

    /// m: what collateral counts for when suppliers leave, quote atoms per collateral atom, rounded down. Zero before
    /// the first reading, when nobody owes anything.
    ///
    /// # Errors
    /// [`Error::Overflow`], for prices that no reading can have.
    pub fn exit_price(&self, clock: Clock) -> Result<Price> {
        self.guard
            .lowest(&self.config)
            .scale_down(self.fall_since(clock).below_one())
    }

    /// The suppliers' loss if everything were settled at the stored price as it is, quote atoms, rounded up.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub fn impaired(&self, clock: Clock) -> Result<Quote> {
        Ok(self.impaired_at(&self.books_at(clock)?, Bps(0)))
    }

    /// Shortfall of all guardians' claims if everything were settled at the stored price as it is, quote atoms: those
    /// who asked to leave rank with the others, so a guardian who joins bears his capital's part of it.
    ///
    /// ```text
    /// max(0, all claims − max(0, rest))
    /// rest = cash + reserves owed + inventory × p − backstop debt − unfunded credits − written off − B(p)
    /// ```
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub fn claim_impairment(&self, clock: Clock) -> Result<Quote> {
        Ok(self.claim_impaired_at(&self.books_at(clock)?))
    }

    /// See [`Market::claim_impairment`].
    pub(crate) fn claim_impaired_at(&self, books: &Books) -> Quote {
        let cover = self.cover_of(books, self.guard.lowest(&self.config), Bps(0));
        // As in `impaired_at`.
        let spare = cover.map_or(u64::MAX, |cover| cover.spare().0);
        let spare = spare.saturating_sub(books.recovery.written_off.0);
        let claims = books.guardians.all_claims().unwrap_or(Quote(u64::MAX));
        Quote(claims.0.saturating_sub(spare))
    }

    /// See [`Market::lp_value`].
    pub(crate) fn lp_value_of(&self, books: &Books, shares: LpShares, clock: Clock) -> Result<LpValue> {
        let impaired = self.impaired_at(books, self.fall_since(clock));
        let assets = books.pool.assets()?;
        Ok(LpValue {
            assets,
            impaired,
            amount: books.pool.amount_for_shares(shares, impaired)?,
        })
    }

    /// Refuses new suppliers while they would pay for what is lost, or take part of what comes back to others.
    ///
    /// # Errors
    /// [`Error::WrittenOff`], [`Error::PoolImpaired`].
    pub(crate) fn check_supply(&self, books: &Books, assets: Quote) -> Result<()> {
        books.recovery.check_open()?;
        let impaired = self.impaired_at(books, Bps(0));
        let tolerated = crate::math::num::part(assets.0, SUPPLY_TOLERANCE);
        if impaired.0 > tolerated {
            return Err(Error::PoolImpaired);
        }
        Ok(())
    }

    /// The fall that the price may have had since it was accepted, bps, at most S_base.
    fn fall_since(&self, clock: Clock) -> Bps {
        let config = &self.config;
        let moved = config.max_velocity.factor().saturating_mul(self.guard.age(clock));
        Bps(u32::try_from(moved).unwrap_or(u32::MAX).min(config.stress_fall.0))
    }

    /// The part of the pool's assets that is lost with the price `fall` below the lowest stored one, at most
    /// `stress_fall`, quote atoms.
    ///
    /// It never refuses: what does not fit 64 bits is what inventory is worth, for debt and credits do; so nothing is
    /// lost.
    fn impaired_at(&self, books: &Books, fall: Bps) -> Quote {
        let lowest = self.guard.lowest(&self.config);
        let short = |fall| {
            let cover = self.cover_of(books, lowest, fall);
            cover.map_or(Quote::ZERO, |cover| {
                let debt = cover.liabilities.0.saturating_sub(books.backstop.unfunded_credits.0);
                Quote(cover.liabilities.0.saturating_sub(cover.assets.0).min(debt))
            })
        };
        let worst = self.config.stress_fall;
        let at_worst = short(worst);
        // The sums are kept there: other prices cost a walk over the bands between.
        if at_worst == Quote::ZERO || fall == worst {
            return at_worst;
        }
        short(fall)
    }
}

#[cfg(test)]
mod tests;

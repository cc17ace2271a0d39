//! The suppliers' lending pool: cash, debt in shares × a growing index, and LP shares priced from these books.

pub mod interest;
pub mod outflow;
pub mod recovery;

use crate::{
    config::Config,
    error::{Error, Result},
    math::{
        num::{self, BPS},
        shares::{Stake, VIRTUAL_SHARES},
        units::{DebtShares, Fixed, Index, LpShares, Quote},
    },
};

stored! {
    /// The pool's books.
    Pool {
        /// Quote atoms for each debt share, Q64.64.
        index: Index,
        /// Reserves owed to the backstop of the interest so far, quote atoms, Q64.64.
        reserves_owed: Fixed,
        /// Lendable quote atoms.
        cash: Quote,
        /// All debt shares: those of the margin accounts and those of the backstop.
        debt_shares: DebtShares,
        /// LP shares in existence, atoms of the LP mint.
        lp_supply: LpShares,
        /// Interest is accrued up to here, seconds since 1970.
        accrued_at: i64,
    }
}

/// The index of a new pool: 1,024 shares an atom, so that a share stays finer than an atom until the index has grown
/// a thousandfold, and every rounding in shares is below one atom.
const FIRST_INDEX: u128 = num::ONE >> 10;

/// The LP mint has this many more decimals than the quote mint: so one whole LP share begins as one whole quote token.
pub const EXTRA_LP_DECIMALS: u8 = 3;

impl Pool {
    /// An empty pool.
    #[must_use]
    pub fn new(now: i64) -> Self {
        Self {
            index: Index::from_raw(FIRST_INDEX),
            reserves_owed: Fixed::default(),
            cash: Quote::ZERO,
            debt_shares: DebtShares::ZERO,
            lp_supply: LpShares::ZERO,
            accrued_at: now,
        }
    }

    /// All debt owed to the pool, quote atoms, rounded down: what the pool counts on.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub fn debt(&self) -> Result<Quote> {
        num::q_mul_floor(self.index.raw(), self.debt_shares.0).map(Quote)
    }

    /// The suppliers' assets: cash + debt − due to the backstop, quote atoms.
    ///
    /// Rounded down once, at the end: rounding the parts would let the sum fall by an atom while interest grows.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub fn assets(&self) -> Result<Quote> {
        let debt = num::q_times(self.index.raw(), self.debt_shares.0)?;
        let gross = num::add(num::join(self.cash.0, 0), debt)?;
        let (assets, _) = num::split(num::sub(gross, self.reserves_owed.raw())?);
        Ok(Quote(assets))
    }

    /// Reserves owed to the backstop, whole quote atoms.
    #[inline]
    pub(crate) fn reserves_owed(&self) -> Quote {
        Quote(num::split(self.reserves_owed.raw()).0)
    }

    /// debt ÷ (debt + cash), bps, rounded down; zero for an empty pool.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub fn utilization(&self) -> Result<u64> {
        let debt = self.debt()?.0;
        if debt == 0 {
            return Ok(0);
        }
        num::mul_div_floor(debt, BPS, debt.checked_add(self.cash.0).ok_or(Error::Overflow)?)
    }

    /// Lets interest grow up to `now`. The index compounds, rounded down; the reserve factor of the interest becomes
    /// due to the backstop. A clock that stands still or goes back changes nothing.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub fn accrue(&mut self, config: &Config, now: i64) -> Result<()> {
        if now <= self.accrued_at {
            return Ok(());
        }
        let mut left = now.abs_diff(self.accrued_at);
        let mut next = *self;
        next.accrued_at = now;
        while left > 0 && next.debt_shares.0 > 0 {
            let step = left.min(interest::MAX_STEP);
            left = left.saturating_sub(step);
            next.grow(config, step)?;
        }
        *self = next;
        Ok(())
    }

    fn grow(&mut self, config: &Config, seconds: u64) -> Result<()> {
        let rate = interest::rate(config, self.utilization()?)?;
        let step = num::q_mul_fraction(self.index.raw(), interest::growth(rate, seconds)?);
        self.index = Index::from_raw(num::add(self.index.raw(), step)?);
        let interest = num::q_times(step, self.debt_shares.0)?;
        // Rounded down to 2^-64 atoms, in favor of the suppliers.
        let reserve = num::q_times(
            num::div_floor_small(interest, num::WHOLE.0)?,
            config.reserve_factor.factor(),
        )?;
        self.reserves_owed = Fixed::from_raw(num::add(self.reserves_owed.raw(), reserve)?);
        Ok(())
    }

    /// LP shares for a supply of `amount`, rounded down (see [`crate::math::shares`]).
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub fn shares_for_supply(&self, amount: Quote) -> Result<LpShares> {
        self.stake()?.shares_for(amount.0).map(LpShares)
    }

    /// Quote atoms for `shares` when `impaired` of the assets is lost, rounded down (see [`crate::math::shares`] and
    /// [`Market::impaired`](crate::Market::impaired)).
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub fn amount_for_shares(&self, shares: LpShares, impaired: Quote) -> Result<Quote> {
        let mut stake = self.stake()?;
        stake.assets = stake.assets.saturating_sub(impaired.0);
        stake.amount_for(shares.0).map(Quote)
    }

    fn stake(&self) -> Result<Stake> {
        Ok(Stake {
            shares: self.lp_supply.0,
            assets: self.assets()?.0,
        })
    }

    /// Takes `amount` in for `shares`.
    ///
    /// # Errors
    /// [`Error::Overflow`], also if the virtual shares would not fit beside the new supply: nobody could be paid out
    /// any more.
    pub fn take_in(&mut self, amount: Quote, shares: LpShares) -> Result<()> {
        let lp_supply = self.lp_supply.plus(shares)?;
        lp_supply.plus(LpShares(VIRTUAL_SHARES))?;
        self.cash = self.cash.plus(amount)?;
        self.lp_supply = lp_supply;
        Ok(())
    }

    /// Lends `amount` out of cash and returns the debt shares it creates.
    ///
    /// # Errors
    /// [`Error::InsufficientLiquidity`], [`Error::Overflow`].
    pub fn lend(&mut self, amount: Quote) -> Result<DebtShares> {
        if amount > self.cash {
            return Err(Error::InsufficientLiquidity);
        }
        let shares = self.index.shares_for_loan(amount)?;
        self.lend_for(amount, shares)?;
        Ok(shares)
    }

    /// Lends `amount`, which cash holds, for the debt shares that [`Index::shares_for_loan`] gave.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub(crate) fn lend_for(&mut self, amount: Quote, shares: DebtShares) -> Result<()> {
        let debt_shares = self.debt_shares.plus(shares)?;
        self.cash = self.cash.minus(amount)?;
        self.debt_shares = debt_shares;
        Ok(())
    }

    /// The shares that paying `amount` of a debt of `held` shares cancels: all of them when the debt is paid in full,
    /// otherwise rounded down.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub fn shares_paid(&self, amount: Quote, held: DebtShares) -> Result<DebtShares> {
        if amount >= self.index.debt(held)? {
            return Ok(held);
        }
        Ok(self.index.shares_for_payment(amount)?.min(held))
    }

    /// Cancels `shares` that nobody will pay: the suppliers' loss.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub(crate) fn write_off(&mut self, shares: DebtShares) -> Result<()> {
        self.debt_shares = self.debt_shares.minus(shares)?;
        Ok(())
    }

    /// Takes `amount` in payment of `shares`.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub fn collect(&mut self, amount: Quote, shares: DebtShares) -> Result<()> {
        (self.cash, self.debt_shares) = self.collected(amount, shares)?;
        Ok(())
    }

    /// Cash and debt shares once `amount` was taken in payment of `shares`.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    #[inline]
    pub(crate) fn collected(&self, amount: Quote, shares: DebtShares) -> Result<(Quote, DebtShares)> {
        Ok((self.cash.plus(amount)?, self.debt_shares.minus(shares)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::CONFIG;
    use proptest::prelude::*;

    fn pool(cash: u64, lent: u64) -> Pool {
        let mut pool = Pool::new(0);
        pool.cash = Quote(cash + lent);
        pool.lp_supply = LpShares((cash + lent) * VIRTUAL_SHARES);
        pool.lend(Quote(lent)).unwrap();
        pool
    }

    #[test]
    fn a_fresh_loan_owes_exactly_what_was_lent() {
        let pool = pool(0, 123_456_789);
        assert_eq!(pool.debt(), Ok(Quote(123_456_789)));
        assert_eq!(pool.index.debt(pool.debt_shares), Ok(Quote(123_456_789)));
    }

    #[test]
    fn a_donation_to_an_empty_pool_gains_nothing() {
        // The attacker supplies one atom, the pool is then given a fortune, the victim supplies half of it.
        let mut pool = Pool::new(0);
        let attacker = pool.shares_for_supply(Quote(1)).unwrap();
        pool.lp_supply = attacker;
        pool.cash = Quote(1 + 1_000_000_000);
        let victim = pool.shares_for_supply(Quote(500_000_000)).unwrap();
        pool.lp_supply = LpShares(attacker.0 + victim.0);
        pool.cash = Quote(pool.cash.0 + 500_000_000);
        let taken = pool.amount_for_shares(attacker, Quote::ZERO).unwrap();
        assert!(
            taken.0 < 600_000_000,
            "the attacker gets {taken:?} for a donation of 1,000,000,000"
        );
        let kept = pool.amount_for_shares(victim, Quote::ZERO).unwrap();
        assert!(kept.0 > 499_000_000, "the victim keeps {kept:?} of 500,000,000");
    }

    #[test]
    fn a_year_untouched_accrues_in_steps() {
        let mut pool = pool(200_000_000, 800_000_000);
        pool.accrue(&CONFIG, 31_536_000).unwrap();
        // 7% at the kink; as interest raises the utilization, the second slope begins to bite.
        let debt = pool.debt().unwrap().0;
        assert!((858_000_000..890_000_000).contains(&debt), "{debt}");
        // a fifth of the interest is due to the backstop
        let (due, _) = num::split(pool.reserves_owed.raw());
        assert!((due * 5).abs_diff(debt - 800_000_000) <= 5, "{due}");
    }

    #[test]
    fn without_debt_the_index_stands_still() {
        let mut pool = pool(5, 0);
        let index = pool.index;
        assert_eq!(pool.accrue(&CONFIG, 31_536_000), Ok(()));
        assert_eq!((pool.index, pool.accrued_at), (index, 31_536_000));
    }

    #[test]
    fn what_comes_and_goes_is_counted_once() {
        let before = pool(700, 300);
        let mut pool = before;
        assert_eq!(pool.take_in(Quote(50), LpShares(60)), Ok(()));
        assert_eq!(
            (pool.cash, pool.lp_supply),
            (Quote(750), LpShares(before.lp_supply.0 + 60))
        );
        assert_eq!(pool.collect(Quote(50), DebtShares(60)), Ok(()));
        assert_eq!(
            (pool.cash, pool.debt_shares),
            (Quote(800), DebtShares(before.debt_shares.0 - 60))
        );
        let mut crowded = Pool {
            lp_supply: LpShares(u64::MAX - VIRTUAL_SHARES),
            ..before
        };
        assert_eq!(crowded.take_in(Quote(1), LpShares(1)), Err(Error::Overflow));
        assert_eq!(crowded.cash, before.cash);
        crowded.reserves_owed = Fixed::from_raw(5);
        let written_off = DebtShares(before.debt_shares.0);
        assert_eq!(crowded.write_off(written_off), Ok(()));
        assert_eq!(
            (crowded.debt_shares, crowded.reserves_owed),
            (DebtShares(0), Fixed::from_raw(5))
        );
    }

    #[test]
    fn a_payment_cancels_what_it_pays_for_and_all_when_it_pays_all() {
        let mut pool = pool(0, 300);
        pool.index = Index::from_raw(num::ONE / 2 * 3);
        // Three atoms for two shares.
        let paid = |amount| pool.shares_paid(Quote(amount), DebtShares(9));
        assert_eq!(paid(0), Ok(DebtShares(0)));
        assert_eq!(paid(3), Ok(DebtShares(2)));
        assert_eq!(paid(4), Ok(DebtShares(2)), "rounded down");
        assert_eq!(paid(13), Ok(DebtShares(8)));
        assert_eq!(paid(14), Ok(DebtShares(9)), "9 shares owe 13.5");
        assert_eq!(paid(99), Ok(DebtShares(9)));
    }

    proptest! {
        #[test]
        fn accruing_never_lowers_the_share_price_or_the_index(
            cash in 0u64..1 << 45, lent in 1u64..1 << 45, seconds in 0i64..100_000_000,
        ) {
            let before = pool(cash, lent);
            let mut after = before;
            after.accrue(&CONFIG, seconds).unwrap();
            prop_assert!(after.index.raw() >= before.index.raw());
            prop_assert!(after.assets().unwrap() >= before.assets().unwrap());
        }

        #[test]
        fn supplying_and_leaving_at_once_never_pays(
            cash in 0u64..1 << 40, lent in 1u64..1 << 40, seconds in 0i64..100_000_000, amount in 1u64..1 << 40,
        ) {
            let mut pool = pool(cash, lent);
            pool.accrue(&CONFIG, seconds).unwrap();
            let shares = pool.shares_for_supply(Quote(amount)).unwrap();
            pool.cash = Quote(pool.cash.0 + amount);
            pool.lp_supply = pool.lp_supply.plus(shares).unwrap();
            let back = pool.amount_for_shares(shares, Quote::ZERO).unwrap().0;
            prop_assert!(back <= amount);
        }

        #[test]
        fn borrowing_and_repaying_costs_at_most_one_atom(
            lent in 1u64..1 << 45, seconds in 0i64..100_000_000, amount in 1u64..1 << 45,
        ) {
            let mut pool = pool(1 << 46, lent);
            pool.accrue(&CONFIG, seconds).unwrap();
            let shares = pool.lend(Quote(amount)).unwrap();
            let debt = pool.index.debt(shares).unwrap().0;
            prop_assert!(debt == amount || debt == amount + 1);
        }
    }
}

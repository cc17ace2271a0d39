//! The backstop's balance sheet: what it owns and owes, and how much more it can absorb.

use crate::{
    config::Config,
    error::{Error, Result},
    guard::Prices,
    num::{self, BPS, Factor},
    pool::Pool,
    sizing::Terms,
    units::{Bps, Clock, Collateral, DebtShares, Divisor, Price, Quote},
};

stored! {
    /// The protocol-owned vault's books. It never holds cash while it owes the pool.
    Backstop {
        /// Quote atoms.
        cash: Quote,
        /// Collateral atoms taken over and not yet sold.
        inventory: Collateral,
        /// Debt to the pool, in shares of the pool's debt.
        debt_shares: DebtShares,
        /// Bounties credited to keepers and not yet claimed, quote atoms. Already out of `cash`.
        keeper_credits: Quote,
        /// Paid by the pool out of interest since the last settled deficit, quote atoms.
        reserve: Quote,
    }
}

stored! {
    /// Where the backstop's equity came from and went, since the last settled deficit, quote atoms. It is told to whoever
    /// asks and decides nothing.
    Income {
        /// Given for good, less what was taken out.
        paid_in: Quote,
        /// Penalties of liquidations, the guardians' share included.
        penalties: Quote,
        /// What debts exceeded the collateral by when both were taken over.
        deficits: Quote,
        /// What inventory was worth when it was taken over; the part of it still held.
        book: Quote,
        /// Proceeds of sales less the book value of what was sold.
        gains: i64,
    }
}

stored! {
    /// How long the backstop has been without room.
    Shortage {
        /// When it was first found without room, seconds since 1970; zero if it has room.
        since: i64,
        /// When it was last found so.
        seen_at: i64,
    }
}

/// Fractional bits of stressed ÷ price.
const RATIO_BITS: u32 = 20;

/// The two prices that the backstop deals at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackstopPrices {
    /// Accounts are judged and taken over at it.
    pub price: Price,
    /// Inventory counts at it: low × (1 − haircut), rounded down.
    pub stressed: Price,
}

impl BackstopPrices {
    /// From accepted prices.
    ///
    /// # Errors
    /// Those of [`Prices::liquidation`]; [`Error::PriceOutOfRange`].
    pub fn new(config: &Config, prices: &Prices) -> Result<Self> {
        let price = prices.liquidation(config)?;
        Self::with(config, price, prices.believed().low()?)
    }

    /// From the price of liquidations and [`crate::oracle::Believed::low`].
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub(crate) fn with(config: &Config, price: Price, low: Price) -> Result<Self> {
        let stressed = low.scale_down(config.inventory_haircut.below_one())?;
        Ok(Self { price, stressed })
    }

    /// stressed ÷ price in units of 2^−20, rounded down; at most one.
    fn ratio(&self) -> u64 {
        num::fraction(self.stressed.raw(), self.price.raw(), RATIO_BITS)
    }
}

/// [`BackstopPrices`], prepared for many liquidations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marks {
    /// The price at which accounts are judged and taken over.
    pub price: Divisor,
    /// The price at which inventory counts.
    pub stressed: Price,
    stressed_factor: Factor,
}

impl Marks {
    /// # Errors
    /// [`Error::Overflow`] if the price is zero.
    pub fn new(prices: BackstopPrices) -> Result<Self> {
        Ok(Self {
            price: prices.price.divisor()?,
            stressed: prices.stressed,
            stressed_factor: Factor::of(prices.stressed.raw()),
        })
    }

    /// The prices themselves.
    #[must_use]
    pub fn prices(&self) -> BackstopPrices {
        BackstopPrices {
            price: self.price.price,
            stressed: self.stressed,
        }
    }

    /// The value of some collateral at the stressed price, rounded down.
    #[inline]
    fn stressed_value(&self, amount: Collateral) -> Result<Quote> {
        self.stressed_factor.floor(amount.0).map(Quote)
    }
}

/// What the room depends on, kept up to date from one absorption of a batch to the next.
///
/// Cash paid out, debt taken over and bounties all count as liabilities, against the assets at first and what comes in.
/// So each step is one addition in unsigned 64 bits, where signed equity and net debt took twice the instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// Cash, inventory at the stressed price, and what is due from the pool, quote atoms.
    pub assets: Quote,
    /// Quote atoms.
    pub liabilities: Quote,
    /// The part of the assets that was cash at first: net debt is the liabilities less this.
    pub cash: Quote,
    /// Collateral held, atoms.
    pub inventory: Collateral,
}

impl Capacity {
    /// Of a backstop as it stands.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub fn of(backstop: &Backstop, pool: &Pool, stressed: Price) -> Result<Self> {
        let liabilities = pool.index.debt(backstop.debt_shares)?;
        let assets = backstop.assets(pool, stressed)?;
        Ok(Self {
            assets,
            liabilities,
            cash: backstop.cash,
            inventory: backstop.inventory,
        })
    }

    /// After taking over `debt` and `seized` collateral.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "handing the result over costs as much as the work")]
    pub fn after(&self, debt: Quote, seized: Collateral, marks: &Marks) -> Result<Self> {
        Ok(Self {
            assets: self.assets.plus(marks.stressed_value(seized)?)?,
            liabilities: self.liabilities.plus(debt)?,
            inventory: self.inventory.plus(seized)?,
            ..*self
        })
    }

    /// Assets less liabilities, quote atoms; nothing if that is negative.
    #[must_use]
    pub fn equity(&self) -> u64 {
        self.assets.0.saturating_sub(self.liabilities.0)
    }

    /// After paying out `amount`.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    #[inline]
    pub fn after_paying(&self, amount: Quote) -> Result<Self> {
        Ok(Self {
            liabilities: self.liabilities.plus(amount)?,
            ..*self
        })
    }

    /// net debt ≤ leverage × equity, equity not negative, and inventory ≤ cap.
    #[inline]
    #[must_use]
    pub fn is_within(&self, config: &Config) -> bool {
        let Some(equity) = self.assets.0.checked_sub(self.liabilities.0) else {
            return false;
        };
        if self.inventory > config.inventory_cap {
            return false;
        }
        // Without net debt there is nothing to multiply. It is an integer: so the other side may be rounded down.
        self.liabilities
            .0
            .checked_sub(self.cash.0)
            .is_none_or(|net_debt| net_debt <= num::scaled(equity, config.backstop_leverage))
    }

    /// The largest debt that can be taken over with penalty β, quote atoms, rounded down.
    ///
    /// With equity E and net debt N = debt − cash, both before, leverage limit L, and v = (1+β) × stressed ÷ price
    /// the worth of what one atom of debt brings in (at most 1):
    ///
    /// ```text
    /// N + x ≤ L (E − x(1 − v))   ⇔   x ≤ (L·E − N) / (1 + L(1 − v))
    /// inventory + x(1+β)/price ≤ cap
    /// ```
    ///
    /// The divisor is rounded up to 2^−20.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub fn room(&self, config: &Config, prices: &BackstopPrices, penalty: Bps) -> Result<Quote> {
        let leverage = config.backstop_leverage;
        let Some(equity) = self.assets.0.checked_sub(self.liabilities.0) else {
            return Ok(Quote::ZERO);
        };
        // L·E − N in atoms. L < 2^5: three words of 64 bits never meet.
        let bought =
            num::div_floor_small(num::wide_small(equity, leverage.0), num::WHOLE.0)?.saturating_add(self.cash.0.into());
        let Some(spare) = bought.checked_sub(self.liabilities.0.into()) else {
            return Ok(Quote::ZERO);
        };
        // v and 1 − v in units of 1 / (10,000 × 2^20): below 2^34, and L below 2^18.
        let one = BPS << RATIO_BITS;
        let lost = one.saturating_sub(penalty.above_one().wrapping_mul(prices.ratio()));
        let divisor = leverage
            .factor()
            .wrapping_mul(lost)
            .div_ceil(BPS * BPS)
            .wrapping_add(1 << RATIO_BITS);
        let divisor = u32::try_from(divisor).map_err(|_| Error::Overflow)?;
        let by_leverage = num::div_floor_small(spare << RATIO_BITS, divisor)?;

        let by_leverage = num::narrow(by_leverage).unwrap_or(u64::MAX);

        let free = config.inventory_cap.0.saturating_sub(self.inventory.0);
        // A cap beyond what quote atoms can count is no cap.
        let by_inventory = match prices.price.value(Collateral(free)) {
            Ok(value) => num::narrow(num::div_floor_small(
                num::wide_small(value.0, num::WHOLE.0),
                penalty.plus_one().0,
            )?)?,
            Err(_) => u64::MAX,
        };
        Ok(Quote(by_leverage.min(by_inventory)))
    }
}

impl Backstop {
    /// What the backstop is worth with inventory at `price`, quote atoms: cash + inventory + due from the pool − debt.
    /// Each asset rounded down, the debt up. Negative when it owes more than it has.
    ///
    /// Keeper credits are not subtracted: they left `cash` when they were credited.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub fn equity(&self, pool: &Pool, price: Price) -> Result<i128> {
        let (assets, debt) = (self.assets(pool, price)?, pool.index.debt(self.debt_shares)?);
        Ok(i128::from(assets.0).saturating_sub(i128::from(debt.0)))
    }

    /// Cash + inventory at `price` + due from the pool, quote atoms, each rounded down.
    fn assets(&self, pool: &Pool, price: Price) -> Result<Quote> {
        let (due, _) = num::split(pool.due.raw());
        self.cash.plus(price.value(self.inventory)?)?.plus(Quote(due))
    }
}

impl Income {
    /// Inventory was taken over on `terms`.
    #[inline]
    pub(crate) fn absorb(&mut self, terms: &Terms) {
        self.book.0 = self.book.0.saturating_add(terms.worth.0);
        self.penalties.0 = self.penalties.0.saturating_add(terms.penalty_amount.0);
        if terms.deficit > Quote::ZERO {
            self.deficits.0 = self.deficits.0.saturating_add(terms.deficit.0);
        }
    }

    /// `amount` of `inventory` was sold for `cost`. Returns the gain over book value, rounded up.
    pub(crate) fn sell(&mut self, inventory: Collateral, amount: Collateral, cost: Quote) -> i64 {
        let book = num::mul_div_floor(self.book.0, amount.0, inventory.0).unwrap_or(self.book.0);
        let gain = cost.0.cast_signed().saturating_sub(book.cast_signed());
        self.book.0 = self.book.0.saturating_sub(book);
        self.gains = self.gains.saturating_add(gain);
        gain
    }
}

impl Shortage {
    /// Notes that the backstop has no room. Returns for how many seconds that has been so; a note older than
    /// `external_memory` is forgotten.
    pub(crate) fn note(&mut self, config: &Config, clock: Clock) -> u64 {
        let remembered = self.seen_at.saturating_add(i64::from(config.external_memory));
        if self.since == 0 || clock.unix > remembered {
            self.since = clock.unix;
        }
        self.seen_at = clock.unix;
        u64::try_from(clock.unix.saturating_sub(self.since)).unwrap_or(0)
    }

    /// Notes that it has room.
    pub(crate) fn clear(&mut self) {
        *self = Self { since: 0, seen_at: 0 };
    }
}

#[cfg(test)]
mod tests;

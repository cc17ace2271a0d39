//! A market's whole state, and the books that its actions change together.

mod cover;
mod impairment;
mod recovery;

pub(crate) use cover::Move;
pub use impairment::{LpValue, SUPPLY_TOLERANCE};
pub use recovery::CARRIED;
pub(crate) use recovery::Ended;

use crate::{
    account::{map::LiquidationMap, position::MarginAccount},
    backstop::{Backstop, EquitySources, auction::Auction, capacity::StressRaise, guardians::Guardians},
    config::Config,
    error::Result,
    governance::{
        depth::{DepthAllocation, DepthShare},
        pause::Pauses,
        ramp::Ramp,
    },
    math::{
        num,
        units::{Bps, Clock, Collateral, DebtShares, Fixed, GuardianShares, Key, Price, Quote},
    },
    pool::{Pool, outflow::Outflow, recovery::Recovery},
    price::{
        guard::Guard,
        oracle::{Feeds, Oracle},
        volatility::Volatility,
    },
};

stored! {
    /// The money of a market. Every action changes a copy and stores it as its last step.
    Books {
        /// The suppliers' pool.
        pool: Pool,
        /// The protocol-owned backstop.
        backstop: Backstop,
        /// The auction of the backstop's inventory.
        auction: Auction,
        /// The guardians' claim on the backstop.
        guardians: Guardians,
        /// Where the backstop's equity came from.
        equity_sources: EquitySources,
        /// Debt that was written off and may still be paid back.
        recovery: Recovery,
    }
}

stored! {
    /// Equity that the protocol has announced to take out of the backstop.
    AnnouncedWithdrawal {
        /// Quote atoms; zero if nothing is announced.
        amount: Quote,
        /// From when it can be taken out, seconds since 1970.
        opens_at: i64,
        /// Until when, seconds since 1970.
        closes_at: i64,
    }
}

stored! {
    /// One isolated market: a collateral mint, a quote mint, their prices, and all money between them.
    Market {
        /// Tells apart the markets of one pair of mints.
        id: u16,
        /// Bump of its address.
        bump: u8,
        /// Decimals of the collateral mint.
        collateral_decimals: u8,
        /// Decimals of the quote mint.
        quote_decimals: u8,
        /// Zeros.
        padding: [u8; 3],
        /// Mint of the collateral token.
        collateral_mint: Key,
        /// Mint of the quote token.
        quote_mint: Key,
        /// Holds all collateral of the market.
        collateral_vault: Key,
        /// Holds all quote tokens of the market.
        quote_vault: Key,
        /// Mint of the pool's LP shares.
        lp_mint: Key,
        /// Price feeds.
        oracle: Oracle,
        /// Parameters.
        config: Config,
        /// Money.
        books: Books,
        /// Price guards and breaker.
        guard: Guard,
        /// Equity about to be taken out.
        announced_withdrawal: AnnouncedWithdrawal,
        /// Where the margin accounts' debt is liquidated.
        map: LiquidationMap,
        /// How much the guarded price moves.
        volatility: Volatility,
        /// Points that the sentinel has added to the fall of admission.
        stress_raise: StressRaise,
        /// An announced change of the liquidation LTV.
        ramp: Ramp,
        /// The suppliers' recent withdrawals.
        outflow: Outflow,
        /// Kinds of action that are paused.
        pauses: Pauses,
        /// Its share of the depth of what it sells.
        depth: DepthShare,
        /// Zeros; room for parameters.
        reserved_config: [u64; 32],
        /// Zeros; room for feeds and price guards.
        reserved_guard: [u64; 14],
        /// Zeros; room for backstop and guardians.
        reserved_backstop: [u64; 9],
        /// Zeros; room for measures of risk.
        reserved_map: [u64; 6],
        /// Zeros; room for governance.
        reserved_governance: [u64; 49],
    }
}

impl AnnouncedWithdrawal {
    /// Opens and closes `seconds` later: guardians who ask from now on are paid so much later.
    pub(crate) fn put_off(&mut self, seconds: u32) {
        if self.amount != Quote::ZERO {
            self.opens_at = self.opens_at.saturating_add(seconds.into());
            self.closes_at = self.closes_at.saturating_add(seconds.into());
        }
    }
}

/// Actions that need prices only at times.
#[derive(Clone, Copy, Debug)]
pub enum Pricing<'a> {
    /// Withdrawing collateral of this account: while it has debt.
    Withdraw(&'a MarginAccount),
    /// Settling a deficit: while the backstop has debt to the pool and holds inventory that may still pay.
    Settle,
    /// Taking money out of the backstop: while its inventory or anybody's debt depends on prices. They may be stored
    /// ones.
    Leave,
}

/// Parts of a new market.
#[derive(Clone, Copy, Debug)]
pub struct NewMarket {
    /// Tells apart the markets of one pair of mints.
    pub id: u16,
    /// Bump of its address.
    pub bump: u8,
    /// Collateral mint, its decimals, and the vault for it.
    pub collateral: (Key, u8, Key),
    /// Quote mint, its decimals, and the vault for it.
    pub quote: (Key, u8, Key),
    /// Mint of the LP shares.
    pub lp_mint: Key,
    /// Price feeds.
    pub feeds: Feeds,
    /// The share of a depth budget that the caller has allocated to it.
    pub depth: DepthAllocation,
    /// Parameters.
    pub config: Config,
    /// When.
    pub clock: Clock,
}

impl Market {
    /// Writes a new market into zeroed state, in place: it is too large for a stack frame on chain.
    ///
    /// # Errors
    /// The errors of [`Config::validate`], [`Config::check_first_limits`] and [`Oracle::validate`].
    pub fn initialize(&mut self, new: &NewMarket) -> Result<()> {
        new.config.validate()?;
        new.config.check_first_limits()?;
        let oracle = Oracle::pinned(&new.feeds, &bytemuck::Zeroable::zeroed());
        oracle.validate()?;
        self.bump = new.bump;
        self.id = new.id;
        (self.collateral_mint, self.collateral_decimals, self.collateral_vault) = new.collateral;
        (self.quote_mint, self.quote_decimals, self.quote_vault) = new.quote;
        self.lp_mint = new.lp_mint;
        self.oracle = oracle;
        self.config = new.config;
        self.set_depth_share(new.depth);
        self.books.pool = Pool::new(new.clock.unix);
        Ok(())
    }

    /// The liquidation LTV at a moment, bps: it changes only along an announced [`crate::governance::ramp`].
    #[must_use]
    pub fn liquidation_ltv(&self, clock: Clock) -> Bps {
        self.ramp.at(self.config.liquidation_ltv, clock)
    }

    /// Which share of which budget it has.
    #[must_use]
    pub fn depth_allocation(&self) -> DepthAllocation {
        DepthAllocation {
            budget: self.depth.budget,
            share: self.depth.share,
        }
    }

    /// Records the share that the budget of this address has given; the caller moves it between the budgets.
    pub fn set_depth_share(&mut self, allocation: DepthAllocation) {
        (self.depth.budget, self.depth.share) = (allocation.budget, allocation.share);
    }

    /// True if an action that needs prices at times needs them now: then those accepted for [`crate::price::oracle::PriceUse::Borrow`].
    #[inline]
    #[must_use]
    pub fn needs_prices(&self, action: Pricing) -> bool {
        self.books.needs_prices(action)
    }

    /// Does `act` on a copy of the books with interest up to now, checks their invariant, and stores them: the one way
    /// in which actions change money. Refused, nothing has changed.
    ///
    /// A liquidation has its own way, for a copy of all books costs an eighth of it.
    ///
    /// # Errors
    /// The errors of `act`; [`crate::Error::InvariantViolated`], [`crate::Error::Overflow`].
    #[inline]
    pub(crate) fn transact<T>(&mut self, clock: Clock, act: impl FnOnce(&Self, &mut Books) -> Result<T>) -> Result<T> {
        let mut books = self.books;
        books.accrue(&self.config, clock)?;
        let done = act(self, &mut books)?;
        books.invariant()?;
        self.books = books;
        Ok(done)
    }

    /// The books as they will be at `clock`, interest included; the stored ones stay as they are. For quotes.
    ///
    /// # Errors
    /// [`crate::Error::Overflow`].
    pub fn books_at(&self, clock: Clock) -> Result<Books> {
        let mut books = self.books;
        books.accrue(&self.config, clock)?;
        Ok(books)
    }
}

impl Books {
    /// Lets interest grow up to now, pays the backstop its due as far as cash allows, and the guardians for standing
    /// by.
    ///
    /// # Errors
    /// [`crate::Error::Overflow`].
    pub(crate) fn accrue(&mut self, config: &Config, clock: Clock) -> Result<()> {
        if clock.unix <= self.pool.accrued_at {
            return Ok(());
        }
        let owed = self.pool.reserves_owed.raw();
        self.pool.accrue(config, clock.unix)?;
        let earned = Fixed::from_raw(num::sub(self.pool.reserves_owed.raw(), owed)?);
        if self.guardians.are_standing_by() {
            let protocol = self.protocol_capital();
            let standby = self.guardians.stand_by(config, earned, protocol)?;
            self.equity_sources.standby.0 = self.equity_sources.standby.0.saturating_add(standby.0);
        }
        self.pay_reserves_owed()
    }

    /// See [`Market::needs_prices`].
    #[inline]
    pub(crate) fn needs_prices(&self, action: Pricing) -> bool {
        let held = self.backstop.inventory != Collateral::ZERO;
        match action {
            Pricing::Withdraw(account) => account.has_debt(),
            Pricing::Settle => held && self.backstop.debt_shares != DebtShares::ZERO,
            Pricing::Leave => held || self.pool.debt_shares != DebtShares::ZERO,
        }
    }

    /// The protocol's own capital at book, quote atoms: what was given for good and what the pool paid, less what
    /// guardians earned of that and what was taken out.
    pub(crate) fn protocol_capital(&self) -> Quote {
        let [reserve, standby] =
            [self.backstop.reserve, self.equity_sources.standby].map(|amount| i128::from(amount.0));
        let capital = i128::from(self.equity_sources.paid_in)
            .saturating_add(reserve)
            .saturating_sub(standby);
        Quote(u64::try_from(capital.max(0)).unwrap_or(u64::MAX))
    }

    /// The guardians' part of each penalty, bps, rounded down: see [`Guardians::rate`]. Equity with inventory at
    /// `price`.
    ///
    /// # Errors
    /// [`crate::Error::Overflow`].
    pub(crate) fn guardian_rate(&self, config: &Config, price: Price) -> Result<Bps> {
        if self.guardians.shares == GuardianShares::ZERO {
            return Ok(Bps(0));
        }
        let equity = self.equity(price)?.max(0);
        Ok(self.guardians.rate(config, u64::try_from(equity).unwrap_or(u64::MAX)))
    }

    /// Reserves owed to the backstop, whole quote atoms.
    #[inline]
    pub(crate) fn reserves_owed(&self) -> Quote {
        self.pool.reserves_owed()
    }

    /// Pays what the pool owes the backstop: first against the backstop's own debt, which needs no cash, then in cash.
    /// Fractions of an atom stay due.
    pub(crate) fn pay_reserves_owed(&mut self) -> Result<()> {
        let due = self.reserves_owed();
        let held = self.backstop.debt_shares;
        let (netted, shares) = if held == DebtShares::ZERO {
            (Quote::ZERO, held)
        } else {
            let netted = due.min(self.pool.index.debt(held)?);
            (netted, self.pool.shares_paid(netted, held)?)
        };
        let paid = due.minus(netted)?.min(self.pool.cash);
        let settled = netted.plus(paid)?;

        self.pool.collect(Quote::ZERO, shares)?;
        self.backstop.debt_shares = self.backstop.debt_shares.minus(shares)?;
        self.pool.cash = self.pool.cash.minus(paid)?;
        let rest = self.backstop.fund_credits(paid)?;
        self.backstop.cash = self.backstop.cash.plus(rest)?;
        self.backstop.reserve = self.backstop.reserve.plus(settled)?;
        self.pool.reserves_owed =
            Fixed::from_raw(num::sub(self.pool.reserves_owed.raw(), u128::from(settled.0) << 64)?);
        self.pay_back().map(drop)
    }

    /// The backstop receives quote atoms: they fund keepers' credits first, then pay its debt to the pool, then what
    /// was written off, and the rest is its cash. Returns what went to the pool: for debt, and for what was written
    /// off.
    ///
    /// # Errors
    /// [`crate::Error::Overflow`].
    pub(crate) fn receive(&mut self, amount: Quote) -> Result<(Quote, Quote)> {
        let amount = self.backstop.fund_credits(amount)?;
        let owed = self.pool.index.debt(self.backstop.debt_shares)?;
        let paid = amount.min(owed);
        let shares = self.pool.shares_paid(paid, self.backstop.debt_shares)?;
        self.pool.collect(paid, shares)?;
        self.backstop.debt_shares = self.backstop.debt_shares.minus(shares)?;
        self.backstop.cash = self.backstop.cash.plus(amount.minus(paid)?)?;
        Ok((paid, self.pay_back()?))
    }

    /// Checks the invariant of every action, as far as the books alone can tell.
    ///
    /// # Errors
    /// [`crate::Error::InvariantViolated`].
    pub(crate) fn invariant(&self) -> Result<()> {
        self.backstop.invariant(self.pool.debt_shares)?;
        // What is written off is paid back before there is cash, by inventory that is still held.
        let Recovery { written_off, inventory } = self.recovery;
        let is_paid_first = written_off == Quote::ZERO || self.backstop.cash == Quote::ZERO;
        let is_held = inventory <= self.backstop.inventory;
        let is_open = (written_off == Quote::ZERO) == (inventory == Collateral::ZERO);
        if is_paid_first && is_held && is_open {
            Ok(())
        } else {
            Err(crate::Error::InvariantViolated)
        }
    }
}

#[cfg(test)]
mod tests;

//! Quotes: what an action would do now, asked of the engine itself on a copy of the market. No formula of the engine is
//! written a second time here.
//!
//! ```no_run
//! use breakwater_engine::{Clock, MarginAccount, Market, Readings, price::oracle::PriceUse};
//! use breakwater_quotes::Quotes;
//!
//! # fn show(
//! #     market: &Market, account: &MarginAccount, readings: Readings, clock: Clock,
//! # ) -> breakwater_engine::Result<()> {
//! let quotes = Quotes::new(market, &readings, PriceUse::Borrow, clock)?;
//! let health = quotes.health(account)?;
//! println!("LTV {} bps, liquidated from {} bps on", health.ltv.0, health.liquidation_ltv.0);
//! let most = quotes.max_borrow(account)?;
//! println!("can borrow {} more atoms: {}", most.amount.0, most.bound_by);
//! # Ok(())
//! # }
//! ```
#![no_std]

mod feeds;
mod guardians;
mod liquidation;
mod search;
mod shock;

pub use feeds::feeds_to_post;
pub use guardians::{CRASH, GuardianYield, Leaving};
pub use liquidation::Preview;
pub use shock::Shock;

use breakwater_engine::{
    Bps, Clock, Collateral, Config, Error, LpShares, MarginAccount, Market, Price, Prices, Pricing, Quote, Readings,
    Result,
    account::sizing::{self, Extent},
    actions::{Borrowing, Sale},
    backstop::auction::Offer,
    market::LpValue,
    math::num,
    price::oracle::PriceUse,
    views::{balance_sheet::BalanceSheet, cascade::Curve, risk::Risk},
};

/// A market as it would be if the next instruction showed it these readings.
#[derive(Clone, Debug)]
pub struct Quotes {
    market: Market,
    prices: Prices,
    clock: Clock,
}

/// How an account stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Health {
    /// Collateral held, atoms.
    pub collateral: Collateral,
    /// Debt with interest up to now, quote atoms, rounded up.
    pub debt: Quote,
    /// The collateral at [`Quotes::judged_at`], quote atoms, rounded down.
    pub value: Quote,
    /// debt ÷ value, bps, rounded up; `u32::MAX` for debt without value.
    pub ltv: Bps,
    /// The account can be liquidated above this LTV, bps.
    pub liquidation_ltv: Bps,
    /// Liquidation LTV × value ÷ debt, bps, rounded down: below 10,000 it can be liquidated. `None` without debt.
    pub factor: Option<Bps>,
    /// True if it can be liquidated, as far as its own LTV goes; the breaker may still refuse or slow it.
    pub liquidatable: bool,
    /// The highest price at which it can be liquidated, quote atoms per collateral atom. `None` without debt.
    pub liquidation_price: Option<Price>,
    /// The highest price at which all of it is taken over, whatever the backstop has. `None` without debt.
    pub takeover_price: Option<Price>,
}

/// The largest amount that an action accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Largest<A> {
    /// The amount; zero if none is accepted.
    pub amount: A,
    /// The rule that binds: what one atom more is refused for. [`Error::DebtBelowMinimum`] if only less than the
    /// minimum debt would be accepted but for that.
    pub bound_by: Error,
}

impl Quotes {
    /// Takes readings in, on a copy.
    ///
    /// They must be young enough for `usage`; a question about another use asks for its age as well.
    ///
    /// # Errors
    /// One for each reason to refuse a reading; see [`breakwater_engine::price::oracle`].
    pub fn new(market: &Market, readings: &Readings, usage: PriceUse, clock: Clock) -> Result<Self> {
        let mut market = *market;
        let prices = market.accept_prices(readings, usage, clock)?;
        Ok(Self { market, prices, clock })
    }

    /// The market after it accepted the readings; its books as they were stored, without interest since.
    #[must_use]
    pub fn market(&self) -> &Market {
        &self.market
    }

    /// Result of the readings: prices, level, flags.
    #[must_use]
    pub fn prices(&self) -> &Prices {
        &self.prices
    }

    /// The same prices for a use: what the market knows now, at the moment at which it came to know it, so nothing
    /// moves.
    pub(crate) fn prices_for(&self, usage: PriceUse) -> Result<Prices> {
        let mut market = self.market;
        market.known_prices(usage, self.clock)
    }

    /// The prices that an action needs, if it needs any now.
    fn prices_needed(&self, action: Pricing) -> Result<Option<Prices>> {
        let needed = self.market.needs_prices(action);
        needed.then(|| self.prices_for(PriceUse::Borrow)).transpose()
    }

    /// The moment of these quotes.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// The price that accounts are judged at: the higher of spot and guarded price. [`Prices::liquidation`] decides if
    /// anything is liquidated at it.
    #[must_use]
    pub fn judged_at(&self) -> Price {
        self.prices.judged()
    }

    /// How an account stands now.
    ///
    /// # Errors
    /// [`breakwater_engine::Error::Overflow`].
    pub fn health(&self, account: &MarginAccount) -> Result<Health> {
        let Self { market, clock, .. } = self;
        let price = self.judged_at();
        let debt = market.books_at(*clock)?.pool.index.debt(account.debt_shares)?;
        let value = price.quote_floor(account.collateral)?;
        let liquidation_ltv = market.liquidation_ltv(*clock);
        let limit = num::wide(value.0, liquidation_ltv.factor());
        let bps = |ratio: u128| Bps(u32::try_from(ratio).unwrap_or(u32::MAX));
        Ok(Health {
            collateral: account.collateral,
            debt,
            value,
            ltv: match (debt.0, value.0) {
                (0, _) => Bps(0),
                (_, 0) => Bps(u32::MAX),
                (debt, value) => bps(num::wide(debt, num::BPS).div_ceil(value.into())),
            },
            liquidation_ltv,
            factor: (debt.0 > 0).then(|| bps(limit / u128::from(debt.0))),
            liquidatable: market.is_liquidatable(account, price, *clock)?,
            liquidation_price: self.liquidation_price(account)?,
            takeover_price: self.takeover_price(account)?,
        })
    }

    /// The highest price at which the account can be liquidated now, quote atoms per collateral atom; interest moves it
    /// up. `None` without debt. Found by asking the engine about prices, so it is exact.
    ///
    /// # Errors
    /// [`breakwater_engine::Error::Overflow`].
    pub fn liquidation_price(&self, account: &MarginAccount) -> Result<Option<Price>> {
        if !account.has_debt() {
            return Ok(None);
        }
        // A collateral's value may not fit 64 bits at prices far above the account's: it is healthy there.
        let liquidatable = |raw: u128| {
            self.market
                .is_liquidatable(account, Price::from_raw(raw), self.clock)
                .unwrap_or(false)
        };
        Ok(Some(Price::from_raw(search::last(u128::MAX, liquidatable))))
    }

    /// The highest price at which all of the account is taken over now. See [`Quotes::liquidation_price`].
    ///
    /// # Errors
    /// [`breakwater_engine::Error::Overflow`].
    pub fn takeover_price(&self, account: &MarginAccount) -> Result<Option<Price>> {
        let Self { market, clock, .. } = self;
        if !account.has_debt() {
            return Ok(None);
        }
        let debt = market.books_at(*clock)?.pool.index.debt(account.debt_shares)?;
        let config = Config {
            liquidation_ltv: market.liquidation_ltv(*clock),
            ..market.config
        };
        let taken_over = |raw: u128| {
            let at = Price::from_raw(raw).divisor();
            let terms = at.and_then(|at| sizing::terms(&config, debt, account.collateral, &at));
            terms.is_ok_and(|terms| terms.demand.extent == Extent::TakeOver)
        };
        Ok(Some(Price::from_raw(search::last(u128::MAX, taken_over))))
    }

    /// Borrowing of `amount`, as it would be.
    ///
    /// # Errors
    /// The errors of [`Market::borrow`].
    pub fn borrow(&self, account: &MarginAccount, amount: Quote) -> Result<Borrowing> {
        let (mut market, mut account) = (self.market, *account);
        market.borrow(&mut account, amount, &self.prices_for(PriceUse::Borrow)?, self.clock)
    }

    /// How the account would stand after borrowing `amount`.
    ///
    /// # Errors
    /// The errors of [`Market::borrow`].
    pub fn health_after_borrow(&self, account: &MarginAccount, amount: Quote) -> Result<Health> {
        let (mut after, mut account) = (self.clone(), *account);
        let prices = self.prices_for(PriceUse::Borrow)?;
        after.market.borrow(&mut account, amount, &prices, self.clock)?;
        after.health(&account)
    }

    /// How the account would stand after withdrawing `amount` of its collateral.
    ///
    /// # Errors
    /// The errors of [`Market::withdraw_collateral`].
    pub fn health_after_withdrawal(&self, account: &MarginAccount, amount: Collateral) -> Result<Health> {
        let (mut after, mut account) = (self.clone(), *account);
        let prices = self.prices_needed(Pricing::Withdraw(&account))?;
        after
            .market
            .withdraw_collateral(&mut account, amount, prices.as_ref(), self.clock)?;
        after.health(&account)
    }

    /// The most that the account can borrow now, quote atoms, and the rule that binds. The engine accepts just this
    /// amount and not one atom more. Where the stress cover binds, its rounding may let pass what is larger by no more
    /// than the worth of a collateral atom.
    ///
    /// # Errors
    /// Where the amount is not what stands in the way: borrowing is paused, the price is not trusted.
    pub fn max_borrow(&self, account: &MarginAccount) -> Result<Largest<Quote>> {
        let prices = self.prices_for(PriceUse::Borrow)?;
        self.largest(Quote, |market, amount| {
            let mut account = *account;
            market.borrow(&mut account, amount, &prices, self.clock).map(drop)
        })
    }

    /// The most collateral that can be withdrawn now, atoms. See [`Quotes::max_borrow`].
    ///
    /// # Errors
    /// As [`Quotes::max_borrow`]; none without debt.
    pub fn max_withdrawal(&self, account: &MarginAccount) -> Result<Largest<Collateral>> {
        let prices = self.prices_needed(Pricing::Withdraw(account))?;
        self.largest(Collateral, |market, amount| {
            let mut account = *account;
            market
                .withdraw_collateral(&mut account, amount, prices.as_ref(), self.clock)
                .map(drop)
        })
    }

    /// The largest amount that `act` accepts. Small amounts fail at the minimum debt, which is no limit from above: so
    /// the others are looked for without it, and it has the last word.
    fn largest<A: Copy>(
        &self,
        unit: impl Fn(u64) -> A,
        act: impl Fn(&mut Market, A) -> Result<()>,
    ) -> Result<Largest<A>> {
        let attempt = |min_debt, amount| {
            let mut market = self.market;
            market.config.min_debt = min_debt;
            act(&mut market, unit(amount))
        };
        let (amount, bound_by) = search::largest(|amount| attempt(Quote::ZERO, amount))?;
        let (amount, bound_by) = match attempt(self.market.config.min_debt, amount) {
            Err(Error::DebtBelowMinimum) => (0, Error::DebtBelowMinimum),
            _ => (amount, bound_by),
        };
        Ok(Largest {
            amount: unit(amount),
            bound_by,
        })
    }

    /// Purchase of `amount` of the backstop's inventory, as it would be now, at whatever price.
    ///
    /// # Errors
    /// The errors of [`Market::buy_inventory`].
    pub fn purchase(&self, amount: Collateral) -> Result<Sale> {
        let mut market = self.market;
        market.buy_inventory(amount, Quote(u64::MAX), &self.prices_for(PriceUse::Sell)?, self.clock)
    }

    /// Purchase of inventory for `budget`, as it would be now.
    ///
    /// # Errors
    /// The errors of [`Market::buy_inventory_for`].
    pub fn purchase_for(&self, budget: Quote) -> Result<Sale> {
        let mut market = self.market;
        market.buy_inventory_for(budget, Collateral::ZERO, &self.prices_for(PriceUse::Sell)?, self.clock)
    }

    /// The backstop's offer so many seconds from now, if prices and level stayed as they are and nobody bought.
    ///
    /// # Errors
    /// The errors of [`Market::offer`].
    pub fn offer_in(&self, seconds: u32) -> Result<Offer> {
        let clock = Clock {
            unix: self.clock.unix.saturating_add(seconds.into()),
            slot: self.clock.slot,
        };
        self.market.offer(&self.prices, clock)
    }

    /// The backstop's balance sheet.
    ///
    /// # Errors
    /// The errors of [`Market::balance_sheet`].
    pub fn balance_sheet(&self) -> Result<BalanceSheet> {
        self.market.balance_sheet(&self.prices, self.clock)
    }

    /// Payment for LP shares to a supplier who shows these readings and leaves in the same transaction. Who shows none
    /// asks [`Market::lp_value`] of the market as it is stored.
    ///
    /// # Errors
    /// The errors of [`Market::lp_value`].
    pub fn lp_value(&self, shares: LpShares) -> Result<LpValue> {
        self.market.lp_value(shares, self.clock)
    }

    /// The cascade curve: where falls by news end, if everyone dumps and with Breakwater.
    ///
    /// # Errors
    /// The errors of [`Market::cascade`].
    pub fn cascade(&self) -> Result<Curve> {
        self.market.cascade(&self.prices, self.clock)
    }

    /// The measures of risk.
    ///
    /// # Errors
    /// The errors of [`Market::risk`].
    pub fn risk(&self) -> Result<Risk> {
        self.market.risk(&self.prices, self.clock)
    }
}

#[cfg(test)]
mod tests;

//! Quotes: what an action would do now, asked of the engine itself on a copy of the market. No formula of the engine is
//! written a second time here.
//!
//! ```no_run
//! use breakwater_engine::{Clock, MarginAccount, Market, Readings, oracle::Purpose};
//! use breakwater_quotes::Quotes;
//!
//! # fn show(market: &Market, account: &MarginAccount, readings: Readings, clock: Clock) -> breakwater_engine::Result<()> {
//! let quotes = Quotes::new(market, &readings, Purpose::Trade, clock)?;
//! let health = quotes.health(account)?;
//! println!("LTV {} bps, liquidated from {} bps on", health.ltv.0, health.liquidation_ltv.0);
//! println!("can borrow {} more atoms", quotes.max_borrow(account)?.0);
//! # Ok(())
//! # }
//! ```
#![no_std]

mod search;

use breakwater_engine::{
    Bps, Clock, Collateral, Config, Error, GuardianPosition, GuardianShares, KeeperLedger, MarginAccount, Market,
    Price, Prices, Quote, Readings, Result,
    actions::{Borrowing, GuardianWithdrawal, Liquidation, Sale},
    num,
    oracle::Purpose,
    risk::{InitialLtv, Risk},
    sizing,
    statement::Statement,
    unwind::Offer,
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
    /// Whether it can be liquidated, as far as its own LTV goes; the breaker may still refuse or slow it.
    pub liquidatable: bool,
    /// The highest price at which it can be liquidated, quote atoms per collateral atom. `None` without debt.
    pub liquidation_price: Option<Price>,
}

/// What a sudden fall of the price would bring the backstop. Quote atoms unless it says otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shock {
    /// The price after it.
    pub price: Price,
    /// Debt of the accounts that could be liquidated.
    pub debt: Quote,
    /// Debt that would be taken over.
    pub repaid: Quote,
    /// Collateral taken for it, atoms.
    pub seized: Collateral,
    /// Penalties on it.
    pub penalties: Quote,
    /// What debts would exceed their collateral by.
    pub deficits: Quote,
}

impl Quotes {
    /// Takes readings in, on a copy.
    ///
    /// For borrowing, withdrawing and buying ([`Purpose::Trade`]) readings must be fresher than for the rest.
    ///
    /// # Errors
    /// One for each reason to refuse a reading; see [`breakwater_engine::oracle`].
    pub fn new(market: &Market, readings: &Readings, purpose: Purpose, clock: Clock) -> Result<Self> {
        let mut market = *market;
        let prices = market.accept_prices(readings, purpose, clock)?;
        Ok(Self { market, prices, clock })
    }

    /// The market after it accepted the readings; its books as they were stored, without interest since.
    #[must_use]
    pub fn market(&self) -> &Market {
        &self.market
    }

    /// What the readings came to: prices, level, flags.
    #[must_use]
    pub fn prices(&self) -> &Prices {
        &self.prices
    }

    /// The moment of these quotes.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// The price that accounts are judged at: the higher of spot and guarded price. Whether anything is liquidated at it
    /// is for [`Prices::liquidation`] to say.
    #[must_use]
    pub fn judged_at(&self) -> Price {
        self.prices.spot().max(self.prices.guarded())
    }

    /// How an account stands now.
    ///
    /// # Errors
    /// [`breakwater_engine::Error::Overflow`].
    pub fn health(&self, account: &MarginAccount) -> Result<Health> {
        let Self { market, clock, .. } = self;
        let price = self.judged_at();
        let debt = market.books_at(*clock)?.pool.index.debt(account.debt_shares)?;
        let value = price.value(account.collateral)?;
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

    /// What borrowing `amount` would do.
    ///
    /// # Errors
    /// Those of [`Market::borrow`].
    pub fn borrow(&self, account: &MarginAccount, amount: Quote) -> Result<Borrowing> {
        let (mut market, mut account) = (self.market, *account);
        market.borrow(&mut account, amount, &self.prices, self.clock)
    }

    /// How the account would stand after borrowing `amount`.
    ///
    /// # Errors
    /// Those of [`Market::borrow`].
    pub fn health_after_borrow(&self, account: &MarginAccount, amount: Quote) -> Result<Health> {
        let (mut after, mut account) = (self.clone(), *account);
        after.market.borrow(&mut account, amount, &self.prices, self.clock)?;
        after.health(&account)
    }

    /// How the account would stand after withdrawing `amount` of its collateral.
    ///
    /// # Errors
    /// Those of [`Market::withdraw_collateral`].
    pub fn health_after_withdrawal(&self, account: &MarginAccount, amount: Collateral) -> Result<Health> {
        let (mut after, mut account) = (self.clone(), *account);
        after
            .market
            .withdraw_collateral(&mut account, amount, Some(&self.prices), self.clock)?;
        after.health(&account)
    }

    /// The most that the account can borrow now, quote atoms; zero if no amount can be borrowed. The engine accepts just this
    /// amount and not one atom more.
    ///
    /// What is lent depends on how crowded the band is where the loan would land, so a larger loan may be allowed where a
    /// smaller one is not. Within one band it is not so: each is searched for itself, the highest first.
    ///
    /// # Errors
    /// Where the amount is not what stands in the way: borrowing is paused, the price is not trusted.
    pub fn max_borrow(&self, account: &MarginAccount) -> Result<Quote> {
        let books = self.market.books_at(self.clock)?;
        let band = |amount: u64| {
            let shares = books.pool.index.shares_for_loan(Quote(amount)).ok()?;
            let shares = account.debt_shares.plus(shares).ok()?;
            Some(self.market.map.band(shares, account.collateral))
        };
        // Nobody may owe more than the collateral is worth.
        let worth = self.judged_at().value(account.collateral).unwrap_or(books.pool.cash);
        let owed = books.pool.index.debt(account.debt_shares)?;
        let least = self.market.config.min_debt.0.saturating_sub(owed.0).max(1);
        let attempt = |amount: u64| self.borrow(account, Quote(amount)).map(|_| ());
        search::largest(least, books.pool.cash.min(worth).0, band, attempt).map(Quote)
    }

    /// The most collateral that can be withdrawn now, atoms; zero if none can. See [`Quotes::max_borrow`].
    ///
    /// # Errors
    /// As [`Quotes::max_borrow`]; none without debt.
    pub fn max_withdrawal(&self, account: &MarginAccount) -> Result<Collateral> {
        let band = |amount: u64| {
            let left = account.collateral.minus(Collateral(amount)).ok()?;
            Some(self.market.map.band(account.debt_shares, left))
        };
        let attempt = |amount: u64| {
            let (mut market, mut account) = (self.market, *account);
            let prices = Some(&self.prices);
            market
                .withdraw_collateral(&mut account, Collateral(amount), prices, self.clock)
                .map(|_| ())
        };
        search::largest(1, account.collateral.0, band, attempt).map(Collateral)
    }

    /// What liquidating the account would do now.
    ///
    /// # Errors
    /// Those of [`Market::liquidations`] and of liquidating one account:
    /// [`breakwater_engine::Error::AccountHealthy`] and the others of [`breakwater_engine::actions::Liquidations`].
    pub fn liquidation(&self, account: &MarginAccount) -> Result<Liquidation> {
        let (mut market, mut account) = (self.market, *account);
        let mut ledger: KeeperLedger = bytemuck::Zeroable::zeroed();
        market
            .liquidations(&self.prices, self.clock)?
            .liquidate(&mut account, &mut ledger)
    }

    /// What a fall of the price by `drop`, at once, would bring the backstop: each loaded band of the map as one account, which
    /// stands at the band's upper edge. While Guarded, as a market is in a crash, so at the smallest penalty; the backstop's room is
    /// not looked at.
    ///
    /// # Errors
    /// [`breakwater_engine::Error::Overflow`].
    pub fn shock(&self, drop: Bps) -> Result<Shock> {
        let Self { market, clock, .. } = self;
        let ltv = market.liquidation_ltv(*clock);
        let config = Config {
            liquidation_ltv: ltv,
            penalty_max: market.config.penalty_min,
            ..market.config
        };
        let price = self.judged_at().scale_down(drop.below_one())?;
        let at = price.divisor()?;
        let mut shock = Shock {
            price,
            ..Shock::default()
        };
        for band in 0..=u8::MAX {
            let debt = market.price_band(band, *clock)?.debt;
            // The last band reaches to any price: its lower edge counts.
            let edge = market.price_band(band.saturating_add(1), *clock)?.edge;
            if debt == Quote::ZERO {
                continue;
            }
            // At the edge the collateral is worth debt ÷ liquidation LTV.
            let worth = num::wide(debt.0, num::BPS) / u128::from(ltv.factor().max(1));
            let collateral = edge.divisor()?.worth(Quote(u64::try_from(worth).unwrap_or(u64::MAX)))?;
            match sizing::terms(&config, debt, collateral, &at) {
                Ok(terms) => {
                    shock.debt = shock.debt.plus(debt)?;
                    shock.repaid = shock.repaid.plus(terms.repay)?;
                    shock.seized = shock.seized.plus(terms.seize)?;
                    shock.penalties = shock.penalties.plus(terms.penalty_amount)?;
                    shock.deficits = shock.deficits.plus(terms.deficit)?;
                }
                Err(Error::AccountHealthy) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(shock)
    }

    /// What a guardian's leaving with `shares` would pay now.
    ///
    /// # Errors
    /// Those of [`Market::guardian_withdraw`].
    pub fn guardian_withdrawal(
        &self,
        position: &GuardianPosition,
        shares: GuardianShares,
    ) -> Result<GuardianWithdrawal> {
        let (mut market, mut position) = (self.market, *position);
        market.guardian_withdraw(&mut position, shares, Quote::ZERO, Some(&self.prices), self.clock)
    }

    /// The initial LTV for the account as it stands, and what is taken off it.
    ///
    /// # Errors
    /// Those of [`Market::initial_ltv`].
    pub fn initial_ltv(&self, account: &MarginAccount) -> Result<InitialLtv> {
        self.market.initial_ltv(account, &self.prices, self.clock)
    }

    /// What buying `amount` of the backstop's inventory would do now, at whatever price.
    ///
    /// # Errors
    /// Those of [`Market::buy_inventory`].
    pub fn purchase(&self, amount: Collateral) -> Result<Sale> {
        let mut market = self.market;
        market.buy_inventory(amount, Quote(u64::MAX), &self.prices, self.clock)
    }

    /// What buying inventory for `budget` would do now.
    ///
    /// # Errors
    /// Those of [`Market::buy_inventory_for`].
    pub fn purchase_for(&self, budget: Quote) -> Result<Sale> {
        let mut market = self.market;
        market.buy_inventory_for(budget, Collateral::ZERO, &self.prices, self.clock)
    }

    /// What the backstop would offer so many seconds from now, if prices and level stayed as they are and nobody bought.
    ///
    /// # Errors
    /// Those of [`Market::offer`].
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
    /// Those of [`Market::statement`].
    pub fn statement(&self) -> Result<Statement> {
        self.market.statement(&self.prices, self.clock)
    }

    /// The measures of risk.
    ///
    /// # Errors
    /// Those of [`Market::risk`].
    pub fn risk(&self) -> Result<Risk> {
        self.market.risk(&self.prices, self.clock)
    }
}

#[cfg(test)]
mod tests;

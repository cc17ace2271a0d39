//! The backstop's balance sheet, for whoever asks.

use crate::{
    backstop::{BackstopPrices, Capacity},
    error::Result,
    guard::Prices,
    market::Market,
    units::{Clock, Collateral, Price, Quote},
    unwind::{Offer, Schedule},
};

/// The backstop's balance sheet at one moment and one price. Quote atoms unless it says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Cash.
    pub cash: Quote,
    /// Collateral held, atoms.
    pub inventory: Collateral,
    /// The inventory at spot, rounded down.
    pub inventory_value: Quote,
    /// The inventory at the stressed price: low × (1 − haircut), rounded down.
    pub inventory_stressed: Quote,
    /// What the inventory was worth when it was taken over.
    pub inventory_book: Quote,
    /// Due from the pool, whole atoms.
    pub due: Quote,
    /// Debt to the pool, rounded up.
    pub debt: Quote,
    /// Credited to keepers, and no longer part of the cash.
    pub keeper_credits: Quote,
    /// Equity with the inventory at spot.
    pub equity: i128,
    /// Equity with the inventory at the stressed price: what room and guardians' earnings are counted with.
    pub equity_stressed: i128,
    /// The guardians' claim on the equity.
    pub guardians: Quote,
    /// What is left to the protocol: equity − claim. Negative if the claim is not covered.
    pub protocol: i128,
    /// Debt that can still be taken over, at the smallest penalty and this price; nothing when liquidations are refused.
    pub room: Quote,
    /// Scheduled sales, collateral atoms per second.
    pub rate: u64,
    /// What is offered now; `None` while nothing may be sold.
    pub offer: Option<Offer>,
}

impl Market {
    /// The backstop's balance sheet at `prices` and `clock`, interest included; stores nothing.
    ///
    /// # Errors
    /// [`crate::Error::PriceOutOfRange`], [`crate::Error::Overflow`].
    pub fn statement(&self, prices: &Prices, clock: Clock) -> Result<Statement> {
        let books = self.books_at(clock)?;
        let (pool, backstop) = (&books.pool, &books.backstop);
        let haircut = self.config.inventory_haircut.below_one();
        let stressed = prices.believed().low()?.scale_down(haircut)?;
        let at = |price: Price| price.value(backstop.inventory);
        let equity = backstop.equity(pool, prices.spot())?;
        let room = match BackstopPrices::new(&self.config, prices) {
            Ok(at) => Capacity::of(backstop, pool, at.stressed)?.room(&self.config, &at, self.config.penalty_min)?,
            Err(_) => Quote::ZERO,
        };
        let (due, _) = crate::num::split(pool.due.raw());
        Ok(Statement {
            cash: backstop.cash,
            inventory: backstop.inventory,
            inventory_value: at(prices.spot())?,
            inventory_stressed: at(stressed)?,
            inventory_book: self.income.book,
            due: Quote(due),
            debt: pool.index.debt(backstop.debt_shares)?,
            keeper_credits: backstop.keeper_credits,
            equity,
            equity_stressed: backstop.equity(pool, stressed)?,
            guardians: self.guardians.claim,
            protocol: equity.saturating_sub(i128::from(self.guardians.claim.0)),
            room,
            rate: Schedule::rate(&self.config, backstop.inventory),
            offer: self.offer(prices, clock).ok(),
        })
    }
}

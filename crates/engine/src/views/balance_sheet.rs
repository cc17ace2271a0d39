//! The backstop's balance sheet, for whoever asks.

use crate::{
    backstop::{auction::Offer, capacity::StressBalanceSheet},
    error::Result,
    market::Market,
    math::units::{Clock, Collateral, Quote},
    price::guard::Prices,
};

/// The backstop's balance sheet at one moment and one price. Quote atoms unless it says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BalanceSheet {
    /// Cash.
    pub cash: Quote,
    /// Collateral held, atoms.
    pub inventory: Collateral,
    /// The inventory at spot, rounded down.
    pub inventory_value: Quote,
    /// Value of the inventory when it was taken over.
    pub inventory_book: Quote,
    /// Reserves that the pool owes, whole atoms.
    pub reserves_owed: Quote,
    /// Debt to the pool, rounded up.
    pub debt: Quote,
    /// Credited to keepers and no longer part of the cash.
    pub funded_credits: Quote,
    /// Credited to keepers without cash for it.
    pub unfunded_credits: Quote,
    /// Debt written off that is paid back before guardians and protocol have anything.
    pub written_off: Quote,
    /// The rest of the inventory that may pay it back, collateral atoms.
    pub recovering: Collateral,
    /// Equity with the inventory at spot, after what was written off.
    pub equity: i128,
    /// The guardians' claims on the equity, of those who stay and of those who asked to leave.
    pub guardians: Quote,
    /// The protocol's part: equity − claims. Negative if they are not covered.
    pub protocol: i128,
    /// Shortfall of the claim if everything were settled at the stored price: see [`Market::claim_impairment`].
    pub claim_impaired: Quote,
    /// The suppliers' loss if everything were settled at the stored price: see
    /// [`Market::impaired`](crate::Market::impaired).
    pub impaired: Quote,
    /// The stress cover C: what decides how much of a partial liquidation is taken.
    pub cover: StressBalanceSheet,
    /// The same after the fall of admission. A is its cover less the capital that has asked to leave.
    pub admission: StressBalanceSheet,
    /// Inventory that fits the pipeline beside what is held, collateral atoms: what is still taken while C is negative.
    pub pipeline_headroom: Collateral,
    /// Most that is sold in an hour, at the higher EMA.
    pub hourly_flow: Quote,
    /// The offer now; `None` while nothing may be sold.
    pub offer: Option<Offer>,
}

impl Market {
    /// The backstop's balance sheet at `prices` and `clock`, interest included; stores nothing.
    ///
    /// # Errors
    /// [`crate::Error::PriceOutOfRange`], [`crate::Error::Overflow`].
    pub fn balance_sheet(&self, prices: &Prices, clock: Clock) -> Result<BalanceSheet> {
        let books = self.books_at(clock)?;
        let (pool, backstop) = (&books.pool, &books.backstop);
        let equity = books.equity(prices.spot())?;
        let [cover, admission] = self.stress(prices, clock)?;
        let guardians = books.guardians.all_claims()?;
        Ok(BalanceSheet {
            cash: backstop.cash,
            inventory: backstop.inventory,
            inventory_value: prices.spot().quote_floor(backstop.inventory)?,
            inventory_book: books.equity_sources.book,
            reserves_owed: books.reserves_owed(),
            debt: pool.index.debt(backstop.debt_shares)?,
            funded_credits: backstop.funded_credits,
            unfunded_credits: backstop.unfunded_credits,
            written_off: books.recovery.written_off,
            recovering: books.recovery.inventory,
            equity,
            guardians,
            protocol: equity.saturating_sub(i128::from(guardians.0)),
            claim_impaired: self.claim_impairment(clock)?,
            impaired: self.impaired(clock)?,
            cover,
            admission,
            pipeline_headroom: self.pipeline_headroom(prices)?,
            hourly_flow: self.config.hourly_flow(),
            offer: self.offer(prices, clock).ok(),
        })
    }
}

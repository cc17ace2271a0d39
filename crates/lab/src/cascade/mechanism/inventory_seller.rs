use breakwater_engine::{Clock, Collateral, MarginAccount, Price, Quote, Result};

use crate::cascade::lending::Lending;

/// The protocol's own money, where the engine's backstop is not used. Negative cash is what it draws from the
/// suppliers' pool, without interest.
#[derive(Clone, Copy, Debug)]
pub struct InventorySeller {
    /// Quote atoms.
    pub cash: i128,
    /// Collateral atoms.
    pub inventory: Collateral,
}

impl InventorySeller {
    pub fn new(capital: Quote) -> Self {
        Self {
            cash: i128::from(capital.0),
            inventory: Collateral::ZERO,
        }
    }

    /// Pays all debt of an account and takes its collateral. Returns the account as it was, and the debt.
    pub fn take_over(&mut self, lending: &mut Lending, id: u32, clock: Clock) -> Result<(MarginAccount, Quote)> {
        let before = lending.accounts[id as usize];
        let mut account = before;
        let debt = lending.market.repay(&mut account, Quote(u64::MAX), clock)?.amount;
        account.collateral = Collateral::ZERO;
        self.cash -= i128::from(debt.0);
        self.inventory = self.inventory.plus(before.collateral)?;
        lending.accounts[id as usize] = account;
        lending.changed(id, &before);
        Ok((before, debt))
    }

    pub fn equity(&self, price: Price) -> Result<i128> {
        Ok(self.cash + i128::from(price.quote_floor(self.inventory)?.0))
    }

    pub fn holdings(&self) -> (i128, i128) {
        (self.cash, i128::from(self.inventory.0))
    }
}

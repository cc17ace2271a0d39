use breakwater_engine::{Collateral, Price, Quote, Result};

use super::{Environment, Mechanism, Moment, inventory_seller::InventorySeller};
use crate::cascade::lending::Lending;

/// Nobody liquidates anybody.
pub struct Nothing {
    inventory_seller: InventorySeller,
}

impl Nothing {
    pub fn new(capital: Quote) -> Self {
        Self {
            inventory_seller: InventorySeller::new(capital),
        }
    }
}

impl Mechanism for Nothing {
    fn step(&mut self, _now: &Moment, _stage: &mut Environment<'_>) -> Result<()> {
        Ok(())
    }

    fn inventory(&self, _lending: &Lending) -> Collateral {
        Collateral::ZERO
    }

    fn equity(&self, _lending: &Lending, price: Price) -> Result<i128> {
        self.inventory_seller.equity(price)
    }

    fn holdings(&self) -> (i128, i128) {
        self.inventory_seller.holdings()
    }
}

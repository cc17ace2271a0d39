use breakwater_engine::{Collateral, Price, Quote, Result};

use super::{Mechanism, Moment, Stage, desk::Desk};
use crate::cascade::lending::Lending;

/// Nobody liquidates anybody.
pub struct Nothing {
    desk: Desk,
}

impl Nothing {
    pub fn new(capital: Quote) -> Self {
        Self {
            desk: Desk::new(capital),
        }
    }
}

impl Mechanism for Nothing {
    fn step(&mut self, _now: &Moment, _stage: &mut Stage<'_>) -> Result<()> {
        Ok(())
    }

    fn inventory(&self, _lending: &Lending) -> Collateral {
        Collateral::ZERO
    }

    fn equity(&self, _lending: &Lending, price: Price) -> Result<i128> {
        self.desk.equity(price)
    }

    fn holdings(&self) -> (i128, i128) {
        self.desk.holdings()
    }
}

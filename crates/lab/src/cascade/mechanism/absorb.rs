use breakwater_engine::{Collateral, Price, Quote, Result};

use super::{EDGE, Environment, Mechanism, Moment, WORTH_IT, atoms, inventory_seller::InventorySeller, per_token};
use crate::cascade::{lending::Lending, metrics::Case, setup::COLLATERAL_UNIT, setup::QUOTE_UNIT};

/// Part of the collateral's value that an absorbed owner is credited, bps.
const LIQUIDATION_FACTOR: u64 = 9_500;
/// Off the price for buyers, bps: 60% of the 5%.
const DISCOUNT: u64 = 300;

/// Compound III's rules: the protocol takes an account whole, credits its owner, and sells the collateral at a fixed
/// discount to whoever wants it.
pub struct Absorb {
    inventory_seller: InventorySeller,
}

impl Absorb {
    pub fn new(capital: Quote) -> Self {
        Self {
            inventory_seller: InventorySeller::new(capital),
        }
    }

    fn absorb(&mut self, id: u32, now: &Moment, environment: &mut Environment<'_>) -> Result<()> {
        let (before, debt) = self.inventory_seller.take_over(environment.lending, id, now.clock)?;
        let value = now.prices.spot().quote_floor(before.collateral)?;
        let credit = now
            .prices
            .spot()
            .scale_down(LIQUIDATION_FACTOR)?
            .quote_floor(before.collateral)?;
        let returned = Quote(credit.0.saturating_sub(debt.0));
        self.inventory_seller.cash -= i128::from(returned.0);
        environment.metrics.owners += i128::from(returned.0);
        environment.metrics.bad_debt += debt.0.saturating_sub(value.0);
        let case = Case {
            debt,
            collateral: before.collateral,
            repaid: debt,
            seized: before.collateral,
            returned,
        };
        environment
            .metrics
            .liquidation(&environment.lending.market.config, environment.exchange.fair(), &case);
        Ok(())
    }

    fn sell(&mut self, now: &Moment, environment: &mut Environment<'_>) -> Result<()> {
        if self.inventory_seller.inventory == Collateral::ZERO {
            return Ok(());
        }
        let ask = now.prices.spot().scale_up(10_000 - DISCOUNT)?;
        let wanted = environment.exchange.down_to(per_token(ask) * (1.0 + EDGE));
        let amount = atoms(wanted, self.inventory_seller.inventory);
        let cost = ask.quote_ceil(amount)?;
        let worth_it = cost.0 as f64 >= WORTH_IT * QUOTE_UNIT || amount == self.inventory_seller.inventory;
        if amount.0 as f64 >= COLLATERAL_UNIT * 1e-6 && worth_it {
            self.inventory_seller.inventory = self.inventory_seller.inventory.minus(amount)?;
            self.inventory_seller.cash += i128::from(cost.0);
            let proceeds = environment.exchange.sell(amount);
            environment.metrics.agents += i128::from(proceeds.0) - i128::from(cost.0);
        }
        Ok(())
    }
}

impl Mechanism for Absorb {
    fn step(&mut self, now: &Moment, environment: &mut Environment<'_>) -> Result<()> {
        let threshold = environment.lending.due_from(now.prices.spot());
        while let Some(id) = environment.lending.order.next(&environment.lending.accounts, threshold) {
            self.absorb(id, now, environment)?;
        }
        self.sell(now, environment)
    }

    fn inventory(&self, _lending: &Lending) -> Collateral {
        self.inventory_seller.inventory
    }

    fn equity(&self, _lending: &Lending, price: Price) -> Result<i128> {
        self.inventory_seller.equity(price)
    }

    fn holdings(&self) -> (i128, i128) {
        self.inventory_seller.holdings()
    }
}

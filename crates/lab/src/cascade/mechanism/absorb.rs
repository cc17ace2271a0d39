use breakwater_engine::{Collateral, Price, Quote, Result};

use super::{EDGE, Mechanism, Moment, Stage, WORTH_IT, atoms, desk::Desk, per_token};
use crate::cascade::{lending::Lending, setup::COLLATERAL_UNIT, setup::QUOTE_UNIT, tally::Case};

/// Part of the collateral's value that an absorbed owner is credited, bps.
const LIQUIDATION_FACTOR: u64 = 9_500;
/// Off the price for buyers, bps: 60% of the 5%.
const DISCOUNT: u64 = 300;

/// Compound III's rules: the protocol takes an account whole, credits its owner, and sells the collateral at a fixed
/// discount to whoever wants it.
pub struct Absorb {
    desk: Desk,
}

impl Absorb {
    pub fn new(capital: Quote) -> Self {
        Self {
            desk: Desk::new(capital),
        }
    }

    fn absorb(&mut self, id: u32, now: &Moment, stage: &mut Stage<'_>) -> Result<()> {
        let (before, debt) = self.desk.take_over(stage.lending, id, now.clock)?;
        let value = now.prices.spot().value(before.collateral)?;
        let credit = now
            .prices
            .spot()
            .scale_down(LIQUIDATION_FACTOR)?
            .value(before.collateral)?;
        let returned = Quote(credit.0.saturating_sub(debt.0));
        self.desk.cash -= i128::from(returned.0);
        stage.tally.owners += i128::from(returned.0);
        stage.tally.bad_debt += debt.0.saturating_sub(value.0);
        let case = Case {
            debt,
            collateral: before.collateral,
            repaid: debt,
            seized: before.collateral,
            returned,
        };
        stage
            .tally
            .liquidation(&stage.lending.market.config, stage.exchange.fair(), &case);
        Ok(())
    }

    fn sell(&mut self, now: &Moment, stage: &mut Stage<'_>) -> Result<()> {
        if self.desk.inventory == Collateral::ZERO {
            return Ok(());
        }
        let ask = now.prices.spot().scale_up(10_000 - DISCOUNT)?;
        let wanted = stage.exchange.down_to(per_token(ask) * (1.0 + EDGE));
        let amount = atoms(wanted, self.desk.inventory);
        let cost = ask.cost(amount)?;
        let worth_it = cost.0 as f64 >= WORTH_IT * QUOTE_UNIT || amount == self.desk.inventory;
        if amount.0 as f64 >= COLLATERAL_UNIT * 1e-6 && worth_it {
            self.desk.inventory = self.desk.inventory.minus(amount)?;
            self.desk.cash += i128::from(cost.0);
            let proceeds = stage.exchange.sell(amount);
            stage.tally.agents += i128::from(proceeds.0) - i128::from(cost.0);
        }
        Ok(())
    }
}

impl Mechanism for Absorb {
    fn step(&mut self, now: &Moment, stage: &mut Stage<'_>) -> Result<()> {
        let threshold = stage.lending.due_from(now.prices.spot());
        while let Some(id) = stage.lending.order.next(&stage.lending.accounts, threshold) {
            self.absorb(id, now, stage)?;
        }
        self.sell(now, stage)
    }

    fn inventory(&self, _lending: &Lending) -> Collateral {
        self.desk.inventory
    }

    fn equity(&self, _lending: &Lending, price: Price) -> Result<i128> {
        self.desk.equity(price)
    }

    fn holdings(&self) -> (i128, i128) {
        self.desk.holdings()
    }
}

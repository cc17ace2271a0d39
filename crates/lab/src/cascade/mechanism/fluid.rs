//! Fluid's and Jupiter Lend's vaults.
//!
//! Rules: `contracts/protocols/vault/vaultT1/coreModule/main.sol` of Instadapp/fluid-contracts-public (read at commit
//! 47e2ae8c), and Jupiter Lend's page on its liquidation mechanism (the same program on Solana). Accounts are kept by
//! their ratio of debt to collateral in ticks of 0.15%. Whoever liquidates begins with the riskiest and brings all of
//! them down together, tick by tick, as far as the amount goes and no further than the limit, for one small penalty.
//! Accounts beyond a second limit leave the ticks: the vault absorbs debt and all collateral, and sells them at that
//! ratio.
//!
//! Parameters: penalty 1% (vaults have from 0.1% to 3%; 1% is the example of Jupiter's documentation, 3% was that of
//! ETH/USDC on Base in 2024), second limit 5 points above the first (88% and 93% for ETH/USDC on Base).
//!
//! Simplified: ratios are exact and not rounded to a tick, which only matters to accounts of a fraction of 0.15%;
//! traders find the vault through aggregators and need no capital; who liquidates wants at least 0.02% of all debt at a
//! time; everybody's liquidation LTV is the scenario's. The vault has no capital of its own: what absorbed debt lacks
//! is the capital's that every mechanism has.

use breakwater_engine::{Collateral, Price, Quote, Result};

use super::{EDGE, Environment, Mechanism, Moment, atoms, inventory_seller::InventorySeller, per_token, tokens, whole};
use crate::{
    cascade::{
        lending::Lending,
        metrics::Case,
        setup::{DEBT, QUOTE_UNIT},
    },
    rounding::floor_u64,
};

/// Collateral is worth so much more than the debt that is repaid for it.
const PENALTY: f64 = 0.01;
/// Accounts so far beyond the limit are absorbed whole, LTV.
const BEYOND: f64 = 0.05;
/// Nobody comes for less, fraction of all debt.
const LOT: f64 = 0.0002;
/// Halvings of an interval of ratios.
const HALVINGS: u32 = 40;

/// Ticks.
pub struct Fluid {
    /// Collateral absorbed, and the capital.
    inventory_seller: InventorySeller,
    /// Debt of what was absorbed that nobody has paid yet.
    owed: Quote,
}

/// An account that is due: whole tokens.
#[derive(Clone, Copy, Debug)]
struct Liquidatable {
    id: u32,
    debt: f64,
    collateral: f64,
}

impl Liquidatable {
    /// Debt to repay until debt ÷ collateral is `ratio`, if a unit of debt takes `per_debt` collateral: as much as all
    /// collateral pays for where it does not suffice.
    fn until(&self, ratio: f64, per_debt: f64) -> f64 {
        let needed = (self.debt - ratio * self.collateral) / (1.0 - ratio * per_debt);
        needed.clamp(0.0, self.debt.min(self.collateral / per_debt))
    }
}

/// The lowest ratio, from `limit` up, to which all accounts can be brought with `most` debt repaid.
fn lowest(due: &[Liquidatable], limit: f64, per_debt: f64, most: f64) -> f64 {
    let repaid = |ratio: f64| due.iter().map(|account| account.until(ratio, per_debt)).sum::<f64>();
    if repaid(limit) <= most {
        return limit;
    }
    let riskiest = due
        .iter()
        .map(|account| account.debt / account.collateral)
        .fold(limit, f64::max);
    let (mut low, mut high) = (limit, riskiest);
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if repaid(middle) > most {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

impl Fluid {
    pub fn new(capital: Quote) -> Self {
        Self {
            inventory_seller: InventorySeller::new(capital),
            owed: Quote::ZERO,
        }
    }

    /// Whoever is beyond the second limit loses everything to the vault.
    fn absorb(&mut self, now: &Moment, environment: &mut Environment<'_>) -> Result<()> {
        let spot = now.prices.spot();
        let beyond = f64::from(environment.lending.market.config.liquidation_ltv.0) / 1e4 + BEYOND;
        let threshold = crate::cascade::order::threshold(beyond, spot, environment.lending.index);
        while let Some(id) = environment.lending.order.next(&environment.lending.accounts, threshold) {
            let (before, debt) = self.inventory_seller.take_over(environment.lending, id, now.clock)?;
            self.owed = self.owed.plus(debt)?;
            environment.metrics.bad_debt += debt.0.saturating_sub(spot.quote_floor(before.collateral)?.0);
            let case = Case {
                debt,
                collateral: before.collateral,
                repaid: debt,
                seized: before.collateral,
                returned: Quote::ZERO,
            };
            environment
                .metrics
                .liquidation(&environment.lending.market.config, environment.exchange.fair(), &case);
        }
        Ok(())
    }

    /// Sells the collateral absorbed for its debt, part by part.
    fn sell_absorbed(&mut self, environment: &mut Environment<'_>) -> Result<()> {
        let held = tokens(self.inventory_seller.inventory);
        if held == 0.0 {
            return Ok(());
        }
        let least = whole(self.owed) / held * (1.0 + EDGE);
        if environment.exchange.price() < least {
            return Ok(());
        }
        let amount = atoms(
            environment.exchange.for_at_least(least),
            self.inventory_seller.inventory,
        );
        let all = amount == self.inventory_seller.inventory;
        let share = floor_u64(self.owed.0 as f64 * (amount.0 as f64 / self.inventory_seller.inventory.0 as f64));
        let cost = if all { self.owed } else { Quote(share).min(self.owed) };
        if !all && whole(cost) < LOT * DEBT {
            return Ok(());
        }
        self.inventory_seller.inventory = self.inventory_seller.inventory.minus(amount)?;
        self.inventory_seller.cash += i128::from(cost.0);
        self.owed = self.owed.minus(cost)?;
        let proceeds = environment.exchange.sell(amount);
        environment.metrics.agents += i128::from(proceeds.0) - i128::from(cost.0);
        Ok(())
    }

    /// Everybody who is due, riskiest first; they go back in order when the step is over.
    fn due(threshold: u128, environment: &mut Environment<'_>) -> Result<Vec<Liquidatable>> {
        let mut due = Vec::new();
        while let Some(id) = environment.lending.order.next(&environment.lending.accounts, threshold) {
            due.push(Liquidatable {
                id,
                debt: whole(environment.lending.debt(id)?),
                collateral: tokens(environment.lending.accounts[id as usize].collateral),
            });
        }
        Ok(due)
    }

    /// Brings all accounts down to a ratio and sells what that takes.
    fn bring_down(
        due: &[Liquidatable],
        ratio: f64,
        per_debt: f64,
        now: &Moment,
        environment: &mut Environment<'_>,
    ) -> Result<()> {
        let (mut seized, mut paid) = (Collateral::ZERO, Quote::ZERO);
        for account in due {
            let repay = Quote(floor_u64(account.until(ratio, per_debt) * QUOTE_UNIT));
            if repay == Quote::ZERO {
                continue;
            }
            let before = environment.lending.accounts[account.id as usize];
            let debt = environment.lending.debt(account.id)?;
            let mut after = before;
            let repaid = environment.lending.market.repay(&mut after, repay, now.clock)?.amount;
            let taken = atoms(whole(repaid) * per_debt, before.collateral);
            after.collateral = before.collateral.minus(taken)?;
            environment.lending.accounts[account.id as usize] = after;
            environment.lending.changed(account.id, &before);
            let case = Case {
                debt,
                collateral: before.collateral,
                repaid,
                seized: taken,
                returned: Quote::ZERO,
            };
            environment
                .metrics
                .liquidation(&environment.lending.market.config, environment.exchange.fair(), &case);
            seized = seized.plus(taken)?;
            paid = paid.plus(repaid)?;
        }
        let proceeds = environment.exchange.sell(seized);
        environment.metrics.agents += i128::from(proceeds.0) - i128::from(paid.0);
        Ok(())
    }

    fn liquidate(now: &Moment, environment: &mut Environment<'_>) -> Result<()> {
        let spot = now.prices.spot();
        let price = per_token(spot);
        let per_debt = (1.0 + PENALTY) / price;
        let least = (1.0 + EDGE) / per_debt;
        let threshold = environment.lending.due_from(spot);
        if environment.exchange.price() < least || !environment.lending.order.may_have(threshold) {
            return Ok(());
        }
        let most = environment.exchange.for_at_least(least) / per_debt;
        if most < LOT * DEBT {
            return Ok(());
        }
        let due = Self::due(threshold, environment)?;
        let limit = f64::from(environment.lending.market.config.liquidation_ltv.0) / 1e4 * price;
        let ratio = lowest(&due, limit, per_debt, most);
        if due.iter().map(|account| account.until(ratio, per_debt)).sum::<f64>() >= LOT * DEBT {
            Self::bring_down(&due, ratio, per_debt, now, environment)?;
        }
        for account in due {
            let id = account.id;
            environment
                .lending
                .order
                .push(id, &environment.lending.accounts[id as usize]);
        }
        Ok(())
    }
}

impl Mechanism for Fluid {
    fn step(&mut self, now: &Moment, environment: &mut Environment<'_>) -> Result<()> {
        self.absorb(now, environment)?;
        self.sell_absorbed(environment)?;
        Self::liquidate(now, environment)
    }

    fn inventory(&self, _lending: &Lending) -> Collateral {
        self.inventory_seller.inventory
    }

    /// Counts of the collateral absorbed no more than its debt: the rest is for whoever pays that.
    fn equity(&self, _lending: &Lending, price: Price) -> Result<i128> {
        let worth = price.quote_floor(self.inventory_seller.inventory)?.min(self.owed);
        Ok(self.inventory_seller.cash + i128::from(worth.0))
    }

    fn holdings(&self) -> (i128, i128) {
        self.inventory_seller.holdings()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(ltv: f64) -> Liquidatable {
        Liquidatable {
            id: 0,
            debt: ltv * 1_000.0,
            collateral: 10.0,
        }
    }

    /// At a price of 100: debt ÷ collateral is 100 × LTV.
    const PER_DEBT: f64 = (1.0 + PENALTY) / 100.0;

    #[test]
    fn the_least_that_reaches_the_limit_is_taken() {
        let account = due(0.84);
        let repaid = account.until(80.0, PER_DEBT);
        // (840 − 800) ÷ (1 − 0.8 × 1.01)
        assert!((repaid - 40.0 / 0.192).abs() < 1e-9, "{repaid}");
        let after = (account.debt - repaid) / (account.collateral - repaid * PER_DEBT);
        assert!((after - 80.0).abs() < 1e-9, "{after}");
        assert!(due(0.79).until(80.0, PER_DEBT).abs() < f64::EPSILON);
    }

    #[test]
    fn the_riskiest_come_first_and_all_end_at_one_ratio() {
        let accounts = [due(0.84), due(0.82), due(0.81)];
        let all: f64 = accounts.iter().map(|account| account.until(80.0, PER_DEBT)).sum();
        assert!((lowest(&accounts, 80.0, PER_DEBT, all + 1.0) - 80.0).abs() < f64::EPSILON);
        // Enough for the first alone.
        let first = accounts[0].until(82.5, PER_DEBT);
        let ratio = lowest(&accounts, 80.0, PER_DEBT, first);
        assert!((ratio - 82.5).abs() < 1e-6, "{ratio}");
        assert!(accounts[1].until(ratio, PER_DEBT).abs() < f64::EPSILON);
        // A little more than that reaches the second.
        let more = accounts[0].until(81.5, PER_DEBT) + accounts[1].until(81.5, PER_DEBT);
        let ratio = lowest(&accounts, 80.0, PER_DEBT, more);
        assert!((ratio - 81.5).abs() < 1e-6, "{ratio}");
    }
}

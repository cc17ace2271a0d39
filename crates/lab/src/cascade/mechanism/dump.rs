use breakwater_engine::{Collateral, Price, Quote, Result};

use super::{EDGE, Environment, Mechanism, Moment, WORTH_IT, atoms, inventory_seller::InventorySeller};
use crate::{
    cascade::{
        lending::Lending,
        metrics::Case,
        setup::{COLLATERAL_UNIT, QUOTE_UNIT},
    },
    rounding::floor_u64,
};

/// Keepers who dump get collateral worth this much more than they repay.
pub const BONUS: f64 = 0.08;
/// Accounts that nobody wants in one step before keepers stop looking.
const PATIENCE: u32 = 32;

/// A keeper with a flash loan repays debt, takes collateral with a bonus, and sells it at once. It takes what the sale
/// can pay for.
pub struct Dump {
    /// The part of a debt that may be repaid at a time.
    close: f64,
    inventory_seller: InventorySeller,
}

/// A keeper's payment and the collateral got for it.
#[derive(Clone, Copy)]
struct Deal {
    repay: Quote,
    seize: Collateral,
}

impl Dump {
    pub fn half(capital: Quote) -> Self {
        Self {
            close: 0.5,
            inventory_seller: InventorySeller::new(capital),
        }
    }

    pub fn full(capital: Quote) -> Self {
        Self {
            close: 1.0,
            inventory_seller: InventorySeller::new(capital),
        }
    }

    /// The largest deal that the rules allow. If there is not enough collateral, all of it, for less.
    fn deal(&self, lending: &Lending, id: u32, price: f64) -> Result<Deal> {
        let (debt, collateral) = (lending.debt(id)?, lending.accounts[id as usize].collateral);
        let half = Quote(floor_u64(debt.0 as f64 * self.close));
        let min_debt = lending.market.config.min_debt;
        let repay = if debt.minus(half)? < min_debt { debt } else { half };
        let wanted = repay.0 as f64 / QUOTE_UNIT * (1.0 + BONUS) / price;
        let all = collateral.0 as f64 / COLLATERAL_UNIT;
        Ok(if wanted < all {
            Deal {
                repay,
                seize: atoms(wanted, collateral),
            }
        } else {
            let worth = floor_u64(all * price / (1.0 + BONUS) * QUOTE_UNIT);
            Deal {
                repay: Quote(worth).min(repay),
                seize: collateral,
            }
        })
    }

    /// The same, as far as selling it pays; `None` if it does not pay, or the rules want all or nothing.
    fn worthwhile(&self, deal: Deal, environment: &Environment<'_>) -> Option<Deal> {
        let (paid, tokens) = (deal.repay.0 as f64 / QUOTE_UNIT, deal.seize.0 as f64 / COLLATERAL_UNIT);
        if tokens == 0.0 {
            return None;
        }
        let least = paid * (1.0 + EDGE) / tokens;
        if environment.exchange.average_price(tokens) >= least {
            return Some(deal);
        }
        if self.close >= 1.0 {
            return None;
        }
        let part = environment.exchange.for_at_least(least) / tokens;
        (part * paid >= WORTH_IT).then(|| Deal {
            repay: Quote(floor_u64(deal.repay.0 as f64 * part)),
            seize: Collateral(floor_u64(deal.seize.0 as f64 * part)),
        })
    }
}

impl Mechanism for Dump {
    fn step(&mut self, now: &Moment, environment: &mut Environment<'_>) -> Result<()> {
        let spot = now.prices.spot();
        let price = super::per_token(spot);
        let threshold = environment.lending.due_from(spot);
        let (mut aside, mut refused) = (Vec::new(), 0);
        while refused < PATIENCE {
            let Some(id) = environment.lending.order.next(&environment.lending.accounts, threshold) else {
                break;
            };
            aside.push(id);
            let wanted = self.deal(environment.lending, id, price)?;
            let Some(deal) = self
                .worthwhile(wanted, environment)
                .filter(|deal| deal.repay > Quote::ZERO)
            else {
                refused += 1;
                continue;
            };
            if deal.repay < wanted.repay {
                // The market takes no more in this step.
                refused = PATIENCE;
            }
            let before = environment.lending.accounts[id as usize];
            let debt = environment.lending.debt(id)?;
            let mut account = before;
            let paid = environment
                .lending
                .market
                .repay(&mut account, deal.repay, now.clock)?
                .amount;
            account.collateral = account.collateral.minus(deal.seize)?;
            environment.lending.accounts[id as usize] = account;
            environment.lending.changed(id, &before);
            let case = Case {
                debt,
                collateral: before.collateral,
                repaid: paid,
                seized: deal.seize,
                returned: Quote::ZERO,
            };
            environment
                .metrics
                .liquidation(&environment.lending.market.config, environment.exchange.fair(), &case);
            let proceeds = environment.exchange.sell(deal.seize);
            environment.metrics.agents += i128::from(proceeds.0) - i128::from(paid.0);
        }
        for id in aside {
            environment
                .lending
                .order
                .push(id, &environment.lending.accounts[id as usize]);
        }
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

use breakwater_engine::{Collateral, Price, Quote, Result};

use super::{EDGE, Mechanism, Moment, Stage, WORTH_IT, atoms, desk::Desk};
use crate::{
    cascade::{
        lending::Lending,
        setup::{COLLATERAL_UNIT, QUOTE_UNIT},
        tally::Case,
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
    desk: Desk,
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
            desk: Desk::new(capital),
        }
    }

    pub fn full(capital: Quote) -> Self {
        Self {
            close: 1.0,
            desk: Desk::new(capital),
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
    fn worthwhile(&self, deal: Deal, stage: &Stage<'_>) -> Option<Deal> {
        let (paid, tokens) = (deal.repay.0 as f64 / QUOTE_UNIT, deal.seize.0 as f64 / COLLATERAL_UNIT);
        if tokens == 0.0 {
            return None;
        }
        let least = paid * (1.0 + EDGE) / tokens;
        if stage.exchange.average_price(tokens) >= least {
            return Some(deal);
        }
        if self.close >= 1.0 {
            return None;
        }
        let part = stage.exchange.for_at_least(least) / tokens;
        (part * paid >= WORTH_IT).then(|| Deal {
            repay: Quote(floor_u64(deal.repay.0 as f64 * part)),
            seize: Collateral(floor_u64(deal.seize.0 as f64 * part)),
        })
    }
}

impl Mechanism for Dump {
    fn step(&mut self, now: &Moment, stage: &mut Stage<'_>) -> Result<()> {
        let spot = now.prices.spot();
        let price = super::per_token(spot);
        let threshold = stage.lending.due_from(spot);
        let (mut aside, mut refused) = (Vec::new(), 0);
        while refused < PATIENCE {
            let Some(id) = stage.lending.order.next(&stage.lending.accounts, threshold) else {
                break;
            };
            aside.push(id);
            let wanted = self.deal(stage.lending, id, price)?;
            let Some(deal) = self.worthwhile(wanted, stage).filter(|deal| deal.repay > Quote::ZERO) else {
                refused += 1;
                continue;
            };
            if deal.repay < wanted.repay {
                // The market takes no more in this step.
                refused = PATIENCE;
            }
            let before = stage.lending.accounts[id as usize];
            let debt = stage.lending.debt(id)?;
            let mut account = before;
            let paid = stage.lending.market.repay(&mut account, deal.repay, now.clock)?.amount;
            account.collateral = account.collateral.minus(deal.seize)?;
            stage.lending.accounts[id as usize] = account;
            stage.lending.changed(id, &before);
            let case = Case {
                debt,
                collateral: before.collateral,
                repaid: paid,
                seized: deal.seize,
                returned: Quote::ZERO,
            };
            stage
                .tally
                .liquidation(&stage.lending.market.config, stage.exchange.fair(), &case);
            let proceeds = stage.exchange.sell(deal.seize);
            stage.tally.agents += i128::from(proceeds.0) - i128::from(paid.0);
        }
        for id in aside {
            stage.lending.order.push(id, &stage.lending.accounts[id as usize]);
        }
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

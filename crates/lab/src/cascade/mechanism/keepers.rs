//! Rules that lending protocols with keepers have in common: whoever repays a part of a debt that is due gets
//! collateral for it with a bonus, and sells it at once. Protocols differ in the bonus and in the part: [`Terms`].
//!
//! Simplified for all of them: a keeper needs no capital (flash loan) and pays no fees; of those who compete the first
//! one that earns [`EDGE`] acts, so a bonus that grows is never larger than the sale asks for; a keeper takes as much
//! of what the rules allow as the market pays for; the protocol's cut of the bonus is left to the keeper; everybody's
//! liquidation LTV is the scenario's, whatever the protocol's own is. Within a step accounts are served as often as
//! they are still due.

use breakwater_engine::{Collateral, Price, Quote, Result};

use super::{
    EDGE, Environment, Mechanism, Moment, WORTH_IT, atoms, inventory_seller::InventorySeller, per_token, tokens, whole,
};
use crate::{
    cascade::{lending::Lending, metrics::Case, order, setup::QUOTE_UNIT},
    rounding::floor_u64,
};

/// Accounts that nobody wants in one step before keepers stop looking.
const PATIENCE: u32 = 256;

/// An account that is due, as the rules of a protocol see it.
#[derive(Clone, Copy, Debug)]
pub struct Position {
    /// Debt, whole quote tokens.
    pub debt: f64,
    /// Collateral at the oracle's price, whole quote tokens.
    pub value: f64,
    /// The liquidation LTV, fraction.
    pub limit: f64,
}

impl Position {
    /// Debt ÷ value.
    pub fn ltv(self) -> f64 {
        self.debt / self.value
    }

    /// Value × limit ÷ debt: below one an account is due.
    pub fn health(self) -> f64 {
        self.value * self.limit / self.debt
    }
}

/// Terms that a protocol grants keepers.
pub trait Terms: Send {
    /// The bonus: collateral is worth so much more than what is repaid for it, fraction.
    fn bonus(&self, of: Position) -> f64;

    /// The part of the debt that may be repaid at a time, fraction.
    fn close(&self, of: Position) -> f64;

    /// The largest bonus that any account can have.
    fn largest(&self) -> f64;
}

/// Keepers at work under a protocol's terms.
pub struct Keepers<T> {
    terms: T,
    inventory_seller: InventorySeller,
}

/// A keeper's payment and the collateral got for it.
#[derive(Clone, Copy)]
struct Deal {
    repay: Quote,
    seize: Collateral,
}

impl<T: Terms> Keepers<T> {
    /// With capital of the protocol, which only bears what is lost.
    pub fn new(terms: T, capital: Quote) -> Self {
        Self {
            terms,
            inventory_seller: InventorySeller::new(capital),
        }
    }

    /// The largest deal that the rules allow at a price. If there is not enough collateral, all of it, for less.
    fn deal(&self, lending: &Lending, id: u32, price: f64) -> Result<Deal> {
        let (debt, collateral) = (lending.debt(id)?, lending.accounts[id as usize].collateral);
        let position = Position {
            debt: whole(debt),
            value: tokens(collateral) * price,
            limit: f64::from(lending.market.config.liquidation_ltv.0) / 1e4,
        };
        let bonus = self.terms.bonus(position);
        let part = Quote(floor_u64(debt.0 as f64 * self.terms.close(position).clamp(0.0, 1.0))).min(debt);
        let repay = if debt.minus(part)? < lending.market.config.min_debt {
            debt
        } else {
            part
        };
        let wanted = whole(repay) * (1.0 + bonus) / price;
        Ok(if wanted < tokens(collateral) {
            Deal {
                repay,
                seize: atoms(wanted, collateral),
            }
        } else {
            let worth = floor_u64(position.value / (1.0 + bonus) * QUOTE_UNIT);
            Deal {
                repay: Quote(worth).min(repay),
                seize: collateral,
            }
        })
    }

    /// The same, as far as selling it pays; `None` if it does not.
    fn worthwhile(deal: Deal, environment: &Environment<'_>) -> Option<Deal> {
        let (paid, seized) = (whole(deal.repay), tokens(deal.seize));
        if seized == 0.0 || deal.repay == Quote::ZERO {
            return None;
        }
        let least = paid * (1.0 + EDGE) / seized;
        if environment.exchange.price() < least {
            return None;
        }
        if environment.exchange.average_price(seized) >= least {
            return Some(deal);
        }
        let part = environment.exchange.for_at_least(least) / seized;
        let less = Deal {
            repay: Quote(floor_u64(deal.repay.0 as f64 * part)),
            seize: Collateral(floor_u64(deal.seize.0 as f64 * part)),
        };
        (part * paid >= WORTH_IT).then_some(less)
    }

    /// Serves an account until it is no longer due or nobody wants more of it.
    fn serve(
        &self,
        id: u32,
        threshold: u128,
        price: f64,
        now: &Moment,
        environment: &mut Environment<'_>,
    ) -> Result<Served> {
        let mut served = Served::Refused;
        while order::ratio(&environment.lending.accounts[id as usize]).is_some_and(|ratio| ratio > threshold) {
            let wanted = self.deal(environment.lending, id, price)?;
            let Some(deal) = Self::worthwhile(wanted, environment) else {
                return Ok(served);
            };
            served = Served::Done;
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
            if deal.repay < wanted.repay {
                return Ok(Served::Sated);
            }
        }
        Ok(served)
    }
}

/// Result of serving an account.
#[derive(Clone, Copy, PartialEq)]
enum Served {
    /// Nobody wanted it.
    Refused,
    /// It was liquidated.
    Done,
    /// It was liquidated as far as the market paid, and takes no more in this step.
    Sated,
}

impl<T: Terms> Mechanism for Keepers<T> {
    fn step(&mut self, now: &Moment, environment: &mut Environment<'_>) -> Result<()> {
        let spot = now.prices.spot();
        let price = per_token(spot);
        if environment.exchange.price() * (1.0 + self.terms.largest()) < price * (1.0 + EDGE) {
            return Ok(());
        }
        let threshold = environment.lending.due_from(spot);
        let (mut aside, mut refused) = (Vec::new(), 0);
        while refused < PATIENCE {
            let Some(id) = environment.lending.order.next(&environment.lending.accounts, threshold) else {
                break;
            };
            aside.push(id);
            match self.serve(id, threshold, price, now, environment)? {
                Served::Done => {}
                Served::Refused => refused += 1,
                Served::Sated => break,
            }
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

/// For the tests of the protocols: an account at an LTV, due from 80%.
#[cfg(test)]
pub fn at(ltv: f64) -> Position {
    Position {
        debt: ltv * 100_000.0,
        value: 100_000.0,
        limit: 0.8,
    }
}

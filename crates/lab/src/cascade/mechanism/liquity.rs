//! Liquity v2's stability pool.
//!
//! Rules: `contracts/src/TroveManager.sol` and `contracts/src/Dependencies/Constants.sol` of liquity/bold (read at
//! commit 043b7464). An account that is due is liquidated whole. The pool of depositors burns its debt and takes
//! collateral for it with a penalty; what collateral is left is the owner's. Debt beyond what the pool holds goes to
//! all other accounts in proportion to their collateral, with collateral for it and a larger penalty.
//!
//! Parameters: penalty 5% in the pool; in a redistribution what the least collateral ratio leaves (10% of WETH's 110%,
//! 20% of staked ETH's 120%: here 25% of 125%), so that what accounts are given is just within the limit.
//!
//! Simplified: the depositors' pool is the capital that every mechanism has, and nobody joins or leaves it (the real
//! one is often larger). They hold what they get; or half of them sell it at once whenever that earns [`EDGE`] more
//! than they paid, and put the proceeds back. Gas compensation (0.5% of the collateral, at most 2 ETH), redemptions and
//! the shutdown of a branch are left out. An account's part of a redistribution is kept beside it, as the contracts do,
//! and bears no interest; its owner does not look at it when deciding to save the account. *Liquidated* counts a debt
//! once, however often it is passed on, and a redistribution is no loss: what one owner loses others gain, until they
//! are liquidated.

use breakwater_engine::{Collateral, MarginAccount, Price, Quote, Result};

use super::{EDGE, Environment, Mechanism, Moment, WORTH_IT, atoms, per_token, tokens, whole};
use crate::{
    cascade::{
        lending::Lending,
        metrics::Case,
        order,
        setup::{COLLATERAL_UNIT, QUOTE_UNIT},
    },
    rounding::{floor_u64, nearest_u64, nearest_u128},
};

/// Collateral that the pool gets beyond the debt that it burns, fraction.
const POOL_PENALTY: f64 = 0.05;
/// Collateral that other accounts get beyond the debt that goes to them, fraction: all that the least collateral ratio
/// leaves.
fn others_penalty(limit: f64) -> f64 {
    1.0 / limit - 1.0
}

/// The pool and what was redistributed.
pub struct Liquity {
    /// Depositors' quote atoms.
    cash: i128,
    /// Collateral of those who hold.
    kept: Collateral,
    /// Collateral of those who sell.
    for_sale: Collateral,
    /// Quote that they paid for it.
    paid: Quote,
    /// The part of depositors who sell.
    sellers: f64,
    /// Given to all accounts for each whole token of collateral: debt and collateral, whole tokens.
    given: (f64, f64),
    /// The same that is still with them: quote atoms that the pool of the market was paid for it, and collateral.
    others: (i128, Collateral),
    /// Bad debt that redistributions made, as the last step found it.
    pending: u64,
}

impl Liquity {
    /// Depositors hold what they get.
    pub fn hold(capital: Quote) -> Self {
        Self {
            cash: i128::from(capital.0),
            kept: Collateral::ZERO,
            for_sale: Collateral::ZERO,
            paid: Quote::ZERO,
            sellers: 0.0,
            given: (0.0, 0.0),
            others: (0, Collateral::ZERO),
            pending: 0,
        }
    }

    /// Half of them sell it.
    pub fn half(capital: Quote) -> Self {
        Self {
            sellers: 0.5,
            ..Self::hold(capital)
        }
    }

    /// The ratio of shares to collateral from which accounts are due, with what they were given:
    /// D + c·d > λp (c + c·k), with d and k given for each c, is D ÷ c > λp (1 + k) − d.
    fn due_from(&self, lending: &Lending, spot: Price) -> u128 {
        let (debt, collateral) = self.given;
        let ltv = f64::from(lending.market.config.liquidation_ltv.0) / 1e4;
        let price = per_token(spot);
        let rest = (1.0 + collateral - debt / (ltv * price)).max(0.0);
        nearest_u128(order::threshold(ltv, spot, lending.index) as f64 * rest)
    }

    /// Debt and collateral given to an account of so much collateral.
    fn given_to(&self, collateral: Collateral) -> (Quote, Collateral) {
        let held = tokens(collateral);
        let debt = nearest_u64(self.given.0 * held * QUOTE_UNIT);
        let extra = nearest_u64(self.given.1 * held * COLLATERAL_UNIT);
        let left = u64::try_from(-self.others.0).unwrap_or(0);
        (Quote(debt.min(left)), Collateral(extra).min(self.others.1))
    }

    /// Takes an account's debt, which the lenders are paid, and all of its collateral, both with what it was given.
    fn close(&mut self, id: u32, now: &Moment, lending: &mut Lending) -> Result<(Quote, Collateral)> {
        let before = lending.accounts[id as usize];
        let mut account = before;
        let (more_debt, more) = self.given_to(before.collateral);
        let debt = lending.market.repay(&mut account, Quote(u64::MAX), now.clock)?.amount;
        self.others.0 += i128::from(more_debt.0);
        self.others.1 = self.others.1.minus(more)?;
        account.collateral = Collateral::ZERO;
        lending.accounts[id as usize] = account;
        lending.changed(id, &before);
        Ok((debt.plus(more_debt)?, before.collateral.plus(more)?))
    }

    /// All that is due, whole.
    fn liquidate(&mut self, now: &Moment, environment: &mut Environment<'_>) -> Result<()> {
        let spot = now.prices.spot();
        loop {
            let threshold = self.due_from(environment.lending, spot);
            let Some(id) = environment.lending.order.next(&environment.lending.accounts, threshold) else {
                return Ok(());
            };
            let account = environment.lending.accounts[id as usize];
            let debt = environment
                .lending
                .debt(id)?
                .plus(self.given_to(account.collateral).0)?;
            let enough = self.cash >= i128::from(debt.0);
            if !enough
                && environment
                    .lending
                    .accounts
                    .iter()
                    .filter(|account| account.has_debt())
                    .count()
                    < 2
            {
                // There is nobody left to share with.
                environment.lending.order.push(id, &account);
                return Ok(());
            }
            self.one(id, now, environment)?;
        }
    }

    /// Liquidates one account, which is no longer in the order.
    fn one(&mut self, id: u32, now: &Moment, environment: &mut Environment<'_>) -> Result<()> {
        let spot = now.prices.spot();
        let price = per_token(spot);
        let (before, own) = (environment.lending.accounts[id as usize], environment.lending.debt(id)?);
        let (debt, all) = self.close(id, now, environment.lending)?;
        let burnt = debt.min(Quote(u64::try_from(self.cash).unwrap_or(0)));
        let rest = debt.minus(burnt)?;
        let limit = f64::from(environment.lending.market.config.liquidation_ltv.0) / 1e4;
        let part = |of: Quote, penalty: f64| whole(of) * (1.0 + penalty) / price;
        let (pool, redistributed) = (part(burnt, POOL_PENALTY), part(rest, others_penalty(limit)));
        // Collateral that does not suffice is shared in proportion, to the atom.
        let enough = (tokens(all) / (pool + redistributed)).min(1.0);
        let taken = if rest == Quote::ZERO && enough < 1.0 {
            all
        } else {
            atoms(pool * enough, all)
        };
        let given = if rest > Quote::ZERO && enough < 1.0 {
            all.minus(taken)?
        } else {
            atoms(redistributed, all.minus(taken)?)
        };

        self.cash -= i128::from(burnt.0);
        let sold = Collateral(floor_u64(taken.0 as f64 * self.sellers));
        self.for_sale = self.for_sale.plus(sold)?;
        self.kept = self.kept.plus(taken.minus(sold)?)?;
        self.paid = self.paid.plus(Quote(floor_u64(burnt.0 as f64 * self.sellers)))?;
        if rest > Quote::ZERO {
            let in_debt = environment.lending.accounts.iter().filter(|account| account.has_debt());
            let others: f64 = in_debt.map(|account| tokens(account.collateral)).sum();
            self.others.0 -= i128::from(rest.0);
            self.others.1 = self.others.1.plus(given)?;
            self.given.0 += whole(rest) / others;
            self.given.1 += tokens(given) / others;
        }
        let left = all.minus(taken)?.minus(given)?;
        environment.lending.accounts[id as usize].collateral = left;

        environment.metrics.bad_debt += burnt.0.saturating_sub(spot.quote_floor(taken)?.0);
        let case = Case {
            debt: own,
            collateral: before.collateral,
            repaid: own,
            seized: Collateral::ZERO,
            returned: Quote::ZERO,
        };
        let fair = environment.exchange.fair();
        environment
            .metrics
            .liquidation(&environment.lending.market.config, fair, &case);
        environment
            .metrics
            .loss(tokens(taken) * fair * QUOTE_UNIT - burnt.0 as f64);
        Ok(())
    }

    /// Depositors who sell do so where that brings more than they paid.
    fn sell(&mut self, environment: &mut Environment<'_>) -> Result<()> {
        let held = tokens(self.for_sale);
        if held == 0.0 {
            return Ok(());
        }
        let least = whole(self.paid) / held * (1.0 + EDGE);
        if environment.exchange.price() < least {
            return Ok(());
        }
        let amount = atoms(environment.exchange.for_at_least(least), self.for_sale);
        let part = amount.0 as f64 / self.for_sale.0 as f64;
        let cost = Quote(floor_u64(self.paid.0 as f64 * part)).min(self.paid);
        if amount < self.for_sale && whole(cost) < WORTH_IT {
            return Ok(());
        }
        self.for_sale = self.for_sale.minus(amount)?;
        self.paid = self.paid.minus(cost)?;
        self.cash += i128::from(environment.exchange.sell(amount).0);
        Ok(())
    }

    /// Shortfall of accounts because of the debt they were given, beyond their shortfall anyway.
    fn lacking(&self, lending: &Lending, price: f64) -> u64 {
        let (debt, extra) = self.given;
        if debt == 0.0 {
            return 0;
        }
        let index = lending.index.raw() as f64 / 2f64.powi(64) / QUOTE_UNIT;
        let lacks = |account: &MarginAccount| {
            let (owed, held) = (account.debt_shares.0 as f64 * index, tokens(account.collateral));
            let own = owed - held * price;
            (own + held * (debt - extra * price)).max(0.0) - own.max(0.0)
        };
        let in_debt = lending.accounts.iter().filter(|account| account.has_debt());
        floor_u64(in_debt.map(lacks).sum::<f64>() * QUOTE_UNIT)
    }
}

impl Mechanism for Liquity {
    fn step(&mut self, now: &Moment, environment: &mut Environment<'_>) -> Result<()> {
        self.liquidate(now, environment)?;
        self.sell(environment)?;
        self.pending = self.lacking(environment.lending, per_token(now.prices.spot()));
        Ok(())
    }

    fn inventory(&self, _lending: &Lending) -> Collateral {
        Collateral(self.kept.0 + self.for_sale.0)
    }

    /// The depositors' alone: what was redistributed is the borrowers'.
    fn equity(&self, lending: &Lending, price: Price) -> Result<i128> {
        Ok(self.cash + i128::from(price.quote_floor(self.inventory(lending))?.0))
    }

    fn pending(&self, _price: Price) -> Result<u64> {
        Ok(self.pending)
    }

    fn owned(&self, lending: &Lending, price: f64) -> f64 {
        let (debt, extra) = self.given;
        let index = lending.index.raw() as f64 / 2f64.powi(64) / QUOTE_UNIT;
        let more = |account: &MarginAccount| {
            let held = tokens(account.collateral);
            let own = held * price - account.debt_shares.0 as f64 * index;
            (own + held * (extra * price - debt)).max(0.0) - own.max(0.0)
        };
        let in_debt = lending.accounts.iter().filter(|account| account.has_debt());
        in_debt.map(more).sum::<f64>() * QUOTE_UNIT
    }

    fn holdings(&self) -> (i128, i128) {
        let collateral = self.kept.0 + self.for_sale.0 + self.others.1.0;
        (self.cash + self.others.0, i128::from(collateral))
    }
}

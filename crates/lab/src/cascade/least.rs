//! The yardstick of a run: losses that the people and the path of the exogenous price make inevitable.

use breakwater_engine::Config;

use super::{
    borrowers::{Borrower, Savings},
    path::Path,
    setup::{COLLATERAL_UNIT, QUOTE_UNIT},
};

/// One account at the start. Debt in quote atoms, the rest in whole tokens of collateral.
#[derive(Clone, Copy, Debug)]
struct Account {
    debt: f64,
    collateral: f64,
    saved_quote: f64,
    saved_collateral: f64,
}

/// A market at the start.
#[derive(Clone, Debug)]
pub struct Start {
    accounts: Vec<Account>,
    /// Price in quote atoms per whole token.
    price: f64,
    /// See [`Self::least_needed`].
    pub least: f64,
    /// Collateral that a fall of `stress_fall` leaves under water, at the start.
    pub under_water: f64,
}

/// How a run ended, beyond what was counted. Quote atoms.
#[derive(Clone, Copy, Debug)]
pub struct Ending {
    /// Bad debt that is left.
    pub pending: u64,
    /// Growth of debts by interest since the start.
    pub growth: f64,
    /// Wealth of the owners, at the exogenous price.
    pub wealth: f64,
    /// Wealth of the owners if nobody had been liquidated and nobody had done anything.
    pub untouched: f64,
}

impl Start {
    /// From the borrowers, the market's parameters, and the path.
    pub fn of(people: &[Borrower], config: &Config, path: &Path) -> Self {
        let account = |person: &Borrower| Account {
            debt: person.debt.0 as f64,
            collateral: person.collateral.0 as f64 / COLLATERAL_UNIT,
            saved_quote: if let Savings::Quote(saved) = person.savings {
                saved.0 as f64
            } else {
                0.0
            },
            saved_collateral: if let Savings::Collateral(saved) = person.savings {
                saved.0 as f64 / COLLATERAL_UNIT
            } else {
                0.0
            },
        };
        let accounts: Vec<Account> = people.iter().map(account).collect();
        let (first, limit) = (path.first() * QUOTE_UNIT, f64::from(config.liquidation_ltv.0) / 1e4);
        let lowest = first * (1.0 - path.fall());
        let mut start = Self {
            least: accounts.iter().map(|one| least_needed(one, limit, lowest)).sum(),
            accounts,
            price: first,
            under_water: 0.0,
        };
        start.under_water = start.under_water_after(stress_fall(config), 1.0);
        start
    }

    /// Debts above their collateral after a fall from the first price, with nothing sold: B(q). `growth` is interest.
    pub fn under_water_after(&self, fall: f64, growth: f64) -> f64 {
        let price = self.price * (1.0 - fall);
        let lacks = |one: &Account| (one.debt * growth - price * one.collateral).max(0.0);
        self.accounts.iter().map(lacks).sum()
    }

    /// Wealth of the owners at a price (quote tokens), if debts had grown and nothing else had happened.
    pub fn wealth(&self, price: f64, growth: f64) -> f64 {
        let price = price * QUOTE_UNIT;
        let has = |one: &Account| {
            let account = (one.collateral * price - one.debt * growth).max(0.0);
            account + one.saved_quote + one.saved_collateral * price
        };
        self.accounts.iter().map(has).sum()
    }
}

/// The fall of the stress cover.
pub fn stress_fall(config: &Config) -> f64 {
    f64::from(config.stress_fall.0) / 1e4
}

/// The least debt that keeps an account within a limit λ while the price falls to `lowest`, if collateral is sold for
/// what it is worth, without penalty, and no earlier than it has to: D × (1 − (lowest ÷ p)^(1 ÷ (1 − λ))),
/// where p is the price at which the account reaches the limit. It follows from d(D) = p d(C) and D = λ p C. Who saves
/// the account uses all savings first.
fn least_needed(account: &Account, limit: f64, lowest: f64) -> f64 {
    let reaches = |debt: f64, collateral: f64| debt / (limit * collateral);
    if reaches(account.debt, account.collateral) <= lowest {
        return 0.0;
    }
    let debt = (account.debt - account.saved_quote).max(0.0);
    let at = reaches(debt, account.collateral + account.saved_collateral);
    if at <= lowest {
        return 0.0;
    }
    debt * (1.0 - (lowest / at).powf(1.0 / (1.0 - limit)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNT: Account = Account {
        debt: 80.0,
        collateral: 1.0,
        saved_quote: 0.0,
        saved_collateral: 0.0,
    };

    #[test]
    fn the_least_is_what_many_small_sales_need() {
        // By hand: whenever the account is above 80%, sell just enough.
        let (mut debt, mut collateral, mut sold) = (80.0, 1.0, 0.0);
        let steps = 100_000;
        for step in 1..=steps {
            let price = 100.0 - 40.0 * f64::from(step) / f64::from(steps);
            let repay = ((debt - 0.8 * price * collateral) / 0.2f64).max(0.0);
            (debt, collateral, sold) = (debt - repay, collateral - repay / price, sold + repay);
        }
        assert!((least_needed(&ACCOUNT, 0.8, 60.0) - sold).abs() < 1e-2, "{sold}");
        assert!(least_needed(&ACCOUNT, 0.8, 100.0).abs() < f64::EPSILON);
    }

    #[test]
    fn who_saves_the_account_needs_less() {
        let saved = Account {
            saved_quote: 16.0,
            ..ACCOUNT
        };
        assert!(least_needed(&saved, 0.8, 80.0).abs() < 1e-9);
        let at_70 = least_needed(&saved, 0.8, 70.0);
        assert!(
            (at_70 - 64.0 * (1.0 - (70.0f64 / 80.0).powi(5))).abs() < 1e-9,
            "{at_70}"
        );
    }
}

//! Who borrows: sizes, LTVs, and what some of them do when their account gets near its limit.

use breakwater_engine::{Collateral, Config, Divisor, Quote, Result};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use rand_distr::{Beta, Distribution, Exp, LogNormal};

use super::setup::{Borrowers, DEBT, QUOTE_UNIT};
use crate::rounding::{nearest_i64, nearest_u64};

/// Savings of a borrower outside of the market, to save the account with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Savings {
    /// Does not watch.
    None,
    /// Quote atoms, to repay with.
    Quote(Quote),
    /// Collateral atoms, to add.
    Collateral(Collateral),
}

/// A borrower.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Borrower {
    /// Collateral of the account.
    pub collateral: Collateral,
    /// Debt of the account.
    pub debt: Quote,
    /// Savings kept outside.
    pub savings: Savings,
    /// How long acting takes, seconds.
    pub delay: i64,
    /// True if this owner sees the true price before the oracle shows it.
    pub informed: bool,
}

/// A borrower who is given, not drawn: who does not watch and knows no more than the oracle.
#[derive(Clone, Copy, Debug)]
pub struct Given {
    /// The debt, fraction of all.
    pub debt: f64,
    /// Debt ÷ value of the collateral at the first price.
    pub ltv: f64,
}

/// The borrowers who are given.
///
/// # Errors
/// An error of the engine, for an amount that does not fit.
pub fn given(people: &[Given], first: &Divisor) -> Result<Vec<Borrower>> {
    let borrower = |given: &Given| {
        let debt = Quote(nearest_u64(given.debt * DEBT * QUOTE_UNIT));
        Ok(Borrower {
            collateral: first.collateral_floor(Quote(nearest_u64(debt.0 as f64 / given.ltv)))?,
            debt,
            savings: Savings::None,
            delay: 0,
            informed: false,
        })
    };
    people.iter().map(borrower).collect()
}

/// Draws the borrowers. The same arguments give the same people, whatever the path does.
///
/// # Errors
/// None for a scenario that was checked.
pub fn draw(shape: &Borrowers, seed: u64, config: &Config, first: &Divisor) -> Result<Vec<Borrower>> {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    // A stream of its own: the path has the first.
    rng.set_stream(1);
    let limit = f64::from(config.liquidation_ltv.0) / 1e4;
    let count = shape.count as usize;
    // The parameters were checked, and with these three all are valid.
    let (Ok(sizes), Ok(ltvs), Ok(delays)) = (
        LogNormal::new(0.0, shape.size_spread),
        Beta::new(shape.alpha, shape.beta),
        Exp::new(1.0 / shape.delay.max(1e-9)),
    ) else {
        return Ok(Vec::new());
    };
    let mut debts: Vec<f64> = (0..count).map(|_| sizes.sample(&mut rng)).collect();
    cut_and_scale(&mut debts, shape.largest.max(1.0 / count as f64));
    // A stream of their own too: who is informed changes nobody else.
    let mut knowing = ChaCha20Rng::seed_from_u64(seed);
    knowing.set_stream(2);
    let smallest = config.min_debt.0;
    let mut people = Vec::with_capacity(count);
    for debt in debts {
        let ltv = limit * shape.highest * ltvs.sample(&mut rng).clamp(0.02, 1.0);
        let debt = nearest_u64(debt * DEBT * QUOTE_UNIT).max(smallest);
        let collateral = first.collateral_floor(Quote(nearest_u64(debt as f64 / ltv)))?;
        let watches = rng.random_bool(shape.attentive);
        let repays = rng.random_bool(0.5);
        let savings = match (watches, repays) {
            (false, _) => Savings::None,
            (true, true) => Savings::Quote(Quote(nearest_u64(debt as f64 * shape.savings))),
            (true, false) => {
                Savings::Collateral(first.collateral_floor(Quote(nearest_u64(debt as f64 * shape.savings)))?)
            }
        };
        let delay = nearest_i64(delays.sample(&mut rng));
        people.push(Borrower {
            collateral,
            debt: Quote(debt),
            savings,
            delay,
            informed: knowing.random_bool(shape.informed),
        });
    }
    Ok(people)
}

/// Scales sizes to the sum of one, with none above `largest`: what is cut off the largest goes to the others.
fn cut_and_scale(sizes: &mut [f64], largest: f64) {
    for _ in 0..8 {
        let sum: f64 = sizes.iter().sum();
        for size in sizes.iter_mut() {
            *size = (*size / sum).min(largest);
        }
    }
    let sum: f64 = sizes.iter().sum();
    for size in sizes {
        *size /= sum;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use breakwater_engine::Price;

    fn people(shape: &Borrowers) -> Vec<Borrower> {
        let price = Price::from_raw((1 << 64) / 10).divisor().expect("a price");
        draw(shape, 7, &Config::EXAMPLE, &price).expect("valid")
    }

    #[test]
    fn all_debt_is_the_stated_sum_and_nobody_begins_liquidatable() {
        let people = people(&Borrowers::default());
        let sum: u64 = people.iter().map(|person| person.debt.0).sum();
        assert!((sum as f64 / (DEBT * QUOTE_UNIT) - 1.0).abs() < 1e-3, "{sum}");
        for person in &people {
            let ltv = person.debt.0 as f64 / (person.collateral.0 as f64 * 0.1);
            assert!(ltv <= 0.8 * 0.97 + 1e-3, "{ltv}");
            assert!((person.debt.0 as f64) < 0.021 * DEBT * QUOTE_UNIT);
        }
        let ltv: f64 = people
            .iter()
            .map(|p| p.debt.0 as f64 / (p.collateral.0 as f64 * 0.1))
            .sum();
        // 0.8 × 0.97 × mean of Beta(2.5, 1.5) = 48.5%
        assert!((ltv / 1_000.0 - 0.485).abs() < 0.02, "{ltv}");
    }

    #[test]
    fn a_fifth_of_them_watches() {
        let people = people(&Borrowers {
            count: 10_000,
            ..Borrowers::default()
        });
        let watching = people.iter().filter(|person| person.savings != Savings::None).count();
        assert!((1_900..2_100).contains(&watching), "{watching}");
        let delay = people.iter().map(|person| person.delay as f64).sum::<f64>() / 10_000.0;
        assert!((delay / 900.0 - 1.0).abs() < 0.05, "{delay}");
    }
}

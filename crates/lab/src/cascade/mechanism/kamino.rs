//! Kamino Lend.
//!
//! Rules: `programs/klend/src/state/liquidation_operations.rs` of Kamino-Finance/klend (read at commit 0173b403), and
//! the documentation's page on liquidations. The bonus is the excess of the LTV over the liquidation LTV, between a
//! smallest and a largest one, and never more than the margin that is left; from an LTV of 99% on a bonus for bad debt.
//! A keeper may repay a part of the debt, all of it beyond the LTV at which insolvency is near.
//!
//! Parameters: bonus from 0.1% (as announced in summer 2025; 2% before) to 10% (litepaper, October 2023), a tenth of
//! the debt at a time (the same announcement; the program's default is 20%, the documentation's 25%), all of it beyond
//! 95% and 0.1% for bad debt (the program's defaults).
//!
//! Simplified: see [`super::keepers`]; the cap of $500,000 on one liquidation is left out, for nothing keeps a keeper
//! from several in ten seconds; so is auto-deleveraging, which prices do not set off.

use super::keepers::{Position, Terms};

/// Smallest bonus.
const SMALLEST: f64 = 0.001;
/// Largest bonus.
const LARGEST: f64 = 0.10;
/// The bonus for bad debt …
const BAD_DEBT: f64 = 0.001;
/// … and the LTV from which debt counts as bad.
const BAD_DEBT_FROM: f64 = 0.99;
/// The part of a debt that may be repaid at a time …
const CLOSE: f64 = 0.10;
/// … but for accounts beyond this LTV.
const NEAR_INSOLVENCY: f64 = 0.95;

/// Kamino's terms.
pub struct Kamino;

impl Terms for Kamino {
    fn bonus(&self, of: Position) -> f64 {
        let (ltv, margin) = (of.ltv(), 1.0 - of.ltv());
        if ltv >= BAD_DEBT_FROM {
            BAD_DEBT.max(margin)
        } else {
            (ltv - of.limit).clamp(SMALLEST, LARGEST).min(margin)
        }
    }

    fn close(&self, of: Position) -> f64 {
        if of.ltv() > NEAR_INSOLVENCY { 1.0 } else { CLOSE }
    }

    fn largest(&self) -> f64 {
        LARGEST
    }
}

#[cfg(test)]
mod tests {
    use super::{super::keepers::at, *};

    fn bonus(ltv: f64) -> f64 {
        Kamino.bonus(at(ltv))
    }

    #[test]
    fn the_bonus_grows_with_the_ltv_between_two_bounds_and_leaves_no_bad_debt() {
        for (ltv, wanted) in [
            (0.80, 0.001),
            (0.8005, 0.001),
            (0.85, 0.05),
            (0.89, 0.09),
            // No more than the margin.
            (0.93, 0.07),
            (0.98, 0.02),
            // Bad debt.
            (0.995, 0.005),
            (0.9999, 0.001),
            (1.2, 0.001),
        ] {
            assert!((bonus(ltv) - wanted).abs() < 1e-9, "{ltv}: {}", bonus(ltv));
        }
    }

    #[test]
    fn a_tenth_at_a_time_and_everything_beyond_95_percent() {
        for (ltv, part) in [(0.80, 0.1), (0.949, 0.1), (0.951, 1.0), (1.5, 1.0)] {
            assert!((Kamino.close(at(ltv)) - part).abs() < f64::EPSILON, "{ltv}");
        }
    }
}

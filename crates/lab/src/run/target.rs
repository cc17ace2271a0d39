//! How exactly a liquidation met its target: against the exact solution of the sizing formula, in integers.

use breakwater_engine::{Bps, Collateral, Config, Quote, Result, actions::Liquidation};

const BPS: i128 = 10_000;

/// How far a partial liquidation is from the exact solution x = (D − τV) / (1 − τ(1+β)), s = x(1+β) / price.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Miss {
    /// Repaid beyond x, quote atoms: rounding up explains less than one.
    pub repaid: f64,
    /// Seized short of what was repaid × (1+β), in quote atoms.
    pub seized: f64,
    /// The repayment was rounded up by less than one quote atom; the seizure down by less than one quote atom and one
    /// collateral atom.
    pub within_one_atom: bool,
}

/// The miss of a liquidation of an account that owed `debt`, or `None` if it took all of the debt.
///
/// # Errors
/// If the price does not value the collateral in 64 bits.
pub fn miss(config: &Config, debt: Quote, liquidation: &Liquidation) -> Result<Option<Miss>> {
    if liquidation.whole {
        return Ok(None);
    }
    let Bps(target) = config.target_ltv;
    let (target, grossed) = (i128::from(target), BPS + i128::from(liquidation.penalty.0));
    let collateral = Collateral(liquidation.collateral_after.0 + liquidation.seized.0);
    let value = i128::from(liquidation.price.quote_floor(collateral)?.0);
    let (debt, repaid) = (i128::from(debt.0), i128::from(liquidation.repaid.0));

    // x = excess / divisor; both scaled by 10,000².
    let divisor = BPS * BPS - target * grossed;
    let excess = BPS * (BPS * debt - target * value);
    let repaid_beyond = repaid * divisor - excess;

    // In units of 2^-64 / 10,000 quote atoms.
    let collateral_atom = BPS * (liquidation.price.raw().cast_signed());
    let quote_atom = BPS << 64;
    let seized_short = ((repaid * grossed) << 64) - i128::from(liquidation.seized.0) * collateral_atom;

    Ok(Some(Miss {
        repaid: repaid_beyond as f64 / divisor as f64,
        seized: seized_short as f64 / quote_atom as f64,
        within_one_atom: (0..divisor).contains(&repaid_beyond)
            && (0..quote_atom + collateral_atom).contains(&seized_short),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;
    use breakwater_engine::Price;

    /// Collateral atoms are worth one quote atom each, the target LTV is 75%, the penalty 2%: an account of 850 on
    /// 1,000 repays 425.53… and gives 434.04….
    fn taken(repaid: u64, seized: u64) -> Miss {
        let scenario = Scenario::parse(include_str!("../../scenarios/black-thursday.toml")).expect("valid");
        miss(
            &scenario.market.config(),
            Quote(850),
            &liquidation(repaid, seized, false),
        )
        .expect("small")
        .expect("partial")
    }

    fn liquidation(repaid: u64, seized: u64, whole: bool) -> Liquidation {
        Liquidation {
            price: Price::from_raw(1 << 64),
            repaid: Quote(repaid),
            paid_in_cash: Quote(0),
            seized: Collateral(seized),
            deficit: Quote(0),
            bounty: Quote(0),
            debt_after: Quote(850 - repaid),
            collateral_after: Collateral(1_000 - seized),
            penalty: Bps(200),
            taken_over: false,
            whole,
        }
    }

    #[test]
    fn only_the_next_atom_is_within_one_atom() {
        let exact = taken(426, 434);
        assert!(exact.within_one_atom);
        assert!(
            (exact.repaid - 0.468).abs() < 0.001 && (exact.seized - 0.52).abs() < 1e-9,
            "{exact:?}"
        );
        assert!(!taken(425, 433).within_one_atom && !taken(427, 435).within_one_atom);
        assert!(taken(426, 433).within_one_atom && !taken(426, 432).within_one_atom);
        assert!(!taken(426, 435).within_one_atom);
    }

    #[test]
    fn taking_all_debt_has_no_target() {
        let scenario = Scenario::parse(include_str!("../../scenarios/black-thursday.toml")).expect("valid");
        let all = liquidation(850, 867, true);
        assert_eq!(miss(&scenario.market.config(), Quote(850), &all), Ok(None));
    }
}

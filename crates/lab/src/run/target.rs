//! How exactly a liquidation met its target.

use breakwater_engine::{Bps, Collateral, Config, Quote, Result, actions::Liquidation};

const BPS: i128 = 10_000;
const QUOTE_ATOMS: i128 = 4;

/// How far a partial liquidation ended from the target, in debt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Miss {
    /// Debt left less target LTV × collateral value left, in ten-thousandths of a quote atom.
    pub distance: i128,
    /// The most that rounding explains, in the same unit.
    pub allowed: i128,
}

impl Miss {
    /// Whether rounding explains it.
    pub fn within_rounding(&self) -> bool {
        self.distance.abs() <= self.allowed
    }

    /// The distance in quote atoms.
    pub fn atoms(&self) -> f64 {
        self.distance as f64 / BPS as f64
    }
}

/// The miss of a liquidation, or `None` if it took all of the debt.
///
/// On the way to the target the repayment is rounded up, the shares it cancels and the seized value down, and so are
/// both collateral values; the debt that is left is rounded up. Carried through the formula of [`breakwater_engine::sizing`]
/// these add up to less than four quote atoms and one collateral atom, which is worth `price`.
pub fn miss(config: &Config, liquidation: &Liquidation) -> Result<Option<Miss>> {
    if liquidation.whole {
        return Ok(None);
    }
    let Bps(target) = config.target_ltv;
    let value = liquidation.price.value(liquidation.collateral_after)?;
    let distance = i128::from(liquidation.debt_after.0) * BPS - i128::from(value.0) * i128::from(target);
    let Quote(collateral_atom) = liquidation.price.cost(Collateral(1))?;
    Ok(Some(Miss {
        distance,
        allowed: (QUOTE_ATOMS + i128::from(collateral_atom)) * BPS,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;
    use breakwater_engine::Price;

    fn config() -> Config {
        let scenario = Scenario::parse(include_str!("../../scenarios/black-thursday.toml")).expect("valid");
        scenario.market.config()
    }

    /// Collateral atoms are worth one quote atom each; the target LTV is 75%.
    fn left(debt: u64, collateral: u64) -> Liquidation {
        Liquidation {
            price: Price::from_raw(1 << 64),
            repaid: Quote(1_000),
            paid_in_cash: Quote(0),
            seized: Collateral(1_020),
            deficit: Quote(0),
            bounty: Quote(0),
            bounty_unpaid: Quote(0),
            debt_after: Quote(debt),
            collateral_after: Collateral(collateral),
            penalty: Bps(200),
            insolvent: false,
            whole: false,
        }
    }

    #[test]
    fn the_distance_is_exact_and_five_atoms_are_the_limit() {
        let miss = |debt| {
            miss(&config(), &left(debt, 4_000_000))
                .expect("small")
                .expect("partial")
        };
        assert_eq!(
            miss(3_000_000),
            Miss {
                distance: 0,
                allowed: 50_000
            }
        );
        assert_eq!(miss(2_999_999).distance, -10_000);
        assert!(miss(3_000_005).within_rounding() && miss(2_999_995).within_rounding());
        assert!(!miss(3_000_006).within_rounding() && !miss(2_999_994).within_rounding());
    }

    #[test]
    fn taking_all_debt_has_no_target() {
        assert_eq!(
            miss(
                &config(),
                &Liquidation {
                    whole: true,
                    ..left(0, 77)
                }
            ),
            Ok(None)
        );
    }
}

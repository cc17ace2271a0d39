//! Euler v2 (Euler Vault Kit).
//!
//! Rules: `src/EVault/modules/Liquidation.sol` of euler-xyz/euler-vault-kit (read at commit 0118010f), and its
//! documentation's page on liquidations. The discount is one minus the health score, up to a largest one: a reverse
//! Dutch auction that goes on while health falls, and stands still while it does not. There is no close factor: a
//! keeper may repay any part. Debt left without collateral is socialized.
//!
//! Parameters: largest discount 15% (what the deployment scripts of vaults set; the version read has a constant of
//! 20%).
//!
//! Simplified: see [`super::keepers`]; no cool-off (nobody's account was just changed); the laboratory counts what is
//! left without collateral as bad debt at the end.

use super::keepers::{Position, Terms};

/// The largest discount.
const LARGEST: f64 = 0.15;

/// Euler's terms.
pub struct Euler;

/// Collateral that is d cheaper is 1 ÷ (1 − d) − 1 more for the same.
fn bonus(discount: f64) -> f64 {
    1.0 / (1.0 - discount) - 1.0
}

impl Terms for Euler {
    fn bonus(&self, of: Position) -> f64 {
        bonus((1.0 - of.health()).clamp(0.0, LARGEST))
    }

    fn close(&self, _of: Position) -> f64 {
        1.0
    }

    fn largest(&self) -> f64 {
        bonus(LARGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::keepers::at, *};

    #[test]
    fn the_discount_is_what_health_lacks_and_ends_at_15_percent() {
        for (ltv, discount) in [
            (0.80, 0.0),
            // Health 0.8 ÷ 0.84.
            (0.84, 0.047_619),
            (0.90, 0.111_111),
            (0.95, 0.15),
            (1.5, 0.15),
        ] {
            let found = 1.0 - 1.0 / (1.0 + Euler.bonus(at(ltv)));
            assert!((found - discount).abs() < 1e-6, "{ltv}: {found}");
        }
        assert!((Euler.close(at(0.81)) - 1.0).abs() < f64::EPSILON);
    }
}

//! Aave v3 (v3.3, February 2025).
//!
//! Rules: `LiquidationLogic.sol` of aave-dao/aave-v3-origin, and the governance forum's post on v3.3. A fixed bonus;
//! half of the debt at a time, all of it below a health factor of 0.95, or where debt or collateral is worth less than
//! $2,000. Debt left without collateral is a deficit.
//!
//! Parameters: bonus 5% (WETH in the main market), close factor 50%, health factor 0.95, $2,000.
//!
//! Simplified: see [`super::keepers`]; a quote token is a dollar; the rule that leaves no less than $1,000 of either is
//! the laboratory's own minimum debt; the safety module is the capital that every mechanism has.

use super::keepers::{Position, Terms};

/// The bonus.
const BONUS: f64 = 0.05;
/// The part of a debt that may be repaid at a time …
const CLOSE: f64 = 0.5;
/// … but for accounts below this health …
const UNHEALTHY: f64 = 0.95;
/// … and those smaller than this, dollars.
const SMALL: f64 = 2_000.0;

/// Aave's terms.
pub struct Aave;

impl Terms for Aave {
    fn bonus(&self, _of: Position) -> f64 {
        BONUS
    }

    fn close(&self, of: Position) -> f64 {
        if of.health() <= UNHEALTHY || of.debt.min(of.value) < SMALL {
            1.0
        } else {
            CLOSE
        }
    }

    fn largest(&self) -> f64 {
        BONUS
    }
}

#[cfg(test)]
mod tests {
    use super::{super::keepers::at, *};

    #[test]
    fn half_until_a_health_of_95_percent_then_everything() {
        // 0.8 ÷ 0.95 = 84.2%.
        for (ltv, part) in [(0.80, 0.5), (0.842, 0.5), (0.843, 1.0), (1.1, 1.0)] {
            assert!((Aave.close(at(ltv)) - part).abs() < f64::EPSILON, "{ltv}");
            assert!((Aave.bonus(at(ltv)) - 0.05).abs() < f64::EPSILON, "{ltv}");
        }
    }

    #[test]
    fn small_accounts_are_liquidated_whole() {
        let small = |debt: f64| Position {
            debt,
            value: debt / 0.81,
            limit: 0.8,
        };
        assert!((Aave.close(small(1_999.0)) - 1.0).abs() < f64::EPSILON);
        assert!((Aave.close(small(2_001.0)) - 0.5).abs() < f64::EPSILON);
    }
}

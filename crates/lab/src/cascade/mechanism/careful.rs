//! No protocol: what keepers could do at their best, for comparison. Each account gives up the least that brings it a
//! point below its limit, and the bonus starts at 0.2% and grows with what the LTV exceeds the limit by, up to 8% and
//! never beyond the margin that is left, so that whoever sells best comes first. The sale still happens at once.
//!
//! Everything else is as in [`super::keepers`].

use super::keepers::{Position, Terms};

/// The smallest bonus.
const SMALLEST: f64 = 0.002;
/// The largest bonus.
const LARGEST: f64 = 0.08;
/// How far below the limit an account is brought.
const BELOW: f64 = 0.01;

/// The terms.
pub struct Careful;

impl Terms for Careful {
    fn bonus(&self, of: Position) -> f64 {
        let margin = 1.0 / of.ltv() - 1.0;
        (of.ltv() - of.limit).clamp(SMALLEST, LARGEST).min(margin.max(SMALLEST))
    }

    /// x = (D − τV) ÷ (1 − τ(1 + b)), with τ the target and b the bonus.
    fn close(&self, of: Position) -> f64 {
        let target = of.limit - BELOW;
        let needed = (of.debt - target * of.value) / (1.0 - target * (1.0 + self.bonus(of)));
        needed / of.debt
    }

    fn largest(&self) -> f64 {
        LARGEST
    }
}

#[cfg(test)]
mod tests {
    use super::{super::keepers::at, *};

    #[test]
    fn an_account_is_brought_a_point_below_its_limit() {
        for ltv in [0.801, 0.83, 0.87] {
            let of = at(ltv);
            let (repaid, bonus) = (Careful.close(of) * of.debt, Careful.bonus(of));
            let after = (of.debt - repaid) / (of.value - repaid * (1.0 + bonus));
            assert!((after - 0.79).abs() < 1e-9, "{ltv}: {after}");
        }
    }

    #[test]
    fn the_bonus_takes_no_more_than_there_is() {
        for (ltv, wanted) in [
            (0.80, 0.002),
            (0.83, 0.03),
            (0.90, 0.08),
            (0.96, 0.041_667),
            (1.1, 0.002),
        ] {
            assert!(
                (Careful.bonus(at(ltv)) - wanted).abs() < 1e-6,
                "{ltv}: {}",
                Careful.bonus(at(ltv))
            );
        }
    }
}

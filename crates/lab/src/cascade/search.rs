//! Searches: the smallest shock that leaves bad debt, and the least capital that spares the suppliers.

use super::{Kind, LabError, Outcome, Path, Setup, run};

/// Shocks that are tried, as falls of the price.
const SHOCKS: (f64, f64) = (0.02, 0.95);
/// Bad debt above this is a crisis, fraction of all debt.
pub const CRISIS: f64 = 0.01;
/// Suppliers' loss below this is none: a ten-thousandth of a basis point.
const NOTHING: f64 = 1e-8;
/// Most capital that is tried, fraction of all debt.
const RICHEST: f64 = 1.0;
/// How near the search gets.
const PRECISION: f64 = 0.01;

/// The smallest value between two for which `holds`, if it does from some value on. `None` if it does not at the upper
/// end.
fn smallest(
    (mut low, mut high): (f64, f64),
    holds: impl Fn(f64) -> Result<bool, LabError>,
) -> Result<Option<f64>, LabError> {
    if !holds(high)? {
        return Ok(None);
    }
    if holds(low)? {
        return Ok(Some(low));
    }
    while high - low > PRECISION {
        let middle = f64::midpoint(low, high);
        if holds(middle)? {
            high = middle;
        } else {
            low = middle;
        }
    }
    Ok(Some(high))
}

/// Bad debt or a loss of the suppliers, whichever is larger: what a mechanism takes into its own books is bad debt too,
/// if its capital does not pay for it.
pub fn damage(outcome: &Outcome) -> f64 {
    outcome.bad_debt.max(outcome.supplier_loss)
}

/// The smallest fall, on a path of this shape, that leaves damage above [`CRISIS`].
///
/// # Errors
/// The errors of [`run`].
pub fn critical_shock(setup: &Setup, path: &Path, kind: Kind) -> Result<Option<f64>, LabError> {
    smallest(SHOCKS, |fall| {
        Ok(damage(&run(setup, &path.with_fall(fall), kind)?) > CRISIS)
    })
}

/// The least capital of the protocol with which suppliers lose nothing.
///
/// # Errors
/// The errors of [`run`].
pub fn capital_needed(setup: &Setup, path: &Path, kind: Kind) -> Result<Option<f64>, LabError> {
    smallest((0.0, RICHEST), |equity| {
        let mut setup = setup.clone();
        setup.protocol.equity = equity;
        Ok(run(&setup, path, kind)?.supplier_loss <= NOTHING)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_is_found() {
        let found = smallest((0.0, 1.0), |value| Ok(value >= 0.314))
            .expect("no error")
            .expect("there is one");
        assert!((0.314..0.314 + PRECISION).contains(&found), "{found}");
        assert_eq!(smallest((0.0, 1.0), |_| Ok(false)).expect("no error"), None);
        assert_eq!(smallest((0.0, 1.0), |_| Ok(true)).expect("no error"), Some(0.0));
    }
}

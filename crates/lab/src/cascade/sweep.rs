//! One parameter at a time: how Breakwater does with other values than the default.

use serde::Serialize;

use super::{Kind, LabError, Path, Setup, run};

/// A parameter and the values that are tried.
#[derive(Clone, Copy, Debug)]
pub struct Sweep {
    /// As files name it.
    pub parameter: &'static str,
    /// What it is.
    pub about: &'static str,
    /// Values.
    pub values: &'static [f64],
    get: fn(&Setup) -> f64,
    set: fn(&mut Setup, f64),
}

/// A run of a sweep, against the same without feedback.
#[derive(Clone, Debug, Serialize)]
pub struct Tried {
    /// Name of the parameter.
    pub parameter: &'static str,
    /// Its value.
    pub value: f64,
    /// Whether that is the default.
    pub is_default: bool,
    /// Name of the scenario.
    pub scenario: String,
    /// Debt liquidated ÷ the same without feedback.
    pub multiplier: f64,
    /// Furthest that sales pushed the price.
    pub endogenous_drawdown: f64,
    /// The backstop's equity at its lowest.
    pub worst_equity: f64,
    /// Its profit.
    pub profit: f64,
    /// Suppliers' loss.
    pub supplier_loss: f64,
    /// Bad debt.
    pub bad_debt: f64,
    /// Most debt that was due and not served.
    pub unserved: f64,
    /// Hours with inventory.
    pub unwind_hours: f64,
}

macro_rules! sweep {
    ($group:ident . $field:ident, $about:literal, $values:expr $(, $cast:path)?) => {
        Sweep {
            parameter: concat!(stringify!($group), ".", stringify!($field)),
            about: $about,
            values: &$values,
            get: |setup| f64::from(setup.$group.$field),
            set: |setup, value| setup.$group.$field = sweep!(@cast value $(, $cast)?),
        }
    };
    (@cast $value:ident) => { $value };
    (@cast $value:ident, $cast:path) => { $cast($value) };
}

use crate::rounding::nearest_u32 as whole;

/// Every sweep.
pub fn sweeps() -> [Sweep; 13] {
    [
        sweep!(
            impact.depth,
            "fraction of all debt whose sale moves the price by 1%",
            [0.0025, 0.005, 0.01, 0.02, 0.05]
        ),
        sweep!(
            impact.permanent,
            "part of an impact that never recovers",
            [0.0, 0.05, 0.1, 0.2]
        ),
        sweep!(
            impact.half_life,
            "half-life of the rest, seconds",
            [600.0, 1_800.0, 7_200.0]
        ),
        sweep!(impact.concavity, "exponent of impact", [0.5, 0.75, 1.0]),
        sweep!(
            protocol.equity,
            "the protocol's own capital",
            [0.02, 0.05, 0.1, 0.12, 0.15, 0.2, 0.3]
        ),
        sweep!(
            protocol.backstop_leverage,
            "net debt per unit of equity, bps",
            [40_000.0, 80_000.0, 120_000.0, 160_000.0, 200_000.0],
            whole
        ),
        sweep!(
            protocol.inventory_haircut,
            "off inventory when room is counted, bps",
            [0.0, 100.0, 250.0, 500.0],
            whole
        ),
        sweep!(
            protocol.unwind_per_hour,
            "fastest unwind an hour",
            [0.0025, 0.005, 0.01, 0.02, 0.04]
        ),
        sweep!(
            protocol.unwind_hours,
            "scheduled time of an unwind",
            [6.0, 12.0, 24.0, 48.0]
        ),
        sweep!(
            protocol.target_ltv,
            "where a liquidation stops, bps",
            [7_100.0, 7_300.0, 7_500.0, 7_700.0, 7_900.0],
            whole
        ),
        sweep!(
            protocol.external_slope,
            "discount of external liquidations, bps a minute",
            [1.0, 3.0, 10.0, 30.0],
            whole
        ),
        sweep!(
            protocol.guarded_flow,
            "debt taken over a minute while Guarded",
            [0.005, 0.015, 0.035, 0.1]
        ),
        sweep!(
            protocol.max_velocity,
            "speed limit of the guards, bps a second",
            [5.0, 10.0, 20.0, 40.0],
            whole
        ),
    ]
}

/// One value of one sweep.
///
/// # Errors
/// Those of a run; a value that the engine refuses is one.
pub fn tried(sweep: &Sweep, value: f64, setup: &Setup, path: &Path) -> Result<Tried, LabError> {
    let default = (sweep.get)(setup);
    let mut changed = setup.clone();
    (sweep.set)(&mut changed, value);
    let outcome = run(&changed, path, Kind::Breakwater)?;
    changed.impact.off = true;
    let control = run(&changed, path, Kind::Breakwater)?;
    Ok(Tried {
        parameter: sweep.parameter,
        value,
        is_default: (default - value).abs() < f64::EPSILON,
        scenario: setup.name.clone(),
        multiplier: multiplier(outcome.liquidated, control.liquidated),
        endogenous_drawdown: outcome.endogenous_drawdown,
        worst_equity: outcome.worst_equity,
        profit: outcome.profit,
        supplier_loss: outcome.supplier_loss,
        bad_debt: outcome.bad_debt,
        unserved: outcome.unserved,
        unwind_hours: outcome.unwind_hours,
    })
}

/// Liquidated with feedback ÷ liquidated without; one if there was nothing to liquidate either way.
pub fn multiplier(with: f64, without: f64) -> f64 {
    if with.abs() < f64::EPSILON && without.abs() < f64::EPSILON {
        1.0
    } else {
        with / without
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sweep_contains_the_default() {
        let setup = Setup::parse(include_str!("../../scenarios/cascade/wick.toml")).expect("valid");
        for sweep in sweeps() {
            let default = (sweep.get)(&setup);
            assert!(sweep.values.contains(&default), "{} {default}", sweep.parameter);
            for value in sweep.values {
                let mut changed = setup.clone();
                (sweep.set)(&mut changed, *value);
                assert!(
                    ((sweep.get)(&changed) - value).abs() < f64::EPSILON,
                    "{}",
                    sweep.parameter
                );
                assert_eq!(
                    changed.protocol.config(100.0).validate(),
                    Ok(()),
                    "{} {value}",
                    sweep.parameter
                );
            }
        }
    }
}

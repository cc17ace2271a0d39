//! One parameter at a time: how Breakwater does with other values than the default.

use breakwater_engine::Parameter;
use serde::Serialize;

use super::{Kind, LabError, Path, Setup, run};

/// Where a parameter is.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// In the scenario.
    Setup(fn(&Setup) -> f64, fn(&mut Setup, f64)),
    /// In the market: by the name of the engine's parameter.
    Market(&'static str),
}

/// A parameter and the values that are tried beside its default.
#[derive(Clone, Copy, Debug)]
pub struct Sweep {
    /// As files name it.
    pub parameter: &'static str,
    /// The parameter's meaning, in words.
    pub about: &'static str,
    /// Values, as files have them.
    values: &'static [f64],
    place: Place,
}

/// A run of a sweep, against the same without feedback.
#[derive(Clone, Debug, Serialize)]
pub struct Tried {
    /// Name of the parameter.
    pub parameter: &'static str,
    /// Its value.
    pub value: f64,
    /// True if that is the default.
    pub is_default: bool,
    /// Name of the scenario.
    pub scenario: String,
    /// Furthest fall of the price.
    pub total_fall: f64,
    /// Debt liquidated beyond the same without feedback.
    pub extra: f64,
    /// Furthest that sales pushed the price.
    pub endogenous_drawdown: f64,
    /// Loss of the protocol and its suppliers.
    pub loss: f64,
    /// Suppliers' loss.
    pub supplier_loss: f64,
    /// Loss of the owners by liquidations.
    pub borrower_loss: f64,
    /// Bad debt.
    pub bad_debt: f64,
    /// Most debt that was due and not served.
    pub unserved: f64,
}

macro_rules! setup {
    ($group:ident . $field:ident, $about:literal, $values:expr) => {
        Sweep {
            parameter: concat!(stringify!($group), ".", stringify!($field)),
            about: $about,
            values: &$values,
            place: Place::Setup(|setup| setup.$group.$field, |setup, value| setup.$group.$field = value),
        }
    };
}

const fn market(parameter: &'static str, about: &'static str, values: &'static [f64]) -> Sweep {
    Sweep {
        parameter,
        about,
        values,
        place: Place::Market(parameter),
    }
}

/// Every sweep.
pub const SWEEPS: [Sweep; 14] = [
    setup!(
        impact.depth,
        "fraction of all debt whose sale moves the price by 1%",
        [0.0025, 0.01, 0.03, 0.05]
    ),
    setup!(
        impact.permanent,
        "part of an impact that never recovers",
        [0.0, 0.1, 0.2]
    ),
    setup!(impact.half_life, "half-life of the rest, seconds", [600.0, 7_200.0]),
    setup!(impact.concavity, "exponent of impact", [0.5, 0.75]),
    setup!(impact.thinning, "how fast depth falls in stress", [0.0, 5.0]),
    setup!(
        protocol.equity,
        "the protocol's own capital",
        [0.0, 0.02, 0.05, 0.15, 0.3]
    ),
    market(
        "flow_rate",
        "most that is sold in an hour, bps of the depth",
        &[5_000.0, 7_500.0, 10_000.0, 12_500.0, 15_000.0, 20_000.0, 30_000.0],
    ),
    market(
        "pipeline",
        "seconds of sales that may wait in the inventory",
        &[300.0, 600.0, 1_200.0, 3_600.0],
    ),
    market(
        "stress_fall",
        "fall that the cover must stand, bps",
        &[3_000.0, 3_500.0, 3_800.0, 4_500.0],
    ),
    market("penalty", "bps of a partial repayment", &[100.0, 150.0, 200.0, 300.0]),
    market(
        "auction_slope",
        "growth of the discount, bps an hour",
        &[100.0, 300.0, 1_000.0],
    ),
    market(
        "takeover_ltv",
        "from here accounts are taken whole, bps",
        &[9_500.0, 9_700.0],
    ),
    market(
        "target_ltv",
        "where a liquidation stops, bps",
        &[7_200.0, 7_500.0, 7_800.0],
    ),
    market(
        "max_velocity",
        "speed limit of the guards, bps a second",
        &[5.0, 10.0, 20.0, 40.0],
    ),
];

impl Sweep {
    fn get(&self, setup: &Setup) -> Result<f64, LabError> {
        match self.place {
            Place::Setup(get, _) => Ok(get(setup)),
            Place::Market(name) => {
                let parameter = Parameter::ALL.iter().find(|parameter| parameter.name() == name);
                let parameter = parameter.ok_or_else(|| LabError::Syntax(format!("no parameter is called {name}")))?;
                Ok(parameter.get(&setup.protocol.config()?) as f64)
            }
        }
    }

    fn set(&self, setup: &mut Setup, value: f64) {
        match self.place {
            Place::Setup(_, set) => set(setup, value),
            Place::Market(name) => {
                let value = crate::rounding::nearest_u64(value);
                setup.protocol.parameters.insert(name.to_owned(), value);
            }
        }
    }

    /// The values, the default of a scenario among them, in order.
    ///
    /// # Errors
    /// [`LabError::Syntax`] if the engine knows no such parameter.
    pub fn values(&self, setup: &Setup) -> Result<Vec<f64>, LabError> {
        let default = self.get(setup)?;
        let mut values: Vec<f64> = self
            .values
            .iter()
            .copied()
            .filter(|value| differs(*value, default))
            .collect();
        values.push(default);
        values.sort_by(f64::total_cmp);
        Ok(values)
    }

    /// One value.
    ///
    /// # Errors
    /// The errors of a run; a value that the engine refuses is one.
    pub fn tried(&self, value: f64, setup: &Setup, path: &Path) -> Result<Tried, LabError> {
        let is_default = !differs(self.get(setup)?, value);
        let mut changed = setup.clone();
        if !is_default {
            self.set(&mut changed, value);
        }
        let outcome = run(&changed, path, Kind::Breakwater)?;
        changed.impact.off = true;
        let control = run(&changed, path, Kind::Breakwater)?;
        Ok(Tried {
            parameter: self.parameter,
            value,
            is_default,
            scenario: setup.name.clone(),
            total_fall: outcome.total_fall,
            extra: outcome.liquidated - control.liquidated,
            endogenous_drawdown: outcome.endogenous_drawdown,
            loss: outcome.loss,
            supplier_loss: outcome.supplier_loss,
            borrower_loss: outcome.borrower_loss,
            bad_debt: outcome.bad_debt,
            unserved: outcome.unserved,
        })
    }
}

fn differs(a: f64, b: f64) -> bool {
    (a - b).abs() > 1e-9 * a.abs().max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_of_every_sweep_is_one_that_the_engine_takes() {
        let setup = Setup::parse(include_str!("../../scenarios/cascade/wick.toml")).expect("valid");
        for sweep in SWEEPS {
            let default = sweep.get(&setup).expect("known");
            for value in sweep.values(&setup).expect("known") {
                let mut changed = setup.clone();
                sweep.set(&mut changed, value);
                assert!(
                    !differs(sweep.get(&changed).expect("known"), value),
                    "{}",
                    sweep.parameter
                );
                changed
                    .check()
                    .unwrap_or_else(|error| panic!("{} {value}: {error}", sweep.parameter));
                let config = changed.protocol.config().expect("known");
                assert_eq!(config.validate(), Ok(()), "{} {value}", sweep.parameter);
            }
            assert!(
                sweep.values(&setup).expect("known").contains(&default),
                "{}",
                sweep.parameter
            );
        }
    }
}

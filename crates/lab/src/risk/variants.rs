//! The markets that are compared.

use breakwater_engine::{Bps, Config};

use crate::guards::variants::{Sweep, sweep};

/// The values that the experiment justifies.
pub const DEFAULTS: Config = Config::EXAMPLE;

/// The same market with the smallest stress cover that there can be: one that binds nobody at the initial LTV.
pub const WITHOUT: Config = Config {
    stress_fall: Bps(500),
    stress_volatility: Bps(0),
    stress_max: Bps(500),
    ..DEFAULTS
};

/// A market.
#[derive(Clone, Debug)]
pub struct Variant {
    /// For tables.
    pub name: String,
    /// Its parameters.
    pub config: Config,
}

/// Without and with the stress cover; with a fall that does not follow volatility; and without, but with a lower
/// initial LTV for everybody at all times.
pub fn compared() -> [Variant; 5] {
    let variant = |name: &str, config| Variant {
        name: name.to_owned(),
        config,
    };
    let flat = |ltv: u32| {
        let config = Config {
            initial_ltv: Bps(ltv),
            ..WITHOUT
        };
        variant(&format!("{}% for all", ltv / 100), config)
    };
    let fixed = Config {
        stress_volatility: Bps(0),
        ..DEFAULTS
    };
    [
        variant("without", WITHOUT),
        variant("with", DEFAULTS),
        variant("fixed fall", fixed),
        flat(6_500),
        flat(6_000),
    ]
}

/// One parameter over several values.
pub struct Line {
    /// The parameter.
    pub sweep: Sweep,
}

impl Line {
    /// A market for every value; the default in bold.
    pub fn variants(&self) -> Vec<Variant> {
        let variant = |value: &u32| {
            let mut config = DEFAULTS;
            (self.sweep.set)(&mut config, *value);
            let name = if *value == (self.sweep.get)(&DEFAULTS) {
                format!("**{value}**")
            } else {
                value.to_string()
            };
            Variant { name, config }
        };
        self.sweep.values.iter().map(variant).collect()
    }
}

/// One parameter at a time.
pub fn lines() -> [Line; 2] {
    let line = |sweep| Line { sweep };
    [
        line(sweep!(
            stress_fall: Bps,
            [500, 2_000, 3_000, 3_500, 3_800, 4_000, 4_500, 5_000],
            "What the cover is for: the fall after which everyone under water can still be paid for. A larger fall turns more of a \
             crowd away and leaves more equity; those who are spread evenly notice it last."
        )),
        line(sweep!(
            stress_volatility: Bps,
            [0, 10_000, 20_000, 30_000, 50_000],
            "After a restless day the fall grows by so many standard deviations of a day, to at most half of the price."
        )),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_contains_the_default_and_only_valid_markets() {
        for line in lines() {
            let variants = line.variants();
            assert_eq!(
                variants.iter().filter(|variant| variant.name.starts_with('*')).count(),
                1
            );
            for (variant, value) in variants.iter().zip(line.sweep.values) {
                assert_eq!((line.sweep.get)(&variant.config), *value, "{}", line.sweep.parameter);
                assert_eq!(variant.config.validate(), Ok(()), "{} {value}", line.sweep.parameter);
            }
        }
        for variant in compared() {
            assert_eq!(variant.config.validate(), Ok(()), "{}", variant.name);
        }
    }
}

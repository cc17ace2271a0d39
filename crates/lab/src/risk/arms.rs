//! The markets that are compared.

use breakwater_engine::{Bps, Config, Quote};

use crate::guards::variants::{Sweep, sweep};

/// The values that the experiment justifies.
pub const DEFAULTS: Config = Config::EXAMPLE;

/// Without a limit on bands.
const NO_BAND_LIMIT: Quote = Quote(u64::MAX);

/// The same market, whose margin follows nothing.
pub const WITHOUT: Config = Config {
    volatility_factor: Bps(0),
    crowding_max: Bps(0),
    band_floor: NO_BAND_LIMIT,
    ..DEFAULTS
};

/// A market.
#[derive(Clone, Debug)]
pub struct Arm {
    /// For tables.
    pub name: String,
    /// Its parameters.
    pub config: Config,
}

/// Without and with; each part alone; and without, but with a lower initial LTV for everybody at all times.
pub fn compared() -> [Arm; 7] {
    let arm = |name: &str, config| Arm {
        name: name.to_owned(),
        config,
    };
    let flat = |ltv: u32| {
        let config = Config {
            initial_ltv: Bps(ltv),
            ..WITHOUT
        };
        arm(&format!("{}% for all", ltv / 100), config)
    };
    let band = Config {
        band_floor: DEFAULTS.band_floor,
        ..WITHOUT
    };
    let crowding = Config {
        crowding_max: DEFAULTS.crowding_max,
        ..WITHOUT
    };
    let volatility = Config {
        volatility_factor: DEFAULTS.volatility_factor,
        ..WITHOUT
    };
    [
        arm("without", WITHOUT),
        arm("with", DEFAULTS),
        arm("band limit only", band),
        arm("crowding only", crowding),
        arm("volatility only", volatility),
        flat(6_500),
        flat(6_000),
    ]
}

/// One parameter over several values.
pub struct Line {
    /// The parameter.
    pub sweep: Sweep,
    /// Whether the limit on bands is off meanwhile.
    pub no_band_limit: bool,
}

impl Line {
    /// A market for every value; the default in bold.
    pub fn arms(&self) -> Vec<Arm> {
        let arm = |value: &u32| {
            let mut config = DEFAULTS;
            (self.sweep.set)(&mut config, *value);
            if self.no_band_limit {
                config.band_floor = NO_BAND_LIMIT;
            }
            let name = if *value == (self.sweep.get)(&DEFAULTS) {
                format!("**{value}**")
            } else {
                value.to_string()
            };
            Arm { name, config }
        };
        self.sweep.values.iter().map(arm).collect()
    }
}

/// One parameter at a time.
pub fn lines() -> [Line; 5] {
    let beside = |sweep| Line {
        sweep,
        no_band_limit: false,
    };
    let alone = |sweep| Line {
        sweep,
        no_band_limit: true,
    };
    [
        beside(sweep!(
            band_limit: Bps,
            [1_000, 2_000, 3_000, 4_000, 5_000, 10_000, 1_000_000],
            "The largest with which the backstop survives a fall of 40% in an hour whoever borrowed, and with which those who are \
             evenly spread do not notice it. Less keeps more equity and turns people away who crowd nowhere."
        )),
        beside(sweep!(
            crowding_max: Bps,
            [0, 1_000, 2_000, 3_000],
            "Beside the band limit there is nothing left for it to do."
        )),
        alone(sweep!(
            crowding_max: Bps,
            [0, 500, 1_000, 2_000, 3_000, 4_000],
            "Alone it does what the band limit does, later and less. The default is a second line behind it, for crowds that the \
             limit lets through one window of bands beside the other; it costs nothing here, and nothing here decides its size."
        )),
        alone(sweep!(
            crowding_drop: Bps,
            [500, 1_000, 1_500, 2_000, 3_000, 4_000],
            "A loan at the initial LTV of 70% is liquidated 12.5% below the price: with a smaller fall the haircut does not see the \
             very loans that it is for. The default is the smallest value of full effect. Beside a band limit of 40% of the room in any \
             five bands, a fall has to reach over eleven bands, some 20%, to find more debt than room at all."
        )),
        beside(sweep!(
            volatility_factor: Bps,
            [0, 10_000, 20_000, 30_000, 50_000],
            "More keeps more equity, least where it is needed most, and asks more of people who crowd nowhere. Nothing here is a \
             reason for just this value."
        )),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_contains_the_default_and_only_valid_markets() {
        for line in lines() {
            let arms = line.arms();
            assert_eq!(arms.iter().filter(|arm| arm.name.starts_with('*')).count(), 1);
            for (arm, value) in arms.iter().zip(line.sweep.values) {
                assert_eq!((line.sweep.get)(&arm.config), *value, "{}", line.sweep.parameter);
                assert_eq!(arm.config.validate(), Ok(()), "{} {value}", line.sweep.parameter);
            }
        }
        for arm in compared() {
            assert_eq!(arm.config.validate(), Ok(()), "{}", arm.name);
        }
    }
}

//! The variants compared: markets without guards, markets that halt, and one parameter at a time.

use breakwater_engine::{Bps, Config, Quote};

use super::{population::UNGUARDED, run::Policy};

/// The values that the experiment justifies.
pub const DEFAULTS: Config = Config::EXAMPLE;

/// A way to run a market.
#[derive(Clone, Debug)]
pub struct Variant {
    /// For tables.
    pub name: String,
    /// Its parameters.
    pub config: Config,
    /// When it liquidates.
    pub policy: Policy,
}

/// The three that the first tables compare: no guard, halting, and the defaults.
pub fn policies() -> [Variant; 3] {
    let variant = |name: &str, config, policy| Variant {
        name: name.to_owned(),
        config,
        policy,
    };
    [
        variant("no guard", UNGUARDED, Policy::Engine),
        variant("halts", DEFAULTS, Policy::OnlyNormal),
        variant("Breakwater", DEFAULTS, Policy::Engine),
    ]
}

/// One parameter over several values, the others at their defaults.
pub struct Sweep {
    /// Name in [`Config`].
    pub parameter: &'static str,
    /// Unit of the values.
    pub unit: &'static str,
    /// The values, one of them the default.
    pub values: &'static [u32],
    /// Reads the parameter.
    pub get: fn(&Config) -> u32,
    /// Writes the parameter.
    pub set: fn(&mut Config, u32),
    /// Why the default was taken, to be read with the table.
    pub why: &'static str,
}

impl Sweep {
    /// A market for every value; the default in bold.
    pub fn variants(&self) -> Vec<Variant> {
        let variant = |value: &u32| {
            let mut config = DEFAULTS;
            (self.set)(&mut config, *value);
            let is_default = config == DEFAULTS;
            // Nothing is sold in this experiment; the engine only wants the auction to fit the bands (`AuctionStuck`).
            config.auction_floor_band = config.auction_floor_band.max(config.own_ema_band).max(config.ema_band);
            config.auction_max_discount = UNGUARDED.auction_max_discount;
            Variant {
                name: if is_default {
                    format!("**{value}**")
                } else {
                    value.to_string()
                },
                config,
                policy: Policy::Engine,
            }
        };
        self.values.iter().map(variant).collect()
    }
}

/// A [`Sweep`] over a parameter of its own unit.
macro_rules! sweep {
    ($field:ident: Bps, $values:expr, $why:expr) => {
        $crate::guards::variants::Sweep {
            parameter: stringify!($field),
            unit: "bps",
            values: &$values,
            get: |config| config.$field.0,
            set: |config, value| config.$field = Bps(value),
            why: $why,
        }
    };
    ($field:ident: seconds, $values:expr, $why:expr) => {
        $crate::guards::variants::Sweep {
            parameter: stringify!($field),
            unit: "s",
            values: &$values,
            get: |config| config.$field,
            set: |config, value| config.$field = value,
            why: $why,
        }
    };
}

pub(crate) use sweep;

/// Every parameter of the guards that a path can tell apart.
pub fn sweeps() -> Vec<Sweep> {
    let mut sweeps: Vec<Sweep> = price_sweeps().into();
    sweeps.extend(level_sweeps());
    sweeps.extend(step_sweeps());
    sweeps
}

/// Sweeps of the guarded price.
fn price_sweeps() -> [Sweep; 4] {
    [
        sweep!(
            max_velocity: Bps,
            [3, 5, 10, 15, 20, 30, 50],
            "The slowest that follows 30% in five minutes without bad debt. Half as fast again lets a price that is 10% wrong for \
             a minute liquidate; only five times that would save the accounts in a crash of 30% in one minute, and then a price \
             that is 20% wrong for a minute liquidates too."
        ),
        sweep!(
            velocity_slack: Bps,
            [0, 25, 50, 100, 200, 300, 500],
            "More lets wicks through; less closes the market to borrowers at smaller true jumps and spares next to nobody."
        ),
        sweep!(
            velocity_horizon: seconds,
            [5, 10, 20, 30, 60, 120, 600],
            "A market that nobody shows a price believes, at the first reading after, a move of max_velocity times this. Longer: \
             the wick after a quiet hour liquidates more. Shorter: a neglected market is closed to borrowers most of the time, and \
             a keeper must show the price more often than that to be followed at full speed. 30 s: twice a minute suffices."
        ),
        sweep!(
            max_gap: Bps,
            [0, 50, 100, 200, 300, 400, 499],
            "What changes hands counts at the lower of the two prices, so nobody gains by liquidating himself however far they are \
             apart: the gap is what it may cost an owner who is liquidated in part. Less makes partial liquidations wait."
        ),
    ]
}

/// Sweeps of the breaker.
fn level_sweeps() -> [Sweep; 6] {
    [
        sweep!(
            own_ema_band: Bps,
            [200, 300, 500, 800, 1_200, 2_000],
            "The widest that still slows down a push of 12% in three minutes. Narrower closes the market more often and spares \
             next to nobody."
        ),
        sweep!(
            own_ema_seconds: seconds,
            [60, 150, 300, 600, 1_200, 1_800, 3_600],
            "A faster average runs along with the push; a slower one keeps the market closed longer, for next to nothing."
        ),
        sweep!(
            ema_band: Bps,
            [300, 500, 1_000, 1_500, 2_000, 3_000],
            "The widest that still slows down a push of half an hour. Narrower multiplies the time in which the market is closed."
        ),
        sweep!(
            confidence_guard: Bps,
            [25, 50, 100, 200, 300],
            "No path shows a liquidation that a lower limit would prevent; the value is the lowest that keeps no borrower out on \
             Black Thursday. What it is for is borrowing, which no path here measures."
        ),
        sweep!(
            confidence_halt: Bps,
            [100, 150, 200, 300, 400, 500, 1_000],
            "Lower halts a true crash whose publishers lag; higher lets a push through that the publishers disagree about."
        ),
        sweep!(
            calm_seconds: seconds,
            [5, 30, 60, 120, 300, 900],
            "The shortest at which the level does not flap on Black Thursday. No liquidation depends on it."
        ),
    ]
}

/// Sweeps of the steps while Guarded.
fn step_sweeps() -> [Sweep; 3] {
    [
        sweep!(
            guarded_close_factor: Bps,
            [500, 1_000, 2_500, 5_000, 10_000],
            "Smaller steps spare more in wicks and pushes, but at 500 accounts sink faster than steps relieve them."
        ),
        sweep!(
            guarded_refill: seconds,
            [0, 60, 120, 300, 600, 1_800],
            "A step is taken at once whatever it is: it decides how fast the next one may follow."
        ),
        Sweep {
            parameter: "guarded_flow",
            unit: "thousand USDC a minute",
            values: &[10, 50, 100, 250, 500, 1_000, 4_000],
            get: |config| u32::try_from(config.guarded_flow.0 / THOUSAND).unwrap_or(u32::MAX),
            set: |config, value| config.guarded_flow = Quote(u64::from(value) * THOUSAND),
            why: "100, which is 1.4% of all debt a minute, is the least that no crash feels. The default is two and a half times \
                  that; it is to be set for each market by its size.",
        },
    ]
}

/// Quote atoms of a thousand tokens.
const THOUSAND: u64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sweep_contains_the_default_and_only_valid_markets() {
        for sweep in sweeps() {
            assert!(sweep.values.contains(&(sweep.get)(&DEFAULTS)), "{}", sweep.parameter);
            for (variant, value) in sweep.variants().iter().zip(sweep.values) {
                assert_eq!((sweep.get)(&variant.config), *value, "{}", sweep.parameter);
                assert_eq!(variant.config.validate(), Ok(()), "{} {value}", sweep.parameter);
            }
        }
    }
}

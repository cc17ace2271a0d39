//! The one table of parameters: for each a row with its hard bounds, both inclusive, and which way is tighter. Bounds
//! may refer to other parameters. Every check, change and display of a parameter comes from here.
//!
//! *Tighter* is only what can do nothing but limit new risk, or the authority itself. It is done at once, by the
//! authority or by the emergency admin, so it must be harmless in the hands of a thief of either key. Everything
//! else waits out the timelock, even what looks cautious:
//!
//! - a lower confidence limit, band or age is a halt without end, and a halt while prices fall costs bad debt;
//! - a higher interest rate or reserve factor takes from borrowers and suppliers;
//! - a lower flow rate or pipeline makes liquidations wait, a higher one sells faster than the market bears;
//! - a larger stress fall makes partial liquidations wait, a smaller one admits more debt;
//! - a lower penalty takes from the backstop, a higher one from accounts;
//! - a lower outflow limit locks suppliers in, a longer cooldown guardians;
//! - a higher minimum debt makes accounts dust that are not, and dust is liquidated whole;
//! - the liquidation LTV changes only by a [`crate::governance::ramp`], in either direction.

use super::Config;
use crate::{
    error::{Error, Result},
    math::{
        num::BPS,
        units::{Bps, Collateral, Quote},
    },
};

/// Seconds in an hour.
const HOUR: u64 = 3_600;
/// Seconds in a day.
const DAY: u64 = 86_400;
/// Seconds in a week.
const WEEK: u64 = 7 * DAY;
/// Seconds in thirty days.
const MONTH: u64 = 30 * DAY;

/// Which way a parameter is tighter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tighter {
    /// A lower value only limits.
    Lower,
    /// A higher value only limits.
    Higher,
    /// Neither direction does nothing but limit.
    Neither,
}

impl Tighter {
    /// True if going from one value to another is tighter.
    #[must_use]
    pub fn is(self, from: u64, to: u64) -> bool {
        match self {
            Self::Lower => to < from,
            Self::Higher => to > from,
            Self::Neither => false,
        }
    }
}

/// A type that parameters have.
trait Word: Copy {
    fn get(self) -> u64;
    /// `None` if it does not fit.
    fn of(value: u64) -> Option<Self>;
}

macro_rules! words {
    ($($ty:ty: $get:expr, $of:expr;)*) => { $(impl Word for $ty {
        #[inline]
        fn get(self) -> u64 {
            $get(self)
        }
        #[inline]
        fn of(value: u64) -> Option<Self> {
            $of(value)
        }
    })* };
}
words! {
    u64: |value| value, Some;
    u32: u64::from, |value| u32::try_from(value).ok();
    Quote: |value: Self| value.0, |value| Some(Self(value));
    Collateral: |value: Self| value.0, |value| Some(Self(value));
    Bps: Self::factor, |value| u32::try_from(value).ok().map(Self);
}

macro_rules! parameters {
    ($config:ident: $($name:ident: $min:expr, $max:expr, $tighter:ident;)*) => {
        /// A parameter, by the name of its field in [`Config`]. Its number is stored in what is queued and emitted: new
        /// ones come at the end, and none is ever moved.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        #[allow(non_camel_case_types, reason = "named as the fields are")]
        pub enum Parameter { $(#[doc = concat!("[`Config::", stringify!($name), "`]")] $name,)* }

        impl Parameter {
            /// All of them, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }

            /// Which way it is tighter.
            #[must_use]
            pub const fn tighter(self) -> Tighter {
                match self { $(Self::$name => Tighter::$tighter,)* }
            }

            /// Its hard bounds beside these other parameters, both inclusive.
            #[must_use]
            pub fn bounds(self, $config: &Config) -> (u64, u64) {
                match self { $(Self::$name => ($min, $max),)* }
            }

            /// Its value.
            #[must_use]
            pub fn get(self, config: &Config) -> u64 {
                match self { $(Self::$name => config.$name.get(),)* }
            }

            /// Sets it, within bounds or not.
            ///
            /// # Errors
            /// [`Error::ParameterOutOfBounds`] if the value does not fit its type.
            pub fn set(self, config: &mut Config, value: u64) -> Result<()> {
                match self { $(Self::$name => config.$name = Word::of(value).ok_or(Error::ParameterOutOfBounds)?,)* }
                Ok(())
            }
        }

        impl Config {
            /// Checks every parameter against its hard bounds.
            ///
            /// # Errors
            /// [`Error::ParameterOutOfBounds`].
            pub(super) fn check_bounds(&self) -> Result<()> {
                // A parameter without a row would not compile.
                let Self { $($name: _,)* } = self;
                let $config = self;
                $(if !($min..=$max).contains(&$config.$name.get()) {
                    return Err(Error::ParameterOutOfBounds);
                })*
                Ok(())
            }
        }
    };
}

parameters! { config:
    min_debt:             1, 1 << 53, Neither;
    bounty_tip:           0, config.min_debt.0, Neither;
    guarded_flow:         1, u64::MAX, Neither;
    // By half in a day at most: see `crate::governance::depth`.
    market_depth:         1, 1 << 53, Lower;
    bounty_cap:           config.bounty_tip.0, u64::MAX, Neither;
    initial_ltv:          1, BPS, Lower;
    target_ltv:           1, BPS, Neither;
    liquidation_ltv:      1, BPS, Neither;
    takeover_ltv:         1, BPS, Neither;
    penalty:              1, 2_500, Neither;
    takeover_penalty:     config.penalty.factor(), 2_500, Neither;
    bounty_share:         0, 1_000, Neither;
    flow_rate:            1, 30_000, Neither;
    stress_fall:          0, config.stress_max.factor(), Neither;
    stress_volatility:    0, 100_000, Higher;
    stress_max:           0, 5_000, Higher;
    standby_share:        0, BPS, Neither;
    auction_slope:         1, BPS, Neither;
    auction_max_discount:  0, 2_500, Neither;
    auction_max_premium:   0, 2_500, Neither;
    auction_floor_band:    0, BPS, Neither;
    interest_base:        0, BPS, Neither;
    interest_kink:        1, BPS.wrapping_sub(1), Neither;
    interest_slope_low:   0, BPS, Neither;
    interest_slope_high:  0, 30_000, Neither;
    reserve_factor:       0, 5_000, Neither;
    max_velocity:         1, BPS, Neither;
    velocity_slack:       0, BPS, Neither;
    own_ema_band:         1, BPS, Neither;
    ema_band:             1, BPS, Neither;
    confidence_guard:     1, config.confidence_halt.factor(), Neither;
    confidence_halt:      1, 2_500, Neither;
    max_gap:              0, 2_500, Neither;
    guarded_close_factor:         1, BPS, Neither;
    // Half of the penalty at most is the keeper's. More than the other half, and who is owner, keeper and guardian in
    // one would earn by liquidating himself.
    guardian_share:       0, BPS / 2, Neither;
    pipeline:             60, DAY, Neither;
    auction_burst:         1, DAY, Neither;
    max_age_short:        1, config.max_age_long.get(), Neither;
    max_age_long:         1, DAY, Neither;
    max_skew:             0, 60, Neither;
    velocity_horizon:     1, HOUR, Neither;
    own_ema_seconds:      1, DAY, Neither;
    calm_seconds:         1, HOUR, Neither;
    guarded_refill:       0, HOUR, Neither;
    guarded_window:       1, HOUR, Neither;
    halt_seconds:        1, DAY, Neither;
    halt_cooldown:           config.halt_seconds.get(), MONTH, Neither;
    guardian_cooldown:    HOUR, MONTH, Neither;
    // At most ninety days: so long a guardian who has asked may be kept in by what the market needs.
    guardian_release:     DAY, MONTH.wrapping_mul(3), Neither;
    equity_withdrawal_delay:       DAY, MONTH, Higher;
    equity_withdrawal_window:      HOUR, MONTH, Neither;
    volatility_seconds:   60, DAY, Neither;
    volatility_horizon:   60, DAY, Neither;
    supply_cap:           0, u64::MAX, Lower;
    debt_cap:             0, u64::MAX, Lower;
    account_debt_cap:     0, u64::MAX, Lower;
    // Not less than a twentieth: suppliers can always leave, in a time that they know.
    outflow_limit:        500, BPS, Neither;
    outflow_window:       HOUR, WEEK, Neither;
    volatility_sample:    1, HOUR, Neither;
    max_age_rate:         1, WEEK, Neither;
}

impl Parameter {
    /// Its number.
    #[must_use]
    #[allow(clippy::as_conversions, reason = "the discriminant, which is a u8")]
    pub const fn id(self) -> u8 {
        self as u8
    }

    /// The parameter of this number.
    ///
    /// # Errors
    /// [`Error::ParameterUnknown`].
    pub fn from_id(id: u8) -> Result<Self> {
        Self::ALL.get(usize::from(id)).copied().ok_or(Error::ParameterUnknown)
    }
}

/// The most that a new market may have: the worst loss before the timelock has let anyone look twice. A million of a
/// quote token of 6 decimals in the pool, a tenth of it to one account, at LTVs that leave room for a bad price. More
/// comes through the queue.
pub const FIRST_LIMITS: [(Parameter, u64); 5] = [
    (Parameter::supply_cap, 1_000_000_000_000),
    (Parameter::debt_cap, 1_000_000_000_000),
    (Parameter::account_debt_cap, 100_000_000_000),
    (Parameter::initial_ltv, 8_000),
    (Parameter::liquidation_ltv, 8_500),
];

impl Config {
    /// Checks that a new market may have these parameters.
    ///
    /// # Errors
    /// [`Error::FirstLimitExceeded`].
    pub fn check_first_limits(&self) -> Result<()> {
        if FIRST_LIMITS.iter().any(|(parameter, most)| parameter.get(self) > *most) {
            return Err(Error::FirstLimitExceeded);
        }
        Ok(())
    }

    /// These parameters, each brought within the first limits. Other LTVs may have to follow.
    #[must_use]
    pub fn first(mut self) -> Self {
        for (parameter, most) in FIRST_LIMITS {
            // A limit fits its parameter's type; were it not to, the parameter stays and is refused.
            let value = parameter.get(&self).min(most);
            let _ = parameter.set(&mut self, value);
        }
        self
    }
}

#[cfg(test)]
mod tests;

//! Interest: a two-slope rate on utilization, compounded by elapsed time.

use crate::{
    config::Config,
    error::Result,
    math::num::{self, BPS},
};

/// Seconds in a year of 365 days.
const YEAR: u32 = 31_536_000;

/// The longest stretch that one rate is applied to, seconds. The highest rate that [`Config`] allows is 500% a year,
/// so that rate × time stays below one, as [`growth`] needs.
pub const MAX_STEP: u64 = 30 * 86_400;

/// The interest rate, bps a year, rounded down.
///
/// ```text
/// u ≤ kink:  base + slope_low × u / kink
/// u > kink:  base + slope_low + slope_high × (u − kink) / (1 − kink)
/// ```
///
/// `utilization` is debt ÷ (debt + cash) in bps; above 10,000 it counts as 10,000.
///
/// # Errors
/// [`crate::Error::Overflow`] if the kink is zero or one, which a valid [`Config`] excludes.
pub fn rate(config: &Config, utilization: u64) -> Result<u64> {
    let utilization = utilization.min(BPS);
    let kink = config.interest_kink.factor();
    let base = config.interest_base.factor();
    let low = config.interest_slope_low.factor();
    let sloped = if utilization <= kink {
        num::mul_div_floor(low, utilization, kink)?
    } else {
        let beyond = utilization.saturating_sub(kink);
        num::mul_div_floor(config.interest_slope_high.factor(), beyond, BPS.saturating_sub(kink))?.saturating_add(low)
    };
    Ok(base.saturating_add(sloped))
}

/// e^x − 1 for x = `rate` × `seconds`, as a fraction in units of 2^−64, rounded down.
///
/// Third-order expansion: x + x²/2 + x³/6. With x < 0.42 (500% a year over [`MAX_STEP`]) it is low by less than
/// x⁴/24 · e^x < 0.2% of one; at 20% a year touched daily, by less than 10⁻¹⁵.
///
/// # Errors
/// [`crate::Error::Overflow`] if x is not below one.
pub fn growth(rate: u64, seconds: u64) -> Result<u64> {
    // By the one and then by the other: the same, and both divisions are native.
    let per_year = num::div_floor_small(num::wide(rate, seconds) << 64, num::WHOLE.0)?;
    let x = num::narrow(num::div_floor_small(per_year, YEAR)?)?;
    let square = num::q_mul_fraction(u128::from(x), x);
    let cube = num::q_mul_fraction(square, x);
    let sum = u128::from(x)
        .wrapping_add(square >> 1)
        .wrapping_add(num::div_floor(cube, 6)?);
    num::narrow(sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Error, config::tests::CONFIG};
    use proptest::prelude::*;

    #[test]
    fn one_rate_is_applied_to_thirty_days_at_most() {
        assert_eq!(MAX_STEP, 2_592_000);
    }

    #[test]
    fn the_rate_follows_its_two_slopes() {
        assert_eq!(rate(&CONFIG, 0), Ok(100));
        assert_eq!(rate(&CONFIG, 4_000), Ok(400));
        assert_eq!(rate(&CONFIG, 8_000), Ok(700));
        assert_eq!(rate(&CONFIG, 9_000), Ok(5_700));
        assert_eq!(rate(&CONFIG, 10_000), Ok(10_700));
        assert_eq!(rate(&CONFIG, u64::MAX), Ok(10_700));
    }

    #[test]
    fn growth_refuses_what_its_expansion_cannot_hold() {
        assert_eq!(growth(BPS, YEAR.into()), Err(Error::Overflow));
        assert_eq!(growth(0, YEAR.into()), Ok(0));
    }

    proptest! {
        #[test]
        fn growth_is_just_below_the_exponential(rate in 0u64..=50_000, seconds in 0..=MAX_STEP) {
            let x = rate as f64 * seconds as f64 / (BPS as f64 * f64::from(YEAR));
            let got = growth(rate, seconds).unwrap() as f64 / num::ONE as f64;
            let exact = x.exp_m1();
            prop_assert!(got <= exact * (1.0 + 1e-12));
            prop_assert!(exact - got <= x.powi(4) / 24.0 * x.exp() + 1e-18 + exact * 1e-12);
        }

        #[test]
        fn the_rate_never_falls_with_utilization(low in 0u64..=10_000, high in 0u64..=10_000) {
            let (low, high) = (low.min(high), low.max(high));
            prop_assert!(rate(&CONFIG, low).unwrap() <= rate(&CONFIG, high).unwrap());
        }
    }
}

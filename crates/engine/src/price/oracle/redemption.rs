//! Collateral that can be redeemed for another token, such as a staked one: base price × redemption rate.

use super::{FeedPrice, oracle_price::power_of_ten};
use crate::{
    error::{Error, Result},
    math::num,
};

/// Redemption value of one collateral token, as a reading with the exponent `expo`: price and average rounded down,
/// confidence up.
///
/// ```text
/// price = b × r      conf = (b + b_conf)(r + r_conf) − b × r
/// ```
///
/// The average is that of the base times the rate of now, for a rate hardly moves. A confidence that does not fit is
/// the widest there is.
///
/// # Errors
/// [`Error::PriceOutOfRange`] if the price does not fit, or is less than one unit.
pub(super) fn value(base: &FeedPrice, rate: &FeedPrice, expo: i32) -> Result<FeedPrice> {
    let shift = base.expo.saturating_add(rate.expo).saturating_sub(expo);
    let scale = u128::from(power_of_ten(shift).ok_or(Error::PriceOutOfRange)?);
    let scaled = |product: u128| {
        if shift >= 0 {
            product.checked_mul(scale)
        } else {
            product.checked_div(scale)
        }
    };
    let mantissa = |price: u64| {
        scaled(num::wide(price, rate.price))
            .and_then(|product| u64::try_from(product).ok())
            .filter(|product| *product > 0 && *product <= i64::MAX.unsigned_abs())
    };
    let price = mantissa(base.price).ok_or(Error::PriceOutOfRange)?;
    let end = |reading: &FeedPrice| u128::from(reading.price).saturating_add(u128::from(reading.conf));
    let high = end(base).checked_mul(end(rate)).and_then(scaled);
    let conf = high
        // One more for each division that rounded down.
        .and_then(|high| u64::try_from(high.saturating_sub(u128::from(price)).saturating_add(1)).ok())
        .unwrap_or(u64::MAX);
    Ok(FeedPrice {
        price,
        conf: if base.conf == 0 && rate.conf == 0 { 0 } else { conf },
        ema: base.ema().and_then(mantissa).unwrap_or(0),
        expo,
        padding: [0; 4],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn reading(price: u64, conf: u64, expo: i32) -> FeedPrice {
        FeedPrice {
            price,
            conf,
            ema: price,
            expo,
            padding: [0; 4],
        }
    }

    #[test]
    fn one_jitosol_is_worth_its_rate_in_sol() {
        // 150 ± 0.1 USD, 1.25 ± 0 SOL
        let value = value(&reading(150_0000_0000, 1000_0000, -8), &reading(1_2500_0000, 0, -8), -8).unwrap();
        assert_eq!((value.price, value.ema, value.expo), (187_5000_0000, 187_5000_0000, -8));
        assert_eq!(value.conf, 1250_0000 + 1);
        // In other units: -5.
        let value = super::value(&reading(150_000, 0, -3), &reading(125, 0, -2), -5).unwrap();
        assert_eq!((value.price, value.conf), (18_750_000, 0));
    }

    #[test]
    fn what_does_not_fit_is_refused_and_a_wide_confidence_is_the_widest() {
        let one = reading(1, 0, 0);
        assert_eq!(
            value(&reading(1 << 62, 0, 0), &reading(2, 0, 0), 0),
            Err(Error::PriceOutOfRange)
        );
        assert_eq!(value(&one, &one, 1), Err(Error::PriceOutOfRange));
        assert_eq!(value(&one, &one, -19).unwrap_err(), Error::PriceOutOfRange);
        assert_eq!(value(&one, &one, -30).unwrap_err(), Error::PriceOutOfRange);
        let wide = value(&reading(5, u64::MAX, 0), &reading(5, u64::MAX, 0), 0).unwrap();
        assert_eq!((wide.price, wide.conf), (25, u64::MAX));
    }

    proptest! {
        #[test]
        fn the_interval_holds_every_product_of_the_two(
            b in 1u64..1 << 40, b_conf in 0u64..1 << 34, r in 1u64..1 << 30, r_conf in 0u64..1 << 26, shift in 0i32..9,
        ) {
            let Ok(value) = value(&reading(b, b_conf, 0), &reading(r, r_conf, 0), shift) else { return Ok(()) };
            let unit = 10u128.pow(shift.unsigned_abs());
            let top = u128::from(b + b_conf) * u128::from(r + r_conf);
            prop_assert!(value.conf == u64::MAX || (u128::from(value.price) + u128::from(value.conf)) * unit >= top / unit * unit);
            prop_assert!(u128::from(value.price) * unit <= u128::from(b) * u128::from(r));
            prop_assert!((u128::from(value.price) + 1) * unit > u128::from(b) * u128::from(r));
        }
    }
}

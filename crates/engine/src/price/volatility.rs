//! How much the guarded price moves: an exponentially weighted variance of its returns.

use crate::{
    config::Config,
    math::{
        num,
        units::{Bps, Clock, Price},
    },
};

/// Fractional bits of a return.
const RETURN_BITS: u32 = 23;

stored! {
    /// The volatility estimate of a market.
    Volatility {
        /// Guarded price at the last update, quote atoms per collateral atom, Q64.64; zero before the first.
        price: Price,
        /// Variance of the returns in a second, in units of 2^-46.
        variance: u64,
        /// When it was last updated, seconds since 1970.
        updated_at: i64,
    }
}

impl Volatility {
    /// Takes a guarded price into account. With r the return since the last one and t the time since, τ the time
    /// constant:
    ///
    /// ```text
    /// variance ← (variance × τ + r²) / (τ + t)
    /// ```
    ///
    /// which moves the variance towards r²/t by t/(τ + t). Rounded down. Returns count up to 100%; time up to 2^20 s.
    /// At most one price in `volatility_sample` seconds counts: who looks every second sees the noise between readings
    /// sixty times a minute.
    #[inline]
    pub(crate) fn observe(&mut self, config: &Config, price: Price, clock: Clock) {
        let elapsed = clock.since(self.updated_at);
        if self.price == Price::default() {
            *self = Self {
                price,
                variance: 0,
                updated_at: clock.unix,
            };
        } else if elapsed >= u64::from(config.volatility_sample) {
            let ratio = num::fraction(price.raw().abs_diff(self.price.raw()), self.price.raw(), RETURN_BITS);
            let constant = u64::from(config.volatility_seconds);
            // variance ≤ 2^46 and τ ≤ 2^17: no sum and no product reaches 2^64.
            let sum = self
                .variance
                .wrapping_mul(constant)
                .wrapping_add(ratio.wrapping_mul(ratio));
            let time = constant.wrapping_add(elapsed.min(1 << 20));
            *self = Self {
                price,
                variance: sum.checked_div(time).unwrap_or(0),
                updated_at: clock.unix,
            };
        }
    }

    /// The standard deviation of the price over `volatility_horizon`, bps, rounded down: √(variance × horizon).
    #[must_use]
    pub fn deviation(&self, config: &Config) -> Bps {
        // variance ≤ 2^46 and horizon ≤ 2^17; so the root is below 2^32.
        let variance = self.variance.wrapping_mul(u64::from(config.volatility_horizon));
        let deviation = variance.isqrt().wrapping_mul(num::BPS) >> RETURN_BITS;
        Bps(u32::try_from(deviation).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::CONFIG;
    use proptest::prelude::*;

    fn price(cents: u64) -> Price {
        Price::from_raw(u128::from(cents) << 64)
    }

    fn at(unix: i64) -> Clock {
        Clock { unix, slot: 0 }
    }

    #[test]
    fn a_second_price_in_one_second_is_not_looked_at() {
        let mut volatility: Volatility = bytemuck::Zeroable::zeroed();
        volatility.observe(&CONFIG, price(100), at(5));
        let first = volatility;
        volatility.observe(&CONFIG, price(150), at(5));
        assert_eq!(volatility, first);
        volatility.observe(&CONFIG, price(150), at(4));
        assert_eq!(volatility, first);
    }

    #[test]
    fn a_price_that_stands_still_has_none() {
        let mut volatility: Volatility = bytemuck::Zeroable::zeroed();
        for time in 0..100 {
            volatility.observe(&CONFIG, price(100), at(time));
        }
        assert_eq!((volatility.variance, volatility.deviation(&CONFIG)), (0, Bps(0)));
    }

    #[test]
    fn one_percent_every_five_minutes_is_seventeen_a_day() {
        let mut volatility: Volatility = bytemuck::Zeroable::zeroed();
        for step in 0..2_000i64 {
            let cents = if step % 2 == 0 { 10_000 } else { 10_100 };
            volatility.observe(&CONFIG, price(cents), at(step * 300));
        }
        // √288 × 1% = 16.97%; up is 1.00%, down 0.99%.
        assert!(
            (1_680..=1_698).contains(&volatility.deviation(&CONFIG).0),
            "{volatility:?}"
        );
        // Calm takes it away: a time constant halves the variance, or nearly.
        let before = volatility.variance;
        let last = price(10_100);
        volatility.observe(&CONFIG, last, at(600_000 + 21_600));
        assert!(volatility.variance <= before / 2 + before / 100);
    }

    proptest! {
        #[test]
        fn the_update_is_what_floating_point_says(
            variance in 0u64..1 << 46, old in 1u64..1 << 30, new in 1u64..1 << 30, elapsed in 1i64..1 << 20,
        ) {
            let mut volatility = Volatility { price: price(old), variance, updated_at: 0 };
            let before = volatility;
            volatility.observe(&CONFIG, price(new), at(elapsed));
            // Sooner than that nothing is sampled: a rare case here, but one.
            if elapsed < i64::from(CONFIG.volatility_sample) {
                prop_assert_eq!(volatility, before);
                return Ok(());
            }
            let r = (new as f64 / old as f64 - 1.0).abs().min(1.0);
            let exact = (variance as f64 * 21_600.0 + (r * 2f64.powi(23)).powi(2)) / (21_600.0 + elapsed as f64);
            let error = (volatility.variance as f64 - exact).abs();
            prop_assert!(error <= exact * 1e-6 + 2f64.powi(24) / 21_600.0 + 1.0, "{volatility:?} {exact}");
        }
    }
}

//! How much debt falls due between two prices: debt shares by the logarithm of debt ÷ collateral.

use breakwater_engine::MarginAccount;

use super::order::ratio;
use crate::rounding::interval;

/// Width of a band: 0.05%.
const BAND: f64 = 0.0005;
/// Bands above and below the middle: a factor of 7 each way.
const HALF: usize = 4_000;

/// A histogram.
#[derive(Clone, Debug)]
pub struct DebtMap {
    middle: f64,
    bands: Vec<u64>,
}

impl DebtMap {
    /// An empty one around a ratio.
    pub fn around(ratio: u128) -> Self {
        Self {
            middle: (ratio as f64).ln(),
            bands: vec![0; 2 * HALF + 1],
        }
    }

    fn place(&self, ratio: u128) -> f64 {
        let bands = ((ratio.max(1) as f64).ln() - self.middle) / BAND + HALF as f64;
        bands.clamp(0.0, 2.0 * HALF as f64)
    }

    /// Puts an account in.
    pub fn add(&mut self, account: &MarginAccount) {
        if let Some(ratio) = ratio(account) {
            let band = interval(self.place(ratio));
            self.bands[band] += account.debt_shares.0;
        }
    }

    /// Takes out an account, as it was put in.
    pub fn remove(&mut self, account: &MarginAccount) {
        if let Some(ratio) = ratio(account) {
            let band = interval(self.place(ratio));
            self.bands[band] -= account.debt_shares.0;
        }
    }

    /// Debt shares between two ratios; within a band, in proportion.
    pub fn between(&self, low: u128, high: u128) -> f64 {
        let (from, to) = (self.place(low), self.place(high));
        if to <= from {
            return 0.0;
        }
        (interval(from)..=interval(to))
            .map(|band| {
                let (left, right) = (from.max(band as f64), to.min(band as f64 + 1.0));
                self.bands[band] as f64 * (right - left).max(0.0)
            })
            .sum()
    }

    /// Debt shares above a ratio.
    pub fn above(&self, ratio: u128) -> f64 {
        let last = self.bands.last().copied().unwrap_or(0);
        self.between(ratio, u128::MAX) + last as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use breakwater_engine::{Collateral, DebtShares, Key};

    #[test]
    fn debt_is_found_where_it_is_and_gone_when_it_is_removed() {
        let mut account = MarginAccount::new(Key::default(), Key::default(), 0, 0);
        (account.debt_shares, account.collateral) = (DebtShares(800), Collateral(1_000));
        let at = |part: f64| crate::rounding::nearest_u128(part * 2f64.powi(64));
        let mut map = DebtMap::around(at(0.8));
        map.add(&account);
        assert!((map.between(at(0.79), at(0.81)) - 800.0).abs() < 1e-9);
        assert!(map.between(at(0.5), at(0.79)).abs() < 1e-9);
        assert!((map.above(at(0.7)) - 800.0).abs() < 1e-9);
        map.remove(&account);
        assert!(map.above(0).abs() < 1e-9);
    }
}

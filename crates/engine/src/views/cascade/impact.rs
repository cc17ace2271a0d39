//! Impact of sales on a price.

use super::{NOTHING, START};
use crate::{
    error::{Error, Result},
    math::{
        num::{self, BPS},
        units::{Bps, Quote},
    },
};

/// Prices are rounded down to whole 2^-4 bps of the price at the start: so rounds end soon. In units of 2^-16 bps.
const GRID: u64 = 1 << 12;
/// One unit of depth sold; what moves the price by 1%.
const UNIT_BITS: u32 = 32;
/// More does not count: the price is 10^-17 of what it was.
const MOST: u64 = 4_000 << UNIT_BITS;
/// log2(e) ÷ 100 in units of 2^-64, rounded up.
const OCTAVES: u64 = 266_130_261_956_886_450;
/// Fractional bits of a power.
const BITS: usize = 32;

/// A market that sales move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Depth {
    /// Sales that move the price by 1%, quote atoms.
    pub percent: Quote,
    /// How depth falls while the price is below its average of an hour: depth ÷
    /// (1 + thinning × (average ÷ price − 1)), bps. At once the average is the price at the start.
    pub thinning: Bps,
    /// The least that is left of it, bps.
    pub thinnest: Bps,
    /// Minutes after which half of an impact is forgotten; zero if it never is.
    pub half_life: u32,
    /// The part of an impact that is never forgotten, bps.
    pub lasting: Bps,
}

impl Depth {
    /// A market of which only the depth in stress is known. The rest is assumed, as in the laboratory
    /// (docs/reports/lab.md): depth falls to a third at worst, and impacts but for a twentieth have a half-life of half
    /// an hour.
    #[must_use]
    pub fn assumed(percent: Quote) -> Self {
        Self {
            percent,
            thinning: Bps(20_000),
            thinnest: Bps(3_300),
            half_life: 30,
            lasting: Bps(500),
        }
    }

    /// # Errors
    /// [`Error::Overflow`] without any depth.
    pub(super) fn check(&self) -> Result<()> {
        if self.percent == Quote::ZERO || self.thinnest == Bps(0) {
            return Err(Error::Overflow);
        }
        Ok(())
    }

    /// Sales in units, each of which moves the price by 1%, at the depth that there is at a price, in units of 2^-32,
    /// rounded up. `value` is in quote atoms × 10,000.
    pub(super) fn units(&self, value: u128, price: u64, average: u64) -> u64 {
        let one = u128::from(self.percent.0).saturating_mul(BPS.into());
        let units = value.saturating_mul(1 << UNIT_BITS).div_ceil(one.max(1));
        let units = units
            .min(MOST.into())
            .saturating_mul(self.thinned(price, average).into());
        capped(units.div_ceil(u128::from(BPS)))
    }

    /// The part left after a minute of an impact that is forgotten, in units of 2^-64, rounded up:
    /// 2^(−1 ÷ half-life).
    pub(super) fn kept(&self) -> u128 {
        match (1u64 << BITS).checked_div(self.half_life.into()) {
            // Each of up to 32 products was rounded down by less than 2^-64.
            Some(part) => power_of_half(part).saturating_add(64),
            None => 1 << 64,
        }
    }

    /// Calm depth ÷ the depth at a price, bps, rounded up.
    fn thinned(&self, price: u64, average: u64) -> u64 {
        let most = BPS.saturating_mul(BPS).div_ceil(self.thinnest.factor().max(1)).max(BPS);
        let below = average.saturating_sub(price);
        let times = u128::from(below).saturating_mul(self.thinning.factor().into());
        if price == 0 {
            return most;
        }
        let extra = times.div_ceil(price.into());
        u64::try_from(extra.saturating_add(BPS.into()))
            .unwrap_or(most)
            .min(most)
    }
}

/// The impact of earlier sales, in units of depth of 2^-32.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Memory {
    temporary: u64,
    all: u64,
}

impl Memory {
    /// After a sale.
    pub fn sell(&mut self, units: u64) {
        self.temporary = capped(u128::from(self.temporary).saturating_add(units.into()));
        self.all = capped(u128::from(self.all).saturating_add(units.into()));
    }

    /// After a minute: temporary × [`Depth::kept`], rounded up.
    pub fn fade(&mut self, kept: u128) {
        let left = u128::from(self.temporary).saturating_mul(kept) >> 64;
        self.temporary = self.temporary.min(capped(left.saturating_add(1)));
    }

    /// The impact that is still there, rounded up.
    pub fn units(&self, depth: &Depth) -> u64 {
        let lasting = depth.lasting.factor().min(BPS);
        let temporary = num::wide(self.temporary, BPS.saturating_sub(lasting));
        let sum = temporary.saturating_add(num::wide(self.all, lasting));
        capped(sum.div_ceil(u128::from(BPS)))
    }
}

fn capped(units: u128) -> u64 {
    u64::try_from(units).unwrap_or(MOST).min(MOST)
}

/// The price at which so many units move another one: news × exp(−1% × units), rounded down; nothing below
/// [`NOTHING`].
pub(super) fn moved(news: u64, units: u64) -> u64 {
    let octaves = num::wide(units, OCTAVES).div_ceil(1 << 64);
    let power = power_of_half(u64::try_from(octaves).unwrap_or(u64::MAX));
    // news < 2^30, power ≤ 2^64
    let price = u128::from(news.min(START)).saturating_mul(power) >> 64;
    let price = u64::try_from(price).unwrap_or(0) & !GRID.wrapping_sub(1);
    if price < NOTHING { 0 } else { price }
}

/// 2^−(x ÷ 2^32) in units of 2^-64, rounded down, by less than 33 units.
fn power_of_half(x: u64) -> u128 {
    let mut power = 1u128 << 64;
    for (bit, root) in (1..).zip(ROOTS) {
        if x >> BITS.saturating_sub(bit) & 1 != 0 {
            // At most 2^64 × (2^64 − 1).
            power = power.wrapping_mul(root.into()) >> 64;
        }
    }
    u32::try_from(x >> BITS)
        .ok()
        .and_then(|octaves| power.checked_shr(octaves))
        .unwrap_or(0)
}

/// 2^−(2^−i) for i from 1 to 32, in units of 2^-64, rounded down. By square roots: of a half, of that, and so on.
#[allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "evaluated by the compiler: it would not compile"
)]
const ROOTS: [u64; BITS] = {
    let mut roots = [0; BITS];
    let mut root = 1u64 << 63;
    let mut i = 0;
    while i < BITS {
        root = ((root as u128) << 64).isqrt() as u64;
        roots[i] = root;
        i += 1;
    }
    roots
};

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn as_part(units: u128) -> f64 {
        units as f64 / 2f64.powi(64)
    }

    proptest! {
        #[test]
        fn a_power_of_a_half_is_one_but_for_the_rounding(x in 0u64..1 << 38) {
            let exact = 2f64.powf(-(x as f64) / 2f64.powi(32));
            let found = as_part(power_of_half(x));
            prop_assert!((found - exact).abs() <= 1e-14 * exact + 2f64.powi(-60), "{found} {exact}");
        }

        #[test]
        fn sales_move_the_price_by_the_exponential_and_never_less(news in NOTHING..=START, units in 0u64..=MOST) {
            let exact = news as f64 * (-(units as f64) / 2f64.powi(32) / 100.0).exp();
            let found = moved(news, units) as f64;
            prop_assert!(found <= exact * (1.0 + 1e-12), "{found} {exact}");
            prop_assert!(found > exact - GRID as f64 - 1.0 || exact < (NOTHING + GRID) as f64, "{found} {exact}");
        }

        #[test]
        fn what_is_forgotten_follows_the_half_life_and_is_never_more(units in 0u64..=MOST, half_life in 1u32..10_000) {
            let depth = Depth { half_life, lasting: Bps(0), ..Depth::assumed(Quote(1)) };
            let mut memory = Memory::default();
            memory.sell(units);
            memory.fade(depth.kept());
            let exact = units as f64 * 0.5f64.powf(1.0 / f64::from(half_life));
            let found = memory.units(&depth) as f64;
            prop_assert!(found >= exact * (1.0 - 1e-12) && found <= exact * (1.0 + 2e-9) + 2.0, "{found} {exact}");
            prop_assert!(found <= units as f64);
        }
    }

    #[test]
    fn nothing_sold_moves_nothing() {
        for bps in 1..=BPS {
            assert_eq!(moved(bps << 16, 0), bps << 16);
        }
        assert_eq!(Memory::default().units(&Depth::assumed(Quote(1))), 0);
    }

    #[test]
    fn one_unit_is_one_percent() {
        let depth = Depth::assumed(Quote(1_000));
        assert_eq!(depth.units(1_000 * u128::from(BPS), START, START), 1 << 32);
        assert_eq!(depth.units(1, START, START), 430, "2^32 ÷ 10^7 = 429.5");
        // e^-0.01 = 0.990049834
        assert_eq!(moved(START, 1 << 32) / GRID, 158_407, "of 160,000");
        assert_eq!(depth.units(u128::MAX, 0, START), MOST);
        assert_eq!(moved(START, MOST), 0);
    }

    #[test]
    fn depth_thins_below_the_average() {
        let depth = Depth {
            thinning: Bps(20_000),
            thinnest: Bps(3_300),
            ..Depth::assumed(Quote(1))
        };
        assert_eq!(depth.thinned(START, START), 10_000);
        assert_eq!(depth.thinned(START, START / 2), 10_000, "above it not");
        // 1 + 2 × (1 ÷ 0.8 − 1)
        assert_eq!(depth.thinned(START / 5 * 4, START), 15_000);
        assert_eq!(depth.thinned(START / 100, START), 30_304, "a third, rounded up");
        assert_eq!(depth.thinned(0, START), 30_304);
    }

    #[test]
    fn a_part_lasts() {
        let depth = Depth {
            half_life: 1,
            lasting: Bps(2_500),
            ..Depth::assumed(Quote(1))
        };
        let mut memory = Memory::default();
        memory.sell(4 << 32);
        for left in [4.0, 2.5, 1.75, 1.375] {
            assert!((memory.units(&depth) as f64 / 2f64.powi(32) - left).abs() < 1e-8);
            memory.fade(depth.kept());
        }
        let never = Depth { half_life: 0, ..depth };
        let before = memory.units(&never);
        memory.fade(never.kept());
        assert_eq!(memory.units(&never), before);
    }
}

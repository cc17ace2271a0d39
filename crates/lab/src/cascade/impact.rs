//! How sales move the price of an outside market.
//!
//! A sale of depth-units u (one unit is what moves a calm market by 1% in all) adds to two volumes. One is forgotten
//! with a half-life, the other never:
//!
//! ```text
//! displacement = 1% × ( (1 − permanent) × temporary^c + permanent × lasting^c )      in logarithms, downwards
//! ```
//!
//! With c = 1 impact is linear, below that concave. Because volumes are added and not impacts, a sale in parts moves
//! the price as far as a sale at once.

use serde::{Deserialize, Serialize};

/// Parameters.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Impact {
    /// The fraction of all debt at the start whose sale moves the price by 1%.
    pub depth: f64,
    /// The part of an impact that never recovers.
    pub permanent: f64,
    /// The exponent c.
    pub concavity: f64,
    /// Half-life of the rest, seconds.
    pub half_life: f64,
    /// How fast depth falls in stress: depth × 1 ÷ (1 + thinning × |ln(price ÷ its average of an hour)|).
    pub thinning: f64,
    /// The least depth, as a fraction of the calm one.
    pub thinnest: f64,
    /// The control: sales move nothing, and are paid the exogenous price.
    #[serde(default)]
    pub off: bool,
}

impl Default for Impact {
    fn default() -> Self {
        Self {
            depth: 0.005,
            permanent: 0.05,
            concavity: 1.0,
            half_life: 1_800.0,
            thinning: 2.0,
            thinnest: 0.33,
            off: false,
        }
    }
}

/// 1%: the impact of one unit.
const UNIT: f64 = 0.01;

/// The volumes that the market remembers, in depth-units.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Memory {
    temporary: f64,
    lasting: f64,
}

impl Memory {
    /// After some seconds without sales.
    #[must_use]
    pub fn after(self, impact: &Impact, seconds: f64) -> Self {
        Self {
            temporary: self.temporary * (-seconds / impact.half_life * std::f64::consts::LN_2).exp(),
            ..self
        }
    }

    /// After a sale.
    #[must_use]
    pub fn and(self, units: f64) -> Self {
        Self {
            temporary: self.temporary + units,
            lasting: self.lasting + units,
        }
    }

    /// After buyers took so many units of what is remembered for a while, or all of it.
    #[must_use]
    pub fn without(self, units: f64) -> Self {
        Self {
            temporary: (self.temporary - units).max(0.0),
            ..self
        }
    }

    /// How far the price is below the exogenous one, as a logarithm.
    pub fn displacement(self, impact: &Impact) -> f64 {
        let power = |volume: f64| volume.powf(impact.concavity);
        UNIT * ((1.0 - impact.permanent) * power(self.temporary) + impact.permanent * power(self.lasting))
    }

    /// The mean displacement while `units` are sold: what the seller gets, in logarithms.
    pub fn mean_displacement(self, impact: &Impact, units: f64) -> f64 {
        if units <= 0.0 {
            return self.displacement(impact);
        }
        let power = impact.concavity + 1.0;
        let mean = |volume: f64| ((volume + units).powf(power) - volume.powf(power)) / (power * units);
        UNIT * ((1.0 - impact.permanent) * mean(self.temporary) + impact.permanent * mean(self.lasting))
    }
}

impl Impact {
    /// The present depth as a fraction of the calm one, when the price is so far from its average of an hour.
    pub fn depth_factor(&self, price: f64, average: f64) -> f64 {
        (1.0 / (1.0 + self.thinning * (price / average).ln().abs())).max(self.thinnest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-12, "{a} {b}");
    }

    #[test]
    fn one_unit_is_one_percent_whatever_the_shape() {
        for concavity in [0.5, 0.7, 1.0] {
            for permanent in [0.0, 0.3, 1.0] {
                let impact = Impact {
                    permanent,
                    concavity,
                    ..Impact::default()
                };
                near(Memory::default().and(1.0).displacement(&impact), 0.01);
            }
        }
    }

    #[test]
    fn parts_move_as_far_as_the_whole() {
        let impact = Impact {
            concavity: 0.6,
            ..Impact::default()
        };
        let parts = (0..100).fold(Memory::default(), |memory, _| memory.and(0.07));
        assert!((parts.displacement(&impact) - Memory::default().and(7.0).displacement(&impact)).abs() < 1e-12);
    }

    #[test]
    fn after_a_half_life_half_of_the_temporary_part_is_left() {
        let impact = Impact {
            permanent: 0.25,
            half_life: 60.0,
            ..Impact::default()
        };
        // 4 units: 3% temporary and 1% lasting.
        near(
            Memory::default().and(4.0).after(&impact, 60.0).displacement(&impact),
            0.025,
        );
        near(
            Memory::default().and(4.0).after(&impact, 6e5).displacement(&impact),
            0.01,
        );
    }

    #[test]
    fn the_mean_is_the_integral() {
        let impact = Impact {
            concavity: 0.5,
            permanent: 0.2,
            ..Impact::default()
        };
        let before = Memory::default().and(2.0).after(&impact, 900.0);
        let parts = 100_000;
        let sum: f64 = (0..parts)
            .map(|i| {
                before
                    .and(3.0 * (f64::from(i) + 0.5) / f64::from(parts))
                    .displacement(&impact)
            })
            .sum();
        assert!((before.mean_displacement(&impact, 3.0) - sum / f64::from(parts)).abs() < 1e-9);
        near(before.mean_displacement(&impact, 0.0), before.displacement(&impact));
    }

    #[test]
    fn depth_thins_as_the_price_leaves_its_average() {
        let impact = Impact {
            thinning: 5.0,
            thinnest: 0.2,
            ..Impact::default()
        };
        near(impact.depth_factor(100.0, 100.0), 1.0);
        near(impact.depth_factor(100.0 * (-0.2f64).exp(), 100.0), 0.5);
        near(impact.depth_factor(10.0, 100.0), 0.2);
    }
}

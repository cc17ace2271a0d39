//! Between integers and floats. A value out of range becomes the nearest one in range, NaN becomes zero.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "that is what this module is for"
)]

use breakwater_engine::Bps;

/// A ratio in bps as a fraction of one.
pub fn fraction(ratio: Bps) -> f64 {
    f64::from(ratio.0) / 1e4
}

/// The nearest unsigned integer.
pub fn nearest_u64(value: f64) -> u64 {
    value.round() as u64
}

/// The nearest integer.
pub fn nearest_i64(value: f64) -> i64 {
    value.round() as i64
}

/// The number of the interval [0, 1), [1, 2), … in which a value lies.
pub fn interval(value: f64) -> usize {
    value as usize
}

/// The nearest unsigned integer of 32 bits.
pub fn nearest_u32(value: f64) -> u32 {
    value.round() as u32
}

/// The whole atoms in a value.
pub fn floor_u64(value: f64) -> u64 {
    value as u64
}

/// The nearest fixed-point number.
pub fn nearest_u128(value: f64) -> u128 {
    value.round() as u128
}

/// The nearest number of things.
pub fn nearest_usize(value: f64) -> usize {
    value.round() as usize
}

//! Logarithms and powers of two for the liquidation map, in integers.

use crate::math::{
    num,
    units::{Bps, Index, Price},
};

/// Fractional bits of [`log2`].
pub(super) const LOG_BITS: u32 = 16;
/// log2 of 10,000 in units of 2^-16, rounded to nearest.
const LOG_BPS: i64 = 870_824;
/// Steps of the table between whose entries [`log2`] draws straight lines.
const STEPS: usize = 64;

/// log2(1 + i ÷ [`STEPS`]) in units of 2^-16, rounded to nearest, and how much larger it is at i + 1. By squaring:
/// each square that reaches two gives a bit.
#[allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    reason = "evaluated by the compiler: it would not compile"
)]
pub(super) const LOG_TABLE: [(u32, u32); STEPS] = {
    let mut logs = [0; STEPS + 1];
    logs[STEPS] = 1 << LOG_BITS;
    let mut i = 0;
    while i < STEPS {
        let mut x = ((STEPS + i) as u128) << 57; // Q63
        let mut log = 0u32;
        let mut bit = 0;
        while bit <= LOG_BITS {
            x = (x * x) >> 63;
            log <<= 1;
            if x >> 64 != 0 {
                log |= 1;
                x >>= 1;
            }
            bit += 1;
        }
        logs[i] = (log + 1) >> 1;
        i += 1;
    }
    let mut table = [(0, 0); STEPS];
    i = 0;
    while i < STEPS {
        table[i] = (logs[i], logs[i + 1] - logs[i]);
        i += 1;
    }
    table
};

/// 2^(i ÷ 32) in units of 2^-63, rounded down. By square roots: of two, of that, and so on, multiplied as i's bits
/// say.
#[allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "evaluated by the compiler: it would not compile"
)]
pub(super) const EXP_TABLE: [u64; 32] = {
    let mut table = [1u64 << 63; 32];
    let mut root = 2u128 << 63;
    let mut bit = 16;
    while bit > 0 {
        root = (root << 63).isqrt();
        let mut i = 0;
        while i < 32 {
            if i & bit != 0 {
                table[i] = ((table[i] as u128 * root) >> 63) as u64;
            }
            i += 1;
        }
        bit >>= 1;
    }
    table
};

/// log2 in units of 2^-16 of a number that is not zero: at most 5 units below the exact value (0.005% of the argument),
/// at most 1 above it, and never falling.
#[inline]
pub(super) fn log2(x: u64) -> i64 {
    // Halving the bits that may be empty: the virtual machine has no instruction that counts them.
    let (mut mantissa, mut whole) = (x, 63i64);
    for bits in [32u32, 16, 8, 4, 2, 1] {
        if mantissa >> (64u32.wrapping_sub(bits) & 63) == 0 {
            mantissa <<= bits & 63;
            whole = whole.wrapping_sub(i64::from(bits));
        }
    }
    (whole << LOG_BITS).wrapping_add(log2_mantissa(mantissa))
}

/// [`log2`] of a number from 2^63 on, less its whole part.
#[inline]
#[allow(clippy::as_conversions, clippy::cast_possible_truncation, reason = "6 bits")]
pub(super) fn log2_mantissa(mantissa: u64) -> i64 {
    let step = (mantissa >> 57 & 63) as usize;
    let part = mantissa >> 41 & 0xffff;
    let (low, slope) = LOG_TABLE.get(step).copied().unwrap_or((0, 0));
    // Less than 2^11 × 2^16.
    let rise = u64::from(slope).wrapping_mul(part) >> 16;
    u64::from(low).wrapping_add(rise).cast_signed()
}

/// [`log2`] of a number of up to 128 bits that is not zero.
#[inline]
pub(super) fn log2_wide(x: u128) -> i64 {
    let (high, low) = num::split(x);
    if high == 0 {
        return log2(low);
    }
    // Of 64 bits from the middle on: what is cut off is less than 2^-31 of the number.
    match high >> 32 {
        0 => log2((high << 32) | (low >> 32)).wrapping_add(32 << LOG_BITS),
        _ => log2(high).wrapping_add(64 << LOG_BITS),
    }
}

/// log2 of the ratio of debt shares to collateral that is liquidated at this price, in units of 2^-16.
pub(crate) fn log_at(price: Price, index: Index, ltv: Bps) -> i64 {
    if price.raw() == 0 || index.raw() == 0 || ltv.0 == 0 {
        return 0;
    }
    log2_wide(price.raw())
        .wrapping_add(log_of(ltv.factor()))
        .wrapping_sub(log2_wide(index.raw()))
}

/// log2 of a ratio in bps, in units of 2^-16; that of 0 is that of 1 bps.
pub(crate) fn log_of(ratio: u64) -> i64 {
    log2(ratio.max(1)).wrapping_sub(LOG_BPS)
}

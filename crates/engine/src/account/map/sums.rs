//! The map's two sums: debt shares under water, and the collateral that goes with them.

use super::{
    BANDS, LiquidationMap, PER_OCTAVE_BITS,
    log::{EXP_TABLE, log2_wide},
};
use crate::math::{
    num,
    units::{Collateral, DebtShares, Index, Price},
};

/// See [`LiquidationMap::threshold_at`]. A logarithm is from 5 units too small to 1 too large: so an account may be up
/// to 5 above the upper edge of its band, and where the price stands is known to 6. From there on a band is counted:
/// not one with its edge 20 units below the price, 0.021%, while its weight has 2^-12, 0.024%.
const THRESHOLD_MARGIN: i64 = 14;

/// Debt shares of some bands, and the collateral that goes with them at their upper edges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Under {
    /// N: debt shares.
    pub shares: DebtShares,
    /// M: collateral atoms, rounded down.
    pub collateral: Collateral,
}

/// [`Under`] before it is rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(super) shares: u64,
    pub(super) weight: u128,
}

/// For each band 2^32 ÷ (upper edge × (1 + 2^-12)), rounded down, the edge in units of the origin: collateral for one
/// debt share. The factor covers what [`LiquidationMap::band`] may be off, so no account of the band has less. Nothing
/// for the last band, which has no upper edge.
#[allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "evaluated by the compiler: it would not compile"
)]
const WEIGHTS: [u32; BANDS] = {
    let mut weights = [0; BANDS];
    let mut band = 0;
    while band < BANDS - 1 {
        let edge = band + 1;
        let octave = edge as u32 >> PER_OCTAVE_BITS;
        let mantissa = EXP_TABLE[edge % 32] as u128 + 1;
        weights[band] = (((1u128 << 107) / (mantissa * 4_097)) >> octave) as u32;
        band += 1;
    }
    weights
};

/// Collateral for one debt share of a band at its upper edge, in units of 2^-32 ÷ the origin's ratio.
pub(super) fn weight(band: u8) -> u32 {
    WEIGHTS.get(usize::from(band)).copied().unwrap_or(0)
}

/// x ÷ 2^bits, rounded down, at most 2^64 − 1: more than 64 bits is more than there can be.
#[cold]
fn shifted_far(x: u128, bits: i64) -> u64 {
    let by = u32::try_from(bits.unsigned_abs()).unwrap_or(u32::MAX);
    let most = u128::from(u64::MAX);
    let moved = if bits >= 0 {
        x.checked_shr(by).unwrap_or(0)
    } else if x > most.checked_shr(by).unwrap_or(0) {
        most
    } else {
        x.wrapping_shl(by)
    };
    num::narrow(moved).unwrap_or(u64::MAX)
}

impl LiquidationMap {
    /// The first band that is under water at `price`: the lowest with an account that owes more than its collateral is
    /// worth.
    ///
    /// [`THRESHOLD_MARGIN`] lower than the logarithms say, of which each may be a little too small: so no such band is
    /// left out, and of one that is taken in without need [`weight`] still counts less collateral than would cover its
    /// debt.
    #[inline]
    pub(crate) fn threshold_at(&self, price: Price, index: Index) -> u8 {
        if price.raw() == 0 || index.raw() == 0 {
            return 0;
        }
        let log = log2_wide(price.raw()).wrapping_sub(log2_wide(index.raw()));
        self.band_of(log.wrapping_sub(THRESHOLD_MARGIN))
    }

    /// The kept sums.
    pub(super) fn sums(&self) -> Sums {
        let [low, high] = self.under_weight;
        Sums {
            shares: self.under_shares.0,
            weight: num::join(high, low),
        }
    }

    pub(super) fn store(&mut self, sums: Sums) {
        let (high, low) = num::split(sums.weight);
        (self.under_shares, self.under_weight) = (DebtShares(sums.shares), [low, high]);
    }

    /// The kept sums as they will be when an account's shares have moved `from` a band `to` another: see
    /// [`LiquidationMap::follow`].
    #[inline]
    pub(crate) fn sums_after(&self, from: (DebtShares, u8), to: (DebtShares, u8)) -> Sums {
        self.sums()
            .moved(u8::try_from(self.threshold).unwrap_or(u8::MAX), from, to)
    }

    /// Moves the threshold of the kept sums: only the bands between the old and the new one are looked at.
    pub(crate) fn set_threshold(&mut self, band: u8) {
        self.store(self.sums_from(band));
        self.threshold = u64::from(band);
    }

    /// The sums over the bands from `band` on: the kept ones, with the bands between added or taken off.
    #[must_use]
    pub(crate) fn sums_from(&self, band: u8) -> Sums {
        let mut sums = self.sums();
        let kept = u8::try_from(self.threshold).unwrap_or(u8::MAX);
        for between in band.min(kept)..band.max(kept) {
            let Some(shares) = self.bands.get(usize::from(between)) else {
                continue;
            };
            if band < kept {
                sums.add(*shares, between);
            } else {
                sums.take(*shares, between);
            }
        }
        sums
    }

    /// `sums` in shares and collateral atoms, rounded down once.
    #[inline]
    pub(crate) fn under(&self, sums: Sums) -> Under {
        // The origin is a whole octave.
        let shift = (self.origin >> PER_OCTAVE_BITS).wrapping_add(32);
        let (high, low) = num::split(sums.weight);
        let by = u32::try_from(shift).unwrap_or(0) & 63;
        // Word by word where that suffices: shifting 128 bits is several times as dear.
        let collateral = if (1..64).contains(&shift) && high >> by == 0 {
            (high << (64u32.wrapping_sub(by) & 63)) | (low >> by)
        } else {
            shifted_far(sums.weight, shift)
        };
        Under {
            shares: DebtShares(sums.shares),
            collateral: Collateral(collateral),
        }
    }
}

impl Sums {
    // The sums are over bands that hold what is taken off, and over fewer shares than the pool's: neither can wrap.
    #[inline]
    fn add(&mut self, shares: DebtShares, band: u8) {
        self.shares = self.shares.wrapping_add(shares.0);
        self.weight = self.weight.wrapping_add(num::wide_small(shares.0, weight(band)));
    }

    /// The sums from `threshold` on as they will be when an account's shares have moved.
    #[inline]
    pub(crate) fn moved(mut self, threshold: u8, from: (DebtShares, u8), to: (DebtShares, u8)) -> Self {
        if from.1 >= threshold {
            self.take(from.0, from.1);
        }
        if to.1 >= threshold {
            self.add(to.0, to.1);
        }
        self
    }

    #[inline]
    fn take(&mut self, shares: DebtShares, band: u8) {
        self.shares = self.shares.wrapping_sub(shares.0);
        self.weight = self.weight.wrapping_sub(num::wide_small(shares.0, weight(band)));
    }
}

//! The liquidation map: how much debt is liquidated at which price.
//!
//! An account's ratio ρ = debt shares ÷ collateral fixes where it is liquidated, whatever interest does: at the price
//!
//! ```text
//! p = ρ × index ÷ liquidation LTV
//! ```
//!
//! The map is a histogram of debt shares over log2 ρ, 32 bands to an octave: a band is 2.2% of price wide. Every
//! action on an account moves its shares from one band to another, at a cost that does not depend on how many accounts
//! there are. The outermost bands also hold what lies beyond them.
//!
//! The bands are absolute: band 0 begins at ρ = 1, and the map holds 256 of them from its *origin* on, a whole octave.
//! It follows the price: when the guarded price is four times what it was when the map was last centered, or a fourth
//! of it, the origin moves ([`LiquidationMap::follow_price`]), and what the map then no longer reaches is folded into
//! its outermost bands. Nobody looks at the accounts for that. An account remembers its absolute band and how many
//! foldings there had been when it got there ([`Place`]); the map remembers what the foldings since have done to whom
//! ([`Fold`]), so it still knows which band holds the account's shares. An account goes where it belongs when it is
//! next touched, which anyone can do: an atom of collateral is enough.
//!
//! Folding is exact to the share, and never flatters: what is folded into the first band counts at that band's upper
//! edge, also after the map has come back down, and what is folded into the last band counts whole until it is touched.
//!
//! The map also keeps two sums over the bands from a *threshold* on: N, their debt shares, and M, the collateral that
//! goes with them if every account stands at the upper edge of its band. With the threshold at q ÷ index they say what
//! a fall to q leaves under water, without looking at any account:
//!
//! ```text
//! B(q) = Σ shares × max(0, index − q ÷ ρ) = index × N − q × M        ρ: the upper edge of each band
//! ```
//!
//! Counting at the upper edge overstates it, by less than a band. The last band has no upper edge: it counts whole.
//!
//! Which band an account belongs into follows from its shares and collateral alone ([`LiquidationMap::band`]), and
//! which one holds it from what it remembers ([`LiquidationMap::band_at`]); so the map always equals a recount over all
//! accounts, to the share.

mod folds;
mod log;
mod sums;

pub use folds::Fold;
use log::{EXP_TABLE, LOG_BITS, log2_mantissa};
pub(crate) use log::{log_at, log_of};
pub(crate) use sums::Sums;
pub use sums::Under;

use crate::{
    error::{Error, Result},
    math::{
        num,
        units::{Bps, Collateral, DebtShares, Index, Price},
    },
};

/// Bands in a doubling of ρ, as a power of two.
const PER_OCTAVE_BITS: u32 = 5;
/// Bands in a doubling of ρ.
const PER_OCTAVE: i64 = 1 << PER_OCTAVE_BITS;
/// Bands in all: eight octaves.
pub const BANDS: usize = 256;
/// The band where accounts are that would be liquidated at the price the map was last centered on: five octaves of
/// price lie below it, three above.
const CENTER: i64 = 5 * PER_OCTAVE;

/// The last band, which has no upper edge.
const LAST: u8 = u8::MAX;
/// [`Place::band`] of what was beyond the map's upper end: it counts whole until it is touched, wherever the map goes.
const BEYOND: i16 = i16::MAX;
/// Bits of [`log2`] below a band.
const BAND_BITS: u32 = LOG_BITS - PER_OCTAVE_BITS;
/// See [`LiquidationMap::band`].
const QUOTIENT_BITS: i64 = 20;

stored! {
    /// Debt shares of all margin accounts by the logarithm of their ratio of debt shares to collateral.
    LiquidationMap {
        /// Debt shares in each band, lowest ratio first.
        bands: [DebtShares; 256],
        /// 32 × log2 of the ratio at the lower edge of the first band: whole octaves. The absolute number of that
        /// band.
        origin: i64,
        /// The first band of the kept sums, 0 to 255.
        threshold: u64,
        /// N: debt shares from the threshold on.
        under_shares: DebtShares,
        /// M: Σ shares × [`weight`] from the threshold on, low word first.
        under_weight: [u64; 2],
        /// The guarded price at which it was last centered, quote atoms per collateral atom, Q64.64.
        centered: Price,
        /// How often shares have been folded into the outermost bands.
        folds: u64,
        /// How many of `folded` are in use.
        told_apart: u64,
        /// Effect of those foldings on the accounts that have not been touched since, oldest accounts first.
        folded: [Fold; 8],
    }
}

stored! {
    /// Where an account's debt is on the liquidation map; zeros without debt.
    Place {
        /// The absolute band it was put into, 32 × log2 of debt shares ÷ collateral, rounded down; 32,767 if that was
        /// beyond the map's upper end, and the map's first band if it was below it.
        band: i16,
        /// How often the map had folded shares by then.
        folds: u16,
    }
}

/// x × 2^bits, rounded down, if it is below 2^63.
#[inline]
fn shifted(x: u64, bits: i64) -> Option<u64> {
    let by = u32::try_from(bits.unsigned_abs().min(63)).unwrap_or(63);
    if bits < 0 {
        return Some(x >> by);
    }
    (x >> 63u32.wrapping_sub(by) == 0).then_some(x << by)
}

impl LiquidationMap {
    /// The band of an account: 32 × log2 (shares ÷ collateral), rounded down, from the origin; the outermost bands
    /// for what lies beyond. Without collateral the last, without debt the first.
    ///
    /// One native division: the map begins in the octave from 2^o on, so for what lies within it shares ÷ collateral
    /// × 2^(20 − o) has 21 to 29 bits, and its logarithm needs only so much.
    #[inline]
    #[must_use]
    pub fn band(&self, shares: DebtShares, collateral: Collateral) -> u8 {
        if shares == DebtShares::ZERO {
            return 0;
        }
        let mut bits = QUOTIENT_BITS.wrapping_sub(self.origin >> PER_OCTAVE_BITS);
        let mut divisor = collateral.0;
        // 25 bits of it suffice; 32 at most, and the numerator of a quotient of 29 bits fits.
        while divisor >> 32 != 0 {
            divisor >>= 8;
            bits = bits.wrapping_sub(8);
        }
        let Some(quotient) = shifted(shares.0, bits).and_then(|shares| shares.checked_div(divisor)) else {
            return u8::MAX;
        };
        if quotient >> QUOTIENT_BITS == 0 {
            return 0;
        }
        if quotient >> QUOTIENT_BITS >> 9 != 0 {
            return u8::MAX;
        }
        let (mut mantissa, mut whole) = (quotient << 35, 8i64);
        for bits in [8u32, 4, 2, 1] {
            if mantissa >> (64u32.wrapping_sub(bits) & 63) == 0 {
                mantissa <<= bits & 63;
                whole = whole.wrapping_sub(i64::from(bits));
            }
        }
        // The origin is a whole octave: 0 to 255.
        let band = (whole << LOG_BITS).wrapping_add(log2_mantissa(mantissa)) >> BAND_BITS;
        u8::try_from(band).unwrap_or(u8::MAX)
    }

    /// The band of a ratio of which [`log_at`] is the logarithm.
    #[inline]
    pub(crate) fn band_of(&self, log: i64) -> u8 {
        let band = (log >> BAND_BITS).wrapping_sub(self.origin);
        u8::try_from(band).unwrap_or(if band < 0 { 0 } else { u8::MAX })
    }

    /// The price at the lower edge of a band, rounded down: accounts of this band are liquidated at it or above, and
    /// below the lower edge of the next one.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub fn edge(&self, band: u8, index: Index, ltv: Bps) -> Result<Price> {
        let exponent = self.origin.saturating_add(i64::from(band));
        let part = usize::try_from(exponent.rem_euclid(PER_OCTAVE)).unwrap_or(0);
        let mantissa = EXP_TABLE.get(part).copied().unwrap_or(0);
        // index × 2^(part ÷ 32 − 1), then the whole octaves.
        let scaled = num::q_mul_fraction(index.raw(), mantissa);
        let octaves = exponent.div_euclid(PER_OCTAVE).saturating_add(1);
        let shift = u32::try_from(octaves.unsigned_abs()).map_err(|_| Error::Overflow)?;
        let moved = if octaves < 0 {
            scaled.checked_shr(shift).unwrap_or(0)
        } else {
            let moved = scaled.checked_shl(shift).ok_or(Error::Overflow)?;
            if moved >> (shift & 127) != scaled {
                return Err(Error::Overflow);
            }
            moved
        };
        num::div_floor(num::q_times(moved, num::BPS)?, u128::from(ltv.factor())).map(Price::from_raw)
    }

    /// Moves an account's shares from the band that holds them to another, and keeps the sums. Each is a number of
    /// shares and its band.
    ///
    /// # Errors
    /// [`Error::InvariantViolated`] if the map does not hold what the account says.
    #[inline]
    pub(crate) fn follow(&mut self, from: (DebtShares, u8), to: (DebtShares, u8)) -> Result<()> {
        let left = self.left(from)?;
        let sums = self.sums_after(from, to);
        self.shift((left, from.1), to, sums);
        Ok(())
    }

    /// Shares left in a band once an account's are taken out of it.
    ///
    /// # Errors
    /// [`Error::InvariantViolated`] if it does not hold them.
    #[inline]
    pub(crate) fn left(&self, from: (DebtShares, u8)) -> Result<DebtShares> {
        let held = self.bands.get(usize::from(from.1)).copied().unwrap_or(from.0);
        held.minus(from.0).map_err(|_| Error::InvariantViolated)
    }

    /// [`LiquidationMap::follow`], for who knows what is left in the band that held the shares, and the sums.
    #[inline]
    pub(crate) fn shift(&mut self, left: (DebtShares, u8), to: (DebtShares, u8), sums: Sums) {
        if let Some(shares) = self.bands.get_mut(usize::from(left.1)) {
            *shares = left.0;
        }
        self.store(sums);
        if let Some(shares) = self.bands.get_mut(usize::from(to.1)) {
            // All bands together hold no more than the pool's debt shares, which fit: it cannot wrap.
            shares.0 = shares.0.wrapping_add(to.0.0);
        }
    }

    /// The band that holds the shares of an account with debt: where it was put, and where that has been folded since.
    #[inline]
    #[must_use]
    pub fn band_at(&self, place: Place) -> u8 {
        if u64::from(place.folds) == self.folds {
            return self.within(place.band);
        }
        self.band_folded(place)
    }

    /// Place that an account of so many debt shares remembers when it is put into a band of the map now; zeros without
    /// debt.
    #[inline]
    #[must_use]
    pub fn place(&self, shares: DebtShares, band: u8) -> Place {
        if shares == DebtShares::ZERO {
            return Place { band: 0, folds: 0 };
        }
        let absolute = i16::try_from(self.origin.wrapping_add(i64::from(band)));
        Place {
            band: if band == LAST {
                BEYOND
            } else {
                absolute.unwrap_or(BEYOND)
            },
            // At most so many: see `fold`.
            folds: u16::try_from(self.folds).unwrap_or(u16::MAX),
        }
    }

    /// The band of the map with this absolute number; the outermost ones for what lies beyond.
    #[inline]
    fn within(&self, absolute: i16) -> u8 {
        let band = i64::from(absolute).wrapping_sub(self.origin);
        u8::try_from(band).unwrap_or(if band < 0 { 0 } else { LAST })
    }

    /// Centers an empty map on the price at which accounts would be liquidated, to the octave.
    pub(crate) fn center(&mut self, price: Price, index: Index, ltv: Bps) {
        (self.origin, self.centered) = (centered_at(price, index, ltv), price);
        // Near where it will be asked for: the sums of an empty map are nothing wherever they begin.
        self.threshold = CENTER.unsigned_abs();
    }

    /// Debt shares in the bands `from` to `to`, both included.
    #[must_use]
    pub fn shares_between(&self, from: u8, to: u8) -> u64 {
        let bands = self.bands.get(usize::from(from)..=usize::from(to)).unwrap_or(&[]);
        // As in `follow`.
        bands.iter().fold(0, |sum, shares| sum.wrapping_add(shares.0))
    }
}

/// The origin of a map that is centered on a price.
fn centered_at(price: Price, index: Index, ltv: Bps) -> i64 {
    let origin = (log_at(price, index, ltv) >> BAND_BITS).saturating_sub(CENTER);
    (origin >> PER_OCTAVE_BITS) << PER_OCTAVE_BITS
}

#[cfg(test)]
mod tests;

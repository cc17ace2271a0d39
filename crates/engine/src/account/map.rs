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
/// How many foldings the map tells apart.
const FOLDS: usize = 8;
/// How far the guarded price goes from where the map was last centered before it is centered again, in octaves.
const FAR: u32 = 2;

/// Fractional bits of [`log2`].
const LOG_BITS: u32 = 16;
/// Bits of [`log2`] below a band.
const BAND_BITS: u32 = LOG_BITS - PER_OCTAVE_BITS;
/// See [`LiquidationMap::band`].
const QUOTIENT_BITS: i64 = 20;
/// See [`LiquidationMap::threshold_at`]. A logarithm is from 5 units too small to 1 too large: so an account may be up
/// to 5 above the upper edge of its band, and where the price stands is known to 6. From there on a band is counted:
/// not one with its edge 20 units below the price, 0.021%, while its weight has 2^-12, 0.024%.
const THRESHOLD_MARGIN: i64 = 14;
/// log2 of 10,000 in units of 2^-16, rounded to nearest.
const LOG_BPS: i64 = 870_824;
/// Steps of the table between whose entries [`log2`] draws straight lines.
const STEPS: usize = 64;

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

stored! {
    /// Effect of the map's foldings on the accounts that were put into their bands at one time: those from `top` on are
    /// in the last band, the others in `low` if that is higher than their own.
    Fold {
        /// It concerns who was put into a band after at most so many foldings, and after more than the fold before it
        /// says.
        last: u16,
        /// Absolute band.
        low: i16,
        /// Absolute band.
        top: i16,
        /// Zeros.
        padding: [u8; 2],
    }
}

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
    shares: u64,
    weight: u128,
}

/// log2(1 + i ÷ [`STEPS`]) in units of 2^-16, rounded to nearest, and how much larger it is at i + 1. By squaring:
/// each square that reaches two gives a bit.
#[allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    reason = "evaluated by the compiler: it would not compile"
)]
const LOG_TABLE: [(u32, u32); STEPS] = {
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
const EXP_TABLE: [u64; 32] = {
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
fn weight(band: u8) -> u32 {
    WEIGHTS.get(usize::from(band)).copied().unwrap_or(0)
}

/// log2 in units of 2^-16 of a number that is not zero: at most 5 units below the exact value (0.005% of the argument),
/// at most 1 above it, and never falling.
#[inline]
fn log2(x: u64) -> i64 {
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
fn log2_mantissa(mantissa: u64) -> i64 {
    let step = (mantissa >> 57 & 63) as usize;
    let part = mantissa >> 41 & 0xffff;
    let (low, slope) = LOG_TABLE.get(step).copied().unwrap_or((0, 0));
    // Less than 2^11 × 2^16.
    let rise = u64::from(slope).wrapping_mul(part) >> 16;
    u64::from(low).wrapping_add(rise).cast_signed()
}

/// [`log2`] of a number of up to 128 bits that is not zero.
#[inline]
fn log2_wide(x: u128) -> i64 {
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

/// x × 2^bits, rounded down, if it is below 2^63.
#[inline]
fn shifted(x: u64, bits: i64) -> Option<u64> {
    let by = u32::try_from(bits.unsigned_abs().min(63)).unwrap_or(63);
    if bits < 0 {
        return Some(x >> by);
    }
    (x >> 63u32.wrapping_sub(by) == 0).then_some(x << by)
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

    /// [`LiquidationMap::band_at`] of an account that has not been touched since the last folding.
    #[cold]
    #[inline(never)]
    fn band_folded(&self, place: Place) -> u8 {
        let used = usize::try_from(self.told_apart).unwrap_or(FOLDS);
        let fold = self.folded.iter().take(used).find(|fold| place.folds <= fold.last);
        match fold {
            Some(fold) if place.band >= fold.top => LAST,
            Some(fold) => self.within(place.band.max(fold.low)),
            None => self.within(place.band),
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

    /// Centers the map anew, whatever it holds, if the price is two octaves or more from where it was last centered.
    /// The kept sums then begin at the last band. Returns whether the origin moved.
    #[inline]
    pub(crate) fn follow_price(&mut self, price: Price, index: Index, ltv: Bps) -> bool {
        let (now, then) = (price.raw(), self.centered.raw());
        // Cheaper than a logarithm; what the index has grown since is well within the octaves on both sides.
        (now >> FAR >= then || now <= then >> FAR) && self.move_origin(price, index, ltv)
    }

    #[cold]
    #[inline(never)]
    fn move_origin(&mut self, price: Price, index: Index, ltv: Bps) -> bool {
        let to = centered_at(price, index, ltv);
        self.centered = price;
        let moved = to != self.origin && self.fold(to);
        if moved {
            // The weights are those of the new bands.
            self.threshold = u64::from(LAST);
            self.store(Sums { shares: 0, weight: 0 });
            let shares = self.shares_between(LAST, LAST);
            self.under_shares = DebtShares(shares);
        }
        moved
    }

    /// Moves the bands to where they are from the origin `to` on. Returns false, with nothing changed, once accounts
    /// could not remember the number of another folding.
    fn fold(&mut self, to: i64) -> bool {
        let up = to > self.origin;
        let far = self.origin.abs_diff(to).min(u64::from(LAST));
        // At most the last band.
        let by = u8::try_from(far).unwrap_or(LAST);
        // The bands that the map no longer reaches, the last one left out.
        let folded = match (by, up) {
            (0, _) => 0,
            (_, true) => self.shares_between(0, by.wrapping_sub(1)),
            (_, false) => self.shares_between(LAST.wrapping_sub(by), LAST.wrapping_sub(1)),
        };
        if folded > 0 && self.folds >= u64::from(u16::MAX) {
            return false;
        }
        let (by, last) = (usize::from(by), usize::from(LAST));
        let kept = last.saturating_sub(by);
        // All but the last band: `kept` of them stay, and the others are empty.
        let bands = self.bands.get_mut(..last).unwrap_or(&mut []);
        if up {
            bands.copy_within(by.., 0);
            bands.iter_mut().skip(kept).for_each(|band| *band = DebtShares::ZERO);
        } else {
            bands.copy_within(..kept, by);
            bands.iter_mut().take(by).for_each(|band| *band = DebtShares::ZERO);
        }
        if let Some(end) = self.bands.get_mut(if up { 0 } else { last }) {
            // As in `shift`.
            end.0 = end.0.wrapping_add(folded);
        }
        self.origin = to;
        if folded > 0 {
            self.note_fold(up);
        }
        true
    }

    /// Notes that shares have been folded: into the first band after a move up, into the last one after a move down.
    fn note_fold(&mut self, up: bool) {
        let at = |absolute: i64| i16::try_from(absolute).unwrap_or(if absolute < 0 { i16::MIN } else { BEYOND });
        let (first, last) = (at(self.origin), at(self.origin.saturating_add(i64::from(LAST))));
        let latest = Fold {
            last: u16::try_from(self.folds).unwrap_or(u16::MAX),
            low: i16::MIN,
            top: BEYOND,
            padding: [0; 2],
        };
        self.folds = self.folds.saturating_add(1);
        let used = usize::try_from(self.told_apart).unwrap_or(FOLDS);
        let before = self.folded;
        let mut kept = 0usize;
        let mut newest: Option<Fold> = None;
        for fold in before.into_iter().take(used).chain([latest]) {
            let fold = fold.then(up, first, last);
            let joined = newest.is_some_and(|newest| newest.does_as(fold));
            kept = kept.saturating_add(usize::from(!joined));
            let Some(place) = kept.checked_sub(1).and_then(|place| self.folded.get_mut(place)) else {
                return self.lump(latest.last);
            };
            (*place, newest) = (fold, Some(fold));
        }
        self.folded
            .iter_mut()
            .skip(kept)
            .for_each(|fold| *fold = bytemuck::Zeroable::zeroed());
        self.told_apart = u64::try_from(kept).unwrap_or(0);
    }

    /// More foldings than can be told apart: all shares go into the last band, and count whole until they are touched.
    fn lump(&mut self, last: u16) {
        let all = self.shares_between(0, LAST);
        self.bands = [DebtShares::ZERO; BANDS];
        if let Some(band) = self.bands.last_mut() {
            *band = DebtShares(all);
        }
        self.folded = bytemuck::Zeroable::zeroed();
        if let Some(fold) = self.folded.first_mut() {
            *fold = Fold { last, ..Fold::WHOLE };
        }
        self.told_apart = 1;
    }

    /// The kept sums.
    fn sums(&self) -> Sums {
        let [low, high] = self.under_weight;
        Sums {
            shares: self.under_shares.0,
            weight: num::join(high, low),
        }
    }

    fn store(&mut self, sums: Sums) {
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

    /// Debt shares in the bands `from` to `to`, both included.
    #[must_use]
    pub fn shares_between(&self, from: u8, to: u8) -> u64 {
        let bands = self.bands.get(usize::from(from)..=usize::from(to)).unwrap_or(&[]);
        // As in `follow`.
        bands.iter().fold(0, |sum, shares| sum.wrapping_add(shares.0))
    }
}

impl Fold {
    /// It puts all into the last band.
    const WHOLE: Self = Self {
        last: 0,
        low: i16::MIN,
        top: i16::MIN,
        padding: [0; 2],
    };

    /// This fold once the map has also moved up or down, to the bands `first` to `last`.
    fn then(self, up: bool, first: i16, last: i16) -> Self {
        if up {
            let low = self.low.max(first);
            return if self.top == i16::MIN {
                self
            } else {
                Self { low, ..self }
            };
        }
        if self.low >= last {
            return Self {
                last: self.last,
                ..Self::WHOLE
            };
        }
        Self {
            top: self.top.min(last),
            ..self
        }
    }

    /// True if both do the same to the accounts they concern.
    fn does_as(self, other: Self) -> bool {
        (self.low, self.top) == (other.low, other.top)
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

/// The origin of a map that is centered on a price.
fn centered_at(price: Price, index: Index, ltv: Bps) -> i64 {
    let origin = (log_at(price, index, ltv) >> BAND_BITS).saturating_sub(CENTER);
    (origin >> PER_OCTAVE_BITS) << PER_OCTAVE_BITS
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

#[cfg(test)]
mod tests;

//! The map follows the price: how bands are folded into others, and what that does to accounts that nobody looks at.

use super::{BANDS, BEYOND, LAST, LiquidationMap, Place, centered_at, sums::Sums};
use crate::math::units::{Bps, DebtShares, Index, Price};

/// How many foldings the map tells apart.
const FOLDS: usize = 8;
/// How far the guarded price goes from where the map was last centered before it is centered again, in octaves.
pub(super) const FAR: u32 = 2;

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

impl LiquidationMap {
    /// [`LiquidationMap::band_at`] of an account that has not been touched since the last folding.
    #[cold]
    #[inline(never)]
    pub(super) fn band_folded(&self, place: Place) -> u8 {
        let used = usize::try_from(self.told_apart).unwrap_or(FOLDS);
        let fold = self.folded.iter().take(used).find(|fold| place.folds <= fold.last);
        match fold {
            Some(fold) if place.band >= fold.top => LAST,
            Some(fold) => self.within(place.band.max(fold.low)),
            None => self.within(place.band),
        }
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

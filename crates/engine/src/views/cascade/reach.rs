//! Whom a falling price reaches, and what is repaid and sold for them.

use super::{Close, START};
use crate::{
    account::map::{BANDS, LiquidationMap},
    error::Result,
    math::{
        num::{self, BPS},
        units::{Bps, DebtShares, Index, Price},
    },
};

/// Edge of the band without an upper edge.
const UNBOUNDED: u64 = u64::MAX;

/// The debt of a band of the map. Prices in units of 2^-16 bps of the price at the start.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Band {
    /// The price at the upper edge, rounded up: what is liquidated, and how much, is judged by it.
    pub edge: u64,
    /// The price below which the band is due: the edge, but the price at the start for the band that this is in.
    from: u64,
    /// The price at the lower edge, rounded down.
    lower: u64,
    /// Quote atoms.
    pub debt: u64,
    /// debt ÷ edge, quote atoms for each price at the start, rounded down.
    pub by_edge: u128,
}

/// The bands with debt, highest first, and empty ones.
///
/// # Errors
/// [`crate::Error::Overflow`].
pub(super) fn bands(map: &LiquidationMap, index: Index, ltv: Bps, price: Price) -> Result<[Band; BANDS]> {
    let mut bands = [Band::default(); BANDS];
    let mut free = bands.iter_mut();
    let mut edge = UNBOUNDED;
    for (number, shares) in (0..=u8::MAX).zip(map.bands).rev() {
        let (lower, above) = to_ratio(map.edge(number, index, ltv)?, price)?;
        if shares > DebtShares::ZERO
            && let Some(band) = free.next()
        {
            let debt = index.debt(shares)?.0;
            *band = Band {
                edge,
                from: if lower < START { edge.min(START) } else { edge },
                lower,
                debt,
                by_edge: num::wide(debt, START).checked_div(edge.into()).unwrap_or(0),
            };
        }
        edge = above;
    }
    Ok(bands)
}

/// A price as a part of another, rounded down and up.
fn to_ratio(price: Price, start: Price) -> Result<(u64, u64)> {
    // The leading 96 bits of the larger: an edge is within eight octaves of the other, or far beyond all falls.
    let bits = 128u32.saturating_sub(price.raw().max(start.raw()).leading_zeros());
    let drop = bits.saturating_sub(96);
    let (price, start) = (price.raw() >> drop, start.raw() >> drop);
    let floor = num::div_floor(num::q_times(price, START)?, start.saturating_add(u128::from(drop > 0)))?;
    let ceil = num::div_ceil(num::q_times(price.saturating_add(u128::from(drop > 0)), START)?, start)?;
    let narrow = |ratio: u128| u64::try_from(ratio).unwrap_or(UNBOUNDED);
    Ok((narrow(floor), narrow(ceil).max(1)))
}

impl Band {
    /// True if its accounts owe more than their collateral is worth at a price. There are none without debt.
    pub fn is_under_water(&self, price: u64, ltv: Bps) -> bool {
        self.debt > 0 && num::wide(price, BPS) < num::wide(self.edge, ltv.factor())
    }

    /// The part of its debt that is due at a price, as if it were spread evenly over the band, quote atoms × 10,000,
    /// rounded up.
    pub fn reached_at(&self, price: u64) -> u128 {
        let all = num::wide(self.debt, BPS);
        if price <= self.lower {
            return all;
        }
        // A band below its lower edge that is not below this one: from > price > lower.
        let span = u128::from(self.from.saturating_sub(self.lower));
        let passed = u128::from(self.from.saturating_sub(price));
        all.saturating_mul(passed).div_ceil(span.max(1))
    }
}

/// The accounts that a falling price has reached.
pub(super) struct Reached<'a> {
    close: &'a Close,
    /// Not reached yet.
    next: core::slice::Iter<'a, Band>,
    /// Reached, and not yet due whole, or empty.
    partial: core::slice::Iter<'a, Band>,
    lowest: u64,
    /// Debt of the bands that are liquidated in part, quote atoms, and the same divided by their edges.
    debt: u128,
    by_edge: u128,
    /// Debt of the bands that are liquidated whole, quote atoms.
    whole: u128,
}

impl<'a> Reached<'a> {
    /// None, at the price at the start.
    pub fn new(bands: &'a [Band], close: &'a Close) -> Self {
        Self {
            close,
            next: bands.iter(),
            partial: bands.iter(),
            lowest: START,
            debt: 0,
            by_edge: 0,
            whole: 0,
        }
    }

    /// The lowest price so far.
    pub fn lowest(&self) -> u64 {
        self.lowest
    }

    /// The price falls, or does not.
    pub fn fall_to(&mut self, price: u64) {
        self.lowest = self.lowest.min(price);
        let lowest = self.lowest;
        while let Some(band) = self.next.as_slice().first().filter(|band| lowest < band.from) {
            self.debt = self.debt.saturating_add(band.debt.into());
            self.by_edge = self.by_edge.saturating_add(band.by_edge);
            self.next.next();
        }
        let behind = self.next.as_slice().len();
        while self.partial.as_slice().len() > behind
            && let Some(band) = self.partial.as_slice().first().filter(|band| self.is_whole(band))
        {
            self.debt = self.debt.saturating_sub(band.debt.into());
            self.by_edge = self.by_edge.saturating_sub(band.by_edge);
            self.whole = self.whole.saturating_add(band.debt.into());
            self.partial.next();
        }
    }

    fn is_whole(&self, band: &Band) -> bool {
        num::wide(self.lowest, BPS) <= num::wide(band.edge, self.close.whole.factor())
    }

    /// Partial repayments, quote atoms × 10,000, rounded up: (first + slope) × debt − slope × price × debt ÷
    /// edge.
    pub fn partial(&self) -> u128 {
        let Close { first, slope, .. } = *self.close;
        let at_most = self
            .debt
            .saturating_mul(first.factor().saturating_add(slope.factor()).into());
        let kept = self
            .by_edge
            .saturating_mul(self.lowest.into())
            .checked_div(START.into())
            .unwrap_or(0);
        at_most.saturating_sub(kept.saturating_mul(slope.factor().into()))
    }

    /// All repayments, quote atoms × 10,000, rounded up.
    pub fn repaid(&self) -> u128 {
        self.partial().saturating_add(self.whole.saturating_mul(BPS.into()))
    }

    /// Sales for all repayments, quote atoms × 10,000, rounded up.
    pub fn sales(&self) -> u128 {
        let Close {
            sold_for, whole_for, ..
        } = *self.close;
        let partial = self.partial().saturating_mul(sold_for.factor().into());
        let whole = self.whole.saturating_mul(whole_for.factor().into());
        partial.div_ceil(u128::from(BPS)).saturating_add(whole)
    }
}

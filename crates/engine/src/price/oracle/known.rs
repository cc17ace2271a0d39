//! A market's knowledge of its feeds: the newest reading of each, and the newest set that belongs together.
//!
//! Nothing that anybody shows is refused for its order. The newer of the shown and the known reading of a feed counts,
//! so time never runs back, and nobody who shows a newer reading keeps others from going on with theirs. Nothing need
//! be shown at all while what is known is young enough.
//!
//! The dollar feeds of a price must have been published within `max_skew` of each other: a ratio of two moments is a
//! price that there never was. Whoever advances one feed alone makes the newest ones differ by more than that; then the
//! newest set is used, which stays until there is a newer one.
//!
//! An age counts from publishing, or from accepting where that is earlier, for the chain's clock may be late: a reading
//! up to an hour ahead of it is accepted. One that is wrong about the time would be the newest for as long; so it gives
//! way to one that is not ahead of the clock. One reading does not tell which of the two is wrong:
//!
//! - Once it has been known for longer than the oldest price for liquidating, it gives way to one that is newer than the
//!   one before it. While the clock is late, that one was ahead of the clock as well: then nothing gives way yet, and
//!   time does not run back.
//! - Once it has been known for [`SILENCE`], it gives way to any. For the one before it may be wrong too.
//! - Nothing up to the age for liquidating later than what gave way is accepted while it is ahead of the clock, until
//!   what is known has passed it. A feed that lives has published a later one by then, so a late clock bars none that
//!   is fresh; and whoever has several that are wrong can show each of them once.

use super::{Feeds, Oracle, RawReading, Readings};
use crate::{
    config::Config,
    error::{Error, Result},
    math::units::Clock,
};
use bytemuck::Zeroable;

/// Exponents that a reading may have.
const EXPONENTS: core::ops::RangeInclusive<i32> = -18..=12;

/// How far ahead of the chain's clock a reading may be, seconds: so late that clock has been, and may be again.
pub const MAX_AHEAD: i64 = 3_600;

/// How long nothing newer must have been shown than a reading ahead of the clock, seconds, before it gives way to any
/// that is not: so long must nobody look at a market whose clock is late before time can run back there.
pub const SILENCE: i64 = 300;

stored! {
    /// One feed's numbers: mantissas, × 10^`expo` USD; positive.
    FeedPrice {
        /// Aggregate price; zero before the first reading.
        price: u64,
        /// Half-width of the confidence interval, in the price's units.
        conf: u64,
        /// Pyth's moving average; zero if it gives none.
        ema: u64,
        /// Decimal exponent.
        expo: i32,
        /// Zeros.
        padding: [u8; 4],
    }
}

stored! {
    /// A reading that a market has accepted.
    Reading {
        /// Price of the reading.
        of: FeedPrice,
        /// When it was published, seconds since 1970.
        published: i64,
        /// When it was accepted, seconds since 1970.
        accepted_at: i64,
        /// Publish time of the reading that one of the two ahead of the clock last replaced, seconds since 1970: earlier
        /// than `published` if it was the newest before it, later if it gave way; zero if there was none.
        replaced: i64,
    }
}

stored! {
    /// A reading of each dollar feed.
    ReadingSet {
        /// Collateral token in USD.
        collateral: Reading,
        /// Quote token in USD.
        quote: Reading,
        /// Base token in USD; zeros without one.
        base: Reading,
    }
}

stored! {
    /// A market's knowledge of its feeds.
    Known {
        /// The newest reading of each dollar feed.
        newest: ReadingSet,
        /// The newest set within `max_skew`, kept from when the newest readings began to be further apart.
        set: ReadingSet,
        /// The newest redemption rate; zeros without one.
        rate: Reading,
    }
}

/// A market's knowledge once it has looked at the readings shown: the readings that are to be stored and no others. It
/// is filled where it is, and handed over by reference: on chain, each copy of it would cost as much as looking at a
/// reading.
pub(crate) struct Look {
    /// The newest reading of the collateral feed.
    collateral: Reading,
    /// The newest reading of the quote feed.
    quote: Reading,
    /// The newest readings of base and rate feed, of redeemable collateral.
    redemption: Option<(Reading, Reading)>,
    /// The newest set, where the newest readings are too far apart: then it is used.
    set: Option<ReadingSet>,
}

/// A reading of each dollar feed that a market has.
#[derive(Clone, Copy)]
pub(super) struct Dollars<'a> {
    pub collateral: &'a Reading,
    pub quote: &'a Reading,
    /// Reading of the base feed, for redeemable collateral.
    pub base: Option<&'a Reading>,
}

impl FeedPrice {
    /// Pyth's moving average, if there is one.
    #[inline]
    pub(super) fn ema(&self) -> Option<u64> {
        (self.ema > 0).then_some(self.ema)
    }
}

impl Reading {
    /// From when it counts as its feed's price, seconds since 1970: when it was published, or accepted if that was
    /// earlier.
    #[inline]
    #[must_use]
    pub fn since(&self) -> i64 {
        self.published.min(self.accepted_at)
    }

    /// True if none was accepted yet.
    #[inline]
    fn is_none(&self) -> bool {
        self.of.price == 0
    }

    /// `raw`, accepted now.
    ///
    /// # Errors
    /// [`Error::PriceNotPositive`], [`Error::PriceExponentOutOfRange`], [`Error::PriceFromFuture`].
    #[inline]
    fn accept(raw: &RawReading, replaced: i64, clock: Clock) -> Result<Self> {
        let price = u64::try_from(raw.price)
            .ok()
            .filter(|price| *price > 0)
            .ok_or(Error::PriceNotPositive)?;
        if !EXPONENTS.contains(&raw.expo) {
            return Err(Error::PriceExponentOutOfRange);
        }
        if raw.publish_time > clock.unix.saturating_add(MAX_AHEAD) {
            return Err(Error::PriceFromFuture);
        }
        Ok(Self {
            of: FeedPrice {
                price,
                conf: raw.conf,
                ema: u64::try_from(raw.ema_price).unwrap_or(0),
                expo: raw.expo,
                padding: [0; 4],
            },
            published: raw.publish_time,
            accepted_at: clock.unix,
            replaced,
        })
    }

    /// Becomes what is shown, unless it is newer itself; of one second, what is shown counts.
    ///
    /// # Errors
    /// The errors of [`Reading::accept`]; `missing` if there is neither.
    #[inline]
    fn take_newer(&mut self, shown: Option<&RawReading>, config: &Config, clock: Clock, missing: Error) -> Result<()> {
        let Some(raw) = shown else {
            return if self.is_none() { Err(missing) } else { Ok(()) };
        };
        let reading = Self::accept(raw, self.replaced, clock)?;
        if self.is_none() || raw.publish_time > self.published {
            if raw.publish_time <= clock.unix {
                *self = reading;
            } else if !self.bars(raw.publish_time, config) {
                *self = Self {
                    replaced: self.published,
                    ..reading
                };
            }
        } else if raw.publish_time == self.published {
            // Pyth's times are whole seconds, and it publishes several times in one.
            *self = Self {
                accepted_at: self.accepted_at,
                ..reading
            };
        } else if self.gives_way(raw.publish_time, config, clock) {
            *self = Self {
                replaced: self.published,
                ..reading
            };
        }
        // Else it is older: what is known counts.
        Ok(())
    }

    /// True if it gives way to a reading published then, which is older: it is ahead of the clock and that one is not,
    /// and it has been known for longer than a price may be old.
    #[inline]
    fn gives_way(&self, published: i64, config: &Config, clock: Clock) -> bool {
        if self.published <= clock.unix || published > clock.unix {
            return false;
        }
        let known_for = clock.unix.saturating_sub(self.accepted_at);
        known_for > i64::from(config.max_age_long) && (published > self.replaced || known_for > SILENCE)
    }

    /// True if one published then is not accepted while it is ahead of the clock: too much like one that gave way.
    #[inline]
    fn bars(&self, published: i64, config: &Config) -> bool {
        let last = self.replaced.saturating_add_unsigned(config.max_age_long.into());
        self.replaced > self.published && published <= last
    }
}

impl Dollars<'_> {
    /// From when the oldest of them is, seconds since 1970.
    #[inline]
    pub(super) fn since(&self) -> i64 {
        let since = self.collateral.since().min(self.quote.since());
        self.base.map_or(since, |base| since.min(base.since()))
    }

    /// When the first and the last of them were published. A set is newer if its first is, or as new and its last is:
    /// a price is as old as its first reading, so none that is younger is refused for a reading that is older.
    #[inline]
    fn span(&self) -> (i64, i64) {
        let (one, other) = (self.collateral.published, self.quote.published);
        let (mut first, mut last) = (one.min(other), one.max(other));
        if let Some(base) = self.base {
            first = first.min(base.published);
            last = last.max(base.published);
        }
        (first, last)
    }

    /// True if all of them were published within `max_skew`. Where none was accepted yet they were not.
    #[inline]
    fn are_together(&self, config: &Config) -> bool {
        let (first, last) = self.span();
        !self.collateral.is_none() && last.saturating_sub(first) <= i64::from(config.max_skew)
    }
}

impl ReadingSet {
    fn all(&self) -> [&Reading; 3] {
        [&self.collateral, &self.quote, &self.base]
    }

    /// Readings of the feeds that a market has.
    #[inline]
    fn dollars(&self, redeemable: bool) -> Dollars<'_> {
        Dollars {
            collateral: &self.collateral,
            quote: &self.quote,
            base: redeemable.then_some(&self.base),
        }
    }

    /// True if a reading of it has given way since to one of `newest`.
    fn has_given_way(&self, newest: &Self) -> bool {
        let mut pairs = self.all().into_iter().zip(newest.all());
        pairs.any(|(this, newest)| this.published > newest.published)
    }

    /// The readings that are shown, and where none is, these.
    ///
    /// # Errors
    /// None where these were accepted beside what is shown.
    fn shown_beside(&self, shown: &Readings, config: &Config, clock: Clock) -> Result<Self> {
        let pick = |known: &Reading, shown: Option<&RawReading>| {
            shown.map_or(Ok(*known), |raw| {
                let is_barred = raw.publish_time > clock.unix && known.bars(raw.publish_time, config);
                if raw.publish_time == known.published || is_barred {
                    Ok(*known)
                } else {
                    Reading::accept(raw, known.replaced, clock)
                }
            })
        };
        Ok(Self {
            collateral: pick(&self.collateral, shown.collateral.as_ref())?,
            quote: pick(&self.quote, shown.quote.as_ref())?,
            base: pick(&self.base, shown.base.as_ref())?,
        })
    }
}

impl Known {
    /// The part kept when other feeds are pinned: the newest readings of those that stay.
    pub(crate) fn kept(&self, old: &Oracle, new: &Oracle) -> Self {
        let keep = |(reading, stays): (&Reading, bool)| if stays { *reading } else { Zeroable::zeroed() };
        let Feeds {
            collateral,
            quote,
            base,
            rate,
        } = self.beside(old, new).map(keep);
        Self {
            newest: ReadingSet {
                collateral,
                quote,
                base,
            },
            set: Zeroable::zeroed(),
            rate,
        }
    }

    /// When a reading of a feed that other pins replace was last accepted, seconds since 1970.
    pub(crate) fn accepted_of_replaced(&self, old: &Oracle, new: &Oracle) -> i64 {
        self.beside(old, new)
            .each()
            .into_iter()
            .map(|(reading, stays)| if stays { 0 } else { reading.accepted_at })
            .fold(0, i64::max)
    }

    /// The newest reading of each feed, and whether `new` pins that feed as `old` does.
    fn beside(&self, old: &Oracle, new: &Oracle) -> Feeds<(&Reading, bool)> {
        let stays = old.feeds().zip(new.feeds()).map(|(old, new)| old == new);
        self.readings().zip(stays)
    }

    /// The newest reading of each feed.
    #[inline]
    fn readings(&self) -> Feeds<&Reading> {
        Feeds {
            collateral: &self.newest.collateral,
            quote: &self.newest.quote,
            base: &self.newest.base,
            rate: &self.rate,
        }
    }
}

impl Look {
    /// The known readings before anything is looked at.
    #[inline]
    pub(crate) fn at(known: &Known, redeemable: bool) -> Self {
        Self {
            collateral: known.newest.collateral,
            quote: known.newest.quote,
            // Not `then_some`, which copies them in any case.
            redemption: if redeemable {
                Some((known.newest.base, known.rate))
            } else {
                None
            },
            set: None,
        }
    }

    /// Looks at what is shown beside what was `known`.
    ///
    /// # Errors
    /// The errors of a reading: [`Error::PriceNotPositive`], [`Error::PriceExponentOutOfRange`],
    /// [`Error::PriceFromFuture`]; [`Error::PriceRequired`], [`Error::RedemptionFeedsRequired`] where nothing is shown
    /// or known of a feed.
    #[inline]
    pub(crate) fn take(&mut self, known: &Known, config: &Config, shown: &Readings, clock: Clock) -> Result<()> {
        let missing = Error::PriceRequired;
        self.collateral
            .take_newer(shown.collateral.as_ref(), config, clock, missing)?;
        self.quote.take_newer(shown.quote.as_ref(), config, clock, missing)?;
        if let Some((base, rate)) = &mut self.redemption {
            let missing = Error::RedemptionFeedsRequired;
            base.take_newer(shown.base.as_ref(), config, clock, missing)?;
            rate.take_newer(shown.rate.as_ref(), config, clock, missing)?;
        }
        if !self.newest().are_together(config) {
            self.find_set(known, config, shown, clock)?;
        }
        Ok(())
    }

    /// The newest set while the newest readings are none: what was the newest until now, what is shown, or the one that
    /// is kept.
    #[cold]
    #[inline(never)]
    fn find_set(&mut self, known: &Known, config: &Config, shown: &Readings, clock: Clock) -> Result<()> {
        let redeemable = self.redemption.is_some();
        let mut set = known.set;
        if known.newest.dollars(redeemable).are_together(config) {
            set = known.newest;
        }
        let newest = ReadingSet {
            collateral: self.collateral,
            quote: self.quote,
            base: self.redemption.map_or(known.newest.base, |(base, _)| base),
        };
        if set.has_given_way(&newest) {
            set = Zeroable::zeroed();
        }
        let mut shown = newest.shown_beside(shown, config, clock)?;
        if !redeemable {
            shown.base = known.newest.base;
        }
        let span = |set: &ReadingSet| set.dollars(redeemable).span();
        if shown.dollars(redeemable).are_together(config) && span(&shown) > span(&set) {
            set = shown;
        }
        self.set = Some(set);
        Ok(())
    }

    /// The newest readings of the dollar feeds.
    #[inline]
    fn newest(&self) -> Dollars<'_> {
        Dollars {
            collateral: &self.collateral,
            quote: &self.quote,
            base: self.redemption.as_ref().map(|(base, _)| base),
        }
    }

    /// The readings of the dollar feeds that count.
    #[inline]
    pub(super) fn used(&self) -> Dollars<'_> {
        match &self.set {
            Some(set) => set.dollars(self.redemption.is_some()),
            None => self.newest(),
        }
    }

    /// The redemption rate that counts, of redeemable collateral.
    #[inline]
    pub(super) fn rate(&self) -> Option<&Reading> {
        self.redemption.as_ref().map(|(_, rate)| rate)
    }

    /// Checks the age of what counts.
    ///
    /// # Errors
    /// [`Error::PriceTooOld`]; [`Error::FeedsTooFarApart`] where the newest readings would be young enough, were they
    /// not too far apart.
    #[inline]
    pub(super) fn check_age(&self, config: &Config, max_age: u32, clock: Clock) -> Result<()> {
        // A sum saturates at one end only, which is cheaper than a difference.
        let is_old = |since: i64, most: u32| clock.unix > since.saturating_add_unsigned(most.into());
        if is_old(self.used().since(), max_age) {
            let apart = self.set.is_some() && !is_old(self.newest().since(), max_age);
            return Err(if apart {
                Error::FeedsTooFarApart
            } else {
                Error::PriceTooOld
            });
        }
        if self
            .rate()
            .is_some_and(|rate| is_old(rate.since(), config.max_age_rate))
        {
            return Err(Error::PriceTooOld);
        }
        Ok(())
    }

    /// True if of some feed it knows a newer reading than `known`.
    pub(crate) fn is_newer(&self, known: &Known) -> bool {
        let newer = |reading: &Reading, known: &Reading| reading.published > known.published;
        newer(&self.collateral, &known.newest.collateral)
            || newer(&self.quote, &known.newest.quote)
            || self
                .redemption
                .is_some_and(|(base, rate)| newer(&base, &known.newest.base) || newer(&rate, &known.rate))
    }

    /// Stores it where it comes from.
    #[inline]
    pub(crate) fn store(&self, known: &mut Known) {
        known.newest.collateral = self.collateral;
        known.newest.quote = self.quote;
        if let Some((base, rate)) = self.redemption {
            (known.newest.base, known.rate) = (base, rate);
        }
        if let Some(set) = self.set {
            known.set = set;
        }
    }
}

#[cfg(test)]
mod tests;

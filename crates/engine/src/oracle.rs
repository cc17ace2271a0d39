//! Prices: which readings are believed, and which price each kind of action uses.
//!
//! A reading is refused, with an error of its own, when it is not positive, has an exponent out of range, comes from
//! the future, is too old for the action, is older than one already accepted, or (unless merely observed) is too
//! uncertain. The price of collateral in quote is the collateral feed over the quote feed, so a depeg of the quote
//! token is seen.

use crate::{
    config::Config,
    error::{Error, Result},
    num::{self, BPS},
    units::{Clock, Key, Price},
};

/// [`FeedPin::kind`] of a Pyth pull feed (`PriceUpdateV2`).
pub const FEED_PULL: u8 = 1;
/// [`FeedPin::kind`] of a classic Pyth push price account.
pub const FEED_PUSH: u8 = 2;

/// Exponents that a reading may have.
const EXPONENTS: core::ops::RangeInclusive<i32> = -18..=12;
/// The powers of ten by which two feeds and two mints may be scaled: all that fit `u64`.
const POWERS: [u64; 20] = powers_of_ten();

#[allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "evaluated by the compiler: it would not compile"
)]
const fn powers_of_ten() -> [u64; 20] {
    let mut powers = [1; 20];
    let mut index = 1;
    while index < powers.len() {
        powers[index] = powers[index - 1] * 10;
        index += 1;
    }
    powers
}

/// Prices of 2^40 quote atoms and more for one collateral atom are refused: below it, a price × 10,000 fits `u128`.
const MAX_INTEGER: u128 = 1 << 40;

stored! {
    /// Where a market's price comes from; pinned at creation.
    FeedPin {
        /// Pull: the feed id. Push: the address of the price account.
        key: Key,
        /// Push: the program that owns the price account. Pull: zeros, any known Pyth receiver program may own it.
        owner: Key,
        /// 1 = pull (`PriceUpdateV2`), 2 = push (classic price account).
        kind: u8,
        /// Zeros.
        padding: [u8; 7],
    }
}

stored! {
    /// A market's two feeds and the newest publish times it has accepted.
    Oracle {
        /// USD price of the collateral token.
        collateral_feed: FeedPin,
        /// USD price of the quote token.
        quote_feed: FeedPin,
        /// Newest publish time accepted for the collateral feed, seconds since 1970.
        collateral_published: i64,
        /// Newest publish time accepted for the quote feed, seconds since 1970.
        quote_published: i64,
    }
}

/// What a Pyth account says, decoded and not yet believed. Prices are mantissas: price × 10^`expo` USD.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawReading {
    /// Aggregate price.
    pub price: i64,
    /// Half-width of the confidence interval, in the price's units.
    pub conf: u64,
    /// Decimal exponent.
    pub expo: i32,
    /// Pyth's exponentially weighted moving average of the price.
    pub ema_price: i64,
    /// When the price was published, seconds since 1970.
    pub publish_time: i64,
}

/// What a price is wanted for; it decides how old the price may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Borrowing, withdrawing against debt, buying inventory.
    Trade,
    /// Liquidating.
    Liquidate,
    /// Only recording: wide confidence is no reason to refuse.
    Observe,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Reading {
    price: u64,
    conf: u64,
    ema: Option<u64>,
    expo: i32,
}

/// An accepted pair of readings. Its methods compose the prices that actions use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prices {
    collateral: Reading,
    quote: Reading,
    /// Decimal shift from a ratio of mantissas to quote atoms per collateral atom.
    shift: i32,
    /// Collateral price ÷ quote price, rounded down.
    spot: Price,
}

record! {
    /// Prices as the market accepted them; also the body of the event `PriceObserved`.
    Observation {
        /// Aggregate price.
        spot: Price,
        /// Lower end of the confidence interval.
        low: Price,
        /// Upper end of the confidence interval.
        high: Price,
        /// Publish time of the collateral feed, seconds since 1970.
        collateral_published: i64,
        /// Publish time of the quote feed, seconds since 1970.
        quote_published: i64,
    }
}

#[derive(Clone, Copy)]
enum Round {
    Down,
    Up,
}

impl FeedPin {
    /// Checks that the pin is complete.
    ///
    /// # Errors
    /// [`Error::FeedKindUnknown`], [`Error::FeedPinInvalid`].
    pub fn validate(&self) -> Result<()> {
        let owner_expected = match self.kind {
            FEED_PULL => false,
            FEED_PUSH => true,
            _ => return Err(Error::FeedKindUnknown),
        };
        let owner_given = self.owner != Key::default();
        if self.key == Key::default() || owner_given != owner_expected || self.padding != [0; 7] {
            return Err(Error::FeedPinInvalid);
        }
        Ok(())
    }
}

impl Oracle {
    /// Checks both readings and records their publish times.
    ///
    /// `decimals` are the collateral and the quote mint's.
    ///
    /// # Errors
    /// One error for each reason to refuse a reading (see the module); nothing is recorded then.
    pub fn accept(
        &mut self,
        config: &Config,
        decimals: (u8, u8),
        collateral: &RawReading,
        quote: &RawReading,
        purpose: Purpose,
        clock: Clock,
    ) -> Result<Prices> {
        let mut believed = Prices {
            collateral: check(collateral, config, purpose, clock, self.collateral_published)?,
            quote: check(quote, config, purpose, clock, self.quote_published)?,
            shift: collateral
                .expo
                .saturating_sub(quote.expo)
                .saturating_add(i32::from(decimals.1))
                .saturating_sub(i32::from(decimals.0)),
            spot: Price::default(),
        };
        believed.spot = believed.compose(believed.collateral.price, believed.quote.price, Round::Down)?;
        self.collateral_published = collateral.publish_time;
        self.quote_published = quote.publish_time;
        Ok(believed)
    }
}

fn check(raw: &RawReading, config: &Config, purpose: Purpose, clock: Clock, newest: i64) -> Result<Reading> {
    let price = u64::try_from(raw.price)
        .ok()
        .filter(|price| *price > 0)
        .ok_or(Error::PriceNotPositive)?;
    if !EXPONENTS.contains(&raw.expo) {
        return Err(Error::PriceExponentOutOfRange);
    }
    if raw.publish_time > clock.unix.saturating_add(i64::from(config.future_tolerance)) {
        return Err(Error::PriceFromFuture);
    }
    let max_age = match purpose {
        Purpose::Trade => config.max_age_short,
        Purpose::Liquidate | Purpose::Observe => config.max_age_long,
    };
    if clock.unix.saturating_sub(raw.publish_time) > i64::from(max_age) {
        return Err(Error::PriceTooOld);
    }
    if raw.publish_time < newest {
        return Err(Error::PriceBehindAccepted);
    }
    let wide = num::wide(raw.conf, BPS) > num::wide(price, config.max_confidence.factor());
    if wide && purpose != Purpose::Observe {
        return Err(Error::ConfidenceTooWide);
    }
    let ema = u64::try_from(raw.ema_price).ok().filter(|ema| *ema > 0);
    Ok(Reading {
        price,
        conf: raw.conf,
        ema,
        expo: raw.expo,
    })
}

impl Prices {
    /// The aggregate price, rounded down. Liquidations use it.
    ///
    /// # Errors
    /// None: it was composed when the readings were accepted. A `Result` like its siblings'.
    pub fn spot(&self) -> Result<Price> {
        Ok(self.spot)
    }

    /// The lower end of the confidence interval: (c − conf) ÷ (q + conf), rounded down. Zero if conf ≥ c.
    ///
    /// # Errors
    /// [`Error::PriceOutOfRange`].
    pub fn low(&self) -> Result<Price> {
        let quote = self
            .quote
            .price
            .checked_add(self.quote.conf)
            .ok_or(Error::PriceOutOfRange)?;
        match self.collateral.price.saturating_sub(self.collateral.conf) {
            0 => Ok(Price::default()),
            collateral => self.compose(collateral, quote, Round::Down),
        }
    }

    /// The upper end of the confidence interval: (c + conf) ÷ (q − conf), rounded up. The unwind asks it.
    ///
    /// # Errors
    /// [`Error::PriceOutOfRange`], also if conf ≥ q.
    pub fn high(&self) -> Result<Price> {
        let collateral = self
            .collateral
            .price
            .checked_add(self.collateral.conf)
            .ok_or(Error::PriceOutOfRange)?;
        self.compose(collateral, self.quote.price.saturating_sub(self.quote.conf), Round::Up)
    }

    /// Pyth's moving average of both feeds, rounded down.
    ///
    /// # Errors
    /// [`Error::EmaUnavailable`], [`Error::PriceOutOfRange`].
    pub fn ema(&self) -> Result<Price> {
        let (Some(collateral), Some(quote)) = (self.collateral.ema, self.quote.ema) else {
            return Err(Error::EmaUnavailable);
        };
        self.compose(collateral, quote, Round::Down)
    }

    /// The price at which collateral counts for borrowing: min(spot, ema) − (spot − low). Zero when uncertainty eats
    /// all of it.
    ///
    /// # Errors
    /// [`Error::EmaUnavailable`], [`Error::PriceOutOfRange`].
    pub fn conservative(&self) -> Result<Price> {
        let spot = self.spot()?;
        let uncertainty = spot.raw().saturating_sub(self.low()?.raw());
        Ok(Price::from_raw(spot.min(self.ema()?).raw().saturating_sub(uncertainty)))
    }

    /// numerator ÷ denominator × 10^(exponents and decimals), Q64.64.
    fn compose(&self, numerator: u64, denominator: u64, round: Round) -> Result<Price> {
        let scale = usize::try_from(self.shift.unsigned_abs())
            .ok()
            .and_then(|shift| POWERS.get(shift));
        let scale = *scale.ok_or(Error::PriceOutOfRange)?;
        if numerator > i64::MAX.unsigned_abs() || denominator > i64::MAX.unsigned_abs() || denominator == 0 {
            return Err(Error::PriceOutOfRange);
        }
        // 2^63 × 10^19 < 2^127: neither product overflows.
        let (integer, remainder, denominator) = if self.shift >= 0 {
            let scaled = num::wide(numerator, scale);
            let denominator = u128::from(denominator);
            let integer = num::div_floor(scaled, denominator)?;
            (
                integer,
                scaled.wrapping_sub(integer.wrapping_mul(denominator)),
                denominator,
            )
        } else {
            (0, u128::from(numerator), num::wide(denominator, scale))
        };
        if integer >= MAX_INTEGER {
            return Err(Error::PriceOutOfRange);
        }
        // remainder < 2^63 in both cases.
        let fraction = match round {
            Round::Down => num::div_floor(remainder << 64, denominator)?,
            Round::Up => num::div_ceil(remainder << 64, denominator)?,
        };
        let raw = num::add(integer << 64, fraction)?;
        if raw == 0 || raw >> 64 >= MAX_INTEGER {
            return Err(Error::PriceOutOfRange);
        }
        Ok(Price::from_raw(raw))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::config::tests::CONFIG;
    use proptest::prelude::*;

    pub(crate) const NOW: Clock = Clock {
        unix: 1_700_000_000,
        slot: 1,
    };

    pub(crate) fn raw(price: i64, conf: u64) -> RawReading {
        RawReading {
            price,
            conf,
            expo: -8,
            ema_price: price,
            publish_time: NOW.unix,
        }
    }

    fn oracle() -> Oracle {
        bytemuck::Zeroable::zeroed()
    }

    fn accept(collateral: RawReading, quote: RawReading, purpose: Purpose) -> Result<Prices> {
        oracle().accept(&CONFIG, (9, 6), &collateral, &quote, purpose, NOW)
    }

    /// SOL at `price` × 10^-8 USD, USDC at one: 9 and 6 decimals.
    pub(crate) fn prices(price: i64, conf: u64) -> Prices {
        accept(raw(price, conf), raw(100_000_000, 0), Purpose::Observe).unwrap()
    }

    #[test]
    fn one_sol_at_150_dollars_is_150_usdc() {
        let spot = prices(150_0000_0000, 0).spot().unwrap();
        assert_eq!(
            spot.value(crate::Collateral(1_000_000_000)),
            Ok(crate::Quote(149_999_999))
        ); // 0.15 is no binary fraction
        assert_eq!(
            spot.cost(crate::Collateral(1_000_000_000)),
            Ok(crate::Quote(150_000_000))
        );
    }

    #[test]
    fn a_depeg_of_the_quote_raises_the_price() {
        let prices = accept(raw(100_0000_0000, 0), raw(80_000_000, 0), Purpose::Trade).unwrap();
        assert_eq!(
            prices.spot().unwrap().cost(crate::Collateral(1_000_000_000)),
            Ok(crate::Quote(125_000_000))
        );
    }

    #[test]
    fn confidence_widens_both_ends() {
        let prices = accept(
            raw(100_0000_0000, 1_0000_0000),
            raw(100_000_000, 1_000_000),
            Purpose::Trade,
        )
        .unwrap();
        let one = crate::Collateral(1_000_000_000);
        assert_eq!(prices.low().unwrap().value(one), Ok(crate::Quote(98_019_801))); // 99 / 1.01
        assert_eq!(prices.high().unwrap().cost(one), Ok(crate::Quote(102_020_203))); // 101 / 0.99
    }

    #[test]
    fn borrowing_uses_the_lower_of_spot_and_average_less_the_confidence() {
        let mut collateral = raw(100_0000_0000, 1_0000_0000);
        let one = crate::Collateral(1_000_000_000);
        let value = |raw| {
            accept(raw, super::tests::raw(100_000_000, 0), Purpose::Trade)
                .unwrap()
                .conservative()
                .unwrap()
                .value(one)
        };
        collateral.ema_price = 120_0000_0000;
        assert_eq!(value(collateral), Ok(crate::Quote(98_999_999)));
        collateral.ema_price = 90_0000_0000;
        assert_eq!(value(collateral), Ok(crate::Quote(88_999_999)));
    }

    #[test]
    fn every_refusal_has_its_own_error() {
        let good = raw(100_0000_0000, 0);
        let quote = raw(100_000_000, 0);
        let refused = |change: fn(&mut RawReading), purpose| {
            let mut bad = good;
            change(&mut bad);
            let as_collateral = accept(bad, quote, purpose);
            let as_quote = accept(good, bad, purpose);
            assert_eq!(as_collateral.map(|_| ()), as_quote.map(|_| ()));
            as_collateral.unwrap_err()
        };
        let trade = Purpose::Trade;
        assert_eq!(refused(|r| r.price = 0, trade), Error::PriceNotPositive);
        assert_eq!(refused(|r| r.price = -1, trade), Error::PriceNotPositive);
        assert_eq!(refused(|r| r.price = i64::MIN, trade), Error::PriceNotPositive);
        for expo in [i32::MIN, -19, 13, i32::MAX] {
            let bad = RawReading { expo, ..good };
            assert_eq!(accept(bad, quote, trade), Err(Error::PriceExponentOutOfRange));
        }
        assert_eq!(refused(|r| r.publish_time += 6, trade), Error::PriceFromFuture);
        assert_eq!(refused(|r| r.publish_time = i64::MAX, trade), Error::PriceFromFuture);
        assert_eq!(refused(|r| r.publish_time -= 31, trade), Error::PriceTooOld);
        assert_eq!(
            refused(|r| r.publish_time -= 61, Purpose::Liquidate),
            Error::PriceTooOld
        );
        assert_eq!(refused(|r| r.publish_time = 0, trade), Error::PriceTooOld);
        assert_eq!(refused(|r| r.publish_time = i64::MIN, trade), Error::PriceTooOld);
        assert_eq!(refused(|r| r.conf = 3_0000_0000, trade), Error::ConfidenceTooWide);
        assert_eq!(
            refused(|r| r.conf = u64::MAX, Purpose::Liquidate),
            Error::ConfidenceTooWide
        );
    }

    #[test]
    fn limits_are_inclusive() {
        let quote = raw(100_000_000, 0);
        let at = |publish_time| RawReading {
            publish_time,
            ..raw(100_0000_0000, 2_0000_0000)
        };
        assert!(accept(at(NOW.unix + 5), quote, Purpose::Trade).is_ok());
        assert!(accept(at(NOW.unix - 30), quote, Purpose::Trade).is_ok());
        assert!(accept(at(NOW.unix - 60), quote, Purpose::Liquidate).is_ok());
    }

    #[test]
    fn time_never_runs_backwards_and_a_refusal_records_nothing() {
        let mut oracle = oracle();
        let quote = raw(100_000_000, 0);
        let at = |publish_time| RawReading {
            publish_time,
            ..raw(100_0000_0000, 0)
        };
        let mut accept = |time| {
            oracle
                .accept(&CONFIG, (9, 6), &at(time), &quote, Purpose::Trade, NOW)
                .map(|_| ())
        };
        assert_eq!(accept(NOW.unix - 3), Ok(()));
        assert_eq!(accept(NOW.unix - 4), Err(Error::PriceBehindAccepted));
        assert_eq!(accept(NOW.unix - 3), Ok(()));
        assert_eq!(accept(NOW.unix + 9), Err(Error::PriceFromFuture));
        assert_eq!(accept(NOW.unix - 2), Ok(()));
    }

    #[test]
    fn a_missing_average_stops_borrowing_but_not_liquidating() {
        for ema_price in [0, -5, i64::MIN] {
            let bad = RawReading {
                ema_price,
                ..raw(100_0000_0000, 0)
            };
            let prices = accept(bad, raw(100_000_000, 0), Purpose::Liquidate).unwrap();
            assert_eq!(prices.conservative(), Err(Error::EmaUnavailable));
            assert!(prices.spot().is_ok() && prices.low().is_ok());
        }
    }

    #[test]
    fn feed_pins_must_be_complete() {
        let pin = |kind, key, owner| FeedPin {
            kind,
            key: Key([key; 32]),
            owner: Key([owner; 32]),
            padding: [0; 7],
        };
        assert_eq!(pin(FEED_PULL, 1, 0).validate(), Ok(()));
        assert_eq!(pin(FEED_PUSH, 1, 1).validate(), Ok(()));
        assert_eq!(pin(FEED_PULL, 1, 1).validate(), Err(Error::FeedPinInvalid));
        assert_eq!(pin(FEED_PUSH, 1, 0).validate(), Err(Error::FeedPinInvalid));
        assert_eq!(pin(FEED_PULL, 0, 0).validate(), Err(Error::FeedPinInvalid));
        assert_eq!(pin(0, 1, 1).validate(), Err(Error::FeedKindUnknown));
        assert_eq!(pin(3, 1, 1).validate(), Err(Error::FeedKindUnknown));
    }

    proptest! {
        #[test]
        fn any_reading_gives_ordered_prices_or_an_error(
            price: i64, conf: u64, expo in -20i32..=14, quote_price: i64, quote_conf: u64, quote_expo in -20i32..=14,
            decimals: (u8, u8),
        ) {
            let collateral = RawReading { expo, ..raw(price, conf) };
            let quote = RawReading { expo: quote_expo, ..raw(quote_price, quote_conf) };
            if let Ok(prices) = oracle().accept(&CONFIG, decimals, &collateral, &quote, Purpose::Observe, NOW) {
                let spot = prices.spot().unwrap();
                if let Ok(low) = prices.low() { prop_assert!(low <= spot); }
                if let Ok(high) = prices.high() { prop_assert!(high >= spot); }
                if let Ok(conservative) = prices.conservative() { prop_assert!(conservative <= spot); }
            }
        }

        #[test]
        fn composing_is_exact_division_rounded(
            price in 1i64..1 << 40, quote in 1i64..1 << 40, expo in -10i32..=-4, decimals in (4u8..=9, 4u8..=9),
        ) {
            let collateral = RawReading { expo, ..raw(price, 0) };
            let Ok(prices) = oracle().accept(&CONFIG, decimals, &collateral, &raw(quote, 0), Purpose::Observe, NOW) else {
                return Ok(());
            };
            let exact = price as f64 / quote as f64
                * 10f64.powi(expo + 8 + i32::from(decimals.1) - i32::from(decimals.0));
            let spot = prices.spot().unwrap().raw() as f64 / num::ONE as f64;
            prop_assert!((spot - exact).abs() <= exact * 1e-12 + 1e-19, "{spot} {exact}");
            let (spot, high) = (prices.spot().unwrap().raw(), prices.high().unwrap().raw());
            prop_assert!(high - spot <= 1);
        }
    }
}

use super::{FeedPrice, Reading, known::Dollars, redemption};
use crate::{
    config::Config,
    error::{Error, Result},
    math::{
        num::{self, BPS, WHOLE, Width},
        units::{Bps, Price},
    },
    price::guard::Flags,
};

/// The powers of ten by which feeds and mints may be scaled: all that fit `u64`.
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

/// 10^|`exponent`|, if it fits 64 bits.
pub(super) fn power_of_ten(exponent: i32) -> Option<u64> {
    let index = usize::try_from(exponent.unsigned_abs()).ok()?;
    POWERS.get(index).copied()
}

/// Prices of 2^40 quote atoms and more for one collateral atom are refused: below it, a price × 10,000 fits `u128`.
const MAX_INTEGER: u128 = 1 << 40;

/// Readings that passed every check, and the prices that they compose to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OraclePrice {
    /// Market price of the collateral.
    market: FeedPrice,
    quote: FeedPrice,
    /// Redemption of redeemable collateral.
    redemption: Option<Redemption>,
    /// Decimal shift from a ratio of mantissas to quote atoms per collateral atom.
    shift: i32,
    /// Collateral price ÷ quote price, rounded down.
    spot: Price,
    /// Flags raised by the confidence intervals alone.
    flags: Flags,
    /// From when the oldest of its dollar readings is, seconds since 1970.
    since: i64,
    /// Publish times of the collateral and the quote reading, seconds since 1970.
    published: (i64, i64),
}

/// Redemption value of redeemable collateral.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Redemption {
    /// The base token.
    base: FeedPrice,
    /// Base tokens for one of collateral.
    rate: FeedPrice,
    /// Their product, as a price of the collateral.
    value: FeedPrice,
}

#[derive(Clone, Copy)]
enum Round {
    Down,
    Up,
}

impl OraclePrice {
    /// The price that readings come to, with the redemption rate where the collateral has one.
    ///
    /// # Errors
    /// [`Error::PriceOutOfRange`].
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "handing the result over costs as much as the work")]
    pub(super) fn new(
        config: &Config,
        decimals: (u8, u8),
        dollars: Dollars<'_>,
        rate: Option<&Reading>,
    ) -> Result<Self> {
        let (market, quote) = (dollars.collateral.of, dollars.quote.of);
        let mut flags = market.quality(config).with(quote.quality(config));
        let mut redemption = None;
        if let (Some(base), Some(rate)) = (dollars.base, rate) {
            let (base, rate) = (base.of, rate.of);
            flags = flags.with(base.quality(config)).with(rate.quality(config));
            let value = redemption::value(&base, &rate, market.expo)?;
            redemption = Some(Redemption { base, rate, value });
        }
        // Exponents are between -18 and 12, and decimals have 8 bits: it cannot wrap.
        let shift = market
            .expo
            .wrapping_sub(quote.expo)
            .wrapping_add(i32::from(decimals.1))
            .wrapping_sub(i32::from(decimals.0));
        let mut oracle_price = Self {
            market,
            quote,
            redemption,
            shift,
            spot: Price::default(),
            flags,
            since: dollars.since(),
            published: (dollars.collateral.published, dollars.quote.published),
        };
        oracle_price.spot = compose(shift, oracle_price.collateral().price, quote.price, Round::Down)?;
        Ok(oracle_price)
    }

    /// Price that the collateral counts at: the lower of market and redemption.
    #[inline]
    fn collateral(&self) -> &FeedPrice {
        match &self.redemption {
            Some(redemption) if redemption.value.price < self.market.price => &redemption.value,
            _ => &self.market,
        }
    }

    /// Collateral in quote, rounded down: the collateral feed, or what it is redeemed for if that is less, over the
    /// quote feed.
    #[inline]
    #[must_use]
    pub fn spot(&self) -> Price {
        self.spot
    }

    /// Flags raised by the confidence intervals alone.
    #[inline]
    #[must_use]
    pub fn flags(&self) -> Flags {
        self.flags
    }

    /// From when the price is, seconds since 1970: the earliest of its dollar readings, each from when it was
    /// published, or accepted if that was earlier.
    #[inline]
    #[must_use]
    pub fn since(&self) -> i64 {
        self.since
    }

    /// Publish times of the collateral and the quote reading, seconds since 1970.
    #[must_use]
    pub fn published(&self) -> (i64, i64) {
        self.published
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
        let collateral = self.collateral();
        match collateral.price.saturating_sub(collateral.conf) {
            0 => Ok(Price::default()),
            collateral => compose(self.shift, collateral, quote, Round::Down),
        }
    }

    /// The upper end of the confidence interval: (m + conf) ÷ (q − conf), rounded up, where m is what the market
    /// pays, whatever the redemption says: a seller looks at the market.
    ///
    /// # Errors
    /// [`Error::PriceOutOfRange`], also if conf ≥ q.
    pub fn high(&self) -> Result<Price> {
        let collateral = self
            .market
            .price
            .checked_add(self.market.conf)
            .ok_or(Error::PriceOutOfRange)?;
        compose(
            self.shift,
            collateral,
            self.quote.price.saturating_sub(self.quote.conf),
            Round::Up,
        )
    }

    /// Pyth's moving average of both feeds, rounded down.
    ///
    /// # Errors
    /// [`Error::EmaUnavailable`], [`Error::PriceOutOfRange`].
    pub fn ema(&self) -> Result<Price> {
        let (collateral, quote) = self.emas().ok_or(Error::EmaUnavailable)?;
        compose(self.shift, collateral, quote, Round::Down)
    }

    /// True if spot and Pyth's moving average are further apart than `band`, of the average; `None` without an average.
    ///
    /// Compared without dividing: c·q' against c'·q, where ' marks the averages.
    pub(crate) fn strays_from_ema(&self, band: Bps) -> Option<bool> {
        // Prices of quote tokens have 32 bits as a rule.
        let product = |collateral, quote| match u32::try_from(quote) {
            Ok(quote) => num::wide_small(collateral, quote),
            Err(_) => num::wide(collateral, quote),
        };
        let (collateral, quote) = self.emas()?;
        let spot = product(self.collateral().price, quote);
        let ema = product(collateral, self.quote.price);
        // Products of 112 bits and more are rare; their last bits move the band by less than 2^-90.
        let shift = if spot.max(ema) >> 112 == 0 { 0 } else { 16 };
        Some(num::strays(spot >> shift, ema >> shift, band))
    }

    /// The widest confidence interval of all feeds, bps of its price, rounded down.
    #[must_use]
    pub fn confidence(&self) -> Bps {
        let width = |reading: &FeedPrice| num::mul_div_floor(reading.conf, BPS, reading.price).unwrap_or(u64::MAX);
        let mut widest = width(&self.market).max(width(&self.quote));
        if let Some(Redemption { base, rate, .. }) = &self.redemption {
            widest = widest.max(width(base)).max(width(rate));
        }
        Bps(u32::try_from(widest).unwrap_or(u32::MAX))
    }

    fn emas(&self) -> Option<(u64, u64)> {
        Some((self.collateral().ema()?, self.quote.ema()?))
    }
}

/// numerator ÷ denominator × 10^`shift`, Q64.64.
///
/// # Errors
/// [`Error::PriceOutOfRange`].
#[inline]
fn compose(shift: i32, numerator: u64, denominator: u64, round: Round) -> Result<Price> {
    let scale = power_of_ten(shift).ok_or(Error::PriceOutOfRange)?;
    if numerator > i64::MAX.unsigned_abs() || denominator > i64::MAX.unsigned_abs() || denominator == 0 {
        return Err(Error::PriceOutOfRange);
    }
    let denominator = u128::from(denominator);
    let divide = match round {
        Round::Down => num::div_floor,
        Round::Up => num::div_ceil,
    };
    let raw = if shift >= 0 {
        // 2^63 × 10^19 < 2^127: the product does not overflow, and the remainder is below 2^63.
        let scaled = num::wide(numerator, scale);
        let integer = num::div_floor(scaled, denominator)?;
        if integer >= MAX_INTEGER {
            return Err(Error::PriceOutOfRange);
        }
        let remainder = scaled.wrapping_sub(integer.wrapping_mul(denominator));
        num::add(integer << 64, divide(remainder << 64, denominator)?)?
    } else {
        // One after the other is the same, rounding included, and far cheaper where both have 32 bits.
        divide(divide(u128::from(numerator) << 64, denominator)?, u128::from(scale))?
    };
    if raw == 0 || raw >> 64 >= MAX_INTEGER {
        return Err(Error::PriceOutOfRange);
    }
    Ok(Price::from_raw(raw))
}

impl FeedPrice {
    /// Flags of the confidence interval against its two limits.
    #[inline]
    fn quality(&self, config: &Config) -> Flags {
        let limits = config.confidence_halt.max(config.confidence_guard);
        // By products where they fit: there is nothing to round.
        if num::are_native(self.price, self.conf) && limits <= num::MAX_RATIO {
            return Self::quality_by(config, |limit| {
                u64::product(self.conf, WHOLE) > u64::product(self.price, limit)
            });
        }
        // An integer: so the other side may be rounded down.
        Self::quality_by(config, |limit| self.conf > num::scaled(self.price, limit))
    }

    #[inline]
    fn quality_by(config: &Config, wider: impl Fn(Bps) -> bool) -> Flags {
        if wider(config.confidence_halt) {
            Flags::CONFIDENCE_HALT
        } else if wider(config.confidence_guard) {
            Flags::CONFIDENCE_GUARD
        } else {
            Flags::NONE
        }
    }
}

#[cfg(test)]
mod tests;

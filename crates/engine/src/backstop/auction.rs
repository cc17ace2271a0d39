//! The auction: when and at what price the backstop sells inventory.
//!
//! One flow bounds everything that leaves the vault for the market: k × `market_depth` an hour, quote atoms at the
//! higher EMA, worked out when it is used. A linear variable-rate Dutch auction (Paradigm's VRGDA, with a linear price)
//! keeps sales to it:
//!
//! ```text
//! lag      = now − anchor                                            behind (+) or ahead (−) of schedule
//! discount = clamp(slope × lag, −max_premium, max_discount)
//! ask      = max( ask_reference × (1 − discount),  max_ema × (1 − floor_band) )
//! ```
//!
//! `ask_reference` is the upper end of the confidence interval, and while Guarded the highest of all prices, without
//! discount ([`Prices::ask_reference`]); `max_ema` is the higher of the two EMAs ([`Prices::max_ema`]), at which the
//! flow counts too.
//!
//! A sale moves the anchor forward by the time that the flow limit takes for it, so each atom of a block is dearer than
//! the one before it. On a straight line all of them together cost the mean of the first and the last:
//!
//! ```text
//! cost = amount × ( ask(lag) + ask(lag − time the flow takes for it) ) ÷ 2          rounded up
//! ```
//!
//! so a block costs what many small purchases would. Where the line ends in between, at its largest discount, its
//! premium or the floor, the mean is the rule all the same.
//!
//! The discount is for those who could have bought and did not. So it begins anew whenever nobody could: after the
//! emergency halt or a pause of sales ([`Auction::stop`]), with every reading at which the market is not Normal, and
//! with the first one at which it is again ([`Auction::renew`]).
//!
//! The anchor prices the auction but cannot bound the flow: it lags while nobody buys, and a lag of an hour would let
//! an hour's worth go at once. So there are two marks. The second, `used_until`, never lags behind now (a rate limiter,
//! GCRA). Neither may pass now + burst. Hence in any window W at most the largest rate in it × (W + burst) is sold,
//! whatever anyone does.

use crate::{
    config::Config,
    error::{Error, Result},
    math::{
        num::{self, BPS},
        rate_limiter::{self, MICROS, RateLimiter, micros},
        units::{Bps, Clock, Collateral, Price, Quote},
    },
    price::guard::{Level, Prices},
};

const MICROS_PER_HOUR: u64 = 3_600 * MICROS;
/// The discount counts in millionths, of which a basis point has a hundred.
const PARTS: u64 = 1_000_000;
const PARTS_PER_BPS: u64 = PARTS / BPS;

stored! {
    /// How far the auction has sold, against time.
    Auction {
        /// The moment up to which the schedule is fulfilled, microseconds since 1970. It sets the price.
        anchor: i64,
        /// The moment up to which the flow limit is used, microseconds since 1970. It bounds the pace.
        used_until: i64,
    }
}

/// The backstop's offer now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Quote atoms for the next collateral atom, rounded up.
    pub ask: Price,
    /// Most collateral that can be bought now, atoms.
    pub available: Collateral,
    /// Discount off the upper end of the confidence interval, bps; negative is a premium. The floor may hold the ask
    /// above it.
    pub discount: i64,
}

impl Auction {
    /// The anchor after inventory arrives beside `held` atoms: no further behind than what was held takes to sell at
    /// `price`, the market's own EMA. So what was left to grow cheap for long, if it is a crumb, does not make new
    /// inventory cheap. Rounded to a smaller lag. Sales that ran ahead still count.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub(crate) fn anchor_after_arrival(
        &self,
        config: &Config,
        held: Collateral,
        price: Price,
        clock: Clock,
    ) -> Result<i64> {
        let now = micros(clock)?;
        if self.anchor >= now {
            return Ok(self.anchor);
        }
        let lag = now.abs_diff(self.anchor);
        let value = price.quote_floor(held)?;
        let flow = config.hourly_flow().0;
        // Native where it can be: whether lag × flow ≤ value × an hour.
        if num::wide(lag, flow) <= num::wide(value.0, MICROS_PER_HOUR) {
            return Ok(self.anchor);
        }
        let kept = num::mul_div_floor(value.0, MICROS_PER_HOUR, flow)?;
        Ok(now.saturating_sub_unsigned(kept))
    }

    /// Sales are stopped until `unix`: the discount begins anew then. Else whoever may stop sales keeps other buyers
    /// away while it grows, and is the first when it is over.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub(crate) fn stop(&mut self, unix: i64) -> Result<()> {
        self.anchor = self.anchor.max(micros(Clock { unix, slot: 0 })?);
        Ok(())
    }

    /// A reading at which nobody may have the discount, or the first one after it: the discount begins anew now.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub(crate) fn renew(&mut self, clock: Clock) -> Result<()> {
        self.anchor = self.anchor.max(micros(clock)?);
        Ok(())
    }

    /// The lag at which the discount is the largest, seconds, rounded up: more would only make it outlive the return of
    /// buyers.
    fn longest_lag(config: &Config) -> Result<u64> {
        num::mul_div_ceil(
            config.auction_max_discount.factor(),
            3_600,
            config.auction_slope.factor(),
        )
    }

    /// The anchor, at most as far behind as the largest discount needs.
    fn anchor(&self, config: &Config, now: i64) -> Result<i64> {
        let lag = Self::longest_lag(config)?.saturating_mul(MICROS);
        Ok(self.anchor.max(now.saturating_sub_unsigned(lag)))
    }

    /// The discount at `level` now, bps, rounded towards zero; negative is a premium. Nothing but a premium unless the
    /// level is Normal.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub fn discount(&self, config: &Config, level: Level, clock: Clock) -> Result<i64> {
        const PER_BPS: i64 = PARTS_PER_BPS.cast_signed();
        self.discount_in_parts(config, level, clock)?
            .checked_div(PER_BPS)
            .ok_or(Error::Overflow)
    }

    /// The same in millionths: in whole basis points a block and its pieces would differ by more than a rounding.
    fn discount_in_parts(&self, config: &Config, level: Level, clock: Clock) -> Result<i64> {
        let now = micros(clock)?;
        let lag = now.saturating_sub(self.anchor(config, now)?);
        // Below 2^32 × 100.
        let slope = config.auction_slope.factor().wrapping_mul(PARTS_PER_BPS);
        let size = num::mul_div_floor(slope, lag.unsigned_abs(), MICROS_PER_HOUR)?;
        let limit = match (lag < 0, level) {
            (true, _) => config.auction_max_premium,
            (false, Level::Normal) => config.auction_max_discount,
            (false, _) => Bps(0),
        };
        let limit = limit.factor().wrapping_mul(PARTS_PER_BPS);
        let size = i64::try_from(size.min(limit)).map_err(|_| Error::Overflow)?;
        Ok(if lag < 0 { size.saturating_neg() } else { size })
    }

    /// The ask for the next atom, rounded up, in favor of the backstop.
    ///
    /// # Errors
    /// The errors of [`Prices::ask_reference`].
    pub fn ask(&self, config: &Config, prices: &Prices, clock: Clock) -> Result<Price> {
        let discount = self.discount_in_parts(config, prices.level(), clock)?;
        let factor = PARTS
            .checked_add_signed(discount.saturating_neg())
            .ok_or(Error::Overflow)?;
        let product = num::q_times(prices.ask_reference()?.raw(), factor)?;
        let scheduled = Price::from_raw(num::div_ceil(product, PARTS.into())?);
        let floor = prices.max_ema()?.scale_up(config.auction_floor_band.below_one())?;
        Ok(scheduled.max(floor))
    }

    /// Cost of each atom of a block: the mean of the ask before it and after it, rounded up, whether or not the flow
    /// limit lets so much go now.
    ///
    /// # Errors
    /// The errors of [`Auction::ask`] and [`Prices::max_ema`].
    pub fn mean_ask(&self, config: &Config, amount: Collateral, prices: &Prices, clock: Clock) -> Result<Price> {
        let first = self.ask(config, prices, clock)?;
        let worth = prices.max_ema()?.quote_ceil(amount)?;
        let from = self.anchor(config, micros(clock)?)?;
        // What is further off than can be counted has the largest premium, and so has what is near that.
        let anchor = flow(config).advance(from, i64::MAX, worth.0).unwrap_or(i64::MAX);
        let last = Self { anchor, ..*self }.ask(config, prices, clock)?;
        let sum = num::add(first.raw(), last.raw())?;
        Ok(Price::from_raw(sum.div_ceil(2)))
    }

    /// The most that `budget` pays for, atoms, rounded down: at the mean ask of so much it is no more than the budget.
    ///
    /// By turns too much and too little, each time nearer: at the first ask, at the mean of so much, at the mean of
    /// that, and of that. The rest is less than a part of the budget of
    /// (slope × time that the flow takes for it ÷ 2)⁴.
    ///
    /// # Errors
    /// The errors of [`Auction::mean_ask`].
    pub fn affordable(&self, config: &Config, budget: Quote, prices: &Prices, clock: Clock) -> Result<Collateral> {
        let mut amount = self.ask(config, prices, clock)?.divisor()?.collateral_floor(budget)?;
        for _ in 0..3 {
            let mean = self.mean_ask(config, amount, prices, clock)?;
            amount = mean.divisor()?.collateral_floor(budget)?;
        }
        Ok(amount)
    }

    /// The most that can be sold now, atoms, rounded down.
    ///
    /// # Errors
    /// The errors of [`Prices::max_ema`], [`Error::Overflow`].
    pub fn available(
        &self,
        config: &Config,
        inventory: Collateral,
        prices: &Prices,
        clock: Clock,
    ) -> Result<Collateral> {
        let now = micros(clock)?;
        let end = rate_limiter::after(now, config.auction_burst);
        let flow = flow(config);
        let by_schedule = flow.headroom(self.anchor(config, now)?, end);
        let value = by_schedule.min(flow.headroom(self.used_until.max(now), end));
        let price = prices.max_ema()?.divisor()?;
        // Where the value is beyond what collateral atoms can count, all of it.
        let amount = price.collateral_floor(Quote(value)).unwrap_or(inventory);
        Ok(inventory.min(amount))
    }

    /// Records a sale.
    ///
    /// # Errors
    /// [`Error::AuctionRateLimited`] if either mark would pass now + burst, those of [`Prices::max_ema`],
    /// [`Error::Overflow`].
    pub fn sell(&mut self, config: &Config, amount: Collateral, prices: &Prices, clock: Clock) -> Result<()> {
        let now = micros(clock)?;
        let end = rate_limiter::after(now, config.auction_burst);
        let value = prices.max_ema()?.quote_ceil(amount)?;
        let advance = |used_until| {
            flow(config)
                .advance(used_until, end, value.0)
                .ok_or(Error::AuctionRateLimited)
        };
        *self = Self {
            anchor: advance(self.anchor(config, now)?)?,
            used_until: advance(self.used_until.max(now))?,
        };
        Ok(())
    }
}

/// The flow limit, quote atoms.
fn flow(config: &Config) -> RateLimiter {
    RateLimiter {
        atoms: config.hourly_flow().0,
        period: MICROS_PER_HOUR,
    }
}

#[cfg(test)]
mod tests;

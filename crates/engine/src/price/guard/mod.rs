//! The breaker: a reading raises flags, flags ask for a level, and the level says what may be done at which
//! price.
//!
//! | flag | raised when | asks for |
//! |---|---|---|
//! | [`Flags::VELOCITY`] | spot is clamped: further than `velocity_slack` from a reference that moves at `max_velocity` | Guarded |
//! | [`Flags::OWN_EMA`] | spot is further than `own_ema_band` from the market's own EMA of the guarded price | Guarded |
//! | [`Flags::EMA`] | spot is further than `ema_band` from Pyth's EMA | Guarded |
//! | [`Flags::NO_EMA`] | Pyth gives no average | Guarded |
//! | [`Flags::CONFIDENCE_GUARD`] | a feed's confidence is wider than `confidence_guard` | Guarded |
//! | [`Flags::CONFIDENCE_HALT`] | a feed's confidence is wider than `confidence_halt` | Halted |
//! | [`Flags::EMERGENCY_HALT`] | the market was halted by hand, and that has not expired | Halted |
//!
//! The breaker rises at once to the level that the other flags ask for, and falls after `calm_seconds` without a flag
//! that asks for where it stands, at readings published later than the last. Confidence and the emergency halt lie over
//! the breaker and move it not at all: what a wide reading asks for ends with the next narrow one, and what the
//! emergency halt asks for when it expires. Else one wide reading a minute would halt a market for good.
//!
//! Readings that were shown before, or none, move the reference by the time passed, and nothing else: an average, the
//! volatility and calm need a reading published later.
//!
//! | action | Normal | Guarded | Halted | price |
//! |---|---|---|---|---|
//! | [`PriceUse::Borrow`], withdrawing against debt | yes | [`Error::MarketGuarded`] | [`Error::MarketHalted`] | [`Prices::conservative`] |
//! | [`PriceUse::Liquidate`] | to the target | in steps, take-overs whole | [`Error::MarketHalted`] | [`Prices::liquidation`] |
//! | [`PriceUse::Sell`] | at a scheduled discount | without discount | [`Error::MarketHalted`] | [`Prices::ask_reference`] |
//!
//! An action that needs no price looks at no level.

use crate::{
    config::Config,
    error::{Error, Result},
    math::{
        num::{self, BPS},
        units::{Clock, Price},
    },
    price::oracle::{OraclePrice, PriceUse},
};

mod prices;
mod stored;

pub use prices::{LiquidationPrices, Prices};

stored! {
    /// The price guards of a market and its breaker.
    Guard {
        /// Follows the accepted price at most at the maximum velocity; zero before the first one. Quote atoms per
        /// collateral atom, Q64.64.
        reference: Price,
        /// The market's own moving average (EMA) of the guarded price. Quote atoms per collateral atom, Q64.64.
        own_ema: Price,
        /// Price of the newest accepted readings; zero before the first. Quote atoms per collateral atom, Q64.64.
        spot: Price,
        /// When the reference last moved, seconds since 1970.
        moved_at: i64,
        /// When the average last moved, seconds since 1970.
        own_ema_at: i64,
        /// From when that price is: the earliest publish time among its dollar feeds, or when it was accepted if that
        /// was earlier. Seconds since 1970.
        priced_at: i64,
        /// When flags last asked for where the breaker stands, or it last fell, seconds since 1970.
        caused_at: i64,
        /// The emergency halt holds until then, seconds since 1970; zero if it never was.
        halt_until: i64,
        /// Nobody borrows until then, for other feeds were pinned; seconds since 1970.
        settled_at: i64,
        /// The moment up to which the flow limit of guarded liquidations is used, microseconds since 1970.
        flow_used_until: i64,
        /// Level that prices alone have brought about, confidence and emergency halt aside: 0 = Normal, 1 = Guarded.
        breaker_level: u8,
        /// Level at the newest accepted reading, the emergency halt included.
        level: u8,
        /// Flags of the newest accepted reading.
        flags: u8,
        /// Zeros.
        padding: [u8; 5],
    }
}

record! {
    /// The level changed.
    LevelChange {
        /// Level before: 0 = Normal, 1 = Guarded, 2 = Halted.
        from: u8,
        /// Level now.
        to: u8,
        /// Why, as the bits of `Flags`: 1 velocity, 2 own EMA, 4 Pyth's EMA, 8 no EMA of Pyth, 16
        /// confidence above the soft limit, 32 confidence above the hard limit, 64 emergency halt. None when the level
        /// falls to Normal.
        flags: u8,
        /// Price of the reading, quote atoms per collateral atom, Q64.64.
        spot: Price,
        /// Guarded price, Q64.64.
        guarded: Price,
        /// The market's own EMA, Q64.64.
        own_ema: Price,
    }
}

record! {
    /// The market was halted by hand.
    HaltStarted {
        /// When it expires, seconds since 1970.
        until: i64,
        /// Level before: 0 = Normal, 1 = Guarded, 2 = Halted. It is Halted now.
        from: u8,
    }
}

/// Uses that prices are trusted for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Everything.
    #[default]
    Normal,
    /// Taking over risk in steps, and selling without discount; no new risk.
    Guarded,
    /// Nothing.
    Halted,
}

/// Reasons for caution, one bit each; see the module's first table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(pub u8);

/// The breaker's reading: level and flags after a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerReading {
    /// Level before this reading.
    pub before: Level,
    /// Level now.
    pub level: Level,
    /// Flags of this reading.
    pub flags: Flags,
    /// Spot, clamped. Quote atoms per collateral atom.
    pub guarded: Price,
    /// The market's own EMA of the guarded price.
    pub own_ema: Price,
    /// True if the price is later than the last one, and certain enough to learn from.
    pub teaches: bool,
}

impl Flags {
    /// No reason for caution.
    pub const NONE: Self = Self(0);
    /// Spot was clamped.
    pub const VELOCITY: Self = Self(1);
    /// Far from the market's own EMA.
    pub const OWN_EMA: Self = Self(2);
    /// Far from Pyth's EMA.
    pub const EMA: Self = Self(4);
    /// Pyth gives no average.
    pub const NO_EMA: Self = Self(8);
    /// Confidence above the soft limit.
    pub const CONFIDENCE_GUARD: Self = Self(16);
    /// Confidence above the hard limit.
    pub const CONFIDENCE_HALT: Self = Self(32);
    /// The market is halted by hand.
    pub const EMERGENCY_HALT: Self = Self(64);

    const HALTING: Self = Self(Self::CONFIDENCE_HALT.0 | Self::EMERGENCY_HALT.0);

    /// These and those.
    #[inline]
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// True if any of `other` is among these.
    #[inline]
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    fn when(self, raised: bool) -> Self {
        if raised { self } else { Self::NONE }
    }

    /// The level that these flags ask for.
    #[inline]
    #[must_use]
    pub fn level(self) -> Level {
        if self.has(Self::HALTING) {
            Level::Halted
        } else if self == Self::NONE {
            Level::Normal
        } else {
            Level::Guarded
        }
    }
}

impl Level {
    /// As stored.
    #[inline]
    #[must_use]
    pub fn byte(self) -> u8 {
        match self {
            Self::Normal => 0,
            Self::Guarded => 1,
            Self::Halted => 2,
        }
    }

    /// From what is stored. The program stores nothing above 2; were it to, nothing would be trusted.
    #[inline]
    #[must_use]
    pub fn from_byte(byte: u8) -> Self {
        match byte {
            0 => Self::Normal,
            1 => Self::Guarded,
            _ => Self::Halted,
        }
    }

    /// Checks that prices may be used so at all; the module's second table.
    ///
    /// # Errors
    /// [`Error::MarketGuarded`], [`Error::MarketHalted`].
    #[inline]
    pub fn permit(self, usage: PriceUse) -> Result<()> {
        match (self, usage) {
            (Self::Normal, _) | (_, PriceUse::Observe) | (Self::Guarded, PriceUse::Liquidate | PriceUse::Sell) => {
                Ok(())
            }
            (Self::Guarded, PriceUse::Borrow) => Err(Error::MarketGuarded),
            (Self::Halted, _) => Err(Error::MarketHalted),
        }
    }
}

impl Guard {
    /// Takes a believed reading into account.
    ///
    /// # Errors
    /// [`Error::Overflow`], for prices that no reading can have.
    pub(crate) fn observe(
        &mut self,
        config: &Config,
        oracle_price: &OraclePrice,
        clock: Clock,
    ) -> Result<BreakerReading> {
        let spot = oracle_price.spot();
        let confidence = oracle_price.flags();
        // What is too uncertain to price anything teaches nothing.
        let certain = !confidence.has(Flags::CONFIDENCE_HALT);
        let teaches = certain && oracle_price.since() > self.priced_at;
        let guarded = if certain {
            (self.spot, self.priced_at) = (spot, oracle_price.since());
            self.follow(config, spot, teaches, clock)?
        } else {
            self.clamp(config, spot)?
        };
        let ema = match oracle_price.strays_from_ema(config.ema_band) {
            Some(strays) => Flags::EMA.when(strays),
            None => Flags::NO_EMA,
        };
        let causes = Flags::VELOCITY
            .when(guarded != spot)
            .with(Flags::OWN_EMA.when(num::strays(spot.raw(), self.own_ema.raw(), config.own_ema_band)))
            .with(ema);
        let breaker_level = if certain {
            self.step(config, causes.level(), teaches, clock)
        } else {
            Level::from_byte(self.breaker_level)
        };
        let flags = causes
            .with(confidence)
            .with(Flags::EMERGENCY_HALT.when(self.is_emergency_halted(clock)));
        let before = Level::from_byte(self.level);
        let level = breaker_level.max(flags.level());
        self.level = level.byte();
        self.flags = flags.0;
        Ok(BreakerReading {
            before,
            level,
            flags,
            guarded,
            own_ema: self.own_ema,
            teaches,
        })
    }

    /// Moves the reference towards spot, at most by the velocity limit, and the average towards the guarded price:
    ///
    /// ```text
    /// reference ← clamp(spot, reference × (1 ± max_velocity × min(elapsed, horizon)))
    /// average   ← average + (guarded − average) × elapsed / (own_ema_seconds + elapsed)
    /// ```
    ///
    /// The second is an exponential average for updates that come often, and stays between its old value and the new
    /// price for those that do not. It moves only if the price is `later` than the last one, by the time since it last
    /// moved. Its step is rounded down. Returns the guarded price: spot as [`Guard::clamp`] lets it be.
    fn follow(&mut self, config: &Config, spot: Price, later: bool, clock: Clock) -> Result<Price> {
        if self.reference == Price::default() {
            (self.reference, self.own_ema) = (spot, spot);
        }
        let elapsed = clock.since(self.moved_at);
        if elapsed > 0 {
            let allowed = config
                .max_velocity
                .factor()
                .saturating_mul(elapsed.min(u64::from(config.velocity_horizon)));
            self.reference = near(spot, self.reference, allowed)?;
            self.moved_at = clock.unix;
        }
        let guarded = self.clamp(config, spot)?;
        let elapsed = clock.since(self.own_ema_at);
        if later && elapsed > 0 {
            self.own_ema = ema_step(self.own_ema, guarded, elapsed, config.own_ema_seconds)?;
            self.own_ema_at = clock.unix;
        }
        Ok(guarded)
    }

    /// Spot, no further than the slack from the reference. Without a reference yet, spot itself.
    pub(crate) fn clamp(&self, config: &Config, spot: Price) -> Result<Price> {
        if self.reference == Price::default() {
            return Ok(spot);
        }
        near(spot, self.reference, config.velocity_slack.factor())
    }

    /// Where the breaker stands after a reading that asks for `asked`. It falls only at one that teaches something.
    fn step(&mut self, config: &Config, asked: Level, teaches: bool, clock: Clock) -> Level {
        let mut breaker_level = Level::from_byte(self.breaker_level);
        let calm = teaches && clock.unix.saturating_sub(self.caused_at) >= i64::from(config.calm_seconds);
        if asked >= breaker_level || calm {
            breaker_level = asked;
            self.caused_at = clock.unix;
        }
        self.breaker_level = breaker_level.byte();
        breaker_level
    }

    /// True if the emergency halt holds.
    #[must_use]
    pub fn is_emergency_halted(&self, clock: Clock) -> bool {
        clock.unix < self.halt_until
    }

    /// Halts the market for `seconds`.
    ///
    /// # Errors
    /// [`Error::HaltTooLong`] if it is zero or above the limit, [`Error::HaltCooldown`] while it holds and for
    /// `halt_cooldown` seconds after.
    pub(crate) fn emergency_halt(&mut self, config: &Config, seconds: u32, clock: Clock) -> Result<HaltStarted> {
        if seconds == 0 || seconds > config.halt_seconds {
            return Err(Error::HaltTooLong);
        }
        if clock.unix < self.halt_until.saturating_add(i64::from(config.halt_cooldown)) {
            return Err(Error::HaltCooldown);
        }
        let from = self.level;
        self.halt_until = clock.unix.saturating_add(i64::from(seconds));
        self.level = Level::Halted.byte();
        Ok(HaltStarted {
            until: self.halt_until,
            from,
        })
    }
}

impl BreakerReading {
    /// The change of level, if there is one.
    #[must_use]
    pub fn change(&self, spot: Price) -> Option<LevelChange> {
        (self.before != self.level).then(|| LevelChange {
            from: self.before.byte(),
            to: self.level.byte(),
            flags: self.flags.0,
            spot,
            guarded: self.guarded,
            own_ema: self.own_ema,
        })
    }
}

/// The farthest that a price may be from another, bps: a hundred times it. Keeps products in 128 bits.
const FARTHEST: u64 = 100 * BPS;

/// `price`, no further than `allowed` bps of `center` from `center`; the bound rounded outwards.
fn near(price: Price, center: Price, allowed: u64) -> Result<Price> {
    if price == center {
        return Ok(price);
    }
    let allowed = allowed.min(FARTHEST);
    if price < center {
        Ok(price.max(center.scale_down(BPS.saturating_sub(allowed))?))
    } else {
        Ok(price.min(center.scale_up(BPS.saturating_add(allowed))?))
    }
}

/// See [`Guard::follow`]. Time beyond 2^20 s (12 days) adds nothing: so the product stays in 128 bits.
fn ema_step(old: Price, new: Price, elapsed: u64, seconds: u32) -> Result<Price> {
    let elapsed = elapsed.min(1 << 20);
    let (old, new) = (old.raw(), new.raw());
    let total = u32::try_from(elapsed.saturating_add(u64::from(seconds))).map_err(|_| Error::Overflow)?;
    let step = num::div_floor_small(num::q_times(old.abs_diff(new), elapsed)?, total)?;
    Ok(Price::from_raw(if new < old {
        old.saturating_sub(step)
    } else {
        old.saturating_add(step)
    }))
}

#[cfg(test)]
mod tests;

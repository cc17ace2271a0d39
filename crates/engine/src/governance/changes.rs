//! A change's effect on a market.

use crate::{
    config::{Config, Parameter},
    error::{Error, Result},
    market::Market,
    math::{
        num,
        units::{Clock, Price},
    },
    price::{
        guard::Flags,
        oracle::{Feeds, Known, Oracle, PriceUse, Readings},
    },
};

/// Time constant of Pyth's EMA, about an hour, seconds. After a change of feeds nobody borrows for that and for the
/// market's own.
pub const AVERAGES_SETTLE: i64 = 3_600;

/// Most parameters that one entry of the queue changes.
pub const MAX_CHANGES: usize = 16;

record! {
    /// A change of one parameter.
    ParameterChange {
        /// The number of the parameter.
        parameter: u8,
        /// Its value now.
        from: u64,
        /// Its value then.
        to: u64,
    }
}

/// Checks what can be said of changes without a market: at least one and at most [`MAX_CHANGES`], of known parameters,
/// each to another value, none twice, and none of the liquidation LTV.
///
/// # Errors
/// [`Error::NoChange`], [`Error::TooManyChanges`], [`Error::ParameterUnknown`], [`Error::LiquidationLtvByRamp`],
/// [`Error::ParameterTwice`].
pub fn check_changes(changes: &[ParameterChange]) -> Result<()> {
    if changes.is_empty() {
        return Err(Error::NoChange);
    }
    if changes.len() > MAX_CHANGES {
        return Err(Error::TooManyChanges);
    }
    let mut seen = 0u128;
    for change in changes {
        let parameter = Parameter::from_id(change.parameter)?;
        if parameter == Parameter::liquidation_ltv {
            return Err(Error::LiquidationLtvByRamp);
        }
        if change.from == change.to {
            return Err(Error::NoChange);
        }
        // There are fewer than 128 parameters.
        let bit = 1u128.wrapping_shl(u32::from(change.parameter));
        if seen & bit != 0 {
            return Err(Error::ParameterTwice);
        }
        seen |= bit;
    }
    Ok(())
}

impl Config {
    /// These parameters with `changes` made, each from the value that it says. The result may still be invalid:
    /// [`Config::validate`].
    ///
    /// # Errors
    /// The errors of [`check_changes`]; [`Error::StaleChange`], [`Error::ParameterOutOfBounds`] if a value does not fit
    /// its type.
    pub fn changed(mut self, changes: &[ParameterChange]) -> Result<Self> {
        check_changes(changes)?;
        for change in changes {
            let parameter = Parameter::from_id(change.parameter)?;
            if parameter.get(&self) != change.from {
                return Err(Error::StaleChange);
            }
            parameter.set(&mut self, change.to)?;
        }
        Ok(self)
    }

    /// Makes `changes`, all or none.
    ///
    /// # Errors
    /// The errors of [`Config::changed`] and of [`Config::validate`].
    pub fn apply(&mut self, changes: &[ParameterChange]) -> Result<()> {
        let next = self.changed(changes)?;
        next.validate()?;
        *self = next;
        Ok(())
    }
}

impl Market {
    /// Changes parameters, all or none; who may, and after what time, is the caller's business. Interest up to now is
    /// at the old ones.
    ///
    /// The new parameters must be valid at the present liquidation LTV and at the one announced; in between they are
    /// too, for every rule about it is a bound from one side.
    ///
    /// # Errors
    /// The errors of [`Config::changed`] and of [`Config::validate`]; [`Error::Overflow`].
    pub fn change_parameters(&mut self, changes: &[ParameterChange], clock: Clock) -> Result<()> {
        let next = self.valid_with(changes, clock)?;
        let mut books = self.books;
        books.accrue(&self.config, clock)?;
        books.invariant()?;
        self.books = books;
        // Equity that is announced stays for as long as a guardian who asks now has to wait longer.
        let longer = next.guardian_cooldown.saturating_sub(self.config.guardian_cooldown);
        self.announced_withdrawal.put_off(longer);
        self.config = next;
        self.depth = self.depth.after_changes(changes, clock);
        Ok(())
    }

    /// Changes parameters in ways that do nothing but limit, all or none; who may is the caller's business. No such
    /// parameter bears on interest.
    ///
    /// # Errors
    /// [`Error::NotTighter`], [`Error::DepthLoweredTooFar`], those of [`Market::change_parameters`].
    pub fn tighten(&mut self, changes: &[ParameterChange], clock: Clock) -> Result<()> {
        check_changes(changes)?;
        for change in changes {
            let tighter = Parameter::from_id(change.parameter)?.tighter();
            if !tighter.is(change.from, change.to) {
                return Err(Error::NotTighter);
            }
        }
        let depth = self.depth.after_tightening(changes, clock)?;
        self.config = self.valid_with(changes, clock)?;
        self.depth = depth;
        Ok(())
    }

    /// Pins other feeds in sight of the present ones: `old` shows the present feeds and `new` the others, and both
    /// together must be good prices that agree within the band of the market's own EMA. Who may, and after what
    /// time, is the caller's business.
    ///
    /// The guard stays, and judges the first price of the new feeds as it would the next one of the old. Nobody borrows
    /// until the averages have had their time: [`AVERAGES_SETTLE`] and `own_ema_seconds`.
    ///
    /// # Errors
    /// The errors of [`Market::check_feeds`] and [`Oracle::read`], of either feeds; [`Error::ConfidenceTooWide`],
    /// [`Error::FeedsDisagree`].
    #[inline(never)]
    pub fn change_feeds(&mut self, feeds: &Feeds, old: &Readings, new: &Readings, clock: Clock) -> Result<()> {
        let mut next = self.check_feeds(feeds)?;
        let (present, known) = self.price_of(&self.oracle, old, clock)?;
        next.known = known.kept(&self.oracle, &next);
        let (other, known) = self.price_of(&next, new, clock)?;
        if num::strays(other.raw(), present.raw(), self.config.own_ema_band) {
            return Err(Error::FeedsDisagree);
        }
        next.known = known;
        self.pin(&next, clock);
        Ok(())
    }

    /// Pins other feeds in place of dead ones, which cannot be shown any more: no reading of a feed that is replaced
    /// was accepted since `queued_at`, when the change was announced to be of dead feeds. One reading of it ends that,
    /// also while another is dead: [`Market::keep_living_feeds`]. Who may, and after what time, is the caller's business.
    ///
    /// # Errors
    /// [`Error::FeedAlive`], those of [`Market::check_feeds`] and [`Oracle::read`]; [`Error::ConfidenceTooWide`].
    #[inline(never)]
    pub fn replace_dead_feeds(&mut self, feeds: &Feeds, queued_at: i64, new: &Readings, clock: Clock) -> Result<()> {
        let mut next = self.check_feeds(feeds)?;
        if self.oracle.known.accepted_of_replaced(&self.oracle, &next) > queued_at {
            return Err(Error::FeedAlive);
        }
        next.known = self.oracle.known.kept(&self.oracle, &next);
        let (_, known) = self.price_of(&next, new, clock)?;
        next.known = known;
        self.pin(&next, clock);
        Ok(())
    }

    /// The price that an oracle shows, for judging a change of feeds, and what is known then.
    #[inline(never)]
    fn price_of(&self, oracle: &Oracle, shown: &Readings, clock: Clock) -> Result<(Price, Known)> {
        let decimals = (self.collateral_decimals, self.quote_decimals);
        let (oracle_price, known) = oracle.read(&self.config, decimals, shown, PriceUse::Observe, clock)?;
        if oracle_price.flags().has(Flags::CONFIDENCE_HALT) {
            return Err(Error::ConfidenceTooWide);
        }
        Ok((oracle_price.spot(), known))
    }

    fn pin(&mut self, oracle: &Oracle, clock: Clock) {
        self.oracle = *oracle;
        let settle = AVERAGES_SETTLE.saturating_add(self.config.own_ema_seconds.into());
        self.guard.settled_at = clock.unix.saturating_add(settle);
    }

    /// The oracle as it would be with other feeds.
    ///
    /// # Errors
    /// [`Error::NoChange`], those of [`Oracle::validate`].
    pub fn check_feeds(&self, feeds: &Feeds) -> Result<Oracle> {
        let next = Oracle::pinned(feeds, &self.oracle.known);
        next.validate()?;
        if next == self.oracle {
            return Err(Error::NoChange);
        }
        Ok(next)
    }

    fn valid_with(&self, changes: &[ParameterChange], clock: Clock) -> Result<Config> {
        let next = self.config.changed(changes)?;
        let present = self.liquidation_ltv(clock);
        let announced = self.ramp.target(present);
        for liquidation_ltv in [present, announced] {
            let at = Config {
                liquidation_ltv,
                ..next
            };
            at.validate()?;
        }
        Ok(next)
    }
}

#[cfg(test)]
mod tests;

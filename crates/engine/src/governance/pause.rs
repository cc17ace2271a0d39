//! Pauses: kinds of action that are stopped for a while, by who may halt the market. Each kind has its own, which
//! expires by itself, holds at most `halt_seconds`, and has a cooldown of `halt_cooldown` seconds before the next, as
//! the emergency halt does.
//!
//! | bit | kind | stops |
//! |---|---|---|
//! | 1 | [`Kinds::SUPPLY`] | supplying the pool |
//! | 2 | [`Kinds::BORROW`] | borrowing |
//! | 4 | [`Kinds::WITHDRAW`] | withdrawing collateral against debt |
//! | 8 | [`Kinds::LIQUIDATE`] | liquidating |
//! | 16 | [`Kinds::SELL`] | selling inventory |
//! | 32 | [`Kinds::GUARDIAN_DEPOSIT`] | guardians' deposits |
//!
//! An action that takes nobody's money hostage has no bit, and so can never be paused: repaying, adding collateral,
//! withdrawing it without debt, suppliers' and guardians' leaving, funding, claims, settling a deficit, observing
//! prices.
//!
//! A pause of liquidations while prices fall costs bad debt, which is why it is as short and as rare as the emergency
//! halt. The two have a rest each: one after the other they stop liquidations for twice `halt_seconds`.

use crate::{
    config::Config,
    error::{Error, Result},
    math::units::Clock,
};

/// Kinds of action, one bit each; see the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kinds(pub u8);

impl Kinds {
    /// Supplying the pool.
    pub const SUPPLY: Self = Self(1);
    /// Borrowing.
    pub const BORROW: Self = Self(2);
    /// Withdrawing collateral against debt.
    pub const WITHDRAW: Self = Self(4);
    /// Liquidating.
    pub const LIQUIDATE: Self = Self(8);
    /// Selling inventory.
    pub const SELL: Self = Self(16);
    /// Guardians' deposits.
    pub const GUARDIAN_DEPOSIT: Self = Self(32);
    /// All that can be paused.
    pub const ALL: Self = Self(63);

    /// True if any of `other` is among these.
    #[inline]
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

stored! {
    /// Until when each kind of action is paused, seconds since 1970; zero if it never was.
    Pauses {
        /// Supplying the pool.
        supply: i64,
        /// Borrowing.
        borrow: i64,
        /// Withdrawing collateral against debt.
        withdraw: i64,
        /// Liquidating.
        liquidate: i64,
        /// Selling inventory.
        sell: i64,
        /// Guardians' deposits.
        guardian_deposit: i64,
    }
}

record! {
    /// Kinds of action were paused.
    Pause {
        /// Which, one bit each: 1 supply, 2 borrow, 4 withdraw against debt, 8 liquidate, 16 sell inventory, 32
        /// guardian's deposit.
        kinds: u8,
        /// When it expires, seconds since 1970.
        until: i64,
    }
}

impl Pauses {
    fn each(&mut self) -> [(Kinds, &mut i64); 6] {
        [
            (Kinds::SUPPLY, &mut self.supply),
            (Kinds::BORROW, &mut self.borrow),
            (Kinds::WITHDRAW, &mut self.withdraw),
            (Kinds::LIQUIDATE, &mut self.liquidate),
            (Kinds::SELL, &mut self.sell),
            (Kinds::GUARDIAN_DEPOSIT, &mut self.guardian_deposit),
        ]
    }

    /// Pauses `kinds`, all or none, for `seconds`.
    pub(crate) fn pause(&mut self, config: &Config, kinds: Kinds, seconds: u32, clock: Clock) -> Result<Pause> {
        if kinds.0 == 0 || kinds.0 & !Kinds::ALL.0 != 0 {
            return Err(Error::PauseKindUnknown);
        }
        if seconds == 0 || seconds > config.halt_seconds {
            return Err(Error::PauseTooLong);
        }
        let until = clock.unix.saturating_add(i64::from(seconds));
        let mut next = *self;
        for (kind, held) in next.each() {
            if kinds.has(kind) {
                if clock.unix < held.saturating_add(i64::from(config.halt_cooldown)) {
                    return Err(Error::PauseCooldown);
                }
                *held = until;
            }
        }
        *self = next;
        Ok(Pause { kinds: kinds.0, until })
    }
}

/// Checks that actions paused until a moment can be done.
///
/// # Errors
/// [`Error::ActionPaused`].
#[inline]
pub(crate) fn check(until: i64, clock: Clock) -> Result<()> {
    if clock.unix < until {
        return Err(Error::ActionPaused);
    }
    Ok(())
}

#[cfg(test)]
mod tests;

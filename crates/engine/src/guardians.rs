//! Guardians: third parties whose capital stands behind the backstop's own, for a share of its penalties.
//!
//! They hold shares of one claim on the backstop: senior to the protocol's equity, junior to the pool. A deposit adds to
//! the claim what it adds to the backstop, so joining needs no price and dilutes nobody. The claim earns
//!
//! ```text
//! guardian_share × penalty × min(1, claim ÷ equity)
//! ```
//!
//! of every liquidation, equity at the stressed price. `guardian_share` is at most one half, for the other half may be the
//! keeper's bounty: so nobody earns by liquidating himself. Leaving is asked for, waits `guardian_cooldown`, and may be done for
//! `guardian_window` after that; until then the shares take part in whatever happens. It pays
//!
//! ```text
//! shares ÷ all shares × min(claim, equity)
//! ```
//!
//! and gives up the same part of the claim. So nobody can leave between a loss and its settlement with more than his part
//! of what is left. A settled deficit voids the claim, and with it every share: a new era begins.

use crate::{
    config::Config,
    error::{Error, Result},
    num::{self, WHOLE},
    shares::{Stake, VIRTUAL_SHARES},
    units::{Bps, Clock, GuardianShares, Key, Quote},
};

/// [`GuardianPosition::version`] of this layout.
pub const VERSION: u8 = 1;

stored! {
    /// The guardians' one claim on the backstop.
    Guardians {
        /// What the guardians have put in and earned, less what left with those who left, quote atoms.
        claim: Quote,
        /// Shares of it.
        shares: GuardianShares,
        /// How many times the claim was voided. Shares of an earlier era are worth nothing.
        era: u64,
    }
}

stored! {
    /// One guardian's shares in one market.
    GuardianPosition {
        /// The market it belongs to.
        market: Key,
        /// Who may deposit and leave.
        guardian: Key,
        /// Shares held, of the era below.
        shares: GuardianShares,
        /// Shares asked to be taken out.
        requested: GuardianShares,
        /// When they were asked for, seconds since 1970.
        requested_at: i64,
        /// The era of the shares.
        era: u64,
        /// Layout version.
        version: u8,
        /// Bump of its address.
        bump: u8,
        /// Zeros.
        padding: [u8; 6],
        /// Zeros; room for later layouts.
        reserved: [u64; 8],
    }
}

impl Guardians {
    /// Shares for `amount`, rounded down, at the claim's full value, whatever the backstop has lost: who joins an impaired
    /// backstop helps it, and gains nothing.
    pub(crate) fn shares_for(&self, amount: Quote) -> Result<GuardianShares> {
        self.of(self.claim).shares_for(amount.0).map(GuardianShares)
    }

    /// Takes `amount` in for `shares`.
    pub(crate) fn take_in(&mut self, amount: Quote, shares: GuardianShares) -> Result<()> {
        let all = self.shares.plus(shares)?;
        // Else nobody could be paid out any more.
        all.plus(GuardianShares(VIRTUAL_SHARES))?;
        self.claim = self.claim.plus(amount)?;
        self.shares = all;
        Ok(())
    }

    /// Cancels `shares` when `payable` is all that the claim can be paid with now. Returns what is paid, rounded down.
    ///
    /// The claim falls by the same part, rounded down, and by no less than what is paid.
    pub(crate) fn pay_out(&mut self, shares: GuardianShares, payable: Quote) -> Result<Quote> {
        let paid = self.of(payable.min(self.claim)).amount_for(shares.0)?;
        let given_up = self.of(self.claim).amount_for(shares.0)?.min(self.claim.0);
        self.shares = self.shares.minus(shares)?;
        self.claim = self.claim.minus(Quote(given_up))?;
        Ok(Quote(paid.min(given_up)))
    }

    /// The part of a penalty that the claim earns, bps, rounded down: guardian_share × min(1, claim ÷ equity). Nothing
    /// without equity.
    #[must_use]
    pub fn rate(&self, config: &Config, equity: u64) -> Bps {
        if self.shares == GuardianShares::ZERO {
            return Bps(0);
        }
        let part = num::mul_div_floor(config.guardian_share.factor(), self.claim.0.min(equity), equity);
        Bps(part.ok().and_then(|part| u32::try_from(part).ok()).unwrap_or(0))
    }

    /// What `penalty` adds to a claim that earns at `rate`, rounded down.
    #[inline]
    pub(crate) fn earned(penalty: Quote, rate: Bps) -> Quote {
        Quote(num::part(penalty.0, Bps(rate.0.min(WHOLE.0))))
    }

    /// Voids the claim. Returns what it was.
    pub(crate) fn void(&mut self) -> Quote {
        let lost = self.claim;
        *self = Self {
            claim: Quote::ZERO,
            shares: GuardianShares::ZERO,
            era: self.era.wrapping_add(1),
        };
        lost
    }

    fn of(&self, assets: Quote) -> Stake {
        Stake {
            shares: self.shares.0,
            assets: assets.0,
        }
    }
}

impl GuardianPosition {
    /// An empty position.
    #[must_use]
    pub fn new(market: Key, guardian: Key, bump: u8) -> Self {
        Self {
            market,
            guardian,
            version: VERSION,
            bump,
            ..bytemuck::Zeroable::zeroed()
        }
    }

    /// The position as it counts in the present era: shares of an earlier one are gone.
    #[must_use]
    pub fn in_era(&self, era: u64) -> Self {
        if self.era == era {
            return *self;
        }
        Self {
            shares: GuardianShares::ZERO,
            requested: GuardianShares::ZERO,
            requested_at: 0,
            era,
            ..*self
        }
    }

    /// Whether `shares` may leave now.
    ///
    /// # Errors
    /// [`Error::InsufficientGuardianShares`], [`Error::TooEarly`], [`Error::Expired`].
    pub(crate) fn check_leaving(&self, config: &Config, shares: GuardianShares, clock: Clock) -> Result<()> {
        if shares > self.requested {
            return Err(Error::InsufficientGuardianShares);
        }
        check_window(
            self.requested_at,
            config.guardian_cooldown,
            config.guardian_window,
            clock,
        )
    }
}

/// Whether now is at least `wait` seconds after `since`, and at most `window` seconds later than that.
///
/// # Errors
/// [`Error::TooEarly`], [`Error::Expired`].
pub(crate) fn check_window(since: i64, wait: u32, window: u32, clock: Clock) -> Result<()> {
    let opens = since.saturating_add(i64::from(wait));
    if clock.unix < opens {
        Err(Error::TooEarly)
    } else if clock.unix > opens.saturating_add(i64::from(window)) {
        Err(Error::Expired)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests;

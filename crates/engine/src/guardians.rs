//! Guardians: third parties whose capital stands behind the backstop's own, for a share of its penalties.
//!
//! They hold shares of one claim on the backstop: senior to the protocol's equity, junior to the pool. A deposit adds to
//! the claim what it adds to the backstop, so joining needs no price and dilutes nobody. The claim earns
//!
//! ```text
//! guardian_share × penalty × min(1, claim ÷ equity)
//! ```
//!
//! of every liquidation, equity at q ([`crate::stress`]); of a take-over only what a partial liquidation would pay, and
//! nothing while Guarded. `guardian_share` is at most one half, for the other half may be the keeper's bounty: so nobody earns by
//! liquidating himself. For standing by it earns, of each reserve part of interest,
//!
//! ```text
//! standby_share × reserve part × claim ÷ (claim + the protocol's capital and reserves)
//! ```
//!
//! at book, without a price. Leaving is asked for, waits `guardian_cooldown`, and may be done for
//! `guardian_window` after that; until then the shares take part in whatever happens. It pays
//!
//! ```text
//! shares ÷ all shares × min(claim, equity)
//! ```
//!
//! and gives up the same part of the claim, as far as the stress cover allows. So nobody can leave between a loss and its settlement with more than his part
//! of what is left. A settled deficit voids the claim, and with it every share: a new era begins.

use crate::{
    config::Config,
    error::{Error, Result},
    num::{self, WHOLE},
    shares::{Stake, VIRTUAL_SHARES},
    units::{Bps, Clock, Fixed, GuardianShares, Key, Quote},
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
        /// Shares that have been asked to be taken out: they do not count for new risk.
        requested: GuardianShares,
        /// A fraction of an atom earned beside the claim, in units of 2^-64.
        fraction: u64,
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

    /// The requested shares' part of the claim, quote atoms, rounded down.
    pub(crate) fn requested_claim(&self) -> Result<Quote> {
        if self.requested == GuardianShares::ZERO {
            return Ok(Quote::ZERO);
        }
        self.of(self.claim).amount_for(self.requested.0).map(Quote)
    }

    /// Replaces a request of `old` shares by one of `new`.
    pub(crate) fn request(&mut self, old: GuardianShares, new: GuardianShares) -> Result<()> {
        self.requested = self.requested.minus(old)?.plus(new)?;
        Ok(())
    }

    /// Adds what the claim earns for standing by, of a reserve part `earned` of interest beside `protocol` quote atoms of the
    /// protocol's own. Rounded down, to 2^-40 atoms; the ratio of the claim to 2^-23. Returns the whole atoms added.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub(crate) fn stand_by(&mut self, config: &Config, earned: Fixed, protocol: Quote) -> Result<Quote> {
        const RATIO_BITS: u32 = 23;
        if self.shares == GuardianShares::ZERO || earned.raw() == 0 {
            return Ok(Quote::ZERO);
        }
        let capital = self.claim.plus(protocol)?;
        let ratio = num::fraction(self.claim.0.into(), capital.0.into(), RATIO_BITS);
        let share = num::q_times(
            num::div_floor_small(earned.raw(), WHOLE.0)?,
            config.standby_share.factor(),
        )?;
        let part = num::q_times(share >> RATIO_BITS, ratio)?;
        let (whole, fraction) = num::split(num::add(part, u128::from(self.fraction))?);
        self.claim = self.claim.plus(Quote(whole))?;
        self.fraction = fraction;
        Ok(Quote(whole))
    }

    /// Voids the claim. Returns what it was.
    pub(crate) fn void(&mut self) -> Quote {
        let lost = self.claim;
        *self = Self {
            claim: Quote::ZERO,
            shares: GuardianShares::ZERO,
            requested: GuardianShares::ZERO,
            fraction: 0,
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

//! Guardians: third parties whose capital stands behind the backstop's own, for a share of its penalties.
//!
//! They hold shares of one claim on the backstop: senior to the protocol's equity, junior to the pool. A deposit adds
//! to the claim what it adds to the backstop, so joining needs no price and dilutes nobody. The claim earns
//!
//! ```text
//! guardian_share × penalty × min(1, claim ÷ equity)
//! ```
//!
//! of every liquidation, equity at q ([`crate::backstop::capacity`]); of a take-over only what a partial liquidation
//! would pay, and nothing while Guarded. `guardian_share` is at most one half, for the other half may be the keeper's
//! bounty: so nobody earns by liquidating himself. For standing by it earns, of each reserve part of interest,
//!
//! ```text
//! standby_share × reserve part × claim ÷ (claim + the protocol's capital and reserves)
//! ```
//!
//! at book, without a price.
//!
//! # Leaving
//!
//! Who asks to leave gives shares up for a **fixed claim** in quote atoms: their part of the claim. From then on it
//! takes no part in what the claim earns, does not count for new risk ([`crate::backstop::capacity`]), and ranks with
//! all other claims in losses: a payment is cut by min(1, equity ÷ all claims) ([`Guardians::worth`]). It opens
//! `guardian_cooldown` later; what a payment could not pay then earns for standing by again. Who leaves it in although
//! it could leave earns nothing for it: it would be an option to go when news comes.
//!
//! | kept | what | changes |
//! |---|---|---|
//! | [`Guardians::claim`], [`Guardians::shares`] | who stays | deposits, penalties, standing by; less when somebody asks |
//! | [`Guardians::waiting`] | fixed claims that earn nothing | asked; paid; opened by a payment of less than was wanted |
//! | [`Guardians::open`], [`Guardians::open_shares`] | fixed claims that are open, and what they earn | opened; standing by; paid |
//! | [`Guardians::paid`] | what requests that are still unpaid in part have been paid | each payment; less once a request has ended |
//!
//! A payment is bounded by four things, with u what is unpaid of the request, p what it was paid, U and P the same of
//! all, and C the stress cover at the request's own S, which falls from `stress_fall` at its opening to nothing after
//! `guardian_release`:
//!
//! ```text
//! (max(0, C) + P) × (u + p) ÷ (U + P) − p        its part of what can leave
//! max(0, C)                                      what can leave
//! u × min(1, equity ÷ all claims)                its part of what there is
//! cash
//! ```
//!
//! Nothing is gained by order or by splitting. A payment takes from C what it adds to P, so a second one in the same
//! moment pays nothing more, and whoever comes later finds the part that he would have found first. A new request
//! counts as paid by the part P ÷ U that the others were paid on average (at most a hundredfold): its own part is C ×
//! own ÷ U, whether it was ever here before or not. Where equity is below all claims, a payment gives up as much more
//! of the claim, so what is left for each other atom of claim stays the same. And asking gives up what it gets,
//! whenever it asks; taking back buys shares at the claim's full value, as a deposit does: all claims stay what they
//! were.
//!
//! A request keeps its own terms: amount, opening, S and release are what they were when it was asked, whatever is
//! changed later. It ends by being paid, or by being taken back from its opening on. A settled deficit voids the claim,
//! and with it every share and every request: a new epoch begins.

use crate::{
    config::Config,
    error::{Error, Result},
    math::{
        num::{self, WHOLE},
        shares::{Stake, VIRTUAL_SHARES},
        units::{Bps, Clock, Fixed, GuardianShares, Key, Quote},
    },
};

stored! {
    /// The guardians' one claim on the backstop.
    Guardians {
        /// Capital put in and earned by the guardians who stay, quote atoms.
        claim: Quote,
        /// Shares of it.
        shares: GuardianShares,
        /// Fixed claims of those who asked to leave, as far as they earn nothing, quote atoms.
        waiting: Quote,
        /// A fraction of an atom earned beside the claim, in units of 2^-64.
        fraction: u64,
        /// How many times the claim was voided. Shares and requests of an earlier epoch are worth nothing.
        epoch: u64,
        /// Fixed claims of requests that are open and unpaid, with what they have earned since, quote atoms.
        open: Quote,
        /// Shares of them.
        open_shares: GuardianShares,
        /// A fraction of an atom earned beside the open claims, in units of 2^-64.
        open_fraction: u64,
        /// Amount that the requests still unpaid in part count as having been paid, quote atoms.
        paid: Quote,
    }
}

stored! {
    /// One guardian's shares in one market.
    GuardianPosition {
        /// The market it belongs to.
        market: Key,
        /// Who may deposit and leave.
        guardian: Key,
        /// Shares held, of the epoch below.
        shares: GuardianShares,
        /// The fixed claim of a request, as long as it earns nothing, quote atoms.
        waiting: Quote,
        /// From when the request is paid or can be taken back, seconds since 1970; zero without one.
        opens_at: i64,
        /// The epoch of the shares and of the request.
        epoch: u64,
        /// Bump of its address.
        bump: u8,
        /// Zeros.
        padding: [u8; 7],
        /// Shares of the open claims, once the request has been open at a payment.
        open_shares: GuardianShares,
        /// Amount that the request counts as having been paid, quote atoms.
        paid: Quote,
        /// S_base when it was asked, bps: the cover that its first payment must leave.
        fall: Bps,
        /// Time from its opening in which that falls to nothing, as it was when it was asked, seconds.
        release: u32,
        /// Zeros; room for later layouts.
        reserved: [u64; 5],
    }
}

/// A new request counts as paid by at most so many times its amount.
const MOST_PAID: u64 = 100;

/// Bounds of a payment, beside the request itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Means {
    /// max(0, C) at the request's S, quote atoms.
    pub cover: Quote,
    /// The backstop's equity at the stored prices, at least nothing, quote atoms.
    pub equity: Quote,
    /// Its cash, quote atoms.
    pub cash: Quote,
}

impl Guardians {
    /// Shares for `amount`, rounded down, at the claim's full value, whatever the backstop has lost: who joins an
    /// impaired backstop helps it, and gains nothing.
    pub(crate) fn shares_for(&self, amount: Quote) -> Result<GuardianShares> {
        self.of_claim().shares_for(amount.0).map(GuardianShares)
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

    /// All fixed claims of those who asked to leave, quote atoms.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub fn requested(&self) -> Result<Quote> {
        self.waiting.plus(self.open)
    }

    /// All claims on the backstop, quote atoms: of who stays and of who asked to leave.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub fn all_claims(&self) -> Result<Quote> {
        self.claim.plus(self.requested()?)
    }

    /// Value of `claim` out of all claims beside so much equity, quote atoms, rounded down: claim ×
    /// min(1, equity ÷ all claims).
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub fn worth(&self, claim: Quote, equity: Quote) -> Result<Quote> {
        let all = self.all_claims()?;
        if equity >= all {
            return Ok(claim);
        }
        num::mul_div_floor(claim.0, equity.0, all.0).map(Quote)
    }

    /// Gives `shares` of a position up for a request of their part of the claim, rounded down. Not less where the
    /// backstop has lost: the payment is cut by that, and a second cut would be a gift to those who ask later.
    ///
    /// # Errors
    /// [`Error::ClaimWorthless`], [`Error::Overflow`].
    pub(crate) fn ask(&mut self, position: &mut GuardianPosition, shares: GuardianShares) -> Result<Quote> {
        let amount = Quote(self.of_claim().amount_for(shares.0)?).min(self.claim);
        if amount == Quote::ZERO {
            return Err(Error::ClaimWorthless);
        }
        let requested = self.requested()?;
        // Where next to nothing is left of the others' requests any figure does, and one without bound would not fit.
        let before = self.paid.0.min(requested.0.saturating_mul(MOST_PAID));
        let paid = if before == 0 {
            Quote::ZERO
        } else {
            Quote(num::mul_div_floor(amount.0, before, requested.0)?)
        };
        self.claim = self.claim.minus(amount)?;
        self.shares = self.shares.minus(shares)?;
        self.waiting = self.waiting.plus(amount)?;
        self.paid = self.paid.plus(paid)?;
        position.shares = position.shares.minus(shares)?;
        (position.waiting, position.paid) = (amount, paid);
        Ok(amount)
    }

    /// Pays a request as much of `wanted` as the `means` allow. The part kept in by the means earns from now on; the
    /// part left because no more was wanted does not, for it could leave. Returns the payment, rounded down; the
    /// request falls by as much, or by more where equity is below all claims, rounded up.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub(crate) fn pay(&mut self, position: &mut GuardianPosition, wanted: Quote, means: &Means) -> Result<Quote> {
        let own = position.unpaid(self)?;
        let all = self.all_claims()?;
        let worth = self.worth(own, means.equity)?;
        let part = self.part(position, own, means.cover)?;
        let amount = wanted.min(part).min(means.cover).min(worth).min(means.cash);
        let given_up = if amount == Quote::ZERO || means.equity >= all {
            amount
        } else if amount == worth {
            own
        } else {
            Quote(num::mul_div_ceil(amount.0, all.0, means.equity.0)?).min(own)
        };
        self.paid = self.paid.plus(amount)?;
        position.paid = position.paid.plus(amount)?;
        self.reduce(position, own, given_up)?;
        if amount < wanted {
            self.open_up(position)?;
        } else {
            self.hold_up(position)?;
        }
        Ok(amount)
    }

    /// A request's part of `cover` beyond the amount it was paid, quote atoms, rounded down.
    fn part(&self, position: &GuardianPosition, own: Quote, cover: Quote) -> Result<Quote> {
        let all = self.requested()?.plus(self.paid)?;
        let asked = own.plus(position.paid)?;
        if all == Quote::ZERO {
            return Ok(Quote::ZERO);
        }
        let part = num::mul_div_floor(cover.plus(self.paid)?.0, asked.0, all.0)?;
        Ok(Quote(part.saturating_sub(position.paid.0)))
    }

    /// Takes `less` off a request of which `own` is unpaid.
    fn reduce(&mut self, position: &mut GuardianPosition, own: Quote, less: Quote) -> Result<()> {
        let held = position.open_shares;
        if held == GuardianShares::ZERO {
            self.waiting = self.waiting.minus(less)?;
            position.waiting = position.waiting.minus(less)?;
        } else {
            let shares = if less == own {
                held
            } else {
                held.min(GuardianShares(self.of_open().shares_worth(less.0)?))
            };
            self.open = self.open.minus(less)?;
            self.open_shares = self.open_shares.minus(shares)?;
            position.open_shares = held.minus(shares)?;
            if self.open_shares == GuardianShares::ZERO {
                // What rounding has left belongs to nobody.
                (self.open, self.open_fraction) = (Quote::ZERO, 0);
            }
        }
        if !position.has_request() {
            self.paid = self.paid.minus(position.paid)?;
            position.forget();
        }
        Ok(())
    }

    /// Lets a request earn that has waited. It loses at most an atom to rounding.
    fn open_up(&mut self, position: &mut GuardianPosition) -> Result<()> {
        let amount = position.waiting;
        if amount == Quote::ZERO {
            return Ok(());
        }
        let shares = GuardianShares(self.of_open().shares_for(amount.0)?);
        if shares == GuardianShares::ZERO {
            return Ok(());
        }
        self.waiting = self.waiting.minus(amount)?;
        self.open = self.open.plus(amount)?;
        self.open_shares = self.open_shares.plus(shares)?;
        (position.waiting, position.open_shares) = (Quote::ZERO, shares);
        Ok(())
    }

    /// Lets a request wait that was open.
    fn hold_up(&mut self, position: &mut GuardianPosition) -> Result<()> {
        let amount = position.unpaid(self)?;
        if position.open_shares == GuardianShares::ZERO {
            return Ok(());
        }
        let paid = core::mem::take(&mut position.paid);
        let terms = (position.opens_at, position.fall, position.release);
        self.paid = self.paid.minus(paid)?;
        self.reduce(position, amount, amount)?;
        if amount == Quote::ZERO {
            // Rounding has left nothing of it.
            return Ok(());
        }
        self.waiting = self.waiting.plus(amount)?;
        self.paid = self.paid.plus(paid)?;
        (position.waiting, position.paid) = (amount, paid);
        (position.opens_at, position.fall, position.release) = terms;
        Ok(())
    }

    /// Ends a request by buying shares for it at the claim's full value, rounded down: as a deposit does. Returns what
    /// was unpaid of it, and the shares.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub(crate) fn take_back(&mut self, position: &mut GuardianPosition) -> Result<(Quote, GuardianShares)> {
        let own = position.unpaid(self)?;
        let shares = self.shares_for(own)?;
        self.reduce(position, own, own)?;
        self.take_in(own, shares)?;
        position.shares = position.shares.plus(shares)?;
        Ok((own, shares))
    }

    /// The part of a penalty that the claim earns, bps, rounded down: guardian_share × min(1, claim ÷ equity).
    /// Nothing without equity.
    #[must_use]
    pub fn rate(&self, config: &Config, equity: u64) -> Bps {
        if self.shares == GuardianShares::ZERO {
            return Bps(0);
        }
        let part = num::mul_div_floor(config.guardian_share.factor(), self.claim.0.min(equity), equity);
        Bps(part.ok().and_then(|part| u32::try_from(part).ok()).unwrap_or(0))
    }

    /// Amount that `penalty` adds to a claim that earns at `rate`, quote atoms, rounded down.
    #[inline]
    pub(crate) fn earned(penalty: Quote, rate: Bps) -> Quote {
        Quote(num::part(penalty.0, Bps(rate.0.min(WHOLE.0))))
    }

    /// True if anybody is there to earn for standing by.
    #[inline]
    pub(crate) fn are_standing_by(&self) -> bool {
        self.shares != GuardianShares::ZERO || self.open_shares != GuardianShares::ZERO
    }

    /// Adds what the claim and the open requests earn for standing by, of a reserve part `earned` of interest beside
    /// `protocol` quote atoms of the protocol's own. Rounded down, to 2^-40 atoms; the ratio of each to 2^-23. Capital
    /// that waits earns nothing, and what it would have earned stays with the protocol. Returns the whole atoms added.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub(crate) fn stand_by(&mut self, config: &Config, earned: Fixed, protocol: Quote) -> Result<Quote> {
        if earned.raw() == 0 || !self.are_standing_by() {
            return Ok(Quote::ZERO);
        }
        let capital = self.all_claims()?.plus(protocol)?;
        let share = num::q_times(
            num::div_floor_small(earned.raw(), WHOLE.0)?,
            config.standby_share.factor(),
        )?;
        let mut added = Quote::ZERO;
        if self.shares != GuardianShares::ZERO {
            added = stands_by(&mut self.claim, &mut self.fraction, share, capital)?;
        }
        if self.open_shares != GuardianShares::ZERO {
            added = added.plus(stands_by(&mut self.open, &mut self.open_fraction, share, capital)?)?;
        }
        Ok(added)
    }

    /// Voids all claims, those of requests too. Returns what they were.
    pub(crate) fn void(&mut self) -> Quote {
        let lost = self.all_claims().unwrap_or(Quote(u64::MAX));
        *self = Self {
            epoch: self.epoch.wrapping_add(1),
            ..bytemuck::Zeroable::zeroed()
        };
        lost
    }

    fn of_claim(&self) -> Stake {
        Stake {
            shares: self.shares.0,
            assets: self.claim.0,
        }
    }

    fn of_open(&self) -> Stake {
        Stake {
            shares: self.open_shares.0,
            assets: self.open.0,
        }
    }
}

/// Adds share × assets ÷ capital, Q64.64 and rounded down, to assets and their fraction. Returns the whole atoms
/// added.
fn stands_by(assets: &mut Quote, fraction: &mut u64, share: u128, capital: Quote) -> Result<Quote> {
    const RATIO_BITS: u32 = 23;
    let ratio = num::fraction(assets.0.into(), capital.0.into(), RATIO_BITS);
    let part = num::q_times(share >> RATIO_BITS, ratio)?;
    let (whole, rest) = num::split(num::add(part, u128::from(*fraction))?);
    *assets = assets.plus(Quote(whole))?;
    *fraction = rest;
    Ok(Quote(whole))
}

impl GuardianPosition {
    /// An empty position.
    #[must_use]
    pub fn new(market: Key, guardian: Key, bump: u8) -> Self {
        Self {
            market,
            guardian,
            bump,
            ..bytemuck::Zeroable::zeroed()
        }
    }

    /// The position as it counts in the present epoch: shares of an earlier one are gone.
    #[must_use]
    pub fn in_epoch(&self, epoch: u64) -> Self {
        if self.epoch == epoch {
            return *self;
        }
        let mut next = *self;
        next.forget();
        next.shares = GuardianShares::ZERO;
        next.epoch = epoch;
        next
    }

    /// True if it has asked to leave and is not paid in full.
    #[must_use]
    pub fn has_request(&self) -> bool {
        self.waiting != Quote::ZERO || self.open_shares != GuardianShares::ZERO
    }

    /// Unpaid part of its request, quote atoms, rounded down.
    ///
    /// # Errors
    /// [`Error::Overflow`].
    pub fn unpaid(&self, guardians: &Guardians) -> Result<Quote> {
        if self.open_shares == GuardianShares::ZERO {
            return Ok(self.waiting);
        }
        let open = guardians.of_open().amount_for(self.open_shares.0)?;
        Ok(Quote(open.min(guardians.open.0)))
    }

    /// Checks that its request is open.
    ///
    /// # Errors
    /// [`Error::NothingRequested`], [`Error::TimelockActive`].
    pub(crate) fn check_open(&self, clock: Clock) -> Result<()> {
        if !self.has_request() {
            Err(Error::NothingRequested)
        } else if clock.unix < self.opens_at {
            Err(Error::TimelockActive)
        } else {
            Ok(())
        }
    }

    /// True once nothing of S is left of its request: then nobody keeps it in, whatever the level.
    #[must_use]
    pub fn is_released(&self, clock: Clock) -> bool {
        clock.unix >= self.opens_at.saturating_add(self.release.into())
    }

    /// S of its request at a moment, bps, rounded up: what it was when asked, falling on a straight line from the
    /// opening to nothing after its release.
    #[must_use]
    pub fn fall_at(&self, clock: Clock) -> Bps {
        let elapsed = clock.since(self.opens_at);
        let release = u64::from(self.release);
        let left = release.saturating_sub(elapsed);
        let fall = num::mul_div_ceil(self.fall.factor(), left, release).unwrap_or(0);
        Bps(u32::try_from(fall).unwrap_or(self.fall.0))
    }

    /// No request any more.
    fn forget(&mut self) {
        *self = Self {
            waiting: Quote::ZERO,
            opens_at: 0,
            open_shares: GuardianShares::ZERO,
            paid: Quote::ZERO,
            fall: Bps(0),
            release: 0,
            ..*self
        };
    }
}

#[cfg(test)]
mod tests;

//! Changes that wait: announced with a hash of exactly what they are, executed not before their delay and not after
//! [`GRACE`], or canceled. The delay is [`TIMELOCK`]; for what changes a market it is [`Config::change_delay`], so
//! that a guardian who asks to leave on the day that it is announced has left before it is done. A change that can only
//! limit is done at once: [`crate::config::table`].
//!
//! A change is queued only until the slot that its signers named. So an approval that was signed long ago, with a
//! durable nonce, and kept back is worth nothing after that slot, and nobody can name one too far ahead: what is
//! approved today cannot be done next year. A queued change then waits and closes by the clock alone: slots are of no
//! fixed length, and whoever has to see a change coming, or to carry it out, must know when.
//!
//! | state of an entry | execute | cancel |
//! |---|---|---|
//! | before `opens_at` | [`Error::TimelockActive`] | yes |
//! | until `closes_at` | what was queued: yes; else [`Error::ChangeHashMismatch`] | yes |
//! | after it | [`Error::Expired`] | yes |
//! | executed or canceled | there is none any more | there is none any more |

use crate::{
    config::Config,
    error::{Error, Result},
    math::units::{Clock, Key},
};

mod changes;
pub mod depth;
pub mod pause;
pub mod ramp;

pub use changes::{MAX_CHANGES, ParameterChange, check_changes};

/// Least time between queueing a change and its execution, seconds: three days.
pub const TIMELOCK: i64 = 3 * DAY;
/// Time in which it may be executed then, seconds: three days.
pub const GRACE: i64 = 3 * DAY;
/// The furthest slot that an approval may name, in slots from now: time for signers to come together. Three and a half
/// days of slots of 100 milliseconds, nearly nine of 250, twenty-one of 600.
pub const LONGEST_APPROVAL: u64 = 3_024_000;
/// Seconds in a day.
const DAY: i64 = 86_400;

/// [`QueuedChange::kind`] of a change of a market's parameters.
pub const PARAMETERS: u8 = 1;
/// [`QueuedChange::kind`] of a change of a market's feeds.
pub const FEEDS: u8 = 2;
/// [`QueuedChange::kind`] of a change of the emergency admin.
pub const EMERGENCY_ADMIN: u8 = 3;
/// [`QueuedChange::kind`] of a change of a market's depth budget and its share of it.
pub const DEPTH: u8 = 4;
/// [`QueuedChange::kind`] of a change of the sentinel.
pub const SENTINEL: u8 = 5;

stored! {
    /// A change that waits out its timelock.
    QueuedChange {
        /// The subject of the change: a market, or the protocol.
        subject: Key,
        /// SHA-256 of kind, subject and the change itself.
        hash: [u8; 32],
        /// When it was queued, seconds since 1970.
        queued_at: i64,
        /// From when it can be executed, seconds since 1970.
        opens_at: i64,
        /// Until when, seconds since 1970.
        closes_at: i64,
        /// Tells apart the entries of one subject and kind.
        id: u16,
        /// 1 = parameters, 2 = feeds, 3 = emergency admin, 4 = depth budget and share, 5 = sentinel.
        kind: u8,
        /// Bump of its address.
        bump: u8,
        /// Zeros.
        padding: [u8; 4],
        /// Zeros; room for later layouts.
        reserved: [u64; 4],
    }
}

record! {
    /// A change was queued.
    ChangeQueued {
        /// SHA-256 of kind, subject and the change itself.
        hash: [u8; 32],
        /// From when it can be executed, seconds since 1970.
        opens_at: i64,
        /// Until when, seconds since 1970.
        closes_at: i64,
    }
}

/// Which entry of the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The subject of the change: a market, or the protocol.
    pub subject: Key,
    /// [`PARAMETERS`], [`FEEDS`], [`EMERGENCY_ADMIN`], [`DEPTH`] or [`SENTINEL`].
    pub kind: u8,
    /// Tells apart the entries of one subject and kind.
    pub id: u16,
}

impl QueuedChange {
    /// Queues the change of this hash, which was approved to be queued until `expires_slot`, in place of whatever is
    /// here. It opens `delay` seconds from now: [`TIMELOCK`], or [`Config::change_delay`] for what changes a market.
    ///
    /// # Errors
    /// [`Error::ApprovalExpired`], [`Error::ApprovalTooLong`].
    pub fn queue(
        &mut self,
        entry: Entry,
        hash: [u8; 32],
        bump: u8,
        expires_slot: u64,
        delay: i64,
        clock: Clock,
    ) -> Result<ChangeQueued> {
        check_approval(expires_slot, clock)?;
        let opens_at = clock.unix.saturating_add(delay.max(TIMELOCK));
        let Entry { subject, kind, id } = entry;
        let closes_at = opens_at.saturating_add(GRACE);
        *self = Self {
            subject,
            hash,
            queued_at: clock.unix,
            opens_at,
            closes_at,
            id,
            kind,
            bump,
            padding: [0; 4],
            reserved: [0; 4],
        };
        Ok(ChangeQueued {
            hash,
            opens_at,
            closes_at,
        })
    }

    /// True if this is an entry of that subject and kind.
    #[must_use]
    pub fn is_of(&self, subject: Key, kind: u8) -> bool {
        self.subject == subject && self.kind == kind
    }

    /// Checks that the change of this hash may be executed now, and not before `delay` seconds, as that is by now, have
    /// passed since it was queued: [`Config::change_delay`] of what changes a market. So who learns of it still leaves
    /// first, though the guardians' cooldown has become longer in between. Returns the number of the entry.
    ///
    /// # Errors
    /// [`Error::TimelockActive`], [`Error::Expired`], [`Error::ChangeHashMismatch`].
    pub fn check(&self, hash: &[u8; 32], delay: i64, clock: Clock) -> Result<u16> {
        if clock.unix < self.opens_at.max(self.queued_at.saturating_add(delay)) {
            return Err(Error::TimelockActive);
        }
        if clock.unix > self.closes_at {
            return Err(Error::Expired);
        }
        if *hash != self.hash {
            return Err(Error::ChangeHashMismatch);
        }
        Ok(self.id)
    }
}

impl Config {
    /// Least time between announcing a change of a market and doing it, seconds: [`TIMELOCK`], and at least a
    /// guardian's cooldown and a day. The liquidation LTV's [`crate::governance::ramp`] has the same notice.
    #[must_use]
    pub fn change_delay(&self) -> i64 {
        i64::from(self.guardian_cooldown).saturating_add(DAY).max(TIMELOCK)
    }
}

/// Checks that a change approved until `expires_slot` may be queued now, or such an authority proposed.
///
/// # Errors
/// [`Error::ApprovalExpired`] after that slot, [`Error::ApprovalTooLong`] if it is further ahead than
/// [`LONGEST_APPROVAL`].
pub fn check_approval(expires_slot: u64, clock: Clock) -> Result<()> {
    let ahead = expires_slot.checked_sub(clock.slot).ok_or(Error::ApprovalExpired)?;
    if ahead > LONGEST_APPROVAL {
        return Err(Error::ApprovalTooLong);
    }
    Ok(())
}

/// Checks that an authority proposed until `expires_slot` may still accept.
///
/// # Errors
/// [`Error::Expired`].
pub fn check_acceptance(expires_slot: u64, clock: Clock) -> Result<()> {
    if clock.slot > expires_slot {
        return Err(Error::Expired);
    }
    Ok(())
}

#[cfg(test)]
mod tests;

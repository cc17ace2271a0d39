//! Depth is shared: markets that sell one asset promise parts of one market's depth, and all promises together at most
//! the whole.
//!
//! A [`DepthBudget`] stands for what can be sold of one asset: SOL for SOL/USDC and JitoSOL/USDC, USDC for USDC/SOL. A
//! market registers a share of it when it is created or changed; its `market_depth` is that share of what is measured,
//! in its own quote. Σ shares ≤ 10,000 bps is checked then, so no market can starve another when prices fall:
//! nothing is shared at run time.
//!
//! | change | waits | bound |
//! |---|---|---|
//! | a market's share, or its budget | the timelock | what the budget has left |
//! | a lower share | no | |
//! | higher `market_depth` | the timelock | `debt_cap` ≤ 200 × `market_depth` |
//! | lower `market_depth` | no | at most by half in 24 hours, whoever holds the key: it carries all sales |
//!
//! A budget is created at once: whatever draws on it waits, or is a new market within the first limits.

use crate::{
    config::Parameter,
    error::{Error, Result},
    governance::ParameterChange,
    math::{
        num::BPS,
        units::{Bps, Clock, Key, Quote},
    },
};

/// Time in which `market_depth` may be lowered at once by at most half, seconds.
const LOWERING_WINDOW: i64 = 86_400;

stored! {
    /// Market depth of one asset, shared among the markets that sell it.
    DepthBudget {
        /// Name of the asset, UTF-8, padded with zeros.
        name: [u8; 32],
        /// The shares that markets have registered, bps of the whole; at most 10,000.
        allocated: Bps,
        /// Bump of its address.
        bump: u8,
        /// Zeros.
        padding: [u8; 3],
        /// Zeros; room for later layouts.
        reserved: [u64; 8],
    }
}

stored! {
    /// A market's share of a budget, and how far its depth has been lowered lately.
    DepthShare {
        /// The budget's address.
        budget: Key,
        /// Its share, bps.
        share: Bps,
        /// Zeros.
        padding: [u8; 4],
        /// The highest `market_depth` before a lowering, since there was none for 24 hours, quote atoms.
        lowered_from: Quote,
        /// When it was last lowered, seconds since 1970; zero if never.
        lowered_at: i64,
    }
}

record! {
    /// Which share of which budget a market has or is to have. The payload of a queued change are both, the present one
    /// first: so a share that was lowered meanwhile is not raised by what was queued before.
    DepthAllocation {
        /// The budget's address.
        budget: Key,
        /// The share, bps.
        share: Bps,
    }
}

impl DepthBudget {
    /// Writes a new budget into zeroed state.
    ///
    /// # Errors
    /// [`Error::NameInvalid`] unless the name is printable ASCII, followed by nothing but zeros.
    pub fn initialize(&mut self, name: [u8; 32], bump: u8) -> Result<()> {
        let length = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
        let (word, rest) = name.split_at_checked(length).ok_or(Error::NameInvalid)?;
        if word.is_empty() || !word.iter().all(u8::is_ascii_graphic) || rest.iter().any(|byte| *byte != 0) {
            return Err(Error::NameInvalid);
        }
        (self.name, self.bump) = (name, bump);
        Ok(())
    }

    /// Gives `share` to a market.
    ///
    /// # Errors
    /// [`Error::ZeroAmount`], [`Error::DepthBudgetExceeded`].
    pub fn allocate(&mut self, share: Bps) -> Result<()> {
        if share == Bps(0) {
            return Err(Error::ZeroAmount);
        }
        let allocated = self.allocated.factor().saturating_add(share.factor());
        if allocated > BPS {
            return Err(Error::DepthBudgetExceeded);
        }
        self.allocated = Bps(u32::try_from(allocated).map_err(|_| Error::Overflow)?);
        Ok(())
    }

    /// Takes `share` back from a market.
    ///
    /// # Errors
    /// [`Error::Overflow`] if less is given out.
    pub fn release(&mut self, share: Bps) -> Result<()> {
        self.allocated = Bps(self.allocated.0.checked_sub(share.0).ok_or(Error::Overflow)?);
        Ok(())
    }
}

impl DepthShare {
    /// The record once `changes` are made at once to a market: a lower `market_depth` is at least half of the highest
    /// that it was since the last 24 hours without a lowering. Counted from the last one, not the first: else the end
    /// of one window and the beginning of the next would add up.
    ///
    /// # Errors
    /// [`Error::DepthLoweredTooFar`].
    pub(crate) fn after_tightening(self, changes: &[ParameterChange], clock: Clock) -> Result<Self> {
        let next = self.after_changes(changes, clock);
        match lowered(changes) {
            Some(change) if change.to < next.lowered_from.0.div_ceil(2) => Err(Error::DepthLoweredTooFar),
            _ => Ok(next),
        }
    }

    /// The record once `changes` are made after their timelock: a lowering counts, and is never refused.
    pub(crate) fn after_changes(mut self, changes: &[ParameterChange], clock: Clock) -> Self {
        let Some(change) = lowered(changes) else {
            return self;
        };
        let is_calm = self.lowered_at == 0 || clock.unix.saturating_sub(self.lowered_at) >= LOWERING_WINDOW;
        // It may have been raised in between, through the timelock.
        self.lowered_from = if is_calm {
            Quote(change.from)
        } else {
            self.lowered_from.max(Quote(change.from))
        };
        self.lowered_at = clock.unix;
        self
    }
}

/// The change that lowers `market_depth`, if there is one.
fn lowered(changes: &[ParameterChange]) -> Option<&ParameterChange> {
    let depth = Parameter::market_depth.id();
    let mut changes = changes.iter();
    changes.find(|change| change.parameter == depth && change.to < change.from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &[u8]) -> [u8; 32] {
        let mut name = [0; 32];
        name[..text.len()].copy_from_slice(text);
        name
    }

    #[test]
    fn a_name_is_printable_and_ends_with_zeros() {
        let named = |name| {
            let mut budget: DepthBudget = bytemuck::Zeroable::zeroed();
            budget.initialize(name, 7).map(|()| budget)
        };
        let sol = named(name(b"SOL")).unwrap();
        assert_eq!((sol.name, sol.bump, sol.allocated), (name(b"SOL"), 7, Bps(0)));
        assert!(named([b'A'; 32]).is_ok());
        for bad in [name(b""), name(b"S L"), name(b"S\0L"), name(&[0xc3, 0xa9]), name(b"\n")] {
            assert_eq!(named(bad), Err(Error::NameInvalid), "{bad:?}");
        }
    }

    #[test]
    fn all_shares_together_are_at_most_the_whole() {
        let mut budget: DepthBudget = bytemuck::Zeroable::zeroed();
        assert_eq!(budget.allocate(Bps(0)), Err(Error::ZeroAmount));
        assert_eq!(budget.allocate(Bps(10_001)), Err(Error::DepthBudgetExceeded));
        assert_eq!(budget.allocate(Bps(6_000)), Ok(()));
        assert_eq!(budget.allocate(Bps(4_001)), Err(Error::DepthBudgetExceeded));
        assert_eq!(budget.allocate(Bps(u32::MAX)), Err(Error::DepthBudgetExceeded));
        assert_eq!(budget.allocated, Bps(6_000));
        assert_eq!(budget.allocate(Bps(4_000)), Ok(()));
        assert_eq!(budget.release(Bps(10_001)), Err(Error::Overflow));
        assert_eq!(budget.release(Bps(4_000)), Ok(()));
        assert_eq!(budget.allocated, Bps(6_000));
    }
}

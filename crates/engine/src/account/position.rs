//! A borrower's margin account and a keeper's ledger.

use crate::{
    account::map::Place,
    math::units::{Collateral, DebtShares, Key, Quote},
};

stored! {
    /// One owner's isolated position in one market.
    MarginAccount {
        /// The market it belongs to.
        market: Key,
        /// Who may borrow and withdraw.
        owner: Key,
        /// Zeros; room for a delegate.
        reserved_delegate: Key,
        /// Collateral held, atoms.
        collateral: Collateral,
        /// Debt, in shares of the pool's debt.
        debt_shares: DebtShares,
        /// Slot of the last borrow, or withdrawal against debt: it cannot be liquidated in that slot.
        last_risk_slot: u64,
        /// The moment up to which the pace of its guarded steps is used, microseconds since 1970.
        stepped_until: i64,
        /// Tells apart the accounts of one owner.
        id: u16,
        /// Bump of its address.
        bump: u8,
        /// Zeros.
        padding: [u8; 1],
        /// Where its debt is on the liquidation map.
        place: Place,
        /// Zeros; room for later layouts.
        reserved: [u64; 11],
    }
}

stored! {
    /// A market's debt to one keeper.
    KeeperLedger {
        /// The market it belongs to.
        market: Key,
        /// Who may claim.
        keeper: Key,
        /// Unclaimed bounty, quote atoms.
        credit: Quote,
        /// Bump of its address.
        bump: u8,
        /// Zeros.
        padding: [u8; 7],
        /// Zeros; room for later layouts.
        reserved: [u64; 8],
    }
}

impl MarginAccount {
    /// An empty account.
    #[must_use]
    pub fn new(market: Key, owner: Key, id: u16, bump: u8) -> Self {
        Self {
            market,
            owner,
            id,
            bump,
            ..bytemuck::Zeroable::zeroed()
        }
    }

    /// True if the account has debt. Without debt its owner may withdraw at any price, or none.
    #[must_use]
    pub fn has_debt(&self) -> bool {
        self.debt_shares != DebtShares::ZERO
    }
}

impl KeeperLedger {
    /// An empty ledger.
    #[must_use]
    pub fn new(market: Key, keeper: Key, bump: u8) -> Self {
        Self {
            market,
            keeper,
            bump,
            ..bytemuck::Zeroable::zeroed()
        }
    }
}

#[cfg(test)]
mod tests;

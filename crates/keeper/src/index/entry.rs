use breakwater_engine::{Collateral, DebtShares, Key, MarginAccount, account::map::Place};

/// A keeper's record of a margin account: the fields that decide about a liquidation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The account's address.
    pub address: Key,
    /// Collateral atoms.
    pub collateral: Collateral,
    /// Shares of the pool's debt.
    pub debt_shares: DebtShares,
    /// See [`MarginAccount::last_risk_slot`].
    pub last_risk_slot: u64,
    /// See [`MarginAccount::stepped_until`].
    pub stepped_until: i64,
    /// See [`MarginAccount::place`].
    pub place: Place,
    /// As of this slot.
    pub seen: u64,
}

impl Entry {
    /// The entry of an account as it was at slot `seen`.
    #[must_use]
    pub fn new(address: Key, account: &MarginAccount, seen: u64) -> Self {
        Self {
            address,
            collateral: account.collateral,
            debt_shares: account.debt_shares,
            last_risk_slot: account.last_risk_slot,
            stepped_until: account.stepped_until,
            place: account.place,
            seen,
        }
    }

    /// ρ = debt shares ÷ collateral, as its bits: for numbers that are not negative they have the numbers' order.
    /// Without collateral it is infinite.
    ///
    /// Rounded to 53 bits. Accounts whose ratios are equal to that many stand in any order, which is all the same: the
    /// bound of a price leaves them room (see [`super::Moment`]).
    #[allow(clippy::cast_precision_loss, reason = "see above")]
    pub(super) fn key(&self) -> u64 {
        (self.debt_shares.0 as f64 / self.collateral.0 as f64).to_bits()
    }

    /// The account, as far as a liquidation looks at it.
    #[must_use]
    pub fn account(&self, market: Key) -> MarginAccount {
        MarginAccount {
            market,
            collateral: self.collateral,
            debt_shares: self.debt_shares,
            last_risk_slot: self.last_risk_slot,
            stepped_until: self.stepped_until,
            place: self.place,
            ..bytemuck::Zeroable::zeroed()
        }
    }
}

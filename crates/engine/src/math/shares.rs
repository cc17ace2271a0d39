//! Shares of a growing amount, such as the pool's assets or the guardians' claim, with virtual shares.
//!
//! Virtual shares exist without an owner, against virtual assets. They make it unprofitable to move the price of nearly
//! empty books (OpenZeppelin's defense of ERC-4626 vaults against inflation).

use crate::{
    error::{Error, Result},
    math::num,
};

/// Shares that exist without an owner, against [`VIRTUAL_ASSETS`].
pub(crate) const VIRTUAL_SHARES: u64 = 1_000;

/// Atoms that the virtual shares stand for.
const VIRTUAL_ASSETS: u64 = 1;

/// So many shares of so many atoms.
#[derive(Clone, Copy)]
pub(crate) struct Stake {
    pub shares: u64,
    pub assets: u64,
}

impl Stake {
    /// Shares for `amount`, rounded down: amount × (shares + virtual) ÷ (assets + virtual).
    pub fn shares_for(self, amount: u64) -> Result<u64> {
        let (shares, assets) = self.with_virtual()?;
        num::mul_div_floor(amount, shares, assets)
    }

    /// Atoms for `shares`, rounded down: shares × (assets + virtual) ÷ (shares in all + virtual).
    pub fn amount_for(self, shares: u64) -> Result<u64> {
        let (all, assets) = self.with_virtual()?;
        num::mul_div_floor(shares, assets, all)
    }

    /// Shares that stand for `amount`, rounded up: amount × (shares + virtual) ÷ (assets + virtual).
    pub fn shares_worth(self, amount: u64) -> Result<u64> {
        let (shares, assets) = self.with_virtual()?;
        num::mul_div_ceil(amount, shares, assets)
    }

    fn with_virtual(self) -> Result<(u64, u64)> {
        let shares = self.shares.checked_add(VIRTUAL_SHARES).ok_or(Error::Overflow)?;
        let assets = self.assets.checked_add(VIRTUAL_ASSETS).ok_or(Error::Overflow)?;
        Ok((shares, assets))
    }
}

#[cfg(test)]
mod tests;

//! Every account with debt, in the order in which a falling price liquidates them: by ρ = debt shares ÷ collateral.
//! Shares grow no interest, so an account moves only when somebody acts on it; a tick of the price, interest and a ramp
//! of the liquidation LTV move only the bound. Who is above it is at the end of the order: nothing else is looked at.

mod entry;
mod moment;
mod order;
mod store;

use std::hash::{BuildHasher, RandomState};

use breakwater_engine::{DebtShares, Key};
use hashbrown::HashTable;

pub use entry::Entry;
pub use moment::Moment;
use order::Order;
use store::Store;

/// Accounts of fewer shares are kept apart and all looked at: for a handful of atoms the engine's rounding moves the
/// price of liquidation by any factor, so ρ says nothing. At a market's first index this is 65,536 atoms of debt, and
/// the index only grows. A market's smallest debt is usually a hundred times that, so there are none.
pub(crate) const SMALL: u64 = 1 << 26;

/// Accounts with debt, by ρ. Holds at most 2^32 of them.
#[derive(Debug, Default)]
pub struct AccountIndex {
    /// In no order, without holes.
    entries: Store,
    /// Positions in `entries`, by address.
    by_address: HashTable<u32>,
    hasher: RandomState,
    /// Positions in `entries`, by ρ; without the small ones.
    order: Order,
    /// Positions in `entries` of accounts below [`SMALL`].
    small: Vec<u32>,
    /// Sum over all entries.
    debt_shares: u128,
}

impl AccountIndex {
    /// An empty index.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Accounts with debt.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True if nobody owes anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The debt shares of all accounts: what the market's books must say as well.
    #[must_use]
    pub fn debt_shares(&self) -> u128 {
        self.debt_shares
    }

    /// The record of an account.
    #[must_use]
    pub fn get(&self, address: &Key) -> Option<&Entry> {
        let hash = self.hasher.hash_one(address.0);
        let at = self.by_address.find(hash, |at| self.entry(*at).address == *address)?;
        Some(self.entry(*at))
    }

    /// All accounts, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// Takes in the state of an account, unless the known one is newer. Forgets it if it has no debt. Returns true if
    /// anything changed but the slot.
    ///
    /// # Panics
    /// Beyond 2^32 accounts.
    pub fn update(&mut self, entry: Entry) -> bool {
        if entry.debt_shares == DebtShares::ZERO {
            return self.remove(&entry.address, entry.seen);
        }
        let hash = self.hasher.hash_one(entry.address.0);
        let entries = &self.entries;
        let found = self
            .by_address
            .find(hash, |at| entries.get(*at).address == entry.address);
        let Some(&at) = found else {
            self.append(entry, hash);
            return true;
        };
        let known = *self.entry(at);
        if known.seen > entry.seen {
            return false;
        }
        let moved = (known.debt_shares, known.collateral) != (entry.debt_shares, entry.collateral);
        if moved {
            self.detach(at);
        }
        *self.entries.get_mut(at) = entry;
        if moved {
            self.attach(at);
        }
        Entry { seen: 0, ..known } != Entry { seen: 0, ..entry }
    }

    /// Forgets an account that was without debt, or gone, at slot `seen`, unless the known state is newer. Returns true
    /// if it was there.
    ///
    /// # Panics
    /// Never: the last entry is there if any is.
    pub fn remove(&mut self, address: &Key, seen: u64) -> bool {
        let hash = self.hasher.hash_one(address.0);
        let entries = &self.entries;
        let find = |at: &u32| entries.get(*at).address == *address;
        let Ok(found) = self.by_address.find_entry(hash, find) else {
            return false;
        };
        let at = *found.get();
        if entries.get(at).seen > seen {
            return false;
        }
        found.remove();
        self.detach(at);
        // The last entry takes its place, so that no hole is left.
        let last = self.entries.last();
        if last != at {
            self.detach(last);
            let moved = self.hasher.hash_one(self.entry(last).address.0);
            let slot = self
                .by_address
                .find_mut(moved, |at| *at == last)
                .expect("every entry is in the table");
            *slot = at;
        }
        self.entries.swap_remove(at);
        if last != at {
            self.attach(at);
        }
        true
    }

    /// The accounts that are liquidatable at a moment, small ones first, then the furthest under water. Each is
    /// confirmed by the engine's own rule.
    pub fn liquidatable<'a>(&'a self, moment: &'a Moment) -> impl Iterator<Item = &'a Entry> + 'a {
        let bound = moment.bound();
        let ordered = self
            .order
            .descending()
            .map(|at| self.entry(at))
            .take_while(move |entry| entry.key() >= bound);
        let small = self.small.iter().map(|at| self.entry(*at));
        small.chain(ordered).filter(|entry| moment.is_liquidatable(entry))
    }

    /// The accounts that a falling price liquidates first, but for small ones.
    pub fn nearest(&self) -> impl Iterator<Item = &Entry> {
        self.order.descending().map(|at| self.entry(at))
    }

    fn entry(&self, at: u32) -> &Entry {
        self.entries.get(at)
    }

    fn append(&mut self, entry: Entry, hash: u64) {
        let at = self.entries.push(entry);
        let (entries, hasher) = (&self.entries, &self.hasher);
        let rehash = |at: &u32| hasher.hash_one(entries.get(*at).address.0);
        self.by_address.insert_unique(hash, at, rehash);
        self.attach(at);
    }

    /// Puts an entry where its shares and collateral belong.
    fn attach(&mut self, at: u32) {
        let entry = *self.entry(at);
        self.debt_shares += u128::from(entry.debt_shares.0);
        if entry.debt_shares.0 < SMALL {
            self.small.push(at);
        } else {
            let entries = &self.entries;
            self.order.insert((entry.key(), at), |at| entries.get(at).key());
        }
    }

    /// Takes it out from there.
    fn detach(&mut self, at: u32) {
        let entry = *self.entry(at);
        self.debt_shares -= u128::from(entry.debt_shares.0);
        if entry.debt_shares.0 < SMALL {
            self.small.retain(|small| *small != at);
        } else {
            let entries = &self.entries;
            self.order.remove((entry.key(), at), |at| entries.get(at).key());
        }
    }
}

#[cfg(test)]
mod tests;

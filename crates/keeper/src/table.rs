//! Address lookup tables: with one, an account costs a transaction one byte instead of 33. They are filled in quiet
//! times, with the accounts that a falling price liquidates first, and found again on the chain: nothing is remembered.

use std::collections::HashSet;

use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use solana_address_lookup_table_interface::{
    instruction::{close_lookup_table, create_lookup_table, deactivate_lookup_table, extend_lookup_table},
    program,
    state::{AddressLookupTable, LOOKUP_TABLE_MAX_ADDRESSES},
};
use solana_message::AddressLookupTableAccount;

/// The program that keeps them.
pub const PROGRAM: Pubkey = program::ID;

/// Where a table's account names its authority. To find one's own.
pub const AUTHORITY_OFFSET: usize = 22;

/// Most addresses that one transaction adds.
const EXTENSION: usize = 20;

/// Slots after which a table that was given up can be closed: it may be used as long as its last slot is among the 512
/// whose hashes the cluster remembers.
const COOLDOWN: u64 = 520;

/// A lookup table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Where it is.
    pub address: Pubkey,
    /// Addresses in it that can be used now.
    addresses: Vec<Pubkey>,
    set: HashSet<Pubkey>,
    /// The first of all that it holds.
    first: Option<Pubkey>,
    /// All that it holds: an extension can be used from the next slot on.
    total: usize,
    /// When it was given up; `None` while it is in use.
    given_up: Option<u64>,
}

impl Table {
    /// From its account's data at a slot; `None` if that is no lookup table.
    #[must_use]
    pub fn decode(address: Pubkey, data: &[u8], slot: u64) -> Option<Self> {
        let table = AddressLookupTable::deserialize(data).ok()?;
        let usable = if slot > table.meta.last_extended_slot {
            table.addresses.len()
        } else {
            usize::from(table.meta.last_extended_slot_start_index)
        };
        let all: Vec<Pubkey> = table.addresses.to_vec();
        let given_up = Some(table.meta.deactivation_slot).filter(|slot| *slot != u64::MAX);
        Some(Self::new(address, &all, usable, given_up))
    }

    fn new(address: Pubkey, all: &[Pubkey], usable: usize, given_up: Option<u64>) -> Self {
        let addresses = all[..usable.min(all.len())].to_vec();
        Self {
            address,
            set: addresses.iter().copied().collect(),
            addresses,
            first: all.first().copied(),
            total: all.len(),
            given_up,
        }
    }

    /// True if it is of this market: its first address says so.
    #[must_use]
    pub fn is_of(&self, market: &Pubkey) -> bool {
        self.first.as_ref() == Some(market)
    }

    /// The same for whoever compiles a message with it.
    #[must_use]
    pub fn for_compiling(&self) -> AddressLookupTableAccount {
        AddressLookupTableAccount {
            key: self.address,
            addresses: self.addresses.clone(),
        }
    }

    /// True if an address can be looked up in it.
    #[must_use]
    pub fn holds(&self, address: &Pubkey) -> bool {
        self.set.contains(address)
    }

    /// Addresses that can be looked up.
    #[must_use]
    pub fn len(&self) -> usize {
        self.addresses.len()
    }

    /// True if no address can be looked up in it yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.addresses.is_empty()
    }

    /// The addresses, in their order.
    #[must_use]
    pub fn addresses(&self) -> &[Pubkey] {
        &self.addresses
    }

    /// True if it is in use: it was not given up.
    #[must_use]
    pub fn in_use(&self) -> bool {
        self.given_up.is_none()
    }

    /// True if all that it holds can be used.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.addresses.len() == self.total
    }

    fn space(&self) -> usize {
        LOOKUP_TABLE_MAX_ADDRESSES.saturating_sub(self.total)
    }
}

/// Next work on the tables: one transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upkeep {
    /// Make one, with these addresses in it: market first.
    Create(Vec<Pubkey>),
    /// Add addresses.
    Extend(Pubkey, Vec<Pubkey>),
    /// Give up one whose accounts are no longer near liquidation.
    GiveUp(Pubkey),
    /// Close one that was given up: the rent comes back.
    Close(Pubkey),
}

impl Upkeep {
    /// Instructions that it takes, by whom, with a table made at `slot` (a recent one).
    #[must_use]
    pub fn instructions(&self, keeper: &Pubkey, slot: u64) -> Vec<Instruction> {
        let extend = |table: Pubkey, addresses: &[Pubkey]| {
            extend_lookup_table(table, *keeper, Some(*keeper), addresses.to_vec())
        };
        match self {
            Self::Create(addresses) => {
                let (create, table) = create_lookup_table(*keeper, *keeper, slot);
                vec![create, extend(table, addresses)]
            }
            Self::Extend(table, addresses) => vec![extend(*table, addresses)],
            Self::GiveUp(table) => vec![deactivate_lookup_table(*table, *keeper)],
            Self::Close(table) => vec![close_lookup_table(*table, *keeper, *keeper)],
        }
    }
}

/// Decides on the next work, if any, with at most `most` tables in use.
///
/// `tables` are all tables of the keeper for this market, `fixed` what every table holds, market first, `wanted` the
/// margin accounts nearest to liquidation, nearest first. Waits until what was added last can be used.
#[must_use]
pub fn upkeep(tables: &[Table], fixed: &[Pubkey], wanted: &[Pubkey], most: usize, slot: u64) -> Option<Upkeep> {
    let closable = |table: &&Table| table.given_up.is_some_and(|at| slot > at.saturating_add(COOLDOWN));
    if let Some(table) = tables.iter().find(closable) {
        return Some(Upkeep::Close(table.address));
    }
    let used: Vec<&Table> = tables.iter().filter(|table| table.in_use()).collect();
    if used.iter().any(|table| !table.is_settled()) {
        return None;
    }
    if let Some(incomplete) = used
        .iter()
        .find(|table| fixed.iter().any(|key| !table.holds(key)) && table.space() > 0)
    {
        let missing = fixed.iter().filter(|key| !incomplete.holds(key));
        return Some(Upkeep::Extend(
            incomplete.address,
            missing.copied().take(EXTENSION).collect(),
        ));
    }
    let capacity = most.saturating_mul(LOOKUP_TABLE_MAX_ADDRESSES.saturating_sub(fixed.len()));
    let wanted = &wanted[..wanted.len().min(capacity)];
    let missing: Vec<Pubkey> = wanted
        .iter()
        .filter(|key| !used.iter().any(|table| table.holds(key)))
        .copied()
        .collect();
    if missing.is_empty() {
        return None;
    }
    if let Some(table) = used.iter().find(|table| table.space() > 0) {
        let count = EXTENSION.min(table.space());
        return Some(Upkeep::Extend(table.address, missing.into_iter().take(count).collect()));
    }
    if used.len() < most {
        let more = EXTENSION.saturating_sub(fixed.len());
        return Some(Upkeep::Create(
            fixed.iter().copied().chain(missing.into_iter().take(more)).collect(),
        ));
    }
    // All are full. One of which less than a quarter is wanted makes room for what is, if that is worth it.
    let wanted: HashSet<&Pubkey> = wanted.iter().collect();
    let useful = |table: &Table| table.addresses.iter().filter(|key| wanted.contains(key)).count();
    let least = used.iter().min_by_key(|table| useful(table))?;
    let worth = useful(least) * 4 < least.len() && missing.len() * 4 > least.len();
    worth.then_some(Upkeep::GiveUp(least.address))
}

#[cfg(test)]
mod tests;

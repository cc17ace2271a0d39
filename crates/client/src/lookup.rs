//! Address lookup tables: with one, a transaction names an account in one byte instead of 32, so that it can name
//! dozens of margin accounts.

use crate::MarketKeys;
use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use solana_address_lookup_table_interface::{instruction, state::AddressLookupTable};
use solana_hash::Hash;
use solana_message::{AddressLookupTableAccount, CompileError, VersionedMessage, v0};

/// The program that owns the tables.
pub use solana_address_lookup_table_interface::program::ID as PROGRAM;

/// Addresses that one table can hold.
pub const CAPACITY: usize = 256;
/// Addresses that fit one transaction that extends a table, beside a compute budget.
pub const PER_TRANSACTION: usize = 24;

/// Creates a table that `authority` may extend and close. Both sign, and `payer` pays the rent. `recent_slot` must be
/// one of the newest few hundred that had a block. Returns the table's address too.
#[must_use]
pub fn create(authority: &Pubkey, payer: &Pubkey, recent_slot: u64) -> (Instruction, Pubkey) {
    instruction::create_lookup_table(*authority, *payer, recent_slot)
}

/// Adds addresses, so many to an instruction as fit a transaction. Added addresses can be used from the next slot on.
#[must_use]
pub fn extend(table: &Pubkey, authority: &Pubkey, payer: &Pubkey, addresses: &[Pubkey]) -> Vec<Instruction> {
    addresses
        .chunks(PER_TRANSACTION)
        .map(|part| instruction::extend_lookup_table(*table, *authority, Some(*payer), part.to_vec()))
        .collect()
}

/// Closes a table that was deactivated (by the lookup table program's own instruction) some 500 slots before; its rent
/// goes to `recipient`.
#[must_use]
pub fn close(table: &Pubkey, authority: &Pubkey, recipient: &Pubkey) -> Instruction {
    instruction::close_lookup_table(*table, *authority, *recipient)
}

/// Addresses that every transaction about a market may name: worth a place in its table, whatever accounts follow.
#[must_use]
pub fn of_market(keys: &MarketKeys) -> Vec<Pubkey> {
    let mut all = vec![
        breakwater::ID,
        keys.market,
        keys.collateral_feed,
        keys.quote_feed,
        keys.collateral_mint,
        keys.quote_mint,
        keys.collateral_vault,
        keys.quote_vault,
        keys.collateral_token_program,
        keys.quote_token_program,
    ];
    all.extend(keys.redemption_feeds.iter().flat_map(|(base, rate)| [*base, *rate]));
    let mut seen = Vec::with_capacity(all.len());
    for address in all {
        if !seen.contains(&address) {
            seen.push(address);
        }
    }
    seen
}

/// Decodes a table's account; `None` if it is none.
#[must_use]
pub fn decode(table: &Pubkey, data: &[u8]) -> Option<AddressLookupTableAccount> {
    let decoded = AddressLookupTable::deserialize(data).ok()?;
    Some(AddressLookupTableAccount {
        key: *table,
        addresses: decoded.addresses.to_vec(),
    })
}

/// A transaction's message that names accounts through tables where it can. Who signs, and programs, are always named
/// in full.
///
/// # Errors
/// [`CompileError`] if it names too many accounts.
pub fn compile(
    payer: &Pubkey,
    instructions: &[Instruction],
    tables: &[AddressLookupTableAccount],
    blockhash: Hash,
) -> Result<VersionedMessage, CompileError> {
    v0::Message::try_compile(payer, instructions, tables, blockhash).map(VersionedMessage::V0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{budget, instructions};
    use solana_address_lookup_table_interface::state::LookupTableMeta;
    use std::borrow::Cow;

    fn key(number: u16) -> Pubkey {
        let mut bytes = [7; 32];
        bytes[..2].copy_from_slice(&number.to_le_bytes());
        Pubkey::new_from_array(bytes)
    }

    /// Bytes of a transaction with this message and its signatures.
    fn size(message: &VersionedMessage) -> usize {
        1 + 64 * usize::from(message.header().num_required_signatures) + message.serialize().len()
    }

    fn keys() -> MarketKeys {
        let token = anchor_spl::token::ID;
        MarketKeys::derive((key(1), token, key(2)), (key(3), token, key(4)), 0)
    }

    #[test]
    fn an_extension_fits_a_transaction_and_a_table_is_read_back() {
        let addresses: Vec<Pubkey> = (100..130).map(key).collect();
        let parts = extend(&key(9), &key(10), &key(11), &addresses);
        assert_eq!(parts.len(), 2);
        let [limit, price, loaded] = budget::limited(10_000, 1, budget::LOADED_BYTES);
        let message = compile(
            &key(11),
            &[limit, price, loaded, parts[0].clone()],
            &[],
            Hash::default(),
        )
        .unwrap();
        assert!(size(&message) <= 1_232, "{}", size(&message));
        let table = AddressLookupTable {
            meta: LookupTableMeta::default(),
            addresses: Cow::Owned(addresses.clone()),
        };
        let decoded = decode(&key(9), &table.serialize_for_tests().unwrap()).unwrap();
        assert_eq!((decoded.key, decoded.addresses), (key(9), addresses));
        assert!(decode(&key(9), &[3; 100]).is_none());
    }

    /// `docs/reports/cu.md` measures 54 accounts in one transaction; with a budget before it there is room for nearly
    /// as many.
    #[test]
    fn a_batch_through_a_table_names_dozens() {
        let accounts: Vec<Pubkey> = (100..150).map(key).collect();
        let batch = instructions::liquidate_batch(&keys(), &key(5), &accounts);
        let mut addresses = of_market(&keys());
        assert_eq!(addresses.len(), 9, "one token program for both mints");
        addresses.extend(&accounts);
        let table = AddressLookupTableAccount { key: key(9), addresses };
        let [limit, price, loaded] = budget::budget(std::slice::from_ref(&batch), 1).unwrap();
        let message = compile(&key(5), &[limit, price, loaded, batch], &[table], Hash::default()).unwrap();
        assert!(size(&message) <= 1_232, "{}", size(&message));
    }
}

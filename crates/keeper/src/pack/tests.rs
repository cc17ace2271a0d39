use super::*;
use crate::{
    limits::TRANSACTION_BYTES,
    transact::{Draft, fixed},
};
use breakwater_client::MarketKeys;
use proptest::prelude::*;
use solana_keypair::Keypair;
use solana_signer::Signer;
use std::collections::HashSet;

fn key(number: u16) -> Pubkey {
    let mut bytes = [7; 32];
    bytes[..2].copy_from_slice(&number.to_le_bytes());
    Pubkey::new_from_array(bytes)
}

fn keys(redeemable: bool) -> MarketKeys {
    let token = anchor_spl::token::ID;
    let keys = MarketKeys::derive((key(60_000), token, key(60_001)), (key(60_002), token, key(60_003)), 0);
    MarketKeys {
        redemption_feeds: redeemable.then(|| (key(60_004), key(60_005))),
        ..keys
    }
}

fn table(fixed: &Fixed, margin_accounts: &[Pubkey]) -> Table {
    Table::of(key(50_000), &[fixed.movable.as_slice(), margin_accounts].concat())
}

/// Bytes of the batch as it is really signed.
fn real_bytes(keys: &MarketKeys, batch: &Batch, tables: &[Table]) -> usize {
    let keeper = Keypair::new_from_array([1; 32]);
    let draft = Draft::batch(keys, &keeper.pubkey(), &batch.accounts, batch.table);
    let transaction = draft.sign(&keeper, 1, tables, solana_hash::Hash::default()).unwrap();
    1 + 64 * transaction.signatures.len() + transaction.message.serialize().len()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Everybody is in exactly one batch, each batch fits, what was reckoned is what it has, and the most urgent is
    /// first.
    #[test]
    fn batches_fit_and_leave_nobody_out(count in 0u16..180, held in prop::collection::hash_set(0u16..180, 0..150), redeemable: bool) {
        let keys = keys(redeemable);
        let fixed = fixed(&keys, &Keypair::new_from_array([1; 32]).pubkey());
        let held: Vec<Pubkey> = held.into_iter().map(key).collect();
        let tables = if held.is_empty() { Vec::new() } else { vec![table(&fixed, &held)] };
        let accounts: Vec<Pubkey> = (0..count).map(key).collect();
        let batches = pack(&fixed, &tables, &accounts);
        let packed: Vec<Pubkey> = batches.iter().flat_map(|batch| batch.accounts.clone()).collect();
        prop_assert_eq!(packed.len(), accounts.len());
        prop_assert_eq!(packed.iter().collect::<HashSet<_>>(), accounts.iter().collect::<HashSet<_>>());
        prop_assert_eq!(packed.first(), accounts.first());
        for batch in &batches {
            let used = batch.table.map(|number| &tables[number]);
            let inside = batch.accounts.iter().filter(|account| used.is_some_and(|table| table.holds(account))).count();
            let reckoned = bytes(&fixed, used, inside, batch.accounts.len() - inside);
            prop_assert_eq!(real_bytes(&keys, batch, &tables), reckoned);
            prop_assert!(reckoned <= TRANSACTION_BYTES);
        }
    }
}

#[test]
fn how_many_fit() {
    let accounts: Vec<Pubkey> = (0..200).map(key).collect();
    let sizes = |redeemable: bool, held: usize| -> Vec<usize> {
        let fixed = fixed(&keys(redeemable), &Keypair::new_from_array([1; 32]).pubkey());
        let tables = [table(&fixed, &accounts[..held])];
        let tables = if held == 0 { &[][..] } else { &tables };
        pack(&fixed, tables, &accounts)
            .iter()
            .map(|batch| batch.accounts.len())
            .collect()
    };
    assert_eq!(sizes(false, 0), [26, 26, 26, 26, 26, 26, 26, 18]);
    assert_eq!(sizes(true, 0)[0], 24);
    assert_eq!(sizes(false, 200), [57, 57, 57, 29]);
    assert_eq!(sizes(true, 200)[0], 55);
    // 10 of them in the table: the others take the rest of the bytes.
    assert_eq!(sizes(false, 10)[0], 38);
}

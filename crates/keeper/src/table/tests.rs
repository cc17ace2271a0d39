use super::*;
use solana_address_lookup_table_interface::state::LookupTableMeta;

fn key(number: u16) -> Pubkey {
    let mut bytes = [3; 32];
    bytes[..2].copy_from_slice(&number.to_le_bytes());
    Pubkey::new_from_array(bytes)
}

fn keys(numbers: impl IntoIterator<Item = u16>) -> Vec<Pubkey> {
    numbers.into_iter().map(key).collect()
}

impl Table {
    /// One that is in use, for tests.
    pub(crate) fn of(address: Pubkey, addresses: &[Pubkey]) -> Self {
        Self::new(address, addresses, addresses.len(), None)
    }
}

/// Market, ledger, two feeds.
fn fixed() -> Vec<Pubkey> {
    keys(1_000..1_004)
}

fn full(address: u16, margin_accounts: std::ops::Range<u16>) -> Table {
    let all = [fixed(), keys(margin_accounts)].concat();
    assert_eq!(all.len(), LOOKUP_TABLE_MAX_ADDRESSES);
    Table::of(key(address), &all)
}

#[test]
fn the_first_table_is_made_and_filled_with_whom_a_fall_reaches_first() {
    let wanted = keys(0..50);
    assert_eq!(upkeep(&[], &fixed(), &[], 2, 100), None, "nobody is near");
    assert_eq!(upkeep(&[], &fixed(), &wanted, 0, 100), None, "none are wanted");
    let first = [fixed(), keys(0..16)].concat();
    assert_eq!(
        upkeep(&[], &fixed(), &wanted, 2, 100),
        Some(Upkeep::Create(first.clone()))
    );
    // Just made: it can be used from the next slot on.
    let fresh = Table::new(key(2_000), &first, 0, None);
    assert!(fresh.is_of(&key(1_000)), "known as this market's before it can be used");
    assert_eq!(upkeep(&[fresh], &fixed(), &wanted, 2, 100), None);
    let usable = Table::of(key(2_000), &first);
    assert_eq!(
        upkeep(&[usable], &fixed(), &wanted, 2, 100),
        Some(Upkeep::Extend(key(2_000), keys(16..36)))
    );
    let done = Table::of(key(2_000), &[fixed(), keys(0..50)].concat());
    assert_eq!(upkeep(&[done], &fixed(), &wanted, 2, 100), None);
}

#[test]
fn another_feed_account_is_added_to_every_table() {
    let table = Table::of(key(2_000), &keys(1_000..1_003));
    assert_eq!(
        upkeep(&[table], &fixed(), &[], 1, 100),
        Some(Upkeep::Extend(key(2_000), keys([1_003])))
    );
}

#[test]
fn a_full_table_of_little_use_makes_room() {
    let old = full(2_000, 0..252);
    // 63 of 256 are less than a quarter.
    let wanted = keys(189..189 + 252);
    assert_eq!(
        upkeep(std::slice::from_ref(&old), &fixed(), &wanted, 1, 100),
        Some(Upkeep::GiveUp(key(2_000)))
    );
    let wanted = keys(188..188 + 252);
    assert_eq!(
        upkeep(std::slice::from_ref(&old), &fixed(), &wanted, 1, 100),
        None,
        "64 are a quarter"
    );
    assert!(
        matches!(upkeep(&[old], &fixed(), &wanted, 2, 100), Some(Upkeep::Create(_))),
        "there may be another one"
    );
    let given_up = Table {
        given_up: Some(1_000),
        ..full(2_000, 0..252)
    };
    assert!(!given_up.in_use());
    let step = |slot| upkeep(std::slice::from_ref(&given_up), &fixed(), &[], 1, slot);
    assert_eq!((step(1_520), step(1_521)), (None, Some(Upkeep::Close(key(2_000)))));
}

#[test]
fn a_table_is_read_from_its_account() {
    let meta = LookupTableMeta {
        last_extended_slot: 50,
        last_extended_slot_start_index: 2,
        authority: Some(key(9)),
        ..LookupTableMeta::default()
    };
    let addresses = keys(0..5);
    let table = AddressLookupTable {
        meta,
        addresses: addresses.as_slice().into(),
    };
    let data = table.serialize_for_tests().unwrap();
    assert_eq!(data[AUTHORITY_OFFSET..AUTHORITY_OFFSET + 32], key(9).to_bytes());
    let read = |slot| Table::decode(key(8), &data, slot).unwrap();
    assert_eq!(
        (read(51).addresses(), read(51).is_settled()),
        (addresses.as_slice(), true)
    );
    assert_eq!((read(50).addresses(), read(50).is_settled()), (&addresses[..2], false));
    assert!(read(50).is_of(&key(0)) && !read(50).is_of(&key(1)));
    assert_eq!(Table::decode(key(8), &data[..40], 51), None);
}

//! Actions out of bytes, and what the state makes of them.

use breakwater_engine::Error;
use breakwater_invariants::{Action, Bytes, Done, Size, State, setting};
use std::collections::BTreeSet;

#[test]
fn every_kind_of_action_can_be_read_from_bytes() {
    let kinds: BTreeSet<_> = (0..=u8::MAX)
        .map(|first| Action::from_bytes(&mut Bytes::new(&[first])).kind())
        .collect();
    assert_eq!(kinds.len(), 36, "{kinds:?}");
}

#[test]
fn bytes_that_are_missing_count_as_zero() {
    let read = |bytes: &[u8]| {
        let mut bytes = Bytes::new(bytes);
        (Action::steps(&mut bytes), bytes.is_empty())
    };
    assert_eq!(read(&[]), read(&[0; 3]));
    assert_eq!(read(&[255]).0, read(&[255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]).0);
    assert!(!read(&[0; 14]).1);
}

#[test]
fn amounts_are_of_every_size_and_now_and_then_the_largest() {
    let amounts: Vec<_> = (0..=u8::MAX)
        .map(|first| Bytes::new(&[first, 0xff, 0xff]).amount(42))
        .collect();
    assert!(amounts.iter().filter(|amount| **amount < 8).count() >= 20);
    assert_eq!(amounts.iter().filter(|amount| **amount == u64::MAX).count(), 1);
    assert!(amounts.iter().all(|amount| *amount < 1 << 42 || *amount == u64::MAX));
    assert!((16..42).all(|bits| amounts.iter().any(|amount| amount.checked_ilog2() == Some(bits))));
}

#[test]
fn a_refused_call_is_undone_and_what_it_left_is_told() {
    let mut state = State::new(&setting(0)).unwrap();
    for action in setting(0).opening() {
        assert!(state.act(&action).result.is_ok(), "{action:?}");
    }
    let before = state.clone();
    // Twice what its collateral is worth.
    let step = state.act(&Action::Borrow(0, Size::Part(2_000)));
    assert_eq!(step.result, Err(Error::InitialLtvExceeded));
    assert_eq!((&step.after, &state), (&before, &before));
    let left = step.refused.unwrap();
    assert_ne!(left.market.guard, before.market.guard, "it accepted a price first");
    assert_eq!(
        (left.market.books, left.accounts),
        (before.market.books, before.accounts)
    );
}

#[test]
fn what_the_world_does_asks_nothing_of_the_program() {
    let mut state = State::new(&setting(0)).unwrap();
    let before = state.clone();
    let step = state.act(&Action::Wait(3));
    assert_eq!((step.call, step.result), (None, Ok(Done::Quietly)));
    assert_eq!(state.clock.unix - before.clock.unix, 3);
    assert_eq!(
        state.clock.slot - before.clock.slot,
        8,
        "five slots in two seconds, begun ones whole"
    );
    assert_eq!(state.readings.quote.publish_time, state.clock.unix);
    assert_eq!((state.market, state.accounts), (before.market, before.accounts));
}

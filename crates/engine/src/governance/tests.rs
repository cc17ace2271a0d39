use super::*;

const NOW: Clock = Clock {
    unix: 1_700_000_000,
    slot: 1_000_000,
};
const HASH: [u8; 32] = [7; 32];
const ENTRY: Entry = Entry {
    subject: Key([1; 32]),
    kind: PARAMETERS,
    id: 3,
};

fn queue(expires_slot: u64) -> Result<QueuedChange> {
    let mut queued: QueuedChange = bytemuck::Zeroable::zeroed();
    let told = queued.queue(ENTRY, HASH, 254, expires_slot, NOW)?;
    let says = (queued.hash, queued.opens_at, queued.closes_at, queued.expires_slot);
    assert_eq!((told.hash, told.opens_at, told.closes_at, told.expires_slot), says);
    Ok(queued)
}

fn at(unix: i64, slot: u64) -> Clock {
    Clock { unix, slot }
}

#[test]
fn an_entry_says_what_and_when() {
    let queued = queue(NOW.slot + LONGEST_APPROVAL).unwrap();
    let expected = QueuedChange {
        subject: ENTRY.subject,
        hash: HASH,
        queued_at: NOW.unix,
        opens_at: NOW.unix + 3 * 86_400,
        closes_at: NOW.unix + 6 * 86_400,
        expires_slot: NOW.slot + 3_024_000,
        id: 3,
        kind: 1,
        version: 1,
        bump: 254,
        padding: [0; 3],
        reserved: [0; 4],
    };
    assert_eq!(queued, expected);
    assert!(queued.is_of(ENTRY.subject, PARAMETERS));
    assert!(!queued.is_of(ENTRY.subject, FEEDS) && !queued.is_of(Key([2; 32]), PARAMETERS));
}

#[test]
fn an_approval_is_good_until_its_slot_and_for_no_longer_than_the_longest() {
    assert_eq!(LONGEST_APPROVAL, 14 * 86_400 * 5 / 2);
    for (slot, expected) in [
        (0, Err(Error::ApprovalExpired)),
        (NOW.slot - 1, Err(Error::ApprovalExpired)),
        (NOW.slot, Ok(())),
        (NOW.slot + LONGEST_APPROVAL, Ok(())),
        (NOW.slot + LONGEST_APPROVAL + 1, Err(Error::ApprovalTooLong)),
        (u64::MAX, Err(Error::ApprovalTooLong)),
    ] {
        assert_eq!(queue(slot).map(|_| ()), expected, "{slot}");
    }
}

#[test]
fn a_proposal_is_good_as_long_as_an_approval_and_can_be_accepted_in_its_last_slot() {
    let last = NOW.slot + LONGEST_APPROVAL;
    assert_eq!(check_proposal(NOW.slot - 1, NOW), Err(Error::ApprovalExpired));
    assert_eq!(
        (check_proposal(NOW.slot, NOW), check_proposal(last, NOW)),
        (Ok(()), Ok(()))
    );
    assert_eq!(check_proposal(last + 1, NOW), Err(Error::ApprovalTooLong));
    assert_eq!(check_acceptance(NOW.slot, NOW), Ok(()));
    assert_eq!(check_acceptance(NOW.slot - 1, NOW), Err(Error::Expired));
}

#[test]
fn it_is_executed_in_its_time_only() {
    let slot = NOW.slot + LONGEST_APPROVAL;
    let queued = queue(slot).unwrap();
    let (opens, closes) = (queued.opens_at, queued.closes_at);
    for (clock, expected) in [
        (at(0, slot), Err(Error::TooEarly)),
        (NOW, Err(Error::TooEarly)),
        (at(opens - 1, slot), Err(Error::TooEarly)),
        // Too early comes first: the slot may have passed long before.
        (at(opens - 1, u64::MAX), Err(Error::TooEarly)),
        (at(opens, slot), Ok(3)),
        (at(closes, slot), Ok(3)),
        (at(closes + 1, NOW.slot), Err(Error::Expired)),
        (at(opens, slot + 1), Err(Error::Expired)),
        (at(closes, u64::MAX), Err(Error::Expired)),
        (at(i64::MAX, u64::MAX), Err(Error::Expired)),
    ] {
        assert_eq!(queued.check(&HASH, clock), expected, "{clock:?}");
    }
}

#[test]
fn an_approval_that_ends_before_the_timelock_is_worth_nothing() {
    let queued = queue(NOW.slot).unwrap();
    assert_eq!(queued.check(&HASH, at(queued.opens_at, NOW.slot)), Ok(3));
    assert_eq!(
        queued.check(&HASH, at(queued.opens_at, NOW.slot + 1)),
        Err(Error::Expired)
    );
}

#[test]
fn another_change_than_the_queued_one_is_refused() {
    let queued = queue(NOW.slot + LONGEST_APPROVAL).unwrap();
    let open = at(queued.opens_at, NOW.slot);
    for byte in [0, 15, 31] {
        let mut other = HASH;
        other[byte] ^= 1;
        assert_eq!(queued.check(&other, open), Err(Error::ChangeDiffers));
        // Time comes first.
        assert_eq!(queued.check(&other, NOW), Err(Error::TooEarly));
    }
}

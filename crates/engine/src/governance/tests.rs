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
    let told = queued.queue(ENTRY, HASH, 254, expires_slot, TIMELOCK, NOW)?;
    let says = (queued.hash, queued.opens_at, queued.closes_at);
    assert_eq!((told.hash, told.opens_at, told.closes_at), says);
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
        id: 3,
        kind: 1,
        bump: 254,
        padding: [0; 4],
        reserved: [0; 4],
    };
    assert_eq!(queued, expected);
    assert!(queued.is_of(ENTRY.subject, PARAMETERS));
    assert!(!queued.is_of(ENTRY.subject, FEEDS) && !queued.is_of(Key([2; 32]), PARAMETERS));
}

#[test]
fn an_approval_is_good_until_its_slot_and_for_no_longer_than_the_longest() {
    // Fourteen days of slots of 400 milliseconds.
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
    assert_eq!(check_approval(NOW.slot - 1, NOW), Err(Error::ApprovalExpired));
    assert_eq!(
        (check_approval(NOW.slot, NOW), check_approval(last, NOW)),
        (Ok(()), Ok(()))
    );
    assert_eq!(check_approval(last + 1, NOW), Err(Error::ApprovalTooLong));
    assert_eq!(check_acceptance(NOW.slot, NOW), Ok(()));
    assert_eq!(check_acceptance(NOW.slot - 1, NOW), Err(Error::Expired));
}

#[test]
fn it_is_executed_in_its_time_only_whatever_the_slot() {
    let queued = queue(NOW.slot).unwrap();
    let (opens, closes) = (queued.opens_at, queued.closes_at);
    for slot in [0, NOW.slot, NOW.slot + 1, u64::MAX] {
        for (unix, expected) in [
            (0, Err(Error::TimelockActive)),
            (NOW.unix, Err(Error::TimelockActive)),
            (opens - 1, Err(Error::TimelockActive)),
            (opens, Ok(3)),
            (closes, Ok(3)),
            (closes + 1, Err(Error::Expired)),
            (i64::MAX, Err(Error::Expired)),
        ] {
            assert_eq!(queued.check(&HASH, TIMELOCK, at(unix, slot)), expected, "{unix} {slot}");
        }
    }
}

#[test]
fn another_change_than_the_queued_one_is_refused() {
    let queued = queue(NOW.slot + LONGEST_APPROVAL).unwrap();
    let open = at(queued.opens_at, NOW.slot);
    for byte in [0, 15, 31] {
        let mut other = HASH;
        other[byte] ^= 1;
        assert_eq!(queued.check(&other, TIMELOCK, open), Err(Error::ChangeHashMismatch));
        // Time comes first.
        assert_eq!(queued.check(&other, TIMELOCK, NOW), Err(Error::TimelockActive));
    }
}

#[test]
fn a_market_changes_no_sooner_than_a_guardian_can_have_left() {
    let mut config: Config = bytemuck::Zeroable::zeroed();
    for (cooldown, delay) in [
        (3_600, 3 * DAY),
        (2 * 86_400, 3 * DAY),
        (172_801, 259_201),
        (604_800, 8 * DAY),
    ] {
        config.guardian_cooldown = cooldown;
        assert_eq!(config.change_delay(), delay, "{cooldown}");
        let mut queued: QueuedChange = bytemuck::Zeroable::zeroed();
        let told = queued
            .queue(ENTRY, HASH, 254, NOW.slot, config.change_delay(), NOW)
            .unwrap();
        assert_eq!(
            (told.opens_at, told.closes_at),
            (NOW.unix + delay, NOW.unix + delay + GRACE)
        );
    }
    // A cooldown that has become longer in between puts it off: else who asks when it is announced is out too late.
    let mut queued: QueuedChange = bytemuck::Zeroable::zeroed();
    config.guardian_cooldown = 604_800;
    let told = queued
        .queue(ENTRY, HASH, 254, NOW.slot, config.change_delay(), NOW)
        .unwrap();
    config.guardian_cooldown = 604_801;
    let check = |unix| queued.check(&HASH, config.change_delay(), at(unix, NOW.slot));
    assert_eq!(check(told.opens_at), Err(Error::TimelockActive));
    assert_eq!(check(told.opens_at + 1), Ok(3));
    assert_eq!(check(told.closes_at), Ok(3));
    // Never less than the timelock.
    let mut queued: QueuedChange = bytemuck::Zeroable::zeroed();
    let told = queued.queue(ENTRY, HASH, 254, NOW.slot, 0, NOW).unwrap();
    assert_eq!(told.opens_at, NOW.unix + TIMELOCK);
}

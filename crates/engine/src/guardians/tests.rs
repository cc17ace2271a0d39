use super::*;
use crate::config::tests::CONFIG;

fn guardians(claim: u64, shares: u64) -> Guardians {
    Guardians {
        claim: Quote(claim),
        shares: GuardianShares(shares),
        era: 7,
        ..bytemuck::Zeroable::zeroed()
    }
}

#[test]
fn shares_are_of_the_claim_with_virtual_shares() {
    // 6,000 shares for 12 atoms, of which 1,000 and 1 are nobody's.
    let mut guardians = guardians(11, 5_000);
    assert_eq!(guardians.shares_for(Quote(3)), Ok(GuardianShares(1_500)));
    assert_eq!(guardians.take_in(Quote(3), GuardianShares(1_500)), Ok(()));
    assert_eq!((guardians.claim, guardians.shares), (Quote(14), GuardianShares(6_500)));
    assert_eq!(guardians.pay_out(GuardianShares(1_500), Quote(1_000)), Ok(Quote(3)));
    assert_eq!((guardians.claim, guardians.shares), (Quote(11), GuardianShares(5_000)));
    // Of what can be paid, if that is less; the same part of the claim is given up.
    assert_eq!(guardians.pay_out(GuardianShares(3_000), Quote(5)), Ok(Quote(3)));
    assert_eq!((guardians.claim, guardians.shares), (Quote(5), GuardianShares(2_000)));
}

#[test]
fn shares_that_could_not_be_paid_out_are_not_given() {
    let mut guardians = guardians(5, u64::MAX - 1_010);
    let before = guardians;
    assert_eq!(guardians.take_in(Quote(1), GuardianShares(11)), Err(Error::Overflow));
    assert_eq!(guardians, before);
    assert_eq!(guardians.take_in(Quote(1), GuardianShares(10)), Ok(()));
}

#[test]
fn they_earn_by_their_part_of_the_equity() {
    // Half of the penalties, were all of the equity theirs.
    assert_eq!(guardians(250, 1).rate(&CONFIG, 1_000), Bps(1_250));
    assert_eq!(guardians(1_000, 1).rate(&CONFIG, 1_000), Bps(5_000));
    assert_eq!(guardians(2_000, 1).rate(&CONFIG, 1_000), Bps(5_000));
    assert_eq!(
        guardians(250, 0).rate(&CONFIG, 1_000),
        Bps(0),
        "nobody is there to earn it"
    );
    assert_eq!(guardians(250, 1).rate(&CONFIG, 0), Bps(0));
    assert_eq!(Guardians::earned(Quote(99), Bps(1_250)), Quote(12));
    assert_eq!(Guardians::earned(Quote(99), Bps(20_000)), Quote(99));
}

#[test]
fn a_settled_deficit_begins_a_new_era() {
    let mut lost = guardians(11, 5_000);
    assert_eq!(lost.void(), Quote(11));
    assert_eq!(
        lost,
        Guardians {
            era: 8,
            ..guardians(0, 0)
        }
    );
    let position = GuardianPosition {
        shares: GuardianShares(5),
        requested: GuardianShares(3),
        requested_at: 1_000,
        era: 7,
        ..GuardianPosition::new(Key([1; 32]), Key([2; 32]), 3)
    };
    assert_eq!(position.in_era(7), position);
    let voided = GuardianPosition {
        era: 8,
        ..GuardianPosition::new(Key([1; 32]), Key([2; 32]), 3)
    };
    assert_eq!(position.in_era(8), voided);
}

#[test]
fn leaving_opens_and_closes_to_the_second() {
    let position = GuardianPosition {
        requested: GuardianShares(3),
        requested_at: 1_000,
        ..GuardianPosition::new(Key([1; 32]), Key([2; 32]), 3)
    };
    let (opens, window) = (
        1_000 + i64::from(CONFIG.guardian_cooldown),
        i64::from(CONFIG.guardian_window),
    );
    let leave = |shares, unix| position.check_leaving(&CONFIG, GuardianShares(shares), Clock { unix, slot: 0 });
    assert_eq!(leave(3, opens - 1), Err(Error::TooEarly));
    assert_eq!(leave(3, opens), Ok(()));
    assert_eq!(leave(1, opens + 1), Ok(()));
    assert_eq!(leave(3, opens + window), Ok(()));
    assert_eq!(leave(3, opens + window + 1), Err(Error::Expired));
    assert_eq!(leave(4, opens), Err(Error::InsufficientGuardianShares));
}

use super::*;
use crate::config::tests::CONFIG;
use proptest::prelude::*;

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
    let mut lost = Guardians {
        requested: GuardianShares(9),
        fraction: 3,
        ..guardians(11, 5_000)
    };
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

/// What a claim of so much earns of `earned` atoms (Q64.64) beside so much of the protocol's own: whole atoms and the fraction.
fn stood_by(claim: u64, protocol: u64, earned: u128, fraction: u64) -> (u64, u64) {
    let mut guardians = Guardians {
        fraction,
        ..guardians(claim, 5)
    };
    let whole = guardians
        .stand_by(&CONFIG, Fixed::from_raw(earned), Quote(protocol))
        .unwrap();
    assert_eq!(guardians.claim.0, claim + whole.0);
    assert_eq!((guardians.shares, guardians.era), (GuardianShares(5), 7));
    (whole.0, guardians.fraction)
}

const ATOM: u128 = 1 << 64;

#[test]
fn they_earn_for_standing_by_their_part_of_half_of_the_reserve_part() {
    // All of the capital is theirs: half of 10,000.
    assert_eq!(stood_by(700, 0, 10_000 * ATOM, 0), (5_000, 0));
    // A quarter of it: an eighth.
    assert_eq!(stood_by(700, 2_100, 10_000 * ATOM, 0), (1_250, 0));
    // To the fraction of an atom, which is kept: an eighth of 10,000 × 2^-12.
    let (earned, part) = (10_000 << 52, 1_250 << 52);
    assert_eq!(stood_by(700, 2_100, earned, 0), (0, part));
    assert_eq!(stood_by(700, 2_100, earned, part.wrapping_neg()), (1, 0));
    assert_eq!(stood_by(700, 2_100, earned, part.wrapping_neg() - 1), (0, u64::MAX));
    let half = 1 << 63;
    assert_eq!(stood_by(700, 2_100, 0, half), (0, half));
}

#[test]
fn nobody_and_nothing_earn_nothing_for_standing_by() {
    let mut nobody = guardians(700, 0);
    let before = nobody;
    assert_eq!(
        nobody.stand_by(&CONFIG, Fixed::from_raw(1_000 * ATOM), Quote(0)),
        Ok(Quote(0))
    );
    assert_eq!(nobody, before);
    assert_eq!(stood_by(0, 2_100, 1_000 * ATOM, 7), (0, 7));
    let mut alone = guardians(700, 5);
    let config = Config {
        standby_share: Bps(0),
        ..CONFIG
    };
    assert_eq!(
        alone.stand_by(&config, Fixed::from_raw(1_000 * ATOM), Quote(0)),
        Ok(Quote(0))
    );
    assert_eq!(alone, guardians(700, 5));
}

#[test]
fn a_request_replaces_an_earlier_one_and_counts_at_the_claim() {
    let mut asking = guardians(11, 5_000);
    assert_eq!(asking.requested_claim(), Ok(Quote(0)));
    assert_eq!(asking.request(GuardianShares(0), GuardianShares(1_500)), Ok(()));
    // 1,500 of 6,000 shares of 12 atoms.
    assert_eq!(
        (asking.requested, asking.requested_claim()),
        (GuardianShares(1_500), Ok(Quote(3)))
    );
    assert_eq!(asking.request(GuardianShares(500), GuardianShares(999)), Ok(()));
    assert_eq!(
        (asking.requested, asking.requested_claim()),
        (GuardianShares(1_999), Ok(Quote(3)))
    );
    assert_eq!(asking.request(GuardianShares(0), GuardianShares(1)), Ok(()));
    assert_eq!(asking.requested_claim(), Ok(Quote(4)));
    assert_eq!(asking.request(GuardianShares(2_000), GuardianShares(0)), Ok(()));
    assert_eq!(asking.requested, GuardianShares(0));
    let before = asking;
    assert_eq!(
        asking.request(GuardianShares(1), GuardianShares(0)),
        Err(Error::Overflow)
    );
    assert_eq!(asking, before);
}

proptest! {
    /// Rounded down, and by no more than the ratio's two units of 2^-23 and a fraction of an atom.
    #[test]
    fn standing_by_is_what_floating_point_says(
        claim in 1u64..1 << 50, protocol in 0u64..1 << 50, earned in 0u128..1 << 100, share in 0u32..=10_000, fraction: u64,
    ) {
        let config = Config { standby_share: Bps(share), ..CONFIG };
        let mut standing = Guardians { fraction, ..guardians(claim, 5) };
        let whole = standing.stand_by(&config, Fixed::from_raw(earned), Quote(protocol)).unwrap().0;
        let added = whole as f64 + (standing.fraction as f64 - fraction as f64) / ATOM as f64;
        let part = earned as f64 / ATOM as f64 * f64::from(share) / 1e4;
        let exact = part * (claim as f64 / (claim as f64 + protocol as f64));
        prop_assert!(added <= exact * (1.0 + 1e-12) + 1e-9, "{added} {exact}");
        prop_assert!(added >= exact - part * 2f64.powi(-22) - exact * 1e-12 - 1e-9, "{added} {exact}");
    }

    /// However often interest accrues, in however small parts: no atom is lost but to the ratio's rounding.
    #[test]
    fn fractions_add_up(parts in prop::collection::vec(0u128..1 << 66, 1..60), protocol in 0u64..10_000) {
        let mut standing = guardians(1 << 40, 5);
        let mut all = 0;
        for part in &parts {
            standing.stand_by(&CONFIG, Fixed::from_raw(*part), Quote(protocol)).unwrap();
            all += part;
        }
        let earned = (standing.claim.0 - (1 << 40)) as f64 + standing.fraction as f64 / ATOM as f64;
        let exact = all as f64 / ATOM as f64 / 2.0;
        prop_assert!(earned <= exact && earned >= exact * (1.0 - 1e-6), "{earned} {exact}");
    }
}

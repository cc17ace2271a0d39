use super::*;
use crate::config::tests::CONFIG;
use proptest::prelude::*;

fn guardians(claim: u64, shares: u64) -> Guardians {
    Guardians {
        claim: Quote(claim),
        shares: GuardianShares(shares),
        epoch: 7,
        ..bytemuck::Zeroable::zeroed()
    }
}

fn holding(shares: u64) -> GuardianPosition {
    GuardianPosition {
        shares: GuardianShares(shares),
        epoch: 7,
        ..GuardianPosition::new(Key([1; 32]), Key([2; 32]), 3)
    }
}

/// A request of so many atoms.
fn asked(guardians: &mut Guardians, amount: u64) -> GuardianPosition {
    let shares = guardians.shares_for(Quote(amount)).unwrap();
    guardians.take_in(Quote(amount), shares).unwrap();
    let mut position = holding(shares.0);
    guardians.ask(&mut position, shares).unwrap();
    position
}

const fn means(cover: u64, equity: u64) -> Means {
    Means {
        cover: Quote(cover),
        equity: Quote(equity),
        cash: Quote(u64::MAX),
    }
}

/// Pays all that can be. Takes the payment off cover and equity, and returns it.
fn pay(guardians: &mut Guardians, position: &mut GuardianPosition, means: &mut Means) -> u64 {
    let paid = guardians.pay(position, Quote(u64::MAX), means).unwrap();
    (means.cover, means.equity) = (means.cover.minus(paid).unwrap(), means.equity.minus(paid).unwrap());
    paid.0
}

const PLENTY: u64 = 1 << 40;

#[test]
fn a_request_is_paid_its_part_of_the_cover_in_any_order_and_in_any_pieces() {
    let mut all = guardians(0, 0);
    let (mut big, mut small) = (asked(&mut all, 80_000), asked(&mut all, 20_000));
    assert_eq!(all.requested(), Ok(Quote(100_000)));
    // Half of what is asked can leave. The first who comes gets half of his, however often he comes.
    let mut first = (all, big, small, means(50_000, PLENTY));
    assert_eq!(pay(&mut first.0, &mut first.1, &mut first.3), 40_000);
    assert_eq!(pay(&mut first.0, &mut first.1, &mut first.3), 0);
    assert_eq!(pay(&mut first.0, &mut first.2, &mut first.3), 10_000);
    assert_eq!(pay(&mut first.0, &mut first.2, &mut first.3), 0);
    assert_eq!(first.0.paid, Quote(50_000));
    // The other way round, and in pieces.
    let mut now = means(50_000, PLENTY);
    assert_eq!(pay(&mut all, &mut small, &mut now), 10_000);
    let piece = all.pay(&mut big, Quote(15_000), &now).unwrap();
    assert_eq!(piece, Quote(15_000));
    now.cover = now.cover.minus(piece).unwrap();
    assert_eq!(pay(&mut all, &mut big, &mut now), 25_000);
    assert_eq!((all.paid, all.requested()), (Quote(50_000), Ok(Quote(50_000))));
    // Then all of it can leave: nothing is remembered.
    let mut now = means(50_000, PLENTY);
    assert_eq!(pay(&mut all, &mut big, &mut now), 40_000);
    assert!(!big.has_request());
    assert_eq!(all.paid, Quote(10_000));
    assert_eq!(pay(&mut all, &mut small, &mut now), 10_000);
    assert_eq!(all, guardians(0, 0));
}

#[test]
fn after_a_loss_who_asks_first_is_paid_as_who_asks_last_and_as_who_stays() {
    // Four who hold the same, and half of it is there.
    let quarter = GuardianShares(25_000_000);
    let mut all = guardians(100_000, 100_000_000);
    let mut now = means(PLENTY, 50_000);
    let asks = |all: &mut Guardians| {
        let mut position = holding(quarter.0);
        all.ask(&mut position, quarter).unwrap();
        position
    };
    let (mut one, mut two) = (asks(&mut all), asks(&mut all));
    assert_eq!(pay(&mut all, &mut two, &mut now), 12_500);
    let mut three = asks(&mut all);
    assert_eq!(pay(&mut all, &mut three, &mut now), 12_500);
    assert_eq!(pay(&mut all, &mut one, &mut now), 12_500);
    assert_eq!((all.all_claims(), now.equity), (Ok(Quote(25_000)), Quote(12_500)));
}

#[test]
fn who_asks_again_has_no_more_than_his_part_of_what_can_leave() {
    let mut all = guardians(0, 0);
    let (mut one, other) = (asked(&mut all, 80_000), asked(&mut all, 80_000));
    let mut now = means(80_000, PLENTY);
    assert_eq!(pay(&mut all, &mut one, &mut now), 40_000);
    // The other has not come; then the cover is gone, and what is left is taken back and asked for again.
    let (amount, shares) = all.take_back(&mut one).unwrap();
    assert_eq!((amount, all.claim, one.shares), (Quote(40_000), Quote(40_000), shares));
    assert_eq!((all.paid, all.requested()), (Quote(0), Ok(Quote(80_000))));
    all.ask(&mut one, shares).unwrap();
    // A third of what can leave, not all of it.
    assert_eq!(all.part(&one, Quote(40_000), Quote(30_000)), Ok(Quote(10_000)));
    assert_eq!(all.part(&other, Quote(80_000), Quote(30_000)), Ok(Quote(20_000)));
    // Beside one that was paid a half, a new request begins where that one is.
    let mut now = means(40_000, PLENTY);
    let mut other = other;
    assert_eq!(pay(&mut all, &mut other, &mut now), 26_666);
    let third = asked(&mut all, 30_000);
    let share = u128::from(third.waiting.0) * 13_334 / u128::from(all.requested().unwrap().0);
    assert!(
        all.part(&third, third.waiting, Quote(13_334))
            .unwrap()
            .0
            .abs_diff(u64::try_from(share).unwrap())
            <= 1
    );
}

#[test]
fn an_atom_that_somebody_leaves_unpaid_keeps_nobody_from_asking() {
    let mut all = guardians(0, 0);
    let mut first = asked(&mut all, 1 << 50);
    all.pay(&mut first, Quote((1 << 50) - 1), &means(1 << 60, 1 << 60))
        .unwrap();
    assert_eq!((all.requested(), all.paid.0), (Ok(Quote(1)), (1 << 50) - 1));
    for _ in 0..8 {
        let mut next = asked(&mut all, 1 << 50);
        assert!(next.paid.0 <= 100 << 50);
        // A half of it can leave: all but an atom or so is its.
        let paid = all.pay(&mut next, Quote(u64::MAX), &means(1 << 49, 1 << 60)).unwrap();
        assert!(paid.0 <= 1 << 49 && paid.0 + 2 >= (1 << 49) / 8, "{paid:?}");
    }
    assert!(all.paid.0 < 1_000 << 50);
}

#[test]
fn what_there_is_is_shared_by_all_claims_whoever_leaves_first() {
    let mut all = guardians(100_000, 100_000_000);
    let (mut one, mut two) = (asked(&mut all, 60_000), asked(&mut all, 40_000));
    // Half of all claims are left.
    let mut now = means(PLENTY, 100_000);
    assert_eq!(pay(&mut all, &mut one, &mut now), 30_000);
    assert!(!one.has_request());
    assert_eq!(all.worth(Quote(100_000), now.equity), Ok(Quote(50_000)));
    // In part: as much more of it is given up.
    let part = all.pay(&mut two, Quote(5_000), &now).unwrap();
    assert_eq!((part, two.unpaid(&all)), (Quote(5_000), Ok(Quote(30_000))));
    now.equity = now.equity.minus(part).unwrap();
    assert_eq!(pay(&mut all, &mut two, &mut now), 15_000);
    assert_eq!((all.all_claims(), now.equity), (Ok(Quote(100_000)), Quote(50_000)));
    // Nothing is paid and nothing is given up without equity.
    let mut three = asked(&mut all, 1_000);
    let before = (all.waiting, three.waiting);
    assert_eq!(pay(&mut all, &mut three, &mut means(PLENTY, 0)), 0);
    assert_eq!((all.open, three.unpaid(&all)), (before.0, Ok(before.1)));
}

#[test]
fn a_payment_is_bounded_by_cover_cash_and_what_is_wanted() {
    let mut all = guardians(0, 0);
    let position = asked(&mut all, 1_000);
    let paid = |wanted, cover, cash| {
        let means = Means {
            cash: Quote(cash),
            ..means(cover, PLENTY)
        };
        let (mut all, mut position) = (all, position);
        let paid = all.pay(&mut position, Quote(wanted), &means).unwrap();
        assert_eq!(position.has_request(), paid.0 < 1_000);
        let held = position.open_shares == GuardianShares(0);
        assert_eq!(held, paid.0 == wanted || paid.0 == 1_000, "what is kept in earns");
        assert_eq!(position.unpaid(&all).unwrap().0 + paid.0, 1_000);
        assert_eq!(position.paid, if paid.0 < 1_000 { paid } else { Quote(0) });
        paid.0
    };
    assert_eq!(paid(u64::MAX, PLENTY, PLENTY), 1_000);
    assert_eq!(paid(999, PLENTY, PLENTY), 999);
    assert_eq!(paid(u64::MAX, 7, PLENTY), 7);
    assert_eq!(paid(8, PLENTY, 8), 8);
    assert_eq!(paid(u64::MAX, PLENTY, 8), 8);
    assert_eq!(paid(u64::MAX, 0, PLENTY), 0);
}

#[test]
fn who_waits_earns_nothing_and_who_is_open_earns_for_standing_by() {
    let mut all = guardians(500_000, 500_000_000);
    let mut position = asked(&mut all, 500_000);
    let (earned, protocol) = (Fixed::from_raw(100_000 * ATOM), Quote(1_000_000));
    // Half of 100,000 × a quarter, to two units of 2^-23 of the half; what waits leaves its quarter to the protocol.
    let about = 12_499..=12_500;
    let added = all.stand_by(&CONFIG, earned, protocol).unwrap().0;
    assert!(about.contains(&added), "{added}");
    assert_eq!(
        (all.claim.0, all.waiting, all.open),
        (500_000 + added, Quote(500_000), Quote(0))
    );
    // A payment of nothing opens it.
    assert_eq!(pay(&mut all, &mut position, &mut means(0, PLENTY)), 0);
    assert_eq!((all.waiting, all.open), (Quote(0), Quote(500_000)));
    let claim = all.claim;
    let added = all.stand_by(&CONFIG, earned, protocol).unwrap().0;
    let open = position.unpaid(&all).unwrap().0 - 500_000;
    assert!((12_300..12_500).contains(&open), "{open}");
    assert!(added - (all.claim.0 - claim.0) - open <= 1);
    // Until it could leave, and does not.
    let before = position.unpaid(&all).unwrap();
    all.pay(&mut position, Quote(1), &means(PLENTY, PLENTY)).unwrap();
    assert_eq!((position.waiting.0, position.paid.0), (before.0 - 1, 1));
    let waiting = position.waiting;
    all.stand_by(&CONFIG, earned, protocol).unwrap();
    assert_eq!(
        (position.unpaid(&all), all.open, all.paid),
        (Ok(waiting), Quote(0), Quote(1))
    );
    // Alone it earns as well.
    let mut alone = guardians(0, 0);
    let mut position = asked(&mut alone, 500_000);
    assert_eq!(alone.stand_by(&CONFIG, earned, protocol), Ok(Quote(0)));
    pay(&mut alone, &mut position, &mut means(0, PLENTY));
    assert!(alone.stand_by(&CONFIG, earned, Quote(0)).unwrap().0 >= 49_999);
}

#[test]
fn taking_back_leaves_all_claims_what_they_were() {
    let mut all = guardians(90_000, 60_000_000);
    let mut position = asked(&mut all, 10_000);
    let before = all.all_claims();
    let (amount, shares) = all.take_back(&mut position).unwrap();
    // Shares are worth 1.5 of a thousandth by now.
    assert_eq!((amount, shares), (Quote(9_999), GuardianShares(6_665_962)));
    assert_eq!((all.all_claims(), all.requested()), (before, Ok(Quote(0))));
    assert_eq!(position, holding(shares.0));
}

#[test]
fn shares_are_of_the_claim_with_virtual_shares() {
    // 6,000 shares for 12 atoms, of which 1,000 and 1 are nobody's.
    let mut guardians = guardians(11, 5_000);
    assert_eq!(guardians.shares_for(Quote(3)), Ok(GuardianShares(1_500)));
    assert_eq!(guardians.take_in(Quote(3), GuardianShares(1_500)), Ok(()));
    assert_eq!((guardians.claim, guardians.shares), (Quote(14), GuardianShares(6_500)));
    let mut position = holding(6_500);
    assert_eq!(guardians.ask(&mut position, GuardianShares(1_500)), Ok(Quote(3)));
    assert_eq!((guardians.claim, guardians.shares), (Quote(11), GuardianShares(5_000)));
    assert_eq!((guardians.waiting, position.waiting), (Quote(3), Quote(3)));
    let mut other = holding(3_000);
    assert_eq!(guardians.ask(&mut other, GuardianShares(3_000)), Ok(Quote(6)));
    assert_eq!((guardians.claim, guardians.shares), (Quote(5), GuardianShares(2_000)));
    assert_eq!((guardians.waiting, other.waiting), (Quote(9), Quote(6)));
    // 500 shares of 3,000 are one of six atoms, 499 are less.
    let mut poor = holding(499);
    assert_eq!(
        guardians.ask(&mut poor, GuardianShares(499)),
        Err(Error::ClaimWorthless)
    );
    assert_eq!(poor, holding(499));
    let mut poor = holding(500);
    assert_eq!(guardians.ask(&mut poor, GuardianShares(500)), Ok(Quote(1)));
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
fn a_settled_deficit_begins_a_new_epoch() {
    let mut lost = Guardians {
        waiting: Quote(9),
        fraction: 3,
        open: Quote(4),
        open_shares: GuardianShares(4_000),
        open_fraction: 5,
        paid: Quote(6),
        ..guardians(11, 5_000)
    };
    assert_eq!(lost.void(), Quote(24));
    assert_eq!(
        lost,
        Guardians {
            epoch: 8,
            ..guardians(0, 0)
        }
    );
    let position = GuardianPosition {
        shares: GuardianShares(5),
        waiting: Quote(3),
        opens_at: 1_000,
        open_shares: GuardianShares(9),
        paid: Quote(2),
        fall: Bps(3_800),
        release: 7,
        epoch: 7,
        ..GuardianPosition::new(Key([1; 32]), Key([2; 32]), 3)
    };
    assert_eq!(position.in_epoch(7), position);
    let voided = GuardianPosition {
        epoch: 8,
        ..GuardianPosition::new(Key([1; 32]), Key([2; 32]), 3)
    };
    assert_eq!(position.in_epoch(8), voided);
}

#[test]
fn a_request_opens_to_the_second_and_never_closes() {
    let mut position = GuardianPosition {
        waiting: Quote(3),
        opens_at: 1_000,
        ..holding(0)
    };
    let open = |position: &GuardianPosition, unix| position.check_open(Clock { unix, slot: 0 });
    assert_eq!(open(&position, 999), Err(Error::TimelockActive));
    assert_eq!(open(&position, 1_000), Ok(()));
    assert_eq!(open(&position, i64::MAX), Ok(()));
    position.waiting = Quote(0);
    assert_eq!(open(&position, 1_000), Err(Error::NothingRequested));
    position.open_shares = GuardianShares(1);
    assert_eq!(open(&position, 1_000), Ok(()));
}

#[test]
fn what_keeps_a_request_in_falls_to_nothing_on_a_straight_line() {
    let position = GuardianPosition {
        opens_at: 1_000,
        fall: Bps(3_800),
        release: 100,
        ..holding(0)
    };
    let fall = |unix| position.fall_at(Clock { unix, slot: 0 }).0;
    assert_eq!(
        [fall(0), fall(1_000), fall(1_001), fall(1_050)],
        [3_800, 3_800, 3_762, 1_900]
    );
    assert_eq!([fall(1_099), fall(1_100), fall(i64::MAX)], [38, 0, 0]);
    // Rounded up.
    let odd = GuardianPosition { release: 7, ..position };
    assert_eq!(odd.fall_at(Clock { unix: 1_001, slot: 0 }), Bps(3_258));
    let none = GuardianPosition { release: 0, ..position };
    assert_eq!(none.fall_at(Clock { unix: 1_000, slot: 0 }), Bps(0));
}

/// Earnings of a claim of so much, of `earned` atoms (Q64.64) beside so much of the protocol's own: whole atoms and the
/// fraction.
fn stood_by(claim: u64, protocol: u64, earned: u128, fraction: u64) -> (u64, u64) {
    let mut guardians = Guardians {
        fraction,
        ..guardians(claim, 5)
    };
    let whole = guardians
        .stand_by(&CONFIG, Fixed::from_raw(earned), Quote(protocol))
        .unwrap();
    assert_eq!(guardians.claim.0, claim + whole.0);
    assert_eq!((guardians.shares, guardians.epoch), (GuardianShares(5), 7));
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

    /// Whatever is asked, paid, earned and taken back, in whatever order: the parts add up, nobody is paid more than
    /// his part, and what each atom of claim can expect of the equity falls for nobody by another's leaving.
    #[test]
    fn requests_add_up_and_take_from_nobody(
        start in 1u64..1 << 40, ratio in 1u64..20_000, equity in 0u64..1 << 42,
        steps in prop::collection::vec((0usize..4, 0u8..5, 0u64..1 << 40, 0u64..=10_000), 1..60),
    ) {
        let mut all = guardians(start, start.saturating_mul(1_000));
        let mut positions = [holding(0); 4];
        let stake = start / 4;
        for position in &mut positions {
            position.shares = GuardianShares(stake * 1_000);
        }
        let mut equity = equity.min(start * 2);
        let mut cover = equity / 2;
        for (who, what, amount, part) in steps {
            let position = &mut positions[who];
            let (claims, had) = (all.all_claims().unwrap(), equity);
            match what {
                0 if !position.has_request() => {
                    let shares = GuardianShares(u64::try_from(u128::from(position.shares.0) * u128::from(part) / 10_000).unwrap());
                    let _ = all.ask(position, shares);
                    prop_assert!(all.all_claims().unwrap() <= claims);
                }
                1 | 2 if position.has_request() => {
                    let own = position.unpaid(&all).unwrap();
                    let means = means(cover, equity);
                    let paid = all.pay(position, Quote(amount + 1), &means).unwrap();
                    prop_assert!(paid.0 <= cover && paid <= own);
                    prop_assert!(u128::from(paid.0) * u128::from(claims.0) <= u128::from(own.0) * u128::from(equity.min(claims.0)));
                    (cover, equity) = (cover - paid.0, equity - paid.0);
                    // To two atoms a payment: those who stay find no less of the equity for each atom of claim.
                    let left = all.all_claims().unwrap();
                    if had < claims.0 {
                        prop_assert!(u128::from(equity + 3) * u128::from(claims.0) >= u128::from(had) * u128::from(left.0));
                    }
                }
                3 if position.has_request() => {
                    all.take_back(position).unwrap();
                    prop_assert!(all.all_claims().unwrap() <= claims && all.all_claims().unwrap().0 + 3 >= claims.0);
                }
                _ => {
                    let earned = Fixed::from_raw(u128::from(amount) << 40);
                    all.stand_by(&CONFIG, earned, Quote(ratio)).unwrap();
                    cover = equity.min(amount);
                }
            }
            let sum = |of: fn(&GuardianPosition) -> u64| positions.iter().map(of).sum::<u64>();
            prop_assert_eq!(all.waiting.0, sum(|position| position.waiting.0));
            prop_assert_eq!(all.open_shares.0, sum(|position| position.open_shares.0));
            prop_assert_eq!(all.paid.0, sum(|position| position.paid.0));
            let unpaid: u64 = positions.iter().map(|position| position.unpaid(&all).unwrap().0).sum();
            prop_assert!(unpaid <= all.requested().unwrap().0);
        }
    }
}

//! Waiting for insolvency.

use super::{ATOM, Stage, dollars};
use crate::{
    backing::cents,
    scene::{SOL, USDC},
};
use breakwater::error::BreakwaterError;
use breakwater_engine::Quote;
use breakwater_testkit::{Position, assert_fails_with};

/// From the first price at which 650 on 10 SOL is above its margin down to where nothing is left.
const PRICES: [i64; 12] = [
    81_20, 80_00, 78_00, 76_00, 74_00, 72_00, 71_00, 70_66, 70_63, 68_00, 66_00, 64_00,
];

/// Mallory's account, at $100.
fn stage() -> (Stage, Position) {
    let mut stage = Stage::new(500_000 * USDC);
    let position = stage.borrow(0, 10 * SOL, 650 * USDC);
    (stage, position)
}

/// Mallory liquidates herself until nothing more can be. Returns her wealth.
fn cleared(stage: &mut Stage, position: &Position) -> i128 {
    let mallory = stage.mallory.clone();
    while stage.world.liquidate(&mallory, position).is_ok() {}
    stage.wealth(&mallory, &[position])
}

#[test]
fn the_later_it_comes_the_less_is_left() {
    let (mut stage, position) = stage();
    let before = stage.world.snapshot();
    // Only the account and the bounties: tokens beside it are worth less each time, too.
    let mut left = Vec::new();
    for price in PRICES {
        stage.stands_at(cents(price));
        let mallory = stage.mallory.clone();
        let bystanding = stage.wealth(&mallory, &[]);
        left.push(dollars(cleared(&mut stage, &position) - bystanding));
        stage.world.restore(&before);
    }
    // In the end it is the tip, and what rounding the penalty down to a basis point leaves.
    let dregs = 100_000 + i128::from(650 * USDC / 10_000);
    assert!(
        left.is_sorted_by(|sooner, later| sooner >= later || *later <= dregs),
        "{left:?}"
    );
    // At the insolvency LTV there is no step up.
    assert!(left[8] <= left[7] && left[11] == 100_000, "{left:?}");
}

#[test]
fn who_is_taken_over_at_once_is_never_worse_off_than_who_evades_it() {
    let (mut stage, position) = stage();
    let fresh = stage.world.snapshot();
    for (number, first) in PRICES[..8].iter().enumerate() {
        for last in &PRICES[number..] {
            // At once, and then whatever is to be done at the end.
            stage.stands_at(cents(*first));
            cleared(&mut stage, &position);
            stage.stands_at(cents(*last));
            let at_once = cleared(&mut stage, &position);
            stage.world.restore(&fresh);
            // Only at the end.
            stage.world.advance(60);
            stage.stands_at(cents(*last));
            let late = cleared(&mut stage, &position);
            stage.world.restore(&fresh);
            // The tip comes with each liquidation.
            assert!(
                late <= at_once + 100_004 * ATOM,
                "{first} {last}: {} instead of {}",
                dollars(late),
                dollars(at_once)
            );
        }
    }
}

#[test]
fn a_keeper_gets_less_for_an_insolvent_account() {
    for (collateral, debt) in [
        (1_000 * SOL, 65_000 * USDC),
        (10 * SOL, 650 * USDC),
        (SOL, 65 * USDC),
        (200_000_000, 13 * USDC),
    ] {
        let mut stage = Stage::new(500_000 * USDC);
        let position = stage.borrow(0, collateral, debt);
        let before = stage.world.snapshot();
        let mut bounties = Vec::new();
        for price in [70_70, 70_60, 60_00] {
            stage.stands_at(cents(price));
            let outcome = stage.world.liquidate(&stage.mallory, &position).unwrap();
            let done = outcome.liquidation();
            assert_eq!(done.insolvent, price != 70_70);
            bounties.push(done.bounty);
            stage.world.restore(&before);
        }
        assert!(bounties[0] > bounties[1], "{bounties:?}");
        assert_eq!(bounties[1..], [Quote(100_000), Quote(100_000)]);
    }
}

#[test]
fn a_liquidator_who_waits_too_long_gets_nothing() {
    let mut stage = Stage::new(0);
    let position = stage.borrow(0, 10 * SOL, 650 * USDC);
    stage.stands_at(cents(70_70));
    let mallory = stage.mallory.clone();
    // An hour, and the discount is all of the penalty: then the account goes under.
    for _ in 0..60 {
        stage
            .world
            .liquidate_batch(&stage.market, &mallory, &[&position])
            .unwrap();
        stage.world.advance(60);
    }
    stage.stands_at(cents(70_60));
    assert_fails_with(
        stage.world.liquidate_external(&mallory, &position, u64::MAX),
        BreakwaterError::AccountInsolvent,
    );
    let outcome = stage.world.liquidate(&mallory, &position).unwrap();
    assert!(outcome.liquidation().whole);
}

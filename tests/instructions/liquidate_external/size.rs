//! How much: what the caller is willing to repay and to get.

use super::{SOLD, WANTED, external, liquidated, refused, scene};
use crate::{
    backing::{cents, stands_at},
    scene::{SOL, Scene, USDC, both_token_programs, purse},
};
use breakwater::error::BreakwaterError;
use breakwater_engine::{Bps, Quote};
use breakwater_testkit::{MarketSpec, World};

#[test]
fn the_caller_sets_the_most_to_repay() {
    for max_repay in [1, 2, 999, 1_500 * USDC, WANTED - 1] {
        let mut scene = scene();
        let liquidation = liquidated(&mut scene, 0, max_repay);
        assert_eq!(liquidation.repaid, Quote(max_repay));
    }
    for max_repay in [WANTED, WANTED + 1, u64::MAX] {
        assert_eq!(liquidated(&mut scene(), 0, max_repay).repaid, Quote(WANTED));
    }
}

#[test]
fn the_caller_sets_the_least_to_get() {
    let mut scene = scene();
    for min_collateral in [SOLD + 1, u64::MAX] {
        refused(
            &mut scene,
            (u64::MAX, min_collateral),
            BreakwaterError::SlippageExceeded,
        );
    }
    // Also where the caller's own limit makes it less.
    refused(
        &mut scene,
        (1_000 * USDC, 12 * SOL + SOL / 2 + 100),
        BreakwaterError::SlippageExceeded,
    );
    // `liquidated` asks for exactly what it gets.
    liquidated(&mut scene, 0, u64::MAX);
}

#[test]
fn nothing_is_refused() {
    let mut scene = scene();
    for min_collateral in [0, 1, u64::MAX] {
        refused(&mut scene, (0, min_collateral), BreakwaterError::ZeroAmount);
    }
}

/// Mallory's own small account in the place of Alice's: 12 on 0.18 SOL, which at $82 is at 81%.
fn small(debt: u64, sol_thousandths: u64) -> Scene {
    let mut scene = scene();
    stands_at(&mut scene, cents(10_000));
    let position = scene.world.open(&scene.market, &scene.alice, 1).unwrap();
    scene.world.deposit(&position, sol_thousandths * SOL / 1_000).unwrap();
    scene.world.borrow(&position, debt).unwrap();
    scene.position = position;
    scene
}

#[test]
fn no_rest_is_left_below_the_smallest_debt() {
    // 12 is taken whole, for the rest would be dust; or so much that ten are left.
    for (max_repay, repaid) in [
        (u64::MAX, 12 * USDC),
        (12 * USDC, 12 * USDC),
        (12 * USDC - 1, 2 * USDC),
        (2 * USDC, 2 * USDC),
        (USDC, USDC),
        (1, 1),
    ] {
        let mut scene = small(12 * USDC, 180);
        stands_at(&mut scene, cents(82_00));
        assert_eq!(liquidated(&mut scene, 0, max_repay).repaid, Quote(repaid));
    }
    // With ten there is no part of it.
    let mut scene = small(10 * USDC, 150);
    stands_at(&mut scene, cents(82_00));
    for max_repay in [1, 10 * USDC - 1] {
        refused(&mut scene, (max_repay, 0), BreakwaterError::DebtBelowMinimum);
    }
    assert_eq!(liquidated(&mut scene, 0, 10 * USDC).debt_after, Quote(0));
}

#[test]
fn pieces_come_to_the_same_as_the_whole() {
    // 90% wants 4,400, and is above 80% until 4,000 of it are repaid.
    let mut scene = scene();
    stands_at(&mut scene, cents(72_00));
    let (mut repaid, mut seized) = (0, 0);
    for max_repay in [1, 1_700 * USDC, 1_333_333_333, u64::MAX] {
        let liquidation = liquidated(&mut scene, 0, max_repay);
        (repaid, seized) = (repaid + liquidation.repaid.0, seized + liquidation.seized.0);
    }
    // Within four atoms for each rounding of a value.
    assert!((4_400 * USDC..=4_400 * USDC + 16).contains(&repaid), "{repaid}");
    let exact = u128::from(repaid) * 1_000 / 72;
    assert!(exact.abs_diff(seized.into()) <= 60, "{seized} for {repaid}");
    refused(&mut scene, (u64::MAX, 0), BreakwaterError::AccountHealthy);
}

#[test]
fn who_cannot_pay_gets_nothing() {
    for spec in both_token_programs() {
        let mut scene = super::roomless(World::program_test(), &spec);
        let pauper = scene.world.trader(&scene.market, "pauper", 0, WANTED - 1);
        scene.mallory = pauper.clone();
        let external = external(&scene, u64::MAX, 0);
        let failure = scene
            .world
            .assert_error_unchanged(std::slice::from_ref(&external), &[&pauper], "Custom(1)");
        assert_eq!(failure.program, Some(spec.quote.token_program));
        scene.world.fund(&pauper, &scene.market.quote_mint, 1);
        scene.world.send(&[external], &[&pauper]).unwrap();
        assert_eq!(purse(&mut scene.world, &scene.market, &pauper).1, 0);
    }
}

#[test]
fn interest_counts() {
    // A year later Alice owes more, and the pool is paid what she owes then.
    let (mut scene, _) = crate::backing::backed(World::program_test(), &MarketSpec::default(), 0, 0);
    scene.world.advance(365 * 86_400);
    stands_at(&mut scene, cents(80_00));
    // The reserve of a year's interest is the backstop's only capital: room for some hundred, which it takes first.
    scene.world.liquidate(&scene.kate, &scene.position).unwrap();
    let debt = scene.judged().debt;
    assert!(debt != 0);
    let market = scene.world.market_state(&scene.market);
    let before = market.books_at(scene.world.clock()).unwrap().pool.assets().unwrap();
    let liquidation = liquidated(&mut scene, 0, u64::MAX);
    assert_eq!(liquidation.penalty, Bps(0));
    let after = scene.world.market_state(&scene.market).books.pool.assets().unwrap();
    assert!(after == before || after.0 == before.0 + 1, "{before:?} {after:?}");
}

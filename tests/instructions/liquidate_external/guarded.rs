//! Prices that are not trusted for everything: steps, rest and flow as for the backstop, the smallest penalty as the cap,
//! and the gap between spot and guarded price.

use super::{at_penalty, external, refused, roomless};
use crate::{
    backing::{cents, interest_free, market_with, stands_at},
    scene::{Scene, USDC},
};
use breakwater::{error::BreakwaterError, events::ExternallyLiquidated};
use breakwater_engine::{Bps, Config, Price, Quote, actions::ExternalLiquidation};
use breakwater_testkit::{World, default_config, pyth::usd};

/// Alice at $80 in a market without room that is Guarded because Pyth gives no average.
fn guarded(config: Config) -> Scene {
    let mut scene = roomless(World::program_test(), &market_with(config));
    hide_average(&mut scene);
    scene
}

fn hide_average(scene: &mut Scene) {
    let feed = scene.market.collateral_feed;
    scene.world.edit_feed(&feed, |feed| feed.quotation_mut().ema_price = 0);
}

#[track_caller]
fn step(scene: &mut Scene, max_repay: u64) -> ExternalLiquidation {
    let external = external(scene, max_repay, 0);
    let outcome = scene.world.send(&[external], &[&scene.mallory]).unwrap();
    outcome.event::<ExternallyLiquidated>().liquidation
}

#[test]
fn it_goes_in_the_same_steps_and_rests_as_long() {
    let mut scene = guarded(default_config());
    // A quarter of 2,000, then of what is still wanted.
    let judged = scene.judged();
    let first = step(&mut scene, u64::MAX);
    assert_eq!((first.repaid, first.penalty), (Quote(500 * USDC), Bps(0)));
    let expected = judged.expected_within(&at_penalty(default_config(), 0), 500 * USDC);
    assert_eq!((first.repaid.0, first.seized.0), (expected.repay, expected.seize));
    assert_eq!(
        scene.world.margin_account(&scene.position).stepped_at,
        scene.world.unix()
    );
    refused(&mut scene, (u64::MAX, 0), BreakwaterError::AccountCooling);
    scene.world.advance(19);
    refused(&mut scene, (u64::MAX, 0), BreakwaterError::AccountCooling);
    scene.world.advance(1);
    let second = step(&mut scene, u64::MAX);
    assert_eq!(second.waited, 20);
    assert!(second.repaid < first.repaid);
}

#[test]
fn steps_of_both_kinds_share_rest_and_flow() {
    // 1,500 a minute for all.
    let config = Config {
        guarded_flow: Quote(1_500 * USDC),
        guarded_cooldown: 0,
        ..default_config()
    };
    // At $72 4,400 are wanted: a quarter is 1,100, and then a quarter of the rest is more than the flow leaves.
    let mut scene = guarded(config);
    stands_at(&mut scene, cents(72_00));
    hide_average(&mut scene);
    let first = step(&mut scene, u64::MAX).repaid;
    assert!(first.0.abs_diff(1_100 * USDC) < 10, "{first:?}");
    let rest = step(&mut scene, u64::MAX).repaid;
    assert!((400 * USDC - 50..=400 * USDC).contains(&rest.0), "{rest:?}");
    refused(&mut scene, (u64::MAX, 0), BreakwaterError::GuardedFlowUsed);
    // A third of the minute, a third of the flow.
    scene.world.advance(20);
    hide_average(&mut scene);
    let third = step(&mut scene, u64::MAX).repaid;
    assert!((500 * USDC - 50..=500 * USDC).contains(&third.0), "{third:?}");
    // The same rest: one after the other, whoever was first.
    let mut scene = guarded(default_config());
    step(&mut scene, 20 * USDC);
    scene
        .world
        .fund_backstop(&scene.market, &scene.lena, 10_000 * USDC)
        .unwrap();
    let liquidate = breakwater_testkit::ix::liquidate(&scene.market, &scene.position.address, &scene.kate.key());
    let cooling = BreakwaterError::AccountCooling;
    scene
        .world
        .assert_error_unchanged(&[liquidate], &[&scene.kate], cooling);
}

#[test]
fn a_crumb_does_not_keep_others_away() {
    // Whoever would keep an account from being liquidated repays an atom of it every twenty seconds.
    let mut scene = guarded(default_config());
    for crumb in [1, 10 * USDC - 1] {
        refused(&mut scene, (crumb, 0), BreakwaterError::RepaymentTooSmall);
    }
    let step = step(&mut scene, u64::MAX).repaid.0;
    assert!(step.abs_diff(500 * USDC) < 10, "{step}");
}

#[test]
fn the_discount_ends_at_the_smallest_penalty() {
    let config = Config {
        guarded_cooldown: 0,
        ..default_config()
    };
    let mut scene = guarded(config);
    let mut penalties = Vec::new();
    for _ in 0..4 {
        penalties.push(step(&mut scene, 10 * USDC).penalty);
        scene.world.advance(540);
        hide_average(&mut scene);
    }
    // Nine minutes each: 90 bps more, and no more than 200.
    assert_eq!(penalties, [Bps(0), Bps(90), Bps(180), Bps(200)]);
}

/// A market that clamps to $80 when spot is `gap` bps of itself below, at once.
fn clamped(gap: i64) -> Scene {
    let config = Config {
        velocity_slack: Bps(0),
        max_gap: Bps(150),
        ..interest_free(default_config())
    };
    let mut scene = roomless(World::program_test(), &market_with(config));
    // Rounded up: spot × (1 + gap) is no less than $80.
    let spot = (usd(80) * 10_000).div_euclid(10_000 + gap) + i64::from((usd(80) * 10_000) % (10_000 + gap) != 0);
    let feed = scene.market.collateral_feed;
    scene.world.settle_price(&feed, spot, 0);
    let mut guard = scene.world.market_state(&scene.market).guard;
    let reference = Price::from_raw((80 << 64) / 1_000);
    (guard.reference, guard.average, guard.moved_at) = (reference, reference, scene.world.unix());
    scene.world.set_guard(&scene.market, guard);
    scene
}

#[test]
fn the_discount_is_off_the_lower_of_spot_and_guarded_price() {
    for (gap, bps) in [(0, 0), (1, 1), (99, 99), (150, 150)] {
        let mut scene = clamped(gap);
        let liquidation = step(&mut scene, 100 * USDC);
        // Judged at the guarded price, which is the higher one; the gap makes up for it.
        assert_eq!(liquidation.price.raw(), (80 << 64) / 1_000);
        assert!(
            (bps.max(1) - 1..=bps).contains(&liquidation.penalty.0),
            "{gap}: {liquidation:?}"
        );
        // At spot, the liquidator gets what he pays within the basis point to which the gap is rounded, and no more.
        let spot = u128::try_from(scene.world.shown(&scene.market.collateral_feed).quotation().price).unwrap();
        let worth = spot * u128::from(liquidation.seized.0) / 100_000_000 / 1_000;
        let paid = u128::from(liquidation.repaid.0);
        assert!(
            worth <= paid + 1 && worth + paid / 5_000 + 2 >= paid,
            "{gap}: {worth} for {paid}"
        );
    }
    let mut scene = clamped(151);
    refused(&mut scene, (u64::MAX, 0), BreakwaterError::PriceGapTooWide);
}

#[test]
fn while_halted_nobody_is_liquidated() {
    let mut scene = roomless(World::program_test(), &market_with(default_config()));
    let authority = scene.world.authority().clone();
    scene.world.pull_brake(&scene.market, &authority, 60).unwrap();
    refused(&mut scene, (u64::MAX, 0), BreakwaterError::MarketHalted);
    scene.world.advance(60);
    let feed = scene.market.collateral_feed;
    let wide = usd(80).unsigned_abs() / 50 + 1;
    scene.world.edit_feed(&feed, |feed| feed.quotation_mut().conf = wide);
    refused(&mut scene, (u64::MAX, 0), BreakwaterError::ConfidenceTooWide);
    scene
        .world
        .edit_feed(&feed, |feed| feed.quotation_mut().conf = wide - 1);
    step(&mut scene, u64::MAX);
}

#[test]
fn insolvent_accounts_are_the_backstops_while_guarded_too() {
    let mut scene = roomless(World::program_test(), &market_with(default_config()));
    stands_at(&mut scene, cents(70_00));
    hide_average(&mut scene);
    refused(&mut scene, (u64::MAX, 0), BreakwaterError::AccountInsolvent);
}

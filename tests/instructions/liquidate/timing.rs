//! When an account can be liquidated, and with a price of what age.

use crate::scene::{SOL, Scene, USDC};
use breakwater::error::BreakwaterError;
use breakwater_engine::Bps;
use breakwater_testkit::{assert_fails_with, ix, pyth::usd};

#[track_caller]
fn refused(scene: &mut Scene, expected: BreakwaterError) {
    let liquidate = ix::liquidate(&scene.market, &scene.position.address, &scene.kate.key());
    scene
        .world
        .assert_error_unchanged(&[liquidate], &[&scene.kate], expected);
}

/// Publishes a low price in the same slot.
fn crash_at_once(scene: &mut Scene) {
    let feed = scene.market.collateral_feed;
    scene.world.set_price(&feed, usd(80), 0);
}

#[test]
fn a_healthy_account_is_left_alone() {
    let mut scene = Scene::new();
    refused(&mut scene, BreakwaterError::AccountHealthy);
    scene.price(82);
    refused(&mut scene, BreakwaterError::AccountHealthy);
}

#[test]
fn an_account_without_debt_is_left_alone() {
    let mut scene = Scene::new();
    scene.world.repay(&scene.position, u64::MAX).unwrap();
    scene.world.next_slot();
    scene.crash(1);
    refused(&mut scene, BreakwaterError::NoDebt);
    // Nor one that never had any, or holds nothing.
    scene.position = scene.world.open(&scene.market, &scene.mallory, 0).unwrap();
    refused(&mut scene, BreakwaterError::NoDebt);
}

#[test]
fn nothing_is_left_of_an_account_that_was_taken_whole() {
    let mut scene = Scene::new();
    scene.price(60);
    scene.liquidated();
    refused(&mut scene, BreakwaterError::NoDebt);
    let Scene {
        mut world, position, ..
    } = scene;
    world.close(&position).unwrap();
}

#[test]
fn who_borrowed_in_this_slot_is_safe_until_the_next() {
    let mut scene = Scene::new();
    scene.world.borrow(&scene.position, USDC).unwrap();
    crash_at_once(&mut scene);
    refused(&mut scene, BreakwaterError::BorrowedThisSlot);
    scene.world.next_slot();
    scene.liquidated();
}

#[test]
fn who_withdrew_against_debt_in_this_slot_is_safe_until_the_next() {
    let mut scene = Scene::new();
    scene.world.withdraw_collateral(&scene.position, SOL).unwrap();
    crash_at_once(&mut scene);
    refused(&mut scene, BreakwaterError::BorrowedThisSlot);
    scene.world.next_slot();
    scene.liquidated();
}

#[test]
fn an_unhealthy_account_cannot_hide_behind_that() {
    let mut scene = Scene::new();
    scene.world.advance(60);
    crash_at_once(&mut scene);
    let Scene {
        world,
        market,
        alice,
        mallory,
        position,
        ..
    } = &mut scene;
    let (address, owner) = (position.address, alice.key());
    // What it cannot do in this slot
    for attempt in [
        ix::borrow(market, &address, &owner, 1),
        ix::withdraw_collateral(market, &address, &owner, 1),
    ] {
        world.assert_error_unchanged(&[attempt], &[alice], BreakwaterError::InitialLtvExceeded);
    }
    // and what it can, which does not help it: not even what others do to it.
    world.repay(position, 1).unwrap();
    world.deposit(position, 1).unwrap();
    world
        .send(
            &[ix::deposit_collateral(market, &address, &mallory.key(), 1)],
            &[mallory],
        )
        .unwrap();
    scene.liquidated();
}

#[test]
fn borrowing_and_liquidating_in_one_transaction_is_refused() {
    let Scene {
        mut world,
        market,
        alice,
        kate,
        position,
        ..
    } = Scene::new();
    let both = [
        ix::borrow(&market, &position.address, &alice.key(), USDC),
        ix::liquidate(&market, &position.address, &kate.key()),
    ];
    world.assert_error_unchanged(&both, &[&alice, &kate], BreakwaterError::BorrowedThisSlot);
}

#[test]
fn repaying_or_adding_collateral_in_time_saves_the_account() {
    for rescue_by_repaying in [true, false] {
        let mut scene = Scene::new();
        scene.price(80);
        let Scene {
            world,
            market,
            mallory,
            position,
            ..
        } = &mut scene;
        let rescue = if rescue_by_repaying {
            ix::repay(market, &position.address, &mallory.key(), 200 * USDC)
        } else {
            ix::deposit_collateral(market, &position.address, &mallory.key(), 2 * SOL)
        };
        world.send(&[rescue], &[mallory]).unwrap();
        refused(&mut scene, BreakwaterError::AccountHealthy);
    }
}

#[test]
fn a_price_may_be_older_than_for_borrowing() {
    let mut scene = Scene::new();
    scene.world.set_price(&scene.market.collateral_feed, usd(80), 0);
    let config = scene.world.market_state(&scene.market).config;
    assert!(config.max_age_short < config.max_age_long);
    scene.world.advance_silently(config.max_age_long + 1);
    refused(&mut scene, BreakwaterError::PriceTooOld);
    scene.world.set_clock(scene.world.unix() - 1, scene.world.slot());
    let borrow = ix::borrow(&scene.market, &scene.position.address, &scene.alice.key(), USDC);
    assert_fails_with(
        scene.world.send(&[borrow], &[&scene.alice]),
        BreakwaterError::PriceTooOld,
    );
    scene.liquidated();
}

#[test]
fn a_price_may_be_a_little_ahead_of_the_clock() {
    let mut scene = Scene::new();
    scene.price(80);
    let latest = scene.world.unix() + 5;
    for feed in [scene.market.collateral_feed, scene.market.quote_feed] {
        scene
            .world
            .edit_feed(&feed, |feed| feed.quotation_mut().publish_time = latest);
    }
    scene.liquidated();
}

#[test]
fn the_keeper_cannot_choose_an_older_price_than_the_market_has_seen() {
    let mut scene = Scene::new();
    scene.price(80);
    let feed = scene.market.collateral_feed;
    let low = scene.world.shown(&feed);
    // A second later the price has recovered, and somebody tells the market.
    scene.world.advance(1);
    scene.world.set_price(&feed, usd(100), 0);
    scene.world.observe_price(&scene.market).unwrap();
    scene.world.show(&feed, low);
    // She is not refused for it: what the market has seen counts.
    refused(&mut scene, BreakwaterError::AccountHealthy);
}

#[test]
fn uncertainty_up_to_the_limit_does_not_stop_it() {
    let mut scene = Scene::new();
    scene.price(80);
    let feed = scene.market.collateral_feed;
    scene.world.edit_feed(&feed, |feed| {
        feed.quotation_mut().conf = usd(80).unsigned_abs() / 50;
    });
    scene.liquidated();
}

#[test]
fn without_an_average_of_pyth_it_goes_on_in_steps() {
    let mut scene = Scene::new();
    scene.price(80);
    let feed = scene.market.collateral_feed;
    scene.world.edit_feed(&feed, |feed| feed.quotation_mut().ema_price = 0);
    let step = scene.stepped();
    assert!(!step.whole && step.penalty == Bps(100));
    // A quarter of the debt is more than it takes to be healthy.
    refused(&mut scene, BreakwaterError::AccountHealthy);
}

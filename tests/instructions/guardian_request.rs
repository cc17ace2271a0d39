//! `guardian_request`.

use crate::{
    attack::{Attack, twin},
    backing::{backed, deficit, market_with, position_of, quick},
    scene::{Scene, USDC, sibling},
};
use anchor_lang::prelude::ErrorCode;
use breakwater::{error::BreakwaterError, events::GuardianRequested};
use breakwater_client::addresses;
use breakwater_engine::{GuardianPosition, GuardianShares, actions::GuardianRequest};
use breakwater_testkit::{Actor, MarketSpec, World, ix};

/// Gina has 1,000 behind the backstop.
const SHARES: u64 = 1_000_000 * USDC;

fn scene() -> (Scene, Actor) {
    backed(World::program_test(), &MarketSpec::default(), 0, 1_000 * USDC)
}

#[test]
fn it_accrues_interest_and_notes_how_much_and_when_and_nothing_else() {
    let (mut scene, gina) = scene();
    let (state, before) = (scene.world.market_state(&scene.market), position_of(&mut scene, &gina));
    scene.world.advance(77);

    let outcome = scene.world.guardian_request(&scene.market, &gina, SHARES / 3).unwrap();

    let now = scene.world.unix();
    let opens_at = now + i64::from(state.config.guardian_cooldown);
    let event = GuardianRequested {
        market: scene.market.market,
        guardian: gina.key(),
        request: GuardianRequest {
            shares: GuardianShares(SHARES / 3),
            opens_at,
            closes_at: opens_at + i64::from(state.config.guardian_window),
        },
    };
    assert_eq!(outcome.event::<GuardianRequested>(), event);
    let expected = GuardianPosition {
        requested: GuardianShares(SHARES / 3),
        requested_at: now,
        ..before
    };
    assert_eq!(position_of(&mut scene, &gina), expected);
    let mut accrued = state;
    accrued.books = state.books_at(scene.world.clock()).unwrap();
    accrued.books.guardians.requested = GuardianShares(SHARES / 3);
    assert_ne!(accrued.books.pool, state.books.pool);
    assert_eq!(scene.world.market_state(&scene.market), accrued);
    let address = scene.market.quote_vault;
    assert_eq!(
        scene.world.token_balance(&address),
        1_000_000 * USDC - 6_500 * USDC + 1_000 * USDC
    );
}

#[test]
fn each_request_replaces_the_one_before_and_its_time() {
    let (mut scene, gina) = scene();
    for shares in [SHARES, 1, 0, SHARES] {
        scene.world.advance(100);
        scene.world.guardian_request(&scene.market, &gina, shares).unwrap();
        let GuardianPosition {
            requested,
            requested_at,
            ..
        } = position_of(&mut scene, &gina);
        assert_eq!((requested.0, requested_at), (shares, scene.world.unix()));
    }
}

#[test]
fn no_more_than_is_held_can_be_asked_for() {
    let (mut scene, gina) = scene();
    for shares in [SHARES + 1, u64::MAX] {
        let request = ix::guardian_request(&scene.market, &gina.key(), shares);
        scene
            .world
            .assert_error_unchanged(&[request], &[&gina], BreakwaterError::InsufficientGuardianShares);
    }
    // Nor anything by one who holds nothing.
    scene
        .world
        .open_guardian_position(&scene.market, &scene.mallory)
        .unwrap();
    let request = ix::guardian_request(&scene.market, &scene.mallory.key(), 1);
    let expected = BreakwaterError::InsufficientGuardianShares;
    scene
        .world
        .assert_error_unchanged(&[request], &[&scene.mallory], expected);
    scene.world.guardian_request(&scene.market, &scene.mallory, 0).unwrap();
}

#[test]
fn shares_that_a_settlement_voided_cannot_be_asked_for() {
    let (mut scene, gina) = deficit(World::program_test(), &market_with(quick()), 0, 100 * USDC);
    scene
        .world
        .guardian_request(&scene.market, &gina, 100_000 * USDC)
        .unwrap();
    scene.world.settle_deficit(&scene.market).unwrap();
    let request = ix::guardian_request(&scene.market, &gina.key(), 1);
    scene
        .world
        .assert_error_unchanged(&[request], &[&gina], BreakwaterError::InsufficientGuardianShares);
    // Asking for none brings the position into the new era: the old shares and the old request are gone.
    scene.world.guardian_request(&scene.market, &gina, 0).unwrap();
    let GuardianPosition {
        shares, requested, era, ..
    } = position_of(&mut scene, &gina);
    assert_eq!((shares.0, requested.0, era), (0, 0, 1));
}

#[test]
fn it_needs_no_price_at_any_level() {
    let (mut scene, gina) = scene();
    let authority = scene.world.authority().clone();
    scene.world.pull_brake(&scene.market, &authority, 3_600).unwrap();
    scene.world.guardian_request(&scene.market, &gina, 1).unwrap();
    scene.world.advance_silently(30 * 86_400);
    for feed in [scene.market.collateral_feed, scene.market.quote_feed] {
        scene.world.give_lamports(&feed, 0);
    }
    scene.world.guardian_request(&scene.market, &gina, 2).unwrap();
}

#[test]
fn every_account_is_checked() {
    let (
        Scene {
            mut world,
            market,
            mallory,
            kate,
            position: margin_account,
            ..
        },
        gina,
    ) = scene();
    let sibling = sibling(&mut world);
    world.open_guardian_position(&market, &mallory).unwrap();
    world.open_guardian_position(&sibling, &gina).unwrap();
    let other_market = twin(&mut world, &market.market);
    let position = addresses::guardian_position(&market.market, &gina.key());
    let of_mallory = addresses::guardian_position(&market.market, &mallory.key());
    let of_sibling = addresses::guardian_position(&sibling.market, &gina.key());
    let ledger = addresses::keeper_ledger(&market.market, &kate.key());

    let honest = ix::guardian_request(&market, &gina.key(), SHARES);
    let mut attack = Attack::on(&mut world, honest, &[&gina, &mallory]);
    attack
        .not_state(&market.market, &margin_account.address)
        .swap(&market.market, &sibling.market, BreakwaterError::WrongMarket)
        .swap(&market.market, &other_market, BreakwaterError::WrongMarket)
        .swap_all(
            &[(&market.market, &sibling.market), (&position, &of_sibling)],
            BreakwaterError::InsufficientGuardianShares,
        )
        .not_state(&position, &ledger)
        .swap(&position, &market.market, ErrorCode::AccountDiscriminatorMismatch)
        .swap(&position, &of_mallory, BreakwaterError::WrongGuardianPosition)
        .swap(&position, &of_sibling, BreakwaterError::WrongMarket)
        .unsigned(&gina)
        .swap(&gina.key(), &mallory.key(), BreakwaterError::WrongGuardianPosition)
        .read_only(&[&position])
        .too_few_accounts()
        .too_few_bytes();
    attack.honest_passes();
}

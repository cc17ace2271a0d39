//! `guardian_request`.

use crate::{
    backing::{BOUNTY_AT_60, backed, cents, deficit, market_with, position_of, quick, stands_at, take_over},
    scene::{Scene, USDC},
};
use breakwater::{error::BreakwaterError, events::GuardianRequested};
use breakwater_engine::{GuardianPosition, GuardianShares, Quote, actions::GuardianRequest};
use breakwater_testkit::{Actor, MarketSpec, World, ix};

/// Gina has 1,000 behind the backstop.
const SHARES: u64 = 1_000_000 * USDC;

fn scene() -> (Scene, Actor) {
    backed(World::program_test(), &MarketSpec::default(), 0, 1_000 * USDC)
}

#[test]
fn it_accrues_interest_and_turns_shares_into_a_fixed_claim_and_nothing_else() {
    let (mut scene, gina) = scene();
    let (state, before) = (scene.world.market_state(&scene.market), position_of(&mut scene, &gina));
    scene.world.advance(77);
    let mut accrued = state;
    accrued.books = state.books_at(scene.world.clock()).unwrap();
    let claim = accrued.books.guardians.claim.0;
    // shares × (claim + 1) ÷ (all + 1,000), rounded down.
    let amount = u128::from(SHARES / 3) * u128::from(claim + 1) / u128::from(SHARES + 1_000);
    let amount = Quote(u64::try_from(amount).unwrap());

    let outcome = scene.world.guardian_request(&scene.market, &gina, SHARES / 3).unwrap();

    let opens_at = scene.world.unix() + i64::from(state.config.guardian_cooldown);
    let event = GuardianRequested {
        market: scene.market.market,
        guardian: gina.key(),
        request: GuardianRequest {
            shares: GuardianShares(SHARES / 3),
            amount,
            opens_at,
            claim_after: Quote(claim - amount.0),
        },
    };
    assert_eq!(outcome.event::<GuardianRequested>(), event);
    let expected = GuardianPosition {
        shares: GuardianShares(SHARES - SHARES / 3),
        waiting: amount,
        opens_at,
        fall: state.config.stress_fall,
        release: state.config.guardian_release,
        ..before
    };
    assert_eq!(position_of(&mut scene, &gina), expected);
    accrued.books.guardians.waiting = amount;
    accrued.books.guardians.claim.0 -= amount.0;
    accrued.books.guardians.shares.0 -= SHARES / 3;
    assert_ne!(accrued.books.pool, state.books.pool);
    assert_eq!(scene.world.market_state(&scene.market), accrued);
    let address = scene.market.quote_vault;
    assert_eq!(
        scene.world.token_balance(&address),
        1_000_000 * USDC - 6_500 * USDC + 1_000 * USDC
    );
}

#[test]
fn there_is_one_request_at_a_time_until_it_is_taken_back() {
    let (mut scene, gina) = scene();
    let cooldown = scene.world.market_state(&scene.market).config.guardian_cooldown;
    scene.world.guardian_request(&scene.market, &gina, SHARES / 2).unwrap();
    let again = ix::guardian_request(&scene.market, &gina.key(), SHARES / 2, 0);
    let back = ix::guardian_request(&scene.market, &gina.key(), 0, 0);
    for seconds in [0, cooldown - 1, 1] {
        scene.world.advance(seconds);
        let expected = BreakwaterError::RequestRunning;
        scene
            .world
            .assert_error_unchanged(std::slice::from_ref(&again), &[&gina], expected);
        if seconds != 1 {
            let expected = BreakwaterError::TimelockActive;
            scene
                .world
                .assert_error_unchanged(std::slice::from_ref(&back), &[&gina], expected);
        }
    }
    // At the share value of then: the others, here her own other half, have earned meanwhile.
    let asked = position_of(&mut scene, &gina).waiting.0;
    let outcome = scene.world.send(std::slice::from_ref(&back), &[&gina]).unwrap();
    let told = outcome.event::<GuardianRequested>().request;
    assert_eq!((told.amount.0, told.opens_at), (asked, 0));
    assert!(told.shares.0 < SHARES / 2, "{told:?}");
    let position = position_of(&mut scene, &gina);
    assert!(!position.has_request());
    assert_eq!(position.shares.0, SHARES / 2 + told.shares.0);
    // And it cannot be taken back twice.
    let expected = BreakwaterError::NothingRequested;
    scene.world.assert_error_unchanged(&[back], &[&gina], expected);
    scene.world.send(&[again], &[&gina]).unwrap();
}

#[test]
fn the_caller_sets_the_least_claim() {
    let (mut scene, gina) = scene();
    let claim = 1_000 * USDC;
    let request = |least| ix::guardian_request(&scene.market, &gina.key(), SHARES, least);
    let (too_much, exactly) = (request(claim + 1), request(claim));
    let expected = BreakwaterError::SlippageExceeded;
    scene.world.assert_error_unchanged(&[too_much], &[&gina], expected);
    scene.world.send(&[exactly], &[&gina]).unwrap();
}

#[test]
fn who_asks_after_a_loss_asks_for_all_of_it_and_what_is_left_is_its_worth() {
    // 1,000 of Gina's alone, of which a take-over at $60 costs 500 and the bounty.
    let (mut scene, gina) = backed(World::program_test(), &market_with(quick()), 0, 1_000 * USDC);
    stands_at(&mut scene, cents(60_00));
    take_over(&mut scene);
    let outcome = scene.world.guardian_request(&scene.market, &gina, SHARES).unwrap();
    let told = outcome.event::<GuardianRequested>().request;
    assert!((1_000 * USDC - 2..=1_000 * USDC).contains(&told.amount.0), "{told:?}");
    let market = scene.world.market_state(&scene.market);
    assert_eq!(market.books.guardians.all_claims(), Ok(told.amount));
    let left = 500 * USDC - BOUNTY_AT_60;
    let equity = market.books.equity(market.guard.lowest(&market.config)).unwrap();
    let worth = market
        .books
        .guardians
        .worth(told.amount, Quote(u64::try_from(equity).unwrap()))
        .unwrap();
    assert!((left - 2..=left).contains(&worth.0), "{worth:?}, not {left}");
}

#[test]
fn no_more_than_is_held_can_be_asked_for() {
    let (mut scene, gina) = scene();
    for shares in [SHARES + 1, u64::MAX] {
        let request = ix::guardian_request(&scene.market, &gina.key(), shares, 0);
        scene
            .world
            .assert_error_unchanged(&[request], &[&gina], BreakwaterError::InsufficientGuardianShares);
    }
    // Nor anything by one who holds nothing.
    scene
        .world
        .open_guardian_position(&scene.market, &scene.mallory)
        .unwrap();
    let request = ix::guardian_request(&scene.market, &scene.mallory.key(), 1, 0);
    let expected = BreakwaterError::InsufficientGuardianShares;
    scene
        .world
        .assert_error_unchanged(&[request], &[&scene.mallory], expected);
    let back = ix::guardian_request(&scene.market, &scene.mallory.key(), 0, 0);
    let expected = BreakwaterError::NothingRequested;
    scene.world.assert_error_unchanged(&[back], &[&scene.mallory], expected);
    // A share is worth a thousandth of an atom: nothing to be claimed.
    let crumb = ix::guardian_request(&scene.market, &gina.key(), 999, 0);
    let expected = BreakwaterError::ClaimWorthless;
    scene.world.assert_error_unchanged(&[crumb], &[&gina], expected);
}

#[test]
fn shares_and_requests_that_a_settlement_voided_are_gone() {
    let (mut scene, gina) = deficit(World::program_test(), &market_with(quick()), 0, 100 * USDC);
    // There is nothing left even before: what is asked for then stands behind the same loss.
    let request = ix::guardian_request(&scene.market, &gina.key(), 50_000 * USDC, 0);
    scene.world.send(std::slice::from_ref(&request), &[&gina]).unwrap();
    let market = scene.world.market_state(&scene.market);
    assert!(market.books.equity(market.guard.lowest(&market.config)).unwrap() < 0);
    scene.world.settle_deficit(&scene.market).unwrap();
    let expected = BreakwaterError::InsufficientGuardianShares;
    scene.world.assert_error_unchanged(&[request], &[&gina], expected);
    let back = ix::guardian_request(&scene.market, &gina.key(), 0, 0);
    let expected = BreakwaterError::NothingRequested;
    scene.world.assert_error_unchanged(&[back], &[&gina], expected);
}

#[test]
fn it_needs_no_price_at_any_level() {
    let (mut scene, gina) = scene();
    let authority = scene.world.authority().clone();
    scene.world.emergency_halt(&scene.market, &authority, 3_600).unwrap();
    scene.world.guardian_request(&scene.market, &gina, SHARES / 2).unwrap();
    scene.world.advance_silently(30 * 86_400);
    for feed in [scene.market.collateral_feed, scene.market.quote_feed] {
        scene.world.give_lamports(&feed, 0);
    }
    scene.world.guardian_request(&scene.market, &gina, 0).unwrap();
    scene.world.guardian_request(&scene.market, &gina, SHARES / 2).unwrap();
}

//! `close_guardian_position`.

use crate::{
    backing::{backed, deficit, market_with, quick},
    scene::{Scene, USDC},
};
use anchor_lang::{prelude::ErrorCode, solana_program::system_instruction, system_program};
use breakwater::{error::BreakwaterError, events::GuardianPositionClosed, state};
use breakwater_client::addresses;
use breakwater_engine::{GuardianShares, Quote};
use breakwater_testkit::{Actor, MarketSpec, World, ix, program_file::rent_exempt};

/// The scene with a position that was never used.
fn unused() -> (Scene, Actor) {
    backed(World::program_test(), &MarketSpec::default(), 0, 0)
}

#[test]
fn an_empty_position_is_closed_and_its_guardian_gets_the_rent() {
    let (Scene { mut world, market, .. }, gina) = unused();
    let state = world.market_state(&market);
    let address = addresses::guardian_position(&market.market, &gina.key());
    let before = world.existing_account(&gina.key()).lamports;
    // Whatever else was sent to the address is the guardian's as well.
    let mut richer = world.existing_account(&address);
    richer.lamports += 5;
    let lamports = richer.lamports;
    world.set_account(&address, richer);

    let outcome = world.close_guardian_position(&market, &gina).unwrap();

    let event = GuardianPositionClosed {
        market: market.market,
        guardian: gina.key(),
    };
    assert_eq!(outcome.event::<GuardianPositionClosed>(), event);
    assert_eq!(world.account(&address), None);
    assert_eq!(world.existing_account(&gina.key()).lamports, before + lamports);
    assert_eq!(world.market_state(&market), state);
}

#[test]
fn opening_and_closing_costs_nothing() {
    let (Scene { mut world, market, .. }, gina) = unused();
    world.close_guardian_position(&market, &gina).unwrap();
    let before = world.existing_account(&gina.key()).lamports;
    world.open_guardian_position(&market, &gina).unwrap();
    world.close_guardian_position(&market, &gina).unwrap();
    assert_eq!(world.existing_account(&gina.key()).lamports, before);
}

#[test]
fn a_position_with_shares_stays_open() {
    let (Scene { mut world, market, .. }, gina) = backed(
        World::program_test(),
        &market_with(quick()),
        10_000 * USDC,
        1_000 * USDC,
    );
    let config = world.market_state(&market).config;
    let close = [ix::close_guardian_position(&market, &gina.key())];
    let refused = |world: &mut World, shares, unpaid| {
        let guardians = world.market_state(&market).books.guardians;
        let position = world.guardian_position(&market, &gina);
        assert_eq!(position.shares, GuardianShares(shares));
        assert_eq!(position.unpaid(&guardians), Ok(Quote(unpaid)));
        world.assert_error_unchanged(&close, &[&gina], BreakwaterError::AccountNotEmpty);
    };
    let all = 1_000_000 * USDC;
    let claim = 1_000 * USDC;
    refused(&mut world, all, 0);
    // Asked for is not taken out.
    world.guardian_request(&market, &gina, all).unwrap();
    refused(&mut world, 0, claim);
    world.advance(config.guardian_cooldown);
    refused(&mut world, 0, claim);
    world.guardian_withdraw(&market, &gina, claim - 1).unwrap();
    refused(&mut world, 0, 1);
    world.guardian_withdraw(&market, &gina, 1).unwrap();
    world.close_guardian_position(&market, &gina).unwrap();
}

#[test]
fn shares_that_a_settlement_voided_do_not_keep_it_open() {
    let (mut scene, gina) = deficit(World::program_test(), &market_with(quick()), 0, 100 * USDC);
    let close = [ix::close_guardian_position(&scene.market, &gina.key())];
    // Worth nothing already, but not yet void.
    scene
        .world
        .assert_error_unchanged(&close, &[&gina], BreakwaterError::AccountNotEmpty);
    scene.world.settle_deficit(&scene.market).unwrap();
    assert_eq!(
        scene.world.guardian_position(&scene.market, &gina).shares,
        GuardianShares(100_000 * USDC)
    );
    scene.world.send(&close, &[&gina]).unwrap();
}

#[test]
fn a_closed_position_is_gone_for_every_instruction() {
    let (Scene { mut world, market, .. }, gina) = unused();
    world.fund(&gina, &market.quote_mint, USDC);
    let key = gina.key();
    let address = addresses::guardian_position(&market.market, &key);
    let close = ix::close_guardian_position(&market, &key);
    let afterwards = [
        close.clone(),
        ix::guardian_deposit(&market, &key, USDC, 0, 0),
        ix::guardian_request(&market, &key, 0, 0),
        ix::guardian_withdraw(&market, &key, 1, 0),
    ];
    // In the same transaction, also when the address gets lamports again before it ends.
    let revive = system_instruction::transfer(&key, &address, rent_exempt(state::GuardianPosition::SPACE));
    for then in &afterwards {
        let gone = ErrorCode::AccountOwnedByWrongProgram;
        world.assert_error_unchanged(&[close.clone(), then.clone()], &[&gina], gone);
        world.assert_error_unchanged(&[close.clone(), revive.clone(), then.clone()], &[&gina], gone);
    }
    // And in the next ones.
    world.send(&[close, revive], &[&gina]).unwrap();
    let left = world.existing_account(&address);
    assert_eq!((left.owner, left.data.len()), (system_program::ID, 0));
    for then in afterwards {
        world.assert_error_unchanged(&[then], &[&gina], ErrorCode::AccountOwnedByWrongProgram);
    }
}

#[test]
fn a_closed_position_can_be_opened_again() {
    let (mut scene, gina) = deficit(World::program_test(), &market_with(quick()), 0, 100 * USDC);
    scene.world.settle_deficit(&scene.market).unwrap();
    let close = ix::close_guardian_position(&scene.market, &gina.key());
    let open = ix::open_guardian_position(&scene.market, &gina.key());
    scene.world.send(&[close, open], &[&gina]).unwrap();
    let fresh = scene.world.guardian_position(&scene.market, &gina);
    assert_eq!((fresh.shares, fresh.has_request()), (GuardianShares(0), false));
    // It is of the epoch in which it is first used.
    scene.world.guardian_deposit(&scene.market, &gina, USDC).unwrap();
    let used = scene.world.guardian_position(&scene.market, &gina);
    assert_eq!((used.shares, used.epoch), (GuardianShares(1_000 * USDC), 1));
}

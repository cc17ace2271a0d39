//! `open_guardian_position`.

use crate::{
    backing::backed,
    scene::{Scene, USDC, sibling},
};
use anchor_lang::{prelude::Pubkey, solana_program::instruction::error::InstructionError, system_program};
use breakwater::{events::GuardianPositionOpened, state};
use breakwater_client::addresses;
use breakwater_engine::{Bps, GuardianPosition, GuardianShares, Key, Quote};
use breakwater_testkit::{MarketSpec, World, ix, program_file::rent_exempt};

#[test]
fn a_position_begins_empty_and_its_guardian_pays_the_rent() {
    let Scene {
        mut world,
        market,
        mallory,
        ..
    } = Scene::new();
    let market_before = world.market_state(&market);
    let lamports = world.existing_account(&mallory.key()).lamports;

    let outcome = world.open_guardian_position(&market, &mallory).unwrap();

    let event = GuardianPositionOpened {
        market: market.market,
        guardian: mallory.key(),
    };
    assert_eq!(outcome.event::<GuardianPositionOpened>(), event);
    let (address, bump) = Pubkey::find_program_address(
        &[b"guardian_position", market.market.as_ref(), mallory.key().as_ref()],
        &breakwater::ID,
    );
    assert_eq!(address, addresses::guardian_position(&market.market, &mallory.key()));
    let expected = GuardianPosition {
        market: Key(market.market.to_bytes()),
        guardian: Key(mallory.key().to_bytes()),
        shares: GuardianShares::ZERO,
        waiting: Quote::ZERO,
        opens_at: 0,
        epoch: 0,
        bump,
        padding: [0; 7],
        open_shares: GuardianShares::ZERO,
        paid: Quote::ZERO,
        fall: Bps(0),
        release: 0,
        reserved: [0; 5],
    };
    assert_eq!(world.guardian_position(&market, &mallory), expected);
    let account = world.existing_account(&address);
    assert_eq!(
        (account.owner, account.data.len()),
        (breakwater::ID, state::GuardianPosition::SPACE)
    );
    assert_eq!(account.lamports, rent_exempt(state::GuardianPosition::SPACE));
    assert_eq!(
        world.existing_account(&mallory.key()).lamports,
        lamports - account.lamports
    );
    assert_eq!(world.market_state(&market), market_before);
}

#[test]
fn a_guardian_has_one_position_in_each_market() {
    let Scene {
        mut world,
        market,
        mallory,
        ..
    } = Scene::new();
    let sibling = sibling(&mut world);
    world.open_guardian_position(&market, &mallory).unwrap();
    let again = ix::open_guardian_position(&market, &mallory.key());
    // The system program's own error: the address is in use.
    let failure = world.assert_error_unchanged(&[again], &[&mallory], InstructionError::Custom(0));
    assert_eq!(failure.program, Some(system_program::ID));
    world.open_guardian_position(&sibling, &mallory).unwrap();
    assert_eq!(
        world.guardian_position(&sibling, &mallory).market,
        Key(sibling.market.to_bytes())
    );
}

#[test]
fn opening_again_does_not_wipe_shares() {
    let (mut scene, gina) = backed(World::program_test(), &MarketSpec::default(), 0, 1_000 * USDC);
    let again = ix::open_guardian_position(&scene.market, &gina.key());
    let in_use = InstructionError::Custom(0);
    scene.world.assert_error_unchanged(&[again], &[&gina], in_use);
    let position = scene.world.guardian_position(&scene.market, &gina);
    assert_eq!(position.shares, GuardianShares(1_000_000 * USDC));
}

#[test]
fn lamports_sent_to_the_address_in_advance_do_no_harm() {
    let Scene {
        mut world,
        market,
        mallory,
        ..
    } = Scene::new();
    let address = addresses::guardian_position(&market.market, &mallory.key());
    world.give_lamports(&address, 5_000_000_000);
    world.open_guardian_position(&market, &mallory).unwrap();
    assert_eq!(world.existing_account(&address).lamports, 5_000_000_000);
    assert_eq!(world.guardian_position(&market, &mallory).shares, GuardianShares::ZERO);
}

#[test]
fn a_position_needs_no_price() {
    let Scene {
        mut world,
        market,
        mallory,
        ..
    } = Scene::new();
    world.advance_silently(365 * 86_400);
    world.open_guardian_position(&market, &mallory).unwrap();
}

//! `open_keeper_ledger`.

use crate::scene::{Scene, sibling};
use anchor_lang::{prelude::Pubkey, solana_program::instruction::error::InstructionError, system_program};
use breakwater::{events::KeeperLedgerOpened, state};
use breakwater_client::addresses;
use breakwater_engine::{KeeperLedger, Key, Quote};
use breakwater_testkit::{ix, program_file::rent_exempt};

#[test]
fn a_ledger_begins_empty_and_its_keeper_pays_the_rent() {
    let Scene {
        mut world,
        market,
        mallory,
        ..
    } = Scene::new();
    let market_before = world.market_state(&market);
    let lamports = world.existing_account(&mallory.key()).lamports;

    let outcome = world.open_keeper_ledger(&market, &mallory).unwrap();

    let event = KeeperLedgerOpened {
        market: market.market,
        keeper: mallory.key(),
    };
    assert_eq!(outcome.event::<KeeperLedgerOpened>(), event);
    let (address, bump) = Pubkey::find_program_address(
        &[b"keeper_ledger", market.market.as_ref(), mallory.key().as_ref()],
        &breakwater::ID,
    );
    assert_eq!(address, addresses::keeper_ledger(&market.market, &mallory.key()));
    let ledger = world.keeper_ledger(&market, &mallory);
    let expected = KeeperLedger {
        market: Key(market.market.to_bytes()),
        keeper: Key(mallory.key().to_bytes()),
        credit: Quote::ZERO,
        bump,
        padding: [0; 7],
        reserved: [0; 8],
    };
    assert_eq!(ledger, expected);
    let account = world.existing_account(&address);
    assert_eq!(
        (account.owner, account.data.len()),
        (breakwater::ID, state::KeeperLedger::SPACE)
    );
    assert_eq!(account.lamports, rent_exempt(state::KeeperLedger::SPACE));
    assert_eq!(
        world.existing_account(&mallory.key()).lamports,
        lamports - account.lamports
    );
    assert_eq!(world.market_state(&market), market_before);
}

#[test]
fn a_keeper_has_one_ledger_in_each_market() {
    let Scene {
        mut world,
        market,
        kate,
        ..
    } = Scene::new();
    let sibling = sibling(&mut world);
    let again = ix::open_keeper_ledger(&market, &kate.key());
    // The system program's own error: the address is in use.
    let failure = world.assert_error_unchanged(&[again], &[&kate], InstructionError::Custom(0));
    assert_eq!(failure.program, Some(system_program::ID));
    world.open_keeper_ledger(&sibling, &kate).unwrap();
    assert_eq!(
        world.keeper_ledger(&sibling, &kate).market,
        Key(sibling.market.to_bytes())
    );
}

#[test]
fn opening_again_does_not_wipe_a_credit() {
    let mut scene = Scene::new();
    scene.price(80);
    let Scene {
        mut world,
        market,
        kate,
        position,
        ..
    } = scene;
    world.liquidate(&kate, &position).unwrap();
    assert!(world.keeper_ledger(&market, &kate).credit > Quote::ZERO);
    let again = ix::open_keeper_ledger(&market, &kate.key());
    world.assert_error_unchanged(&[again], &[&kate], InstructionError::Custom(0));
}

#[test]
fn lamports_sent_to_the_address_in_advance_do_no_harm() {
    let Scene {
        mut world,
        market,
        mallory,
        ..
    } = Scene::new();
    let address = addresses::keeper_ledger(&market.market, &mallory.key());
    world.give_lamports(&address, 5_000_000_000);
    world.open_keeper_ledger(&market, &mallory).unwrap();
    assert_eq!(world.existing_account(&address).lamports, 5_000_000_000);
    assert_eq!(world.keeper_ledger(&market, &mallory).credit, Quote::ZERO);
}

#[test]
fn a_ledger_needs_no_price() {
    let Scene {
        mut world,
        market,
        mallory,
        ..
    } = Scene::new();
    world.advance_silently(365 * 86_400);
    world.open_keeper_ledger(&market, &mallory).unwrap();
}

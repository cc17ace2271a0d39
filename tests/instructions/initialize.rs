//! `initialize`.

use crate::attack::Attack;
use anchor_lang::{
    AccountDeserialize,
    prelude::{ErrorCode, Pubkey},
    solana_program::instruction::error::InstructionError,
    system_program,
};
use breakwater::{error::BreakwaterError, events::ProtocolInitialized, state::Protocol};
use breakwater_client::addresses;
use breakwater_testkit::{
    World, ix,
    keys::address_for,
    program_file::{rent_exempt, upgradeable_program},
};

fn protocol(world: &mut World) -> Protocol {
    let account = world.existing_account(&addresses::protocol());
    assert_eq!(account.owner, breakwater::ID);
    assert_eq!(account.lamports, rent_exempt(account.data.len()));
    Protocol::try_deserialize(&mut account.data.as_slice()).unwrap()
}

/// Writes into the loader's account who may upgrade the program; nobody makes it final.
fn hand_over_upgrades(world: &mut World, to: Option<&Pubkey>) {
    const FLAG: usize = 12;
    let mut program_data = world.existing_account(&addresses::program_data());
    program_data.data[FLAG] = u8::from(to.is_some());
    if let Some(authority) = to {
        program_data.data[FLAG + 1..FLAG + 33].copy_from_slice(authority.as_ref());
    }
    world.set_account(&addresses::program_data(), program_data);
}

#[test]
fn the_upgrade_authority_becomes_the_protocols_authority() {
    let mut world = World::program_test();
    let authority = world.authority().key();
    let before = world.existing_account(&authority).lamports;

    let outcome = world.initialize().unwrap();

    assert_eq!(
        outcome.event::<ProtocolInitialized>(),
        ProtocolInitialized { authority }
    );
    let state = protocol(&mut world);
    assert_eq!(
        (state.authority, state.emergency_admin, state.sentinel, state.reserved),
        (authority, Pubkey::default(), Pubkey::default(), [0; 19])
    );
    assert_eq!(state.pending_authority, Pubkey::default());
    let (address, bump) = Pubkey::find_program_address(&[b"protocol"], &breakwater::ID);
    assert_eq!((address, bump), (addresses::protocol(), state.bump));
    let rent = world.existing_account(&addresses::protocol()).lamports;
    assert_eq!(world.existing_account(&authority).lamports, before - rent);
}

#[test]
fn it_happens_once() {
    let mut world = World::program_test();
    let (authority, mallory) = (world.authority().clone(), world.actor("mallory"));
    world.initialize().unwrap();
    let again = ix::initialize(&authority.key());
    // The system program's own error: the address is in use.
    let failure = world.assert_error_unchanged(&[again], &[&authority], InstructionError::Custom(0));
    assert_eq!(failure.program, Some(system_program::ID));

    hand_over_upgrades(&mut world, Some(&mallory.key()));
    let later = ix::initialize(&mallory.key());
    world.assert_error_unchanged(&[later], &[&mallory], InstructionError::Custom(0));
    assert_eq!(protocol(&mut world).authority, authority.key());
}

#[test]
fn nobody_else_can_be_first() {
    let mut world = World::program_test();
    let mallory = world.actor("mallory");
    let own_program = address_for("mallory's program");
    let [(own_data, account), _] = upgradeable_program(&own_program, &mallory.key(), b"");
    world.set_account(&own_data, account);

    let honest = ix::initialize(&mallory.key());
    let mut attack = Attack::on(&mut world, honest.clone(), &[&mallory]);
    attack.refused(&honest, BreakwaterError::WrongUpgradeAuthority);
    // Program data that names her as the authority, but is that of another program.
    attack.swap(
        &addresses::program_data(),
        &own_data,
        BreakwaterError::WrongUpgradeAuthority,
    );
    attack.swap_all(
        &[(&addresses::program_data(), &own_data), (&breakwater::ID, &own_program)],
        ErrorCode::InvalidProgramId,
    );
}

#[test]
fn whoever_holds_the_upgrade_authority_by_then_may() {
    let mut world = World::program_test();
    let (first, heir) = (world.authority().clone(), world.actor("heir"));
    hand_over_upgrades(&mut world, Some(&heir.key()));
    let by_first = ix::initialize(&first.key());
    world.assert_error_unchanged(&[by_first], &[&first], BreakwaterError::WrongUpgradeAuthority);
    world.send(&[ix::initialize(&heir.key())], &[&heir]).unwrap();
    assert_eq!(protocol(&mut world).authority, heir.key());
}

#[test]
fn a_program_that_is_final_has_no_authority() {
    let mut world = World::program_test();
    let authority = world.authority().clone();
    hand_over_upgrades(&mut world, None);
    let initialize = ix::initialize(&authority.key());
    world.assert_error_unchanged(&[initialize], &[&authority], BreakwaterError::WrongUpgradeAuthority);
}

#[test]
fn lamports_sent_to_the_address_in_advance_do_no_harm() {
    for lamports in [1, rent_exempt(0), 10_000_000_000] {
        let mut world = World::program_test();
        world.give_lamports(&addresses::protocol(), lamports);
        world.initialize().unwrap();
        let account = world.existing_account(&addresses::protocol());
        assert_eq!(account.lamports, lamports.max(rent_exempt(account.data.len())));
        assert_eq!(account.owner, breakwater::ID);
    }
}

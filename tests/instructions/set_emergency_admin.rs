//! `set_emergency_admin`.

use crate::attack::nowhere;
use anchor_lang::{
    AccountDeserialize,
    prelude::{ErrorCode, Pubkey},
};
use breakwater::{error::BreakwaterError, events::EmergencyAdminSet, state::Protocol};
use breakwater_client::addresses;
use breakwater_testkit::{Actor, World, ix};

fn protocol(world: &mut World) -> Protocol {
    let account = world.existing_account(&addresses::protocol());
    Protocol::try_deserialize(&mut account.data.as_slice()).unwrap()
}

/// A world with an initialized protocol, its authority and somebody else.
fn initialized() -> (World, Actor, Actor) {
    let mut world = World::program_test();
    world.initialize().unwrap();
    let (authority, mallory) = (world.authority().clone(), world.actor("mallory"));
    (world, authority, mallory)
}

#[test]
fn the_authority_names_the_first_emergency_admin() {
    let nobody = Pubkey::default();
    // The last two: the authority itself, and nobody.
    for emergency_admin in [nowhere(), World::lite().authority().key(), nobody] {
        let (mut world, ..) = initialized();
        let before = protocol(&mut world);
        assert_eq!(before.emergency_admin, nobody);
        let outcome = world.set_emergency_admin(&emergency_admin).unwrap();
        assert_eq!(
            outcome.event::<EmergencyAdminSet>(),
            EmergencyAdminSet { emergency_admin }
        );
        let after = protocol(&mut world);
        assert_eq!(after.emergency_admin, emergency_admin);
        let others = |protocol: &Protocol| {
            let Protocol {
                authority,
                bump,
                pending_authority,
                reserved,
                ..
            } = *protocol;
            (authority, bump, pending_authority, reserved)
        };
        assert_eq!(others(&after), others(&before));
    }
}

#[test]
fn another_one_is_named_through_the_queue() {
    let (mut world, authority, mallory) = initialized();
    world.set_emergency_admin(&mallory.key()).unwrap();
    for emergency_admin in [mallory.key(), nowhere(), Pubkey::default()] {
        let at_once = ix::set_emergency_admin(&authority.key(), emergency_admin);
        world.assert_error_unchanged(&[at_once], &[&authority], BreakwaterError::EmergencyAdminByQueue);
    }
    // Once there is nobody, the next one is the first again.
    world.replace_emergency_admin(&Pubkey::default());
    world.set_emergency_admin(&nowhere()).unwrap();
}

#[test]
fn nobody_else_does_not_even_the_guardian() {
    let (mut world, authority, mallory) = initialized();
    world.set_emergency_admin(&mallory.key()).unwrap();
    for emergency_admin in [mallory.key(), authority.key(), Pubkey::default()] {
        let bent = ix::set_emergency_admin(&mallory.key(), emergency_admin);
        world.assert_error_unchanged(&[bent], &[&mallory], BreakwaterError::WrongAuthority);
    }
}

#[test]
fn it_needs_a_protocol() {
    let mut world = World::program_test();
    let authority = world.authority().clone();
    let early = ix::set_emergency_admin(&authority.key(), nowhere());
    world.assert_error_unchanged(&[early], &[&authority], ErrorCode::AccountNotInitialized);
}

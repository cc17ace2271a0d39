//! `set_guardian`.

use crate::attack::nowhere;
use anchor_lang::{
    AccountDeserialize,
    prelude::{ErrorCode, Pubkey},
};
use breakwater::{error::BreakwaterError, events::GuardianSet, state::Protocol};
use breakwater_client::addresses;
use breakwater_testkit::{Actor, World, ix};

fn protocol(world: &mut World) -> Protocol {
    let account = world.existing_account(&addresses::protocol());
    Protocol::try_deserialize(&mut account.data.as_slice()).unwrap()
}

/// A world with an initialized protocol, its authority and somebody else.
fn initialised() -> (World, Actor, Actor) {
    let mut world = World::program_test();
    world.initialize().unwrap();
    let (authority, mallory) = (world.authority().clone(), world.actor("mallory"));
    (world, authority, mallory)
}

#[test]
fn the_authority_names_the_first_guardian() {
    let nobody = Pubkey::default();
    // The last two: the authority itself, and nobody.
    for guardian in [nowhere(), World::lite().authority().key(), nobody] {
        let (mut world, ..) = initialised();
        let before = protocol(&mut world);
        assert_eq!(before.guardian, nobody);
        let outcome = world.set_guardian(&guardian).unwrap();
        assert_eq!(outcome.event::<GuardianSet>(), GuardianSet { guardian });
        let after = protocol(&mut world);
        assert_eq!(after.guardian, guardian);
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
    let (mut world, authority, mallory) = initialised();
    world.set_guardian(&mallory.key()).unwrap();
    for guardian in [mallory.key(), nowhere(), Pubkey::default()] {
        let at_once = ix::set_guardian(&authority.key(), guardian);
        world.assert_error_unchanged(&[at_once], &[&authority], BreakwaterError::GuardianByQueue);
    }
    // Once there is nobody, the next one is the first again.
    world.replace_guardian(&Pubkey::default());
    world.set_guardian(&nowhere()).unwrap();
}

#[test]
fn nobody_else_does_not_even_the_guardian() {
    let (mut world, authority, mallory) = initialised();
    world.set_guardian(&mallory.key()).unwrap();
    for guardian in [mallory.key(), authority.key(), Pubkey::default()] {
        let bent = ix::set_guardian(&mallory.key(), guardian);
        world.assert_error_unchanged(&[bent], &[&mallory], BreakwaterError::WrongAuthority);
    }
}

#[test]
fn it_needs_a_protocol() {
    let mut world = World::program_test();
    let authority = world.authority().clone();
    let early = ix::set_guardian(&authority.key(), nowhere());
    world.assert_error_unchanged(&[early], &[&authority], ErrorCode::AccountNotInitialized);
}

//! Every instruction × every role.

use super::{
    cast::{Cast, Role},
    idl,
    rows::{Row, offices},
    rows_users::users,
};
use crate::{
    attack::{nowhere, unsigned},
    scene::{purse, vaults},
};
use anchor_lang::prelude::{ErrorCode, Pubkey};
use anchor_lang::solana_program::instruction::Instruction;
use breakwater::error::BreakwaterError;
use breakwater_client::addresses;
use breakwater_testkit::{Actor, World, ix};
use std::collections::BTreeSet;

fn all() -> Vec<Row> {
    offices().into_iter().chain(users()).collect()
}

/// The actor signs if one of the instructions asks him to.
fn signers<'a>(instructions: &[Instruction], actor: &'a Actor) -> Vec<&'a Actor> {
    let mut metas = instructions.iter().flat_map(|ix| &ix.accounts);
    let asked = metas.any(|meta| meta.is_signer && meta.pubkey == actor.key());
    if asked { vec![actor] } else { vec![] }
}

#[test]
fn no_instruction_is_forgotten() {
    let listed: BTreeSet<String> = all().iter().map(|row| row.name.to_owned()).collect();
    let program: BTreeSet<String> = idl::instructions().into_keys().collect();
    assert_eq!(listed, program);
}

#[test]
fn every_instruction_asks_for_the_signatures_and_the_writable_accounts_that_the_program_declares() {
    let instructions = idl::instructions();
    let mut cast = Cast::new(World::lite());
    let begun = cast.world.snapshot();
    for row in all() {
        cast.world.restore(&begun);
        let role = row.allowed().unwrap_or(Role::Authority);
        let built = (row.build)(&mut cast, &role.actor());
        let metas = &built.last().unwrap().accounts;
        let slots = &instructions[row.name];
        // A batch has the accounts to liquidate behind those.
        assert!(metas.len() >= slots.len(), "{}", row.title());
        for (meta, slot) in metas.iter().zip(slots) {
            let found = (meta.is_signer, meta.is_writable);
            assert_eq!(found, (slot.signer, slot.writable), "{} of {}", slot.name, row.title());
        }
    }
}

#[test]
fn every_role_may_do_what_is_its_own_and_nothing_else() {
    let mut cast = Cast::new(World::program_test());
    let begun = cast.world.snapshot();
    for row in all() {
        for role in Role::ALL {
            cast.world.restore(&begun);
            let actor = role.actor();
            let instructions = (row.build)(&mut cast, &actor);
            let signers = signers(&instructions, &actor);
            println!("{} by {role:?}: {:?}", row.title(), (row.refused)(role));
            match (row.refused)(role) {
                Some(refusal) => {
                    cast.world.assert_error_unchanged(&instructions, &signers, refusal);
                }
                None => {
                    cast.world.send(&instructions, &signers).unwrap();
                }
            }
        }
    }
}

#[test]
fn an_office_moves_no_token_but_announced_equity() {
    let mut cast = Cast::new(World::lite());
    let begun = cast.world.snapshot();
    for row in offices() {
        for role in Role::ALL {
            cast.world.restore(&begun);
            let actor = role.actor();
            let instructions = (row.build)(&mut cast, &actor);
            let held = |cast: &mut Cast| {
                let purses = Role::ALL.map(|role| purse(&mut cast.world, &cast.market, &role.actor()));
                (vaults(&mut cast.world, &cast.market), purses)
            };
            let before = held(&mut cast);
            let done = cast.world.send(&instructions, &signers(&instructions, &actor)).is_ok();
            assert_eq!(done, (row.refused)(role).is_none());
            let takes_out = done && row.name == "withdraw_equity";
            assert_eq!(held(&mut cast) != before, takes_out, "{} by {role:?}", row.title());
        }
    }
}

#[test]
fn no_office_gets_more_of_what_is_somebodys_than_a_stranger() {
    for row in users() {
        for office in [
            Role::Authority,
            Role::EmergencyAdmin,
            Role::Proposed,
            Role::Former,
            Role::Upgrade,
        ] {
            let (of_office, of_stranger) = ((row.refused)(office), (row.refused)(Role::Stranger));
            assert_eq!(of_office, of_stranger, "{} by {office:?}", row.title());
        }
    }
}

#[test]
fn a_signature_cannot_be_left_out() {
    let mut cast = Cast::new(World::program_test());
    let begun = cast.world.snapshot();
    let mut signed = BTreeSet::new();
    for row in all() {
        let Some(role) = row.allowed() else { continue };
        cast.world.restore(&begun);
        let actor = role.actor();
        let mut before = (row.build)(&mut cast, &actor);
        let mut bent = before.pop().unwrap();
        if signers(std::slice::from_ref(&bent), &actor).is_empty() {
            continue;
        }
        signed.insert(row.name);
        // In a transaction of its own: a signature is good for all of one.
        if !before.is_empty() {
            cast.world.send(&before, &[&actor]).unwrap();
        }
        // Who is owner and payer in one is named twice.
        for meta in bent.accounts.iter_mut().filter(|meta| meta.pubkey == actor.key()) {
            meta.is_signer = false;
        }
        cast.world
            .assert_error_unchanged(&[bent], &[], ErrorCode::AccountNotSigner);
    }
    // All but what nobody signs, and the one that the scene has behind it.
    let rest: Vec<&str> = all()
        .iter()
        .map(|row| row.name)
        .filter(|name| !signed.contains(name))
        .collect();
    assert_eq!(rest, ["initialize", "observe_price", "settle_deficit"]);
    let declared = idl::instructions();
    for name in ["observe_price", "settle_deficit"] {
        assert!(declared[name].iter().all(|slot| !slot.signer), "{name}");
    }
}

#[test]
fn whoever_pays_the_rent_of_an_account_does_not_sign_for_its_owner() {
    let mut cast = Cast::new(World::program_test());
    let (alice, mallory) = (Role::Owner.actor(), Role::Stranger.actor());
    let open = ix::open_account(&cast.market, &alice.key(), &mallory.key(), 9);
    let bent = unsigned(&open, &alice.key());
    cast.world
        .assert_error_unchanged(&[bent], &[&mallory], ErrorCode::AccountNotSigner);
}

#[test]
fn only_the_upgrade_authority_begins() {
    for role in Role::ALL {
        let mut world = World::program_test();
        let actor = world.actor(role.actor().name());
        let begin = ix::initialize(&actor.key());
        if role == Role::Upgrade {
            world.send(&[begin], &[&actor]).unwrap();
            assert_eq!(world.protocol().authority, actor.key());
        } else {
            world.assert_error_unchanged(&[begin], &[&actor], BreakwaterError::WrongUpgradeAuthority);
        }
    }
}

#[test]
fn a_hand_over_needs_both_and_can_be_taken_back() {
    let nobody = Pubkey::default();
    let mut cast = Cast::new(World::program_test());
    let [ada, pia, mallory] = [Role::Authority, Role::Proposed, Role::Stranger].map(Role::actor);
    let accept = ix::accept_authority(&pia.key());
    // Another proposal takes the place of the first, and none takes it back.
    for proposed in [nowhere(), nobody] {
        let propose = ix::propose_authority(&ada.key(), proposed, cast.world.longest_approval());
        cast.world.send(&[propose], &[&ada]).unwrap();
        cast.world
            .assert_error_unchanged(std::slice::from_ref(&accept), &[&pia], BreakwaterError::NotProposed);
    }
    let propose = ix::propose_authority(&ada.key(), pia.key(), cast.world.longest_approval());
    cast.world.send(&[propose], &[&ada]).unwrap();
    // Until it is accepted, everything is as it was.
    assert_eq!(cast.world.protocol().authority, ada.key());
    cast.world.send(std::slice::from_ref(&accept), &[&pia]).unwrap();
    let protocol = cast.world.protocol();
    assert_eq!((protocol.authority, protocol.pending_authority), (pia.key(), nobody));
    // It is accepted once, and who had it before has nothing left.
    cast.world
        .assert_error_unchanged(&[accept], &[&pia], BreakwaterError::NotProposed);
    let back = ix::propose_authority(&ada.key(), ada.key(), cast.world.longest_approval());
    cast.world
        .assert_error_unchanged(&[back], &[&ada], BreakwaterError::WrongAuthority);
    let accept = ix::accept_authority(&mallory.key());
    cast.world
        .assert_error_unchanged(&[accept], &[&mallory], BreakwaterError::NotProposed);
}

#[test]
fn what_is_queued_passes_to_the_next_authority() {
    let mut cast = Cast::new(World::program_test());
    let (ada, pia) = (Role::Authority.actor(), Role::Proposed.actor());
    cast.world.accept_authority(&pia).unwrap();
    let execute = |by: &Actor| [ix::execute_emergency_admin(&by.key(), cast.next_emergency_admin)];
    let (by_ada, by_pia) = (execute(&ada), execute(&pia));
    cast.world
        .assert_error_unchanged(&by_ada, &[&ada], BreakwaterError::WrongAuthority);
    let entry = addresses::queued_change(
        &addresses::protocol(),
        breakwater_engine::governance::EMERGENCY_ADMIN,
        0,
    );
    let (rent, before) = (
        cast.world.existing_account(&entry).lamports,
        cast.world.existing_account(&pia.key()).lamports,
    );
    cast.world.send(&by_pia, &[&pia]).unwrap();
    assert_eq!(cast.world.protocol().emergency_admin, cast.next_emergency_admin);
    // So does its rent.
    assert_eq!(cast.world.existing_account(&pia.key()).lamports, before + rent);
}

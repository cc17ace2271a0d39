//! Other accounts in the place of each that an office's instruction names.

use super::{
    cast::{Cast, Role},
    idl,
    rows::{Row, offices},
};
use crate::attack::{Attack, foreign_copy, nowhere, twin};
use anchor_lang::prelude::{ErrorCode, Pubkey};
use anchor_lang::solana_program::instruction::{Instruction, error::InstructionError};
use breakwater_client::addresses;
use breakwater_testkit::{Actor, World};
use std::collections::BTreeSet;

/// Instructions that have a file of their own. Their accounts are the matrix's alone.
const ELSEWHERE: [&str; 7] = [
    "initialize",
    "create_market",
    "set_emergency_admin",
    "announce_liquidation_ltv",
    "queue_equity_withdrawal",
    "withdraw_equity",
    "emergency_halt",
];

/// Every other way to use an office, by who may.
fn rows() -> Vec<(Row, Role)> {
    let with_role = |row: Row| row.allowed().map(|role| (row, role));
    let here = offices().into_iter().filter(|row| !ELSEWHERE.contains(&row.name));
    here.filter_map(with_role).collect()
}

/// The place of an account by its name in the IDL.
fn place(ix: &Instruction, row: &Row, name: &str) -> Option<(usize, Pubkey)> {
    let slots = &idl::instructions()[row.name];
    let index = slots.iter().position(|slot| slot.name == name)?;
    Some((index, ix.accounts[index].pubkey))
}

/// Builds each on a fresh scene, and attacks it.
fn attack_all(attack_one: impl Fn(&mut Attack, &Row)) -> usize {
    let mut cast = Cast::new(World::program_test());
    let begun = cast.world.snapshot();
    let rows = rows();
    for (row, role) in &rows {
        cast.world.restore(&begun);
        println!("{}", row.title());
        let actor = role.actor();
        let honest = (row.build)(&mut cast, &actor).pop().unwrap();
        let mallory = Role::Stranger.actor();
        let mut attack = Attack::on(&mut cast.world, honest, &[&actor, &mallory]);
        attack_one(&mut attack, row);
        attack.honest_passes();
    }
    rows.len()
}

#[test]
fn all_that_is_new_is_attacked() {
    let attacked: BTreeSet<&str> = rows().iter().map(|(row, _)| row.name).collect();
    let expected = [
        "accept_authority",
        "cancel_change",
        "cancel_equity_withdrawal",
        "cancel_ramp",
        "create_depth_budget",
        "execute_depth_share",
        "execute_emergency_admin",
        "execute_feeds",
        "execute_parameters",
        "execute_sentinel",
        "lower_depth_share",
        "pause",
        "propose_authority",
        "queue_depth_share",
        "queue_emergency_admin",
        "queue_feeds",
        "queue_parameters",
        "queue_sentinel",
        "raise_stress",
        "tighten",
    ];
    assert_eq!(attacked.into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn the_protocol_is_the_one_there_is() {
    let protocol = addresses::protocol();
    attack_all(|attack, row| {
        let (index, _) = place(&attack.honest, row, "protocol").unwrap();
        let foreign = foreign_copy(attack.world, &protocol);
        let double = twin(attack.world, &protocol);
        let market = attack.world.markets()[0].market;
        attack
            .swap_at(index, &foreign, ErrorCode::AccountOwnedByWrongProgram)
            .swap_at(index, &nowhere(), ErrorCode::AccountNotInitialized)
            .swap_at(index, &market, ErrorCode::AccountDiscriminatorMismatch);
        // An entry of the protocol is not an entry of its double: where the entry is made, its address tells first.
        attack.swap_at(index, &double, ErrorCode::ConstraintSeeds);
    });
}

#[test]
fn a_market_an_entry_and_a_budget_are_the_programs() {
    let mut tried = BTreeSet::new();
    for name in ["market", "queued_change", "depth_budget", "old_budget", "new_budget"] {
        attack_all(|attack, row| {
            let Some((index, address)) = place(&attack.honest, row, name) else {
                return;
            };
            // What is made here is not there yet.
            if attack.world.account(&address).is_none() {
                return;
            }
            let foreign = foreign_copy(attack.world, &address);
            attack
                .swap_at(index, &foreign, ErrorCode::AccountOwnedByWrongProgram)
                .swap_at(index, &nowhere(), ErrorCode::AccountOwnedByWrongProgram)
                .swap_at(index, &addresses::protocol(), ErrorCode::AccountDiscriminatorMismatch);
        });
        for (row, _) in rows() {
            if idl::instructions()[row.name].iter().any(|slot| slot.name == name) {
                tried.insert((row.name, name));
            }
        }
    }
    // Twelve name a market, eleven an entry: five of those make it. Three name one depth budget, and one two.
    assert_eq!(tried.len(), 12 + 11 + 5);
}

#[test]
fn an_entry_is_made_at_its_own_address() {
    attack_all(|attack, row| {
        if !row.name.starts_with("queue_") {
            return;
        }
        let (index, _) = place(&attack.honest, row, "queued_change").unwrap();
        let (_, authority) = place(&attack.honest, row, "authority").unwrap();
        let market = attack.world.markets()[0].market;
        // The number of another entry, another kind, another subject.
        let mut others = vec![nowhere(), authority];
        for subject in [market, addresses::protocol(), nowhere()] {
            for kind in 0..5 {
                others.extend([0, 8, 9].map(|id| addresses::queued_change(&subject, kind, id)));
            }
        }
        let own = attack.honest.accounts[index].pubkey;
        for other in others.into_iter().filter(|other| *other != own) {
            attack.swap_at(index, &other, ErrorCode::ConstraintSeeds);
        }
        let (system, _) = place(&attack.honest, row, "system_program").unwrap();
        attack.swap_at(system, &nowhere(), ErrorCode::InvalidProgramId);
    });
}

#[test]
fn what_is_written_is_writable_and_nothing_is_left_out() {
    attack_all(|attack, row| {
        for index in 0..attack.honest.accounts.len() {
            let meta = &attack.honest.accounts[index];
            let named_twice = attack
                .honest
                .accounts
                .iter()
                .filter(|other| other.pubkey == meta.pubkey)
                .count()
                > 1;
            if meta.is_writable && !named_twice {
                let mut bent = attack.honest.clone();
                bent.accounts[index].is_writable = false;
                // Where something is made, the system program writes first.
                if row.name.starts_with("queue_") || row.name.starts_with("create_") {
                    attack.refused(&bent, InstructionError::PrivilegeEscalation);
                } else {
                    attack.refused(&bent, ErrorCode::ConstraintMut);
                }
            }
        }
        attack.too_few_accounts();
        if attack.honest.data.len() > 8 {
            attack.too_few_bytes();
        }
    });
}

#[test]
fn who_signs_is_who_may() {
    attack_all(|attack, row| {
        let names = idl::instructions()[row.name].clone();
        let index = names.iter().position(|slot| slot.signer).unwrap();
        let signer = attack.honest.accounts[index].pubkey;
        let mallory: Actor = Role::Stranger.actor();
        let mut bent = attack.honest.clone();
        bent.accounts[index].pubkey = mallory.key();
        let refusal = (row.refused)(Role::Stranger).unwrap();
        attack.refused(&bent, refusal);
        assert_ne!(signer, mallory.key());
    });
}

//! The world without Breakwater: transfers of SPL Token show that both backends do what the world promises.

use super::World;
use crate::{Actor, BackendKind, MintSpec, TRANSACTION_BYTES, assert_fails_with, mint};
use anchor_lang::{
    prelude::Pubkey,
    solana_program::instruction::{Instruction, error::InstructionError},
};
use anchor_spl::token_2022::spl_token_2022::{self, extension::ExtensionType};
use solana_transaction_error::TransactionError;

const DECIMALS: u8 = 6;

/// A world without Breakwater in it, two actors, and a mint of which the first one holds 1,000 atoms.
fn tokens(backend: BackendKind, spec: &MintSpec) -> (World, Actor, Actor, Pubkey) {
    let mut world = World::on(backend.start(&[]), &Actor::new("upgrade authority"));
    let (alice, bob) = (world.actor("alice"), world.actor("bob"));
    let mint = world.mint(spec);
    world.fund(&alice, &mint, 1_000);
    world.fund(&bob, &mint, 0);
    (world, alice, bob, mint)
}

fn transfer(world: &mut World, from: &Actor, to: &Actor, mint: &Pubkey, amount: u64) -> Instruction {
    let (source, target) = (
        world.token_address(&from.key(), mint),
        world.token_address(&to.key(), mint),
    );
    let token_program = world.existing_account(mint).owner;
    spl_token_2022::instruction::transfer_checked(
        &token_program,
        &source,
        mint,
        &target,
        &from.key(),
        &[],
        amount,
        DECIMALS,
    )
    .unwrap()
}

fn specs() -> [MintSpec; 3] {
    [
        MintSpec::classic("classic", DECIMALS),
        MintSpec::token_2022("plain", DECIMALS, &[]),
        MintSpec::token_2022(
            "extended",
            DECIMALS,
            &[
                ExtensionType::MetadataPointer,
                ExtensionType::TransferFeeConfig,
                ExtensionType::MintCloseAuthority,
            ],
        ),
    ]
}

#[test]
fn the_same_action_can_be_repeated() {
    for backend in BackendKind::ALL {
        for spec in specs() {
            let (mut world, alice, bob, mint) = tokens(backend, &spec);
            for _ in 0..20 {
                let ix = transfer(&mut world, &alice, &bob, &mint, 10);
                let outcome = world.send(&[ix], &[&alice]).unwrap();
                assert!(outcome.transaction_compute_units > 0);
                assert_eq!(outcome.compute_units, 0, "Breakwater was not called");
            }
            assert_eq!(
                (world.balance(&alice, &mint), world.balance(&bob, &mint)),
                (800, 200),
                "{backend:?} {spec:?}"
            );
            assert_eq!(world.supply_of(&mint), 1_000);
        }
    }
}

#[test]
fn a_refused_action_tells_why_and_changes_nothing() {
    for backend in BackendKind::ALL {
        let (mut world, alice, bob, mint) = tokens(backend, &specs()[0]);
        let too_much = transfer(&mut world, &alice, &bob, &mint, 1_001);
        let insufficient = InstructionError::Custom(1);
        let failure = world.assert_error_unchanged(std::slice::from_ref(&too_much), &[&alice], insufficient);
        assert_eq!(failure.program, Some(anchor_spl::token::ID));
        assert_eq!(failure.name, "Custom(1)");
        assert_fails_with(world.send(&[too_much], &[&alice]), "Custom(1)");
    }
}

#[test]
fn a_missing_program_is_a_transaction_error() {
    // LiteSVM has another name for it, so only the bank is asked.
    let mut world = World::on(BackendKind::ProgramTest.start(&[]), &Actor::new("upgrade authority"));
    let call = Instruction::new_with_bytes(breakwater::ID, &[], Vec::new());
    let failure = assert_fails_with(world.send(&[call], &[]), TransactionError::ProgramAccountNotFound);
    assert_eq!(
        (failure.name.as_str(), failure.program),
        ("ProgramAccountNotFound", None)
    );
}

#[test]
#[should_panic(expected = "has changed")]
fn a_change_is_noticed() {
    let (mut world, alice, bob, mint) = tokens(BackendKind::LiteSvm, &specs()[0]);
    let ix = transfer(&mut world, &alice, &bob, &mint, 1);
    world.expect_unchanged(|world| world.send(&[ix], &[&alice])).unwrap();
}

#[test]
#[should_panic(expected = "has changed")]
fn a_change_of_an_account_that_only_the_transaction_names_is_noticed() {
    let (mut world, alice, bob, mint) = tokens(BackendKind::LiteSvm, &specs()[0]);
    // An account that the world was not told of.
    let stranger = Actor::new("stranger");
    let target = world.token_address(&stranger.key(), &mint);
    let of_mint = world.existing_account(&mint);
    world
        .backend
        .set_account(&target, mint::token_account((&mint, &of_mint), &stranger.key(), 0));
    let ixs = [
        transfer(&mut world, &alice, &stranger, &mint, 1),
        transfer(&mut world, &bob, &alice, &mint, 0),
    ];
    world.known.clear();
    world
        .expect_unchanged(|world| world.send(&ixs, &[&alice, &bob]))
        .unwrap();
}

#[test]
#[should_panic(expected = "signers do not match the instructions")]
fn a_missing_signature_is_a_mistake_of_the_test() {
    let (mut world, alice, bob, mint) = tokens(BackendKind::LiteSvm, &specs()[0]);
    let ix = transfer(&mut world, &alice, &bob, &mint, 1);
    let _ = world.send(&[ix], &[&bob]);
}

#[test]
fn lookup_tables_make_transactions_smaller() {
    for backend in BackendKind::ALL {
        let (mut world, alice, bob, mint) = tokens(backend, &specs()[0]);
        let ix = transfer(&mut world, &alice, &bob, &mint, 1);
        let addresses: Vec<Pubkey> = ix.accounts.iter().map(|meta| meta.pubkey).collect();
        let table = world.lookup_table("transfer", &addresses);
        let ixs = [ix];
        let plain = world.transaction_size(&ixs, &[&alice], &[]);
        let outcome = world
            .send_with_tables(&ixs, &[&alice], std::slice::from_ref(&table))
            .unwrap();
        // Three addresses (the fourth signs) become indices; the table itself is named once.
        assert_eq!(outcome.bytes, plain - 3 * 32 + 3 + 32 + 2);
        assert!(plain < TRANSACTION_BYTES);
        assert_eq!(world.balance(&bob, &mint), 1);
    }
}

#[test]
fn time_moves_only_when_told() {
    let mut world = World::on(BackendKind::LiteSvm.start(&[]), &Actor::new("upgrade authority"));
    assert_eq!((world.unix(), world.slot()), (super::START, super::START_SLOT));
    world.advance(60);
    world.next_slot();
    assert_eq!(
        (world.unix(), world.slot()),
        (super::START + 60, super::START_SLOT + 151)
    );
}

#[test]
fn a_world_goes_back_to_where_it_was() {
    for backend in BackendKind::ALL {
        let (mut world, alice, bob, mint) = tokens(backend, &specs()[0]);
        let beginning = world.snapshot();
        let stranger = world.actor("stranger");
        world.fund(&stranger, &mint, 7);
        let ix = transfer(&mut world, &alice, &bob, &mint, 400);
        world.send(&[ix], &[&alice]).unwrap();
        world.advance(60);
        world.restore(&beginning);
        assert_eq!(
            (
                world.balance(&alice, &mint),
                world.balance(&bob, &mint),
                world.supply_of(&mint)
            ),
            (1_000, 0, 1_000)
        );
        assert_eq!((world.unix(), world.slot()), (super::START, super::START_SLOT));
        assert_eq!(world.account(&stranger.key()), None);
        // And it goes on from there.
        let ix = transfer(&mut world, &alice, &bob, &mint, 400);
        world.send(&[ix], &[&alice]).unwrap();
        assert_eq!(world.balance(&bob, &mint), 400);
    }
}

#[test]
fn a_world_tells_what_has_changed() {
    for backend in BackendKind::ALL {
        let (mut world, alice, bob, mint) = tokens(backend, &specs()[0]);
        let nobody = crate::keys::address_for("nobody");
        let beginning = world.snapshot_with([nobody]);
        assert_eq!(beginning.account(&nobody), None);
        let ix = transfer(&mut world, &alice, &bob, &mint, 400);
        world.send(&[ix], &[&alice]).unwrap();
        world.give_lamports(&nobody, 1_000_000);
        let mut moved = [alice, bob]
            .map(|actor| world.token_address(&actor.key(), &mint))
            .to_vec();
        moved.push(nobody);
        moved.sort();
        // The fee payer has paid, and is not told of.
        assert_eq!(world.changed_since(&beginning), moved);
        world.restore(&beginning);
        assert_eq!(world.changed_since(&beginning), []);
    }
}

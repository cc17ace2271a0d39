//! `open_account`.

use crate::{attack::Attack, scene::Scene};
use anchor_lang::{solana_program::instruction::error::InstructionError, system_program};
use breakwater::{events::AccountOpened, state};
use breakwater_engine::{Key, MarginAccount};
use breakwater_testkit::{Position, ix, program_file::rent_exempt};

/// The system program's error for an address that is in use, and for too few lamports.
const IN_USE: InstructionError = InstructionError::Custom(0);
const TOO_FEW_LAMPORTS: InstructionError = InstructionError::Custom(1);

#[test]
fn an_account_is_opened_empty_for_every_number() {
    let Scene {
        mut world,
        market,
        mallory,
        ..
    } = Scene::new();
    let before = world.market_state(&market);
    for id in [0, 1, 255, 256, u16::MAX] {
        let position = Position::new(&market, &mallory, id);
        let open = ix::open_account(&market, &mallory.key(), &mallory.key(), id);
        let lamports = world.existing_account(&mallory.key()).lamports;

        let outcome = world.send(&[open], &[&mallory]).unwrap();

        let event = AccountOpened {
            market: market.market,
            margin_account: position.address,
            owner: mallory.key(),
            id,
        };
        assert_eq!(outcome.event::<AccountOpened>(), event);
        let account = world.existing_account(&position.address);
        assert_eq!(
            (account.owner, account.data.len()),
            (breakwater::ID, state::MarginAccount::SPACE)
        );
        assert_eq!(account.lamports, rent_exempt(state::MarginAccount::SPACE));
        assert_eq!(
            lamports - world.existing_account(&mallory.key()).lamports,
            account.lamports
        );
        let seeds: &[&[u8]] = &[
            b"margin_account",
            market.market.as_ref(),
            &mallory.key().to_bytes(),
            &id.to_le_bytes(),
        ];
        let (_, bump) = anchor_lang::prelude::Pubkey::find_program_address(seeds, &breakwater::ID);
        let (market_key, owner) = (Key(market.market.to_bytes()), Key(mallory.key().to_bytes()));
        let empty = MarginAccount::new(market_key, owner, id, bump);
        assert_eq!(world.margin_account(&position), empty);
        assert_eq!(
            (
                empty.collateral.0,
                empty.debt_shares.0,
                empty.last_risk_slot,
                empty.stepped_until
            ),
            (0, 0, 0, 0)
        );
        assert_eq!(empty.reserved, [0; 11]);
    }
    assert_eq!(world.market_state(&market), before);
}

#[test]
fn anyone_may_pay_the_rent_but_only_the_owner_opens() {
    let Scene {
        mut world,
        market,
        alice,
        mallory,
        ..
    } = Scene::new();
    world.give_lamports(&mallory.key(), 0);
    let before = world.existing_account(&alice.key()).lamports;
    let open = ix::open_account(&market, &mallory.key(), &alice.key(), 3);
    let mut attack = Attack::on(&mut world, open, &[&alice, &mallory]);
    attack.unsigned(&mallory).unsigned(&alice);
    let event = attack.honest_passes().event::<AccountOpened>();
    assert_eq!((event.owner, event.id), (mallory.key(), 3));
    let account = world.margin_account(&Position::new(&market, &mallory, 3));
    assert_eq!(account.owner, Key(mallory.key().to_bytes()));
    let paid = before - world.existing_account(&alice.key()).lamports;
    assert_eq!(paid, rent_exempt(state::MarginAccount::SPACE));
}

#[test]
fn an_open_account_is_not_opened_again() {
    let Scene {
        mut world,
        market,
        alice,
        mallory,
        position,
        ..
    } = Scene::new();
    let again = ix::open_account(&market, &alice.key(), &alice.key(), position.id);
    let failure = world.assert_error_unchanged(&[again], &[&alice], IN_USE);
    assert_eq!(failure.program, Some(system_program::ID));

    // Nor twice in one transaction.
    let open = ix::open_account(&market, &mallory.key(), &mallory.key(), 0);
    world.assert_error_unchanged(&[open.clone(), open.clone()], &[&mallory], IN_USE);
    world.send(&[open], &[&mallory]).unwrap();
}

#[test]
fn lamports_sent_ahead_do_not_block_an_address() {
    let Scene {
        mut world,
        market,
        mallory,
        ..
    } = Scene::new();
    let rent = rent_exempt(state::MarginAccount::SPACE);
    for (id, ahead) in [(0, 1), (1, rent - 1), (2, rent), (3, rent + 1)] {
        let position = Position::new(&market, &mallory, id);
        world.give_lamports(&position.address, ahead);
        world.open(&market, &mallory, id).unwrap();
        assert_eq!(world.existing_account(&position.address).lamports, rent.max(ahead));
    }
}

#[test]
fn who_cannot_pay_opens_nothing() {
    let Scene {
        mut world,
        market,
        mallory,
        ..
    } = Scene::new();
    let rent = rent_exempt(state::MarginAccount::SPACE);
    let open = ix::open_account(&market, &mallory.key(), &mallory.key(), 0);
    world.give_lamports(&mallory.key(), rent - 1);
    let failure = world.assert_error_unchanged(std::slice::from_ref(&open), &[&mallory], TOO_FEW_LAMPORTS);
    assert_eq!(failure.program, Some(system_program::ID));
    world.give_lamports(&mallory.key(), rent);
    world.send(&[open], &[&mallory]).unwrap();
}

//! `close_account`.

use crate::scene::{SOL, Scene, USDC};
use anchor_lang::{prelude::ErrorCode, solana_program::system_instruction};
use breakwater::{error::BreakwaterError, events::AccountClosed, state};
use breakwater_engine::{Collateral, DebtShares};
use breakwater_testkit::{World, ix, program_file::rent_exempt};

/// The scene's account, emptied.
fn emptied() -> Scene {
    let mut scene = Scene::new();
    scene.world.repay(&scene.position, u64::MAX).unwrap();
    scene.world.withdraw_collateral(&scene.position, 100 * SOL).unwrap();
    scene
}

#[test]
fn an_empty_account_is_closed_and_its_owner_gets_the_rent() {
    let Scene {
        mut world,
        market,
        alice,
        position,
        ..
    } = emptied();
    let books = world.market_state(&market);
    let before = world.existing_account(&alice.key()).lamports;
    // Whatever else was sent to the address is the owner's as well.
    let account = world.existing_account(&position.address);
    let lamports = account.lamports + 5;
    let mut richer = account;
    richer.lamports = lamports;
    world.set_account(&position.address, richer);

    let outcome = world.close(&position).unwrap();

    let event = AccountClosed {
        margin_account: position.address,
        owner: alice.key(),
    };
    assert_eq!(outcome.event::<AccountClosed>(), event);
    assert_eq!(world.account(&position.address), None);
    assert_eq!(world.existing_account(&alice.key()).lamports, before + lamports);
    assert_eq!(world.market_state(&market), books);
}

#[test]
fn an_account_that_was_never_used_can_be_closed() {
    let Scene {
        mut world,
        market,
        mallory,
        ..
    } = Scene::new();
    let before = world.existing_account(&mallory.key()).lamports;
    let position = world.open(&market, &mallory, 1).unwrap();
    world.close(&position).unwrap();
    assert_eq!(world.existing_account(&mallory.key()).lamports, before);
}

#[test]
fn an_account_that_holds_or_owes_anything_stays_open() {
    let Scene {
        mut world,
        position,
        alice,
        ..
    } = Scene::new();
    let close = [ix::close_account(&position.address, &alice.key())];
    let refused = |world: &mut World, collateral, debt_shares| {
        let account = world.margin_account(&position);
        assert_eq!(
            (account.collateral, account.debt_shares),
            (Collateral(collateral), DebtShares(debt_shares))
        );
        world.assert_error_unchanged(&close, &[&alice], BreakwaterError::AccountNotEmpty);
    };
    // 1,024 debt shares an atom.
    refused(&mut world, 100 * SOL, 6_500 * USDC * 1_024);
    world.repay(&position, 6_500 * USDC - 1).unwrap();
    refused(&mut world, 100 * SOL, 1_024);
    world.repay(&position, 1).unwrap();
    refused(&mut world, 100 * SOL, 0);
    world.withdraw_collateral(&position, 100 * SOL - 1).unwrap();
    refused(&mut world, 1, 0);
    world.withdraw_collateral(&position, 1).unwrap();
    world.close(&position).unwrap();
}

#[test]
fn debt_without_collateral_keeps_an_account_open() {
    let Scene {
        mut world,
        position,
        alice,
        ..
    } = Scene::new();
    // No action leaves debt without collateral in an account: only writing it does.
    let mut account = world.existing_account(&position.address);
    let collateral = account
        .data
        .windows(8)
        .position(|bytes| bytes == (100 * SOL).to_le_bytes())
        .unwrap();
    account.data[collateral..collateral + 8].fill(0);
    world.set_account(&position.address, account);
    let state = world.margin_account(&position);
    assert_eq!(
        (state.collateral, state.debt_shares.0),
        (Collateral(0), 6_500 * USDC * 1_024)
    );
    let close = ix::close_account(&position.address, &alice.key());
    world.assert_error_unchanged(&[close], &[&alice], BreakwaterError::AccountNotEmpty);
}

#[test]
fn a_closed_account_is_gone_for_every_instruction() {
    let Scene {
        mut world,
        market,
        alice,
        position,
        ..
    } = emptied();
    let (owner, address) = (alice.key(), position.address);
    let close = ix::close_account(&address, &owner);
    let afterwards = [
        close.clone(),
        ix::deposit_collateral(&market, &address, &owner, SOL),
        ix::withdraw_collateral(&market, &address, &owner, SOL),
        ix::borrow(&market, &address, &owner, 10 * USDC),
        ix::repay(&market, &address, &owner, 1),
    ];
    // In the same transaction, also when the address gets lamports again before it ends.
    let revive = system_instruction::transfer(&owner, &address, rent_exempt(state::MarginAccount::SPACE));
    for then in &afterwards {
        let gone = ErrorCode::AccountOwnedByWrongProgram;
        world.assert_error_unchanged(&[close.clone(), then.clone()], &[&alice], gone);
        world.assert_error_unchanged(&[close.clone(), revive.clone(), then.clone()], &[&alice], gone);
    }
    // And in the next ones.
    world.send(&[close, revive], &[&alice]).unwrap();
    let left = world.existing_account(&address);
    assert_eq!((left.owner, left.data.len()), (anchor_lang::system_program::ID, 0));
    for then in afterwards {
        world.assert_error_unchanged(&[then], &[&alice], ErrorCode::AccountOwnedByWrongProgram);
    }
}

#[test]
fn a_closed_account_can_be_opened_again() {
    let Scene {
        mut world,
        market,
        alice,
        position,
        ..
    } = emptied();
    let close = ix::close_account(&position.address, &alice.key());
    let open = ix::open_account(&market, &alice.key(), &alice.key(), position.id);
    let used = world.margin_account(&position);
    assert_ne!(used.last_risk_slot, 0);
    world.send(&[close, open], &[&alice]).unwrap();
    let fresh = world.margin_account(&position);
    assert_eq!(
        (fresh.collateral, fresh.debt_shares, fresh.last_risk_slot),
        (Collateral(0), DebtShares(0), 0)
    );
    assert_eq!((fresh.owner, fresh.bump, fresh.id), (used.owner, used.bump, used.id));
}

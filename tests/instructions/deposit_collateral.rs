//! `deposit_collateral`.

use crate::{
    attack::{donate, levy_transfer_fee},
    risk::place,
    scene::{SOL, Scene, both_token_programs, purse, vaults},
};
use breakwater::{error::BreakwaterError, events::CollateralDeposited};
use breakwater_engine::{Collateral, actions::CollateralChange};
use breakwater_testkit::{World, ix};

#[test]
fn collateral_goes_to_the_vault_and_onto_the_account() {
    for spec in both_token_programs() {
        let Scene {
            mut world,
            market,
            alice,
            position,
            ..
        } = Scene::on(World::program_test(), &spec);
        let (mut expected_market, before) = (world.market_state(&market), world.margin_account(&position));
        let mut expected = before;
        let (purse_before, vaults_before) = (purse(&mut world, &market, &alice), vaults(&mut world, &market));

        let outcome = world.deposit(&position, 7 * SOL + 1).unwrap();

        let change = CollateralChange {
            amount: Collateral(7 * SOL + 1),
            collateral_after: Collateral(107 * SOL + 1),
        };
        let event = CollateralDeposited {
            market: market.market,
            margin_account: position.address,
            depositor: alice.key(),
            change,
        };
        assert_eq!(outcome.event::<CollateralDeposited>(), event);
        expected.collateral = change.collateral_after;
        place(&mut expected_market, &before, &mut expected);
        assert_eq!(world.margin_account(&position), expected);
        assert_eq!(world.market_state(&market), expected_market);
        let (collateral, quote, lp) = purse_before;
        assert_eq!(
            purse(&mut world, &market, &alice),
            (collateral - change.amount.0, quote, lp)
        );
        assert_eq!(
            vaults(&mut world, &market),
            (vaults_before.0 + change.amount.0, vaults_before.1)
        );
    }
}

#[test]
fn anyone_may_rescue_any_account_at_any_time() {
    let Scene {
        mut world,
        market,
        mallory,
        position,
        ..
    } = Scene::new();
    // Without a price, after a day of silence.
    world.advance_silently(86_400);
    world.give_lamports(&market.collateral_feed, 0);
    world.give_lamports(&market.quote_feed, 0);
    let before = purse(&mut world, &market, &mallory);
    let event = world
        .deposit_by(&mallory, &position, SOL)
        .unwrap()
        .event::<CollateralDeposited>();
    assert_eq!(
        (event.depositor, event.margin_account),
        (mallory.key(), position.address)
    );
    assert_eq!(
        purse(&mut world, &market, &mallory),
        (before.0 - SOL, before.1, before.2)
    );
    // That gives no right to it.
    let take = ix::withdraw_collateral(&market, &position.address, &mallory.key(), SOL);
    world.assert_error_unchanged(&[take], &[&mallory], BreakwaterError::WrongOwner);
}

#[test]
fn a_deposit_is_no_risk_and_leaves_the_risk_slot() {
    let Scene {
        mut world, position, ..
    } = Scene::new();
    let before = world.margin_account(&position).last_risk_slot;
    assert_eq!(before, world.slot() - 1);
    world.deposit(&position, 1).unwrap();
    assert_eq!(world.margin_account(&position).last_risk_slot, before);
}

#[test]
fn accounts_of_one_owner_are_apart() {
    let Scene {
        mut world,
        market,
        alice,
        position,
        ..
    } = Scene::new();
    let second = world.open(&market, &alice, 1).unwrap();
    let first_before = world.margin_account(&position);
    world.deposit(&second, 5).unwrap();
    world.deposit(&second, 6).unwrap();
    assert_eq!(world.margin_account(&second).collateral, Collateral(11));
    assert_eq!(world.margin_account(&position), first_before);
}

#[test]
fn amounts_are_checked() {
    let Scene {
        mut world,
        market,
        alice,
        mallory,
        position,
        ..
    } = Scene::new();
    let cases = [
        (0, BreakwaterError::ZeroAmount),
        (u64::MAX, BreakwaterError::Overflow),
        (u64::MAX - 100 * SOL + 1, BreakwaterError::Overflow),
        // The account could hold it, but not the vault beside what it holds for others.
        (u64::MAX - 100 * SOL, BreakwaterError::Overflow),
    ];
    let theirs = world.open(&market, &mallory, 0).unwrap();
    world.deposit(&theirs, 1).unwrap();
    for (amount, error) in cases {
        let deposit = ix::deposit_collateral(&market, &position.address, &alice.key(), amount);
        world.assert_error_unchanged(&[deposit], &[&alice], error);
    }
    world.deposit(&position, 100 * SOL).unwrap();
    assert_eq!(purse(&mut world, &market, &alice).0, 0);
}

#[test]
fn more_than_held_is_refused_by_the_token_program() {
    for spec in both_token_programs() {
        let Scene {
            mut world,
            market,
            alice,
            position,
            ..
        } = Scene::on(World::program_test(), &spec);
        let (held, ..) = purse(&mut world, &market, &alice);
        let deposit = ix::deposit_collateral(&market, &position.address, &alice.key(), held + 1);
        let failure = world.assert_error_unchanged(&[deposit], &[&alice], "Custom(1)");
        assert_eq!(failure.program, Some(spec.collateral.token_program));
    }
}

#[test]
fn less_arriving_than_was_sent_is_refused() {
    let [_, spec] = both_token_programs();
    let Scene {
        mut world,
        market,
        alice,
        position,
        ..
    } = Scene::on(World::program_test(), &spec);
    let holders = [market.collateral_of(&alice.key()), market.collateral_vault];
    levy_transfer_fee(&mut world, &market.collateral_mint, &holders);
    let deposit = ix::deposit_collateral(&market, &position.address, &alice.key(), SOL);
    world.assert_error_unchanged(&[deposit], &[&alice], BreakwaterError::TransferMismatch);
}

#[test]
fn a_donation_to_the_vault_is_nobodys_collateral() {
    let Scene {
        mut world,
        market,
        alice,
        position,
        ..
    } = Scene::new();
    donate(
        &mut world,
        &market.collateral_mint,
        &market.collateral_vault,
        1_000 * SOL,
    );
    let event = world.deposit(&position, SOL).unwrap().event::<CollateralDeposited>();
    assert_eq!(event.change.collateral_after, Collateral(101 * SOL));
    world.repay(&position, u64::MAX).unwrap();
    let too_much = ix::withdraw_collateral(&market, &position.address, &alice.key(), 101 * SOL + 1);
    world.assert_error_unchanged(&[too_much], &[&alice], BreakwaterError::InsufficientCollateral);
}

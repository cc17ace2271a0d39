//! `withdraw_collateral`.

mod prices;

use crate::{
    attack::{freeze, replace_account},
    risk::place,
    scene::{SOL, Scene, USDC, both_token_programs, overgrown, purse, readings, vaults},
};
use breakwater::{error::BreakwaterError, events::CollateralWithdrawn};
use breakwater_engine::{Collateral, actions::CollateralChange, price::oracle::PriceUse};
use breakwater_testkit::{World, ix};

/// Collateral that Alice can take out, atoms: 6,500 at 70% needs 9,285.714286 of value at (100 − 0.1) ÷ 1.001 a SOL.
const FREE: u64 = 6_956_956_954;

#[test]
fn against_debt_the_rest_must_carry_it() {
    for spec in both_token_programs() {
        let Scene {
            mut world,
            market,
            alice,
            position,
            ..
        } = Scene::on(World::program_test(), &spec);
        let (mut expected_market, mut expected) = (world.market_state(&market), world.margin_account(&position));
        let before = expected;
        let (purse_before, vaults_before) = (purse(&mut world, &market, &alice), vaults(&mut world, &market));

        let too_much = ix::withdraw_collateral(&market, &position.address, &alice.key(), FREE + 1);
        world.assert_error_unchanged(&[too_much], &[&alice], BreakwaterError::InitialLtvExceeded);
        let outcome = world.withdraw_collateral(&position, FREE).unwrap();

        let change = CollateralChange {
            amount: Collateral(FREE),
            collateral_after: Collateral(100 * SOL - FREE),
        };
        let event = CollateralWithdrawn {
            market: market.market,
            margin_account: position.address,
            change,
        };
        assert_eq!(outcome.event::<CollateralWithdrawn>(), event);
        (expected.collateral, expected.last_risk_slot) = (change.collateral_after, world.slot());
        place(&mut expected_market, &before, &mut expected);
        assert_eq!(world.margin_account(&position), expected);
        (
            expected_market.oracle.known.newest.collateral.published,
            expected_market.oracle.known.newest.quote.published,
        ) = (world.unix(), world.unix());
        assert_eq!(world.market_state(&market), expected_market);
        let (collateral, quote, lp) = purse_before;
        assert_eq!(purse(&mut world, &market, &alice), (collateral + FREE, quote, lp));
        assert_eq!(vaults(&mut world, &market), (vaults_before.0 - FREE, vaults_before.1));
    }
}

#[test]
fn interest_counts_before_collateral_leaves() {
    let Scene {
        mut world,
        market,
        alice,
        position,
        ..
    } = Scene::new();
    world.advance(30 * 86_400);
    let too_much = ix::withdraw_collateral(&market, &position.address, &alice.key(), FREE);
    world.assert_error_unchanged(&[too_much], &[&alice], BreakwaterError::InitialLtvExceeded);

    let (mut expected_market, mut expected) = (world.market_state(&market), world.margin_account(&position));
    let (clock, readings) = (world.clock(), readings(&world, &market));
    let prices = expected_market
        .accept_prices(&readings, PriceUse::Borrow, clock)
        .unwrap();
    let change = expected_market
        .withdraw_collateral(&mut expected, Collateral(6 * SOL), Some(&prices), clock)
        .unwrap();
    let outcome = world.withdraw_collateral(&position, 6 * SOL).unwrap();
    assert_eq!(outcome.event::<CollateralWithdrawn>().change, change);
    assert_eq!(world.market_state(&market), expected_market);
    assert_eq!(world.margin_account(&position), expected);
    assert!(
        expected_market.books.backstop.cash.0 > 100_000 * USDC,
        "its share of the interest was paid"
    );
}

#[test]
fn amounts_are_checked() {
    let Scene {
        mut world,
        market,
        alice,
        position,
        ..
    } = Scene::new();
    let cases = [
        (0, BreakwaterError::ZeroAmount),
        (100 * SOL, BreakwaterError::InitialLtvExceeded),
        (100 * SOL + 1, BreakwaterError::InsufficientCollateral),
        (u64::MAX, BreakwaterError::InsufficientCollateral),
    ];
    for (amount, error) in cases {
        let withdraw = ix::withdraw_collateral(&market, &position.address, &alice.key(), amount);
        world.assert_error_unchanged(&[withdraw], &[&alice], error);
    }
}

#[test]
fn a_rest_of_debt_below_the_minimum_keeps_collateral_in() {
    let Scene {
        mut world,
        market,
        alice,
        position,
        ..
    } = Scene::new();
    let all = [ix::withdraw_collateral(
        &market,
        &position.address,
        &alice.key(),
        100 * SOL,
    )];
    let atom = [ix::withdraw_collateral(&market, &position.address, &alice.key(), 1)];
    world.repay(&position, 6_490 * USDC).unwrap();
    world.send(&atom, &[&alice]).unwrap();
    world.deposit(&position, 1).unwrap();
    world.repay(&position, 1).unwrap();
    world.assert_error_unchanged(&atom, &[&alice], BreakwaterError::DebtBelowMinimum);
    world.repay(&position, u64::MAX).unwrap();
    world.send(&all, &[&alice]).unwrap();
}

#[test]
fn a_debt_that_fits_no_number_lets_nothing_out() {
    let Scene {
        mut world,
        market,
        alice,
        position,
        ..
    } = overgrown();
    let withdraw = ix::withdraw_collateral(&market, &position.address, &alice.key(), 1);
    world.assert_error_unchanged(&[withdraw], &[&alice], BreakwaterError::Overflow);
}

#[test]
fn steps_of_one_transaction_are_judged_together() {
    let Scene {
        mut world,
        market,
        alice,
        mallory,
        position,
        ..
    } = Scene::new();
    // Collateral that leaves again carries no loan, in whatever order.
    let fresh = world.open(&market, &mallory, 0).unwrap();
    let address = &fresh.address;
    let deposit = ix::deposit_collateral(&market, address, &mallory.key(), 100 * SOL);
    let borrow = ix::borrow(&market, address, &mallory.key(), 6_900 * USDC);
    let take_back = ix::withdraw_collateral(&market, address, &mallory.key(), 2 * SOL);
    let steps = [deposit, borrow, take_back];
    world.assert_error_unchanged(&steps, &[&mallory], BreakwaterError::InitialLtvExceeded);
    // Out against a repayment in the same transaction.
    let repay = ix::repay(&market, &position.address, &alice.key(), u64::MAX);
    let all = ix::withdraw_collateral_without_debt(&market, &position.address, &alice.key(), 100 * SOL);
    let close = ix::close_account(&position.address, &alice.key());
    world.assert_error_unchanged(
        &[all.clone(), repay.clone()],
        &[&alice],
        BreakwaterError::InitialLtvExceeded,
    );
    world.send(&[repay, all, close], &[&alice]).unwrap();
}

#[test]
fn the_collateral_may_go_to_somebody_else() {
    let Scene {
        mut world,
        market,
        alice,
        mallory,
        position,
        ..
    } = Scene::new();
    let (before, ..) = purse(&mut world, &market, &mallory);
    let withdraw = ix::withdraw_collateral(&market, &position.address, &alice.key(), SOL);
    let [own, other] = [&alice, &mallory].map(|actor| market.collateral_of(&actor.key()));
    let gift = replace_account(&withdraw, &own, &other);
    world.send(&[gift], &[&alice]).unwrap();
    assert_eq!(purse(&mut world, &market, &mallory).0, before + SOL);
}

#[test]
fn a_frozen_account_is_not_paid() {
    for spec in both_token_programs() {
        let Scene {
            mut world,
            market,
            alice,
            position,
            ..
        } = Scene::on(World::program_test(), &spec);
        freeze(&mut world, &market.collateral_of(&alice.key()));
        let withdraw = ix::withdraw_collateral(&market, &position.address, &alice.key(), SOL);
        let failure = world.assert_error_unchanged(&[withdraw], &[&alice], "Custom(17)");
        assert_eq!(failure.program, Some(spec.collateral.token_program));
    }
}

//! `borrow`.

pub mod cover;
mod prices;

use crate::{
    attack::{freeze, replace_account},
    risk::place,
    scene::{SOL, Scene, USDC, both_token_programs, overgrown, purse, readings, vaults},
};
use breakwater::{error::BreakwaterError, events::Borrowed};
use breakwater_client::MarketKeys;
use breakwater_engine::{DebtShares, Quote, actions::Borrowing, price::oracle::PriceUse};
use breakwater_testkit::{Actor, Position, World, ix};

/// Largest debt that 100 SOL carry: 70% of 100 × 99.9 ÷ 1.001, as $100 ± 0.1 is divided by $1 ± 0.001.
const CAPACITY: u64 = 6_986_013_986;

/// Debt shares for one quote atom while no interest was ever paid.
const SHARES: u64 = 1_024;

#[test]
fn a_loan_is_paid_out_and_owed() {
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

        let outcome = world.borrow(&position, 400 * USDC).unwrap();

        let borrowing = Borrowing {
            amount: Quote(400 * USDC),
            shares: DebtShares(400 * USDC * SHARES),
            debt_after: Quote(6_900 * USDC),
        };
        let event = Borrowed {
            market: market.market,
            margin_account: position.address,
            borrowing,
        };
        assert_eq!(outcome.event::<Borrowed>(), event);
        (expected.debt_shares, expected.last_risk_slot) = (DebtShares(6_900 * USDC * SHARES), world.slot());
        place(&mut expected_market, &before, &mut expected);
        assert_eq!(world.margin_account(&position), expected);
        expected_market.books.pool.cash.0 -= borrowing.amount.0;
        expected_market.books.pool.debt_shares.0 += borrowing.shares.0;
        assert_eq!(world.market_state(&market), expected_market);
        let (collateral, quote, lp) = purse_before;
        assert_eq!(
            purse(&mut world, &market, &alice),
            (collateral, quote + borrowing.amount.0, lp)
        );
        assert_eq!(
            vaults(&mut world, &market),
            (vaults_before.0, vaults_before.1 - borrowing.amount.0)
        );
    }
}

#[test]
fn the_initial_ltv_is_exact() {
    let Scene {
        mut world,
        market,
        alice,
        position,
        ..
    } = Scene::new();
    let left = CAPACITY - 6_500 * USDC;
    let too_much = ix::borrow(&market, &position.address, &alice.key(), left + 1);
    world.assert_error_unchanged(&[too_much], &[&alice], BreakwaterError::InitialLtvExceeded);
    let borrowing = world.borrow(&position, left).unwrap().event::<Borrowed>().borrowing;
    assert_eq!(borrowing.debt_after, Quote(CAPACITY));
    let atom = ix::borrow(&market, &position.address, &alice.key(), 1);
    world.assert_error_unchanged(&[atom], &[&alice], BreakwaterError::InitialLtvExceeded);
}

#[test]
fn interest_counts_before_more_is_lent() {
    let Scene {
        mut world,
        market,
        alice,
        position,
        ..
    } = Scene::new();
    world.advance(30 * 86_400);
    let too_much = ix::borrow(&market, &position.address, &alice.key(), CAPACITY - 6_500 * USDC);
    world.assert_error_unchanged(&[too_much], &[&alice], BreakwaterError::InitialLtvExceeded);

    let (mut expected_market, mut expected) = (world.market_state(&market), world.margin_account(&position));
    let (clock, readings) = (world.clock(), readings(&world, &market));
    let prices = expected_market
        .accept_prices(&readings, PriceUse::Borrow, clock)
        .unwrap();
    let borrowing = expected_market
        .borrow(&mut expected, Quote(100 * USDC), &prices, clock)
        .unwrap();
    // 6,500 at 1.04% a year for 30 days.
    assert_eq!((borrowing.debt_after.0 - 6_600 * USDC) / 1_000, 5_558);
    assert_eq!(
        world
            .borrow(&position, 100 * USDC)
            .unwrap()
            .event::<Borrowed>()
            .borrowing,
        borrowing
    );
    assert_eq!(world.market_state(&market), expected_market);
    assert_eq!(world.margin_account(&position), expected);
}

/// An account of Mallory's with 1,000 SOL.
fn rich_account(world: &mut World, market: &MarketKeys, mallory: &Actor) -> Position {
    let position = world.open(market, mallory, 0).unwrap();
    world.deposit(&position, 1_000 * SOL).unwrap();
    position
}

#[test]
fn amounts_are_checked() {
    let Scene {
        mut world,
        market,
        lena,
        mallory,
        ..
    } = Scene::new();
    let position = rich_account(&mut world, &market, &mallory);
    // 50 USDC of cash are left.
    world.withdraw(&market, &lena, 993_450 * USDC * 1_000).unwrap();
    let cases = [
        (0, BreakwaterError::ZeroAmount),
        (1, BreakwaterError::DebtBelowMinimum),
        (10 * USDC - 1, BreakwaterError::DebtBelowMinimum),
        (50 * USDC + 1, BreakwaterError::InsufficientLiquidity),
        (u64::MAX, BreakwaterError::InsufficientLiquidity),
    ];
    for (amount, error) in cases {
        let borrow = ix::borrow(&market, &position.address, &mallory.key(), amount);
        world.assert_error_unchanged(&[borrow], &[&mallory], error);
    }
    // The minimum is one of the debt, not of the loan; and all cash can be lent.
    for amount in [10 * USDC, 1, 40 * USDC - 1] {
        world.borrow(&position, amount).unwrap();
    }
    assert_eq!(world.market_state(&market).books.pool.cash, Quote(0));
    let atom = ix::borrow(&market, &position.address, &mallory.key(), 1);
    world.assert_error_unchanged(&[atom], &[&mallory], BreakwaterError::InsufficientLiquidity);
}

#[test]
fn only_the_accounts_own_collateral_counts() {
    let Scene {
        mut world,
        market,
        mallory,
        ..
    } = Scene::new();
    rich_account(&mut world, &market, &mallory);
    let second = world.open(&market, &mallory, 1).unwrap();
    let borrow = [ix::borrow(&market, &second.address, &mallory.key(), 10 * USDC)];
    world.assert_error_unchanged(&borrow, &[&mallory], BreakwaterError::InitialLtvExceeded);
    // One atom of collateral carries nothing, either.
    world.fund(&mallory, &market.collateral_mint, 1);
    world.deposit(&second, 1).unwrap();
    world.assert_error_unchanged(&borrow, &[&mallory], BreakwaterError::InitialLtvExceeded);
}

#[test]
fn a_debt_that_fits_no_number_blocks_the_pool() {
    let Scene {
        mut world,
        market,
        alice,
        position,
        ..
    } = overgrown();
    let borrow = ix::borrow(&market, &position.address, &alice.key(), 1);
    world.assert_error_unchanged(&[borrow], &[&alice], BreakwaterError::Overflow);
}

#[test]
fn a_loan_taken_out_of_borrowed_collateral_is_undone() {
    let Scene {
        mut world,
        market,
        mallory,
        ..
    } = Scene::new();
    let position = world.open(&market, &mallory, 0).unwrap();
    let address = &position.address;
    let deposit = ix::deposit_collateral(&market, address, &mallory.key(), 100 * SOL);
    let borrow = ix::borrow(&market, address, &mallory.key(), 6_900 * USDC);
    let take_back = ix::withdraw_collateral_without_debt(&market, address, &mallory.key(), 100 * SOL);
    let steps = [deposit, borrow, take_back];
    world.assert_error_unchanged(&steps, &[&mallory], BreakwaterError::InitialLtvExceeded);
}

#[test]
fn the_loan_may_go_to_somebody_else() {
    let Scene {
        mut world,
        market,
        alice,
        mallory,
        position,
        ..
    } = Scene::new();
    let (_, before, _) = purse(&mut world, &market, &mallory);
    let borrow = ix::borrow(&market, &position.address, &alice.key(), USDC);
    let gift = replace_account(
        &borrow,
        &market.quote_of(&alice.key()),
        &market.quote_of(&mallory.key()),
    );
    world.send(&[gift], &[&alice]).unwrap();
    assert_eq!(purse(&mut world, &market, &mallory).1, before + USDC);
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
        freeze(&mut world, &market.quote_of(&alice.key()));
        let borrow = ix::borrow(&market, &position.address, &alice.key(), USDC);
        let failure = world.assert_error_unchanged(&[borrow], &[&alice], "Custom(17)");
        assert_eq!(failure.program, Some(spec.quote.token_program));
    }
}

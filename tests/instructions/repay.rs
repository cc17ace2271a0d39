//! `repay`.

use crate::{
    attack::levy_transfer_fee,
    risk::place,
    scene::{SOL, Scene, USDC, both_token_programs, overgrown, purse, vaults},
};
use breakwater::{error::BreakwaterError, events::Repaid};
use breakwater_engine::{DebtShares, Quote, actions::Repayment};
use breakwater_testkit::{World, ix, pyth::usd};

/// Debt shares for one quote atom while no interest was ever paid.
const SHARES: u64 = 1_024;

/// Alice's debt, quote atoms.
const DEBT: u64 = 6_500 * USDC;

const MONTH: u32 = 30 * 86_400;

#[test]
fn a_payment_cancels_debt() {
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

        let outcome = world.repay(&position, 2_500 * USDC).unwrap();

        let repayment = Repayment {
            amount: Quote(2_500 * USDC),
            shares: DebtShares(2_500 * USDC * SHARES),
            debt_after: Quote(4_000 * USDC),
        };
        let event = Repaid {
            market: market.market,
            margin_account: position.address,
            payer: alice.key(),
            repayment,
        };
        assert_eq!(outcome.event::<Repaid>(), event);
        expected.debt_shares.0 -= repayment.shares.0;
        place(&mut expected_market, &before, &mut expected);
        assert_eq!(world.margin_account(&position), expected);
        expected_market.books.pool.cash.0 += repayment.amount.0;
        expected_market.books.pool.debt_shares.0 -= repayment.shares.0;
        assert_eq!(world.market_state(&market), expected_market);
        let (collateral, quote, lp) = purse_before;
        assert_eq!(
            purse(&mut world, &market, &alice),
            (collateral, quote - repayment.amount.0, lp)
        );
        assert_eq!(
            vaults(&mut world, &market),
            (vaults_before.0, vaults_before.1 + repayment.amount.0)
        );
    }
}

#[test]
fn no_more_than_the_debt_is_taken() {
    for amount in [DEBT, DEBT + 1, u64::MAX] {
        let Scene {
            mut world,
            market,
            alice,
            position,
            ..
        } = Scene::new();
        let (_, before, _) = purse(&mut world, &market, &alice);
        let repayment = world.repay(&position, amount).unwrap().event::<Repaid>().repayment;
        let all = Repayment {
            amount: Quote(DEBT),
            shares: DebtShares(DEBT * SHARES),
            debt_after: Quote(0),
        };
        assert_eq!(repayment, all);
        assert_eq!(world.margin_account(&position).debt_shares, DebtShares(0));
        assert_eq!(purse(&mut world, &market, &alice).1, before - DEBT);
        assert_eq!(world.market_state(&market).books.pool.debt_shares, DebtShares(0));
        for nothing_left in [1, u64::MAX] {
            let again = ix::repay(&market, &position.address, &alice.key(), nothing_left);
            world.assert_error_unchanged(&[again], &[&alice], BreakwaterError::NoDebt);
        }
    }
}

#[test]
fn any_rest_may_stay() {
    let Scene {
        mut world, position, ..
    } = Scene::new();
    // Below the minimum debt as well: repaying is never refused.
    for (amount, debt_after) in [
        (1, DEBT - 1),
        (DEBT - 10 * USDC, 10 * USDC - 1),
        (10 * USDC - 2, 1),
        (1, 0),
    ] {
        let repayment = world.repay(&position, amount).unwrap().event::<Repaid>().repayment;
        assert_eq!(
            (repayment.amount, repayment.debt_after),
            (Quote(amount), Quote(debt_after))
        );
        assert_eq!(
            world.margin_account(&position).debt_shares,
            DebtShares(debt_after * SHARES)
        );
    }
}

#[test]
fn interest_is_paid_with_the_debt() {
    let Scene {
        mut world,
        market,
        lena,
        position,
        ..
    } = Scene::new();
    world.advance(MONTH);
    for amount in [1, 7, 1_000 * USDC + 1, u64::MAX] {
        let (mut expected_market, mut expected) = (world.market_state(&market), world.margin_account(&position));
        let repayment = expected_market
            .repay(&mut expected, Quote(amount), world.clock())
            .unwrap();
        assert_eq!(
            world.repay(&position, amount).unwrap().event::<Repaid>().repayment,
            repayment
        );
        assert_eq!(world.margin_account(&position), expected);
        assert_eq!(world.market_state(&market), expected_market);
    }
    // 6,500 at 1.04% a year for 30 days is 5.558539; a fifth of it is the backstop's, the rest the suppliers'.
    let books = world.market_state(&market).books;
    assert_eq!(books.backstop.cash.0 - 100_000 * USDC, 1_111_707);
    let gain = books.pool.cash.0 - 1_000_000 * USDC;
    assert_eq!(gain / 1_000, 4_446);
    let shares = purse(&mut world, &market, &lena).2;
    let before = purse(&mut world, &market, &lena).1;
    world.withdraw(&market, &lena, shares).unwrap();
    let after = purse(&mut world, &market, &lena).1;
    // All of it is there for whoever supplied, but for an atom of which a part is due to the backstop, and a rounding.
    assert_eq!(after - before, 1_000_000 * USDC + gain - 2);
}

#[test]
fn small_payments_never_cancel_more_than_they_pay() {
    let Scene {
        mut world, position, ..
    } = Scene::new();
    world.advance(MONTH);
    let before = world
        .repay(&position, 1)
        .unwrap()
        .event::<Repaid>()
        .repayment
        .debt_after
        .0;
    for paid in 1..=20 {
        let after = world
            .repay(&position, 1)
            .unwrap()
            .event::<Repaid>()
            .repayment
            .debt_after
            .0;
        assert!(before - after <= paid, "{paid} atoms canceled {}", before - after);
    }
}

#[test]
fn anyone_may_repay_for_anyone_at_any_time() {
    let Scene {
        mut world,
        market,
        mallory,
        kate,
        position,
        ..
    } = Scene::new();
    // Without a price, when the account could be liquidated.
    world.advance(60);
    world.set_price(&market.collateral_feed, usd(75), 0);
    let state = world.market_state(&market);
    world.give_lamports(&market.quote_feed, 0);
    let before = purse(&mut world, &market, &mallory);
    let event = world
        .repay_by(&mallory, &position, 1_000 * USDC)
        .unwrap()
        .event::<Repaid>();
    assert_eq!((event.payer, event.margin_account), (mallory.key(), position.address));
    assert_eq!(
        purse(&mut world, &market, &mallory),
        (before.0, before.1 - 1_000 * USDC, before.2)
    );
    assert_eq!(world.market_state(&market).oracle, state.oracle);
    // Saved: 5,500 is less than 80% of 7,500.
    world.publish_all();
    let liquidate = ix::liquidate(&market, &position.address, &kate.key());
    world.assert_error_unchanged(&[liquidate], &[&kate], BreakwaterError::AccountHealthy);
}

#[test]
fn a_loan_repaid_at_once_costs_an_atom_at_most() {
    let Scene {
        mut world,
        market,
        alice,
        position,
        ..
    } = Scene::new();
    world.advance(MONTH);
    let debt = world
        .repay(&position, 1)
        .unwrap()
        .event::<Repaid>()
        .repayment
        .debt_after
        .0;
    for amount in [1, 7, 333_333, 400 * USDC] {
        let borrow = ix::borrow(&market, &position.address, &alice.key(), amount);
        let repay = ix::repay(&market, &position.address, &alice.key(), amount);
        let before = world.margin_account(&position).debt_shares.0;
        let outcome = world.send(&[borrow, repay], &[&alice]).unwrap();
        let after = world.margin_account(&position).debt_shares.0;
        // The loan's shares were rounded up, the payment's down.
        assert_eq!(after - before, 1, "{amount}");
        let debt_after = outcome.event::<Repaid>().repayment.debt_after.0;
        assert!((debt..=debt + 1).contains(&debt_after), "{debt} became {debt_after}");
    }
}

#[test]
fn repaying_is_no_risk_and_leaves_the_risk_slot() {
    let Scene {
        mut world, position, ..
    } = Scene::new();
    let before = world.margin_account(&position).last_risk_slot;
    assert_eq!(before, world.slot() - 1);
    world.repay(&position, 1).unwrap();
    world.repay(&position, u64::MAX).unwrap();
    assert_eq!(world.margin_account(&position).last_risk_slot, before);
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
    let zero = ix::repay(&market, &position.address, &alice.key(), 0);
    world.assert_error_unchanged(&[zero], &[&alice], BreakwaterError::ZeroAmount);
    let debtless = world.open(&market, &mallory, 0).unwrap();
    world.deposit(&debtless, SOL).unwrap();
    for (amount, error) in [
        (0, BreakwaterError::ZeroAmount),
        (1, BreakwaterError::NoDebt),
        (u64::MAX, BreakwaterError::NoDebt),
    ] {
        let repay = ix::repay(&market, &debtless.address, &mallory.key(), amount);
        world.assert_error_unchanged(&[repay], &[&mallory], error);
    }
}

#[test]
fn a_debt_that_fits_no_number_cannot_be_repaid() {
    let Scene {
        mut world,
        market,
        alice,
        position,
        ..
    } = overgrown();
    for amount in [1, u64::MAX] {
        let repay = ix::repay(&market, &position.address, &alice.key(), amount);
        world.assert_error_unchanged(&[repay], &[&alice], BreakwaterError::Overflow);
    }
}

#[test]
fn more_than_held_is_refused_by_the_token_program() {
    for spec in both_token_programs() {
        let Scene {
            mut world,
            market,
            kate,
            position,
            ..
        } = Scene::on(World::program_test(), &spec);
        world.fund(&kate, &market.quote_mint, DEBT - 1);
        for amount in [DEBT, u64::MAX] {
            let repay = ix::repay(&market, &position.address, &kate.key(), amount);
            let failure = world.assert_error_unchanged(&[repay], &[&kate], "Custom(1)");
            assert_eq!(failure.program, Some(spec.quote.token_program));
        }
        world.repay_by(&kate, &position, DEBT - 1).unwrap();
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
    levy_transfer_fee(
        &mut world,
        &market.quote_mint,
        &[market.quote_of(&alice.key()), market.quote_vault],
    );
    let repay = ix::repay(&market, &position.address, &alice.key(), 1_000);
    world.assert_error_unchanged(&[repay], &[&alice], BreakwaterError::TransferMismatch);
}

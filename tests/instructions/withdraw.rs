//! `withdraw`.

use crate::{
    attack::{donate, freeze, replace_account},
    scene::{Scene, USDC, both_token_programs, overgrown, purse, vaults},
};
use anchor_spl::{token, token_2022::spl_token_2022};
use breakwater::{error::BreakwaterError, events::Withdrawn};
use breakwater_engine::{LpShares, Quote, actions::Withdrawal, pool::EXTRA_LP_DECIMALS};
use breakwater_testkit::{World, ix};

/// LP shares for one quote atom while no interest was ever paid.
const SHARES: u64 = 1_000;

const MONTH: u32 = 30 * 86_400;

/// Cash of the scene's pool, not lent, quote atoms.
const CASH: u64 = 993_500 * USDC;

#[test]
fn leaving_burns_the_shares_and_pays_out() {
    for spec in both_token_programs() {
        let Scene {
            mut world,
            market,
            lena,
            ..
        } = Scene::on(World::program_test(), &spec);
        let mut expected = world.market_state(&market);
        let (purse_before, vaults_before) = (purse(&mut world, &market, &lena), vaults(&mut world, &market));
        let lp_before = world.supply_of(&market.lp_mint);

        let outcome = world.withdraw(&market, &lena, 1_234 * USDC * SHARES).unwrap();

        let withdrawal = Withdrawal {
            shares: LpShares(1_234 * USDC * SHARES),
            amount: Quote(1_234 * USDC),
        };
        let event = Withdrawn {
            market: market.market,
            supplier: lena.key(),
            withdrawal,
        };
        assert_eq!(outcome.event::<Withdrawn>(), event);
        expected.books.pool.cash.0 -= withdrawal.amount.0;
        expected.books.pool.lp_supply.0 -= withdrawal.shares.0;
        // In the same second as the scene's first supply.
        expected.outflow.net += (1_234 * USDC).cast_signed();
        assert_eq!(world.market_state(&market), expected);
        let (collateral, quote, lp) = purse_before;
        let purse_after = (collateral, quote + withdrawal.amount.0, lp - withdrawal.shares.0);
        assert_eq!(purse(&mut world, &market, &lena), purse_after);
        assert_eq!(
            vaults(&mut world, &market),
            (vaults_before.0, vaults_before.1 - withdrawal.amount.0)
        );
        assert_eq!(world.supply_of(&market.lp_mint), lp_before - withdrawal.shares.0);
    }
}

#[test]
fn after_interest_shares_pay_more_and_the_limit_is_exact() {
    let Scene {
        mut world,
        market,
        lena,
        ..
    } = Scene::new();
    world.advance(MONTH);
    let mut expected = world.market_state(&market);
    let shares = 1_000 * USDC * SHARES;
    let held = LpShares(1_000_000 * USDC * SHARES);
    let withdrawal = expected
        .withdraw(LpShares(shares), held, Quote(0), world.clock())
        .unwrap();
    // 6,500 at 1.04% a year for 30 days is 5.56; four fifths of it belong to suppliers of 1,000,000.
    assert_eq!(withdrawal.amount.0 - 1_000 * USDC, 4_446);

    let too_much = ix::withdraw(&market, &lena.key(), shares, withdrawal.amount.0 + 1);
    let exactly = ix::withdraw(&market, &lena.key(), shares, withdrawal.amount.0);
    world.assert_error_unchanged(&[too_much], &[&lena], BreakwaterError::SlippageExceeded);
    let outcome = world.send(&[exactly], &[&lena]).unwrap();
    assert_eq!(outcome.event::<Withdrawn>().withdrawal, withdrawal);
    assert_eq!(world.market_state(&market), expected);
}

#[test]
fn all_cash_can_be_withdrawn_and_not_an_atom_more() {
    let Scene {
        mut world,
        market,
        lena,
        position,
        ..
    } = Scene::new();
    let shares_of_cash = CASH * SHARES;
    for shares in [shares_of_cash + SHARES, 1_000_000 * USDC * SHARES] {
        let too_much = ix::withdraw(&market, &lena.key(), shares, 0);
        world.assert_error_unchanged(&[too_much], &[&lena], BreakwaterError::InsufficientLiquidity);
    }
    let withdrawal = world
        .withdraw(&market, &lena, shares_of_cash)
        .unwrap()
        .event::<Withdrawn>()
        .withdrawal;
    assert_eq!(withdrawal.amount, Quote(CASH));
    assert_eq!(world.market_state(&market).books.pool.cash, Quote(0));

    // The rest follows as soon as the debt is repaid.
    let (_, _, left) = purse(&mut world, &market, &lena);
    let rest = ix::withdraw(&market, &lena.key(), left, 0);
    world.assert_error_unchanged(
        std::slice::from_ref(&rest),
        &[&lena],
        BreakwaterError::InsufficientLiquidity,
    );
    world.repay(&position, u64::MAX).unwrap();
    assert_eq!(
        world
            .send(&[rest], &[&lena])
            .unwrap()
            .event::<Withdrawn>()
            .withdrawal
            .amount,
        Quote(6_500 * USDC)
    );
    let pool = world.market_state(&market).books.pool;
    assert_eq!(
        (pool.cash, pool.debt_shares.0, pool.lp_supply),
        (Quote(0), 0, LpShares(0))
    );
    assert_eq!(world.supply_of(&market.lp_mint), 0);
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
    world.supply(&market, &mallory, USDC).unwrap();
    let held = USDC * SHARES;
    let cases = [
        (0, 0, BreakwaterError::ZeroAmount),
        (0, u64::MAX, BreakwaterError::ZeroAmount),
        // Worth less than an atom.
        (1, 0, BreakwaterError::ZeroAmount),
        (SHARES - 1, 0, BreakwaterError::ZeroAmount),
        (SHARES, 2, BreakwaterError::SlippageExceeded),
        (held, USDC + 1, BreakwaterError::SlippageExceeded),
        (held, u64::MAX, BreakwaterError::SlippageExceeded),
        (held + 1, 0, BreakwaterError::InsufficientLpShares),
        (u64::MAX, 0, BreakwaterError::InsufficientLpShares),
    ];
    for (shares, min_amount, error) in cases {
        let withdraw = ix::withdraw(&market, &mallory.key(), shares, min_amount);
        world.assert_error_unchanged(&[withdraw], &[&mallory], error);
    }
    let smallest = ix::withdraw(&market, &mallory.key(), SHARES, 1);
    assert_eq!(
        world
            .send(&[smallest], &[&mallory])
            .unwrap()
            .event::<Withdrawn>()
            .withdrawal
            .amount,
        Quote(1)
    );
    // Nobody's shares but one's own count.
    let of_nobody = ix::withdraw(&market, &mallory.key(), held, 0);
    world.assert_error_unchanged(&[of_nobody], &[&mallory], BreakwaterError::InsufficientLpShares);
    world.withdraw(&market, &lena, SHARES).unwrap();
}

#[test]
fn a_debt_that_fits_no_number_keeps_suppliers_in() {
    let Scene {
        mut world,
        market,
        lena,
        ..
    } = overgrown();
    let withdraw = ix::withdraw(&market, &lena.key(), SHARES, 0);
    world.assert_error_unchanged(&[withdraw], &[&lena], BreakwaterError::Overflow);
}

#[test]
fn shares_are_worth_the_same_in_other_hands() {
    let Scene {
        mut world,
        market,
        lena,
        mallory,
        ..
    } = Scene::new();
    let (from, to) = (market.lp_of(&lena.key()), market.lp_of(&mallory.key()));
    let shares = 10 * USDC * SHARES;
    let give = spl_token_2022::instruction::transfer_checked(
        &token::ID,
        &from,
        &market.lp_mint,
        &to,
        &lena.key(),
        &[],
        shares,
        6 + EXTRA_LP_DECIMALS,
    );
    world.send(&[give.unwrap()], &[&lena]).unwrap();
    let withdrawal = world
        .withdraw(&market, &mallory, shares)
        .unwrap()
        .event::<Withdrawn>()
        .withdrawal;
    assert_eq!(withdrawal.amount, Quote(10 * USDC));
}

#[test]
fn burning_shares_by_hand_takes_nothing_from_others() {
    let Scene {
        mut world,
        market,
        lena,
        mallory,
        ..
    } = Scene::new();
    world.supply(&market, &mallory, 1_000 * USDC).unwrap();
    let (_, _, shares) = purse(&mut world, &market, &mallory);
    let account = market.lp_of(&mallory.key());
    let burn = spl_token_2022::instruction::burn(&token::ID, &account, &market.lp_mint, &mallory.key(), &[], shares);
    world.send(&[burn.unwrap()], &[&mallory]).unwrap();

    // The books still count the burned shares: what they were worth is nobody's, and others get what is theirs.
    assert_eq!(
        world.supply_of(&market.lp_mint) + shares,
        world.market_state(&market).books.pool.lp_supply.0
    );
    let withdrawal = world
        .withdraw(&market, &lena, 500_000 * USDC * SHARES)
        .unwrap()
        .event::<Withdrawn>()
        .withdrawal;
    assert_eq!(withdrawal.amount, Quote(500_000 * USDC));
}

#[test]
fn a_donation_to_the_vault_is_nobodys() {
    let Scene {
        mut world,
        market,
        lena,
        ..
    } = Scene::new();
    donate(&mut world, &market.quote_mint, &market.quote_vault, 5_000_000 * USDC);
    let withdrawal = world
        .withdraw(&market, &lena, USDC * SHARES)
        .unwrap()
        .event::<Withdrawn>()
        .withdrawal;
    assert_eq!(withdrawal.amount, Quote(USDC));
    // Nor can it be withdrawn instead of what is lent.
    let all = ix::withdraw(&market, &lena.key(), 999_999 * USDC * SHARES, 0);
    world.assert_error_unchanged(&[all], &[&lena], BreakwaterError::InsufficientLiquidity);
}

#[test]
fn leaving_needs_no_price() {
    let Scene {
        mut world,
        market,
        lena,
        ..
    } = Scene::new();
    world.advance_silently(MONTH);
    world.give_lamports(&market.collateral_feed, 0);
    world.give_lamports(&market.quote_feed, 0);
    world.withdraw(&market, &lena, USDC * SHARES).unwrap();
}

#[test]
fn the_tokens_may_go_to_somebody_else() {
    let Scene {
        mut world,
        market,
        lena,
        mallory,
        ..
    } = Scene::new();
    let (_, before, _) = purse(&mut world, &market, &mallory);
    let withdraw = ix::withdraw(&market, &lena.key(), USDC * SHARES, 0);
    let gift = replace_account(
        &withdraw,
        &market.quote_of(&lena.key()),
        &market.quote_of(&mallory.key()),
    );
    let event = world.send(&[gift], &[&lena]).unwrap().event::<Withdrawn>();
    assert_eq!(event.supplier, lena.key());
    assert_eq!(purse(&mut world, &market, &mallory).1, before + USDC);
}

#[test]
fn a_frozen_account_is_not_paid() {
    for spec in both_token_programs() {
        let Scene {
            mut world,
            market,
            lena,
            ..
        } = Scene::on(World::program_test(), &spec);
        freeze(&mut world, &market.quote_of(&lena.key()));
        let withdraw = ix::withdraw(&market, &lena.key(), USDC * SHARES, 0);
        let failure = world.assert_error_unchanged(&[withdraw], &[&lena], "Custom(17)");
        assert_eq!(failure.program, Some(spec.quote.token_program));
    }
}

//! `fund_backstop`.

use crate::{
    attack::{donate, levy_transfer_fee},
    backing::BOUNTY_AT_60,
    scene::{Scene, USDC, both_token_programs, overgrown, purse, vaults},
};
use breakwater::{error::BreakwaterError, events::BackstopFunded};
use breakwater_engine::{DebtShares, Quote, actions::Funding};
use breakwater_testkit::{MarketSpec, World, ix};

#[test]
fn funding_moves_the_tokens_and_becomes_cash() {
    for spec in both_token_programs() {
        let Scene {
            mut world,
            market,
            mallory,
            ..
        } = Scene::on(World::program_test(), &spec);
        let mut expected = world.market_state(&market);
        let (purse_before, vaults_before) = (purse(&mut world, &market, &mallory), vaults(&mut world, &market));

        let outcome = world.fund_backstop(&market, &mallory, 2_500 * USDC + 1).unwrap();

        let funding = Funding {
            amount: Quote(2_500 * USDC + 1),
            repaid: Quote(0),
            recovered: Quote(0),
        };
        let event = BackstopFunded {
            market: market.market,
            funder: mallory.key(),
            funding,
        };
        assert_eq!(outcome.event::<BackstopFunded>(), event);
        expected.books.backstop.cash.0 += funding.amount.0;
        expected.books.equity_sources.paid_in += funding.amount.0.cast_signed();
        assert_eq!(world.market_state(&market), expected);
        let (collateral, quote, lp) = purse_before;
        assert_eq!(
            purse(&mut world, &market, &mallory),
            (collateral, quote - funding.amount.0, lp)
        );
        assert_eq!(
            vaults(&mut world, &market),
            (vaults_before.0, vaults_before.1 + funding.amount.0)
        );
    }
}

/// A backstop without cash that has taken over an insolvent account: it owes the pool all of it.
fn indebted_backstop() -> (Scene, u64) {
    let mut scene = Scene::funded(World::program_test(), &MarketSpec::default(), 1_000_000 * USDC, 0);
    scene.price(60);
    scene.world.liquidate(&scene.kate, &scene.position).unwrap();
    let books = scene.world.market_state(&scene.market).books;
    let debt = books.pool.index.debt(books.backstop.debt_shares).unwrap().0;
    // What Alice owed, and a minute's interest on it. The keeper's bounty is owed by the backstop alone.
    assert!((6_500 * USDC..6_500 * USDC + 300).contains(&debt), "{debt}");
    assert_eq!(books.backstop.unfunded_credits, Quote(BOUNTY_AT_60));
    assert_eq!(books.backstop.cash, Quote(0));
    (scene, debt)
}

#[test]
fn keepers_credits_are_funded_first_and_then_debt_to_the_pool_is_repaid() {
    let (
        Scene {
            mut world,
            market,
            mallory,
            ..
        },
        debt,
    ) = indebted_backstop();
    let before = world.market_state(&market).books;
    let fund = |world: &mut World, amount| {
        let funding = world
            .fund_backstop(&market, &mallory, amount)
            .unwrap()
            .event::<BackstopFunded>()
            .funding;
        assert_eq!(funding.amount, Quote(amount));
        let books = world.market_state(&market).books;
        (funding.repaid.0, books.pool.cash.0 - before.pool.cash.0, books.backstop)
    };

    // Less than the bounty: all of it is the keeper's.
    let (repaid, to_pool, backstop) = fund(&mut world, 5 * USDC);
    assert_eq!((repaid, to_pool, backstop.cash), (0, 0, Quote(0)));
    let credits = (backstop.funded_credits.0, backstop.unfunded_credits.0);
    assert_eq!(credits, (5 * USDC, BOUNTY_AT_60 - 5 * USDC));
    let (repaid, to_pool, backstop) = fund(&mut world, 995 * USDC + BOUNTY_AT_60);
    assert_eq!((repaid, to_pool, backstop.cash), (1_000 * USDC, 1_000 * USDC, Quote(0)));
    let credits = (backstop.funded_credits.0, backstop.unfunded_credits.0);
    assert_eq!(credits, (BOUNTY_AT_60, 0));
    // 1,024 shares an atom, and the interest of a minute on top.
    let canceled = before.backstop.debt_shares.0 - backstop.debt_shares.0;
    assert!(
        (1_023_999_900_000..=1_024_000_000_000).contains(&canceled),
        "{canceled}"
    );

    // All but one atom: shares are rounded down, in favor of the pool, so that atom stays owed.
    let (repaid, to_pool, backstop) = fund(&mut world, debt - 1_000 * USDC - 1);
    assert_eq!(
        (repaid, to_pool, backstop.cash),
        (debt - 1_000 * USDC - 1, debt - 1, Quote(0))
    );
    assert!(
        (1..=2_048).contains(&backstop.debt_shares.0),
        "{:?}",
        backstop.debt_shares
    );

    // The last atom, and the rest is cash.
    let (repaid, to_pool, backstop) = fund(&mut world, 777);
    assert!((1..=2).contains(&repaid), "{repaid}");
    assert_eq!((to_pool, backstop.cash), (debt - 1 + repaid, Quote(777 - repaid)));
    assert_eq!(backstop.debt_shares, DebtShares(0));
}

#[test]
fn interest_is_accrued_before_debt_is_repaid() {
    let (
        Scene {
            mut world,
            market,
            mallory,
            ..
        },
        debt,
    ) = indebted_backstop();
    world.advance(365 * 86_400);
    let mut expected = world.market_state(&market);
    let funding = expected.fund_backstop(Quote(20_000 * USDC), world.clock()).unwrap();
    // About 1% a year on 6,500, of which a fifth is the backstop's own income.
    let interest = funding.repaid.0 - debt;
    assert!((50 * USDC..60 * USDC).contains(&interest), "{interest}");
    let outcome = world.fund_backstop(&market, &mallory, 20_000 * USDC).unwrap();
    assert_eq!(outcome.event::<BackstopFunded>().funding, funding);
    assert_eq!(world.market_state(&market), expected);
    let cash = 20_000 * USDC - BOUNTY_AT_60 - funding.repaid.0;
    assert_eq!(expected.books.backstop.cash, Quote(cash));
}

#[test]
fn the_smallest_and_the_whole_balance_can_be_given() {
    let Scene {
        mut world,
        market,
        mallory,
        ..
    } = Scene::new();
    for amount in [1, 1_000_000 * USDC - 1] {
        let event = world
            .fund_backstop(&market, &mallory, amount)
            .unwrap()
            .event::<BackstopFunded>();
        assert_eq!(
            event.funding,
            Funding {
                amount: Quote(amount),
                repaid: Quote(0),
                recovered: Quote(0),
            }
        );
    }
    assert_eq!(purse(&mut world, &market, &mallory).1, 0);
    assert_eq!(world.market_state(&market).books.backstop.cash, Quote(1_100_000 * USDC));
}

#[test]
fn amounts_are_checked() {
    for spec in both_token_programs() {
        let Scene {
            mut world,
            market,
            mallory,
            ..
        } = Scene::on(World::program_test(), &spec);
        let fund = |amount| ix::fund_backstop(&market, &mallory.key(), amount);
        world.assert_error_unchanged(&[fund(0)], &[&mallory], BreakwaterError::ZeroAmount);
        world.assert_error_unchanged(&[fund(u64::MAX)], &[&mallory], BreakwaterError::Overflow);
        let failure = world.assert_error_unchanged(&[fund(1_000_000 * USDC + 1)], &[&mallory], "Custom(1)");
        assert_eq!(failure.program, Some(spec.quote.token_program));
    }
}

#[test]
fn an_amount_that_only_the_vault_cannot_count_is_refused() {
    let mut world = World::program_test();
    let market = world.market(&MarketSpec::default());
    let mallory = world.trader(&market, "mallory", 0, 10);
    // The books are empty, so the backstop could count all atoms there are; with a donated one the vault cannot.
    let fund = ix::fund_backstop(&market, &mallory.key(), u64::MAX);
    world.assert_error_unchanged(std::slice::from_ref(&fund), &[&mallory], "Custom(1)");
    donate(&mut world, &market.quote_mint, &market.quote_vault, 1);
    world.assert_error_unchanged(&[fund], &[&mallory], BreakwaterError::Overflow);
}

#[test]
fn debt_that_no_number_can_hold_stops_it() {
    let Scene {
        mut world,
        market,
        mallory,
        ..
    } = overgrown();
    let fund = ix::fund_backstop(&market, &mallory.key(), USDC);
    world.assert_error_unchanged(&[fund], &[&mallory], BreakwaterError::Overflow);
}

#[test]
fn a_donation_to_the_vault_is_not_funding() {
    let Scene {
        mut world,
        market,
        mallory,
        ..
    } = Scene::new();
    donate(&mut world, &market.quote_mint, &market.quote_vault, 50_000 * USDC);
    world.fund_backstop(&market, &mallory, USDC).unwrap();
    assert_eq!(world.market_state(&market).books.backstop.cash, Quote(100_001 * USDC));
}

#[test]
fn funding_needs_no_price() {
    let Scene {
        mut world,
        market,
        mallory,
        ..
    } = Scene::new();
    world.advance_silently(30 * 86_400);
    world.give_lamports(&market.collateral_feed, 0);
    world.give_lamports(&market.quote_feed, 0);
    world.fund_backstop(&market, &mallory, USDC).unwrap();
}

#[test]
fn less_arriving_than_was_sent_is_refused() {
    let [_, spec] = both_token_programs();
    let Scene {
        mut world,
        market,
        mallory,
        ..
    } = Scene::on(World::program_test(), &spec);
    levy_transfer_fee(
        &mut world,
        &market.quote_mint,
        &[market.quote_of(&mallory.key()), market.quote_vault],
    );
    let fund = ix::fund_backstop(&market, &mallory.key(), 1_000);
    world.assert_error_unchanged(&[fund], &[&mallory], BreakwaterError::TransferMismatch);
}

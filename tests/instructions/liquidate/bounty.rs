//! The keeper's bounty, and who pays it.

use super::{no_interest, with};
use crate::scene::{SOL, Scene, USDC};
use breakwater::error::BreakwaterError;
use breakwater_engine::{Bps, Config, Quote};
use breakwater_testkit::{ix, pyth::usd};

const TIP: u64 = 50_000;

#[test]
fn it_is_a_tip_and_a_share_of_what_was_repaid() {
    let mut scene = Scene::new();
    scene.price(80);
    let liquidation = scene.liquidated();
    assert_eq!(liquidation.bounty.0, TIP + liquidation.repaid.0 * 25 / 10_000);
}

#[test]
fn of_a_partial_liquidation_it_is_at_most_half_the_penalty() {
    let mut scene = Scene::new();
    // 11 on 0.16 SOL, barely beyond 80%: half of 1% is less than the tip and the share.
    scene.mallory_borrows(160_000_000, 11 * USDC);
    scene.crash(85_5000_0000);
    let liquidation = scene.liquidated();
    assert_eq!(liquidation.penalty, Bps(100));
    let half = liquidation.repaid.0 / 200;
    assert!(half < TIP + liquidation.repaid.0 * 25 / 10_000);
    assert_eq!(liquidation.bounty, Quote(half));
}

#[test]
fn it_is_capped() {
    let config = Config {
        bounty_cap: Quote(1_000_000),
        ..no_interest()
    };
    for dollars in [80, 60] {
        let mut scene = with(config, 100_000 * USDC);
        scene.price(dollars);
        assert_eq!(scene.liquidated().bounty, Quote(1_000_000));
    }
}

#[test]
fn of_a_takeover_it_is_a_tip_and_a_share_of_what_the_collateral_pays_whatever_the_margin() {
    // 95.6%, 98.5%, 100.02%, 108%, 650%: with margin, with hardly any, and without.
    for (price, margin) in [
        (usd(68), true),
        (usd(66), true),
        (6_498_000_000, false),
        (usd(60), false),
        (usd(10), false),
    ] {
        let mut scene = with(no_interest(), 100_000 * USDC);
        scene.crash(price);
        let (debt, value) = (scene.judged().debt, scene.judged().settled_value());
        let liquidation = scene.liquidated();
        assert!(liquidation.taken_over);
        let paid = u64::try_from(debt.min(value)).unwrap();
        assert_eq!(liquidation.bounty.0, TIP + paid * 25 / 10_000, "{price}");
        assert_eq!(liquidation.deficit == Quote(0), margin);
    }
}

#[test]
fn for_crumbs_it_is_a_tip_too_and_the_backstop_pays_it() {
    for left in [10 * USDC, 10 * USDC - 1, 1] {
        let mut scene = with(no_interest(), 100_000 * USDC);
        scene.world.repay(&scene.position, 6_500 * USDC - left).unwrap();
        scene.crash(1);
        let liquidation = scene.liquidated();
        assert!(liquidation.taken_over);
        assert_eq!((liquidation.repaid, liquidation.bounty), (Quote(left), Quote(TIP)));
    }
}

#[test]
fn it_comes_out_of_cash_and_is_owed_for_the_rest() {
    // What is left of the cash after the debt was paid: more than the bounty, some of it, nothing.
    for left in [50 * USDC, 2 * USDC, 1, 0] {
        let mut scene = with(no_interest(), 1);
        scene.price(80);
        let state = scene.world.market_state(&scene.market);
        let expected = scene.judged().expected(&state.config);
        let cash = state.books_at(scene.world.clock()).unwrap().backstop.cash.0;
        scene
            .world
            .fund_backstop(&scene.market, &scene.lena, expected.repay + left - cash)
            .unwrap();

        let liquidation = scene.liquidated();

        assert_eq!(liquidation.bounty.0, expected.bounty);
        let books = scene.world.market_state(&scene.market).books;
        let backstop = books.backstop;
        assert_eq!(backstop.cash.0, left.saturating_sub(expected.bounty));
        assert_eq!(backstop.funded_credits.0, left.min(expected.bounty));
        assert_eq!(backstop.unfunded_credits.0, expected.bounty.saturating_sub(left));
        // The pool lends nothing for it.
        assert_eq!(backstop.debt_shares.0, 0);
    }
}

#[test]
fn it_is_owed_when_nobody_has_cash_and_paid_by_the_first_that_comes() {
    let mut scene = with(no_interest(), 1_000 * USDC);
    scene.price(80);
    let first = scene.liquidated().bounty.0;
    scene.price(74);
    scene.drain_pool();
    let second = scene.liquidated().bounty.0;
    assert!(second > 1_000_000);
    let (market, kate) = (scene.market, scene.kate.clone());
    let credit = |scene: &mut Scene| scene.world.keeper_ledger(&market, &kate).credit.0;
    assert_eq!(credit(&mut scene), first + second);
    let claim = ix::claim_bounty(&market, &kate.key());
    scene
        .world
        .assert_error_unchanged(std::slice::from_ref(&claim), &[&kate], BreakwaterError::CreditsUnfunded);
    // What comes in pays keepers before the pool, and as much as there is.
    for given in [1, first + second - 2] {
        scene.world.fund_backstop(&market, &scene.lena, given).unwrap();
        scene.world.claim_bounty(&market, &kate).unwrap();
        assert_eq!(scene.world.market_state(&market).books.pool.cash, Quote(0));
    }
    assert_eq!(credit(&mut scene), 1);
    assert_eq!(scene.world.balance(&kate, &market.quote_mint), first + second - 1);
    scene
        .world
        .assert_error_unchanged(&[claim], &[&kate], BreakwaterError::CreditsUnfunded);
    scene.world.fund_backstop(&market, &scene.lena, 2).unwrap();
    assert_eq!(scene.world.market_state(&market).books.pool.cash, Quote(1));
    scene.world.claim_bounty(&market, &kate).unwrap();
    assert_eq!(credit(&mut scene), 0);
}

#[test]
fn nobody_gains_by_liquidating_himself() {
    for cents in [81_24, 78_00, 74_00, 68_50, 68_00, 64_00] {
        let mut scene = Scene::new();
        scene.world.open_keeper_ledger(&scene.market, &scene.alice).unwrap();
        scene.crash(cents * 1_000_000);
        let before = scene.judged();
        let worth = |collateral: u128| (collateral * before.high) >> 64;
        scene.kate = scene.alice.clone();
        let liquidation = scene.liquidated();
        let (taken, given) = (
            worth(u128::from(liquidation.seized.0)),
            liquidation.repaid.0 + liquidation.bounty.0,
        );
        let lost = taken.checked_sub(u128::from(given));
        if liquidation.taken_over {
            // All of the margin is lost; the bounty is more than that only where it was less than the bounty.
            let margin = before.settled_value().saturating_sub(before.debt);
            let bounty = u128::from(liquidation.bounty.0);
            assert!(
                lost.is_some_and(|lost| lost + bounty + 2 >= margin) || margin < bounty,
                "{liquidation:?}"
            );
        } else {
            let half = u128::from(liquidation.repaid.0) * u128::from(liquidation.penalty.0) / 20_000;
            assert!(lost.is_some_and(|lost| lost + 2 >= half), "{lost:?} {liquidation:?}");
        }
    }
}

#[test]
fn every_liquidation_adds_to_the_ledger() {
    let mut scene = Scene::new();
    scene.world.deposit(&scene.position, 10 * SOL).unwrap();
    let mut owed = 0;
    for dollars in [72, 67, 62] {
        scene.crash(usd(dollars));
        owed += scene.liquidated().bounty.0;
        assert_eq!(
            scene.world.keeper_ledger(&scene.market, &scene.kate).credit,
            Quote(owed)
        );
    }
}

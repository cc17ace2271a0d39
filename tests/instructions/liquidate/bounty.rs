//! What the keeper earns, and who pays it.

use super::{no_interest, with};
use crate::scene::{SOL, Scene, USDC};
use breakwater_engine::{Bps, Quote, actions::Liquidation};
use breakwater_testkit::{default_config, pyth::usd};

const TIP: u64 = 100_000;

/// What the formula grants, whoever pays it.
fn earned(liquidation: &Liquidation) -> u64 {
    liquidation.bounty.0 + liquidation.bounty_unpaid.0
}

#[test]
fn it_is_a_tip_and_a_share_of_what_was_repaid() {
    let mut scene = Scene::new();
    scene.price(80);
    let liquidation = scene.liquidated();
    assert_eq!(earned(&liquidation), TIP + liquidation.repaid.0 * 25 / 10_000);
}

#[test]
fn it_is_at_most_half_the_penalty() {
    let mut scene = Scene::new();
    // 11 on 0.16 SOL, barely beyond 80%: half of 2.13% is less than the tip and the share.
    scene.mallory_borrows(160_000_000, 11 * USDC);
    scene.crash(85_5000_0000);
    let liquidation = scene.liquidated();
    let half = liquidation.repaid.0 * u64::from(liquidation.penalty.0) / 20_000;
    assert!(half < TIP + liquidation.repaid.0 * 25 / 10_000);
    assert_eq!(liquidation.bounty, Quote(half));
}

#[test]
fn no_penalty_no_bounty() {
    let mut config = default_config();
    (config.penalty_min, config.penalty_max) = (Bps(0), Bps(0));
    let mut scene = with(config, 100_000 * USDC);
    scene.price(75);
    let liquidation = scene.liquidated();
    assert_eq!((liquidation.bounty, liquidation.bounty_unpaid), (Quote(0), Quote(0)));
    assert!(liquidation.repaid > Quote(0));
}

#[test]
fn for_an_insolvent_account_it_is_the_tip() {
    for dollars in [70, 60] {
        let mut scene = Scene::new();
        scene.price(dollars);
        assert_eq!(scene.liquidated().bounty, Quote(TIP));
    }
}

#[test]
fn for_an_insolvent_account_below_the_minimum_debt_it_is_nothing() {
    for (left, bounty) in [(10 * USDC, TIP), (10 * USDC - 1, 0), (1, 0)] {
        let mut scene = with(no_interest(), 100_000 * USDC);
        scene.world.repay(&scene.position, 6_500 * USDC - left).unwrap();
        scene.crash(1);
        let liquidation = scene.liquidated();
        assert!(liquidation.insolvent);
        assert_eq!((liquidation.repaid, liquidation.bounty), (Quote(left), Quote(bounty)));
        assert_eq!(liquidation.bounty_unpaid, Quote(0));
    }
}

#[test]
fn it_comes_out_of_cash_then_the_pool() {
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

        assert_eq!(
            (liquidation.bounty.0, liquidation.bounty_unpaid),
            (expected.bounty, Quote(0))
        );
        let books = scene.world.market_state(&scene.market).books;
        assert_eq!(books.backstop.cash.0, left.saturating_sub(expected.bounty));
        let debt = books.pool.index.debt(books.backstop.debt_shares).unwrap().0;
        assert_eq!(debt, expected.bounty.saturating_sub(left));
        assert_eq!(books.backstop.keeper_credits.0, expected.bounty);
    }
}

#[test]
fn it_is_not_owed_when_neither_has_cash() {
    // Lena leaves with all but this much of the pool's cash before the second liquidation.
    for left in [0, 1, 1_000_000] {
        let mut scene = with(no_interest(), 1_000 * USDC);
        scene.price(80);
        let first = scene.liquidated().bounty.0;
        scene.price(74);
        scene.drain_pool();
        if left > 0 {
            scene.world.supply(&scene.market, &scene.mallory, left).unwrap();
        }
        let books = scene.world.market_state(&scene.market).books;
        assert_eq!((books.backstop.cash, books.pool.cash), (Quote(0), Quote(left)));

        let liquidation = scene.liquidated();

        assert!(earned(&liquidation) > 1_000_000);
        assert_eq!(liquidation.bounty, Quote(left));
        assert_eq!(
            scene.world.keeper_ledger(&scene.market, &scene.kate).credit,
            Quote(first + left)
        );
        assert_eq!(scene.world.market_state(&scene.market).books.pool.cash, Quote(0));
    }
}

#[test]
fn nobody_gains_by_liquidating_himself() {
    for cents in [81_24, 78_00, 74_00, 70_70, 70_00] {
        let mut scene = Scene::new();
        scene.world.open_keeper_ledger(&scene.market, &scene.alice).unwrap();
        scene.crash(cents * 1_000_000);
        let before = scene.judged();
        let worth = |collateral: u128| (collateral * before.price) >> 64;
        scene.kate = scene.alice.clone();
        let liquidation = scene.liquidated();
        let (taken, given) = (
            worth(u128::from(liquidation.seized.0)),
            liquidation.repaid.0 + liquidation.bounty.0,
        );
        let lost = taken.checked_sub(u128::from(given));
        if liquidation.insolvent {
            // The tip is worth more than the penalty only where nothing was left to lose.
            assert!(lost.is_some() || liquidation.penalty == Bps(0), "{liquidation:?}");
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

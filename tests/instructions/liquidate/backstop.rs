//! Cash that the backstop pays, debt that it assumes, and when it begins to sell.

use super::{formula::prices, no_interest, with};
use crate::scene::{SOL, Scene, USDC};
use breakwater_engine::{Auction, DebtShares, Quote, price::oracle::PriceUse};

#[test]
fn cash_pays_first() {
    let mut scene = Scene::new();
    scene.price(80);
    let liquidation = scene.liquidated();
    assert_eq!(liquidation.paid_in_cash, liquidation.repaid);
    let backstop = scene.world.market_state(&scene.market).books.backstop;
    assert_eq!(
        (backstop.debt_shares, backstop.inventory),
        (DebtShares(0), liquidation.seized)
    );
}

#[test]
fn the_rest_is_assumed_and_the_pool_neither_gains_nor_loses() {
    let mut scene = with(no_interest(), 1_000 * USDC);
    scene.price(80);
    let before = scene
        .world
        .market_state(&scene.market)
        .books_at(scene.world.clock())
        .unwrap();
    let liquidation = scene.liquidated();
    assert_eq!(liquidation.paid_in_cash, Quote(1_000 * USDC));
    let after = scene.world.market_state(&scene.market).books;
    assert_eq!(after.backstop.cash, Quote(0));
    // The pool lends nothing for the bounty: it is owed.
    let debt = after.pool.index.debt(after.backstop.debt_shares).unwrap().0;
    assert_eq!(debt, liquidation.repaid.0 - liquidation.paid_in_cash.0);
    assert_eq!(after.backstop.unfunded_credits, liquidation.bounty);
    assert_eq!(before.pool.assets(), after.pool.assets());

    // The next account finds no cash and is assumed entirely.
    scene
        .world
        .fund_backstop(&scene.market, &scene.lena, 500 * USDC)
        .unwrap();
    scene.price(100);
    scene.mallory_borrows(10 * SOL, 650 * USDC);
    scene.price(78);
    let liquidation = scene.liquidated();
    assert_eq!(liquidation.paid_in_cash, Quote(0));
}

#[test]
fn cash_to_the_atom_leaves_no_debt() {
    for missing in [0, 1] {
        let mut scene = with(no_interest(), 1);
        scene.price(80);
        let state = scene.world.market_state(&scene.market);
        let repay = scene.judged().expected(&state.config).repay;
        let cash = state.books_at(scene.world.clock()).unwrap().backstop.cash.0;
        scene
            .world
            .fund_backstop(&scene.market, &scene.lena, repay - cash - missing)
            .unwrap();
        let liquidation = scene.liquidated();
        assert_eq!(
            (liquidation.repaid, liquidation.paid_in_cash),
            (Quote(repay), Quote(repay - missing))
        );
        let books = scene.world.market_state(&scene.market).books;
        let debt = books.pool.index.debt(books.backstop.debt_shares).unwrap().0;
        assert_eq!(debt, missing);
    }
}

#[test]
fn the_auction_begins_when_inventory_arrives() {
    let mut scene = Scene::new();
    scene.price(80);
    let begun = scene.world.unix() * 1_000_000;
    scene.liquidated();
    let schedule = |scene: &mut Scene| scene.world.market_state(&scene.market).books.auction;
    let first = Auction {
        anchor: begun,
        used_until: 0,
    };
    assert_eq!(schedule(&mut scene), first);
    // More of it later has not waited: of the lag of a minute is left what the old part of the inventory takes to sell.
    scene.price(72);
    let market = scene.world.market_state(&scene.market);
    let old = market.books.backstop.inventory.0;
    let average = prices(&mut scene.world, &scene.market, PriceUse::Liquidate)
        .own_ema()
        .raw();
    scene.liquidated();
    let lag = scene.world.unix() * 1_000_000 - schedule(&mut scene).anchor;
    let hourly = u128::from(market.config.market_depth.0) * u128::from(market.config.flow_rate.0) / 10_000;
    let exact = ((average * u128::from(old)) >> 64) * 3_600_000_000 / hourly;
    let lag = u128::from(lag.unsigned_abs());
    assert!((1..60_000_000).contains(&lag) && lag == exact, "{lag} {exact}");
}

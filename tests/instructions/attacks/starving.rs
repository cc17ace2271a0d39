//! Keeping the backstop from selling, or other buyers from buying, for next to nothing.

use crate::{
    backing::{cents, interest_free, market_with, offer, stands_at, take_over},
    scene::{SOL, Scene, USDC},
};
use breakwater_engine::{Bps, Config, Quote};
use breakwater_testkit::{World, default_config};

const CRUMBS: u64 = 500;

/// The backstop holds what was Alice's; nobody has bought for an hour.
fn behind_schedule() -> Scene {
    let config = Config {
        // A day for 100 SOL at $60: 250 an hour.
        flow_rate: Bps(15_000),
        market_depth: Quote(250 * USDC * 2 / 3),
        debt_cap: Quote(30_000 * USDC),
        ..interest_free(default_config())
    };
    let mut scene = Scene::on(World::lite(), &market_with(config));
    scene.world.check_identities(false);
    stands_at(&mut scene, cents(60_00));
    take_over(&mut scene);
    for _ in 0..60 {
        stands_at(&mut scene, cents(60_00));
    }
    scene
}

/// Offer to a buyer: the amount, and the discount.
fn offered(scene: &mut Scene) -> (u64, i64) {
    let offer = offer(&mut scene.world, &scene.market);
    (offer.available.0, offer.discount)
}

#[test]
fn crumbs_neither_use_up_the_flow_nor_reset_the_discount() {
    let mut scene = behind_schedule();
    let (market, mallory) = (scene.market, scene.mallory.clone());
    let (available, discount) = offered(&mut scene);
    assert!(available > 0 && discount > 0, "{available} {discount}");
    let before = scene.world.balance(&mallory, &market.quote_mint);
    for _ in 0..CRUMBS {
        scene.world.buy_inventory(&market, &mallory, 1, u64::MAX).unwrap();
    }
    // An atom costs a quote atom, and counts as one: rounded up to a microsecond of the schedule, a twentieth of it at
    // most.
    let (left, still) = offered(&mut scene);
    assert!(
        available - left <= CRUMBS * 1_000 / 60 * 21 / 20 + 2,
        "{available} {left}"
    );
    // Half a millisecond of discount, rounded down to whole basis points.
    assert!((discount - 1..=discount).contains(&still), "{discount} {still}");
    // And each is paid with an atom, many times what it is worth.
    assert_eq!(before - scene.world.balance(&mallory, &market.quote_mint), CRUMBS);
    // Who comes after her buys as if she had not been there.
    scene.world.buy_inventory(&market, &scene.lena, left, u64::MAX).unwrap();
}

/// Five hours in which the market is Guarded, as many looks as there are minutes, or one at the beginning and none
/// after: whoever comes first when it is Normal again gets none of the discount that nobody could have.
#[test]
fn after_hours_of_guarded_nobody_buys_at_a_discount_that_nobody_could_have() {
    for looks in [300, 1] {
        let mut scene = behind_schedule();
        let (market, mallory) = (scene.market, scene.mallory.clone());
        let feed = market.collateral_feed;
        // Pyth gives no average.
        for _ in 0..looks {
            scene.world.advance(60);
            scene.world.set_price(&feed, cents(60_00), 0);
            scene.world.edit_feed(&feed, |feed| feed.quotation_mut().ema_price = 0);
            scene.world.observe_price(&market).unwrap();
            assert_eq!(scene.world.market_state(&market).guard.level, 1);
        }
        scene.world.advance(60 * (300 - looks) + 61);
        scene.world.settle_price(&feed, cents(60_00), 0);
        let (available, discount) = offered(&mut scene);
        assert_eq!(discount, 0);
        let before = scene.world.balance(&mallory, &market.quote_mint);
        scene
            .world
            .buy_inventory(&market, &mallory, available, u64::MAX)
            .unwrap();
        let cost = before - scene.world.balance(&mallory, &market.quote_mint);
        assert_eq!(scene.world.market_state(&market).guard.level, 0);
        // She gains nothing: $60 for each SOL, and the mean of the premium on top.
        assert!(cost >= available * 60 / 1_000, "{cost} for {available}");
    }
}

/// All that the flow lets go at once, in one block, costs what it would in many: she gains nothing by taking it at its
/// first atom's price.
#[test]
fn a_block_costs_what_its_pieces_do() {
    let mut scene = behind_schedule();
    let (market, mallory) = (scene.market, scene.mallory.clone());
    let (available, discount) = offered(&mut scene);
    assert!(available > SOL / 2 && discount > 0);
    // Each piece takes a whole microsecond of the schedule.
    let available = available / 1_000 * 999;
    let snapshot = scene.world.snapshot();
    let mut costs = [0u64; 2];
    for (pieces, cost) in [1, 50].into_iter().zip(&mut costs) {
        scene.world.restore(&snapshot);
        let before = scene.world.balance(&mallory, &market.quote_mint);
        for piece in 0..pieces {
            let amount = available * (piece + 1) / pieces - available * piece / pieces;
            scene.world.buy_inventory(&market, &mallory, amount, u64::MAX).unwrap();
        }
        *cost = before - scene.world.balance(&mallory, &market.quote_mint);
    }
    // Rounded up, each piece costs up to an atom and a millionth more.
    let [block, pieces] = costs;
    assert!(
        block <= pieces + 1 && pieces <= block + 60 + block / 500_000,
        "{block} {pieces}"
    );
}

#[test]
fn who_uses_up_the_flow_has_bought_it() {
    // The only way to keep others from buying is to buy, at the price of the schedule; she resells at spot at best.
    let mut scene = behind_schedule();
    let (market, mallory) = (scene.market, scene.mallory.clone());
    let (mut paid, mut bought) = (0, 0);
    for minute in 0..60 {
        let (available, discount) = offered(&mut scene);
        let before = scene.world.balance(&mallory, &market.quote_mint);
        if available > 0 {
            scene
                .world
                .buy_inventory(&market, &mallory, available, u64::MAX)
                .unwrap();
        }
        let cost = before - scene.world.balance(&mallory, &market.quote_mint);
        // $60 less the discount, rounded up.
        let worth = available * 60 / 1_000;
        let least = u128::from(worth) * u128::from(10_000 - discount.unsigned_abs()) / 10_000;
        if discount >= 0 {
            assert!(
                u128::from(cost) >= least,
                "{minute}: {cost} for {available} at {discount}"
            );
        } else {
            assert!(cost >= worth, "{minute}: {cost} for {available} at {discount}");
        }
        (paid, bought) = (paid + cost, bought + available);
        stands_at(&mut scene, cents(60_00));
    }
    let state = scene.world.market_state(&market);
    assert_eq!(state.books.backstop.inventory.0, 100 * SOL - bought);
    assert!(bought > 4 * SOL && paid > 200 * USDC, "{bought} {paid}");
}

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

/// What a buyer finds: how much, the discount, and the ask.
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
    // An atom costs a quote atom, and counts as one: rounded up to a microsecond of the schedule, a twentieth of it at most.
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

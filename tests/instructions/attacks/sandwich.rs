//! A supply put around what somebody else does, in one slot, and a supplier who steps aside for a loss.

use crate::{
    backing::{cents, deficit, interest_free, market_with, owed, quick, sell_out, stands_at, take_over},
    scene::{SOL, Scene, USDC},
};
use breakwater_engine::Config;
use breakwater_testkit::{Actor, World, default_config, ix};

/// More than the whole pool.
const FORTUNE: u64 = 900_000_000 * USDC;

/// A scene in which Mallory has a fortune, and everything that moves the pool's books can be done.
fn scene(config: Config) -> Scene {
    let mut scene = Scene::on(World::lite(), &market_with(config));
    let (market, mallory) = (scene.market, scene.mallory.clone());
    scene.world.fund(&mallory, &market.quote_mint, FORTUNE);
    scene.world.fund(&mallory, &market.lp_mint, 0);
    scene
}

/// Mallory's gain when she supplies her fortune, `between` happens, and she leaves with all of it; no time passes.
#[track_caller]
fn gained(scene: &mut Scene, between: impl FnOnce(&mut Scene)) -> i128 {
    let (market, mallory) = (scene.market, scene.mallory.clone());
    let before = scene.world.balance(&mallory, &market.quote_mint);
    scene.world.supply(&market, &mallory, FORTUNE).unwrap();
    between(scene);
    let shares = scene.world.balance(&mallory, &market.lp_mint);
    scene.world.withdraw(&market, &mallory, shares).unwrap();
    i128::from(scene.world.balance(&mallory, &market.quote_mint)) - i128::from(before)
}

/// Action of somebody else.
type Between<'a> = &'a dyn Fn(&mut Scene);

#[test]
fn a_fortune_that_passes_through_gains_nothing_whatever_happens_in_between() {
    // With interest, and after a year in which nobody touched the market: accrued in the same second it would be a
    // gift.
    let mut scene = scene(default_config());
    stands_at(&mut scene, cents(80_00));
    scene.world.advance(365 * 86_400);
    let (market, lena, kate, alice) = (
        scene.market,
        scene.lena.clone(),
        scene.kate.clone(),
        scene.alice.clone(),
    );
    let steps: [(&str, Between); 7] = [
        ("nothing", &|_| ()),
        ("interest", &|scene| {
            scene.world.fund_backstop(&market, &lena, 1).unwrap();
        }),
        ("liquidation", &|scene| {
            let position = scene.position.clone();
            scene.world.liquidate(&kate, &position).unwrap();
        }),
        ("funding", &|scene| {
            scene.world.fund_backstop(&market, &lena, 1_000 * USDC).unwrap();
        }),
        ("repayment", &|scene| {
            let position = scene.position.clone();
            scene.world.repay(&position, u64::MAX).unwrap();
        }),
        ("sale", &|scene| {
            let buy = ix::buy_inventory_for(&market, &alice.key(), USDC, 0);
            scene.world.send(&[buy], &[&alice]).unwrap();
        }),
        ("somebody's exit", &|scene| {
            let shares = scene.world.balance(&lena, &market.lp_mint);
            scene.world.withdraw(&market, &lena, shares / 2).unwrap();
        }),
    ];
    for (step, between) in steps {
        let gain = gained(&mut scene, between);
        assert!((-1..=0).contains(&gain), "{step}: {gain}");
    }
}

#[test]
fn who_supplies_before_a_settlement_bears_its_part_of_the_loss() {
    // A loss of 500 and the tip; Mallory owns all but a thousandth of the pool when it is written off.
    let (mut scene, _) = deficit(World::lite(), &market_with(quick()), 0, 0);
    let (market, mallory) = (scene.market, scene.mallory.clone());
    scene.world.fund(&mallory, &market.quote_mint, FORTUNE);
    scene.world.fund(&mallory, &market.lp_mint, 0);
    let loss = owed(&mut scene);
    let gain = gained(&mut scene, |scene| {
        scene.world.settle_deficit(&market).unwrap();
    });
    let part = i128::from(loss) * i128::from(FORTUNE) / i128::from(FORTUNE + 1_000_000 * USDC);
    assert!((-part - 2..=-part + 2).contains(&gain), "{gain} of {loss}");
}

/// Nina supplies as much as Lena; Alice's account is lost at $50, and all is sold. Nina leaves with what cash allows
/// before it is settled, or not. Returns the losses of Nina and Lena, of 500,000 each, when they leave after it.
fn losses(steps_aside: bool, config: Config) -> (i128, i128) {
    let mut scene = Scene::funded(World::lite(), &market_with(config), 500_000 * USDC, 0);
    let market = scene.market;
    let nina = scene.world.trader(&market, "nina", 0, 500_000 * USDC);
    scene.world.supply(&market, &nina, 500_000 * USDC).unwrap();
    stands_at(&mut scene, cents(50_00));
    take_over(&mut scene);
    sell_out(&mut scene);
    let all_out = |scene: &mut Scene, who: &Actor| {
        let shares = scene.world.balance(who, &market.lp_mint);
        scene.world.withdraw(&market, who, shares).unwrap();
    };
    if steps_aside {
        all_out(&mut scene, &nina);
    }
    scene.world.settle_deficit(&market).unwrap();
    let lena = scene.lena.clone();
    if !steps_aside {
        all_out(&mut scene, &nina);
    }
    all_out(&mut scene, &lena);
    let lost = |scene: &mut Scene, who: &Actor, had: u64| {
        i128::from(had) - i128::from(scene.world.balance(who, &market.quote_mint))
    };
    (
        lost(&mut scene, &nina, 500_000 * USDC),
        lost(&mut scene, &lena, 3_000_000 * USDC),
    )
}

#[test]
fn who_steps_aside_between_a_loss_and_its_settlement_bears_his_part_of_it() {
    let (nina, lena) = losses(false, quick());
    assert!(
        nina > 700 * i128::from(USDC) && (nina - lena).abs() <= 2,
        "{nina} {lena}"
    );
    let (aside, left) = losses(true, quick());
    assert!((aside - nina).abs() <= 2 && (left - lena).abs() <= 2, "{aside} {left}");
}

#[test]
fn a_sale_and_its_settlement_in_one_transaction_leave_no_time_to_step_aside() {
    let mut scene = Scene::funded(World::lite(), &market_with(interest_free(quick())), 500_000 * USDC, 0);
    let market = scene.market;
    stands_at(&mut scene, cents(50_00));
    take_over(&mut scene);
    let buy = ix::buy_inventory(&market, &scene.mallory.key(), 100 * SOL, u64::MAX);
    scene
        .world
        .send(&[buy, ix::settle_deficit(&market)], &[&scene.mallory])
        .unwrap();
    assert_eq!(owed(&mut scene), 0);
}

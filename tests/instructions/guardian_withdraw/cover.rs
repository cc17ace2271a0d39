//! Guardians are paid at most the stress cover.

use super::{refused, wait, withdraw};
use crate::{
    backing::{backed, cash, cents, interest_free, market_with, position_of, stands_at},
    borrow::cover::{accepted, stressed, volatile},
    scene::{Scene, USDC},
};
use breakwater::error::BreakwaterError;
use breakwater_testkit::{Actor, World, default_config, ix};

/// Gina's 1,000 alone behind Alice's 6,500 on 100 SOL at $100, which a fall of 38% puts under water; she may leave.
fn leaving() -> (Scene, Actor) {
    // Alice has borrowed while the fall was smaller.
    let before = market_with(interest_free(default_config()));
    let (mut scene, gina) = backed(World::program_test(), &before, 0, 0);
    scene.world.set_config(&scene.market, stressed());
    scene.world.fund(&gina, &scene.market.quote_mint, 1_000 * USDC);
    scene
        .world
        .guardian_deposit(&scene.market, &gina, 1_000 * USDC)
        .unwrap();
    let shares = position_of(&mut scene, &gina).shares.0;
    scene.world.guardian_request(&scene.market, &gina, shares).unwrap();
    wait(&mut scene, 0);
    stands_at(&mut scene, cents(10_000));
    (scene, gina)
}

/// C, quote atoms.
fn cover(scene: &mut Scene) -> i128 {
    let (market, prices) = accepted(scene);
    let [liquidations, _] = market.stress(&prices, scene.world.clock()).unwrap();
    liquidations.cover
}

#[test]
fn they_are_paid_the_cover_and_not_an_atom_more() {
    let (mut scene, gina) = leaving();
    let cover = u64::try_from(cover(&mut scene)).unwrap();
    // Alice would lack 300 at $62; her band is 2.2% wide.
    assert!((560 * USDC..=700 * USDC).contains(&cover), "{cover}");
    // A thousand shares an atom.
    for amount in [1_000 * USDC, cover + 1] {
        refused(
            &mut scene,
            &gina,
            (amount * 1_000, 0),
            BreakwaterError::StressCoverExceeded,
        );
    }
    assert_eq!(withdraw(&mut scene, &gina, cover * 1_000).amount.0, cover);
    refused(&mut scene, &gina, (1_000, 0), BreakwaterError::StressCoverExceeded);
    // What is rounded down to nothing may go.
    assert_eq!(withdraw(&mut scene, &gina, 1).amount.0, 0);
    // When Alice repays, nobody is under water, and the rest may leave.
    scene.world.repay(&scene.position, 3_000 * USDC).unwrap();
    let rest = position_of(&mut scene, &gina).shares.0;
    let left = cash(&mut scene);
    let paid = withdraw(&mut scene, &gina, rest).amount.0;
    assert!((left - 1..=left).contains(&paid), "{paid} of {left}");
}

#[test]
fn a_falling_price_keeps_them_in_and_a_rising_one_lets_them_go() {
    let (mut scene, gina) = leaving();
    stands_at(&mut scene, cents(88_00));
    // At $54.56 Alice would lack more than 1,000.
    assert!(cover(&mut scene) < 0);
    refused(&mut scene, &gina, (1_000, 0), BreakwaterError::StressCoverExceeded);
    stands_at(&mut scene, cents(11_000));
    assert_eq!(cover(&mut scene), i128::from(1_000 * USDC));
    let shares = position_of(&mut scene, &gina).shares.0;
    assert_eq!(withdraw(&mut scene, &gina, shares).amount.0, 1_000 * USDC);
}

#[test]
fn other_guardians_requests_and_volatility_are_not_held_against_them() {
    // C and not A: else one request would keep another from being paid.
    let (mut scene, gina) = leaving();
    let market = scene.market;
    scene.world.set_config(&market, volatile());
    let hugo = scene.world.guardian(&market, "hugo", 1_000 * USDC);
    scene.world.guardian_deposit(&market, &hugo, 1_000 * USDC).unwrap();
    let shares = position_of(&mut scene, &hugo).shares.0;
    scene.world.guardian_request(&market, &hugo, shares).unwrap();
    let mut state = scene.world.market_state(&market);
    state.volatility.variance = 1 << 40;
    state.volatility.updated_at = scene.world.unix();
    scene.world.set_market(&market, &state);
    let shares = position_of(&mut scene, &gina).shares.0;
    let exactly = ix::guardian_withdraw(&market, &gina.key(), shares, 1_000 * USDC);
    scene.world.send(&[exactly], &[&gina]).unwrap();
}

//! Guardians are paid at most the stress cover.

use super::{refused, wait, withdraw};
use crate::{
    backing::{backed, cash, cents, interest_free, market_with, position_of, stands_at},
    borrow::cover::{accepted, stressed, volatile},
    scene::{Scene, USDC},
};
use breakwater::error::BreakwaterError;
use breakwater_testkit::{Actor, World, default_config};

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
    refused(
        &mut scene,
        &gina,
        (u64::MAX, cover + 1),
        BreakwaterError::SlippageExceeded,
    );
    assert_eq!(withdraw(&mut scene, &gina, u64::MAX).amount.0, cover);
    assert_eq!(withdraw(&mut scene, &gina, u64::MAX).amount.0, 0);
    // When Alice repays, nobody is under water, and the rest may leave.
    scene.world.repay(&scene.position, 3_000 * USDC).unwrap();
    let left = cash(&mut scene);
    assert_eq!(left, 1_000 * USDC - cover);
    assert_eq!(withdraw(&mut scene, &gina, u64::MAX).amount.0, left);
}

#[test]
fn a_falling_price_keeps_them_in_and_a_rising_one_lets_them_go() {
    let (mut scene, gina) = leaving();
    stands_at(&mut scene, cents(88_00));
    // At $54.56 Alice would lack more than 1,000.
    assert!(cover(&mut scene) < 0);
    refused(&mut scene, &gina, (u64::MAX, 1), BreakwaterError::SlippageExceeded);
    assert_eq!(withdraw(&mut scene, &gina, u64::MAX).amount.0, 0);
    stands_at(&mut scene, cents(11_000));
    assert_eq!(cover(&mut scene), i128::from(1_000 * USDC));
    assert_eq!(withdraw(&mut scene, &gina, u64::MAX).amount.0, 1_000 * USDC);
}

#[test]
fn nobody_is_kept_for_ever_by_what_the_market_needs() {
    // At $88 a fall of 38% leaves Alice short of more than all there is; one of 26% does not.
    let (mut scene, gina) = leaving();
    let opened = scene.world.unix();
    for (days, least, most) in [(0, 0, 0), (28, 1, 1_000 * USDC), (60, 900 * USDC, 1_000 * USDC)] {
        let wait = opened + days * 86_400 - scene.world.unix();
        scene.world.advance(u32::try_from(wait.max(0)).unwrap());
        stands_at(&mut scene, cents(88_00));
        let before = scene.world.snapshot();
        let paid = withdraw(&mut scene, &gina, u64::MAX).amount.0;
        assert!((least..=most).contains(&paid), "{days}: {paid}");
        scene.world.restore(&before);
    }
    // After ninety days nothing but a loss keeps her: at $66 Alice is at the brink, and under no water.
    let wait = opened + 90 * 86_400 - scene.world.unix();
    scene.world.advance(u32::try_from(wait).unwrap());
    stands_at(&mut scene, cents(68_00));
    assert!(cover(&mut scene) < 0);
    assert!(withdraw(&mut scene, &gina, u64::MAX).amount.0 > 900 * USDC);
}

/// Gina's 1,000 and Hugo's 3,000; both have asked, and C is 2,000 or so.
fn two() -> (Scene, Actor, Actor) {
    let (mut scene, gina) = leaving();
    let market = scene.market;
    let hugo = scene.world.guardian(&market, "hugo", 3_000 * USDC);
    scene.world.guardian_deposit(&market, &hugo, 3_000 * USDC).unwrap();
    let shares = position_of(&mut scene, &hugo).shares.0;
    scene.world.guardian_request(&market, &hugo, shares).unwrap();
    wait(&mut scene, 0);
    stands_at(&mut scene, cents(80_00));
    let cover = cover(&mut scene);
    assert!((1_500..2_600).contains(&(cover / i128::from(USDC))), "{cover}");
    (scene, gina, hugo)
}

#[test]
fn nobody_gains_by_coming_first_or_often() {
    let (mut scene, gina, hugo) = two();
    let cover = u64::try_from(cover(&mut scene)).unwrap();
    let start = scene.world.snapshot();
    for ginas_turns in [
        [true, false, true, false],
        [false, false, true, true],
        [true, true, true, false],
    ] {
        scene.world.restore(&start);
        let mut paid = [0, 0];
        for gina_comes in ginas_turns {
            let who = if gina_comes { &gina } else { &hugo };
            paid[usize::from(gina_comes)] += withdraw(&mut scene, who, u64::MAX).amount.0;
        }
        // A quarter of all that is asked is Gina's.
        // And a little more, for she asked first, and her S has fallen for two days more.
        assert!(paid[1].abs_diff(cover / 4) <= cover / 100, "{paid:?} of {cover}");
        assert!(paid[0].abs_diff(cover / 4 * 3) <= cover / 100, "{paid:?} of {cover}");
    }
}

#[test]
fn others_requests_take_their_part_and_volatility_and_the_sentinel_do_not() {
    let (mut scene, gina, _) = two();
    let market = scene.market;
    let start = scene.world.snapshot();
    let paid = withdraw(&mut scene, &gina, u64::MAX);
    scene.world.restore(&start);
    // S of admission goes to its largest, and ten points beyond: not theirs.
    let kept = scene.world.market_state(&market).config;
    let mut state = scene.world.market_state(&market);
    state.config = volatile();
    state.config.guardian_cooldown = kept.guardian_cooldown;
    state.volatility.variance = 1 << 40;
    state.volatility.updated_at = scene.world.unix();
    state.stress_raise.raised_at = scene.world.unix();
    state.stress_raise.points = breakwater_engine::Bps(1_000);
    scene.world.set_market(&market, &state);
    assert_eq!(withdraw(&mut scene, &gina, u64::MAX), paid);
}

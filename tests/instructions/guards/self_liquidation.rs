//! Owners who liquidate themselves because the price at which the backstop takes over is above the market.

use super::{quiet, spec, without_interest};
use crate::scene::{Scene, USDC};
use breakwater::error::BreakwaterError;
use breakwater_engine::{Bps, Config, Price, actions::Liquidation};
use breakwater_testkit::{Position, World, assert_fails_with, default_config};

/// 100 SOL and a debt of $6,500: at this guarded price its LTV is 65 ÷ it.
const GUARDED_CENTS: [u128; 5] = [
    8_100, // 80.2%: partial
    7_600, // 85.5%
    7_070, // 91.9%
    6_900, // 94.2%: insolvent, with room for all of the smallest penalty
    6_520, // 99.7%: insolvent, with hardly any
];

/// Under water at the guarded price as well.
const SUNK_CENTS: u128 = 6_200;

/// Q64.64 of a price in cents, for 9 and 6 decimals.
fn price(cents: u128, denominator: u128) -> Price {
    Price::from_raw((cents << 64) / (100 * 1_000 * denominator))
}

/// An owner with a ledger of her own, in a market that clamps to `guarded` cents when spot is `gap` bps of itself below.
fn owner_at(guarded: u128, gap: u128) -> Scene {
    let config = Config {
        velocity_slack: Bps(0),
        max_gap: Config::EXAMPLE.max_gap,
        ..without_interest(default_config())
    };
    let mut scene = Scene::on(World::lite(), &spec(config));
    scene.world.open_keeper_ledger(&scene.market, &scene.alice).unwrap();
    scene.world.advance(60);
    // Collateral at g ÷ (1 + gap) dollars, rounded up to the feed's last digit: spot × (1 + gap) is no less than g.
    let mantissa = (guarded * 1_000_000 * 10_000).div_ceil(10_000 + gap);
    let (feed, quote) = (scene.market.collateral_feed, scene.market.quote_feed);
    scene.world.settle_price(&feed, i64::try_from(mantissa).unwrap(), 0);
    scene.world.settle_price(&quote, 100_000_000, 0);
    scene.edit_guard(|guard| {
        guard.reference = price(guarded, 1);
        guard.average = price(guarded, 1);
    });
    scene
}

/// What the owner was relieved of, less what she gave at spot, and her bounty: quote atoms × 2^64.
fn gift(scene: &mut Scene, liquidation: &Liquidation) -> (i128, i128) {
    let spot = scene.observed().spot.raw();
    let given = i128::try_from(spot * u128::from(liquidation.seized.0)).unwrap();
    let relieved = i128::from(liquidation.repaid.0 - liquidation.deficit.0) << 64;
    (relieved - given, i128::from(liquidation.bounty.0) << 64)
}

#[track_caller]
fn liquidate_herself(scene: &mut Scene) -> Liquidation {
    let Scene {
        world, alice, position, ..
    } = scene;
    let outcome = world.liquidate(alice, position).unwrap();
    outcome.liquidation()
}

#[test]
fn what_she_gains_never_exceeds_the_gap_and_the_gap_never_its_limit() {
    let max_gap = u128::from(Config::EXAMPLE.max_gap.0);
    for guarded in GUARDED_CENTS.into_iter().chain([SUNK_CENTS]) {
        let mut most = i128::MIN;
        for gap in (0..=max_gap).step_by(10) {
            let mut scene = owner_at(guarded, gap);
            let liquidation = liquidate_herself(&mut scene);
            assert_eq!(liquidation.price, price(guarded, 1));
            let (gift, bounty) = gift(&mut scene, &liquidation);
            // One atom for each rounding: of the value at the guarded price, and of what is seized for it.
            let atoms = 2i128 << 64;
            let repaid = i128::from(liquidation.repaid.0) << 64;
            let (bps, max_gap) = (i128::try_from(gap).unwrap(), i128::try_from(max_gap).unwrap());
            assert!(
                gift * 10_000 <= repaid * bps + atoms * 10_000,
                "{guarded} {gap}: {gift}"
            );
            // Her own bounty included.
            assert!((gift + bounty) * 10_000 <= repaid * max_gap, "{guarded} {gap}: {gift}");
            most = most.max(gift * 10_000 / repaid);
            // While she can pay the penalty there is no gift at all, and not even her own bounty makes it one.
            if liquidation.penalty == Config::EXAMPLE.penalty && !liquidation.taken_over {
                assert!(gift <= atoms, "{guarded} {gap}: {gift}");
                assert!(gift + bounty <= repaid * max_gap / 20_000 + atoms);
            }
        }
        println!("at {guarded} cents she gains at most {most} bps of the debt she is relieved of");
    }
}

#[test]
fn beyond_the_limit_nobody_is_taken_over() {
    let max_gap = u128::from(Config::EXAMPLE.max_gap.0);
    for guarded in GUARDED_CENTS.into_iter().chain([SUNK_CENTS]) {
        for gap in [max_gap + 1, max_gap + 50, 2 * max_gap, 1_000, 5_000, 9_000] {
            let mut scene = owner_at(guarded, gap);
            scene.liquidation_fails(BreakwaterError::PriceGapTooWide);
            let Scene {
                world, alice, position, ..
            } = &mut scene;
            assert_fails_with(world.liquidate(alice, position), BreakwaterError::PriceGapTooWide);
        }
    }
}

#[test]
fn through_a_whole_crash_she_gains_no_more_than_the_gap_of_her_debt() {
    // Minus 30% in a minute, in five, at once. Owners try every second, all of them with one ledger.
    for (fall, seconds) in [(5, 60), (1, 300), (300, 1)] {
        let mut scene = quiet(Config::EXAMPLE);
        scene.world.open_keeper_ledger(&scene.market, &scene.mallory).unwrap();
        let positions: Vec<Position> = [6_980, 6_700, 6_400, 6_000]
            .into_iter()
            .zip(0..)
            .map(|(ltv, id)| scene.indebted(id, ltv))
            .collect();
        scene.tick(60, 10_000_000_000);
        scene.observed();
        let (mut gained, mut relieved, mut bounties) = (0, 0, 0);
        for second in 0..600 {
            let tenths = i64::from(fall * (second + 1).min(seconds));
            scene.tick(1, (1_000 - tenths) * 10_000_000);
            scene.observed();
            for position in &positions {
                let Ok(outcome) = scene.world.liquidate(&scene.mallory, position) else {
                    continue;
                };
                let liquidation = outcome.liquidation();
                let (gift, bounty) = gift(&mut scene, &liquidation);
                let repaid = i128::from(liquidation.repaid.0) << 64;
                assert!(gift * 10_000 <= repaid * i128::from(Config::EXAMPLE.max_gap.0));
                gained += gift >> 64;
                relieved += liquidation.repaid.0;
                bounties += bounty >> 64;
            }
        }
        assert!(relieved > 10_000 * USDC, "{fall} {seconds}: {relieved}");
        scene.world.assert_identities();
        println!("{fall} {seconds}: gained {gained} and {bounties} on {relieved}");
        assert!(gained * 10_000 <= i128::from(relieved) * i128::from(Config::EXAMPLE.max_gap.0));
    }
}

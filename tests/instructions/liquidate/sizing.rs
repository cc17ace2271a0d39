//! How much is taken. [`Scene::liquidated`] checks each case against the formula and everything else it does.

use super::{no_interest, with};
use crate::scene::{SOL, Scene, USDC, all_feed_kinds, both_receivers, both_token_programs, overgrown};
use breakwater::error::BreakwaterError;
use breakwater_client::MarketKeys;
use breakwater_engine::{Bps, Collateral, Config, Quote};
use breakwater_testkit::{MarketSpec, World, default_config, ix, pyth::usd};

/// Partial, whole, or taken over and by how much the collateral falls short, whole quote tokens.
#[derive(Debug, PartialEq)]
enum Taken {
    Partial,
    Whole,
    Over(u64),
}

#[track_caller]
fn liquidate(scene: &mut Scene) -> Taken {
    let liquidation = scene.liquidated();
    match (liquidation.taken_over, liquidation.whole) {
        (true, true) => Taken::Over(liquidation.deficit.0 / USDC),
        (false, true) => Taken::Whole,
        (false, false) => Taken::Partial,
        (true, false) => panic!("taken over, but not whole: {liquidation:?}"),
    }
}

#[track_caller]
fn healthy(scene: &mut Scene) {
    let liquidate = ix::liquidate(&scene.market, &scene.position.address, &scene.kate.key());
    scene
        .world
        .assert_error_unchanged(&[liquidate], &[&scene.kate], BreakwaterError::AccountHealthy);
}

#[test]
fn every_ltv_is_sized_by_the_formula() {
    // 6,500 borrowed on 100 SOL. 80% are reached at $81.25, 95% at $68.421.
    for (cents, result) in [
        (81_24, Taken::Partial),
        (80_00, Taken::Partial),
        (77_77, Taken::Partial),
        (75_00, Taken::Partial),
        (72_00, Taken::Partial),
        (68_43, Taken::Partial),
        (68_42, Taken::Over(0)),
        (67_00, Taken::Over(0)),
        (65_01, Taken::Over(0)),
        (64_00, Taken::Over(100)),
        (33_33, Taken::Over(3_167)),
        (1, Taken::Over(6_499)),
    ] {
        let mut scene = Scene::new();
        scene.crash(cents * 1_000_000);
        assert_eq!(liquidate(&mut scene), result, "{cents} cents");
    }
}

#[test]
fn collateral_that_is_worth_nothing_is_still_taken() {
    let mut scene = Scene::new();
    scene.crash(1);
    let liquidation = scene.liquidated();
    assert_eq!(
        (liquidation.deficit, liquidation.seized.0),
        (liquidation.repaid, 100 * SOL)
    );
}

#[test]
fn a_worked_example() {
    // D = 6,500; V = 7,999.999999, for 0.08 is no binary fraction; LTV 81.25%.
    // x = (6,500 − 0.75 × 7,999.999999) / (1 − 0.75 × 1.01) = 2,061.855674, rounded up.
    // s = 2,061.855674 × 1.01 / 80 = 26.030927875, rounded down.
    let mut scene = with(no_interest(), 100_000 * USDC);
    scene.crash(usd(80));
    let liquidation = scene.liquidated();
    assert_eq!(liquidation.penalty, Bps(100));
    assert_eq!(liquidation.repaid, Quote(2_061_855_674));
    assert_eq!(liquidation.seized, Collateral(26_030_927_875));
    assert_eq!(
        (liquidation.debt_after, liquidation.collateral_after),
        (Quote(4_438_144_326), Collateral(73_969_072_125))
    );
    // 0.05 and a quarter percent of x.
    assert_eq!(liquidation.bounty, Quote(5_204_639));
}

#[test]
fn a_partial_liquidation_ends_at_the_target_and_not_below() {
    for cents in [81_24, 79_00, 74_00, 68_50] {
        let mut scene = Scene::new();
        scene.crash(cents * 1_000_000);
        scene.liquidated();
        let judged = scene.judged();
        let value = judged.value();
        // debt ≤ 75% of the value (of which rounding may have taken an atom), and within a few atoms of it.
        let gap = ((value + 1) * 7_500).checked_sub(judged.debt * 10_000);
        assert!(gap.is_some_and(|gap| gap <= 4 * 10_000), "{gap:?} {judged:?}");
        // The job is done: nobody can go on.
        healthy(&mut scene);
    }
}

/// Alice has put in `extra` SOL more. At $62.50 a collateral atom is worth exactly 1/16 quote atom.
#[track_caller]
fn exact(extra: u64, config: Config) -> Scene {
    let mut scene = with(config, 100_000 * USDC);
    scene.world.deposit(&scene.position, extra * SOL).unwrap();
    scene
}

#[test]
fn at_the_liquidation_ltv_an_account_is_healthy_and_a_tick_below_it_is_not() {
    // 6,500 on 130 SOL at $62.50: 80% to the last atom.
    let mut scene = exact(30, no_interest());
    scene.crash(62_5000_0000);
    let judged = scene.judged();
    assert_eq!((judged.debt, judged.value()), (6_500_000_000, 8_125_000_000));
    healthy(&mut scene);
    scene.crash(62_5000_0000 - 1);
    assert_eq!(self::liquidate(&mut scene), Taken::Partial);
}

#[test]
fn at_the_takeover_ltv_the_whole_account_is_taken_and_a_tick_above_it_is_not() {
    // 59,375 on 1,000 SOL at $62.50: 95% to the last atom.
    for (price, result) in [(62_5000_0000 + 1, Taken::Partial), (62_5000_0000, Taken::Over(0))] {
        let mut scene = with(no_interest(), 100_000 * USDC);
        scene.mallory_borrows(1_000 * SOL, 59_375 * USDC);
        scene.crash(price);
        assert_eq!(liquidate(&mut scene), result);
    }
}

#[test]
fn a_takeover_takes_all_of_the_margin() {
    // With θ at 90% an account that is taken over may have a ninth of its debt left: within the largest penalty.
    let config = Config {
        takeover_ltv: Bps(9_000),
        takeover_penalty: Bps(1_200),
        stress_fall: Bps(1_000),
        stress_max: Bps(1_000),
        ..no_interest()
    };
    for (price, penalty) in [(usd(72), 1_076), (usd(70), 769), (usd(68), 461)] {
        let mut scene = with(config, 100_000 * USDC);
        scene.crash(price);
        let liquidation = scene.liquidated();
        assert!(liquidation.taken_over && liquidation.whole);
        assert_eq!(
            (liquidation.penalty, liquidation.collateral_after),
            (Bps(penalty), Collateral(0)),
            "{price}"
        );
    }
}

#[test]
fn what_would_be_dust_is_taken_whole_and_the_rest_stays_the_owners() {
    let mut scene = Scene::new();
    // 12 on 0.18 SOL. At $80 two thirds would do, but less than 10 would be left.
    scene.mallory_borrows(180_000_000, 12 * USDC);
    scene.crash(usd(80));
    let liquidation = scene.liquidated();
    assert!(liquidation.whole && !liquidation.taken_over);
    assert_eq!(liquidation.debt_after, Quote(0));
    let left = liquidation.collateral_after.0;
    assert!(left > 0);
    let Scene {
        mut world, position, ..
    } = scene;
    world.withdraw_collateral(&position, left).unwrap();
    world.close(&position).unwrap();
}

#[test]
fn exactly_the_minimum_may_be_left() {
    // Whatever is left of a partial liquidation can be made the minimum; an atom more makes it dust.
    let price = usd(76);
    let mut scene = with(no_interest(), 100_000 * USDC);
    scene.crash(price);
    let left = scene.liquidated().debt_after;
    for (min_debt, result) in [(left.0, Taken::Partial), (left.0 + 1, Taken::Whole)] {
        let config = Config {
            min_debt: Quote(min_debt),
            ..no_interest()
        };
        let mut scene = with(config, 100_000 * USDC);
        scene.crash(price);
        assert_eq!(liquidate(&mut scene), result);
    }
}

#[test]
fn the_penalty_never_takes_more_than_there_is() {
    // 15% in a partial liquidation, 20% in a take-over from 97% on: from 86.9% on, what is left of the collateral is
    // less.
    let config = Config {
        takeover_ltv: Bps(9_700),
        penalty: Bps(1_500),
        takeover_penalty: Bps(2_000),
        ..default_config()
    };
    for (price, penalty, result) in [
        (usd(76), 1_500, Taken::Partial), // 85.5%
        (usd(71), 923, Taken::Whole),     // 91.5%: all that is left
        (usd(68), 461, Taken::Whole),     // 95.6%
        (usd(66), 153, Taken::Over(0)),   // 98.5%
    ] {
        let mut scene = with(config, 100_000 * USDC);
        scene.crash(price);
        let terms = scene.judged().expected(&config);
        assert_eq!(terms.penalty, penalty);
        assert_eq!(liquidate(&mut scene), result);
    }
}

#[test]
fn interest_alone_can_make_an_account_liquidatable() {
    // The pool has lent out all it has: 107% a year take 65% to 80% in 71 days.
    let spec = MarketSpec::default();
    let mut scene = Scene::funded(World::program_test(), &spec, 6_500 * USDC, 100_000 * USDC);
    scene.world.advance(70 * 86_400);
    healthy(&mut scene);
    scene.world.advance(2 * 86_400);
    assert_eq!(liquidate(&mut scene), Taken::Partial);
}

#[test]
fn a_depeg_of_the_quote_token_counts() {
    // At SOL/USD 100 the account is healthy, until the dollar that it owes is worth $1.25; at 80 it is not, until that
    // is worth $0.98.
    for (sol, cents, result) in [
        (100, 1_23, None),
        (100, 1_25, Some(Taken::Partial)),
        (100, 1_50, Some(Taken::Over(0))),
        (80, 1_00, Some(Taken::Partial)),
        (80, 98, None),
    ] {
        let mut scene = Scene::new();
        scene.crash(usd(sol));
        let feed = scene.market.quote_feed;
        scene.world.set_price(&feed, cents * 1_000_000, 0);
        match result {
            Some(result) => assert_eq!(liquidate(&mut scene), result),
            None => healthy(&mut scene),
        }
    }
}

#[test]
fn the_ends_of_the_range_of_prices_are_believed() {
    // The collateral is worth 9.2 × 10¹⁰ dollars; the dollar is.
    for (of_collateral, taken) in [(true, None), (false, Some(Taken::Over(6_500)))] {
        let mut scene = Scene::new();
        scene.world.advance(60);
        let MarketKeys {
            collateral_feed,
            quote_feed,
            ..
        } = scene.market;
        scene
            .world
            .settle_price(if of_collateral { &collateral_feed } else { &quote_feed }, i64::MAX, 0);
        scene.world.forget_prices(&scene.market);
        match taken {
            Some(taken) => assert_eq!(liquidate(&mut scene), taken),
            None => healthy(&mut scene),
        }
    }
}

#[test]
fn who_is_short_is_liquidated_when_the_price_rises() {
    // 6.5 SOL borrowed on 100,000 USDC.
    let MarketSpec {
        collateral,
        quote,
        collateral_feed,
        quote_feed,
        ..
    } = MarketSpec::default();
    let spec = MarketSpec {
        collateral: quote,
        quote: collateral,
        collateral_feed: quote_feed,
        quote_feed: collateral_feed,
        ..MarketSpec::default()
    };
    for (dollars, taken) in [
        (12_250, None),
        (12_400, Some(Taken::Partial)),
        (14_600, Some(Taken::Partial)),
        (14_700, Some(Taken::Over(0))),
    ] {
        let mut scene = Scene::on(World::program_test(), &spec);
        scene.world.advance(60);
        let sol = scene.market.quote_feed;
        scene.world.set_price(&sol, usd(dollars), 0);
        match taken {
            Some(taken) => assert_eq!(liquidate(&mut scene), taken),
            None => healthy(&mut scene),
        }
    }
}

#[test]
fn debt_that_no_number_can_hold_stops_it() {
    let Scene {
        mut world,
        market,
        kate,
        position,
        ..
    } = overgrown();
    let liquidate = ix::liquidate(&market, &position.address, &kate.key());
    world.assert_error_unchanged(&[liquidate], &[&kate], BreakwaterError::Overflow);
}

#[test]
fn every_kind_of_feed_and_token_will_do() {
    for spec in all_feed_kinds().into_iter().chain(both_token_programs()) {
        let mut scene = Scene::on(World::program_test(), &spec);
        scene.price(80);
        assert_eq!(liquidate(&mut scene), Taken::Partial);
    }
}

#[test]
fn either_receiver_may_have_posted_the_price() {
    for spec in both_receivers() {
        let mut scene = Scene::on(World::program_test(), &spec);
        scene.price(80);
        assert_eq!(liquidate(&mut scene), Taken::Partial);
    }
}

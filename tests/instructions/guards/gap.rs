//! Two prices: an account is judged at the higher of spot and guarded price, and settled at the lower. How far apart
//! they may be limits a partial liquidation, and nothing else.

use super::{liquidation, spec, without_interest};
use crate::{
    liquidate::formula::Judged,
    scene::{Scene, USDC},
};
use breakwater::error::BreakwaterError;
use breakwater_engine::{Bps, Config, Level, Price, Quote, actions::Liquidation};
use breakwater_testkit::{World, default_config};

/// Q64.64 of a price in cents, for 9 and 6 decimals.
pub fn price(cents: u128) -> Price {
    Price::from_raw((cents << 64) / (100 * 1_000))
}

/// A market that clamps to `guarded` cents while spot is at `spot`, in units of 10⁻⁸ dollars; both EMAs are at
/// the guarded price.
pub fn apart(config: Config, guarded: u128, spot: i64) -> Scene {
    let config = Config {
        velocity_slack: Bps(0),
        ..without_interest(config)
    };
    let mut scene = Scene::on(World::lite(), &spec(config));
    scene.world.advance(60);
    let (feed, quote) = (scene.market.collateral_feed, scene.market.quote_feed);
    scene.world.settle_price(&feed, spot, 0);
    scene.world.settle_price(&quote, 100_000_000, 0);
    scene.edit_guard(|guard| {
        guard.reference = price(guarded);
        guard.own_ema = price(guarded);
    });
    scene
}

/// Both prices as a liquidation finds them: h, l.
fn found(scene: &mut Scene, guarded: u128) -> (u128, u128) {
    let spot = crate::liquidate::formula::spot(&mut scene.world, &scene.market);
    let guarded = price(guarded).raw();
    (spot.max(guarded), spot.min(guarded))
}

fn judged(scene: &mut Scene, guarded: u128) -> Judged {
    let (high, low) = found(scene, guarded);
    scene.judged_at(high, low)
}

/// Spot that is `gap` hundredths of a basis point below (or above) so many cents, units of 10⁻⁸ dollars.
fn spot_at(guarded: i64, gap: i64) -> i64 {
    guarded * (1_000_000 - gap)
}

#[test]
fn judged_high_and_settled_low_whichever_of_the_two_is_lower() {
    // 6,500 on 100 SOL, at LTVs of 80.2% to 91.5% at the higher price.
    for cents in [8_100i64, 7_600, 7_100] {
        for gap in [1, 2_500, 10_000, 19_900, -1, -2_500, -19_900] {
            let guarded = u128::from(cents.unsigned_abs());
            let mut scene = apart(default_config(), guarded, spot_at(cents, gap));
            let judged = judged(&mut scene, guarded);
            let step = if judged.debt * 10_000 > judged.value() * 8_000 {
                scene.stepped_at(judged)
            } else {
                scene.liquidation_fails(BreakwaterError::AccountHealthy);
                continue;
            };
            assert!(!step.taken_over);
            // What was given for the debt is worth it, and the penalty, at the lower price.
            let worth = (judged.low * u128::from(step.seized.0)) >> 64;
            let exact = u128::from(step.repaid.0) * 10_100 / 10_000;
            assert!(exact.abs_diff(worth) <= 1, "{worth} {exact}");
            assert_eq!(scene.level(), Level::Guarded);
        }
    }
}

#[test]
fn a_full_liquidation_at_two_prices_ends_at_the_target_at_the_higher() {
    // A step of all that is wanted.
    let config = Config {
        guarded_close_factor: Bps(10_000),
        ..default_config()
    };
    for gap in [5_000, 19_900, -19_900] {
        let mut scene = apart(config, 7_700, spot_at(7_700, gap));
        let before = judged(&mut scene, 7_700);
        let repaid = u128::from(scene.stepped_at(before).repaid.0);
        let after = judged(&mut scene, 7_700);
        let limit = after.value() * 7_500;
        // Within what rounding τ(1+β)h/l up to a hundred-millionth takes, and a few atoms.
        let rounding = (repaid / 10_000_000 + 10) * 10_000;
        assert!(after.debt * 10_000 <= limit + 20_000, "{after:?}");
        assert!(after.debt * 10_000 + rounding >= limit, "{after:?}");
    }
}

#[test]
fn the_largest_gap_is_allowed_and_a_tick_beyond_it_stops_partial_liquidations_only() {
    let max_gap = i64::from(default_config().max_gap.0) * 100;
    assert_eq!(max_gap, 20_000);
    // Partial: to the tick, of a hundred-millionth of a dollar; at the very limit rounding decides.
    for (tick, allowed) in [(1, true), (-1, false)] {
        let mut scene = apart(default_config(), 7_700, spot_at(7_700, max_gap) + tick);
        if allowed {
            let judged = judged(&mut scene, 7_700);
            scene.stepped_at(judged);
        } else {
            scene.liquidation_fails(BreakwaterError::PriceGapTooWide);
        }
    }
    // Guarded below spot: 1 − l/h is of spot then.
    for (spot, allowed) in [(7_857_142_857, true), (7_857_142_858, false)] {
        let mut scene = apart(default_config(), 7_700, spot);
        if allowed {
            let judged = judged(&mut scene, 7_700);
            scene.stepped_at(judged);
        } else {
            scene.liquidation_fails(BreakwaterError::PriceGapTooWide);
        }
    }
    // Take-overs: judged at the higher price as everybody, and taken however far below it the lower is.
    for gap in [0, max_gap, max_gap + 1, 50_000, 500_000, 990_000, -10_000] {
        let mut scene = apart(default_config(), 6_700, spot_at(6_700, gap));
        let judged = judged(&mut scene, 6_700);
        let taken = scene.stepped_at(judged);
        assert!(taken.taken_over && taken.whole);
        assert_eq!(taken.price.raw(), judged.low);
        assert_eq!(
            u128::from(taken.deficit.0),
            judged.debt.saturating_sub(judged.settled_value())
        );
    }
}

#[test]
fn a_wick_alone_takes_nobody_over() {
    // Spot is far below, and the guarded price says that the account is healthy, or partial at most.
    for (guarded, error) in [
        (8_200, BreakwaterError::AccountHealthy),
        (8_126, BreakwaterError::AccountHealthy),
        (7_700, BreakwaterError::PriceGapTooWide),
        (6_850, BreakwaterError::PriceGapTooWide),
    ] {
        for spot in [60, 30, 1] {
            let mut scene = apart(default_config(), guarded, spot * 100_000_000);
            scene.liquidation_fails(error);
        }
    }
}

#[test]
fn where_the_gap_was_allowed_to_eat_the_margin_only_a_takeover_would_help() {
    // No market may have such a limit: it must be less than the margin at the take-over LTV. Were it larger, who is
    // below water at the lower price would still not be taken at a loss.
    let config = Config {
        max_gap: Bps(1_000),
        ..default_config()
    };
    assert_eq!(config.validate(), Err(breakwater_engine::Error::GapTooLarge));
    let mut scene = apart(default_config(), 6_950, spot_at(6_950, 70_000));
    let config = Config {
        max_gap: Bps(1_000),
        ..scene.world.market_state(&scene.market).config
    };
    scene.world.set_config(&scene.market, config);
    // 93.5% at the higher price, 100.6% at the lower.
    let judged = judged(&mut scene, 6_950);
    assert!(judged.settled_value() < judged.debt);
    scene.liquidation_fails(BreakwaterError::CollateralBelowDebt);
    let outcome = scene
        .world
        .liquidate_batch(&scene.market, &scene.kate, &[&scene.position])
        .unwrap();
    assert_eq!(outcome.liquidated(), []);
}

#[test]
fn who_is_taken_over_at_two_prices_keeps_nothing() {
    // From 90% on here: judged at the higher price, and worth less at the lower one.
    let config = Config {
        takeover_ltv: Bps(9_000),
        takeover_penalty: Bps(1_200),
        stress_fall: Bps(1_000),
        stress_max: Bps(1_000),
        ..default_config()
    };
    for (cents, gap) in [(7_200i64, 5_000), (7_200, 45_000), (7_200, -50_000)] {
        let mut scene = apart(config, u128::from(cents.unsigned_abs()), spot_at(cents, gap));
        let judged = judged(&mut scene, u128::from(cents.unsigned_abs()));
        if judged.debt * 10 < judged.value() * 9 {
            scene.liquidation_fails(BreakwaterError::PriceGapTooWide);
            continue;
        }
        let taken = scene.stepped_at(judged);
        assert_eq!(taken.collateral_after.0, 0, "{taken:?}");
    }
}

#[test]
fn guardians_earn_nothing_of_a_takeover_while_guarded_and_their_part_of_a_step() {
    let earned = |guarded: u128, spot: i64| -> (u64, Liquidation) {
        let mut scene = apart(default_config(), guarded, spot);
        let gina = scene.world.guardian(&scene.market, "gina", 50_000 * USDC);
        scene
            .world
            .guardian_deposit(&scene.market, &gina, 50_000 * USDC)
            .unwrap();
        let claim = |scene: &mut Scene| scene.world.market_state(&scene.market).books.guardians.claim.0;
        let before = claim(&mut scene);
        let done = liquidation(scene.world.liquidate(&scene.kate, &scene.position)).unwrap();
        (claim(&mut scene) - before, done)
    };
    // A third of the capital is theirs, half of that part of the penalty.
    let (step, done) = earned(7_700, spot_at(7_700, 5_000));
    let sixth = done.repaid.0 / 100 / 6;
    assert!(
        step <= sixth && step + done.repaid.0 / 100 / 2_000 >= sixth,
        "{step} {sixth}"
    );
    let (normal, done) = earned(6_700, spot_at(6_700, 0));
    let sixth = done.repaid.0 / 100 / 6;
    assert!(done.taken_over && done.penalty > Bps(100));
    assert!(
        normal <= sixth && normal + done.repaid.0 / 100 / 2_000 >= sixth,
        "{normal} {sixth}"
    );
    let (guarded, done) = earned(6_700, spot_at(6_700, 5_000));
    assert!(done.taken_over && done.deficit == Quote(0));
    assert_eq!(guarded, 0);
}

//! Owners who liquidate themselves behind guards, with every part in it: owner, keeper, and guardian for all of the
//! backstop. They are settled at the lower of spot and guarded price, so no gap between the two pays them anything.
//! Their gain from an old price is bounded: (the move of the price since it was published − the penalty) × the debt.

use super::{gap::apart, quiet};
use crate::scene::{Scene, USDC};
use breakwater_engine::{Bps, Config, actions::Liquidation};
use breakwater_testkit::{Position, default_config};

/// 100 SOL and a debt of $6,500: at this guarded price its LTV is 65 ÷ it.
const GUARDED_CENTS: [i64; 6] = [
    8_100, // 80.2%: partial
    7_600, // 85.5%
    6_900, // 94.2%
    6_800, // 95.6%: taken over, with 4% left
    6_520, // 99.7%: with hardly any
    6_200, // under water
];

/// An owner with a ledger of her own, and as guardian nearly all of the backstop's capital is hers.
fn owner_at(guarded: i64, spot: i64) -> Scene {
    let mut scene = apart(default_config(), u128::from(guarded.unsigned_abs()), spot);
    let (market, alice) = (scene.market, scene.alice.clone());
    scene.world.open_keeper_ledger(&market, &alice).unwrap();
    scene.world.open_guardian_position(&market, &alice).unwrap();
    scene.world.fund(&alice, &market.quote_mint, 50_000_000 * USDC);
    scene
        .world
        .guardian_deposit(&market, &alice, 50_000_000 * USDC)
        .unwrap();
    scene
}

/// Her gain when she liquidates herself, quote atoms × 2^64, if the truth is `truth` × 10⁻⁸ dollars: the debt
/// that she is relieved of, less the collateral that she gives, her bounty, and what her claim on the backstop earns.
#[track_caller]
fn gained(scene: &mut Scene, truth: i64) -> (i128, Liquidation) {
    let claim = |scene: &mut Scene| i128::from(scene.world.market_state(&scene.market).books.guardians.claim.0);
    let before = claim(scene);
    let Scene {
        world, alice, position, ..
    } = scene;
    let outcome = world.liquidate(alice, position).unwrap();
    let done = outcome.liquidation();
    let given = i128::from(done.seized.0) * ((i128::from(truth) << 64) / 100_000_000 / 1_000);
    let earned = claim(scene) - before + i128::from(done.bounty.0);
    // What was owed beyond the collateral nobody would have paid.
    let reduced = i128::from(done.repaid.0 - done.deficit.0);
    (((reduced + earned) << 64) - given, done)
}

const ATOM: i128 = 1 << 64;

#[test]
fn no_gap_between_the_two_prices_pays_her_anything() {
    for guarded in GUARDED_CENTS {
        // Spot below the guarded price and above it, by up to 2%, in tenths of a percent; the truth is what spot says.
        for gap in (-20..=20).step_by(4) {
            let spot = guarded * (1_000_000 - gap * 1_000);
            let healthy = 6_500 * 10_000 <= 8_000 * guarded.max(spot / 1_000_000);
            if healthy {
                continue;
            }
            let mut scene = owner_at(guarded, spot);
            let (gain, done) = gained(&mut scene, spot);
            // Rounded down: value, seizure, and the parts of a penalty.
            let atoms = 4 * ATOM;
            if done.taken_over {
                // The bounty is whoever's is first; all that was left is gone for it, up to the largest penalty.
                assert!(
                    gain <= i128::from(done.bounty.0) * ATOM + atoms,
                    "{guarded} {gap}: {gain}"
                );
            } else {
                assert!(gain <= atoms, "{guarded} {gap}: {gain}");
            }
        }
    }
}

#[test]
fn an_old_price_pays_her_what_the_market_moved_since_less_the_penalty() {
    // The market sees $77; the truth is already lower, by up to the 10 bps a second that it may fall, for up to as long
    // as a price may be old, and for as long as the slowest feeds need.
    let config = Config::EXAMPLE;
    let moved = |seconds: i64| i64::from(config.max_velocity.0) * seconds;
    for age in [0, 1, 5, 10, 11, i64::from(config.max_age_long), 30, 60] {
        let shown = 7_700;
        let truth = shown * (1_000_000 - moved(age) * 100);
        let mut scene = owner_at(shown, shown * 1_000_000);
        let (gain, done) = gained(&mut scene, truth);
        assert!(!done.taken_over);
        // (velocity × age − β) × what she is relieved of. As keeper and guardian of it all she may earn β back,
        // half and half; then nothing is above the move itself, but that the penalty is taken in collateral, which is
        // worth less by the move.
        let less = |done: &Liquidation| i128::from(done.repaid.0) * i128::from(moved(age)) / 1_000_000 * ATOM;
        let bound = i128::from(done.repaid.0) * i128::from(moved(age)) / 10_000 * ATOM;
        assert!(gain <= bound + less(&done) + 4 * ATOM, "{age}: {gain} {bound}");
        // As owner and keeper alone, half of β is the backstop's.
        let mut scene = apart(default_config(), 7_700, shown * 1_000_000);
        scene
            .world
            .open_keeper_ledger(&scene.market, &scene.alice.clone())
            .unwrap();
        let (gain, done) = gained(&mut scene, truth);
        let beta = i64::from(config.penalty.0);
        let bound = i128::from(done.repaid.0) * i128::from(2 * moved(age) - beta) / 20_000 * ATOM;
        assert!(gain <= bound + less(&done) + 4 * ATOM, "{age}: {gain} {bound}");
    }
}

#[test]
fn through_a_whole_crash_she_gains_nothing_by_what_the_market_sees() {
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
        let (mut reduced, mut partial) = (0, 0);
        for second in 0..900 {
            let tenths = i64::from(fall * (second + 1).min(seconds));
            let truth = (1_000 - tenths) * 10_000_000;
            scene.tick(1, truth);
            scene.observed();
            for position in &positions {
                let Ok(outcome) = scene.world.liquidate(&scene.mallory, position) else {
                    continue;
                };
                let done = outcome.liquidation();
                let given = i128::from(done.seized.0) * ((i128::from(truth) << 64) / 100_000_000 / 1_000);
                let got = i128::from(done.repaid.0 - done.deficit.0);
                let gift = (got << 64) - given;
                let bounty = i128::from(done.bounty.0) * ATOM;
                assert!(gift <= 3 * ATOM, "{gift}");
                if !done.taken_over {
                    // Half of the penalty is lost at the least.
                    let half = i128::from(done.repaid.0) * ATOM / 200;
                    assert!(gift + bounty <= 4 * ATOM - half, "{gift} {bounty}");
                    partial += done.repaid.0;
                }
                reduced += done.repaid.0;
            }
        }
        assert!(
            reduced > 10_000 * USDC && partial > 0,
            "{fall} {seconds}: {reduced} {partial}"
        );
        scene.world.assert_identities();
    }
}

#[test]
fn the_penalty_of_the_example_is_one_percent() {
    assert_eq!(Config::EXAMPLE.penalty, Bps(100));
}

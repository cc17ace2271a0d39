//! How long a pause holds, and how often: it expires by itself, rests, and cannot be made longer by anybody.

use super::{
    cast::{Cast, Role},
    pause::{KINDS, LIMIT},
    rows_users::users,
};
use crate::{
    backing::{cents, market_with, quick},
    scene::{Scene, USDC},
};
use breakwater::{error::BreakwaterError, events::ActionsPaused};
use breakwater_engine::{Config, Pauses, governance::pause::Kinds};
use breakwater_testkit::{Actor, World, ix};

const REST: u32 = Config::EXAMPLE.halt_cooldown;

/// The scene, with Grace as the emergency admin.
fn scene(world: World) -> (Scene, Actor) {
    let mut scene = Scene::on(world, &market_with(quick()));
    let grace = scene.world.actor("grace");
    scene.world.set_emergency_admin(&grace.key()).unwrap();
    (scene, grace)
}

fn pauses(scene: &mut Scene) -> Pauses {
    scene.world.market_state(&scene.market).pauses
}

#[test]
fn every_action_goes_on_in_the_second_in_which_its_pause_expires() {
    let mut cast = Cast::new(World::program_test());
    let (begun, grace) = (cast.world.snapshot(), Role::EmergencyAdmin.actor());
    for row in users() {
        let (Some(kind), Some(role)) = (row.paused_by, row.allowed()) else {
            continue;
        };
        for seconds in [1, 61, LIMIT] {
            cast.world.restore(&begun);
            cast.world.pause(&cast.market, &grace, kind.0, seconds).unwrap();
            cast.world.advance(seconds);
            let instructions = (row.build)(&mut cast, &role.actor());
            cast.world.send(&instructions, &[&role.actor()]).unwrap();
        }
    }
}

#[test]
fn a_pause_is_of_kinds_that_there_are_and_no_longer_than_the_halt() {
    let (mut scene, grace) = scene(World::program_test());
    let authority = scene.world.authority().clone();
    for signer in [&grace, &authority] {
        for (kinds, seconds, expected) in [
            (0, 1, BreakwaterError::PauseKindUnknown),
            (64, 1, BreakwaterError::PauseKindUnknown),
            (128, 1, BreakwaterError::PauseKindUnknown),
            (64 | 1, 1, BreakwaterError::PauseKindUnknown),
            (255, 1, BreakwaterError::PauseKindUnknown),
            (0, 0, BreakwaterError::PauseKindUnknown),
            (1, 0, BreakwaterError::PauseTooLong),
            (63, LIMIT + 1, BreakwaterError::PauseTooLong),
            (2, u32::MAX, BreakwaterError::PauseTooLong),
        ] {
            let pause = ix::pause(&scene.market, &signer.key(), kinds, seconds);
            scene.world.assert_error_unchanged(&[pause], &[signer], expected);
        }
    }
    // Every sum of kinds, for the longest.
    let begun = scene.world.snapshot();
    for kinds in 1..=Kinds::ALL.0 {
        let until = scene.world.unix() + i64::from(LIMIT);
        let paused = scene.world.pause(&scene.market, &grace, kinds, LIMIT).unwrap();
        let pause = paused.event::<ActionsPaused>().pause;
        assert_eq!((pause.kinds, pause.until), (kinds, until));
        let bit = |kind: Kinds| if Kinds(kinds).has(kind) { until } else { 0 };
        let [supply, borrow, withdraw, liquidate, sell, guardian_deposit] = KINDS.map(bit);
        let expected = Pauses {
            supply,
            borrow,
            withdraw,
            liquidate,
            sell,
            guardian_deposit,
        };
        assert_eq!(pauses(&mut scene), expected);
        scene.world.restore(&begun);
    }
}

#[test]
fn nobody_makes_it_longer_by_whatever_call() {
    let (mut scene, grace) = scene(World::lite());
    let authority = scene.world.authority().clone();
    for kind in KINDS {
        let begun = scene.world.snapshot();
        scene.world.pause(&scene.market, &grace, kind.0, 60).unwrap();
        for wait in [0, 30, 30, REST - 1] {
            scene.world.advance(wait);
            for signer in [&grace, &authority] {
                for kinds in (1..=Kinds::ALL.0).filter(|kinds| Kinds(*kinds).has(kind)) {
                    // All of one call or nothing: what is not resting is not paused with what is.
                    let again = ix::pause(&scene.market, &signer.key(), kinds, 1);
                    let expected = BreakwaterError::PauseCooldown;
                    scene.world.assert_error_unchanged(&[again], &[signer], expected);
                }
            }
        }
        scene.world.advance(1);
        scene.world.pause(&scene.market, &authority, kind.0, LIMIT).unwrap();
        scene.world.restore(&begun);
    }
}

#[test]
fn another_emergency_admin_or_authority_finds_it_resting() {
    let (mut scene, grace) = scene(World::program_test());
    let (pia, authority) = (scene.world.actor("pia"), scene.world.authority().clone());
    scene.world.pause(&scene.market, &grace, Kinds::ALL.0, 60).unwrap();
    scene.world.propose_authority(&pia.key()).unwrap();
    scene.world.accept_authority(&pia).unwrap();
    let pause = |signer: &Actor| [ix::pause(&scene.market, &signer.key(), 1, 1)];
    let (by_pia, by_former) = (pause(&pia), pause(&authority));
    let expected = BreakwaterError::PauseCooldown;
    scene.world.assert_error_unchanged(&by_pia, &[&pia], expected);
    let expected = BreakwaterError::WrongEmergencyAdmin;
    scene.world.assert_error_unchanged(&by_former, &[&authority], expected);
}

#[test]
fn twice_in_one_transaction_is_once_too_often() {
    let (mut scene, grace) = scene(World::program_test());
    let pause = |kinds, seconds| ix::pause(&scene.market, &grace.key(), kinds, seconds);
    for pair in [[pause(1, 1), pause(1, LIMIT)], [pause(3, LIMIT), pause(6, LIMIT)]] {
        scene
            .world
            .assert_error_unchanged(&pair, &[&grace], BreakwaterError::PauseCooldown);
    }
    // Kinds that have nothing to do with each other are two pauses.
    let apart = [
        ix::pause(&scene.market, &grace.key(), 1, 1),
        ix::pause(&scene.market, &grace.key(), 2, 2),
    ];
    scene.world.send(&apart, &[&grace]).unwrap();
}

#[test]
fn pause_and_halt_together_stop_liquidations_for_no_more_than_their_part_of_the_time() {
    // Whoever has both keys pauses and halts as soon and as long as the program lets him, for a week, one after the
    // other.
    let (mut scene, grace) = scene(World::lite());
    let step = 300;
    let (mut stopped, mut in_a_row, mut longest) = (0, 0, 0);
    for _ in 0..7 * 86_400 / step {
        scene.world.advance(step);
        let (now, state) = (scene.world.unix(), scene.world.market_state(&scene.market));
        let (market, world) = (scene.market, &mut scene.world);
        // The pause begins when the emergency halt ends.
        if now >= state.guard.halt_until && now >= state.pauses.liquidate {
            let _ = world.emergency_halt(&market, &grace, LIMIT);
        }
        let state = world.market_state(&market);
        if now >= state.guard.halt_until {
            let _ = world.pause(&market, &grace, Kinds::LIQUIDATE.0, LIMIT);
        }
        let state = world.market_state(&market);
        if state.guard.halt_until > now || state.pauses.liquidate > now {
            stopped += step;
            in_a_row += step;
        } else {
            in_a_row = 0;
        }
        longest = longest.max(in_a_row);
    }
    // Two hours in a row, and two of five.
    assert_eq!(longest, 2 * LIMIT);
    let rounds = (7 * 86_400u32).div_ceil(LIMIT + REST);
    assert!(stopped <= rounds * 2 * LIMIT, "{stopped}");
    assert!(stopped >= (rounds - 1) * 2 * LIMIT, "{stopped}");
}

#[test]
fn liquidation_goes_on_where_it_was_stopped() {
    let (mut scene, grace) = scene(World::program_test());
    scene.world.advance(60);
    scene.world.settle_price(&scene.market.collateral_feed, cents(80_00), 0);
    scene
        .world
        .pause(&scene.market, &grace, Kinds::LIQUIDATE.0, LIMIT)
        .unwrap();
    let liquidate = ix::liquidate(&scene.market, &scene.position.address, &scene.kate.key());
    let batch = ix::liquidate_batch(&scene.market, &scene.kate.key(), &[scene.position.address]);
    for attempt in [&liquidate, &batch] {
        let expected = BreakwaterError::ActionPaused;
        let kate = scene.kate.clone();
        scene
            .world
            .assert_error_unchanged(std::slice::from_ref(attempt), &[&kate], expected);
    }
    // Who is threatened can save himself meanwhile.
    scene.world.repay(&scene.position, 200 * USDC).unwrap();
    scene.world.advance(LIMIT);
    let expected = BreakwaterError::AccountHealthy;
    let kate = scene.kate.clone();
    scene.world.assert_error_unchanged(&[liquidate], &[&kate], expected);
}

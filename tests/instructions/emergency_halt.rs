//! `emergency_halt`. The actions that it halts, and those that it does not, are in `guards::emergency_halt`.

use anchor_lang::prelude::Pubkey;
use breakwater::{
    error::BreakwaterError,
    events::{EmergencyHalted, LevelChanged},
};
use breakwater_client::MarketKeys;
use breakwater_engine::{Guard, Level, price::guard::HaltStarted};
use breakwater_testkit::{Actor, MarketSpec, World, ix};

/// A world with a market, the authority and an emergency admin.
fn guarded() -> (World, MarketKeys, Actor, Actor) {
    let mut world = World::program_test();
    let market = world.market(&MarketSpec::default());
    let (authority, grace) = (world.authority().clone(), world.actor("grace"));
    world.set_emergency_admin(&grace.key()).unwrap();
    (world, market, authority, grace)
}

#[test]
fn the_emergency_admin_and_the_authority_may() {
    let (mut world, market, authority, grace) = guarded();
    let config = world.market_state(&market).config;
    for (signer, seconds) in [(&grace, 1), (&authority, config.halt_seconds)] {
        let before = world.market_state(&market);
        let until = world.unix() + i64::from(seconds);

        let outcome = world.emergency_halt(&market, signer, seconds).unwrap();

        let halt = HaltStarted { until, from: 0 };
        let event = EmergencyHalted {
            market: market.market,
            signer: signer.key(),
            halt,
        };
        assert_eq!(outcome.event::<EmergencyHalted>(), event);
        // It is the event of this change.
        assert_eq!(outcome.events::<LevelChanged>(), []);
        let mut after = before;
        after.guard = Guard {
            halt_until: until,
            level: Level::Halted.byte(),
            ..before.guard
        };
        // Sales begin anew when it is over.
        after.books.auction.anchor = until * 1_000_000;
        assert_eq!(world.market_state(&market), after);
        world.advance(seconds + config.halt_cooldown);
        world.observe_price(&market).unwrap();
    }
}

#[test]
fn it_tells_the_level_from_which_it_halts() {
    let (mut world, market, _, grace) = guarded();
    let rest = world.market_state(&market).config.halt_cooldown;
    for level in [Level::Normal, Level::Guarded, Level::Halted] {
        let mut guard = world.market_state(&market).guard;
        guard.level = level.byte();
        world.set_guard(&market, guard);
        let halt = world
            .emergency_halt(&market, &grace, 1)
            .unwrap()
            .event::<EmergencyHalted>()
            .halt;
        assert_eq!(halt.from, level.byte());
        world.advance(1 + rest);
    }
}

#[test]
fn nobody_else_may() {
    let (mut world, market, _, grace) = guarded();
    let mallory = world.actor("mallory");
    let pull = |signer: &Actor| [ix::emergency_halt(&market, &signer.key(), 1)];
    world.assert_error_unchanged(&pull(&mallory), &[&mallory], BreakwaterError::WrongEmergencyAdmin);
    // Nor an emergency admin of the past.
    world.replace_emergency_admin(&mallory.key());
    world.assert_error_unchanged(&pull(&grace), &[&grace], BreakwaterError::WrongEmergencyAdmin);
    world.replace_emergency_admin(&Pubkey::default());
    for former in [&grace, &mallory] {
        world.assert_error_unchanged(&pull(former), &[former], BreakwaterError::WrongEmergencyAdmin);
    }
    // The authority needs no emergency admin.
    let authority = world.authority().clone();
    world.send(&pull(&authority), &[&authority]).unwrap();
}

#[test]
fn it_holds_for_a_second_at_least_and_no_longer_than_its_limit() {
    let (mut world, market, authority, grace) = guarded();
    let limit = world.market_state(&market).config.halt_seconds;
    for signer in [&grace, &authority] {
        for seconds in [0, limit + 1, u32::MAX] {
            let pull = ix::emergency_halt(&market, &signer.key(), seconds);
            world.assert_error_unchanged(&[pull], &[signer], BreakwaterError::HaltTooLong);
        }
    }
    world.emergency_halt(&market, &grace, limit).unwrap();
}

#[test]
fn it_rests_before_it_is_pulled_again_whoever_pulls() {
    for held in [1, 3_600] {
        let (mut world, market, authority, grace) = guarded();
        let rest = world.market_state(&market).config.halt_cooldown;
        world.emergency_halt(&market, &grace, held).unwrap();
        let again = [&grace, &authority].map(|signer| (ix::emergency_halt(&market, &signer.key(), 1), signer.clone()));
        for wait in [0, held - 1, 1, rest - 1] {
            world.advance(wait);
            for (pull, signer) in &again {
                world.assert_error_unchanged(std::slice::from_ref(pull), &[signer], BreakwaterError::HaltCooldown);
            }
        }
        world.advance(1);
        world.emergency_halt(&market, &authority, 1).unwrap();
    }
}

#[test]
fn it_halts_one_market() {
    let (mut world, market, _, grace) = guarded();
    let sibling = crate::scene::sibling(&mut world);
    let before = world.market_state(&sibling);
    world.emergency_halt(&market, &grace, 60).unwrap();
    assert_eq!(world.market_state(&sibling), before);
    world.emergency_halt(&sibling, &grace, 60).unwrap();
}

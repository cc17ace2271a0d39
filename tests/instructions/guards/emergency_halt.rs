//! Actions that the emergency halt halts, for how long, and state that it leaves as it is.

use super::levels::stocked;
use crate::scene::{SOL, Scene, USDC};
use breakwater::{
    error::BreakwaterError,
    events::{LevelChanged, PriceObserved},
};
use breakwater_engine::{Config, Level, price::guard::Flags};
use breakwater_testkit::{Actor, ix, pyth::usd};

const LIMIT: u32 = Config::EXAMPLE.halt_seconds;
const REST: u32 = Config::EXAMPLE.halt_cooldown;

/// The emergency admin halts the market.
#[track_caller]
fn pull(scene: &mut Scene, seconds: u32) -> Actor {
    let grace = scene.world.actor("grace");
    scene.world.set_emergency_admin(&grace.key()).unwrap();
    scene.world.emergency_halt(&scene.market, &grace, seconds).unwrap();
    grace
}

/// Everything that needs a price is refused.
#[track_caller]
fn halted(scene: &mut Scene) {
    let Scene {
        world,
        market,
        alice,
        mallory,
        kate,
        position,
        ..
    } = scene;
    let address = &position.address;
    for (attempt, signer) in [
        (ix::borrow(market, address, &alice.key(), 1), &*alice),
        (ix::withdraw_collateral(market, address, &alice.key(), 1), alice),
        (ix::liquidate(market, address, &kate.key()), kate),
        (ix::liquidate_batch(market, &kate.key(), &[*address]), kate),
        (
            ix::buy_inventory(market, &mallory.key(), SOL / 1_000, u64::MAX),
            mallory,
        ),
    ] {
        world.assert_error_unchanged(&[attempt], &[signer], BreakwaterError::MarketHalted);
    }
}

#[test]
fn it_halts_at_once_and_expires_to_the_second() {
    for seconds in [1, 7, LIMIT] {
        let mut scene = stocked();
        pull(&mut scene, seconds);
        assert_eq!(scene.level(), Level::Halted);
        halted(&mut scene);
        scene.tick(seconds - 1, usd(100));
        halted(&mut scene);
        let observation = scene.observed();
        assert_eq!(
            (observation.level, Flags(observation.flags)),
            (2, Flags::EMERGENCY_HALT)
        );
        scene.tick(1, usd(100));
        let outcome = scene.world.observe_price(&scene.market).unwrap();
        let change = outcome.event::<LevelChanged>().change;
        assert_eq!((change.from, change.to, change.flags), (2, 0, 0));
        assert_eq!(outcome.event::<PriceObserved>().observation.flags, 0);
        scene.world.borrow(&scene.position, 1).unwrap();
    }
}

#[test]
fn whatever_comes_first_after_it_finds_the_market_open() {
    let mut scene = stocked();
    pull(&mut scene, LIMIT);
    scene.tick(LIMIT, usd(100));
    // The level that is stored is still Halted; nobody needs to observe first.
    assert_eq!(scene.level(), Level::Halted);
    let outcome = scene.world.borrow(&scene.position, 1).unwrap();
    assert_eq!(outcome.event::<LevelChanged>().change.to, 0);
}

#[test]
fn it_makes_no_account_liquidatable() {
    let mut scene = stocked();
    // Alice at 79% of LTV.
    scene.settle_at(usd(100) * 65 / 79);
    let price = usd(100) * 65 / 79;
    let before = scene.world.margin_account(&scene.position);
    pull(&mut scene, LIMIT);
    for _ in 0..LIMIT / 600 {
        scene.tick(600, price);
        scene.observed();
    }
    scene.liquidation_fails(BreakwaterError::AccountHealthy);
    assert_eq!(scene.world.margin_account(&scene.position), before);
}

#[test]
fn whoever_falls_short_meanwhile_can_be_saved_meanwhile() {
    for add in [true, false] {
        let mut scene = stocked();
        pull(&mut scene, LIMIT);
        for second in 0..LIMIT / 60 {
            scene.tick(60, usd(100) - i64::from(second) * usd(20) / i64::from(LIMIT / 60 - 1));
            scene.observed();
        }
        let rescue = if add {
            ix::deposit_collateral(&scene.market, &scene.position.address, &scene.alice.key(), 5 * SOL)
        } else {
            ix::repay(&scene.market, &scene.position.address, &scene.alice.key(), 300 * USDC)
        };
        scene.world.set_clock(scene.world.unix() - 1, scene.world.slot());
        scene.world.send(&[rescue], &[&scene.alice]).unwrap();
        scene.world.set_clock(scene.world.unix() + 1, scene.world.slot());
        scene.liquidation_fails(BreakwaterError::AccountHealthy);
    }
}

#[test]
fn it_saves_nobody_for_longer_than_it_holds() {
    let mut scene = stocked();
    let grace = pull(&mut scene, LIMIT);
    // 20% in an hour, and somebody looks every minute: the guards follow.
    for second in 0..LIMIT / 60 {
        scene.tick(60, usd(100) - i64::from(second) * usd(20) / i64::from(LIMIT / 60 - 1));
        scene.observed();
        if second + 1 < LIMIT / 60 {
            scene.liquidation_fails(BreakwaterError::MarketHalted);
        }
    }
    let again = ix::emergency_halt(&scene.market, &grace.key(), 1);
    scene
        .world
        .assert_error_unchanged(&[again], &[&grace], BreakwaterError::HaltCooldown);
    let outcome = scene.world.liquidate(&scene.kate, &scene.position).unwrap();
    assert!(outcome.liquidation().repaid.0 > 0);
}

#[test]
fn it_cannot_hold_for_more_than_its_part_of_the_time() {
    // Whoever halts the market as often and for as long as possible, for a week.
    let mut scene = stocked();
    let grace = pull(&mut scene, LIMIT);
    let (mut pulls, begun) = (1, scene.world.unix());
    while scene.world.unix() < begun + 7 * 86_400 {
        scene.world.advance(300);
        pulls += u32::from(scene.world.emergency_halt(&scene.market, &grace, LIMIT).is_ok());
    }
    let most = 7 * 86_400 / (LIMIT + REST) + 1;
    assert_eq!(pulls, most);
}

#[test]
fn the_breaker_below_it_goes_its_own_way() {
    let calm = Config::EXAMPLE.calm_seconds;
    let mut scene = stocked();
    pull(&mut scene, calm / 2);
    // A print too far away, under the emergency halt.
    scene.tick(1, usd(98));
    let flags = Flags(scene.observed().flags);
    assert_eq!(flags, Flags::VELOCITY.with(Flags::EMERGENCY_HALT));
    // The emergency halt is over; the breaker has not been calm for long enough.
    scene.tick(calm / 2, usd(100));
    let observation = scene.observed();
    assert_eq!((observation.level, observation.flags), (1, 0));
    scene.tick(calm / 2, usd(100));
    assert_eq!(scene.observed().level, 0);
    // Nor does the emergency halt hold the breaker up: it falls below it.
    let mut scene = stocked();
    scene.tick(1, usd(98));
    assert_eq!(scene.observed().level, 1);
    pull(&mut scene, 2 * calm);
    for _ in 0..2 {
        scene.tick(calm, usd(100));
        scene.observed();
    }
    assert_eq!(scene.level(), Level::Normal);
}

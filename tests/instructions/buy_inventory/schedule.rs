//! How fast inventory is sold: the promise to the market.

use super::{spec, stocked};
use crate::{
    backing::offer,
    scene::{SOL, Scene, USDC},
};
use breakwater::error::BreakwaterError;
use breakwater_engine::{Collateral, Config, Quote, Schedule};
use breakwater_testkit::{MarketSpec, default_config, pyth::usd};

/// The rate at which 100 SOL are gone in a day, atoms per second.
const RATE: u64 = 100 * SOL / 86_400;

/// A depth at which 100 SOL at $60 are sold in a day: 250 an hour.
fn slow() -> Quote {
    Quote(250 * USDC * 2 / 3)
}

/// Sells exactly this much: an atom more is refused first.
#[track_caller]
fn no_more_than(scene: &mut Scene, amount: u64) {
    scene.refused(amount + 1, u64::MAX, BreakwaterError::UnwindTooFast);
    scene.bought(amount);
}

/// Parameters under which a hundred SOL go at the highest rate, and no faster.
fn fast() -> Config {
    Config {
        market_depth: slow(),
        ..default_config()
    }
}

#[test]
fn at_once_a_burst_can_be_sold_and_then_what_the_rate_allows() {
    let mut scene = stocked(&MarketSpec::default());
    no_more_than(&mut scene, RATE * 600);
    scene.refused(1, u64::MAX, BreakwaterError::UnwindTooFast);
    for seconds in [1, 7, 100] {
        scene.world.advance(seconds);
        // The rate follows what is left.
        let rate = scene.inventory() / 86_400;
        no_more_than(&mut scene, rate * u64::from(seconds));
    }
}

#[test]
fn who_is_behind_schedule_may_catch_up() {
    let mut scene = stocked(&MarketSpec::default());
    scene.world.advance(3_600);
    no_more_than(&mut scene, RATE * 4_200);
    // But no further back than to where the discount is largest.
    let mut scene = stocked(&MarketSpec::default());
    scene.world.advance(10 * 3_600);
    no_more_than(&mut scene, RATE * (5 * 3_600 + 600));
}

#[test]
fn hours_without_buyers_do_not_let_hours_go_at_once() {
    let mut scene = stocked(&spec(fast()));
    scene.world.advance(4 * 3_600);
    no_more_than(&mut scene, RATE * 600);
    scene.world.advance(60);
    no_more_than(&mut scene, RATE * 60);
    // Many small sales do not get round it.
    scene.world.advance(10);
    for _ in 0..10 {
        scene.bought(RATE);
    }
    scene.refused(1, u64::MAX, BreakwaterError::UnwindTooFast);
}

#[test]
fn in_no_window_is_more_sold_than_promised() {
    let mut scene = stocked(&spec(Config {
        market_depth: Quote(2 * slow().0),
        unwind_burst: 60,
        ..default_config()
    }));
    let mut sales: Vec<(i64, u64)> = Vec::new();
    let mut state = 1u64;
    for _ in 0..40 {
        // Any sequence will do, as long as it is the same each time.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        scene.world.advance(u32::try_from(state >> 56).unwrap());
        let available = offer(&mut scene.world, &scene.market).available.0;
        let inventory = scene.inventory();
        assert!(available > 0 || sales.last().is_some_and(|(time, _)| *time == scene.world.unix()));
        if available > 0 {
            if available < inventory {
                scene.refused(available + 1, u64::MAX, BreakwaterError::UnwindTooFast);
            }
            scene.bought(available);
            sales.push((scene.world.unix(), available));
        }
    }
    for (first, (begin, _)) in sales.iter().enumerate() {
        let mut sold = 0;
        for (end, amount) in &sales[first..] {
            sold += amount;
            assert!(
                sold <= 2 * RATE * (end.abs_diff(*begin) + 60),
                "{sold} from {begin} to {end}"
            );
        }
    }
}

#[test]
fn a_small_rest_goes_at_the_lowest_rate() {
    // 100 SOL in 90 days would be 12,860 atoms a second; the lowest rate is 1,000,000.
    let mut scene = stocked(&spec(Config {
        market_depth: Quote(1 << 50),
        ..default_config()
    }));
    no_more_than(&mut scene, 1_000_000 * 600);
}

#[test]
fn everything_can_be_sold_in_the_end() {
    let config = Config {
        market_depth: Quote(1 << 50),
        ..default_config()
    };
    let mut scene = stocked(&spec(config));
    let sale = scene.bought(100 * SOL);
    assert_eq!(sale.inventory_after, Collateral(0));
    scene.refused(1, u64::MAX, BreakwaterError::InventoryInsufficient);
}

#[test]
fn a_new_schedule_begins_with_new_inventory() {
    let config = Config {
        market_depth: Quote(1 << 50),
        ..default_config()
    };
    let mut scene = stocked(&spec(config));
    scene.bought(100 * SOL);
    let ahead = scene.world.market_state(&scene.market).books.unwind;
    // 100 SOL in 60 s, to the micro-second; the flow at 50 SOL a second.
    let now = scene.world.unix() * 1_000_000;
    assert_eq!(
        ahead,
        Schedule {
            anchor: now + 60_000_001,
            used_until: now + 60_000_001
        }
    );

    // An hour later, another account is taken over: its schedule begins then.
    scene.settle(100);
    scene.world.advance(3_600);
    let position = scene.world.open(&scene.market, &scene.mallory, 0).unwrap();
    scene.world.deposit(&position, 10 * SOL).unwrap();
    scene.world.borrow(&position, 600 * USDC).unwrap();
    scene.world.next_slot();
    scene.settle(60);
    scene.world.liquidate(&scene.kate, &position).unwrap();
    let begun = scene.world.market_state(&scene.market).books.unwind;
    assert_eq!(
        begun,
        Schedule {
            anchor: scene.world.unix() * 1_000_000,
            used_until: ahead.used_until
        }
    );
    assert_eq!((scene.ask() * 1_000) >> 64, 60);
}

#[test]
fn sales_that_ran_ahead_still_count_for_new_inventory() {
    let config = Config {
        market_depth: Quote(1 << 50),
        ..default_config()
    };
    let mut scene = stocked(&spec(config));
    let position = scene.world.open(&scene.market, &scene.mallory, 0).unwrap();
    scene.world.deposit(&position, 10 * SOL).unwrap();
    scene.world.borrow(&position, 400 * USDC).unwrap();
    scene.world.next_slot();
    scene.bought(100 * SOL);
    let ahead = scene.world.market_state(&scene.market).books.unwind;
    let feed = scene.market.collateral_feed;
    scene.world.settle_price(&feed, usd(40), 0);
    scene.world.liquidate(&scene.kate, &position).unwrap();
    assert_eq!(scene.world.market_state(&scene.market).books.unwind, ahead);
}

//! How fast inventory is sold: the promise to the market.

use super::{micros, paced, spec, stocked, wide};
use crate::{
    backing::offer,
    scene::{SOL, Scene, USDC},
};
use breakwater::error::BreakwaterError;
use breakwater_engine::{Auction, Collateral, Config, Parameter, Quote};
use breakwater_testkit::{MarketSpec, default_config, pyth::usd};

/// A market that takes everything at once.
fn endless() -> Config {
    Config {
        market_depth: Quote(1 << 50),
        ..default_config()
    }
}

/// The flow limit, quote atoms an hour.
fn hourly(config: &Config) -> u128 {
    u128::from(config.market_depth.0) * wide(config.flow_rate) / 10_000
}

/// Inventory that the flow limit lets go at the higher EMA in this time, collateral atoms.
fn promised(scene: &mut Scene, micros: u128) -> u64 {
    let config = scene.world.market_state(&scene.market).config;
    let value = hourly(&config) * micros / 3_600_000_000;
    u64::try_from((value << 64) / scene.max_ema()).unwrap()
}

/// Sells as much as this many seconds allow, exactly: an atom more is refused first.
#[track_caller]
fn no_more_than(scene: &mut Scene, seconds: u64) {
    let state = scene.world.market_state(&scene.market);
    let now = micros(scene.world.unix());
    let end = now + i128::from(state.config.auction_burst) * 1_000_000;
    let left = u128::try_from(end - i128::from(state.books.auction.used_until).max(now)).unwrap();
    // What was sold before was whole atoms, of 14 micro-seconds each.
    assert!((u128::from(seconds) * 1_000_000).abs_diff(left) < 30, "{left}");
    let amount = promised(scene, left);
    assert_eq!(offer(&mut scene.world, &scene.market).available, Collateral(amount));
    scene.refused(amount + 1, u64::MAX, BreakwaterError::AuctionRateLimited);
    scene.bought(amount);
}

#[test]
fn at_once_a_burst_can_be_sold_and_then_what_the_rate_allows() {
    let mut scene = stocked(&spec(paced()));
    no_more_than(&mut scene, 600);
    scene.refused(17, u64::MAX, BreakwaterError::AuctionRateLimited);
    for seconds in [1, 7, 100] {
        scene.world.advance(seconds);
        no_more_than(&mut scene, u64::from(seconds));
    }
}

#[test]
fn hours_without_buyers_do_not_let_hours_go_at_once() {
    let mut scene = stocked(&spec(paced()));
    scene.world.advance(4 * 3_600);
    no_more_than(&mut scene, 600);
    scene.world.advance(60);
    no_more_than(&mut scene, 60);
    // Many small sales do not get round it: each takes a part of a micro-second more than it is worth.
    scene.world.advance(10);
    let second = promised(&mut scene, 999_999);
    for _ in 0..10 {
        scene.bought(second);
    }
    scene.refused(second / 100, u64::MAX, BreakwaterError::AuctionRateLimited);
}

/// The next of a sequence of numbers: any will do, as long as it is the same each time.
fn next(state: &mut u64) -> u64 {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    *state >> 56
}

#[test]
fn in_no_window_is_more_sold_than_promised_though_averages_and_depth_change() {
    let mut scene = stocked(&spec(Config {
        auction_burst: 60,
        ..paced()
    }));
    let grace = scene.world.actor("grace");
    scene.world.set_emergency_admin(&grace.key()).unwrap();
    let feed = scene.market.collateral_feed;
    // When, how many atoms, and what the flow limit was then, atoms an hour.
    let mut sales: Vec<(i64, u64, u128)> = Vec::new();
    let mut state = 1u64;
    for step in 0..40 {
        scene.world.advance(u32::try_from(next(&mut state)).unwrap());
        let average = 50 + i64::try_from(next(&mut state) % 40).unwrap();
        scene
            .world
            .edit_feed(&feed, |feed| feed.quotation_mut().ema_price = usd(average));
        if step % 10 == 9 && step < 39 {
            // A sixth less at once, three times: more than half is left.
            let depth = scene.world.market_state(&scene.market).config.market_depth.0;
            let lower = scene
                .world
                .change(&scene.market, Parameter::market_depth, depth - depth / 6);
            scene.world.tighten(&scene.market, &grace, &[lower]).unwrap();
        }
        let available = offer(&mut scene.world, &scene.market).available.0;
        let inventory = scene.inventory();
        if available > 0 {
            if available < inventory {
                scene.refused(available + 1, u64::MAX, BreakwaterError::AuctionRateLimited);
            }
            let config = scene.world.market_state(&scene.market).config;
            let limit = (hourly(&config) << 64) / scene.max_ema() + 1;
            scene.bought(available);
            sales.push((scene.world.unix(), available, limit));
        }
    }
    assert!(sales.len() > 20, "{}", sales.len());
    let limits: Vec<u128> = sales.iter().map(|(.., limit)| *limit).collect();
    assert!(limits.iter().max().unwrap() > &(limits.iter().min().unwrap() * 2));
    for (first, (begin, ..)) in sales.iter().enumerate() {
        let (mut sold, mut largest) = (0, 0);
        for (end, amount, limit) in &sales[first..] {
            (sold, largest) = (sold + u128::from(*amount), largest.max(*limit));
            let promised = largest * u128::from(end.abs_diff(*begin) + 60) / 3_600;
            assert!(sold <= promised, "{sold} of {promised} from {begin} to {end}");
        }
    }
}

#[test]
fn everything_can_be_sold_in_the_end() {
    let mut scene = stocked(&spec(endless()));
    let sale = scene.bought(100 * SOL);
    assert_eq!(sale.inventory_after, Collateral(0));
    scene.refused(1, u64::MAX, BreakwaterError::InventoryInsufficient);
}

/// Mallory borrows 600 on 10 SOL at $100 and is taken over at $60.
fn another_arrives(scene: &mut Scene) {
    scene.settle(100);
    let position = scene.world.open(&scene.market, &scene.mallory, 0).unwrap();
    scene.world.deposit(&position, 10 * SOL).unwrap();
    scene.world.borrow(&position, 600 * USDC).unwrap();
    scene.world.next_slot();
    scene.settle(60);
    scene.world.liquidate(&scene.kate, &position).unwrap();
}

#[test]
fn a_new_schedule_begins_with_new_inventory() {
    let mut scene = stocked(&spec(endless()));
    scene.bought(100 * SOL);
    let ahead = scene.world.market_state(&scene.market).books.auction;
    // 6,000 dollars at 1.5 × 2^50 atoms an hour, rounded up to the micro-second.
    let mark = scene.world.unix() * 1_000_000 + 12_790;
    assert_eq!((ahead.anchor, ahead.used_until), (mark, mark));

    // An hour later, another account is taken over: its schedule begins then.
    scene.world.advance(3_600);
    another_arrives(&mut scene);
    let begun = scene.world.market_state(&scene.market).books.auction;
    assert_eq!(
        begun,
        Auction {
            anchor: scene.world.unix() * 1_000_000,
            used_until: ahead.used_until
        }
    );
    assert_eq!((scene.ask(0) * 1_000) >> 64, 60);
}

#[test]
fn a_crumb_that_grew_cheap_does_not_make_new_inventory_cheap() {
    // All but a thousandth of a SOL is sold at once, and nobody wants the rest.
    let mut scene = stocked(&spec(endless()));
    scene.bought(100 * SOL - SOL / 1_000);
    scene.world.advance(4 * 3_600);
    assert_eq!(offer(&mut scene.world, &scene.market).discount, 500);
    another_arrives(&mut scene);
    // 6 cents at that flow are no micro-second of lag.
    let offered = offer(&mut scene.world, &scene.market);
    assert_eq!(offered.discount, 0);
    assert_eq!(
        scene.world.market_state(&scene.market).books.auction.anchor,
        scene.world.unix() * 1_000_000
    );
    // What takes a day to sell keeps the discount that it has grown to.
    let mut scene = stocked(&spec(paced()));
    scene.world.advance(4 * 3_600);
    let anchor = scene.world.market_state(&scene.market).books.auction.anchor;
    another_arrives(&mut scene);
    assert_eq!(scene.world.market_state(&scene.market).books.auction.anchor, anchor);
    assert_eq!(offer(&mut scene.world, &scene.market).discount, 500);
}

#[test]
fn sales_that_ran_ahead_still_count_for_new_inventory() {
    let mut scene = stocked(&spec(endless()));
    let position = scene.world.open(&scene.market, &scene.mallory, 0).unwrap();
    scene.world.deposit(&position, 10 * SOL).unwrap();
    scene.world.borrow(&position, 400 * USDC).unwrap();
    scene.world.next_slot();
    scene.bought(100 * SOL);
    let ahead = scene.world.market_state(&scene.market).books.auction;
    let feed = scene.market.collateral_feed;
    scene.world.settle_price(&feed, usd(40), 0);
    scene.world.liquidate(&scene.kate, &position).unwrap();
    assert_eq!(scene.world.market_state(&scene.market).books.auction, ahead);
}

#[test]
fn a_deeper_market_takes_more_in_the_same_time() {
    let [shallow, deep] = [1, 2].map(|times| {
        let config = Config {
            market_depth: Quote(paced().market_depth.0 * times),
            ..paced()
        };
        let mut scene = stocked(&spec(config));
        offer(&mut scene.world, &scene.market).available.0
    });
    // Each is rounded down to an atom of either token.
    assert!((2 * shallow..=2 * shallow + 40).contains(&deep), "{shallow} {deep}");
    let mut scene = stocked(&MarketSpec::default());
    assert_eq!(offer(&mut scene.world, &scene.market).available, Collateral(100 * SOL));
}

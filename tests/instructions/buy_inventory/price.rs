//! The ask. [`Scene::bought`] checks each ask against the formula.

use super::{paced, spec, stocked};
use crate::scene::{SOL, Scene};
use breakwater::error::BreakwaterError;
use breakwater_engine::{Bps, Config};
use breakwater_testkit::{MarketSpec, default_config, pyth::usd};

/// Cost of a milli-SOL now, quote atoms.
#[track_caller]
fn cost(scene: &mut Scene) -> u64 {
    scene.bought(SOL / 1_000).cost.0
}

#[test]
fn on_schedule_it_is_the_upper_end_of_the_confidence_interval() {
    // 60.06 / 0.999
    assert_eq!(cost(&mut stocked(&MarketSpec::default())), 60_121);
}

#[test]
fn uncertainty_makes_it_dearer() {
    for (collateral, quote, expected) in [
        (0, 0, 60_000),
        (usd(60) / 50, 0, 61_200),
        (0, usd(1) / 50, 61_225),
        (usd(60) / 50, usd(1) / 50, 62_449),
    ] {
        let mut scene = stocked(&MarketSpec::default());
        for (feed, conf) in [
            (scene.market.collateral_feed, collateral),
            (scene.market.quote_feed, quote),
        ] {
            scene
                .world
                .edit_feed(&feed, |feed| feed.quotation_mut().conf = conf.unsigned_abs());
        }
        // Rounded up twice: the ask, and the cost.
        let cost = cost(&mut scene);
        assert!((expected..=expected + 1).contains(&cost), "{cost}, not {expected}");
    }
}

#[test]
fn behind_schedule_it_falls_to_the_largest_discount() {
    // Three percent an hour, up to five.
    for (minutes, bps) in [
        (0, 0),
        (19, 95),
        (20, 100),
        (50, 250),
        (99, 495),
        (100, 500),
        (101, 500),
        (10_000, 500),
    ] {
        let mut scene = stocked(&MarketSpec::default());
        scene.world.advance(minutes * 60);
        let expected = 60_120_u64 * (10_000 - bps) / 10_000;
        let cost = cost(&mut scene);
        assert!(
            (expected..=expected + 2).contains(&cost),
            "{minutes} minutes: {cost}, not {expected}"
        );
    }
}

#[test]
fn ahead_of_schedule_it_rises_to_the_largest_premium() {
    // Three percent are reached 30 minutes ahead; the burst allows a day.
    let config = Config {
        auction_burst: 86_400,
        auction_slope: Bps(600),
        ..paced()
    };
    let mut scene = stocked(&spec(config));
    let rate = (100 * SOL).div_ceil(86_400);
    let mut asks = Vec::new();
    for minutes in [10, 10, 10, 10, 600] {
        let sale = scene.bought(rate * 60 * minutes);
        asks.push(sale.ask.raw());
    }
    assert!(asks.is_sorted());
    let rise = |ask: u128| (ask * 10_000).div_ceil(asks[0]) - 10_000;
    // Each ten minutes' worth is a percent, and costs the mean: from half a percent on, and no more than three. Rounded
    // up.
    assert_eq!([1, 2, 3, 4].map(|sale| rise(asks[sale])), [100, 200, 249, 249]);
}

/// A market whose floor is 15% below the average, as is the band of Normal.
fn floored() -> MarketSpec {
    let band = Bps(1_500);
    spec(Config {
        auction_floor_band: band,
        ema_band: band,
        own_ema_band: band,
        ..default_config()
    })
}

#[test]
fn a_price_below_its_average_is_not_sold_into_at_a_discount() {
    // At a spot of $60, with Pyth's EMA at $70: the floor is 85% of that, above the largest discount.
    let mut scene = stocked(&floored());
    scene.world.advance(36_000);
    scene.world.observe_price(&scene.market).unwrap();
    assert_eq!(scene.world.market_state(&scene.market).guard.level, 0);
    let feed = scene.market.collateral_feed;
    scene
        .world
        .edit_feed(&feed, |feed| feed.quotation_mut().ema_price = usd(70));
    // 0.85 × 70, rounded up twice.
    assert!((59_500..=59_501).contains(&cost(&mut scene)));
    // An average not far from the price is no floor.
    scene
        .world
        .edit_feed(&feed, |feed| feed.quotation_mut().ema_price = usd(61));
    let discounted = cost(&mut scene);
    assert!((57_000..57_200).contains(&discounted), "{discounted}");
}

#[test]
fn the_average_of_the_quote_token_counts_in_the_floor() {
    let mut scene = stocked(&floored());
    scene.world.advance(36_000);
    scene.world.observe_price(&scene.market).unwrap();
    let feed = scene.market.quote_feed;
    scene
        .world
        .edit_feed(&feed, |feed| feed.quotation_mut().ema_price = usd(1) / 100 * 87);
    // 0.85 × 60 / 0.87 = 58.62…
    let cost = cost(&mut scene);
    assert!((58_620..=58_622).contains(&cost), "{cost}");
}

#[test]
fn a_missing_average_stops_sales() {
    for ema_price in [0, -1, i64::MIN] {
        let mut scene = stocked(&MarketSpec::default());
        for feed in [scene.market.collateral_feed, scene.market.quote_feed] {
            let before = scene.world.shown(&feed);
            scene
                .world
                .edit_feed(&feed, |feed| feed.quotation_mut().ema_price = ema_price);
            scene.refused(1, u64::MAX, BreakwaterError::EmaUnavailable);
            scene.world.show(&feed, before);
        }
        cost(&mut scene);
    }
}

#[test]
fn a_price_must_be_as_fresh_as_for_borrowing() {
    let mut scene = stocked(&MarketSpec::default());
    scene.world.advance_silently(11);
    scene.refused(1, u64::MAX, BreakwaterError::PriceTooOld);
    scene.world.publish_all();
    cost(&mut scene);
}

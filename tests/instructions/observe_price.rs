//! `observe_price`.

use crate::{
    attack::Attack,
    bad_feeds::refuse_bad_feeds,
    scene::{Scene, all_feed_kinds, inverse, sibling},
};
use anchor_lang::prelude::ErrorCode;
use breakwater::{error::BreakwaterError, events::PriceObserved};
use breakwater_client::MarketKeys;
use breakwater_engine::{
    Price,
    oracle::{Observation, Purpose},
};
use breakwater_testkit::{
    Feed, MarketSpec, START, World, ix,
    pyth::{RECEIVERS, usd},
};

/// numerator ÷ denominator × 10⁻³ in Q64.64: the price of a collateral of 9 decimals in a quote token of 6, where both
/// feeds have the same exponent.
fn thousandth(numerator: i64, denominator: i64, round_up: bool) -> Price {
    let [numerator, denominator] = [numerator, denominator].map(|number| u128::try_from(number).unwrap());
    let (scaled, divisor) = (numerator << 64, denominator * 1_000);
    Price::from_raw(if round_up {
        scaled.div_ceil(divisor)
    } else {
        scaled / divisor
    })
}

fn market(spec: &MarketSpec) -> (World, MarketKeys) {
    let mut world = World::program_test();
    let market = world.market(spec);
    (world, market)
}

#[test]
fn both_feeds_make_one_price_and_their_times_are_recorded() {
    for spec in all_feed_kinds() {
        let (mut world, market) = market(&spec);
        world.advance(7);
        world.set_price(&market.collateral_feed, usd(143) + 1, 4_321_000);
        world.advance(2);
        world.set_price(&market.quote_feed, usd(1) - 77, 54_321);
        // The collateral was published a second earlier.
        world.edit_feed(&market.collateral_feed, |feed| feed.quotation_mut().publish_time -= 1);
        let mut expected = world.market_state(&market);

        let outcome = world.observe_price(&market).unwrap();

        let observation = Observation {
            spot: thousandth(14_300_000_001, 99_999_923, false),
            low: thousandth(14_300_000_001 - 4_321_000, 99_999_923 + 54_321, false),
            high: thousandth(14_300_000_001 + 4_321_000, 99_999_923 - 54_321, true),
            collateral_published: START + 8,
            quote_published: START + 9,
        };
        let event = PriceObserved {
            market: market.market,
            observation,
        };
        assert_eq!(outcome.event::<PriceObserved>(), event);
        expected.oracle.collateral_published = START + 8;
        expected.oracle.quote_published = START + 9;
        assert_eq!(world.market_state(&market), expected);
    }
}

#[test]
fn either_receiver_may_have_posted_a_pull_update() {
    let (mut world, market) = market(&MarketSpec::default());
    for (collateral, quote) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        for (feed, receiver) in [(market.collateral_feed, collateral), (market.quote_feed, quote)] {
            world.edit_feed(&feed, |feed| {
                let Feed::Pull(update) = feed else {
                    panic!("not a pull feed: {feed:?}")
                };
                update.receiver = RECEIVERS[receiver];
            });
        }
        let event = world.observe_price(&market).unwrap().event::<PriceObserved>();
        assert_eq!(event.observation.spot, thousandth(usd(100), usd(1), false));
    }
}

#[test]
fn a_push_feed_shows_its_own_price_and_never_the_one_before() {
    let [_, push, ..] = all_feed_kinds();
    let (mut world, market) = market(&push);
    world.advance(1);
    world.set_price(&market.collateral_feed, usd(50), usd(50).unsigned_abs() / 1_000);
    let Feed::Push(shown) = world.shown(&market.collateral_feed) else {
        panic!("not a push feed")
    };
    assert_eq!(shown.previous.price, usd(100));
    let event = world.observe_price(&market).unwrap().event::<PriceObserved>();
    assert_eq!(event.observation.spot, thousandth(usd(50), usd(1), false));
}

#[test]
fn exponents_and_decimals_are_applied() {
    // The same price of $25, told with other exponents; a collateral of no decimals, and one of as many as the quote.
    for (decimals, price, expo, spot) in [
        (9, 25, 0, thousandth(25, 1, false)),
        (9, 25_000_000_000_000_000, -15, thousandth(25, 1, false)),
        (6, 250, -1, Price::from_raw(25 << 64)),
        (0, 25, 0, Price::from_raw(25_000_000 << 64)),
    ] {
        let mut spec = MarketSpec::default();
        (spec.collateral.decimals, spec.collateral_feed.price) = (decimals, price);
        (spec.collateral_feed.expo, spec.collateral_feed.conf) = (expo, 0);
        let (mut world, market) = market(&spec);
        let event = world.observe_price(&market).unwrap().event::<PriceObserved>();
        assert_eq!(event.observation.spot, spot, "{decimals} {price} {expo}");
    }
}

#[test]
fn limits_of_time_are_inclusive() {
    let (mut world, market) = market(&MarketSpec::default());
    let config = world.market_state(&market).config;
    world.advance_silently(config.max_age_long);
    world.observe_price(&market).unwrap();
    world.advance_silently(1);
    let observe = ix::observe_price(&market);
    world.assert_error_unchanged(&[observe], &[], BreakwaterError::PriceTooOld);
    let latest = world.unix() + i64::from(config.future_tolerance);
    for feed in [market.collateral_feed, market.quote_feed] {
        world.edit_feed(&feed, |feed| feed.quotation_mut().publish_time = latest);
    }
    let event = world.observe_price(&market).unwrap().event::<PriceObserved>();
    assert_eq!(
        (
            event.observation.collateral_published,
            event.observation.quote_published
        ),
        (latest, latest)
    );
}

#[test]
fn time_never_runs_backwards_for_either_feed() {
    let (mut world, market) = market(&MarketSpec::default());
    world.advance(10);
    world.observe_price(&market).unwrap();
    // The same update again is as good as before.
    world.observe_price(&market).unwrap();
    for feed in [market.collateral_feed, market.quote_feed] {
        world.edit_feed(&feed, |feed| feed.quotation_mut().publish_time -= 1);
        let observe = ix::observe_price(&market);
        world.assert_error_unchanged(&[observe], &[], BreakwaterError::PriceBehindAccepted);
        world.edit_feed(&feed, |feed| feed.quotation_mut().publish_time += 1);
    }
    world.observe_price(&market).unwrap();
    // What another market has accepted does not matter here.
    let sibling = sibling(&mut world);
    world.edit_feed(&market.collateral_feed, |feed| feed.quotation_mut().publish_time -= 1);
    world.observe_price(&sibling).unwrap();
}

#[test]
fn uncertainty_and_a_missing_average_are_recorded_all_the_same() {
    let (mut world, market) = market(&MarketSpec::default());
    world.edit_feed(&market.quote_feed, |feed| feed.quotation_mut().conf = 0);
    for (conf, low) in [
        (usd(3), thousandth(usd(97), usd(1), false)),
        (usd(100) - 1, thousandth(1, usd(1), false)),
        (usd(100), Price::default()),
        (i64::MAX - usd(100), Price::default()),
    ] {
        world.edit_feed(&market.collateral_feed, |feed| {
            let shown = feed.quotation_mut();
            (shown.conf, shown.ema_price) = (conf.unsigned_abs(), 0);
        });
        let observation = world
            .observe_price(&market)
            .unwrap()
            .event::<PriceObserved>()
            .observation;
        let high = thousandth(usd(100) + conf, usd(1), true);
        assert_eq!((observation.low, observation.high), (low, high));
    }
}

#[test]
fn extreme_prices_are_told_or_refused() {
    let (mut world, market) = market(&MarketSpec::default());
    let mut show = |collateral, quote| {
        for (feed, price) in [(market.collateral_feed, collateral), (market.quote_feed, quote)] {
            world.set_price(&feed, price, 0);
        }
        world
            .send(&[ix::observe_price(&market)], &[])
            .map(|outcome| outcome.event::<PriceObserved>().observation.spot)
    };
    let refused = |result| breakwater_testkit::assert_fails_with(result, BreakwaterError::PriceOutOfRange);
    assert_eq!(show(i64::MAX, i64::MAX).unwrap(), thousandth(1, 1, false));
    assert_eq!(show(1, 1).unwrap(), thousandth(1, 1, false));
    // 2⁴⁰ quote atoms for one collateral atom are the end of the range.
    let end = 1_000 << 40;
    assert_eq!(show(end - 1, 1).unwrap(), thousandth(end - 1, 1, false));
    refused(show(end, 1));
    refused(show(i64::MAX, 1));
    // So is less than 2⁻⁶⁴.
    assert_eq!(show(1, (i64::MAX - 807) / 1_000).unwrap(), Price::from_raw(2));
    refused(show(1, i64::MAX));
}

#[test]
fn a_quote_token_that_may_be_worth_nothing_has_no_upper_price() {
    let (mut world, market) = market(&MarketSpec::default());
    for (conf, told) in [(usd(1) - 1, true), (usd(1), false), (i64::MAX, false)] {
        world.edit_feed(&market.quote_feed, |feed| {
            feed.quotation_mut().conf = conf.unsigned_abs();
        });
        if told {
            world.observe_price(&market).unwrap();
        } else {
            let observe = ix::observe_price(&market);
            world.assert_error_unchanged(&[observe], &[], BreakwaterError::PriceOutOfRange);
        }
    }
}

#[test]
fn bad_feeds_are_refused() {
    for spec in all_feed_kinds() {
        let (mut world, market) = market(&spec);
        let mut attack = Attack::on(&mut world, ix::observe_price(&market), &[]);
        refuse_bad_feeds(&mut attack, &market, Purpose::Observe);
        attack.honest_passes();
    }
}

#[test]
fn every_account_is_checked() {
    let Scene {
        mut world,
        market,
        position,
        ..
    } = Scene::new();
    let inverse = inverse(&mut world);
    let (collateral, quote) = (market.collateral_feed, market.quote_feed);
    let mut attack = Attack::on(&mut world, ix::observe_price(&market), &[]);
    attack
        .not_state(&market.market, &position.address)
        .swap(&market.market, &inverse.market, BreakwaterError::WrongFeed)
        .swap(&collateral, &market.market, BreakwaterError::WrongFeedOwner)
        .swap(&collateral, &quote, BreakwaterError::WrongFeed)
        .swap(&quote, &collateral, BreakwaterError::WrongFeed)
        .swap_all(
            &[(&collateral, &market.market), (&quote, &collateral)],
            BreakwaterError::WrongFeedOwner,
        )
        .read_only(&[&market.market])
        .too_few_accounts();
    let mut exchanged = attack.honest.clone();
    exchanged.accounts.swap(1, 2);
    attack.refused(&exchanged, BreakwaterError::WrongFeed);
    let mut short = attack.honest.clone();
    short.accounts.truncate(2);
    attack.refused(&short, ErrorCode::AccountNotEnoughKeys);
    attack.honest_passes();
}

//! `observe_price`.

mod real_accounts;

use crate::{
    attack::Attack,
    bad_feeds::refuse_bad_feeds,
    scene::{all_feed_kinds, both_receivers, redeemable, sibling},
};
use breakwater::{
    error::BreakwaterError,
    events::{LevelChanged, PriceObserved},
};
use breakwater_client::MarketKeys;
use breakwater_engine::{
    Bps, Guard, Price,
    actions::Observation,
    price::{guard::Flags, oracle::PriceUse, volatility::Volatility},
};
use breakwater_testkit::{
    Feed, MarketSpec, START, World, assert_fails_with, ix,
    pyth::{Quotation, close_update, usd},
};
use bytemuck::Zeroable;

/// numerator ÷ denominator × 10⁻³ in Q64.64: the price of a collateral of 9 decimals in a quote token of 6, where
/// both feeds have the same exponent, rounded down.
fn thousandth(numerator: i64, denominator: i64) -> Price {
    let [numerator, denominator] = [numerator, denominator].map(|number| u128::try_from(number).unwrap());
    Price::from_raw((numerator << 64) / (denominator * 1_000))
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

        // The first reading: reference and average begin at it.
        let spot = thousandth(14_300_000_001, 99_999_923);
        let observation = Observation {
            spot,
            guarded: spot,
            own_ema: spot,
            confidence: Bps(5), // 54,321 of 99,999,923
            level: 0,
            flags: 0,
            collateral_published: START + 8,
            quote_published: START + 9,
        };
        let event = PriceObserved {
            market: market.market,
            observation,
        };
        assert_eq!(outcome.event::<PriceObserved>(), event);
        assert_eq!(outcome.events::<LevelChanged>(), []);
        expected.oracle.known = world.market_state(&market).oracle.known;
        let newest = &expected.oracle.known.newest;
        assert_eq!(
            [newest.collateral, newest.quote].map(|reading| (reading.published, reading.accepted_at)),
            [(START + 8, START + 9), (START + 9, START + 9)]
        );
        expected.guard = Guard {
            reference: spot,
            own_ema: spot,
            spot,
            priced_at: START + 8,
            own_ema_at: START + 9,
            moved_at: START + 9,
            caused_at: START + 9,
            ..Guard::zeroed()
        };
        expected.volatility = Volatility {
            price: spot,
            variance: 0,
            updated_at: START + 9,
        };
        // 1,024 shares an atom: at 0.143 atoms of quote for one of collateral, and 80%, 32 × log2 of the ratio is
        // 219.9. 160 bands lie below, and the map begins with the octave below 59.9. What is under water after a fall
        // of 5%: 32 × log2 of the ratio is 230.2 at the price itself, 227.8 after it.
        expected.map.origin = 32;
        expected.map.threshold = 227 - 32;
        expected.map.centered = spot;
        assert_eq!(world.market_state(&market), expected);
    }
}

#[test]
fn a_pull_update_is_read_from_the_receiver_that_is_pinned() {
    for spec in both_receivers() {
        let (mut world, market) = market(&spec);
        let event = world.observe_price(&market).unwrap().event::<PriceObserved>();
        assert_eq!(event.observation.spot, thousandth(usd(100), usd(1)));
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
    assert_eq!(event.observation.spot, thousandth(usd(50), usd(1)));
}

#[test]
fn exponents_and_decimals_are_applied() {
    // The same price of $25, told with other exponents; a collateral of no decimals, and one of as many as the quote.
    for (decimals, price, expo, spot) in [
        (9, 25, 0, thousandth(25, 1)),
        (9, 25_000_000_000_000_000, -15, thousandth(25, 1)),
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
    let latest = world.unix() + breakwater_engine::price::oracle::MAX_AHEAD;
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
        // An older one is not refused, and counts for nothing.
        let known = world.market_state(&market);
        world.observe_price(&market).unwrap();
        assert_eq!(world.market_state(&market), known);
        world.edit_feed(&feed, |feed| feed.quotation_mut().publish_time += 1);
    }
    world.observe_price(&market).unwrap();
    // What another market has accepted does not matter here.
    let sibling = sibling(&mut world);
    world.edit_feed(&market.collateral_feed, |feed| feed.quotation_mut().publish_time -= 1);
    world.observe_price(&sibling).unwrap();
}

/// Shows both feeds at these prices with these confidences and observes them.
#[track_caller]
fn observed(world: &mut World, market: &MarketKeys, shown: [(i64, u64); 2]) -> Observation {
    for (feed, (price, conf)) in [market.collateral_feed, market.quote_feed].into_iter().zip(shown) {
        world.set_price(&feed, price, conf);
    }
    world
        .observe_price(market)
        .unwrap()
        .event::<PriceObserved>()
        .observation
}

#[test]
fn any_uncertainty_is_recorded_and_halts_beyond_its_limit() {
    let (mut world, market) = market(&MarketSpec::default());
    world.observe_price(&market).unwrap();
    let steady = world.market_state(&market).guard;
    let cent = usd(1).unsigned_abs() / 100;
    let (sol, usdc) = (usd(100), usd(1));
    for (shown, confidence, flags) in [
        ([(sol, 0), (usdc, 0)], 0, Flags::NONE),
        ([(sol, 200 * cent), (usdc, 2 * cent)], 200, Flags::NONE),
        ([(sol, 200 * cent + 1), (usdc, 0)], 200, Flags::CONFIDENCE_HALT),
        ([(sol, 0), (usdc, 2 * cent + 1)], 200, Flags::CONFIDENCE_HALT),
        ([(sol, 300 * cent), (usdc, 0)], 300, Flags::CONFIDENCE_HALT),
        ([(sol, 0), (usdc, 100 * cent)], 10_000, Flags::CONFIDENCE_HALT),
        (
            [(sol, 0), (usdc, i64::MAX.unsigned_abs())],
            u32::MAX,
            Flags::CONFIDENCE_HALT,
        ),
        ([(sol, u64::MAX), (usdc, u64::MAX)], u32::MAX, Flags::CONFIDENCE_HALT),
    ] {
        let observation = observed(&mut world, &market, shown);
        assert_eq!(observation.confidence, Bps(confidence));
        assert_eq!(Flags(observation.flags), flags);
        let level = if flags == Flags::NONE { 0 } else { 2 };
        assert_eq!(observation.level, level);
        let guard = world.market_state(&market).guard;
        assert_eq!((guard.reference, guard.own_ema), (steady.reference, steady.own_ema));
        // The next is judged by itself.
        world.set_guard(&market, steady);
    }
}

#[test]
fn a_missing_average_is_recorded_and_guards() {
    let (mut world, market) = market(&MarketSpec::default());
    for feed in [market.collateral_feed, market.quote_feed] {
        for ema_price in [0, -1, i64::MIN] {
            let before = world.shown(&feed);
            world.edit_feed(&feed, |feed| feed.quotation_mut().ema_price = ema_price);
            let observation = world
                .observe_price(&market)
                .unwrap()
                .event::<PriceObserved>()
                .observation;
            assert_eq!((observation.level, Flags(observation.flags)), (1, Flags::NO_EMA));
            world.show(&feed, before);
        }
    }
}

#[test]
fn an_absurd_average_is_recorded_and_guards() {
    let (mut world, market) = market(&MarketSpec::default());
    for feed in [market.collateral_feed, market.quote_feed] {
        for ema_price in [1, i64::MAX] {
            let before = world.shown(&feed);
            world.edit_feed(&feed, |feed| feed.quotation_mut().ema_price = ema_price);
            let observation = world
                .observe_price(&market)
                .unwrap()
                .event::<PriceObserved>()
                .observation;
            // With the wide band of this market, an average of a tiny quote price is not too far below spot.
            let strays = (feed == market.collateral_feed) == (ema_price == 1);
            let flags = if strays { Flags::EMA } else { Flags::NONE };
            assert_eq!(Flags(observation.flags), flags, "{ema_price}");
            world.show(&feed, before);
        }
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
    let refused = |result| assert_fails_with(result, BreakwaterError::PriceOutOfRange);
    assert_eq!(show(i64::MAX, i64::MAX).unwrap(), thousandth(1, 1));
    assert_eq!(show(1, 1).unwrap(), thousandth(1, 1));
    // 2⁴⁰ quote atoms for one collateral atom are the end of the range.
    let end = 1_000 << 40;
    assert_eq!(show(end - 1, 1).unwrap(), thousandth(end - 1, 1));
    refused(show(end, 1));
    refused(show(i64::MAX, 1));
    // So is less than 2⁻⁶⁴.
    assert_eq!(show(1, (i64::MAX - 807) / 1_000).unwrap(), Price::from_raw(2));
    refused(show(1, i64::MAX));
}

/// Collateral over quote, both mantissas with these exponents, of 9 and 6 decimals; `None` if that is no price.
fn composed(collateral: (i64, i32), quote: (i64, i32)) -> Option<Price> {
    let [numerator, denominator] = [collateral.0, quote.0].map(|mantissa| u128::try_from(mantissa).unwrap());
    let shift = collateral.1 - quote.1 - 3;
    let scale = 10u128
        .checked_pow(shift.unsigned_abs())
        .filter(|scale| *scale <= u128::from(u64::MAX))?;
    // Both products are below 2^127.
    let (numerator, denominator) = if shift < 0 {
        (numerator, denominator * scale)
    } else {
        (numerator * scale, denominator)
    };
    let whole = numerator / denominator;
    let raw = (whole < 1 << 40).then(|| (whole << 64) + ((numerator % denominator) << 64) / denominator)?;
    (raw > 0).then(|| Price::from_raw(raw))
}

#[test]
fn at_every_exponent_every_mantissa_is_priced_or_refused() {
    let mut world = World::lite();
    let market = world.market(&MarketSpec::default());
    let (mut priced, mut refused) = (0, 0);
    for expo in -18..=12 {
        for mantissa in [1, i64::MAX] {
            for of_collateral in [true, false] {
                let (collateral, quote) = if of_collateral {
                    ((mantissa, expo), (usd(1), -8))
                } else {
                    ((usd(100), -8), (mantissa, expo))
                };
                for (feed, (price, expo)) in [(market.collateral_feed, collateral), (market.quote_feed, quote)] {
                    world.edit_feed(&feed, |feed| {
                        let now = feed.quotation().publish_time;
                        *feed.quotation_mut() = Quotation::settled(price, expo, 0, now);
                    });
                }
                world.forget_prices(&market);
                let result = world.observe_price(&market);
                if let Some(spot) = composed(collateral, quote) {
                    assert_eq!(result.unwrap().event::<PriceObserved>().observation.spot, spot);
                    priced += 1;
                } else {
                    assert_fails_with(result, BreakwaterError::PriceOutOfRange);
                    refused += 1;
                }
            }
        }
    }
    assert_eq!((priced, refused), (84, 40));
}

#[test]
fn an_update_may_be_closed_once_it_was_read() {
    for spec in both_receivers() {
        let (mut world, market) = market(&spec);
        let (feed, poster) = (market.collateral_feed, world.authority().key());
        let close = close_update(&spec.collateral_feed.owner, &feed, &poster);
        let outcome = world.send(&[ix::observe_price(&market), close], &[]).unwrap();
        assert_eq!(outcome.events::<PriceObserved>().len(), 1);
        assert_eq!(world.account(&feed), None);
        let gone = ix::observe_price(&market);
        world.assert_error_unchanged(&[gone], &[], BreakwaterError::WrongFeedOwner);
    }
}

#[test]
fn bad_feeds_are_refused() {
    for spec in all_feed_kinds().into_iter().chain([redeemable()]) {
        let (mut world, market) = market(&spec);
        let mut attack = Attack::on(&mut world, ix::observe_price(&market), &[]);
        refuse_bad_feeds(&mut attack, &market, PriceUse::Observe);
        attack.honest_passes();
    }
}

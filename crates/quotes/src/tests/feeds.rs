use super::*;
use crate::feeds_to_post;

const NONE: Feeds<bool> = Feeds {
    collateral: false,
    quote: false,
    base: false,
    rate: false,
};

/// Readings published so many seconds before `clock`.
fn aged(collateral: i64, quote: i64, clock: Clock) -> Readings {
    let mut readings = readings(10_000_000_000, clock);
    for (reading, age) in [(&mut readings.collateral, collateral), (&mut readings.quote, quote)] {
        reading.as_mut().unwrap().publish_time -= age;
    }
    readings
}

fn later(seconds: i64) -> Clock {
    Clock {
        unix: NOW.unix + seconds,
        slot: NOW.slot + 1,
    }
}

fn to_post(market: &Market, readings: &Readings, usage: PriceUse, clock: Clock) -> [bool; 2] {
    let feeds = feeds_to_post(market, readings, usage, clock).unwrap();
    assert_eq!((feeds.base, feeds.rate), (false, false));
    [feeds.collateral, feeds.quote]
}

#[test]
fn only_what_is_too_old_for_the_use_is_posted() {
    let market = market(&Config::EXAMPLE);
    let Config {
        max_age_short: short,
        max_age_long: long,
        ..
    } = Config::EXAMPLE;
    let (short, long) = (i64::from(short), i64::from(long));
    let clock = later(600);
    for (collateral, quote, usage, expected) in [
        (0, 0, PriceUse::Borrow, [false, false]),
        (short, short, PriceUse::Borrow, [false, false]),
        (short + 1, 0, PriceUse::Borrow, [true, false]),
        (0, short + 1, PriceUse::Borrow, [false, true]),
        (short + 1, short + 1, PriceUse::Borrow, [true, true]),
        (short + 1, 0, PriceUse::Liquidate, [false, false]),
        (long, 0, PriceUse::Liquidate, [false, false]),
        (long + 1, 0, PriceUse::Liquidate, [true, false]),
        (500, 500, PriceUse::Observe, [true, true]),
    ] {
        let readings = aged(collateral, quote, clock);
        assert_eq!(
            to_post(&market, &readings, usage, clock),
            expected,
            "{collateral} {quote} {usage:?}"
        );
    }
}

/// Of a feed without an account nothing is shown; what the market knows of it counts.
#[test]
fn what_is_not_there_is_posted_unless_the_market_knows_enough() {
    let mut market = market(&Config::EXAMPLE);
    assert_eq!(to_post(&market, &Readings::NONE, PriceUse::Borrow, NOW), [true, true]);
    market.observe_price(&aged(0, 0, NOW), NOW).unwrap();
    assert_eq!(to_post(&market, &Readings::NONE, PriceUse::Borrow, NOW), [false, false]);
    let clock = later(60);
    let one = Readings {
        quote: None,
        ..aged(0, 0, clock)
    };
    assert_eq!(to_post(&market, &one, PriceUse::Borrow, clock), [true, true]);
}

/// A quote that is young enough but older than the skew allows makes both be posted, at one moment.
#[test]
fn prices_of_different_moments_are_posted_together() {
    let config = Config {
        max_skew: 3,
        ..Config::EXAMPLE
    };
    let market = market(&config);
    let clock = later(600);
    assert_eq!(
        to_post(&market, &aged(9, 0, clock), PriceUse::Borrow, clock),
        [true, true]
    );
    assert_eq!(
        to_post(&market, &aged(12, 9, clock), PriceUse::Borrow, clock),
        [true, true]
    );
    assert_eq!(
        to_post(&market, &aged(12, 2, clock), PriceUse::Borrow, clock),
        [true, false]
    );
}

#[test]
fn what_posting_does_not_heal_is_an_error() {
    let market = market(&Config::EXAMPLE);
    let clock = later(600);
    let mut readings = aged(0, 20, clock);
    readings.collateral.as_mut().unwrap().price = 0;
    assert_eq!(
        feeds_to_post(&market, &readings, PriceUse::Borrow, clock),
        Err(Error::PriceNotPositive)
    );
    assert_eq!(
        feeds_to_post(&market, &aged(0, 0, clock), PriceUse::Borrow, clock),
        Ok(NONE)
    );
}

use super::*;
use crate::{
    config::tests::CONFIG,
    math::{num, units::Bps},
    price::guard::{Flags, Prices},
};
use proptest::prelude::*;

pub(crate) const NOW: Clock = Clock {
    unix: 1_700_000_000,
    slot: 1,
};

pub(crate) fn raw(price: i64, conf: u64) -> RawReading {
    RawReading {
        price,
        conf,
        expo: -8,
        ema_price: price,
        publish_time: NOW.unix,
    }
}

fn oracle() -> Oracle {
    bytemuck::Zeroable::zeroed()
}

fn readings(collateral: RawReading, quote: RawReading) -> Readings {
    Readings::of(collateral, quote)
}

/// Prices believed by a market with the knowledge of `oracle`.
fn read(oracle: &Oracle, readings: &Readings, usage: PriceUse) -> Result<OraclePrice> {
    oracle
        .read(&CONFIG, (9, 6), readings, usage, NOW)
        .map(|(oracle_price, _)| oracle_price)
}

fn accept(collateral: RawReading, quote: RawReading, purpose: PriceUse) -> Result<OraclePrice> {
    read(&oracle(), &readings(collateral, quote), purpose)
}

fn oracle_price(price: i64, conf: u64) -> OraclePrice {
    accept(raw(price, conf), raw(100_000_000, 0), PriceUse::Observe).unwrap()
}

/// SOL at `price` × 10^-8 USD, USDC at one: 9 and 6 decimals; as a market accepts them that never saw another price.
pub(crate) fn prices(price: i64, conf: u64) -> Prices {
    prices_with(&CONFIG, raw(price, conf))
}

/// The same, of any reading, with any parameters.
pub(crate) fn prices_with(config: &Config, collateral: RawReading) -> Prices {
    let mut guard: crate::Guard = bytemuck::Zeroable::zeroed();
    let readings = readings(collateral, raw(100_000_000, 0));
    let oracle_price = oracle()
        .read(config, (9, 6), &readings, PriceUse::Observe, NOW)
        .unwrap()
        .0;
    let breaker = guard.observe(config, &oracle_price, NOW).unwrap();
    Prices::new(oracle_price, breaker, PriceUse::Observe, NOW)
}

#[test]
fn one_sol_at_150_dollars_is_150_usdc() {
    let spot = oracle_price(150_0000_0000, 0).spot();
    assert_eq!(
        spot.quote_floor(crate::Collateral(1_000_000_000)),
        Ok(crate::Quote(149_999_999))
    ); // 0.15 is no binary fraction
    assert_eq!(
        spot.quote_ceil(crate::Collateral(1_000_000_000)),
        Ok(crate::Quote(150_000_000))
    );
}

#[test]
fn a_depeg_of_the_quote_raises_the_price() {
    let prices = accept(raw(100_0000_0000, 0), raw(80_000_000, 0), PriceUse::Borrow).unwrap();
    assert_eq!(
        prices.spot().quote_ceil(crate::Collateral(1_000_000_000)),
        Ok(crate::Quote(125_000_000))
    );
}

#[test]
fn confidence_widens_both_ends() {
    let prices = accept(
        raw(100_0000_0000, 1_0000_0000),
        raw(100_000_000, 1_000_000),
        PriceUse::Borrow,
    )
    .unwrap();
    let one = crate::Collateral(1_000_000_000);
    assert_eq!(prices.low().unwrap().quote_floor(one), Ok(crate::Quote(98_019_801))); // 99 / 1.01
    assert_eq!(prices.high().unwrap().quote_ceil(one), Ok(crate::Quote(102_020_203))); // 101 / 0.99
}

#[test]
fn every_refusal_has_its_own_error() {
    let good = raw(100_0000_0000, 0);
    let quote = raw(100_000_000, 0);
    let refused = |change: fn(&mut RawReading), purpose| {
        let mut bad = good;
        change(&mut bad);
        let as_collateral = accept(bad, quote, purpose);
        let as_quote = accept(good, bad, purpose);
        assert_eq!(as_collateral.map(|_| ()), as_quote.map(|_| ()));
        as_collateral.unwrap_err()
    };
    let trade = PriceUse::Borrow;
    assert_eq!(refused(|r| r.price = 0, trade), Error::PriceNotPositive);
    assert_eq!(refused(|r| r.price = -1, trade), Error::PriceNotPositive);
    assert_eq!(refused(|r| r.price = i64::MIN, trade), Error::PriceNotPositive);
    for expo in [i32::MIN, -19, 13, i32::MAX] {
        let bad = RawReading { expo, ..good };
        assert_eq!(accept(bad, quote, trade), Err(Error::PriceExponentOutOfRange));
    }
    assert_eq!(refused(|r| r.publish_time += 3_601, trade), Error::PriceFromFuture);
    assert_eq!(refused(|r| r.publish_time = i64::MAX, trade), Error::PriceFromFuture);
    assert_eq!(refused(|r| r.publish_time -= 11, trade), Error::PriceTooOld);
    assert_eq!(
        refused(|r| r.publish_time -= 15, PriceUse::Liquidate),
        Error::PriceTooOld
    );
    assert_eq!(refused(|r| r.publish_time = 0, trade), Error::PriceTooOld);
    assert_eq!(refused(|r| r.publish_time = i64::MIN, trade), Error::PriceTooOld);
}

#[test]
fn limits_are_inclusive() {
    let at = |publish_time, usage| {
        let of = |price, conf| RawReading {
            publish_time,
            ..raw(price, conf)
        };
        accept(of(100_0000_0000, 2_0000_0000), of(1_0000_0000, 0), usage).map(drop)
    };
    assert_eq!(at(NOW.unix + 3_600, PriceUse::Borrow), Ok(()));
    assert_eq!(at(NOW.unix - 10, PriceUse::Borrow), Ok(()));
    assert_eq!(at(NOW.unix - 14, PriceUse::Liquidate), Ok(()));
}

#[test]
fn confidence_is_judged_feed_by_feed_at_its_two_limits() {
    let flags = |conf, quote_conf| {
        accept(raw(100_0000_0000, conf), raw(100_000_000, quote_conf), PriceUse::Borrow)
            .unwrap()
            .flags()
    };
    let (soft, hard) = (Flags::CONFIDENCE_GUARD, Flags::CONFIDENCE_HALT);
    assert_eq!(flags(1_0000_0000, 1_000_000), Flags::NONE);
    assert_eq!(flags(1_0000_0001, 0), soft);
    assert_eq!(flags(0, 1_000_001), soft);
    assert_eq!(flags(3_0000_0000, 3_000_000), soft);
    assert_eq!(flags(3_0000_0001, 0), hard);
    assert_eq!(flags(1_0000_0001, 3_000_001), soft.with(hard));
    assert_eq!(flags(u64::MAX, u64::MAX), hard);
    assert_eq!(oracle_price(100_0000_0000, 1_2345_0000).confidence(), Bps(123));
    assert_eq!(oracle_price(1, u64::MAX).confidence(), Bps(u32::MAX));
}

#[test]
fn a_missing_average_is_told_and_nothing_else_is_lost() {
    for ema_price in [0, -5, i64::MIN] {
        let bad = RawReading {
            ema_price,
            ..raw(100_0000_0000, 0)
        };
        let oracle_price = accept(bad, raw(100_000_000, 0), PriceUse::Liquidate).unwrap();
        assert_eq!(oracle_price.ema(), Err(Error::EmaUnavailable));
        assert_eq!(oracle_price.strays_from_ema(Bps(10_000)), None);
        assert!(oracle_price.low().is_ok());
    }
}

fn pin(kind: u8, key: u8, owner: u8) -> FeedPin {
    FeedPin {
        kind,
        key: Key([key; 32]),
        owner: Key([owner; 32]),
        padding: [0; 7],
    }
}

#[test]
fn feed_pins_must_be_complete() {
    assert_eq!(pin(FEED_PULL, 1, 1).validate(), Ok(()));
    assert_eq!(pin(FEED_PUSH, 1, 1).validate(), Ok(()));
    assert_eq!(pin(FEED_PULL, 1, 0).validate(), Err(Error::FeedPinInvalid));
    assert_eq!(pin(FEED_PUSH, 1, 0).validate(), Err(Error::FeedPinInvalid));
    assert_eq!(pin(FEED_PULL, 0, 1).validate(), Err(Error::FeedPinInvalid));
    assert_eq!(pin(FEED_NONE, 1, 1).validate(), Err(Error::FeedKindUnknown));
    assert_eq!(pin(3, 1, 1).validate(), Err(Error::FeedKindUnknown));
}

#[test]
fn base_and_rate_come_together_and_no_feed_twice() {
    let check = |base, rate| {
        Oracle {
            collateral_feed: pin(FEED_PULL, 1, 1),
            quote_feed: pin(FEED_PULL, 2, 1),
            base_feed: base,
            rate_feed: rate,
            ..oracle()
        }
        .validate()
    };
    let (pull, none) = (|key| pin(FEED_PULL, key, 1), FeedPin::NONE);
    assert_eq!(check(none, none), Ok(()));
    assert_eq!(check(pull(3), pull(4)), Ok(()));
    // JitoSOL against SOL: the base is the quote.
    assert_eq!(check(pull(2), pull(4)), Ok(()));
    assert_eq!(check(pull(3), none), Err(Error::FeedKindUnknown));
    assert_eq!(check(none, pull(4)), Err(Error::FeedKindUnknown));
    for (base, rate) in [(1, 4), (4, 4), (3, 1), (3, 2)] {
        assert_eq!(
            check(pull(base), pull(rate)),
            Err(Error::FeedPinInvalid),
            "{base} {rate}"
        );
    }
    let half = FeedPin {
        padding: [1; 7],
        ..none
    };
    assert_eq!(check(half, none), Err(Error::FeedKindUnknown));
}

#[test]
fn redeemable_collateral_counts_at_the_lower_of_market_and_redemption() {
    let mut oracle = oracle();
    (oracle.base_feed, oracle.rate_feed) = (pin(FEED_PULL, 3, 1), pin(FEED_PULL, 4, 1));
    let one = crate::Collateral(1_000_000_000);
    let with = |market: i64, redemption: Option<(RawReading, RawReading)>| {
        let mut readings = readings(raw(market, 0), raw(100_000_000, 0));
        if let Some((base, rate)) = redemption {
            readings = readings.with_redemption(base, rate);
        }
        read(&oracle, &readings, PriceUse::Borrow)
    };
    // SOL at 100, 1.25 SOL for one: 125.
    let redemption = Some((raw(100_0000_0000, 0), raw(1_2500_0000, 0)));
    let counts = |market| {
        let oracle_price = with(market, redemption).unwrap();
        let (spot, high) = (oracle_price.spot(), oracle_price.high().unwrap());
        // 0.124 is no binary fraction: spot is rounded down, high up.
        (spot.quote_ceil(one).unwrap().0, high.quote_floor(one).unwrap().0)
    };
    assert_eq!(counts(124_0000_0000), (124_000_000, 124_000_000));
    assert_eq!(counts(90_0000_0000), (90_000_000, 90_000_000));
    // Inflated: not believed as collateral; and yet nothing is sold below it.
    assert_eq!(counts(200_0000_0000), (125_000_000, 200_000_000));
    assert_eq!(with(124_0000_0000, None), Err(Error::RedemptionFeedsRequired));
    let wide = Some((raw(100_0000_0000, 4_0000_0000), raw(1_2500_0000, 0)));
    assert_eq!(with(124_0000_0000, wide).unwrap().flags(), Flags::CONFIDENCE_HALT);
    // A rate has an age of its own: a day.
    let aged = |seconds| {
        let rate = RawReading {
            publish_time: NOW.unix - seconds,
            ..raw(1_2500_0000, 0)
        };
        with(124_0000_0000, Some((raw(100_0000_0000, 0), rate))).map(|oracle_price| oracle_price.since())
    };
    assert_eq!(aged(86_400), Ok(NOW.unix));
    assert_eq!(aged(86_401), Err(Error::PriceTooOld));
}

proptest! {
    #[test]
    fn any_reading_gives_ordered_prices_or_an_error(
        price: i64, conf: u64, expo in -20i32..=14, quote_price: i64, quote_conf: u64, quote_expo in -20i32..=14,
        decimals: (u8, u8),
    ) {
        let collateral = RawReading { expo, ..raw(price, conf) };
        let quote = RawReading { expo: quote_expo, ..raw(quote_price, quote_conf) };
        if let Ok((prices, _)) = oracle().read(&CONFIG, decimals, &readings(collateral, quote), PriceUse::Observe, NOW) {
            let spot = prices.spot();
            if let Ok(low) = prices.low() { prop_assert!(low <= spot); }
            if let Ok(high) = prices.high() { prop_assert!(high >= spot); }
        }
    }

    #[test]
    fn composing_is_exact_division_rounded(
        price in 1i64..1 << 40, quote in 1i64..1 << 40, expo in -10i32..=-4, decimals in (4u8..=9, 4u8..=9),
    ) {
        let collateral = RawReading { expo, ..raw(price, 0) };
        let Ok((prices, _)) = oracle().read(&CONFIG, decimals, &readings(collateral, raw(quote, 0)), PriceUse::Observe, NOW) else {
            return Ok(());
        };
        let exact = price as f64 / quote as f64
            * 10f64.powi(expo + 8 + i32::from(decimals.1) - i32::from(decimals.0));
        let spot = prices.spot().raw() as f64 / num::ONE as f64;
        prop_assert!((spot - exact).abs() <= exact * 1e-12 + 1e-19, "{spot} {exact}");
        let (spot, high) = (prices.spot().raw(), prices.high().unwrap().raw());
        prop_assert!(high - spot <= 1);
    }

    #[test]
    fn straying_from_the_average_is_what_division_says(
        price in 1i64..i64::MAX, quote in 1i64..i64::MAX, ema in 1i64..i64::MAX, quote_ema in 1i64..i64::MAX, band in 1u32..=10_000,
    ) {
        let with = |price, ema_price| RawReading { ema_price, ..raw(price, 0) };
        let Ok(oracle_price) = accept(with(price, ema), with(quote, quote_ema), PriceUse::Observe) else { return Ok(()) };
        let ratio = (price as f64 / quote as f64) / (ema as f64 / quote_ema as f64);
        let distance = (ratio - 1.0).abs() * 10_000.0;
        prop_assume!((distance - f64::from(band)).abs() > 1e-6);
        prop_assert_eq!(oracle_price.strays_from_ema(Bps(band)), Some(distance > f64::from(band)));
    }
}

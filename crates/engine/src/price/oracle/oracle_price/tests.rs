use super::*;
use crate::config::tests::CONFIG;
use proptest::prelude::*;

fn reading(price: u64, ema: u64) -> FeedPrice {
    FeedPrice {
        price,
        conf: 0,
        ema,
        expo: 0,
        padding: [0; 4],
    }
}

/// OraclePrice prices of mantissas that are prices already, times 10^`shift`.
fn oracle_price(collateral: FeedPrice, quote: FeedPrice, shift: i32) -> OraclePrice {
    OraclePrice {
        market: collateral,
        quote,
        redemption: None,
        shift,
        spot: Price::default(),
        flags: Flags::NONE,
        since: 0,
        published: (0, 0),
    }
}

fn composed(numerator: u64, denominator: u64, shift: i32) -> Result<u128> {
    compose(shift, numerator, denominator, Round::Down).map(Price::raw)
}

#[test]
fn mantissas_are_those_of_feeds() {
    let most = i64::MAX.unsigned_abs();
    assert_eq!(composed(most, most, 0), Ok(num::ONE));
    assert_eq!(composed(most + 1, most, 0), Err(Error::PriceOutOfRange));
    assert_eq!(composed(most, most + 1, 0), Err(Error::PriceOutOfRange));
    assert_eq!(composed(u64::MAX, u64::MAX, 0), Err(Error::PriceOutOfRange));
    assert_eq!(composed(3, 4, 0), Ok(num::ONE / 4 * 3));
    assert_eq!(composed(3, 0, 0), Err(Error::PriceOutOfRange));
    assert_eq!(composed(3, 0, -1), Err(Error::PriceOutOfRange));
}

#[test]
fn a_price_is_not_nothing_and_below_its_bound() {
    let most = u64::try_from(MAX_INTEGER).unwrap();
    assert_eq!(composed(most - 1, 1, 0), Ok(u128::from(most - 1) << 64));
    assert_eq!(composed(most, 1, 0), Err(Error::PriceOutOfRange));
    assert_eq!(composed((most - 1) * 10, 1, -1), Ok(u128::from(most - 1) << 64));
    assert_eq!(composed(most * 10, 1, -1), Err(Error::PriceOutOfRange));
    // 10^-19 is about 1.8 units of 2^-64.
    assert_eq!(composed(1, 1, -19), Ok(1));
    assert_eq!(composed(1, 2, -19), Err(Error::PriceOutOfRange));
    assert_eq!(composed(1, 1, -20), Err(Error::PriceOutOfRange));
}

#[test]
fn averages_are_compared_to_the_last_bit_where_that_matters() {
    let strays = |price, ema, factor, band| {
        oracle_price(reading(price, ema), reading(factor, factor), 0).strays_from_ema(Bps(band))
    };
    assert_eq!(strays(200, 100, 1, 9_999), Some(true));
    assert_eq!(strays(200, 100, 1, 10_000), Some(false));
    assert_eq!(strays(101, 100, 1, 99), Some(true));
    assert_eq!(strays(101, 100, 1, 100), Some(false));
    // Products of 124 bits.
    let (price, ema) = (3 << 60, 2 << 60);
    assert_eq!(strays(price, ema, 1 << 61, 4_999), Some(true));
    assert_eq!(strays(price, ema, 1 << 61, 5_000), Some(false));
    let without = FeedPrice {
        ema: 0,
        ..reading(1, 1)
    };
    assert_eq!(oracle_price(without, reading(1, 1), 0).strays_from_ema(Bps(1)), None);
}

proptest! {
    /// Natively where the products fit, and divided where they do not: a limit is the same to the last bit.
    #[test]
    fn a_confidence_is_compared_exactly(
        price in 1u64.., conf: u64, bits in 0u32..64, near in -1i64..=1, halt in 0u32..=30_000, guard in 0u32..=30_000,
    ) {
        let config = Config { confidence_halt: Bps(halt), confidence_guard: Bps(guard), ..CONFIG };
        let price = (price >> bits).max(1);
        let edge = num::scaled(price, config.confidence_halt).saturating_add_signed(near);
        for conf in [conf, conf >> bits, edge] {
            let wider = |limit: Bps| u128::from(conf) * u128::from(BPS) > u128::from(price) * u128::from(limit.0);
            let expected = match (wider(config.confidence_halt), wider(config.confidence_guard)) {
                (true, _) => Flags::CONFIDENCE_HALT,
                (false, true) => Flags::CONFIDENCE_GUARD,
                (false, false) => Flags::NONE,
            };
            prop_assert_eq!(FeedPrice { conf, ..reading(price, 0) }.quality(&config), expected);
        }
    }
}

use super::*;
use crate::{
    config::tests::CONFIG,
    math::units::{Collateral, Key, Quote},
    price::oracle::{FEED_PULL, FeedPin, Oracle, PriceUse, tests::NOW},
};
use proptest::prelude::*;
use std::vec::Vec;

/// A market of SOL and USDC that remembers what it accepts, and a clock.
struct Feeds {
    oracle: Oracle,
    config: Config,
    clock: Clock,
}

/// A price in dollars, published `at` seconds after the beginning.
fn says(dollars: i64, at: i64) -> RawReading {
    RawReading {
        price: dollars * 1_0000_0000,
        conf: 0,
        expo: -8,
        ema_price: dollars * 1_0000_0000,
        publish_time: NOW.unix + at,
    }
}

/// Only the collateral is shown.
fn collateral(dollars: i64, at: i64) -> Readings {
    Readings {
        collateral: Some(says(dollars, at)),
        ..Readings::NONE
    }
}

fn both(dollars: i64, at: i64) -> Readings {
    Readings::of(says(dollars, at), says(1, at))
}

impl Feeds {
    fn new() -> Self {
        Self {
            oracle: bytemuck::Zeroable::zeroed(),
            config: CONFIG,
            clock: NOW,
        }
    }

    /// Shows readings `at` seconds after the beginning, for liquidating: whole dollars and from when they are, seconds
    /// after it.
    fn show(&mut self, at: i64, shown: &Readings) -> Result<(u64, i64)> {
        self.show_for(PriceUse::Liquidate, at, shown)
    }

    fn show_for(&mut self, usage: PriceUse, at: i64, shown: &Readings) -> Result<(u64, i64)> {
        self.clock.unix = NOW.unix + at;
        let (oracle_price, known) = self.oracle.read(&self.config, (0, 0), shown, usage, self.clock)?;
        self.oracle.known = known;
        let Quote(dollars) = oracle_price.spot().quote_ceil(Collateral(1)).unwrap();
        Ok((dollars, oracle_price.since() - NOW.unix))
    }
}

#[test]
fn the_newer_of_shown_and_known_counts() {
    let mut feeds = Feeds::new();
    assert_eq!(feeds.show(0, &Readings::NONE), Err(Error::PriceRequired));
    assert_eq!(feeds.show(0, &collateral(100, 0)), Err(Error::PriceRequired));
    assert_eq!(feeds.show(0, &both(100, 0)), Ok((100, 0)));
    // Whoever shows an older one gets the newer one, and is not refused.
    assert_eq!(feeds.show(5, &both(77, -3)), Ok((100, 0)));
    // Pyth publishes several in a second: of those it is the one shown.
    assert_eq!(feeds.show(5, &both(90, 0)), Ok((90, 0)));
    assert_eq!(feeds.show(5, &both(90, 4)), Ok((90, 4)));
    assert_eq!(feeds.show(6, &Readings::NONE), Ok((90, 4)));
    // However often it is shown, it is not younger for it.
    assert_eq!(feeds.show(18, &both(90, 4)), Ok((90, 4)));
    assert_eq!(feeds.show(19, &both(90, 4)), Err(Error::PriceTooOld));
    assert_eq!(feeds.show(19, &Readings::NONE), Err(Error::PriceTooOld));
    assert_eq!(feeds.show(19, &both(91, 19)), Ok((91, 19)));
}

#[test]
fn each_use_has_its_age() {
    for (usage, most) in [
        (PriceUse::Borrow, 10),
        (PriceUse::Sell, 10),
        (PriceUse::Liquidate, 14),
        (PriceUse::Observe, 14),
    ] {
        let mut feeds = Feeds::new();
        feeds.show(0, &both(100, 0)).unwrap();
        assert_eq!(feeds.show_for(usage, most, &Readings::NONE), Ok((100, 0)));
        let late = feeds.show_for(usage, most + 1, &Readings::NONE);
        assert_eq!(late, Err(Error::PriceTooOld), "{usage:?}");
    }
}

#[test]
fn a_bad_reading_is_refused_also_where_an_older_one_would_do() {
    let mut feeds = Feeds::new();
    feeds.show(0, &both(100, 0)).unwrap();
    let bad = |change: fn(&mut RawReading)| {
        let mut reading = says(100, 1);
        change(&mut reading);
        Readings {
            collateral: Some(reading),
            ..Readings::NONE
        }
    };
    let before = feeds.oracle;
    assert_eq!(feeds.show(1, &bad(|r| r.price = 0)), Err(Error::PriceNotPositive));
    assert_eq!(
        feeds.show(1, &bad(|r| r.expo = 13)),
        Err(Error::PriceExponentOutOfRange)
    );
    assert_eq!(
        feeds.show(1, &bad(|r| r.publish_time += 3_601)),
        Err(Error::PriceFromFuture)
    );
    assert!(feeds.oracle == before);
}

#[test]
fn who_advances_one_feed_alone_takes_the_price_from_nobody() {
    let mut feeds = Feeds::new();
    feeds.config.max_skew = 3;
    feeds.show(0, &both(100, 0)).unwrap();
    // Three seconds apart is together; four are not, and the set is what was the newest until then.
    assert_eq!(feeds.show(3, &collateral(90, 3)), Ok((90, 0)));
    assert_eq!(feeds.show(4, &collateral(80, 4)), Ok((90, 0)));
    assert_eq!(feeds.show(5, &collateral(70, 5)), Ok((90, 0)));
    // Everybody else goes on with what is together: here with the newest collateral and the quote that is shown,
    assert_eq!(feeds.show(6, &both(95, 3)), Ok((70, 3)));
    assert_eq!(feeds.show(10, &collateral(60, 10)), Ok((70, 3)));
    // here with both as they are shown, newer than the set,
    assert_eq!(feeds.show(11, &both(96, 6)), Ok((96, 6)));
    // and here with the set, for what is shown is older.
    assert_eq!(feeds.show(12, &both(97, 5)), Ok((96, 6)));
    assert_eq!(feeds.show(15, &collateral(50, 15)), Ok((96, 6)));
    assert_eq!(feeds.show(20, &Readings::NONE), Ok((96, 6)));
    assert_eq!(feeds.show(21, &Readings::NONE), Err(Error::PriceTooOld));
    let quote = Readings {
        quote: Some(says(1, 11)),
        ..Readings::NONE
    };
    assert_eq!(feeds.show(21, &quote), Err(Error::FeedsTooFarApart));
    // One update that holds all feeds of a second heals at once.
    assert_eq!(feeds.show(22, &both(61, 22)), Ok((61, 22)));
}

#[test]
fn redeemable_collateral_needs_its_base_as_well() {
    let pin = |key| FeedPin {
        kind: FEED_PULL,
        key: Key([key; 32]),
        owner: Key([1; 32]),
        padding: [0; 7],
    };
    let mut feeds = Feeds::new();
    (feeds.oracle.base_feed, feeds.oracle.rate_feed) = (pin(3), pin(4));
    let all = |at| both(130, at).with_redemption(says(100, at), says(1, at));
    assert_eq!(feeds.show(0, &both(130, 0)), Err(Error::RedemptionFeedsRequired));
    assert_eq!(feeds.show(0, &all(0)), Ok((100, 0)));
    // The base alone falls behind.
    assert_eq!(feeds.show(16, &both(130, 16)), Err(Error::PriceTooOld));
    let base = Readings {
        base: Some(says(99, 15)),
        ..both(130, 16)
    };
    assert_eq!(feeds.show(16, &base), Ok((99, 15)));
    // The rate may be a day old, whatever the others are.
    let day = |at| Readings {
        base: Some(says(98, at)),
        ..both(130, at)
    };
    assert_eq!(feeds.show(86_400, &day(86_400)), Ok((98, 86_400)));
    assert_eq!(feeds.show(86_401, &day(86_401)), Err(Error::PriceTooOld));
}

#[test]
fn a_late_clock_stops_nothing() {
    let mut feeds = Feeds::new();
    // The chain's clock is an hour behind, and stands.
    for seconds in 0..100 {
        assert_eq!(
            feeds.show(0, &both(100 + seconds, 3_500 + seconds)),
            Ok((100 + seconds.unsigned_abs(), 0))
        );
    }
    assert_eq!(feeds.show(0, &both(100, 3_601)), Err(Error::PriceFromFuture));
    // Their age counts from when they were accepted.
    assert_eq!(feeds.show(14, &Readings::NONE), Ok((199, 0)));
    assert_eq!(feeds.show(15, &Readings::NONE), Err(Error::PriceTooOld));
    assert_eq!(feeds.show(15, &both(200, 3_600)), Ok((200, 15)));
}

#[test]
fn a_reading_that_is_wrong_about_the_time_gives_way_once() {
    let mut feeds = Feeds::new();
    let wrong = both(150, 3_000);
    assert_eq!(feeds.show(0, &wrong), Ok((150, 0)));
    // For as long as a price may be old it is the newest.
    assert_eq!(feeds.show(14, &both(100, 14)), Ok((150, 0)));
    assert_eq!(feeds.show(15, &both(100, 15)), Ok((100, 15)));
    // It is not accepted again, nor is a reading that was ahead of the clock as well.
    assert_eq!(feeds.show(16, &wrong), Ok((100, 15)));
    assert_eq!(feeds.show(17, &both(101, 17)), Ok((101, 17)));
    assert_eq!(feeds.show(18, &wrong), Ok((101, 17)));
    // One that is ahead of the clock replaces none that is further ahead.
    let mut ahead = Feeds::new();
    ahead.show(0, &both(150, 3_000)).unwrap();
    assert_eq!(ahead.show(20, &both(100, 21)), Err(Error::PriceTooOld));
    assert_eq!(ahead.show(21, &both(100, 21)), Ok((100, 21)));
}

proptest! {
    /// Whatever anybody shows, in whatever order: nobody is refused for it who shows both feeds of this second.
    #[test]
    fn nobody_is_starved(shown in prop::collection::vec((0i64..4, 0i64..30, 0u8..3), 1..60)) {
        let mut feeds = Feeds::new();
        let mut now = 0;
        let mut last = i64::MIN;
        for (seconds, age, which) in shown {
            now += seconds;
            let readings = match which {
                0 => both(100, now - age),
                1 => collateral(100, now - age),
                _ => Readings { quote: Some(says(1, now - age)), ..Readings::NONE },
            };
            if let Ok((_, since)) = feeds.show(now, &readings) {
                prop_assert!(since >= last, "time ran back: {last} {since}");
                last = since;
            }
            let mut other = Feeds { ..feeds };
            prop_assert_eq!(other.show(now, &both(99, now)).map(|(_, since)| since), Ok(now));
        }
    }

    /// A price is never of two moments further apart than `max_skew`, nor older than allowed.
    #[test]
    fn no_price_is_of_two_moments(shown in prop::collection::vec((0i64..9, -20i64..40, -20i64..40), 1..60)) {
        let mut feeds = Feeds::new();
        let mut now = 0;
        for (seconds, one, other) in shown {
            now += seconds;
            let readings = Readings::of(says(100, now - one), says(1, now - other));
            feeds.clock.unix = NOW.unix + now;
            let before = feeds.oracle;
            let Ok((oracle_price, known)) = before.read(&CONFIG, (0, 0), &readings, PriceUse::Liquidate, feeds.clock) else {
                prop_assert!(feeds.oracle == before);
                continue;
            };
            feeds.oracle.known = known;
            let (collateral, quote) = oracle_price.published();
            prop_assert!(collateral.abs_diff(quote) <= u64::from(CONFIG.max_skew));
            prop_assert!(oracle_price.since() >= feeds.clock.unix - i64::from(CONFIG.max_age_long));
            // What is known was shown, or known.
            let times: Vec<i64> = known.newest.all().iter().map(|reading| reading.published).collect();
            prop_assert!(times[0] >= before.known.newest.collateral.published || before.known.newest.collateral.published > feeds.clock.unix);
        }
    }
}

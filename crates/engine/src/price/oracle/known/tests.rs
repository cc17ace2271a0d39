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

#[test]
fn each_reading_that_is_wrong_about_the_time_counts_once() {
    let mut feeds = Feeds::new();
    feeds.show(0, &both(100, 0)).unwrap();
    assert_eq!(feeds.show(1, &both(150, 3_500)), Ok((150, 1)));
    assert_eq!(feeds.show(15, &both(101, 15)), Ok((150, 1)));
    assert_eq!(feeds.show(16, &both(101, 16)), Ok((101, 16)));
    // Neither another one takes its place, nor the first one again after it, nor one of fourteen seconds later.
    for wrong in [3_501, 3_500, 60, 3_514] {
        assert_eq!(feeds.show(17, &both(150, wrong)), Ok((101, 16)), "{wrong}");
        assert_eq!(feeds.show(17, &both(101, 16)), Ok((101, 16)));
    }
    // One that is later does, and once as well.
    let mut later = Feeds { ..feeds };
    assert_eq!(later.show(18, &both(150, 3_515)), Ok((150, 18)));
    assert_eq!(later.show(33, &both(102, 33)), Ok((102, 33)));
    for wrong in [3_500, 3_515, 3_529] {
        assert_eq!(later.show(34, &both(150, wrong)), Ok((102, 33)), "{wrong}");
    }
    // A second ahead of the clock has to wait for that second, until what is known has passed what gave way.
    assert_eq!(feeds.show(17, &both(102, 18)), Ok((101, 16)));
    assert_eq!(feeds.show(18, &both(102, 18)), Ok((102, 18)));
    assert_eq!(feeds.show(3_500, &both(103, 3_500)), Ok((103, 3_500)));
    assert_eq!(feeds.show(3_501, &both(104, 3_502)), Ok((104, 3_501)));
}

#[test]
fn two_that_are_wrong_in_a_row_give_way_after_five_minutes() {
    let mut feeds = Feeds::new();
    feeds.show(0, &both(100, 0)).unwrap();
    feeds.show(1, &both(150, 3_500)).unwrap();
    // For all that is known the clock may be late now: the one before it is ahead of the clock too.
    assert_eq!(feeds.show(2, &both(150, 3_501)), Ok((150, 2)));
    assert_eq!(feeds.show(16, &both(100, 16)), Ok((150, 2)));
    assert_eq!(feeds.show(17, &both(100, 17)), Err(Error::PriceTooOld));
    assert_eq!(feeds.show(302, &both(100, 302)), Err(Error::PriceTooOld));
    assert_eq!(feeds.show(303, &both(100, 303)), Ok((100, 303)));
    for wrong in [3_500, 3_501, 3_515] {
        assert_eq!(feeds.show(304, &both(150, wrong)), Ok((100, 303)), "{wrong}");
    }
}

#[test]
fn while_the_clock_is_late_time_runs_back_after_five_minutes_of_silence_only() {
    let mut feeds = Feeds::new();
    // Ten minutes late.
    for at in (0..=700).step_by(10) {
        assert_eq!(
            feeds.show(at, &both(100 + at / 10, at + 600)),
            Ok((100 + at.unsigned_abs() / 10, at))
        );
    }
    // Nobody has looked for half a minute; what is shown is ten minutes old.
    assert_eq!(feeds.show(731, &both(113, 731)), Err(Error::PriceTooOld));
    assert_eq!(feeds.show(731, &both(169, 1_299)), Err(Error::PriceTooOld));
    // Whoever shows the present one goes on.
    assert_eq!(Feeds { ..feeds }.show(731, &both(173, 1_331)), Ok((173, 731)));
    assert_eq!(feeds.show(1_000, &both(140, 1_000)), Err(Error::PriceTooOld));
    assert_eq!(feeds.show(1_001, &both(140, 1_001)), Ok((140, 1_001)));
    // That stops nobody who shows one that is a quarter of a minute later than what gave way.
    assert_eq!(feeds.show(1_001, &both(171, 1_314)), Ok((140, 1_001)));
    assert_eq!(Feeds { ..feeds }.show(1_001, &both(171, 1_315)), Ok((171, 1_001)));
    assert_eq!(feeds.show(1_001, &both(200, 1_601)), Ok((200, 1_001)));
    assert_eq!(feeds.show(1_002, &both(140, 1_002)), Ok((200, 1_001)));
}

#[test]
fn a_late_clock_takes_nothing_older_than_the_one_before() {
    let mut feeds = Feeds::new();
    // Forty seconds late; nobody looks for a minute, and then once.
    feeds.show(0, &both(100, 40)).unwrap();
    feeds.show(60, &both(90, 100)).unwrap();
    assert_eq!(feeds.show(75, &both(99, 40)), Err(Error::PriceTooOld));
    // One from before it: as old as the silence, and no older.
    assert_eq!(Feeds { ..feeds }.show(75, &both(98, 76)), Err(Error::PriceTooOld));
    assert_eq!(feeds.show(75, &both(98, 75)), Ok((98, 75)));
    // Fifteen seconds later than what gave way is what there is by then.
    assert_eq!(feeds.show(75, &both(89, 115)), Ok((89, 75)));
}

#[test]
fn a_set_goes_with_the_reading_that_gives_way() {
    let mut feeds = Feeds::new();
    feeds.config.max_skew = 3;
    feeds.show(0, &both(100, 0)).unwrap();
    feeds.show(1, &both(150, 3_000)).unwrap();
    // The feeds give way one after the other, at times that are not together.
    let quote = |at| Readings {
        quote: Some(says(1, at)),
        ..Readings::NONE
    };
    let mut step = |at: i64, shown: &Readings| {
        feeds.clock.unix = NOW.unix + at;
        let mut look = Look::at(&feeds.oracle.known, false);
        look.take(&feeds.oracle.known, &feeds.config, shown, feeds.clock)
            .unwrap();
        look.store(&mut feeds.oracle.known);
    };
    step(20, &collateral(100, 20));
    step(30, &quote(30));
    // A pair that is older than the newer of the two is still as good as any.
    assert_eq!(feeds.show(31, &both(99, 25)), Ok((99, 25)));
}

#[test]
fn a_pair_is_as_new_as_its_first_reading() {
    let mut feeds = Feeds::new();
    feeds.config.max_skew = 3;
    // The quote is three seconds later, and then advanced alone.
    feeds.show(3, &Readings::of(says(100, 0), says(1, 3))).unwrap();
    let quote = |at| Readings {
        quote: Some(says(1, at)),
        ..Readings::NONE
    };
    for at in 4..15 {
        assert_eq!(feeds.show(at, &quote(at)), Ok((100, 0)));
    }
    assert_eq!(Feeds { ..feeds }.show(15, &quote(15)), Err(Error::PriceTooOld));
    // A pair of one second is younger than the set, also where its quote is older.
    for age in [13, 14] {
        assert_eq!(Feeds { ..feeds }.show(15, &both(97, 15 - age)), Ok((97, 15 - age)));
    }
    assert_eq!(Feeds { ..feeds }.show(15, &both(97, 0)), Err(Error::PriceTooOld));
    // Of two with the same first reading the one whose last is later.
    assert_eq!(feeds.show(14, &Readings::of(says(97, 1), says(1, 1))), Ok((97, 1)));
    assert_eq!(feeds.show(14, &Readings::of(says(96, 1), says(1, 2))), Ok((96, 1)));
    assert_eq!(feeds.show(14, &Readings::of(says(95, 1), says(1, 1))), Ok((96, 1)));
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

    /// Whoever has so many readings that are wrong about the time and is first in every second: each holds the price
    /// for an age, and two in a row for that and five minutes.
    #[test]
    fn what_is_wrong_about_the_time_holds_the_price_for_a_time_each(
        mut wrong in prop::collection::vec(15i64..3_600, 1..6), tries in prop::collection::vec((0usize..6, 0u8..3), 3_000),
    ) {
        let mut feeds = Feeds::new();
        feeds.show(0, &both(100, 0)).unwrap();
        wrong.sort_unstable();
        let mut held = 0;
        for (now, (which, order)) in (1..).zip(tries) {
            let try_one = match order {
                // In their order, so that each is newer than the last.
                0 => wrong.iter().find(|time| **time > feeds.oracle.known.newest.collateral.published - NOW.unix),
                1 => wrong.get(which),
                _ => None,
            };
            if let Some(time) = try_one.filter(|time| **time > now) {
                let _ = feeds.show(now, &both(150, *time));
            }
            held += i64::from(feeds.show(now, &both(100, now)).map(|(dollars, _)| dollars) != Ok(100));
        }
        let most = 15 + 158 * i64::try_from(wrong.len()).unwrap();
        prop_assert!(held <= most, "{held} seconds by {wrong:?}");
    }

    /// Whatever anybody shows, in whatever order, while the clock is late and somebody looks every ten seconds: time does
    /// not run back.
    #[test]
    fn a_late_clock_that_is_watched_does_not_run_back(
        late in 20i64..3_600, shown in prop::collection::vec((1i64..4, 0i64..3_600, 0u8..3), 1..100),
    ) {
        let mut feeds = Feeds::new();
        let (mut now, mut last, mut looked) = (0, i64::MIN, -10);
        for (seconds, age, which) in shown {
            now += seconds;
            if now - looked >= 10 {
                prop_assert_eq!(feeds.show(now, &both(100, now + late)), Ok((100, now)));
                looked = now;
            }
            let time = now + late - age;
            let readings = match which {
                0 => both(90, time),
                1 => collateral(90, time),
                _ => Readings { quote: Some(says(1, time)), ..Readings::NONE },
            };
            let _ = feeds.show(now, &readings);
            let first = feeds.oracle.known.newest.collateral.published.min(feeds.oracle.known.newest.quote.published);
            prop_assert!(first >= last, "from {last} to {first}");
            last = first;
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

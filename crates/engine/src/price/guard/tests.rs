use super::*;
use crate::{
    config::tests::CONFIG,
    math::units::Collateral,
    price::oracle::{
        Oracle, PriceUse, RawReading, Readings,
        tests::{NOW, raw},
    },
};
use proptest::prelude::*;
use std::vec::Vec;

mod near;

/// A market's oracle and guard, and a clock.
struct Stage {
    oracle: Oracle,
    guard: Guard,
    config: Config,
    clock: Clock,
}

/// One US dollar, as feeds say it.
const USD: i64 = 1_0000_0000;

impl Stage {
    fn new() -> Self {
        Self {
            oracle: bytemuck::Zeroable::zeroed(),
            guard: bytemuck::Zeroable::zeroed(),
            config: CONFIG,
            clock: NOW,
        }
    }

    /// After `seconds`, this reading.
    fn show(&mut self, seconds: i64, collateral: RawReading) -> Prices {
        self.clock.unix += seconds;
        let publish_time = self.clock.unix;
        let readings = Readings::of(
            RawReading {
                publish_time,
                ..collateral
            },
            RawReading {
                publish_time,
                ..raw(USD, 0)
            },
        );
        let oracle = &self.oracle;
        let (believed, known) = oracle
            .read(&self.config, (6, 6), &readings, PriceUse::Observe, self.clock)
            .unwrap();
        self.oracle.known = known;
        let verdict = self.guard.observe(&self.config, &believed, self.clock).unwrap();
        Prices::new(believed, verdict, PriceUse::Observe, self.clock)
    }

    /// After `seconds`, a price in cents with Pyth's average at 100 dollars.
    fn cents(&mut self, seconds: i64, cents: i64) -> Prices {
        let reading = raw(cents * USD / 100, 0);
        self.show(
            seconds,
            RawReading {
                ema_price: 100 * USD,
                ..reading
            },
        )
    }

    /// A price that has stood for a day.
    fn settled(seconds: i64) -> Self {
        let mut stage = Self::new();
        let _ = stage.cents(0, 10_000);
        let _ = stage.cents(seconds, 10_000);
        stage
    }
}

/// A price in cents, rounded to the nearest.
fn cents(price: Price) -> u64 {
    (price.value(Collateral(1_000_000)).unwrap().0 + 5_000) / 10_000
}

#[test]
fn the_first_reading_is_where_everything_begins() {
    let mut stage = Stage::new();
    let prices = stage.cents(0, 10_000);
    assert_eq!(
        (prices.guarded(), prices.average(), prices.level(), prices.flags()),
        (prices.spot(), prices.spot(), Level::Normal, Flags::NONE)
    );
    assert_eq!(prices.change(), None);
}

#[test]
fn what_stays_within_the_slack_is_taken_as_it_is() {
    let mut stage = Stage::settled(60);
    let prices = stage.cents(0, 9_950);
    assert_eq!((prices.guarded(), prices.level()), (prices.spot(), Level::Normal));
}

#[test]
fn a_print_is_clamped_by_time_and_slack() {
    // 10 bps a second, slack 0.5%
    let mut stage = Stage::settled(10);
    let prices = stage.cents(10, 6_000);
    assert_eq!(cents(prices.guarded()), 9_850); // 100 × 99% × 99.5%
    assert_eq!(prices.level(), Level::Guarded);
    assert_eq!(prices.flags(), Flags::VELOCITY.with(Flags::AVERAGE).with(Flags::EMA));
    // No time passes: nothing moves, however often it is shown.
    let again = stage.cents(0, 6_000);
    assert_eq!(again.guarded(), prices.guarded());
    // An hour of silence counts half a minute.
    let late = stage.cents(3_600, 6_000);
    assert_eq!(cents(late.guarded()), 9_555); // 99 × 97% × 99.5%
}

#[test]
fn an_account_must_be_short_at_both_prices() {
    let mut stage = Stage::settled(10);
    // Clamped at 98.51, spot 97: the owner is judged at the higher one, and settled at the lower.
    let falling = stage.cents(10, 9_700);
    let at = |judged, settled| Ok(LiquidationPrices { judged, settled });
    assert_eq!(falling.liquidation(), at(falling.guarded(), falling.spot()));
    assert!(falling.guarded() > falling.spot());
    // The reference lags at 99 and a bit: spot is back above it.
    let back = stage.cents(1, 10_050);
    assert!(back.guarded() < back.spot());
    assert_eq!(back.liquidation(), at(back.spot(), back.guarded()));
}

#[test]
fn the_average_moves_by_elapsed_time_and_never_past_the_price() {
    let mut stage = Stage::settled(600);
    let _ = stage.cents(600, 9_900);
    // Half of the way after one time constant.
    assert_eq!(cents(Price::from_raw(stage.guard.average.raw())), 9_950);
    let _ = stage.cents(1 << 40, 9_900);
    assert_eq!(cents(stage.guard.average), 9_900);
}

#[test]
fn every_flag_asks_for_its_level() {
    let guarded = [
        Flags::VELOCITY,
        Flags::AVERAGE,
        Flags::EMA,
        Flags::NO_EMA,
        Flags::CONFIDENCE_GUARD,
    ];
    let halted = [Flags::CONFIDENCE_HALT, Flags::BRAKE];
    assert_eq!(Flags::NONE.level(), Level::Normal);
    assert!(guarded.iter().all(|flag| flag.level() == Level::Guarded));
    assert!(halted.iter().all(|flag| flag.level() == Level::Halted));
    assert_eq!(Flags(u8::MAX).level(), Level::Halted);
    let all = guarded.iter().chain(&halted).fold(Flags::NONE, |all, flag| {
        assert!(!all.has(*flag), "two flags share a bit");
        all.with(*flag)
    });
    assert_eq!(all, Flags(127));
}

#[test]
fn each_cause_raises_its_own_flag() {
    let flags = |change: fn(&mut RawReading)| {
        let mut stage = Stage::settled(10);
        let mut reading = raw(100 * USD, 0);
        change(&mut reading);
        stage.show(10, reading).flags()
    };
    assert_eq!(flags(|_| ()), Flags::NONE);
    assert_eq!(flags(|r| r.price = 98 * USD), Flags::VELOCITY);
    assert_eq!(flags(|r| r.ema_price = 118 * USD), Flags::EMA);
    assert_eq!(flags(|r| r.ema_price = 0), Flags::NO_EMA);
    assert_eq!(flags(|r| r.conf = 1_0000_0001), Flags::CONFIDENCE_GUARD);
    assert_eq!(flags(|r| r.conf = 3_0000_0001), Flags::CONFIDENCE_HALT);
    // The own average alone: a minute's walk that Pyth's average has already made.
    let mut stage = Stage::settled(10);
    for price in [97, 94, 91] {
        let _ = stage.show(30, raw(price * USD, 0));
    }
    assert_eq!(stage.show(30, raw(90 * USD, 0)).flags(), Flags::AVERAGE);
}

#[test]
fn levels_rise_at_once_and_fall_after_calm() {
    let mut stage = Stage::settled(10);
    let prices = stage.cents(1, 9_900);
    let change = prices.change().unwrap();
    assert_eq!((change.from, change.to, change.flags), (0, 1, Flags::VELOCITY.0));
    assert_eq!(stage.cents(59, 10_000).level(), Level::Guarded);
    // A cause on the way begins the wait anew.
    assert_eq!(stage.cents(0, 10_000).level(), Level::Guarded);
    assert_eq!(stage.cents(0, 9_000).level(), Level::Guarded);
    assert_eq!(stage.cents(1, 9_000).level(), Level::Guarded);
    assert_eq!(stage.cents(59, 10_000).level(), Level::Guarded);
    let normal = stage.cents(1, 10_000);
    assert_eq!(normal.level(), Level::Normal);
    assert_eq!(normal.change().map(|change| (change.from, change.to)), Some((1, 0)));
}

/// A dollar in a hundred either way, or more.
fn wide(dollars: u64) -> RawReading {
    RawReading {
        conf: dollars * USD.unsigned_abs(),
        ..raw(100 * USD, 0)
    }
}

#[test]
fn what_a_wide_reading_asks_for_ends_with_the_next_narrow_one() {
    let mut stage = Stage::settled(10);
    for (dollars, level) in [(50, Level::Halted), (2, Level::Guarded)] {
        assert_eq!(stage.show(10, wide(dollars)).level(), level);
        assert_eq!(stage.show(1, wide(0)).level(), Level::Normal);
    }
    // One a minute, for ten minutes, is what halts the market while it is the newest, and no longer.
    let halted = |level: Level| usize::from(level == Level::Halted);
    let seconds = (0..600).map(|second| halted(stage.show(1, wide(if second % 60 == 0 { 50 } else { 0 })).level()));
    assert_eq!(seconds.sum::<usize>(), 10);
}

#[test]
fn a_wide_reading_does_not_shorten_the_calm() {
    let mut stage = Stage::settled(10);
    let _ = stage.cents(1, 9_900);
    let _ = stage.show(30, wide(50));
    assert_eq!(stage.cents(29, 10_000).level(), Level::Guarded);
    // Nor does it count as calm itself.
    assert_eq!(stage.show(1, wide(50)).level(), Level::Halted);
    assert_eq!(stage.guard.ladder, Level::Guarded.byte());
    assert_eq!(stage.cents(1, 10_000).level(), Level::Normal);
}

#[test]
fn what_is_shown_again_moves_the_reference_and_nothing_else() {
    let mut stage = Stage::settled(60);
    let fallen = stage.cents(1, 9_700);
    assert_eq!((fallen.level(), fallen.flags()), (Level::Guarded, Flags::VELOCITY));
    let before = stage.guard;
    // Ten seconds later the same readings, of which the market knows.
    stage.clock.unix += 10;
    let (believed, _) = stage
        .oracle
        .read(&CONFIG, (6, 6), &Readings::NONE, PriceUse::Observe, stage.clock)
        .unwrap();
    let verdict = stage.guard.observe(&CONFIG, &believed, stage.clock).unwrap();
    assert!(!verdict.teaches);
    assert_eq!(cents(stage.guard.reference), 9_890); // 99.9 × 99%
    assert_eq!(stage.guard.average, before.average);
    assert_eq!(stage.guard.averaged_at, before.averaged_at);
    // Sixty seconds of that are no calm.
    for _ in 0..7 {
        stage.clock.unix += 30;
        let verdict = stage.guard.observe(&CONFIG, &believed, stage.clock).unwrap();
        assert_eq!(verdict.level, Level::Guarded);
    }
    assert_eq!(stage.guard.flags, Flags::NONE.0);
    assert_eq!(stage.cents(1, 9_700).level(), Level::Normal);
}

#[test]
fn what_is_too_uncertain_moves_no_guard() {
    // 5,402 ± 21,623 for an asset worth 43,000: a print of September 2021.
    let mut stage = Stage::new();
    let _ = stage.show(0, raw(43_000 * USD, 10 * USD.unsigned_abs()));
    let before = stage.guard;
    let prices = stage.show(60, raw(5_402 * USD, 21_623 * USD.unsigned_abs()));
    assert_eq!(
        (prices.level(), prices.permit(PriceUse::Liquidate)),
        (Level::Halted, Err(Error::ConfidenceTooWide))
    );
    assert_eq!(
        (stage.guard.reference, stage.guard.average, stage.guard.moved_at),
        (before.reference, before.average, before.moved_at)
    );
    // A first reading that is too uncertain is no beginning.
    let mut fresh = Stage::new();
    let prices = fresh.show(0, raw(5_402 * USD, 21_623 * USD.unsigned_abs()));
    assert_eq!(
        (prices.guarded(), fresh.guard.reference),
        (prices.spot(), Price::default())
    );
}

#[test]
fn the_brake_lies_over_the_ladder_and_expires() {
    let mut stage = Stage::settled(10);
    let pull = |stage: &mut Stage, seconds| stage.guard.pull_brake(&CONFIG, seconds, stage.clock);
    assert_eq!(pull(&mut stage, 0), Err(Error::BrakeTooLong));
    assert_eq!(pull(&mut stage, 3_601), Err(Error::BrakeTooLong));
    let until = stage.clock.unix + 3_600;
    assert_eq!(pull(&mut stage, 3_600), Ok(BrakePull { until, from: 0 }));
    let braked = stage.cents(3_599, 10_000);
    assert_eq!((braked.level(), braked.flags()), (Level::Halted, Flags::BRAKE));
    assert_eq!(braked.permit(PriceUse::Sell), Err(Error::MarketHalted));
    assert_eq!(pull(&mut stage, 1), Err(Error::BrakeResting));
    let free = stage.cents(1, 10_000);
    assert_eq!((free.level(), free.flags()), (Level::Normal, Flags::NONE));
    assert_eq!(free.change().map(|change| (change.from, change.to)), Some((2, 0)));
    stage.clock.unix += 14_399;
    assert_eq!(pull(&mut stage, 1), Err(Error::BrakeResting));
    stage.clock.unix += 1;
    assert_eq!(pull(&mut stage, 1).map(|pull| pull.from), Ok(0));
}

#[test]
fn the_table_of_actions() {
    let table = [
        (Level::Normal, [Ok(()), Ok(()), Ok(())]),
        (Level::Guarded, [Err(Error::MarketGuarded), Ok(()), Ok(())]),
        (Level::Halted, [Err(Error::MarketHalted); 3]),
    ];
    for (level, row) in table {
        assert_eq!(
            [PriceUse::Borrow, PriceUse::Liquidate, PriceUse::Sell].map(|action| level.permit(action)),
            row
        );
        assert_eq!(Level::from_byte(level.byte()), level);
    }
    assert_eq!(Level::from_byte(3), Level::Halted);
}

#[test]
fn borrowing_counts_collateral_at_the_lowest_price_less_the_confidence() {
    let value = |price: i64, ema: i64| {
        let mut stage = Stage::settled(10);
        let conf = USD.unsigned_abs() / 2;
        let prices = stage.show(
            10,
            RawReading {
                ema_price: ema * USD,
                ..raw(price * USD, conf)
            },
        );
        prices.conservative().map(cents)
    };
    assert_eq!(value(100, 100), Ok(9_950));
    assert_eq!(value(101, 120), Err(Error::MarketGuarded)); // Pyth's average is 15.8% away
    assert_eq!(value(101, 110), Ok(9_952)); // own average: 100.02
    assert_eq!(value(99, 110), Ok(9_850));
    assert_eq!(value(100, 90), Ok(8_950));
    assert_eq!(value(100, 0), Err(Error::EmaUnavailable));
}

#[test]
fn the_cover_falls_from_the_lowest_price_and_the_flow_counts_at_the_higher_average() {
    let seen = |price: i64, ema: i64| {
        let mut stage = Stage::settled(10);
        let prices = stage.show(
            10,
            RawReading {
                ema_price: ema * USD,
                ..raw(price * USD, 0)
            },
        );
        (cents(prices.lowest()), cents(prices.flow_price()))
    };
    // Own average: 100.02. Pyth's counts for the flow alone.
    assert_eq!(seen(101, 90), (10_002, 10_002));
    assert_eq!(seen(101, 110), (10_002, 11_000));
    assert_eq!(seen(99, 110), (9_900, 11_000));
    // Clamped at 101.51 and 98.51; own averages 100.02 and 99.98.
    assert_eq!(seen(120, 100), (10_002, 10_002));
    assert_eq!(seen(60, 100), (6_000, 10_000));
    // Where Pyth gives none, the own one.
    assert_eq!(seen(101, 0), (10_002, 10_002));
}

#[test]
fn selling_while_guarded_asks_the_highest_of_all_prices() {
    let mut stage = Stage::settled(10);
    let conf = USD.unsigned_abs() / 2;
    let reading = |price: i64, ema: i64| RawReading {
        ema_price: ema * USD,
        ..raw(price * USD, conf)
    };
    let normal = stage.show(10, reading(100, 104));
    assert_eq!(
        (normal.level(), cents(normal.offered().unwrap())),
        (Level::Normal, 10_050)
    );
    let falling = stage.show(10, reading(95, 104));
    assert_eq!(
        (falling.level(), cents(falling.offered().unwrap())),
        (Level::Guarded, 10_450)
    );
    let own_average = stage.show(10, reading(95, 90));
    assert_eq!(cents(own_average.offered().unwrap()), cents(own_average.average()) + 50);
    let rising = stage.show(10, reading(120, 104));
    assert_eq!(cents(rising.offered().unwrap()), 12_050);
}

proptest! {
    #[test]
    fn the_reference_is_never_faster_than_the_limit(
        steps in prop::collection::vec((0i64..200, 1i64..30_000), 1..40),
    ) {
        let mut stage = Stage::settled(10);
        for (seconds, price) in steps {
            let before = stage.guard.reference.raw() as f64;
            let average = stage.guard.average;
            let prices = stage.cents(seconds, price);
            let after = stage.guard.reference.raw() as f64;
            let allowed = 10.0 * seconds.min(30) as f64 / 10_000.0;
            prop_assert!((after / before - 1.0).abs() <= allowed + 1e-9, "{before} {after} {seconds}");
            let slack = prices.guarded().raw() as f64 / after - 1.0;
            prop_assert!(slack.abs() <= 0.005 + 1e-9);
            // The average stays between where it was and the guarded price.
            let (low, high) = (average.min(prices.guarded()), average.max(prices.guarded()));
            prop_assert!(low <= prices.average() && prices.average() <= high);
            let at = prices.liquidation().unwrap();
            prop_assert_eq!(at.judged, prices.spot().max(prices.guarded()));
            prop_assert_eq!(at.settled, prices.spot().min(prices.guarded()));
            if prices.level() == Level::Normal {
                prop_assert_eq!(prices.guarded(), prices.spot());
            }
        }
    }

    /// Whatever happened before: good prices for long enough, and the market is Normal.
    #[test]
    fn no_level_outlives_its_cause(
        steps in prop::collection::vec((0i64..200, 2_000i64..30_000, 0u64..100), 1..20), end in 5_000i64..20_000,
    ) {
        let mut stage = Stage::settled(10);
        for (seconds, price, conf) in steps {
            let _ = stage.show(seconds, RawReading { conf: conf * USD.unsigned_abs(), ..raw(price * USD / 100, 0) });
        }
        // At 6% a minute the reference is at any of these prices after an hour, and the average (10 min) four hours
        // later.
        let levels: Vec<Level> = (0..1_000).map(|_| stage.show(30, raw(end * USD / 100, 0)).level()).collect();
        prop_assert_eq!(levels.last(), Some(&Level::Normal));
        // Once Normal it stays so.
        let first = levels.iter().position(|level| *level == Level::Normal).unwrap();
        prop_assert!(levels[first..].iter().all(|level| *level == Level::Normal));
    }

    /// Nobody can hold a market down by showing good readings often, seldom, or at odd times.
    #[test]
    fn calm_is_counted_whatever_the_rhythm(rhythm in prop::collection::vec(0i64..60, 60..80)) {
        let mut stage = Stage::settled(10);
        let _ = stage.cents(1, 9_900);
        let start = stage.clock.unix;
        for seconds in rhythm {
            let level = stage.cents(seconds, 10_000).level();
            let calm = stage.clock.unix - start;
            if calm < 60 { prop_assert_eq!(level, Level::Guarded); }
            // It waits for a reading, and readings are at most a minute apart.
            if calm >= 120 { prop_assert_eq!(level, Level::Normal); }
        }
    }
}

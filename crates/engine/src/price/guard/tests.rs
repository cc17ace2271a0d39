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
struct BreakerRun {
    oracle: Oracle,
    guard: Guard,
    config: Config,
    clock: Clock,
}

/// One US dollar, as feeds say it.
const USD: i64 = 1_0000_0000;

impl BreakerRun {
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
        let (oracle_price, known) = oracle
            .read(&self.config, (6, 6), &readings, PriceUse::Observe, self.clock)
            .unwrap();
        self.oracle.known = known;
        let breaker = self.guard.observe(&self.config, &oracle_price, self.clock).unwrap();
        Prices::new(oracle_price, breaker, PriceUse::Observe, self.clock)
    }

    /// After `seconds`, a price in cents with Pyth's EMA at 100 dollars.
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
        let mut run = Self::new();
        let _ = run.cents(0, 10_000);
        let _ = run.cents(seconds, 10_000);
        run
    }
}

/// A price in cents, rounded to the nearest.
fn cents(price: Price) -> u64 {
    (price.quote_floor(Collateral(1_000_000)).unwrap().0 + 5_000) / 10_000
}

#[test]
fn the_first_reading_is_where_everything_begins() {
    let mut run = BreakerRun::new();
    let prices = run.cents(0, 10_000);
    assert_eq!(
        (prices.guarded(), prices.own_ema(), prices.level(), prices.flags()),
        (prices.spot(), prices.spot(), Level::Normal, Flags::NONE)
    );
    assert_eq!(prices.change(), None);
}

#[test]
fn what_stays_within_the_slack_is_taken_as_it_is() {
    let mut run = BreakerRun::settled(60);
    let prices = run.cents(0, 9_950);
    assert_eq!((prices.guarded(), prices.level()), (prices.spot(), Level::Normal));
}

#[test]
fn a_print_is_clamped_by_time_and_slack() {
    // 10 bps a second, slack 0.5%
    let mut run = BreakerRun::settled(10);
    let prices = run.cents(10, 6_000);
    assert_eq!(cents(prices.guarded()), 9_850); // 100 × 99% × 99.5%
    assert_eq!(prices.level(), Level::Guarded);
    assert_eq!(prices.flags(), Flags::VELOCITY.with(Flags::OWN_EMA).with(Flags::EMA));
    // No time passes: nothing moves, however often it is shown.
    let again = run.cents(0, 6_000);
    assert_eq!(again.guarded(), prices.guarded());
    // An hour of silence counts half a minute.
    let late = run.cents(3_600, 6_000);
    assert_eq!(cents(late.guarded()), 9_555); // 99 × 97% × 99.5%
}

#[test]
fn an_account_must_be_short_at_both_prices() {
    let mut run = BreakerRun::settled(10);
    // Clamped at 98.51, spot 97: the owner is judged at the higher one, and settled at the lower.
    let falling = run.cents(10, 9_700);
    let at = |judged, settled| Ok(LiquidationPrices { judged, settled });
    assert_eq!(falling.liquidation(), at(falling.guarded(), falling.spot()));
    assert!(falling.guarded() > falling.spot());
    // The reference lags at 99 and a bit: spot is back above it.
    let back = run.cents(1, 10_050);
    assert!(back.guarded() < back.spot());
    assert_eq!(back.liquidation(), at(back.spot(), back.guarded()));
}

#[test]
fn the_average_moves_by_elapsed_time_and_never_past_the_price() {
    let mut run = BreakerRun::settled(600);
    let _ = run.cents(600, 9_900);
    // Half of the way after one time constant.
    assert_eq!(cents(Price::from_raw(run.guard.own_ema.raw())), 9_950);
    let _ = run.cents(1 << 40, 9_900);
    assert_eq!(cents(run.guard.own_ema), 9_900);
}

#[test]
fn every_flag_asks_for_its_level() {
    let guarded = [
        Flags::VELOCITY,
        Flags::OWN_EMA,
        Flags::EMA,
        Flags::NO_EMA,
        Flags::CONFIDENCE_GUARD,
    ];
    let halted = [Flags::CONFIDENCE_HALT, Flags::EMERGENCY_HALT];
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
        let mut run = BreakerRun::settled(10);
        let mut reading = raw(100 * USD, 0);
        change(&mut reading);
        run.show(10, reading).flags()
    };
    assert_eq!(flags(|_| ()), Flags::NONE);
    assert_eq!(flags(|r| r.price = 98 * USD), Flags::VELOCITY);
    assert_eq!(flags(|r| r.ema_price = 118 * USD), Flags::EMA);
    assert_eq!(flags(|r| r.ema_price = 0), Flags::NO_EMA);
    assert_eq!(flags(|r| r.conf = 1_0000_0001), Flags::CONFIDENCE_GUARD);
    assert_eq!(flags(|r| r.conf = 3_0000_0001), Flags::CONFIDENCE_HALT);
    // The own EMA alone: a minute's walk that Pyth's EMA has already made.
    let mut run = BreakerRun::settled(10);
    for price in [97, 94, 91] {
        let _ = run.show(30, raw(price * USD, 0));
    }
    assert_eq!(run.show(30, raw(90 * USD, 0)).flags(), Flags::OWN_EMA);
}

#[test]
fn levels_rise_at_once_and_fall_after_calm() {
    let mut run = BreakerRun::settled(10);
    let prices = run.cents(1, 9_900);
    let change = prices.change().unwrap();
    assert_eq!((change.from, change.to, change.flags), (0, 1, Flags::VELOCITY.0));
    assert_eq!(run.cents(59, 10_000).level(), Level::Guarded);
    // A cause on the way begins the wait anew.
    assert_eq!(run.cents(0, 10_000).level(), Level::Guarded);
    assert_eq!(run.cents(0, 9_000).level(), Level::Guarded);
    assert_eq!(run.cents(1, 9_000).level(), Level::Guarded);
    assert_eq!(run.cents(59, 10_000).level(), Level::Guarded);
    let normal = run.cents(1, 10_000);
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
    let mut run = BreakerRun::settled(10);
    for (dollars, level) in [(50, Level::Halted), (2, Level::Guarded)] {
        assert_eq!(run.show(10, wide(dollars)).level(), level);
        assert_eq!(run.show(1, wide(0)).level(), Level::Normal);
    }
    // One a minute, for ten minutes, is what halts the market while it is the newest, and no longer.
    let halted = |level: Level| usize::from(level == Level::Halted);
    let seconds = (0..600).map(|second| halted(run.show(1, wide(if second % 60 == 0 { 50 } else { 0 })).level()));
    assert_eq!(seconds.sum::<usize>(), 10);
}

#[test]
fn a_wide_reading_does_not_shorten_the_calm() {
    let mut run = BreakerRun::settled(10);
    let _ = run.cents(1, 9_900);
    let _ = run.show(30, wide(50));
    assert_eq!(run.cents(29, 10_000).level(), Level::Guarded);
    // Nor does it count as calm itself.
    assert_eq!(run.show(1, wide(50)).level(), Level::Halted);
    assert_eq!(run.guard.breaker_level, Level::Guarded.byte());
    assert_eq!(run.cents(1, 10_000).level(), Level::Normal);
}

#[test]
fn what_is_shown_again_moves_the_reference_and_nothing_else() {
    let mut run = BreakerRun::settled(60);
    let fallen = run.cents(1, 9_700);
    assert_eq!((fallen.level(), fallen.flags()), (Level::Guarded, Flags::VELOCITY));
    let before = run.guard;
    // Ten seconds later the same readings, of which the market knows.
    run.clock.unix += 10;
    let (oracle_price, _) = run
        .oracle
        .read(&CONFIG, (6, 6), &Readings::NONE, PriceUse::Observe, run.clock)
        .unwrap();
    let breaker = run.guard.observe(&CONFIG, &oracle_price, run.clock).unwrap();
    assert!(!breaker.teaches);
    assert_eq!(cents(run.guard.reference), 9_890); // 99.9 × 99%
    assert_eq!(run.guard.own_ema, before.own_ema);
    assert_eq!(run.guard.own_ema_at, before.own_ema_at);
    // Sixty seconds of that are no calm.
    for _ in 0..7 {
        run.clock.unix += 30;
        let breaker = run.guard.observe(&CONFIG, &oracle_price, run.clock).unwrap();
        assert_eq!(breaker.level, Level::Guarded);
    }
    assert_eq!(run.guard.flags, Flags::NONE.0);
    assert_eq!(run.cents(1, 9_700).level(), Level::Normal);
}

#[test]
fn what_is_too_uncertain_moves_no_guard() {
    // 5,402 ± 21,623 for an asset worth 43,000: a print of September 2021.
    let mut run = BreakerRun::new();
    let _ = run.show(0, raw(43_000 * USD, 10 * USD.unsigned_abs()));
    let before = run.guard;
    let prices = run.show(60, raw(5_402 * USD, 21_623 * USD.unsigned_abs()));
    assert_eq!(
        (prices.level(), prices.permit(PriceUse::Liquidate)),
        (Level::Halted, Err(Error::ConfidenceTooWide))
    );
    assert_eq!(
        (run.guard.reference, run.guard.own_ema, run.guard.moved_at),
        (before.reference, before.own_ema, before.moved_at)
    );
    // A first reading that is too uncertain is no beginning.
    let mut fresh = BreakerRun::new();
    let prices = fresh.show(0, raw(5_402 * USD, 21_623 * USD.unsigned_abs()));
    assert_eq!(
        (prices.guarded(), fresh.guard.reference),
        (prices.spot(), Price::default())
    );
}

#[test]
fn the_emergency_halt_lies_over_the_breaker_and_expires() {
    let mut run = BreakerRun::settled(10);
    let pull = |run: &mut BreakerRun, seconds| run.guard.emergency_halt(&CONFIG, seconds, run.clock);
    assert_eq!(pull(&mut run, 0), Err(Error::HaltTooLong));
    assert_eq!(pull(&mut run, 3_601), Err(Error::HaltTooLong));
    let until = run.clock.unix + 3_600;
    assert_eq!(pull(&mut run, 3_600), Ok(HaltStarted { until, from: 0 }));
    let halted = run.cents(3_599, 10_000);
    assert_eq!((halted.level(), halted.flags()), (Level::Halted, Flags::EMERGENCY_HALT));
    assert_eq!(halted.permit(PriceUse::Sell), Err(Error::MarketHalted));
    assert_eq!(pull(&mut run, 1), Err(Error::HaltCooldown));
    let free = run.cents(1, 10_000);
    assert_eq!((free.level(), free.flags()), (Level::Normal, Flags::NONE));
    assert_eq!(free.change().map(|change| (change.from, change.to)), Some((2, 0)));
    run.clock.unix += 14_399;
    assert_eq!(pull(&mut run, 1), Err(Error::HaltCooldown));
    run.clock.unix += 1;
    assert_eq!(pull(&mut run, 1).map(|pull| pull.from), Ok(0));
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
        let mut run = BreakerRun::settled(10);
        let conf = USD.unsigned_abs() / 2;
        let prices = run.show(
            10,
            RawReading {
                ema_price: ema * USD,
                ..raw(price * USD, conf)
            },
        );
        prices.conservative().map(cents)
    };
    assert_eq!(value(100, 100), Ok(9_950));
    assert_eq!(value(101, 120), Err(Error::MarketGuarded)); // Pyth's EMA is 15.8% away
    assert_eq!(value(101, 110), Ok(9_952)); // own EMA: 100.02
    assert_eq!(value(99, 110), Ok(9_850));
    assert_eq!(value(100, 90), Ok(8_950));
    assert_eq!(value(100, 0), Err(Error::EmaUnavailable));
}

#[test]
fn the_cover_falls_from_the_lowest_price_and_the_flow_counts_at_the_higher_average() {
    let seen = |price: i64, ema: i64| {
        let mut run = BreakerRun::settled(10);
        let prices = run.show(
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
    // Clamped at 101.51 and 98.51; own EMAs 100.02 and 99.98.
    assert_eq!(seen(120, 100), (10_002, 10_002));
    assert_eq!(seen(60, 100), (6_000, 10_000));
    // Where Pyth gives none, the own one.
    assert_eq!(seen(101, 0), (10_002, 10_002));
}

#[test]
fn selling_while_guarded_asks_the_highest_of_all_prices() {
    let mut run = BreakerRun::settled(10);
    let conf = USD.unsigned_abs() / 2;
    let reading = |price: i64, ema: i64| RawReading {
        ema_price: ema * USD,
        ..raw(price * USD, conf)
    };
    let normal = run.show(10, reading(100, 104));
    assert_eq!(
        (normal.level(), cents(normal.ask_reference().unwrap())),
        (Level::Normal, 10_050)
    );
    let falling = run.show(10, reading(95, 104));
    assert_eq!(
        (falling.level(), cents(falling.ask_reference().unwrap())),
        (Level::Guarded, 10_450)
    );
    let own_average = run.show(10, reading(95, 90));
    assert_eq!(
        cents(own_average.ask_reference().unwrap()),
        cents(own_average.own_ema()) + 50
    );
    let rising = run.show(10, reading(120, 104));
    assert_eq!(cents(rising.ask_reference().unwrap()), 12_050);
}

proptest! {
    #[test]
    fn the_reference_is_never_faster_than_the_limit(
        steps in prop::collection::vec((0i64..200, 1i64..30_000), 1..40),
    ) {
        let mut run = BreakerRun::settled(10);
        for (seconds, price) in steps {
            let before = run.guard.reference.raw() as f64;
            let own_ema = run.guard.own_ema;
            let prices = run.cents(seconds, price);
            let after = run.guard.reference.raw() as f64;
            let allowed = 10.0 * seconds.min(30) as f64 / 10_000.0;
            prop_assert!((after / before - 1.0).abs() <= allowed + 1e-9, "{before} {after} {seconds}");
            let slack = prices.guarded().raw() as f64 / after - 1.0;
            prop_assert!(slack.abs() <= 0.005 + 1e-9);
            // The average stays between where it was and the guarded price.
            let (low, high) = (own_ema.min(prices.guarded()), own_ema.max(prices.guarded()));
            prop_assert!(low <= prices.own_ema() && prices.own_ema() <= high);
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
        let mut run = BreakerRun::settled(10);
        for (seconds, price, conf) in steps {
            let _ = run.show(seconds, RawReading { conf: conf * USD.unsigned_abs(), ..raw(price * USD / 100, 0) });
        }
        // At 6% a minute the reference is at any of these prices after an hour, and the average (10 min) four hours
        // later.
        let levels: Vec<Level> = (0..1_000).map(|_| run.show(30, raw(end * USD / 100, 0)).level()).collect();
        prop_assert_eq!(levels.last(), Some(&Level::Normal));
        // Once Normal it stays so.
        let first = levels.iter().position(|level| *level == Level::Normal).unwrap();
        prop_assert!(levels[first..].iter().all(|level| *level == Level::Normal));
    }

    /// Nobody can hold a market down by showing good readings often, seldom, or at odd times.
    #[test]
    fn calm_is_counted_whatever_the_rhythm(rhythm in prop::collection::vec(0i64..60, 60..80)) {
        let mut run = BreakerRun::settled(10);
        let _ = run.cents(1, 9_900);
        let start = run.clock.unix;
        for seconds in rhythm {
            let level = run.cents(seconds, 10_000).level();
            let calm = run.clock.unix - start;
            if calm < 60 { prop_assert_eq!(level, Level::Guarded); }
            // It waits for a reading, and readings are at most a minute apart.
            if calm >= 120 { prop_assert_eq!(level, Level::Normal); }
        }
    }
}

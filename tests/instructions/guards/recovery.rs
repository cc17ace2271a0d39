//! A breaker never stays up without a cause: at a price that stands still every market is Normal again, within a bound.

use super::{PYTH_AVERAGE, quiet};
use breakwater_engine::{Bps, Config, Level};
use breakwater_testkit::pyth::usd;

/// Seconds and observations until the market is Normal, if the price jumps from $100 to this and stands there. Pyth's
/// average follows within an hour, or is there at once.
fn recovery(cents: i64, rhythm: u32, conf: u64, settled: bool) -> (i64, u32) {
    let mut scene = quiet(Config::EXAMPLE);
    scene.tick(rhythm, usd(100));
    scene.observed();
    let price = cents * 1_000_000;
    let begun = scene.world.unix();
    let mut observations = 0;
    let feed = scene.market.collateral_feed;
    scene.tick(1, price);
    scene.world.edit_feed(&feed, |feed| feed.quotation_mut().conf += conf);
    assert_ne!(scene.observed().level, 0);
    while scene.level() != Level::Normal {
        scene.tick(rhythm, price);
        if settled {
            scene.world.settle_price(&feed, price, 0);
        }
        scene.observed();
        observations += 1;
        assert!(observations < 1_000, "never");
    }
    (scene.world.unix() - begun, observations)
}

/// Where prices jump to, from $100, cents.
const JUMPS: [i64; 8] = [9_800, 10_200, 9_000, 11_000, 6_000, 16_000, 4_000, 30_000];

/// How many readings it takes the reference to be within the slack, if it moves so many bps at each.
fn reference_readings(cents: i64, bps: i64) -> i64 {
    let (mut reference, to) = (1_000_000_000, cents * 100_000);
    let slack = i64::from(Config::EXAMPLE.velocity_slack.0);
    let mut count = 0;
    while (to - reference).abs() > reference * slack / 10_000 {
        reference += (to - reference).clamp(-reference * bps / 10_000, reference * bps / 10_000);
        count += 1;
    }
    count
}

/// How often a gap from $100 must be halved to be within this band of an average.
fn halvings(cents: i64, band: Bps) -> i64 {
    let (mut gap, band) = ((cents - 10_000).abs(), i64::from(band.0));
    let mut count = 0;
    while gap > cents * band / (10_000 + band) {
        gap /= 2;
        count += 1;
    }
    count
}

/// The bound: the reference moves there at the velocity limit; then an average closes more than half of what is left in
/// each of its time constants; then two steps down.
#[test]
fn after_any_jump_the_market_is_normal_again_in_bounded_time() {
    let config = Config::EXAMPLE;
    for cents in JUMPS {
        let reference = reference_readings(cents, i64::from(config.max_velocity.0));
        let own = halvings(cents, config.own_ema_band) * i64::from(config.own_ema_seconds);
        let pyth = halvings(cents, config.ema_band) * PYTH_AVERAGE;
        for rhythm in [10, config.velocity_horizon] {
            let down = 2 * i64::from(config.calm_seconds + rhythm);
            for (settled, bound) in [(true, reference + own + down), (false, reference + own + pyth + down)] {
                let (seconds, _) = recovery(cents, rhythm, 0, settled);
                assert!(seconds <= bound, "{cents} {rhythm} {settled}: {seconds}, not {bound}");
                println!("${cents}: {seconds} s of at most {bound}");
            }
        }
    }
}

#[test]
fn seldom_looked_at_it_takes_a_bounded_number_of_looks() {
    let config = Config::EXAMPLE;
    let reach = i64::from(config.max_velocity.0 * config.velocity_horizon);
    for cents in JUMPS {
        // An average moves by half at least, if its time constant has gone by between two looks.
        let most = reference_readings(cents, reach) + halvings(cents, config.own_ema_band) + 2;
        for rhythm in [config.own_ema_seconds, 3_600, 86_400] {
            let (_, observations) = recovery(cents, rhythm, 0, true);
            assert!(
                i64::from(observations) <= most,
                "{cents} {rhythm}: {observations}, not {most}"
            );
        }
    }
}

#[test]
fn after_a_reading_that_halted_one_narrow_one_is_enough() {
    for rhythm in [1, 10, 60, 120, 86_400] {
        let (seconds, observations) = recovery(10_000, rhythm, 5_000_000_000, false);
        assert_eq!((seconds - 1, observations), (i64::from(rhythm), 1));
    }
}

#[test]
fn a_price_that_stands_still_raises_nothing() {
    for rhythm in [1, 30, 600, 86_400] {
        let mut scene = quiet(Config::EXAMPLE);
        for _ in 0..200 {
            scene.tick(rhythm, usd(100));
            let observation = scene.observed();
            assert_eq!((observation.level, observation.flags), (0, 0));
        }
    }
}

#[test]
fn nor_does_one_that_moves_no_faster_than_it_may() {
    // 0.09% a second up to $120 and down again, looked at every five seconds: within velocity and slack. The market's
    // own EMA lags by that much for 600 seconds: a band of 8% would be left, so the pace is a tenth of that
    // afterwards.
    let mut scene = quiet(Config::EXAMPLE);
    let mut price = usd(100);
    for _ in 0..10 {
        scene.tick(5, price);
        price += price * 45 / 10_000;
        let observation = scene.observed();
        assert_eq!((observation.level, observation.flags), (0, 0));
    }
    for second in 0..2_000 {
        price += price / 100_000 * if second < 1_000 { 10 } else { -10 };
        scene.tick(5, price);
        let observation = scene.observed();
        assert_eq!((observation.level, observation.flags), (0, 0), "{second}");
    }
}

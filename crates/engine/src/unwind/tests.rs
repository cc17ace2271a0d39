use super::*;
use crate::{
    config::tests::CONFIG,
    oracle::{
        RawReading,
        tests::{NOW, prices, prices_with, raw},
    },
    units::Bps,
};
use proptest::prelude::*;
use std::vec::Vec;

const CONFIG_FAST: Config = Config {
    unwind_time: 3_600,
    unwind_max_rate: 1_000_000,
    unwind_min_rate: 1_000,
    ..CONFIG
};

fn at(seconds: i64) -> Clock {
    Clock {
        unix: NOW.unix + seconds,
        slot: 0,
    }
}

fn arrival(seconds: i64) -> Arrival {
    Arrival::at(&CONFIG, at(seconds)).unwrap()
}

fn begun() -> Schedule {
    let mut schedule = Schedule { anchor: 0, flow: 0 };
    schedule.arrive(&arrival(0), Collateral(0), Collateral(1));
    schedule
}

#[test]
fn a_stop_begins_the_discount_anew_when_it_is_over() {
    let mut schedule = begun();
    assert_eq!(schedule.stop(NOW.unix + 3_600), Ok(()));
    assert_eq!(schedule.discount(&CONFIG, Level::Normal, at(3_600)), Ok(0));
    assert_eq!(schedule.discount(&CONFIG, Level::Normal, at(7_200)), Ok(100));
    // One that is over by then changes nothing.
    assert_eq!(schedule.stop(NOW.unix), Ok(()));
    assert_eq!(schedule.discount(&CONFIG, Level::Normal, at(7_200)), Ok(100));
}

#[test]
fn the_discount_grows_with_the_lag_and_is_clamped() {
    let schedule = begun();
    assert_eq!(schedule.discount(&CONFIG, Level::Normal, at(0)), Ok(0));
    assert_eq!(schedule.discount(&CONFIG, Level::Normal, at(3_600)), Ok(100));
    assert_eq!(schedule.discount(&CONFIG, Level::Normal, at(360_000)), Ok(500));
    assert_eq!(schedule.discount(&CONFIG, Level::Normal, at(-3_600)), Ok(-100));
    assert_eq!(schedule.discount(&CONFIG, Level::Normal, at(-360_000)), Ok(-300));
    // While Guarded only the premium is left.
    assert_eq!(schedule.discount(&CONFIG, Level::Guarded, at(360_000)), Ok(0));
    assert_eq!(schedule.discount(&CONFIG, Level::Guarded, at(-360_000)), Ok(-300));
}

#[test]
fn what_arrives_beside_old_inventory_has_waited_as_long_as_its_part_of_it() {
    let after = |held, seized, seconds: i64| {
        let mut schedule = begun();
        schedule.arrive(&arrival(seconds), Collateral(held), Collateral(seized));
        (at(seconds).unix * 1_000_000 - schedule.anchor) / 1_000_000
    };
    assert_eq!(after(0, 100, 3_600), 0);
    assert_eq!(after(1, 1_000_000, 3_600), 1); // rounded in favour of the schedule
    assert_eq!(after(50, 50, 3_600), 1_800);
    assert_eq!(after(1_000_000, 1, 3_600), 3_600);
    // Lag beyond the largest discount does not count.
    assert_eq!(after(50, 50, 1_000_000), 9_000);
    assert_eq!(Schedule::longest_lag(&CONFIG), Ok(18_000));
    // Ahead of the schedule nothing changes.
    let mut ahead = begun();
    let _ = ahead.sell(&CONFIG, Collateral(1 << 40), Collateral(600_000_000), at(0));
    let before = ahead;
    ahead.arrive(&arrival(0), Collateral(5), Collateral(5));
    assert_eq!(ahead, before);
}

#[test]
fn the_ask_starts_at_the_high_price_and_the_floor_holds_it() {
    let schedule = begun();
    let one = Collateral(1_000_000_000);
    let prices = prices(100_0000_0000, 1_0000_0000);
    let ask = |seconds| {
        schedule
            .ask(&CONFIG, &prices, at(seconds))
            .unwrap()
            .cost(one)
            .unwrap()
            .0
    };
    assert_eq!(ask(0), 101_000_001);
    assert_eq!(ask(3_600), 99_990_001);
    let config = Config {
        unwind_floor_band: Bps(0),
        ..CONFIG
    };
    assert_eq!(
        schedule.ask(&config, &prices, at(36_000)).unwrap().cost(one).unwrap().0,
        100_000_000
    );
}

#[test]
fn sales_stop_at_the_burst() {
    let mut schedule = begun();
    let inventory = Collateral(3_600_000_000); // 1,000,000 a second
    let available = schedule.available(&CONFIG_FAST, inventory, at(0)).unwrap();
    assert_eq!(available, Collateral(600_000_000));
    let too_much = Collateral(available.0 + 1);
    assert_eq!(
        schedule.sell(&CONFIG_FAST, inventory, too_much, at(0)),
        Err(Error::UnwindTooFast)
    );
    assert_eq!(schedule.sell(&CONFIG_FAST, inventory, available, at(0)), Ok(()));
    assert_eq!(schedule.available(&CONFIG_FAST, inventory, at(0)), Ok(Collateral(0)));
    assert_eq!(
        schedule.available(&CONFIG_FAST, inventory, at(1)),
        Ok(Collateral(1_000_000))
    );
}

#[test]
fn an_hour_without_buyers_does_not_let_an_hour_go_at_once() {
    let schedule = begun();
    let inventory = Collateral(3_600_000_000);
    assert_eq!(
        schedule.available(&CONFIG_FAST, inventory, at(3_600)),
        Ok(Collateral(600_000_000))
    );
}

proptest! {
    #[test]
    fn any_window_obeys_the_flow_bound(
        moves in prop::collection::vec((0i64..2_000, 0u64..2_000_000_000, 0u64..2_000_000_000), 1..60),
    ) {
        let mut schedule = begun();
        let (mut time, mut inventory) = (0, 0u64);
        let mut sales: Vec<(i64, u64)> = Vec::new();
        for (wait, arrive, want) in moves {
            time += wait;
            schedule.arrive(&arrival(time), Collateral(inventory), Collateral(arrive));
            inventory += arrive;
            let available = schedule.available(&CONFIG_FAST, Collateral(inventory), at(time)).unwrap().0;
            let amount = want.min(available);
            schedule.sell(&CONFIG_FAST, Collateral(inventory), Collateral(amount), at(time)).unwrap();
            inventory -= amount;
            sales.push((time, amount));
        }
        for first in 0..sales.len() {
            let mut sold = 0;
            for &(end, amount) in &sales[first..] {
                sold += amount;
                let window = (end - sales[first].0) as u64 + u64::from(CONFIG_FAST.unwind_burst);
                prop_assert!(sold <= CONFIG_FAST.unwind_max_rate * window);
            }
        }
    }

    #[test]
    fn what_is_available_can_be_sold_and_one_atom_more_cannot(
        inventory in 1u64..1 << 50, lag in 0i64..100_000, sold in 0u64..600_000_000,
    ) {
        let mut schedule = begun();
        let _ = schedule.sell(&CONFIG_FAST, Collateral(1 << 50), Collateral(sold), at(0));
        let inventory = Collateral(inventory);
        let available = schedule.available(&CONFIG_FAST, inventory, at(lag)).unwrap();
        let mut sold_out = schedule;
        prop_assert_eq!(sold_out.sell(&CONFIG_FAST, inventory, available, at(lag)), Ok(()));
        if available < inventory {
            let more = Collateral(available.0 + 1);
            prop_assert_eq!(schedule.sell(&CONFIG_FAST, inventory, more, at(lag)), Err(Error::UnwindTooFast));
        }
    }

    #[test]
    fn the_ask_is_never_below_its_floor(lag in -100_000i64..1_000_000, price in 1i64..1 << 40, conf in 0u64..100) {
        let prices = prices(price, conf.min(price.unsigned_abs() / 100));
        let ask = begun().ask(&CONFIG, &prices, at(lag)).unwrap();
        prop_assert!(ask >= prices.trend().unwrap().scale_down(CONFIG.unwind_floor_band.below_one()).unwrap());
        prop_assert!(ask >= prices.offered().unwrap().scale_down(CONFIG.unwind_max_discount.below_one()).unwrap());
    }

    /// With whatever a valid config allows, and whatever prices are Normal: in time the ask comes down to spot.
    #[test]
    fn the_auction_cannot_get_stuck(
        price in 1_000_000i64..1 << 40, ema in 0i64..=10_000, conf in 0u64..=10_000, band in 1u32..=3_000,
        floor in 0u32..=3_000, guard in 1u32..=300, discount in 0u32..=2_500, premium in 0u64..600_000_000,
    ) {
        let config = Config {
            average_band: Bps(band),
            ema_band: Bps(band),
            unwind_floor_band: Bps(floor),
            confidence_guard: Bps(guard),
            unwind_max_discount: Bps(discount),
            ..CONFIG
        };
        prop_assume!(config.validate().is_ok());
        let conf = price.unsigned_abs() / 10_000 * u64::from(guard) / 10_000 * conf;
        let ema = price + price / 10_000 * i64::from(band) / 10_000 * (2 * ema - 10_000);
        let prices = prices_with(&config, RawReading { ema_price: ema, ..raw(price, conf) });
        prop_assume!(prices.level() == Level::Normal);
        let mut schedule = begun();
        let _ = schedule.sell(&config, Collateral(1 << 50), Collateral(premium), at(0));
        let late = at(1_000_000_000);
        let ask = schedule.ask(&config, &prices, late).unwrap();
        // the ask is rounded up, and so are its parts
        prop_assert!(ask.raw() <= prices.spot().raw() + 3, "{ask:?} {prices:?}");
    }
}

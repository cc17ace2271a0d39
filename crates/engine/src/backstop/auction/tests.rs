use super::*;
use crate::{
    config::tests::CONFIG,
    math::units::Bps,
    price::oracle::{
        RawReading,
        tests::{NOW, prices, prices_with, raw},
    },
};
use proptest::prelude::*;
use std::vec::Vec;

/// 450 quote tokens an hour: at a price of an eighth 1,000,000 collateral atoms a second.
const CONFIG_FAST: Config = Config {
    market_depth: Quote(300_000_000),
    flow_rate: Bps(15_000),
    auction_burst: 600,
    ..CONFIG
};

/// A price of an eighth, exactly.
fn eighth() -> Prices {
    prices(125_0000_0000, 0)
}

fn at(seconds: i64) -> Clock {
    Clock {
        unix: NOW.unix + seconds,
        slot: 0,
    }
}

fn micro(seconds: i64) -> i64 {
    at(seconds).unix * 1_000_000
}

/// On schedule at the beginning.
fn begun() -> Auction {
    Auction {
        anchor: micro(0),
        used_until: 0,
    }
}

#[test]
fn a_stop_begins_the_discount_anew_when_it_is_over() {
    let mut auction = begun();
    assert_eq!(auction.stop(NOW.unix + 3_600), Ok(()));
    assert_eq!(auction.discount(&CONFIG, Level::Normal, at(3_600)), Ok(0));
    assert_eq!(auction.discount(&CONFIG, Level::Normal, at(7_200)), Ok(300));
    // One that is over by then changes nothing.
    assert_eq!(auction.stop(NOW.unix), Ok(()));
    assert_eq!(auction.discount(&CONFIG, Level::Normal, at(7_200)), Ok(300));
}

#[test]
fn the_discount_grows_with_the_lag_and_is_clamped() {
    let auction = begun();
    let discount = |level, seconds| auction.discount(&CONFIG, level, at(seconds));
    assert_eq!(discount(Level::Normal, 0), Ok(0));
    assert_eq!(discount(Level::Normal, 3_600), Ok(300));
    // Rounded towards zero: 12 seconds are a bp.
    assert_eq!(discount(Level::Normal, 23), Ok(1));
    assert_eq!(discount(Level::Normal, -23), Ok(-1));
    // The largest is reached after 6,000 seconds.
    assert_eq!(discount(Level::Normal, 5_999), Ok(499));
    assert_eq!(discount(Level::Normal, 6_000), Ok(500));
    assert_eq!(discount(Level::Normal, 360_000), Ok(500));
    assert_eq!(discount(Level::Normal, -3_600), Ok(-300));
    assert_eq!(discount(Level::Normal, -360_000), Ok(-300));
    // While Guarded only the premium is left.
    assert_eq!(discount(Level::Guarded, 360_000), Ok(0));
    assert_eq!(discount(Level::Guarded, -360_000), Ok(-300));
}

/// The lag, in microseconds, after inventory arrives beside `held` atoms when the schedule has waited so long.
fn lag_after(held: u64, seconds: i64) -> i64 {
    let anchor = begun()
        .anchor_after_arrival(&CONFIG_FAST, Collateral(held), eighth().own_ema(), at(seconds))
        .unwrap();
    micro(seconds) - anchor
}

#[test]
fn what_arrives_is_no_cheaper_than_what_was_held_justifies() {
    // An hour behind: a lag that an hour's worth of inventory justifies stays.
    let hour = 3_600_000_000u64;
    assert_eq!(lag_after(hour, 3_600), 3_600_000_000);
    assert_eq!(lag_after(10 * hour, 3_600), 3_600_000_000);
    // Eight atoms are one quote atom, which takes eight microseconds: rounded to a smaller lag.
    assert_eq!(lag_after(hour - 1, 3_600), 3_600_000_000 - 8);
    assert_eq!(lag_after(hour / 2, 3_600), 1_800_000_000);
    // A crumb justifies nothing.
    assert_eq!(lag_after(8, 3_600), 8);
    assert_eq!(lag_after(7, 3_600), 0);
    assert_eq!(lag_after(0, 1_000_000), 0);
}

#[test]
fn sales_that_ran_ahead_still_count_after_an_arrival() {
    for (held, seconds) in [(0, 0), (0, -1), (5, -100), (1 << 40, -100)] {
        assert_eq!(lag_after(held, seconds), seconds * 1_000_000);
    }
}

#[test]
fn the_ask_starts_at_the_high_price_and_the_floor_holds_it() {
    let auction = begun();
    let one = Collateral(1_000_000_000);
    let prices = prices(100_0000_0000, 1_0000_0000);
    let ask = |config: &Config, seconds| {
        auction
            .ask(config, &prices, at(seconds))
            .unwrap()
            .quote_ceil(one)
            .unwrap()
            .0
    };
    assert_eq!(ask(&CONFIG, 0), 101_000_001);
    // 3% off.
    assert_eq!(ask(&CONFIG, 3_600), 97_970_001);
    let config = Config {
        auction_floor_band: Bps(0),
        ..CONFIG
    };
    assert_eq!(ask(&config, 36_000), 100_000_000);
}

#[test]
fn sales_stop_at_the_burst() {
    let mut auction = begun();
    let (prices, inventory) = (eighth(), Collateral(3_600_000_000));
    let available = |auction: &Auction, seconds| auction.available(&CONFIG_FAST, inventory, &prices, at(seconds));
    assert_eq!(available(&auction, 0), Ok(Collateral(600_000_000)));
    let sell = |auction: &mut Auction, amount| auction.sell(&CONFIG_FAST, Collateral(amount), &prices, at(0));
    let before = auction;
    assert_eq!(sell(&mut auction, 600_000_001), Err(Error::AuctionRateLimited));
    assert_eq!(auction, before);
    assert_eq!(sell(&mut auction, 600_000_000), Ok(()));
    assert_eq!((auction.anchor, auction.used_until), (micro(600), micro(600)));
    assert_eq!(available(&auction, 0), Ok(Collateral(0)));
    assert_eq!(available(&auction, 1), Ok(Collateral(1_000_000)));
    // No more than there is.
    assert_eq!(
        begun().available(&CONFIG_FAST, Collateral(5), &prices, at(0)),
        Ok(Collateral(5))
    );
}

#[test]
fn a_sale_of_crumbs_takes_its_time_rounded_up() {
    let mut auction = begun();
    // An atom costs a quote atom, which takes eight microseconds.
    assert_eq!(auction.sell(&CONFIG_FAST, Collateral(1), &eighth(), at(0)), Ok(()));
    assert_eq!(auction.used_until, micro(0) + 8);
}

#[test]
fn an_hour_without_buyers_does_not_let_an_hour_go_at_once() {
    let auction = begun();
    let inventory = Collateral(3_600_000_000);
    assert_eq!(
        auction.available(&CONFIG_FAST, inventory, &eighth(), at(3_600)),
        Ok(Collateral(600_000_000))
    );
}

#[test]
fn the_flow_counts_at_the_higher_average() {
    // Pyth's EMA a quarter above the own one: fewer atoms a second.
    let config = Config {
        ema_band: Bps(10_000),
        ..CONFIG_FAST
    };
    let higher = prices_with(
        &config,
        RawReading {
            ema_price: 156_2500_0000,
            ..raw(125_0000_0000, 0)
        },
    );
    let lower = prices_with(
        &config,
        RawReading {
            ema_price: 100_0000_0000,
            ..raw(125_0000_0000, 0)
        },
    );
    let inventory = Collateral(3_600_000_000);
    let available = |prices: &Prices| begun().available(&config, inventory, prices, at(0)).unwrap().0;
    assert_eq!((available(&higher), available(&lower)), (480_000_000, 600_000_000));
}

proptest! {
    /// Whatever comes, waits and is bought, at whatever prices and with whatever depth the market is given meanwhile:
    /// in any window at most the largest rate in it × (W + burst) leaves, in atoms and in quote atoms.
    #[test]
    fn any_window_obeys_the_flow_bound(
        moves in prop::collection::vec(
            (0i64..2_000, 0u64..2_000_000_000, 0u64..2_000_000_000, 50i64..200, 50i64..200, 1u64..1_000_000_000), 1..40,
        ),
    ) {
        let (mut auction, mut config) = (begun(), CONFIG_FAST);
        (config.ema_band, config.own_ema_band) = (Bps(10_000), Bps(10_000));
        let (mut time, mut inventory) = (0, 0u64);
        // When, atoms, their value, quote atoms and atoms that leave in a second at most.
        let mut sales: Vec<(i64, u64, u64, f64, f64)> = Vec::new();
        for (wait, arrive, want, dollars, ema, depth) in moves {
            time += wait;
            config.market_depth = Quote(depth);
            let reading = RawReading { ema_price: ema * 1_0000_0000, ..raw(dollars * 1_0000_0000, 0) };
            let prices = prices_with(&config, reading);
            auction.anchor =
                auction.anchor_after_arrival(&config, Collateral(inventory), prices.own_ema(), at(time)).unwrap();
            inventory += arrive;
            let available = auction.available(&config, Collateral(inventory), &prices, at(time)).unwrap().0;
            let amount = want.min(available);
            auction.sell(&config, Collateral(amount), &prices, at(time)).unwrap();
            inventory -= amount;
            let (rate, price) = (depth as f64 * 1.5 / 3_600.0, dollars.max(ema) as f64 / 1_000.0);
            let value = prices.max_ema().unwrap().quote_ceil(Collateral(amount)).unwrap().0;
            sales.push((time, amount, value, rate, rate / price));
        }
        for first in 0..sales.len() {
            let (mut sold, mut value, mut most_value, mut most_atoms) = (0, 0, 0f64, 0f64);
            for &(end, amount, worth, rate, atoms) in &sales[first..] {
                (sold, value) = (sold + amount, value + worth);
                (most_value, most_atoms) = (most_value.max(rate), most_atoms.max(atoms));
                let window = (end - sales[first].0) as f64 + f64::from(CONFIG_FAST.auction_burst);
                prop_assert!(value as f64 <= most_value * window + 1e-6, "{value} in {window}");
                prop_assert!(sold as f64 <= most_atoms * window * (1.0 + 1e-12) + 1e-6, "{sold} in {window}");
            }
        }
    }

    #[test]
    fn what_is_available_can_be_sold_and_one_atom_more_cannot(
        inventory in 1u64..1 << 50, lag in 0i64..100_000, sold in 0u64..600_000_000, dollars in 1i64..1_000_000, depth in 1u64..1 << 40,
    ) {
        let mut auction = begun();
        let _ = auction.sell(&CONFIG_FAST, Collateral(sold), &eighth(), at(0));
        let config = Config { market_depth: Quote(depth), ..CONFIG_FAST };
        let prices = prices(dollars * 1_000_000, 0);
        let inventory = Collateral(inventory);
        let available = auction.available(&config, inventory, &prices, at(lag)).unwrap();
        let mut sold_out = auction;
        prop_assert_eq!(sold_out.sell(&config, available, &prices, at(lag)), Ok(()));
        if available < inventory {
            let more = Collateral(available.0 + 1);
            prop_assert_eq!(auction.sell(&config, more, &prices, at(lag)), Err(Error::AuctionRateLimited));
        }
    }

    /// Arrival never makes anything cheaper, nor dearer than what was held justifies.
    #[test]
    fn an_arrival_keeps_the_lag_that_what_was_held_justifies(held in 0u64..1 << 45, lag in -100_000i64..100_000, depth in 1u64..1 << 40) {
        let config = Config { market_depth: Quote(depth), ..CONFIG };
        let now = micro(lag);
        let anchor = begun().anchor_after_arrival(&config, Collateral(held), eighth().own_ema(), at(lag)).unwrap();
        prop_assert!(anchor >= begun().anchor);
        let kept = (now - anchor) as f64;
        if lag <= 0 {
            prop_assert_eq!(anchor, begun().anchor);
        } else {
            let justified = (held / 8) as f64 / config.hourly_flow().0 as f64 * 3.6e9;
            let expected = justified.min(lag as f64 * 1e6);
            prop_assert!(kept <= expected * (1.0 + 1e-12) && kept > expected * (1.0 - 1e-12) - 1.0, "{kept} {expected}");
        }
    }

    #[test]
    fn the_ask_is_never_below_its_floor(lag in -100_000i64..1_000_000, price in 1i64..1 << 40, conf in 0u64..100) {
        let prices = prices(price, conf.min(price.unsigned_abs() / 100));
        let ask = begun().ask(&CONFIG, &prices, at(lag)).unwrap();
        prop_assert!(ask >= prices.max_ema().unwrap().scale_down(CONFIG.auction_floor_band.below_one()).unwrap());
        prop_assert!(ask >= prices.ask_reference().unwrap().scale_down(CONFIG.auction_max_discount.below_one()).unwrap());
    }

    /// With whatever a valid config allows, and whatever prices are Normal: in time the ask comes down to spot.
    #[test]
    fn the_auction_cannot_get_stuck(
        price in 1_000_000i64..1 << 40, ema in 0i64..=10_000, conf in 0u64..=10_000, band in 1u32..=3_000,
        floor in 0u32..=3_000, guard in 1u32..=300, discount in 0u32..=2_500, premium in 0u64..600_000_000,
    ) {
        let config = Config {
            own_ema_band: Bps(band),
            ema_band: Bps(band),
            auction_floor_band: Bps(floor),
            confidence_guard: Bps(guard),
            auction_max_discount: Bps(discount),
            ..CONFIG
        };
        prop_assume!(config.validate().is_ok());
        let conf = price.unsigned_abs() / 10_000 * u64::from(guard) / 10_000 * conf;
        let ema = price + price / 10_000 * i64::from(band) / 10_000 * (2 * ema - 10_000);
        let prices = prices_with(&config, RawReading { ema_price: ema, ..raw(price, conf) });
        prop_assume!(prices.level() == Level::Normal);
        let mut auction = begun();
        let _ = auction.sell(&config, Collateral(premium), &prices, at(0));
        let late = at(1_000_000_000);
        let ask = auction.ask(&config, &prices, late).unwrap();
        // the ask is rounded up, and so are its parts
        prop_assert!(ask.raw() <= prices.spot().raw() + 3, "{ask:?} {prices:?}");
    }
}

#[test]
fn a_reading_that_nobody_may_have_the_discount_at_begins_it_anew() {
    let mut auction = begun();
    assert_eq!(auction.discount(&CONFIG, Level::Normal, at(3_600)), Ok(300));
    assert_eq!(auction.renew(at(3_600)), Ok(()));
    assert_eq!(auction.discount(&CONFIG, Level::Normal, at(3_600)), Ok(0));
    assert_eq!(auction.discount(&CONFIG, Level::Normal, at(4_200)), Ok(50));
    // What has run ahead stays ahead.
    let mut ahead = Auction {
        anchor: micro(600),
        used_until: micro(600),
    };
    assert_eq!(ahead.renew(at(0)), Ok(()));
    assert_eq!(ahead.anchor, micro(600));
}

#[test]
fn a_block_costs_the_mean_of_the_ask_before_and_after_it() {
    let (auction, prices) = (begun(), eighth());
    let config = Config {
        auction_slope: Bps(1_000),
        ..CONFIG_FAST
    };
    // An hour behind: 5% off, the largest. A million atoms take a second.
    let raw = |bps: u128| (eighth().spot().raw() * bps).div_ceil(10_000);
    let mean = |amount: u64, clock| {
        auction
            .mean_ask(&config, Collateral(amount), &prices, clock)
            .map(Price::raw)
    };
    assert_eq!(mean(0, at(1_440)), Ok(raw(9_600)));
    assert_eq!(mean(360_000_000, at(1_440)), Ok((raw(9_600) + raw(9_700)).div_ceil(2)));
    assert_eq!(mean(720_000_000, at(1_440)), Ok((raw(9_600) + raw(9_800)).div_ceil(2)));
    // Beyond what the flow lets go, and beyond the largest premium, all the same.
    assert_eq!(
        mean(1_800_000_000, at(1_440)),
        Ok((raw(9_600) + raw(10_100)).div_ceil(2))
    );
    assert_eq!(mean(1 << 60, at(1_440)), Ok((raw(9_600) + raw(10_300)).div_ceil(2)));
}

proptest! {
    /// However a purchase is cut, it costs the same but for rounding.
    #[test]
    fn pieces_cost_what_the_block_costs(
        pieces in prop::collection::vec(1u64..40_000_000, 1..20), behind in 600i64..3_000, slope in 1u32..1_000,
    ) {
        // On the straight line.
        let config = Config { auction_slope: Bps(slope), auction_max_discount: Bps(2_500), auction_burst: 86_400, ..CONFIG_FAST };
        let (mut auction, prices, clock) = (begun(), eighth(), at(behind));
        let whole: u64 = pieces.iter().sum();
        let block = auction.mean_ask(&config, Collateral(whole), &prices, clock).unwrap().quote_ceil(Collateral(whole)).unwrap().0;
        let mut sum = 0;
        for piece in &pieces {
            let ask = auction.mean_ask(&config, Collateral(*piece), &prices, clock).unwrap();
            sum += ask.quote_ceil(Collateral(*piece)).unwrap().0;
            auction.sell(&config, Collateral(*piece), &prices, clock).unwrap();
        }
        // Whole millionths: each ask is up to one of the price too high.
        let slack = whole / 8 / 1_000_000 + 2 * pieces.len() as u64 + 2;
        prop_assert!(sum <= block + slack && block <= sum + slack, "{sum} {block}");
    }

    /// The budget covers the amount it is said to afford, and nearly all of it is spent.
    #[test]
    fn a_budget_pays_for_what_it_affords(budget in 1_000u64..1 << 40, behind in 0i64..10_000, slope in 1u32..3_000) {
        let config = Config { auction_slope: Bps(slope), auction_max_discount: Bps(2_500), auction_max_premium: Bps(2_500), ..CONFIG_FAST };
        let (auction, prices, clock) = (begun(), eighth(), at(behind));
        let amount = auction.affordable(&config, Quote(budget), &prices, clock).unwrap();
        let cost = auction.mean_ask(&config, amount, &prices, clock).unwrap().quote_ceil(amount).unwrap().0;
        prop_assert!(cost <= budget, "{cost} {budget}");
        // What is left where the line is steep.
        prop_assert!(cost >= budget - budget / 500 - 2, "{cost} {budget}");
    }
}

//! The standard deviation of the guarded price, against floating point and by hand.

use crate::{
    liquidate::any_size::Sequence,
    risk::real,
    scene::{Scene, USDC},
};
use breakwater::events::PriceObserved;
use breakwater_engine::{Bps, Config};
use breakwater_testkit::{MarketSpec, World, default_config, pyth::usd};

/// The estimate as documented, from what the market says it has observed.
struct Estimate {
    price: f64,
    /// Variance of the return in a second.
    variance: f64,
    updated_at: i64,
}

impl Estimate {
    #[allow(clippy::cast_precision_loss, reason = "seconds")]
    fn observe(&mut self, config: &Config, price: f64, unix: i64) {
        let seconds = (unix - self.updated_at) as f64;
        if seconds < f64::from(config.volatility_sample) {
            return;
        }
        let change = (price / self.price - 1.0).abs().min(1.0);
        let constant = f64::from(config.volatility_seconds);
        self.variance = (self.variance * constant + change * change) / (constant + seconds.min(f64::from(1 << 20)));
        (self.price, self.updated_at) = (price, unix);
    }

    /// Over the horizon, bps.
    fn deviation(&self, config: &Config) -> f64 {
        (self.variance * f64::from(config.volatility_horizon)).sqrt() * 1e4
    }
}

/// A scene with these parameters whose price was never shown, on a quiet chain.
fn unseen(config: Config) -> Scene {
    let spec = MarketSpec {
        config,
        ..MarketSpec::default()
    };
    let mut scene = Scene::funded(World::lite(), &spec, 100_000 * USDC, 100_000 * USDC);
    scene.world.check_identities(false);
    scene
}

/// Behind the example's guards as without them, at irregular times, also twice in a second and after weeks of silence.
#[test]
fn it_is_what_floating_point_makes_of_the_observed_prices() {
    for (seed, config) in [(1, default_config()), (2, Config::EXAMPLE), (3, Config::EXAMPLE)] {
        let mut scene = unseen(config);
        let market = scene.market;
        let first = scene.world.market_state(&market).volatility;
        let mut estimate = Estimate {
            price: real(first.price.raw()),
            variance: 0.0,
            updated_at: first.updated_at,
        };
        let mut random = Sequence(seed);
        let mut price = usd(100);
        let mut largest = 0.0f64;
        for step in 0..400 {
            let seconds = match random.next(0, 9) {
                0 => 0,
                1..=5 => random.next(1, 60),
                6..=8 => random.next(60, 3_600),
                _ if step % 100 == 99 => 1_500_000,
                _ => random.next(3_600, 90_000),
            };
            scene.world.advance(u32::try_from(seconds).unwrap());
            let per_mille = match random.next(0, 19) {
                0 => random.next(400, 2_500),
                _ => random.next(980, 1_021),
            };
            price = (price * i64::try_from(per_mille).unwrap() / 1_000).clamp(usd(5), usd(2_000));
            scene.world.set_price(&market.collateral_feed, price, 0);
            let outcome = scene.world.observe_price(&market).unwrap();
            let guarded = outcome.event::<PriceObserved>().observation.guarded;
            estimate.observe(&config, real(guarded.raw()), scene.world.unix());

            let measured = scene.world.market_state(&market).volatility.deviation(&config);
            let exact = estimate.deviation(&config);
            let error = (f64::from(measured.0) - exact).abs();
            assert!(error <= 1.0 + exact * 2e-3, "step {step}: {measured:?}, not {exact}");
            largest = largest.max(exact);
        }
        assert!(largest > 300.0, "{largest}");
    }
}

#[test]
fn by_hand() {
    let config = default_config();
    let mut scene = unseen(config);
    let market = scene.market;
    let deviation = |scene: &mut Scene| scene.world.market_state(&market).volatility.deviation(&config);
    assert_eq!(deviation(&mut scene), Bps(0));
    let mut show = |dollars: i64, conf: i64, seconds: u32| {
        scene.world.advance(seconds);
        let feed = market.collateral_feed;
        scene.world.set_price(&feed, usd(dollars), usd(conf).unsigned_abs());
        scene.world.observe_price(&market).unwrap();
        deviation(&mut scene)
    };
    // 10% up in an hour, of a day: √(0.1² ÷ (6 h + 1 h) × 24 h) = 18.52%.
    assert_eq!(show(110, 0, 3_600), Bps(1_851));
    // Another hour of nothing: × √(6 ÷ 7).
    assert_eq!(show(110, 0, 3_600), Bps(1_714));
    // In the same second nothing counts, nor does what is too uncertain to price anything.
    assert_eq!(show(150, 0, 0), Bps(1_714));
    assert_eq!(show(10, 1, 3_600), Bps(1_714));
    // The return is the one since the last that counted: none, in two hours. × √(6 ÷ 8).
    assert_eq!(show(110, 0, 3_600), Bps(1_484));
    // A price that more than doubles counts as one that doubles, √(24 ÷ 7) more or less.
    assert!((18_500..=18_600).contains(&show(1_000, 0, 3_600).0));
}

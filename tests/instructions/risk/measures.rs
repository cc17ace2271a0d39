//! The measures of [`breakwater_engine::views::risk`] against floating point, on crowds of accounts.

mod deviation;

use super::{own::Own, real};
use crate::{
    liquidate::{any_size::Sequence, formula::prices},
    scene::{SOL, Scene, USDC},
};
use breakwater_engine::{Bps, Config, Price, Quote, price::oracle::PriceUse, views::risk::DROPS};
use breakwater_testkit::{MarketSpec, Position, World, default_config, pyth::usd};

/// 2^64 as floating point.
const ONE: f64 = 18_446_744_073_709_551_616.0;

/// A scene with many accounts of Mallory's beside Alice's.
struct Crowd {
    scene: Scene,
    positions: Vec<Position>,
}

impl Crowd {
    /// Accounts of one up to fifty SOL, with LTVs of 4% up to 69% at $100, most of them high.
    fn new(seed: u64, backstop: u64, config: Config) -> Self {
        let spec = MarketSpec {
            config,
            ..MarketSpec::default()
        };
        let mut scene = Scene::funded(World::lite(), &spec, 1_000_000 * USDC, backstop);
        scene.world.check_identities(false);
        let mut random = Sequence(seed);
        let mut positions = vec![scene.position.clone()];
        let (market, mallory) = (scene.market, scene.mallory.clone());
        for id in 0..30 {
            let collateral = random.next(SOL, 50 * SOL);
            let ltv = random.next(20, 69).max(random.next(4, 69));
            scene.world.fund(&mallory, &market.collateral_mint, collateral);
            let position = scene.world.open(&market, &mallory, id).unwrap();
            scene.world.deposit(&position, collateral).unwrap();
            // $100 for a SOL is a tenth of an atom for an atom.
            let amount = (collateral / 1_000 * ltv).max(10 * USDC);
            scene.world.borrow(&position, amount).unwrap();
            positions.push(position);
        }
        scene.world.next_slot();
        Self { scene, positions }
    }

    /// The collateral at so many cents, where all averages stand, with no uncertainty.
    fn stands_at(&mut self, cents: i64) {
        let feed = self.scene.market.collateral_feed;
        self.scene.world.settle_price(&feed, usd(cents) / 100, 0);
        self.scene.world.forget_prices(&self.scene.market);
    }

    fn own(&mut self) -> Own {
        let Scene { world, market, .. } = &mut self.scene;
        Own::of(world, market, &self.positions)
    }

    /// Compares every measure at the present price with the test's own.
    #[track_caller]
    fn assert_measured(&mut self) {
        let own = self.own();
        let prices = prices(&mut self.scene.world, &self.scene.market, PriceUse::Observe);
        let price = real(prices.spot().raw()) / ONE;
        let risk = own.market.risk(&prices, own.clock).unwrap();

        for (within, drop) in risk.debt_within.iter().zip([100, 200, 500, 1_000, 2_000]) {
            let debt = own.debt_within(price, drop);
            assert_eq!(within.0, debt, "{drop}");
            semantics(&own, price, drop, debt);
        }
        assert_proximity(&own, price, risk.proximity);
        for band in 0..=u8::MAX {
            let measured = own.market.price_band(band, own.clock).unwrap();
            assert_eq!(measured.debt.0, own.debt_between(band, band), "{band}");
            assert_close(real(measured.edge.raw()) / ONE, edge(&own, band), 1e-12);
        }
    }
}

#[track_caller]
fn assert_close(measured: f64, exact: f64, error: f64) {
    assert!(
        (measured - exact).abs() <= exact.abs() * error + 1e-15,
        "{measured}, not {exact}"
    );
}

/// The price at the lower edge of a band.
fn edge(own: &Own, band: u8) -> f64 {
    // What place 0 is: any price will do to tell.
    let first = 0.1 / 2f64.powf(own.place_of_price(0.1) / 32.0);
    first * 2f64.powf(f64::from(band) / 32.0)
}

/// Checks that the bands agree with the accounts, but for a band's width on either side: every account that the fall
/// would liquidate counts, and none that is liquidated more than a band further away.
#[track_caller]
fn semantics(own: &Own, price: f64, drop: u32, debt: u64) {
    let below = price * (1.0 - f64::from(drop) / 1e4);
    let width = 2f64.powf(1.0 / 32.0);
    let sum = |low: f64, high: f64| -> u64 {
        let within = own.accounts.iter().filter(|account| {
            let at = own.liquidated_at(account);
            account.has_debt() && low <= at && at < high
        });
        within.map(|account| own.debt(account.debt_shares.0)).sum()
    };
    // Each account's own debt is rounded up.
    assert!(debt + 40 >= sum(below, price), "{drop}");
    assert!(debt <= sum(below / width, price * width), "{drop}");
}

#[track_caller]
fn assert_proximity(own: &Own, price: f64, measured: Option<Bps>) {
    let here = own.band_of_price(price);
    let bands = own.accounts.iter().filter(|account| account.has_debt());
    let nearest = bands
        .map(|account| own.band_of(account))
        .filter(|band| *band <= here)
        .max();
    let Some(nearest) = nearest else {
        assert_eq!(measured, None);
        return;
    };
    let measured = f64::from(measured.unwrap().0);
    if nearest == here {
        assert!(measured.abs() < 0.5);
        return;
    }
    let exact = (price - edge(own, nearest + 1)) / price * 1e4;
    assert!(
        measured <= exact + 1e-6 && exact < measured + 1.0 + 1e-6,
        "{measured}, not {exact}"
    );
}

#[test]
fn all_of_them_on_crowds_at_many_prices() {
    let mut kinds = [0; 4];
    for (seed, backstop) in [(11, 300), (12, 5_000), (13, 900)] {
        let mut crowd = Crowd::new(seed, backstop * USDC, default_config());
        for (days, cents) in [
            (0, 10_000),
            (0, 8_831),
            (40, 8_001),
            (0, 7_411),
            (300, 6_333),
            (0, 4_712),
            (7, 50_123),
            (0, 211),
        ] {
            crowd.scene.world.advance(days * 86_400 + 1);
            crowd.stands_at(cents);
            crowd.assert_measured();
            let own = crowd.own();
            let prices = prices(&mut crowd.scene.world, &crowd.scene.market, PriceUse::Observe);
            let risk = own.market.risk(&prices, own.clock).unwrap();
            kinds[0] += usize::from(risk.proximity.is_none_or(|far| far.0 > 0));
            kinds[1] += usize::from(risk.proximity == Some(Bps(0)));
            kinds[2] += usize::from(risk.debt_within[0] == Quote(0));
            kinds[3] += usize::from(risk.debt_within[4] > risk.debt_within[0]);
        }
    }
    assert!(kinds.iter().all(|count| *count > 2), "{kinds:?}");
}

#[test]
fn the_same_while_the_backstop_works_off_a_crash() {
    for seed in [21, 22] {
        let mut crowd = Crowd::new(seed, 4_000 * USDC, default_config());
        crowd.scene.world.advance(60 * 86_400);
        crowd.stands_at(7_217);
        let mut taken = 0;
        for index in 0..crowd.positions.len() {
            let Scene { world, kate, .. } = &mut crowd.scene;
            taken += usize::from(world.liquidate(kate, &crowd.positions[index]).is_ok());
        }
        assert!(taken > 2);
        crowd.assert_measured();
        let own = crowd.own();
        assert!(own.market.books.backstop.inventory.0 > 0 && own.market.books.backstop.debt_shares.0 > 0);
        // Its inventory loses value; the measures are those of the map all the same.
        crowd.scene.world.advance(60);
        crowd.stands_at(6_100);
        crowd.assert_measured();
        crowd.scene.world.assert_identities();
    }
}

#[test]
fn what_the_line_of_the_liquidation_ltv_moves_is_measured_where_it_is() {
    let mut crowd = Crowd::new(31, 5_000 * USDC, default_config());
    let market = crowd.scene.market;
    let starts_at = crowd.scene.world.unix() + 259_200;
    crowd
        .scene
        .world
        .announce_liquidation_ltv(&market, 7_500, starts_at, starts_at + 500 * 864)
        .unwrap();
    for seconds in [259_200, 100 * 864, 77, 300 * 864, 200 * 864] {
        crowd.scene.world.advance(seconds);
        crowd.stands_at(8_831);
        crowd.assert_measured();
    }
}

#[test]
fn a_market_without_debt_has_none() {
    let mut world = World::lite();
    let market = world.market(&MarketSpec::default());
    world.observe_price(&market).unwrap();
    let prices = prices(&mut world, &market, PriceUse::Observe);
    let (state, clock) = (world.market_state(&market), world.clock());
    let risk = state.risk(&prices, clock).unwrap();
    assert_eq!((risk.debt_within, risk.proximity), ([Quote(0); 5], None));
    assert_eq!((risk.deviation, risk.admission_fall), (Bps(0), Bps(500)));
    for band in 0..=u8::MAX {
        assert_eq!(state.price_band(band, clock).unwrap().debt, Quote(0));
    }
}

#[test]
fn what_is_due_already_is_no_risk_of_a_further_fall() {
    let mut crowd = Crowd::new(41, 5_000 * USDC, default_config());
    crowd.scene.world.advance(1);
    // At $2 every account but perhaps the smallest is long due.
    crowd.stands_at(203);
    let own = crowd.own();
    assert!(own.accounts.iter().all(|account| own.liquidated_at(account) > 0.003));
    let prices = prices(&mut crowd.scene.world, &crowd.scene.market, PriceUse::Observe);
    let risk = own.market.risk(&prices, own.clock).unwrap();
    assert_eq!((risk.proximity, risk.debt_within), (None, [Quote(0); 5]));
}

#[test]
fn the_falls_are_those_that_are_documented() {
    assert_eq!(DROPS.map(|drop| drop.0), [100, 200, 500, 1_000, 2_000]);
    // And a price is quote atoms for a collateral atom.
    let mut crowd = Crowd::new(61, 0, default_config());
    crowd.stands_at(10_000);
    let prices = prices(&mut crowd.scene.world, &crowd.scene.market, PriceUse::Observe);
    assert_eq!(prices.spot(), Price::from_raw((1 << 64) / 10));
}

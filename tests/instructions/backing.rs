//! Scenes about what stands behind the pool: the protocol's capital, guardians, and prices at which both lose.

use crate::scene::{Scene, USDC, readings};
use breakwater::events::InventorySold;
use breakwater_client::MarketKeys;
use breakwater_engine::{
    Bps, Config, GuardianPosition, Pool, Quote,
    actions::{Liquidation, Sale},
    backstop::auction::Offer,
    price::oracle::PriceUse,
};
use breakwater_testkit::{Actor, MarketSpec, World, default_config, ix};

/// A minute later the collateral stands at `price` × 10⁻⁸ dollars, with both EMAs and without any uncertainty,
/// and the quote token at one dollar.
pub fn stands_at(scene: &mut Scene, price: i64) {
    scene.world.advance(60);
    let MarketKeys {
        collateral_feed,
        quote_feed,
        ..
    } = scene.market;
    scene.world.settle_price(&collateral_feed, price, 0);
    scene.world.settle_price(&quote_feed, 100_000_000, 0);
}

/// Dollars and cents as a feed shows them.
pub const fn cents(cents: i64) -> i64 {
    cents * 1_000_000
}

/// These parameters without interest: every debt is exact to the atom.
pub fn interest_free(config: Config) -> Config {
    Config {
        interest_base: Bps(0),
        interest_slope_low: Bps(0),
        interest_slope_high: Bps(0),
        ..config
    }
}

/// No interest, and an auction so fast that all inventory can be sold at once.
pub fn quick() -> Config {
    Config {
        market_depth: Quote(1 << 50),
        ..interest_free(default_config())
    }
}

/// The default mints and feeds with these parameters.
pub fn market_with(config: Config) -> MarketSpec {
    MarketSpec {
        config,
        ..MarketSpec::default()
    }
}

/// The default scene with this much of the protocol's own capital in the backstop, and Gina, a guardian who has put in
/// `guardians` and has as much again.
#[track_caller]
pub fn backed(world: World, spec: &MarketSpec, protocol: u64, guardians: u64) -> (Scene, Actor) {
    let mut scene = Scene::funded(world, spec, 1_000_000 * USDC, protocol);
    let gina = scene.world.guardian(&scene.market, "gina", 2 * guardians);
    if guardians > 0 {
        scene.world.guardian_deposit(&scene.market, &gina, guardians).unwrap();
    }
    (scene, gina)
}

/// Kate liquidates Alice.
#[track_caller]
pub fn take_over(scene: &mut Scene) -> Liquidation {
    let outcome = scene.world.liquidate(&scene.kate, &scene.position).unwrap();
    outcome.liquidation()
}

/// Mallory buys all of the inventory.
#[track_caller]
pub fn sell_out(scene: &mut Scene) -> Sale {
    let inventory = scene.world.market_state(&scene.market).books.backstop.inventory.0;
    let buy = ix::buy_inventory(&scene.market, &scene.mallory.key(), inventory, u64::MAX);
    let outcome = scene.world.send(&[buy], &[&scene.mallory]).unwrap();
    outcome.event::<InventorySold>().sale
}

/// A backstop that has lost everything: Alice was taken over at $60 for 6,500, all of her 100 SOL are sold, and it owes
/// the pool what protocol and guardians could not pay.
#[track_caller]
pub fn deficit(world: World, spec: &MarketSpec, protocol: u64, guardians: u64) -> (Scene, Actor) {
    let (mut scene, gina) = backed(world, spec, protocol, guardians);
    stands_at(&mut scene, cents(60_00));
    take_over(&mut scene);
    sell_out(&mut scene);
    (scene, gina)
}

/// Kate's bounty for taking Alice over at $60, quote atoms: the tip, and 25 bps of the 6,000 that her collateral is
/// worth, an atom less than it, as the price is rounded down.
pub const BOUNTY_AT_60: u64 = 15_049_999;

/// Keepers' credits, quote atoms: what there is cash for, and the rest.
pub fn credits(scene: &mut Scene) -> (u64, u64) {
    let backstop = scene.world.market_state(&scene.market).books.backstop;
    (backstop.funded_credits.0, backstop.unfunded_credits.0)
}

/// The backstop's offer at the price shown now.
#[track_caller]
pub fn offer(world: &mut World, market: &MarketKeys) -> Offer {
    let (clock, mut state) = (world.clock(), world.market_state(market));
    let readings = readings(world, market);
    let prices = state.accept_prices(&readings, PriceUse::Borrow, clock).unwrap();
    state.offer(&prices, clock).unwrap()
}

/// The backstop's debt to the pool now, quote atoms.
pub fn owed(scene: &mut Scene) -> u64 {
    let books = scene
        .world
        .market_state(&scene.market)
        .books_at(scene.world.clock())
        .unwrap();
    books.pool.index.debt(books.backstop.debt_shares).unwrap().0
}

/// The books' cash of the backstop, quote atoms.
pub fn cash(scene: &mut Scene) -> u64 {
    scene.world.market_state(&scene.market).books.backstop.cash.0
}

/// A guardian's position.
#[track_caller]
pub fn position_of(scene: &mut Scene, guardian: &Actor) -> GuardianPosition {
    scene.world.guardian_position(&scene.market, guardian)
}

/// True if an LP share is worth less in `after` than in `before`, to the last fraction.
pub fn share_fell(before: &Pool, after: &Pool) -> bool {
    let price = |pool: &Pool| {
        (
            u128::from(pool.assets().unwrap().0) + 1,
            u128::from(pool.lp_supply.0) + 1_000,
        )
    };
    let ((assets, shares), (assets_after, shares_after)) = (price(before), price(after));
    assets_after * shares < assets * shares_after
}

/// Five years in which all cash is lent at the highest rate that a config may have: the debt does not fit 64 bits any
/// more, so interest cannot be accrued.
pub const FIVE_YEARS: u32 = 5 * 365 * 86_400;

/// The parameters of it.
pub fn usury() -> Config {
    Config {
        interest_base: Bps(10_000),
        interest_slope_low: Bps(10_000),
        interest_slope_high: Bps(30_000),
        reserve_factor: Bps(0),
        ..default_config()
    }
}

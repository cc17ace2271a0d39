//! What each haircut takes off, and both together.

use super::{Cast, SHARES, last, still};
use crate::{
    risk::{edit_market, real},
    scene::{Scene, USDC},
};
use breakwater::error::BreakwaterError;
use breakwater_engine::{Bps, Config, DebtShares, MarginAccount};
use breakwater_testkit::{default_config, ix, pyth::usd};

/// The variance, in units of 2^-46 for a second, that makes a standard deviation of so many bps over an hour.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positive and small"
)]
fn variance(bps: f64) -> u64 {
    ((bps / 1e4).powi(2) / 3_600.0 * 2f64.powi(46)) as u64
}

#[test]
fn without_haircuts_the_limit_is_the_parameter() {
    let mut cast = Cast::new(still(), 100_000 * USDC, &[6_900, 6_900]);
    cast.restless(variance(500.0));
    let told = cast.limits_are_exact();
    assert_eq!((told.base, told.limit), (Bps(7_000), Bps(7_000)));
    assert_eq!((told.volatility, told.crowding), (Bps(0), Bps(0)));
}

#[test]
fn volatility_takes_its_deviations_off_the_limit() {
    for (factor, largest, deviation, expected) in [
        // None; next to none; two of 1.5%; at the bound and beyond; as large as can be stored.
        (20_000, 1_500, 0.0, 0..=0),
        (20_000, 1_500, 0.7, 0..=1),
        (20_000, 1_500, 150.0, 298..=300),
        (5_000, 1_500, 150.0, 74..=75),
        (20_000, 1_500, 750.1, 1_500..=1_500),
        (20_000, 1_500, 5_000.0, 1_500..=1_500),
        (0, 1_500, 5_000.0, 0..=0),
        (20_000, 0, 5_000.0, 0..=0),
        (100_000, 6_000, 590.0, 5_890..=5_900),
    ] {
        let config = Config {
            volatility_factor: Bps(factor),
            volatility_max: Bps(largest),
            ..still()
        };
        let mut cast = Cast::new(config, 100_000 * USDC, &[]);
        // A debt that the lowest limit of these carries.
        cast.scene.world.repay(&cast.scene.position, 5_900 * USDC).unwrap();
        cast.restless(variance(deviation));
        let told = cast.limits_are_exact();
        assert!(expected.contains(&told.volatility.0), "{told:?}");
        assert_eq!((told.crowding, told.limit.0), (Bps(0), 7_000 - told.volatility.0));
    }
}

#[test]
fn a_haircut_beyond_the_limit_leaves_nothing_to_lend() {
    for (volatility, crowding) in [(7_000, 0), (10_000, 0), (0, 10_000), (6_000, 6_000), (10_000, 10_000)] {
        let config = Config {
            volatility_factor: Bps(100_000),
            volatility_max: Bps(volatility),
            crowding_max: Bps(crowding),
            crowding_drop: Bps(5_000),
            ..still()
        };
        // What Alice owes was lent while prices stood still and the backstop was large.
        let mut cast = Cast::new(config, 100_000 * USDC, &[1_000]);
        let market = cast.scene.market;
        edit_market(&mut cast.scene.world, &market, |market| {
            market.books.backstop.cash.0 = 0;
        });
        cast.restless(u64::MAX);
        let told = cast.limits_are_exact();
        assert_eq!(
            (told.volatility, told.crowding, told.limit),
            (Bps(volatility), Bps(crowding), Bps(0))
        );
    }
}

#[test]
fn crowding_takes_what_the_backstop_has_no_room_for() {
    // Alice's own debt of 6,500 counts in the widest of these falls only, and what she adds to it.
    let mut seen = [0; 4];
    for (drop, backstop) in [
        (1_000, 1_000_000),
        (1_000, 6_000),
        (1_000, 1_000),
        (1_000, 0),
        (1_900, 6_000),
        (1_900, 1_000),
        (5_000, 6_000),
        (5_000, 17),
    ] {
        for cents in [10_000, 9_313, 8_931] {
            let config = Config {
                crowding_max: Bps(1_000),
                crowding_drop: Bps(drop),
                ..still()
            };
            // Backed while they borrow.
            let mut cast = Cast::new(config, 1_000_000 * USDC, &[6_900, 6_870, 6_650, 6_200, 3_000]);
            let market = cast.scene.market;
            edit_market(&mut cast.scene.world, &market, |market| {
                market.books.backstop.cash.0 = backstop * USDC;
            });
            cast.scene.world.repay(&cast.scene.position, 1_700 * USDC).unwrap();
            cast.stands_at(cents);
            let told = cast.limits_are_exact();
            assert_eq!(told.limit.0, 7_000 - told.crowding.0);
            seen[0] += usize::from(told.crowding.0 == 0);
            seen[1] += usize::from((1..500).contains(&told.crowding.0));
            seen[2] += usize::from((500..1_000).contains(&told.crowding.0));
            seen[3] += usize::from(told.crowding.0 == 1_000);
        }
    }
    assert!(seen.iter().all(|count| *count > 0), "{seen:?}");
}

#[test]
fn a_new_loan_counts_itself() {
    // Nobody else owes anything. Room for 2,000; a fall of 30% takes in whoever is above 56% of LTV, but for a band's width.
    let config = Config {
        crowding_max: Bps(3_000),
        crowding_drop: Bps(3_000),
        ..still()
    };
    let mut cast = Cast::new(config, 1_000_000 * USDC, &[]);
    cast.scene.world.repay(&cast.scene.position, 6_400 * USDC).unwrap();
    let market = cast.scene.market;
    edit_market(&mut cast.scene.world, &market, |market| {
        market.books.backstop.cash.0 = 300 * USDC;
    });
    let rules = cast.rules();
    let owing = |amount: u64| MarginAccount {
        debt_shares: DebtShares(amount * SHARES),
        ..rules.own.accounts[0]
    };
    let most = last(10_000 * USDC, |amount| amount == 0 || rules.carries(&owing(amount)));
    assert!((5_450 * USDC..=5_600 * USDC).contains(&most), "{most}");
    // Below the fall it counts for nothing; an atom more and it is in the next band, and counts in full.
    assert_eq!(rules.initial_ltv(&owing(most)).crowding, Bps(0));
    let crowded = rules.initial_ltv(&owing(most + 1));
    assert!((1_500..=2_999).contains(&crowded.crowding.0), "{crowded:?}");
    assert_eq!(cast.limits_are_exact().limit, Bps(7_000));
}

#[test]
fn both_haircuts_add_up() {
    let config = Config {
        volatility_max: Bps(1_500),
        crowding_max: Bps(1_000),
        ..still()
    };
    let mut cast = Cast::new(config, 1_000_000 * USDC, &[6_900, 6_800]);
    let market = cast.scene.market;
    cast.scene.world.repay(&cast.scene.position, 3_000 * USDC).unwrap();
    edit_market(&mut cast.scene.world, &market, |market| {
        market.books.backstop.cash.0 = 1_500 * USDC;
    });
    cast.stands_at(8_931);
    cast.restless(variance(200.0));
    let told = cast.limits_are_exact();
    assert!(told.volatility.0 >= 398 && told.crowding.0 > 100, "{told:?}");
    assert_eq!(told.limit.0, 7_000 - told.volatility.0 - told.crowding.0);
}

#[test]
fn interest_and_uncertainty_count_as_before() {
    // The debt grows while nobody looks; the limit is the same, the debt to hold against it is not.
    let config = Config {
        volatility_max: Bps(1_500),
        ..default_config()
    };
    let mut cast = Cast::new(config, 100_000 * USDC, &[]);
    cast.scene.world.repay(&cast.scene.position, 2_000 * USDC).unwrap();
    cast.scene.world.advance(200 * 86_400);
    cast.stands_at(10_000);
    cast.restless(variance(300.0));
    let Scene {
        world,
        market,
        alice,
        position,
        ..
    } = &mut cast.scene;
    let feed = market.collateral_feed;
    world.set_price(&feed, usd(100), usd(1).unsigned_abs());
    let before = world.margin_account(position);
    let index = world
        .market_state(market)
        .books_at(world.clock())
        .unwrap()
        .pool
        .index
        .raw();
    let deviation = (real(world.market_state(market).volatility.variance) * 3_600.0).sqrt() / 2f64.powi(23) * 1e4;
    assert!((299.0..=300.0).contains(&deviation), "{deviation}");
    let limit = 7_000 - 2 * 299;
    // $99 for a SOL, less what rounding the price takes.
    let carried = u128::from(9_900 * USDC - 1) * limit / 10_000;
    let debt = |amount: u64| {
        let shares = u128::from(before.debt_shares.0) + (u128::from(amount) << 64).div_ceil(index);
        (index * shares).div_ceil(1 << 64)
    };
    let most = last(10_000 * USDC, |amount| debt(amount) <= carried);
    let attempt = |amount| ix::borrow(market, &position.address, &alice.key(), amount);
    world.assert_error_unchanged(&[attempt(most + 1)], &[alice], BreakwaterError::InitialLtvExceeded);
    world.send(&[attempt(most)], &[alice]).unwrap();
}

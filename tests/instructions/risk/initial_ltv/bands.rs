//! The limit of what the surroundings of a loan may hold, to the atom.

use super::{Cast, Rules, SHARES, still};
use crate::{
    risk::edit_market,
    scene::{SOL, Scene, USDC},
};
use breakwater::error::BreakwaterError;
use breakwater_engine::{Bps, Collateral, Config, DebtShares, MarginAccount, Quote};
use breakwater_testkit::{World, ix};

impl Rules {
    /// Whether the surroundings of Alice's account, were it as `after`, keep to their limit.
    #[track_caller]
    fn bears(&self, after: &MarginAccount) -> bool {
        let config = &self.own.market.config;
        let would_be = self.as_it_would_be(after);
        let band = super::super::band_of(&self.own.market.map, after);
        let reach = u8::try_from(config.crowding_bands).unwrap();
        let crowd = would_be.debt_between(band.saturating_sub(reach), band.saturating_add(reach));
        let by_room = u128::from(self.room) * u128::from(config.band_limit.0) / 10_000;
        u128::from(crowd) <= by_room.max(config.band_floor.0.into())
    }
}

/// The first of from..=to that is refused: the condition holds up to some number as long as `band` stays the same.
#[track_caller]
fn first_refused(from: u64, to: u64, band: impl Fn(u64) -> u8, holds: impl Fn(u64) -> bool) -> Option<u64> {
    let last = |low: u64, high: u64, like: &dyn Fn(u64) -> bool| {
        // `like` holds at low.
        let (mut low, mut high) = (low, high + 1);
        while high - low > 1 {
            let middle = u64::midpoint(low, high);
            *if like(middle) { &mut low } else { &mut high } = middle;
        }
        low
    };
    let mut next = from;
    while next <= to {
        let here = band(next);
        let end = last(next, to, &|amount| band(amount) == here);
        if !holds(next) {
            return Some(next);
        }
        if !holds(end) {
            return Some(last(next, end, &holds) + 1);
        }
        next = end + 1;
    }
    None
}

/// Mallory's accounts of 6,900 to 3,000 dollars against 100 SOL, Alice with 3,800, and this backstop once they have it.
fn crowd(config: Config, backstop: u64) -> Cast {
    let mut cast = Cast::new(
        Config {
            band_floor: Quote(u64::MAX),
            ..config
        },
        1_000_000 * USDC,
        &[6_900, 6_000, 5_100, 4_700, 4_390, 4_210, 3_300],
    );
    cast.scene.world.repay(&cast.scene.position, 2_700 * USDC).unwrap();
    let market = cast.scene.market;
    edit_market(&mut cast.scene.world, &market, |market| {
        market.config.band_floor = config.band_floor;
        market.books.backstop.cash.0 = backstop;
    });
    cast.stands_at(10_000);
    cast
}

/// Alice borrows, or takes collateral out, up to the first atom at which her surroundings hold too much.
#[track_caller]
fn refused_at(cast: &mut Cast) -> [Option<u64>; 2] {
    let rules = cast.rules();
    let alice = rules.own.accounts[0];
    let map = rules.own.market.map;
    let borrowed = |amount: u64| MarginAccount {
        debt_shares: DebtShares(alice.debt_shares.0 + amount * SHARES),
        ..alice
    };
    let taken = |amount: u64| MarginAccount {
        collateral: Collateral(alice.collateral.0 - amount),
        ..alice
    };
    let Scene {
        world,
        market,
        alice: owner,
        position,
        ..
    } = &mut cast.scene;
    let address = position.address;
    let band = |account: MarginAccount| map.band(account.debt_shares, account.collateral);
    // As far as 70% of LTV: 3,200 more, or 45 SOL less.
    let borrow = first_refused(
        1,
        3_199 * USDC,
        |amount| band(borrowed(amount)),
        |amount| rules.bears(&borrowed(amount)),
    );
    let take_out = first_refused(
        1,
        45 * SOL,
        |amount| band(taken(amount)),
        |amount| rules.bears(&taken(amount)),
    );
    let snapshot = world.snapshot();
    for (first, end, act) in [
        (borrow, 3_199 * USDC, ix::borrow as fn(&_, &_, &_, u64) -> _),
        (take_out, 45 * SOL, ix::withdraw_collateral),
    ] {
        let attempt = |amount| act(market, &address, &owner.key(), amount);
        let Some(first) = first else {
            // All the way.
            world.send(&[attempt(end)], &[owner]).unwrap();
            world.restore(&snapshot);
            continue;
        };
        world.assert_error_unchanged(&[attempt(first)], &[owner], BreakwaterError::BandOverloaded);
        if first > 1 {
            world.send(&[attempt(first - 1)], &[owner]).unwrap();
            world.restore(&snapshot);
        }
    }
    [borrow, take_out]
}

#[test]
fn the_floor_is_exact() {
    let mut refused = 0;
    let mut at_an_edge = 0;
    for reach in [0, 2, 16] {
        for floor in [3_799, 3_800, 3_801, 5_000, 8_200, 11_000, 40_000] {
            let config = Config {
                crowding_bands: reach,
                band_floor: Quote(floor * USDC),
                band_limit: Bps(0),
                ..still()
            };
            let first = refused_at(&mut crowd(config, 1_000_000 * USDC));
            refused += first.iter().flatten().count();
            at_an_edge += usize::from(floor == 3_800 && first[0] == Some(1));
            // Alone: the loan itself is the limit.
            if reach == 0 && floor == 3_801 {
                assert_eq!(first[0], Some(USDC + 1));
            }
            assert!(floor < 40_000 || first == [None, None], "{first:?}");
        }
    }
    assert!(refused >= 20 && at_an_edge == 3, "{refused} {at_an_edge}");
}

#[test]
fn the_part_of_the_room_is_exact() {
    let mut refused = 0;
    for (backstop, limit) in [
        (1_000, 5_000),
        (1_300, 5_000),
        (2_000, 3_333),
        (500, 20_000),
        (1_000_000, 5_000),
        (0, 1_000_000),
    ] {
        let config = Config {
            band_floor: Quote(0),
            band_limit: Bps(limit),
            ..still()
        };
        let first = refused_at(&mut crowd(config, backstop * USDC));
        refused += first.iter().flatten().count();
        if backstop == 0 {
            assert_eq!(first, [Some(1); 2]);
        }
        assert!(backstop < 1_000_000 || first == [None, None]);
    }
    assert!(refused >= 6, "{refused}");
    // Without leverage the room is the cash: all of it for the loan alone, then half of it.
    for (backstop, limit) in [(3_801, 10_000), (7_602, 5_000)] {
        let config = Config {
            crowding_bands: 0,
            backstop_leverage: Bps(0),
            band_floor: Quote(0),
            band_limit: Bps(limit),
            ..still()
        };
        let first = refused_at(&mut crowd(config, backstop * USDC));
        assert_eq!(first[0], Some(USDC + 1));
    }
}

#[test]
fn the_higher_of_floor_and_part_counts() {
    for (floor, limit) in [(6_000, 0), (0, 6_000), (6_000, 6_000), (5_000, 6_000), (6_000, 5_000)] {
        // A leverage of nothing: the room is the cash.
        let config = Config {
            crowding_bands: 0,
            backstop_leverage: Bps(0),
            band_floor: Quote(floor * USDC),
            band_limit: Bps(limit),
            ..still()
        };
        let mut cast = crowd(config, 10_000 * USDC);
        assert_eq!(cast.rules().room, 10_000 * USDC);
        // 2,200 more are 6,000: Mallory's 6,000 are in that band, and others in those below.
        let first = refused_at(&mut cast)[0].unwrap();
        assert!((200 * USDC..=2_200 * USDC + 1).contains(&first), "{first}");
        // The same as by the floor alone.
        let same = refused_at(&mut crowd(
            Config {
                band_floor: Quote(6_000 * USDC),
                band_limit: Bps(0),
                ..config
            },
            10_000 * USDC,
        ))[0];
        assert_eq!(Some(first), same);
    }
}

#[test]
fn the_initial_ltv_and_the_minimum_are_looked_at_first() {
    let config = Config {
        band_floor: Quote(0),
        band_limit: Bps(0),
        ..still()
    };
    let mut cast = crowd(config, 100_000 * USDC);
    let Scene {
        world,
        market,
        mallory,
        alice,
        position,
        ..
    } = &mut cast.scene;
    let fresh = world.open(market, mallory, 99).unwrap();
    for (address, owner, amount, error) in [
        (&position.address, &*alice, 1, BreakwaterError::BandOverloaded),
        (
            &position.address,
            alice,
            3_200 * USDC,
            BreakwaterError::InitialLtvExceeded,
        ),
        (&fresh.address, mallory, 1, BreakwaterError::DebtBelowMinimum),
        (&fresh.address, mallory, 10 * USDC, BreakwaterError::InitialLtvExceeded),
    ] {
        let borrow = ix::borrow(market, address, &owner.key(), amount);
        world.assert_error_unchanged(&[borrow], &[owner], error);
    }
}

#[test]
fn what_an_account_leaves_behind_does_not_count_against_it() {
    // Its own debt is all there is, and it may move it about: only what is new counts.
    let config = Config {
        crowding_bands: 16,
        band_limit: Bps(0),
        ..still()
    };
    let mut cast = Cast::new(config, 100_000 * USDC, &[]);
    let market = cast.scene.market;
    edit_market(&mut cast.scene.world, &market, |market| {
        market.config.band_floor = Quote(6_600 * USDC);
    });
    let Scene {
        world,
        market,
        alice,
        position,
        ..
    } = &mut cast.scene;
    world.withdraw_collateral(position, 5 * SOL).unwrap();
    world.borrow(position, 100 * USDC).unwrap();
    let atom = ix::borrow(market, &position.address, &alice.key(), 1);
    world.assert_error_unchanged(&[atom], &[alice], BreakwaterError::BandOverloaded);
    world.repay(position, 100 * USDC).unwrap();
    world.borrow(position, 100 * USDC).unwrap();
    let _: &mut World = world;
}

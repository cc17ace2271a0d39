//! Accounts of every size and LTV: the arithmetic takes other paths for large numbers than for small ones.

use super::no_interest;
use crate::scene::{SOL, Scene, USDC};
use breakwater_engine::{Bps, Config, Price, Quote};
use breakwater_testkit::{MarketSpec, World, default_config, pyth::usd};

/// Knuth's linear congruential generator: any sequence will do, as long as it is the same in each run.
pub struct Sequence(pub u64);

impl Sequence {
    /// Any number from `from` up to `to`.
    pub fn next(&mut self, from: u64, to: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        from + (self.0 >> 11) % (to - from + 1)
    }
}

/// Debts from an atom on.
fn no_minimum() -> Config {
    Config {
        min_debt: Quote(1),
        bounty_tip: Quote(0),
        ..default_config()
    }
}

/// A pool and a backstop so large that the shares of either just fit their 64 bits, and Alice with as much collateral.
fn giant(config: Config) -> Scene {
    let config = Config {
        market_depth: Quote(1 << 50),
        debt_cap: Quote(200 << 50),
        ..config
    };
    let mut world = World::program_test();
    let market = world.market(&MarketSpec {
        config,
        ..MarketSpec::default()
    });
    let lena = world.trader(&market, "lena", 0, 16_000_000_000 * USDC);
    let alice = world.trader(&market, "alice", 200_000_000 * SOL, 0);
    let mallory = world.trader(&market, "mallory", 0, 0);
    let kate = world.keeper(&market, "kate");
    world.supply(&market, &lena, 8_000_000_000 * USDC).unwrap();
    world.fund_backstop(&market, &lena, 8_000_000_000 * USDC).unwrap();
    let position = world.open(&market, &alice, 0).unwrap();
    Scene {
        world,
        market,
        lena,
        alice,
        mallory,
        kate,
        position,
    }
}

impl Scene {
    fn is_liquidatable(&mut self) -> bool {
        let account = self.world.margin_account(&self.position);
        let price = Price::from_raw(self.judged().high);
        let clock = self.world.clock();
        self.world
            .market_state(&self.market)
            .is_liquidatable(&account, price, clock)
            .unwrap()
    }
}

#[track_caller]
fn borrow(scene: &mut Scene, collateral: u64, debt: u64) {
    scene.world.deposit(&scene.position, collateral).unwrap();
    scene.world.borrow(&scene.position, debt).unwrap();
    scene.world.next_slot();
}

#[test]
fn the_largest_account_there_can_be() {
    for (cents, taken_over) in [(81_24, false), (75_00, false), (68_00, true), (30_00, true)] {
        let mut scene = giant(default_config());
        borrow(&mut scene, 100_000_000 * SOL, 6_500_000_000 * USDC);
        scene.crash(cents * 1_000_000);
        let liquidation = scene.liquidated();
        assert_eq!(liquidation.taken_over, taken_over);
        assert!(liquidation.repaid.0 > 1 << 50, "{liquidation:?}");
    }
}

#[test]
fn the_smallest_account_there_can_be() {
    // An atom of debt on 30 of collateral, which are worth 3 at first.
    let config = Config {
        min_debt: Quote(1),
        bounty_tip: Quote(0),
        ..no_interest()
    };
    for (cents, deficit) in [(60_00, 0), (33_34, 0), (33_33, 1), (1, 1)] {
        let mut scene = giant(config);
        borrow(&mut scene, 30, 1);
        scene.crash(cents * 1_000_000);
        let liquidation = scene.liquidated();
        assert_eq!(
            (liquidation.repaid, liquidation.deficit),
            (Quote(1), Quote(deficit)),
            "{cents}"
        );
    }
}

#[test]
fn any_account_is_sized_by_the_formula() {
    // Ranges of LTV and penalty that divide into each other, and ranges that do not.
    let uneven = Config {
        target_ltv: Bps(7_333),
        liquidation_ltv: Bps(8_111),
        takeover_ltv: Bps(9_777),
        penalty: Bps(77),
        takeover_penalty: Bps(1_234),
        max_gap: Bps(200),
        ..no_minimum()
    };
    for config in [no_minimum(), uneven] {
        let mut scene = giant(config);
        let mut sequence = Sequence(7);
        let (mut partial, mut whole) = (0, 0);
        for id in 1..=60 {
            scene.position = scene.world.open(&scene.market, &scene.alice, id).unwrap();
            let size = 1 << sequence.next(9, 44);
            let (collateral, ltv) = (sequence.next(size, 2 * size), sequence.next(4_000, 6_000));
            // $100 make 0.1 quote atoms of a collateral atom.
            let debt = collateral / 10 * ltv / 10_000;
            borrow(&mut scene, collateral, debt);
            scene.world.advance(u32::try_from(sequence.next(0, 86_400)).unwrap());
            // To an LTV between just liquidatable and far beyond the value of the collateral.
            let beyond = sequence.next(8_150, 11_000);
            scene.crash(usd(100) * i64::try_from(ltv).unwrap() / i64::try_from(beyond).unwrap());
            if scene.is_liquidatable() {
                let liquidation = scene.liquidated();
                (partial, whole) = (
                    partial + u32::from(!liquidation.whole),
                    whole + u32::from(liquidation.whole),
                );
            }
            scene.crash(usd(100));
        }
        assert!(partial >= 15 && whole >= 15, "{partial} partial, {whole} whole");
    }
}

//! A bad print among good ones.

use super::{cents, liquidation, quiet};
use crate::scene::Scene;
use breakwater::error::BreakwaterError;
use breakwater_engine::{Config, account::sizing};
use breakwater_testkit::{Position, assert_fails_with};

/// At this price 69.8% of LTV have become 79.9%.
const EDGE: i64 = 8_736;

/// Accounts that are healthy at [`EDGE`], the last by a hair.
const LTVS: [u64; 8] = [4_000, 5_500, 6_000, 6_500, 6_800, 6_900, 6_950, 6_980];

/// Errors told to somebody who tries to liquidate a healthy account, or one of which a step was taken.
const REFUSALS: [&str; 3] = ["AccountHealthy", "PriceGapTooWide", "AccountCooldown"];

struct Edge {
    scene: Scene,
    positions: Vec<Position>,
}

impl Edge {
    fn new() -> Self {
        let mut scene = quiet(Config::EXAMPLE);
        let positions = (0..).zip(LTVS).map(|(id, ltv)| scene.indebted(id, ltv)).collect();
        scene.world.next_slot();
        scene.settle_at(cents(EDGE));
        let mut edge = Self { scene, positions };
        edge.assert_healthy();
        edge
    }

    /// Everybody is healthy at the price that is shown, and the last by less than a quarter of a percent.
    #[track_caller]
    fn assert_healthy(&mut self) {
        let market = self.scene.world.market_state(&self.scene.market);
        let (clock, shown) = (self.scene.world.clock(), self.scene.observed());
        let mut worst = 0;
        for position in &self.positions {
            let account = self.scene.world.margin_account(position);
            assert!(!market.is_liquidatable(&account, shown.spot, clock).unwrap());
            let debt = market
                .books_at(clock)
                .unwrap()
                .pool
                .index
                .debt(account.debt_shares)
                .unwrap();
            let value = shown.spot.quote_floor(account.collateral).unwrap();
            worst = worst.max(u128::from(debt.0) * 10_000 / u128::from(value.0));
        }
        assert!((7_980..=8_000).contains(&worst), "{worst}");
        self.scene.world.assert_identities();
    }

    /// Somebody tries to liquidate everybody, one by one and together, with the prices that are shown. Returns which
    /// were.
    #[track_caller]
    fn everybody_is_tried(&mut self) -> Vec<usize> {
        let Scene {
            world, market, kate, ..
        } = &mut self.scene;
        let mut hit = Vec::new();
        for (index, position) in self.positions.iter().enumerate() {
            match liquidation(world.liquidate(kate, position)) {
                Ok(_) => hit.push(index),
                Err(error) => assert!(REFUSALS.contains(&error.as_str()), "{error}"),
            }
        }
        if hit.is_empty() {
            let everybody: Vec<&Position> = self.positions.iter().collect();
            match world.liquidate_batch(market, kate, &everybody) {
                Ok(outcome) => assert_eq!(outcome.liquidated(), []),
                Err(failure) => assert_eq!(failure.name, "PriceGapTooWide"),
            }
        }
        hit
    }

    #[track_caller]
    fn nobody_is_liquidated(&mut self) {
        let hit = self.everybody_is_tried();
        assert!(hit.is_empty(), "{hit:?}");
    }

    /// Ten seconds of the bad print, shown and observed every `rhythm` seconds, and good ones until the guards are
    /// where they were.
    #[track_caller]
    fn wick(&mut self, print: i64, rhythm: u32) -> Vec<usize> {
        let mut hit = Vec::new();
        let mut second = 0;
        while second < 80 {
            self.scene.tick(rhythm, if second < 10 { print } else { cents(EDGE) });
            hit.extend(self.everybody_is_tried());
            self.scene.observed();
            hit.extend(self.everybody_is_tried());
            second += rhythm;
        }
        hit
    }
}

#[test]
fn a_print_at_minus_forty_percent_for_ten_seconds_liquidates_nobody() {
    for rhythm in [1, 3, 10] {
        let mut edge = Edge::new();
        assert!(edge.wick(cents(EDGE) * 6 / 10, rhythm).is_empty());
        edge.assert_healthy();
    }
}

#[test]
fn nor_does_it_after_an_hour_in_which_nobody_looked() {
    for rhythm in [1, 10] {
        let mut edge = Edge::new();
        edge.scene.world.advance(3_600);
        assert!(edge.wick(cents(EDGE) * 6 / 10, rhythm).is_empty());
        edge.assert_healthy();
    }
}

#[test]
fn nor_where_nothing_else_is_shown_for_as_long_as_it_is_valid() {
    let mut edge = Edge::new();
    let config = edge.scene.world.market_state(&edge.scene.market).config;
    edge.scene.tick(1, cents(EDGE) * 6 / 10);
    for _ in 0..=config.max_age_long {
        edge.scene.observed();
        edge.nobody_is_liquidated();
        edge.scene.world.advance_silently(1);
    }
    for _ in 0..60 {
        edge.scene.tick(3, cents(EDGE));
        edge.nobody_is_liquidated();
        edge.scene.observed();
    }
    edge.assert_healthy();
}

#[test]
fn a_print_upwards_lets_nobody_borrow_and_leaves_everybody_alone() {
    let mut edge = Edge::new();
    let first = edge.positions[0].clone();
    for second in 0..80 {
        let percent = if second < 10 { 140 } else { 100 };
        edge.scene.tick(1, cents(EDGE) * percent / 100);
        edge.nobody_is_liquidated();
        if second < 10 {
            // 46% of LTV: it could borrow much more were the market Normal.
            assert_fails_with(edge.scene.world.borrow(&first, 1), BreakwaterError::MarketGuarded);
        }
        edge.scene.observed();
    }
    edge.assert_healthy();
}

#[test]
fn a_shallow_print_reaches_no_further_than_slack_and_velocity() {
    let config = Config::EXAMPLE;
    // An account is liquidated only if it is short at the guarded price, too, which falls by the slack at once and then
    // at the velocity limit for the ten seconds of the print and the second before it.
    let keeps = |bps: u64| u128::from(10_000 - bps);
    let guarded = u128::from(EDGE.unsigned_abs())
        * keeps(config.velocity_slack.factor())
        * keeps(11 * config.max_velocity.factor());
    let out_of_reach = LTVS.partition_point(|ltv| {
        let threshold = guarded * u128::from(config.liquidation_ltv.0);
        u128::from(*ltv) * 10u128.pow(12) < threshold
    });
    assert!((1..LTVS.len()).contains(&out_of_reach), "{out_of_reach}");
    let mut total = 0;
    for percent in [1, 2, 3, 4, 6, 9, 13, 20, 30] {
        let mut edge = Edge::new();
        let hit = edge.wick(cents(EDGE) * (100 - percent) / 100, 1);
        assert!(hit.iter().all(|index| *index >= out_of_reach), "-{percent}%: {hit:?}");
        if percent > 6 {
            assert!(hit.is_empty(), "-{percent}%: {hit:?}");
        }
        total += hit.len();
    }
    // So small a print is no different from the market.
    assert!(total > 0);
}

#[test]
fn the_edge_is_where_liquidation_begins() {
    // Twelve cents less, and settled, and the worst of them is liquidated: it was healthy by a hair indeed.
    let mut edge = Edge::new();
    edge.scene.settle_at(cents(EDGE - 12));
    assert_eq!(edge.everybody_is_tried(), [LTVS.len() - 1]);
    let market = edge.scene.world.market_state(&edge.scene.market);
    let account = edge.scene.world.margin_account(&edge.positions[LTVS.len() - 1]);
    let debt = market.books.pool.index.debt(account.debt_shares).unwrap();
    let spot = edge.scene.observed().spot;
    assert!(!sizing::exceeds(
        debt,
        spot.quote_floor(account.collateral).unwrap(),
        market.config.liquidation_ltv
    ));
}

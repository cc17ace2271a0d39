//! Actions that follow the line, to the second: liquidations of all three kinds, and, through the price's own band, the
//! amount lent where the map is crowded.

use super::{DAY, NOTICE};
use crate::scene::{SOL, Scene, USDC};
use anchor_lang::solana_program::instruction::Instruction;
use breakwater::error::BreakwaterError;
use breakwater_engine::{Bps, Clock, Config, Market, governance::ramp::Ramp};
use breakwater_testkit::{Actor, MarketSpec, Position, World, default_config, ix, pyth::usd};

/// The default parameters without interest, so that only the line moves.
fn still() -> Config {
    Config {
        interest_base: Bps(0),
        interest_slope_low: Bps(0),
        interest_slope_high: Bps(0),
        ..default_config()
    }
}

fn on(config: Config, backstop: u64) -> Scene {
    let spec = MarketSpec {
        config,
        ..MarketSpec::default()
    };
    Scene::funded(World::lite(), &spec, 1_000_000 * USDC, backstop)
}

/// The line in plain numbers: to the next basis point in favor of the accounts, `gone` seconds after it starts.
fn line(from: i64, to: i64, gone: i64, length: i64) -> u32 {
    let gone = gone.clamp(0, length);
    let exact = from * length + (to - from) * gone;
    u32::try_from((exact + length - 1) / length).unwrap()
}

/// Value of 100 SOL at $82, quote atoms: the price is rounded down to 2^-64, and the value to an atom.
const VALUE: u64 = 8_200 * USDC - 1;

/// The highest liquidation LTV at which a debt is due: debt × 10,000 > value × LTV.
fn last_due(debt: u64, value: u64) -> i64 {
    i64::try_from((u128::from(debt) * 10_000 - 1) / u128::from(value)).unwrap()
}

/// The first second after the start at which the line is not above `bps` (down), or not below (up).
fn reaches(from: i64, to: i64, length: i64, bps: i64) -> i64 {
    (0..=length)
        .find(|gone| {
            let ltv = i64::from(line(from, to, *gone, length));
            if to < from { ltv <= bps } else { ltv >= bps }
        })
        .unwrap()
}

impl Scene {
    /// Mallory's account of 100 SOL with so much debt, quote atoms.
    #[track_caller]
    fn owing(&mut self, id: u16, debt: u64) -> Position {
        let Self {
            world, market, mallory, ..
        } = self;
        world.fund(mallory, &market.collateral_mint, 100 * SOL);
        let position = world.open(market, mallory, id).unwrap();
        world.deposit(&position, 100 * SOL).unwrap();
        world.borrow(&position, debt).unwrap();
        position
    }

    /// The collateral at so many dollars, without uncertainty.
    fn at(&mut self, dollars: i64) {
        let feed = self.market.collateral_feed;
        self.world.set_price(&feed, usd(dollars), 0);
    }

    /// Moves time to a moment, and publishes every feed.
    fn go_to(&mut self, unix: i64) {
        let seconds = u32::try_from(unix - self.world.unix()).unwrap();
        self.world.advance(seconds);
    }

    /// Every way to liquidate an account: alone, and in a batch of its own.
    fn attempts(&self, position: &Position) -> [(Instruction, Actor); 2] {
        let (keys, kate) = (&self.market, &self.kate);
        [
            (ix::liquidate(keys, &position.address, &kate.key()), kate.clone()),
            (
                ix::liquidate_batch(keys, &kate.key(), &[position.address]),
                kate.clone(),
            ),
        ]
    }

    /// No way to liquidate this account works: the line has not passed it.
    #[track_caller]
    fn healthy(&mut self, position: &Position) {
        let [(alone, kate), (batch, keeper)] = self.attempts(position);
        self.world
            .assert_error_unchanged(&[alone], &[&kate], BreakwaterError::AccountHealthy);
        let before = self.world.margin_account(position);
        let outcome = self.world.send(&[batch], &[&keeper]).unwrap();
        assert_eq!(outcome.liquidated(), []);
        assert_eq!(self.world.margin_account(position), before);
    }

    /// The line has passed this account: alone and in a batch it is liquidated on the terms that follow from the line.
    /// Nothing of it remains.
    #[track_caller]
    fn due(&mut self, position: &Position, ltv: u32) {
        let snapshot = self.world.snapshot();
        let judged = {
            let own = std::mem::replace(&mut self.position, position.clone());
            let judged = self.judged();
            self.position = own;
            judged
        };
        let market = self.world.market_state(&self.market);
        let config = Config {
            liquidation_ltv: Bps(ltv),
            ..market.config
        };
        let expected = judged.expected(&config);
        let [(alone, kate), (batch, _)] = self.attempts(position);
        for attempt in [alone, batch] {
            let outcome = self.world.send(&[attempt], &[&kate]).unwrap();
            let done = outcome.liquidation();
            let terms = (done.repaid.0, done.seized.0, done.penalty.0, done.bounty.0);
            assert_eq!(
                terms,
                (expected.repay, expected.seize, expected.penalty, expected.bounty)
            );
            self.world.restore(&snapshot);
        }
        self.world.restore(&snapshot);
    }
}

#[test]
fn the_line_is_straight_and_rounded_in_favor_of_the_accounts() {
    let mut market: Market = bytemuck::Zeroable::zeroed();
    for (from, to, length) in [
        (8_000, 7_900, DAY),
        (8_000, 8_100, DAY),
        (8_000, 7_963, 40_003),
        (7_500, 7_531, 27_001),
        (8_000, 8_000, 77),
    ] {
        let starts_at = 1_000_000;
        market.config.liquidation_ltv = Bps(u32::try_from(from).unwrap());
        market.ramp = Ramp {
            starts_at,
            ends_at: starts_at + length,
            to: Bps(u32::try_from(to).unwrap()),
            padding: [0; 4],
        };
        for gone in (-10..length + 10).chain([-starts_at, 1 << 40]) {
            let unix = starts_at + gone;
            let ltv = market.liquidation_ltv(Clock { unix, slot: 0 });
            assert_eq!(
                ltv.0,
                line(from, to, gone, length),
                "{from} to {to} after {gone} of {length}"
            );
        }
    }
}

#[test]
fn an_account_is_due_when_the_falling_line_passes_it_and_not_a_second_earlier() {
    // At $82 100 SOL are worth 8,200 less a rounding: these debts are between 79% and 80% of it, two on either side of
    // a basis point.
    let debts = [6_559_999_999, 6_500 * USDC, 6_519 * USDC, 6_478_819_999, 6_478_820_000];
    assert_eq!(
        debts.map(|debt| last_due(debt, VALUE)),
        [7_999, 7_926, 7_950, 7_900, 7_901]
    );
    for (to, length) in [(7_900, DAY), (7_900, 3 * DAY + 1_234), (7_700, 3 * DAY)] {
        for backstop in [100_000 * USDC, 0] {
            let mut scene = on(still(), backstop);
            let positions: Vec<Position> = (0..).zip(debts).map(|(id, debt)| scene.owing(id, debt)).collect();
            let starts_at = scene.world.unix() + NOTICE;
            let market = scene.market;
            scene
                .world
                .announce_liquidation_ltv(&market, to, starts_at, starts_at + length)
                .unwrap();
            scene.at(82);
            for unix in [starts_at - 1, starts_at] {
                scene.go_to(unix);
                for position in &positions {
                    scene.healthy(position);
                }
            }
            let mut passed: Vec<(i64, usize)> = (0..)
                .zip(debts)
                .map(|(index, debt)| (reaches(8_000, i64::from(to), length, last_due(debt, VALUE)), index))
                .collect();
            passed.sort_unstable();
            for (gone, index) in passed {
                let position = &positions[index];
                scene.go_to(starts_at + gone - 1);
                scene.healthy(position);
                scene.go_to(starts_at + gone);
                scene.due(position, line(8_000, i64::from(to), gone, length));
            }
            // After the end it stays where it is.
            scene.go_to(starts_at + length + 10 * DAY);
            for position in &positions {
                scene.due(position, to);
            }
        }
    }
}

#[test]
fn an_account_exactly_at_the_end_of_the_line_is_never_due() {
    let mut scene = on(still(), 100_000 * USDC);
    let edge = scene.owing(0, 6_478 * USDC - 1);
    let beyond = scene.owing(1, 6_478 * USDC);
    assert_eq!(
        [6_478 * USDC - 1, 6_478 * USDC].map(|debt| last_due(debt, VALUE)),
        [7_899, 7_900]
    );
    let starts_at = scene.world.unix() + NOTICE;
    let market = scene.market;
    scene
        .world
        .announce_liquidation_ltv(&market, 7_900, starts_at, starts_at + DAY)
        .unwrap();
    scene.at(82);
    scene.go_to(starts_at + DAY - 1);
    scene.healthy(&edge);
    scene.healthy(&beyond);
    scene.go_to(starts_at + DAY);
    scene.healthy(&edge);
    scene.due(&beyond, 7_900);
}

#[test]
fn an_account_is_healthy_again_when_the_rising_line_reaches_it_and_not_a_second_earlier() {
    // At $81 100 SOL are worth 8,100. 6,500 are 80.2469% of it.
    assert_eq!(last_due(6_500 * USDC, 8_100 * USDC - 1), 8_024);
    for (to, length) in [(8_100, DAY), (8_200, 3 * DAY + 7)] {
        for backstop in [100_000 * USDC, 0] {
            let mut scene = on(still(), backstop);
            let position = scene.position.clone();
            let starts_at = scene.world.unix() + NOTICE;
            let market = scene.market;
            scene
                .world
                .announce_liquidation_ltv(&market, to, starts_at, starts_at + length)
                .unwrap();
            scene.at(81);
            for unix in [starts_at - 1, starts_at] {
                scene.go_to(unix);
                scene.due(&position, 8_000);
            }
            let gone = reaches(8_000, i64::from(to), length, 8_025);
            scene.go_to(starts_at + gone - 1);
            scene.due(&position, 8_024);
            scene.go_to(starts_at + gone);
            scene.healthy(&position);
            scene.go_to(starts_at + length + DAY);
            scene.healthy(&position);
        }
    }
}

//! What neither volatility nor crowding nor an overloaded band ever does: make an account liquidatable that was not, or keep
//! anybody from repaying, adding collateral, or taking out what no debt is on.

use super::{Cast, still};
use crate::{
    risk::edit_market,
    scene::{SOL, Scene, USDC},
};
use breakwater::error::BreakwaterError;
use breakwater_engine::{Bps, Config, Level, Quote};
use breakwater_testkit::{Position, ix, pyth::usd};

/// Every haircut at the largest a config may have, and no band may hold anything.
fn storm(config: Config) -> Config {
    let config = Config {
        volatility_factor: Bps(100_000),
        volatility_max: Bps(10_000),
        crowding_max: Bps(10_000),
        crowding_drop: Bps(5_000),
        band_limit: Bps(0),
        band_floor: Quote(0),
        crowding_bands: 16,
        ..config
    };
    assert_eq!(config.validate(), Ok(()));
    config
}

impl Cast {
    /// Brings the storm: these parameters, a price that moves without end, and a backstop that has this much.
    fn storm(&mut self, config: Config, backstop: u64) {
        let market = self.scene.market;
        edit_market(&mut self.scene.world, &market, |market| {
            market.config = config;
            market.books.backstop.cash.0 = backstop;
        });
        self.restless(u64::MAX);
    }

    #[track_caller]
    fn healthy(&mut self, position: &Position) {
        let Scene {
            world,
            market,
            kate,
            lena,
            ..
        } = &mut self.scene;
        let address = &position.address;
        let alone = ix::liquidate(market, address, &kate.key());
        let external = ix::liquidate_external(market, address, &lena.key(), u64::MAX, 0);
        for (attempt, signer) in [(alone, &*kate), (external, lena)] {
            world.assert_error_unchanged(&[attempt], &[signer], BreakwaterError::AccountHealthy);
        }
        let before = world.margin_account(position);
        let outcome = world.liquidate_batch(market, kate, &[position]).unwrap();
        assert_eq!(outcome.liquidated(), []);
        assert_eq!(world.margin_account(position), before);
    }
}

#[test]
fn an_account_at_the_limit_is_as_healthy_in_the_storm_as_before() {
    // At $86 100 SOL are worth 8,600 less an atom: 6,880 less an atom is the most that 80% of it carries.
    let mut cast = Cast::new(still(), 100_000 * USDC, &[6_880, 3_000]);
    let market = cast.scene.market;
    let (edge, beyond, low) = (
        cast.positions[0].clone(),
        cast.positions[1].clone(),
        cast.positions[2].clone(),
    );
    cast.scene.world.borrow(&edge, 380 * USDC - 1).unwrap();
    cast.stands_at(8_600);
    // Calm, then a storm with room in the backstop and without.
    let mut taken = Vec::new();
    for storms in [None, Some(100_000 * USDC), Some(0)] {
        if let Some(backstop) = storms {
            cast.storm(storm(still()), backstop);
            let rules = cast.rules();
            assert_eq!(rules.initial_ltv(&rules.own.accounts[0]).limit, Bps(0));
            let owner = &cast.scene.alice;
            let atom = ix::borrow(&market, &edge.address, &owner.key(), 1);
            let world = &mut cast.scene.world;
            world.assert_error_unchanged(&[atom], &[owner], BreakwaterError::InitialLtvExceeded);
        }
        cast.healthy(&edge);
        cast.healthy(&low);
        let snapshot = cast.scene.world.snapshot();
        if storms != Some(0) {
            // An atom more of debt: due, on the same terms in calm and storm.
            let outcome = cast.scene.world.liquidate(&cast.scene.kate, &beyond).unwrap();
            taken.push(outcome.liquidation());
            cast.scene.world.restore(&snapshot);
        }
    }
    assert_eq!(taken[0], taken[1]);
}

/// Levels that a reading brings about by its confidence, bps of the price.
const LEVELS: [(Level, u64); 3] = [(Level::Normal, 0), (Level::Guarded, 200), (Level::Halted, 400)];

fn with_levels(config: Config) -> Config {
    Config {
        confidence_guard: Bps(100),
        confidence_halt: Bps(300),
        ..config
    }
}

#[test]
fn repaying_adding_and_taking_out_what_is_free_is_never_refused() {
    let no_haircuts = Config {
        volatility_max: Bps(0),
        crowding_max: Bps(0),
        ..storm(with_levels(still()))
    };
    for (config, refusal) in [
        (storm(with_levels(still())), BreakwaterError::InitialLtvExceeded),
        // Here it is the bands alone.
        (no_haircuts, BreakwaterError::BandOverloaded),
    ] {
        for (level, confidence) in LEVELS {
            let mut cast = Cast::new(with_levels(still()), 100_000 * USDC, &[6_900, 6_700, 6_500]);
            cast.storm(config, 0);
            let Scene {
                world,
                market,
                alice,
                position,
                ..
            } = &mut cast.scene;
            let feed = market.collateral_feed;
            world.set_price(&feed, usd(100), usd(100).unsigned_abs() * confidence / 10_000);
            world.observe_price(market).unwrap();
            let guard = world.market_state(market).guard;
            assert_eq!(Level::from_byte(guard.level), level);
            let refusal = match level {
                Level::Normal => refusal,
                Level::Guarded => BreakwaterError::MarketGuarded,
                Level::Halted => BreakwaterError::ConfidenceTooWide,
            };
            let address = &position.address;
            for risk in [
                ix::borrow(market, address, &alice.key(), 1),
                ix::withdraw_collateral(market, address, &alice.key(), 1),
            ] {
                world.assert_error_unchanged(&[risk], &[alice], refusal);
            }
            // Into bands that others have filled, too, on the way down.
            for amount in [1, 20 * USDC, 200 * USDC, 1_000 * USDC] {
                world.repay(position, amount).unwrap();
            }
            for amount in [1, SOL / 100, 3 * SOL, 50 * SOL] {
                world.deposit(position, amount).unwrap();
            }
            world.repay(position, u64::MAX).unwrap();
            let all = world.margin_account(position).collateral.0;
            let free = ix::withdraw_collateral_without_debt(market, address, &alice.key(), all - 1);
            world.send(&[free], &[alice]).unwrap();
            // With prices shown, where there are any to show.
            if level == Level::Halted {
                let free = ix::withdraw_collateral_without_debt(market, address, &alice.key(), 1);
                world.send(&[free], &[alice]).unwrap();
            } else {
                world.withdraw_collateral(position, 1).unwrap();
            }
            world.close(position).unwrap();
        }
    }
}

#[test]
fn others_may_rescue_an_account_into_a_crowd() {
    // Mallory adds to Alice's collateral until her debt is where Mallory's own is, in a band that may hold nothing.
    let mut cast = Cast::new(still(), 100_000 * USDC, &[4_000, 4_000]);
    cast.storm(storm(still()), 0);
    let Scene {
        world,
        market,
        mallory,
        position,
        ..
    } = &mut cast.scene;
    world.deposit_by(mallory, position, 62_500_000_000).unwrap();
    let crowd = world.margin_account(&cast.positions[1]).band;
    assert_eq!(world.margin_account(position).band, crowd);
    world.repay_by(mallory, position, 2_500 * USDC).unwrap();
    let state = world.market_state(market);
    let debts: u64 = state.map.bands.iter().map(|shares| shares.0).sum();
    assert_eq!(debts, 12_000 * USDC * super::SHARES);
}

//! `liquidate`.

mod accounts;
pub mod any_size;
mod backstop;
mod bounty;
pub mod formula;
mod pipeline;
mod sizing;
mod timing;

use crate::scene::{Scene, USDC};
use breakwater_engine::{Bps, Config};
use breakwater_testkit::{MarketSpec, Position, World, default_config};

impl Scene {
    /// Publishes a collateral price in units of 10⁻⁸ dollars, without any uncertainty, a minute later.
    fn crash(&mut self, price: i64) {
        self.world.advance(60);
        let feed = self.market.collateral_feed;
        self.world.set_price(&feed, price, 0);
    }

    /// Mallory puts in collateral atoms and borrows quote atoms; from now on hers is the account in question.
    #[track_caller]
    fn mallory_borrows(&mut self, collateral: u64, amount: u64) -> Position {
        let position = self.world.open(&self.market, &self.mallory, 0).unwrap();
        self.world.deposit(&position, collateral).unwrap();
        self.world.borrow(&position, amount).unwrap();
        self.world.next_slot();
        std::mem::replace(&mut self.position, position)
    }
}

/// The default parameters without interest: debts and equity are exact to the atom.
fn no_interest() -> Config {
    Config {
        interest_base: Bps(0),
        interest_slope_low: Bps(0),
        interest_slope_high: Bps(0),
        ..default_config()
    }
}

/// The default scene with these parameters and this much in the backstop, quote atoms.
fn with(config: Config, backstop: u64) -> Scene {
    let spec = MarketSpec {
        config,
        ..MarketSpec::default()
    };
    Scene::funded(World::program_test(), &spec, 1_000_000 * USDC, backstop)
}

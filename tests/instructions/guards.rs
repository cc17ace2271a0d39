//! Prices behind guards, on the parameters of [`Config::EXAMPLE`]: what each level lets happen, and what comes of
//! wicks, crashes and chosen prices.

mod chosen_updates;
mod confidence;
mod crash;
mod emergency_halt;
mod gap;
mod levels;
mod recovery;
mod redemption;
mod self_liquidation;
mod steps;
mod wick;

use crate::{
    liquidate::formula::Judged,
    scene::{SOL, Scene, USDC},
};
use breakwater::{error::BreakwaterError, events::PriceObserved};
use breakwater_engine::{
    Bps, Config, Guard, Level,
    account::sizing::Extent,
    actions::{Liquidation, Observation},
};
use breakwater_testkit::{ExpectedError, Failure, MarketSpec, Outcome, Position, World, assert_fails_with, pyth::usd};

const BPS: u128 = 10_000;

/// Time in which Pyth's own EMA is made to follow a price, seconds.
const PYTH_AVERAGE: i64 = 3_600;

/// The default market with these parameters.
fn spec(config: Config) -> MarketSpec {
    MarketSpec {
        config,
        ..MarketSpec::default()
    }
}

/// These parameters without interest: debts are exact to the atom.
fn without_interest(config: Config) -> Config {
    Config {
        interest_base: Bps(0),
        interest_slope_low: Bps(0),
        interest_slope_high: Bps(0),
        ..config
    }
}

/// Dollars with a fraction, as a mantissa of the feeds.
fn cents(cents: i64) -> i64 {
    cents * 1_000_000
}

/// The default scene behind these guards, for thousands of transactions: the money identities are left to the end.
fn quiet(config: Config) -> Scene {
    let mut scene = Scene::on(World::lite(), &spec(config));
    scene.world.check_identities(false);
    scene
}

/// The error by which a liquidation was refused, or what it did.
fn liquidation(result: Result<Outcome, Failure>) -> Result<Liquidation, String> {
    match result {
        Ok(outcome) => Ok(outcome.liquidation()),
        Err(failure) => Err(failure.name),
    }
}

impl Scene {
    /// The default scene with the example's guards, on LiteSVM.
    fn guarded() -> Self {
        Self::on(World::lite(), &spec(Config::EXAMPLE))
    }

    /// Moves time on and publishes a collateral price with a confidence of a thousandth. Pyth's EMA follows slowly.
    fn tick(&mut self, seconds: u32, price: i64) {
        self.world.advance(seconds);
        let feed = self.market.collateral_feed;
        self.world.set_price(&feed, price, price.unsigned_abs() / 1_000);
        self.world.edit_feed(&feed, |feed| {
            let shown = feed.quotation_mut();
            shown.ema_price += (price - shown.ema_price) * i64::from(seconds).min(PYTH_AVERAGE) / PYTH_AVERAGE;
        });
    }

    /// Publishes a collateral price that stands for so long that all averages are there.
    fn settle_at(&mut self, price: i64) {
        self.world.advance(60);
        let feed = self.market.collateral_feed;
        self.world.settle_price(&feed, price, price.unsigned_abs() / 1_000);
        self.world.set_guard(&self.market, bytemuck::Zeroable::zeroed());
        self.observed();
    }

    /// Observes the price.
    #[track_caller]
    fn observed(&mut self) -> Observation {
        let outcome = self.world.observe_price(&self.market).unwrap();
        outcome.event::<PriceObserved>().observation
    }

    /// The level at the newest accepted reading.
    fn level(&mut self) -> Level {
        Level::from_byte(self.world.market_state(&self.market).guard.level)
    }

    /// Changes the state of the market's guards, as of now.
    fn edit_guard(&mut self, edit: impl FnOnce(&mut Guard)) {
        let mut guard = self.world.market_state(&self.market).guard;
        guard.moved_at = self.world.unix();
        edit(&mut guard);
        self.world.set_guard(&self.market, guard);
    }

    /// Opens an account of Mallory's with 100 SOL and so much debt, bps of 10,000 quote tokens: its LTV at $100.
    #[track_caller]
    fn indebted(&mut self, id: u16, ltv: u64) -> Position {
        self.world.fund(&self.mallory, &self.market.collateral_mint, 100 * SOL);
        let position = self.world.open(&self.market, &self.mallory, id).unwrap();
        self.world.deposit(&position, 100 * SOL).unwrap();
        self.world.borrow(&position, ltv * USDC).unwrap();
        position
    }

    #[track_caller]
    fn liquidation_fails(&mut self, expected: impl ExpectedError) {
        let Self {
            world,
            market,
            kate,
            position,
            ..
        } = self;
        let liquidate = breakwater_testkit::ix::liquidate(market, &position.address, &kate.key());
        world.assert_error_unchanged(&[liquidate], &[kate], expected);
    }
}

impl Scene {
    /// Kate liquidates Alice while the market is Guarded at this very spot: a step. Checks the
    /// terms, and what becomes of account and flow limit.
    ///
    /// # Panics
    /// If it is refused, or anything is not as the rules say.
    #[track_caller]
    pub fn stepped(&mut self) -> Liquidation {
        let judged = self.judged();
        self.stepped_at(judged)
    }

    /// [`Scene::stepped`] at another price.
    #[track_caller]
    pub fn stepped_at(&mut self, judged: Judged) -> Liquidation {
        let (market, account) = (
            self.world.market_state(&self.market),
            self.world.margin_account(&self.position),
        );
        let config = market.config;
        let wanted = judged.expected(&config);
        // A quarter of the debt, of which so much is refilled.
        let whole = (judged.debt * u128::from(config.guarded_close_factor.0) / BPS).max(config.min_debt.0.into());
        let now = self.world.unix() * 1_000_000;
        let refill = i64::from(config.guarded_refill) * 1_000_000;
        let stepped = account.stepped_until.max(now);
        let step = match refill {
            0 => whole,
            _ => u128::from((now + refill - stepped).unsigned_abs()) * whole / u128::from(refill.unsigned_abs()),
        };
        let window = i64::from(config.guarded_window) * 1_000_000;
        let used = market.guard.flow_used_until.max(now);
        let left = u128::from((now + window).abs_diff(used)) * u128::from(config.guarded_flow.0)
            / u128::from(window.unsigned_abs());
        let taken_over = wanted.extent == Extent::TakeOver;
        let expected = if taken_over {
            wanted
        } else {
            judged.expected_within(&config, u64::try_from(step.min(left)).unwrap())
        };

        let outcome = self.world.liquidate(&self.kate, &self.position).unwrap();

        let liquidation = outcome.liquidation();
        let terms = (liquidation.repaid.0, liquidation.seized.0, liquidation.deficit.0);
        assert_eq!(terms, (expected.repay, expected.seize, expected.deficit));
        assert_eq!(liquidation.price.raw(), judged.low);
        assert_eq!(
            (liquidation.penalty.0, liquidation.bounty.0, liquidation.taken_over),
            (expected.penalty, expected.bounty, taken_over)
        );
        let after = (
            self.world.market_state(&self.market).guard.flow_used_until,
            self.world.margin_account(&self.position).stepped_until,
        );
        let rests = (u128::from(expected.repay) * u128::from(refill.unsigned_abs())).div_ceil(whole);
        let took = (u128::from(expected.repay) * u128::from(window.unsigned_abs()))
            .div_ceil(u128::from(config.guarded_flow.0));
        let expected = if taken_over {
            (market.guard.flow_used_until, account.stepped_until)
        } else {
            let [took, rests] = [took, rests].map(|time| i64::try_from(time).unwrap());
            (used + took, stepped + rests)
        };
        assert_eq!(after, expected);
        liquidation
    }
}

#[test]
fn the_example_has_its_guards_on() {
    let mut scene = Scene::guarded();
    // A second later $60 liquidates nobody: it is not what anybody is judged by.
    scene.tick(1, usd(60));
    assert_fails_with(
        scene.world.liquidate(&scene.kate, &scene.position),
        BreakwaterError::AccountHealthy,
    );
    assert_eq!(scene.observed().level, 1);
}

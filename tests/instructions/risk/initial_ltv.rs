//! What volatility and crowding take off new loans, to the atom; what they never touch.

mod bands;
mod haircuts;
mod never;

use super::{edit_market, own::Own, real};
use crate::{
    liquidate::formula::prices,
    scene::{SOL, Scene, USDC},
};
use breakwater::error::BreakwaterError;
use breakwater_engine::{Bps, Collateral, Config, DebtShares, MarginAccount, oracle::Purpose, risk::InitialLtv};
use breakwater_testkit::{MarketSpec, Position, World, default_config, ix, pyth::usd};

/// Debt shares for a quote atom where there is no interest.
const SHARES: u64 = 1_024;

/// The default parameters without interest, and without what the tests of this file turn on.
fn still() -> Config {
    Config {
        interest_base: Bps(0),
        interest_slope_low: Bps(0),
        interest_slope_high: Bps(0),
        ..default_config()
    }
}

/// A scene in which Alice's account is followed by Mallory's, with 100 SOL each and so many dollars of debt. No price has
/// any uncertainty.
struct Cast {
    scene: Scene,
    positions: Vec<Position>,
}

impl Cast {
    #[track_caller]
    fn new(config: Config, backstop: u64, debts: &[u64]) -> Self {
        let spec = MarketSpec {
            config,
            ..MarketSpec::default()
        };
        let scene = Scene::funded(World::lite(), &spec, 1_000_000 * USDC, backstop);
        let positions = vec![scene.position.clone()];
        let mut cast = Self { scene, positions };
        cast.stands_at(10_000);
        let Scene {
            world, market, mallory, ..
        } = &mut cast.scene;
        for (id, dollars) in (0..).zip(debts) {
            world.fund(mallory, &market.collateral_mint, 100 * SOL);
            let position = world.open(market, mallory, id).unwrap();
            world.deposit(&position, 100 * SOL).unwrap();
            world.borrow(&position, dollars * USDC).unwrap();
            cast.positions.push(position);
        }
        world.next_slot();
        cast
    }

    /// The collateral at so many cents, where all averages stand.
    fn stands_at(&mut self, cents: i64) {
        let Scene { world, market, .. } = &mut self.scene;
        world.advance(1);
        for (feed, price) in [(market.collateral_feed, usd(cents) / 100), (market.quote_feed, usd(1))] {
            world.settle_price(&feed, price, 0);
        }
        world.forget_prices(market);
    }

    fn own(&mut self) -> Own {
        let Scene { world, market, .. } = &mut self.scene;
        Own::of(world, market, &self.positions)
    }

    /// Sets the variance of the price, in units of 2^-46 for a second, as of now.
    fn restless(&mut self, variance: u64) {
        let now = self.scene.world.unix();
        let market = self.scene.market;
        edit_market(&mut self.scene.world, &market, |market| {
            market.volatility.variance = variance;
            market.volatility.updated_at = now;
        });
    }

    /// What the rules say at this moment.
    #[track_caller]
    fn rules(&mut self) -> Rules {
        let own = self.own();
        let prices = prices(&mut self.scene.world, &self.scene.market, Purpose::Trade);
        let room = own.market.risk(&prices, own.clock).unwrap().room.0;
        Rules {
            price: prices.spot().raw(),
            own,
            room,
        }
    }

    /// Alice borrows as much as `rules` allow and not an atom more, and then the other way to the same limit: takes out
    /// as much collateral as they allow and not an atom more. Returns what she was allowed, at last.
    #[track_caller]
    fn limits_are_exact(&mut self) -> InitialLtv {
        let rules = self.rules();
        let alice = rules.own.accounts[0];
        let borrow = |amount: u64| MarginAccount {
            debt_shares: DebtShares(alice.debt_shares.0 + amount * SHARES),
            ..alice
        };
        let most = last(100_000 * USDC, |amount| amount == 0 || rules.carries(&borrow(amount)));
        let take_out = |amount: u64| MarginAccount {
            collateral: Collateral(alice.collateral.0 - amount),
            ..alice
        };
        let free = last(alice.collateral.0, |amount| {
            amount == 0 || rules.carries(&take_out(amount))
        });

        let Scene {
            world,
            market,
            alice: owner,
            position,
            ..
        } = &mut self.scene;
        let snapshot = world.snapshot();
        for (limit, after, act) in [
            (most, borrow(most), ix::borrow as fn(&_, &_, &_, u64) -> _),
            (free, take_out(free), ix::withdraw_collateral),
        ] {
            let attempt = |amount| act(market, &position.address, &owner.key(), amount);
            let too_much = [attempt(limit + 1)];
            world.assert_error_unchanged(&too_much, &[owner], BreakwaterError::InitialLtvExceeded);
            if limit == 0 {
                continue;
            }
            world.send(&[attempt(limit)], &[owner]).unwrap();
            let account = world.margin_account(position);
            assert_eq!(
                (account.collateral, account.debt_shares),
                (after.collateral, after.debt_shares)
            );
            // What clients are told of the account as it is now is what the action was judged by.
            let prices = prices(world, market, Purpose::Trade);
            let told = world.market_state(market).initial_ltv(&account, &prices, world.clock());
            assert_eq!(told, Ok(rules.initial_ltv(&after)));
            world.restore(&snapshot);
        }
        rules.initial_ltv(&borrow(most))
    }
}

/// The rules for new risk, worked out from all accounts in plain numbers.
struct Rules {
    own: Own,
    /// Q64.64.
    price: u128,
    room: u64,
}

impl Rules {
    /// The initial LTV of Alice's account if it was as `after`.
    #[track_caller]
    fn initial_ltv(&self, after: &MarginAccount) -> InitialLtv {
        let config = &self.own.market.config;
        let wide = |bps: Bps| u128::from(bps.0);
        // √(variance × horizon), in bps, and so many of it.
        let variance = u128::from(self.own.market.volatility.variance) * u128::from(config.volatility_horizon);
        let deviation = (variance.min(u64::MAX.into()).isqrt() * 10_000) >> 23;
        let volatility = (deviation * wide(config.volatility_factor) / 10_000).min(wide(config.volatility_max));

        let would_be = self.as_it_would_be(after);
        let debt = would_be.debt_within(real(self.price) / 2f64.powi(64), config.crowding_drop.0);
        let depth = (u128::from(self.room) * 10_000).checked_div(debt.into());
        let missing = 10_000 - depth.map_or(10_000, |depth| depth.min(10_000));
        let crowding = (wide(config.crowding_max) * missing).div_ceil(10_000);
        let limit = wide(config.initial_ltv)
            .saturating_sub(volatility)
            .saturating_sub(crowding);
        let [volatility, crowding, limit] = [volatility, crowding, limit].map(|bps| Bps(u32::try_from(bps).unwrap()));
        InitialLtv {
            base: config.initial_ltv,
            volatility,
            crowding,
            limit,
        }
    }

    /// Whether `after` carries its debt.
    #[track_caller]
    fn carries(&self, after: &MarginAccount) -> bool {
        let value = (self.price * u128::from(after.collateral.0)) >> 64;
        let debt = u128::from(self.own.debt(after.debt_shares.0));
        debt * 10_000 <= value * u128::from(self.initial_ltv(after).limit.0)
    }

    fn as_it_would_be(&self, after: &MarginAccount) -> Own {
        let mut accounts = self.own.accounts.clone();
        accounts[0] = *after;
        Own { accounts, ..self.own }
    }
}

/// The last of 0..=end for which a condition holds that holds up to some number and not beyond.
#[track_caller]
fn last(end: u64, holds: impl Fn(u64) -> bool) -> u64 {
    assert!(holds(0) && !holds(end));
    let (mut low, mut high) = (0, end);
    while high - low > 1 {
        let middle = u64::midpoint(low, high);
        *if holds(middle) { &mut low } else { &mut high } = middle;
    }
    low
}

//! How fast suppliers may leave: the limit to the atom, its refill to the second, and every way around it.

use crate::{
    attack::donate,
    backing::{interest_free, market_with},
    scene::USDC,
};
use anchor_spl::token::{self, spl_token::instruction::transfer};
use breakwater::error::BreakwaterError;
use breakwater_client::MarketKeys;
use breakwater_engine::{Bps, Config, Quote};
use breakwater_testkit::{Actor, World, default_config, ix};

/// Assets of the pool, quote atoms.
const POOL: u64 = 1_000_000 * USDC;
/// A tenth of it.
const LIMIT: u64 = POOL / 10;
/// The time in which the limit is refilled, seconds.
const WINDOW: u32 = 86_400;

/// A pool of Lena's, from which a tenth a day may leave, and of which nothing is remembered. Nothing is lent and there
/// is no interest, so a thousand shares are an atom.
struct Run {
    world: World,
    market: MarketKeys,
    lena: Actor,
    mallory: Actor,
}

impl Run {
    fn new(world: World) -> Self {
        Self::with(world, |config| {
            (config.outflow_limit, config.outflow_window) = (Bps(1_000), WINDOW);
        })
    }

    fn with(mut world: World, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = interest_free(default_config());
        change(&mut config);
        let market = world.market(&market_with(config));
        let lena = world.trader(&market, "lena", 0, POOL);
        let mallory = world.trader(&market, "mallory", 0, 5 * POOL);
        world.supply(&market, &lena, POOL).unwrap();
        let mut run = Self {
            world,
            market,
            lena,
            mallory,
        };
        run.forget();
        run
    }

    /// As if the pool had stood like this for ever.
    fn forget(&mut self) {
        let mut state = self.world.market_state(&self.market);
        state.outflow = bytemuck::Zeroable::zeroed();
        self.world.set_market(&self.market, &state);
    }

    fn headroom(&mut self) -> u64 {
        let state = self.world.market_state(&self.market);
        let clock = self.world.clock();
        let assets = state.books.pool.assets().unwrap();
        state.outflow.headroom(&state.config, assets, clock).0
    }

    #[track_caller]
    fn refused(&mut self, supplier: &Actor, amount: u64) {
        let withdraw = ix::withdraw(&self.market, &supplier.key(), amount * 1_000, 0);
        let expected = BreakwaterError::OutflowLimitReached;
        self.world.assert_error_unchanged(&[withdraw], &[supplier], expected);
    }

    #[track_caller]
    fn leaves(&mut self, supplier: &Actor, amount: u64) {
        let before = self.world.balance(supplier, &self.market.quote_mint);
        self.world.withdraw(&self.market, supplier, amount * 1_000).unwrap();
        let after = self.world.balance(supplier, &self.market.quote_mint);
        assert_eq!(after, before + amount);
    }

    /// Exactly this much may leave now.
    #[track_caller]
    fn leaves_at_most(&mut self, supplier: &Actor, amount: u64) {
        self.refused(supplier, amount + 1);
        if amount > 0 {
            self.leaves(supplier, amount);
        }
        self.refused(supplier, 1);
    }
}

#[test]
fn the_limit_is_left_at_once_and_not_an_atom_more() {
    let mut run = Run::new(World::program_test());
    let lena = run.lena.clone();
    run.leaves_at_most(&lena, LIMIT);
}

#[test]
fn it_is_refilled_by_the_second() {
    let mut run = Run::new(World::program_test());
    let lena = run.lena.clone();
    run.leaves(&lena, LIMIT);
    // What is remembered, and what is left in the pool: a tenth of both together is the limit.
    let (mut gone, mut assets) = (LIMIT, POOL - LIMIT);
    for seconds in [1, 1, 59, 3_600, 12 * 3_600] {
        run.world.advance(seconds);
        let limit = (assets + gone).div_ceil(10);
        gone -= (limit * u64::from(seconds)).div_ceil(u64::from(WINDOW));
        let headroom = (assets + gone).div_ceil(10) - gone;
        run.leaves_at_most(&lena, headroom);
        (gone, assets) = (gone + headroom, assets - headroom);
    }
    // Whole after the window, of what is left then, however long it lasts.
    run.world.advance(10 * WINDOW);
    let left = run.world.market_state(&run.market).books.pool.cash.0;
    run.leaves_at_most(&lena, left.div_ceil(10));
}

#[test]
fn many_small_withdrawals_are_one_large() {
    let mut run = Run::new(World::lite());
    let (lena, mallory) = (run.lena.clone(), run.mallory.clone());
    // Whoever they are of: the limit is the market's.
    let shares = LIMIT / 2 * 1_000;
    let market = run.market;
    let (from, to) = (market.lp_of(&lena.key()), market.lp_of(&mallory.key()));
    let give = transfer(&token::ID, &from, &to, &lena.key(), &[], shares).unwrap();
    run.world.send(&[give], &[&lena]).unwrap();
    for number in 0..100 {
        let supplier = if number % 2 == 0 { &lena } else { &mallory };
        run.leaves(supplier, LIMIT / 100);
    }
    run.refused(&lena, 1);
    // A thousand crumbs within seconds of each other outrun it by no more than an atom a second.
    let (mut crumbs, seconds) = (0, 50);
    for _ in 0..seconds {
        run.world.advance(1);
        let headroom = run.headroom();
        run.leaves(&lena, headroom);
        crumbs += headroom;
    }
    // The limit shrinks by a tenth of what is forgotten.
    let fair = LIMIT * seconds / u64::from(WINDOW) * 9 / 10;
    assert!(
        (fair - fair / 1_000..=fair + seconds).contains(&crumbs),
        "{crumbs}, {fair}"
    );
}

#[test]
fn in_no_time_leaves_more_than_the_limit_and_its_refill() {
    // Lena takes all that she may, every hour or at odd times, for a week.
    for step in [3_600, 5_000, 40_000, 90_000] {
        let mut run = Run::new(World::lite());
        let lena = run.lena.clone();
        let mut left = vec![];
        for _ in 0..7 * WINDOW / step {
            let headroom = run.headroom();
            run.leaves(&lena, headroom);
            left.push(headroom);
            run.refused(&lena, 1);
            run.world.advance(step);
        }
        for first in 0..left.len() {
            for last in first..left.len() {
                let passed = u64::from(step) * u64::try_from(last - first).unwrap();
                let most = LIMIT + (LIMIT * passed).div_ceil(u64::from(WINDOW)) + 7 * 24;
                let sum: u64 = left[first..=last].iter().sum();
                assert!(sum <= most, "{sum} in {passed} seconds, more than {most}");
            }
        }
    }
}

#[test]
fn a_donation_changes_nothing() {
    let mut run = Run::new(World::program_test());
    let lena = run.lena.clone();
    let (mint, vault) = (run.market.quote_mint, run.market.quote_vault);
    donate(&mut run.world, &mint, &vault, 10 * POOL);
    run.world.fund_backstop(&run.market, &run.mallory, POOL).unwrap();
    run.leaves_at_most(&lena, LIMIT);
}

#[test]
fn a_fortune_that_passes_through_neither_lifts_the_limit_nor_uses_it_up() {
    let mut run = Run::new(World::program_test());
    let (lena, mallory, market) = (run.lena.clone(), run.mallory.clone(), run.market);
    let fortune = 5 * POOL;
    let come = ix::supply(&market, &mallory.key(), fortune, 0);
    let go = ix::withdraw(&market, &mallory.key(), fortune * 1_000, 0);
    let leave = |amount: u64| ix::withdraw(&market, &lena.key(), amount * 1_000, 0);
    // While it is there, after it has gone, and before it comes.
    let expected = BreakwaterError::OutflowLimitReached;
    for [first, second, third] in [
        [come.clone(), leave(LIMIT + 1), go.clone()],
        [come.clone(), go.clone(), leave(LIMIT + 1)],
        [leave(LIMIT + 1), come.clone(), go.clone()],
    ] {
        let both = [&lena, &mallory];
        run.world
            .assert_error_unchanged(&[first, second, third], &both, expected);
    }
    // It may pass as often as it likes, and everybody else may leave as before.
    for _ in 0..3 {
        run.world.send(&[come.clone(), go.clone()], &[&mallory]).unwrap();
        assert_eq!(run.headroom(), LIMIT);
    }
    run.world.send(&[come, leave(LIMIT), go], &[&lena, &mallory]).unwrap();
    run.refused(&lena, 1);
}

#[test]
fn a_fortune_that_stays_has_no_more_room_than_what_it_brought_and_the_limit() {
    let mut run = Run::new(World::program_test());
    let mallory = run.mallory.clone();
    run.world.supply(&run.market, &mallory, POOL).unwrap();
    // All of it at once, for it only just came, and a tenth of what was there.
    assert_eq!(run.headroom(), POOL + LIMIT);
    run.world.advance(WINDOW);
    // Half of it is remembered after one window; the tenth is of what would be there without it.
    assert_eq!(run.headroom(), POOL / 2 + (POOL + POOL / 2) / 10);
    run.world.advance(100 * WINDOW);
    let headroom = run.headroom();
    assert!((2 * LIMIT..2 * LIMIT + POOL / 90).contains(&headroom), "{headroom}");
}

#[test]
fn it_is_of_suppliers_alone() {
    let mut run = Run::new(World::program_test());
    let (lena, market) = (run.lena.clone(), run.market);
    run.leaves(&lena, LIMIT);
    let alice = run.world.trader(&market, "alice", 20_000_000_000_000, 0);
    let position = run.world.open(&market, &alice, 0).unwrap();
    run.world.deposit(&position, 10_000_000_000_000).unwrap();
    run.world.borrow(&position, 600_000 * USDC).unwrap();
    let gina = run.world.guardian(&market, "gina", USDC);
    run.world.guardian_deposit(&market, &gina, USDC).unwrap();
    run.refused(&lena, 1);
    // What is lent is the pool's all the same. That there is no cash comes first.
    run.forget();
    let all = ix::withdraw(&market, &lena.key(), (POOL - LIMIT) * 1_000, 0);
    let expected = BreakwaterError::InsufficientLiquidity;
    run.world.assert_error_unchanged(&[all], &[&lena], expected);
    run.leaves_at_most(&lena, (POOL - LIMIT) / 10);
}

#[test]
fn without_a_limit_all_leave_at_once() {
    let mut run = Run::with(World::program_test(), |config| config.outflow_limit = Bps(10_000));
    let lena = run.lena.clone();
    run.leaves(&lena, POOL);
}

#[test]
fn even_the_tightest_limit_lets_everybody_go_to_the_last_atom() {
    // A twentieth a week. In a quarter of a year most are gone; and a pool of nine atoms is empty after nine.
    let mut run = Run::with(World::lite(), |config| {
        (config.outflow_limit, config.outflow_window) = (Bps(500), 7 * WINDOW);
    });
    let lena = run.lena.clone();
    for _ in 0..46 {
        let headroom = run.headroom();
        run.leaves(&lena, headroom);
        run.world.advance(7 * WINDOW);
    }
    let left = run.world.market_state(&run.market).books.pool.cash;
    assert!(left < Quote(POOL / 10), "{left:?}");
    let mut state = run.world.market_state(&run.market);
    state.outflow = bytemuck::Zeroable::zeroed();
    state.config.outflow_limit = Bps(10_000);
    run.world.set_market(&run.market, &state);
    run.leaves(&lena, left.0 - 9);
    run.forget();
    let mut config = state.config;
    config.outflow_limit = Bps(500);
    run.world.set_config(&run.market, config);
    for left in (0..9).rev() {
        run.leaves(&lena, 1);
        if left > 0 {
            run.refused(&lena, 1);
        }
        run.world.advance(7 * WINDOW);
    }
    assert_eq!(run.world.market_state(&run.market).books.pool.cash, Quote(0));
}

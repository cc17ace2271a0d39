//! Suppliers between a loss and its settlement: who leaves gets his part of what is there, who comes pays for no old
//! loss, and what comes back belongs to those who bore it.

use super::figures::gained;
use crate::{
    backing::{cents, market_with, quick},
    scene::{SOL, USDC},
};
use breakwater::{
    error::BreakwaterError,
    events::{DeficitSettled, InventorySold, Withdrawn},
};
use breakwater_client::MarketKeys;
use breakwater_engine::{Bps, Config, LpShares, Market, Quote, actions::Sale};
use breakwater_testkit::{Actor, Position, World, assert_fails_with, default_config, ix};

/// Loss of the pool when Bob's 10,000 SOL stand at $47.0091 and he owes 600,000, and the keeper's bounty of 100.
const LOSS: u64 = 130_009 * USDC;

/// The runner's part of the pool, and the sleeper's.
const RUNNER: u64 = 700_000 * USDC;
const SLEEPER: u64 = 300_000 * USDC;

struct Run {
    world: World,
    market: MarketKeys,
    runner: Actor,
    /// The sleeper; has 1,000 USDC more.
    lena: Actor,
    /// Buys inventory.
    mallory: Actor,
    kate: Actor,
    bob: Position,
}

impl Run {
    /// A pool of a million, 700,000 of it the runner's; nothing in the backstop; Bob owes 600,000 on 10,000 SOL at
    /// $100.
    #[track_caller]
    fn new(config: Config) -> Self {
        let mut world = World::lite();
        let market = world.market(&market_with(config));
        let lena = world.trader(&market, "lena", 0, SLEEPER + 1_000 * USDC);
        let runner = world.trader(&market, "runner", 0, RUNNER);
        let mallory = world.trader(&market, "mallory", 0, 1_000_000 * USDC);
        let kate = world.keeper(&market, "kate");
        world.supply(&market, &lena, SLEEPER).unwrap();
        world.supply(&market, &runner, RUNNER).unwrap();
        let bob = world.trader(&market, "bob", 10_000 * SOL, 0);
        let bob = world.open(&market, &bob, 0).unwrap();
        world.deposit(&bob, 10_000 * SOL).unwrap();
        world.borrow(&bob, 600_000 * USDC).unwrap();
        world.next_slot();
        Self {
            world,
            market,
            runner,
            lena,
            mallory,
            kate,
            bob,
        }
    }

    /// A minute later SOL stands at this price, with all averages.
    fn stands_at(&mut self, price: i64) {
        let MarketKeys {
            collateral_feed,
            quote_feed,
            ..
        } = self.market;
        self.world.advance(60);
        self.world.settle_price(&collateral_feed, price, 0);
        self.world.settle_price(&quote_feed, 100_000_000, 0);
        self.world.forget_prices(&self.market);
    }

    /// SOL falls to $47.0091, and Bob is taken over whole.
    #[track_caller]
    fn gap(&mut self) {
        self.stands_at(4_700_910_000);
        self.world.liquidate(&self.kate, &self.bob).unwrap();
    }

    fn state(&mut self) -> Market {
        self.world.market_state(&self.market)
    }

    /// Somebody leaves with such a part of his shares. Returns what he is paid.
    #[track_caller]
    fn leaves(&mut self, who: &Actor, part: u64, of: u64) -> u64 {
        let market = self.market;
        let shares = self.world.balance(who, &market.lp_mint) / of * part;
        let outcome = self.world.withdraw(&market, who, shares).unwrap();
        outcome.event::<Withdrawn>().withdrawal.amount.0
    }

    /// Mallory buys so much.
    #[track_caller]
    fn buys(&mut self, amount: u64) -> Sale {
        let Self {
            world, market, mallory, ..
        } = self;
        let outcome = world.buy_inventory(market, mallory, amount, u64::MAX).unwrap();
        outcome.event::<InventorySold>().sale
    }

    /// The suppliers' assets by the books.
    fn assets(&mut self) -> u64 {
        let clock = self.world.clock();
        self.state().books_at(clock).unwrap().pool.assets().unwrap().0
    }

    #[track_caller]
    fn refuses_supply(&mut self, expected: BreakwaterError) {
        let supply = ix::supply(&self.market, &self.lena.key(), 1_000 * USDC, 0);
        let lena = self.lena.clone();
        self.world.assert_error_unchanged(&[supply], &[&lena], expected);
    }
}

#[test]
fn a_runner_leaves_the_sleeper_her_part_out_of_cash_and_out_of_what_is_sold() {
    let mut run = Run::new(quick());
    let (runner, lena) = (run.runner.clone(), run.lena.clone());
    run.gap();
    // At par he would have had all of his 700,000, and she 169,991.
    let market = run.market;
    let par = ix::withdraw(&market, &runner.key(), RUNNER / 2 * 1_000, RUNNER / 2);
    run.world
        .assert_error_unchanged(&[par], &[&runner], BreakwaterError::SlippageExceeded);
    let mut taken = run.leaves(&runner, 1, 2);
    run.buys(10_000 * SOL);
    taken += run.leaves(&runner, 1, 1);
    let fair = u128::from(RUNNER) * u128::from(1_000_000 * USDC - LOSS) / u128::from(1_000_000 * USDC);
    // Two USDC more than his part of the loss left him: of the inventory, which sold for that much more than it counted
    // at.
    gained(
        "a runner between a loss and its settlement",
        i128::from(taken),
        i128::try_from(fair).unwrap() + i128::from(2 * USDC),
    );

    run.world.settle_deficit(&market).unwrap();
    let left = run.leaves(&lena, 1, 1);
    // Atoms of rounding, and the value of the inventory rounded down: all in her favor.
    assert!((260_997 * USDC..260_999 * USDC).contains(&left), "{left}");
}

#[test]
fn who_shows_no_price_is_paid_as_if_it_had_fallen_since() {
    // Ten bps a second, and 38% at most.
    let config = Config {
        max_velocity: Bps(10),
        stress_fall: Bps(3_800),
        stress_max: Bps(5_000),
        ..quick()
    };
    let mut run = Run::new(config);
    let (market, runner) = (run.market, run.runner.clone());
    run.stands_at(cents(62_00));
    run.world.observe_price(&market).unwrap();
    // Bob's 600,000 stand on 620,000.
    let mut last = u64::MAX;
    for (seconds, fall) in [
        (0, 0),
        (10, 100),
        (50, 600),
        (300, 3_600),
        (20, 3_800),
        (1 << 20, 3_800),
    ] {
        run.world.advance_silently(seconds);
        let clock = run.world.clock();
        let state = run.state();
        let value = state.lp_value(LpShares(1_000), clock).unwrap();
        let at = 620_000 * USDC / 10_000 * (10_000 - fall);
        let exactly = (600_000 * USDC).saturating_sub(at);
        // The bands of the map overstate it, by up to 2.3%.
        assert!(
            (exactly..=exactly + at / 43).contains(&value.impaired.0),
            "{value:?}, not {exactly}"
        );
        // And that is what the program pays.
        let before = run.world.snapshot();
        let amount = state.lp_value(LpShares(RUNNER / 10 * 1_000), clock).unwrap().amount.0;
        let paid = run.leaves(&runner, 1, 10);
        assert_eq!(paid, amount);
        assert!(paid <= last);
        last = paid;
        run.world.restore(&before);
    }
    // Who shows the price is paid by it: in one transaction. All of that time it had not moved.
    run.world.publish_all();
    let leave = ix::withdraw(&market, &runner.key(), RUNNER / 10 * 1_000, last + 1);
    assert_fails_with(
        run.world.send(std::slice::from_ref(&leave), &[&runner]),
        BreakwaterError::SlippageExceeded,
    );
    run.world
        .send(&[ix::observe_price(&market), leave], &[&runner])
        .unwrap();
}

#[test]
fn a_newcomers_money_pays_no_old_supplier() {
    let mut run = Run::new(quick());
    let market = run.market;
    run.gap();
    run.refuses_supply(BreakwaterError::PoolImpaired);
    // Nor once it is settled in part: he would take part of what comes back.
    run.world.settle_deficit(&market).unwrap();
    run.refuses_supply(BreakwaterError::WrittenOff);
    // Nor a guardian's, who would pay for it.
    let hugo = run.world.guardian(&market, "hugo", USDC);
    let join = ix::guardian_deposit(&market, &hugo.key(), USDC, 0, u64::MAX);
    run.world
        .assert_error_unchanged(&[join], &[&hugo], BreakwaterError::WrittenOff);
    // When all is sold and settled, he pays for what is there.
    run.buys(10_000 * SOL);
    let lena = run.lena.clone();
    let held = run.world.balance(&lena, &market.lp_mint);
    run.world.supply(&market, &lena, 1_000 * USDC).unwrap();
    let shares = run.world.balance(&lena, &market.lp_mint) - held;
    let outcome = run.world.withdraw(&market, &lena, shares).unwrap();
    let back = outcome.event::<Withdrawn>().withdrawal.amount.0;
    assert!((1_000 * USDC - 1..=1_000 * USDC).contains(&back), "{back}");
}

#[test]
fn a_settlement_in_part_changes_nobodys_part() {
    // Whoever settles in between gains nothing, before or after he leaves.
    let mut run = Run::new(quick());
    let (market, runner) = (run.market, run.runner.clone());
    run.gap();
    let before = run.world.snapshot();
    let without = run.leaves(&runner, 1, 2);
    run.world.restore(&before);
    let outcome = run.world.settle_deficit(&market).unwrap();
    let settled = outcome.event::<DeficitSettled>().settlement;
    assert!(settled.suppliers.0.abs_diff(LOSS) <= 2, "{settled:?}");
    assert_eq!((settled.guardians, settled.protocol), (Quote(0), Quote(0)));
    let with = run.leaves(&runner, 1, 2);
    assert!(with.abs_diff(without) <= 2, "{with} {without}");
}

#[test]
fn interest_on_dead_debt_is_nobodys_income() {
    let mut run = Run::new(Config {
        market_depth: Quote(1 << 50),
        ..default_config()
    });
    let (market, runner) = (run.market, run.runner.clone());
    run.gap();
    let days = 492_480;
    // Unsettled: the books grow for 5.7 days, and nobody is paid more for it than for what is there.
    let before = run.world.snapshot();
    let (books, paid) = (run.assets(), run.leaves(&runner, 1, 10));
    run.world.restore(&before);
    run.world.advance(days);
    run.world.observe_price(&market).unwrap();
    let grown = run.assets() - books;
    assert!(grown > 300 * USDC, "{grown}");
    let later = run.leaves(&runner, 1, 10);
    assert!(later <= paid + 2, "{later}, and it was {paid}");
    run.world.restore(&before);
    // Settled in part: only what the inventory can pay earns anything.
    run.world.settle_deficit(&market).unwrap();
    let books = run.assets();
    run.world.advance(days);
    let live = run.assets() - books;
    assert!(live * 10 < grown * 8, "{live} of {grown}");
}

#[test]
fn what_sells_for_more_later_belongs_to_those_who_stayed() {
    let mut run = Run::new(quick());
    let (market, runner, lena) = (run.market, run.runner.clone(), run.lena.clone());
    run.gap();
    run.world.settle_deficit(&market).unwrap();
    let taken = run.leaves(&runner, 1, 2);
    assert!(taken <= RUNNER / 2 - LOSS * 35 / 100 + 1, "{taken}");
    // At $55 the inventory brings 80,000 more, all of it the suppliers'.
    run.stands_at(cents(55_00));
    let sale = run.buys(10_000 * SOL);
    assert!(sale.recovered.0 > 70_000 * USDC, "{sale:?}");
    assert_eq!(
        sale.recovered.0 + sale.lost.0 + sale.repaid.0,
        sale.cost.0 + sale.lost.0 - 100 * USDC
    );
    let stayed = run.leaves(&lena, 1, 1);
    let part = u128::from(sale.recovered.0) * 300 / 650;
    let fair = u128::from(SLEEPER - LOSS * 3 / 10) + part;
    assert!(u128::from(stayed).abs_diff(fair) <= 10, "{stayed} of {fair}");
    assert!(stayed > 290_000 * USDC);
}

#[test]
fn guardians_are_paid_after_what_was_written_off() {
    for (price, back) in [(50_00, false), (70_00, true)] {
        let mut run = Run::new(quick());
        let market = run.market;
        let gina = run.world.guardian(&market, "gina", 10_000 * USDC);
        run.world.guardian_deposit(&market, &gina, 10_000 * USDC).unwrap();
        run.gap();
        run.world.settle_deficit(&market).unwrap();
        let written_off = run.state().books.recovery.written_off.0;
        assert!(written_off.abs_diff(LOSS - 10_000 * USDC) <= 2, "{written_off}");
        assert_eq!(run.state().books.guardians.claim, Quote(10_000 * USDC));
        run.stands_at(cents(price));
        run.buys(9_999 * SOL);
        let first = run.buys(SOL);
        let books = run.state().books;
        if back {
            assert_eq!((first.lost, books.guardians.claim), (Quote(0), Quote(10_000 * USDC)));
            assert!(books.backstop.cash.0 > 10_000 * USDC);
            assert!(run.assets().abs_diff(1_000_000 * USDC) <= 2);
        } else {
            assert!(first.lost > Quote(0), "{first:?}");
            assert_eq!(first.guardians_lost, Quote(10_000 * USDC));
            assert_eq!((books.guardians.claim, books.backstop.cash), (Quote(0), Quote(0)));
        }
        assert_eq!(run.state().books.recovery, bytemuck::Zeroable::zeroed());
    }
}

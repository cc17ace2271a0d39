//! I4: from C ≥ 0 on, suppliers lose nothing on any path of the price that stays above q, but at most
//!
//! ```text
//! P × (p − q) + largest discount × debt taken by partials while C < 0 + bounties
//! ```
//!
//! Above q means that what is sold fetches at least q: the largest discount off the price leaves q or more. And p is
//! where the price stood when C was not negative, so nothing is above it. The pipeline is refilled at the price at
//! which it is emptied (keepers take at once what it frees), or the price never rises: with both a keeper who waits for
//! a rise and a price that comes back, each round would cost P × the rise.
//!
//! Losses come where q is above what accounts owe: what is under water at q is covered already, whoever holds it. So
//! the falls are from 10% on, and with a pipeline of a day instead of minutes the bound breaks.

use super::scene::{DOLLAR, Random, SOL, USDC, World, free, open};
use breakwater_engine::{Bps, Collateral, Config, Error, Prices, Quote, price::oracle::PriceUse};

/// Parts of the bound.
#[derive(Default)]
struct Run {
    /// The largest P at which a partial was taken while C < 0, lamports.
    pipeline: u128,
    /// Debt taken by partials while C < 0, quote atoms.
    uncovered: u128,
    bounties: u128,
    liquidations: u128,
    taken_over: u128,
}

impl Run {
    /// Everyone who is due, as far as the rules let him: each with this chance. Returns true if anything was done.
    fn liquidate(&mut self, world: &mut World, prices: &Prices, random: &mut Random, chance: u64) -> bool {
        let mut any = false;
        let price = prices.flow_price().raw();
        let held = (u128::from(world.market.config.pipeline_value().0) << 64) / price + 1;

        for which in 0..world.accounts.len() {
            if !random.chance(chance) {
                continue;
            }
            let was_covered = world.cover(prices) >= 0;
            let World {
                market,
                accounts,
                ledger,
                clock,
            } = &mut *world;
            let known = market.known_prices(PriceUse::Liquidate, *clock).unwrap();
            let mut running = market.liquidations(&known, *clock).unwrap();
            match running.liquidate(&mut accounts[which], ledger) {
                Ok(told) => {
                    any = true;
                    self.liquidations += 1;
                    self.bounties += u128::from(told.bounty.0);
                    self.taken_over += u128::from(told.taken_over);
                    let is_covered = was_covered && world.cover(prices) >= 0;
                    if !told.taken_over && !is_covered {
                        self.uncovered += u128::from(told.repaid.0);
                        self.pipeline = self.pipeline.max(held);
                    }
                }
                Err(
                    Error::AccountHealthy
                    | Error::NoDebt
                    | Error::PipelineFull
                    | Error::AccountCooldown
                    | Error::GuardedFlowUsed
                    | Error::PriceGapTooWide,
                ) => {}
                Err(error) => panic!("{error}"),
            }
        }
        any
    }
}

/// Sells the inventory on offer. Returns true if there was any.
fn sell(world: &mut World, prices: &Prices) -> bool {
    let amount = world.market.offer(prices, world.clock).unwrap().available;
    if amount == Collateral(0) {
        return false;
    }
    let known = world.market.known_prices(PriceUse::Sell, world.clock).unwrap();
    world
        .market
        .buy_inventory(amount, Quote(u64::MAX), &known, world.clock)
        .unwrap();
    true
}

/// A market of random accounts between 50 and 79% whose C is not negative, or only just not. Returns its prices.
fn covered(random: &mut Random, config: &Config) -> (World, Prices) {
    let mut world = World::new(config);
    let prices = world.at(100 * DOLLAR, 100 * DOLLAR);
    // Spread out, or crowded at one LTV.
    let least = if random.chance(50) { 5_000 } else { 6_950 };
    for _ in 0..random.within(3, 16) {
        let (lamports, ltv) = (random.within(10 * SOL, 1_000 * SOL), random.within(least, 7_001));
        world.open(lamports, ltv, &prices);
    }
    // A month later at 88 dollars, and both EMAs there.
    world.wait(30 * 86_400);
    world.at(88 * DOLLAR, 88 * DOLLAR);
    world.wait(30 * 86_400);
    let prices = world.at(88 * DOLLAR, 88 * DOLLAR);
    let extra = random.within(0, 2) * random.within(0, 1_000 * USDC);
    let cash = u64::try_from(-world.cover(&prices)).unwrap_or(0) + extra;
    world.market.books.backstop.cash = Quote(cash);
    assert!(world.cover(&prices) >= 0);
    (world, prices)
}

/// Runs a path and closes the books. Returns the suppliers' loss, the bound, and what made it.
fn run(seed: u64, config: &Config, is_prompt: bool) -> (u128, u128, Run) {
    let mut random = Random(seed);
    let (mut world, start) = covered(&mut random, config);
    let (fall, discount) = (
        u64::from(config.stress_fall.0),
        u64::from(config.auction_max_discount.0),
    );
    let p = start.lowest().raw();
    let q = start.lowest().scale_up(10_000 - fall).unwrap().raw();
    // Dollars: the largest discount off the lowest leaves q.
    let highest = 88 * DOLLAR;
    let lowest = highest * i64::try_from(10_000 - fall).unwrap() / i64::try_from(10_000 - discount).unwrap() + 1;
    let (mut price, mut ema) = (highest, highest);
    let mut run = Run::default();
    let depth = random.within(5, 200);
    for step in 0..random.within(10, 60) {
        world.wait(i64::try_from(random.within(1, 600)).unwrap());
        let change = i64::try_from(random.within(0, depth)).unwrap();
        let up = is_prompt && random.chance(35);
        let next = if up {
            price + price * change / 2_000
        } else {
            price - price * change / 2_000
        };
        // Now and then all at once.
        price = if random.chance(4) {
            lowest
        } else {
            next.clamp(lowest, highest)
        };
        ema = (ema * 7 + price) / 8;
        let prices = world.at(price, ema);
        if is_prompt {
            run.liquidate(&mut world, &prices, &mut random, 100);
            // Sold before or after the next fall, and what that frees is taken.
            if random.chance(60) {
                while sell(&mut world, &prices) && run.liquidate(&mut world, &prices, &mut random, 100) {}
            }
        } else {
            run.liquidate(&mut world, &prices, &mut random, 60);
            if random.chance(60) {
                sell(&mut world, &prices);
            }
        }
        assert!(step < 1_000);
    }
    // At the last price until nobody is due and nothing is held.
    let mut ended = false;
    for _ in 0..3_000 {
        world.wait(600);
        ema = i64::midpoint(ema, price);
        let prices = world.at(price, ema);
        let done = run.liquidate(&mut world, &prices, &mut random, 100);
        let sold = sell(&mut world, &prices);
        let (market, clock) = (&world.market, world.clock);
        let is_due = |account| market.is_liquidatable(account, prices.spot(), clock).unwrap();
        let is_over = market.books.backstop.inventory == Collateral(0) && !world.accounts.iter().any(is_due);
        if !done && !sold && is_over {
            ended = true;
            break;
        }
    }
    assert!(ended, "{seed}: somebody is due, or something is held");
    let loss = match world.market.settle_deficit(None, world.clock) {
        Ok(told) => u128::from(told.suppliers.0),
        Err(error) => {
            assert_eq!(error, Error::NothingToSettle);
            0
        }
    };
    let slipped = (run.pipeline * (p - q)) >> 64;
    let discounts = run.uncovered * u128::from(discount) / 10_000;
    // An atom for each rounding.
    let bound = slipped + discounts + run.bounties + 4 * run.liquidations + 1;
    (loss, bound, run)
}

fn config(random: &mut Random) -> Config {
    let fall = u32::try_from(random.within(1_000, 5_001)).unwrap();
    let depth = random.within(5_000 * USDC, 300_000 * USDC);
    free(&Config {
        stress_fall: Bps(fall),
        market_depth: Quote(depth),
        debt_cap: Quote(depth * 200),
        pipeline: u32::try_from(random.within(300, 2_400)).unwrap(),
        ..Config::EXAMPLE
    })
}

fn check(seeds: u64, is_prompt: bool) {
    let (mut uncovered, mut losing, mut taken_over) = (0, 0, 0);
    for seed in 0..seeds {
        let mut random = Random(seed ^ 0x5eed);
        let mut config = config(&mut random);
        // Without guards, or with the example's.
        if is_prompt || random.chance(50) {
            config = open(&config);
        }
        let (loss, bound, run) = self::run(seed, &config, is_prompt);
        assert!(loss <= bound, "{seed}: {loss} of {bound}");
        uncovered += u32::from(run.uncovered > 0);
        taken_over += u32::from(run.taken_over > 0);
        losing += u32::from(loss > 0);
    }
    assert!(
        uncovered > 500 && losing > 50 && taken_over > 300,
        "{uncovered} without cover, {losing} with a loss, {taken_over} with take-overs"
    );
}

#[test]
fn suppliers_lose_no_more_than_the_pipeline_does_on_any_path() {
    check(1_500, true);
}

#[test]
fn nor_where_keepers_sleep_while_the_price_falls() {
    check(1_500, false);
}

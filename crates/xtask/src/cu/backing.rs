//! Compute units of the capital behind the backstop, of a settlement, and of prices that nobody shows: each costs what
//! it does in one market.

use super::{Bench, SOL, Table, USDC};
use breakwater_client::MarketKeys;
use breakwater_engine::{Config, governance::TIMELOCK};
use breakwater_testkit::{Actor, MarketSpec, Outcome, World, ix, pyth::usd};

/// Guardians come and go, equity is taken out, the sentinel speaks.
pub fn guardians(spec: &MarketSpec, table: &mut Table) {
    // Its other figures are those of any market.
    let mut apart = Table::default();
    let Bench {
        mut world,
        market,
        rich,
        ..
    } = Bench::funded(spec, &mut apart);
    let mut add = |name, outcome: Outcome| table.add(name, &outcome);
    let gina = world.trader(&market, "gina", 0, 100_000 * USDC);
    add(
        "open_guardian_position",
        world.open_guardian_position(&market, &gina).unwrap(),
    );
    add(
        "guardian_deposit",
        world.guardian_deposit(&market, &gina, 100_000 * USDC).unwrap(),
    );
    let shares = world.guardian_position(&market, &gina).shares.0;
    add(
        "guardian_request",
        world.guardian_request(&market, &gina, shares).unwrap(),
    );
    let authority = world.authority().clone();
    world.fund(&authority, &market.quote_mint, 0);
    world.queue_equity_withdrawal(&market, USDC).unwrap();
    let sid = world.actor("sid");
    add("queue_sentinel", world.queue_sentinel(&sid.key()).unwrap());
    world.wait_out_timelock();
    add("execute_sentinel", world.execute_sentinel(&sid.key()).unwrap());
    add(
        "raise_stress",
        world
            .send(&[ix::raise_stress(&market, &sid.key(), 500)], &[&sid])
            .unwrap(),
    );
    // The two delays have run since the requests.
    let config = world.market_state(&market).config;
    let waited = u32::try_from(TIMELOCK).unwrap();
    world.advance(
        config
            .equity_withdrawal_delay
            .max(config.guardian_cooldown)
            .saturating_sub(waited),
    );
    add("withdraw_equity", world.withdraw_equity(&market).unwrap());
    add(
        "guardian_withdraw",
        world.guardian_withdraw(&market, &gina, 60_000 * USDC).unwrap(),
    );
    world.guardian_withdraw(&market, &gina, u64::MAX).unwrap();
    add(
        "close_guardian_position",
        world.close_guardian_position(&market, &gina).unwrap(),
    );
    add("buy_inventory_for", inventory_for(&mut world, &market, &rich));
}

/// Somebody is liquidated, and a part of what that brings in is bought for a budget.
fn inventory_for(world: &mut World, market: &MarketKeys, rich: &Actor) -> Outcome {
    fall(world, market, rich, 80);
    world.advance(60);
    world.publish_all();
    world.buy_inventory_for(market, rich, USDC).unwrap()
}

/// A loan of 690 against 10 SOL that stands at so many dollars, and is liquidated.
fn fall(world: &mut World, market: &MarketKeys, rich: &Actor, dollars: i64) {
    let position = world.open(market, rich, 0).unwrap();
    world.deposit(&position, 10 * SOL).unwrap();
    world.borrow(&position, 690 * USDC).unwrap();
    world.advance(60);
    world.settle_price(&market.collateral_feed, usd(dollars), 0);
    let keeper = world.actor("keeper");
    world.liquidate(&keeper, &position).unwrap();
}

/// Settles a deficit that nobody can pay: while there is inventory, which takes a price, and after it.
pub fn settlements(spec: &MarketSpec, table: &mut Table) {
    let mut apart = Table::default();
    let Bench {
        mut world,
        market,
        rich,
        ..
    } = Bench::new(spec, &mut apart);
    world.supply(&market, &rich, 1_000_000 * USDC).unwrap();
    fall(&mut world, &market, &rich, 30);
    world.advance(60);
    world.publish_all();
    table.add("settle_deficit", &world.settle_deficit(&market).unwrap());
    let inventory = world.market_state(&market).books.backstop.inventory.0;
    world.settle_price(&market.collateral_feed, usd(20), 0);
    world.advance(7_200);
    world.settle_price(&market.collateral_feed, usd(20), 0);
    world.buy_inventory(&market, &rich, inventory, u64::MAX).unwrap();
    table.add("settle_deficit", &world.settle_deficit(&market).unwrap());
}

/// The same instructions with what the market knows of its feeds, and without their accounts; and an observation with
/// which the map follows the price.
pub fn known_prices(spec: &MarketSpec, table: &mut Table) {
    let spec = MarketSpec {
        config: Config::EXAMPLE,
        ..spec.clone()
    };
    let mut apart = Table::default();
    let mut bench = Bench::funded(&spec, &mut apart);
    let positions: Vec<_> = (0..8).map(|id| bench.borrower(id, 690, 1)).collect();
    let Bench {
        world,
        market,
        rich,
        keeper,
        ..
    } = &mut bench;
    // With all averages.
    world.advance(60);
    settle(world, market, 80);
    for position in &positions {
        let shown = ix::liquidate(market, &position.address, &keeper.key());
        let before = world.snapshot();
        let outcome = world.send(&[shown], &[&*keeper]).unwrap();
        world.restore(&before);
        let known = ix::liquidate(&market.without_feeds(), &position.address, &keeper.key());
        let known = world.send(&[known], &[&*keeper]).unwrap();
        assert!(known.compute_units < outcome.compute_units, "what is known costs more");
        table.add("liquidate_shown", &outcome);
        table.add("liquidate_known", &known);
    }
    let borrow = ix::borrow(&market.without_feeds(), &positions[0].address, &rich.key(), 10 * USDC);
    world.deposit(&positions[0], 10 * SOL).unwrap();
    table.add("borrow_known", &world.send(&[borrow], &[&*rich]).unwrap());
    world.advance(60);
    settle_unseen(world, market, 500);
    table.add("observe_price_map_follows", &world.observe_price(market).unwrap());
}

/// The price stands there, and so do all averages, and the market has seen it.
fn settle(world: &mut World, market: &MarketKeys, dollars: i64) {
    settle_unseen(world, market, dollars);
    world.observe_price(market).unwrap();
}

fn settle_unseen(world: &mut World, market: &MarketKeys, dollars: i64) {
    world.settle_price(&market.collateral_feed, usd(dollars), 0);
    world.set_guard(market, bytemuck::Zeroable::zeroed());
}

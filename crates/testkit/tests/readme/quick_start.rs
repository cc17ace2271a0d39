use breakwater::error::BreakwaterError;
use breakwater_testkit::{MarketSpec, World, assert_fails_with, pyth::usd};

#[test]
fn a_crash_liquidates_a_part() {
    let mut world = World::lite();
    let market = world.market(&MarketSpec::default());
    let lena = world.trader(&market, "lena", 0, 1_000_000_000_000);
    let alice = world.trader(&market, "alice", 10_000_000_000, 0);
    let keeper = world.keeper(&market, "kate");
    world.supply(&market, &lena, 500_000_000_000).unwrap();
    world.fund_backstop(&market, &lena, 100_000_000_000).unwrap();

    let position = world.open(&market, &alice, 0).unwrap();
    world.deposit(&position, 10_000_000_000).unwrap();
    world.borrow(&position, 650_000_000).unwrap();
    world.next_slot();
    assert_fails_with(world.liquidate(&keeper, &position), BreakwaterError::AccountHealthy);

    world.advance(60);
    world.set_price(&market.collateral_feed, usd(80), usd(80).unsigned_abs() / 1_000);
    let liquidated = world.liquidate(&keeper, &position).unwrap().liquidation();
    assert!(!liquidated.whole);
}

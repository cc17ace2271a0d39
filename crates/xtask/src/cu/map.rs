//! Compute units that the liquidation map, and margin that follows it, add: actions on accounts with debt, in a crowd.

use super::{Bench, SOL, Table, USDC};
use breakwater_engine::Config;
use breakwater_testkit::{MarketSpec, Position, World, ix};

/// The names of the figures: borrowing, withdrawing.
type Names = [&'static str; 2];

/// Deposits to accounts without debt, which leave the map alone, and to those with debt, which move it; and whatever
/// takes new risk, with the example's stress falls.
pub fn crowd(spec: &MarketSpec, table: &mut Table) {
    let Config {
        stress_fall,
        stress_volatility,
        stress_max,
        ..
    } = Config::EXAMPLE;
    let config = Config {
        stress_fall,
        stress_volatility,
        stress_max,
        ..spec.config
    };
    let spec = MarketSpec { config, ..spec.clone() };
    loans(&spec, ["borrow_crowded", "withdraw_collateral_crowded"], table);
}

fn loans(spec: &MarketSpec, [borrow, withdraw]: Names, table: &mut Table) {
    // Its other figures are those of any market.
    let mut apart = Table::default();
    let mut bench = Bench::funded(spec, &mut apart);
    let positions: Vec<Position> = (0..25)
        .map(|id| bench.borrower(id, 300 + 15 * u64::from(id % 24), 1))
        .collect();
    for position in &positions {
        let world: &mut World = &mut bench.world;
        world.next_slot();
        let deposit = ix::deposit_collateral(&bench.market, &position.address, &bench.rich.key(), SOL / 2);
        let outcome = world.send(&[deposit], &[&bench.rich]).unwrap();
        table.add("deposit_collateral_with_debt", &outcome);
        table.add(withdraw, &world.withdraw_collateral(position, SOL / 3).unwrap());
        table.add(borrow, &world.borrow(position, USDC).unwrap());
    }
}

//! What the liquidation map, and margin that follows it, add to the compute units: actions on accounts with debt, in a
//! crowd.

use super::{SOL, Stage, Table, USDC};
use breakwater_engine::{Bps, Config};
use breakwater_testkit::{MarketSpec, Position, World, ix};

/// The names of one kind of market's figures: borrowing, withdrawing.
type Names = [&'static str; 2];

/// Deposits to accounts without debt, which leave the map alone, and to those with debt, which move it; and whatever
/// takes new risk: with the example's haircuts, and with windows as wide as a config may have them.
pub fn crowd(spec: &MarketSpec, table: &mut Table) {
    let Config {
        volatility_max,
        crowding_max,
        crowding_drop,
        crowding_bands,
        ..
    } = Config::EXAMPLE;
    let followed = Config {
        volatility_max,
        crowding_max,
        ..spec.config
    };
    let windows = [
        (
            ["borrow_crowded", "withdraw_collateral_crowded"],
            crowding_drop,
            crowding_bands,
        ),
        (["borrow_widest", "withdraw_collateral_widest"], Bps(5_000), 16),
    ];
    for (names, crowding_drop, crowding_bands) in windows {
        let config = Config {
            crowding_drop,
            crowding_bands,
            ..followed
        };
        let spec = MarketSpec { config, ..spec.clone() };
        loans(&spec, names, table);
    }
}

fn loans(spec: &MarketSpec, [borrow, withdraw]: Names, table: &mut Table) {
    // Its other figures are those of any market.
    let mut apart = Table::default();
    let mut stage = Stage::funded(spec, &mut apart);
    let positions: Vec<Position> = (0..25)
        .map(|id| stage.borrower(id, 300 + 15 * u64::from(id % 24), 1))
        .collect();
    for position in &positions {
        let world: &mut World = &mut stage.world;
        world.next_slot();
        let deposit = ix::deposit_collateral(&stage.market, &position.address, &stage.rich.key(), SOL / 2);
        let outcome = world.send(&[deposit], &[&stage.rich]).unwrap();
        table.add("deposit_collateral_with_debt", &outcome);
        table.add(withdraw, &world.withdraw_collateral(position, SOL / 3).unwrap());
        table.add(borrow, &world.borrow(position, USDC).unwrap());
    }
}

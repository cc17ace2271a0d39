//! A backstop without room.

use breakwater::events::ExternallyLiquidated;
use breakwater_engine::{Bps, Collateral, Config};
use breakwater_keeper::{keeper::Round, metrics::name};
use breakwater_testkit::{default_config, pyth::usd};

use crate::stage::{Stage, USDC, once};

/// A backstop that may hold nothing, in a market that forgets a shortage after ten minutes.
fn stage(debts: &[u64]) -> Stage {
    let config = Config {
        inventory_cap: Collateral(0),
        insolvency_ltv: Bps(9_990),
        external_memory: 600,
        ..default_config()
    };
    let mut stage = Stage::build(&config, 100_000 * USDC, debts);
    stage.world.advance(60);
    stage.world.settle_price(&stage.keys.collateral_feed, usd(75), 0);
    stage
}

#[tokio::test]
async fn is_noted_for_as_long_as_it_lasts_and_others_can_liquidate_at_a_growing_discount() {
    let mut stage = stage(&[500, 610, 650, 690]);
    let mut kate = stage.keeper("kate", |_| {}).await;
    once(&mut kate).await;
    let began = stage.world.clock().unix;
    let shortage = stage.market().shortage;
    assert_eq!((shortage.since, shortage.seen_at), (began, began));
    let skipped = |reason| [("reason", reason)];
    assert_eq!(stage.gauge(name::skipped, &skipped("full")), 3);
    assert_eq!(
        (stage.gauge(name::liquidatable, &[]), stage.gauge(name::due, &[])),
        (3, 0)
    );

    // A second keeper sees the note on the chain, and leaves it at that.
    let mut second = stage.keeper("bob", |_| {}).await;
    assert_eq!(once(&mut second).await, Round::default());
    for _ in 0..59 {
        stage.world.advance(1);
        once(&mut kate).await;
        once(&mut second).await;
    }
    assert_eq!(stage.count("note_shortage", "sent"), 1);
    stage.world.advance(1);
    once(&mut kate).await;
    once(&mut second).await;
    let shortage = stage.market().shortage;
    assert_eq!((shortage.since, shortage.seen_at), (began, began + 60));
    assert_eq!(
        (
            stage.count("note_shortage", "sent"),
            stage.count("note_shortage", "done")
        ),
        (2, 2)
    );

    // Who has capital is paid for a minute of waiting.
    let (lena, position) = (stage.lena.clone(), stage.positions[3].clone());
    let outcome = stage.world.liquidate_external(&lena, &position, 100 * USDC).unwrap();
    let done = outcome.event::<ExternallyLiquidated>().liquidation;
    assert_eq!((done.waited, done.penalty), (60, stage.market().config.external_slope));
    stage.assert_nothing_wasted();
}

#[tokio::test]
async fn ends_when_there_is_room_again() {
    let mut stage = stage(&[610, 690]);
    let mut kate = stage.keeper("kate", |_| {}).await;
    once(&mut kate).await;
    assert_ne!(stage.market().shortage.since, 0);
    let config = Config {
        inventory_cap: default_config().inventory_cap,
        ..stage.market().config
    };
    stage.world.set_config(&stage.keys, config);
    stage.world.advance(1);
    assert_eq!(once(&mut kate).await.due, 2);
    assert_eq!(stage.market().shortage.since, 0);
    assert_eq!(stage.gauge(name::skipped, &[("reason", "full")]), 0);
    assert_eq!(
        (stage.count("liquidate", "done"), stage.count("note_shortage", "done")),
        (1, 1)
    );
    stage.assert_nothing_wasted();
}

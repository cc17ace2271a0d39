//! A backstop that has lost everything.

use breakwater_engine::Error;
use breakwater_keeper::keeper::Round;
use breakwater_testkit::{default_config, pyth::usd};

use crate::stage::{SOL, Stage, USDC, once};

/// One account of 10 SOL that owes 690 USDC, and nothing in the backstop: at $60 it is worth 600.
fn stage() -> Stage {
    let mut stage = Stage::build(&default_config(), 0, &[690]);
    stage.world.advance(60);
    stage.world.settle_price(&stage.keys.collateral_feed, usd(60), 0);
    stage
}

/// Somebody buys all inventory.
fn sell_out(stage: &mut Stage) {
    let inventory = stage.market().books.backstop.inventory.0;
    assert_eq!(inventory, 10 * SOL);
    stage.world.advance(60);
    stage.world.settle_price(&stage.keys.collateral_feed, usd(60), 0);
    let lena = stage.lena.clone();
    stage
        .world
        .buy_inventory(&stage.keys, &lena, inventory, u64::MAX)
        .unwrap();
}

#[tokio::test]
async fn is_settled_as_soon_as_there_is_one_and_only_once() {
    let mut stage = stage();
    let mut kate = stage.keeper("kate", |_| {}).await;
    once(&mut kate).await;
    // What not even the highest price can bring is written off at once.
    assert_eq!(
        (stage.count("liquidate", "done"), stage.count("settle", "sent")),
        (1, 1)
    );
    let written_off = stage.market().books.recovery.written_off;
    // A loss of 90 and the bounty of 1.55, less the confidence that the highest price has on top. Nobody stands before
    // the suppliers.
    assert!((80 * USDC..93 * USDC).contains(&written_off.0), "{written_off:?}");

    sell_out(&mut stage);
    once(&mut kate).await;
    let mut after = stage.market();
    assert_eq!(
        after.settle_deficit(None, stage.world.clock()),
        Err(Error::NothingToSettle)
    );

    stage.world.advance(5);
    assert_eq!(once(&mut kate).await, Round::default(), "there is nothing left");
    stage.assert_nothing_wasted();
}

#[tokio::test]
async fn is_left_to_others_by_a_keeper_that_is_told_so_and_in_a_dry_run() {
    let mut stage = stage();
    let mut kate = stage.keeper("kate", |_| {}).await;
    once(&mut kate).await;
    sell_out(&mut stage);
    let before = stage.market();
    let sent = stage.cluster.sent().len();
    let mut told = stage.keeper("bob", |settings| settings.cranks.settle = false).await;
    assert_eq!(once(&mut told).await, Round::default());
    let mut dry = stage.keeper("carl", |settings| settings.dry_run = true).await;
    assert_eq!(once(&mut dry).await.sent, 1, "it would have");
    assert_eq!(stage.cluster.sent().len(), sent);
    assert_eq!(stage.market(), before);
}

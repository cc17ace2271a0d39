//! A backstop that has lost everything.

use breakwater_engine::Error;
use breakwater_keeper::keeper::Round;
use breakwater_testkit::{default_config, pyth::usd};

use crate::deployment::{Deployment, SOL, USDC, once};

/// One account of 10 SOL that owes 690 USDC, and nothing in the backstop: at $60 it is worth 600.
fn deployment() -> Deployment {
    let mut deployment = Deployment::build(&default_config(), 0, &[690]);
    deployment.world.advance(60);
    deployment
        .world
        .settle_price(&deployment.keys.collateral_feed, usd(60), 0);
    deployment
}

/// Somebody buys all inventory.
fn sell_out(deployment: &mut Deployment) {
    let inventory = deployment.market().books.backstop.inventory.0;
    assert_eq!(inventory, 10 * SOL);
    deployment.world.advance(60);
    deployment
        .world
        .settle_price(&deployment.keys.collateral_feed, usd(60), 0);
    let lena = deployment.lena.clone();
    deployment
        .world
        .buy_inventory(&deployment.keys, &lena, inventory, u64::MAX)
        .unwrap();
}

#[tokio::test]
async fn is_settled_as_soon_as_there_is_one_and_only_once() {
    let mut deployment = deployment();
    let mut kate = deployment.keeper("kate", |_| {}).await;
    once(&mut kate).await;
    // What not even the highest price can bring is written off at once.
    assert_eq!(
        (
            deployment.count("liquidate", "done"),
            deployment.count("settle", "sent")
        ),
        (1, 1)
    );
    let written_off = deployment.market().books.recovery.written_off;
    // A loss of 90 and the bounty of 1.55, less the confidence that the highest price has on top. Nobody stands before
    // the suppliers.
    assert!((80 * USDC..93 * USDC).contains(&written_off.0), "{written_off:?}");

    sell_out(&mut deployment);
    once(&mut kate).await;
    let mut after = deployment.market();
    assert_eq!(
        after.settle_deficit(None, deployment.world.clock()),
        Err(Error::NothingToSettle)
    );

    deployment.world.advance(5);
    assert_eq!(once(&mut kate).await, Round::default(), "there is nothing left");
    deployment.assert_nothing_wasted();
}

#[tokio::test]
async fn is_left_to_others_by_a_keeper_that_is_told_so_and_in_a_dry_run() {
    let mut deployment = deployment();
    let mut kate = deployment.keeper("kate", |_| {}).await;
    once(&mut kate).await;
    sell_out(&mut deployment);
    let before = deployment.market();
    let sent = deployment.cluster.sent().len();
    let mut told = deployment
        .keeper("bob", |settings| settings.cranks.settle = false)
        .await;
    assert_eq!(once(&mut told).await, Round::default());
    let mut dry = deployment.keeper("carl", |settings| settings.dry_run = true).await;
    assert_eq!(once(&mut dry).await.sent, 1, "it would have");
    assert_eq!(deployment.cluster.sent().len(), sent);
    assert_eq!(deployment.market(), before);
}

//! A backstop whose cover is used up: what it may still take over is what it sells in twenty minutes.

use breakwater_engine::{Bps, Config, Quote};
use breakwater_keeper::{
    depth::{Measured, Sample},
    metrics::name,
};
use breakwater_testkit::{default_config, pyth::usd};

use crate::deployment::{Deployment, SOL, USDC, once};

/// A market that bears 900 USDC an hour: the pipeline takes 300, four SOL at $75.
fn thin() -> Config {
    let market_depth = Quote(600 * USDC);
    Config {
        market_depth,
        flow_rate: Bps(15_000),
        debt_cap: Quote(200 * market_depth.0),
        ..default_config()
    }
}

/// The deployment at $75, with so much behind it. Each account has 10 SOL; those that owe more than 600 USDC are due.
fn deployment(backstop: u64, debts: &[u64]) -> Deployment {
    let mut deployment = Deployment::build(&thin(), backstop, debts);
    deployment.world.advance(60);
    deployment
        .world
        .settle_price(&deployment.keys.collateral_feed, usd(75), 0);
    deployment
}

#[track_caller]
fn assert_looked(deployment: &Deployment, found: u32, due: u32, waiting: u32) {
    let waits = deployment.gauge(name::skipped, &[("reason", "pipeline")]);
    let seen = (
        deployment.gauge(name::liquidatable, &[]),
        deployment.gauge(name::liquidatable_now, &[]),
        waits,
    );
    assert_eq!(seen, (found, due, waiting));
    assert_eq!(deployment.gauge(name::skipped, &[("reason", "unexpected")]), 0);
}

#[tokio::test]
async fn who_does_not_fit_waits_until_inventory_is_sold_and_is_taken_over_whatever_is_held() {
    let mut deployment = deployment(0, &[500, 610, 650, 690]);
    let mut kate = deployment.keeper("kate", |_| {}).await;
    // The one that needs it most gets what there is of the pipeline, and nobody the rest.
    let round = once(&mut kate).await;
    assert_eq!(round.due, 1);
    assert_looked(&deployment, 3, 0, 3);
    let held = deployment.market().books.backstop.inventory.0;
    assert!((39 * SOL / 10..=4 * SOL).contains(&held), "{held}");
    assert_eq!(deployment.cluster.sent().last().unwrap().liquidated.len(), 1);
    let taken = deployment.cluster.sent().last().unwrap().liquidated[0].margin_account;
    assert_eq!(taken, deployment.positions[3].address);

    // As long as nothing is sold nothing is sent.
    let sent = deployment.cluster.sent().len();
    for _ in 0..5 {
        deployment.world.advance(1);
        once(&mut kate).await;
        assert_looked(&deployment, 3, 0, 3);
    }
    assert_eq!(deployment.cluster.sent().len(), sent);

    // A sale makes room, and what it makes is used at once.
    let lena = deployment.lena.clone();
    deployment
        .world
        .buy_inventory(&deployment.keys, &lena, SOL, u64::MAX)
        .unwrap();
    assert_eq!(once(&mut kate).await.due, 1);
    let refilled = deployment.market().books.backstop.inventory.0;
    assert!(refilled.abs_diff(held) < SOL / 10, "{refilled} after {held}");

    // At $68 the account of 650 is beyond 95%, and the pipeline is full.
    deployment
        .world
        .settle_price(&deployment.keys.collateral_feed, usd(68), 0);
    once(&mut kate).await;
    let last = deployment.cluster.sent().last().unwrap().liquidated.clone();
    let whole: Vec<_> = last
        .iter()
        .filter(|one| one.liquidation.taken_over)
        .map(|one| one.margin_account)
        .collect();
    assert_eq!(whole, [deployment.positions[2].address]);
    assert!(deployment.market().books.backstop.inventory.0 > 10 * SOL);
    assert!(deployment.gauge(name::skipped, &[("reason", "pipeline")]) > 0);

    // Nobody is paid a bounty out of nothing: what there was no cash for stays owed.
    let backstop = deployment.market().books.backstop;
    let credit = deployment.gauge(name::credit, &[]);
    assert_eq!(
        u64::from(credit),
        backstop.funded_credits.0 + backstop.unfunded_credits.0
    );
    let claimable = u64::from(deployment.gauge(name::claimable, &[]));
    assert_eq!(claimable, backstop.funded_credits.0);
    assert!(claimable > 0 && backstop.unfunded_credits.0 > 0, "{backstop:?}");
    deployment.assert_nothing_wasted();
}

#[tokio::test]
async fn who_waits_is_let_off_by_a_price_and_taken_in_full_by_capital() {
    let mut deployment = deployment(0, &[640, 650, 690]);
    let mut kate = deployment.keeper("kate", |_| {}).await;
    once(&mut kate).await;
    assert_looked(&deployment, 3, 0, 3);
    deployment
        .world
        .settle_price(&deployment.keys.collateral_feed, usd(90), 0);
    once(&mut kate).await;
    assert_looked(&deployment, 0, 0, 0);
    deployment
        .world
        .settle_price(&deployment.keys.collateral_feed, usd(75), 0);
    let lena = deployment.lena.clone();
    deployment
        .world
        .fund_backstop(&deployment.keys, &lena, 100_000 * USDC)
        .unwrap();
    let round = once(&mut kate).await;
    assert_eq!(round.due, 3);
    assert_looked(&deployment, 0, 0, 0);
    // Far more than the pipeline.
    assert!(deployment.market().books.backstop.inventory.0 > 10 * SOL);
    deployment.assert_nothing_wasted();
}

#[tokio::test]
async fn a_depth_that_is_configured_larger_than_it_was_measured_is_told() {
    let mut deployment = deployment(100_000 * USDC, &[500]);
    let path = std::env::temp_dir().join(format!("breakwater-keeper-depth-{}.json", std::process::id()));
    let told = Some(path.clone());
    let measure = |depth: u64| {
        let sample = Sample { unix_time: 0, depth };
        let measured = Measured {
            asset: deployment.keys.collateral_mint.to_string(),
            quote: deployment.keys.quote_mint.to_string(),
            quantile_bps: 500,
            share_bps: 5_000,
            samples: vec![sample],
        };
        measured.write(&path).unwrap();
    };
    // Half of it is this market's.
    measure(1_200 * USDC);
    let mut kate = deployment
        .keeper("kate", |settings| settings.depth_file.clone_from(&told))
        .await;
    once(&mut kate).await;
    let seen = |deployment: &Deployment| {
        [name::market_depth, name::measured_depth, name::depth_too_large].map(|name| deployment.gauge(name, &[]))
    };
    let depth = u32::try_from(600 * USDC).unwrap();
    assert_eq!(seen(&deployment), [depth, depth, 0]);
    deployment.world.set_config(
        &deployment.keys,
        Config {
            market_depth: Quote(600 * USDC + 1),
            ..thin()
        },
    );
    once(&mut kate).await;
    assert_eq!(seen(&deployment), [depth + 1, depth, 1]);
    // Another keeper, without the file, does not know.
    std::fs::remove_file(&path).unwrap();
    once(&mut kate).await;
    assert_eq!(seen(&deployment), [depth + 1, 0, 0]);
}

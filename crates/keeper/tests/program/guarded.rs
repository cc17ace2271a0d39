//! A crash in a market with the price guards of the example.

use std::collections::HashMap;

use anchor_lang::prelude::Pubkey;
use breakwater_engine::{Config, Level, Quote};
use breakwater_keeper::metrics::name;
use breakwater_testkit::{default_config, pyth::usd};

use crate::{
    cluster::Sent,
    deployment::{Deployment, USDC, once},
};

/// The guards of the example, and a flow limit that these few accounts can feel.
fn config() -> Config {
    let guards = Config::EXAMPLE;
    Config {
        max_velocity: guards.max_velocity,
        velocity_horizon: guards.velocity_horizon,
        velocity_slack: guards.velocity_slack,
        own_ema_band: guards.own_ema_band,
        own_ema_seconds: guards.own_ema_seconds,
        ema_band: guards.ema_band,
        guarded_flow: Quote(300 * USDC),
        ..default_config()
    }
}

#[tokio::test]
async fn is_followed_at_the_guards_pace_in_steps_and_without_a_transaction_in_vain() {
    let debts: Vec<u64> = (0..20).map(|number| 500 + 10 * number).collect();
    let config = config();
    let mut deployment = Deployment::build(&config, 100_000 * USDC, &debts);
    deployment.world.observe_price(&deployment.keys).unwrap();
    let mut kate = deployment.keeper("kate", |_| {}).await;
    deployment.world.advance(2);
    // Pyth's own EMA stays at $100: the market is guarded for as long as this lasts.
    deployment.world.set_price(&deployment.keys.collateral_feed, usd(78), 0);

    let (mut followed, mut refused, mut cooldown, mut flow, mut quiet) = (0, 0, 0, 0, 0);
    while quiet < 60 {
        let before = deployment.cluster.sent().len();
        once(&mut kate).await;
        let sent = deployment.cluster.sent().len() - before;
        let skipped = |reason| deployment.gauge(name::skipped, &[("reason", reason)]);
        let gap = skipped("gap") > 0;
        refused += u32::from(gap);
        cooldown += u32::from(skipped("cooldown") > 0);
        flow += u32::from(skipped("flow") > 0);
        assert_eq!(skipped("unexpected"), 0);
        assert!(
            sent <= 2,
            "a batch, and another when the first has shown the price: {sent}"
        );
        let guard = deployment.market().guard;
        assert_eq!(Level::from_byte(guard.level), Level::Guarded);
        // Quote atoms for a collateral atom: $80 is 2% above $78, and a little.
        let follows = guard.reference.raw() > (80 << 64) / 1_000;
        followed += u32::from(follows);
        // Over when nobody has been above the liquidation LTV for two minutes.
        quiet = if !follows && deployment.gauge(name::liquidatable, &[]) == 0 {
            quiet + 1
        } else {
            0
        };
        deployment.world.advance(2);
    }

    let all = deployment.cluster.sent();
    let mut of_account: HashMap<Pubkey, Vec<i64>> = HashMap::new();
    for sent in &all {
        for one in &sent.liquidated {
            assert!(!one.liquidation.taken_over && !one.liquidation.whole, "{one:?}");
            of_account.entry(one.margin_account).or_default().push(sent.unix);
        }
    }
    // At $78 those that owe more than 80% of 780: 630 and above. Several steps each, and a rest after each.
    let expected: Vec<Pubkey> = deployment.positions[13..]
        .iter()
        .map(|position| position.address)
        .collect();
    assert_eq!(of_account.len(), expected.len());
    for address in &expected {
        assert!(!of_account[address].is_empty());
    }
    assert!(of_account[expected.last().unwrap()].len() > 1, "one step was enough");
    // The limit is per window of the market's own, so twice of it fits into one that lies across two.
    let repaid = |sent: &Sent| sent.liquidated.iter().map(|one| one.liquidation.repaid.0).sum::<u64>();
    for first in &all {
        let within = |sent: &&Sent| (0..i64::from(config.guarded_window)).contains(&(sent.unix - first.unix));
        let window: u64 = all.iter().filter(within).map(repaid).sum();
        assert!(window <= 2 * config.guarded_flow.0, "{window}");
    }
    let (liquidations, shown) = (
        deployment.count("liquidate", "done"),
        deployment.count("observe", "done"),
    );
    println!(
        "{followed} looks until the guarded price was near, {refused} of them with accounts that waited for it; {cooldown} with rests, \
         {flow} with the flow limit used up"
    );
    println!(
        "{liquidations} batches, {shown} observations, {:?}",
        of_account.values().map(Vec::len).collect::<Vec<_>>()
    );
    // 22% at 0.1% a second, less the 2% within which liquidations are allowed: about 200 s, a look every two.
    assert!((80..120).contains(&followed), "{followed}");
    // From $86 on, where who owes most is beyond its margin at the guarded price too.
    assert!((30..60).contains(&refused), "{refused}");
    assert!(cooldown > 0 && flow > 0, "{cooldown} {flow}");
    assert_eq!(
        all.iter().filter(|sent| !sent.liquidated.is_empty()).count(),
        liquidations as usize
    );
    assert_eq!(all.len(), (liquidations + shown) as usize);
    deployment.assert_nothing_wasted();
}

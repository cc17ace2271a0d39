//! A market on the cluster, and a keeper of it.

use std::{sync::Arc, time::Duration};

use breakwater_client::{MarketKeys, addresses};
use breakwater_engine::{Config, Market};
use breakwater_keeper::{
    Keeper, Settings, TableSettings,
    crank::Cranks,
    fee::FeePolicy,
    keeper::Round,
    metrics::{Metrics, name},
    prices::{Posted, Updates},
    rpc_pool::RpcPool,
};
use breakwater_testkit::{Actor, MarketSpec, Position, World, pyth::feed_id_for};

use crate::cluster::Cluster;

pub const USDC: u64 = 1_000_000;
pub const SOL: u64 = 1_000_000_000;

/// The keeper under test.
pub type TestKeeper<U = Posted> = Keeper<Cluster, U>;

/// The cluster, a market on it, and what its keepers tell.
pub struct Deployment {
    pub cluster: Cluster,
    pub world: World,
    pub keys: MarketKeys,
    pub lena: Actor,
    pub positions: Vec<Position>,
    pub metrics: Arc<Metrics>,
}

impl Deployment {
    /// Accounts of 10 SOL at $100 with these debts, in USDC; `backstop` quote atoms behind them.
    pub fn build(config: &Config, backstop: u64, debts: &[u64]) -> Self {
        let spec = MarketSpec {
            config: *config,
            ..MarketSpec::default()
        };
        Self::build_on(Cluster::start(), &spec, backstop, debts)
    }

    /// The same on a cluster at hand.
    pub fn build_on((cluster, mut world): (Cluster, World), spec: &MarketSpec, backstop: u64, debts: &[u64]) -> Self {
        let keys = world.market(spec);
        let lena = world.trader(&keys, "lena", 0, 2_000_000 * USDC);
        world.supply(&keys, &lena, 1_000_000 * USDC).unwrap();
        if backstop > 0 {
            world.fund_backstop(&keys, &lena, backstop).unwrap();
        }
        let positions = debts.iter().enumerate().map(|(number, debt)| {
            let owner = world.trader(&keys, &format!("owner {number}"), 10 * SOL, 0);
            let position = world.open(&keys, &owner, 0).unwrap();
            world.deposit(&position, 10 * SOL).unwrap();
            world.borrow(&position, debt * USDC).unwrap();
            position
        });
        let positions = positions.collect();
        world.next_slot();
        Self {
            cluster,
            world,
            keys,
            lena,
            positions,
            metrics: Arc::default(),
        }
    }

    /// A keeper of this name with an open ledger, as the command starts it; `edit` changes what it is told.
    pub async fn keeper(&mut self, name: &str, edit: impl FnOnce(&mut Settings)) -> TestKeeper {
        let posted = self.posted();
        self.keeper_with(name, posted, edit).await
    }

    /// The accounts of the market's sponsor.
    pub fn posted(&self) -> Posted {
        Posted::at([
            (feed_id_for("SOL/USD"), self.keys.collateral_feed),
            (feed_id_for("USDC/USD"), self.keys.quote_feed),
        ])
    }

    /// The same with prices from elsewhere.
    pub async fn keeper_with<U: Updates>(
        &mut self,
        name: &str,
        updates: U,
        edit: impl FnOnce(&mut Settings),
    ) -> TestKeeper<U> {
        let actor = self.world.actor(name);
        let ledger = addresses::keeper_ledger(&self.keys.market, &actor.key());
        if self.world.account(&ledger).is_none() {
            self.world.keeper(&self.keys, name);
        }
        let mut settings = Settings {
            market: self.keys.market,
            interval: Duration::ZERO,
            resync: Duration::from_hours(1),
            in_flight: 16,
            dry_run: false,
            fees: FeePolicy {
                floor: 1_000,
                cap: 1_000_000,
                percentile: 75,
            },
            cranks: Cranks {
                observe_every: 15,
                observe_urgently: 2,
                claim_above: 0,
                settle: true,
            },
            tables: TableSettings {
                most: 0,
                within: 2_000,
                given: Vec::new(),
            },
            post_bps: 50,
            depth_file: None,
            clock_drift: None,
        };
        edit(&mut settings);
        let node = ("cluster".to_owned(), self.cluster.clone());
        let rpc_pool = RpcPool::new(vec![node], 10_000, None, Arc::clone(&self.metrics));
        let signer = actor.keypair().insecure_clone();
        let metrics = Arc::clone(&self.metrics);
        Keeper::start(settings, signer, rpc_pool, updates, metrics, Duration::ZERO)
            .await
            .unwrap()
    }

    pub fn market(&mut self) -> Market {
        self.world.market_state(&self.keys)
    }

    /// How many of the keeper's transactions of a kind ended so, by its metrics.
    pub fn count(&self, kind: &str, outcome: &str) -> u32 {
        self.gauge(name::transactions_total, &[("kind", kind), ("outcome", outcome)])
    }

    /// A metric that is a whole number.
    pub fn gauge(&self, name: &'static str, labels: &[(&str, &str)]) -> u32 {
        format!("{}", self.metrics.get(name, labels)).parse().unwrap()
    }

    /// None of the keeper's transactions failed, none was refused in a simulation, and each had a tenth of its compute
    /// limit to spare.
    #[track_caller]
    pub fn assert_nothing_wasted(&self) {
        for sent in self.cluster.sent() {
            assert_eq!(sent.error, None, "{sent:?}");
            assert!(sent.units + sent.units / 10 <= sent.limit, "{sent:?}");
        }
        let ended = self.metrics.render();
        for outcome in ["failed", "refused", "expired", "not_sent", "nothing_to_do"] {
            assert!(!ended.contains(&format!("outcome=\"{outcome}\"")), "{ended}");
        }
    }
}

/// All that there is to do now.
pub async fn once<U: Updates>(keeper: &mut TestKeeper<U>) -> Round {
    keeper.once().await.unwrap()
}

//! A keeper that posts prices itself, with Pyth's programs played by their double: on LiteSVM, which checks what a
//! cluster does.

use std::sync::{Arc, Mutex};

use breakwater_client::pyth::{FeedId, Stack, Update};
use breakwater_engine::{Error as MarketError, Key};
use breakwater_keeper::{
    hermes::{Error, Fetch, Live},
    metrics::name,
    post::own_shard,
};
use breakwater_testkit::{
    FeedSpec, MarketSpec, default_config,
    pyth::{FEE, Quotation, Routers, feed_id_for, usd},
};

use crate::{
    cluster::Cluster,
    deployment::{Deployment, TestKeeper, USDC, once},
};

/// A Hermes that says what the test has it say.
#[derive(Clone)]
struct Hermes(Arc<Mutex<Result<Update, Error>>>);

impl Fetch for Hermes {
    async fn latest(&self, _: &[FeedId]) -> Result<Update, Error> {
        self.0.lock().unwrap().clone()
    }
}

impl Hermes {
    fn says(&self, answer: Result<Update, Error>) {
        *self.0.lock().unwrap() = answer;
    }
}

/// A deployment with Pyth's programs, the routers that they believe, and a Hermes.
struct Scene {
    deployment: Deployment,
    routers: Routers,
    hermes: Hermes,
    stack: Stack,
}

impl Scene {
    fn new(stack: Stack, debts: &[u64]) -> Self {
        let (mut cluster, mut world) = Cluster::start();
        cluster.install_pyth();
        let routers = Routers::new(3);
        world.believe(&routers);
        let feed = |symbol: &str, price| FeedSpec {
            owner: stack.receiver,
            ..FeedSpec::pull(symbol, price)
        };
        let spec = MarketSpec {
            config: default_config(),
            collateral_feed: feed("SOL/USD", usd(100)),
            quote_feed: feed("USDC/USD", usd(1)),
            ..MarketSpec::default()
        };
        let deployment = Deployment::build_on((cluster, world), &spec, 100_000 * USDC, debts);
        Self {
            deployment,
            routers,
            hermes: Hermes(Arc::new(Mutex::new(Err(Error::TimedOut)))),
            stack,
        }
    }

    /// Hermes has SOL at this price, and USDC at a dollar, as of now.
    fn quote(&self, dollars: i64) {
        self.hermes.says(Ok(self.update(&self.routers, dollars)));
    }

    fn update(&self, routers: &Routers, dollars: i64) -> Update {
        let time = self.deployment.world.unix();
        let message = |symbol, price: i64| {
            Quotation::settled(price, -8, price.unsigned_abs() / 1_000, time).message(feed_id_for(symbol))
        };
        routers.update(&[message("SOL/USD", usd(dollars)), message("USDC/USD", usd(1))])
    }

    async fn keeper(&mut self, name: &str) -> TestKeeper<Live<Hermes>> {
        let deployment = &mut self.deployment;
        let shard = own_shard(&deployment.keys.market);
        let metrics = Arc::clone(&deployment.metrics);
        let live = Live::new(self.hermes.clone(), deployment.posted(), shard, metrics);
        deployment.keeper_with(name, live, |_| {}).await
    }

    fn postings(&self) -> u32 {
        let reasons = ["old", "moved", "due"];
        let count = |reason| self.deployment.gauge(name::postings_total, &[("reason", reason)]);
        reasons.into_iter().map(count).sum()
    }

    fn troubles(&self, kind: &str) -> u32 {
        self.deployment.gauge(name::hermes_troubles_total, &[("kind", kind)])
    }

    /// Accounts of VAAs that are there.
    fn vaas(&self) -> usize {
        self.deployment.cluster.of_program(&self.stack.bridge).saturating_sub(1)
    }

    fn debtors(&mut self) -> usize {
        let positions = self.deployment.positions.clone();
        let world = &mut self.deployment.world;
        positions
            .iter()
            .filter(|position| world.margin_account(position).debt_shares.0 > 0)
            .count()
    }
}

/// Ten minutes without a sponsor, and a fall of 30%: all who are due are liquidated within three looks, by its own posts
/// alone.
#[tokio::test]
async fn a_crash_behind_a_silent_sponsor_is_cleared_in_three_looks() {
    for stack in Stack::ALL {
        let mut scene = Scene::new(stack, &[500, 600, 650, 690]);
        let mut kate = scene.keeper("kate").await;
        for _ in 0..60 {
            scene.deployment.world.advance_silently(10);
            scene.quote(100);
            once(&mut kate).await;
            assert_eq!(scene.deployment.metrics.blind(), None);
        }
        // As often as the price grows too old for showing it every 15 s, and not at each look.
        let posted = scene.postings();
        assert!((30..=40).contains(&posted), "{posted}");

        scene.deployment.world.advance_silently(1);
        scene.quote(70);
        let before = scene.deployment.cluster.sent().len();
        let (mut looks, mut liquidated) = (0, 0);
        while liquidated == 0 {
            kate.look().await.unwrap();
            looks += 1;
            assert!(looks <= 3, "{looks} looks");
            let sent = scene.deployment.cluster.sent();
            liquidated = sent[before..].iter().map(|sent| sent.liquidated.len()).sum();
        }
        assert_eq!((looks, liquidated), (3, 3));
        once(&mut kate).await;
        assert_eq!(scene.deployment.gauge(name::liquidatable, &[]), 0);
        assert_eq!(scene.vaas(), 0);
        scene.deployment.assert_nothing_wasted();
        println!("figure looks_to_clear {looks}\nfigure postings_in_600_s {posted}");
    }
}

/// While Hermes answers, prices that nobody needs may grow old on the chain: that is not blindness.
#[tokio::test]
async fn between_its_postings_it_is_not_blind() {
    let mut scene = Scene::new(Stack::REC2, &[500]);
    let mut kate = scene.keeper("kate").await;
    let mut oldest = 0;
    for _ in 0..120 {
        scene.deployment.world.advance_silently(1);
        scene.quote(100);
        kate.look().await.unwrap();
        assert_eq!(scene.deployment.metrics.blind(), None);
        oldest = oldest.max(scene.deployment.gauge(name::price_age_seconds, &[]));
    }
    assert!(oldest > default_config().max_age_long, "{oldest}");
    // Once it does not, the next time that prices are too old is.
    scene.hermes.says(Err(Error::TimedOut));
    while scene.deployment.metrics.blind().is_none() {
        scene.deployment.world.advance_silently(1);
        kate.look().await.unwrap();
        assert!(scene.deployment.gauge(name::price_age_seconds, &[]) <= 30);
    }
}

/// What a posting costs without a lookup table, but for the priority fee: three signatures, and the receiver's fee for
/// each price. All rent comes back.
#[tokio::test]
async fn a_posting_costs_three_signatures_and_the_receivers_fee() {
    let mut scene = Scene::new(Stack::REC2, &[500]);
    let mut kate = scene.keeper("kate").await;
    let keeper = scene.deployment.world.actor("kate").key();
    let mut spent = Vec::new();
    for _ in 0..2 {
        scene.deployment.world.advance_silently(60);
        scene.quote(100);
        let before = scene.deployment.world.existing_account(&keeper).lamports;
        let already = scene.deployment.cluster.sent().len();
        once(&mut kate).await;
        let transactions = scene.deployment.cluster.sent().len() - already;
        spent.push((
            before - scene.deployment.world.existing_account(&keeper).lamports,
            transactions,
        ));
    }
    // The first one makes the price accounts. Three transactions of the posting, and one that shows the market the price.
    let (lamports, transactions) = spent[1];
    assert_eq!(transactions, 4);
    let priority = lamports - 4 * 5_000 - 2 * FEE;
    assert!(priority < 1_000, "{spent:?}");
    scene.deployment.assert_nothing_wasted();
    let all = scene.deployment.cluster.sent();
    // Without the transaction that shows the price, the last but one or two of them.
    let units = || all[all.len() - transactions..].iter().map(|sent| sent.units);
    let observing = units().min().unwrap();
    let cu: u64 = units().sum::<u64>() - observing;
    println!("figure lamports {}\nfigure cu {cu}", lamports - 5_000);
}

/// While somebody else posts often enough nothing is posted, unless the price moves by half a percent or makes accounts
/// due.
#[tokio::test]
async fn with_a_sponsor_only_what_matters_is_posted() {
    let mut scene = Scene::new(Stack::REC2, &[690]);
    let mut kate = scene.keeper("kate").await;
    for _ in 0..60 {
        scene.deployment.world.advance(5);
        scene.quote(100);
        once(&mut kate).await;
    }
    assert_eq!(scene.postings(), 0);
    for (dollars, reason) in [(101, "moved"), (80, "moved")] {
        scene.deployment.world.advance(1);
        scene.quote(dollars);
        scene.deployment.world.advance_silently(1);
        let before = scene.deployment.gauge(name::postings_total, &[("reason", reason)]);
        scene.quote(dollars);
        once(&mut kate).await;
        assert_eq!(
            scene.deployment.gauge(name::postings_total, &[("reason", reason)]),
            before + 1,
            "{dollars}"
        );
    }
}

#[tokio::test]
async fn two_keepers_do_not_post_the_same() {
    let mut scene = Scene::new(Stack::REC2, &[500]);
    let mut kate = scene.keeper("kate").await;
    let mut karl = scene.keeper("karl").await;
    for _ in 0..300 {
        scene.deployment.world.advance_silently(1);
        scene.quote(100);
        kate.look().await.unwrap();
        karl.look().await.unwrap();
    }
    // One alone posts as often.
    let together = scene.postings();
    let mut alone = Scene::new(Stack::REC2, &[500]);
    let mut kate = alone.keeper("kate").await;
    for _ in 0..300 {
        alone.deployment.world.advance_silently(1);
        alone.quote(100);
        kate.look().await.unwrap();
    }
    assert!(
        together <= alone.postings() + 1,
        "{together} of two, {} of one",
        alone.postings()
    );
    assert_eq!(scene.vaas(), 0);
}

/// The signers change between two refreshes: what the chain does not believe yet is not posted, and is once it does.
#[tokio::test]
async fn another_set_of_signers_costs_nothing_until_the_chain_has_it() {
    let mut scene = Scene::new(Stack::REC2, &[500]);
    let mut kate = scene.keeper("kate").await;
    let next = Routers::new(4);
    scene.deployment.world.advance_silently(60);
    scene.hermes.says(Ok(scene.update(&next, 100)));
    let sent = scene.deployment.cluster.sent().len();
    for _ in 0..3 {
        once(&mut kate).await;
    }
    assert_eq!((scene.deployment.cluster.sent().len(), scene.vaas()), (sent, 0));
    // It rests after the first; the others are not even tried.
    assert_eq!(scene.troubles("signatures"), 1);
    assert!(scene.deployment.metrics.blind().is_some());

    // Another keeper, whose patience is new; the set is there now.
    scene.deployment.world.believe(&next);
    let mut karl = scene.keeper("karl").await;
    once(&mut karl).await;
    assert_eq!(scene.troubles("signatures"), 1);
    assert_eq!(scene.deployment.metrics.blind(), None);
    scene.deployment.assert_nothing_wasted();
}

/// A signature that is somebody else's is seen before a fee is spent on it.
#[tokio::test]
async fn a_forged_update_is_not_posted() {
    let mut scene = Scene::new(Stack::REC2, &[500]);
    let mut kate = scene.keeper("kate").await;
    scene.deployment.world.advance_silently(60);
    let mut forged = scene.update(&scene.routers, 100);
    forged.vaa.signatures[1].rs[7] ^= 1;
    scene.hermes.says(Ok(forged));
    let sent = scene.deployment.cluster.sent().len();
    once(&mut kate).await;
    assert_eq!(
        (scene.deployment.cluster.sent().len(), scene.troubles("signatures")),
        (sent, 1)
    );
}

#[tokio::test]
async fn a_posting_that_somebody_overtakes_ends_and_its_account_is_closed() {
    let mut scene = Scene::new(Stack::REC2, &[500]);
    let mut kate = scene.keeper("kate").await;
    once(&mut kate).await;
    scene.deployment.world.advance_silently(60);
    scene.quote(100);
    // It may be others' turn first.
    while scene.vaas() == 0 {
        kate.look().await.unwrap();
    }
    scene.deployment.world.advance(1);
    once(&mut kate).await;
    assert_eq!(scene.vaas(), 0);
    let own = scene
        .stack
        .price_account(own_shard(&scene.deployment.keys.market), &feed_id_for("SOL/USD"));
    assert_eq!(scene.deployment.world.account(&own), None, "never written");
    assert_eq!(scene.deployment.count("reclaim", "done"), 1);
    scene.deployment.assert_nothing_wasted();
}

#[tokio::test]
async fn what_a_killed_keeper_left_is_closed_by_its_next_run() {
    let mut scene = Scene::new(Stack::REC2, &[500]);
    let mut kate = scene.keeper("kate").await;
    scene.deployment.world.advance_silently(60);
    scene.quote(100);
    while scene.vaas() == 0 {
        kate.look().await.unwrap();
    }
    drop(kate);
    scene.hermes.says(Err(Error::Unauthorized));
    let mut again = scene.keeper("kate").await;
    once(&mut again).await;
    assert_eq!((scene.vaas(), scene.troubles("unauthorized")), (0, 1));
    assert_eq!(scene.deployment.count("reclaim", "done"), 1);
}

/// Without a key nobody can be liquidated, and that is said at the first look at which it is so.
#[tokio::test]
async fn silence_without_a_source_is_told_and_ages_go_on_growing() {
    let mut scene = Scene::new(Stack::REC2, &[690]);
    let mut kate = scene.deployment.keeper("kate", |_| {}).await;
    once(&mut kate).await;
    assert_eq!(scene.deployment.metrics.blind(), None);
    let (longest, mut silent) = (default_config().max_age_long, 0);
    while scene.deployment.metrics.blind().is_none() {
        scene.deployment.world.advance_silently(1);
        silent += 1;
        once(&mut kate).await;
        assert_eq!(scene.deployment.gauge(name::price_age_seconds, &[]), silent);
    }
    assert_eq!(silent, longest + 1);
    println!("figure silent_alert_s {silent}");
    let (_, why) = scene.deployment.metrics.blind().unwrap();
    assert_eq!(why, MarketError::PriceTooOld.to_string());

    // Its account is closed: the age is not that of the last one seen, it grows.
    let feed = scene.deployment.keys.collateral_feed;
    scene
        .deployment
        .world
        .set_account(&feed, breakwater_testkit::Account::default());
    scene.deployment.world.advance_silently(100);
    once(&mut kate).await;
    assert_eq!(scene.deployment.gauge(name::price_age_seconds, &[]), silent + 100);
    assert!(scene.deployment.metrics.blind().is_some());
}

/// Whatever becomes of the sponsor's account, a keeper with a source keeps the market alive.
#[tokio::test]
async fn a_sponsors_account_that_is_no_use_is_replaced() {
    let spoil: [fn(&mut breakwater_testkit::Account); 4] = [
        |account| *account = breakwater_testkit::Account::default(),
        |account| account.owner = Stack::REC5.receiver,
        |account| account.data.clear(),
        |account| account.data[40] = 0,
    ];
    for (number, spoil) in spoil.into_iter().enumerate() {
        let mut scene = Scene::new(Stack::REC2, &[690]);
        let mut kate = scene.keeper("kate").await;
        let feed = scene.deployment.keys.collateral_feed;
        let mut account = scene.deployment.world.account(&feed).unwrap();
        spoil(&mut account);
        scene.deployment.world.set_account(&feed, account);
        scene.deployment.world.advance_silently(30);
        scene.quote(70);
        once(&mut kate).await;
        assert_eq!(
            (scene.debtors(), scene.deployment.metrics.blind()),
            (0, None),
            "{number}"
        );
    }
}

/// The market's governance pins another feed while the keeper runs.
#[tokio::test]
async fn feeds_that_change_are_taken_in_without_a_restart() {
    let mut scene = Scene::new(Stack::REC2, &[690]);
    scene.quote(100);
    let mut kate = scene.keeper("kate").await;
    once(&mut kate).await;
    let followed = kate.price_accounts();
    assert_eq!(followed.borrow().len(), 4);
    let mut market = scene.deployment.market();
    market.oracle.collateral_feed.key = Key(feed_id_for("SOL/USD of another"));
    market.oracle.known = bytemuck::Zeroable::zeroed();
    scene.deployment.world.set_market(&scene.deployment.keys, &market);
    scene.deployment.world.advance_silently(1);
    let message = |symbol, price: i64| {
        Quotation::settled(price, -8, price.unsigned_abs() / 1_000, scene.deployment.world.unix())
            .message(feed_id_for(symbol))
    };
    let both = [message("SOL/USD of another", usd(70)), message("USDC/USD", usd(1))];
    scene.hermes.says(Ok(scene.routers.update(&both)));
    once(&mut kate).await;
    assert!(followed.has_changed().unwrap());
    assert_eq!((scene.debtors(), scene.deployment.metrics.blind()), (0, None));
}

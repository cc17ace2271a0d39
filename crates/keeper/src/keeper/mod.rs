//! The loop: look, decide, act; and again.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anchor_lang::prelude::Pubkey;
use breakwater_client::MarketKeys;
use breakwater_engine::{Feeds, Market};
use solana_keypair::Keypair;
use solana_signer::Signer;
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time::{sleep_until, timeout},
};
use tracing::{error, info, warn};

use crate::{
    chain::{Answer, At, Chain},
    depth,
    follow::News,
    index::{AccountIndex, Entry},
    metrics::{Metrics, name},
    outbox::Outbox,
    prices::Updates,
    rpc_pool::RpcPool,
    settings::Settings,
    snapshot::{feed_accounts, first_snapshot, key},
    table::Table,
    trust::Trust,
};

mod act;
mod blind;
mod post;
mod round;
mod sync;
mod tables;

/// Time between two looks while a transaction of a posting is awaited: about a slot.
const SLOT: Duration = Duration::from_millis(250);
/// After a stop is asked for, how long to wait for what was sent.
const PARTING: Duration = Duration::from_secs(5);
/// The longest that a single look may be held up by what it waits for; only the loads of all accounts take longer,
/// beside it.
const LONGEST_WAIT_FOR_START: Duration = Duration::from_secs(5);

/// A keeper of one market.
pub struct Keeper<C, U> {
    settings: Settings,
    signer: Keypair,
    rpc_pool: RpcPool<C>,
    updates: U,
    metrics: Arc<Metrics>,
    trust: Trust,
    index: AccountIndex,
    keys: MarketKeys,
    /// The market's feeds, as they were pinned when the next two were made.
    pins: Feeds,
    /// The accounts that may be shown for each of them.
    feeds: Feeds<Vec<Pubkey>>,
    /// The same for who follows them.
    price_accounts: watch::Sender<Vec<Pubkey>>,
    postings: post::Postings,
    blind: blind::Watch,
    outbox: Outbox,
    tables: Vec<Table>,
    news: Option<mpsc::Receiver<News>>,
    sync: sync::Sync,
    depth: depth::Watch,
    /// True if the configured depth was larger than the measured one at the last look.
    depth_too_large: bool,
    tables_read: Option<Instant>,
    tables_rest: Option<Instant>,
}

/// Result of a round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Accounts that could be liquidated at once.
    pub due: usize,
    /// Transactions sent, or that would have been in a dry run.
    pub sent: usize,
}

/// Loading all accounts, under way.
type Loading = JoinHandle<(usize, Answer<At<Vec<Entry>>>)>;

impl<C: Chain + 'static, U: Updates> Keeper<C, U> {
    /// Asks the nodes for the market, until one answers, and loads all accounts.
    ///
    /// # Errors
    /// The last trouble, if after `patience` no node can be used.
    pub async fn start(
        settings: Settings,
        signer: Keypair,
        mut rpc_pool: RpcPool<C>,
        updates: U,
        metrics: Arc<Metrics>,
        patience: Duration,
    ) -> Result<Self, String> {
        let deadline = Instant::now() + patience;
        let (market, keys) = loop {
            let why = match Self::connect(&mut rpc_pool, settings.market).await {
                Ok(met) => break met,
                Err(trouble) => trouble,
            };
            if Instant::now() >= deadline {
                return Err(format!("no node can be used: {why}"));
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        };
        let pins = market.oracle.feeds().copied();
        let feeds = feed_accounts(&pins, &updates);
        info!(market = %settings.market, keeper = %signer.pubkey(), "keeping");
        let mut keeper = Self {
            trust: Trust::new(settings.clock_drift),
            settings,
            signer,
            rpc_pool,
            updates,
            metrics,
            index: AccountIndex::new(),
            keys,
            pins,
            price_accounts: watch::Sender::new(all(&feeds)),
            feeds,
            postings: post::Postings::default(),
            blind: blind::Watch::default(),
            outbox: Outbox::default(),
            tables: Vec::new(),
            news: None,
            sync: sync::Sync::default(),
            depth: depth::Watch::default(),
            depth_too_large: false,
            tables_read: None,
            tables_rest: None,
        };
        while let Err(why) = keeper.load_now().await {
            if Instant::now() >= deadline {
                return Err(format!("the accounts cannot be loaded: {why}"));
            }
            tokio::time::sleep(LONGEST_WAIT_FOR_START / 10).await;
        }
        Ok(keeper)
    }

    async fn connect(rpc_pool: &mut RpcPool<C>, market: Pubkey) -> Answer<(Box<Market>, MarketKeys)> {
        let node = rpc_pool.reader().await?;
        let answer = first_snapshot(rpc_pool.node(node).as_ref(), market).await;
        rpc_pool.judged(node, answer)
    }

    /// The market's price accounts, to follow them: others when the market's feeds change.
    #[must_use]
    pub fn price_accounts(&self) -> watch::Receiver<Vec<Pubkey>> {
        self.price_accounts.subscribe()
    }

    /// Takes in the market's feeds, which its governance may have changed. True if it has.
    fn follow_pins(&mut self, market: &Market) -> bool {
        let pins = market.oracle.feeds().copied();
        if pins == self.pins {
            return false;
        }
        info!("the market's feeds have changed");
        self.pins = pins;
        self.feeds = feed_accounts(&pins, &self.updates);
        self.price_accounts.send_replace(all(&self.feeds));
        true
    }

    /// The nodes.
    #[must_use]
    pub fn rpc_pool(&self) -> &RpcPool<C> {
        &self.rpc_pool
    }

    /// Listens to a subscription.
    pub fn listen(&mut self, news: mpsc::Receiver<News>) {
        self.news = Some(news);
    }

    /// Works until `stop` comes to pass. Waits a little for the transactions sent by then.
    pub async fn run(&mut self, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        loop {
            let next = Instant::now();
            tokio::select! {
                // Nothing is lost by dropping a round: the next one, of whoever, plans anew.
                () = self.round_and_report() => {}
                () = &mut stop => break,
            }
            tokio::select! {
                () = self.wait(next + self.pause()) => {}
                () = &mut stop => break,
            }
        }
        info!(pending = self.outbox.len(), "stopping");
        if timeout(PARTING, self.finish()).await.is_err() {
            warn!(pending = self.outbox.len(), "stopped before all was confirmed");
        }
    }

    /// Works until there is nothing left to do, once.
    ///
    /// # Errors
    /// The trouble, if there was no node to ask.
    pub async fn once(&mut self) -> Answer<Round> {
        let mut all = Round::default();
        loop {
            let round = self.look().await?;
            all.due = all.due.max(round.due);
            all.sent += round.sent;
            let idle = round.sent == 0 && self.outbox.is_empty() && !self.postings.is_busy();
            if self.settings.dry_run || idle {
                return Ok(all);
            }
            tokio::time::sleep(self.settings.interval).await;
        }
    }

    /// Time between the beginnings of two looks: shorter while a posting is on its way, whose next transaction waits for
    /// the one before.
    fn pause(&self) -> Duration {
        let interval = self.settings.interval;
        if self.postings.is_underway() {
            interval.min(SLOT)
        } else {
            interval
        }
    }

    async fn round_and_report(&mut self) {
        let start = Instant::now();
        match self.look().await {
            Ok(_) => {
                self.metrics.looked();
                self.metrics.add(name::rounds_total, 1);
                self.metrics
                    .set_to(name::last_round_seconds, start.elapsed().as_secs_f64());
            }
            Err(trouble) => {
                error!(%trouble, "no look at the market");
                self.metrics.add(name::rounds_failed_total, 1);
            }
        }
    }

    /// Until the next look: its time has come, or a price has changed. Meanwhile changes of accounts are taken in.
    async fn wait(&mut self, next: Instant) {
        let Some(mut news) = self.news.take() else {
            return sleep_until(next.into()).await;
        };
        loop {
            tokio::select! {
                () = sleep_until(next.into()) => break,
                update = news.recv() => match update {
                    Some(News::Price) => break,
                    Some(update) => self.take_in(update),
                    // The subscription ended for good: looking goes on without it.
                    None => return sleep_until(next.into()).await,
                },
            }
        }
        self.news = Some(news);
    }

    /// Waits for what was sent.
    async fn finish(&mut self) {
        while !self.outbox.is_empty() {
            if let Ok(node) = self.rpc_pool.reader().await {
                let _ = self.settle_outbox(node).await;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    fn market_key(&self) -> breakwater_engine::Key {
        key(&self.keys.market)
    }
}

fn all(feeds: &Feeds<Vec<Pubkey>>) -> Vec<Pubkey> {
    feeds.as_ref().each().into_iter().flatten().copied().collect()
}

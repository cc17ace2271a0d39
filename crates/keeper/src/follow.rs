//! Follows a market by WebSocket: its margin accounts as they change, and its price accounts as a reason to look at
//! once. Makes up for news missed while no node is connected by loading everything again.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anchor_lang::prelude::Pubkey;
use breakwater_engine::Key;
use futures_util::{StreamExt, future::BoxFuture, stream::SelectAll};
use solana_account_decoder_client_types::UiAccountEncoding;
use solana_commitment_config::CommitmentConfig;
use solana_pubsub_client::nonblocking::pubsub_client::PubsubClient;
use solana_rpc_client::api::config::{RpcAccountInfoConfig, RpcProgramAccountsConfig};
use tokio::{
    sync::{mpsc, watch},
    time::timeout,
};
use tracing::{info, warn};

use crate::{
    index::Entry,
    metrics::{Metrics, name},
    node::{entry_of, margin_account_filters},
};

/// News from a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// A margin account changed.
    Account(Entry),
    /// A price account changed.
    Price,
    /// Connected: what changed before was not seen.
    Connected,
}

/// How long connecting may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// A connection that says nothing for so long is given up: prices change every few seconds.
const SILENCE: Duration = Duration::from_secs(90);
/// Before the next node is tried; twice as long each time that no connection lasted, up to a minute.
const PAUSE: Duration = Duration::from_secs(1);
/// A connection that held for so long makes up for those that did not.
const LASTING: Duration = Duration::from_mins(1);

/// The market to follow, and where.
#[derive(Debug)]
pub struct Subscription {
    /// The nodes: name, WebSocket URL.
    pub nodes: Vec<(String, String)>,
    /// The market.
    pub market: Key,
    /// Its price accounts; when they change, what is followed does.
    pub feeds: watch::Receiver<Vec<Pubkey>>,
}

impl Subscription {
    /// Follows, one node at a time, until nobody listens any more. `good` says whether a node is in use; one that falls
    /// out of use is left at the next news.
    pub async fn follow(mut self, good: impl Fn(usize) -> bool, news: mpsc::Sender<News>, metrics: Arc<Metrics>) {
        let mut failures = 0;
        for node in (0..self.nodes.len()).cycle() {
            if news.is_closed() {
                return;
            }
            let (name, url) = &self.nodes[node];
            if good(node) {
                let start = Instant::now();
                let ended = Self::follow_node(&mut self.feeds, &self.market, url, || good(node), &news, &metrics).await;
                let Err(why) = ended else { return };
                // Whoever pays for the node may be named in its URL.
                let why = why.replace(url.as_str(), "…");
                warn!(node = name, why, "subscription lost");
                metrics.count(name::reconnects_total, &[]);
                failures = if start.elapsed() >= LASTING { 0 } else { failures + 1 };
            }
            // A round of all nodes without pauses that grow: one may be the only one with a WebSocket.
            let rounds = u32::try_from(failures / self.nodes.len()).unwrap_or(u32::MAX).min(6);
            tokio::time::sleep(PAUSE * (1 << rounds)).await;
        }
    }

    /// Ends well when nobody listens any more.
    async fn follow_node(
        feeds: &mut watch::Receiver<Vec<Pubkey>>,
        market: &Key,
        url: &str,
        good: impl Fn() -> bool,
        news: &mpsc::Sender<News>,
        metrics: &Metrics,
    ) -> Result<(), String> {
        let connecting = timeout(PATIENCE, PubsubClient::new(url));
        let client = connecting
            .await
            .map_err(|_| "no connection in time")?
            .map_err(|error| error.to_string())?;
        let account_config = RpcAccountInfoConfig {
            encoding: Some(UiAccountEncoding::Base64),
            commitment: Some(CommitmentConfig::confirmed()),
            ..RpcAccountInfoConfig::default()
        };
        let config = RpcProgramAccountsConfig {
            filters: Some(margin_account_filters(market)),
            account_config: account_config.clone(),
            ..RpcProgramAccountsConfig::default()
        };
        let subscribing = timeout(PATIENCE, client.program_subscribe(&breakwater::ID, Some(config)));
        let (mut accounts, _) = subscribing
            .await
            .map_err(|_| "no subscription in time")?
            .map_err(|error| error.to_string())?;
        let mut prices = SelectAll::new();
        let followed = feeds.borrow_and_update().clone();
        for feed in &followed {
            let subscribing = timeout(PATIENCE, client.account_subscribe(feed, Some(account_config.clone())));
            let (stream, _): (_, Box<dyn FnOnce() -> BoxFuture<'static, ()> + Send>) = subscribing
                .await
                .map_err(|_| "no subscription in time")?
                .map_err(|error| error.to_string())?;
            prices.push(stream);
        }
        info!("following accounts and prices");
        if news.send(News::Connected).await.is_err() {
            return Ok(());
        }
        while good() {
            let update = tokio::select! {
                account = accounts.next() => {
                    let account = account.ok_or("the connection was closed")?;
                    let address = account.value.pubkey.parse().map_err(|_| "an address that is none")?;
                    metrics.add(name::updates_total, 1);
                    let entry = entry_of(address, &account.value.account, account.context.slot);
                    News::Account(entry.map_err(|trouble| trouble.to_string())?)
                }
                Ok(()) = feeds.changed() => return Err("the market has other price accounts now".to_owned()),
                price = prices.next() => price.map(|_| News::Price).ok_or("the connection was closed")?,
                () = tokio::time::sleep(SILENCE) => return Err("it said nothing for too long".to_owned()),
                () = news.closed() => return Ok(()),
            };
            if news.send(update).await.is_err() {
                return Ok(());
            }
        }
        Err("the node is no longer in use".to_owned())
    }
}

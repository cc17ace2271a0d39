//! Several nodes as one: asks one at a time, leaves out those that fail, checks what can be checked, and sends to all.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use anchor_lang::prelude::Pubkey;
use solana_transaction::versioned::VersionedTransaction;
use tokio::task::{JoinHandle, JoinSet};
use tracing::{info, warn};

use crate::{
    chain::{Answer, Chain},
    metrics::Metrics,
    rotation::{Rotation, Trouble},
};

/// Nodes of one cluster.
pub struct RpcPool<C> {
    nodes: Vec<Arc<C>>,
    /// Name of each in logs and metrics: without the parts of its URL that may be secret.
    names: Vec<String>,
    rotation: Arc<Mutex<Rotation>>,
    /// The genesis hash that each node must have.
    genesis: Option<String>,
    /// Which nodes have shown it.
    known: Vec<bool>,
    /// Requests for it under way.
    asked: Vec<Option<JoinHandle<Answer<String>>>>,
    started: Instant,
    metrics: Arc<Metrics>,
}

impl<C: Chain + 'static> RpcPool<C> {
    /// A pool of nodes of these nodes (name, node), each the reader for `turn` ms at a time. Without a `genesis` hash
    /// the first node that answers decides which cluster it is.
    #[must_use]
    pub fn new(nodes: Vec<(String, C)>, turn: u64, genesis: Option<String>, metrics: Arc<Metrics>) -> Self {
        let rotation = Arc::new(Mutex::new(Rotation::new(nodes.len(), turn)));
        let (names, nodes): (Vec<String>, Vec<Arc<C>>) =
            nodes.into_iter().map(|(name, node)| (name, Arc::new(node))).unzip();
        Self {
            known: vec![false; nodes.len()],
            asked: nodes.iter().map(|_| None).collect(),
            nodes,
            names,
            rotation,
            genesis,
            started: Instant::now(),
            metrics,
        }
    }

    /// Milliseconds since the pool of nodes was made: the time of the rotation.
    #[must_use]
    pub fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn rotation(&self) -> MutexGuard<'_, Rotation> {
        self.rotation.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The node whose turn it is, of the right cluster.
    ///
    /// # Errors
    /// [`Trouble`] if no node will do.
    pub async fn reader(&mut self) -> Answer<usize> {
        let mut last = Trouble::Failed("there are no nodes".to_owned());
        for _ in 0..self.nodes.len() {
            let now = self.now();
            // Who is not known yet is only waited for if nobody is.
            let any = self.known.contains(&true);
            let known = &self.known;
            let node = self.rotation().reader(now, |node| known[node] || !any);
            if self.known[node] {
                return Ok(node);
            }
            let genesis = self.nodes[node].genesis().await;
            match self.recognize(node, genesis) {
                Ok(()) => return Ok(node),
                Err(trouble) => last = trouble,
            }
        }
        Err(last)
    }

    /// Judges a node by its genesis hash: blames it, or knows it from now on.
    fn recognize(&mut self, node: usize, genesis: Answer<String>) -> Answer<()> {
        let judged = genesis.and_then(|genesis| match &self.genesis {
            Some(expected) if *expected != genesis => Err(Trouble::OtherCluster { genesis }),
            Some(_) => Ok(()),
            None => {
                let node = &self.names[node];
                info!(genesis, node, "this node decides which cluster it is: see --genesis");
                self.genesis = Some(genesis);
                Ok(())
            }
        });
        self.known[node] = judged.is_ok();
        self.judged(node, judged)
    }

    /// One of the nodes.
    #[must_use]
    pub fn node(&self, node: usize) -> &Arc<C> {
        &self.nodes[node]
    }

    /// Name of the node.
    #[must_use]
    pub fn name(&self, node: usize) -> &str {
        &self.names[node]
    }

    /// Its answer was good.
    pub fn report_ok(&self, node: usize) {
        self.rotation().report_ok(node);
        self.metrics.node(self.name(node), true);
    }

    /// Its answer was bad: it is left out for a while.
    pub fn report_failure(&self, node: usize, trouble: &Trouble) {
        let now = self.now();
        let rest = self.rotation().report_failure(node, trouble, now);
        warn!(node = self.name(node), %trouble, seconds = rest / 1_000, "node left out");
        self.metrics.node(self.name(node), false);
        self.metrics.trouble(self.name(node), trouble.kind());
    }

    /// Blames a node if its answer was bad.
    ///
    /// # Errors
    /// The trouble in the answer.
    pub fn judged<T>(&self, node: usize, answer: Answer<T>) -> Answer<T> {
        if let Err(trouble) = &answer {
            self.report_failure(node, trouble);
        }
        answer
    }

    /// Sends a transaction to all nodes in use that are of this cluster. One that takes it is enough, and the others
    /// are not waited for.
    ///
    /// # Errors
    /// The trouble with the last one, if none took it.
    pub async fn send(&self, transaction: &VersionedTransaction) -> Answer<()> {
        let mut nodes = self.rotation().all_in(self.now());
        nodes.retain(|node| self.known[*node]);
        let mut sending = JoinSet::new();
        for node in nodes {
            let (chain, transaction) = (Arc::clone(&self.nodes[node]), transaction.clone());
            sending.spawn(async move { (node, chain.send(&transaction).await) });
        }
        let mut outcome = Err(Trouble::Failed("there is no node to send to".to_owned()));
        while let Some(sent) = sending.join_next().await {
            match sent {
                Ok((_, Ok(()))) => {
                    sending.detach_all();
                    return Ok(());
                }
                // That it was processed already, that its blockhash is not known there yet: no reason to leave a node
                // out.
                Ok((_, Err(trouble @ Trouble::Failed(_)))) => outcome = Err(trouble),
                Ok((node, Err(trouble))) => {
                    self.report_failure(node, &trouble);
                    outcome = Err(trouble);
                }
                Err(error) => outcome = Err(Trouble::Failed(error.to_string())),
            }
        }
        outcome
    }

    /// Gets to know the nodes that are in use and not known yet, without waiting for them: so that transactions go to
    /// all. Call it now and then.
    pub async fn check_health(&mut self) {
        let now = self.now();
        for node in 0..self.nodes.len() {
            match self.asked[node].take() {
                Some(asked) if asked.is_finished() => {
                    let genesis = asked
                        .await
                        .unwrap_or_else(|error| Err(Trouble::Failed(error.to_string())));
                    // Told in the log.
                    let _ = self.recognize(node, genesis);
                }
                Some(asked) => self.asked[node] = Some(asked),
                None if !self.known[node] && self.rotation().is_in(node, now) => {
                    let chain = Arc::clone(&self.nodes[node]);
                    self.asked[node] = Some(tokio::spawn(async move { chain.genesis().await }));
                }
                None => {}
            }
        }
    }

    /// Tells whether a node is in use. For whoever follows one meanwhile.
    pub fn watch(&self) -> impl Fn(usize) -> bool + Send + Sync + 'static {
        let (rotation, started) = (Arc::clone(&self.rotation), self.started);
        move |node| {
            let now = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
            rotation.lock().unwrap_or_else(PoisonError::into_inner).is_in(node, now)
        }
    }

    /// How many nodes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// True if there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }
}

/// This machine's clock, seconds since 1970.
#[must_use]
pub fn wall_clock() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// Name of a node for logs: scheme and host of its URL. The rest may be the key of whoever pays for it.
#[must_use]
pub fn name_of(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    let host = host.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}")
}

/// Whom a transaction of a keeper concerns, for logs.
#[must_use]
pub fn short(address: &Pubkey) -> String {
    address.to_string().chars().take(8).collect()
}

#[cfg(test)]
mod tests;

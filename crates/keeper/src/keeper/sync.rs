//! Keeping the index true: what a subscription tells, what is loaded, and whether the sum is right.

use std::time::{Duration, Instant};

use anchor_lang::prelude::Pubkey;
use breakwater_engine::{Key, Market};
use tracing::{info, warn};

use super::{Keeper, Loading};
use crate::{
    chain::{Answer, At, Chain},
    follow::News,
    index::Entry,
    metrics::name,
    prices::{Account, Updates},
    rotation::Trouble,
    snapshot::account_shares,
};

/// The index and the market are not of the same moment, so a difference that lasts this long is one.
const DOUBT: Duration = Duration::from_secs(5);
/// After a load that did not help, the next one for a difference waits this long, and then twice as long each time.
const PATIENCE: Duration = Duration::from_secs(10);
/// News of slots so far ahead of what nodes have shown are not believed.
const AHEAD: u64 = 150;
/// Addresses in one question.
const QUESTION: usize = 100;

/// Where the loads of all accounts stand.
#[derive(Default)]
pub struct Sync {
    loading: Option<Loading>,
    /// When all accounts were last loaded.
    loaded: Option<Instant>,
    /// Since when the sum has been wrong.
    wrong_since: Option<Instant>,
    /// Loads for a wrong sum, in a row.
    in_vain: u32,
    /// The next load is due at once.
    wanted: bool,
}

impl<C: Chain + 'static, U: Updates> Keeper<C, U> {
    /// Loads all accounts and waits for it.
    pub(super) async fn load_now(&mut self) -> Answer<()> {
        let node = self.rpc_pool.reader().await?;
        let answer = self.rpc_pool.node(node).margin_accounts(&self.market_key()).await;
        let all = self.rpc_pool.judged(node, answer)?;
        self.replace(&all);
        Ok(())
    }

    /// Begins to load all accounts if it is time to, and takes them in when they are there.
    pub(super) async fn resync(&mut self, node: usize, market: &Market) {
        if let Some(loading) = self.sync.loading.take_if(|loading| loading.is_finished()) {
            match loading.await {
                Ok((node, answer)) => {
                    if let Ok(all) = self.rpc_pool.judged(node, answer) {
                        self.replace(&all);
                    }
                }
                Err(error) => warn!(%error, "loading accounts broke off"),
            }
        }
        let due = self.sync.loaded.is_none_or(|at| at.elapsed() >= self.settings.resync);
        let doubted = self.doubt(market);
        if self.sync.loading.is_none() && (due || doubted || self.sync.wanted) {
            self.sync.wanted = false;
            let (chain, market) = (self.rpc_pool.node(node).clone(), self.market_key());
            let load = async move { (node, chain.margin_accounts(&market).await) };
            self.sync.loading = Some(tokio::spawn(load));
        }
    }

    /// True if the sum of all debt has been wrong for too long: updates were missed, or a node left accounts out. The
    /// market's own books say what it must be.
    fn doubt(&mut self, market: &Market) -> bool {
        let (expected, followed) = (account_shares(market), self.index.debt_shares());
        #[allow(clippy::cast_precision_loss, reason = "a gauge")]
        self.metrics
            .set_to(name::debt_shares_missing, expected as f64 - followed as f64);
        self.metrics.set(name::accounts, self.index.len() as u64);
        let sync = &mut self.sync;
        if expected == followed {
            (sync.wrong_since, sync.in_vain) = (None, 0);
            return false;
        }
        let since = *sync.wrong_since.get_or_insert_with(Instant::now);
        let patience = DOUBT
            + if sync.in_vain == 0 {
                Duration::ZERO
            } else {
                PATIENCE * (1 << sync.in_vain.min(6))
            };
        if since.elapsed() < patience {
            return false;
        }
        warn!(
            expected,
            followed, "the accounts' debt is not that of the market's books: loading all again"
        );
        sync.wrong_since = Some(Instant::now());
        sync.in_vain += 1;
        true
    }

    /// Takes in all accounts as they were at a slot. Accounts known only from before that are gone.
    fn replace(&mut self, all: &At<Vec<Entry>>) {
        let changed = all.value.iter().filter(|entry| self.index.update(**entry)).count();
        let old = self.index.iter().filter(|entry| entry.seen < all.slot);
        let gone: Vec<Key> = old.map(|entry| entry.address).collect();
        for address in &gone {
            self.index.remove(address, all.slot);
        }
        self.sync.loaded = Some(Instant::now());
        self.metrics.add(name::resyncs_total, 1);
        info!(
            accounts = self.index.len(),
            changed,
            gone = gone.len(),
            slot = all.slot,
            "loaded all accounts"
        );
    }

    /// Takes in all news that are there.
    pub(super) fn drain_updates(&mut self) {
        let Some(mut news) = self.news.take() else { return };
        while let Ok(update) = news.try_recv() {
            self.take_in(update);
        }
        self.news = Some(news);
    }

    pub(super) fn take_in(&mut self, update: News) {
        match update {
            News::Account(entry) if entry.seen <= self.trust.newest().saturating_add(AHEAD) => {
                self.index.update(entry);
            }
            // Of the far future: it would keep true news out for as long.
            News::Account(_) | News::Price => {}
            News::Connected => self.sync.wanted = true,
        }
    }

    /// Asks for accounts that may have changed, and takes them in.
    pub(super) async fn refresh(&mut self, node: usize, addresses: &[Pubkey]) -> Answer<()> {
        for some in addresses.chunks(QUESTION) {
            let answer = self.rpc_pool.node(node).accounts(some).await;
            let At { slot, value } = self.rpc_pool.judged(node, answer)?;
            for (address, account) in some.iter().zip(value) {
                let entry = entry(*address, account.as_ref(), slot);
                let entry = self.rpc_pool.judged(node, entry)?;
                self.index.update(entry);
            }
        }
        Ok(())
    }
}

/// The entry of an account; without debt if it is gone.
fn entry(address: Pubkey, account: Option<&Account>, slot: u64) -> Answer<Entry> {
    let address = Key(address.to_bytes());
    let margin = match account.filter(|account| !account.data.is_empty()) {
        None => bytemuck::Zeroable::zeroed(),
        Some(account) => breakwater_client::decode::margin_account(&account.data)
            .map_err(|error| Trouble::Wrong(error.to_string()))?,
    };
    Ok(Entry::new(address, &margin, slot))
}

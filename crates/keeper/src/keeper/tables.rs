//! Looking after lookup tables.

use std::time::{Duration, Instant};

use anchor_lang::prelude::Pubkey;
use breakwater_engine::{Price, math::num};
use solana_signer::Signer;
use tracing::{debug, info, warn};

use super::{Keeper, post};
use crate::{
    chain::{Answer, Chain},
    index::Moment,
    limits::ACCOUNT_LOCKS,
    metrics::name,
    outbox::Kind,
    prices::Updates,
    snapshot::Snapshot,
    table::{Table, Upkeep, upkeep},
    transact::{Draft, fixed},
};

/// How often the keeper's tables are looked for.
const LOOK: Duration = Duration::from_secs(30);
/// At least, between two transactions about tables.
const PAUSE: Duration = Duration::from_secs(2);

impl<C: Chain + 'static, U: Updates> Keeper<C, U> {
    /// The tables that batches may use.
    pub(super) fn usable_tables(&self) -> Vec<Table> {
        self.tables
            .iter()
            .filter(|table| table.in_use() && !table.is_empty())
            .cloned()
            .collect()
    }

    /// Finds the keeper's tables, if it has not lately, or if one was about to change.
    pub(super) async fn see_tables(&mut self, node: usize) {
        let off = self.settings.tables.most == 0 && self.settings.tables.given.is_empty();
        let settled = self.tables.iter().all(Table::is_settled);
        if !off && (!settled || self.tables_read.is_none_or(|at| at.elapsed() >= LOOK)) {
            self.find_tables(node).await;
        }
    }

    /// Does the next thing to the keeper's tables, if there is one: a transaction at a time. Not while accounts are
    /// being liquidated. Returns how many transactions were sent.
    pub(super) async fn look_after_tables(&mut self, node: usize, seen: &Snapshot) -> Answer<usize> {
        let most = self.settings.tables.most;
        let rests = self.tables_rest.is_some_and(|until| Instant::now() < until);
        let busy = rests || self.outbox.count(Kind::Liquidate) > 0 || self.outbox.count(Kind::Table) > 0;
        if most == 0 || busy || seen.ledger.is_none() {
            return Ok(0);
        }
        let keys = seen.prices.keys(&self.keys);
        let mut fixed = fixed(&keys, &self.signer.pubkey()).movable;
        if let Some(shard) = self.updates.shard() {
            fixed.extend(post::fixed(&self.pins, &self.signer.pubkey(), shard));
        }
        let wanted = self.wanted(seen);
        let Some(step) = upkeep(&self.tables, &fixed, &wanted, most, seen.slot) else {
            return Ok(0);
        };
        match &step {
            Upkeep::Create(addresses) => info!(addresses = addresses.len(), "making a lookup table"),
            Upkeep::Extend(table, addresses) => info!(%table, addresses = addresses.len(), "extending a lookup table"),
            Upkeep::GiveUp(table) => info!(%table, "giving up a lookup table that is of little use"),
            Upkeep::Close(table) => info!(%table, "closing a lookup table"),
        }
        // A table's address comes from a slot that every node must have finished.
        let instructions = step.instructions(&self.signer.pubkey(), seen.clock.slot.saturating_sub(1));
        let sent = self.dispatch(node, vec![Draft::table(instructions)]).await?;
        // Refused: the slot was skipped, or the keeper has too little for the rent. Sent: the next node may not know of
        // it at once, and the same would be done twice.
        self.tables_rest = Some(Instant::now() + if sent == 0 { LOOK } else { PAUSE });
        Ok(sent)
    }

    /// The accounts that a fall of the price would liquidate, those it would liquidate first at the front. None if they
    /// would fit into a transaction without a table.
    fn wanted(&self, seen: &Snapshot) -> Vec<Pubkey> {
        let within = self.settings.tables.within.min(num::BPS);
        let guarded = seen.market.guard.reference;
        let Ok(price) = guarded.scale_down(num::BPS - within) else {
            return Vec::new();
        };
        if price == Price::default() {
            return Vec::new();
        }
        let Ok(moment) = Moment::new(&seen.market, price, seen.clock) else {
            return Vec::new();
        };
        let near = self.index.nearest().take_while(|entry| moment.is_liquidatable(entry));
        let near: Vec<Pubkey> = near
            .map(|entry| Pubkey::new_from_array(entry.address.0))
            .take(self.settings.tables.most * 256)
            .collect();
        if near.len() < ACCOUNT_LOCKS / 4 {
            Vec::new()
        } else {
            near
        }
    }

    async fn find_tables(&mut self, node: usize) {
        self.tables_read = Some(Instant::now());
        let chain = self.rpc_pool.node(node).clone();
        let mut found = Vec::new();
        match chain.lookup_tables(&self.signer.pubkey()).await {
            Ok(all) => {
                let tables = all
                    .value
                    .iter()
                    .filter_map(|(address, data)| Table::decode(*address, data, all.slot));
                found.extend(tables.filter(|table| table.is_of(&self.keys.market)));
            }
            // Some nodes do not answer this question. That makes them no worse at all others.
            Err(trouble) => warn!(%trouble, "lookup tables cannot be found here: see --lookup-table"),
        }
        if let Ok(given) = chain.accounts(&self.settings.tables.given).await {
            for (address, account) in self.settings.tables.given.iter().zip(given.value) {
                let table = account.and_then(|account| Table::decode(*address, &account.data, given.slot));
                let known = found.iter().any(|table: &Table| table.address == *address);
                found.extend(table.filter(|_| !known));
            }
        }
        debug!(tables = found.len(), "found lookup tables");
        self.tables = found;
        let used = self.usable_tables();
        self.metrics.set(name::tables, used.len() as u64);
        self.metrics
            .set(name::table_addresses, used.iter().map(|table| table.len() as u64).sum());
    }
}

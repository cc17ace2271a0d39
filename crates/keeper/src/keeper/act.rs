//! Simulating, sending, and seeing what became of it.

use std::time::Instant;

use anchor_lang::prelude::Pubkey;
use breakwater_engine::Key;
use futures_util::future::join_all;
use solana_transaction::versioned::VersionedTransaction;
use tracing::{info, warn};

use super::Keeper;
use crate::{
    chain::{Answer, Chain, Simulated},
    metrics::name,
    outbox::{Kind, Outcome, Pending},
    prices::Updates,
    rpc_pool::short,
    snapshot::key,
    transact::{Draft, Lookup, liquidated},
};

impl<C: Chain + 'static, U: Updates> Keeper<C, U> {
    /// Simulates drafts, and sends those that do something. Returns how many.
    pub(super) async fn dispatch(&mut self, node: usize, drafts: Vec<Draft>) -> Answer<usize> {
        if drafts.is_empty() {
            return Ok(0);
        }
        let asked = self.rpc_pool.node(node).recent_fees(&self.keys.market).await;
        // Without an answer the floor will have to do.
        let recent = asked.unwrap_or_default();
        let price = self.settings.fees.price(&recent, self.outbox.expired_in_a_row);
        self.metrics.set(name::priority_fee, price);
        let asked = self.rpc_pool.node(node).blockhash().await;
        let blockhash = self.rpc_pool.judged(node, asked)?;
        let tables = self.usable_tables();
        let mut signed: Vec<(Draft, VersionedTransaction)> = Vec::new();
        for draft in drafts {
            match draft.sign(&self.signer, price, &tables, blockhash.hash) {
                Ok(transaction) => signed.push((draft, transaction)),
                Err(error) => warn!(kind = draft.kind.name(), error, "a transaction cannot be made"),
            }
        }
        let chain = self.rpc_pool.node(node).clone();
        let simulated = join_all(signed.iter().map(|(_, transaction)| chain.simulate(transaction))).await;
        let (mut ready, mut idle) = (Vec::new(), Vec::new());
        let mut answered = Ok(());
        for ((draft, transaction), simulated) in signed.into_iter().zip(simulated) {
            match self.rpc_pool.judged(node, simulated) {
                Ok(simulated) if self.is_worth(&draft, &simulated) => ready.push((draft, transaction)),
                // Somebody was faster, or what is known of these accounts is old.
                Ok(_) => idle.extend(draft.accounts),
                Err(trouble) => answered = Err(trouble),
            }
        }
        let mut count = ready.len();
        if !self.settings.dry_run {
            let sent = join_all(ready.iter().map(|(_, transaction)| self.rpc_pool.send(transaction))).await;
            count = sent.iter().filter(|sent| sent.is_ok()).count();
            for ((draft, transaction), sent) in ready.into_iter().zip(sent) {
                self.note_sent(&draft, transaction, blockhash.last_valid, sent);
            }
        }
        answered?;
        self.refresh(node, &idle).await?;
        Ok(count)
    }

    fn note_sent(&mut self, draft: &Draft, transaction: VersionedTransaction, last_valid: u64, sent: Answer<()>) {
        let kind = draft.kind.name();
        if let Err(trouble) = sent {
            self.metrics.transaction(kind, "not_sent");
            warn!(kind, %trouble, "no node took the transaction");
            return;
        }
        self.metrics.transaction(kind, "sent");
        self.outbox.add(Pending {
            kind: draft.kind,
            accounts: draft.accounts.iter().map(key).collect(),
            last_valid,
            sent: Instant::now(),
            transaction,
        });
    }

    /// True if a transaction would do its work. Says so in the log.
    fn is_worth(&self, draft: &Draft, simulated: &Simulated) -> bool {
        let kind = draft.kind.name();
        let units = simulated.units;
        if let Some(error) = &simulated.error {
            self.metrics.transaction(kind, "refused");
            let last = simulated
                .logs
                .iter()
                .rev()
                .find(|line| line.contains("Error") || line.contains("failed"))
                .map_or("", String::as_str);
            warn!(
                kind,
                error,
                last,
                accounts = draft.accounts.len(),
                "simulated, and refused"
            );
            return false;
        }
        let verb = if self.settings.dry_run { "would send" } else { "sending" };
        if draft.kind != Kind::Liquidate {
            info!(kind, units, limit = draft.units, "{verb}");
            return true;
        }
        let (accounts, bounty) = liquidated(simulated);
        if accounts.is_empty() {
            self.metrics.transaction(kind, "nothing_to_do");
            info!(
                kind,
                accounts = draft.accounts.len(),
                "simulated, and nobody would be liquidated"
            );
            return false;
        }
        self.metrics.add(name::liquidations_total, accounts.len() as u64);
        self.metrics.add(name::bounty_total, bounty);
        let first = short(&accounts[0]);
        let table = draft.tables != Lookup::One(None);
        info!(
            kind,
            accounts = draft.accounts.len(),
            liquidated = accounts.len(),
            first,
            bounty,
            units,
            limit = draft.units,
            table,
            "{verb}"
        );
        true
    }

    /// Sees what became of transactions, and passes those that are under way on again.
    pub(super) async fn settle_outbox(&mut self, node: usize) -> Answer<()> {
        if self.outbox.is_empty() {
            return Ok(());
        }
        let chain = self.rpc_pool.node(node).clone();
        // The height first: what is not confirmed at a height beyond its last will not be.
        let height = self.rpc_pool.judged(node, chain.block_height().await)?;
        let statuses = self
            .rpc_pool
            .judged(node, chain.statuses(&self.outbox.signatures()).await)?;
        let mut touched = Vec::new();
        for (pending, outcome) in self.outbox.settle(&statuses, height) {
            let kind = pending.kind.name();
            self.metrics.transaction(kind, outcome.name());
            let (signature, accounts) = (pending.signature().to_string(), pending.accounts.len());
            match &outcome {
                Outcome::Done => info!(kind, accounts, signature, "confirmed"),
                Outcome::Failed(why) => warn!(kind, accounts, signature, why, "failed"),
                Outcome::Expired => warn!(kind, accounts, signature, "expired: it will be planned again"),
            }
            touched.extend(pending.accounts.iter().map(|Key(bytes)| Pubkey::new_from_array(*bytes)));
            match pending.kind {
                Kind::Table => self.tables_read = None,
                Kind::Post => self.postings.settled(&outcome),
                _ => {}
            }
        }
        for transaction in self.outbox.to_repeat(Instant::now()) {
            // If no node takes it, it expires.
            let _ = self.rpc_pool.send(&transaction).await;
        }
        self.refresh(node, &touched).await
    }
}

//! One round.

use anchor_lang::prelude::Pubkey;
use breakwater_client::feeds::pull_feeds;
use breakwater_engine::{KeeperLedger, Level, Market, Quote, math::num};
use solana_signer::Signer;
use tracing::{debug, info, warn};

use super::{Keeper, Round};
use crate::{
    chain::{Answer, Chain},
    crank::claimable,
    metrics::{Metrics, labeled, name},
    outbox::Kind,
    pack::pack,
    plan::{Plan, Scene, plan},
    prices::Updates,
    rpc_pool::wall_clock,
    snapshot::{Shown, Snapshot, snapshot},
    transact::{Draft, fixed},
};

/// At most so many accounts are planned for at once.
const MOST: usize = 5_000;

impl<C: Chain + 'static, U: Updates> Keeper<C, U> {
    /// Looks, decides, acts.
    ///
    /// # Errors
    /// The trouble with the last node that was asked.
    pub async fn look(&mut self) -> Answer<Round> {
        // What is on its way comes first, and a server is not asked more often for it.
        if !self.postings.is_underway() {
            self.updates.refresh(&pull_feeds(&self.pins)).await;
        }
        self.rpc_pool.check_health().await;
        let (mut node, mut seen) = self.snapshot_somewhere().await?;
        if self.follow_pins(&seen.market) {
            (node, seen) = self.snapshot_somewhere().await?;
        }
        self.drain_updates();
        self.settle_outbox(node).await?;
        self.resync(node, &seen.market).await;
        self.report(&seen);
        self.compare_depth(&seen.market);
        self.see_tables(node).await;
        let drafts = self.decide(&seen);
        let due = drafts
            .iter()
            .filter(|draft| draft.kind == Kind::Liquidate)
            .map(|draft| draft.accounts.len())
            .sum();
        let sent = self.dispatch(node, drafts).await?;
        let sent = sent + self.post(node, &seen).await?;
        let sent = sent + self.look_after_tables(node, &seen).await?;
        self.metrics.set(name::pending, self.outbox.len() as u64);
        Ok(Round { due, sent })
    }

    /// A look that can be believed, of whichever node has one to give.
    async fn snapshot_somewhere(&mut self) -> Answer<(usize, Snapshot)> {
        let mut attempts = 0..self.rpc_pool.len();
        loop {
            let node = self.rpc_pool.reader().await?;
            let (chain, keeper) = (self.rpc_pool.node(node).as_ref(), self.signer.pubkey());
            let asked = snapshot(chain, &self.keys.market, &keeper, &self.feeds).await;
            let answer = asked.and_then(|seen| {
                self.trust
                    .judge(seen.slot, seen.clock.unix, &seen.market, wall_clock())?;
                Ok(seen)
            });
            match self.rpc_pool.judged(node, answer) {
                Ok(seen) => {
                    self.rpc_pool.report_ok(node);
                    return Ok((node, seen));
                }
                Err(_) if attempts.next().is_some() => {}
                Err(trouble) => {
                    // Nobody keeps up with the newest slot: whoever showed it may have made it up.
                    self.trust.start_over();
                    return Err(trouble);
                }
            }
        }
    }

    /// Decides on the transactions to send.
    fn decide(&self, seen: &Snapshot) -> Vec<Draft> {
        let shown = &seen.prices;
        let scene = Scene {
            address: self.market_key(),
            market: &seen.market,
            readings: &shown.readings,
            clock: seen.clock,
        };
        let busy = self.outbox.busy();
        let plan = plan(&scene, &self.index, MOST, |account| busy.contains(&account.0));
        report_plan(&self.metrics, &plan);
        if plan.found > 0 {
            info!(found = plan.found, due = plan.liquidatable.len(), skipped = ?plan.skipped, bounty = plan.bounty(), "accounts to liquidate");
        }
        if let Some(refused) = plan.refused {
            debug!(%refused, "nobody can be liquidated at these prices");
        }
        let mut drafts = Vec::new();
        if seen.ledger.is_some() {
            drafts.extend(self.batches(shown, &plan));
        }
        drafts.extend(self.cranks(seen, &plan));
        drafts
    }

    fn batches(&self, shown: &Shown, plan: &Plan) -> Vec<Draft> {
        let keys = shown.keys(&self.keys);
        let keeper = self.signer.pubkey();
        let due: Vec<Pubkey> = plan
            .liquidatable
            .iter()
            .map(|due| Pubkey::new_from_array(due.account.0))
            .collect();
        let space = self
            .settings
            .in_flight
            .saturating_sub(self.outbox.count(Kind::Liquidate));
        let batches = pack(&fixed(&keys, &keeper), &self.usable_tables(), &due)
            .into_iter()
            .take(space);
        batches
            .map(|batch| Draft::batch(&keys, &keeper, &batch.accounts, batch.table))
            .collect()
    }

    fn cranks(&self, seen: &Snapshot, plan: &Plan) -> Vec<Draft> {
        let (cranks, shown) = (&self.settings.cranks, &seen.prices);
        let keeper = self.signer.pubkey();
        let mut drafts = Vec::new();
        let waiting = plan.skipped.gap > 0;
        // A batch shows the price as well.
        let reason = cranks
            .observe(&seen.market, &shown.readings, seen.clock, waiting)
            .filter(|_| plan.liquidatable.is_empty());
        if let Some(reason) = reason {
            debug!(?reason, "showing the price");
            drafts.push(Draft::observe(&shown.keys(&self.keys)));
        }
        if seen.ledger.is_none() {
            drafts.push(Draft::open_ledger(&self.keys, &keeper));
        }
        if seen.ledger.is_some_and(|ledger| cranks.claim(&seen.market, &ledger)) {
            drafts.push(Draft::claim(&self.keys, &keeper));
        }
        if cranks.settle(&seen.market, Some(&shown.readings), seen.clock) {
            drafts.push(Draft::settle(&shown.keys(&self.keys)));
        }
        drafts.retain(|draft| self.outbox.count(draft.kind) == 0);
        drafts
    }

    /// Warns of a market whose configured depth is larger than what was measured: it sells more than the market bears.
    fn compare_depth(&mut self, market: &Market) {
        let Some(path) = &self.settings.depth_file else { return };
        let measured = match self.depth.read(path) {
            Ok(measured) => measured,
            Err(why) => {
                warn!(why, "the depth that was measured cannot be read");
                None
            }
        };
        let configured = market.config.market_depth;
        self.metrics.set(name::market_depth, configured.0);
        self.metrics
            .set(name::measured_depth, measured.map_or(0, |depth| depth.0));
        let too_large = measured.is_some_and(|depth| configured > depth);
        self.metrics.set(name::depth_too_large, too_large.into());
        let before = std::mem::replace(&mut self.depth_too_large, too_large);
        let measured = measured.map_or(0, |depth| depth.0);
        match (before, too_large) {
            (false, true) => warn!(
                configured = configured.0,
                measured,
                "the market's depth is configured larger than it was measured: it sells more than the market bears"
            ),
            (true, false) => info!(
                configured = configured.0,
                measured, "the configured depth is no larger than the measured one"
            ),
            _ => {}
        }
    }

    #[allow(clippy::cast_precision_loss, reason = "gauges")]
    fn report(&mut self, seen: &Snapshot) {
        let metrics = &self.metrics;
        metrics.set(name::slot, seen.slot);
        metrics.set(name::lamports, seen.lamports);
        metrics.set(name::level, u64::from(seen.market.guard.level));
        let of_ledger = |amount: fn(&Market, &KeeperLedger) -> Quote| {
            seen.ledger.map_or(0, |ledger| amount(&seen.market, &ledger).0)
        };
        metrics.set(name::credit, of_ledger(|_, ledger| ledger.credit));
        metrics.set(name::claimable, of_ledger(claimable));
        let age = |then: i64| seen.clock.unix.saturating_sub(then) as f64;
        metrics.set_growing(name::guard_age_seconds, age(seen.market.guard.moved_at));
        metrics.set_growing(name::price_age_seconds, age(self.blind.newest(&seen.prices.readings)));
        let mut market = *seen.market;
        let observed = market.observe_price(&seen.prices.readings, seen.clock);
        let refused = observed.as_ref().err().copied();
        self.blind.look(metrics, refused.filter(|_| !self.has_better(seen)));
        if let Ok((prices, _)) = observed {
            metrics.set_to(name::price, prices.spot().raw() as f64 / num::ONE as f64);
            if let Ok(balance_sheet) = market.balance_sheet(&prices, seen.clock) {
                metrics.set_to(name::cover, balance_sheet.cover.cover as f64);
                metrics.set(name::pipeline_headroom, balance_sheet.pipeline_headroom.0);
            }
            debug!(level = ?Level::from_byte(market.guard.level), slot = seen.slot, "looked");
        }
    }
}

fn report_plan(metrics: &Metrics, plan: &Plan) {
    metrics.set(name::liquidatable, plan.found as u64);
    metrics.set(name::liquidatable_now, plan.liquidatable.len() as u64);
    let taken_over = plan
        .liquidatable
        .iter()
        .filter(|due| due.liquidation.taken_over)
        .count();
    metrics.set(name::taken_over, taken_over as u64);
    for (reason, count) in plan.skipped.reasons() {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        metrics.set_labeled(name::skipped, labeled(&[("reason", reason)]), f64::from(count));
    }
    metrics.clear(name::refused);
    if let Some(error) = plan.refused {
        metrics.set_labeled(name::refused, labeled(&[("error", &format!("{error:?}"))]), 1.0);
    }
}

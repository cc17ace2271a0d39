//! Posting updates: the transactions of one after the other, and what is left behind.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use anchor_lang::{prelude::Pubkey, system_program};
use breakwater_client::pyth::{self, Action, FeedId, Poster, Posting, SignerSet, Stack, Update};
use breakwater_engine::{Feeds, Readings};
use solana_signer::Signer;
use tracing::{debug, info, warn};

use super::Keeper;
use crate::{
    chain::{Answer, Chain},
    metrics::name,
    outbox::{Kind, Outcome},
    plan::Scene,
    post::{Offer, account_seed, turn},
    prices::Updates,
    snapshot::Snapshot,
    table::Table,
    transact::Draft,
};

/// Rest after a posting that came to nothing; twice as long each time.
const REST: Duration = Duration::from_secs(1);
/// The longest of these, as a power of two of [`REST`].
const DOUBLINGS: u32 = 6;
/// How often accounts that postings have left behind are looked for.
const SEARCH: Duration = Duration::from_mins(10);
/// Accounts closed in one transaction.
const CLOSED: usize = 8;

/// What a keeper knows of its postings.
#[derive(Default)]
pub(super) struct Postings {
    underway: Option<Underway>,
    /// The last one that came to its end, until the chain shows it.
    ended: Option<Underway>,
    /// Accounts of VAAs to close.
    left: Vec<(Stack, Pubkey)>,
    /// Publish time of the oldest price that was posted last.
    posted: Option<i64>,
    /// The moment that others are left to post for, and how many looks they have had.
    waiting: Option<(i64, u32)>,
    rest: Option<Instant>,
    failures: u32,
    /// The set of signers that was checked last.
    signers: Option<(Stack, SignerSet)>,
    searched: Option<Instant>,
}

/// One update on its way.
struct Underway {
    stack: Stack,
    account: Pubkey,
    /// The transactions to come.
    rest: VecDeque<pyth::Draft>,
    /// True once the account may be there.
    created: bool,
    feeds: Vec<FeedId>,
    readings: Readings,
    started: Instant,
}

impl Postings {
    /// True if something is to be done yet: `once` goes on.
    pub(super) fn is_busy(&self) -> bool {
        self.underway.is_some() || self.waiting.is_some()
    }

    /// True if an update is on its way.
    pub(super) fn is_underway(&self) -> bool {
        self.underway.is_some()
    }

    /// Takes in how a transaction of a posting ended.
    pub(super) fn settled(&mut self, outcome: &Outcome) {
        if *outcome != Outcome::Done {
            self.abandon();
        }
    }

    /// Gives a posting up; what it has made is closed later.
    fn abandon(&mut self) {
        if let Some(underway) = self.underway.take().filter(|underway| underway.created) {
            self.left.push((underway.stack, underway.account));
        }
        self.back_off();
    }

    fn back_off(&mut self) {
        self.rest = Some(Instant::now() + REST * (1 << self.failures.min(DOUBLINGS)));
        self.failures = self.failures.saturating_add(1);
    }
}

impl<C: Chain + 'static, U: Updates> Keeper<C, U> {
    /// Does the next thing about postings, if there is one: a transaction at a time. Returns how many were sent.
    pub(super) async fn post(&mut self, node: usize, seen: &Snapshot) -> Answer<usize> {
        let Some(shard) = self.updates.shard() else {
            return Ok(0);
        };
        if self.outbox.count(Kind::Post) > 0 {
            return Ok(0);
        }
        if self.postings.underway.is_some() {
            return self.go_on(node, seen).await;
        }
        let reclaimed = self.reclaim(node).await?;
        let rests = self.postings.rest.is_some_and(|until| Instant::now() < until);
        if rests {
            return Ok(reclaimed);
        }
        let Some(offer) = self.offered(seen) else {
            return Ok(reclaimed);
        };
        Ok(reclaimed + self.begin(node, seen, offer, shard).await?)
    }

    /// True if the market would believe the newest update, and the last posting went well: what accounts lack is posted
    /// as soon as somebody is liquidatable.
    pub(super) fn has_better(&self, seen: &Snapshot) -> bool {
        if self.postings.failures > 0 || self.settings.dry_run || self.updates.shard().is_none() {
            return false;
        }
        let update = self.updates.newest();
        let offer = update.and_then(|update| Offer::of(&seen.market, &seen.prices.readings, update, seen.clock));
        let mut market = *seen.market;
        offer.is_some_and(|offer| market.observe_price(&offer.readings, seen.clock).is_ok())
    }

    /// The newest update, if it should be posted now and it is this keeper's turn.
    fn offered(&mut self, seen: &Snapshot) -> Option<(Offer, Update)> {
        if let Some(ended) = self.postings.ended.take() {
            if !ended.is_shown(seen) {
                warn!("prices were posted, and the market's accounts do not show them");
                self.postings.back_off();
                return None;
            }
            self.postings.failures = 0;
        }
        let waiting = self.postings.waiting.take();
        let update = self.updates.newest()?;
        let chain = &seen.prices.readings;
        let offer = Offer::of(&seen.market, chain, update, seen.clock)?;
        let scene = Scene {
            address: self.market_key(),
            market: &seen.market,
            readings: chain,
            clock: seen.clock,
        };
        let why = offer.why(&scene, &self.index, &self.settings.cranks, self.settings.post_bps)?;
        let published = oldest(&self.pins, chain, &offer.feeds);
        let last = self.postings.posted == Some(published);
        let turn = turn(&self.signer.pubkey(), last, published);
        let waited = match waiting {
            Some((moment, waited)) if moment == published => waited,
            _ => 0,
        };
        if waited < turn {
            self.postings.waiting = Some((published, waited + 1));
            debug!(why = why.name(), waited, turn, "leaving a posting to others");
            return None;
        }
        self.metrics.count(name::postings_total, &[("reason", why.name())]);
        info!(why = why.name(), feeds = offer.feeds.len(), "posting prices");
        Some((offer, update.clone()))
    }

    async fn begin(
        &mut self,
        node: usize,
        seen: &Snapshot,
        (offer, update): (Offer, Update),
        shard: u16,
    ) -> Answer<usize> {
        if let Err(error) = self.check_signers(node, offer.stack, &update, seen.clock.unix).await? {
            self.metrics
                .count(name::hermes_troubles_total, &[("kind", "signatures")]);
            warn!(%error, set = update.vaa.set, "an update is not posted: the chain would not believe it");
            self.postings.back_off();
            self.updates.forget();
            return Ok(0);
        }
        let drafts = self.drafts(node, &offer, &update, shard).await?;
        let (account, drafts) = match drafts {
            Ok(drafts) => drafts,
            Err(error) => {
                warn!(%error, "an update cannot be posted");
                self.postings.back_off();
                return Ok(0);
            }
        };
        self.postings.underway = Some(Underway {
            stack: offer.stack,
            account,
            rest: drafts.into(),
            created: false,
            feeds: offer.feeds,
            readings: offer.readings,
            started: Instant::now(),
        });
        self.go_on(node, seen).await
    }

    async fn drafts(
        &mut self,
        node: usize,
        offer: &Offer,
        update: &Update,
        shard: u16,
    ) -> Answer<pyth::Result<(Pubkey, Vec<pyth::Draft>)>> {
        let bytes = match Posting::vaa_account_bytes(update) {
            Ok(bytes) => bytes,
            Err(error) => return Ok(Err(error)),
        };
        let asked = self.rpc_pool.node(node).rent(bytes).await;
        let tables: Vec<_> = self.usable_tables().iter().map(Table::for_compiling).collect();
        let posting = Posting {
            poster: Poster {
                stack: offer.stack,
                payer: self.signer.pubkey(),
                treasury: treasury(&self.signer.pubkey()),
            },
            shard,
            seed: &account_seed(),
            rent: self.rpc_pool.judged(node, asked)?,
            tables: &tables,
            then: &Action::default(),
        };
        let drafts = posting.transactions(update, &offer.feeds);
        Ok(drafts.and_then(|drafts| Ok((posting.vaa_account()?, drafts))))
    }

    /// Checks an update's signatures as the bridge will, so that no fee is spent on one that it refuses.
    async fn check_signers(
        &mut self,
        node: usize,
        stack: Stack,
        update: &Update,
        now: i64,
    ) -> Answer<pyth::Result<()>> {
        if let Some((_, known)) = self.postings.signers.as_ref().filter(|(of, _)| *of == stack)
            && update.check(known, now).is_ok()
        {
            return Ok(Ok(()));
        }
        let asked = self
            .rpc_pool
            .node(node)
            .accounts(&[stack.signer_set(update.vaa.set)])
            .await;
        let found = self.rpc_pool.judged(node, asked)?;
        let account = found
            .value
            .into_iter()
            .flatten()
            .next()
            .filter(|account| account.owner == stack.bridge);
        let set = account
            .ok_or(pyth::Error::NotASignerSet)
            .and_then(|account| SignerSet::decode(&account.data));
        Ok(set.and_then(|set| {
            update.check(&set, now)?;
            self.postings.signers = Some((stack, set));
            Ok(())
        }))
    }

    /// Sends the next transaction of the posting under way, or ends it.
    async fn go_on(&mut self, node: usize, seen: &Snapshot) -> Answer<usize> {
        let Some(underway) = &mut self.postings.underway else {
            return Ok(0);
        };
        let overtaken = underway.created && underway.has_prices_left() && underway.is_shown(seen);
        let next = if overtaken { None } else { underway.rest.pop_front() };
        let Some(next) = next else {
            self.finish_posting(overtaken);
            return self.reclaim(node).await;
        };
        underway.created = true;
        let sent = self.dispatch(node, vec![Draft::post(&next)]).await;
        if self.settings.dry_run {
            self.postings.underway = None;
        } else if !matches!(sent, Ok(1)) {
            self.postings.abandon();
        }
        sent
    }

    fn finish_posting(&mut self, overtaken: bool) {
        let Some(underway) = self.postings.underway.take() else {
            return;
        };
        if overtaken {
            info!("somebody else has posted these prices");
            self.postings.left.push((underway.stack, underway.account));
            return;
        }
        let seconds = underway.started.elapsed().as_secs_f64();
        self.metrics.set_to(name::posted_price_seconds, seconds);
        self.postings.posted = Some(oldest(&self.pins, &underway.readings, &underway.feeds));
        info!(feeds = underway.feeds.len(), seconds, "posted prices");
        self.postings.ended = Some(underway);
    }

    /// Closes accounts that postings have left behind: those of this keeper's, and those that a node knows of from
    /// before it was started. Returns how many transactions were sent.
    async fn reclaim(&mut self, node: usize) -> Answer<usize> {
        if self.outbox.count(Kind::Reclaim) > 0 || self.settings.dry_run {
            return Ok(0);
        }
        if self.postings.searched.is_none_or(|at| at.elapsed() >= SEARCH) {
            self.postings.searched = Some(Instant::now());
            self.search(node).await;
        }
        let count = self.postings.left.len().min(CLOSED);
        let some: Vec<(Stack, Pubkey)> = self.postings.left.drain(..count).collect();
        if some.is_empty() {
            return Ok(0);
        }
        // One that cannot be closed is not there, or is found by the next search.
        self.dispatch(node, vec![Draft::reclaim(&self.signer.pubkey(), &some)])
            .await
    }

    async fn search(&mut self, node: usize) {
        let mut stacks: Vec<Stack> = Vec::new();
        for pin in self.pins.as_ref().each() {
            let stack = Stack::of_receiver(&Pubkey::new_from_array(pin.owner.0));
            stacks.extend(stack.filter(|stack| !stacks.contains(stack)));
        }
        for stack in stacks {
            match self
                .rpc_pool
                .node(node)
                .encoded_vaas(&stack.bridge, &self.signer.pubkey())
                .await
            {
                Ok(found) => self
                    .postings
                    .left
                    .extend(found.into_iter().map(|account| (stack, account))),
                // Some nodes do not answer this question. That makes them no worse at all others.
                Err(trouble) => debug!(%trouble, "accounts left by earlier postings cannot be looked for here"),
            }
        }
        self.postings.left.sort_unstable_by_key(|(_, account)| *account);
        self.postings.left.dedup();
    }
}

/// Publish time of the oldest of these feeds' readings; 0 where one has none.
fn oldest(pins: &Feeds, readings: &Readings, feeds: &[FeedId]) -> i64 {
    let own = pins.as_ref().zip(readings.as_ref()).each().into_iter();
    let own = own.filter(|(pin, _)| feeds.contains(&pin.key.0));
    own.map(|(_, reading)| reading.map_or(0, |reading| reading.publish_time))
        .min()
        .unwrap_or(0)
}

/// The receiver's treasury that a keeper pays to. It is locked for writing: others have others, and one of its own can be
/// in a lookup table.
fn treasury(keeper: &Pubkey) -> u8 {
    let [first, ..] = keeper.to_bytes();
    first
}

/// Accounts that every posting of these feeds names and a lookup table may hold.
pub(super) fn fixed(pins: &Feeds, keeper: &Pubkey, shard: u16) -> Vec<Pubkey> {
    let mut all = Vec::new();
    for pin in pins.as_ref().each() {
        let Some(stack) = Stack::of_receiver(&Pubkey::new_from_array(pin.owner.0)) else {
            continue;
        };
        let of_stack = [
            stack.receiver,
            stack.bridge,
            stack.price_feed_program,
            stack.config(),
            stack.treasury(treasury(keeper)),
            system_program::ID,
        ];
        for address in of_stack.into_iter().chain([stack.price_account(shard, &pin.key.0)]) {
            if !all.contains(&address) {
                all.push(address);
            }
        }
    }
    all
}

impl Underway {
    /// True if the next transaction posts a price.
    fn has_prices_left(&self) -> bool {
        let next = self.rest.front().map_or(&[][..], |next| &next.instructions);
        next.iter()
            .any(|instruction| instruction.program_id == self.stack.price_feed_program)
    }

    /// True if the chain has all of these prices, or newer ones.
    fn is_shown(&self, seen: &Snapshot) -> bool {
        let both: Feeds<_> = self.readings.as_ref().zip(seen.prices.readings.as_ref());
        let pins = seen.market.oracle.feeds().zip(both.as_ref());
        pins.each().into_iter().all(|(pin, (own, chain))| {
            let ours = self.feeds.contains(&pin.key.0);
            let newer = own
                .zip(**chain)
                .is_some_and(|(own, chain)| chain.publish_time >= own.publish_time);
            !ours || newer
        })
    }
}

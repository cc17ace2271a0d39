//! When a fetched update is posted, and who goes first. Decisions only.

use std::hash::{DefaultHasher, Hash, Hasher};

use anchor_lang::prelude::Pubkey;
use breakwater_client::pyth::{FeedId, Message, Stack, Update};
use breakwater_engine::{
    Clock, Market, Price, Pricing, RawReading, Readings,
    math::num,
    price::oracle::{FEED_PULL, PriceUse},
};
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::{
    crank::Cranks,
    index::AccountIndex,
    plan::{Scene, plan},
};

/// Others wait up to so many looks for whoever has posted last.
const TURNS: u32 = 3;

/// Reason to post an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// What the chain has is too old for what is to be done.
    Old,
    /// The price has moved away from the chain's.
    Moved,
    /// Accounts can be liquidated at it that cannot at the chain's.
    Due,
}

impl Why {
    /// For logs and metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Old => "old",
            Self::Moved => "moved",
            Self::Due => "due",
        }
    }
}

/// The newer readings of an update, and what the market's feeds would say once they are posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Stack that the feeds are of.
    pub stack: Stack,
    /// Feeds to post.
    pub feeds: Vec<FeedId>,
    /// All readings once everything newer is posted.
    pub readings: Readings,
}

impl Offer {
    /// Compares an update with what the chain's accounts say. `None` if it has nothing newer. Of a market with feeds of both
    /// stacks, those of the stack with the oldest account are posted first. A redemption
    /// rate is posted only when half of the time for which it is good has passed: it hardly moves.
    #[must_use]
    pub fn of(market: &Market, chain: &Readings, update: &Update, clock: Clock) -> Option<Self> {
        let oldest_rate = i64::from(market.config.max_age_rate / 2);
        let rate = market.oracle.feeds().rate.key.0;
        let pinned = market.oracle.feeds().zip(chain.as_ref());
        let newer = pinned.map(|(pin, known)| {
            let newer = update.price(&pin.key.0).ok().map(|price| &price.message);
            let newer = newer.filter(|message| {
                let time = known.as_ref().map(|reading| reading.publish_time);
                let kept = time.filter(|_| pin.key.0 == rate);
                time.is_none_or(|time| message.publish_time > time)
                    && kept.is_none_or(|time| clock.unix.saturating_sub(time) >= oldest_rate)
            });
            let of = Stack::of_receiver(&Pubkey::new_from_array(pin.owner.0)).filter(|_| pin.kind == FEED_PULL);
            let since = known.map_or(i64::MIN, |reading| reading.publish_time);
            newer.zip(of).map(|(message, of)| (of, since, message))
        });
        let (stack, ..) = newer.each().into_iter().flatten().min_by_key(|(_, since, _)| *since)?;
        let mut feeds: Vec<FeedId> = Vec::new();
        for (of, _, message) in newer.each().into_iter().flatten() {
            if of == stack && !feeds.contains(&message.feed) {
                feeds.push(message.feed);
            }
        }
        let readings = newer
            .zip(*chain)
            .map(|(newer, known)| newer.map_or(known, |(.., message)| Some(reading(message))));
        Some(Self { stack, feeds, readings })
    }

    /// Why this should be posted, if it should. `scene` has what the chain's accounts say; `post_bps` is the move of the
    /// price that alone is a reason.
    #[must_use]
    pub fn why(&self, scene: &Scene, index: &AccountIndex, cranks: &Cranks, post_bps: u64) -> Option<Why> {
        let spot = |readings: &Readings| {
            let mut market = *scene.market;
            let prices = market.accept_prices(readings, PriceUse::Liquidate, scene.clock).ok()?;
            Some(prices.spot())
        };
        // What the market refuses is not worth a fee.
        let offered = spot(&self.readings)?;
        let then = Scene {
            readings: &self.readings,
            ..*scene
        };
        let due = |scene: &Scene| !plan(scene, index, 1, |_| false).liquidatable.is_empty();
        let Some(known) = spot(scene.readings) else {
            let cranked = cranks
                .observe(scene.market, &self.readings, scene.clock, false)
                .is_some()
                || (scene.market.needs_prices(Pricing::Settle)
                    && cranks.settle(scene.market, Some(&self.readings), scene.clock));
            return (cranked || due(&then)).then_some(Why::Old);
        };
        if has_moved(known, offered, post_bps) {
            return Some(Why::Moved);
        }
        (due(&then) && !due(scene)).then_some(Why::Due)
    }
}

/// True if a price is at least so many bps away from what it was.
fn has_moved(from: Price, to: Price, bps: u64) -> bool {
    let (up, down) = (num::BPS.saturating_add(bps), num::BPS.saturating_sub(bps));
    from.scale_up(up).is_ok_and(|up| to >= up) || from.scale_down(down).is_ok_and(|down| to <= down)
}

/// A message as the market reads it once it is in an account.
#[must_use]
pub fn reading(message: &Message) -> RawReading {
    RawReading {
        price: message.price,
        conf: message.conf,
        expo: message.expo,
        ema_price: message.ema_price,
        publish_time: message.publish_time,
    }
}

/// The shard that a market's keepers post to unless they are told another: the same for all of them, and never Pyth's own.
#[must_use]
pub fn own_shard(market: &Pubkey) -> u16 {
    let [low, high, ..] = market.to_bytes();
    u16::from_le_bytes([low, high]).max(1)
}

/// Seed of the account for a posting's VAA: nobody foresees it.
#[must_use]
pub fn account_seed() -> String {
    const MOST: usize = 32;
    Keypair::new().pubkey().to_string().chars().take(MOST).collect()
}

/// Looks that a keeper waits before it posts, so that two of a market do not post the same: none for whoever posted what
/// the chain has now, else one to three, by the keeper's address and the moment.
#[must_use]
pub fn turn(keeper: &Pubkey, posted: bool, published: i64) -> u32 {
    if posted {
        return 0;
    }
    let mut hasher = DefaultHasher::new();
    (keeper.to_bytes(), published).hash(&mut hasher);
    1 + u32::try_from(hasher.finish() % u64::from(TURNS)).unwrap_or(0)
}
#[cfg(test)]
mod tests;

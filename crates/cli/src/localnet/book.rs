//! The true prices of a localnet: what Hermes tells, and what the sponsor writes to its accounts.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anchor_lang::prelude::Pubkey;
use breakwater_client::pyth::{FeedId, Message};
use breakwater_engine::{Clock, FeedPin, price::oracle::FEED_PULL};
use solana_account::Account;

use super::net::Net;
use crate::price_account::{PriceAccount, Shown};

/// A feed of the localnet.
#[derive(Clone, Debug)]
pub struct Feed {
    /// What it is of, for people.
    pub label: String,
    /// `None` for a push feed, which nobody else can post.
    pub id: Option<FeedId>,
    /// The price.
    pub shown: Shown,
}

/// All feeds by the account that the sponsor writes to, shared by whoever tells or moves a price.
#[derive(Clone, Debug, Default)]
pub struct Book(Arc<Mutex<BTreeMap<Pubkey, Feed>>>);

impl Book {
    fn feeds(&self) -> MutexGuard<'_, BTreeMap<Pubkey, Feed>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in a feed that a market pins, kept in this account.
    pub fn add(&self, label: &str, pin: &FeedPin, account: Pubkey, shown: Shown) {
        let id = (pin.kind == FEED_PULL).then_some(pin.key.0);
        let label = label.to_owned();
        self.feeds().insert(account, Feed { label, id, shown });
    }

    /// Every feed as it stands at `now`, seconds since 1970.
    pub fn all(&self, now: i64) -> Vec<Feed> {
        let at = |feed: &Feed| Feed {
            shown: feed.shown.later(now),
            ..feed.clone()
        };
        self.feeds().values().map(at).collect()
    }

    /// Moves the price of a pull feed. False if there is no such feed.
    pub fn set(&self, id: &FeedId, shown: Shown) -> bool {
        let mut feeds = self.feeds();
        let feed = feeds.values_mut().find(|feed| feed.id == Some(*id));
        feed.map(|feed| feed.shown = shown).is_some()
    }

    /// Takes in prices that somebody has written to the sponsor's accounts since.
    pub fn take_in(&self, net: &Net) -> Result<(), String> {
        self.each(net, |_, _, _| None)
    }

    /// The sponsor's turn: takes them in, and writes all of them anew, as of now.
    pub fn publish(&self, net: &Net) -> Result<(), String> {
        self.each(net, |feed, mut account, clock| {
            feed.shown = feed.shown.later(clock.unix);
            account.show(feed.shown, clock.slot);
            Some(account.data())
        })
    }

    /// Every feed with its account, after what is newer there; and what is to be written to it.
    fn each(
        &self,
        net: &Net,
        write: impl Fn(&mut Feed, PriceAccount, Clock) -> Option<Vec<u8>> + Send + Sync,
    ) -> Result<(), String> {
        let accounts: Vec<Pubkey> = self.feeds().keys().copied().collect();
        net.edit(&accounts, |address, account, clock| {
            let mut feeds = self.feeds();
            let feed = feeds.get_mut(address)?;
            let there = PriceAccount::read(&account.owner, &account.data)?;
            if there.shown().published > feed.shown.published {
                feed.shown = there.shown();
            }
            Some(Account {
                data: write(feed, there, clock)?,
                ..account
            })
        })
    }
}

impl Feed {
    /// The message that is signed of it; `None` for a push feed.
    pub fn message(&self) -> Option<Message> {
        let shown = self.shown;
        Some(Message {
            feed: self.id?,
            price: shown.price,
            conf: shown.conf,
            expo: shown.expo,
            publish_time: shown.published,
            previous_publish_time: shown.published.saturating_sub(1),
            ema_price: shown.ema,
            ema_conf: shown.conf,
            rest: Vec::new(),
        })
    }
}

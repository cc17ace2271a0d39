//! Pyth accounts of both kinds.

use super::World;
use crate::{
    keys,
    pyth::{PUSH_ORACLE, PullUpdate, PushPrice, Quotation, RECEIVERS, feed_id_for},
};
use anchor_lang::prelude::Pubkey;
use breakwater_engine::{
    FeedPin, Key,
    price::oracle::{FEED_PULL, FEED_PUSH},
};

/// A Pyth account and what it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feed {
    /// An update account of the receiver program.
    Pull(PullUpdate),
    /// A classic price account.
    Push(PushPrice),
}

impl Feed {
    /// Prices and their time.
    #[must_use]
    pub fn quotation(&self) -> &Quotation {
        match self {
            Self::Pull(update) => &update.quotation,
            Self::Push(price) => &price.quotation,
        }
    }

    /// Prices and their time, to be changed.
    pub fn quotation_mut(&mut self) -> &mut Quotation {
        match self {
            Self::Pull(update) => &mut update.quotation,
            Self::Push(price) => &mut price.quotation,
        }
    }

    /// How a market names this feed, if the account is at `address`.
    #[must_use]
    pub fn pin(&self, address: &Pubkey) -> FeedPin {
        match self {
            Self::Pull(update) => FeedPin {
                key: Key(update.feed_id),
                owner: Key(update.receiver.to_bytes()),
                kind: FEED_PULL,
                padding: [0; 7],
            },
            Self::Push(price) => FeedPin {
                key: Key(address.to_bytes()),
                owner: Key(price.oracle.to_bytes()),
                kind: FEED_PUSH,
                padding: [0; 7],
            },
        }
    }
}

/// A feed to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedSpec {
    /// Its symbol, such as `SOL/USD`; it fixes the address and the feed id.
    pub symbol: String,
    /// Pull (`false`) or push (`true`).
    pub push: bool,
    /// The program that owns the account: a receiver, or the oracle.
    pub owner: Pubkey,
    /// The price's mantissa.
    pub price: i64,
    /// Half-width of the confidence interval, with the same exponent.
    pub conf: u64,
    /// The decimal exponent.
    pub expo: i32,
}

impl FeedSpec {
    /// A pull feed at `price` × 10⁻⁸ US dollars, with a confidence of a thousandth of it.
    #[must_use]
    pub fn pull(symbol: &str, price: i64) -> Self {
        Self {
            symbol: symbol.to_owned(),
            push: false,
            owner: RECEIVERS[0],
            price,
            conf: price.unsigned_abs() / 1_000,
            expo: -8,
        }
    }

    /// A push feed at `price` × 10⁻⁸ US dollars, with a confidence of a thousandth of it.
    #[must_use]
    pub fn push(symbol: &str, price: i64) -> Self {
        Self {
            push: true,
            owner: PUSH_ORACLE,
            ..Self::pull(symbol, price)
        }
    }
}

impl World {
    /// Makes a feed that has stood at its price for a long time. Returns its account.
    pub fn feed(&mut self, spec: &FeedSpec) -> Pubkey {
        let address = keys::address_for(&format!("pyth account {}", spec.symbol));
        let quotation = Quotation::settled(spec.price, spec.expo, spec.conf, self.unix);
        let feed = if spec.push {
            let mut price = PushPrice::trading(quotation, self.slot);
            price.oracle = spec.owner;
            Feed::Push(price)
        } else {
            let mut update = PullUpdate::verified(feed_id_for(&spec.symbol), quotation, self.slot);
            update.receiver = spec.owner;
            Feed::Pull(update)
        };
        self.show(&address, feed);
        address
    }

    /// Writes a Pyth account. Later publications go on from what it shows.
    pub fn show(&mut self, address: &Pubkey, feed: Feed) {
        let account = match &feed {
            Feed::Pull(update) => update.account(),
            Feed::Push(price) => price.account(),
        };
        self.feeds.insert(*address, feed);
        self.set_account(address, account);
    }

    /// Price shown by a feed.
    ///
    /// # Panics
    /// If the world has no feed there.
    #[must_use]
    #[track_caller]
    pub fn shown(&self, feed: &Pubkey) -> Feed {
        *self
            .feeds
            .get(feed)
            .unwrap_or_else(|| panic!("there is no feed {feed}"))
    }

    /// Changes a feed and writes it, at the time it says.
    ///
    /// # Panics
    /// If the world has no feed there.
    #[track_caller]
    pub fn edit_feed(&mut self, feed: &Pubkey, edit: impl FnOnce(&mut Feed)) {
        let mut shown = self.shown(feed);
        edit(&mut shown);
        self.show(feed, shown);
    }

    /// [`World::edit_feed`] of a pull feed.
    ///
    /// # Panics
    /// If the world has no pull feed there.
    #[track_caller]
    pub fn edit_pull(&mut self, feed: &Pubkey, edit: impl FnOnce(&mut PullUpdate)) {
        let Feed::Pull(mut update) = self.shown(feed) else {
            panic!("{feed} is no pull feed")
        };
        edit(&mut update);
        self.show(feed, Feed::Pull(update));
    }

    /// [`World::edit_feed`] of a push feed.
    ///
    /// # Panics
    /// If the world has no push feed there.
    #[track_caller]
    pub fn edit_push(&mut self, feed: &Pubkey, edit: impl FnOnce(&mut PushPrice)) {
        let Feed::Push(mut price) = self.shown(feed) else {
            panic!("{feed} is no push feed")
        };
        edit(&mut price);
        self.show(feed, Feed::Push(price));
    }

    /// Publishes a new price with its confidence, both with the feed's exponent, now. Pyth's own EMA does not
    /// move: that is what a jump looks like.
    ///
    /// # Panics
    /// If the world has no feed there.
    #[track_caller]
    pub fn set_price(&mut self, feed: &Pubkey, price: i64, conf: u64) {
        self.publish(feed, |quotation| (quotation.price, quotation.conf) = (price, conf));
    }

    /// Publishes a price that has stood long enough for Pyth's own EMA to equal it, now.
    ///
    /// # Panics
    /// If the world has no feed there.
    #[track_caller]
    pub fn settle_price(&mut self, feed: &Pubkey, price: i64, conf: u64) {
        self.publish(feed, |quotation| {
            *quotation = Quotation::settled(price, quotation.expo, conf, quotation.publish_time);
        });
    }

    /// Publishes every feed as it is, now.
    pub fn publish_all(&mut self) {
        let feeds: Vec<Pubkey> = self.feeds.keys().copied().collect();
        for feed in feeds {
            self.publish(&feed, |_| ());
        }
    }

    fn publish(&mut self, feed: &Pubkey, edit: impl FnOnce(&mut Quotation)) {
        let (unix, slot) = (self.unix, self.slot);
        self.edit_feed(feed, |feed| {
            if let Feed::Push(price) = feed {
                price.previous = price.quotation;
            }
            edit(feed.quotation_mut());
            feed.quotation_mut().publish_time = unix;
            match feed {
                Feed::Pull(update) => update.posted_slot = slot,
                Feed::Push(price) => price.slot = slot,
            }
        });
    }
}

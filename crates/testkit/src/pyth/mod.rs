//! Pyth's two kinds of price accounts, byte for byte as its programs write them, and updates that are signed with keys
//! of our own.

mod pull;
mod push;
pub(crate) mod receiver;
#[cfg(test)]
mod routers;

pub use breakwater_client::pyth::routers::{DEPTH, FEE, PYTHNET, Routers, SIGNATURES, emitter};
pub use pull::{PullUpdate, Verification, feed_id_for};
pub use push::{PushPrice, Status};
pub use receiver::close_update;

use anchor_lang::prelude::{Pubkey, pubkey};
use breakwater_client::pyth::{FeedId, Message, Stack};

/// The receiver programs whose price updates are genuine.
pub const RECEIVERS: [Pubkey; 2] = [Stack::REC5.receiver, Stack::REC2.receiver];

/// The program that owns the classic price accounts.
pub const PUSH_ORACLE: Pubkey = pubkey!("FsJ3A3u2vn5cTVofAjvy6y5kwABJAqYWpe4975bi2epH");

/// A feed's quotation: prices are `price` × 10^`expo` US dollars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quotation {
    /// The price's mantissa.
    pub price: i64,
    /// Half-width of the confidence interval, with the same exponent.
    pub conf: u64,
    /// The decimal exponent of all mantissas; usually −8.
    pub expo: i32,
    /// Pyth's own moving average (EMA) of the price.
    pub ema_price: i64,
    /// Pyth's own moving average (EMA) of the confidence.
    pub ema_conf: u64,
    /// When it was published, in seconds since 1970.
    pub publish_time: i64,
}

impl Quotation {
    /// A quiet feed: the average equals the price.
    #[must_use]
    pub fn settled(price: i64, expo: i32, conf: u64, publish_time: i64) -> Self {
        Self {
            price,
            conf,
            expo,
            ema_price: price,
            ema_conf: conf,
            publish_time,
        }
    }

    /// The message that Pyth signs of it: the update before was published in the same second.
    #[must_use]
    pub fn message(&self, feed: FeedId) -> Message {
        Message {
            feed,
            price: self.price,
            conf: self.conf,
            expo: self.expo,
            publish_time: self.publish_time,
            previous_publish_time: self.publish_time,
            ema_price: self.ema_price,
            ema_conf: self.ema_conf,
            rest: Vec::new(),
        }
    }
}

/// Whole US dollars as a mantissa with the usual exponent, −8.
#[must_use]
pub const fn usd(dollars: i64) -> i64 {
    dollars * 100_000_000
}

#[cfg(test)]
mod real_accounts;

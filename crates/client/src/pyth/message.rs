//! The message of one price.

use super::{Error, FeedId, Result, wire::Reader};

/// Bytes of a price's message as Pyth sends it today.
pub const MESSAGE_BYTES: usize = 85;

const PRICE: u8 = 0;

/// Price of one feed, as it was signed: prices are mantissas, × 10^`expo` US dollars. Big endian, behind a byte 0 for
/// its kind. Format: `PriceFeedMessage` of Pyth's `pythnet-sdk`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Feed that it is of.
    pub feed: FeedId,
    /// Mantissa of the price.
    pub price: i64,
    /// Half-width of the confidence interval, with the same exponent.
    pub conf: u64,
    /// Decimal exponent of all mantissas.
    pub expo: i32,
    /// When it was published, in seconds since 1970.
    pub publish_time: i64,
    /// When the update before it was published, in seconds since 1970.
    pub previous_publish_time: i64,
    /// Pyth's moving average of the price.
    pub ema_price: i64,
    /// Pyth's moving average of the confidence.
    pub ema_conf: u64,
    /// What follows: nothing today, fields that this crate does not know one day. They are signed like the others.
    pub rest: Vec<u8>,
}

impl Message {
    /// Reads a message.
    ///
    /// # Errors
    /// [`Error::MessageKind`] if it is no price, [`Error::Truncated`].
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let mut from = Reader(bytes);
        let kind = from.byte()?;
        if kind != PRICE {
            return Err(Error::MessageKind(kind));
        }
        Ok(Self {
            feed: from.array()?,
            price: i64::from_be_bytes(from.array()?),
            conf: u64::from_be_bytes(from.array()?),
            expo: i32::from_be_bytes(from.array()?),
            publish_time: i64::from_be_bytes(from.array()?),
            previous_publish_time: i64::from_be_bytes(from.array()?),
            ema_price: i64::from_be_bytes(from.array()?),
            ema_conf: u64::from_be_bytes(from.array()?),
            rest: from.rest(),
        })
    }

    /// The message's bytes: what the leaf of the tree is the hash of.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(MESSAGE_BYTES + self.rest.len());
        bytes.push(PRICE);
        bytes.extend_from_slice(&self.feed);
        bytes.extend_from_slice(&self.price.to_be_bytes());
        bytes.extend_from_slice(&self.conf.to_be_bytes());
        bytes.extend_from_slice(&self.expo.to_be_bytes());
        bytes.extend_from_slice(&self.publish_time.to_be_bytes());
        bytes.extend_from_slice(&self.previous_publish_time.to_be_bytes());
        bytes.extend_from_slice(&self.ema_price.to_be_bytes());
        bytes.extend_from_slice(&self.ema_conf.to_be_bytes());
        bytes.extend_from_slice(&self.rest);
        bytes
    }
}

//! The layouts of Pyth's two kinds of price account, read in place. Pyth's own crates decode the whole account first, which costs
//! as much as a third of what is then done with the price; the tests below hold every field that is read here, and every
//! refusal, against theirs.
//!
//! All numbers are little endian, as on the chain. Who owns an account is checked by [`crate::feeds`].

use crate::error::BreakwaterError;
use breakwater_engine::{Key, RawReading};
use bytemuck::{Pod, Zeroable};

type Result<T> = core::result::Result<T, BreakwaterError>;

/// Discriminator of `PriceUpdateV2`, a pull account.
const PULL: [u8; 8] = [34, 241, 35, 99, 157, 126, 244, 205];
/// Where a pull account says how far it is verified: behind the discriminator and the write authority, which has 32 bytes.
const LEVEL: usize = 40;
/// The level of an update of which only some signatures were verified. A byte with their number follows it.
const PARTIAL: u8 = 0;
/// The level of an update that is fully verified. Nothing follows it.
const FULL: u8 = 1;

/// What follows the verification level of a pull account: Borsh writes one field behind the other.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C, packed)]
struct PullMessage {
    feed_id: [u8; 32],
    price: i64,
    conf: u64,
    exponent: i32,
    /// Seconds since 1970.
    publish_time: i64,
    previous_publish_time: i64,
    ema_price: i64,
    ema_conf: u64,
    posted_slot: u64,
}

/// First word of a push account.
const MAGIC: u32 = 0xa1b2_c3d4;
/// Version of its layout.
const VERSION: u32 = 2;
/// The kind of account that holds a price.
const PRICE: u32 = 3;
/// Bytes of a push account with room for 32 publishers.
const PUSH_BYTES: usize = 3_312;
/// Status of an aggregate price that is one: the feed is trading.
const TRADING: u8 = 1;

/// The first bytes of a push account: a C struct, with the padding that C gives it.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C, packed)]
struct PushHead {
    magic: u32,
    version: u32,
    kind: u32,
    size: u32,
    price_type: u32,
    exponent: i32,
    counts: [u32; 2],
    slots: [u64; 2],
    ema_price: i64,
    /// The rest of that average, and its confidence.
    averages: [i64; 5],
    /// Seconds since 1970.
    timestamp: i64,
    /// Publishers, other accounts, and the previous price.
    between: [u64; 13],
    price: i64,
    conf: u64,
    status: u8,
}

/// Reads a pull account that is to show the feed with the identifier `feed`.
///
/// # Errors
/// [`BreakwaterError::FeedMalformed`] if it is no `PriceUpdateV2`, [`BreakwaterError::WrongFeed`] if it is of another feed,
/// [`BreakwaterError::FeedNotVerified`] if it is not fully verified.
pub fn read_pull(data: &[u8], feed: &Key) -> Result<RawReading> {
    if !data.starts_with(&PULL) {
        return Err(BreakwaterError::FeedMalformed);
    }
    let (level, message) = match data.get(LEVEL..) {
        Some([FULL, message @ ..]) => (FULL, message),
        Some([PARTIAL, _, message @ ..]) => (PARTIAL, message),
        _ => return Err(BreakwaterError::FeedMalformed),
    };
    let message: &PullMessage = head(message)?;
    if message.feed_id != feed.0 {
        return Err(BreakwaterError::WrongFeed);
    }
    if level != FULL {
        return Err(BreakwaterError::FeedNotVerified);
    }
    Ok(RawReading {
        price: message.price,
        conf: message.conf,
        expo: message.exponent,
        ema_price: message.ema_price,
        publish_time: message.publish_time,
    })
}

/// Reads a push account. What counts is the aggregate itself: where the feed is not trading, Pyth's getters fall back to the previous
/// price.
///
/// # Errors
/// [`BreakwaterError::FeedMalformed`] if it is no price account, [`BreakwaterError::FeedNotTrading`] if there is no price now.
pub fn read_push(data: &[u8]) -> Result<RawReading> {
    if data.len() < PUSH_BYTES {
        return Err(BreakwaterError::FeedMalformed);
    }
    let account: &PushHead = head(data)?;
    if account.magic != MAGIC || account.version != VERSION || account.kind != PRICE {
        return Err(BreakwaterError::FeedMalformed);
    }
    if account.status != TRADING {
        return Err(BreakwaterError::FeedNotTrading);
    }
    Ok(RawReading {
        price: account.price,
        conf: account.conf,
        expo: account.exponent,
        ema_price: account.ema_price,
        publish_time: account.timestamp,
    })
}

/// The first bytes of `data` as a layout without alignment.
///
/// # Errors
/// [`BreakwaterError::FeedMalformed`] if there are fewer.
fn head<T: Pod>(data: &[u8]) -> Result<&T> {
    data.get(..size_of::<T>())
        .and_then(|bytes| bytemuck::try_from_bytes(bytes).ok())
        .ok_or(BreakwaterError::FeedMalformed)
}

#[cfg(test)]
mod tests;

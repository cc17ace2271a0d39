//! Reading Pyth's two kinds of price account. Push accounts are read by Pyth's own crate, which looks at them in place.
//! Its crate for pull accounts decodes the whole of them first, which costs as much as a third of what is then done
//! with the price: so these are read in place here, and the tests below hold every field that is read, and every
//! refusal, against it.
//!
//! All numbers are little endian, as on the chain. Who owns an account is checked by [`crate::feeds`].

use crate::error::BreakwaterError;
use breakwater_engine::{Key, RawReading};
use bytemuck::{Pod, Zeroable};
use pyth_sdk_solana::state::{PriceStatus, load_price_account};

type Result<T> = core::result::Result<T, BreakwaterError>;

/// Discriminator of `PriceUpdateV2`, a pull account.
const PULL: [u8; 8] = [34, 241, 35, 99, 157, 126, 244, 205];
/// Where a pull account says how far it is verified: behind the discriminator and the write authority, which has 32
/// bytes.
const LEVEL: usize = 40;
/// The level of an update of which only some signatures were verified. A byte with their number follows it.
const PARTIAL: u8 = 0;
/// The level of an update that is fully verified. Nothing follows it.
const FULL: u8 = 1;

/// Fields after the verification level of a pull account: Borsh writes one field behind the other.
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

/// Reads a pull account that is to show the feed with the identifier `feed`.
///
/// # Errors
/// [`BreakwaterError::FeedMalformed`] if it is no `PriceUpdateV2`, [`BreakwaterError::WrongFeed`] if it is of another
/// feed, [`BreakwaterError::FeedNotVerified`] if it is not fully verified.
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

/// Reads a push account. Takes the aggregate itself: where the feed is not trading, Pyth's getters fall back to the
/// previous price.
///
/// # Errors
/// [`BreakwaterError::FeedMalformed`] if it is no price account, [`BreakwaterError::FeedNotTrading`] if there is no
/// price now.
pub fn read_push(data: &[u8]) -> Result<RawReading> {
    let account = load_price_account::<32, ()>(data).map_err(|_| BreakwaterError::FeedMalformed)?;
    if account.agg.status != PriceStatus::Trading {
        return Err(BreakwaterError::FeedNotTrading);
    }
    Ok(RawReading {
        price: account.agg.price,
        conf: account.agg.conf,
        expo: account.expo,
        ema_price: account.ema_price.val,
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

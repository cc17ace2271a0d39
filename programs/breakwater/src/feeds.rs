//! Reading Pyth accounts: who owns the account, which feed it is, and whether Pyth itself stands behind it. Whether
//! the price is then believed is the engine's decision.

use crate::{error::BreakwaterError, state::key};
use anchor_lang::prelude::*;
use breakwater_engine::{
    FeedPin, RawReading,
    oracle::{FEED_PULL, FEED_PUSH},
};
use pyth_sdk_solana::state::{PriceStatus, load_price_account};
use pyth_solana_receiver_sdk::price_update::{PriceUpdateV2, VerificationLevel};

/// The Pyth receiver programs. The SDK's own owner check knows only the first.
pub const RECEIVERS: [Pubkey; 2] = [
    pubkey!("rec5EKMGg6MxZYaMdyBfgwp4d5rB9T1VQH5pJv5LtFJ"),
    pubkey!("rec2HHDDnjLfj4kE7VyEtFA1HPGQLK33259532cRyHp"),
];

/// Decodes a price account after checking it against the market's pin.
///
/// # Errors
/// [`BreakwaterError::WrongFeed`], [`BreakwaterError::WrongFeedOwner`], [`BreakwaterError::FeedMalformed`],
/// [`BreakwaterError::FeedNotVerified`], [`BreakwaterError::FeedNotTrading`], [`BreakwaterError::FeedKindUnknown`].
pub fn read(pin: &FeedPin, account: &AccountInfo) -> Result<RawReading> {
    match pin.kind {
        FEED_PULL => read_pull(pin, account),
        FEED_PUSH => read_push(pin, account),
        _ => err!(BreakwaterError::FeedKindUnknown),
    }
}

fn read_pull(pin: &FeedPin, account: &AccountInfo) -> Result<RawReading> {
    require!(RECEIVERS.contains(account.owner), BreakwaterError::WrongFeedOwner);
    let data = account.try_borrow_data()?;
    let update = PriceUpdateV2::try_deserialize(&mut &data[..]).map_err(|_| BreakwaterError::FeedMalformed)?;
    require!(update.price_message.feed_id == pin.key.0, BreakwaterError::WrongFeed);
    require!(
        update.verification_level == VerificationLevel::Full,
        BreakwaterError::FeedNotVerified
    );
    let message = update.price_message;
    Ok(RawReading {
        price: message.price,
        conf: message.conf,
        expo: message.exponent,
        ema_price: message.ema_price,
        publish_time: message.publish_time,
    })
}

fn read_push(pin: &FeedPin, account: &AccountInfo) -> Result<RawReading> {
    require!(key(account.key) == pin.key, BreakwaterError::WrongFeed);
    require!(key(account.owner) == pin.owner, BreakwaterError::WrongFeedOwner);
    let data = account.try_borrow_data()?;
    let feed = load_price_account::<32, ()>(&data).map_err(|_| BreakwaterError::FeedMalformed)?;
    // The SDK's getters fall back to the previous price when the feed is not trading; the aggregate itself does not.
    require!(feed.agg.status == PriceStatus::Trading, BreakwaterError::FeedNotTrading);
    Ok(RawReading {
        price: feed.agg.price,
        conf: feed.agg.conf,
        expo: feed.expo,
        ema_price: feed.ema_price.val,
        publish_time: feed.timestamp,
    })
}

//! Prices young enough for an action, whatever the age of the accounts that others keep.

use super::{FeedId, Stack};
use anchor_lang::prelude::Pubkey;
use breakwater_engine::{Clock, Market, Readings, price::oracle::PriceUse};
use breakwater_quotes::feeds_to_post;

/// Pull feeds of `stack` that must be posted before `usage` finds prices at `clock`, by what the market's price accounts
/// say now: those alone that are too old for it, and none if the market would use what it has. Put `clock` as much later
/// as posting takes, some seconds. Ask Hermes for these feeds, and post them with
/// [`Posting::transactions`](super::Posting::transactions), with the action behind them.
///
/// # Errors
/// The engine's reason to refuse the readings, if newer ones would not take it away.
pub fn stale_feeds(
    stack: &Stack,
    market: &Market,
    shown: &Readings,
    usage: PriceUse,
    clock: Clock,
) -> breakwater_engine::Result<Vec<FeedId>> {
    let wanted = feeds_to_post(market, shown, usage, clock)?;
    let pins = market.oracle.feeds().zip(wanted).each().into_iter();
    let own = pins.filter(|(pin, wanted)| *wanted && Pubkey::new_from_array(pin.owner.0) == stack.receiver);
    Ok(own.map(|(pin, _)| pin.key.0).collect())
}

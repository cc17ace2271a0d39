//! Pyth accounts outside the chain: which account to show for a feed, and what it says.

use crate::pyth::{FeedId, Stack};
use anchor_lang::prelude::{AccountInfo, Pubkey};
use breakwater_engine::{
    FeedPin, Feeds, RawReading,
    price::oracle::{FEED_PULL, FEED_PUSH},
};

/// The account in which a sponsor keeps the newest update of a pull feed, written through this receiver. The sponsor
/// decides if there is one, and how often it is renewed; `shard` 0 is Pyth's own. `None` if the receiver is not known.
#[must_use]
pub fn sponsored(receiver: &Pubkey, feed_id: &[u8; 32], shard: u16) -> Option<Pubkey> {
    Some(Stack::of_receiver(receiver)?.price_account(shard, feed_id))
}

/// The account to show for a pinned feed unless the caller has a fresher one: the pinned one of a push feed, the one
/// that Pyth sponsors of a pull feed. `None` for no feed, and for pull feeds of a receiver that is not known.
#[must_use]
pub fn default_account(pin: &FeedPin) -> Option<Pubkey> {
    match pin.kind {
        FEED_PUSH => Some(Pubkey::new_from_array(pin.key.0)),
        FEED_PULL => sponsored(&Pubkey::new_from_array(pin.owner.0), &pin.key.0, 0),
        _ => None,
    }
}

/// Pull feeds among these, each once: those that an update may have a price of.
#[must_use]
pub fn pull_feeds(pins: &Feeds) -> Vec<FeedId> {
    let mut feeds = Vec::new();
    for pin in pins.as_ref().each() {
        if pin.kind == FEED_PULL && !feeds.contains(&pin.key.0) {
            feeds.push(pin.key.0);
        }
    }
    feeds
}

/// Reading of a price account, after the checks that the program itself makes.
///
/// # Errors
/// The program's: `WrongFeed`, `WrongFeedOwner`, `FeedMalformed`, `FeedNotVerified`, `FeedNotTrading`,
/// `FeedKindUnknown`.
pub fn read(pin: &FeedPin, address: &Pubkey, owner: &Pubkey, data: &[u8]) -> anchor_lang::Result<RawReading> {
    let (mut lamports, mut data) = (0, data.to_vec());
    let account = AccountInfo::new(address, false, false, &mut lamports, &mut data, owner, false);
    breakwater::feeds::read(pin, &account)
}

#[cfg(test)]
mod tests {
    use super::*;
    use anchor_lang::prelude::pubkey;
    use breakwater_engine::Key;

    /// Pyth's SOL/USD, and where its documentation says that it is kept on mainnet, for each receiver.
    #[test]
    fn the_default_is_where_pyth_keeps_the_feed() {
        let id = [
            0xef, 0x0d, 0x8b, 0x6f, 0xda, 0x2c, 0xeb, 0xa4, 0x1d, 0xa1, 0x5d, 0x40, 0x95, 0xd1, 0xda, 0x39, 0x2a, 0x0d,
            0x2f, 0x8e, 0xd0, 0xc6, 0xc7, 0xbc, 0x0f, 0x4c, 0xfa, 0xc8, 0xc2, 0x80, 0xb5, 0x6d,
        ];
        let pin = |receiver: Pubkey| FeedPin {
            key: Key(id),
            owner: Key(receiver.to_bytes()),
            kind: FEED_PULL,
            padding: [0; 7],
        };
        let kept = [
            pubkey!("7UVimffxr9ow1uXYxsr4LHAcV58mLzhmwaeKvJ1pjLiE"),
            pubkey!("7AviUf9nL62mcxNbQGKm4nKDQnPjswo6c5MX4D57HmyE"),
        ];
        assert_eq!(
            Stack::ALL.map(|stack| default_account(&pin(stack.receiver))),
            kept.map(Some)
        );
        assert_eq!(default_account(&pin(Stack::REC5.price_feed_program)), None);
        assert_eq!(default_account(&FeedPin::NONE), None);
    }
}

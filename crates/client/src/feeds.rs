//! Pyth accounts outside the chain: which account to show for a feed, and what it says.

use anchor_lang::prelude::{AccountInfo, Pubkey, pubkey};
use breakwater::feeds::RECEIVERS;
use breakwater_engine::{
    FeedPin, RawReading,
    oracle::{FEED_PULL, FEED_PUSH},
};

/// The program whose accounts hold the newest update of a pull feed for everyone, those of the first known receiver.
const PRICE_FEED_PROGRAM: Pubkey = pubkey!("pythWSnswVUd12oZpeFP8e9CVaEqJg25g1Vtc2biRsT");

/// The account in which a sponsor keeps the newest update of a pull feed. Whether there is one, and how often it is renewed,
/// is the sponsor's business; `shard` 0 is Pyth's own.
#[must_use]
pub fn sponsored(feed_id: &[u8; 32], shard: u16) -> Pubkey {
    Pubkey::find_program_address(&[&shard.to_le_bytes(), feed_id], &PRICE_FEED_PROGRAM).0
}

/// The account to show for a pinned feed unless the caller has a fresher one: the pinned one of a push feed, the one that Pyth
/// sponsors of a pull feed. `None` for no feed, and for pull feeds of the other receiver.
#[must_use]
pub fn default_account(pin: &FeedPin) -> Option<Pubkey> {
    match pin.kind {
        FEED_PUSH => Some(Pubkey::new_from_array(pin.key.0)),
        FEED_PULL if pin.owner.0 == RECEIVERS[0].to_bytes() => Some(sponsored(&pin.key.0, 0)),
        _ => None,
    }
}

/// What a price account says, after the checks that the program itself makes.
///
/// # Errors
/// The program's: `WrongFeed`, `WrongFeedOwner`, `FeedMalformed`, `FeedNotVerified`, `FeedNotTrading`, `FeedKindUnknown`.
pub fn read(pin: &FeedPin, address: &Pubkey, owner: &Pubkey, data: &[u8]) -> anchor_lang::Result<RawReading> {
    let (mut lamports, mut data) = (0, data.to_vec());
    let account = AccountInfo::new(address, false, false, &mut lamports, &mut data, owner, false);
    breakwater::feeds::read(pin, &account)
}

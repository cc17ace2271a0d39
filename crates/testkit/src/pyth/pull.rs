//! The pull feed: a `PriceUpdateV2` account, which anyone may post and whose poster chooses which one to show.

use super::{Quotation, RECEIVERS};
use crate::{keys, program_file::rent_exempt};
use anchor_lang::prelude::Pubkey;
use solana_account::Account;

const DISCRIMINATOR: [u8; 8] = [34, 241, 35, 99, 157, 126, 244, 205];
/// Size that the receiver allocates, bytes. A `Full` verification level takes one byte less than `Partial`, so a fully
/// verified update ends in one zero byte.
const LEN: usize = 134;

/// How many of Wormhole's guardian signatures the receiver checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verification {
    /// Two thirds of the guardians: the only level that Breakwater accepts.
    Full,
    /// This many signatures.
    Partial(u8),
}

/// Everything that a price update account holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PullUpdate {
    /// The program that owns the account.
    pub receiver: Pubkey,
    /// Which feed it is of.
    pub feed_id: [u8; 32],
    /// How far it was verified.
    pub verification: Verification,
    /// Prices and their time.
    pub quotation: Quotation,
    /// The slot in which it was posted.
    pub posted_slot: u64,
    /// Who may overwrite or close the account.
    pub write_authority: Pubkey,
}

impl PullUpdate {
    /// A fully verified update of the first known receiver.
    #[must_use]
    pub fn verified(feed_id: [u8; 32], quotation: Quotation, posted_slot: u64) -> Self {
        Self {
            receiver: RECEIVERS[0],
            feed_id,
            verification: Verification::Full,
            quotation,
            posted_slot,
            write_authority: keys::address_for("pyth poster"),
        }
    }

    /// The account's data.
    #[must_use]
    pub fn data(&self) -> Vec<u8> {
        let q = &self.quotation;
        let mut data = Vec::with_capacity(LEN);
        data.extend_from_slice(&DISCRIMINATOR);
        data.extend_from_slice(self.write_authority.as_ref());
        match self.verification {
            Verification::Partial(signatures) => data.extend_from_slice(&[0, signatures]),
            Verification::Full => data.push(1),
        }
        data.extend_from_slice(&self.feed_id);
        data.extend_from_slice(&q.price.to_le_bytes());
        data.extend_from_slice(&q.conf.to_le_bytes());
        data.extend_from_slice(&q.expo.to_le_bytes());
        data.extend_from_slice(&q.publish_time.to_le_bytes());
        data.extend_from_slice(&q.publish_time.to_le_bytes()); // of the update before, which may be as late as this one
        data.extend_from_slice(&q.ema_price.to_le_bytes());
        data.extend_from_slice(&q.ema_conf.to_le_bytes());
        data.extend_from_slice(&self.posted_slot.to_le_bytes());
        data.resize(LEN, 0);
        data
    }

    /// The account.
    #[must_use]
    pub fn account(&self) -> Account {
        Account {
            lamports: rent_exempt(LEN),
            data: self.data(),
            owner: self.receiver,
            executable: false,
            rent_epoch: u64::MAX,
        }
    }
}

/// The feed id that the testkit gives to a symbol such as `SOL/USD`.
#[must_use]
pub fn feed_id_for(symbol: &str) -> [u8; 32] {
    keys::bytes_for(&format!("pyth feed id {symbol}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use anchor_lang::{AccountDeserialize, Discriminator};
    use pyth_solana_receiver_sdk::price_update::{PriceUpdateV2, VerificationLevel};

    fn update(verification: Verification) -> PullUpdate {
        let quotation = Quotation {
            price: -14_250_000_001,
            conf: 7_500_000,
            expo: -8,
            ema_price: 14_300_000_000,
            ema_conf: 8_000_000,
            publish_time: 1_735_000_123,
        };
        PullUpdate {
            verification,
            ..PullUpdate::verified(feed_id_for("SOL/USD"), quotation, 311_793_212)
        }
    }

    fn decoded(update: &PullUpdate) -> PriceUpdateV2 {
        let data = update.data();
        assert_eq!(data.len(), PriceUpdateV2::LEN);
        PriceUpdateV2::try_deserialize(&mut data.as_slice()).unwrap()
    }

    #[test]
    fn the_sdk_reads_every_field_back() {
        assert_eq!(DISCRIMINATOR, PriceUpdateV2::DISCRIMINATOR);
        for (ours, theirs) in [
            (Verification::Full, VerificationLevel::Full),
            (
                Verification::Partial(5),
                VerificationLevel::Partial { num_signatures: 5 },
            ),
        ] {
            let update = update(ours);
            let read = decoded(&update);
            assert_eq!(read.write_authority, update.write_authority);
            assert_eq!(read.verification_level, theirs);
            assert_eq!(read.posted_slot, update.posted_slot);
            let (message, q) = (read.price_message, update.quotation);
            assert_eq!(message.feed_id, update.feed_id);
            assert_eq!(
                (message.price, message.conf, message.exponent),
                (q.price, q.conf, q.expo)
            );
            assert_eq!((message.ema_price, message.ema_conf), (q.ema_price, q.ema_conf));
            assert_eq!(
                (message.publish_time, message.prev_publish_time),
                (q.publish_time, q.publish_time)
            );
        }
    }

    #[test]
    fn receivers_are_those_of_the_sdk() {
        assert_eq!(RECEIVERS[0], pyth_solana_receiver_sdk::ID);
        assert_eq!(update(Verification::Full).account().owner, pyth_solana_receiver_sdk::ID);
    }
}

//! The push feed: the classic price account that Pyth's oracle program keeps up to date in place.

use super::{PUSH_ORACLE, Quotation};
use crate::{keys, program_file::rent_exempt};
use anchor_lang::prelude::Pubkey;
use pyth_sdk_solana::state::{AccountType, MAGIC, PriceStatus, PriceType, Rational, SolanaPriceAccount, VERSION_2};
use solana_account::Account;

const LEN: usize = size_of::<SolanaPriceAccount>();

/// The oracle's word on its own price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The price is live: the only status that Breakwater accepts.
    Trading,
    /// Not updating, for a reason unknown.
    Unknown,
    /// Trading in the asset is halted.
    Halted,
    /// An auction is setting the price.
    Auction,
    /// Too uncertain to count.
    Ignored,
}

impl From<Status> for PriceStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Trading => Self::Trading,
            Status::Unknown => Self::Unknown,
            Status::Halted => Self::Halted,
            Status::Auction => Self::Auction,
            Status::Ignored => Self::Ignored,
        }
    }
}

/// Everything of a price account that a reader may look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PushPrice {
    /// The program that owns the account.
    pub oracle: Pubkey,
    /// Status of the price: live or not.
    pub status: Status,
    /// Prices and their time.
    pub quotation: Quotation,
    /// The last price that was live: what Pyth's SDK falls back to without saying so.
    pub previous: Quotation,
    /// The slot of the aggregation.
    pub slot: u64,
    /// The account's magic number; anything but Pyth's is not a Pyth account.
    pub magic: u32,
}

impl PushPrice {
    /// A live price, published one second after an equal one.
    #[must_use]
    pub fn trading(quotation: Quotation, slot: u64) -> Self {
        let previous = Quotation {
            publish_time: quotation.publish_time.saturating_sub(1),
            ..quotation
        };
        Self {
            oracle: PUSH_ORACLE,
            status: Status::Trading,
            quotation,
            previous,
            slot,
            magic: MAGIC,
        }
    }

    /// The account's data.
    ///
    /// # Panics
    /// Never: the buffer is aligned and of the right length.
    #[must_use]
    pub fn data(&self) -> Vec<u8> {
        // Words, for the alignment; zeroed, so that padding is zero as on chain.
        let mut words = vec![0u64; LEN / size_of::<u64>()];
        let account: &mut SolanaPriceAccount = bytemuck::from_bytes_mut(bytemuck::cast_slice_mut(&mut words));
        let (q, previous) = (&self.quotation, &self.previous);
        account.magic = self.magic;
        account.ver = VERSION_2;
        account.atype = AccountType::Price as u32;
        account.size = LEN.try_into().expect("a few kilobytes");
        account.ptype = PriceType::Price;
        account.expo = q.expo;
        account.num_qt = 1;
        account.last_slot = self.slot;
        account.valid_slot = self.slot.saturating_sub(1);
        account.ema_price = Rational {
            val: q.ema_price,
            numer: q.ema_price,
            denom: 1,
        };
        let ema_conf = i64::try_from(q.ema_conf).expect("a confidence below 2^63");
        account.ema_conf = Rational {
            val: ema_conf,
            numer: ema_conf,
            denom: 1,
        };
        account.timestamp = q.publish_time;
        account.min_pub = 1;
        account.prod = keys::bytes_for("pyth product").into();
        account.prev_slot = self.slot.saturating_sub(1);
        account.prev_price = previous.price;
        account.prev_conf = previous.conf;
        account.prev_timestamp = previous.publish_time;
        account.agg.price = q.price;
        account.agg.conf = q.conf;
        account.agg.status = self.status.into();
        account.agg.pub_slot = self.slot;
        bytemuck::cast_slice(&words).to_vec()
    }

    /// The account.
    #[must_use]
    pub fn account(&self) -> Account {
        Account {
            lamports: rent_exempt(LEN),
            data: self.data(),
            owner: self.oracle,
            executable: false,
            rent_epoch: u64::MAX,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pyth_sdk_solana::{PythError, state::load_price_account};

    fn price() -> PushPrice {
        let quotation = Quotation {
            price: 14_250_000_001,
            conf: 7_500_000,
            expo: -8,
            ema_price: 14_300_000_000,
            ema_conf: 8_000_000,
            publish_time: 1_735_000_123,
        };
        PushPrice::trading(quotation, 311_793_212)
    }

    #[test]
    fn the_sdk_reads_every_field_back() {
        let price = price();
        let data = price.data();
        assert_eq!(data.len(), 3312);
        let read = load_price_account::<32, ()>(&data).unwrap();
        let q = price.quotation;
        assert_eq!((read.agg.price, read.agg.conf, read.expo), (q.price, q.conf, q.expo));
        assert_eq!((read.ema_price.val, read.ema_conf.val), (q.ema_price, 8_000_000));
        assert_eq!(
            (read.timestamp, read.get_publish_time()),
            (q.publish_time, q.publish_time)
        );
        assert_eq!((read.agg.status, read.agg.pub_slot), (PriceStatus::Trading, price.slot));
    }

    #[test]
    fn not_trading_makes_the_sdk_fall_back_to_the_previous_price() {
        let mut price = price();
        price.previous.price = 1;
        for status in [Status::Unknown, Status::Halted, Status::Auction, Status::Ignored] {
            price.status = status;
            let data = price.data();
            let read = load_price_account::<32, ()>(&data).unwrap();
            assert_eq!(read.agg.status, PriceStatus::from(status));
            let feed = read.to_price_feed(&[0; 32].into());
            assert_eq!(feed.get_price_unchecked().price, 1);
        }
    }

    #[test]
    fn another_magic_number_is_not_a_pyth_account() {
        let data = PushPrice { magic: 1, ..price() }.data();
        assert!(matches!(
            load_price_account::<32, ()>(&data),
            Err(PythError::InvalidAccountData)
        ));
    }
}

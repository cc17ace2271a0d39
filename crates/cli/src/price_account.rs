//! Pyth accounts on a chain whose accounts can be written: a local one.

use anchor_lang::{AccountDeserialize, AccountSerialize, prelude::Pubkey};
use breakwater_client::pyth::Stack;
use breakwater_engine::{FeedPin, price::oracle::FEED_PUSH};
use pyth_sdk_solana::state::{AccountType, MAGIC, PriceStatus, PriceType, SolanaPriceAccount, VERSION_2};
use pyth_solana_receiver_sdk::price_update::{PriceFeedMessage, PriceUpdateV2, VerificationLevel};

/// A price account of either kind.
#[derive(Clone)]
pub enum PriceAccount {
    /// An update of the receiver program.
    Pull(Box<PriceUpdateV2>),
    /// A classic price account.
    Push(Box<SolanaPriceAccount>),
}

/// Reading of a feed. Prices are mantissas: × 10^`expo` US dollars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Aggregate price.
    pub price: i64,
    /// Half-width of the confidence interval.
    pub conf: u64,
    /// Pyth's moving average.
    pub ema: i64,
    /// Decimal exponent.
    pub expo: i32,
    /// Seconds since 1970.
    pub published: i64,
}

/// Pyth's EMA follows the price with about this time constant, seconds.
const AVERAGE_SECONDS: i128 = 3_600;

impl Shown {
    /// A price, with eight decimals, that has stood for long, known to a thousandth.
    pub fn standing(price: i64) -> Self {
        Self {
            price,
            conf: price.unsigned_abs() / 1_000,
            ema: price,
            expo: -8,
            published: 0,
        }
    }

    /// The same price a while later: the average has come nearer to it. Time does not run backwards.
    pub fn later(self, now: i64) -> Self {
        let published = now.max(self.published);
        let elapsed = i128::from(published - self.published);
        let step = (i128::from(self.price) - i128::from(self.ema)) * elapsed / (AVERAGE_SECONDS + elapsed);
        Self {
            ema: self.ema.saturating_add(i64::try_from(step).unwrap_or(0)),
            published,
            ..self
        }
    }
}

impl PriceAccount {
    /// A new account for what a market pins, at this address: of a pull feed as the price feed program keeps it, which
    /// alone may write to it.
    pub fn new(pin: &FeedPin, address: &Pubkey, shown: Shown) -> Self {
        let mut account = if pin.kind == FEED_PUSH {
            let mut push: SolanaPriceAccount = bytemuck::Zeroable::zeroed();
            push.magic = MAGIC;
            push.ver = VERSION_2;
            push.atype = AccountType::Price as u32;
            push.size = u32::try_from(size_of::<SolanaPriceAccount>()).unwrap_or(0);
            push.ptype = PriceType::Price;
            push.num_qt = 1;
            push.min_pub = 1;
            Self::Push(Box::new(push))
        } else {
            Self::Pull(Box::new(PriceUpdateV2 {
                write_authority: *address,
                verification_level: VerificationLevel::Full,
                price_message: PriceFeedMessage {
                    feed_id: pin.key.0,
                    price: 0,
                    conf: 0,
                    exponent: 0,
                    publish_time: 0,
                    prev_publish_time: 0,
                    ema_price: 0,
                    ema_conf: 0,
                },
                posted_slot: 0,
            }))
        };
        account.show(shown, 0);
        account
    }

    /// Decodes an account; `None` if it is no price account.
    pub fn read(owner: &Pubkey, data: &[u8]) -> Option<Self> {
        if Stack::of_receiver(owner).is_some() {
            let update = PriceUpdateV2::try_deserialize(&mut &data[..]).ok()?;
            return Some(Self::Pull(Box::new(update)));
        }
        let push: SolanaPriceAccount =
            bytemuck::try_pod_read_unaligned(data.get(..size_of::<SolanaPriceAccount>())?).ok()?;
        (push.magic == MAGIC && push.atype == AccountType::Price as u32).then(|| Self::Push(Box::new(push)))
    }

    /// Its reading.
    pub fn shown(&self) -> Shown {
        match self {
            Self::Pull(update) => Shown {
                price: update.price_message.price,
                conf: update.price_message.conf,
                ema: update.price_message.ema_price,
                expo: update.price_message.exponent,
                published: update.price_message.publish_time,
            },
            Self::Push(push) => Shown {
                price: push.agg.price,
                conf: push.agg.conf,
                ema: push.ema_price.val,
                expo: push.expo,
                published: push.timestamp,
            },
        }
    }

    /// Makes it say something else.
    pub fn show(&mut self, shown: Shown, slot: u64) {
        match self {
            Self::Pull(update) => {
                let message = &mut update.price_message;
                message.prev_publish_time = message.publish_time;
                message.publish_time = shown.published;
                (message.price, message.conf, message.exponent) = (shown.price, shown.conf, shown.expo);
                (message.ema_price, message.ema_conf) = (shown.ema, shown.conf);
                update.posted_slot = slot;
            }
            Self::Push(push) => {
                (push.prev_price, push.prev_conf, push.prev_timestamp) =
                    (push.agg.price, push.agg.conf, push.timestamp);
                (push.prev_slot, push.valid_slot, push.last_slot) = (push.valid_slot, push.agg.pub_slot, slot);
                (push.agg.price, push.agg.conf, push.agg.pub_slot) = (shown.price, shown.conf, slot);
                push.agg.status = PriceStatus::Trading;
                (push.expo, push.timestamp) = (shown.expo, shown.published);
                push.ema_price.val = shown.ema;
                push.ema_conf.val = i64::try_from(shown.conf).unwrap_or(i64::MAX);
            }
        }
    }

    /// The account's data.
    pub fn data(&self) -> Vec<u8> {
        match self {
            Self::Pull(update) => {
                let mut data = Vec::with_capacity(PriceUpdateV2::LEN);
                // Into memory: it cannot fail.
                let _ = update.try_serialize(&mut data);
                data.resize(PriceUpdateV2::LEN, 0);
                data
            }
            Self::Push(push) => bytemuck::bytes_of(&**push).to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use breakwater_client::feeds;
    use breakwater_engine::{Key, price::oracle::FEED_PULL};

    const SHOWN: Shown = Shown {
        price: 14_000_000_000,
        conf: 9_000_000,
        ema: 15_000_000_000,
        expo: -8,
        published: 1_750_000_000,
    };

    fn pins() -> [(FeedPin, Pubkey); 2] {
        let push = Pubkey::new_from_array([4; 32]);
        [
            (FEED_PULL, [5; 32], Stack::REC2.receiver),
            (FEED_PUSH, push.to_bytes(), Pubkey::new_from_array([6; 32])),
        ]
        .map(|(kind, key, owner)| {
            let pin = FeedPin {
                key: Key(key),
                owner: Key(owner.to_bytes()),
                kind,
                padding: [0; 7],
            };
            (pin, push)
        })
    }

    #[test]
    fn the_program_reads_what_is_written_and_so_does_this() {
        for (pin, address) in pins() {
            let owner = Pubkey::new_from_array(pin.owner.0);
            let account = PriceAccount::new(&pin, &address, SHOWN);
            let raw = feeds::read(&pin, &address, &owner, &account.data()).unwrap();
            assert_eq!((raw.price, raw.conf, raw.expo), (SHOWN.price, SHOWN.conf, SHOWN.expo));
            assert_eq!((raw.ema_price, raw.publish_time), (SHOWN.ema, SHOWN.published));
            let mut read = PriceAccount::read(&owner, &account.data()).unwrap();
            assert_eq!(read.shown(), SHOWN);
            let later = SHOWN.later(SHOWN.published + 3_600);
            read.show(later, 7);
            assert_eq!(later.ema, 14_500_000_000);
            assert_eq!(PriceAccount::read(&owner, &read.data()).unwrap().shown(), later);
        }
        assert_eq!(SHOWN.later(SHOWN.published - 5), SHOWN);
        assert!(PriceAccount::read(&Pubkey::default(), &[1; 5_000]).is_none());
    }
}

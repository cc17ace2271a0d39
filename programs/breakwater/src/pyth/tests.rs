use super::*;
use anchor_lang::{AccountDeserialize, AccountSerialize, Discriminator, prelude::Pubkey};
use pyth_sdk_solana::state::{AccountType, SolanaPriceAccount};
use pyth_solana_receiver_sdk::price_update::{PriceFeedMessage, PriceUpdateV2, VerificationLevel};

const FEED: Key = Key([7; 32]);

fn update(verification_level: VerificationLevel) -> PriceUpdateV2 {
    PriceUpdateV2 {
        write_authority: Pubkey::new_from_array([1; 32]),
        verification_level,
        price_message: PriceFeedMessage {
            feed_id: FEED.0,
            price: -0x0102_0304_0506_0708,
            conf: 0x1112_1314_1516_1718,
            exponent: -0x2122_2324,
            publish_time: 0x3132_3334_3536_3738,
            prev_publish_time: 0x4142_4344_4546_4748,
            ema_price: -0x5152_5354_5556_5758,
            ema_conf: 0x6162_6364_6566_6768,
        },
        posted_slot: 0x7172_7374_7576_7778,
    }
}

fn bytes_of(update: &PriceUpdateV2) -> Vec<u8> {
    let mut data = Vec::new();
    update.try_serialize(&mut data).unwrap();
    data
}

/// A pull account as Pyth's own crate reads it.
fn pull_by_sdk(mut data: &[u8], feed: &Key) -> Result<RawReading> {
    let update = PriceUpdateV2::try_deserialize(&mut data).map_err(|_| BreakwaterError::FeedMalformed)?;
    let message = update.price_message;
    if message.feed_id != feed.0 {
        return Err(BreakwaterError::WrongFeed);
    }
    if update.verification_level != VerificationLevel::Full {
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

#[test]
fn a_pull_account_is_read_as_its_sdk_reads_it() {
    assert_eq!(PULL, PriceUpdateV2::DISCRIMINATOR);
    let full = bytes_of(&update(VerificationLevel::Full));
    assert_eq!(read_pull(&full, &FEED), pull_by_sdk(&full, &FEED));
    assert!(read_pull(&full, &FEED).is_ok());
    assert_eq!(read_pull(&full, &Key([8; 32])), Err(BreakwaterError::WrongFeed));
    for num_signatures in [0, 1, 5, u8::MAX] {
        let partial = bytes_of(&update(VerificationLevel::Partial { num_signatures }));
        assert_eq!(read_pull(&partial, &FEED), Err(BreakwaterError::FeedNotVerified));
        assert_eq!(
            read_pull(&partial, &Key([8; 32])),
            Err(BreakwaterError::WrongFeed),
            "the feed counts first"
        );
    }
}

#[test]
fn whatever_is_cut_off_or_spoilt_it_says_what_the_sdk_says() {
    for level in [
        VerificationLevel::Full,
        VerificationLevel::Partial { num_signatures: 5 },
    ] {
        let data = bytes_of(&update(level));
        for length in 0..=data.len() {
            let cut = &data[..length];
            assert_eq!(read_pull(cut, &FEED), pull_by_sdk(cut, &FEED), "{length} bytes");
        }
        let mut longer = data.clone();
        longer.push(0);
        assert_eq!(read_pull(&longer, &FEED), pull_by_sdk(&longer, &FEED));
        for place in 0..data.len() {
            for byte in [0, 1, 2, u8::MAX] {
                let mut spoilt = data.clone();
                spoilt[place] = byte;
                assert_eq!(
                    read_pull(&spoilt, &FEED),
                    pull_by_sdk(&spoilt, &FEED),
                    "{byte} at {place}"
                );
            }
        }
    }
}

/// A push account of whole words, so that it is aligned as on the chain.
fn push() -> Box<SolanaPriceAccount> {
    let mut account: Box<SolanaPriceAccount> = Box::new(Zeroable::zeroed());
    account.magic = pyth_sdk_solana::state::MAGIC;
    account.ver = pyth_sdk_solana::state::VERSION_2;
    account.atype = AccountType::Price as u32;
    account.expo = -0x0102_0304;
    account.ema_price.val = -0x1112_1314_1516_1718;
    account.timestamp = 0x2122_2324_2526_2728;
    account.agg.price = -0x3132_3334_3536_3738;
    account.agg.conf = 0x4142_4344_4546_4748;
    account.agg.status = PriceStatus::Trading;
    account
}

#[test]
fn of_a_push_account_the_aggregate_counts_while_it_trades() {
    let mut account = push();
    let reading = RawReading {
        price: account.agg.price,
        conf: account.agg.conf,
        expo: account.expo,
        ema_price: account.ema_price.val,
        publish_time: account.timestamp,
    };
    assert_eq!(read_push(bytemuck::bytes_of(&*account)), Ok(reading));
    for length in [0, 4, 16, size_of::<SolanaPriceAccount>() - 1] {
        let cut = &bytemuck::bytes_of(&*account)[..length];
        assert_eq!(read_push(cut), Err(BreakwaterError::FeedMalformed));
    }
    for status in [
        PriceStatus::Unknown,
        PriceStatus::Halted,
        PriceStatus::Auction,
        PriceStatus::Ignored,
    ] {
        account.agg.status = status;
        assert_eq!(
            read_push(bytemuck::bytes_of(&*account)),
            Err(BreakwaterError::FeedNotTrading)
        );
    }
    let spoilt: [fn(&mut SolanaPriceAccount); 3] = [
        |account| account.magic += 1,
        |account| account.ver = 1,
        |account| account.atype = AccountType::Product as u32,
    ];
    for spoil in spoilt {
        let mut account = push();
        spoil(&mut account);
        assert_eq!(
            read_push(bytemuck::bytes_of(&*account)),
            Err(BreakwaterError::FeedMalformed)
        );
    }
}

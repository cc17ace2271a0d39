//! Real mainnet accounts, for whoever has them: a folder with `pull-sol-usd.json` and `push-sol-usd.json`, as the
//! RPC method `getAccountInfo` gives them, named by BREAKWATER_PYTH_DATA. They show that the layouts which the
//! testkit writes are those of the chain.

use super::{PullUpdate, Quotation, RECEIVERS, Verification};
use anchor_lang::AccountDeserialize;
use base64::{Engine, prelude::BASE64_STANDARD};
use pyth_sdk_solana::state::load_price_account;
use pyth_solana_receiver_sdk::price_update::{PriceUpdateV2, VerificationLevel};
use std::{env, fs, path::PathBuf};

/// The account's data, or `None` and a word about it.
fn real_account(file: &str) -> Option<Vec<u8>> {
    let Some(folder) = env::var_os("BREAKWATER_PYTH_DATA") else {
        println!("skipped: BREAKWATER_PYTH_DATA names no folder with {file}");
        return None;
    };
    let path = PathBuf::from(folder).join(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    Some(
        BASE64_STANDARD
            .decode(json["account"]["data"][0].as_str().unwrap())
            .unwrap(),
    )
}

#[test]
fn a_real_pull_account_is_rebuilt_byte_for_byte() {
    let Some(data) = real_account("pull-sol-usd.json") else {
        return;
    };
    let real = PriceUpdateV2::try_deserialize(&mut data.as_slice()).unwrap();
    assert_eq!(real.verification_level, VerificationLevel::Full);
    let message = real.price_message;
    let ours = PullUpdate {
        receiver: RECEIVERS[0],
        feed_id: message.feed_id,
        verification: Verification::Full,
        quotation: Quotation {
            price: message.price,
            conf: message.conf,
            expo: message.exponent,
            ema_price: message.ema_price,
            ema_conf: message.ema_conf,
            publish_time: message.publish_time,
        },
        posted_slot: real.posted_slot,
        write_authority: real.write_authority,
    };
    assert_eq!(message.prev_publish_time, message.publish_time);
    assert_eq!(ours.data(), data);
}

#[test]
fn a_real_push_account_has_the_layout_that_is_written() {
    let Some(data) = real_account("push-sol-usd.json") else {
        return;
    };
    let real = load_price_account::<32, ()>(&data).unwrap();
    assert_eq!((data.len(), real.expo), (3312, -8));
    assert!(real.agg.price > 0 && real.ema_price.val > 0 && real.timestamp > 1_600_000_000);
}

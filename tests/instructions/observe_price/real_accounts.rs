//! Real mainnet accounts through the program, for whoever has them: `pull-sol-usd.json` and `push-sol-usd.json`, as the
//! RPC method `getAccountInfo` gives them, in the folder that BREAKWATER_PYTH_DATA names. None is kept here.

use super::thousandth;
use anchor_lang::prelude::Pubkey;
use base64::{Engine, prelude::BASE64_STANDARD};
use breakwater::{error::BreakwaterError, events::PriceObserved, instructions::CreateMarketArgs};
use breakwater_client::MarketKeys;
use breakwater_engine::{
    Config, FeedPin, Key,
    price::oracle::{FEED_PULL, FEED_PUSH},
};
use breakwater_testkit::{Account, MarketSpec, World, ix, pyth::usd};
use pyth_sdk_solana::state::{PriceStatus, SolanaPriceAccount, load_price_account};
use pyth_solana_receiver_sdk::price_update::PriceUpdateV2;
use std::{env, fs, path::PathBuf, str::FromStr};

/// A real account and its address, or `None` and a word about it.
fn real_account(file: &str) -> Option<(Pubkey, Account)> {
    let Some(folder) = env::var_os("BREAKWATER_PYTH_DATA") else {
        println!("skipped: BREAKWATER_PYTH_DATA names no folder");
        return None;
    };
    let text = fs::read_to_string(PathBuf::from(folder).join(file)).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let key = |value: &serde_json::Value| Pubkey::from_str(value.as_str().unwrap()).unwrap();
    let account = Account {
        lamports: json["account"]["lamports"].as_u64().unwrap(),
        data: BASE64_STANDARD
            .decode(json["account"]["data"][0].as_str().unwrap())
            .unwrap(),
        owner: key(&json["account"]["owner"]),
        executable: false,
        rent_epoch: u64::MAX,
    };
    Some((key(&json["pubkey"]), account))
}

/// A market that pins this account as its collateral feed, a second after it was published.
fn market(address: Pubkey, account: &Account, kind: u8, key: [u8; 32], published: i64) -> (World, MarketKeys) {
    let mut world = World::lite();
    world.set_clock(published + 1, 1_000);
    let spec = MarketSpec {
        config: Config::EXAMPLE,
        ..MarketSpec::default()
    };
    let (mut keys, _) = world.prepare_market(&spec);
    world.set_account(&address, account.clone());
    keys.collateral_feed = address;
    let args = CreateMarketArgs {
        id: spec.id,
        collateral_feed: FeedPin {
            key: Key(key),
            owner: Key(account.owner.to_bytes()),
            kind,
            padding: [0; 7],
        },
        quote_feed: world.shown(&keys.quote_feed).pin(&keys.quote_feed),
        base_feed: None,
        rate_feed: None,
        depth_share: 100,
        config: spec.config.first(),
    };
    let authority = world.authority().clone();
    let budget = world.depth_budget("TEST");
    let create = ix::create_market(&keys, &authority.key(), &budget, args);
    world.send(&[create], &[&authority]).unwrap();
    world.adopt(keys);
    (world, keys)
}

#[test]
fn a_real_pull_update_is_observed() {
    let Some((address, account)) = real_account("pull-sol-usd.json") else {
        return;
    };
    let message = <PriceUpdateV2 as anchor_lang::AccountDeserialize>::try_deserialize(&mut account.data.as_slice())
        .unwrap()
        .price_message;
    let (mut world, market) = market(address, &account, FEED_PULL, message.feed_id, message.publish_time);
    let outcome = world.observe_price(&market).unwrap();
    let observation = outcome.event::<PriceObserved>().observation;
    assert_eq!(message.exponent, -8);
    assert_eq!(observation.spot, thousandth(message.price, usd(1)));
    assert_eq!(observation.collateral_published, message.publish_time);
}

#[test]
fn a_real_push_account_is_observed_only_while_it_trades() {
    let Some((address, account)) = real_account("push-sol-usd.json") else {
        return;
    };
    let feed: SolanaPriceAccount = *load_price_account(&account.data).unwrap();
    let (mut world, market) = market(address, &account, FEED_PUSH, address.to_bytes(), feed.timestamp);
    // As it was found: Pyth has moved on to pull feeds.
    assert_eq!(feed.agg.status, PriceStatus::Unknown);
    world.assert_error_unchanged(&[ix::observe_price(&market)], &[], BreakwaterError::FeedNotTrading);

    let mut trading = account.clone();
    let status = std::mem::offset_of!(SolanaPriceAccount, agg) + 16;
    trading.data[status] = 1;
    world.set_account(&address, trading);
    let outcome = world.observe_price(&market).unwrap();
    let observation = outcome.event::<PriceObserved>().observation;
    assert_eq!(observation.spot, thousandth(feed.agg.price, usd(1)));
    assert_eq!(observation.collateral_published, feed.timestamp);
}

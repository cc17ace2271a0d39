//! Lamports sent to an address before the program creates an account there: whoever does that must not be able to keep
//! a market, an account or a ledger from coming into being, nor leave anything in it.

use crate::{governance::idl, scene::SOL};
use anchor_lang::prelude::Pubkey;
use breakwater_client::{MarketKeys, addresses};
use breakwater_testkit::{Account, Actor, MarketSpec, World, ix};
use std::collections::BTreeMap;

/// Less than any rent, and more than each.
const AHEAD: [u64; 2] = [1, 1_000 * SOL];

/// Every address that the program creates, entries of the queue apart, and the account that came to be there.
type Created = BTreeMap<&'static str, (Pubkey, Account)>;

/// A market with one of everything, at addresses that already held `ahead` lamports.
#[track_caller]
fn created(ahead: Option<u64>) -> Created {
    let mut world = World::lite();
    let spec = MarketSpec::default();
    let authority = world.authority().clone();
    let actor = world.actor("alice");
    let of = |world: &mut World| {
        let (collateral, quote) = (world.mint(&spec.collateral), world.mint(&spec.quote));
        let feeds = (world.feed(&spec.collateral_feed), world.feed(&spec.quote_feed));
        MarketKeys::derive(
            (collateral, spec.collateral.token_program, feeds.0),
            (quote, spec.quote.token_program, feeds.1),
            spec.id,
        )
    };
    let keys = of(&mut world);
    let addresses = all(&keys, &actor);
    for address in addresses.values() {
        if let Some(lamports) = ahead {
            world.give_lamports(address, lamports);
        }
    }
    // `World::prepare_market` leaves out what there is something of at its address.
    world.send(&[ix::initialize(&authority.key())], &[&authority]).unwrap();
    world
        .send(&[ix::create_depth_budget(&authority.key(), "TEST")], &[&authority])
        .unwrap();
    let (market, create) = world.prepare_market(&spec);
    assert_eq!(market, keys);
    world.send(&[create], &[&authority]).unwrap();
    world.adopt(market);
    world.open(&market, &actor, 0).unwrap();
    world.open_keeper_ledger(&market, &actor).unwrap();
    world.open_guardian_position(&market, &actor).unwrap();
    addresses
        .into_iter()
        .map(|(name, address)| (name, (address, world.existing_account(&address))))
        .collect()
}

fn all(market: &MarketKeys, actor: &Actor) -> BTreeMap<&'static str, Pubkey> {
    BTreeMap::from([
        ("initialize protocol", addresses::protocol()),
        ("create_depth_budget depth_budget", addresses::depth_budget("TEST")),
        ("create_market market", market.market),
        ("create_market collateral_vault", market.collateral_vault),
        ("create_market quote_vault", market.quote_vault),
        ("create_market lp_mint", market.lp_mint),
        (
            "open_account margin_account",
            addresses::margin_account(&market.market, &actor.key(), 0),
        ),
        (
            "open_keeper_ledger keeper_ledger",
            addresses::keeper_ledger(&market.market, &actor.key()),
        ),
        (
            "open_guardian_position position",
            addresses::guardian_position(&market.market, &actor.key()),
        ),
    ])
}

#[test]
fn lamports_sent_ahead_keep_nothing_from_being_created() {
    let plain = created(None);
    for ahead in AHEAD {
        for (name, (address, account)) in created(Some(ahead)) {
            let (expected_at, expected) = &plain[name];
            let expected = Account {
                lamports: expected.lamports.max(ahead),
                // The backend's note on an account, not the program's.
                rent_epoch: account.rent_epoch,
                ..expected.clone()
            };
            assert_eq!((address, account), (*expected_at, expected), "{name} with {ahead}");
        }
    }
}

#[test]
fn every_instruction_that_creates_something_is_tried() {
    let creating = idl::instructions()
        .into_iter()
        .filter(|(_, slots)| slots.iter().any(|slot| slot.name == "system_program"))
        .map(|(name, _)| name);
    // What is queued is tried in `governance::queue_edges`.
    let creating: Vec<String> = creating.filter(|name| !name.starts_with("queue_")).collect();
    let plain = created(None);
    let mut tried: Vec<&str> = plain.keys().filter_map(|name| name.split(' ').next()).collect();
    tried.sort_unstable();
    tried.dedup();
    assert_eq!(tried, creating);
}

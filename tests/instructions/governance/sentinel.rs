//! The sentinel: how it comes to its office, and what it can do to whom.

use super::{
    cast::{Cast, Role},
    queued_now,
    rows::offices,
    rows_users::users,
};
use crate::scene::{Scene, purse, vaults};
use anchor_lang::prelude::Pubkey;
use breakwater::{
    error::BreakwaterError,
    events::{ChangeCanceled, ParametersQueued, SentinelQueued, SentinelSet},
    governance::change_hash,
};
use breakwater_client::addresses;
use breakwater_engine::{
    Config, Market, Parameter,
    governance::{EMERGENCY_ADMIN, SENTINEL},
};
use breakwater_testkit::{MarketSpec, World, default_config, ix};

#[test]
fn it_is_queued_and_named_after_the_timelock_and_taken_back_the_same_way() {
    let Scene {
        mut world,
        market,
        mallory,
        ..
    } = Scene::new();
    let (protocol, authority) = (addresses::protocol(), world.authority().clone());
    let (grace, sid) = (world.actor("grace"), world.actor("sid"));
    world.set_emergency_admin(&grace.key()).unwrap();
    let sentinel = sid.key();
    let hash = change_hash(SENTINEL, &protocol, &sentinel).unwrap();

    let outcome = world.queue_sentinel(&sentinel).unwrap();

    let queued = queued_now(&world, hash);
    assert_eq!(outcome.event::<SentinelQueued>(), SentinelQueued { sentinel, queued });
    let raise = [ix::raise_stress(&market, &sentinel, 1)];
    let execute = [ix::execute_sentinel(&authority.key(), sentinel)];
    world.assert_error_unchanged(&raise, &[&sid], BreakwaterError::WrongSentinel);
    world.assert_error_unchanged(&execute, &[&authority], BreakwaterError::TimelockActive);
    world.wait_out_timelock();
    // Nobody else, and as nothing else.
    let other = [ix::execute_sentinel(&authority.key(), mallory.key())];
    world.assert_error_unchanged(&other, &[&authority], BreakwaterError::ChangeHashMismatch);
    let mut emergency_admin = ix::execute_emergency_admin(&authority.key(), sentinel);
    for meta in &mut emergency_admin.accounts {
        if meta.pubkey == addresses::queued_change(&protocol, EMERGENCY_ADMIN, 0) {
            meta.pubkey = addresses::queued_change(&protocol, SENTINEL, 0);
        }
    }
    world.assert_error_unchanged(&[emergency_admin], &[&authority], BreakwaterError::WrongChange);
    let outcome = world.execute_sentinel(&sentinel).unwrap();
    assert_eq!(outcome.event::<SentinelSet>(), SentinelSet { sentinel });
    assert_eq!(
        (world.protocol().sentinel, world.protocol().emergency_admin),
        (sentinel, grace.key())
    );
    assert_eq!(world.queued_change(&protocol, SENTINEL, 0), None);
    // No other key, not even of another office.
    for who in [&authority, &grace, &mallory] {
        let raise = [ix::raise_stress(&market, &who.key(), 1)];
        world.assert_error_unchanged(&raise, &[who], BreakwaterError::WrongSentinel);
    }
    world.send(&raise, &[&sid]).unwrap();
    // It may be nobody again; the emergency admin may cancel that.
    let expires = world.longest_approval();
    let same = [ix::queue_sentinel(&authority.key(), sentinel, expires)];
    world.assert_error_unchanged(&same, &[&authority], BreakwaterError::NoChange);
    world.queue_sentinel(&Pubkey::default()).unwrap();
    let entry = addresses::queued_change(&protocol, SENTINEL, 0);
    let cancel = ix::cancel_change(&grace.key(), &authority.key(), &entry);
    let canceled: ChangeCanceled = world.send(&[cancel], &[&grace]).unwrap().event();
    assert_eq!(
        (canceled.subject, canceled.kind, canceled.signer),
        (protocol, SENTINEL, grace.key())
    );
    world.queue_sentinel(&Pubkey::default()).unwrap();
    world.wait_out_timelock();
    world.execute_sentinel(&Pubkey::default()).unwrap();
    world.assert_error_unchanged(&raise, &[&sid], BreakwaterError::WrongSentinel);
}

/// The market but for what the sentinel has added.
fn otherwise(market: &Market) -> Market {
    Market {
        stress_raise: bytemuck::Zeroable::zeroed(),
        ..*market
    }
}

#[test]
fn a_stolen_sentinel_stops_no_exit_and_no_liquidation() {
    // Every way to use every instruction, after a raise in the same transaction: the same is done, to the last byte and
    // atom. (A market that has cover enough lends as well; that it lends less is `borrow::cover`'s.)
    let mut cast = Cast::new(World::program_test());
    let (begun, sid) = (cast.world.snapshot(), Role::Sentinel.actor());
    let raise = ix::raise_stress(&cast.market, &sid.key(), 1_000);
    let mut tried = 0;
    for row in offices().into_iter().chain(users()) {
        let Some(role) = row.allowed() else { continue };
        if ["raise_stress", "initialize", "create_market"].contains(&row.name) {
            continue;
        }
        let actor = role.actor();
        let mut done = Vec::new();
        for raised in [false, true] {
            cast.world.restore(&begun);
            let mut instructions = (row.build)(&mut cast, &actor);
            let signs = instructions
                .iter()
                .flat_map(|instruction| &instruction.accounts)
                .any(|meta| meta.is_signer && meta.pubkey == actor.key());
            let mut signers = if signs { vec![&actor] } else { vec![] };
            if raised {
                instructions.insert(0, raise.clone());
                signers.push(&sid);
            }
            let passed = cast.world.send(&instructions, &signers).is_ok();
            assert!(passed, "{} {raised}", row.title());
            let market = otherwise(&cast.world.market_state(&cast.market));
            let purses = Role::ALL.map(|role| purse(&mut cast.world, &cast.market, &role.actor()));
            done.push((market, purses, vaults(&mut cast.world, &cast.market)));
        }
        assert!(done[0] == done[1], "{}", row.title());
        tried += 1;
    }
    assert!(tried > 40, "{tried}");
}

#[test]
fn a_markets_changes_wait_for_the_guardians_and_the_protocols_for_the_timelock() {
    // Eight days with a week's cooldown; three with two days or less.
    let mut world = World::program_test();
    for (id, cooldown, days) in [(0, 604_800, 8), (1, 172_800, 3), (2, 172_801, 3), (3, 2_505_600, 30)] {
        let market = world.market(&MarketSpec {
            id,
            config: Config {
                guardian_cooldown: cooldown,
                equity_withdrawal_delay: 2_592_000,
                ..default_config()
            },
            ..MarketSpec::default()
        });
        let change = world.change(&market, Parameter::auction_slope, 200);
        let queued: ParametersQueued = world.queue_parameters(&market, 0, &[change]).unwrap().event();
        let delay = i64::from(cooldown).max(2 * 86_400) + 86_400;
        assert_eq!(queued.queued.opens_at - world.unix(), delay);
        assert_eq!(queued.queued.closes_at - queued.queued.opens_at, 3 * 86_400);
        assert!((delay - days * 86_400).abs() <= 1);
    }
    let sid = world.actor("sid").key();
    let queued: SentinelQueued = world.queue_sentinel(&sid).unwrap().event();
    assert_eq!(queued.queued.opens_at - world.unix(), 3 * 86_400);
}

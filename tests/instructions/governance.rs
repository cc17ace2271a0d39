//! Who may change what, and when: each instruction of governance once, as it is meant.

mod accounts;
mod caps;
pub mod cast;
mod compromised;
mod depth;
mod entries;
mod heist;
pub mod idl;
mod nonce;
mod outflow;
mod parameters;
mod pause;
mod pause_time;
mod queue;
mod queue_edges;
mod reach;
mod reach_both;
mod roles;
pub mod rows;
pub mod rows_users;
mod rules;
mod sentinel;
mod tighten;

use crate::scene::{Scene, USDC};
use anchor_lang::prelude::Pubkey;
use breakwater::{
    error::BreakwaterError,
    events::{
        ActionsPaused, AuthorityAccepted, AuthorityProposed, ChangeCanceled, EmergencyAdminQueued, EmergencyAdminSet,
        EquityWithdrawalCanceled, FeedsChanged, FeedsQueued, ParametersChanged, ParametersQueued, RampCanceled,
        Tightened,
    },
    governance::change_hash,
};
use breakwater_client::{MarketKeys, addresses};
use breakwater_engine::{
    Bps, Feeds, Market, Parameter, QueuedChange, Quote,
    actions::EquityWithdrawalCancellation,
    governance::{
        ChangeQueued, EMERGENCY_ADMIN, FEEDS, PARAMETERS,
        pause::{Kinds, Pause},
        ramp,
    },
};
use breakwater_testkit::{Actor, Outcome, World, assert_fails_with, ix};

const DAY: i64 = 86_400;

/// The scene, with Grace as the emergency admin.
fn guarded() -> (World, MarketKeys, Actor) {
    let Scene { mut world, market, .. } = Scene::new();
    let grace = world.actor("grace");
    world.set_emergency_admin(&grace.key()).unwrap();
    (world, market, grace)
}

fn feeds_of(market: &Market) -> Feeds {
    Feeds {
        collateral: market.oracle.collateral_feed,
        quote: market.oracle.quote_feed,
        base: market.oracle.base_feed,
        rate: market.oracle.rate_feed,
    }
}

/// Record of a change of this hash that is queued now.
fn queued_now(world: &World, hash: [u8; 32]) -> ChangeQueued {
    ChangeQueued {
        hash,
        opens_at: world.unix() + 3 * DAY,
        closes_at: world.unix() + 6 * DAY,
    }
}

/// The entry holds what its event says, and the rent is the authority's.
#[track_caller]
fn assert_stored(world: &mut World, subject: &Pubkey, kind: u8, id: u16, told: ChangeQueued) {
    let seeds: [&[u8]; 4] = [b"queued_change", subject.as_ref(), &[kind], &id.to_le_bytes()];
    let (address, bump) = Pubkey::find_program_address(&seeds, &breakwater::ID);
    assert_eq!(address, addresses::queued_change(subject, kind, id));
    let stored = world.queued_change(subject, kind, id).unwrap();
    let expected = QueuedChange {
        subject: breakwater_engine::Key(subject.to_bytes()),
        hash: told.hash,
        queued_at: world.unix(),
        opens_at: told.opens_at,
        closes_at: told.closes_at,
        id,
        kind,
        bump,
        padding: [0; 4],
        reserved: [0; 4],
    };
    assert_eq!(stored, expected);
}

/// Lamports that the authority pays for an act of its own; it pays no fees.
#[track_caller]
fn paid(world: &mut World, act: impl FnOnce(&mut World) -> Outcome) -> (Outcome, i128) {
    let authority = world.authority().key();
    let before = world.existing_account(&authority).lamports;
    let outcome = act(world);
    let after = world.existing_account(&authority).lamports;
    (outcome, i128::from(before) - i128::from(after))
}

#[test]
fn the_protocol_is_handed_over_in_two_steps() {
    let mut world = World::program_test();
    world.initialize().unwrap();
    let (authority, anna) = (world.authority().clone(), world.actor("anna"));
    let outcome = world.propose_authority(&anna.key()).unwrap();
    let proposed = AuthorityProposed {
        authority: authority.key(),
        proposed: anna.key(),
        expires_slot: world.longest_approval(),
    };
    assert_eq!(outcome.event::<AuthorityProposed>(), proposed);
    let state = world.protocol();
    assert_eq!(
        (state.authority, state.pending_authority, state.pending_until_slot),
        (authority.key(), anna.key(), world.longest_approval())
    );

    let outcome = world.accept_authority(&anna).unwrap();
    let accepted = AuthorityAccepted { authority: anna.key() };
    assert_eq!(outcome.event::<AuthorityAccepted>(), accepted);
    let state = world.protocol();
    assert_eq!(
        (state.authority, state.pending_authority),
        (anna.key(), Pubkey::default())
    );
    let late = ix::set_emergency_admin(&authority.key(), anna.key());
    world.assert_error_unchanged(&[late], &[&authority], BreakwaterError::WrongAuthority);
    world
        .send(&[ix::set_emergency_admin(&anna.key(), authority.key())], &[&anna])
        .unwrap();
}

#[test]
fn parameters_are_queued_and_changed_after_the_timelock() {
    let Scene { mut world, market, .. } = Scene::new();
    let changes = [
        world.change(&market, Parameter::interest_base, 200),
        world.change(&market, Parameter::max_gap, 300),
    ];
    let hash = change_hash(PARAMETERS, &market.market, &changes.to_vec()).unwrap();
    let before = world.market_state(&market);

    let (outcome, rent) = paid(&mut world, |world| {
        world.queue_parameters(&market, 7, &changes).unwrap()
    });

    let queued = queued_now(&world, hash);
    let event = ParametersQueued {
        market: market.market,
        id: 7,
        queued,
        changes: changes.to_vec(),
    };
    assert_eq!(outcome.event::<ParametersQueued>(), event);
    assert_stored(&mut world, &market.market, PARAMETERS, 7, queued);
    assert_eq!(world.market_state(&market), before);
    assert!(rent > 0);
    assert_fails_with(
        world.execute_parameters(&market, 7, &changes),
        BreakwaterError::TimelockActive,
    );
    world.wait_out_timelock();
    assert_fails_with(
        world.execute_parameters(&market, 7, &changes[..1]),
        BreakwaterError::ChangeHashMismatch,
    );

    let (outcome, back) = paid(&mut world, |world| {
        world.execute_parameters(&market, 7, &changes).unwrap()
    });

    let event = ParametersChanged {
        market: market.market,
        id: 7,
        changes: changes.to_vec(),
    };
    assert_eq!(outcome.event::<ParametersChanged>(), event);
    assert_eq!(back, -rent);
    assert_eq!(world.queued_change(&market.market, PARAMETERS, 7), None);
    let mut expected = before;
    expected.books = before.books_at(world.clock()).unwrap();
    (expected.config.interest_base, expected.config.max_gap) = (Bps(200), Bps(300));
    assert_eq!(world.market_state(&market), expected);
}

#[test]
fn feeds_are_queued_and_pinned_after_the_timelock() {
    let Scene { mut world, market, .. } = Scene::new();
    let before = world.market_state(&market);
    let mut feeds = feeds_of(&before);
    feeds.quote.key.0[0] ^= 1;
    let hash = change_hash(FEEDS, &market.market, &(feeds, false)).unwrap();

    let outcome = world.queue_feeds(&market, feeds).unwrap();

    let queued = queued_now(&world, hash);
    let event = FeedsQueued {
        market: market.market,
        queued,
        feeds,
        dead: false,
    };
    assert_eq!(outcome.event::<FeedsQueued>(), event);
    assert_stored(&mut world, &market.market, FEEDS, 0, queued);
    world.wait_out_timelock();
    let (outcome, back) = paid(&mut world, |world| world.execute_feeds(&market, feeds).unwrap());
    let event = FeedsChanged {
        market: market.market,
        feeds,
        dead: false,
    };
    assert_eq!(outcome.event::<FeedsChanged>(), event);
    assert!(back < 0);
    let mut expected = before;
    let after = world.market_state(&market);
    expected.oracle.quote_feed = feeds.quote;
    expected.oracle.known = after.oracle.known;
    // The averages' time: Pyth's hour, and the own second.
    expected.guard.settled_at = world.unix() + 3_601;
    assert_eq!(after, expected);
    assert_eq!(after.oracle.known.newest.quote.published, world.unix());
}

#[test]
fn an_emergency_admin_is_queued_and_named_after_the_timelock() {
    let (mut world, _, grace) = guarded();
    let protocol = addresses::protocol();
    let emergency_admin = world.actor("gerda").key();
    let hash = change_hash(EMERGENCY_ADMIN, &protocol, &emergency_admin).unwrap();

    let outcome = world.queue_emergency_admin(&emergency_admin).unwrap();

    let queued = queued_now(&world, hash);
    assert_eq!(
        outcome.event::<EmergencyAdminQueued>(),
        EmergencyAdminQueued {
            emergency_admin,
            queued
        }
    );
    assert_stored(&mut world, &protocol, EMERGENCY_ADMIN, 0, queued);
    assert_eq!(world.protocol().emergency_admin, grace.key());
    world.wait_out_timelock();
    let outcome = world.execute_emergency_admin(&emergency_admin).unwrap();
    assert_eq!(
        outcome.event::<EmergencyAdminSet>(),
        EmergencyAdminSet { emergency_admin }
    );
    assert_eq!(world.protocol().emergency_admin, emergency_admin);
    assert_eq!(world.queued_change(&protocol, EMERGENCY_ADMIN, 0), None);
}

#[test]
fn what_is_queued_is_canceled_by_authority_and_emergency_admin() {
    let (mut world, market, grace) = guarded();
    let authority = world.authority().clone();
    let changes = [world.change(&market, Parameter::max_gap, 300)];
    for signer in [&authority, &grace] {
        let (_, rent) = paid(&mut world, |world| {
            world.queue_parameters(&market, 1, &changes).unwrap()
        });
        let (outcome, back) = paid(&mut world, |world| {
            world.cancel_change(signer, &market.market, PARAMETERS, 1).unwrap()
        });
        let event = ChangeCanceled {
            subject: market.market,
            kind: PARAMETERS,
            id: 1,
            signer: signer.key(),
        };
        assert_eq!(outcome.event::<ChangeCanceled>(), event);
        assert_eq!(
            (world.queued_change(&market.market, PARAMETERS, 1), back),
            (None, -rent)
        );
    }
    // An emergency admin does not keep itself in office.
    let protocol = addresses::protocol();
    world.queue_emergency_admin(&authority.key()).unwrap();
    let own = ix::cancel_change(
        &grace.key(),
        &authority.key(),
        &addresses::queued_change(&protocol, EMERGENCY_ADMIN, 0),
    );
    world.assert_error_unchanged(&[own], &[&grace], BreakwaterError::WrongEmergencyAdmin);
    world.cancel_change(&authority, &protocol, EMERGENCY_ADMIN, 0).unwrap();
}

#[test]
fn tightening_is_done_at_once() {
    let (mut world, market, grace) = guarded();
    let authority = world.authority().clone();
    for (signer, cap) in [(&grace, 500), (&authority, 400)] {
        let changes = vec![
            world.change(&market, Parameter::account_debt_cap, cap * USDC),
            world.change(&market, Parameter::initial_ltv, cap),
        ];
        let mut expected = world.market_state(&market);
        let outcome = world.tighten(&market, signer, &changes).unwrap();
        (expected.config.account_debt_cap, expected.config.initial_ltv) =
            (Quote(cap * USDC), Bps(u32::try_from(cap).unwrap()));
        assert_eq!(world.market_state(&market), expected);
        let event = Tightened {
            market: market.market,
            signer: signer.key(),
            changes,
        };
        assert_eq!(outcome.event::<Tightened>(), event);
    }
    let looser = [world.change(&market, Parameter::initial_ltv, 401)];
    assert_fails_with(world.tighten(&market, &grace, &looser), BreakwaterError::NotTighter);
}

#[test]
fn a_kind_of_action_is_paused_for_a_while() {
    let Scene {
        mut world,
        market,
        mallory,
        position,
        ..
    } = Scene::new();
    let authority = world.authority().clone();
    let mut expected = world.market_state(&market);
    let kinds = Kinds::SUPPLY.0 | Kinds::BORROW.0;

    let outcome = world.pause(&market, &authority, kinds, 60).unwrap();

    let until = world.unix() + 60;
    let event = ActionsPaused {
        market: market.market,
        signer: authority.key(),
        pause: Pause { kinds, until },
    };
    assert_eq!(outcome.event::<ActionsPaused>(), event);
    (expected.pauses.supply, expected.pauses.borrow) = (until, until);
    assert_eq!(world.market_state(&market), expected);
    assert_fails_with(world.supply(&market, &mallory, USDC), BreakwaterError::ActionPaused);
    assert_fails_with(world.borrow(&position, USDC), BreakwaterError::ActionPaused);
    world.repay(&position, USDC).unwrap();
    world.advance(60);
    world.supply(&market, &mallory, USDC).unwrap();
    world.borrow(&position, USDC).unwrap();
}

#[test]
fn a_ramp_and_a_taking_out_are_taken_back() {
    let (mut world, market, grace) = guarded();
    let before = world.market_state(&market);
    let starts_at = world.unix() + breakwater_engine::governance::TIMELOCK;
    world
        .announce_liquidation_ltv(&market, 7_900, starts_at, starts_at + DAY)
        .unwrap();
    let outcome = world.cancel_ramp(&market, &grace).unwrap();
    let event = RampCanceled {
        market: market.market,
        signer: grace.key(),
        ramp: ramp::RampCancellation {
            stays: Bps(8_000),
            announced: Bps(7_900),
        },
    };
    assert_eq!(outcome.event::<RampCanceled>(), event);
    assert_eq!(world.market_state(&market), before);

    world.queue_equity_withdrawal(&market, 5 * USDC).unwrap();
    let outcome = world.cancel_equity_withdrawal(&market, &grace).unwrap();
    let event = EquityWithdrawalCanceled {
        market: market.market,
        signer: grace.key(),
        canceled: EquityWithdrawalCancellation {
            amount: Quote(5 * USDC),
        },
    };
    assert_eq!(outcome.event::<EquityWithdrawalCanceled>(), event);
    assert_eq!(world.market_state(&market), before);
}

#[test]
fn the_program_says_whom_to_tell_of_a_weakness() {
    let program = breakwater_testkit::program_file::breakwater_program();
    let find = |line: &[u8]| program.windows(line.len()).position(|bytes| bytes == line);
    let begin = find(b"=======BEGIN SECURITY.TXT V1=======\0").unwrap();
    let end = find(b"=======END SECURITY.TXT V1=======\0").unwrap();
    let fields: Vec<&str> = program[begin..end]
        .split(|byte| *byte == 0)
        .map(|field| std::str::from_utf8(field).unwrap())
        .collect();
    for name in ["name", "project_url", "contacts", "policy"] {
        let place = fields.iter().position(|field| *field == name).unwrap();
        // After the first line come names and values in turn.
        assert!(place % 2 == 1 && !fields[place + 1].is_empty(), "{name}");
    }
}

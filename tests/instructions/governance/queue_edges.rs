//! The edges of the queue: how far ahead an approval may be, twice in one transaction, who gets the rent, and what
//! feeds are queued.

use super::{
    cast::{other_receiver, present_feeds},
    entries::{Kind, Stand, State},
    parameters::{change, governed},
};
use crate::{
    attack::{nowhere, replace_account},
    backing::cents,
    scene::{Scene, USDC, redeemable},
};
use anchor_lang::prelude::{ErrorCode, Pubkey, pubkey};
use breakwater::{
    error::BreakwaterError,
    events::{EmergencyAdminQueued, EmergencyAdminSet, FeedsChanged, FeedsQueued},
};
use breakwater_engine::{
    Feeds, Key, Parameter,
    governance::{ChangeQueued, GRACE, LONGEST_APPROVAL, PARAMETERS, TIMELOCK},
};
use breakwater_testkit::{
    BackendKind, Outcome, World, ix,
    program_file::breakwater_program,
    pyth::{PUSH_ORACLE, RECEIVERS},
};

/// The loader whose programs are one account each.
const LOADER: Pubkey = pubkey!("BPFLoader2111111111111111111111111111111111");

#[test]
fn an_approval_is_good_until_a_slot_that_is_not_past_and_not_too_far_ahead() {
    // Fourteen days of slots of 400 milliseconds.
    assert_eq!(LONGEST_APPROVAL, 14 * 86_400 * 5 / 2);
    for kind in Kind::ALL {
        let mut stand = Stand::new(World::program_test(), kind);
        let (authority, now) = (stand.authority.clone(), stand.world.slot());
        let longest = now + LONGEST_APPROVAL;
        for (expires, expected) in [
            (0, BreakwaterError::ApprovalExpired),
            (now - 1, BreakwaterError::ApprovalExpired),
            (longest + 1, BreakwaterError::ApprovalTooLong),
            (u64::MAX, BreakwaterError::ApprovalTooLong),
        ] {
            let queue = stand.queue_until(&authority, false, expires);
            stand.world.assert_error_unchanged(&[queue], &[&authority], expected);
        }
        let begun = stand.world.snapshot();
        for expires in [now, longest] {
            let queue = stand.queue_until(&authority, false, expires);
            stand.world.send(&[queue], &[&authority]).unwrap();
            let queued = stand.queued().unwrap();
            assert_eq!(queued.opens_at, stand.world.unix() + TIMELOCK);
            assert_eq!(queued.closes_at, queued.opens_at + GRACE);
            stand.world.restore(&begun);
        }
    }
}

/// How long a slot may be, milliseconds: 250 on mainnet today, 400 before.
const SLOTS: [u64; 5] = [100, 200, 250, 400, 600];

/// Lets time pass with slots of this length.
fn pass(world: &mut World, seconds: i64, slot_millis: u64) {
    let slots = seconds.unsigned_abs() * 1_000 / slot_millis;
    world.set_clock(world.unix() + seconds, world.slot() + slots);
    world.publish_all();
}

#[test]
fn what_is_queued_is_done_in_its_whole_window_whatever_a_slot_lasts() {
    for kind in Kind::ALL {
        for slot_millis in SLOTS {
            let mut stand = Stand::new(World::program_test(), kind);
            let authority = stand.authority.clone();
            // In the last slot that its signers named.
            let queue = stand.queue_until(&authority, false, stand.world.slot());
            stand.world.send(&[queue], &[&authority]).unwrap();
            pass(&mut stand.world, TIMELOCK - 1, slot_millis);
            let execute = stand.execute(&authority, false);
            let execute = || [execute.clone()];
            stand
                .world
                .assert_error_unchanged(&execute(), &[&authority], BreakwaterError::TimelockActive);
            pass(&mut stand.world, 1, slot_millis);
            let opened = stand.world.snapshot();
            stand.world.send(&execute(), &[&authority]).unwrap();
            stand.world.restore(&opened);
            pass(&mut stand.world, GRACE, slot_millis);
            let last_second = stand.world.snapshot();
            stand.world.send(&execute(), &[&authority]).unwrap();
            stand.world.restore(&last_second);
            pass(&mut stand.world, 1, slot_millis);
            stand
                .world
                .assert_error_unchanged(&execute(), &[&authority], BreakwaterError::Expired);
        }
    }
}

#[test]
fn nothing_is_queued_and_executed_or_executed_twice_in_one_transaction() {
    for kind in Kind::ALL {
        let mut stand = Stand::in_state(kind, State::Absent);
        let authority = stand.authority.clone();
        let both = [stand.queue(&authority, false), stand.execute(&authority, false)];
        stand
            .world
            .assert_error_unchanged(&both, &[&authority], BreakwaterError::TimelockActive);

        let mut stand = Stand::in_state(kind, State::Open);
        let execute = stand.execute(&authority, false);
        let gone = ErrorCode::AccountOwnedByWrongProgram;
        for again in [execute.clone(), stand.cancel(&authority)] {
            let twice = [execute.clone(), again];
            stand.world.assert_error_unchanged(&twice, &[&authority], gone);
        }
        let renewed = [stand.cancel(&authority), stand.queue(&authority, false), execute];
        stand
            .world
            .assert_error_unchanged(&renewed, &[&authority], BreakwaterError::TimelockActive);
    }
}

#[test]
fn nobody_can_stop_an_entry_by_sending_lamports_to_its_address() {
    for lamports in [1, 1_000_000_000] {
        for kind in Kind::ALL {
            let mut stand = Stand::in_state(kind, State::Absent);
            let (authority, entry) = (stand.authority.clone(), stand.entry());
            stand.world.give_lamports(&entry, lamports);
            let before = stand.world.existing_account(&authority.key()).lamports;
            for pair in [stand.queue(&authority, false), stand.cancel(&authority)] {
                stand.world.send(&[pair], &[&authority]).unwrap();
            }
            assert_eq!(
                stand.world.existing_account(&authority.key()).lamports,
                before + lamports
            );
            assert_eq!(stand.world.account(&entry), None);
        }
    }
}

#[test]
fn the_rent_goes_to_the_authority_whoever_cancels() {
    for kind in [Kind::Parameters, Kind::Feeds, Kind::Depth] {
        let mut stand = Stand::in_state(kind, State::Early);
        let (authority, grace) = (stand.authority.clone(), stand.grace.clone());
        let honest = stand.cancel(&grace);
        for receiver in [grace.key(), nowhere()] {
            let bent = replace_account(&honest, &authority.key(), &receiver);
            let expected = BreakwaterError::WrongAuthority;
            stand.world.assert_error_unchanged(&[bent], &[&grace], expected);
        }
        let before = stand.world.existing_account(&authority.key()).lamports;
        let rent = stand.world.existing_account(&stand.entry()).lamports;
        stand.world.send(&[honest], &[&grace]).unwrap();
        let after = stand.world.existing_account(&authority.key()).lamports;
        assert_eq!(after, before + rent);
    }
}

#[test]
fn an_authority_whose_account_is_odd_cannot_keep_its_entries_from_being_canceled() {
    // A thief may hand over to a key of his at which there is a program, an account of another owner, or nothing.
    for kind in BackendKind::ALL {
        for odd in 0..3 {
            let mut stand = Stand::new(World::new(kind), Kind::Parameters);
            let (authority, grace) = (stand.authority.clone(), stand.grace.clone());
            let queue = stand.queue(&authority, false);
            stand.world.send(&[queue], &[&authority]).unwrap();
            let mut account = stand.world.existing_account(&authority.key());
            match odd {
                0 => (account.executable, account.owner, account.data) = (true, LOADER, breakwater_program()),
                1 => account.owner = breakwater::ID,
                _ => account.lamports = 0,
            }
            stand.world.set_account(&authority.key(), account);
            let cancel = stand.cancel(&grace);
            stand.world.send(&[cancel], &[&grace]).unwrap();
            assert_eq!(stand.queued(), None);
        }
    }
}

#[test]
fn each_number_is_an_entry_of_its_own() {
    let (mut world, market, authority, _) = governed(World::program_test());
    let same = [change(Parameter::initial_ltv, 7_100)];
    let other = [change(Parameter::guardian_share, 4_999)];
    for (id, changes) in [(0, &same), (1, &same), (u16::MAX, &other)] {
        world.queue_parameters(&market, id, changes).unwrap();
    }
    world.wait_out_timelock();
    // One number's change is not another's.
    let crossed = ix::execute_parameters(&market, &authority.key(), u16::MAX, same.to_vec());
    world.assert_error_unchanged(&[crossed], &[&authority], BreakwaterError::ChangeHashMismatch);
    world.execute_parameters(&market, 0, &same).unwrap();
    // What is done is not done again under another number.
    let again = ix::execute_parameters(&market, &authority.key(), 1, same.to_vec());
    world.assert_error_unchanged(&[again], &[&authority], BreakwaterError::StaleChange);
    world.execute_parameters(&market, u16::MAX, &other).unwrap();
    assert!(world.queued_change(&market.market, PARAMETERS, 1).is_some());
    let config = world.market_state(&market).config;
    assert_eq!((config.initial_ltv.0, config.guardian_share.0), (7_100, 4_999));
}

#[test]
fn the_events_say_what_was_queued_and_until_when() {
    let mut stand = Stand::in_state(Kind::Feeds, State::Absent);
    let (market, now) = (stand.market, stand.world.unix());
    let feeds = other_receiver(&mut stand.world, &market);
    let event = |hash| ChangeQueued {
        hash,
        opens_at: now + TIMELOCK,
        closes_at: now + TIMELOCK + GRACE,
    };
    let queued = stand.world.queue_feeds(&market, feeds).unwrap().event::<FeedsQueued>();
    let hash = breakwater_client::change_hash(Kind::Feeds.number(), &market.market, &(feeds, false)).unwrap();
    assert_eq!(
        (queued.market, queued.queued, queued.feeds),
        (market.market, event(hash), feeds)
    );
    assert_eq!(stand.queued().unwrap().hash, hash);
    let emergency_admin = nowhere();
    let queued: EmergencyAdminQueued = stand.world.queue_emergency_admin(&emergency_admin).unwrap().event();
    let protocol = breakwater_client::addresses::protocol();
    let hash = breakwater_client::change_hash(Kind::EmergencyAdmin.number(), &protocol, &emergency_admin).unwrap();
    assert_eq!((queued.emergency_admin, queued.queued), (emergency_admin, event(hash)));
    stand.world.wait_out_timelock();
    let changed: FeedsChanged = stand.world.execute_feeds(&market, feeds).unwrap().event();
    assert_eq!((changed.market, changed.feeds), (market.market, feeds));
    let set: EmergencyAdminSet = stand.world.execute_emergency_admin(&emergency_admin).unwrap().event();
    assert_eq!(set.emergency_admin, emergency_admin);
}

/// Change that spoils valid feeds.
type Bend<'a> = &'a dyn Fn(&mut Feeds);

#[test]
fn feeds_that_no_market_could_have_are_not_queued() {
    let (mut world, market, authority, _) = governed(World::program_test());
    let present = present_feeds(&mut world, &market);
    let (base, rate) = (present.collateral, present.quote);
    let cases: [(Bend, BreakwaterError); 8] = [
        (&|_| (), BreakwaterError::NoChange),
        (
            &|feeds| feeds.collateral.key = Key::default(),
            BreakwaterError::FeedPinInvalid,
        ),
        (&|feeds| feeds.quote.padding[0] = 1, BreakwaterError::FeedPinInvalid),
        (&|feeds| feeds.quote = feeds.collateral, BreakwaterError::FeedPinInvalid),
        (&|feeds| feeds.quote.kind = 3, BreakwaterError::FeedKindUnknown),
        (
            &|feeds| feeds.collateral.owner = Key(PUSH_ORACLE.to_bytes()),
            BreakwaterError::WrongFeedOwner,
        ),
        (
            &|feeds| feeds.quote.owner = Key(nowhere().to_bytes()),
            BreakwaterError::WrongFeedOwner,
        ),
        (
            &|feeds| (feeds.base, feeds.rate) = (base, rate),
            BreakwaterError::FeedPinInvalid,
        ),
    ];
    let expires = world.longest_approval();
    for (number, (bend, expected)) in cases.into_iter().enumerate() {
        println!("case {number}: {expected:?}");
        let mut feeds = present;
        bend(&mut feeds);
        let queue = ix::queue_feeds(&market, &authority.key(), feeds, false, expires);
        world.assert_error_unchanged(&[queue], &[&authority], expected);
    }
}

#[test]
fn a_market_judges_its_new_feeds_by_what_it_knew() {
    let mut world = World::program_test();
    let market = world.market(&redeemable());
    world.observe_price(&market).unwrap();
    let mut feeds = present_feeds(&mut world, &market);
    let other = Key(RECEIVERS[1].to_bytes());
    (feeds.collateral.owner, feeds.rate.owner) = (other, other);
    world.queue_feeds(&market, feeds).unwrap();
    world.wait_out_timelock();
    let mut expected = world.market_state(&market);
    world.execute_feeds(&market, feeds).unwrap();
    let after = world.market_state(&market);
    (expected.oracle.collateral_feed, expected.oracle.rate_feed) = (feeds.collateral, feeds.rate);
    // What the new feeds said is known, and the old ones' readings are not.
    let now = world.unix();
    let known = &after.oracle.known;
    assert_eq!(
        [known.newest.collateral, known.newest.base, known.rate]
            .map(|reading| (reading.published, reading.accepted_at)),
        [(now, now); 3]
    );
    expected.oracle.known = *known;
    expected.guard.settled_at = now + 3_601;
    assert_eq!(after, expected);

    // The old updates are nobody's any more; those of the other receiver are read, and judged by the old prices.
    let observe = ix::observe_price(&market);
    world.assert_error_unchanged(std::slice::from_ref(&observe), &[], BreakwaterError::WrongFeedOwner);
    let (_, rate) = market.redemption_feeds.unwrap();
    for feed in [market.collateral_feed, rate] {
        world.edit_pull(&feed, |update| update.receiver = RECEIVERS[1]);
    }
    world.publish_all();
    let outcome: Outcome = world.send(std::slice::from_ref(&observe), &[]).unwrap();
    assert!(outcome.events::<breakwater::events::LevelChanged>().is_empty());
    world.advance_silently(1);
    world.settle_price(&market.collateral_feed, cents(12_500), 0);
    world.edit_pull(&market.collateral_feed, |update| update.quotation.publish_time -= 2);
    let known = world.market_state(&market).oracle.known.newest.collateral;
    world.send(&[observe], &[]).unwrap();
    assert_eq!(world.market_state(&market).oracle.known.newest.collateral, known);
}

#[test]
fn announced_equity_is_taken_in_its_whole_window_whatever_a_slot_lasts() {
    for slot_millis in SLOTS {
        for (late, expected) in [(0, None), (1, Some(BreakwaterError::Expired))] {
            let Scene { mut world, market, .. } = Scene::new();
            let authority = world.authority().clone();
            world.fund(&authority, &market.quote_mint, 0);
            let config = world.market_state(&market).config;
            // In the last slot that its signers named.
            let announce = ix::queue_equity_withdrawal(&market, &authority.key(), USDC, world.slot());
            world.send(&[announce], &[&authority]).unwrap();
            let last = i64::from(config.equity_withdrawal_delay) + i64::from(config.equity_withdrawal_window);
            pass(&mut world, last + late, slot_millis);
            let withdraw_equity = ix::withdraw_equity(&market, &authority.key());
            if let Some(error) = expected {
                world.assert_error_unchanged(&[withdraw_equity], &[&authority], error);
            } else {
                world.send(&[withdraw_equity], &[&authority]).unwrap();
                assert_eq!(world.balance(&authority, &market.quote_mint), USDC);
            }
        }
    }
}

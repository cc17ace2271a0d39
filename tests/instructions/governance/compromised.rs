//! A thief with the keys, in the transaction in which he begins: everything that he can send. Any that goes through
//! takes nothing, endangers nobody and locks nobody in.

use super::{
    cast::{ASSET, sibling_spec},
    heist::Heist,
    pause::LIMIT,
    rows::Refusal,
    rules::with_config,
};
use crate::{
    attack::replace_account,
    backing::market_with,
    scene::{SOL, USDC},
};
use anchor_lang::{prelude::ErrorCode, solana_program::instruction::Instruction};
use breakwater::error::BreakwaterError;
use breakwater_client::{MarketKeys, addresses};
use breakwater_engine::{Config, Parameter, ParameterChange, governance::pause::Kinds};
use breakwater_testkit::{Actor, World, ix};

fn change(heist: &mut Heist, parameter: Parameter, to: u64) -> ParameterChange {
    heist.world.change(&heist.market, parameter, to)
}

/// Changes that a thief of the authority's key would like to make.
fn wishes(heist: &mut Heist) -> Vec<ParameterChange> {
    [
        (Parameter::initial_ltv, 7_499),
        (Parameter::stress_volatility, 0),
        (Parameter::equity_withdrawal_delay, 86_400),
        (Parameter::penalty, 1),
        (Parameter::interest_slope_high, 30_000),
        (Parameter::outflow_limit, 500),
        (Parameter::flow_rate, 30_000),
        (Parameter::halt_cooldown, 3_600),
    ]
    .map(|(parameter, to)| change(heist, parameter, to))
    .to_vec()
}

/// Actions that the authority's key alone is refused at once.
#[allow(clippy::too_many_lines, reason = "one list, read from top to bottom")]
fn refused_to_the_authority(heist: &mut Heist) -> Vec<(&'static str, Vec<Instruction>, BreakwaterError)> {
    let (market, key) = (heist.market, heist.authority.key());
    let (now, slot) = (heist.world.unix(), heist.world.longest_approval());
    let (wishes, feeds) = (wishes(heist), heist.hostile_feeds());
    let budget = addresses::depth_budget(ASSET);
    let depth = heist.world.market_state(&market).config.market_depth.0;
    let shallow = change(heist, Parameter::market_depth, depth.div_ceil(2) - 1);
    let withdraw_equity = ix::withdraw_equity(&market, &key);
    let announce = |to, start, end| vec![ix::announce_liquidation_ltv(&market, &key, to, start, end)];
    let day = 86_400;
    let mut all = vec![
        (
            "equity without an announcement",
            vec![withdraw_equity.clone()],
            BreakwaterError::NothingQueued,
        ),
        (
            "equity in the transaction that announces it",
            vec![ix::queue_equity_withdrawal(&market, &key, USDC, slot), withdraw_equity],
            BreakwaterError::TimelockActive,
        ),
        (
            "parameters in the transaction that queues them",
            vec![
                ix::queue_parameters(&market, &key, 0, wishes.clone(), slot),
                ix::execute_parameters(&market, &key, 0, wishes.clone()),
            ],
            BreakwaterError::TimelockActive,
        ),
        (
            "feeds in the transaction that queues them",
            vec![
                ix::queue_feeds(&market, &key, feeds, true, slot),
                ix::execute_feeds(&market, &key, feeds, true, MarketKeys::KNOWN_FEEDS),
            ],
            BreakwaterError::TimelockActive,
        ),
        (
            "an emergency_admin in the transaction that queues him",
            vec![
                ix::queue_emergency_admin(&key, key, slot),
                ix::execute_emergency_admin(&key, key),
            ],
            BreakwaterError::TimelockActive,
        ),
        (
            "a share of depth in the transaction that queues it",
            vec![
                ix::queue_depth_share(&market, &key, &budget, 10_000, slot),
                ix::execute_depth_share(&market, &key, &budget, &budget, 10_000),
            ],
            BreakwaterError::TimelockActive,
        ),
        (
            "a larger share as a lower one",
            vec![ix::lower_depth_share(&market, &key, &budget, 101)],
            BreakwaterError::NotTighter,
        ),
        (
            "no share at all",
            vec![ix::lower_depth_share(&market, &key, &budget, 0)],
            BreakwaterError::ZeroAmount,
        ),
        (
            "more than half of the depth",
            vec![ix::tighten(&market, &key, vec![shallow])],
            BreakwaterError::DepthLoweredTooFar,
        ),
        (
            "an emergency_admin at once",
            vec![ix::set_emergency_admin(&key, key)],
            BreakwaterError::EmergencyAdminByQueue,
        ),
        (
            "a ramp now",
            announce(7_900, now, now + day),
            BreakwaterError::RampTooSoon,
        ),
        (
            "a ramp a second early",
            announce(7_900, now + 3 * day - 1, now + 5 * day),
            BreakwaterError::RampTooSoon,
        ),
        (
            "a steep ramp",
            announce(7_700, now + 3 * day, now + 6 * day - 1),
            BreakwaterError::RampTooSteep,
        ),
        (
            "an endless ramp",
            announce(7_900, now + 3 * day, now + 183 * day + 1),
            BreakwaterError::RampTooLong,
        ),
        (
            "a long halt",
            vec![ix::emergency_halt(&market, &key, LIMIT + 1)],
            BreakwaterError::HaltTooLong,
        ),
        (
            "a long pause",
            vec![ix::pause(&market, &key, 63, LIMIT + 1)],
            BreakwaterError::PauseTooLong,
        ),
        (
            "a pause of leaving",
            vec![ix::pause(&market, &key, 64, 1)],
            BreakwaterError::PauseKindUnknown,
        ),
        (
            "an approval for ever",
            vec![ix::queue_parameters(&market, &key, 0, wishes.clone(), u64::MAX)],
            BreakwaterError::ApprovalTooLong,
        ),
        (
            "the office of somebody who was not proposed",
            vec![ix::accept_authority(&key)],
            BreakwaterError::NotProposed,
        ),
    ];
    for wish in wishes {
        let tighten = vec![ix::tighten(&market, &key, vec![wish])];
        all.push(("a loosening as a tightening", tighten, BreakwaterError::NotTighter));
    }
    let ltv = change(heist, Parameter::liquidation_ltv, 7_700);
    let tighten = vec![ix::tighten(&market, &key, vec![ltv])];
    all.push(("the liquidation LTV", tighten, BreakwaterError::LiquidationLtvByRamp));
    all
}

/// Actions that somebody else must sign, with the error of each.
fn refused_to_everybody(heist: &Heist, thief: &Actor) -> Vec<(&'static str, Instruction, BreakwaterError)> {
    use BreakwaterError::{WrongGuardianPosition, WrongKeeper, WrongOwner, WrongTokenOwner};
    let (market, key) = (heist.market, thief.key());
    let (alice, empty) = (&heist.alice.address, heist.bob.address);
    let lenas = |ix: &Instruction| replace_account(ix, &market.lp_of(&key), &market.lp_of(&heist.lena.key()));
    let ginas = |ix: &Instruction| {
        let of = |key| addresses::guardian_position(&market.market, key);
        replace_account(ix, &of(&key), &of(&heist.gina.key()))
    };
    let kates = |ix: &Instruction| {
        let of = |key| addresses::keeper_ledger(&market.market, key);
        replace_account(ix, &of(&key), &of(&heist.kate.key()))
    };
    vec![
        (
            "Alice's collateral",
            ix::withdraw_collateral(&market, alice, &key, SOL),
            WrongOwner,
        ),
        ("a loan on Alice", ix::borrow(&market, alice, &key, USDC), WrongOwner),
        ("Bob's account", ix::close_account(&empty, &key), WrongOwner),
        (
            "Lena's shares",
            lenas(&ix::withdraw(&market, &key, 1_000, 0)),
            WrongTokenOwner,
        ),
        (
            "Gina's leaving",
            ginas(&ix::guardian_withdraw(&market, &key, 1_000, 0)),
            WrongGuardianPosition,
        ),
        (
            "Gina's request",
            ginas(&ix::guardian_request(&market, &key, 0, 0)),
            WrongGuardianPosition,
        ),
        ("Kate's bounty", kates(&ix::claim_bounty(&market, &key)), WrongKeeper),
    ]
}

#[test]
fn a_thief_of_the_authoritys_key_is_refused_everything_that_would_take_or_endanger() {
    let mut heist = Heist::new(World::program_test());
    let thief = heist.authority.clone();
    for (what, attempt, expected) in refused_to_the_authority(&mut heist) {
        heist.refused(what, &attempt, &[&thief], expected);
    }
    for (what, attempt, expected) in refused_to_everybody(&heist, &thief) {
        heist.refused(what, &[attempt], &[&thief], expected);
    }
    // Nothing that was never queued.
    let (market, key) = (heist.market, thief.key());
    let (feeds, budget) = (heist.hostile_feeds(), addresses::depth_budget(ASSET));
    for execute in [
        ix::execute_parameters(&market, &key, 0, wishes(&mut heist)),
        ix::execute_feeds(&market, &key, feeds, false, market.feeds()),
        ix::execute_emergency_admin(&key, key),
        ix::execute_depth_share(&market, &key, &budget, &budget, 10_000),
    ] {
        heist.refused(
            "what was never queued",
            &[execute],
            &[&thief],
            ErrorCode::AccountOwnedByWrongProgram,
        );
    }
    // The program's own accounts cannot be made again, nor a market over this one.
    let (_, create) = heist.world.prepare_market(&market_with(Config::EXAMPLE));
    for again in [ix::initialize(&key), create] {
        heist.refused("what exists", &[again], &[&thief], Refusal::Exists);
    }
    // Nor a market that begins large.
    let (_, create) = heist.world.prepare_market(&sibling_spec());
    let large = with_config(&create, &Config::EXAMPLE);
    let expected = BreakwaterError::FirstLimitExceeded;
    heist.refused("a market that begins large", &[large], &[&thief], expected);
    heist.nobody_is_liquidatable();
}

#[test]
fn a_thief_of_the_emergency_admins_key_is_refused_everything_but_emergency_halts() {
    let mut heist = Heist::new(World::program_test());
    let (thief, market) = (heist.grace.clone(), heist.market);
    let (key, slot, now) = (thief.key(), heist.world.longest_approval(), heist.world.unix());
    let (wishes, feeds) = (wishes(&mut heist), heist.hostile_feeds());
    let (_, create) = heist.world.prepare_market(&sibling_spec());
    let create = replace_account(&create, &heist.authority.key(), &key);
    for attempt in [
        create,
        ix::queue_parameters(&market, &key, 0, wishes.clone(), slot),
        ix::queue_feeds(&market, &key, feeds, false, slot),
        ix::queue_emergency_admin(&key, heist.mallory.key(), slot),
        ix::create_depth_budget(&key, "ANOTHER"),
        ix::queue_depth_share(&market, &key, &addresses::depth_budget(ASSET), 10_000, slot),
        ix::queue_equity_withdrawal(&market, &key, USDC, slot),
        ix::withdraw_equity(&market, &key),
        ix::propose_authority(&key, key, slot),
        ix::set_emergency_admin(&key, heist.mallory.key()),
        ix::announce_liquidation_ltv(&market, &key, 7_900, now + 260_000, now + 500_000),
    ] {
        heist.refused(
            "an office of the authority",
            &[attempt],
            &[&thief],
            BreakwaterError::WrongAuthority,
        );
    }
    for wish in wishes {
        let tighten = [ix::tighten(&market, &key, vec![wish])];
        heist.refused("a loosening", &tighten, &[&thief], BreakwaterError::NotTighter);
    }
    for (what, attempt, expected) in refused_to_everybody(&heist, &thief) {
        heist.refused(what, &[attempt], &[&thief], expected);
    }
    let accept = [ix::accept_authority(&key)];
    heist.refused("the authority", &accept, &[&thief], BreakwaterError::NotProposed);
    let long = [ix::pause(&market, &key, 63, LIMIT + 1)];
    heist.refused("a long pause", &long, &[&thief], BreakwaterError::PauseTooLong);
}

/// Actions that go through with either key: all that limits.
fn limits(heist: &mut Heist, thief: &Actor) -> Vec<(&'static str, Vec<Instruction>)> {
    let (market, key) = (heist.market, thief.key());
    let config = heist.world.market_state(&market).config;
    let tightest: Vec<ParameterChange> = Parameter::ALL
        .iter()
        .filter_map(|parameter| Some((*parameter, super::tighten::tightest(*parameter, &config)?)))
        .map(|(parameter, to)| change(heist, parameter, to))
        .filter(|change| change.from != change.to)
        .collect();
    let pause = ix::pause(&market, &key, Kinds::ALL.0, LIMIT);
    let emergency_halt = ix::emergency_halt(&market, &key, LIMIT);
    let tighten = ix::tighten(&market, &key, tightest);
    let share = ix::lower_depth_share(&market, &key, &addresses::depth_budget(ASSET), 1);
    vec![
        ("the emergency halt", vec![emergency_halt.clone()]),
        ("every pause", vec![pause.clone()]),
        ("everything tightened", vec![tighten.clone()]),
        ("a hundredth of the depth share", vec![share.clone()]),
        ("all of it", vec![emergency_halt, pause, tighten, share]),
    ]
}

#[test]
fn what_a_thief_of_the_emergency_admins_key_can_do_at_once_takes_endangers_and_locks_in_nobody() {
    let mut heist = Heist::new(World::program_test());
    let grace = heist.grace.clone();
    for (what, attempt) in limits(&mut heist, &grace) {
        heist.harmless(what, &attempt, &[&grace]);
    }
}

#[test]
fn what_a_thief_of_the_authoritys_key_can_do_at_once_takes_endangers_and_locks_in_nobody() {
    let mut heist = Heist::new(World::program_test());
    let (thief, accomplice, market) = (heist.authority.clone(), heist.mallory.clone(), heist.market);
    let (key, now) = (thief.key(), heist.world.unix());
    let (slot, longest) = (heist.world.longest_approval(), heist.world.longest_approval());
    for (what, attempt) in limits(&mut heist, &thief) {
        heist.harmless(what, &attempt, &[&thief]);
    }
    let (wishes, feeds) = (wishes(&mut heist), heist.hostile_feeds());
    let queue = [
        ix::queue_parameters(&market, &key, 0, wishes, slot),
        ix::queue_feeds(&market, &key, feeds, false, slot),
        ix::queue_emergency_admin(&key, accomplice.key(), slot),
        ix::create_depth_budget(&key, "ANOTHER"),
        ix::queue_depth_share(&market, &key, &addresses::depth_budget("ANOTHER"), 10_000, slot),
        ix::queue_equity_withdrawal(&market, &key, 100_000 * USDC, longest),
    ];
    heist.harmless("everything queued", &queue, &[&thief]);
    let start = now + 3 * 86_400;
    let ramp = [ix::announce_liquidation_ltv(
        &market,
        &key,
        7_501,
        start,
        start + 5 * 86_400,
    )];
    heist.harmless("the fastest ramp", &ramp, &[&thief]);
    let over = [
        ix::propose_authority(&key, accomplice.key(), heist.world.longest_approval()),
        ix::accept_authority(&accomplice.key()),
    ];
    heist.harmless("another authority", &over, &[&thief, &accomplice]);
    let (_, create) = heist.world.prepare_market(&sibling_spec());
    heist.harmless("another market", &[create], &[&thief]);
}

#[test]
fn a_thief_of_both_keys_has_no_more_at_once() {
    let mut heist = Heist::new(World::program_test());
    let (authority, grace, market) = (heist.authority.clone(), heist.grace.clone(), heist.market);
    for (what, attempt, expected) in refused_to_the_authority(&mut heist) {
        // The emergency admin's signature in front of it: it limits what it can.
        let mut both = vec![ix::pause(&market, &grace.key(), Kinds::SUPPLY.0, 1)];
        both.extend(attempt);
        if what == "a pause of leaving" || what == "a long pause" || what == "a long halt" {
            both.swap(0, 1);
        }
        heist.refused(what, &both, &[&authority, &grace], expected);
    }
    for (what, mut attempt) in limits(&mut heist, &grace) {
        let (key, slot) = (authority.key(), heist.world.longest_approval());
        attempt.push(ix::queue_emergency_admin(&key, heist.mallory.key(), slot));
        heist.harmless(what, &attempt, &[&authority, &grace]);
    }
}

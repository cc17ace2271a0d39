//! Powers of a thief of a key, line by line, how far each reaches, and what stops him. `SECURITY.md` lists these tests.

use super::{
    cast::{ASSET, sibling_spec},
    heist::Heist,
    pause::LIMIT,
    tighten::tightest,
};
use crate::scene::USDC;
use anchor_lang::{prelude::ErrorCode, solana_program::instruction::Instruction};
use breakwater::{
    error::BreakwaterError,
    events::{
        DepthShareQueued, EmergencyAdminQueued, EquityWithdrawalAnnounced, FeedsQueued, LiquidationLtvAnnounced,
        ParametersQueued,
    },
};
use breakwater_client::addresses;
use breakwater_engine::{
    Bps, Config, Parameter, ParameterChange,
    governance::{DEPTH, FEEDS, PARAMETERS, pause::Kinds},
};
use breakwater_testkit::{Actor, World, ix};

const DAY: u32 = 86_400;
const GONE: ErrorCode = ErrorCode::AccountOwnedByWrongProgram;

fn heist() -> Heist {
    Heist::new(World::program_test())
}

/// A change of a parameter from what it is.
fn change(heist: &mut Heist, parameter: Parameter, to: u64) -> Vec<ParameterChange> {
    vec![heist.world.change(&heist.market, parameter, to)]
}

fn tighten_everything(heist: &mut Heist, thief: &Actor) {
    let config = heist.world.market_state(&heist.market).config;
    let changes: Vec<ParameterChange> = Parameter::ALL
        .iter()
        .filter_map(|parameter| Some((*parameter, tightest(*parameter, &config)?)))
        .filter(|(parameter, to)| parameter.get(&config) != *to)
        .map(|(parameter, to)| heist.world.change(&heist.market, parameter, to))
        .collect();
    heist.world.tighten(&heist.market, thief, &changes).unwrap();
}

#[test]
fn either_key_halts_for_an_hour_and_pauses_for_an_hour_and_then_all_goes_on() {
    for stolen in [0, 1] {
        let mut heist = heist();
        let thief = [heist.authority.clone(), heist.grace.clone()][stolen].clone();
        let (market, bob, kate) = (heist.market, heist.bob.clone(), heist.kate.clone());
        // Bob falls to 81% just when it begins.
        let fallen = heist.world.shown(&market.collateral_feed).quotation().price * 78 / 81;
        heist.world.settle_price(&market.collateral_feed, fallen, 0);
        let liquidate = ix::liquidate(&market, &bob.address, &kate.key());
        heist.world.emergency_halt(&market, &thief, LIMIT).unwrap();
        heist.world.advance(LIMIT - 1);
        let halted = BreakwaterError::MarketHalted;
        heist.refused("liquidating", std::slice::from_ref(&liquidate), &[&kate], halted);
        heist.world.pause(&market, &thief, Kinds::ALL.0, LIMIT).unwrap();
        heist.world.advance(LIMIT - 1);
        let paused = BreakwaterError::ActionPaused;
        heist.refused("liquidating", std::slice::from_ref(&liquidate), &[&kate], paused);
        for again in [
            (
                ix::emergency_halt(&market, &thief.key(), 1),
                BreakwaterError::HaltCooldown,
            ),
            (ix::pause(&market, &thief.key(), 8, 1), BreakwaterError::PauseCooldown),
        ] {
            heist.refused("again", &[again.0], &[&thief], again.1);
        }
        heist.world.advance(1);
        let outcome = heist.world.send(&[liquidate], &[&kate]).unwrap();
        assert!(outcome.liquidation().repaid.0 > 0);
    }
}

#[test]
fn either_key_stops_new_loans_and_supplies_until_they_are_raised_through_the_queue() {
    for stolen in [0, 1] {
        let mut heist = heist();
        let thief = [heist.authority.clone(), heist.grace.clone()][stolen].clone();
        let (market, lena, alice) = (heist.market, heist.lena.clone(), heist.alice.clone());
        let before = heist.world.market_state(&market).config;
        tighten_everything(&mut heist, &thief);
        let exits = heist.exits();
        let supply = [ix::supply(&market, &lena.key(), USDC, 0)];
        heist.refused("supplying", &supply, &[&lena], BreakwaterError::SupplyCapReached);
        let borrow = [ix::borrow(&market, &alice.address, &alice.owner.key(), USDC)];
        heist.refused(
            "borrowing",
            &borrow,
            &[&alice.owner],
            BreakwaterError::InitialLtvExceeded,
        );
        let free = [ix::withdraw_collateral(&market, &alice.address, &alice.owner.key(), 1)];
        heist.refused(
            "withdrawing",
            &free,
            &[&alice.owner],
            BreakwaterError::InitialLtvExceeded,
        );
        // The authority, if it is not the thief's, raises what was lowered, in three days. Nobody waits for that to
        // leave.
        let back: Vec<ParameterChange> = Parameter::ALL
            .iter()
            .filter(|parameter| tightest(**parameter, &before).is_some())
            .map(|parameter| heist.world.change(&market, *parameter, parameter.get(&before)))
            .filter(|change| change.from != change.to)
            .collect();
        heist.world.queue_parameters(&market, 0, &back).unwrap();
        heist.world.wait_out_timelock();
        assert_eq!(heist.exits(), exits);
        heist.world.execute_parameters(&market, 0, &back).unwrap();
        assert_eq!(heist.world.market_state(&market).config, before);
        heist.world.send(&supply, &[&lena]).unwrap();
    }
}

/// Everything that can be queued, by the thief of the authority's key.
fn queue_everything(heist: &mut Heist) -> Vec<Instruction> {
    let (market, key) = (heist.market, heist.authority.key());
    let slot = heist.world.longest_approval();
    let longest = heist.world.longest_approval();
    let feeds = heist.hostile_feeds();
    let start = heist.world.unix() + i64::from(3 * DAY);
    let changes = change(heist, Parameter::stress_volatility, 0);
    vec![
        ix::queue_parameters(&market, &key, 0, changes, slot),
        ix::queue_feeds(&market, &key, feeds, false, slot),
        ix::queue_depth_share(&market, &key, &addresses::depth_budget(ASSET), 10_000, slot),
        ix::queue_equity_withdrawal(&market, &key, 90_000 * USDC, longest),
        ix::announce_liquidation_ltv(&market, &key, 7_501, start, start + i64::from(5 * DAY)),
    ]
}

#[test]
fn what_a_stolen_authority_queues_is_seen_and_the_emergency_admin_cancels_it() {
    let mut heist = heist();
    let (thief, grace, market) = (heist.authority.clone(), heist.grace.clone(), heist.market);
    let before = heist.world.market_state(&market);
    let queue = queue_everything(&mut heist);
    let feeds = heist.hostile_feeds();
    let changes = change(&mut heist, Parameter::stress_volatility, 0);
    let seen = heist.world.send(&queue, &[&thief]).unwrap();
    // In full: whoever watches the program's events knows what would be.
    assert_eq!(seen.event::<ParametersQueued>().changes, changes);
    assert_eq!(seen.event::<FeedsQueued>().feeds, feeds);
    assert_eq!(seen.event::<DepthShareQueued>().allocation.share, Bps(10_000));
    assert_eq!(seen.event::<EquityWithdrawalAnnounced>().queued.amount.0, 90_000 * USDC);
    assert_eq!(seen.event::<LiquidationLtvAnnounced>().ramp.to, Bps(7_501));
    let budget = addresses::depth_budget(ASSET);
    // To the last second before anything of it can be done, in one transaction.
    heist.world.advance(3 * DAY - 1);
    let (authority, key) = (thief.key(), grace.key());
    let entry = |kind| addresses::queued_change(&market.market, kind, 0);
    let cancel = [
        ix::cancel_change(&key, &authority, &entry(PARAMETERS)),
        ix::cancel_change(&key, &authority, &entry(FEEDS)),
        ix::cancel_change(&key, &authority, &entry(DEPTH)),
        ix::cancel_equity_withdrawal(&market, &key),
        ix::cancel_ramp(&market, &key),
    ];
    heist.world.send(&cancel, &[&grace]).unwrap();
    assert_eq!(heist.world.market_state(&market), before);
    heist.world.advance(5 * DAY);
    for execute in [
        ix::execute_parameters(&market, &authority, 0, changes),
        ix::execute_feeds(&market, &authority, feeds, false, market.feeds()),
        ix::execute_depth_share(&market, &authority, &budget, &budget, 10_000),
    ] {
        heist.refused("what was canceled", &[execute], &[&thief], GONE);
    }
    let withdraw_equity = [ix::withdraw_equity(&market, &authority)];
    heist.refused(
        "what was canceled",
        &withdraw_equity,
        &[&thief],
        BreakwaterError::NothingQueued,
    );
}

#[test]
fn many_entries_are_canceled_faster_than_they_are_queued() {
    let mut heist = heist();
    let (thief, grace, market) = (heist.authority.clone(), heist.grace.clone(), heist.market);
    let (key, slot) = (thief.key(), heist.world.longest_approval());
    let changes = change(&mut heist, Parameter::stress_volatility, 0);
    let queue = |id| ix::queue_parameters(&market, &key, id, changes.clone(), slot);
    let cancel = |id| {
        let entry = addresses::queued_change(&market.market, PARAMETERS, id);
        ix::cancel_change(&grace.key(), &key, &entry)
    };
    let fits = |heist: &mut Heist, build: &dyn Fn(u16) -> Instruction, signer: &Actor| {
        let most = (1..64).take_while(|count| {
            let all: Vec<Instruction> = (0..*count).map(build).collect();
            heist.world.transaction_size(&all, &[signer], &[]) <= breakwater_testkit::TRANSACTION_BYTES
        });
        most.count()
    };
    let (queued, canceled) = (fits(&mut heist, &queue, &thief), fits(&mut heist, &cancel, &grace));
    assert!(
        canceled >= queued,
        "{canceled} in a transaction, {queued} are queued in one"
    );
    let count = u16::try_from(canceled).unwrap();
    for id in 0..count {
        heist.world.send(&[queue(id)], &[&thief]).unwrap();
    }
    let all: Vec<Instruction> = (0..count).map(cancel).collect();
    heist.world.send(&all, &[&grace]).unwrap();
    for id in 0..count {
        assert_eq!(heist.world.queued_change(&market.market, PARAMETERS, id), None);
    }
}

#[test]
fn a_ramp_gives_three_days_notice_and_then_a_percent_a_day() {
    let mut heist = heist();
    let (market, bob, kate) = (heist.market, heist.bob.clone(), heist.kate.clone());
    let start = heist.world.unix() + i64::from(3 * DAY);
    heist
        .world
        .announce_liquidation_ltv(&market, 7_501, start, start + 499 * 864)
        .unwrap();
    // Nobody cancels it. Bob is at 78%, so he has three days, and nearly two.
    let liquidate = [ix::liquidate(&market, &bob.address, &kate.key())];
    for wait in [0, 3 * DAY, DAY, DAY - 2 * 864] {
        heist.world.advance(wait);
        heist.refused("liquidating", &liquidate, &[&kate], BreakwaterError::AccountHealthy);
    }
    let repaid = heist.world.snapshot();
    heist.world.advance(4 * 864);
    heist.world.send(&liquidate, &[&kate]).unwrap();
    // A part of it repaid in that time, and he is safe.
    heist.world.restore(&repaid);
    heist.world.repay(&bob, 1_000 * USDC).unwrap();
    heist.world.advance(4 * DAY);
    assert_eq!(
        heist.world.market_state(&market).liquidation_ltv(heist.world.clock()),
        Bps(7_501)
    );
    heist.refused("liquidating", &liquidate, &[&kate], BreakwaterError::AccountHealthy);
}

#[test]
fn a_new_market_begins_small_and_touches_nothing_of_the_others() {
    let mut heist = heist();
    let (thief, market) = (heist.authority.clone(), heist.market);
    let (keys, create) = heist.world.prepare_market(&sibling_spec());
    let of = [
        market.market,
        market.collateral_vault,
        market.quote_vault,
        market.lp_mint,
        heist.alice.address,
        heist.bob.address,
    ];
    let before = of.map(|address| heist.world.existing_account(&address));
    heist.world.send(&[create], &[&thief]).unwrap();
    assert_eq!(of.map(|address| heist.world.existing_account(&address)), before);
    let Config {
        supply_cap,
        debt_cap,
        account_debt_cap,
        ..
    } = heist.world.market_state(&keys).config;
    let caps = [supply_cap.0, debt_cap.0, account_debt_cap.0];
    assert_eq!(caps, [1_000_000 * USDC, 1_000_000 * USDC, 100_000 * USDC]);
    // Its accounts are no accounts of this market.
    let wrong = ix::borrow(&keys, &heist.alice.address, &heist.alice.owner.key(), USDC);
    let owner = heist.alice.owner.clone();
    heist.refused(
        "another market's account",
        &[wrong],
        &[&owner],
        BreakwaterError::WrongMarket,
    );
}

#[test]
fn the_emergency_admin_is_swapped_only_after_the_timelock_and_what_is_loosened_waits_for_another() {
    let mut heist = heist();
    let (thief, grace, market) = (heist.authority.clone(), heist.grace.clone(), heist.market);
    let (greta, begun) = (heist.mallory.clone(), heist.world.unix());
    let seen = heist.world.queue_emergency_admin(&greta.key()).unwrap();
    assert_eq!(seen.event::<EmergencyAdminQueued>().emergency_admin, greta.key());
    let loosening = change(&mut heist, Parameter::stress_volatility, 0);
    // As often as he queues, Grace cancels.
    for _ in 0..3 {
        heist.world.queue_parameters(&market, 0, &loosening).unwrap();
        heist.world.advance(DAY - 1);
        heist
            .world
            .cancel_change(&grace, &market.market, PARAMETERS, 0)
            .unwrap();
    }
    heist.world.advance(2);
    let early = [ix::execute_emergency_admin(&thief.key(), greta.key())];
    heist.refused(
        "the emergency_admin",
        &early,
        &[&thief],
        BreakwaterError::TimelockActive,
    );
    heist.world.queue_parameters(&market, 0, &loosening).unwrap();
    heist.world.advance(1);
    assert_eq!(heist.world.unix(), begun + i64::from(3 * DAY));
    heist.world.send(&early, &[&thief]).unwrap();
    // Now nobody but him cancels. It still waits.
    let cancel = ix::cancel_change(
        &grace.key(),
        &thief.key(),
        &addresses::queued_change(&market.market, PARAMETERS, 0),
    );
    heist.refused("Grace", &[cancel], &[&grace], BreakwaterError::WrongEmergencyAdmin);
    heist.world.advance(3 * DAY - 2);
    let execute = [ix::execute_parameters(&market, &thief.key(), 0, loosening)];
    heist.refused("the loosening", &execute, &[&thief], BreakwaterError::TimelockActive);
    let exits = heist.exits();
    heist.world.advance(1);
    heist.world.send(&execute, &[&thief]).unwrap();
    assert_eq!(heist.exits(), exits);
}

#[test]
fn another_authority_is_final_and_gains_no_time() {
    let mut heist = heist();
    let (former, thief, grace, market) = (
        heist.authority.clone(),
        heist.mallory.clone(),
        heist.grace.clone(),
        heist.market,
    );
    let loosening = change(&mut heist, Parameter::stress_volatility, 0);
    heist.world.queue_parameters(&market, 0, &loosening).unwrap();
    let queued = heist.world.queued_change(&market.market, PARAMETERS, 0);
    heist.world.propose_authority(&thief.key()).unwrap();
    heist.world.accept_authority(&thief).unwrap();
    assert_eq!(heist.world.queued_change(&market.market, PARAMETERS, 0), queued);
    let back = [ix::propose_authority(&former.key(), former.key(), heist.world.slot())];
    heist.refused("taking it back", &back, &[&former], BreakwaterError::WrongAuthority);
    let execute = [ix::execute_parameters(&market, &thief.key(), 0, loosening)];
    heist.refused("at once", &execute, &[&thief], BreakwaterError::TimelockActive);
    // The emergency admin is who it was, and cancels; the rent is the thief's.
    let cancel = ix::cancel_change(
        &grace.key(),
        &thief.key(),
        &addresses::queued_change(&market.market, PARAMETERS, 0),
    );
    heist.world.send(&[cancel], &[&grace]).unwrap();
    heist.world.advance(3 * DAY);
    heist.refused("after it", &execute, &[&thief], GONE);
}

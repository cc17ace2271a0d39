//! Guardians and the protocol, who know that the price has fallen by half before the backstop has taken anything over.

use super::figures::gained;
use crate::{
    backing::{backed, cents, interest_free, market_with, position_of, stands_at},
    borrow::cover::{accepted, stressed},
    scene::{SOL, Scene, USDC},
};
use anchor_lang::solana_program::instruction::Instruction;
use breakwater::{
    error::BreakwaterError,
    events::{EquityWithdrawn, GuardianWithdrawn},
};
use breakwater_client::MarketKeys;
use breakwater_engine::{Config, Parameter};
use breakwater_testkit::{Actor, World, default_config, ix};

const DAY: u32 = 86_400;
/// Behind the backstop: Gina's, and the protocol's.
const GINAS: u64 = 50_000 * USDC;
const PROTOCOLS: u64 = 80_000 * USDC;

/// Lena owes 496,000 on 8,000 SOL at $100: at $62, a fall of 38%, she is under water by nothing but the width of a
/// band, at $50 by 96,000. Gina and the protocol, if they have anything, may leave with all of it.
fn on_the_eve(guardians: u64, protocol: u64) -> (Scene, Actor, Actor) {
    let config = interest_free(Config {
        guardian_cooldown: 7 * DAY,
        equity_withdrawal_delay: 8 * DAY,
        equity_withdrawal_window: 30 * DAY,
        ..stressed()
    });
    // Alice has borrowed while the fall was smaller.
    let before = market_with(interest_free(default_config()));
    let (mut scene, gina) = backed(World::program_test(), &before, protocol, guardians);
    let market = scene.market;
    scene.world.set_config(&market, config);
    let (lena, authority) = (scene.lena.clone(), scene.world.authority().clone());
    scene.world.fund(&authority, &market.quote_mint, 0);
    stands_at(&mut scene, cents(10_000));
    scene.world.fund(&lena, &market.collateral_mint, 8_000 * SOL);
    let loan = scene.world.open(&market, &lena, 0).unwrap();
    scene.world.deposit(&loan, 8_000 * SOL).unwrap();
    scene.world.borrow(&loan, 496_000 * USDC).unwrap();
    if guardians > 0 {
        let shares = position_of(&mut scene, &gina).shares.0;
        scene.world.guardian_request(&market, &gina, shares).unwrap();
    }
    if protocol > 0 {
        scene.world.queue_equity_withdrawal(&market, protocol).unwrap();
    }
    scene.world.advance(8 * DAY);
    stands_at(&mut scene, cents(10_000));
    (scene, gina, authority)
}

/// max(0, C), quote atoms: what covers a fall of 38% from the price that was.
fn spare(scene: &mut Scene) -> u64 {
    let (market, prices) = accepted(scene);
    let [cover, _] = market.stress(&prices, scene.world.clock()).unwrap();
    u64::try_from(cover.cover.max(0)).unwrap()
}

/// Payment to Gina by this, quote atoms.
fn taken(scene: &mut Scene, gina: &Actor, instruction: Instruction) -> u64 {
    let outcome = scene.world.send(&[instruction], &[gina]);
    outcome.map_or(0, |outcome| outcome.event::<GuardianWithdrawn>().withdrawal.amount.0)
}

#[test]
fn in_the_second_of_a_crash_a_guardian_takes_what_a_fall_of_s_did_not_need_and_no_more() {
    // Before: 50,000 of 50,000, and suppliers had the loss.
    let (mut scene, gina, _) = on_the_eve(GINAS, 0);
    let limit = spare(&mut scene);
    assert!((35_000 * USDC..46_000 * USDC).contains(&limit), "{limit}");
    scene.world.observe_price(&scene.market).unwrap();
    // The price falls by half, and nobody has shown that yet.
    scene.world.edit_feed(&scene.market.collateral_feed, |feed| {
        feed.quotation_mut().price = cents(50_00);
    });
    let leave = ix::guardian_withdraw(&scene.market.without_feeds(), &gina.key(), u64::MAX, 0);
    let mut gain = 0;
    for _ in 0..4 {
        gain += taken(&mut scene, &gina, leave.clone());
        scene.world.next_slot();
    }
    // By her own S, which is 0.42 points less a day after her request has opened: of 800,000.
    let limit = i128::from(limit) + i128::from(3_400 * USDC);
    gained("a guardian in the second of a crash", gain.into(), limit);
    // Who shows it gets nothing: not while the market is Guarded by it, nor once it stands there.
    let shown = ix::guardian_withdraw(&scene.market, &gina.key(), u64::MAX, 0);
    assert_eq!(taken(&mut scene, &gina, shown.clone()), 0);
    for _ in 0..3 {
        stands_at(&mut scene, cents(50_00));
        assert_eq!(taken(&mut scene, &gina, shown.clone()), 0);
    }
    // And eleven seconds after the last price from before, nobody gets anything for it.
    let (mut scene, gina, _) = on_the_eve(GINAS, 0);
    scene.world.observe_price(&scene.market).unwrap();
    scene.world.advance_silently(11);
    let expected = BreakwaterError::PriceTooOld;
    scene.world.assert_error_unchanged(&[leave], &[&gina], expected);
}

#[test]
fn with_the_market_halted_or_dead_feeds_nobody_leaves_before_the_loss() {
    // Before: 50,000 of 50,000 and 80,000 of 80,000, either way.
    let (mut scene, gina, authority) = on_the_eve(GINAS, PROTOCOLS);
    let market = scene.market;
    let attempts = |keys: &MarketKeys| {
        [
            (ix::guardian_withdraw(keys, &gina.key(), u64::MAX, 0), &gina),
            (ix::withdraw_equity(keys, &authority.key()), &authority),
        ]
    };
    let (shown, silent) = (attempts(&market), attempts(&market.without_feeds()));
    scene.world.observe_price(&market).unwrap();
    let eve = scene.world.snapshot();
    let refused = |scene: &mut Scene, attempts: &[(Instruction, &Actor)], expected: BreakwaterError| {
        for (instruction, signer) in attempts {
            scene
                .world
                .assert_error_unchanged(std::slice::from_ref(instruction), &[signer], expected);
        }
    };
    scene.world.emergency_halt(&market, &authority, 3_600).unwrap();
    refused(&mut scene, &silent, BreakwaterError::MarketHalted);
    refused(&mut scene, &shown, BreakwaterError::MarketHalted);
    scene.world.restore(&eve);
    for days in [1, 6 * DAY] {
        scene.world.advance_silently(days + 10);
        refused(&mut scene, &silent, BreakwaterError::PriceTooOld);
    }
    // After seven days without a reading a guardian is paid what the stored price leaves to spare; the protocol is not,
    // for it can change the feeds.
    scene.world.advance_silently(DAY);
    let gain = taken(&mut scene, &gina, silent[0].0.clone());
    assert!(gain > 0 && gain <= GINAS, "{gain}");
    refused(&mut scene, &silent[1..], BreakwaterError::PriceTooOld);
}

#[test]
fn in_the_second_of_a_crash_the_protocol_takes_nothing_that_a_fall_of_s_needs() {
    // Before: 80,000 of 80,000. All or nothing: 80,000 are more than there is to spare.
    let (mut scene, _, authority) = on_the_eve(0, PROTOCOLS);
    let limit = spare(&mut scene);
    assert!(limit < PROTOCOLS, "{limit}");
    scene.world.observe_price(&scene.market).unwrap();
    let take = ix::withdraw_equity(&scene.market.without_feeds(), &authority.key());
    let expected = BreakwaterError::StressCoverExceeded;
    scene
        .world
        .assert_error_unchanged(std::slice::from_ref(&take), &[&authority], expected);
    // Gina's request comes first: beside her 50,000, which are there, as much again is not to be had.
    let (mut scene, gina, authority) = on_the_eve(GINAS, 35_000 * USDC);
    let take = ix::withdraw_equity(&scene.market.without_feeds(), &authority.key());
    let spare_now = spare(&mut scene);
    assert!((70_000 * USDC..81_000 * USDC).contains(&spare_now), "{spare_now}");
    scene.world.observe_price(&scene.market).unwrap();
    scene
        .world
        .assert_error_unchanged(std::slice::from_ref(&take), &[&authority], expected);
    let leave = ix::guardian_withdraw(&scene.market.without_feeds(), &gina.key(), u64::MAX, 0);
    let gain = taken(&mut scene, &gina, leave);
    assert_eq!(gain, GINAS);
    scene.world.assert_error_unchanged(&[take], &[&authority], expected);
}

#[test]
fn a_thief_who_raises_the_cooldown_keeps_nobody_in() {
    // Before: thirty days, read anew while Gina waited.
    let (mut scene, gina, thief) = on_the_eve(0, PROTOCOLS);
    let market = scene.market;
    scene.world.fund(&gina, &market.quote_mint, GINAS);
    scene.world.guardian_deposit(&market, &gina, GINAS).unwrap();
    let changes = [
        scene
            .world
            .change(&market, Parameter::guardian_cooldown, u64::from(29 * DAY)),
        scene.world.change(&market, Parameter::stress_fall, 4_900),
        scene
            .world
            .change(&market, Parameter::equity_withdrawal_delay, u64::from(30 * DAY)),
    ];
    scene.world.queue_parameters(&market, 0, &changes).unwrap();
    // She asks on the day that she sees it, and is gone before it can be done.
    let asked = scene.world.unix();
    scene.world.advance(DAY - 120);
    let shares = position_of(&mut scene, &gina).shares.0;
    scene.world.guardian_request(&market, &gina, shares / 2).unwrap();
    let execute = ix::execute_parameters(&market, &thief.key(), 0, changes.to_vec());
    for day in 1..8 {
        let wait = asked + i64::from(day * DAY) - scene.world.unix();
        scene.world.advance(u32::try_from(wait).unwrap());
        let expected = BreakwaterError::TimelockActive;
        scene
            .world
            .assert_error_unchanged(std::slice::from_ref(&execute), &[&thief], expected);
    }
    stands_at(&mut scene, cents(10_000));
    scene.world.advance(DAY - 240);
    stands_at(&mut scene, cents(10_000));
    let leave = ix::guardian_withdraw(&market, &gina.key(), u64::MAX, 0);
    let before = scene.world.snapshot();
    assert!(taken(&mut scene, &gina, leave.clone()) >= GINAS / 2 - 1);
    // And whoever had asked already keeps the terms of then.
    scene.world.restore(&before);
    scene.world.advance(180);
    scene.world.send(&[execute], &[&thief]).unwrap();
    let config = scene.world.market_state(&market).config;
    assert_eq!(config.guardian_cooldown, 29 * DAY);
    stands_at(&mut scene, cents(10_000));
    assert!(taken(&mut scene, &gina, leave) >= GINAS / 2 - 1);
}

#[test]
fn money_that_has_asked_to_leave_cannot_be_kept_in_by_borrowing() {
    // Mallory borrows all that she may, and Gina is paid all the same.
    let (mut scene, gina, _) = on_the_eve(GINAS, 30_000 * USDC);
    let market = scene.market;
    scene.world.queue_equity_withdrawal(&market, 0).unwrap();
    let mallory = scene.mallory.clone();
    scene.world.fund(&mallory, &market.collateral_mint, 7_500 * SOL);
    let loan = scene.world.open(&market, &mallory, 0).unwrap();
    scene.world.deposit(&loan, 7_500 * SOL).unwrap();
    let (mut low, mut high) = (0, 690_000);
    while high - low > 1 {
        let middle = u64::midpoint(low, high);
        let before = scene.world.snapshot();
        let borrow = ix::borrow(&market, &loan.address, &mallory.key(), middle * USDC);
        let passes = scene.world.send(&[borrow], &[&mallory]).is_ok();
        scene.world.restore(&before);
        if passes {
            low = middle;
        } else {
            high = middle;
        }
    }
    scene.world.borrow(&loan, low * USDC).unwrap();
    scene.world.observe_price(&market).unwrap();
    let leave = ix::guardian_withdraw(&market, &gina.key(), u64::MAX, 0);
    assert_eq!(taken(&mut scene, &gina, leave), GINAS);
}

#[test]
fn who_stays_although_he_could_leave_earns_nothing_by_it() {
    // An open request would be an option to go when news comes: it is paid for by nobody.
    let (mut scene, gina, _) = on_the_eve(GINAS, PROTOCOLS);
    let market = scene.market;
    scene.world.queue_equity_withdrawal(&market, 0).unwrap();
    let mut state = scene.world.market_state(&market);
    state.config.interest_base = Config::EXAMPLE.interest_base;
    state.config.interest_slope_low = Config::EXAMPLE.interest_slope_low;
    scene.world.set_market(&market, &state);
    let crumb = ix::guardian_withdraw(&market, &gina.key(), 1, 0);
    assert_eq!(taken(&mut scene, &gina, crumb), 1);
    scene.world.advance(30 * DAY);
    stands_at(&mut scene, cents(11_000));
    let rest = ix::guardian_withdraw(&market, &gina.key(), u64::MAX, 0);
    assert_eq!(taken(&mut scene, &gina, rest), GINAS - 1);
}

#[test]
fn equity_that_leaves_in_time_leaves_the_guardians_what_is_theirs() {
    // The announcement keeps its own times, and closes again.
    let (mut scene, _, authority) = on_the_eve(GINAS, 20_000 * USDC);
    stands_at(&mut scene, cents(11_000));
    scene.world.observe_price(&scene.market).unwrap();
    let take = ix::withdraw_equity(&scene.market, &authority.key());
    let outcome = scene.world.send(&[take], &[&authority]);
    let gain = outcome.unwrap().event::<EquityWithdrawn>().taken.amount.0;
    assert_eq!(gain, 20_000 * USDC);
    let books = scene.world.market_state(&scene.market).books;
    assert!(books.backstop.cash >= books.guardians.all_claims().unwrap());
}

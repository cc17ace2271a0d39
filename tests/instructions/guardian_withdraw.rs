//! `guardian_withdraw`.

mod accounts;
mod cover;
mod equity;

use crate::{
    backing::{
        FIVE_YEARS, backed, cash, cents, interest_free, market_with, position_of, quick, sell_out, stands_at,
        take_over, usury,
    },
    borrow::cover::accepted,
    scene::{Scene, USDC, both_token_programs, vaults},
};
use anchor_lang::solana_program::instruction::Instruction;
use breakwater::{error::BreakwaterError, events::GuardianWithdrawn};
use breakwater_engine::{GuardianPosition, Quote, actions::GuardianWithdrawal};
use breakwater_testkit::{Actor, MarketSpec, World, default_config, ix};

/// Gina's shares of a claim of 1,000.
const SHARES: u64 = 1_000_000 * USDC;

/// Gina asked for all of her 1,000 when her cooldown began, and now it is over.
fn ripe(spec: &MarketSpec, protocol: u64) -> (Scene, Actor) {
    let (mut scene, gina) = backed(World::program_test(), spec, protocol, 1_000 * USDC);
    scene.world.guardian_request(&scene.market, &gina, SHARES).unwrap();
    wait(&mut scene, 0);
    (scene, gina)
}

/// The default market without interest: nothing is earned for standing by.
fn still() -> MarketSpec {
    market_with(interest_free(default_config()))
}

/// Lets the cooldown pass, and some seconds.
fn wait(scene: &mut Scene, seconds: u32) {
    let cooldown = scene.world.market_state(&scene.market).config.guardian_cooldown;
    scene.world.advance(cooldown + seconds);
}

/// Withdraws so many quote atoms, and returns the event.
#[track_caller]
fn withdraw(scene: &mut Scene, guardian: &Actor, amount: u64) -> GuardianWithdrawal {
    let outcome = scene.world.guardian_withdraw(&scene.market, guardian, amount).unwrap();
    outcome.event::<GuardianWithdrawn>().withdrawal
}

#[track_caller]
fn refused(scene: &mut Scene, guardian: &Actor, (amount, min_amount): (u64, u64), expected: BreakwaterError) {
    let withdraw = ix::guardian_withdraw(&scene.market, &guardian.key(), amount, min_amount);
    scene.world.assert_error_unchanged(&[withdraw], &[guardian], expected);
}

/// The instruction without any feeds.
fn bare(scene: &Scene, guardian: &Actor, amount: u64) -> Instruction {
    ix::guardian_withdraw(&scene.market.without_feeds(), &guardian.key(), amount, 0)
}

#[test]
fn it_moves_the_tokens_and_the_rest_goes_on_waiting() {
    for mut spec in both_token_programs() {
        spec.config = interest_free(spec.config);
        let (mut scene, gina) = ripe(&spec, 100_000 * USDC);
        // There is debt, so prices are looked at.
        let (mut expected, _) = accepted(&mut scene);
        expected.books = expected.books_at(scene.world.clock()).unwrap();
        let position = position_of(&mut scene, &gina);
        let tokens = vaults(&mut scene.world, &scene.market);

        let outcome = scene.world.guardian_withdraw(&scene.market, &gina, 300 * USDC).unwrap();

        let amount = 300 * USDC;
        let event = GuardianWithdrawn {
            market: scene.market.market,
            guardian: gina.key(),
            withdrawal: GuardianWithdrawal {
                amount: Quote(amount),
                unpaid: Quote(700 * USDC),
                requested_after: Quote(700 * USDC),
            },
        };
        assert_eq!(outcome.event::<GuardianWithdrawn>(), event);
        expected.books.backstop.cash.0 -= amount;
        let guardians = &mut expected.books.guardians;
        (guardians.waiting, guardians.paid) = (Quote(700 * USDC), Quote(amount));
        assert_eq!(scene.world.market_state(&scene.market), expected);
        let after = GuardianPosition {
            waiting: Quote(700 * USDC),
            paid: Quote(amount),
            ..position
        };
        assert_eq!(position_of(&mut scene, &gina), after);
        assert_eq!(
            scene.world.balance(&gina, &scene.market.quote_mint),
            1_000 * USDC + amount
        );
        assert_eq!(vaults(&mut scene.world, &scene.market), (tokens.0, tokens.1 - amount));
    }
}

#[test]
fn it_can_be_done_from_the_end_of_the_cooldown_for_ever() {
    let (mut scene, gina) = backed(World::program_test(), &still(), 0, 1_000 * USDC);
    let config = default_config();
    scene.world.advance(12_345);
    scene.world.guardian_request(&scene.market, &gina, SHARES).unwrap();
    refused(&mut scene, &gina, (1_000, 0), BreakwaterError::TimelockActive);
    scene.world.advance(config.guardian_cooldown - 1);
    refused(&mut scene, &gina, (1_000, 0), BreakwaterError::TimelockActive);
    scene.world.advance(1);
    withdraw(&mut scene, &gina, 1_000);
    for days in [2, 90, 1_000] {
        scene.world.advance(days * 86_400);
        withdraw(&mut scene, &gina, 1_000);
    }
}

#[test]
fn a_new_request_begins_a_new_cooldown() {
    let (mut scene, gina) = ripe(&still(), 0);
    scene.world.guardian_request(&scene.market, &gina, 0).unwrap();
    scene.world.guardian_request(&scene.market, &gina, SHARES).unwrap();
    refused(&mut scene, &gina, (1, 0), BreakwaterError::TimelockActive);
    wait(&mut scene, 0);
    assert_eq!(withdraw(&mut scene, &gina, u64::MAX).amount, Quote(1_000 * USDC));
}

#[test]
fn a_deposit_does_not_ripen_in_the_cooldown_of_older_shares() {
    let (mut scene, gina) = backed(World::program_test(), &still(), 0, 1_000 * USDC);
    scene.world.guardian_request(&scene.market, &gina, SHARES).unwrap();
    wait(&mut scene, 0);
    scene
        .world
        .guardian_deposit(&scene.market, &gina, 1_000 * USDC)
        .unwrap();
    assert_eq!(withdraw(&mut scene, &gina, u64::MAX).amount, Quote(1_000 * USDC));
    refused(&mut scene, &gina, (1, 0), BreakwaterError::NothingRequested);
    assert_eq!(position_of(&mut scene, &gina).shares.0, SHARES);
}

#[test]
fn amounts_are_checked() {
    let (mut scene, gina) = ripe(&still(), 0);
    refused(&mut scene, &gina, (0, 0), BreakwaterError::ZeroAmount);
    assert_eq!(withdraw(&mut scene, &gina, 1).amount, Quote(1));
    // No more than was asked for, whatever is named.
    assert_eq!(withdraw(&mut scene, &gina, u64::MAX).amount, Quote(1_000 * USDC - 1));
    refused(&mut scene, &gina, (1, 0), BreakwaterError::NothingRequested);
}

#[test]
fn who_never_asked_cannot_leave() {
    let (mut scene, gina) = backed(World::program_test(), &still(), 0, 1_000 * USDC);
    wait(&mut scene, 0);
    for amount in [1, u64::MAX] {
        refused(&mut scene, &gina, (amount, 0), BreakwaterError::NothingRequested);
    }
    // Nor who took it back.
    scene.world.guardian_request(&scene.market, &gina, SHARES).unwrap();
    wait(&mut scene, 0);
    scene.world.guardian_request(&scene.market, &gina, 0).unwrap();
    refused(&mut scene, &gina, (1, 0), BreakwaterError::NothingRequested);
}

#[test]
fn the_caller_sets_the_least_amount() {
    let (mut scene, gina) = ripe(&still(), 0);
    for min_amount in [1_000 * USDC + 1, u64::MAX] {
        let all = (u64::MAX, min_amount);
        refused(&mut scene, &gina, all, BreakwaterError::SlippageExceeded);
    }
    let exactly = ix::guardian_withdraw(&scene.market, &gina.key(), u64::MAX, 1_000 * USDC);
    scene.world.send(&[exactly], &[&gina]).unwrap();
}

#[test]
fn nothing_is_paid_twice() {
    let (mut scene, gina) = ripe(&still(), 0);
    let all = ix::guardian_withdraw(&scene.market, &gina.key(), u64::MAX, 0);
    let expected = BreakwaterError::NothingRequested;
    let both = [all.clone(), all.clone()];
    scene.world.assert_error_unchanged(&both, &[&gina], expected);
    scene.world.send(std::slice::from_ref(&all), &[&gina]).unwrap();
    scene.world.assert_error_unchanged(&[all], &[&gina], expected);
    assert_eq!(scene.world.balance(&gina, &scene.market.quote_mint), 2_000 * USDC);
}

#[test]
fn many_small_parts_never_give_more_than_one() {
    let (mut scene, gina) = backed(World::lite(), &still(), 5_000 * USDC, 1_000 * USDC);
    let (quote, claim) = (scene.market.quote_mint, 1_000 * USDC);
    // Another guardian, so that Gina's part is an odd one.
    let hugo = scene.world.guardian(&scene.market, "hugo", 777 * USDC + 77);
    scene
        .world
        .guardian_deposit(&scene.market, &hugo, 777 * USDC + 77)
        .unwrap();
    scene.world.guardian_request(&scene.market, &gina, SHARES).unwrap();
    wait(&mut scene, 0);
    let mut paid = 0;
    // Any sequence of odd sizes will do.
    let mut size = 1;
    while position_of(&mut scene, &gina).has_request() {
        let withdrawal = withdraw(&mut scene, &gina, size);
        assert!(withdrawal.amount.0 <= size);
        (paid, size) = (paid + withdrawal.amount.0, size * 3 + 1);
    }
    assert!((claim - 30..=claim).contains(&paid), "{paid}");
    assert_eq!(scene.world.balance(&gina, &quote), claim + paid);
    // The other guardian has what he had.
    let guardians = scene.world.market_state(&scene.market).books.guardians;
    assert_eq!(guardians.claim.0, 777 * USDC + 77);
}

#[test]
fn the_last_guardian_leaves_nothing_behind() {
    let (mut scene, gina) = ripe(&still(), 100_000 * USDC);
    withdraw(&mut scene, &gina, 333);
    assert_eq!(withdraw(&mut scene, &gina, u64::MAX).amount, Quote(1_000 * USDC - 333));
    let guardians = scene.world.market_state(&scene.market).books.guardians;
    assert_eq!(guardians, bytemuck::Zeroable::zeroed());
}

#[test]
fn a_request_that_a_settlement_voided_pays_nothing() {
    // 100 of Gina's, who asks before the loss that takes all of it.
    let (mut scene, gina) = backed(World::program_test(), &market_with(quick()), 0, 100 * USDC);
    scene
        .world
        .guardian_request(&scene.market, &gina, 100_000 * USDC)
        .unwrap();
    wait(&mut scene, 0);
    stands_at(&mut scene, cents(50_00));
    take_over(&mut scene);
    sell_out(&mut scene);
    // Nothing is paid, and nothing given up for it.
    assert_eq!(withdraw(&mut scene, &gina, u64::MAX).amount, Quote(0));
    assert!(position_of(&mut scene, &gina).has_request());
    let settled = scene.world.settle_deficit(&scene.market).unwrap();
    let told = settled.event::<breakwater::events::DeficitSettled>().settlement;
    assert_eq!(told.guardians, Quote(100 * USDC));
    // Somebody helps the backstop up again: none of it is hers.
    scene
        .world
        .fund_backstop(&scene.market, &scene.lena, 1_000 * USDC)
        .unwrap();
    refused(&mut scene, &gina, (1, 0), BreakwaterError::NothingRequested);
    // Nor when new shares are bought beside it.
    scene.world.fund(&gina, &scene.market.quote_mint, USDC);
    scene.world.guardian_deposit(&scene.market, &gina, USDC).unwrap();
    refused(&mut scene, &gina, (1, 0), BreakwaterError::NothingRequested);
    assert_eq!(cash(&mut scene), 1_001 * USDC);
}

#[test]
fn without_inventory_and_debt_it_needs_no_price_at_any_level() {
    let (mut scene, gina) = ripe(&still(), 0);
    // Anybody's debt counts: it may go under.
    scene.world.advance_silently(11);
    let with_debt = bare(&scene, &gina, 1_000);
    scene
        .world
        .assert_error_unchanged(&[with_debt], &[&gina], BreakwaterError::PriceTooOld);
    scene.world.repay(&scene.position, u64::MAX).unwrap();
    let authority = scene.world.authority().clone();
    scene.world.emergency_halt(&scene.market, &authority, 3_600).unwrap();
    withdraw(&mut scene, &gina, 1_000);
    scene.world.advance_silently(3_600);
    for feed in [scene.market.collateral_feed, scene.market.quote_feed] {
        scene.world.give_lamports(&feed, 0);
    }
    withdraw(&mut scene, &gina, 1_000);
    let without_feeds = bare(&scene, &gina, 1_000);
    scene.world.send(&[without_feeds], &[&gina]).unwrap();
}

#[test]
fn debt_that_no_number_can_hold_stops_it() {
    let (mut scene, gina) = backed(World::program_test(), &market_with(usury()), 0, 1_000 * USDC);
    scene.world.guardian_request(&scene.market, &gina, SHARES).unwrap();
    scene.drain_pool();
    scene.world.advance(FIVE_YEARS);
    // Interest comes first, whatever the time.
    refused(&mut scene, &gina, (u64::MAX, 0), BreakwaterError::Overflow);
}

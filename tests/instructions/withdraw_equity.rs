//! `withdraw_equity`.

mod accounts;
mod cover;

use crate::{
    backing::{FIVE_YEARS, backed, cash, cents, interest_free, market_with, owed, quick, stands_at, take_over, usury},
    borrow::cover::accepted,
    scene::{Scene, USDC, both_token_programs, vaults},
};
use breakwater::{error::BreakwaterError, events::EquityWithdrawn};
use breakwater_engine::{Quote, actions::EquityWithdrawal};
use breakwater_testkit::{Actor, MarketSpec, World, default_config, ix, pyth::usd};

/// The default scene without interest, in which the authority has an account to be paid to.
fn scene(spec: &MarketSpec, protocol: u64, guardians: u64) -> (Scene, Actor, Actor) {
    let mut spec = spec.clone();
    spec.config = interest_free(spec.config);
    let (mut scene, gina) = backed(World::program_test(), &spec, protocol, guardians);
    let authority = scene.world.authority().clone();
    scene.world.fund(&authority, &scene.market.quote_mint, 0);
    (scene, authority, gina)
}

/// Announces this much and waits until it may be taken.
fn queue(scene: &mut Scene, amount: u64) {
    scene.world.queue_equity_withdrawal(&scene.market, amount).unwrap();
    let delay = scene.world.market_state(&scene.market).config.equity_withdrawal_delay;
    scene.world.advance(delay);
}

/// Takes the equity out, and returns the event.
#[track_caller]
fn take(scene: &mut Scene) -> EquityWithdrawal {
    let outcome = scene.world.withdraw_equity(&scene.market).unwrap();
    outcome.event::<EquityWithdrawn>().taken
}

#[track_caller]
fn refused(scene: &mut Scene, expected: BreakwaterError) {
    let authority = scene.world.authority().clone();
    let withdraw_equity = ix::withdraw_equity(&scene.market, &authority.key());
    scene
        .world
        .assert_error_unchanged(&[withdraw_equity], &[&authority], expected);
}

#[test]
fn it_moves_the_tokens_out_of_the_cash() {
    for spec in both_token_programs() {
        let (mut scene, authority, _) = scene(&spec, 100_000 * USDC, 0);
        queue(&mut scene, 40_000 * USDC);
        // There is debt, so prices are looked at.
        let (mut expected, _) = accepted(&mut scene);
        expected.books = expected.books_at(scene.world.clock()).unwrap();
        let tokens = vaults(&mut scene.world, &scene.market);

        let outcome = scene.world.withdraw_equity(&scene.market).unwrap();

        let amount = 40_000 * USDC;
        let event = EquityWithdrawn {
            market: scene.market.market,
            taken: EquityWithdrawal {
                amount: Quote(amount),
                equity_after: Quote(60_000 * USDC),
            },
        };
        assert_eq!(outcome.event::<EquityWithdrawn>(), event);
        expected.books.backstop.cash.0 -= amount;
        expected.books.equity_sources.paid_in -= amount.cast_signed();
        expected.announced_withdrawal = bytemuck::Zeroable::zeroed();
        assert_eq!(scene.world.market_state(&scene.market), expected);
        assert_eq!(scene.world.balance(&authority, &scene.market.quote_mint), amount);
        assert_eq!(vaults(&mut scene.world, &scene.market), (tokens.0, tokens.1 - amount));
    }
}

#[test]
fn it_can_be_done_from_the_end_of_the_delay_to_the_end_of_the_window() {
    let config = default_config();
    for (seconds, expected) in [
        (0, Some(BreakwaterError::TimelockActive)),
        (
            config.equity_withdrawal_delay - 1,
            Some(BreakwaterError::TimelockActive),
        ),
        (config.equity_withdrawal_delay, None),
        (config.equity_withdrawal_delay + config.equity_withdrawal_window, None),
        (
            config.equity_withdrawal_delay + config.equity_withdrawal_window + 1,
            Some(BreakwaterError::Expired),
        ),
        (365 * 86_400, Some(BreakwaterError::Expired)),
    ] {
        let (mut scene, ..) = scene(&MarketSpec::default(), 10_000 * USDC, 0);
        scene.world.queue_equity_withdrawal(&scene.market, USDC).unwrap();
        scene.world.advance(seconds);
        match expected {
            Some(expected) => refused(&mut scene, expected),
            None => assert_eq!(take(&mut scene).amount, Quote(USDC)),
        }
    }
}

#[test]
fn nothing_is_taken_that_was_not_announced_and_nothing_twice() {
    let (mut scene, authority, _) = scene(&MarketSpec::default(), 10_000 * USDC, 0);
    refused(&mut scene, BreakwaterError::NothingQueued);
    queue(&mut scene, USDC);
    // Taken back.
    scene.world.queue_equity_withdrawal(&scene.market, 0).unwrap();
    refused(&mut scene, BreakwaterError::NothingQueued);
    queue(&mut scene, USDC);
    let withdraw_equity = ix::withdraw_equity(&scene.market, &authority.key());
    let both = [withdraw_equity.clone(), withdraw_equity];
    let expected = BreakwaterError::NothingQueued;
    scene.world.assert_error_unchanged(&both, &[&authority], expected);
    take(&mut scene);
    refused(&mut scene, BreakwaterError::NothingQueued);
}

#[test]
fn a_new_announcement_begins_a_new_delay() {
    let (mut scene, ..) = scene(&MarketSpec::default(), 10_000 * USDC, 0);
    queue(&mut scene, USDC);
    scene.world.queue_equity_withdrawal(&scene.market, USDC).unwrap();
    refused(&mut scene, BreakwaterError::TimelockActive);
    // Nor is the amount changed without it.
    queue(&mut scene, 2 * USDC);
    assert_eq!(take(&mut scene).amount, Quote(2 * USDC));
}

#[test]
fn without_debt_all_can_be_taken() {
    let (mut scene, ..) = scene(&MarketSpec::default(), 1_000 * USDC, 500 * USDC);
    scene.world.repay(&scene.position, u64::MAX).unwrap();
    queue(&mut scene, 1_000 * USDC + 1);
    refused(&mut scene, BreakwaterError::EquityBelowClaim);
    queue(&mut scene, 1_000 * USDC);
    take(&mut scene);
    assert_eq!(cash(&mut scene), 500 * USDC);
}

#[test]
fn amounts_beyond_the_cash_are_refused() {
    let (mut scene, ..) = scene(&MarketSpec::default(), 1_000 * USDC, 0);
    for amount in [1_000 * USDC + 1, u64::MAX] {
        queue(&mut scene, amount);
        refused(&mut scene, BreakwaterError::BackstopCashInsufficient);
    }
    queue(&mut scene, 1);
    assert_eq!(take(&mut scene).amount, Quote(1));
}

#[test]
fn what_was_earned_can_be_taken_as_well() {
    let (mut scene, authority, _) = scene(&market_with(quick()), 10_000 * USDC, 0);
    stands_at(&mut scene, cents(80_00));
    let liquidation = take_over(&mut scene);
    crate::backing::sell_out(&mut scene);
    scene.world.repay(&scene.position, u64::MAX).unwrap();
    let penalty = liquidation.repaid.0 * u64::from(liquidation.penalty.0) / 10_000;
    let gained = cash(&mut scene) - 10_000 * USDC;
    // The penalty, less the keeper's part of it.
    assert!(gained.abs_diff(penalty - liquidation.bounty.0) <= 2);
    queue(&mut scene, 10_000 * USDC + gained);
    take(&mut scene);
    assert_eq!(
        scene.world.balance(&authority, &scene.market.quote_mint),
        10_000 * USDC + gained
    );
    // More than was ever put in: what is at stake cannot be less than nothing.
    assert_eq!(scene.world.market_state(&scene.market).books.equity_sources.paid_in, 0);
}

/// A backstop of 20,000 that holds some of Alice's SOL at $80.
fn stocked() -> (Scene, u64) {
    let (mut scene, ..) = scene(&market_with(quick()), 20_000 * USDC, 1_000 * USDC);
    scene
        .world
        .queue_equity_withdrawal(&scene.market, 10_000 * USDC)
        .unwrap();
    scene.world.advance(default_config().equity_withdrawal_delay);
    stands_at(&mut scene, cents(80_00));
    take_over(&mut scene);
    let inventory = scene.world.market_state(&scene.market).books.backstop.inventory.0;
    (scene, inventory)
}

#[test]
fn inventory_counts_at_the_stored_price() {
    let (mut scene, inventory) = stocked();
    let state = scene.world.market_state(&scene.market);
    // $80, rounded down, and once more for the price itself.
    let worth = u64::try_from(u128::from(inventory) * 80 / 1_000).unwrap();
    let equity = cash(&mut scene) - 10_000 * USDC + worth - state.books.guardians.all_claims().unwrap().0;
    let taken = take(&mut scene);
    assert!((equity - 1..=equity).contains(&taken.equity_after.0), "{taken:?}");
}

#[test]
fn with_inventory_it_needs_prices_of_a_normal_market() {
    let (mut scene, _) = stocked();
    let authority = scene.world.authority().clone();
    let feed = scene.market.collateral_feed;
    // Without any, the stored ones must be young enough, and those of a dead feed never are.
    let bare = ix::withdraw_equity(&scene.market.without_feeds(), &authority.key());
    let before = scene.world.snapshot();
    scene.world.advance_silently(11);
    for seconds in [0, 7 * 86_400] {
        scene.world.advance_silently(seconds);
        let mut state = scene.world.market_state(&scene.market);
        state.announced_withdrawal.closes_at = i64::MAX;
        scene.world.set_market(&scene.market, &state);
        let expected = BreakwaterError::PriceTooOld;
        scene
            .world
            .assert_error_unchanged(std::slice::from_ref(&bare), &[&authority], expected);
    }
    scene.world.restore(&before);
    scene
        .world
        .edit_feed(&feed, |feed| feed.quotation_mut().ema_price = usd(20));
    refused(&mut scene, BreakwaterError::MarketGuarded);
    scene
        .world
        .edit_feed(&feed, |feed| feed.quotation_mut().ema_price = usd(80));
    scene.world.edit_feed(&feed, |feed| {
        feed.quotation_mut().conf = usd(80).unsigned_abs() / 50 + 1;
    });
    refused(&mut scene, BreakwaterError::MarketHalted);
    scene.world.edit_feed(&feed, |feed| feed.quotation_mut().conf = 0);
    scene.world.advance_silently(11);
    refused(&mut scene, BreakwaterError::PriceTooOld);
    scene.world.publish_all();
    scene.world.emergency_halt(&scene.market, &authority, 60).unwrap();
    refused(&mut scene, BreakwaterError::MarketHalted);
    scene.world.advance(60);
    take(&mut scene);
}

#[test]
fn while_the_pool_is_owed_there_is_no_cash_to_take() {
    let (mut scene, ..) = scene(&market_with(quick()), 1_000 * USDC, 0);
    scene.world.queue_equity_withdrawal(&scene.market, 1).unwrap();
    scene.world.advance(default_config().equity_withdrawal_delay);
    stands_at(&mut scene, cents(80_00));
    take_over(&mut scene);
    assert!(owed(&mut scene) > 0);
    refused(&mut scene, BreakwaterError::BackstopCashInsufficient);
}

#[test]
fn without_inventory_and_debt_it_needs_no_price_at_any_level() {
    let (mut scene, authority, _) = scene(&MarketSpec::default(), 10_000 * USDC, 0);
    scene.world.repay(&scene.position, u64::MAX).unwrap();
    queue(&mut scene, USDC);
    scene.world.emergency_halt(&scene.market, &authority, 3_600).unwrap();
    for feed in [scene.market.collateral_feed, scene.market.quote_feed] {
        scene.world.give_lamports(&feed, 0);
    }
    let before = scene.world.snapshot();
    take(&mut scene);
    scene.world.restore(&before);
    let bare = ix::withdraw_equity(&scene.market.without_feeds(), &authority.key());
    scene.world.send(&[bare], &[&authority]).unwrap();
}

#[test]
fn debt_that_no_number_can_hold_stops_it() {
    let (mut scene, _) = backed(World::program_test(), &market_with(usury()), 10_000 * USDC, 0);
    let authority = scene.world.authority().clone();
    scene.world.fund(&authority, &scene.market.quote_mint, 0);
    scene.drain_pool();
    scene.world.advance(FIVE_YEARS);
    queue(&mut scene, 1);
    refused(&mut scene, BreakwaterError::Overflow);
}

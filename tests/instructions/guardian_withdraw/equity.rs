//! What is left to be paid with: what protocol and guardians have lost, inventory, and debt to the pool.

use super::{SHARES, part, refused, wait, withdraw};
use crate::{
    backing::{
        BOUNTY_AT_60, backed, cash, cents, market_with, owed, position_of, quick, sell_out, stands_at, take_over,
    },
    scene::{Scene, USDC},
};
use breakwater::{error::BreakwaterError, events::GuardianWithdrawn};
use breakwater_engine::{GuardianShares, Quote};
use breakwater_testkit::{Actor, World, assert_fails_with, ix, pyth::usd};

/// Gina may leave with her 1,000 beside 100 of the protocol's, when Alice is taken over at $60: a loss of 500.
fn impaired() -> (Scene, Actor) {
    let (mut scene, gina) = backed(World::program_test(), &market_with(quick()), 100 * USDC, 1_000 * USDC);
    scene.world.guardian_request(&scene.market, &gina, SHARES).unwrap();
    wait(&mut scene, 0);
    stands_at(&mut scene, cents(60_00));
    take_over(&mut scene);
    (scene, gina)
}

#[test]
fn the_protocol_loses_before_the_guardians() {
    // A loss of 500 and a bounty of 15.05; what is sold goes for an atom more than it was worth.
    for (protocol, left) in [
        (516 * USDC, 1_000 * USDC),
        (515 * USDC + 49_998, 1_000 * USDC),
        (515 * USDC + 49_997, 1_000 * USDC - 1),
        (100 * USDC, 584 * USDC + 950_002),
        (0, 484 * USDC + 950_002),
    ] {
        let (mut scene, gina) = backed(World::program_test(), &market_with(quick()), protocol, 1_000 * USDC);
        scene.world.guardian_request(&scene.market, &gina, SHARES).unwrap();
        wait(&mut scene, 0);
        stands_at(&mut scene, cents(60_00));
        take_over(&mut scene);
        let proceeds = sell_out(&mut scene).cost.0;
        assert_eq!(proceeds, 6_000 * USDC + 1);
        let equity = protocol + 1_000 * USDC + proceeds - 6_500 * USDC - BOUNTY_AT_60;
        assert_eq!((cash(&mut scene), owed(&mut scene)), (equity, 0));

        let paid = withdraw(&mut scene, &gina, SHARES);
        assert_eq!(paid.amount.0, part(left, SHARES, SHARES), "{protocol}");
        assert!(paid.amount.0 == left || paid.amount.0 == left - 1);
        assert_eq!(cash(&mut scene), equity - paid.amount.0);
    }
}

#[test]
fn who_leaves_an_impaired_backstop_gives_up_the_same_part_of_the_claim() {
    let (mut scene, gina) = impaired();
    sell_out(&mut scene);
    let equity = cash(&mut scene);
    assert_eq!(equity, 584 * USDC + 950_002);

    let quarter = withdraw(&mut scene, &gina, SHARES / 4);

    assert_eq!(quarter.amount.0, part(equity, SHARES / 4, SHARES));
    assert_eq!(quarter.claim_after.0, 750 * USDC);
    // So the others can be paid the same.
    let equity = cash(&mut scene);
    let next = withdraw(&mut scene, &gina, SHARES / 4);
    assert_eq!(next.amount.0, part(equity, SHARES / 4, SHARES / 4 * 3));
    assert!(next.amount.0.abs_diff(quarter.amount.0) <= 1);
    assert_eq!(next.claim_after.0, 500 * USDC);
    // What comes back later is theirs who stayed, up to their claim.
    scene
        .world
        .fund_backstop(&scene.market, &scene.lena, 10_000 * USDC)
        .unwrap();
    assert_eq!(withdraw(&mut scene, &gina, SHARES / 2).amount.0, 500 * USDC);
    assert_eq!(position_of(&mut scene, &gina).shares, GuardianShares(0));
}

#[test]
fn what_the_pool_is_owed_is_paid_first() {
    let (mut scene, gina) = impaired();
    // Solvent with the inventory, so there is something to be paid; but no cash while the pool is owed anything.
    assert_eq!((owed(&mut scene), cash(&mut scene)), (5_400 * USDC, 0));
    refused(
        &mut scene,
        &gina,
        (SHARES, 0),
        BreakwaterError::BackstopCashInsufficient,
    );
    let mut buy = ix::buy_inventory(&scene.market, &scene.mallory.key(), 90_000_000_000, u64::MAX);
    scene.world.send(std::slice::from_ref(&buy), &[&scene.mallory]).unwrap();
    assert_eq!(owed(&mut scene), BOUNTY_AT_60 - 1);
    refused(
        &mut scene,
        &gina,
        (SHARES, 0),
        BreakwaterError::BackstopCashInsufficient,
    );
    // The last ten SOL bring cash. Half of the claim fits into it, all of it does not.
    buy.data = ix::buy_inventory(&scene.market, &scene.mallory.key(), 5_000_000_000, u64::MAX).data;
    scene.world.send(&[buy], &[&scene.mallory]).unwrap();
    assert_eq!(owed(&mut scene), 0);
    refused(
        &mut scene,
        &gina,
        (SHARES, 0),
        BreakwaterError::BackstopCashInsufficient,
    );
    assert!(withdraw(&mut scene, &gina, SHARES / 4).amount > Quote(100 * USDC));
}

#[test]
fn the_cash_can_be_taken_to_the_last_atom() {
    let (mut scene, gina) = impaired();
    sell_out(&mut scene);
    let cash_before = cash(&mut scene);
    let paid = withdraw(&mut scene, &gina, SHARES).amount.0;
    assert!((cash_before - 1..=cash_before).contains(&paid));
    assert_eq!(cash(&mut scene), cash_before - paid);
}

#[test]
fn without_equity_there_is_nothing_to_be_paid() {
    // 1,100 stand against a loss of 1,500: at $50 the account owes 6,500 on 5,000.
    let (mut scene, gina) = backed(World::program_test(), &market_with(quick()), 100 * USDC, 1_000 * USDC);
    scene.world.guardian_request(&scene.market, &gina, SHARES).unwrap();
    wait(&mut scene, 0);
    stands_at(&mut scene, cents(50_00));
    take_over(&mut scene);
    refused(&mut scene, &gina, (SHARES, 1), BreakwaterError::SlippageExceeded);
    // Who takes nothing for it may leave all the same.
    assert_eq!(withdraw(&mut scene, &gina, SHARES / 2).amount, Quote(0));
    sell_out(&mut scene);
    refused(&mut scene, &gina, (SHARES / 2, 1), BreakwaterError::SlippageExceeded);
    assert_eq!(withdraw(&mut scene, &gina, SHARES / 2).amount, Quote(0));
}

/// 7,000 of Gina's alone, of which 6,500 and the bounty are gone for 100 SOL at $60.
fn stocked() -> (Scene, Actor) {
    let (mut scene, gina) = backed(World::program_test(), &market_with(quick()), 0, 7_000 * USDC);
    let all = position_of(&mut scene, &gina).shares.0;
    scene.world.guardian_request(&scene.market, &gina, all).unwrap();
    wait(&mut scene, 0);
    stands_at(&mut scene, cents(60_00));
    take_over(&mut scene);
    assert_eq!(cash(&mut scene), 500 * USDC - BOUNTY_AT_60);
    (scene, gina)
}

#[test]
fn inventory_counts_at_the_conservative_price() {
    const ALL: u64 = 7_000_000 * USDC;
    // Price, confidence, Pyth's average, and what a SOL counts for: the lowest, less the confidence.
    for (price, conf, ema, counted) in [
        (usd(60), 0, usd(60), 60_000_000),
        (usd(60), 60_000_000, usd(60), 59_400_000),
        (usd(60), 0, usd(50), 50_000_000),
        (usd(60), 60_000_000, usd(50), 49_400_000),
        (usd(66), 0, usd(60), 60_000_000),
    ] {
        let (mut scene, gina) = stocked();
        let feed = scene.market.collateral_feed;
        scene.world.edit_feed(&feed, |feed| {
            let shown = feed.quotation_mut();
            (shown.price, shown.conf, shown.ema_price) = (price, conf, ema);
        });
        let equity = 500 * USDC - BOUNTY_AT_60 + 100 * counted;
        let shares = ALL / 50;
        let outcome = scene.world.guardian_withdraw(&scene.market, &gina, shares).unwrap();
        let paid = outcome.event::<GuardianWithdrawn>().withdrawal.amount.0;
        // Each of three prices is rounded down by less than 2^-64: at most an atom of what 100 SOL are worth.
        let most = part(equity, shares, ALL);
        assert!((most - 1..=most).contains(&paid), "{paid}, not {most}");
    }
}

#[test]
fn inventory_is_counted_up_to_the_claim_only() {
    let (mut scene, gina) = stocked();
    let feed = scene.market.collateral_feed;
    scene.world.settle_price(&feed, usd(1_000), 0);
    scene.world.forget_prices(&scene.market);
    let paid = withdraw(&mut scene, &gina, 7_000_000 * USDC / 50).amount.0;
    assert_eq!(paid, part(7_000 * USDC, 7_000_000 * USDC / 50, 7_000_000 * USDC));
}

#[test]
fn with_inventory_it_needs_prices_of_a_normal_market() {
    let (mut scene, gina) = stocked();
    let some = (1_000_000, 0);
    let feed = scene.market.collateral_feed;
    // Guarded: far above Pyth's average.
    scene
        .world
        .edit_feed(&feed, |feed| feed.quotation_mut().ema_price = usd(20));
    refused(&mut scene, &gina, some, BreakwaterError::MarketGuarded);
    scene
        .world
        .edit_feed(&feed, |feed| feed.quotation_mut().ema_price = usd(60));
    // Too uncertain.
    scene.world.edit_feed(&feed, |feed| {
        feed.quotation_mut().conf = usd(60).unsigned_abs() / 50 + 1;
    });
    refused(&mut scene, &gina, some, BreakwaterError::ConfidenceTooWide);
    scene.world.edit_feed(&feed, |feed| feed.quotation_mut().conf = 0);
    // As old as a trade allows, and a second older.
    scene.world.advance_silently(10);
    withdraw(&mut scene, &gina, some.0);
    scene.world.advance_silently(1);
    refused(&mut scene, &gina, some, BreakwaterError::PriceTooOld);
    scene.world.publish_all();
    // Halted.
    let authority = scene.world.authority().clone();
    scene.world.pull_brake(&scene.market, &authority, 60).unwrap();
    assert_fails_with(
        scene.world.guardian_withdraw(&scene.market, &gina, some.0),
        BreakwaterError::MarketHalted,
    );
    scene.world.advance(60);
    withdraw(&mut scene, &gina, some.0);
}

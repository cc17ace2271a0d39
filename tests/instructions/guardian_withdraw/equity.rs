//! Equity left to be paid with, after losses of protocol and guardians, with inventory, and with debt to the pool.

use super::{SHARES, bare, refused, wait, withdraw};
use crate::{
    backing::{
        BOUNTY_AT_60, backed, cash, cents, market_with, owed, position_of, quick, sell_out, stands_at, take_over,
    },
    scene::{Scene, USDC},
};
use breakwater::error::BreakwaterError;
use breakwater_engine::Quote;
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

        let paid = withdraw(&mut scene, &gina, u64::MAX);
        assert_eq!((paid.amount.0, paid.unpaid.0), (left, 0), "{protocol}");
        assert_eq!(cash(&mut scene), equity - paid.amount.0);
    }
}

#[test]
fn who_leaves_an_impaired_backstop_gives_up_the_same_part_of_the_claim() {
    let (mut scene, gina) = impaired();
    // Hugo stays, with as much.
    let hugo = scene.world.guardian(&scene.market, "hugo", 1_000 * USDC);
    scene
        .world
        .guardian_deposit(&scene.market, &hugo, 1_000 * USDC)
        .unwrap();
    sell_out(&mut scene);
    let equity = cash(&mut scene);
    assert_eq!(equity, 1_584 * USDC + 950_002);

    let quarter = withdraw(&mut scene, &gina, equity / 8);

    assert_eq!(quarter.amount.0, equity / 8);
    assert!(quarter.unpaid.0.abs_diff(750 * USDC) <= 2, "{quarter:?}");
    // So the others can be paid the same.
    let rest = withdraw(&mut scene, &gina, u64::MAX);
    assert!(rest.amount.0.abs_diff(equity / 8 * 3) <= 4, "{rest:?} of {equity}");
    assert_eq!(rest.unpaid.0, 0);
    assert!(cash(&mut scene).abs_diff(equity / 2) <= 4);
    // What comes back later is his who stayed.
    scene
        .world
        .fund_backstop(&scene.market, &scene.lena, 10_000 * USDC)
        .unwrap();
    refused(&mut scene, &gina, (1, 0), BreakwaterError::NothingRequested);
    let claim = scene.world.market_state(&scene.market).books.guardians.claim.0;
    assert_eq!(claim, 1_000 * USDC);
}

#[test]
fn what_the_pool_is_owed_is_paid_first() {
    let (mut scene, gina) = impaired();
    // Solvent with the inventory, so there is something to be paid; but no cash while the pool is owed anything.
    assert_eq!((owed(&mut scene), cash(&mut scene)), (5_400 * USDC, 0));
    refused(&mut scene, &gina, (u64::MAX, 1), BreakwaterError::SlippageExceeded);
    let mut buy = ix::buy_inventory(&scene.market, &scene.mallory.key(), 90_000_000_000, u64::MAX);
    scene.world.send(std::slice::from_ref(&buy), &[&scene.mallory]).unwrap();
    assert_eq!(owed(&mut scene), BOUNTY_AT_60 - 1);
    refused(&mut scene, &gina, (u64::MAX, 1), BreakwaterError::SlippageExceeded);
    // The last ten SOL bring cash.
    buy.data = ix::buy_inventory(&scene.market, &scene.mallory.key(), 5_000_000_000, u64::MAX).data;
    scene.world.send(&[buy], &[&scene.mallory]).unwrap();
    assert_eq!(owed(&mut scene), 0);
    let held = cash(&mut scene);
    assert!(held < 400 * USDC);
    assert_eq!(withdraw(&mut scene, &gina, u64::MAX).amount.0, held);
}

#[test]
fn the_cash_can_be_taken_to_the_last_atom() {
    let (mut scene, gina) = impaired();
    sell_out(&mut scene);
    let cash_before = cash(&mut scene);
    assert_eq!(withdraw(&mut scene, &gina, u64::MAX).amount.0, cash_before);
    assert_eq!(cash(&mut scene), 0);
}

#[test]
fn without_equity_there_is_nothing_to_be_paid_and_nothing_is_given_up() {
    // 1,100 stand against a loss of 1,500: at $50 the account owes 6,500 on 5,000.
    let (mut scene, gina) = backed(World::program_test(), &market_with(quick()), 100 * USDC, 1_000 * USDC);
    scene.world.guardian_request(&scene.market, &gina, SHARES).unwrap();
    wait(&mut scene, 0);
    stands_at(&mut scene, cents(50_00));
    take_over(&mut scene);
    for sold in [false, true] {
        if sold {
            sell_out(&mut scene);
        }
        refused(&mut scene, &gina, (u64::MAX, 1), BreakwaterError::SlippageExceeded);
        let nothing = withdraw(&mut scene, &gina, u64::MAX);
        assert_eq!((nothing.amount, nothing.unpaid), (Quote(0), Quote(1_000 * USDC)));
    }
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
fn inventory_counts_at_the_lowest_of_the_stored_prices() {
    // Gina asks with another fiftieth at these prices: its part of equity, which is below the claim.
    for (price, counted) in [(usd(60), 60_000_000), (usd(63), 60_000_000), (usd(58), 58_000_000)] {
        let (mut scene, gina) = stocked();
        let equity = 500 * USDC - BOUNTY_AT_60 + 100 * counted;
        let feed = scene.market.collateral_feed;
        scene.world.edit_feed(&feed, |feed| feed.quotation_mut().price = price);
        scene.world.observe_price(&scene.market).unwrap();
        let paid = withdraw(&mut scene, &gina, u64::MAX);
        let held = 500 * USDC - BOUNTY_AT_60;
        assert_eq!(paid.amount.0, held, "all of the cash, and a part of the claim");
        // As much more of the claim is given up as the equity is below it.
        let given_up = 7_000 * USDC - paid.unpaid.0;
        let exact = u128::from(held) * u128::from(7_000 * USDC) / u128::from(equity);
        let apart = u128::from(given_up).abs_diff(exact);
        assert!(apart <= exact / 1_000, "{price}: {given_up}, not {exact}");
    }
}

#[test]
fn inventory_is_counted_up_to_the_claim_only() {
    let (mut scene, gina) = stocked();
    let feed = scene.market.collateral_feed;
    scene.world.settle_price(&feed, usd(1_000), 0);
    scene.world.forget_prices(&scene.market);
    let paid = withdraw(&mut scene, &gina, 140 * USDC);
    assert_eq!((paid.amount.0, paid.unpaid.0), (140 * USDC, 6_860 * USDC));
}

#[test]
fn with_inventory_it_needs_young_prices_of_a_normal_market() {
    let (mut scene, gina) = stocked();
    let some = (1_000, 0);
    let feed = scene.market.collateral_feed;
    // None: the stored ones are young enough for ten seconds.
    scene.world.observe_price(&scene.market).unwrap();
    let without = bare(&scene, &gina, some.0);
    scene.world.advance_silently(10);
    scene.world.send(std::slice::from_ref(&without), &[&gina]).unwrap();
    scene.world.advance_silently(1);
    let expected = BreakwaterError::PriceTooOld;
    scene.world.assert_error_unchanged(&[without], &[&gina], expected);
    scene.world.publish_all();
    // Guarded: far above Pyth's EMA.
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
    refused(&mut scene, &gina, some, BreakwaterError::MarketHalted);
    scene.world.edit_feed(&feed, |feed| feed.quotation_mut().conf = 0);
    // As old as a trade allows, and a second older.
    scene.world.advance_silently(10);
    withdraw(&mut scene, &gina, some.0);
    scene.world.advance_silently(1);
    refused(&mut scene, &gina, some, BreakwaterError::PriceTooOld);
    scene.world.publish_all();
    // Halted.
    let authority = scene.world.authority().clone();
    scene.world.emergency_halt(&scene.market, &authority, 60).unwrap();
    assert_fails_with(
        scene.world.guardian_withdraw(&scene.market, &gina, some.0),
        BreakwaterError::MarketHalted,
    );
    scene.world.advance(60);
    withdraw(&mut scene, &gina, some.0);
}

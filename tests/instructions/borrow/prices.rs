//! Which prices lend, and at which of them.

use super::CAPACITY;
use crate::{
    attack::Attack,
    bad_feeds::{refuse_bad_feeds, shown_aside},
    scene::{Scene, USDC, all_feed_kinds, both_receivers, redeemable},
};
use breakwater::error::BreakwaterError;
use breakwater_client::MarketKeys;
use breakwater_engine::price::oracle::PriceUse;
use breakwater_testkit::{
    World, ix,
    pyth::{Quotation, usd},
};

#[test]
fn the_price_to_borrow_at_is_the_worst_one() {
    let cent = usd(1) / 100;
    let ema = |quotation: Quotation, ema_price| Quotation { ema_price, ..quotation };
    let sol = |price, conf| Quotation::settled(price, -8, conf, 0);
    let usdc = sol(usd(1), 100_000);
    let tenth = 10_000_000;
    // min(spot, average) − (spot − (c − conf) ÷ (q + conf)), times 100 SOL, times 70%.
    let cases = [
        (sol(usd(100), tenth), usdc, CAPACITY),
        (ema(sol(usd(100), tenth), usd(90)), usdc, 6_286_013_986),
        (ema(sol(usd(100), tenth), usd(110)), usdc, CAPACITY),
        (sol(usd(100), 200_000_000), usdc, 6_853_146_853),
        (sol(usd(100), tenth), sol(usd(1), 2_000_000), 6_855_882_352),
        (sol(usd(100), 0), sol(usd(1), 0), 6_999_999_999),
        // Quote at $0.80: what is borrowed is worth less; but not before its average is there too.
        (sol(usd(100), tenth), sol(80 * cent, 80_000), 8_732_517_482),
        (sol(usd(100), tenth), ema(sol(80 * cent, 80_000), usd(1)), 6_982_517_482),
        (sol(usd(100), tenth), sol(125 * cent, 125_000), 5_588_811_188),
    ];
    for (collateral, quote, capacity) in cases {
        let Scene {
            mut world,
            market,
            alice,
            position,
            ..
        } = Scene::new();
        world.repay(&position, u64::MAX).unwrap();
        world.forget_prices(&market);
        let now = world.unix();
        for (feed, quotation) in [(market.collateral_feed, collateral), (market.quote_feed, quote)] {
            world.edit_feed(&feed, |feed| {
                *feed.quotation_mut() = Quotation {
                    publish_time: now,
                    ..quotation
                }
            });
        }
        let too_much = ix::borrow(&market, &position.address, &alice.key(), capacity + 1);
        world.assert_error_unchanged(&[too_much], &[&alice], BreakwaterError::InitialLtvExceeded);
        world.borrow(&position, capacity).unwrap();
    }
}

#[test]
fn the_age_of_a_price_is_limited_to_the_second() {
    let Scene {
        mut world,
        market,
        alice,
        position,
        ..
    } = Scene::new();
    let borrow = [ix::borrow(&market, &position.address, &alice.key(), USDC)];
    world.advance_silently(11);
    world.assert_error_unchanged(&borrow, &[&alice], BreakwaterError::PriceTooOld);
    world.publish_all();
    world.advance_silently(10);
    world.send(&borrow, &[&alice]).unwrap();
    // Five seconds ahead is still the same now; time then does not run backwards.
    let (feed, now) = (market.quote_feed, world.unix());
    world.publish_all();
    world.edit_feed(&feed, |feed| feed.quotation_mut().publish_time = now + 5);
    world.send(&borrow, &[&alice]).unwrap();
    world.edit_feed(&feed, |feed| feed.quotation_mut().publish_time = now + 4);
    world.next_slot();
    world.send(&borrow, &[&alice]).unwrap();
    assert_eq!(world.market_state(&market).oracle.known.newest.quote.published, now + 5);
}

#[test]
fn any_genuine_account_of_a_pull_feed_will_do() {
    for spec in both_receivers() {
        let Scene {
            mut world,
            market,
            alice,
            position,
            ..
        } = Scene::on(World::program_test(), &spec);
        let collateral = shown_aside(&mut world, &market.collateral_feed, "another post", |_| ());
        let quote = shown_aside(&mut world, &market.quote_feed, "another post", |_| ());
        let keys = MarketKeys {
            collateral_feed: collateral,
            quote_feed: quote,
            ..market
        };
        let borrow = ix::borrow(&keys, &position.address, &alice.key(), USDC);
        world.send(&[borrow], &[&alice]).unwrap();
    }
}

#[test]
fn an_update_from_before_the_accepted_one_counts_for_nothing() {
    let Scene {
        mut world,
        market,
        alice,
        position,
        ..
    } = Scene::new();
    // A dip follows; whoever kept the update from before it must not use it.
    let kept = shown_aside(&mut world, &market.collateral_feed, "a better price", |_| ());
    world.advance_silently(10);
    world.publish_all();
    world.edit_feed(&kept, |feed| feed.quotation_mut().publish_time -= 10);
    world.set_price(&market.collateral_feed, usd(94), 0);
    world.observe_price(&market).unwrap();
    let borrow = ix::borrow(&market, &position.address, &alice.key(), 200 * USDC);
    let with_kept = ix::borrow(
        &MarketKeys {
            collateral_feed: kept,
            ..market
        },
        &position.address,
        &alice.key(),
        200 * USDC,
    );
    for attempt in [borrow, with_kept] {
        world.assert_error_unchanged(&[attempt], &[&alice], BreakwaterError::InitialLtvExceeded);
    }
}

#[test]
fn every_bad_price_is_refused() {
    for spec in all_feed_kinds().into_iter().chain([redeemable()]) {
        let Scene {
            mut world,
            market,
            alice,
            position,
            ..
        } = Scene::on(World::program_test(), &spec);
        let honest = ix::borrow(&market, &position.address, &alice.key(), USDC);
        let mut attack = Attack::on(&mut world, honest, &[&alice]);
        refuse_bad_feeds(&mut attack, &market, PriceUse::Borrow);
        attack.honest_passes();
    }
}

//! When a price is needed, and which one.

use crate::{
    attack::{Attack, replace_slot},
    bad_feeds::refuse_bad_feeds,
    scene::{SOL, Scene, all_feed_kinds, both_token_programs, purse, redeemable},
};
use breakwater::error::BreakwaterError;
use breakwater_engine::price::oracle::PriceUse;
use breakwater_testkit::{World, ix, pyth::usd};

/// Where the instruction names its price accounts.
const COLLATERAL_FEED: usize = 7;
const QUOTE_FEED: usize = 8;

#[test]
fn without_debt_no_price_is_needed() {
    for spec in both_token_programs() {
        let Scene {
            mut world,
            market,
            mallory,
            ..
        } = Scene::on(World::program_test(), &spec);
        let position = world.open(&market, &mallory, 0).unwrap();
        world.deposit(&position, 10 * SOL).unwrap();
        world.advance_silently(86_400);
        world.give_lamports(&market.collateral_feed, 0);
        world.give_lamports(&market.quote_feed, 0);
        let before = purse(&mut world, &market, &mallory);
        let published = world.market_state(&market).oracle;
        for amount in [1, 9 * SOL, SOL - 1] {
            let withdraw = ix::withdraw_collateral_without_debt(&market, &position.address, &mallory.key(), amount);
            world.send(&[withdraw], &[&mallory]).unwrap();
        }
        assert_eq!(
            purse(&mut world, &market, &mallory),
            (before.0 + 10 * SOL, before.1, before.2)
        );
        assert_eq!(world.market_state(&market).oracle, published);
        // It carried no risk, so it may be liquidated, were there anything to liquidate.
        assert_eq!(world.margin_account(&position).last_risk_slot, 0);
        world.close(&position).unwrap();
    }
}

#[test]
fn a_bad_price_that_is_shown_without_need_is_not_looked_at() {
    let Scene {
        mut world,
        market,
        mallory,
        ..
    } = Scene::new();
    let position = world.open(&market, &mallory, 0).unwrap();
    world.deposit(&position, 10 * SOL).unwrap();
    world.advance_silently(11);
    let published = world.market_state(&market).oracle;
    world.withdraw_collateral(&position, 10 * SOL).unwrap();
    assert_eq!(world.market_state(&market).oracle, published);
    assert_eq!(world.margin_account(&position).last_risk_slot, 0);
}

#[test]
fn against_debt_what_the_market_knows_will_do_while_it_is_young() {
    let Scene {
        mut world,
        market,
        alice,
        position,
        ..
    } = Scene::new();
    world.advance(1);
    world.observe_price(&market).unwrap();
    let both = ix::withdraw_collateral(&market, &position.address, &alice.key(), 1);
    let none = ix::withdraw_collateral_without_debt(&market, &position.address, &alice.key(), 1);
    let no_collateral_feed = replace_slot(&both, COLLATERAL_FEED, &breakwater::ID);
    let no_quote_feed = replace_slot(&both, QUOTE_FEED, &breakwater::ID);
    let all = [none, no_collateral_feed, no_quote_feed];
    world.advance_silently(10);
    for left_out in &all {
        world.send(std::slice::from_ref(left_out), &[&alice]).unwrap();
    }
    world.advance_silently(1);
    for left_out in &all {
        let left_out = std::slice::from_ref(left_out);
        world.assert_error_unchanged(left_out, &[&alice], BreakwaterError::PriceTooOld);
    }
    world.forget_prices(&market);
    for left_out in all {
        world.assert_error_unchanged(&[left_out], &[&alice], BreakwaterError::PriceRequired);
    }
    world.publish_all();
    world.send(&[both], &[&alice]).unwrap();
}

#[test]
fn a_fallen_price_keeps_collateral_in() {
    let Scene {
        mut world,
        market,
        alice,
        position,
        ..
    } = Scene::new();
    let atom = [ix::withdraw_collateral(&market, &position.address, &alice.key(), 1)];
    // At 92 the account is beyond its initial LTV, at 80 it is to be liquidated, at 1 it is lost.
    for dollars in [92, 80, 1] {
        world.advance(1);
        world.set_price(&market.collateral_feed, usd(dollars), 0);
        world.assert_error_unchanged(&atom, &[&alice], BreakwaterError::InitialLtvExceeded);
    }
    // Nor does a price help that Pyth's own EMA does not follow.
    world.advance(1);
    world.settle_price(&market.collateral_feed, usd(93), 0);
    world.advance(1);
    world.set_price(&market.collateral_feed, usd(180), 0);
    world.assert_error_unchanged(&atom, &[&alice], BreakwaterError::InitialLtvExceeded);
    // Far beyond its average, it is not trusted for this at all.
    world.set_price(&market.collateral_feed, usd(1_000), 0);
    world.assert_error_unchanged(&atom, &[&alice], BreakwaterError::MarketGuarded);
    world.settle_price(&market.collateral_feed, usd(100), 0);
    world.send(&atom, &[&alice]).unwrap();
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
        let honest = ix::withdraw_collateral(&market, &position.address, &alice.key(), SOL);
        let mut attack = Attack::on(&mut world, honest, &[&alice]);
        refuse_bad_feeds(&mut attack, &market, PriceUse::Borrow);
        attack.honest_passes();
    }
}

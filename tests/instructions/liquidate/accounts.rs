//! Every account that is not what it should be.

use crate::{
    attack::{Attack, nowhere},
    bad_feeds::refuse_bad_feeds,
    scene::{Scene, all_feed_kinds, inverse, redeemable, sibling},
};
use anchor_lang::prelude::ErrorCode;
use breakwater::error::BreakwaterError;
use breakwater_client::addresses;
use breakwater_engine::oracle::PriceUse;
use breakwater_testkit::{World, ix};

#[test]
fn bad_feeds_are_refused() {
    for spec in all_feed_kinds().into_iter().chain([redeemable()]) {
        let mut scene = Scene::on(World::program_test(), &spec);
        scene.price(80);
        let honest = ix::liquidate(&scene.market, &scene.position.address, &scene.kate.key());
        let mut attack = Attack::on(&mut scene.world, honest, &[&scene.kate]);
        refuse_bad_feeds(&mut attack, &scene.market, PriceUse::Liquidate);
        attack.honest_passes();
    }
}

#[test]
fn every_account_is_checked() {
    let mut scene = Scene::new();
    let (sibling, inverse) = (sibling(&mut scene.world), inverse(&mut scene.world));
    scene.price(80);
    let Scene {
        mut world,
        market,
        alice,
        mallory,
        kate,
        position,
        ..
    } = scene;
    world.open_keeper_ledger(&market, &mallory).unwrap();
    world.open_keeper_ledger(&sibling, &kate).unwrap();
    let of_sibling = world.open(&sibling, &alice, 0).unwrap();
    let ledger = addresses::keeper_ledger(&market.market, &kate.key());
    let ledger_of_mallory = addresses::keeper_ledger(&market.market, &mallory.key());
    let ledger_of_sibling = addresses::keeper_ledger(&sibling.market, &kate.key());
    let (collateral, quote) = (market.collateral_feed, market.quote_feed);

    let honest = ix::liquidate(&market, &position.address, &kate.key());
    let mut attack = Attack::on(&mut world, honest, &[&kate, &mallory]);
    attack
        .not_state(&market.market, &position.address)
        .swap(&market.market, &sibling.market, BreakwaterError::WrongMarket)
        .swap(&market.market, &inverse.market, BreakwaterError::WrongMarket)
        .swap_all(
            &[
                (&market.market, &sibling.market),
                (&position.address, &of_sibling.address),
            ],
            BreakwaterError::WrongMarket,
        )
        .swap_all(
            &[(&market.market, &sibling.market), (&ledger, &ledger_of_sibling)],
            BreakwaterError::WrongMarket,
        )
        .swap_all(
            &[
                (&market.market, &sibling.market),
                (&position.address, &of_sibling.address),
                (&ledger, &ledger_of_sibling),
            ],
            BreakwaterError::NoDebt,
        )
        .not_state(&position.address, &market.market)
        .swap(&position.address, &of_sibling.address, BreakwaterError::WrongMarket)
        .swap(&position.address, &ledger, ErrorCode::AccountDiscriminatorMismatch)
        .not_state(&ledger, &market.market)
        .swap(&ledger, &ledger_of_mallory, BreakwaterError::WrongKeeper)
        .swap(&ledger, &ledger_of_sibling, BreakwaterError::WrongMarket)
        .swap(&ledger, &position.address, ErrorCode::AccountDiscriminatorMismatch)
        .swap(&kate.key(), &mallory.key(), BreakwaterError::WrongKeeper)
        .unsigned(&kate)
        .swap(&collateral, &market.market, BreakwaterError::WrongFeedOwner)
        .swap(&collateral, &quote, BreakwaterError::WrongFeed)
        .swap(&quote, &collateral, BreakwaterError::WrongFeed)
        .swap(&quote, &nowhere(), BreakwaterError::WrongFeedOwner)
        .read_only(&[&market.market, &position.address, &ledger])
        .too_few_accounts();
    let mut exchanged = attack.honest.clone();
    exchanged.accounts.swap(4, 5);
    attack.refused(&exchanged, BreakwaterError::WrongFeed);
    attack.honest_passes();
}

#[test]
fn a_keeper_without_a_ledger_is_told_so() {
    let mut scene = Scene::new();
    scene.price(80);
    let liquidate = ix::liquidate(&scene.market, &scene.position.address, &scene.mallory.key());
    let expected = ErrorCode::AccountOwnedByWrongProgram;
    scene
        .world
        .assert_error_unchanged(&[liquidate], &[&scene.mallory], expected);
    scene.world.open_keeper_ledger(&scene.market, &scene.mallory).unwrap();
    scene.world.liquidate(&scene.mallory, &scene.position).unwrap();
}

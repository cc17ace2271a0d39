//! Price accounts that are not what they should be, and a keeper without a ledger. Other wrong accounts are the
//! matrix's.

use crate::{
    attack::Attack,
    bad_feeds::refuse_bad_feeds,
    scene::{Scene, all_feed_kinds, redeemable},
};
use anchor_lang::prelude::ErrorCode;
use breakwater_engine::price::oracle::PriceUse;
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

//! Price accounts that are not what they should be, and somebody else who gets the money. Other wrong accounts are the
//! matrix's.

use super::{SHARES, ripe, still, wait};
use crate::{
    attack::{Attack, replace_account},
    backing::{backed, interest_free, stands_at, take_over},
    bad_feeds::refuse_bad_feeds,
    scene::{USDC, all_feed_kinds, redeemable},
};
use breakwater_engine::price::oracle::PriceUse;
use breakwater_testkit::{World, ix, pyth::usd};

#[test]
fn bad_feeds_are_refused_while_there_is_inventory() {
    for mut spec in all_feed_kinds().into_iter().chain([redeemable()]) {
        spec.config = interest_free(spec.config);
        let (mut scene, gina) = backed(World::program_test(), &spec, 20_000 * USDC, 1_000 * USDC);
        scene.world.guardian_request(&scene.market, &gina, SHARES).unwrap();
        wait(&mut scene, 0);
        stands_at(&mut scene, usd(80));
        take_over(&mut scene);
        let honest = ix::guardian_withdraw(&scene.market, &gina.key(), u64::MAX, 0);
        let mut attack = Attack::on(&mut scene.world, honest, &[&gina]);
        // By the level, which is another test's, where it is the confidence or Pyth's EMA.
        refuse_bad_feeds(&mut attack, &scene.market, PriceUse::Observe);
        attack.honest_passes();
    }
}

#[test]
fn the_money_may_go_to_somebody_else() {
    let (mut scene, gina) = ripe(&still(), 0);
    let withdraw = ix::guardian_withdraw(&scene.market, &gina.key(), u64::MAX, 0);
    let [own, other] = [&gina, &scene.kate].map(|actor| scene.market.quote_of(&actor.key()));
    let gift = replace_account(&withdraw, &own, &other);
    scene.world.send(&[gift], &[&gina]).unwrap();
    assert_eq!(scene.world.balance(&scene.kate, &scene.market.quote_mint), 1_000 * USDC);
}

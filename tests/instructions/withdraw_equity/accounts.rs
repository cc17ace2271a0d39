//! Price accounts that are not what they should be, and somebody else who gets the money. Other wrong accounts are the
//! matrix's.

use super::{queue, scene};
use crate::{
    attack::{Attack, replace_account},
    backing::{stands_at, take_over},
    bad_feeds::refuse_bad_feeds,
    scene::{USDC, all_feed_kinds, redeemable},
};
use breakwater_engine::price::oracle::PriceUse;
use breakwater_testkit::{MarketSpec, ix, pyth::usd};

#[test]
fn bad_feeds_are_refused_while_there_is_inventory() {
    for spec in all_feed_kinds().into_iter().chain([redeemable()]) {
        let (mut scene, authority, _) = scene(&spec, 20_000 * USDC, 1_000 * USDC);
        queue(&mut scene, USDC);
        stands_at(&mut scene, usd(80));
        take_over(&mut scene);
        let honest = ix::withdraw_equity(&scene.market, &authority.key());
        let mut attack = Attack::on(&mut scene.world, honest, &[&authority]);
        // By the level, which is another test's, where it is the confidence or Pyth's EMA.
        refuse_bad_feeds(&mut attack, &scene.market, PriceUse::Observe);
        attack.honest_passes();
    }
}

#[test]
fn the_money_may_go_to_somebody_else() {
    let (mut scene, authority, _) = scene(&MarketSpec::default(), 10_000 * USDC, 0);
    queue(&mut scene, 1_000 * USDC);
    let withdraw = ix::withdraw_equity(&scene.market, &authority.key());
    let [own, other] = [&authority, &scene.kate].map(|actor| scene.market.quote_of(&actor.key()));
    let gift = replace_account(&withdraw, &own, &other);
    scene.world.send(&[gift], &[&authority]).unwrap();
    assert_eq!(scene.world.balance(&scene.kate, &scene.market.quote_mint), 1_000 * USDC);
}

//! Every account that is not what it should be, and tokens that do not arrive.

use super::stocked;
use crate::{
    attack::{Attack, levy_transfer_fee, replace_account},
    bad_feeds::refuse_bad_feeds,
    scene::{SOL, Scene, all_feed_kinds, both_token_programs, purse, redeemable, sibling},
};
use breakwater::error::BreakwaterError;
use breakwater_engine::price::oracle::PriceUse;
use breakwater_testkit::{MarketSpec, ix};

#[test]
fn bad_feeds_are_refused() {
    for spec in all_feed_kinds().into_iter().chain([redeemable()]) {
        let mut scene = stocked(&spec);
        let honest = ix::buy_inventory(&scene.market, &scene.mallory.key(), SOL / 2, u64::MAX);
        let mut attack = Attack::on(&mut scene.world, honest, &[&scene.mallory]);
        refuse_bad_feeds(&mut attack, &scene.market, PriceUse::Borrow);
        attack.honest_passes();
    }
}

#[test]
fn the_collateral_may_go_to_somebody_else() {
    let Scene {
        mut world,
        market,
        lena,
        mallory,
        ..
    } = stocked(&MarketSpec::default());
    let buy = ix::buy_inventory(&market, &mallory.key(), SOL / 2, u64::MAX);
    let [own, other] = [&mallory, &lena].map(|actor| market.collateral_of(&actor.key()));
    let gift = replace_account(&buy, &own, &other);
    world.send(&[gift], &[&mallory]).unwrap();
    assert_eq!(purse(&mut world, &market, &lena).0, SOL / 2);
}

#[test]
fn less_arriving_than_was_paid_is_refused() {
    let [_, spec] = both_token_programs();
    let Scene {
        mut world,
        market,
        mallory,
        ..
    } = stocked(&spec);
    levy_transfer_fee(
        &mut world,
        &market.quote_mint,
        &[market.quote_of(&mallory.key()), market.quote_vault],
    );
    let buy = ix::buy_inventory(&market, &mallory.key(), SOL / 2, u64::MAX);
    world.assert_error_unchanged(&[buy], &[&mallory], BreakwaterError::TransferMismatch);
}

/// What no matrix of single accounts finds: a market of the same mints, with more and more of its own accounts.
#[test]
fn a_sibling_sells_only_its_own() {
    let mut scene = stocked(&MarketSpec::default());
    let price = scene.world.shown(&scene.market.collateral_feed);
    let sibling = sibling(&mut scene.world);
    scene.world.show(&scene.market.collateral_feed, price);
    let (market, buyer) = (scene.market, scene.alice.key());
    let honest = ix::buy_inventory(&market, &buyer, SOL / 2, u64::MAX);
    let swaps = [
        (&market.market, &sibling.market),
        (&market.collateral_vault, &sibling.collateral_vault),
        (&market.quote_vault, &sibling.quote_vault),
    ];
    Attack::on(&mut scene.world, honest, &[&scene.alice])
        .swap_all(&swaps[..1], BreakwaterError::WrongVault)
        .swap_all(&swaps[..2], BreakwaterError::WrongVault)
        .swap_all(&swaps, BreakwaterError::InventoryInsufficient)
        .honest_passes();
}

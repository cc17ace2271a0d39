//! Every account that is not what it should be, and tokens that do not arrive.

use super::{SOLD, external, refused, roomless, scene};
use crate::{
    attack::{Attack, levy_transfer_fee, nowhere, twin},
    bad_feeds::refuse_bad_feeds,
    scene::{Scene, USDC, all_feed_kinds, both_token_programs, inverse, purse, redeemable, sibling},
};
use anchor_lang::prelude::ErrorCode;
use anchor_spl::token_2022;
use breakwater::error::BreakwaterError;
use breakwater_client::{MarketKeys, addresses};
use breakwater_engine::oracle::Purpose;
use breakwater_testkit::{World, ix};

#[test]
fn bad_feeds_are_refused() {
    for spec in all_feed_kinds().into_iter().chain([redeemable()]) {
        let mut scene = roomless(World::program_test(), &spec);
        let honest = external(&scene, u64::MAX, 0);
        let mut attack = Attack::on(&mut scene.world, honest, &[&scene.mallory]);
        refuse_bad_feeds(&mut attack, &scene.market, Purpose::Liquidate);
        attack.honest_passes();
    }
}

#[test]
fn a_price_may_be_as_old_as_for_liquidating() {
    let mut scene = scene();
    scene.world.advance_silently(60);
    let before = scene.world.snapshot();
    scene
        .world
        .liquidate_external(&scene.mallory, &scene.position, u64::MAX)
        .unwrap();
    scene.world.restore(&before);
    scene.world.advance_silently(1);
    refused(&mut scene, (u64::MAX, 0), BreakwaterError::PriceTooOld);
}

#[test]
fn the_collateral_may_go_to_somebody_else() {
    let mut scene = scene();
    let mut gift = external(&scene, u64::MAX, 0);
    gift.accounts[5].pubkey = scene.market.collateral_of(&scene.lena.key());
    scene.world.send(&[gift], &[&scene.mallory]).unwrap();
    let Scene {
        world, market, lena, ..
    } = &mut scene;
    assert_eq!(purse(world, market, lena).0, SOLD);
}

#[test]
fn less_arriving_than_was_paid_is_refused() {
    let [_, spec] = both_token_programs();
    let mut scene = roomless(World::program_test(), &spec);
    let Scene {
        world, market, mallory, ..
    } = &mut scene;
    let taxed = [market.quote_of(&mallory.key()), market.quote_vault];
    levy_transfer_fee(world, &market.quote_mint, &taxed);
    refused(&mut scene, (u64::MAX, 0), BreakwaterError::TransferMismatch);
}

/// A scene with a second market of the same mints, and one with the mints the other way round.
#[track_caller]
fn with_other_markets() -> (Scene, MarketKeys, MarketKeys) {
    let mut scene = scene();
    let feeds = [scene.market.collateral_feed, scene.market.quote_feed];
    let shown = feeds.map(|feed| scene.world.shown(&feed));
    let (sibling, inverse) = (sibling(&mut scene.world), inverse(&mut scene.world));
    for (feed, shown) in feeds.iter().zip(shown) {
        scene.world.show(feed, shown);
    }
    (scene, sibling, inverse)
}

#[test]
fn the_market_the_account_its_mints_and_programs_are_checked() {
    let (scene, sibling, inverse) = with_other_markets();
    let Scene {
        mut world,
        market,
        alice,
        mallory,
        kate,
        position,
        ..
    } = scene;
    world.fund(&alice, &market.quote_mint, 10_000 * USDC);
    let of_sibling = world.open(&sibling, &alice, 0).unwrap();
    let other_mint = twin(&mut world, &market.quote_mint);
    let ledger = addresses::keeper_ledger(&market.market, &kate.key());
    let honest = ix::liquidate_external(&market, &position.address, &alice.key(), u64::MAX, 0);
    let (collateral_feed, quote_feed) = (market.collateral_feed, market.quote_feed);
    let mut attack = Attack::on(&mut world, honest, &[&alice, &mallory]);
    attack
        .not_state(&market.market, &position.address)
        .swap(&market.market, &sibling.market, BreakwaterError::WrongMarket)
        .swap(&market.market, &inverse.market, BreakwaterError::WrongMarket)
        .swap_all(
            &[
                (&market.market, &sibling.market),
                (&position.address, &of_sibling.address),
            ],
            BreakwaterError::WrongVault,
        )
        .not_state(&position.address, &ledger)
        .swap(
            &position.address,
            &market.market,
            ErrorCode::AccountDiscriminatorMismatch,
        )
        .swap(&position.address, &of_sibling.address, BreakwaterError::WrongMarket)
        .unsigned(&alice)
        .swap(&alice.key(), &mallory.key(), BreakwaterError::WrongTokenOwner)
        .not_of_a_token_program(&market.collateral_mint)
        .swap(&market.collateral_mint, &market.quote_mint, BreakwaterError::WrongMint)
        .swap(&market.collateral_mint, &other_mint, BreakwaterError::WrongMint)
        .not_of_a_token_program(&market.quote_mint)
        .swap(&market.quote_mint, &market.collateral_mint, BreakwaterError::WrongMint)
        .swap(&market.quote_mint, &other_mint, BreakwaterError::WrongMint)
        .swap(&collateral_feed, &market.market, BreakwaterError::WrongFeedOwner)
        .swap(&collateral_feed, &quote_feed, BreakwaterError::WrongFeed)
        .swap(&quote_feed, &collateral_feed, BreakwaterError::WrongFeed)
        .swap(&quote_feed, &nowhere(), BreakwaterError::WrongFeedOwner)
        .swap_at(13, &token_2022::ID, BreakwaterError::WrongTokenProgram)
        .swap_at(13, &nowhere(), ErrorCode::InvalidProgramId)
        .swap_at(14, &token_2022::ID, BreakwaterError::WrongTokenProgram)
        .swap_at(14, &nowhere(), ErrorCode::InvalidProgramId)
        .read_only(&[&market.market, &position.address])
        .too_few_accounts()
        .too_few_bytes();
    attack.honest_passes();
}

#[test]
fn every_token_account_is_checked() {
    let (scene, sibling, _) = with_other_markets();
    let Scene {
        mut world,
        market,
        lena,
        alice,
        mallory,
        position,
        ..
    } = scene;
    let MarketKeys {
        collateral_vault,
        quote_vault,
        ..
    } = market;
    world.fund(&alice, &market.quote_mint, 10_000 * USDC);
    let twins = [collateral_vault, quote_vault].map(|vault| twin(&mut world, &vault));
    let other_mint = twin(&mut world, &market.quote_mint);
    let of_other_mint = world.fund(&alice, &other_mint, 10_000 * USDC);
    let (collateral, quote) = (market.collateral_of(&alice.key()), market.quote_of(&alice.key()));
    let honest = ix::liquidate_external(&market, &position.address, &alice.key(), u64::MAX, 0);
    let mut attack = Attack::on(&mut world, honest, &[&alice, &mallory]);
    attack
        .not_of_a_token_program(&collateral)
        .swap(&collateral, &market.quote_of(&lena.key()), BreakwaterError::WrongMint)
        .swap(&collateral, &of_other_mint, BreakwaterError::WrongMint)
        .swap(
            &collateral,
            &collateral_vault,
            ErrorCode::ConstraintDuplicateMutableAccount,
        )
        .swap(&collateral, &quote, ErrorCode::ConstraintDuplicateMutableAccount)
        .not_of_a_token_program(&quote)
        .swap(&quote, &market.quote_of(&lena.key()), BreakwaterError::WrongTokenOwner)
        .swap(
            &quote,
            &market.collateral_of(&mallory.key()),
            BreakwaterError::WrongMint,
        )
        .swap(&quote, &of_other_mint, BreakwaterError::WrongMint)
        .swap(&quote, &quote_vault, ErrorCode::ConstraintDuplicateMutableAccount)
        .swap(&quote, &sibling.quote_vault, BreakwaterError::WrongTokenOwner)
        .not_of_a_token_program(&collateral_vault)
        .swap(
            &collateral_vault,
            &sibling.collateral_vault,
            BreakwaterError::WrongVault,
        )
        .swap(&collateral_vault, &twins[0], BreakwaterError::WrongVault)
        .swap(
            &collateral_vault,
            &market.collateral_of(&mallory.key()),
            BreakwaterError::WrongVault,
        )
        .not_of_a_token_program(&quote_vault)
        .swap(&quote_vault, &sibling.quote_vault, BreakwaterError::WrongVault)
        .swap(&quote_vault, &twins[1], BreakwaterError::WrongVault)
        .swap(
            &quote_vault,
            &market.quote_of(&mallory.key()),
            BreakwaterError::WrongVault,
        )
        .read_only(&[&collateral, &quote, &collateral_vault, &quote_vault]);
    let mut exchanged = attack.honest.clone();
    exchanged.accounts.swap(7, 8);
    attack.refused(&exchanged, BreakwaterError::WrongVault);
    attack.honest_passes();
}

//! Every account that is not what it should be, and tokens that do not arrive.

use super::stocked;
use crate::{
    attack::{Attack, levy_transfer_fee, nowhere, twin},
    bad_feeds::refuse_bad_feeds,
    scene::{SOL, Scene, USDC, all_feed_kinds, both_token_programs, inverse, purse, redeemable, sibling},
};
use anchor_lang::prelude::ErrorCode;
use anchor_spl::token_2022;
use breakwater::error::BreakwaterError;
use breakwater_client::MarketKeys;
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
    let mut gift = ix::buy_inventory(&market, &mallory.key(), SOL / 2, u64::MAX);
    gift.accounts[4].pubkey = market.collateral_of(&lena.key());
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

/// A stocked scene with a second market of the same mints, and one with the mints the other way round.
#[track_caller]
fn with_other_markets() -> (Scene, MarketKeys, MarketKeys) {
    let mut scene = stocked(&MarketSpec::default());
    let price = scene.world.shown(&scene.market.collateral_feed);
    let (sibling, inverse) = (sibling(&mut scene.world), inverse(&mut scene.world));
    scene.world.show(&scene.market.collateral_feed, price);
    (scene, sibling, inverse)
}

#[test]
fn the_market_its_mints_and_programs_are_checked() {
    let (scene, sibling, inverse) = with_other_markets();
    let Scene {
        mut world,
        market,
        alice,
        mallory,
        position,
        ..
    } = scene;
    let other_mint = twin(&mut world, &market.quote_mint);
    let honest = ix::buy_inventory(&market, &alice.key(), SOL / 2, u64::MAX);
    let mut attack = Attack::on(&mut world, honest, &[&alice, &mallory]);
    attack
        .not_state(&market.market, &position.address)
        .swap(&market.market, &sibling.market, BreakwaterError::WrongVault)
        .swap(&market.market, &inverse.market, BreakwaterError::WrongMint)
        .swap_all(
            &[
                (&market.market, &sibling.market),
                (&market.collateral_vault, &sibling.collateral_vault),
            ],
            BreakwaterError::WrongVault,
        )
        .swap_all(
            &[
                (&market.market, &sibling.market),
                (&market.collateral_vault, &sibling.collateral_vault),
                (&market.quote_vault, &sibling.quote_vault),
            ],
            BreakwaterError::InventoryInsufficient,
        )
        .unsigned(&alice)
        .swap(&alice.key(), &mallory.key(), BreakwaterError::WrongTokenOwner)
        .not_of_a_token_program(&market.collateral_mint)
        .swap(&market.collateral_mint, &market.quote_mint, BreakwaterError::WrongMint)
        .swap(&market.collateral_mint, &other_mint, BreakwaterError::WrongMint)
        .not_of_a_token_program(&market.quote_mint)
        .swap(&market.quote_mint, &market.collateral_mint, BreakwaterError::WrongMint)
        .swap(&market.quote_mint, &other_mint, BreakwaterError::WrongMint)
        .swap_at(12, &token_2022::ID, BreakwaterError::WrongTokenProgram)
        .swap_at(12, &nowhere(), ErrorCode::InvalidProgramId)
        .swap_at(13, &token_2022::ID, BreakwaterError::WrongTokenProgram)
        .swap_at(13, &nowhere(), ErrorCode::InvalidProgramId)
        .read_only(&[&market.market])
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
        ..
    } = scene;
    let MarketKeys {
        collateral_vault,
        quote_vault,
        ..
    } = market;
    let twins = [collateral_vault, quote_vault].map(|vault| twin(&mut world, &vault));
    let other_mint = twin(&mut world, &market.quote_mint);
    let of_other_mint = world.fund(&alice, &other_mint, 1_000 * USDC);
    let (collateral, quote) = (market.collateral_of(&alice.key()), market.quote_of(&alice.key()));
    let honest = ix::buy_inventory(&market, &alice.key(), SOL / 2, u64::MAX);
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
        .swap(
            &collateral_vault,
            &quote_vault,
            ErrorCode::ConstraintDuplicateMutableAccount,
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
    exchanged.accounts.swap(6, 7);
    attack.refused(&exchanged, BreakwaterError::WrongVault);
    attack.honest_passes();
}

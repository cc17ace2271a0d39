//! Every account that is not what it should be.

use super::{SHARES, ripe, still, wait};
use crate::{
    attack::{Attack, nowhere, twin},
    backing::{backed, interest_free, stands_at, take_over},
    bad_feeds::refuse_bad_feeds,
    scene::{Scene, USDC, all_feed_kinds, inverse, redeemable, sibling},
};
use anchor_lang::prelude::ErrorCode;
use anchor_spl::token_2022;
use breakwater::error::BreakwaterError;
use breakwater_client::addresses;
use breakwater_engine::oracle::PriceUse;
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
        // By the level, which is another test's, where it is the confidence or Pyth's average.
        refuse_bad_feeds(&mut attack, &scene.market, PriceUse::Observe);
        attack.honest_passes();
    }
}

#[test]
fn the_money_may_go_to_somebody_else() {
    let (mut scene, gina) = ripe(&still(), 0);
    let mut gift = ix::guardian_withdraw(&scene.market, &gina.key(), u64::MAX, 0);
    gift.accounts[4].pubkey = scene.market.quote_of(&scene.kate.key());
    scene.world.send(&[gift], &[&gina]).unwrap();
    assert_eq!(scene.world.balance(&scene.kate, &scene.market.quote_mint), 1_000 * USDC);
}

#[test]
fn every_account_is_checked() {
    let (
        Scene {
            mut world,
            market,
            mallory,
            kate,
            position: margin_account,
            ..
        },
        gina,
    ) = ripe(&still(), 10_000 * USDC);
    let (sibling, inverse) = (sibling(&mut world), inverse(&mut world));
    world.open_guardian_position(&market, &mallory).unwrap();
    world.open_guardian_position(&sibling, &gina).unwrap();
    let (other_mint, other_vault) = (
        twin(&mut world, &market.quote_mint),
        twin(&mut world, &market.quote_vault),
    );
    let of_other_mint = world.fund(&gina, &other_mint, 0);
    let quote = market.quote_of(&gina.key());
    let position = addresses::guardian_position(&market.market, &gina.key());
    let of_mallory = addresses::guardian_position(&market.market, &mallory.key());
    let of_sibling = addresses::guardian_position(&sibling.market, &gina.key());
    let ledger = addresses::keeper_ledger(&market.market, &kate.key());

    let honest = ix::guardian_withdraw(&market, &gina.key(), u64::MAX, 0);
    let mut attack = Attack::on(&mut world, honest, &[&gina, &mallory]);
    attack
        .not_state(&market.market, &margin_account.address)
        .swap(&market.market, &sibling.market, BreakwaterError::WrongMarket)
        .swap(&market.market, &inverse.market, BreakwaterError::WrongMarket)
        .swap_all(
            &[(&market.market, &sibling.market), (&position, &of_sibling)],
            BreakwaterError::WrongVault,
        )
        .swap_all(
            &[
                (&market.market, &sibling.market),
                (&position, &of_sibling),
                (&market.quote_vault, &sibling.quote_vault),
            ],
            BreakwaterError::NothingRequested,
        )
        .not_state(&position, &ledger)
        .swap(&position, &market.market, ErrorCode::AccountDiscriminatorMismatch)
        .swap(
            &position,
            &margin_account.address,
            ErrorCode::AccountDiscriminatorMismatch,
        )
        .swap(&position, &of_mallory, BreakwaterError::WrongGuardianPosition)
        .swap(&position, &of_sibling, BreakwaterError::WrongMarket)
        .unsigned(&gina)
        .swap(&gina.key(), &mallory.key(), BreakwaterError::WrongGuardianPosition)
        .swap_all(
            &[(&gina.key(), &mallory.key()), (&position, &of_mallory)],
            BreakwaterError::NothingRequested,
        )
        .not_of_a_token_program(&market.quote_mint)
        .swap(&market.quote_mint, &market.collateral_mint, BreakwaterError::WrongMint)
        .swap(&market.quote_mint, &other_mint, BreakwaterError::WrongMint)
        .not_of_a_token_program(&quote)
        .swap(
            &quote,
            &market.collateral_of(&mallory.key()),
            BreakwaterError::WrongMint,
        )
        .swap(&quote, &of_other_mint, BreakwaterError::WrongMint)
        .swap(
            &quote,
            &market.quote_vault,
            ErrorCode::ConstraintDuplicateMutableAccount,
        )
        .not_of_a_token_program(&market.quote_vault)
        .swap(
            &market.quote_vault,
            &market.collateral_vault,
            BreakwaterError::WrongVault,
        )
        .swap(&market.quote_vault, &sibling.quote_vault, BreakwaterError::WrongVault)
        .swap(&market.quote_vault, &other_vault, BreakwaterError::WrongVault)
        .swap(
            &market.quote_vault,
            &market.quote_of(&mallory.key()),
            BreakwaterError::WrongVault,
        )
        .swap_at(10, &token_2022::ID, BreakwaterError::WrongTokenProgram)
        .swap_at(10, &nowhere(), ErrorCode::InvalidProgramId)
        .read_only(&[&market.market, &position, &quote, &market.quote_vault])
        .too_few_accounts()
        .too_few_bytes();
    attack.honest_passes();
}

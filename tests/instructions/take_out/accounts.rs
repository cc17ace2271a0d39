//! Every account that is not what it should be.

use super::{queue, scene};
use crate::{
    attack::{Attack, foreign_copy, nowhere, twin},
    backing::{stands_at, take_over},
    bad_feeds::refuse_bad_feeds,
    scene::{Scene, USDC, all_feed_kinds, inverse, redeemable, sibling},
};
use anchor_lang::prelude::ErrorCode;
use anchor_spl::token_2022;
use breakwater::error::BreakwaterError;
use breakwater_client::addresses;
use breakwater_engine::oracle::PriceUse;
use breakwater_testkit::{MarketSpec, ix, pyth::usd};

#[test]
fn bad_feeds_are_refused_while_there_is_inventory() {
    for spec in all_feed_kinds().into_iter().chain([redeemable()]) {
        let (mut scene, authority, _) = scene(&spec, 20_000 * USDC, 1_000 * USDC);
        queue(&mut scene, USDC);
        stands_at(&mut scene, usd(80));
        take_over(&mut scene);
        let honest = ix::take_out(&scene.market, &authority.key());
        let mut attack = Attack::on(&mut scene.world, honest, &[&authority]);
        // By the level, which is another test's, where it is the confidence or Pyth's average.
        refuse_bad_feeds(&mut attack, &scene.market, PriceUse::Observe);
        attack.honest_passes();
    }
}

#[test]
fn the_money_may_go_to_somebody_else() {
    let (mut scene, authority, _) = scene(&MarketSpec::default(), 10_000 * USDC, 0);
    queue(&mut scene, 1_000 * USDC);
    let mut gift = ix::take_out(&scene.market, &authority.key());
    gift.accounts[4].pubkey = scene.market.quote_of(&scene.kate.key());
    scene.world.send(&[gift], &[&authority]).unwrap();
    assert_eq!(scene.world.balance(&scene.kate, &scene.market.quote_mint), 1_000 * USDC);
}

#[test]
fn every_account_is_checked() {
    let (mut scene, authority, _) = scene(&MarketSpec::default(), 10_000 * USDC, 0);
    queue(&mut scene, USDC);
    let Scene {
        mut world,
        market,
        mallory,
        position,
        ..
    } = scene;
    let (sibling, inverse) = (sibling(&mut world), inverse(&mut world));
    let protocol = addresses::protocol();
    let (foreign, double) = (foreign_copy(&mut world, &protocol), twin(&mut world, &protocol));
    let (other_mint, other_vault) = (
        twin(&mut world, &market.quote_mint),
        twin(&mut world, &market.quote_vault),
    );
    let of_other_mint = world.fund(&authority, &other_mint, 0);
    let quote = market.quote_of(&authority.key());

    let honest = ix::take_out(&market, &authority.key());
    let mut attack = Attack::on(&mut world, honest, &[&authority, &mallory]);
    attack
        .swap(&protocol, &foreign, ErrorCode::AccountOwnedByWrongProgram)
        .swap(&protocol, &nowhere(), ErrorCode::AccountNotInitialized)
        .swap(&protocol, &market.market, ErrorCode::AccountDiscriminatorMismatch)
        .swap(&protocol, &double, ErrorCode::ConstraintSeeds)
        .swap(&authority.key(), &mallory.key(), BreakwaterError::WrongAuthority)
        .unsigned(&authority)
        .not_state(&market.market, &position.address)
        .swap(&market.market, &sibling.market, BreakwaterError::WrongVault)
        .swap(&market.market, &inverse.market, BreakwaterError::WrongMint)
        .swap_all(
            &[
                (&market.market, &sibling.market),
                (&market.quote_vault, &sibling.quote_vault),
            ],
            BreakwaterError::NothingQueued,
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
        .read_only(&[&market.market, &quote, &market.quote_vault])
        .too_few_accounts();
    attack.honest_passes();
}

//! Who may create a market, and every account that is not what it should be.

use super::Draft;
use crate::attack::{Attack, blank, foreign_copy, nowhere, twin};
use anchor_lang::{prelude::ErrorCode, solana_program::instruction::error::InstructionError, system_program};
use anchor_spl::{token, token_2022};
use breakwater::error::BreakwaterError;
use breakwater_client::{MarketKeys, addresses};
use breakwater_testkit::{MarketSpec, World, ix};

#[test]
fn nobody_but_the_authority_may() {
    let mut draft = Draft::of(&MarketSpec::default());
    let mallory = draft.world.actor("mallory");
    let authority = draft.world.authority().clone();
    let create = ix::create_market(
        &draft.keys,
        &mallory.key(),
        &addresses::depth_budget("TEST"),
        draft.args,
    );
    let world = &mut draft.world;
    world.assert_error_unchanged(
        std::slice::from_ref(&create),
        &[&mallory],
        BreakwaterError::WrongAuthority,
    );
    // Nor with a protocol account that names her: it is nowhere but at its address.
    let protocol = addresses::protocol();
    let mut forged = world.existing_account(&protocol);
    forged.data[8..40].copy_from_slice(mallory.key().as_ref());
    let forged_address = twin(world, &protocol);
    world.set_account(&forged_address, forged);
    let mut attack = Attack::on(world, create, &[&mallory, &authority]);
    attack.swap(&protocol, &forged_address, ErrorCode::ConstraintSeeds);
    draft.honest_passes();
}

#[test]
fn there_is_no_market_before_the_protocol() {
    let mut draft = Draft::of(&MarketSpec::default());
    let authority = draft.world.authority().clone();
    draft.world.give_lamports(&addresses::protocol(), 0);
    let create = draft.with(|_| ());
    draft
        .world
        .assert_error_unchanged(&[create], &[&authority], ErrorCode::AccountNotInitialized);
}

#[test]
fn every_account_is_checked() {
    let mut world = World::program_test();
    let sibling = world.market(&MarketSpec {
        id: 9,
        ..MarketSpec::default()
    });
    let mallory = world.actor("mallory");
    let authority = world.authority().clone();
    let (keys, honest) = world.prepare_market(&MarketSpec::default());
    let MarketKeys {
        market,
        collateral_mint,
        quote_mint,
        collateral_vault,
        quote_vault,
        lp_mint,
        ..
    } = keys;
    let (protocol, budget) = (addresses::protocol(), addresses::depth_budget("TEST"));
    let no_mint = blank(&mut world, &quote_mint);
    let other_mint = twin(&mut world, &quote_mint);
    let foreign_protocol = foreign_copy(&mut world, &protocol);

    let mut attack = Attack::on(&mut world, honest, &[&authority, &mallory]);
    attack
        .swap(&protocol, &foreign_protocol, ErrorCode::AccountOwnedByWrongProgram)
        .swap(&protocol, &nowhere(), ErrorCode::AccountNotInitialized)
        .swap(&protocol, &sibling.market, ErrorCode::AccountDiscriminatorMismatch)
        .swap(&authority.key(), &mallory.key(), BreakwaterError::WrongAuthority)
        .unsigned(&authority)
        .not_state(&budget, &sibling.market)
        .read_only(&[&budget])
        .swap(&market, &nowhere(), ErrorCode::ConstraintSeeds)
        .swap(&market, &sibling.market, ErrorCode::ConstraintSeeds)
        .not_of_a_token_program(&collateral_mint)
        .swap(&collateral_mint, &no_mint, InstructionError::UninitializedAccount)
        .swap(
            &collateral_mint,
            &sibling.quote_vault,
            InstructionError::InvalidAccountData,
        )
        .swap(&collateral_mint, &other_mint, ErrorCode::ConstraintSeeds)
        .not_of_a_token_program(&quote_mint)
        .swap(&quote_mint, &no_mint, InstructionError::UninitializedAccount)
        .swap(&quote_mint, &other_mint, ErrorCode::ConstraintSeeds)
        .swap(&collateral_vault, &nowhere(), ErrorCode::ConstraintSeeds)
        .swap(&collateral_vault, &sibling.collateral_vault, ErrorCode::ConstraintSeeds)
        .swap(&collateral_vault, &quote_vault, ErrorCode::ConstraintSeeds)
        .swap(&quote_vault, &nowhere(), ErrorCode::ConstraintSeeds)
        .swap(&quote_vault, &collateral_vault, ErrorCode::ConstraintSeeds)
        .swap(&lp_mint, &sibling.lp_mint, ErrorCode::ConstraintSeeds)
        .swap(&lp_mint, &quote_mint, ErrorCode::ConstraintSeeds)
        .swap_at(9, &token_2022::ID, InstructionError::IncorrectProgramId)
        .swap_at(9, &nowhere(), ErrorCode::InvalidProgramId)
        .swap_at(10, &token_2022::ID, InstructionError::IncorrectProgramId)
        .swap_at(10, &nowhere(), ErrorCode::InvalidProgramId)
        .swap_at(11, &token_2022::ID, ErrorCode::InvalidProgramId)
        .swap(&system_program::ID, &token::ID, ErrorCode::InvalidProgramId)
        .read_only_for_a_call(&[&authority.key(), &market, &collateral_vault, &quote_vault, &lp_mint])
        .too_few_accounts();
    attack.honest_passes();
}

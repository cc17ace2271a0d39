//! Which accounts `repay` takes.

use crate::{
    attack::{Attack, nowhere, twin},
    scene::{Scene, USDC, inverse, sibling},
};
use anchor_lang::{prelude::ErrorCode, solana_program::instruction::error::InstructionError};
use anchor_spl::token_2022;
use breakwater::error::BreakwaterError;
use breakwater_client::addresses;
use breakwater_testkit::ix;

#[test]
fn every_account_is_checked() {
    let Scene {
        mut world,
        market,
        alice,
        mallory,
        kate,
        position,
        ..
    } = Scene::new();
    let (sibling, inverse) = (sibling(&mut world), inverse(&mut world));
    let of_sibling = world.open(&sibling, &alice, 0).unwrap().address;
    let of_inverse = world.open(&inverse, &alice, 0).unwrap().address;
    let ledger = addresses::keeper_ledger(&market.market, &kate.key());
    let (other_mint, other_vault) = (
        twin(&mut world, &market.quote_mint),
        twin(&mut world, &market.quote_vault),
    );
    let of_other_mint = world.fund(&alice, &other_mint, 10_000 * USDC);
    let (collateral, quote) = (market.collateral_of(&alice.key()), market.quote_of(&alice.key()));

    let honest = ix::repay(&market, &position.address, &alice.key(), USDC);
    let mut attack = Attack::on(&mut world, honest, &[&alice, &mallory]);
    attack
        .not_state(&market.market, &position.address)
        .swap(&market.market, &sibling.market, BreakwaterError::WrongMarket)
        .not_state(&position.address, &market.market)
        .swap(&position.address, &of_sibling, BreakwaterError::WrongMarket)
        .swap(&position.address, &ledger, ErrorCode::AccountDiscriminatorMismatch)
        .unsigned(&alice)
        .swap(&alice.key(), &mallory.key(), BreakwaterError::WrongTokenOwner)
        .not_of_a_token_program(&market.quote_mint)
        .swap(&market.quote_mint, &other_vault, InstructionError::InvalidAccountData)
        .swap(&market.quote_mint, &market.collateral_mint, BreakwaterError::WrongMint)
        .swap(&market.quote_mint, &other_mint, BreakwaterError::WrongMint)
        .not_of_a_token_program(&quote)
        .swap(&quote, &other_mint, InstructionError::InvalidAccountData)
        .swap(
            &quote,
            &market.quote_of(&mallory.key()),
            BreakwaterError::WrongTokenOwner,
        )
        .swap(&quote, &collateral, BreakwaterError::WrongMint)
        .swap(&quote, &of_other_mint, BreakwaterError::WrongMint)
        .swap(
            &quote,
            &market.quote_vault,
            ErrorCode::ConstraintDuplicateMutableAccount,
        )
        .swap(&quote, &sibling.quote_vault, BreakwaterError::WrongTokenOwner)
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
        .swap_at(6, &token_2022::ID, BreakwaterError::WrongTokenProgram)
        .swap_at(6, &nowhere(), ErrorCode::InvalidProgramId)
        .read_only(&[&market.market, &position.address, &quote, &market.quote_vault])
        .swap_all(
            &[(&market.market, &sibling.market), (&position.address, &of_sibling)],
            BreakwaterError::WrongVault,
        )
        .swap_all(
            &[(&market.market, &inverse.market), (&position.address, &of_inverse)],
            BreakwaterError::WrongMint,
        )
        .too_few_accounts()
        .too_few_bytes();
    attack.honest_passes();
}

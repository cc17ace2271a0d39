//! Which accounts `withdraw` takes.

use super::SHARES;
use crate::{
    attack::{Attack, nowhere, twin},
    scene::{Scene, USDC, inverse, sibling},
};
use anchor_lang::{prelude::ErrorCode, solana_program::instruction::error::InstructionError};
use anchor_spl::token_2022;
use breakwater::error::BreakwaterError;
use breakwater_testkit::ix;

#[test]
fn every_account_is_checked() {
    let Scene {
        mut world,
        market,
        lena,
        alice,
        mallory,
        position,
        ..
    } = Scene::new();
    let (sibling, inverse) = (sibling(&mut world), inverse(&mut world));
    let (other_mint, other_vault) = (
        twin(&mut world, &market.quote_mint),
        twin(&mut world, &market.quote_vault),
    );
    let of_other_mint = world.fund(&lena, &other_mint, USDC);
    let of_sibling = world.fund(&lena, &sibling.lp_mint, 0);
    world.supply(&sibling, &lena, 10 * USDC).unwrap();
    world.supply(&market, &mallory, 10 * USDC).unwrap();
    let (quote, lp) = (market.quote_of(&lena.key()), market.lp_of(&lena.key()));

    let honest = ix::withdraw(&market, &lena.key(), USDC * SHARES, 0);
    let mut attack = Attack::on(&mut world, honest, &[&lena, &mallory]);
    attack
        .not_state(&market.market, &position.address)
        .swap(&market.market, &sibling.market, BreakwaterError::WrongVault)
        .swap(&market.market, &inverse.market, BreakwaterError::WrongMint)
        .swap_all(
            &[
                (&market.market, &sibling.market),
                (&market.quote_vault, &sibling.quote_vault),
            ],
            BreakwaterError::WrongMint,
        )
        // Shares of the sibling are not shares of this market.
        .swap_all(
            &[(&market.lp_mint, &sibling.lp_mint), (&lp, &of_sibling)],
            BreakwaterError::WrongMint,
        )
        .unsigned(&lena)
        .swap(&lena.key(), &mallory.key(), BreakwaterError::WrongTokenOwner)
        .not_of_a_token_program(&market.quote_mint)
        .swap(&market.quote_mint, &other_vault, InstructionError::InvalidAccountData)
        .swap(&market.quote_mint, &market.collateral_mint, BreakwaterError::WrongMint)
        .swap(&market.quote_mint, &other_mint, BreakwaterError::WrongMint)
        .not_of_a_token_program(&quote)
        .swap(&quote, &other_mint, InstructionError::InvalidAccountData)
        .swap(&quote, &market.collateral_of(&alice.key()), BreakwaterError::WrongMint)
        .swap(&quote, &of_other_mint, BreakwaterError::WrongMint)
        .swap(&quote, &of_sibling, BreakwaterError::WrongMint)
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
        .not_of_a_token_program(&market.lp_mint)
        .swap(&market.lp_mint, &sibling.lp_mint, BreakwaterError::WrongMint)
        .swap(&market.lp_mint, &other_mint, BreakwaterError::WrongMint)
        .not_of_a_token_program(&lp)
        .swap(&lp, &of_sibling, BreakwaterError::WrongMint)
        .swap(&lp, &market.lp_of(&mallory.key()), BreakwaterError::WrongTokenOwner)
        .swap(&lp, &quote, ErrorCode::ConstraintDuplicateMutableAccount)
        .swap_at(7, &token_2022::ID, BreakwaterError::WrongTokenProgram)
        .swap_at(7, &nowhere(), ErrorCode::InvalidProgramId)
        .swap_at(8, &token_2022::ID, ErrorCode::InvalidProgramId)
        .read_only(&[&market.market, &quote, &market.quote_vault, &market.lp_mint, &lp])
        .too_few_accounts()
        .too_few_bytes();
    attack.honest_passes();
}

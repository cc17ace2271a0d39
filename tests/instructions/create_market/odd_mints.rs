//! Mints that are odd without any extension: unfinished, of another program, of unusual decimals, freezable.

use super::mints::with_mint;
use crate::scene::Scene;
use anchor_lang::{prelude::ErrorCode, solana_program::instruction::error::InstructionError};
use anchor_spl::{token, token_2022};
use breakwater::error::BreakwaterError;
use breakwater_engine::pool::EXTRA_LP_DECIMALS;
use breakwater_testkit::{MarketSpec, MintSpec, World, assert_fails_with};

/// The same mint of both token programs.
fn of_both_programs(decimals: u8) -> [MintSpec; 2] {
    [
        MintSpec::classic("mint", decimals),
        MintSpec::token_2022("mint", decimals, &[]),
    ]
}

#[test]
fn a_blank_account_is_no_mint() {
    for mint in of_both_programs(6) {
        for spec in with_mint(&mint) {
            let mut world = World::program_test();
            let authority = world.authority().clone();
            let (_, create) = world.prepare_market(&spec);
            let mut account = world.existing_account(&mint.address());
            account.data.fill(0);
            world.set_account(&mint.address(), account);
            let failure =
                world.assert_error_unchanged(&[create], &[&authority], InstructionError::UninitializedAccount);
            assert_eq!(failure.program, Some(breakwater::ID));
        }
    }
}

#[test]
fn a_mint_of_another_program_is_none() {
    for mint in of_both_programs(6) {
        for spec in with_mint(&mint) {
            let mut world = World::program_test();
            let authority = world.authority().clone();
            let (_, create) = world.prepare_market(&spec);
            let mut account = world.existing_account(&mint.address());
            account.owner = breakwater::ID;
            world.set_account(&mint.address(), account);
            world.assert_error_unchanged(&[create], &[&authority], ErrorCode::AccountOwnedByWrongProgram);
        }
    }
}

#[test]
fn any_decimals_make_a_market() {
    for decimals in [0, 18, u8::MAX] {
        for mint in of_both_programs(decimals) {
            for spec in with_mint(&mint) {
                let mut world = World::program_test();
                let keys = world.market(&spec);
                let state = world.market_state(&keys);
                let stored = (state.collateral_decimals, state.quote_decimals);
                assert_eq!(stored, (spec.collateral.decimals, spec.quote.decimals));
                let lp = world.existing_account(&keys.lp_mint);
                // Their number is the mint's 45th byte.
                assert_eq!(lp.data[44], spec.quote.decimals.saturating_add(EXTRA_LP_DECIMALS));
            }
        }
    }
}

#[test]
fn decimals_that_no_price_can_express_lend_nothing() {
    // 255 decimals against 6: one atom is worth less than 2^-64 of the other side's, or more than 2^64.
    for mint in of_both_programs(u8::MAX) {
        for spec in with_mint(&mint) {
            let mut world = World::program_test();
            let market = world.market(&spec);
            assert_fails_with(world.observe_price(&market), BreakwaterError::PriceOutOfRange);
        }
    }
}

#[test]
fn a_freeze_authority_is_allowed() {
    for mint in of_both_programs(6) {
        for mut spec in with_mint(&mint.freezable()) {
            spec.collateral.decimals = 9;
            Scene::on(World::program_test(), &spec);
        }
    }
}

#[test]
fn a_token_against_itself_is_refused() {
    for mint in of_both_programs(9) {
        let spec = MarketSpec {
            collateral: mint.clone(),
            quote: mint,
            ..MarketSpec::default()
        };
        assert_fails_with(World::program_test().try_market(&spec), BreakwaterError::SameMint);
    }
}

#[test]
fn a_vault_belongs_to_the_program_of_its_mint() {
    // A mint of Token-2022 without extensions has the same bytes as a classic one. The token program that is asked to
    // open the vault refuses, before Breakwater's own check is reached.
    for (mint, wrong_program) in of_both_programs(6).into_iter().zip([token_2022::ID, token::ID]) {
        for (spec, slot) in with_mint(&mint).iter().zip([9, 10]) {
            let mut world = World::program_test();
            let authority = world.authority().clone();
            let (_, mut create) = world.prepare_market(spec);
            create.accounts[slot].pubkey = wrong_program;
            let expected = InstructionError::IncorrectProgramId;
            let failure = world.assert_error_unchanged(&[create], &[&authority], expected);
            assert_eq!(failure.program, Some(wrong_program));
        }
    }
}

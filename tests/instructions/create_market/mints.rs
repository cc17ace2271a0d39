//! Which mints a market may have: default deny, and an allow-list of extensions that only describe.

use anchor_lang::solana_program::instruction::error::InstructionError;
use anchor_spl::{
    token,
    token_2022::{self, spl_token_2022::extension::ExtensionType},
};
use breakwater::error::BreakwaterError;
use breakwater_testkit::{MarketSpec, MintSpec, World, assert_fails_with};

/// Puts the mint into the world with one more extension, as Token-2022 lays it out: type, length, content.
fn append_extension(world: &mut World, spec: &MintSpec, extension: u16, content: &[u8]) {
    let address = world.mint(spec);
    let mut mint = world.existing_account(&address);
    mint.data.extend_from_slice(&extension.to_le_bytes());
    mint.data
        .extend_from_slice(&u16::try_from(content.len()).unwrap().to_le_bytes());
    mint.data.extend_from_slice(content);
    world.set_account(&address, mint);
}

/// A market with the mint on either side.
fn with_mint(mint: &MintSpec) -> [MarketSpec; 2] {
    let as_collateral = MarketSpec {
        collateral: mint.clone(),
        ..MarketSpec::default()
    };
    let as_quote = MarketSpec {
        quote: mint.clone(),
        ..MarketSpec::default()
    };
    [as_collateral, as_quote]
}

#[track_caller]
fn refused(world: &mut World, mint: &MintSpec) {
    println!("mint with {:?}", mint.extensions);
    let authority = world.authority().clone();
    for spec in with_mint(mint) {
        let (_, create) = world.prepare_market(&spec);
        world.assert_error_unchanged(&[create], &[&authority], BreakwaterError::MintExtensionRefused);
    }
}

#[test]
fn extensions_that_change_or_block_transfers_are_refused() {
    let mut world = World::program_test();
    world.market(&MarketSpec::default());
    for extension in [
        ExtensionType::ConfidentialTransferMint,
        ExtensionType::InterestBearingConfig,
        ExtensionType::MintCloseAuthority,
        ExtensionType::NonTransferable,
        ExtensionType::Pausable,
        ExtensionType::PermanentDelegate,
        ExtensionType::ScaledUiAmount,
        ExtensionType::TransferFeeConfig,
        ExtensionType::TransferHook,
    ] {
        let alone = MintSpec::token_2022(&format!("{extension:?}"), 6, &[extension]);
        let hidden = [ExtensionType::MetadataPointer, ExtensionType::GroupPointer, extension];
        let among_others = MintSpec::token_2022(&format!("{extension:?} among others"), 6, &hidden);
        refused(&mut world, &alone);
        refused(&mut world, &among_others);
    }
}

#[test]
fn accounts_that_begin_frozen_are_refused() {
    const FROZEN: u8 = 2;
    let mut world = World::program_test();
    world.market(&MarketSpec::default());
    let mint = MintSpec::token_2022("begins frozen", 6, &[ExtensionType::MetadataPointer]);
    append_extension(&mut world, &mint, ExtensionType::DefaultAccountState.into(), &[FROZEN]);
    refused(&mut world, &mint);
}

#[test]
fn confidential_fees_and_burns_are_refused() {
    let mut world = World::program_test();
    world.market(&MarketSpec::default());
    for extension in [
        ExtensionType::ConfidentialTransferFeeConfig,
        ExtensionType::ConfidentialMintBurn,
    ] {
        let mint = MintSpec::token_2022(&format!("{extension:?}"), 6, &[ExtensionType::MetadataPointer]);
        append_extension(&mut world, &mint, extension.into(), &[0; 8]);
        refused(&mut world, &mint);
    }
}

#[test]
fn extensions_not_yet_invented_are_refused() {
    let mut world = World::program_test();
    let authority = world.authority().clone();
    for extension in [1_000, u16::MAX] {
        let mint = MintSpec::token_2022(&format!("extension {extension}"), 6, &[ExtensionType::MetadataPointer]);
        append_extension(&mut world, &mint, extension, &[]);
        for spec in with_mint(&mint) {
            let (_, create) = world.prepare_market(&spec);
            // Their length is unknown, too, so a vault for them cannot even be opened.
            let expected = InstructionError::InvalidAccountData;
            let failure = world.assert_error_unchanged(&[create], &[&authority], expected);
            assert_eq!(failure.program, Some(breakwater::ID));
        }
    }
}

#[test]
fn metadata_and_groups_are_welcome() {
    let described = MintSpec::token_2022("described", 6, &[ExtensionType::MetadataPointer]);
    // Authority and mint, three strings and a list, all empty; a group; a group's member.
    for (extension, len) in [
        (ExtensionType::TokenMetadata, 32 + 32 + 4 * 4),
        (ExtensionType::TokenGroup, 32 + 32 + 8 + 8),
        (ExtensionType::TokenGroupMember, 32 + 32 + 8),
    ] {
        for spec in with_mint(&described) {
            let mut world = World::program_test();
            append_extension(&mut world, &described, extension.into(), &vec![0; len]);
            world.market(&spec);
        }
    }
}

#[test]
fn classic_mints_need_no_extension_check() {
    for decimals in [0, 9, 18] {
        let mut world = World::program_test();
        let mint = MintSpec::classic("classic", decimals);
        let keys = world.market(&MarketSpec {
            collateral: mint,
            ..MarketSpec::default()
        });
        assert_eq!(world.market_state(&keys).collateral_decimals, decimals);
    }
}

#[test]
fn a_token_against_itself_is_refused() {
    for mint in [MintSpec::classic("SOL", 9), MintSpec::token_2022("SOL", 9, &[])] {
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
    let [classic, plain] = [MintSpec::classic("mint", 6), MintSpec::token_2022("plain", 6, &[])];
    for (mint, wrong_program) in [(classic, token_2022::ID), (plain, token::ID)] {
        for (spec, slot) in with_mint(&mint).iter().zip([8, 9]) {
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

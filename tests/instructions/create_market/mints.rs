//! Which extensions of Token-2022 the mints of a market may have: default deny, and an allow-list of what only
//! describes. The mints are real: Token-2022 itself made them.

use crate::scene::{SOL, Scene, USDC};
use anchor_lang::{prelude::Pubkey, solana_program::instruction::error::InstructionError};
use anchor_spl::token_2022::spl_token_2022::{
    extension::{AccountType, BaseStateWithExtensions, ExtensionType, StateWithExtensions},
    state::Mint,
};
use breakwater::error::BreakwaterError;
use breakwater_testkit::{BackendKind, MarketSpec, MintSpec, World, real_mint};

/// Verdict of a market on an extension.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Verdict {
    /// Token-2022 makes such a mint only with these as well.
    Allowed(&'static [ExtensionType]),
    /// Token-2022 makes such a mint only with these as well.
    Refused(&'static [ExtensionType]),
    /// Extension of token accounts, or of none: no mint has it.
    NotOfMints,
}

/// Every extension that the library knows. A library that knows more does not compile here, until somebody has decided.
#[allow(clippy::match_same_arms, reason = "each has a reason of its own")]
fn verdict(extension: ExtensionType) -> Verdict {
    use ExtensionType as E;
    match extension {
        E::MetadataPointer | E::GroupPointer | E::GroupMemberPointer => Verdict::Allowed(&[]),
        E::TokenMetadata => Verdict::Allowed(&[E::MetadataPointer]),
        E::TokenGroup => Verdict::Allowed(&[E::GroupPointer]),
        E::TokenGroupMember => Verdict::Allowed(&[E::GroupMemberPointer]),
        // Less arrives than was sent.
        E::TransferFeeConfig => Verdict::Refused(&[]),
        // An empty mint can be closed, and opened again with other decimals or extensions.
        E::MintCloseAuthority => Verdict::Refused(&[]),
        // Amounts that the program cannot read.
        E::ConfidentialTransferMint => Verdict::Refused(&[]),
        E::ConfidentialTransferFeeConfig => Verdict::Refused(&[E::TransferFeeConfig, E::ConfidentialTransferMint]),
        E::ConfidentialMintBurn => Verdict::Refused(&[E::ConfidentialTransferMint]),
        // A vault that begins frozen, or accounts of users that do.
        E::DefaultAccountState => Verdict::Refused(&[]),
        // No transfer at all, or none while somebody says so.
        E::NonTransferable | E::Pausable => Verdict::Refused(&[]),
        // Another program decides on each transfer.
        E::TransferHook => Verdict::Refused(&[]),
        // Somebody takes the tokens out of the vault.
        E::PermanentDelegate => Verdict::Refused(&[]),
        // What wallets show is not what the ledger counts, and prices are of what wallets show.
        E::InterestBearingConfig | E::ScaledUiAmount => Verdict::Refused(&[]),
        E::Uninitialized
        | E::TransferFeeAmount
        | E::ConfidentialTransferAccount
        | E::ImmutableOwner
        | E::MemoTransfer
        | E::CpiGuard
        | E::NonTransferableAccount
        | E::TransferHookAccount
        | E::ConfidentialTransferFeeAmount
        | E::PausableAccount => Verdict::NotOfMints,
    }
}

/// Every extension with its verdict.
fn extensions() -> Vec<(ExtensionType, Verdict)> {
    (0..=u16::MAX)
        .filter_map(|number| ExtensionType::try_from(number).ok())
        .map(|extension| (extension, verdict(extension)))
        .collect()
}

/// A market with the mint on either side.
pub(super) fn with_mint(mint: &MintSpec) -> [MarketSpec; 2] {
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

/// A mint that Token-2022 has made with these extensions; freezable, because some ask for it.
fn made(world: &mut World, name: &str, decimals: u8, extensions: &[ExtensionType]) -> MintSpec {
    let spec = MintSpec::token_2022(name, decimals, extensions).freezable();
    let address = world.create_mint(&spec);
    let account = world.existing_account(&address);
    let mint = StateWithExtensions::<Mint>::unpack(&account.data).unwrap();
    assert_eq!(mint.get_extension_types().unwrap(), extensions, "{name}");
    spec
}

/// The log line with which the program names an extension that it refuses.
fn named(mint: &Pubkey, extension: ExtensionType) -> String {
    format!("Program log: Mint {mint} has the extension {extension:?}")
}

#[test]
fn the_list_is_that_of_the_library() {
    let extensions = extensions();
    assert_eq!(extensions.len(), 28);
    for (extension, verdict) in extensions {
        let of_mints = extension.get_account_type() == AccountType::Mint;
        assert_eq!(of_mints, verdict != Verdict::NotOfMints, "{extension:?}");
    }
}

#[test]
fn every_other_extension_is_refused_by_name() {
    for backend in BackendKind::ALL {
        let mut world = World::new(backend);
        world.market(&MarketSpec::default());
        let authority = world.authority().clone();
        for (extension, decided) in extensions() {
            let Verdict::Refused(companions) = decided else {
                continue;
            };
            let alone = [&[extension], companions].concat();
            // Last among some that are welcome.
            let hidden = [
                &[ExtensionType::MetadataPointer, ExtensionType::GroupPointer],
                companions,
                &[extension],
            ]
            .concat();
            for (name, extensions) in [("alone", alone), ("hidden", hidden)] {
                let mint = made(&mut world, &format!("{extension:?} {name}"), 6, &extensions);
                for spec in with_mint(&mint) {
                    let (_, create) = world.prepare_market(&spec);
                    let failure =
                        world.assert_error_unchanged(&[create], &[&authority], BreakwaterError::MintExtensionRefused);
                    for extension in &extensions {
                        let refused = !matches!(verdict(*extension), Verdict::Allowed(_));
                        let line = named(&mint.address(), *extension);
                        assert_eq!(failure.logs.contains(&line), refused, "{line} in {:#?}", failure.logs);
                    }
                }
            }
        }
    }
}

#[test]
fn metadata_and_groups_are_welcome_and_everything_works_with_them() {
    for (extension, verdict) in extensions() {
        let Verdict::Allowed(companions) = verdict else {
            continue;
        };
        let extensions = [companions, &[extension]].concat();
        for backend in BackendKind::ALL {
            let mut world = World::new(backend);
            let spec = MarketSpec {
                collateral: made(&mut world, "described collateral", 9, &extensions),
                quote: made(&mut world, "described quote", 6, &extensions),
                ..MarketSpec::default()
            };
            whole_loop(world, &spec);
        }
    }
}

#[test]
fn an_extension_younger_than_the_library_is_refused() {
    // LiteSVM's Token-2022 makes mints with an extension that the program's library does not know.
    let mut world = World::lite();
    let authority = world.authority().clone();
    let mint = MintSpec::token_2022("permissioned burn", 6, &[]);
    let pointer = MintSpec {
        extensions: vec![ExtensionType::MetadataPointer],
        ..mint.clone()
    };
    let mut instructions = real_mint::instructions(&pointer);
    instructions.insert(0, real_mint::initialize_permissioned_burn(&mint.address()));
    // Type, length and authority, beside the pointer's.
    world.create_mint_with(&mint, real_mint::space(&pointer) + 2 + 2 + 32, &instructions);
    for spec in with_mint(&mint) {
        let (_, create) = world.prepare_market(&spec);
        // Its length is unknown, too, so a vault for it cannot even be opened; there is no name to log.
        let failure = world.assert_error_unchanged(&[create], &[&authority], InstructionError::InvalidAccountData);
        assert_eq!(failure.program, Some(breakwater::ID));
    }
}

/// Supply, deposit, borrow (in the scene), liquidate, sell, repay, and everyone leaves.
fn whole_loop(world: World, spec: &MarketSpec) {
    let mut scene = Scene::on(world, spec);
    scene.price(80);
    let Scene {
        world,
        market,
        lena,
        alice,
        mallory,
        kate,
        position,
    } = &mut scene;
    world.liquidate(kate, position).unwrap();
    let inventory = world.market_state(market).books.backstop.inventory.0;
    assert!(inventory > 0);
    world.advance(3_600);
    world.buy_inventory(market, mallory, SOL, u64::MAX).unwrap();
    world.claim_bounty(market, kate).unwrap();
    world.repay(position, u64::MAX).unwrap();
    let left = world.margin_account(position).collateral.0;
    world.withdraw_collateral(position, left).unwrap();
    world.close(position).unwrap();
    let shares = world.balance(lena, &market.lp_mint);
    world.withdraw(market, lena, shares / 2).unwrap();
    assert_eq!(world.balance(alice, &market.collateral_mint), 100 * SOL + left);
    assert!(world.balance(kate, &market.quote_mint) > 0);
    assert!(world.balance(lena, &market.quote_mint) > 1_900_000 * USDC);
    assert_eq!(world.balance(mallory, &market.collateral_mint), 1_001 * SOL);
}

//! Mints made by their token program's own instructions, and what the authorities over them can do. [`crate::mint`]
//! only writes the layout; what is made here is what the token program itself would call a mint.

use crate::{actor::Actor, keys, mint::MintSpec};
use anchor_lang::{
    prelude::Pubkey,
    solana_program::instruction::{AccountMeta, Instruction},
};
use anchor_spl::{
    token_2022::spl_token_2022::{
        extension::{
            ExtensionType, confidential_mint_burn, confidential_transfer, confidential_transfer_fee,
            default_account_state, group_member_pointer, group_pointer, interest_bearing_mint, metadata_pointer,
            pausable, scaled_ui_amount, transfer_fee, transfer_hook,
        },
        instruction as token_2022,
        state::{AccountState, Mint},
    },
    token_2022_extensions::spl_token_metadata_interface,
};
use bytemuck::Zeroable;
use spl_token_group_interface::instruction as group;

/// Who may mint, name, group and fee: every authority of a mint but the one that freezes.
#[must_use]
pub fn mint_authority() -> Actor {
    Actor::new("mint authority")
}

/// Who may freeze and thaw the accounts of a freezable mint.
#[must_use]
pub fn freeze_authority() -> Actor {
    Actor::new("freeze authority")
}

/// How large the account must be when the mint is initialized. Metadata, group and member make room for themselves.
#[must_use]
#[allow(
    clippy::missing_panics_doc,
    reason = "only extensions of variable length are refused, and they are left out"
)]
pub fn space(spec: &MintSpec) -> usize {
    let fixed: Vec<ExtensionType> = spec
        .extensions
        .iter()
        .copied()
        .filter(|extension| !comes_after(*extension))
        .collect();
    ExtensionType::try_calculate_account_len::<Mint>(&fixed).expect("fixed sizes")
}

/// True if the token program adds the extension to a finished mint, and not to one in the making.
fn comes_after(extension: ExtensionType) -> bool {
    use ExtensionType::{TokenGroup, TokenGroupMember, TokenMetadata};
    matches!(extension, TokenMetadata | TokenGroup | TokenGroupMember)
}

/// The group that a mint with the member extension joins.
pub(crate) fn group_of(spec: &MintSpec) -> Option<MintSpec> {
    spec.extensions.contains(&ExtensionType::TokenGroupMember).then(|| {
        MintSpec::token_2022(
            &format!("group of {}", spec.name),
            0,
            &[ExtensionType::GroupPointer, ExtensionType::TokenGroup],
        )
    })
}

/// The instructions that make `spec` a mint, in order, for a blank account of [`space`] bytes. The mint authority
/// signs.
///
/// # Panics
/// If an extension is none of a mint's.
#[must_use]
pub fn instructions(spec: &MintSpec) -> Vec<Instruction> {
    let (before, after): (Vec<ExtensionType>, Vec<ExtensionType>) =
        spec.extensions.iter().partition(|extension| !comes_after(**extension));
    let authority = mint_authority().key();
    let mint = token_2022::initialize_mint2(
        &spec.token_program,
        &spec.address(),
        &authority,
        spec.freeze_authority.as_ref(),
        spec.decimals,
    );
    let before = before.into_iter().map(|extension| initialize(spec, extension));
    let after = after.into_iter().map(|extension| initialize(spec, extension));
    before.chain([mint.expect("a token program")]).chain(after).collect()
}

/// The instruction that gives a mint one extension, set to do what makes it worth refusing or allowing.
///
/// # Panics
/// If it is none of a mint's.
fn initialize(spec: &MintSpec, extension: ExtensionType) -> Instruction {
    use ExtensionType as E;
    let (program, mint, authority) = (&spec.token_program, &spec.address(), mint_authority().key());
    let instruction = match extension {
        E::TransferFeeConfig => transfer_fee::instruction::initialize_transfer_fee_config(
            program,
            mint,
            Some(&authority),
            Some(&authority),
            100,
            u64::MAX,
        ),
        E::MintCloseAuthority => token_2022::initialize_mint_close_authority(program, mint, Some(&authority)),
        E::ConfidentialTransferMint => {
            confidential_transfer::instruction::initialize_mint(program, mint, Some(authority), true, None)
        }
        E::DefaultAccountState => {
            default_account_state::instruction::initialize_default_account_state(program, mint, &AccountState::Frozen)
        }
        E::NonTransferable => token_2022::initialize_non_transferable_mint(program, mint),
        E::InterestBearingConfig => interest_bearing_mint::instruction::initialize(program, mint, Some(authority), 500),
        E::PermanentDelegate => token_2022::initialize_permanent_delegate(program, mint, &authority),
        E::TransferHook => transfer_hook::instruction::initialize(
            program,
            mint,
            Some(authority),
            Some(keys::address_for("transfer hook")),
        ),
        E::ConfidentialTransferFeeConfig => {
            confidential_transfer_fee::instruction::initialize_confidential_transfer_fee_config(
                program,
                mint,
                Some(authority),
                &Zeroable::zeroed(),
            )
        }
        E::MetadataPointer => metadata_pointer::instruction::initialize(program, mint, Some(authority), Some(*mint)),
        E::GroupPointer => group_pointer::instruction::initialize(program, mint, Some(authority), Some(*mint)),
        E::GroupMemberPointer => {
            group_member_pointer::instruction::initialize(program, mint, Some(authority), Some(*mint))
        }
        E::ConfidentialMintBurn => confidential_mint_burn::instruction::initialize_mint(
            program,
            mint,
            &Zeroable::zeroed(),
            &Zeroable::zeroed(),
        ),
        E::ScaledUiAmount => scaled_ui_amount::instruction::initialize(program, mint, Some(authority), 2.0),
        E::Pausable => pausable::instruction::initialize(program, mint, &authority),
        E::TokenMetadata => Ok(spl_token_metadata_interface::instruction::initialize(
            program,
            mint,
            &authority,
            mint,
            &authority,
            spec.name.clone(),
            spec.name.clone(),
            "https://example.org/token.json".to_owned(),
        )),
        E::TokenGroup => Ok(group::initialize_group(
            program,
            mint,
            mint,
            &authority,
            Some(authority),
            10,
        )),
        E::TokenGroupMember => {
            let group = group_of(spec).expect("the group that it joins").address();
            Ok(group::initialize_member(
                program, mint, mint, &authority, &group, &authority,
            ))
        }
        E::Uninitialized
        | E::TransferFeeAmount
        | E::ConfidentialTransferAccount
        | E::ImmutableOwner
        | E::MemoTransfer
        | E::CpiGuard
        | E::NonTransferableAccount
        | E::TransferHookAccount
        | E::ConfidentialTransferFeeAmount
        | E::PausableAccount => panic!("{extension:?} is no extension of a mint"),
    };
    instruction.unwrap_or_else(|error| panic!("{extension:?}: {error}"))
}

/// Gives a mint in the making the extension that lets an authority forbid burning. It is younger than the library that
/// builds the others' instructions, so its bytes are written here: the extension's number, its first instruction, the
/// authority. Not every Token-2022 knows it.
#[must_use]
pub fn initialize_permissioned_burn(mint: &Pubkey) -> Instruction {
    const EXTENSION: u8 = 46;
    const INITIALIZE: u8 = 0;
    Instruction {
        program_id: anchor_spl::token_2022::ID,
        accounts: vec![AccountMeta::new(*mint, false)],
        data: [&[EXTENSION, INITIALIZE][..], mint_authority().key().as_ref()].concat(),
    }
}

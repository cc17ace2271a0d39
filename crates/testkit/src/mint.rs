//! Mints and token accounts, written directly in the layouts of SPL Token and Token-2022.

use crate::{
    keys,
    program_file::rent_exempt,
    real_mint::{freeze_authority, mint_authority},
};
use anchor_lang::{
    prelude::Pubkey,
    solana_program::{program_option::COption, program_pack::Pack},
};
use anchor_spl::{
    token,
    token_2022::{
        self,
        spl_token_2022::{
            extension::{
                AccountType, BaseStateWithExtensions, BaseStateWithExtensionsMut, ExtensionType,
                PodStateWithExtensions, PodStateWithExtensionsMut, StateWithExtensions, StateWithExtensionsMut,
            },
            pod::PodMint,
            state,
        },
    },
};
use solana_account::Account;

/// The name of [`MintSpec::native`].
const NATIVE: &str = "wrapped SOL";

/// A mint to make.
#[derive(Clone, Debug, PartialEq)]
pub struct MintSpec {
    /// Name of the mint; the same name is the same address.
    pub name: String,
    /// Decimal places of one token.
    pub decimals: u8,
    /// SPL Token or Token-2022.
    pub token_program: Pubkey,
    /// Token-2022 extensions of the mint, all zeros but for the metadata, which hold the name.
    pub extensions: Vec<ExtensionType>,
    /// Who may freeze accounts of the mint.
    pub freeze_authority: Option<Pubkey>,
}

impl MintSpec {
    /// A mint of SPL Token.
    #[must_use]
    pub fn classic(name: &str, decimals: u8) -> Self {
        Self {
            name: name.to_owned(),
            decimals,
            token_program: token::ID,
            extensions: Vec::new(),
            freeze_authority: None,
        }
    }

    /// A mint of Token-2022 with these extensions.
    #[must_use]
    pub fn token_2022(name: &str, decimals: u8, extensions: &[ExtensionType]) -> Self {
        Self {
            token_program: token_2022::ID,
            extensions: extensions.to_vec(),
            ..Self::classic(name, decimals)
        }
    }

    /// The same mint, whose accounts [`freeze_authority`] may freeze.
    #[must_use]
    pub fn freezable(self) -> Self {
        Self {
            freeze_authority: Some(freeze_authority().key()),
            ..self
        }
    }

    /// The mint of wrapped lamports.
    #[must_use]
    pub fn native() -> Self {
        Self::classic(NATIVE, 9)
    }

    /// Where it will be.
    #[must_use]
    pub fn address(&self) -> Pubkey {
        if self.name == NATIVE {
            return token::spl_token::native_mint::ID;
        }
        keys::address_for(&format!("mint {}", self.name))
    }

    /// Its account, before anything is minted.
    ///
    /// # Panics
    /// If one of the extensions is none of a mint's.
    #[must_use]
    pub fn account(&self) -> Account {
        let mut data = vec![0; state::Mint::LEN];
        let mint = state::Mint {
            mint_authority: COption::Some(mint_authority().key()),
            supply: 0,
            decimals: self.decimals,
            is_initialized: true,
            freeze_authority: self.freeze_authority.into(),
        };
        mint.pack_into_slice(&mut data);
        if !self.extensions.is_empty() {
            // Extensions follow where those of a token account do: each a type, a length, and so many bytes.
            data.resize(state::Account::LEN, 0);
            data.push(AccountType::Mint.into());
        }
        for extension in &self.extensions {
            assert_eq!(
                extension.get_account_type(),
                AccountType::Mint,
                "{extension:?} is no extension of a mint"
            );
            let value = self.extension(*extension);
            data.extend(<[u8; 2]>::from(*extension));
            data.extend(u16::try_from(value.len()).expect("a short extension").to_le_bytes());
            data.extend(value);
        }
        owned_by(self.token_program, data)
    }

    fn extension(&self, extension: ExtensionType) -> Vec<u8> {
        if extension == ExtensionType::TokenMetadata {
            // No update authority, the mint, name, symbol, no address of more, no further fields.
            let length = u32::try_from(self.name.len()).expect("a short name").to_le_bytes();
            let text = [length.as_slice(), self.name.as_bytes()].concat();
            return [&[0; 32], self.address().as_ref(), &text, &text, &[0; 8]].concat();
        }
        let with_header = ExtensionType::try_calculate_account_len::<state::Mint>(&[extension]).expect("a fixed size");
        vec![0; with_header - state::Account::LEN - 1 - 4]
    }
}

/// A new token account of the mint whose account is `mint`, with the extensions that the mint asks for and, as
/// those of the associated-token program, an immutable owner where the token program knows that.
///
/// # Panics
/// If `mint` is not a mint.
#[must_use]
pub fn token_account(mint: (&Pubkey, &Account), owner: &Pubkey, amount: u64) -> Account {
    let (mint_address, mint) = mint;
    let mut extensions = Vec::new();
    if mint.owner == token_2022::ID {
        let of_mint = PodStateWithExtensions::<PodMint>::unpack(&mint.data).expect("a mint");
        let types = of_mint.get_extension_types().expect("a mint's extensions");
        extensions = ExtensionType::get_required_init_account_extensions(&types);
        if !extensions.contains(&ExtensionType::ImmutableOwner) {
            extensions.push(ExtensionType::ImmutableOwner);
        }
    }
    let len = ExtensionType::try_calculate_account_len::<state::Account>(&extensions).expect("a length");
    let mut data = vec![0; len];
    let mut account = StateWithExtensionsMut::<state::Account>::unpack_uninitialized(&mut data).expect("space");
    for extension in extensions {
        account
            .init_account_extension_from_type(extension)
            .expect("space for the extension");
    }
    account.base = state::Account {
        mint: *mint_address,
        owner: *owner,
        amount,
        state: state::AccountState::Initialized,
        ..state::Account::default()
    };
    account.pack_base();
    account
        .init_account_type()
        .expect("an account's extensions on an account");
    owned_by(mint.owner, data)
}

fn owned_by(token_program: Pubkey, data: Vec<u8>) -> Account {
    Account {
        lamports: rent_exempt(data.len()),
        data,
        owner: token_program,
        executable: false,
        rent_epoch: u64::MAX,
    }
}

/// Balance of a token account, atoms.
///
/// # Panics
/// If it is not a token account.
#[must_use]
pub fn balance(account: &Account) -> u64 {
    StateWithExtensions::<state::Account>::unpack(&account.data)
        .expect("a token account")
        .base
        .amount
}

/// The mint of a token account, `None` if it is not one.
#[must_use]
pub fn mint_of(account: &Account) -> Option<Pubkey> {
    StateWithExtensions::<state::Account>::unpack(&account.data)
        .ok()
        .map(|account| account.base.mint)
}

/// How many atoms of a mint exist.
///
/// # Panics
/// If it is not a mint.
#[must_use]
pub fn supply(mint: &Account) -> u64 {
    StateWithExtensions::<state::Mint>::unpack(&mint.data)
        .expect("a mint")
        .base
        .supply
}

/// Adds `amount` atoms to a token account and to the supply of its mint.
///
/// # Panics
/// If the sum does not fit, or the accounts are not what they should be.
pub fn mint_to(mint: &mut Account, account: &mut Account, amount: u64) {
    let of_mint = PodStateWithExtensionsMut::<PodMint>::unpack(&mut mint.data).expect("a mint");
    let supply = u64::from(of_mint.base.supply)
        .checked_add(amount)
        .expect("a supply below 2^64");
    of_mint.base.supply = supply.into();
    let mut to = StateWithExtensionsMut::<state::Account>::unpack(&mut account.data).expect("a token account");
    to.base.amount = to.base.amount.checked_add(amount).expect("a balance below the supply");
    to.pack_base();
}

#[cfg(test)]
mod tests {
    use super::*;
    use anchor_spl::token_2022::spl_token_2022::extension::StateWithExtensionsOwned;
    use anchor_spl::token_2022_extensions::spl_token_metadata_interface::state::TokenMetadata;

    const EXTENSIONS: [ExtensionType; 18] = [
        ExtensionType::TransferFeeConfig,
        ExtensionType::MintCloseAuthority,
        ExtensionType::ConfidentialTransferMint,
        ExtensionType::DefaultAccountState,
        ExtensionType::NonTransferable,
        ExtensionType::InterestBearingConfig,
        ExtensionType::PermanentDelegate,
        ExtensionType::TransferHook,
        ExtensionType::ConfidentialTransferFeeConfig,
        ExtensionType::MetadataPointer,
        ExtensionType::TokenMetadata,
        ExtensionType::GroupPointer,
        ExtensionType::TokenGroup,
        ExtensionType::GroupMemberPointer,
        ExtensionType::TokenGroupMember,
        ExtensionType::ConfidentialMintBurn,
        ExtensionType::ScaledUiAmount,
        ExtensionType::Pausable,
    ];

    #[test]
    fn a_classic_mint_and_its_account_have_the_classic_layout() {
        let spec = MintSpec::classic("classic", 9);
        let (mint, owner) = (spec.account(), Pubkey::new_from_array([7; 32]));
        let account = token_account((&spec.address(), &mint), &owner, 5);
        let read = token::spl_token::state::Mint::unpack(&mint.data).unwrap();
        assert_eq!((read.decimals, read.supply, mint.owner), (9, 0, token::ID));
        let read = token::spl_token::state::Account::unpack(&account.data).unwrap();
        assert_eq!((read.mint, read.owner, read.amount), (spec.address(), owner, 5));
        assert_eq!((mint.data.len(), account.data.len()), (82, 165));
    }

    #[test]
    fn token_2022_reads_every_extension_back() {
        for extension in EXTENSIONS {
            let spec = MintSpec::token_2022("extended", 6, &[extension]);
            let mint = StateWithExtensionsOwned::<state::Mint>::unpack(spec.account().data).unwrap();
            assert_eq!(mint.get_extension_types().unwrap(), [extension]);
            assert_eq!(mint.base.decimals, 6);
        }
        let spec = MintSpec::token_2022("all", 6, &EXTENSIONS);
        let mint = StateWithExtensionsOwned::<state::Mint>::unpack(spec.account().data).unwrap();
        assert_eq!(mint.get_extension_types().unwrap(), EXTENSIONS);
        let metadata = mint.get_variable_len_extension::<TokenMetadata>().unwrap();
        assert_eq!(
            (metadata.name.as_str(), metadata.symbol.as_str(), metadata.mint),
            ("all", "all", spec.address())
        );
    }

    #[test]
    fn accounts_have_what_their_mint_asks_for() {
        let spec = MintSpec::token_2022(
            "fee",
            6,
            &[ExtensionType::TransferFeeConfig, ExtensionType::TransferHook],
        );
        let mut mint = spec.account();
        let mut account = token_account((&spec.address(), &mint), &Pubkey::new_from_array([7; 32]), 0);
        mint_to(&mut mint, &mut account, 40);
        mint_to(&mut mint, &mut account, 2);
        assert_eq!(
            (balance(&account), supply(&mint), mint_of(&account)),
            (42, 42, Some(spec.address()))
        );
        let account = StateWithExtensionsOwned::<state::Account>::unpack(account.data).unwrap();
        assert_eq!(
            account.get_extension_types().unwrap(),
            [
                ExtensionType::TransferFeeAmount,
                ExtensionType::TransferHookAccount,
                ExtensionType::ImmutableOwner
            ]
        );
    }
}

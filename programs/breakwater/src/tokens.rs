//! Moving tokens in and out of a market's vaults, and which mints a market may have.

use crate::{error::BreakwaterError, state::MarketSeeds};
use anchor_lang::{prelude::*, system_program};
use anchor_spl::{
    token_2022::spl_token_2022::{
        extension::{BaseStateWithExtensions, ExtensionType, StateWithExtensions},
        state::Mint as MintState,
    },
    token_interface::{self, Mint, TokenAccount, TokenInterface, TransferChecked},
};

/// One token transfer between a user's account and a vault.
pub struct Transfer<'a, 'info> {
    /// Where the tokens come from.
    pub from: &'a InterfaceAccount<'info, TokenAccount>,
    /// Where they go.
    pub to: &'a InterfaceAccount<'info, TokenAccount>,
    /// Their mint.
    pub mint: &'a InterfaceAccount<'info, Mint>,
    /// The mint's token program.
    pub program: &'a Interface<'info, TokenInterface>,
    /// Atoms.
    pub amount: u64,
}

impl<'info> Transfer<'_, 'info> {
    /// Sends tokens to a vault, signed by a user, and checks that exactly that much arrived.
    ///
    /// # Errors
    /// The token program's, and [`BreakwaterError::TransferMismatch`].
    pub fn into_vault(&self, authority: &Signer<'info>) -> Result<()> {
        let expected = self
            .to
            .amount
            .checked_add(self.amount)
            .ok_or(BreakwaterError::Overflow)?;
        let context = CpiContext::new(self.program.key(), self.accounts(authority.to_account_info()));
        token_interface::transfer_checked(context, self.amount, self.mint.decimals)?;
        require!(balance(self.to)? == expected, BreakwaterError::TransferMismatch);
        Ok(())
    }

    /// Sends tokens out of a vault, signed by the market.
    ///
    /// # Errors
    /// The token program's.
    pub fn out_of_vault(&self, market: AccountInfo<'info>, seeds: &MarketSeeds) -> Result<()> {
        let seeds = seeds.as_slices();
        let signers = [&seeds[..]];
        let context = CpiContext::new_with_signer(self.program.key(), self.accounts(market), &signers);
        token_interface::transfer_checked(context, self.amount, self.mint.decimals)
    }

    fn accounts(&self, authority: AccountInfo<'info>) -> TransferChecked<'info> {
        TransferChecked {
            from: self.from.to_account_info(),
            mint: self.mint.to_account_info(),
            to: self.to.to_account_info(),
            authority,
        }
    }
}

/// The balance as it is now, not as it was when the instruction began.
fn balance(account: &InterfaceAccount<TokenAccount>) -> Result<u64> {
    let info = account.to_account_info();
    let data = info.try_borrow_data()?;
    Ok(TokenAccount::try_deserialize_unchecked(&mut &data[..])?.amount)
}

/// The most that rent has ever been, lamports for a byte; from there it was lowered to 5,080, and it may go back.
const DEAREST_BYTE: u64 = 6_960;
/// Bytes that the runtime counts for an account besides its data.
const ACCOUNT_OVERHEAD: u64 = 128;

/// Gives a new vault of wrapped lamports the difference between the rent of today and the dearest: its tokens are its
/// lamports above rent, so when rent rises it would be short by that, and the last of the tokens could not leave. Any
/// other vault is exempt for good once it is.
///
/// It has to be initialized before: what it holds above rent by then counts as tokens. Later lamports count only once
/// anybody syncs it, and then on top of the books: they never count more than the vault holds at either rent.
///
/// # Errors
/// The system program's.
pub fn provide_for_rent<'info>(vault: &InterfaceAccount<'info, TokenAccount>, payer: &Signer<'info>) -> Result<()> {
    if vault.is_native.is_none() {
        return Ok(());
    }
    let info = vault.to_account_info();
    let bytes = info.data_len();
    let counted = u64::try_from(bytes)
        .unwrap_or(u64::MAX)
        .saturating_add(ACCOUNT_OVERHEAD);
    let dearest = counted.saturating_mul(DEAREST_BYTE);
    let missing = dearest.saturating_sub(Rent::get()?.minimum_balance(bytes));
    if missing == 0 {
        return Ok(());
    }
    let accounts = system_program::Transfer {
        from: payer.to_account_info(),
        to: info,
    };
    system_program::transfer(CpiContext::new(system_program::ID, accounts), missing)
}

/// Refuses a mint whose tokens could change in amount, be moved or be blocked behind the program's back. Classic mints
/// pass; of the Token-2022 extensions only descriptive ones do: metadata and groups. Everything else is refused,
/// extensions not yet invented included. The log names every extension that is refused.
///
/// A freeze authority is no extension, and is allowed: without it no large stablecoin could be a quote token. It can
/// freeze only token accounts, so it stops its own market's transfers and nothing else
/// (`tests/instructions/frozen.rs`).
///
/// # Errors
/// [`BreakwaterError::MintExtensionRefused`].
pub fn check_mint(mint: &InterfaceAccount<Mint>) -> Result<()> {
    let info = mint.to_account_info();
    if *info.owner == anchor_spl::token::ID {
        return Ok(());
    }
    let data = info.try_borrow_data()?;
    let state = StateWithExtensions::<MintState>::unpack(&data)?;
    let extensions = state
        .get_extension_types()
        .map_err(|_| BreakwaterError::MintExtensionRefused)?;
    let mut refused = extensions
        .iter()
        .filter(|extension| !is_harmless(**extension))
        .peekable();
    if refused.peek().is_none() {
        return Ok(());
    }
    for extension in refused {
        msg!("Mint {} has the extension {:?}", info.key, extension);
    }
    err!(BreakwaterError::MintExtensionRefused)
}

/// True if an extension only describes the mint.
fn is_harmless(extension: ExtensionType) -> bool {
    matches!(
        extension,
        ExtensionType::MetadataPointer
            | ExtensionType::TokenMetadata
            | ExtensionType::GroupPointer
            | ExtensionType::TokenGroup
            | ExtensionType::GroupMemberPointer
            | ExtensionType::TokenGroupMember
    )
}

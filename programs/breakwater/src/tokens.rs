//! A market's two tokens: which accounts are theirs, moving them in and out of its vaults, and which mints it may have.
//!
//! The accounts are read where they lie, by the layout that both token programs share, and not deserialized: an
//! instruction looks at a tenth of their bytes, and the token program checks all of them once more when tokens move.

use crate::{
    error::BreakwaterError,
    state::{Market, MarketSeeds, is_key},
};
use anchor_lang::{prelude::*, solana_program::program::invoke_signed_unchecked, system_program};
use anchor_spl::{
    token::Token,
    token_2022::spl_token_2022::{
        extension::{BaseStateWithExtensions, ExtensionType, StateWithExtensions},
        instruction::{burn, mint_to, transfer_checked},
        state::Mint as MintState,
    },
    token_interface::{Mint, TokenAccount},
};
use breakwater_engine::Key;

/// The quote token's accounts.
#[derive(Accounts)]
pub struct QuoteToken<'info> {
    /// Mint of the quote token.
    /// CHECK: compared with the market's.
    pub quote_mint: UncheckedAccount<'info>,
    /// The market's quote vault.
    /// CHECK: compared with the market's.
    #[account(mut)]
    pub quote_vault: UncheckedAccount<'info>,
    /// Token program of the quote mint.
    /// CHECK: the owner of the mint.
    pub quote_token_program: UncheckedAccount<'info>,
}

/// The collateral token's accounts.
#[derive(Accounts)]
pub struct CollateralToken<'info> {
    /// Mint of the collateral token.
    /// CHECK: compared with the market's.
    pub collateral_mint: UncheckedAccount<'info>,
    /// The market's collateral vault.
    /// CHECK: compared with the market's.
    #[account(mut)]
    pub collateral_vault: UncheckedAccount<'info>,
    /// Token program of the collateral mint.
    /// CHECK: the owner of the mint.
    pub collateral_token_program: UncheckedAccount<'info>,
}

/// The LP shares' accounts.
#[derive(Accounts)]
pub struct LpToken<'info> {
    /// The market's LP mint.
    /// CHECK: compared with the market's.
    #[account(mut)]
    pub lp_mint: UncheckedAccount<'info>,
    /// The classic token program, for the LP mint.
    pub token_program: Program<'info, Token>,
}

impl<'info> QuoteToken<'info> {
    /// The quote token, if these are the market's accounts of it.
    ///
    /// # Errors
    /// [`BreakwaterError::WrongMint`], [`BreakwaterError::WrongVault`], [`BreakwaterError::WrongTokenProgram`].
    pub fn of(&self, market: &Market) -> Result<MarketToken<'_, 'info>> {
        let token = MarketToken {
            mint: self.quote_mint.as_ref(),
            vault: self.quote_vault.as_ref(),
            program: self.quote_token_program.as_ref(),
            decimals: market.quote_decimals,
        };
        token.check(&market.quote_mint, &market.quote_vault)?;
        Ok(token)
    }
}

impl<'info> CollateralToken<'info> {
    /// The collateral token, if these are the market's accounts of it.
    ///
    /// # Errors
    /// [`BreakwaterError::WrongMint`], [`BreakwaterError::WrongVault`], [`BreakwaterError::WrongTokenProgram`].
    pub fn of(&self, market: &Market) -> Result<MarketToken<'_, 'info>> {
        let token = MarketToken {
            mint: self.collateral_mint.as_ref(),
            vault: self.collateral_vault.as_ref(),
            program: self.collateral_token_program.as_ref(),
            decimals: market.collateral_decimals,
        };
        token.check(&market.collateral_mint, &market.collateral_vault)?;
        Ok(token)
    }
}

/// One of a market's two tokens, with the market's vault for it.
pub struct MarketToken<'a, 'info> {
    mint: &'a AccountInfo<'info>,
    vault: &'a AccountInfo<'info>,
    program: &'a AccountInfo<'info>,
    decimals: u8,
}

impl<'info> MarketToken<'_, 'info> {
    fn check(&self, mint: &Key, vault: &Key) -> Result<()> {
        require!(is_key(self.mint.key, mint), BreakwaterError::WrongMint);
        require!(is_key(self.vault.key, vault), BreakwaterError::WrongVault);
        require!(self.mint.owner == self.program.key, BreakwaterError::WrongTokenProgram);
        Ok(())
    }

    /// Checks that `account` holds this token for `owner`: tokens come from there.
    ///
    /// # Errors
    /// [`BreakwaterError::NotATokenAccount`], [`BreakwaterError::WrongMint`], [`BreakwaterError::WrongTokenOwner`].
    pub fn check_payer(&self, account: &AccountInfo, owner: &Pubkey) -> Result<()> {
        check_token_account(account, self.mint.key, self.program.key, Some(owner))
    }

    /// Checks that `account` holds this token, for whomever, and is not the vault itself: tokens go there.
    ///
    /// # Errors
    /// [`BreakwaterError::NotATokenAccount`], [`BreakwaterError::WrongMint`], [`BreakwaterError::ReceiverIsVault`].
    pub fn check_receiver(&self, account: &AccountInfo) -> Result<()> {
        check_token_account(account, self.mint.key, self.program.key, None)?;
        require!(account.key != self.vault.key, BreakwaterError::ReceiverIsVault);
        Ok(())
    }

    /// Sends `amount` atoms to the vault, signed by a user, and checks that exactly that much arrived.
    ///
    /// # Errors
    /// The token program's, [`BreakwaterError::Overflow`], [`BreakwaterError::TransferMismatch`].
    pub fn into_vault(&self, from: &AccountInfo<'info>, authority: &Signer<'info>, amount: u64) -> Result<()> {
        let expected = balance(self.vault)?
            .checked_add(amount)
            .ok_or(BreakwaterError::Overflow)?;
        self.transfer(from, self.vault, authority.as_ref(), amount, &[])?;
        require!(balance(self.vault)? == expected, BreakwaterError::TransferMismatch);
        Ok(())
    }

    /// Sends `amount` atoms out of the vault, signed by the market.
    ///
    /// # Errors
    /// The token program's.
    pub fn out_of_vault(
        &self,
        to: &AccountInfo<'info>,
        market: &AccountInfo<'info>,
        seeds: &MarketSeeds,
        amount: u64,
    ) -> Result<()> {
        self.transfer(self.vault, to, market, amount, &[&seeds.as_slices()])
    }

    fn transfer(
        &self,
        from: &AccountInfo<'info>,
        to: &AccountInfo<'info>,
        authority: &AccountInfo<'info>,
        amount: u64,
        seeds: &[&[&[u8]]],
    ) -> Result<()> {
        let (mint, decimals) = (self.mint, self.decimals);
        let keys = (from.key, mint.key, to.key, authority.key);
        let call = transfer_checked(self.program.key, keys.0, keys.1, keys.2, keys.3, &[], amount, decimals)?;
        let infos = [from.clone(), mint.clone(), to.clone(), authority.clone()];
        // Unchecked: it would look once more whether any of them is borrowed. No handler moves tokens before it has let
        // go of the market's state.
        Ok(invoke_signed_unchecked(&call, &infos, seeds)?)
    }
}

impl<'info> LpToken<'info> {
    /// Checks that these are the market's, and that `holder` holds LP shares: for `owner`, if they are to be burned.
    ///
    /// # Errors
    /// [`BreakwaterError::WrongMint`], [`BreakwaterError::NotATokenAccount`], [`BreakwaterError::WrongTokenOwner`].
    pub fn check_holder(&self, market: &Market, holder: &AccountInfo, owner: Option<&Pubkey>) -> Result<()> {
        require!(is_key(self.lp_mint.key, &market.lp_mint), BreakwaterError::WrongMint);
        check_token_account(holder, self.lp_mint.key, self.token_program.key, owner)
    }

    /// Mints shares, signed by the market.
    ///
    /// # Errors
    /// The token program's.
    pub fn mint(
        &self,
        to: &AccountInfo<'info>,
        market: &AccountInfo<'info>,
        seeds: &MarketSeeds,
        shares: u64,
    ) -> Result<()> {
        let mint: &AccountInfo = self.lp_mint.as_ref();
        let call = mint_to(self.token_program.key, mint.key, to.key, market.key, &[], shares)?;
        let infos = [mint.clone(), to.clone(), market.clone()];
        Ok(invoke_signed_unchecked(&call, &infos, &[&seeds.as_slices()])?)
    }

    /// Burns shares, signed by their owner.
    ///
    /// # Errors
    /// The token program's.
    pub fn burn(&self, from: &AccountInfo<'info>, owner: &Signer<'info>, shares: u64) -> Result<()> {
        let mint: &AccountInfo = self.lp_mint.as_ref();
        let call = burn(self.token_program.key, from.key, mint.key, owner.key, &[], shares)?;
        let infos = [from.clone(), mint.clone(), owner.to_account_info()];
        Ok(invoke_signed_unchecked(&call, &infos, &[])?)
    }
}

// Layout of a token account, of both token programs.
const MINT: core::ops::Range<usize> = 0..32;
const OWNER: core::ops::Range<usize> = 32..64;
const AMOUNT: core::ops::Range<usize> = 64..72;

/// Checks what a token account holds, and whose it is. That it is one at all, and of use, the token program says.
fn check_token_account(account: &AccountInfo, mint: &Pubkey, program: &Pubkey, owner: Option<&Pubkey>) -> Result<()> {
    require!(account.owner == program, BreakwaterError::NotATokenAccount);
    let data = account.try_borrow_data()?;
    require!(data.get(AMOUNT).is_some(), BreakwaterError::NotATokenAccount);
    require!(data.get(MINT) == Some(mint.as_ref()), BreakwaterError::WrongMint);
    if let Some(owner) = owner {
        require!(
            data.get(OWNER) == Some(owner.as_ref()),
            BreakwaterError::WrongTokenOwner
        );
    }
    Ok(())
}

/// Atoms in a token account now.
///
/// # Errors
/// [`BreakwaterError::NotATokenAccount`].
pub fn balance(account: &AccountInfo) -> Result<u64> {
    let data = account.try_borrow_data()?;
    let amount = data.get(AMOUNT).and_then(|bytes| <[u8; 8]>::try_from(bytes).ok());
    Ok(u64::from_le_bytes(amount.ok_or(BreakwaterError::NotATokenAccount)?))
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

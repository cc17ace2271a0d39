//! Checks of accounts, each with the error that Anchor has for it.

use crate::error::ReceiverError;
use anchor_lang::{
    prelude::*,
    solana_program::{program::invoke, system_instruction},
    system_program,
};

/// The first `N` accounts.
pub fn accounts<'a, 'info, const N: usize>(all: &'a [AccountInfo<'info>]) -> Result<&'a [AccountInfo<'info>; N]> {
    all.first_chunk().ok_or(ErrorCode::AccountNotEnoughKeys.into())
}

/// The account signs.
pub fn signer(account: &AccountInfo) -> Result<()> {
    require!(account.is_signer, ErrorCode::AccountNotSigner);
    Ok(())
}

/// The account may be written to.
pub fn writable(account: &AccountInfo) -> Result<()> {
    require!(account.is_writable, ErrorCode::ConstraintMut);
    Ok(())
}

/// The account is the system program.
pub fn system(account: &AccountInfo) -> Result<()> {
    require_keys_eq!(*account.key, system_program::ID, ErrorCode::InvalidProgramId);
    Ok(())
}

/// The account is of this program and of this kind, as one that Anchor decodes.
pub fn of_kind(account: &AccountInfo, program: &Pubkey, discriminator: [u8; 8]) -> Result<()> {
    let nothing = *account.owner == system_program::ID && account.lamports() == 0;
    require!(!nothing, ErrorCode::AccountNotInitialized);
    require_keys_eq!(*account.owner, *program, ErrorCode::AccountOwnedByWrongProgram);
    match account.try_borrow_data()?.first_chunk::<8>() {
        None => err!(ErrorCode::AccountDiscriminatorNotFound),
        Some(found) if *found != discriminator => err!(ErrorCode::AccountDiscriminatorMismatch),
        Some(_) => Ok(()),
    }
}

/// The account's address is derived from these seeds. Returns the bump.
pub fn derived(account: &AccountInfo, seeds: &[&[u8]], program: &Pubkey) -> Result<u8> {
    let (address, bump) = Pubkey::find_program_address(seeds, program);
    require_keys_eq!(*account.key, address, ErrorCode::ConstraintSeeds);
    Ok(bump)
}

/// Makes an account of `bytes` bytes, as Anchor's `init_if_needed` does: lamports that it has stay there.
pub fn create<'info>(
    account: &AccountInfo<'info>,
    payer: &AccountInfo<'info>,
    bytes: usize,
    owner: &Pubkey,
) -> Result<()> {
    let rent = Rent::get()?.minimum_balance(bytes);
    let both = [payer.clone(), account.clone()];
    if account.lamports() == 0 {
        let create = system_instruction::create_account(payer.key, account.key, rent, bytes as u64, owner);
        invoke(&create, &both)?;
        return Ok(());
    }
    let missing = rent.saturating_sub(account.lamports());
    if missing > 0 {
        invoke(&system_instruction::transfer(payer.key, account.key, missing), &both)?;
    }
    invoke(&system_instruction::allocate(account.key, bytes as u64), &both)?;
    invoke(&system_instruction::assign(account.key, owner), &both)?;
    Ok(())
}

/// Pays the receiver's fee into a treasury; the first time what keeps that account alive.
pub fn pay<'info>(payer: &AccountInfo<'info>, treasury: &AccountInfo<'info>, fee: u64) -> Result<()> {
    let rent = Rent::get()?;
    let fee = if treasury.lamports() == 0 && fee > 0 {
        fee.max(rent.minimum_balance(0))
    } else {
        fee
    };
    let needed = rent.minimum_balance(payer.data_len()).saturating_add(fee);
    require!(payer.lamports() >= needed, ReceiverError::InsufficientFunds);
    if fee > 0 {
        let transfer = system_instruction::transfer(payer.key, treasury.key, fee);
        invoke(&transfer, &[payer.clone(), treasury.clone()])?;
    }
    Ok(())
}

/// Closes an account; its lamports go to `to`.
pub fn close(account: &AccountInfo, to: &AccountInfo) -> Result<()> {
    let all = to.lamports().saturating_add(account.lamports());
    **to.try_borrow_mut_lamports()? = all;
    **account.try_borrow_mut_lamports()? = 0;
    account.assign(&system_program::ID);
    account.resize(0)?;
    Ok(())
}

//! Actions of the receiver programs on accounts of theirs within a transaction: the one that Breakwater could notice is
//! that they close them.

use anchor_lang::{
    prelude::{AccountInfo, Pubkey},
    solana_program::{
        entrypoint::ProgramResult,
        instruction::{AccountMeta, Instruction},
        program_error::ProgramError,
    },
    system_program,
};

/// Closes an update account for `to`, as the receivers' `reclaim_rent` does. Nobody needs to sign it, unlike there. On
/// `solana-program-test` only.
#[must_use]
pub fn close_update(receiver: &Pubkey, update: &Pubkey, to: &Pubkey) -> Instruction {
    let accounts = vec![AccountMeta::new(*update, false), AccountMeta::new(*to, false)];
    Instruction::new_with_bytes(*receiver, &[], accounts)
}

/// The receiver program, as far as it goes.
pub(crate) fn process(_program: &Pubkey, accounts: &[AccountInfo], _data: &[u8]) -> ProgramResult {
    let [update, to] = accounts else {
        return Err(ProgramError::NotEnoughAccountKeys);
    };
    let mut from = update.try_borrow_mut_lamports()?;
    let mut to = to.try_borrow_mut_lamports()?;
    **to = to.checked_add(**from).ok_or(ProgramError::ArithmeticOverflow)?;
    **from = 0;
    update.assign(&system_program::ID);
    update.resize(0)
}

use crate::{
    error::{BreakwaterError, OrBreakwaterError},
    events::AccountClosed,
    state::{MarginAccount, key},
};
use anchor_lang::prelude::*;

/// Accounts of `close_account`.
#[derive(Accounts)]
pub struct CloseAccount<'info> {
    /// Closed here.
    #[account(mut, close = owner, constraint = margin_account.load()?.owner == key(owner.key) @ BreakwaterError::WrongOwner)]
    pub margin_account: AccountLoader<'info, MarginAccount>,
    /// Its owner; gets the rent.
    #[account(mut)]
    pub owner: Signer<'info>,
}

/// Closes an empty margin account.
pub fn close_account(ctx: Context<CloseAccount>) -> Result<()> {
    let accounts = &ctx.accounts;
    breakwater_engine::Market::check_closable(&*accounts.margin_account.load()?).or_program_error()?;
    emit!(AccountClosed {
        margin_account: accounts.margin_account.key(),
        owner: accounts.owner.key()
    });
    Ok(())
}

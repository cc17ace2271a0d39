use crate::{
    error::{BreakwaterError, OrBreakwaterError},
    events::TakeOutCancelled,
    state::{Market, Protocol},
};
use anchor_lang::prelude::*;

/// Accounts of `cancel_take_out`.
#[derive(Accounts)]
pub struct CancelTakeOut<'info> {
    /// Names who may.
    #[account(
        seeds = [b"protocol"], bump = protocol.bump,
        constraint = protocol.is_guarded_by(signer.key) @ BreakwaterError::WrongGuardian,
    )]
    pub protocol: Account<'info, Protocol>,
    /// The guardian of the brakes, or the authority.
    pub signer: Signer<'info>,
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
}

/// Takes the announcement of a taking out back.
pub fn cancel_take_out(ctx: Context<CancelTakeOut>) -> Result<()> {
    let accounts = &ctx.accounts;
    let cancelled = accounts.market.load_mut()?.cancel_take_out().or_program_error()?;
    emit!(TakeOutCancelled {
        market: accounts.market.key(),
        signer: accounts.signer.key(),
        cancelled
    });
    Ok(())
}

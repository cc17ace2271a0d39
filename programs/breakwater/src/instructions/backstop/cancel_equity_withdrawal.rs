use crate::{
    error::{BreakwaterError, OrBreakwaterError},
    events::EquityWithdrawalCanceled,
    state::{Market, Protocol},
};
use anchor_lang::prelude::*;

/// Accounts of `cancel_equity_withdrawal`.
#[derive(Accounts)]
pub struct CancelEquityWithdrawal<'info> {
    /// Names who may.
    #[account(
        seeds = [b"protocol"], bump = protocol.bump,
        constraint = protocol.is_emergency_signer(signer.key) @ BreakwaterError::WrongEmergencyAdmin,
    )]
    pub protocol: Account<'info, Protocol>,
    /// The emergency admin, or the authority.
    pub signer: Signer<'info>,
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
}

/// Takes the announcement of a taking out back.
pub fn cancel_equity_withdrawal(ctx: Context<CancelEquityWithdrawal>) -> Result<()> {
    let accounts = &ctx.accounts;
    let canceled = accounts
        .market
        .load_mut()?
        .cancel_equity_withdrawal()
        .or_program_error()?;
    emit!(EquityWithdrawalCanceled {
        market: accounts.market.key(),
        signer: accounts.signer.key(),
        canceled
    });
    Ok(())
}

use crate::{
    clock,
    error::{BreakwaterError, OrBreakwaterError},
    events::RampCanceled,
    state::{Market, Protocol},
};
use anchor_lang::prelude::*;

/// Accounts of `cancel_ramp`.
#[derive(Accounts)]
pub struct CancelRamp<'info> {
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

/// Takes an announced change of the liquidation LTV back.
pub fn cancel_ramp(ctx: Context<CancelRamp>) -> Result<()> {
    let accounts = &ctx.accounts;
    let ramp = accounts
        .market
        .load_mut()?
        .cancel_ramp(clock::now()?)
        .or_program_error()?;
    emit!(RampCanceled {
        market: accounts.market.key(),
        signer: accounts.signer.key(),
        ramp
    });
    Ok(())
}

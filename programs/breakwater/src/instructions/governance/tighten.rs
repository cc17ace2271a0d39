use crate::{
    clock,
    error::{BreakwaterError, OrBreakwaterError},
    events::Tightened,
    state::{Market, Protocol},
};
use anchor_lang::prelude::*;
use breakwater_engine::ParameterChange;

/// Accounts of `tighten`.
#[derive(Accounts)]
pub struct Tighten<'info> {
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

/// Tightens a market's parameters.
pub fn tighten(ctx: Context<Tighten>, changes: Vec<ParameterChange>) -> Result<()> {
    let accounts = &ctx.accounts;
    accounts
        .market
        .load_mut()?
        .tighten(&changes, clock::now()?)
        .or_program_error()?;
    emit!(Tightened {
        market: accounts.market.key(),
        signer: accounts.signer.key(),
        changes
    });
    Ok(())
}

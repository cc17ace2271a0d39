use crate::{
    clock,
    error::{BreakwaterError, OrBreakwaterError},
    events::EmergencyHalted,
    state::{Market, Protocol},
};
use anchor_lang::prelude::*;

/// Accounts of `emergency_halt`.
#[derive(Accounts)]
pub struct EmergencyHalt<'info> {
    /// Names who may.
    #[account(
        seeds = [b"protocol"], bump = protocol.bump,
        constraint = protocol.is_emergency_signer(signer.key) @ BreakwaterError::WrongEmergencyAdmin,
    )]
    pub protocol: Account<'info, Protocol>,
    /// The emergency admin, or the authority.
    pub signer: Signer<'info>,
    /// The market to halt.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
}

/// Halts a market.
pub fn emergency_halt(ctx: Context<EmergencyHalt>, seconds: u32) -> Result<()> {
    let accounts = &ctx.accounts;
    let mut market = accounts.market.load_mut()?;
    let halt = market.emergency_halt(seconds, clock::now()?).or_program_error()?;
    emit!(EmergencyHalted {
        market: accounts.market.key(),
        signer: accounts.signer.key(),
        halt
    });
    Ok(())
}

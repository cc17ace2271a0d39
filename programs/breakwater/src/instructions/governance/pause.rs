use crate::{
    clock,
    error::{BreakwaterError, OrBreakwaterError},
    events::ActionsPaused,
    state::{Market, Protocol},
};
use anchor_lang::prelude::*;
use breakwater_engine::governance::pause::Kinds;

/// Accounts of `pause`.
#[derive(Accounts)]
pub struct Pause<'info> {
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

/// Pauses kinds of action in a market.
pub fn pause(ctx: Context<Pause>, kinds: u8, seconds: u32) -> Result<()> {
    let accounts = &ctx.accounts;
    let pause = accounts
        .market
        .load_mut()?
        .pause(Kinds(kinds), seconds, clock::now()?)
        .or_program_error()?;
    emit!(ActionsPaused {
        market: accounts.market.key(),
        signer: accounts.signer.key(),
        pause
    });
    Ok(())
}

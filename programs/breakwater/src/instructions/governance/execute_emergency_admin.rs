use crate::{
    clock,
    error::{BreakwaterError, OrBreakwaterError},
    events::EmergencyAdminSet,
    governance::change_hash,
    state::{Protocol, QueuedChange, key},
};
use anchor_lang::prelude::*;
use breakwater_engine::governance::{EMERGENCY_ADMIN, TIMELOCK};

/// Accounts of `execute_emergency_admin`.
#[derive(Accounts)]
pub struct ExecuteEmergencyAdmin<'info> {
    /// Names the authority.
    #[account(
        mut, seeds = [b"protocol"], bump = protocol.bump,
        constraint = protocol.authority == authority.key() @ BreakwaterError::WrongAuthority,
    )]
    pub protocol: Account<'info, Protocol>,
    /// The protocol's authority; gets the rent.
    #[account(mut)]
    pub authority: Signer<'info>,
    /// The entry. Closed here.
    #[account(mut, close = authority, constraint = queued_change.load()?.is_of(key(&protocol.key()), EMERGENCY_ADMIN) @ BreakwaterError::WrongChange)]
    pub queued_change: AccountLoader<'info, QueuedChange>,
}

/// Names the queued emergency admin.
pub fn execute_emergency_admin(ctx: Context<ExecuteEmergencyAdmin>, emergency_admin: Pubkey) -> Result<()> {
    let hash = change_hash(EMERGENCY_ADMIN, &ctx.accounts.protocol.key(), &emergency_admin)?;
    ctx.accounts
        .queued_change
        .load()?
        .check(&hash, TIMELOCK, clock::now()?)
        .or_program_error()?;
    ctx.accounts.protocol.emergency_admin = emergency_admin;
    emit!(EmergencyAdminSet { emergency_admin });
    Ok(())
}

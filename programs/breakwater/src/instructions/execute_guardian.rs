use crate::{
    clock,
    error::{BreakwaterError, OrBreakwaterError},
    events::GuardianSet,
    governance::change_hash,
    state::{Protocol, QueuedChange, key},
};
use anchor_lang::prelude::*;
use breakwater_engine::governance::{GUARDIAN, TIMELOCK};

/// Accounts of `execute_guardian`.
#[derive(Accounts)]
pub struct ExecuteGuardian<'info> {
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
    #[account(mut, close = authority, constraint = queued_change.load()?.is_of(key(&protocol.key()), GUARDIAN) @ BreakwaterError::WrongChange)]
    pub queued_change: AccountLoader<'info, QueuedChange>,
}

/// Names the queued guardian of the brakes.
pub fn execute_guardian(ctx: Context<ExecuteGuardian>, guardian: Pubkey) -> Result<()> {
    let hash = change_hash(GUARDIAN, &ctx.accounts.protocol.key(), &guardian)?;
    ctx.accounts
        .queued_change
        .load()?
        .check(&hash, TIMELOCK, clock::now()?)
        .or_program_error()?;
    ctx.accounts.protocol.guardian = guardian;
    emit!(GuardianSet { guardian });
    Ok(())
}

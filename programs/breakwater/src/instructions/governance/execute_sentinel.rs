use crate::{
    clock,
    error::{BreakwaterError, OrBreakwaterError},
    events::SentinelSet,
    governance::change_hash,
    state::{Protocol, QueuedChange, key},
};
use anchor_lang::prelude::*;
use breakwater_engine::governance::{SENTINEL, TIMELOCK};

/// Accounts of `execute_sentinel`.
#[derive(Accounts)]
pub struct ExecuteSentinel<'info> {
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
    #[account(mut, close = authority, constraint = queued_change.load()?.is_of(key(&protocol.key()), SENTINEL) @ BreakwaterError::WrongChange)]
    pub queued_change: AccountLoader<'info, QueuedChange>,
}

/// Names the queued sentinel.
pub fn execute_sentinel(ctx: Context<ExecuteSentinel>, sentinel: Pubkey) -> Result<()> {
    let hash = change_hash(SENTINEL, &ctx.accounts.protocol.key(), &sentinel)?;
    ctx.accounts
        .queued_change
        .load()?
        .check(&hash, TIMELOCK, clock::now()?)
        .or_program_error()?;
    ctx.accounts.protocol.sentinel = sentinel;
    emit!(SentinelSet { sentinel });
    Ok(())
}

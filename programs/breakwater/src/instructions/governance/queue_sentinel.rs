use crate::{
    error::BreakwaterError,
    events::SentinelQueued,
    governance::queue,
    state::{Protocol, QueuedChange, key},
};
use anchor_lang::prelude::*;
use breakwater_engine::governance::{Entry, SENTINEL, TIMELOCK};

/// Accounts of `queue_sentinel`.
#[derive(Accounts)]
pub struct QueueSentinel<'info> {
    /// Names the authority.
    #[account(seeds = [b"protocol"], bump = protocol.bump, constraint = protocol.authority == authority.key() @ BreakwaterError::WrongAuthority)]
    pub protocol: Account<'info, Protocol>,
    /// The protocol's authority; pays the rent.
    #[account(mut)]
    pub authority: Signer<'info>,
    /// The entry. Created here.
    #[account(
        init, payer = authority, space = QueuedChange::SPACE,
        seeds = [b"queued_change", protocol.key().as_ref(), &[SENTINEL], &0u16.to_le_bytes()], bump,
    )]
    pub queued_change: AccountLoader<'info, QueuedChange>,
    /// The system program.
    pub system_program: Program<'info, System>,
}

/// Queues another sentinel.
pub fn queue_sentinel(ctx: Context<QueueSentinel>, sentinel: Pubkey, expires_slot: u64) -> Result<()> {
    let accounts = &ctx.accounts;
    require!(sentinel != accounts.protocol.sentinel, BreakwaterError::NoChange);
    let protocol = accounts.protocol.key();
    let entry = Entry {
        subject: key(&protocol),
        kind: SENTINEL,
        id: 0,
    };
    let bump = ctx.bumps.queued_change;
    let queued = queue(&accounts.queued_change, entry, &sentinel, bump, expires_slot, TIMELOCK)?;
    emit!(SentinelQueued { sentinel, queued });
    Ok(())
}

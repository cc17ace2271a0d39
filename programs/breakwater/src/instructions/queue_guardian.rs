use crate::{
    error::BreakwaterError,
    events::GuardianQueued,
    governance::queue,
    state::{Protocol, QueuedChange, key},
};
use anchor_lang::prelude::*;
use breakwater_engine::governance::{Entry, GUARDIAN, TIMELOCK};

/// Accounts of `queue_guardian`.
#[derive(Accounts)]
pub struct QueueGuardian<'info> {
    /// Names the authority.
    #[account(seeds = [b"protocol"], bump = protocol.bump, constraint = protocol.authority == authority.key() @ BreakwaterError::WrongAuthority)]
    pub protocol: Account<'info, Protocol>,
    /// The protocol's authority; pays the rent.
    #[account(mut)]
    pub authority: Signer<'info>,
    /// The entry. Created here.
    #[account(
        init, payer = authority, space = QueuedChange::SPACE,
        seeds = [b"queued_change", protocol.key().as_ref(), &[GUARDIAN], &0u16.to_le_bytes()], bump,
    )]
    pub queued_change: AccountLoader<'info, QueuedChange>,
    /// The system program.
    pub system_program: Program<'info, System>,
}

/// Queues another guardian of the brakes.
pub fn queue_guardian(ctx: Context<QueueGuardian>, guardian: Pubkey, expires_slot: u64) -> Result<()> {
    let accounts = &ctx.accounts;
    require!(guardian != accounts.protocol.guardian, BreakwaterError::NoChange);
    let protocol = accounts.protocol.key();
    let entry = Entry {
        subject: key(&protocol),
        kind: GUARDIAN,
        id: 0,
    };
    let bump = ctx.bumps.queued_change;
    let queued = queue(&accounts.queued_change, entry, &guardian, bump, expires_slot, TIMELOCK)?;
    emit!(GuardianQueued { guardian, queued });
    Ok(())
}

use crate::{
    error::BreakwaterError,
    events::EmergencyAdminQueued,
    governance::queue,
    state::{Protocol, QueuedChange, key},
};
use anchor_lang::prelude::*;
use breakwater_engine::governance::{EMERGENCY_ADMIN, Entry, TIMELOCK};

/// Accounts of `queue_emergency_admin`.
#[derive(Accounts)]
pub struct QueueEmergencyAdmin<'info> {
    /// Names the authority.
    #[account(seeds = [b"protocol"], bump = protocol.bump, constraint = protocol.authority == authority.key() @ BreakwaterError::WrongAuthority)]
    pub protocol: Account<'info, Protocol>,
    /// The protocol's authority; pays the rent.
    #[account(mut)]
    pub authority: Signer<'info>,
    /// The entry. Created here.
    #[account(
        init, payer = authority, space = QueuedChange::SPACE,
        seeds = [b"queued_change", protocol.key().as_ref(), &[EMERGENCY_ADMIN], &0u16.to_le_bytes()], bump,
    )]
    pub queued_change: AccountLoader<'info, QueuedChange>,
    /// The system program.
    pub system_program: Program<'info, System>,
}

/// Queues another emergency admin.
pub fn queue_emergency_admin(
    ctx: Context<QueueEmergencyAdmin>,
    emergency_admin: Pubkey,
    expires_slot: u64,
) -> Result<()> {
    let accounts = &ctx.accounts;
    require!(
        emergency_admin != accounts.protocol.emergency_admin,
        BreakwaterError::NoChange
    );
    let protocol = accounts.protocol.key();
    let entry = Entry {
        subject: key(&protocol),
        kind: EMERGENCY_ADMIN,
        id: 0,
    };
    let bump = ctx.bumps.queued_change;
    let queued = queue(
        &accounts.queued_change,
        entry,
        &emergency_admin,
        bump,
        expires_slot,
        TIMELOCK,
    )?;
    emit!(EmergencyAdminQueued {
        emergency_admin,
        queued
    });
    Ok(())
}

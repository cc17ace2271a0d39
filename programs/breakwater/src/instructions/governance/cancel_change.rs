use crate::{
    error::BreakwaterError,
    events::ChangeCanceled,
    state::{Protocol, QueuedChange, address},
};
use anchor_lang::prelude::*;
use breakwater_engine::governance::EMERGENCY_ADMIN;

/// Accounts of `cancel_change`.
#[derive(Accounts)]
pub struct CancelChange<'info> {
    /// Names who may.
    #[account(
        seeds = [b"protocol"], bump = protocol.bump,
        constraint = protocol.is_emergency_signer(signer.key) @ BreakwaterError::WrongEmergencyAdmin,
    )]
    pub protocol: Account<'info, Protocol>,
    /// The authority, or the emergency admin.
    pub signer: Signer<'info>,
    /// The protocol's authority; gets the rent.
    /// CHECK: compared with the protocol's.
    #[account(mut, address = protocol.authority @ BreakwaterError::WrongAuthority)]
    pub authority: UncheckedAccount<'info>,
    /// The entry, of any market or of the protocol. Closed here. An emergency admin cannot keep itself in office.
    #[account(
        mut, close = authority,
        constraint = signer.key() == protocol.authority || queued_change.load()?.kind != EMERGENCY_ADMIN @ BreakwaterError::WrongEmergencyAdmin,
    )]
    pub queued_change: AccountLoader<'info, QueuedChange>,
}

/// Cancels what is queued.
pub fn cancel_change(ctx: Context<CancelChange>) -> Result<()> {
    let accounts = &ctx.accounts;
    let queued = accounts.queued_change.load()?;
    emit!(ChangeCanceled {
        subject: address(queued.subject),
        kind: queued.kind,
        id: queued.id,
        signer: accounts.signer.key(),
    });
    Ok(())
}

use crate::{
    error::BreakwaterError,
    events::ChangeCancelled,
    state::{Protocol, QueuedChange, address},
};
use anchor_lang::prelude::*;
use breakwater_engine::governance::GUARDIAN;

/// Accounts of `cancel_change`.
#[derive(Accounts)]
pub struct CancelChange<'info> {
    /// Names who may.
    #[account(
        seeds = [b"protocol"], bump = protocol.bump,
        constraint = protocol.is_guarded_by(signer.key) @ BreakwaterError::WrongGuardian,
    )]
    pub protocol: Account<'info, Protocol>,
    /// The authority, or the guardian of the brakes.
    pub signer: Signer<'info>,
    /// CHECK: the protocol's authority; gets the rent.
    #[account(mut, address = protocol.authority @ BreakwaterError::WrongAuthority)]
    pub authority: UncheckedAccount<'info>,
    /// The entry, of any market or of the protocol. Closed here. A guardian cannot keep itself in office.
    #[account(
        mut, close = authority,
        constraint = signer.key() == protocol.authority || queued_change.load()?.kind != GUARDIAN @ BreakwaterError::WrongGuardian,
    )]
    pub queued_change: AccountLoader<'info, QueuedChange>,
}

/// Cancels what is queued.
pub fn cancel_change(ctx: Context<CancelChange>) -> Result<()> {
    let accounts = &ctx.accounts;
    let queued = accounts.queued_change.load()?;
    emit!(ChangeCancelled {
        subject: address(queued.subject),
        kind: queued.kind,
        id: queued.id,
        signer: accounts.signer.key(),
    });
    Ok(())
}

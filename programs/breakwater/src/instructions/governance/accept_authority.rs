use crate::{
    clock,
    error::{BreakwaterError, OrBreakwaterError},
    events::AuthorityAccepted,
    state::Protocol,
};
use anchor_lang::prelude::*;
use breakwater_engine::governance;

/// Accounts of `accept_authority`.
#[derive(Accounts)]
pub struct AcceptAuthority<'info> {
    /// Names who was proposed.
    #[account(
        mut, seeds = [b"protocol"], bump = protocol.bump,
        constraint = protocol.pending_authority == proposed.key() @ BreakwaterError::NotProposed,
    )]
    pub protocol: Account<'info, Protocol>,
    /// Becomes the authority.
    pub proposed: Signer<'info>,
}

/// Hands the protocol over.
pub fn accept_authority(ctx: Context<AcceptAuthority>) -> Result<()> {
    let authority = ctx.accounts.proposed.key();
    let protocol = &mut ctx.accounts.protocol;
    governance::check_acceptance(protocol.pending_until_slot, clock::now()?).or_program_error()?;
    protocol.authority = authority;
    protocol.pending_authority = Pubkey::default();
    protocol.pending_until_slot = 0;
    emit!(AuthorityAccepted { authority });
    Ok(())
}

use crate::{
    clock,
    error::{BreakwaterError, OrBreakwaterError},
    events::AuthorityProposed,
    state::Protocol,
};
use anchor_lang::prelude::*;
use breakwater_engine::governance;

/// Accounts of `propose_authority`.
#[derive(Accounts)]
pub struct ProposeAuthority<'info> {
    /// Names the authority.
    #[account(
        mut, seeds = [b"protocol"], bump = protocol.bump,
        constraint = protocol.authority == authority.key() @ BreakwaterError::WrongAuthority,
    )]
    pub protocol: Account<'info, Protocol>,
    /// The protocol's authority.
    pub authority: Signer<'info>,
}

/// Proposes another authority.
pub fn propose_authority(ctx: Context<ProposeAuthority>, proposed: Pubkey, expires_slot: u64) -> Result<()> {
    governance::check_approval(expires_slot, clock::now()?).or_program_error()?;
    let protocol = &mut ctx.accounts.protocol;
    protocol.pending_authority = proposed;
    protocol.pending_until_slot = expires_slot;
    emit!(AuthorityProposed {
        authority: protocol.authority,
        proposed,
        expires_slot
    });
    Ok(())
}

use crate::{error::BreakwaterError, events::GuardianSet, state::Protocol};
use anchor_lang::prelude::*;

/// Accounts of `set_guardian`.
#[derive(Accounts)]
pub struct SetGuardian<'info> {
    /// Names the guardian.
    #[account(
        mut, seeds = [b"protocol"], bump = protocol.bump,
        constraint = protocol.authority == authority.key() @ BreakwaterError::WrongAuthority,
        constraint = protocol.guardian == Pubkey::default() @ BreakwaterError::GuardianByQueue,
    )]
    pub protocol: Account<'info, Protocol>,
    /// The protocol's authority.
    pub authority: Signer<'info>,
}

/// Names the first guardian of the brakes.
pub fn set_guardian(ctx: Context<SetGuardian>, guardian: Pubkey) -> Result<()> {
    ctx.accounts.protocol.guardian = guardian;
    emit!(GuardianSet { guardian });
    Ok(())
}

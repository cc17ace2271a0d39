use crate::{error::BreakwaterError, events::EmergencyAdminSet, state::Protocol};
use anchor_lang::prelude::*;

/// Accounts of `set_emergency_admin`.
#[derive(Accounts)]
pub struct SetEmergencyAdmin<'info> {
    /// Names the emergency admin.
    #[account(
        mut, seeds = [b"protocol"], bump = protocol.bump,
        constraint = protocol.authority == authority.key() @ BreakwaterError::WrongAuthority,
        constraint = protocol.emergency_admin == Pubkey::default() @ BreakwaterError::EmergencyAdminByQueue,
    )]
    pub protocol: Account<'info, Protocol>,
    /// The protocol's authority.
    pub authority: Signer<'info>,
}

/// Names the first emergency admin.
pub fn set_emergency_admin(ctx: Context<SetEmergencyAdmin>, emergency_admin: Pubkey) -> Result<()> {
    ctx.accounts.protocol.emergency_admin = emergency_admin;
    emit!(EmergencyAdminSet { emergency_admin });
    Ok(())
}

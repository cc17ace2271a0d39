use crate::{error::BreakwaterError, events::ProtocolInitialized, program::Breakwater, state::Protocol};
use anchor_lang::prelude::*;

/// Accounts of `initialize`.
#[derive(Accounts)]
pub struct Initialize<'info> {
    /// Created here.
    #[account(init, payer = authority, space = 8 + Protocol::INIT_SPACE, seeds = [b"protocol"], bump)]
    pub protocol: Account<'info, Protocol>,
    /// Becomes the protocol's authority; pays the rent.
    #[account(mut)]
    pub authority: Signer<'info>,
    /// This program.
    #[account(constraint = program.programdata_address()? == Some(program_data.key()) @ BreakwaterError::WrongUpgradeAuthority)]
    pub program: Program<'info, Breakwater>,
    /// Its program data, which names the upgrade authority: nobody else can be first.
    #[account(constraint = program_data.upgrade_authority_address == Some(authority.key()) @ BreakwaterError::WrongUpgradeAuthority)]
    pub program_data: Account<'info, ProgramData>,
    /// The system program.
    pub system_program: Program<'info, System>,
}

/// Creates the protocol account.
pub fn initialize(ctx: Context<Initialize>) -> Result<()> {
    let authority = ctx.accounts.authority.key();
    *ctx.accounts.protocol = Protocol {
        authority,
        emergency_admin: Pubkey::default(),
        sentinel: Pubkey::default(),
        bump: ctx.bumps.protocol,
        pending_authority: Pubkey::default(),
        pending_until_slot: 0,
        reserved: [0; 19],
    };
    emit!(ProtocolInitialized { authority });
    Ok(())
}

use crate::{
    events::GuardianPositionOpened,
    state::{GuardianPosition, Market, key},
};
use anchor_lang::prelude::*;

/// Accounts of `open_guardian_position`.
#[derive(Accounts)]
pub struct OpenGuardianPosition<'info> {
    /// The market.
    pub market: AccountLoader<'info, Market>,
    /// Created here.
    #[account(
        init, payer = guardian, space = GuardianPosition::SPACE,
        seeds = [b"guardian_position", market.key().as_ref(), guardian.key().as_ref()], bump,
    )]
    pub position: AccountLoader<'info, GuardianPosition>,
    /// Whose position it is; pays the rent.
    #[account(mut)]
    pub guardian: Signer<'info>,
    /// The system program.
    pub system_program: Program<'info, System>,
}

/// Opens a guardian's position.
pub fn open_guardian_position(ctx: Context<OpenGuardianPosition>) -> Result<()> {
    let accounts = &ctx.accounts;
    let (market, guardian) = (accounts.market.key(), accounts.guardian.key());
    let position = breakwater_engine::GuardianPosition::new(key(&market), key(&guardian), ctx.bumps.position);
    *accounts.position.load_init()? = GuardianPosition(position);
    emit!(GuardianPositionOpened { market, guardian });
    Ok(())
}

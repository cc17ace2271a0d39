use crate::{
    error::{BreakwaterError, OrBreakwaterError},
    events::GuardianPositionClosed,
    state::{GuardianPosition, Market, key},
};
use anchor_lang::prelude::*;

/// Accounts of `close_guardian_position`.
#[derive(Accounts)]
pub struct CloseGuardianPosition<'info> {
    /// The market.
    pub market: AccountLoader<'info, Market>,
    /// Closed here.
    #[account(
        mut, close = guardian,
        constraint = position.load()?.market == key(&market.key()) @ BreakwaterError::WrongMarket,
        constraint = position.load()?.guardian == key(guardian.key) @ BreakwaterError::WrongGuardianPosition,
    )]
    pub position: AccountLoader<'info, GuardianPosition>,
    /// The guardian; gets the rent.
    #[account(mut)]
    pub guardian: Signer<'info>,
}

/// Closes a guardian's position that holds no shares.
pub fn close_guardian_position(ctx: Context<CloseGuardianPosition>) -> Result<()> {
    let accounts = &ctx.accounts;
    let market = accounts.market.load()?;
    market
        .check_position_closable(&*accounts.position.load()?)
        .or_program_error()?;
    emit!(GuardianPositionClosed {
        market: accounts.market.key(),
        guardian: accounts.guardian.key()
    });
    Ok(())
}

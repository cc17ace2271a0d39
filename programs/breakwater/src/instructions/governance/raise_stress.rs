use crate::{
    clock,
    error::{BreakwaterError, OrBreakwaterError},
    events::StressFallRaised,
    state::{Market, Protocol},
};
use anchor_lang::prelude::*;
use breakwater_engine::Bps;

/// Accounts of `raise_stress`.
#[derive(Accounts)]
pub struct RaiseStress<'info> {
    /// Names the sentinel.
    #[account(seeds = [b"protocol"], bump = protocol.bump, constraint = protocol.sentinel == sentinel.key() @ BreakwaterError::WrongSentinel)]
    pub protocol: Account<'info, Protocol>,
    /// The sentinel.
    pub sentinel: Signer<'info>,
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
}

/// Raises the fall that new risk must leave cover for.
pub fn raise_stress(ctx: Context<RaiseStress>, points: u32) -> Result<()> {
    let accounts = &ctx.accounts;
    let raised = accounts
        .market
        .load_mut()?
        .raise_stress(Bps(points), clock::now()?)
        .or_program_error()?;
    emit!(StressFallRaised {
        market: accounts.market.key(),
        sentinel: accounts.sentinel.key(),
        raised
    });
    Ok(())
}

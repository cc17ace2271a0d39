use crate::{
    error::{BreakwaterError, OrBreakwaterError},
    events::DepthShareChanged,
    state::{DepthBudget, Market, Protocol, address},
};
use anchor_lang::prelude::*;
use breakwater_engine::Bps;

/// Accounts of `lower_depth_share`.
#[derive(Accounts)]
pub struct LowerDepthShare<'info> {
    /// Names who may.
    #[account(
        seeds = [b"protocol"], bump = protocol.bump,
        constraint = protocol.is_emergency_signer(signer.key) @ BreakwaterError::WrongEmergencyAdmin,
    )]
    pub protocol: Account<'info, Protocol>,
    /// The emergency admin, or the authority.
    pub signer: Signer<'info>,
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// The budget that it draws on.
    #[account(mut, address = address(market.load()?.depth.budget) @ BreakwaterError::WrongDepthBudget)]
    pub depth_budget: AccountLoader<'info, DepthBudget>,
}

/// Lowers a market's share of its depth budget.
pub fn lower_depth_share(ctx: Context<LowerDepthShare>, share: u32) -> Result<()> {
    let accounts = &ctx.accounts;
    let allocation = accounts
        .market
        .load_mut()?
        .lower_depth_share(&mut *accounts.depth_budget.load_mut()?, Bps(share))
        .or_program_error()?;
    emit!(DepthShareChanged {
        market: accounts.market.key(),
        allocation
    });
    Ok(())
}

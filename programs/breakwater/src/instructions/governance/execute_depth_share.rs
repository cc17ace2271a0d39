use crate::{
    clock,
    error::{BreakwaterError, OrBreakwaterError},
    events::DepthShareChanged,
    governance::change_hash,
    state::{DepthBudget, Market, Protocol, QueuedChange, address, key},
};
use anchor_lang::prelude::*;
use breakwater_engine::{Bps, DepthAllocation, governance::DEPTH};

/// Accounts of `execute_depth_share`.
#[derive(Accounts)]
pub struct ExecuteDepthShare<'info> {
    /// Names the authority.
    #[account(seeds = [b"protocol"], bump = protocol.bump, constraint = protocol.authority == authority.key() @ BreakwaterError::WrongAuthority)]
    pub protocol: Account<'info, Protocol>,
    /// The protocol's authority; gets the rent.
    #[account(mut)]
    pub authority: Signer<'info>,
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// The budget that it draws on now.
    #[account(mut, address = address(market.load()?.depth.budget) @ BreakwaterError::WrongDepthBudget)]
    pub old_budget: AccountLoader<'info, DepthBudget>,
    /// The budget that it will draw on; may be the same.
    #[account(mut)]
    pub new_budget: AccountLoader<'info, DepthBudget>,
    /// The entry. Closed here.
    #[account(mut, close = authority, constraint = queued_change.load()?.is_of(key(&market.key()), DEPTH) @ BreakwaterError::WrongChange)]
    pub queued_change: AccountLoader<'info, QueuedChange>,
}

/// Gives a market the queued share.
pub fn execute_depth_share(ctx: Context<ExecuteDepthShare>, share: u32) -> Result<()> {
    let accounts = &ctx.accounts;
    let market = accounts.market.key();
    let allocation = DepthAllocation {
        budget: key(&accounts.new_budget.key()),
        share: Bps(share),
    };
    let (before, delay) = {
        let market = accounts.market.load()?;
        (market.depth_allocation(), market.config.change_delay())
    };
    let hash = change_hash(DEPTH, &market, &(before, allocation))?;
    accounts
        .queued_change
        .load()?
        .check(&hash, delay, clock::now()?)
        .or_program_error()?;
    accounts.market.load_mut()?.set_depth_share(allocation);
    // One after the other: they may be one account.
    accounts
        .old_budget
        .load_mut()?
        .release(before.share)
        .or_program_error()?;
    accounts
        .new_budget
        .load_mut()?
        .allocate(allocation.share)
        .or_program_error()?;
    emit!(DepthShareChanged { market, allocation });
    Ok(())
}

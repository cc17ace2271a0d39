use crate::{
    error::{BreakwaterError, OrBreakwaterError},
    events::DepthShareQueued,
    governance::queue,
    state::{DepthBudget, Market, Protocol, QueuedChange, key},
};
use anchor_lang::prelude::*;
use breakwater_engine::{
    Bps, DepthAllocation,
    governance::{DEPTH, Entry},
};

/// Accounts of `queue_depth_share`.
#[derive(Accounts)]
pub struct QueueDepthShare<'info> {
    /// Names the authority.
    #[account(seeds = [b"protocol"], bump = protocol.bump, constraint = protocol.authority == authority.key() @ BreakwaterError::WrongAuthority)]
    pub protocol: Account<'info, Protocol>,
    /// The protocol's authority; pays the rent.
    #[account(mut)]
    pub authority: Signer<'info>,
    /// The market.
    pub market: AccountLoader<'info, Market>,
    /// The budget that it will draw on.
    pub depth_budget: AccountLoader<'info, DepthBudget>,
    /// The entry. Created here.
    #[account(
        init, payer = authority, space = QueuedChange::SPACE,
        seeds = [b"queued_change", market.key().as_ref(), &[DEPTH], &0u16.to_le_bytes()], bump,
    )]
    pub queued_change: AccountLoader<'info, QueuedChange>,
    /// The system program.
    pub system_program: Program<'info, System>,
}

/// Queues another depth budget or share for a market.
pub fn queue_depth_share(ctx: Context<QueueDepthShare>, share: u32, expires_slot: u64) -> Result<()> {
    let accounts = &ctx.accounts;
    let market = accounts.market.key();
    let allocation = DepthAllocation {
        budget: key(&accounts.depth_budget.key()),
        share: Bps(share),
    };
    let (before, delay) = {
        let market = accounts.market.load()?;
        market.check_depth_share(allocation).or_program_error()?;
        (market.depth_allocation(), market.config.change_delay())
    };
    let entry = Entry {
        subject: key(&market),
        kind: DEPTH,
        id: 0,
    };
    let bump = ctx.bumps.queued_change;
    let queued = queue(
        &accounts.queued_change,
        entry,
        &(before, allocation),
        bump,
        expires_slot,
        delay,
    )?;
    emit!(DepthShareQueued {
        market,
        queued,
        allocation
    });
    Ok(())
}

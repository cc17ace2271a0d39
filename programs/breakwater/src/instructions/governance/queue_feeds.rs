use crate::{
    error::{BreakwaterError, OrBreakwaterError},
    events::FeedsQueued,
    feeds::check_pins,
    governance::queue,
    state::{Market, Protocol, QueuedChange, key},
};
use anchor_lang::prelude::*;
use breakwater_engine::{
    Feeds,
    governance::{Entry, FEEDS},
};

/// Accounts of `queue_feeds`.
#[derive(Accounts)]
pub struct QueueFeeds<'info> {
    /// Names the authority.
    #[account(seeds = [b"protocol"], bump = protocol.bump, constraint = protocol.authority == authority.key() @ BreakwaterError::WrongAuthority)]
    pub protocol: Account<'info, Protocol>,
    /// The protocol's authority; pays the rent.
    #[account(mut)]
    pub authority: Signer<'info>,
    /// The market.
    pub market: AccountLoader<'info, Market>,
    /// The entry. Created here.
    #[account(
        init, payer = authority, space = QueuedChange::SPACE,
        seeds = [b"queued_change", market.key().as_ref(), &[FEEDS], &0u16.to_le_bytes()], bump,
    )]
    pub queued_change: AccountLoader<'info, QueuedChange>,
    /// The system program.
    pub system_program: Program<'info, System>,
}

/// Queues other feeds for a market.
pub fn queue_feeds(ctx: Context<QueueFeeds>, feeds: Feeds, dead: bool, expires_slot: u64) -> Result<()> {
    let accounts = &ctx.accounts;
    check_pins(&feeds)?;
    let delay = {
        let market = accounts.market.load()?;
        market.check_feeds(&feeds).or_program_error()?;
        market.config.change_delay()
    };
    let market = accounts.market.key();
    let entry = Entry {
        subject: key(&market),
        kind: FEEDS,
        id: 0,
    };
    let bump = ctx.bumps.queued_change;
    let queued = queue(
        &accounts.queued_change,
        entry,
        &(feeds, dead),
        bump,
        expires_slot,
        delay,
    )?;
    emit!(FeedsQueued {
        market,
        queued,
        feeds,
        dead
    });
    Ok(())
}

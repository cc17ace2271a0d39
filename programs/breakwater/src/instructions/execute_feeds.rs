use crate::{
    clock,
    error::{BreakwaterError, OrBreakwaterError},
    events::FeedsChanged,
    feeds::check_pins,
    governance::change_hash,
    state::{Market, Protocol, QueuedChange, key},
};
use anchor_lang::prelude::*;
use breakwater_engine::{Feeds, governance::FEEDS};

/// Accounts of `execute_feeds`.
#[derive(Accounts)]
pub struct ExecuteFeeds<'info> {
    /// Names the authority.
    #[account(seeds = [b"protocol"], bump = protocol.bump, constraint = protocol.authority == authority.key() @ BreakwaterError::WrongAuthority)]
    pub protocol: Account<'info, Protocol>,
    /// The protocol's authority; gets the rent.
    #[account(mut)]
    pub authority: Signer<'info>,
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// The entry. Closed here.
    #[account(mut, close = authority, constraint = queued_change.load()?.is_of(key(&market.key()), FEEDS) @ BreakwaterError::WrongChange)]
    pub queued_change: AccountLoader<'info, QueuedChange>,
}

/// Pins queued feeds.
pub fn execute_feeds(ctx: Context<ExecuteFeeds>, feeds: Feeds) -> Result<()> {
    let accounts = &ctx.accounts;
    let market = accounts.market.key();
    let hash = change_hash(FEEDS, &market, &feeds)?;
    accounts
        .queued_change
        .load()?
        .check(&hash, clock::now()?)
        .or_program_error()?;
    // Again, for the program may know other receivers by now.
    check_pins(&feeds)?;
    accounts.market.load_mut()?.change_feeds(&feeds).or_program_error()?;
    emit!(FeedsChanged { market, feeds });
    Ok(())
}

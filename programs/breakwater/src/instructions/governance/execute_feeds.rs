use crate::{
    clock,
    error::{BreakwaterError, OrBreakwaterError},
    events::FeedsChanged,
    feeds::*,
    governance::change_hash,
    state::{Market, Protocol, QueuedChange, key},
};
use anchor_lang::prelude::*;
use breakwater_engine::{Feeds as Pins, Readings, governance::FEEDS};

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
    /// The price accounts of the present feeds. Not looked at where they are announced to be dead.
    pub present: Feeds<'info>,
    /// The price accounts of the queued feeds.
    pub next: Feeds<'info>,
}

/// Pins queued feeds.
pub fn execute_feeds(ctx: Context<ExecuteFeeds>, feeds: Pins, dead: bool) -> Result<()> {
    let accounts = &ctx.accounts;
    let address = accounts.market.key();
    let clock = clock::now()?;
    let hash = change_hash(FEEDS, &address, &(feeds, dead))?;
    let mut market = accounts.market.load_mut()?;
    let queued_at = {
        let queued = accounts.queued_change.load()?;
        let delay = market.config.change_delay();
        queued.check(&hash, delay, clock).or_program_error()?;
        queued.queued_at
    };
    // Again, for the program may know other receivers by now.
    check_pins(&feeds)?;
    let next = read_next(&market, &feeds, &accounts.next)?;
    if dead {
        market.replace_dead_feeds(&feeds, queued_at, &next, clock)
    } else {
        let mut present = Readings::NONE;
        accounts.present.read(&market.oracle, &mut present)?;
        market.change_feeds(&feeds, &present, &next, clock)
    }
    .or_program_error()?;
    emit!(FeedsChanged {
        market: address,
        feeds,
        dead
    });
    Ok(())
}

/// Readings of the queued feeds. Not inlined: the oracle that they would make is large for a stack frame.
#[inline(never)]
fn read_next(market: &Market, feeds: &Pins, accounts: &Feeds) -> Result<Readings> {
    let mut readings = Readings::NONE;
    accounts.read(&market.check_feeds(feeds).or_program_error()?, &mut readings)?;
    Ok(readings)
}

use crate::{
    clock,
    error::{BreakwaterError, OrBreakwaterError},
    events::TakeOutAnnounced,
    state::{Market, Protocol},
};
use anchor_lang::prelude::*;
use breakwater_engine::Quote;

/// Accounts of `queue_take_out`.
#[derive(Accounts)]
pub struct QueueTakeOut<'info> {
    /// Names the authority.
    #[account(seeds = [b"protocol"], bump = protocol.bump, constraint = protocol.authority == authority.key() @ BreakwaterError::WrongAuthority)]
    pub protocol: Account<'info, Protocol>,
    /// The protocol's authority.
    pub authority: Signer<'info>,
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
}

/// Announces that equity will be taken out.
pub fn queue_take_out(ctx: Context<QueueTakeOut>, amount: u64, expires_slot: u64) -> Result<()> {
    let accounts = &ctx.accounts;
    let queued = accounts
        .market
        .load_mut()?
        .queue_take_out(Quote(amount), expires_slot, clock::now()?)
        .or_program_error()?;
    emit!(TakeOutAnnounced {
        market: accounts.market.key(),
        queued
    });
    Ok(())
}

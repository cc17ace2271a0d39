use crate::{
    clock,
    error::{BreakwaterError, OrBreakwaterError},
    events::EquityWithdrawalAnnounced,
    state::{Market, Protocol},
};
use anchor_lang::prelude::*;
use breakwater_engine::Quote;

/// Accounts of `queue_equity_withdrawal`.
#[derive(Accounts)]
pub struct QueueEquityWithdrawal<'info> {
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
pub fn queue_equity_withdrawal(ctx: Context<QueueEquityWithdrawal>, amount: u64, expires_slot: u64) -> Result<()> {
    let accounts = &ctx.accounts;
    let queued = accounts
        .market
        .load_mut()?
        .queue_equity_withdrawal(Quote(amount), expires_slot, clock::now()?)
        .or_program_error()?;
    emit!(EquityWithdrawalAnnounced {
        market: accounts.market.key(),
        queued
    });
    Ok(())
}

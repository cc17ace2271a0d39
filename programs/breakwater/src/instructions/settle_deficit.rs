use crate::{clock, error::OrBreakwaterError, events::DeficitSettled, state::Market};
use anchor_lang::prelude::*;

/// Accounts of `settle_deficit`.
#[derive(Accounts)]
pub struct SettleDeficit<'info> {
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
}

/// Writes off what the backstop cannot pay.
pub fn settle_deficit(ctx: Context<SettleDeficit>) -> Result<()> {
    let accounts = &ctx.accounts;
    let settlement = accounts
        .market
        .load_mut()?
        .settle_deficit(clock::now()?)
        .or_program_error()?;
    emit!(DeficitSettled {
        market: accounts.market.key(),
        settlement
    });
    Ok(())
}

use crate::{clock, error::OrBreakwaterError, events::DeficitSettled, feeds::*, state::Market};
use anchor_lang::prelude::*;
use breakwater_engine::Pricing;

/// Accounts of `settle_deficit`.
#[derive(Accounts)]
pub struct SettleDeficit<'info> {
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// The market's price accounts. Needed only while the backstop has inventory.
    pub feeds: Feeds<'info>,
}

/// Writes off what the backstop cannot pay.
pub fn settle_deficit(ctx: Context<SettleDeficit>) -> Result<()> {
    let accounts = &ctx.accounts;
    let (address, clock) = (accounts.market.key(), clock::now()?);
    let settlement = {
        let mut market = accounts.market.load_mut()?;
        let prices = accounts
            .feeds
            .accept_for(&mut market, address, Pricing::Settle, clock)?;
        market.settle_deficit(prices.as_ref(), clock).or_program_error()?
    };
    emit!(DeficitSettled {
        market: address,
        settlement
    });
    Ok(())
}

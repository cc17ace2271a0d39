use crate::{clock, error::OrBreakwaterError, events::PriceObserved, feeds, state::Market};
use anchor_lang::prelude::*;

/// Accounts of `observe_price`.
#[derive(Accounts)]
pub struct ObservePrice<'info> {
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// CHECK: checked against the market's pin when it is read.
    pub collateral_feed: UncheckedAccount<'info>,
    /// CHECK: checked against the market's pin when it is read.
    pub quote_feed: UncheckedAccount<'info>,
}

/// Observes the price.
pub fn observe_price(ctx: Context<ObservePrice>) -> Result<()> {
    let accounts = &ctx.accounts;
    let mut market = accounts.market.load_mut()?;
    let collateral = feeds::read(&market.oracle.collateral_feed, &accounts.collateral_feed)?;
    let quote = feeds::read(&market.oracle.quote_feed, &accounts.quote_feed)?;
    let observation = market
        .observe_price(&collateral, &quote, clock::now()?)
        .or_program_error()?;
    emit!(PriceObserved {
        market: accounts.market.key(),
        observation
    });
    Ok(())
}

use crate::{clock, error::OrBreakwaterError, events::PriceObserved, feeds::*, state::Market};
use anchor_lang::prelude::*;
use breakwater_engine::Readings;

/// Accounts of `observe_price`.
#[derive(Accounts)]
pub struct ObservePrice<'info> {
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// The market's price accounts.
    pub feeds: Feeds<'info>,
}

/// Observes the price.
pub fn observe_price(ctx: Context<ObservePrice>) -> Result<()> {
    let accounts = &ctx.accounts;
    let address = accounts.market.key();
    let mut market = accounts.market.load_mut()?;
    let mut readings = Readings::NONE;
    accounts.feeds.read(&market.oracle, &mut readings)?;
    let (prices, observation) = market.observe_price(&readings, clock::now()?).or_program_error()?;
    tell(address, &prices);
    emit!(PriceObserved {
        market: address,
        observation
    });
    Ok(())
}

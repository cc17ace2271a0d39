use crate::{clock, error::OrBreakwaterError, events::PriceObserved, feeds::*, state::Market};
use anchor_lang::prelude::*;
use breakwater_engine::{Clock, Readings};

/// Accounts of `observe_price`.
#[derive(Accounts)]
pub struct ObservePrice<'info> {
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// The market's price accounts.
    pub feeds: Feeds<'info>,
}

/// Observes the price. Where a feed is too old for one it keeps what it is shown of those that live.
pub fn observe_price(ctx: Context<ObservePrice>) -> Result<()> {
    let accounts = &ctx.accounts;
    let address = accounts.market.as_ref().key;
    let mut market = accounts.market.load_mut()?;
    let mut readings = Readings::NONE;
    accounts.feeds.read(&market.oracle, &mut readings)?;
    observe(address, &mut market, &readings, clock::now()?)
}

/// Shows a market its readings, once everything is proven and read.
///
/// # Errors
/// The engine's.
pub(crate) fn observe(address: &Pubkey, market: &mut Market, readings: &Readings, clock: Clock) -> Result<()> {
    match market.observe_price(readings, clock) {
        Ok((prices, observation)) => {
            tell(*address, &prices);
            emit!(PriceObserved {
                market: *address,
                observation
            });
        }
        Err(refused) => market.keep_living_feeds(readings, refused, clock).or_program_error()?,
    }
    Ok(())
}

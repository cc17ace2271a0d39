use crate::{
    clock,
    error::{BreakwaterError, OrBreakwaterError},
    events::EquityWithdrawn,
    feeds::*,
    state::{Market, MarketSeeds, Protocol},
    tokens::*,
};
use anchor_lang::prelude::*;

/// Accounts of `withdraw_equity`.
#[derive(Accounts)]
pub struct WithdrawEquity<'info> {
    /// Names the authority.
    #[account(seeds = [b"protocol"], bump = protocol.bump, constraint = protocol.authority == authority.key() @ BreakwaterError::WrongAuthority)]
    pub protocol: Account<'info, Protocol>,
    /// The protocol's authority.
    pub authority: Signer<'info>,
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// The quote token.
    pub quote: QuoteToken<'info>,
    /// Where the money goes.
    /// CHECK: `check_receiver` looks at its mint.
    #[account(mut)]
    pub receiver_quote: UncheckedAccount<'info>,
    /// The market's price accounts. Shown only if the stored prices are too old, and there is inventory or debt.
    pub feeds: Feeds<'info>,
}

/// Takes announced equity out of the backstop.
pub fn withdraw_equity(ctx: Context<WithdrawEquity>) -> Result<()> {
    let accounts = &ctx.accounts;
    let (address, clock) = (accounts.market.key(), clock::now()?);
    let (quote, taken, seeds) = {
        let mut market = accounts.market.load_mut()?;
        let quote = accounts.quote.of(&market)?;
        quote.check_receiver(&accounts.receiver_quote)?;
        accounts.feeds.show_for_leaving(&mut market, address, clock)?;
        let taken = market.withdraw_equity(clock).or_program_error()?;
        (quote, taken, MarketSeeds::of(&market))
    };
    quote.out_of_vault(
        &accounts.receiver_quote,
        accounts.market.as_ref(),
        &seeds,
        taken.amount.0,
    )?;
    emit!(EquityWithdrawn { market: address, taken });
    Ok(())
}

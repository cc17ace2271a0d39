use crate::{
    clock,
    error::OrBreakwaterError,
    events::GuardianWithdrawn,
    feeds::*,
    state::{GuardianPosition, Market, MarketSeeds, guardian_position},
    tokens::*,
};
use anchor_lang::prelude::*;
use breakwater_engine::Quote;

/// Accounts of `guardian_withdraw`.
#[derive(Accounts)]
pub struct GuardianWithdraw<'info> {
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// The guardian's shares.
    // Of this market and this guardian: `guardian_position` checks it.
    #[account(mut)]
    pub position: AccountLoader<'info, GuardianPosition>,
    /// The guardian.
    pub guardian: Signer<'info>,
    /// The quote token.
    pub quote: QuoteToken<'info>,
    /// Where the money goes.
    /// CHECK: `check_receiver` looks at its mint.
    #[account(mut)]
    pub guardian_quote: UncheckedAccount<'info>,
    /// The market's price accounts. Shown only if the stored prices are too old, and there is inventory or debt.
    pub feeds: Feeds<'info>,
}

/// Pays a guardian's request as far as it can be.
pub fn guardian_withdraw(ctx: Context<GuardianWithdraw>, amount: u64, min_amount: u64) -> Result<()> {
    let accounts = &ctx.accounts;
    let (address, clock) = (accounts.market.key(), clock::now()?);
    let (token, withdrawal, seeds) = {
        let mut position = guardian_position(&accounts.position, &address, accounts.guardian.key)?;
        let mut market = accounts.market.load_mut()?;
        let token = accounts.quote.of(&market)?;
        token.check_receiver(&accounts.guardian_quote)?;
        accounts.feeds.show_for_leaving(&mut market, address, clock)?;
        let withdrawal = market
            .guardian_withdraw(&mut position, Quote(amount), Quote(min_amount), clock)
            .or_program_error()?;
        (token, withdrawal, MarketSeeds::of(&market))
    };
    token.out_of_vault(
        &accounts.guardian_quote,
        accounts.market.as_ref(),
        &seeds,
        withdrawal.amount.0,
    )?;
    emit!(GuardianWithdrawn {
        market: address,
        guardian: accounts.guardian.key(),
        withdrawal
    });
    Ok(())
}

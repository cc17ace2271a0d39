use crate::{clock, error::OrBreakwaterError, events::BackstopFunded, state::Market, tokens::*};
use anchor_lang::prelude::*;
use breakwater_engine::Quote;

/// Accounts of `fund_backstop`.
#[derive(Accounts)]
pub struct FundBackstop<'info> {
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// Who gives.
    pub funder: Signer<'info>,
    /// The quote token.
    pub quote: QuoteToken<'info>,
    /// The funder's quote tokens.
    /// CHECK: `check_payer` looks at mint and owner.
    #[account(mut)]
    pub funder_quote: UncheckedAccount<'info>,
}

/// Funds the backstop.
pub fn fund_backstop(ctx: Context<FundBackstop>, amount: u64) -> Result<()> {
    let accounts = &ctx.accounts;
    let (token, funding) = {
        let mut market = accounts.market.load_mut()?;
        let token = accounts.quote.of(&market)?;
        token.check_payer(&accounts.funder_quote, accounts.funder.key)?;
        (
            token,
            market.fund_backstop(Quote(amount), clock::now()?).or_program_error()?,
        )
    };
    token.into_vault(&accounts.funder_quote, &accounts.funder, amount)?;
    emit!(BackstopFunded {
        market: accounts.market.key(),
        funder: accounts.funder.key(),
        funding
    });
    Ok(())
}

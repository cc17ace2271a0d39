use crate::{
    clock,
    error::OrBreakwaterError,
    events::Repaid,
    state::{MarginAccount, Market, margin_account},
    tokens::*,
};
use anchor_lang::prelude::*;
use breakwater_engine::Quote;

/// Accounts of `repay`.
#[derive(Accounts)]
pub struct Repay<'info> {
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// The account whose debt is repaid.
    // Of this market: `margin_account` checks it.
    #[account(mut)]
    pub margin_account: AccountLoader<'info, MarginAccount>,
    /// Who pays.
    pub payer: Signer<'info>,
    /// The quote token.
    pub quote: QuoteToken<'info>,
    /// The payer's quote tokens.
    /// CHECK: `check_payer` looks at mint and owner.
    #[account(mut)]
    pub payer_quote: UncheckedAccount<'info>,
}

/// Repays debt of a margin account.
pub fn repay(ctx: Context<Repay>, amount: u64) -> Result<()> {
    let accounts = &ctx.accounts;
    let (token, repayment) = {
        let mut account = margin_account(&accounts.margin_account, accounts.market.as_ref().key)?;
        let mut market = accounts.market.load_mut()?;
        let token = accounts.quote.of(&market)?;
        token.check_payer(&accounts.payer_quote, accounts.payer.key)?;
        let repayment = market
            .repay(&mut account, Quote(amount), clock::now()?)
            .or_program_error()?;
        (token, repayment)
    };
    token.into_vault(&accounts.payer_quote, &accounts.payer, repayment.amount.0)?;
    emit!(Repaid {
        market: accounts.market.key(),
        margin_account: accounts.margin_account.key(),
        payer: accounts.payer.key(),
        repayment,
    });
    Ok(())
}

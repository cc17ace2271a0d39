use crate::{
    clock,
    error::{BreakwaterError, OrBreakwaterError},
    events::Repaid,
    state::{MarginAccount, Market, address, key},
    tokens::Transfer,
};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::{Mint, TokenAccount, TokenInterface};
use breakwater_engine::Quote;

/// Accounts of `repay`.
#[derive(Accounts)]
pub struct Repay<'info> {
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// The account whose debt is repaid.
    #[account(mut, constraint = margin_account.load()?.market == key(&market.key()) @ BreakwaterError::WrongMarket)]
    pub margin_account: AccountLoader<'info, MarginAccount>,
    /// Who pays.
    pub payer: Signer<'info>,
    /// Mint of the quote token.
    #[account(address = address(market.load()?.quote_mint) @ BreakwaterError::WrongMint)]
    pub quote_mint: Box<InterfaceAccount<'info, Mint>>,
    /// The payer's quote tokens.
    #[account(
        mut,
        constraint = payer_quote.mint == quote_mint.key() @ BreakwaterError::WrongMint,
        constraint = payer_quote.owner == payer.key() @ BreakwaterError::WrongTokenOwner,
    )]
    pub payer_quote: Box<InterfaceAccount<'info, TokenAccount>>,
    /// The market's quote vault.
    #[account(mut, address = address(market.load()?.quote_vault) @ BreakwaterError::WrongVault)]
    pub quote_vault: Box<InterfaceAccount<'info, TokenAccount>>,
    /// Token program of the quote mint.
    #[account(constraint = *quote_mint.to_account_info().owner == quote_token_program.key() @ BreakwaterError::WrongTokenProgram)]
    pub quote_token_program: Interface<'info, TokenInterface>,
}

/// Repays debt of a margin account.
pub fn repay(ctx: Context<Repay>, amount: u64) -> Result<()> {
    let accounts = &ctx.accounts;
    let repayment = {
        let mut market = accounts.market.load_mut()?;
        let mut account = accounts.margin_account.load_mut()?;
        market
            .repay(&mut account, Quote(amount), clock::now()?)
            .or_program_error()?
    };
    Transfer {
        from: &accounts.payer_quote,
        to: &accounts.quote_vault,
        mint: &accounts.quote_mint,
        program: &accounts.quote_token_program,
        amount: repayment.amount.0,
    }
    .into_vault(&accounts.payer)?;
    emit!(Repaid {
        market: accounts.market.key(),
        margin_account: accounts.margin_account.key(),
        payer: accounts.payer.key(),
        repayment,
    });
    Ok(())
}

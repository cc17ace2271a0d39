use crate::{
    clock,
    error::{BreakwaterError, OrBreakwaterError},
    events::BackstopFunded,
    state::{Market, address},
    tokens::Transfer,
};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::{Mint, TokenAccount, TokenInterface};
use breakwater_engine::Quote;

/// Accounts of `fund_backstop`.
#[derive(Accounts)]
pub struct FundBackstop<'info> {
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// Who gives.
    pub funder: Signer<'info>,
    /// Mint of the quote token.
    #[account(address = address(market.load()?.quote_mint) @ BreakwaterError::WrongMint)]
    pub quote_mint: Box<InterfaceAccount<'info, Mint>>,
    /// The funder's quote tokens.
    #[account(
        mut,
        constraint = funder_quote.mint == quote_mint.key() @ BreakwaterError::WrongMint,
        constraint = funder_quote.owner == funder.key() @ BreakwaterError::WrongTokenOwner,
    )]
    pub funder_quote: Box<InterfaceAccount<'info, TokenAccount>>,
    /// The market's quote vault.
    #[account(mut, address = address(market.load()?.quote_vault) @ BreakwaterError::WrongVault)]
    pub quote_vault: Box<InterfaceAccount<'info, TokenAccount>>,
    /// Token program of the quote mint.
    #[account(constraint = *quote_mint.to_account_info().owner == quote_token_program.key() @ BreakwaterError::WrongTokenProgram)]
    pub quote_token_program: Interface<'info, TokenInterface>,
}

/// Funds the backstop.
pub fn fund_backstop(ctx: Context<FundBackstop>, amount: u64) -> Result<()> {
    let accounts = &ctx.accounts;
    let funding = accounts
        .market
        .load_mut()?
        .fund_backstop(Quote(amount), clock::now()?)
        .or_program_error()?;
    Transfer {
        from: &accounts.funder_quote,
        to: &accounts.quote_vault,
        mint: &accounts.quote_mint,
        program: &accounts.quote_token_program,
        amount,
    }
    .into_vault(&accounts.funder)?;
    emit!(BackstopFunded {
        market: accounts.market.key(),
        funder: accounts.funder.key(),
        funding
    });
    Ok(())
}

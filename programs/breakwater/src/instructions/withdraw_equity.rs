use crate::{
    clock,
    error::{BreakwaterError, OrBreakwaterError},
    events::EquityWithdrawn,
    feeds::*,
    state::{Market, MarketSeeds, Protocol, address},
    tokens::Transfer,
};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::{Mint, TokenAccount, TokenInterface};

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
    /// Mint of the quote token.
    #[account(address = address(market.load()?.quote_mint) @ BreakwaterError::WrongMint)]
    pub quote_mint: Box<InterfaceAccount<'info, Mint>>,
    /// Where the money goes.
    #[account(mut, constraint = receiver_quote.mint == quote_mint.key() @ BreakwaterError::WrongMint)]
    pub receiver_quote: Box<InterfaceAccount<'info, TokenAccount>>,
    /// The market's quote vault.
    #[account(mut, address = address(market.load()?.quote_vault) @ BreakwaterError::WrongVault)]
    pub quote_vault: Box<InterfaceAccount<'info, TokenAccount>>,
    /// The market's price accounts. Shown only if the stored prices are too old, and there is inventory or debt.
    pub feeds: Feeds<'info>,
    /// Token program of the quote mint.
    #[account(constraint = *quote_mint.to_account_info().owner == quote_token_program.key() @ BreakwaterError::WrongTokenProgram)]
    pub quote_token_program: Interface<'info, TokenInterface>,
}

/// Takes announced equity out of the backstop.
pub fn withdraw_equity(ctx: Context<WithdrawEquity>) -> Result<()> {
    let accounts = &ctx.accounts;
    let clock = clock::now()?;
    let (taken, seeds) = {
        let mut market = accounts.market.load_mut()?;
        accounts
            .feeds
            .show_for_leaving(&mut market, accounts.market.key(), clock)?;
        let taken = market.withdraw_equity(clock).or_program_error()?;
        (taken, MarketSeeds::of(&market))
    };
    Transfer {
        from: &accounts.quote_vault,
        to: &accounts.receiver_quote,
        mint: &accounts.quote_mint,
        program: &accounts.quote_token_program,
        amount: taken.amount.0,
    }
    .out_of_vault(accounts.market.to_account_info(), &seeds)?;
    emit!(EquityWithdrawn {
        market: accounts.market.key(),
        taken
    });
    Ok(())
}

use crate::{
    clock,
    error::{BreakwaterError, OrBreakwaterError},
    events::Withdrawn,
    state::{Market, MarketSeeds, address},
    tokens::Transfer,
};
use anchor_lang::prelude::*;
use anchor_spl::{
    token::{self, Burn, Token},
    token_interface::{Mint, TokenAccount, TokenInterface},
};
use breakwater_engine::{LpShares, Quote};

/// Accounts of `withdraw`.
#[derive(Accounts)]
pub struct Withdraw<'info> {
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// Whose LP shares are burned.
    pub supplier: Signer<'info>,
    /// Mint of the quote token.
    #[account(address = address(market.load()?.quote_mint) @ BreakwaterError::WrongMint)]
    pub quote_mint: Box<InterfaceAccount<'info, Mint>>,
    /// Where the quote tokens go.
    #[account(mut, constraint = supplier_quote.mint == quote_mint.key() @ BreakwaterError::WrongMint)]
    pub supplier_quote: Box<InterfaceAccount<'info, TokenAccount>>,
    /// The market's quote vault.
    #[account(mut, address = address(market.load()?.quote_vault) @ BreakwaterError::WrongVault)]
    pub quote_vault: Box<InterfaceAccount<'info, TokenAccount>>,
    /// The market's LP mint.
    #[account(mut, address = address(market.load()?.lp_mint) @ BreakwaterError::WrongMint)]
    pub lp_mint: Box<InterfaceAccount<'info, Mint>>,
    /// The supplier's LP shares.
    #[account(
        mut,
        constraint = supplier_lp.mint == lp_mint.key() @ BreakwaterError::WrongMint,
        constraint = supplier_lp.owner == supplier.key() @ BreakwaterError::WrongTokenOwner,
    )]
    pub supplier_lp: Box<InterfaceAccount<'info, TokenAccount>>,
    /// Token program of the quote mint.
    #[account(constraint = *quote_mint.to_account_info().owner == quote_token_program.key() @ BreakwaterError::WrongTokenProgram)]
    pub quote_token_program: Interface<'info, TokenInterface>,
    /// The classic token program, for the LP mint.
    pub token_program: Program<'info, Token>,
}

/// Leaves the pool.
pub fn withdraw(ctx: Context<Withdraw>, shares: u64, min_amount: u64) -> Result<()> {
    let accounts = &ctx.accounts;
    let (withdrawal, seeds) = {
        let mut market = accounts.market.load_mut()?;
        let held = LpShares(accounts.supplier_lp.amount);
        let withdrawal = market
            .withdraw(LpShares(shares), held, Quote(min_amount), clock::now()?)
            .or_program_error()?;
        (withdrawal, MarketSeeds::of(&market))
    };
    let burn = Burn {
        mint: accounts.lp_mint.to_account_info(),
        from: accounts.supplier_lp.to_account_info(),
        authority: accounts.supplier.to_account_info(),
    };
    token::burn(CpiContext::new(accounts.token_program.key(), burn), withdrawal.shares.0)?;
    Transfer {
        from: &accounts.quote_vault,
        to: &accounts.supplier_quote,
        mint: &accounts.quote_mint,
        program: &accounts.quote_token_program,
        amount: withdrawal.amount.0,
    }
    .out_of_vault(accounts.market.to_account_info(), &seeds)?;
    emit!(Withdrawn {
        market: accounts.market.key(),
        supplier: accounts.supplier.key(),
        withdrawal
    });
    Ok(())
}

use crate::{
    clock,
    error::{BreakwaterError, OrBreakwaterError},
    events::Supplied,
    state::{Market, MarketSeeds, address},
    tokens::Transfer,
};
use anchor_lang::prelude::*;
use anchor_spl::{
    token::{self, MintTo, Token},
    token_interface::{Mint, TokenAccount, TokenInterface},
};
use breakwater_engine::{LpShares, Quote};

/// Accounts of `supply`.
#[derive(Accounts)]
pub struct Supply<'info> {
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// Who supplies.
    pub supplier: Signer<'info>,
    /// Mint of the quote token.
    #[account(address = address(market.load()?.quote_mint) @ BreakwaterError::WrongMint)]
    pub quote_mint: Box<InterfaceAccount<'info, Mint>>,
    /// The supplier's quote tokens.
    #[account(
        mut,
        constraint = supplier_quote.mint == quote_mint.key() @ BreakwaterError::WrongMint,
        constraint = supplier_quote.owner == supplier.key() @ BreakwaterError::WrongTokenOwner,
    )]
    pub supplier_quote: Box<InterfaceAccount<'info, TokenAccount>>,
    /// The market's quote vault.
    #[account(mut, address = address(market.load()?.quote_vault) @ BreakwaterError::WrongVault)]
    pub quote_vault: Box<InterfaceAccount<'info, TokenAccount>>,
    /// The market's LP mint.
    #[account(mut, address = address(market.load()?.lp_mint) @ BreakwaterError::WrongMint)]
    pub lp_mint: Box<InterfaceAccount<'info, Mint>>,
    /// Where the LP shares go.
    #[account(mut, constraint = supplier_lp.mint == lp_mint.key() @ BreakwaterError::WrongMint)]
    pub supplier_lp: Box<InterfaceAccount<'info, TokenAccount>>,
    /// Token program of the quote mint.
    #[account(constraint = *quote_mint.to_account_info().owner == quote_token_program.key() @ BreakwaterError::WrongTokenProgram)]
    pub quote_token_program: Interface<'info, TokenInterface>,
    /// The classic token program, for the LP mint.
    pub token_program: Program<'info, Token>,
}

/// Supplies to the pool.
pub fn supply(ctx: Context<Supply>, amount: u64, min_shares: u64) -> Result<()> {
    let accounts = &ctx.accounts;
    let (supply, seeds) = {
        let mut market = accounts.market.load_mut()?;
        let supply = market
            .supply(Quote(amount), LpShares(min_shares), clock::now()?)
            .or_program_error()?;
        (supply, MarketSeeds::of(&market))
    };
    Transfer {
        from: &accounts.supplier_quote,
        to: &accounts.quote_vault,
        mint: &accounts.quote_mint,
        program: &accounts.quote_token_program,
        amount: supply.amount.0,
    }
    .into_vault(&accounts.supplier)?;
    let mint_to = MintTo {
        mint: accounts.lp_mint.to_account_info(),
        to: accounts.supplier_lp.to_account_info(),
        authority: accounts.market.to_account_info(),
    };
    let signers = [&seeds.as_slices()[..]];
    let context = CpiContext::new_with_signer(accounts.token_program.key(), mint_to, &signers);
    token::mint_to(context, supply.shares.0)?;
    emit!(Supplied {
        market: accounts.market.key(),
        supplier: accounts.supplier.key(),
        supply
    });
    Ok(())
}

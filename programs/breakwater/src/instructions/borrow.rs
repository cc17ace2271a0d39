use crate::{
    clock,
    error::{BreakwaterError, OrBreakwaterError},
    events::Borrowed,
    feeds::*,
    state::{MarginAccount, Market, MarketSeeds, address, key},
    tokens::Transfer,
};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::{Mint, TokenAccount, TokenInterface};
use breakwater_engine::{Quote, price::oracle::PriceUse};

/// Accounts of `borrow`.
#[derive(Accounts)]
pub struct Borrow<'info> {
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// The account that borrows.
    #[account(
        mut,
        constraint = margin_account.load()?.market == key(&market.key()) @ BreakwaterError::WrongMarket,
        constraint = margin_account.load()?.owner == key(owner.key) @ BreakwaterError::WrongOwner,
    )]
    pub margin_account: AccountLoader<'info, MarginAccount>,
    /// Its owner.
    pub owner: Signer<'info>,
    /// Mint of the quote token.
    #[account(address = address(market.load()?.quote_mint) @ BreakwaterError::WrongMint)]
    pub quote_mint: Box<InterfaceAccount<'info, Mint>>,
    /// Where the loan goes.
    #[account(mut, constraint = owner_quote.mint == quote_mint.key() @ BreakwaterError::WrongMint)]
    pub owner_quote: Box<InterfaceAccount<'info, TokenAccount>>,
    /// The market's quote vault.
    #[account(mut, address = address(market.load()?.quote_vault) @ BreakwaterError::WrongVault)]
    pub quote_vault: Box<InterfaceAccount<'info, TokenAccount>>,
    /// The market's price accounts.
    pub feeds: Feeds<'info>,
    /// Token program of the quote mint.
    #[account(constraint = *quote_mint.to_account_info().owner == quote_token_program.key() @ BreakwaterError::WrongTokenProgram)]
    pub quote_token_program: Interface<'info, TokenInterface>,
}

/// Borrows against a margin account.
pub fn borrow(ctx: Context<Borrow>, amount: u64) -> Result<()> {
    let accounts = &ctx.accounts;
    let clock = clock::now()?;
    let (borrowing, seeds) = {
        let mut market = accounts.market.load_mut()?;
        let mut account = accounts.margin_account.load_mut()?;
        let prices = accounts
            .feeds
            .accept(&mut market, accounts.market.key(), PriceUse::Borrow, clock)?;
        let borrowing = market
            .borrow(&mut account, Quote(amount), &prices, clock)
            .or_program_error()?;
        (borrowing, MarketSeeds::of(&market))
    };
    Transfer {
        from: &accounts.quote_vault,
        to: &accounts.owner_quote,
        mint: &accounts.quote_mint,
        program: &accounts.quote_token_program,
        amount: borrowing.amount.0,
    }
    .out_of_vault(accounts.market.to_account_info(), &seeds)?;
    emit!(Borrowed {
        market: accounts.market.key(),
        margin_account: accounts.margin_account.key(),
        borrowing
    });
    Ok(())
}

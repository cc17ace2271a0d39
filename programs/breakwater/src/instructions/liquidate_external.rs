use crate::{
    clock,
    error::{BreakwaterError, OrBreakwaterError},
    events::ExternallyLiquidated,
    feeds::*,
    state::{MarginAccount, Market, MarketSeeds, address, key},
    tokens::Transfer,
};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::{Mint, TokenAccount, TokenInterface};
use breakwater_engine::{Collateral, Quote, actions::Willing, oracle::Purpose};

/// Accounts of `liquidate_external`.
#[derive(Accounts)]
pub struct LiquidateExternal<'info> {
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// The account to liquidate.
    #[account(mut, constraint = margin_account.load()?.market == key(&market.key()) @ BreakwaterError::WrongMarket)]
    pub margin_account: AccountLoader<'info, MarginAccount>,
    /// Who liquidates, with own capital.
    pub liquidator: Signer<'info>,
    /// Mint of the collateral token.
    #[account(address = address(market.load()?.collateral_mint) @ BreakwaterError::WrongMint)]
    pub collateral_mint: Box<InterfaceAccount<'info, Mint>>,
    /// Mint of the quote token.
    #[account(address = address(market.load()?.quote_mint) @ BreakwaterError::WrongMint)]
    pub quote_mint: Box<InterfaceAccount<'info, Mint>>,
    /// Where the collateral goes.
    #[account(mut, constraint = liquidator_collateral.mint == collateral_mint.key() @ BreakwaterError::WrongMint)]
    pub liquidator_collateral: Box<InterfaceAccount<'info, TokenAccount>>,
    /// The liquidator's quote tokens.
    #[account(
        mut,
        constraint = liquidator_quote.mint == quote_mint.key() @ BreakwaterError::WrongMint,
        constraint = liquidator_quote.owner == liquidator.key() @ BreakwaterError::WrongTokenOwner,
    )]
    pub liquidator_quote: Box<InterfaceAccount<'info, TokenAccount>>,
    /// The market's collateral vault.
    #[account(mut, address = address(market.load()?.collateral_vault) @ BreakwaterError::WrongVault)]
    pub collateral_vault: Box<InterfaceAccount<'info, TokenAccount>>,
    /// The market's quote vault.
    #[account(mut, address = address(market.load()?.quote_vault) @ BreakwaterError::WrongVault)]
    pub quote_vault: Box<InterfaceAccount<'info, TokenAccount>>,
    /// The market's price accounts.
    pub feeds: Feeds<'info>,
    /// Token program of the collateral mint.
    #[account(constraint = *collateral_mint.to_account_info().owner == collateral_token_program.key() @ BreakwaterError::WrongTokenProgram)]
    pub collateral_token_program: Interface<'info, TokenInterface>,
    /// Token program of the quote mint.
    #[account(constraint = *quote_mint.to_account_info().owner == quote_token_program.key() @ BreakwaterError::WrongTokenProgram)]
    pub quote_token_program: Interface<'info, TokenInterface>,
}

/// Liquidates one margin account with the caller's own capital.
pub fn liquidate_external(ctx: Context<LiquidateExternal>, max_repay: u64, min_collateral: u64) -> Result<()> {
    let accounts = &ctx.accounts;
    let clock = clock::now()?;
    let willing = Willing {
        max_repay: Quote(max_repay),
        min_collateral: Collateral(min_collateral),
    };
    let (liquidation, seeds) = {
        let mut market = accounts.market.load_mut()?;
        let mut account = accounts.margin_account.load_mut()?;
        let prices = accounts
            .feeds
            .accept(&mut market, accounts.market.key(), Purpose::Liquidate, clock)?;
        let liquidation = market
            .liquidate_external(&mut account, willing, &prices, clock)
            .or_program_error()?;
        (liquidation, MarketSeeds::of(&market))
    };
    Transfer {
        from: &accounts.liquidator_quote,
        to: &accounts.quote_vault,
        mint: &accounts.quote_mint,
        program: &accounts.quote_token_program,
        amount: liquidation.repaid.0,
    }
    .into_vault(&accounts.liquidator)?;
    Transfer {
        from: &accounts.collateral_vault,
        to: &accounts.liquidator_collateral,
        mint: &accounts.collateral_mint,
        program: &accounts.collateral_token_program,
        amount: liquidation.seized.0,
    }
    .out_of_vault(accounts.market.to_account_info(), &seeds)?;
    emit!(ExternallyLiquidated {
        market: accounts.market.key(),
        margin_account: accounts.margin_account.key(),
        liquidator: accounts.liquidator.key(),
        liquidation
    });
    Ok(())
}

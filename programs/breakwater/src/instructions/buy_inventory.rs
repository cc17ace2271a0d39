use crate::{
    clock,
    error::{BreakwaterError, OrBreakwaterError},
    events::InventorySold,
    feeds::*,
    state::{Market, MarketSeeds, address},
    tokens::Transfer,
};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::{Mint, TokenAccount, TokenInterface};
use breakwater_engine::{self as engine, Clock, Collateral, Prices, Quote, actions::Sale, price::oracle::PriceUse};

/// Accounts of `buy_inventory` and `buy_inventory_for`.
#[derive(Accounts)]
pub struct BuyInventory<'info> {
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// Who buys.
    pub buyer: Signer<'info>,
    /// Mint of the collateral token.
    #[account(address = address(market.load()?.collateral_mint) @ BreakwaterError::WrongMint)]
    pub collateral_mint: Box<InterfaceAccount<'info, Mint>>,
    /// Mint of the quote token.
    #[account(address = address(market.load()?.quote_mint) @ BreakwaterError::WrongMint)]
    pub quote_mint: Box<InterfaceAccount<'info, Mint>>,
    /// Where the collateral goes.
    #[account(mut, constraint = buyer_collateral.mint == collateral_mint.key() @ BreakwaterError::WrongMint)]
    pub buyer_collateral: Box<InterfaceAccount<'info, TokenAccount>>,
    /// The buyer's quote tokens.
    #[account(
        mut,
        constraint = buyer_quote.mint == quote_mint.key() @ BreakwaterError::WrongMint,
        constraint = buyer_quote.owner == buyer.key() @ BreakwaterError::WrongTokenOwner,
    )]
    pub buyer_quote: Box<InterfaceAccount<'info, TokenAccount>>,
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

/// Buys inventory of the backstop.
pub fn buy_inventory(ctx: Context<BuyInventory>, amount: u64, max_cost: u64) -> Result<()> {
    sell(ctx.accounts, |market, prices, clock| {
        market.buy_inventory(Collateral(amount), Quote(max_cost), prices, clock)
    })
}

/// Buys as much inventory as a budget pays for.
pub fn buy_inventory_for(ctx: Context<BuyInventory>, budget: u64, min_amount: u64) -> Result<()> {
    sell(ctx.accounts, |market, prices, clock| {
        market.buy_inventory_for(Quote(budget), Collateral(min_amount), prices, clock)
    })
}

fn sell(
    accounts: &BuyInventory,
    engine: impl FnOnce(&mut engine::Market, &Prices, Clock) -> engine::Result<Sale>,
) -> Result<()> {
    let clock = clock::now()?;
    let (sale, seeds) = {
        let mut market = accounts.market.load_mut()?;
        let prices = accounts
            .feeds
            .accept(&mut market, accounts.market.key(), PriceUse::Sell, clock)?;
        let sale = engine(&mut market, &prices, clock).or_program_error()?;
        (sale, MarketSeeds::of(&market))
    };
    Transfer {
        from: &accounts.buyer_quote,
        to: &accounts.quote_vault,
        mint: &accounts.quote_mint,
        program: &accounts.quote_token_program,
        amount: sale.cost.0,
    }
    .into_vault(&accounts.buyer)?;
    Transfer {
        from: &accounts.collateral_vault,
        to: &accounts.buyer_collateral,
        mint: &accounts.collateral_mint,
        program: &accounts.collateral_token_program,
        amount: sale.amount.0,
    }
    .out_of_vault(accounts.market.to_account_info(), &seeds)?;
    emit!(InventorySold {
        market: accounts.market.key(),
        buyer: accounts.buyer.key(),
        sale
    });
    Ok(())
}

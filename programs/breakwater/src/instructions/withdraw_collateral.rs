use crate::{
    clock,
    error::{BreakwaterError, OrBreakwaterError},
    events::CollateralWithdrawn,
    feeds::*,
    state::{MarginAccount, Market, MarketSeeds, address, key},
    tokens::Transfer,
};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::{Mint, TokenAccount, TokenInterface};
use breakwater_engine::{Collateral, Pricing};

/// Accounts of `withdraw_collateral`.
#[derive(Accounts)]
pub struct WithdrawCollateral<'info> {
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// The account that gives the collateral.
    #[account(
        mut,
        constraint = margin_account.load()?.market == key(&market.key()) @ BreakwaterError::WrongMarket,
        constraint = margin_account.load()?.owner == key(owner.key) @ BreakwaterError::WrongOwner,
    )]
    pub margin_account: AccountLoader<'info, MarginAccount>,
    /// Its owner.
    pub owner: Signer<'info>,
    /// Mint of the collateral token.
    #[account(address = address(market.load()?.collateral_mint) @ BreakwaterError::WrongMint)]
    pub collateral_mint: Box<InterfaceAccount<'info, Mint>>,
    /// Where the collateral goes.
    #[account(mut, constraint = owner_collateral.mint == collateral_mint.key() @ BreakwaterError::WrongMint)]
    pub owner_collateral: Box<InterfaceAccount<'info, TokenAccount>>,
    /// The market's collateral vault.
    #[account(mut, address = address(market.load()?.collateral_vault) @ BreakwaterError::WrongVault)]
    pub collateral_vault: Box<InterfaceAccount<'info, TokenAccount>>,
    /// The market's price accounts. Needed only when the account has debt.
    pub feeds: Feeds<'info>,
    /// Token program of the collateral mint.
    #[account(constraint = *collateral_mint.to_account_info().owner == collateral_token_program.key() @ BreakwaterError::WrongTokenProgram)]
    pub collateral_token_program: Interface<'info, TokenInterface>,
}

/// Takes collateral out of a margin account.
pub fn withdraw_collateral(ctx: Context<WithdrawCollateral>, amount: u64) -> Result<()> {
    let accounts = &ctx.accounts;
    let clock = clock::now()?;
    let (change, seeds) = {
        let mut market = accounts.market.load_mut()?;
        let mut account = accounts.margin_account.load_mut()?;
        let (market_key, action) = (accounts.market.key(), Pricing::Withdraw(&account));
        let prices = accounts.feeds.accept_for(&mut market, market_key, action, clock)?;
        let change = market
            .withdraw_collateral(&mut account, Collateral(amount), prices.as_ref(), clock)
            .or_program_error()?;
        (change, MarketSeeds::of(&market))
    };
    Transfer {
        from: &accounts.collateral_vault,
        to: &accounts.owner_collateral,
        mint: &accounts.collateral_mint,
        program: &accounts.collateral_token_program,
        amount: change.amount.0,
    }
    .out_of_vault(accounts.market.to_account_info(), &seeds)?;
    emit!(CollateralWithdrawn {
        market: accounts.market.key(),
        margin_account: accounts.margin_account.key(),
        change,
    });
    Ok(())
}

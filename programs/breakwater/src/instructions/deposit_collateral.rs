use crate::{
    error::{BreakwaterError, OrBreakwaterError},
    events::CollateralDeposited,
    state::{MarginAccount, Market, address, key},
    tokens::Transfer,
};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::{Mint, TokenAccount, TokenInterface};
use breakwater_engine::Collateral;

/// Accounts of `deposit_collateral`.
#[derive(Accounts)]
pub struct DepositCollateral<'info> {
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// The account that gets the collateral.
    #[account(mut, constraint = margin_account.load()?.market == key(&market.key()) @ BreakwaterError::WrongMarket)]
    pub margin_account: AccountLoader<'info, MarginAccount>,
    /// Who pays.
    pub depositor: Signer<'info>,
    /// Mint of the collateral token.
    #[account(address = address(market.load()?.collateral_mint) @ BreakwaterError::WrongMint)]
    pub collateral_mint: Box<InterfaceAccount<'info, Mint>>,
    /// The depositor's collateral tokens.
    #[account(
        mut,
        constraint = depositor_collateral.mint == collateral_mint.key() @ BreakwaterError::WrongMint,
        constraint = depositor_collateral.owner == depositor.key() @ BreakwaterError::WrongTokenOwner,
    )]
    pub depositor_collateral: Box<InterfaceAccount<'info, TokenAccount>>,
    /// The market's collateral vault.
    #[account(mut, address = address(market.load()?.collateral_vault) @ BreakwaterError::WrongVault)]
    pub collateral_vault: Box<InterfaceAccount<'info, TokenAccount>>,
    /// Token program of the collateral mint.
    #[account(constraint = *collateral_mint.to_account_info().owner == collateral_token_program.key() @ BreakwaterError::WrongTokenProgram)]
    pub collateral_token_program: Interface<'info, TokenInterface>,
}

/// Adds collateral to a margin account.
pub fn deposit_collateral(ctx: Context<DepositCollateral>, amount: u64) -> Result<()> {
    let accounts = &ctx.accounts;
    let change = {
        let mut market = accounts.market.load_mut()?;
        let mut account = accounts.margin_account.load_mut()?;
        market
            .deposit_collateral(&mut account, Collateral(amount))
            .or_program_error()?
    };
    Transfer {
        from: &accounts.depositor_collateral,
        to: &accounts.collateral_vault,
        mint: &accounts.collateral_mint,
        program: &accounts.collateral_token_program,
        amount,
    }
    .into_vault(&accounts.depositor)?;
    emit!(CollateralDeposited {
        market: accounts.market.key(),
        margin_account: accounts.margin_account.key(),
        depositor: accounts.depositor.key(),
        change,
    });
    Ok(())
}

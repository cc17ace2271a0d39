use crate::{
    error::OrBreakwaterError,
    events::CollateralDeposited,
    state::{MarginAccount, Market, margin_account},
    tokens::*,
};
use anchor_lang::prelude::*;
use breakwater_engine::Collateral;

/// Accounts of `deposit_collateral`.
#[derive(Accounts)]
pub struct DepositCollateral<'info> {
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// The account that gets the collateral.
    // Of this market: `margin_account` checks it.
    #[account(mut)]
    pub margin_account: AccountLoader<'info, MarginAccount>,
    /// Who pays.
    pub depositor: Signer<'info>,
    /// The collateral token.
    pub collateral: CollateralToken<'info>,
    /// The depositor's collateral tokens.
    /// CHECK: `check_payer` looks at mint and owner.
    #[account(mut)]
    pub depositor_collateral: UncheckedAccount<'info>,
}

/// Adds collateral to a margin account.
pub fn deposit_collateral(ctx: Context<DepositCollateral>, amount: u64) -> Result<()> {
    let accounts = &ctx.accounts;
    let (token, change) = {
        let mut account = margin_account(&accounts.margin_account, accounts.market.as_ref().key)?;
        let mut market = accounts.market.load_mut()?;
        let token = accounts.collateral.of(&market)?;
        token.check_payer(&accounts.depositor_collateral, accounts.depositor.key)?;
        let change = market
            .deposit_collateral(&mut account, Collateral(amount))
            .or_program_error()?;
        (token, change)
    };
    token.into_vault(&accounts.depositor_collateral, &accounts.depositor, amount)?;
    emit!(CollateralDeposited {
        market: accounts.market.key(),
        margin_account: accounts.margin_account.key(),
        depositor: accounts.depositor.key(),
        change,
    });
    Ok(())
}

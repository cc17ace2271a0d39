use crate::{
    clock,
    error::OrBreakwaterError,
    events::CollateralWithdrawn,
    feeds::*,
    state::{MarginAccount, Market, MarketSeeds, own_margin_account},
    tokens::*,
};
use anchor_lang::prelude::*;
use breakwater_engine::{Collateral, Pricing};

/// Accounts of `withdraw_collateral`.
#[derive(Accounts)]
pub struct WithdrawCollateral<'info> {
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// The account that gives the collateral.
    // Of this market and this owner: `own_margin_account` checks it.
    #[account(mut)]
    pub margin_account: AccountLoader<'info, MarginAccount>,
    /// Its owner.
    pub owner: Signer<'info>,
    /// The collateral token.
    pub collateral: CollateralToken<'info>,
    /// Where the collateral goes.
    /// CHECK: `check_receiver` looks at its mint.
    #[account(mut)]
    pub owner_collateral: UncheckedAccount<'info>,
    /// The market's price accounts. Needed only when the account has debt.
    pub feeds: Feeds<'info>,
}

/// Takes collateral out of a margin account.
pub fn withdraw_collateral(ctx: Context<WithdrawCollateral>, amount: u64) -> Result<()> {
    let accounts = &ctx.accounts;
    let (address, clock) = (accounts.market.key(), clock::now()?);
    let (token, change, seeds) = {
        let mut account = own_margin_account(&accounts.margin_account, &address, accounts.owner.key)?;
        let mut market = accounts.market.load_mut()?;
        let token = accounts.collateral.of(&market)?;
        token.check_receiver(&accounts.owner_collateral)?;
        let action = Pricing::Withdraw(&account);
        let prices = accounts.feeds.accept_for(&mut market, address, action, clock)?;
        let change = market
            .withdraw_collateral(&mut account, Collateral(amount), prices.as_ref(), clock)
            .or_program_error()?;
        (token, change, MarketSeeds::of(&market))
    };
    token.out_of_vault(
        &accounts.owner_collateral,
        accounts.market.as_ref(),
        &seeds,
        change.amount.0,
    )?;
    emit!(CollateralWithdrawn {
        market: address,
        margin_account: accounts.margin_account.key(),
        change,
    });
    Ok(())
}

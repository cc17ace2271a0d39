use super::accept_prices;
use crate::{
    clock,
    error::{BreakwaterError, OrBreakwaterError},
    events::Liquidated,
    state::{KeeperLedger, MarginAccount, Market, key},
};
use anchor_lang::prelude::*;
use breakwater_engine::oracle::Purpose;

/// Accounts of `liquidate`. No token account is among them: nothing moves.
#[derive(Accounts)]
pub struct Liquidate<'info> {
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// The account to liquidate.
    #[account(mut, constraint = margin_account.load()?.market == key(&market.key()) @ BreakwaterError::WrongMarket)]
    pub margin_account: AccountLoader<'info, MarginAccount>,
    /// Where the bounty is credited.
    #[account(
        mut,
        constraint = keeper_ledger.load()?.market == key(&market.key()) @ BreakwaterError::WrongMarket,
        constraint = keeper_ledger.load()?.keeper == key(keeper.key) @ BreakwaterError::WrongKeeper,
    )]
    pub keeper_ledger: AccountLoader<'info, KeeperLedger>,
    /// Who liquidates. Needs no capital.
    pub keeper: Signer<'info>,
    /// CHECK: checked against the market's pin when it is read.
    pub collateral_feed: UncheckedAccount<'info>,
    /// CHECK: checked against the market's pin when it is read.
    pub quote_feed: UncheckedAccount<'info>,
}

/// Liquidates one margin account.
pub fn liquidate(ctx: Context<Liquidate>) -> Result<()> {
    let accounts = &ctx.accounts;
    let clock = clock::now()?;
    let mut market = accounts.market.load_mut()?;
    let prices =
        accept_prices(&mut market, &accounts.collateral_feed, &accounts.quote_feed, Purpose::Liquidate, clock)?;
    let mut account = accounts.margin_account.load_mut()?;
    let mut ledger = accounts.keeper_ledger.load_mut()?;
    let mut liquidations = market.liquidations(&prices, clock).or_program_error()?;
    let liquidation = liquidations.liquidate(&mut account, &mut ledger).or_program_error()?;
    emit!(Liquidated {
        market: accounts.market.key(),
        margin_account: accounts.margin_account.key(),
        keeper: accounts.keeper.key(),
        liquidation,
    });
    Ok(())
}

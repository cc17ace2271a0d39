use super::accept_prices;
use crate::{
    clock,
    error::{BreakwaterError, OrBreakwaterError},
    events::Liquidated,
    state::{KeeperLedger, MarginAccount, Market, key},
};
use anchor_lang::prelude::*;
use breakwater_engine::{Error as EngineError, oracle::Purpose};

/// Accounts of `liquidate_batch`; the margin accounts follow as remaining accounts.
#[derive(Accounts)]
pub struct LiquidateBatch<'info> {
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// Where the bounties are credited.
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

/// Liquidates what can be liquidated among the remaining accounts, in their order, at one price.
pub fn liquidate_batch<'info>(ctx: Context<'info, LiquidateBatch<'info>>) -> Result<()> {
    let accounts = &ctx.accounts;
    let clock = clock::now()?;
    let mut market = accounts.market.load_mut()?;
    let prices =
        accept_prices(&mut market, &accounts.collateral_feed, &accounts.quote_feed, Purpose::Liquidate, clock)?;
    let mut ledger = accounts.keeper_ledger.load_mut()?;
    let (market_key, keeper) = (accounts.market.key(), accounts.keeper.key());
    let expected = key(&market_key);
    let mut liquidations = market.liquidations(&prices, clock).or_program_error()?;
    for info in ctx.remaining_accounts {
        // Its owner may have closed it since the keeper looked: no reason to fail the others.
        if info.data_is_empty() {
            continue;
        }
        let loader = AccountLoader::<MarginAccount>::try_from(info)?;
        let mut account = loader.load_mut()?;
        require!(account.market == expected, BreakwaterError::WrongMarket);
        match liquidations.liquidate(&mut account, &mut ledger) {
            Ok(liquidation) => {
                emit!(Liquidated { market: market_key, margin_account: info.key(), keeper, liquidation });
            }
            // Not this account's turn; the engine changed nothing.
            Err(EngineError::AccountHealthy | EngineError::NoDebt | EngineError::SameSlot | EngineError::BackstopFull) => {}
            Err(error) => return Err(BreakwaterError::from(error).into()),
        }
    }
    Ok(())
}

use super::liquidate;
use crate::{
    clock,
    error::{BreakwaterError, OrBreakwaterError},
    events::LiquidatedLog,
    feeds::*,
    state::{KeeperLedger, MarginAccount, Market, is_key, keeper_ledger},
};
use anchor_lang::{Discriminator, prelude::*};
use breakwater_engine::{Readings, price::oracle::PriceUse};

/// Accounts of `liquidate_batch`; the margin accounts follow as remaining accounts.
#[derive(Accounts)]
pub struct LiquidateBatch<'info> {
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// Where the bounties are credited.
    // Of this market and this keeper: `keeper_ledger` checks it.
    #[account(mut)]
    pub keeper_ledger: AccountLoader<'info, KeeperLedger>,
    /// Who liquidates. Needs no capital.
    pub keeper: Signer<'info>,
    /// The market's price accounts.
    pub feeds: Feeds<'info>,
}

/// Liquidates what can be liquidated among the remaining accounts, in their order, at one price.
pub fn liquidate_batch<'info>(ctx: Context<'info, LiquidateBatch<'info>>) -> Result<()> {
    let accounts = &ctx.accounts;
    let address = accounts.market.as_ref().key;
    let mut ledger = keeper_ledger(&accounts.keeper_ledger, address, accounts.keeper.key)?;
    let clock = clock::now()?;
    let mut market = accounts.market.load_mut()?;
    let mut readings = Readings::NONE;
    accounts.feeds.read(&market.oracle, &mut readings)?;
    let accepted = market.accept_prices(&readings, PriceUse::Liquidate, clock);
    let prices = told(*address, &accepted)?;
    // By reference: they are large, and dear to move.
    let mut liquidations = market.liquidations(prices, clock);
    let liquidations = liquidations.as_mut().map_err(|error| *error).or_program_error()?;
    let mut log = LiquidatedLog::with_capacity(ctx.remaining_accounts.len());
    for info in ctx.remaining_accounts {
        let mut data = info.try_borrow_mut_data()?;
        // Its owner may have closed it since the keeper looked: no reason to fail the others.
        if data.is_empty() {
            continue;
        }
        let account = margin_account(info, &mut data, address)?;
        match liquidate::one(liquidations, info.key, account, &mut ledger, &mut log) {
            Ok(()) => {}
            // Not this account's turn: then the engine changed nothing.
            Err(error) if error.skips_account() => {}
            Err(error) => return Err(BreakwaterError::from(error).into()),
        }
    }
    log.emit();
    Ok(())
}

/// A margin account of this market in the data of `info`. The checks and errors of `AccountLoader`, which would borrow
/// the data and compare the discriminator twice, for every account.
fn margin_account<'a>(info: &AccountInfo, data: &'a mut [u8], market: &Pubkey) -> Result<&'a mut MarginAccount> {
    if *info.owner != crate::ID {
        return Err(Error::from(ErrorCode::AccountOwnedByWrongProgram).with_pubkeys((*info.owner, crate::ID)));
    }
    let Some((discriminator, state)) = data.split_first_chunk_mut::<8>() else {
        return err!(ErrorCode::AccountDiscriminatorNotFound);
    };
    require!(
        discriminator[..] == *MarginAccount::DISCRIMINATOR,
        ErrorCode::AccountDiscriminatorMismatch
    );
    require!(info.is_writable, ErrorCode::AccountNotMutable);
    let state = state
        .get_mut(..size_of::<MarginAccount>())
        .ok_or(ErrorCode::AccountDidNotDeserialize)?;
    let account: &mut MarginAccount =
        bytemuck::try_from_bytes_mut(state).map_err(|_| ErrorCode::AccountDidNotDeserialize)?;
    require!(is_key(market, &account.market), BreakwaterError::WrongMarket);
    Ok(account)
}

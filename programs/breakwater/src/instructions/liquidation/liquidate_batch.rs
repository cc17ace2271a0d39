use super::liquidate;
use crate::{
    clock,
    error::{BreakwaterError, OrBreakwaterError},
    events::LiquidatedLog,
    feeds::*,
    shown::Shown,
    state::{KeeperLedger, MarginAccount, Market, is_key, keeper_ledger, same},
};
use anchor_lang::{Discriminator, prelude::*};
use breakwater_engine::{Clock, Readings, price::oracle::PriceUse};

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
    let margin_accounts = ctx.remaining_accounts.iter();
    liquidate_all((address, &mut market), margin_accounts, &mut ledger, &readings, clock)
}

/// Liquidates what can be liquidated among margin accounts of a market, once everything but these is proven and read.
///
/// # Errors
/// The engine's, and those of what is no margin account of this market.
pub(crate) fn liquidate_all(
    (address, market): (&Pubkey, &mut Market),
    margin_accounts: impl ExactSizeIterator<Item = impl Shown>,
    ledger: &mut KeeperLedger,
    readings: &Readings,
    clock: Clock,
) -> Result<()> {
    let accepted = market.accept_prices(readings, PriceUse::Liquidate, clock);
    let prices = told(*address, &accepted)?;
    // By reference: they are large, and dear to move.
    let mut liquidations = market.liquidations(prices, clock);
    let liquidations = liquidations.as_mut().map_err(|error| *error).or_program_error()?;
    let mut log = LiquidatedLog::with_capacity(margin_accounts.len());
    for shown in margin_accounts {
        let mut written = shown;
        let mut data = written.data_mut()?;
        // Its owner may have closed it since the keeper looked: no reason to fail the others.
        if data.is_empty() {
            continue;
        }
        let account = margin_account(&shown, &mut data, address)?;
        match liquidate::one(liquidations, shown.address(), account, ledger, &mut log) {
            Ok(()) => {}
            // Not this account's turn: then the engine changed nothing.
            Err(error) if error.skips_account() => {}
            Err(error) => return Err(BreakwaterError::from(error).into()),
        }
    }
    log.emit();
    Ok(())
}

/// A margin account of this market in the data of what is shown. The checks and errors of `AccountLoader`, which would
/// borrow the data and compare the discriminator twice, for every account.
fn margin_account<'a>(shown: &impl Shown, data: &'a mut [u8], market: &Pubkey) -> Result<&'a mut MarginAccount> {
    if !same(shown.owner().as_array(), crate::ID.as_array()) {
        return Err(Error::from(ErrorCode::AccountOwnedByWrongProgram).with_pubkeys((*shown.owner(), crate::ID)));
    }
    let Some((discriminator, state)) = data.split_first_chunk_mut::<8>() else {
        return err!(ErrorCode::AccountDiscriminatorNotFound);
    };
    require!(
        discriminator[..] == *MarginAccount::DISCRIMINATOR,
        ErrorCode::AccountDiscriminatorMismatch
    );
    require!(shown.is_writable(), ErrorCode::AccountNotMutable);
    let state = state
        .get_mut(..size_of::<MarginAccount>())
        .ok_or(ErrorCode::AccountDidNotDeserialize)?;
    let account: &mut MarginAccount =
        bytemuck::try_from_bytes_mut(state).map_err(|_| ErrorCode::AccountDidNotDeserialize)?;
    require!(is_key(market, &account.market), BreakwaterError::WrongMarket);
    Ok(account)
}

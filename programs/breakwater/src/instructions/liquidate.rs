use crate::{
    clock,
    error::{BreakwaterError, OrBreakwaterError},
    events::LiquidatedLog,
    feeds::*,
    state::{KeeperLedger, MarginAccount, Market, is_key},
};
use anchor_lang::prelude::*;
use breakwater_engine::{Clock, Readings, actions::Liquidations, price::oracle::PriceUse};
use std::cell::RefMut;

/// Accounts of `liquidate`. No token account is among them: nothing moves.
#[derive(Accounts)]
pub struct Liquidate<'info> {
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// The account to liquidate.
    // Of this market: `liquidate` checks it.
    #[account(mut)]
    pub margin_account: AccountLoader<'info, MarginAccount>,
    /// Where the bounty is credited.
    // Of this market and this keeper: `open_ledger` checks it.
    #[account(mut)]
    pub keeper_ledger: AccountLoader<'info, KeeperLedger>,
    /// Who liquidates. Needs no capital.
    pub keeper: Signer<'info>,
    /// The market's price accounts.
    pub feeds: Feeds<'info>,
}

/// Liquidates one margin account.
pub fn liquidate(ctx: Context<Liquidate>) -> Result<()> {
    let accounts = &ctx.accounts;
    let address = accounts.market.as_ref().key;
    // Checked here and not by a constraint, which would load the account once more.
    let mut account = accounts.margin_account.load_mut()?;
    require!(is_key(address, &account.market), BreakwaterError::WrongMarket);
    let mut ledger = open_ledger(&accounts.keeper_ledger, address, accounts.keeper.key)?;
    let clock = clock::now()?;
    let mut market = accounts.market.load_mut()?;
    let mut readings = Readings::NONE;
    accounts.feeds.read(&market.oracle, &mut readings)?;
    let margin_account = (accounts.margin_account.as_ref().key, &mut *account);
    liquidate_one((address, &mut market), margin_account, &mut ledger, &readings, clock)
}

/// Liquidates one margin account of a market, each beside its address, once everything is proven and read.
///
/// # Errors
/// The engine's.
pub(crate) fn liquidate_one(
    (address, market): (&Pubkey, &mut Market),
    (margin_account, account): (&Pubkey, &mut MarginAccount),
    ledger: &mut KeeperLedger,
    readings: &Readings,
    clock: Clock,
) -> Result<()> {
    let accepted = market.accept_prices(readings, PriceUse::Liquidate, clock);
    let prices = told(*address, &accepted)?;
    // By reference: they are large, and dear to move.
    let mut liquidations = market.liquidations(prices, clock);
    let liquidations = liquidations.as_mut().map_err(|error| *error).or_program_error()?;
    let mut log = LiquidatedLog::with_capacity(1);
    one(liquidations, margin_account, account, ledger, &mut log).or_program_error()?;
    log.emit();
    Ok(())
}

/// The ledger of a keeper in a market, loaded once: each of the checks would load it anew as a constraint.
///
/// # Errors
/// [`BreakwaterError::WrongMarket`], [`BreakwaterError::WrongKeeper`], those of [`AccountLoader::load_mut`].
pub(super) fn open_ledger<'a>(
    account: &'a AccountLoader<KeeperLedger>,
    market: &Pubkey,
    keeper: &Pubkey,
) -> Result<RefMut<'a, KeeperLedger>> {
    let ledger = account.load_mut()?;
    require!(is_key(market, &ledger.market), BreakwaterError::WrongMarket);
    require!(is_key(keeper, &ledger.keeper), BreakwaterError::WrongKeeper);
    Ok(ledger)
}

/// Liquidates one account and notes it for the event. Both instructions call this one function: so there is one copy of
/// the engine's, built into it, and the note is written where it is computed.
#[inline(never)]
pub(super) fn one(
    liquidations: &mut Liquidations,
    address: &Pubkey,
    account: &mut MarginAccount,
    ledger: &mut KeeperLedger,
    log: &mut LiquidatedLog,
) -> breakwater_engine::Result<()> {
    let liquidation = liquidations.liquidate(account, ledger)?;
    log.add(address, &liquidation);
    Ok(())
}

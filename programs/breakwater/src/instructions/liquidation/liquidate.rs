use crate::{
    clock,
    error::OrBreakwaterError,
    events::LiquidatedLog,
    feeds::*,
    state::{KeeperLedger, MarginAccount, Market, keeper_ledger, margin_account},
};
use anchor_lang::prelude::*;
use breakwater_engine::{Clock, Readings, actions::Liquidations, price::oracle::PriceUse};

/// Accounts of `liquidate`. No token account is among them: nothing moves.
#[derive(Accounts)]
pub struct Liquidate<'info> {
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// The account to liquidate.
    // Of this market: `margin_account` checks it.
    #[account(mut)]
    pub margin_account: AccountLoader<'info, MarginAccount>,
    /// Where the bounty is credited.
    // Of this market and this keeper: `keeper_ledger` checks it.
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
    let mut account = margin_account(&accounts.margin_account, address)?;
    let mut ledger = keeper_ledger(&accounts.keeper_ledger, address, accounts.keeper.key)?;
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

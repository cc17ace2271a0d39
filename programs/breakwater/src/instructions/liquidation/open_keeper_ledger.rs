use crate::{
    events::KeeperLedgerOpened,
    state::{KeeperLedger, Market, key},
};
use anchor_lang::prelude::*;

/// Accounts of `open_keeper_ledger`.
#[derive(Accounts)]
pub struct OpenKeeperLedger<'info> {
    /// The market.
    pub market: AccountLoader<'info, Market>,
    /// Created here.
    #[account(
        init, payer = keeper, space = KeeperLedger::SPACE,
        seeds = [b"keeper_ledger", market.key().as_ref(), keeper.key().as_ref()], bump,
    )]
    pub keeper_ledger: AccountLoader<'info, KeeperLedger>,
    /// Whose ledger it is; pays the rent.
    #[account(mut)]
    pub keeper: Signer<'info>,
    /// The system program.
    pub system_program: Program<'info, System>,
}

/// Opens a keeper's ledger.
pub fn open_keeper_ledger(ctx: Context<OpenKeeperLedger>) -> Result<()> {
    let accounts = &ctx.accounts;
    let (market, keeper) = (accounts.market.key(), accounts.keeper.key());
    let ledger = breakwater_engine::KeeperLedger::new(key(&market), key(&keeper), ctx.bumps.keeper_ledger);
    *accounts.keeper_ledger.load_init()? = KeeperLedger(ledger);
    emit!(KeeperLedgerOpened { market, keeper });
    Ok(())
}

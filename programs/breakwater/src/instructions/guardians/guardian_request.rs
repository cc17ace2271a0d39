use crate::{
    clock,
    error::OrBreakwaterError,
    events::GuardianRequested,
    state::{GuardianPosition, Market, guardian_position},
};
use anchor_lang::prelude::*;
use breakwater_engine::{GuardianShares, Quote};

/// Accounts of `guardian_request`.
#[derive(Accounts)]
pub struct GuardianRequest<'info> {
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// The guardian's shares.
    // Of this market and this guardian: `guardian_position` checks it.
    #[account(mut)]
    pub position: AccountLoader<'info, GuardianPosition>,
    /// The guardian.
    pub guardian: Signer<'info>,
}

/// Asks to leave with a guardian's shares, or takes that back.
pub fn guardian_request(ctx: Context<GuardianRequest>, shares: u64, min_amount: u64) -> Result<()> {
    let accounts = &ctx.accounts;
    let address = accounts.market.as_ref().key;
    let mut position = guardian_position(&accounts.position, address, accounts.guardian.key)?;
    let mut market = accounts.market.load_mut()?;
    let request = market
        .guardian_request(&mut position, GuardianShares(shares), Quote(min_amount), clock::now()?)
        .or_program_error()?;
    emit!(GuardianRequested {
        market: accounts.market.key(),
        guardian: accounts.guardian.key(),
        request
    });
    Ok(())
}

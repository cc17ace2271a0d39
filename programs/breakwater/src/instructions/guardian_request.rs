use crate::{
    clock,
    error::{BreakwaterError, OrBreakwaterError},
    events::GuardianRequested,
    state::{GuardianPosition, Market, key},
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
    #[account(
        mut,
        constraint = position.load()?.market == key(&market.key()) @ BreakwaterError::WrongMarket,
        constraint = position.load()?.guardian == key(guardian.key) @ BreakwaterError::WrongGuardianPosition,
    )]
    pub position: AccountLoader<'info, GuardianPosition>,
    /// The guardian.
    pub guardian: Signer<'info>,
}

/// Asks to leave with a guardian's shares, or takes that back.
pub fn guardian_request(ctx: Context<GuardianRequest>, shares: u64, min_amount: u64) -> Result<()> {
    let accounts = &ctx.accounts;
    let mut market = accounts.market.load_mut()?;
    let mut position = accounts.position.load_mut()?;
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

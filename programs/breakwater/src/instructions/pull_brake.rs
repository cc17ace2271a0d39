use crate::{
    clock,
    error::{BreakwaterError, OrBreakwaterError},
    events::BrakePulled,
    state::{Market, Protocol},
};
use anchor_lang::prelude::*;

/// Accounts of `pull_brake`.
#[derive(Accounts)]
pub struct PullBrake<'info> {
    /// Names who may.
    #[account(
        seeds = [b"protocol"], bump = protocol.bump,
        constraint = protocol.is_guarded_by(signer.key) @ BreakwaterError::WrongGuardian,
    )]
    pub protocol: Account<'info, Protocol>,
    /// The guardian of the brakes, or the authority.
    pub signer: Signer<'info>,
    /// The market to halt.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
}

/// Pulls a market's brake.
pub fn pull_brake(ctx: Context<PullBrake>, seconds: u32) -> Result<()> {
    let accounts = &ctx.accounts;
    let mut market = accounts.market.load_mut()?;
    let pull = market.pull_brake(seconds, clock::now()?).or_program_error()?;
    emit!(BrakePulled {
        market: accounts.market.key(),
        signer: accounts.signer.key(),
        pull
    });
    Ok(())
}

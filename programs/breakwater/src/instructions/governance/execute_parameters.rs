use crate::{
    clock,
    error::{BreakwaterError, OrBreakwaterError},
    events::ParametersChanged,
    governance::change_hash,
    state::{Market, Protocol, QueuedChange, key},
};
use anchor_lang::prelude::*;
use breakwater_engine::{ParameterChange, governance::PARAMETERS};

/// Accounts of `execute_parameters`.
#[derive(Accounts)]
pub struct ExecuteParameters<'info> {
    /// Names the authority.
    #[account(seeds = [b"protocol"], bump = protocol.bump, constraint = protocol.authority == authority.key() @ BreakwaterError::WrongAuthority)]
    pub protocol: Account<'info, Protocol>,
    /// The protocol's authority; gets the rent.
    #[account(mut)]
    pub authority: Signer<'info>,
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// The entry. Closed here.
    #[account(mut, close = authority, constraint = queued_change.load()?.is_of(key(&market.key()), PARAMETERS) @ BreakwaterError::WrongChange)]
    pub queued_change: AccountLoader<'info, QueuedChange>,
}

/// Makes queued changes of a market's parameters.
pub fn execute_parameters(ctx: Context<ExecuteParameters>, changes: Vec<ParameterChange>) -> Result<()> {
    let accounts = &ctx.accounts;
    let (market, clock) = (accounts.market.key(), clock::now()?);
    let hash = change_hash(PARAMETERS, &market, &changes)?;
    let mut state = accounts.market.load_mut()?;
    let queued = accounts.queued_change.load()?;
    let id = queued
        .check(&hash, state.config.change_delay(), clock)
        .or_program_error()?;
    state.change_parameters(&changes, clock).or_program_error()?;
    emit!(ParametersChanged { market, id, changes });
    Ok(())
}

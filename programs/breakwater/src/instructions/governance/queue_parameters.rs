use crate::{
    error::{BreakwaterError, OrBreakwaterError},
    events::ParametersQueued,
    governance::queue,
    state::{Market, Protocol, QueuedChange, key},
};
use anchor_lang::prelude::*;
use breakwater_engine::{
    ParameterChange,
    governance::{self, Entry, PARAMETERS},
};

/// Accounts of `queue_parameters`.
#[derive(Accounts)]
#[instruction(id: u16)]
pub struct QueueParameters<'info> {
    /// Names the authority.
    #[account(seeds = [b"protocol"], bump = protocol.bump, constraint = protocol.authority == authority.key() @ BreakwaterError::WrongAuthority)]
    pub protocol: Account<'info, Protocol>,
    /// The protocol's authority; pays the rent.
    #[account(mut)]
    pub authority: Signer<'info>,
    /// The market.
    pub market: AccountLoader<'info, Market>,
    /// The entry. Created here.
    #[account(
        init, payer = authority, space = QueuedChange::SPACE,
        seeds = [b"queued_change", market.key().as_ref(), &[PARAMETERS], &id.to_le_bytes()], bump,
    )]
    pub queued_change: AccountLoader<'info, QueuedChange>,
    /// The system program.
    pub system_program: Program<'info, System>,
}

/// Queues changes of a market's parameters. The execution checks that they fit the market.
pub fn queue_parameters(
    ctx: Context<QueueParameters>,
    id: u16,
    changes: Vec<ParameterChange>,
    expires_slot: u64,
) -> Result<()> {
    let accounts = &ctx.accounts;
    governance::check_changes(&changes).or_program_error()?;
    let market = accounts.market.key();
    let entry = Entry {
        subject: key(&market),
        kind: PARAMETERS,
        id,
    };
    let delay = accounts.market.load()?.config.change_delay();
    let bump = ctx.bumps.queued_change;
    let queued = queue(&accounts.queued_change, entry, &changes, bump, expires_slot, delay)?;
    emit!(ParametersQueued {
        market,
        id,
        queued,
        changes
    });
    Ok(())
}

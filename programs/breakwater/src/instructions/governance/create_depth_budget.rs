use crate::{
    error::{BreakwaterError, OrBreakwaterError},
    events::DepthBudgetCreated,
    state::{DepthBudget, Protocol},
};
use anchor_lang::prelude::*;

/// Accounts of `create_depth_budget`.
#[derive(Accounts)]
#[instruction(name: [u8; 32])]
pub struct CreateDepthBudget<'info> {
    /// Names the authority.
    #[account(seeds = [b"protocol"], bump = protocol.bump, constraint = protocol.authority == authority.key() @ BreakwaterError::WrongAuthority)]
    pub protocol: Account<'info, Protocol>,
    /// The protocol's authority; pays the rent.
    #[account(mut)]
    pub authority: Signer<'info>,
    /// Created here.
    #[account(init, payer = authority, space = DepthBudget::SPACE, seeds = [b"depth_budget", &name[..]], bump)]
    pub depth_budget: AccountLoader<'info, DepthBudget>,
    /// The system program.
    pub system_program: Program<'info, System>,
}

/// Creates the depth budget of an asset.
pub fn create_depth_budget(ctx: Context<CreateDepthBudget>, name: [u8; 32]) -> Result<()> {
    let accounts = &ctx.accounts;
    accounts
        .depth_budget
        .load_init()?
        .initialize(name, ctx.bumps.depth_budget)
        .or_program_error()?;
    emit!(DepthBudgetCreated {
        depth_budget: accounts.depth_budget.key(),
        name
    });
    Ok(())
}

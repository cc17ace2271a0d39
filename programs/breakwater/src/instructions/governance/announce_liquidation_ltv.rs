use crate::{
    clock,
    error::{BreakwaterError, OrBreakwaterError},
    events::LiquidationLtvAnnounced,
    state::{Market, Protocol},
};
use anchor_lang::prelude::*;
use breakwater_engine::Bps;

/// Accounts of `announce_liquidation_ltv`.
#[derive(Accounts)]
pub struct AnnounceLiquidationLtv<'info> {
    /// Names the authority.
    #[account(seeds = [b"protocol"], bump = protocol.bump, constraint = protocol.authority == authority.key() @ BreakwaterError::WrongAuthority)]
    pub protocol: Account<'info, Protocol>,
    /// The protocol's authority.
    pub authority: Signer<'info>,
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
}

/// Announces a change of the liquidation LTV.
pub fn announce_liquidation_ltv(
    ctx: Context<AnnounceLiquidationLtv>,
    to: u32,
    starts_at: i64,
    ends_at: i64,
) -> Result<()> {
    let accounts = &ctx.accounts;
    let ramp = accounts
        .market
        .load_mut()?
        .announce_liquidation_ltv(Bps(to), starts_at, ends_at, clock::now()?)
        .or_program_error()?;
    emit!(LiquidationLtvAnnounced {
        market: accounts.market.key(),
        ramp
    });
    Ok(())
}

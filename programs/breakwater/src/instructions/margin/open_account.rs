use crate::{
    events::AccountOpened,
    state::{MarginAccount, Market, key},
};
use anchor_lang::prelude::*;

/// Accounts of `open_account`.
#[derive(Accounts)]
#[instruction(id: u16)]
pub struct OpenAccount<'info> {
    /// The market.
    pub market: AccountLoader<'info, Market>,
    /// Created here.
    #[account(
        init, payer = payer, space = MarginAccount::SPACE,
        seeds = [b"margin_account", market.key().as_ref(), owner.key().as_ref(), &id.to_le_bytes()], bump,
    )]
    pub margin_account: AccountLoader<'info, MarginAccount>,
    /// Who will own it.
    pub owner: Signer<'info>,
    /// Pays the rent.
    #[account(mut)]
    pub payer: Signer<'info>,
    /// The system program.
    pub system_program: Program<'info, System>,
}

/// Opens a margin account.
pub fn open_account(ctx: Context<OpenAccount>, id: u16) -> Result<()> {
    let accounts = &ctx.accounts;
    let (market, owner) = (accounts.market.key(), accounts.owner.key());
    let account = breakwater_engine::MarginAccount::new(key(&market), key(&owner), id, ctx.bumps.margin_account);
    *accounts.margin_account.load_init()? = MarginAccount(account);
    emit!(AccountOpened {
        market,
        margin_account: accounts.margin_account.key(),
        owner,
        id
    });
    Ok(())
}

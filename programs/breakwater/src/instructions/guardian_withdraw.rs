use crate::{
    clock,
    error::{BreakwaterError, OrBreakwaterError},
    events::GuardianWithdrawn,
    feeds::*,
    state::{GuardianPosition, Market, MarketSeeds, address, key},
    tokens::Transfer,
};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::{Mint, TokenAccount, TokenInterface};
use breakwater_engine::Quote;

/// Accounts of `guardian_withdraw`.
#[derive(Accounts)]
pub struct GuardianWithdraw<'info> {
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
    /// Mint of the quote token.
    #[account(address = address(market.load()?.quote_mint) @ BreakwaterError::WrongMint)]
    pub quote_mint: Box<InterfaceAccount<'info, Mint>>,
    /// Where the money goes.
    #[account(mut, constraint = guardian_quote.mint == quote_mint.key() @ BreakwaterError::WrongMint)]
    pub guardian_quote: Box<InterfaceAccount<'info, TokenAccount>>,
    /// The market's quote vault.
    #[account(mut, address = address(market.load()?.quote_vault) @ BreakwaterError::WrongVault)]
    pub quote_vault: Box<InterfaceAccount<'info, TokenAccount>>,
    /// The market's price accounts. Shown only if the stored prices are too old, and there is inventory or debt.
    pub feeds: Feeds<'info>,
    /// Token program of the quote mint.
    #[account(constraint = *quote_mint.to_account_info().owner == quote_token_program.key() @ BreakwaterError::WrongTokenProgram)]
    pub quote_token_program: Interface<'info, TokenInterface>,
}

/// Pays a guardian's request as far as it can be.
pub fn guardian_withdraw(ctx: Context<GuardianWithdraw>, amount: u64, min_amount: u64) -> Result<()> {
    let accounts = &ctx.accounts;
    let clock = clock::now()?;
    let (withdrawal, seeds) = {
        let mut market = accounts.market.load_mut()?;
        let mut position = accounts.position.load_mut()?;
        accounts
            .feeds
            .show_for_leaving(&mut market, accounts.market.key(), clock)?;
        let withdrawal = market
            .guardian_withdraw(&mut position, Quote(amount), Quote(min_amount), clock)
            .or_program_error()?;
        (withdrawal, MarketSeeds::of(&market))
    };
    Transfer {
        from: &accounts.quote_vault,
        to: &accounts.guardian_quote,
        mint: &accounts.quote_mint,
        program: &accounts.quote_token_program,
        amount: withdrawal.amount.0,
    }
    .out_of_vault(accounts.market.to_account_info(), &seeds)?;
    emit!(GuardianWithdrawn {
        market: accounts.market.key(),
        guardian: accounts.guardian.key(),
        withdrawal
    });
    Ok(())
}

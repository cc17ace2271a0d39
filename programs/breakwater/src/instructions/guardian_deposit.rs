use crate::{
    clock,
    error::{BreakwaterError, OrBreakwaterError},
    events::GuardianDeposited,
    state::{GuardianPosition, Market, address, key},
    tokens::Transfer,
};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::{Mint, TokenAccount, TokenInterface};
use breakwater_engine::{GuardianShares, Quote};

/// Accounts of `guardian_deposit`.
#[derive(Accounts)]
pub struct GuardianDeposit<'info> {
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
    /// The guardian's quote tokens.
    #[account(
        mut,
        constraint = guardian_quote.mint == quote_mint.key() @ BreakwaterError::WrongMint,
        constraint = guardian_quote.owner == guardian.key() @ BreakwaterError::WrongTokenOwner,
    )]
    pub guardian_quote: Box<InterfaceAccount<'info, TokenAccount>>,
    /// The market's quote vault.
    #[account(mut, address = address(market.load()?.quote_vault) @ BreakwaterError::WrongVault)]
    pub quote_vault: Box<InterfaceAccount<'info, TokenAccount>>,
    /// Token program of the quote mint.
    #[account(constraint = *quote_mint.to_account_info().owner == quote_token_program.key() @ BreakwaterError::WrongTokenProgram)]
    pub quote_token_program: Interface<'info, TokenInterface>,
}

/// Puts a guardian's capital behind the backstop.
pub fn guardian_deposit(
    ctx: Context<GuardianDeposit>,
    amount: u64,
    min_shares: u64,
    max_impairment: u64,
) -> Result<()> {
    let accounts = &ctx.accounts;
    let deposit = {
        let mut market = accounts.market.load_mut()?;
        let mut position = accounts.position.load_mut()?;
        let (least, most) = (GuardianShares(min_shares), Quote(max_impairment));
        market
            .guardian_deposit(&mut position, Quote(amount), least, most, clock::now()?)
            .or_program_error()?
    };
    Transfer {
        from: &accounts.guardian_quote,
        to: &accounts.quote_vault,
        mint: &accounts.quote_mint,
        program: &accounts.quote_token_program,
        amount,
    }
    .into_vault(&accounts.guardian)?;
    emit!(GuardianDeposited {
        market: accounts.market.key(),
        guardian: accounts.guardian.key(),
        deposit
    });
    Ok(())
}

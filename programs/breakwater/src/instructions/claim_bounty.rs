use crate::{
    error::{BreakwaterError, OrBreakwaterError},
    events::BountyClaimed,
    state::{KeeperLedger, Market, MarketSeeds, address, key},
    tokens::Transfer,
};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::{Mint, TokenAccount, TokenInterface};

/// Accounts of `claim_bounty`.
#[derive(Accounts)]
pub struct ClaimBounty<'info> {
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// The ledger that is paid out.
    #[account(
        mut,
        constraint = keeper_ledger.load()?.market == key(&market.key()) @ BreakwaterError::WrongMarket,
        constraint = keeper_ledger.load()?.keeper == key(keeper.key) @ BreakwaterError::WrongKeeper,
    )]
    pub keeper_ledger: AccountLoader<'info, KeeperLedger>,
    /// Its keeper.
    pub keeper: Signer<'info>,
    /// Mint of the quote token.
    #[account(address = address(market.load()?.quote_mint) @ BreakwaterError::WrongMint)]
    pub quote_mint: Box<InterfaceAccount<'info, Mint>>,
    /// Where the bounty goes.
    #[account(mut, constraint = keeper_quote.mint == quote_mint.key() @ BreakwaterError::WrongMint)]
    pub keeper_quote: Box<InterfaceAccount<'info, TokenAccount>>,
    /// The market's quote vault.
    #[account(mut, address = address(market.load()?.quote_vault) @ BreakwaterError::WrongVault)]
    pub quote_vault: Box<InterfaceAccount<'info, TokenAccount>>,
    /// Token program of the quote mint.
    #[account(constraint = *quote_mint.to_account_info().owner == quote_token_program.key() @ BreakwaterError::WrongTokenProgram)]
    pub quote_token_program: Interface<'info, TokenInterface>,
}

/// Claims a keeper's bounties.
pub fn claim_bounty(ctx: Context<ClaimBounty>) -> Result<()> {
    let accounts = &ctx.accounts;
    let (claim, seeds) = {
        let mut market = accounts.market.load_mut()?;
        let claim = market
            .claim_bounty(&mut *accounts.keeper_ledger.load_mut()?)
            .or_program_error()?;
        (claim, MarketSeeds::of(&market))
    };
    Transfer {
        from: &accounts.quote_vault,
        to: &accounts.keeper_quote,
        mint: &accounts.quote_mint,
        program: &accounts.quote_token_program,
        amount: claim.amount.0,
    }
    .out_of_vault(accounts.market.to_account_info(), &seeds)?;
    emit!(BountyClaimed {
        market: accounts.market.key(),
        keeper: accounts.keeper.key(),
        claim
    });
    Ok(())
}

use crate::{
    error::OrBreakwaterError,
    events::BountyClaimed,
    state::{KeeperLedger, Market, MarketSeeds, keeper_ledger},
    tokens::*,
};
use anchor_lang::prelude::*;

/// Accounts of `claim_bounty`.
#[derive(Accounts)]
pub struct ClaimBounty<'info> {
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// The ledger that is paid out.
    // Of this market and this keeper: `keeper_ledger` checks it.
    #[account(mut)]
    pub keeper_ledger: AccountLoader<'info, KeeperLedger>,
    /// Its keeper.
    pub keeper: Signer<'info>,
    /// The quote token.
    pub quote: QuoteToken<'info>,
    /// Where the bounty goes.
    /// CHECK: `check_receiver` looks at its mint.
    #[account(mut)]
    pub keeper_quote: UncheckedAccount<'info>,
}

/// Claims a keeper's bounties.
pub fn claim_bounty(ctx: Context<ClaimBounty>) -> Result<()> {
    let accounts = &ctx.accounts;
    let address = accounts.market.key();
    let (token, claim, seeds) = {
        let mut ledger = keeper_ledger(&accounts.keeper_ledger, &address, accounts.keeper.key)?;
        let mut market = accounts.market.load_mut()?;
        let token = accounts.quote.of(&market)?;
        token.check_receiver(&accounts.keeper_quote)?;
        let claim = market.claim_bounty(&mut ledger).or_program_error()?;
        (token, claim, MarketSeeds::of(&market))
    };
    token.out_of_vault(&accounts.keeper_quote, accounts.market.as_ref(), &seeds, claim.amount.0)?;
    emit!(BountyClaimed {
        market: address,
        keeper: accounts.keeper.key(),
        claim
    });
    Ok(())
}

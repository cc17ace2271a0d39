use crate::{
    clock,
    error::OrBreakwaterError,
    events::GuardianDeposited,
    state::{GuardianPosition, Market, guardian_position},
    tokens::*,
};
use anchor_lang::prelude::*;
use breakwater_engine::{GuardianShares, Quote};

/// Accounts of `guardian_deposit`.
#[derive(Accounts)]
pub struct GuardianDeposit<'info> {
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// The guardian's shares.
    // Of this market and this guardian: `guardian_position` checks it.
    #[account(mut)]
    pub position: AccountLoader<'info, GuardianPosition>,
    /// The guardian.
    pub guardian: Signer<'info>,
    /// The quote token.
    pub quote: QuoteToken<'info>,
    /// The guardian's quote tokens.
    /// CHECK: `check_payer` looks at mint and owner.
    #[account(mut)]
    pub guardian_quote: UncheckedAccount<'info>,
}

/// Puts a guardian's capital behind the backstop.
pub fn guardian_deposit(
    ctx: Context<GuardianDeposit>,
    amount: u64,
    min_shares: u64,
    max_impairment: u64,
) -> Result<()> {
    let accounts = &ctx.accounts;
    let (token, deposit) = {
        let address = accounts.market.as_ref().key;
        let mut position = guardian_position(&accounts.position, address, accounts.guardian.key)?;
        let mut market = accounts.market.load_mut()?;
        let token = accounts.quote.of(&market)?;
        token.check_payer(&accounts.guardian_quote, accounts.guardian.key)?;
        let (least, most) = (GuardianShares(min_shares), Quote(max_impairment));
        let deposit = market
            .guardian_deposit(&mut position, Quote(amount), least, most, clock::now()?)
            .or_program_error()?;
        (token, deposit)
    };
    token.into_vault(&accounts.guardian_quote, &accounts.guardian, amount)?;
    emit!(GuardianDeposited {
        market: accounts.market.key(),
        guardian: accounts.guardian.key(),
        deposit
    });
    Ok(())
}

use crate::{
    clock,
    error::OrBreakwaterError,
    events::Withdrawn,
    state::{Market, MarketSeeds},
    tokens::*,
};
use anchor_lang::prelude::*;
use breakwater_engine::{LpShares, Quote};

/// Accounts of `withdraw`.
#[derive(Accounts)]
pub struct Withdraw<'info> {
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// Whose LP shares are burned.
    pub supplier: Signer<'info>,
    /// The quote token.
    pub quote: QuoteToken<'info>,
    /// Where the quote tokens go.
    /// CHECK: `check_receiver` looks at its mint.
    #[account(mut)]
    pub supplier_quote: UncheckedAccount<'info>,
    /// The LP shares.
    pub lp: LpToken<'info>,
    /// The supplier's LP shares.
    /// CHECK: `LpToken::check_holder` looks at mint and owner.
    #[account(mut)]
    pub supplier_lp: UncheckedAccount<'info>,
}

/// Leaves the pool.
pub fn withdraw(ctx: Context<Withdraw>, shares: u64, min_amount: u64) -> Result<()> {
    let accounts = &ctx.accounts;
    let (token, withdrawal, seeds) = {
        let mut market = accounts.market.load_mut()?;
        let token = accounts.quote.of(&market)?;
        token.check_receiver(&accounts.supplier_quote)?;
        accounts
            .lp
            .check_holder(&market, &accounts.supplier_lp, Some(accounts.supplier.key))?;
        let held = LpShares(balance(&accounts.supplier_lp)?);
        let withdrawal = market
            .withdraw(LpShares(shares), held, Quote(min_amount), clock::now()?)
            .or_program_error()?;
        (token, withdrawal, MarketSeeds::of(&market))
    };
    accounts
        .lp
        .burn(&accounts.supplier_lp, &accounts.supplier, withdrawal.shares.0)?;
    token.out_of_vault(
        &accounts.supplier_quote,
        accounts.market.as_ref(),
        &seeds,
        withdrawal.amount.0,
    )?;
    emit!(Withdrawn {
        market: accounts.market.key(),
        supplier: accounts.supplier.key(),
        withdrawal
    });
    Ok(())
}

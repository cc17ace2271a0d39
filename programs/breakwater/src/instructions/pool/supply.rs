use crate::{
    clock,
    error::OrBreakwaterError,
    events::Supplied,
    state::{Market, MarketSeeds},
    tokens::*,
};
use anchor_lang::prelude::*;
use breakwater_engine::{LpShares, Quote};

/// Accounts of `supply`.
#[derive(Accounts)]
pub struct Supply<'info> {
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// Who supplies.
    pub supplier: Signer<'info>,
    /// The quote token.
    pub quote: QuoteToken<'info>,
    /// The supplier's quote tokens.
    /// CHECK: `check_payer` looks at mint and owner.
    #[account(mut)]
    pub supplier_quote: UncheckedAccount<'info>,
    /// The LP shares.
    pub lp: LpToken<'info>,
    /// Where the LP shares go.
    /// CHECK: `LpToken::check_holder` looks at its mint.
    #[account(mut)]
    pub supplier_lp: UncheckedAccount<'info>,
}

/// Supplies to the pool.
pub fn supply(ctx: Context<Supply>, amount: u64, min_shares: u64) -> Result<()> {
    let accounts = &ctx.accounts;
    let (token, supply, seeds) = {
        let mut market = accounts.market.load_mut()?;
        let token = accounts.quote.of(&market)?;
        token.check_payer(&accounts.supplier_quote, accounts.supplier.key)?;
        accounts.lp.check_holder(&market, &accounts.supplier_lp, None)?;
        let supply = market
            .supply(Quote(amount), LpShares(min_shares), clock::now()?)
            .or_program_error()?;
        (token, supply, MarketSeeds::of(&market))
    };
    token.into_vault(&accounts.supplier_quote, &accounts.supplier, supply.amount.0)?;
    accounts
        .lp
        .mint(&accounts.supplier_lp, accounts.market.as_ref(), &seeds, supply.shares.0)?;
    emit!(Supplied {
        market: accounts.market.key(),
        supplier: accounts.supplier.key(),
        supply
    });
    Ok(())
}

use crate::{
    clock,
    error::OrBreakwaterError,
    events::Borrowed,
    feeds::*,
    state::{MarginAccount, Market, MarketSeeds, own_margin_account},
    tokens::*,
};
use anchor_lang::prelude::*;
use breakwater_engine::{Quote, price::oracle::PriceUse};

/// Accounts of `borrow`.
#[derive(Accounts)]
pub struct Borrow<'info> {
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// The account that borrows.
    // Of this market and this owner: `own_margin_account` checks it.
    #[account(mut)]
    pub margin_account: AccountLoader<'info, MarginAccount>,
    /// Its owner.
    pub owner: Signer<'info>,
    /// The quote token.
    pub quote: QuoteToken<'info>,
    /// Where the loan goes.
    /// CHECK: `check_receiver` looks at its mint.
    #[account(mut)]
    pub owner_quote: UncheckedAccount<'info>,
    /// The market's price accounts.
    pub feeds: Feeds<'info>,
}

/// Borrows against a margin account.
pub fn borrow(ctx: Context<Borrow>, amount: u64) -> Result<()> {
    let accounts = &ctx.accounts;
    let (address, clock) = (accounts.market.key(), clock::now()?);
    let (token, borrowing, seeds) = {
        let mut account = own_margin_account(&accounts.margin_account, &address, accounts.owner.key)?;
        let mut market = accounts.market.load_mut()?;
        let token = accounts.quote.of(&market)?;
        token.check_receiver(&accounts.owner_quote)?;
        let prices = accounts.feeds.accept(&mut market, address, PriceUse::Borrow, clock)?;
        let borrowing = market
            .borrow(&mut account, Quote(amount), &prices, clock)
            .or_program_error()?;
        (token, borrowing, MarketSeeds::of(&market))
    };
    token.out_of_vault(
        &accounts.owner_quote,
        accounts.market.as_ref(),
        &seeds,
        borrowing.amount.0,
    )?;
    emit!(Borrowed {
        market: address,
        margin_account: accounts.margin_account.key(),
        borrowing
    });
    Ok(())
}

use crate::{
    clock,
    error::OrBreakwaterError,
    events::InventorySold,
    feeds::*,
    state::{Market, MarketSeeds},
    tokens::*,
};
use anchor_lang::prelude::*;
use breakwater_engine::{self as engine, Clock, Collateral, Prices, Quote, actions::Sale, price::oracle::PriceUse};

/// Accounts of `buy_inventory` and `buy_inventory_for`.
#[derive(Accounts)]
pub struct BuyInventory<'info> {
    /// The market.
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// Who buys.
    pub buyer: Signer<'info>,
    /// The collateral token.
    pub collateral: CollateralToken<'info>,
    /// Where the collateral goes.
    /// CHECK: `check_receiver` looks at its mint.
    #[account(mut)]
    pub buyer_collateral: UncheckedAccount<'info>,
    /// The quote token.
    pub quote: QuoteToken<'info>,
    /// The buyer's quote tokens.
    /// CHECK: `check_payer` looks at mint and owner.
    #[account(mut)]
    pub buyer_quote: UncheckedAccount<'info>,
    /// The market's price accounts.
    pub feeds: Feeds<'info>,
}

/// Buys inventory of the backstop.
pub fn buy_inventory(ctx: Context<BuyInventory>, amount: u64, max_cost: u64) -> Result<()> {
    sell(ctx.accounts, |market, prices, clock| {
        market.buy_inventory(Collateral(amount), Quote(max_cost), prices, clock)
    })
}

/// Buys as much inventory as a budget pays for.
pub fn buy_inventory_for(ctx: Context<BuyInventory>, budget: u64, min_amount: u64) -> Result<()> {
    sell(ctx.accounts, |market, prices, clock| {
        market.buy_inventory_for(Quote(budget), Collateral(min_amount), prices, clock)
    })
}

fn sell(
    accounts: &BuyInventory,
    engine: impl FnOnce(&mut engine::Market, &Prices, Clock) -> engine::Result<Sale>,
) -> Result<()> {
    let (address, clock) = (accounts.market.key(), clock::now()?);
    let (quote, collateral, sale, seeds) = {
        let mut market = accounts.market.load_mut()?;
        let collateral = accounts.collateral.of(&market)?;
        collateral.check_receiver(&accounts.buyer_collateral)?;
        let quote = accounts.quote.of(&market)?;
        quote.check_payer(&accounts.buyer_quote, accounts.buyer.key)?;
        let prices = accounts.feeds.accept(&mut market, address, PriceUse::Sell, clock)?;
        let sale = engine(&mut market, &prices, clock).or_program_error()?;
        (quote, collateral, sale, MarketSeeds::of(&market))
    };
    quote.into_vault(&accounts.buyer_quote, &accounts.buyer, sale.cost.0)?;
    collateral.out_of_vault(
        &accounts.buyer_collateral,
        accounts.market.as_ref(),
        &seeds,
        sale.amount.0,
    )?;
    emit!(InventorySold {
        market: address,
        buyer: accounts.buyer.key(),
        sale
    });
    Ok(())
}

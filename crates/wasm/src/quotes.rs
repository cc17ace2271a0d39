//! The questions. Each takes a market as it is stored, shows it the readings as an instruction would, and asks the
//! engine on a copy: so an answer is what the program would do with the same readings at the same moment.
//!
//! # Errors
//! The errors that the instruction in question would fail with; each function names only the less obvious ones.

use crate::types::{
    BackstopBalanceSheet, CascadeMeasures, CascadePoint, FeedsToPost, GuardianYield, Health, Largest, Leaving,
    LiquidationPreview, List, LpValue, MarketPrices, Moment, Offer, PriceBand, Readings, Risk, Shock, ShownReadings,
};
use breakwater_engine::{
    Bps, Collateral, Config, Error, GuardianPosition, LpShares, MarginAccount, Market, Quote, Result,
    account::map::BANDS,
    actions::{Liquidation, Sale},
    price::oracle::PriceUse::{self, Borrow, Liquidate, Observe, Sell},
    views::cascade::Pace,
};
use breakwater_quotes::Quotes;

fn quotes(market: &Market, readings: Readings, usage: PriceUse, at: Moment) -> Result<Quotes> {
    Quotes::new(market, &readings.into(), usage, at.into())
}

/// The market's prices by its feeds.
pub fn prices(market: Market, readings: Readings, at: Moment) -> Result<MarketPrices> {
    let quotes = quotes(&market, readings, Observe, at)?;
    Ok(MarketPrices::of(quotes.prices()))
}

/// Feeds that somebody must post before the prices may be used at this moment: 0 to borrow or to withdraw against debt, 1
/// to liquidate, 2 to buy inventory, all else only to record them.
pub fn feeds_to_post(market: Market, shown: ShownReadings, usage: u8, at: Moment) -> Result<FeedsToPost> {
    let usage = match usage {
        0 => Borrow,
        1 => Liquidate,
        2 => Sell,
        _ => Observe,
    };
    breakwater_quotes::feeds_to_post(&market, &shown.into(), usage, at.into()).map(Into::into)
}

/// How an account stands.
pub fn health(market: Market, account: MarginAccount, readings: Readings, at: Moment) -> Result<Health> {
    let quotes = quotes(&market, readings, Observe, at)?;
    Ok(Health::of(&quotes.health(&account)?, quotes.judged_at()))
}

/// How it would stand after borrowing `amount` quote atoms.
pub fn health_after_borrow(
    market: Market,
    account: MarginAccount,
    readings: Readings,
    at: Moment,
    amount: u64,
) -> Result<Health> {
    let quotes = quotes(&market, readings, Borrow, at)?;
    let after = quotes.health_after_borrow(&account, Quote(amount))?;
    Ok(Health::of(&after, quotes.judged_at()))
}

/// How it would stand after withdrawing `amount` collateral atoms.
pub fn health_after_withdrawal(
    market: Market,
    account: MarginAccount,
    readings: Readings,
    at: Moment,
    amount: u64,
) -> Result<Health> {
    let quotes = quotes(&market, readings, Borrow, at)?;
    let after = quotes.health_after_withdrawal(&account, Collateral(amount))?;
    Ok(Health::of(&after, quotes.judged_at()))
}

/// The largest loan that would be granted now, and the rule that binds.
///
/// # Errors
/// The errors that stand in the way of any amount: a pause, a price that is not trusted.
pub fn max_borrow(market: Market, account: MarginAccount, readings: Readings, at: Moment) -> Result<Largest> {
    let most = quotes(&market, readings, Borrow, at)?.max_borrow(&account)?;
    Ok(Largest::new(most.amount.0, most.bound_by))
}

/// The most collateral that could be withdrawn now, and the rule that binds. Without debt it is all, whatever the
/// readings.
///
/// # Errors
/// With debt those that stand in the way of any amount.
pub fn max_withdrawal(market: Market, account: MarginAccount, readings: Readings, at: Moment) -> Result<Largest> {
    if !account.has_debt() {
        return Ok(Largest::new(account.collateral.0, Error::InsufficientCollateral));
    }
    let most = quotes(&market, readings, Borrow, at)?.max_withdrawal(&account)?;
    Ok(Largest::new(most.amount.0, most.bound_by))
}

/// Liquidation of the account, as it would be now.
pub fn liquidation(market: Market, account: MarginAccount, readings: Readings, at: Moment) -> Result<Liquidation> {
    quotes(&market, readings, Liquidate, at)?.liquidation(&account)
}

/// Liquidation of the account, as it would be now, and the part of it that waits.
///
/// # Errors
/// The errors of liquidating, but for a full pipeline.
pub fn preview(market: Market, account: MarginAccount, readings: Readings, at: Moment) -> Result<LiquidationPreview> {
    Ok(quotes(&market, readings, Liquidate, at)?.preview(&account)?.into())
}

/// With how much a guardian can leave now, and why not with more.
///
/// # Errors
/// The errors that stand in the way of any number of shares: the time, a price that is not trusted.
pub fn leaving(market: Market, position: GuardianPosition, readings: Readings, at: Moment) -> Result<Leaving> {
    Ok(quotes(&market, readings, Borrow, at)?.leaving(&position)?.into())
}

/// Yield of the guardians' claim once somebody has put `more` quote atoms into it.
pub fn guardian_yield(market: Market, readings: Readings, at: Moment, more: u64) -> Result<GuardianYield> {
    Ok(quotes(&market, readings, Observe, at)?
        .guardian_yield(Quote(more))?
        .into())
}

/// The backstop's balance sheet.
pub fn balance_sheet(market: Market, readings: Readings, at: Moment) -> Result<BackstopBalanceSheet> {
    Ok(quotes(&market, readings, Observe, at)?.balance_sheet()?.into())
}

/// Payment for `shares` LP shares to a supplier who shows these readings and withdraws in the same transaction.
pub fn lp_value(market: Market, readings: Readings, at: Moment, shares: u64) -> Result<LpValue> {
    Ok(quotes(&market, readings, Observe, at)?
        .lp_value(LpShares(shares))?
        .into())
}

/// Payment for them to a supplier who shows none: at the stored price, as if it had fallen since as far as it may.
pub fn lp_value_stored(market: Market, at: Moment, shares: u64) -> Result<LpValue> {
    Ok(market.lp_value(LpShares(shares), at.into())?.into())
}

/// The backstop's gains and losses from a fall of the price by `drop` bps, at once, if it took over all that is due
/// then.
pub fn shock(market: Market, readings: Readings, at: Moment, drop: u32) -> Result<Shock> {
    Ok(quotes(&market, readings, Observe, at)?.shock(Bps(drop))?.into())
}

/// The backstop's offers now, and at `count` − 1 later moments `every` seconds apart, were prices to stay as they are
/// and nobody to buy.
pub fn offers(market: Market, readings: Readings, at: Moment, every: u32, count: u16) -> Result<List<Offer>> {
    let quotes = quotes(&market, readings, Sell, at)?;
    (0..u32::from(count))
        .map(|step| {
            let seconds = step.saturating_mul(every);
            Ok(Offer::new(
                at.unix.saturating_add(seconds.into()),
                &quotes.offer_in(seconds)?,
            ))
        })
        .collect()
}

/// Purchase of `amount` collateral atoms from the backstop, as it would be now.
pub fn purchase(market: Market, readings: Readings, at: Moment, amount: u64) -> Result<Sale> {
    quotes(&market, readings, Sell, at)?.purchase(Collateral(amount))
}

/// Purchase for `budget` quote atoms, as it would be now.
pub fn purchase_for(market: Market, readings: Readings, at: Moment, budget: u64) -> Result<Sale> {
    quotes(&market, readings, Sell, at)?.purchase_for(Quote(budget))
}

/// The liquidation map, lowest price first. Needs no price.
pub fn heat_map(market: Market, at: Moment) -> Result<List<PriceBand>> {
    (0..BANDS)
        .map(|band| {
            let band = u8::try_from(band).unwrap_or(u8::MAX);
            market.price_band(band, at.into()).map(PriceBand::from)
        })
        .collect()
}

/// Measures of risk at these prices.
pub fn risk(market: Market, readings: Readings, at: Moment) -> Result<Risk> {
    Ok(quotes(&market, readings, Observe, at)?.risk()?.into())
}

/// The cascade curve: where falls by news of 0, `every`, 2 × `every`, … bps end, `count` of them; at once, or over
/// some hours and looked at for a day after that.
pub fn cascade(
    market: Market,
    readings: Readings,
    at: Moment,
    hours: u32,
    every: u32,
    count: u16,
) -> Result<List<CascadePoint>> {
    let curve = quotes(&market, readings, Observe, at)?.cascade()?;
    let point = |step: u32| CascadePoint::new(&curve, Bps(step.saturating_mul(every)), pace(hours));
    Ok((0..u32::from(count)).map(point).collect())
}

/// The curve in a few figures; critical falls at once or over some hours.
pub fn cascade_measures(market: Market, readings: Readings, at: Moment, hours: u32) -> Result<CascadeMeasures> {
    let curve = quotes(&market, readings, Observe, at)?.cascade()?;
    Ok(CascadeMeasures::new(&curve, pace(hours)))
}

fn pace(hours: u32) -> Pace {
    if hours == 0 { Pace::AT_ONCE } else { Pace::hours(hours) }
}

/// The engine's parameter set for examples and tests, within the first limits of a new market; nobody chose it for real
/// money.
pub fn example_config() -> Result<Config> {
    Ok(Config::EXAMPLE.first())
}

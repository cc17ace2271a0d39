//! Reading Pyth accounts: who owns the account, which feed it is, and whether Pyth itself stands behind it. The engine
//! decides if the price is then believed, and what it is trusted for.

use crate::{
    error::{BreakwaterError, OrBreakwaterError},
    events::LevelChanged,
    pyth,
    shown::Shown,
    state::{is_key, key},
};
use anchor_lang::prelude::*;
use breakwater_engine::{
    Clock, FeedPin, Feeds as Pins, Market, Oracle, Prices, Pricing, RawReading, Readings,
    price::oracle::{FEED_PULL, FEED_PUSH, PriceUse},
};

/// The Pyth receiver programs. The SDK's own owner check knows only the first.
pub const RECEIVERS: [Pubkey; 2] = [
    pubkey!("rec5EKMGg6MxZYaMdyBfgwp4d5rB9T1VQH5pJv5LtFJ"),
    pubkey!("rec2HHDDnjLfj4kE7VyEtFA1HPGQLK33259532cRyHp"),
];

/// The price accounts of a market. Each may be left out: what the market knows of that feed counts then, while it is
/// young enough.
#[derive(Accounts)]
pub struct Feeds<'info> {
    /// Price account of the collateral feed.
    /// CHECK: against the market's pin when it is read.
    pub collateral_feed: Option<UncheckedAccount<'info>>,
    /// Price account of the quote feed.
    /// CHECK: against the market's pin when it is read.
    pub quote_feed: Option<UncheckedAccount<'info>>,
    /// Price account of the base feed. Only for markets that count collateral by its redemption.
    /// CHECK: against the market's pin when it is read.
    pub base_feed: Option<UncheckedAccount<'info>>,
    /// Price account of the redemption rate. Only for markets that count collateral by its redemption.
    /// CHECK: against the market's pin when it is read.
    pub rate_feed: Option<UncheckedAccount<'info>>,
}

impl Feeds<'_> {
    /// Decodes the accounts that `oracle` has pinned into `readings`, which are none before; others are not looked at.
    /// Not returned: they are large, and dear to move.
    ///
    /// # Errors
    /// The errors of [`read`].
    #[inline(never)]
    pub fn read(&self, oracle: &Oracle, readings: &mut Readings) -> Result<()> {
        let pins = oracle.feeds();
        let one = |reading: &mut Option<RawReading>, pin: &FeedPin, account: &Option<UncheckedAccount>| -> Result<()> {
            if let Some(account) = account {
                *reading = Some(read(pin, account.as_ref())?);
            }
            Ok(())
        };
        one(&mut readings.collateral, pins.collateral, &self.collateral_feed)?;
        one(&mut readings.quote, pins.quote, &self.quote_feed)?;
        if oracle.has_redemption() {
            one(&mut readings.base, pins.base, &self.base_feed)?;
            one(&mut readings.rate, pins.rate, &self.rate_feed)?;
        }
        Ok(())
    }

    /// Reads the feeds, has the engine accept them, and tells of a change of level.
    ///
    /// # Errors
    /// The errors of [`Feeds::read`] and of [`Market::accept_prices`].
    pub fn accept(&self, market: &mut Market, address: Pubkey, usage: PriceUse, clock: Clock) -> Result<Prices> {
        let mut readings = Readings::NONE;
        self.read(&market.oracle, &mut readings)?;
        told(address, &market.accept_prices(&readings, usage, clock)).copied()
    }

    /// Has the engine accept what is shown by who takes money out of the backstop, if that needs prices at all. It
    /// leaves at the stored prices: who shows nothing relies on those.
    ///
    /// # Errors
    /// The errors of [`Feeds::accept`].
    pub fn show_for_leaving(&self, market: &mut Market, address: Pubkey, clock: Clock) -> Result<()> {
        let shown = self.collateral_feed.is_some() || self.quote_feed.is_some();
        if shown && market.needs_prices(Pricing::Leave) {
            self.accept(market, address, PriceUse::Borrow, clock)?;
        }
        Ok(())
    }

    /// The prices that an action needs, if it needs any now: see [`Market::needs_prices`].
    ///
    /// # Errors
    /// The errors of [`Feeds::accept`].
    pub fn accept_for(
        &self,
        market: &mut Market,
        address: Pubkey,
        action: Pricing,
        clock: Clock,
    ) -> Result<Option<Prices>> {
        if !market.needs_prices(action) {
            return Ok(None);
        }
        self.accept(market, address, PriceUse::Borrow, clock).map(Some)
    }
}

/// The prices that the engine has accepted, once a change of level is told. By reference: they are large, and dear to
/// move.
///
/// # Errors
/// The engine's.
pub fn told(market: Pubkey, accepted: &breakwater_engine::Result<Prices>) -> Result<&Prices> {
    let prices = accepted.as_ref().map_err(|error| *error).or_program_error()?;
    tell(market, prices);
    Ok(prices)
}

/// Emits [`LevelChanged`] if these prices changed the level.
pub fn tell(market: Pubkey, prices: &Prices) {
    if let Some(change) = prices.change() {
        emit!(LevelChanged { market, change });
    }
}

/// Checks the pins that a market is to have: a pull feed must be of a known receiver.
///
/// # Errors
/// [`BreakwaterError::WrongFeedOwner`].
pub fn check_pins(feeds: &Pins) -> Result<()> {
    for pin in feeds.as_ref().each() {
        let known = RECEIVERS.iter().any(|receiver| key(receiver) == pin.owner);
        require!(pin.kind != FEED_PULL || known, BreakwaterError::WrongFeedOwner);
    }
    Ok(())
}

/// Decodes a price account after checking it against the market's pin.
///
/// # Errors
/// [`BreakwaterError::WrongFeed`], [`BreakwaterError::WrongFeedOwner`], [`BreakwaterError::FeedMalformed`],
/// [`BreakwaterError::FeedNotVerified`], [`BreakwaterError::FeedNotTrading`], [`BreakwaterError::FeedKindUnknown`].
pub fn read(pin: &FeedPin, account: impl Shown) -> Result<RawReading> {
    match pin.kind {
        FEED_PULL => read_pull(pin, account),
        FEED_PUSH => read_push(pin, account),
        _ => err!(BreakwaterError::FeedKindUnknown),
    }
}

fn read_pull(pin: &FeedPin, account: impl Shown) -> Result<RawReading> {
    require!(is_key(account.owner(), &pin.owner), BreakwaterError::WrongFeedOwner);
    Ok(pyth::read_pull(&account.data()?, &pin.key)?)
}

fn read_push(pin: &FeedPin, account: impl Shown) -> Result<RawReading> {
    require!(is_key(account.address(), &pin.key), BreakwaterError::WrongFeed);
    require!(is_key(account.owner(), &pin.owner), BreakwaterError::WrongFeedOwner);
    Ok(pyth::read_push(&account.data()?)?)
}

//! A market with everything that quotes need, read from the chain at one moment.

use anchor_lang::prelude::Pubkey;
use breakwater::state::address;
use breakwater_client::{MarketKeys, decode, feeds, quotes::Quotes};
use breakwater_engine::{Clock, Feeds, Market, Readings, price::oracle::PriceUse};

use crate::{
    chain::{Account, CLOCK, Chain, Result, read_clock},
    format::Decimals,
    options::{FeedAccounts, symbol},
};

/// A market at one moment.
pub struct Snapshot {
    /// Name that people know it by.
    pub name: String,
    /// Its addresses, and the price accounts that were read.
    pub keys: MarketKeys,
    /// As it is stored.
    pub market: Market,
    /// The chain's clock.
    pub clock: Clock,
    /// Readings of the price accounts.
    pub readings: Result<Readings>,
    /// The market with these readings, or why it does not take them.
    pub quotes: Result<Quotes>,
    /// The market's account, byte for byte.
    pub data: Vec<u8>,
}

impl Snapshot {
    /// Reads market, clock and price accounts as they are in one slot.
    pub fn at(chain: &Chain, market: &Pubkey, given: &FeedAccounts) -> Result<Self> {
        let stored = chain
            .market(market)?
            .ok_or_else(|| format!("there is no market {market} here"))?;
        let feeds = PriceAccounts::of(&stored, given);
        let mut wanted = vec![
            *market,
            CLOCK,
            address(stored.collateral_mint),
            address(stored.quote_mint),
        ];
        wanted.extend(feeds.known());
        let found = chain.accounts(&wanted)?;
        let [market_account, clock, collateral_mint, quote_mint, read @ ..] = found.as_slice() else {
            return Err("the cluster answered for fewer accounts than were asked for".to_owned());
        };
        let gone = || format!("there is no market {market} here any more");
        let data = market_account.as_ref().ok_or_else(gone)?.1.clone();
        let state = decode::market(&data).map_err(|error| format!("{market}: {error}"))?;
        let clock = read_clock(clock.as_ref())?;
        let program = |mint: &Option<Account>| mint.as_ref().map(|(owner, _)| *owner).unwrap_or_default();
        let none = Pubkey::default();
        let keys = MarketKeys::derive(
            (wanted[2], program(collateral_mint), none),
            (wanted[3], program(quote_mint), none),
            state.id,
        );
        let keys = keys.with_feeds(feeds.shown());
        let readings = feeds.read(read);
        let quotes = readings.clone().and_then(|readings| {
            Quotes::new(&state, &readings, PriceUse::Observe, clock)
                .map_err(|error| format!("the market refuses the prices: {error:?}"))
        });
        Ok(Self {
            name: name(&state),
            keys,
            market: state,
            clock,
            readings,
            quotes,
            data,
        })
    }

    /// Quotes for what needs fresher prices: borrowing, withdrawing, buying. Or why there are none: they are too old,
    /// say.
    pub fn trading(&self) -> breakwater_engine::Result<Quotes> {
        // Where they cannot be read at all there is nothing to show the market.
        let readings = self
            .readings
            .as_ref()
            .map_err(|_| breakwater_engine::Error::PriceRequired)?;
        Quotes::new(&self.market, readings, PriceUse::Borrow, self.clock)
    }

    /// Decimals of its two tokens.
    pub fn decimals(&self) -> Decimals {
        Decimals {
            collateral: self.market.collateral_decimals,
            quote: self.market.quote_decimals,
        }
    }

    /// The symbols of collateral and quote.
    pub fn symbols(&self) -> (String, String) {
        (symbol(&self.keys.collateral_mint), symbol(&self.keys.quote_mint))
    }

    /// Seconds since the collateral's price was published.
    pub fn price_age(&self) -> Option<i64> {
        let readings = self.readings.as_ref().ok()?;
        Some(self.clock.unix - readings.collateral?.publish_time)
    }
}

/// Name that people know a market by.
pub fn name(market: &Market) -> String {
    let [collateral, quote] = [market.collateral_mint, market.quote_mint].map(|mint| symbol(&address(mint)));
    match market.id {
        0 => format!("{collateral}/{quote}"),
        id => format!("{collateral}/{quote}#{id}"),
    }
}

/// A market's pins and the accounts to read for them.
pub struct PriceAccounts {
    pins: Feeds,
    /// `None` for a pin without a known account, or no pin.
    pub addresses: Feeds<Option<Pubkey>>,
}

impl PriceAccounts {
    /// The accounts given, else the usual ones.
    pub fn of(market: &Market, given: &FeedAccounts) -> Self {
        let pins = market.oracle.feeds().copied();
        let addresses = pins.zip(given.named()).map(|(pin, given)| {
            given
                .or_else(|| feeds::default_account(&pin))
                .filter(|_| !pin.is_none())
        });
        Self { pins, addresses }
    }

    fn known(&self) -> impl Iterator<Item = Pubkey> {
        self.addresses.each().into_iter().flatten()
    }

    /// The accounts to show: as [`PriceAccounts::addresses`], but nobody's for a pin without a known one.
    fn shown(&self) -> Feeds<Option<Pubkey>> {
        let all = self.pins.zip(self.addresses);
        all.map(|(pin, address)| (!pin.is_none()).then(|| address.unwrap_or_default()))
    }

    /// Decodes what was found, account by account of [`PriceAccounts::known`].
    fn read(&self, found: &[Option<Account>]) -> Result<Readings> {
        let mut found = found.iter();
        let all = Feeds::NAMES.zip(self.pins.zip(self.addresses));
        let readings = all.try_map(|(name, (pin, address))| {
            if pin.is_none() {
                return Ok(None);
            }
            let address = address
                .ok_or_else(|| format!("no account is known for the {name} feed: give one with --{name}-feed"))?;
            let (owner, data) = found
                .next()
                .and_then(Option::as_ref)
                .ok_or_else(|| format!("the {name} feed's account {address} does not exist"))?;
            let read = feeds::read(&pin, &address, owner, data);
            read.map(Some)
                .map_err(|error| format!("{name} feed {address}: {error}"))
        })?;
        if readings.collateral.is_none() || readings.quote.is_none() {
            return Err("the market pins no feeds".to_owned());
        }
        Ok(readings)
    }
}

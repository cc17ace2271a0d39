//! One look at a market: everything that a decision needs, of one slot.

use anchor_lang::prelude::{Pubkey, pubkey};
use breakwater_client::{MarketKeys, addresses, decode};
use breakwater_engine::{Clock, Feeds, KeeperLedger, Key, Market, Readings};

use crate::{
    chain::{Answer, At, Chain},
    prices::{Account, Updates, candidates, newest},
    rotation::Trouble,
};

/// The account in which the cluster keeps its clock.
const CLOCK: Pubkey = pubkey!("SysvarC1ock11111111111111111111111111111111");

/// State seen in one look.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The market.
    pub market: Box<Market>,
    /// The cluster's clock.
    pub clock: Clock,
    /// The slot that the node says it is of.
    pub slot: u64,
    /// Ledger of the market's debt to this keeper; `None` if it is not open.
    pub ledger: Option<KeeperLedger>,
    /// Lamports that the keeper has for fees.
    pub lamports: u64,
    /// The newest readings in accounts that the market would take.
    pub prices: Shown,
}

/// Readings to show. A feed without one is left out: what the market knows of it counts then, while it is young enough.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    /// The readings.
    pub readings: Readings,
    /// The accounts that they are from.
    pub accounts: Feeds<Option<Pubkey>>,
}

/// The accounts that may be shown for each pin of a market; none for a pin of no feed.
#[must_use]
pub fn feed_accounts(pins: &Feeds, updates: &impl Updates) -> Feeds<Vec<Pubkey>> {
    pins.as_ref().map(|pin| {
        if pin.is_none() {
            Vec::new()
        } else {
            candidates(updates, pin)
        }
    })
}

/// A market alone, and the token programs of its mints: to begin with.
///
/// # Errors
/// [`Trouble`].
pub async fn first_snapshot(chain: &impl Chain, address: Pubkey) -> Answer<(Box<Market>, MarketKeys)> {
    let At { value, .. } = chain.accounts(&[address]).await?;
    let market = read_market(&address, value.first().and_then(Option::as_ref))?;
    let mints = [market.collateral_mint, market.quote_mint].map(|key| Pubkey::new_from_array(key.0));
    let At { value, .. } = chain.accounts(&mints).await?;
    let programs: Vec<Pubkey> = value.iter().flatten().map(|account| account.owner).collect();
    let [collateral_program, quote_program] = programs[..] else {
        return Err(Trouble::Wrong("the market's mints are not there".to_owned()));
    };
    let none = Pubkey::default();
    let keys = MarketKeys::derive(
        (mints[0], collateral_program, none),
        (mints[1], quote_program, none),
        market.id,
    );
    if keys.market != address {
        return Err(Trouble::Wrong(
            "the market's mints are not those of its address".to_owned(),
        ));
    }
    Ok((market, keys))
}

fn read_market(address: &Pubkey, account: Option<&Account>) -> Answer<Box<Market>> {
    let account = account.ok_or_else(|| Trouble::Wrong(format!("there is no account {address}")))?;
    if account.owner != breakwater::ID {
        return Err(Trouble::Wrong(format!(
            "{address} belongs to {}, not to {}",
            account.owner,
            breakwater::ID
        )));
    }
    let market = decode::market(&account.data).map_err(|error| Trouble::Wrong(format!("{address}: {error}")))?;
    Ok(Box::new(market))
}

/// Looks at a market. `feeds` are the accounts that may be shown for each of its pins.
///
/// # Errors
/// [`Trouble`].
pub async fn snapshot(
    chain: &impl Chain,
    address: &Pubkey,
    keeper: &Pubkey,
    feeds: &Feeds<Vec<Pubkey>>,
) -> Answer<Snapshot> {
    let fixed = [*address, addresses::keeper_ledger(address, keeper), CLOCK, *keeper];
    let feed_accounts = feeds.as_ref().each().into_iter().flatten();
    let asked: Vec<Pubkey> = fixed.iter().chain(feed_accounts).copied().collect();
    let At { slot, value } = chain.accounts(&asked).await?;
    let [market, ledger, clock, payer] = &value[..fixed.len()] else {
        return Err(Trouble::Wrong("fewer accounts than asked for".to_owned()));
    };
    let market = read_market(address, market.as_ref())?;
    let ledger = match ledger.as_ref().filter(|ledger| !ledger.data.is_empty()) {
        None => None,
        Some(ledger) => {
            let ledger = decode::keeper_ledger(&ledger.data);
            Some(ledger.map_err(|error| Trouble::Wrong(format!("the keeper's ledger: {error}")))?)
        }
    };
    let clock = clock
        .as_ref()
        .ok_or_else(|| Trouble::Wrong("there is no clock".to_owned()))?;
    let shown = asked.iter().zip(&value).skip(fixed.len());
    let shown: Vec<(Pubkey, &Account)> = shown
        .filter_map(|(address, account)| account.as_ref().map(|account| (*address, account)))
        .collect();
    let prices = read_prices(&market, feeds, &shown);
    Ok(Snapshot {
        prices,
        market,
        clock: read_clock(&clock.data)?,
        slot,
        ledger,
        lamports: payer.as_ref().map_or(0, |payer| payer.lamports),
    })
}

/// The clock's account: slot, start of the epoch, epoch, epoch of the leader schedule, time; 8 bytes each.
fn read_clock(data: &[u8]) -> Answer<Clock> {
    let words: [u64; 5] =
        bytemuck::try_pod_read_unaligned(data).map_err(|_| Trouble::Wrong("the clock cannot be read".to_owned()))?;
    Ok(Clock {
        slot: words[0],
        unix: words[4].cast_signed(),
    })
}

fn read_prices(market: &Market, feeds: &Feeds<Vec<Pubkey>>, shown: &[(Pubkey, &Account)]) -> Shown {
    let mut found = market.oracle.feeds().zip(feeds.as_ref()).map(|(pin, accounts)| {
        if pin.is_none() {
            return None;
        }
        let shown = shown.iter().copied();
        newest(pin, shown.filter(|(address, _)| accounts.contains(address)))
    });
    if found.base.is_none() || found.rate.is_none() {
        // They are shown together or not at all.
        (found.base, found.rate) = (None, None);
    }
    Shown {
        readings: found.map(|found| found.map(|(_, reading)| reading)),
        accounts: found.map(|found| found.map(|(address, _)| address)),
    }
}

impl Shown {
    /// The market's addresses with these price accounts.
    #[must_use]
    pub fn keys(&self, keys: &MarketKeys) -> MarketKeys {
        keys.with_feeds(self.accounts)
    }
}

/// The debt shares of all margin accounts, by the market's own books.
#[must_use]
pub fn account_shares(market: &Market) -> u128 {
    let books = &market.books;
    u128::from(books.pool.debt_shares.0).saturating_sub(u128::from(books.backstop.debt_shares.0))
}

/// An address as the engine stores it.
#[must_use]
pub fn key(address: &Pubkey) -> Key {
    Key(address.to_bytes())
}

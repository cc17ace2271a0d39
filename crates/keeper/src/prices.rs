//! Which price accounts to show.

use std::collections::HashMap;

use anchor_lang::prelude::{AccountInfo, Pubkey};
use breakwater::feeds;
use breakwater_client::pyth::{FeedId, Update};
use breakwater_engine::{FeedPin, RawReading, price::oracle::FEED_PUSH};

/// Where updates of pull feeds come from.
///
/// [`Posted`] expects that somebody else posts them, and only picks among their accounts. [`Live`](crate::hermes::Live)
/// fetches signed updates besides; the keeper posts those itself where it pays ([`crate::post`]).
pub trait Updates {
    /// Accounts that may hold an update of this feed.
    fn candidates(&self, pin: &FeedPin) -> Vec<Pubkey>;

    /// Called at each look, with the pull feeds of the market: fetches what is new.
    fn refresh(&mut self, feeds: &[FeedId]) -> impl Future<Output = ()> + Send {
        let _ = feeds;
        std::future::ready(())
    }

    /// The newest update that was fetched.
    fn newest(&self) -> Option<&Update> {
        None
    }

    /// Forgets it: the chain would not believe it, so that no older one need be newer.
    fn forget(&mut self) {}

    /// The shard whose accounts the keeper posts to; `None` if it posts nothing.
    fn shard(&self) -> Option<u16> {
        None
    }
}

/// Updates that others post: to accounts given in the configuration, or else to the one that Pyth keeps (shard 0 of the
/// price feed program of the market's receiver).
#[derive(Clone, Debug, Default)]
pub struct Posted {
    given: HashMap<[u8; 32], Vec<Pubkey>>,
}

impl Posted {
    /// With these accounts: feed id, account.
    #[must_use]
    pub fn at(accounts: impl IntoIterator<Item = ([u8; 32], Pubkey)>) -> Self {
        let mut given: HashMap<[u8; 32], Vec<Pubkey>> = HashMap::new();
        for (feed, account) in accounts {
            given.entry(feed).or_default().push(account);
        }
        Self { given }
    }
}

impl Updates for Posted {
    fn candidates(&self, pin: &FeedPin) -> Vec<Pubkey> {
        let kept = || breakwater_client::feeds::default_account(pin).into_iter().collect();
        self.given.get(&pin.key.0).cloned().unwrap_or_else(kept)
    }
}

/// The accounts that may be shown for a pin: a push feed is its own account.
#[must_use]
pub fn candidates(updates: &impl Updates, pin: &FeedPin) -> Vec<Pubkey> {
    if pin.kind == FEED_PUSH {
        vec![Pubkey::new_from_array(pin.key.0)]
    } else {
        updates.candidates(pin)
    }
}

/// An account as a node gives it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// The program that it belongs to.
    pub owner: Pubkey,
    /// Its contents.
    pub data: Vec<u8>,
    /// Its balance.
    pub lamports: u64,
}

/// The newest reading among the accounts that the market would take for this pin, as the program itself reads them.
#[must_use]
pub fn newest<'a>(
    pin: &FeedPin,
    accounts: impl IntoIterator<Item = (Pubkey, &'a Account)>,
) -> Option<(Pubkey, RawReading)> {
    let readings = accounts.into_iter().filter_map(|(address, account)| {
        let (mut lamports, mut data) = (account.lamports, account.data.clone());
        let info = AccountInfo::new(&address, false, false, &mut lamports, &mut data, &account.owner, false);
        let reading = feeds::read(pin, &info).ok()?;
        Some((address, reading))
    });
    readings.max_by_key(|(_, reading)| reading.publish_time)
}

#[cfg(test)]
mod tests {
    use super::*;
    use anchor_lang::prelude::pubkey;
    use breakwater_engine::{Key, price::oracle::FEED_PULL};
    use breakwater_testkit::pyth::{PullUpdate, Quotation, Verification, feed_id_for, usd};

    fn pin() -> FeedPin {
        FeedPin {
            key: Key(feed_id_for("SOL/USD")),
            owner: Key(breakwater_testkit::pyth::RECEIVERS[0].to_bytes()),
            kind: FEED_PULL,
            padding: [0; 7],
        }
    }

    fn account(update: &PullUpdate) -> Account {
        let account = update.account();
        Account {
            owner: account.owner,
            data: account.data,
            lamports: account.lamports,
        }
    }

    #[test]
    fn the_newest_update_that_the_market_would_take_is_shown() {
        let update = |symbol: &str, time| {
            PullUpdate::verified(feed_id_for(symbol), Quotation::settled(usd(100), -8, 0, time), 1)
        };
        let partial = PullUpdate {
            verification: Verification::Partial(5),
            ..update("SOL/USD", 400)
        };
        let stranger = PullUpdate {
            receiver: Pubkey::new_from_array([4; 32]),
            ..update("SOL/USD", 400)
        };
        let all = [
            update("SOL/USD", 100),
            update("SOL/USD", 300),
            update("SOL/USD", 200),
            partial,
            stranger,
            update("ETH/USD", 400),
        ];
        let accounts: Vec<(Pubkey, Account)> = (0..)
            .zip(&all)
            .map(|(number, update)| (Pubkey::new_from_array([number; 32]), account(update)))
            .collect();
        let shown = newest(&pin(), accounts.iter().map(|(address, account)| (*address, account)));
        let (address, reading) = shown.unwrap();
        assert_eq!((address, reading.publish_time), (Pubkey::new_from_array([1; 32]), 300));
        assert_eq!(
            newest(
                &pin(),
                accounts[3..].iter().map(|(address, account)| (*address, account))
            ),
            None
        );
    }

    #[test]
    fn without_an_account_in_the_configuration_pyths_own_is_asked() {
        // Documented by Pyth for SOL/USD.
        let id = "ef0d8b6fda2ceba41da15d4095d1da392a0d2f8ed0c6c7bc0f4cfac8c280b56d";
        let mut pin = pin();
        pin.key.0 = crate::hermes::feed_id(id).unwrap();
        assert_eq!(
            candidates(&Posted::default(), &pin),
            [pubkey!("7UVimffxr9ow1uXYxsr4LHAcV58mLzhmwaeKvJ1pjLiE")]
        );
        let own = Pubkey::new_from_array([5; 32]);
        assert_eq!(candidates(&Posted::at([(pin.key.0, own)]), &pin), [own]);
        pin.kind = FEED_PUSH;
        assert_eq!(
            candidates(&Posted::at([(pin.key.0, own)]), &pin),
            [Pubkey::new_from_array(pin.key.0)]
        );
    }
}

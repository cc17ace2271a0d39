//! Going back: the same beginning for many attempts.

use super::{Feed, World};
use anchor_lang::prelude::Pubkey;
use solana_account::Account;
use std::collections::BTreeMap;

/// Everything that a world knew at one moment.
#[derive(Clone, Debug)]
pub struct Snapshot {
    accounts: BTreeMap<Pubkey, Option<Account>>,
    feeds: BTreeMap<Pubkey, Feed>,
    unix: i64,
    slot: u64,
}

impl Snapshot {
    /// An account as it was, `None` if there was none.
    #[must_use]
    pub fn account(&self, address: &Pubkey) -> Option<&Account> {
        self.accounts.get(address)?.as_ref()
    }
}

impl World {
    /// The accounts that the world knows, its feeds and its time.
    #[must_use]
    pub fn snapshot(&mut self) -> Snapshot {
        let known: Vec<Pubkey> = self.known.iter().copied().collect();
        Snapshot {
            accounts: known
                .into_iter()
                .map(|address| (address, self.account(&address)))
                .collect(),
            feeds: self.feeds.clone(),
            unix: self.unix,
            slot: self.slot,
        }
    }

    /// [`World::snapshot`], and these accounts, whether they exist or not.
    #[must_use]
    pub fn snapshot_with(&mut self, also: impl IntoIterator<Item = Pubkey>) -> Snapshot {
        self.known.extend(also);
        self.snapshot()
    }

    /// The accounts that are not as they were, to the byte; but for the fee payer.
    #[must_use]
    pub fn changed_since(&mut self, snapshot: &Snapshot) -> Vec<Pubkey> {
        let payer = self.payer.key();
        let known: Vec<Pubkey> = self.known.iter().copied().collect();
        let changed = known
            .into_iter()
            .filter(|address| *address != payer && self.account(address).as_ref() != snapshot.account(address));
        changed.collect()
    }

    /// Puts everything back as it was. Accounts that the world has learned of since are emptied.
    pub fn restore(&mut self, snapshot: &Snapshot) {
        let payer = self.payer.key();
        let since: Vec<Pubkey> = self.known.iter().copied().collect();
        for address in since.into_iter().filter(|address| *address != payer) {
            let before = snapshot.accounts.get(&address).cloned().flatten();
            if self.account(&address) != before {
                self.set_account(&address, before.unwrap_or_default());
            }
        }
        self.feeds.clone_from(&snapshot.feeds);
        self.set_clock(snapshot.unix, snapshot.slot);
    }
}

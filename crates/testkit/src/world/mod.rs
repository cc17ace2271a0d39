//! A chain with the program on it, and everything that a test knows of it.

mod actions;
mod feeds;
mod governance;
mod guardians;
mod markets;
mod snapshot;
mod tokens;
mod transactions;
mod unchanged;

#[cfg(test)]
mod tests;

pub use actions::Position;
pub use feeds::{Feed, FeedSpec};
pub use markets::{MarketSpec, default_config};
pub use snapshot::Snapshot;
pub use transactions::TRANSACTION_BYTES;

use crate::{
    actor::Actor,
    backend::{Backend, BackendKind},
    identities::Holders,
    program_file::{breakwater_program, pyth_programs, rent_exempt},
    pyth::Routers,
};
use anchor_lang::{prelude::Pubkey, system_program};
use breakwater_client::{
    MarketKeys,
    pyth::{Stack, routers::ProgramAccount},
};
use solana_account::Account;
use std::collections::{BTreeMap, BTreeSet};

/// When every world begins: seconds since 1970.
pub const START: i64 = 1_700_000_000;

/// The slot in which every world begins.
pub const START_SLOT: u64 = 1_000_000;

/// Lamports that an actor is given to pay rent with.
const LAMPORTS: u64 = 1_000_000_000_000;

/// A chain with the compiled program on it, and a record of the accounts that a test has made. Time stands still
/// unless the test moves it. After every successful transaction the money identities of every market are checked.
pub struct World {
    backend: Box<dyn Backend>,
    /// Pays the fees, and nothing else.
    payer: Actor,
    authority: Actor,
    unix: i64,
    slot: u64,
    transactions: u64,
    feeds: BTreeMap<Pubkey, Feed>,
    markets: Vec<MarketKeys>,
    holders: Holders,
    known: BTreeSet<Pubkey>,
    check_identities: bool,
    check_budgets: bool,
    /// Accounts as they were when watching began, while [`World::expect_unchanged`] runs.
    watched: Option<BTreeMap<Pubkey, Option<Account>>>,
}

impl World {
    /// A world on this backend, running the program that [`breakwater_program`] finds.
    ///
    /// # Panics
    /// If the program has not been built.
    #[must_use]
    pub fn new(backend: BackendKind) -> Self {
        let authority = Actor::new("upgrade authority");
        let programs = [(breakwater::ID, authority.key(), breakwater_program())];
        Self::on(backend.start(&programs), &authority)
    }

    /// A world on `solana-program-test`.
    #[must_use]
    pub fn program_test() -> Self {
        Self::new(BackendKind::ProgramTest)
    }

    /// A world on LiteSVM: the faster one.
    #[must_use]
    pub fn lite() -> Self {
        Self::new(BackendKind::LiteSvm)
    }

    /// A world on LiteSVM in which Pyth's programs run as well, on both stacks, as the test double: what these routers
    /// sign is believed there.
    ///
    /// # Panics
    /// If the program or the double has not been built.
    #[must_use]
    pub fn with_pyth(routers: &Routers) -> Self {
        let authority = Actor::new("upgrade authority");
        let mut programs = vec![(breakwater::ID, authority.key(), breakwater_program())];
        programs.extend(pyth_programs());
        let mut world = Self::on(BackendKind::LiteSvm.start(&programs), &authority);
        world.believe(routers);
        world
    }

    /// Makes Pyth's programs, on both stacks, believe what these routers sign from now on.
    pub fn believe(&mut self, routers: &Routers) {
        self.believe_until(routers, 0);
    }

    /// The same, until the set ends: seconds since 1970, 0 for never.
    pub fn believe_until(&mut self, routers: &Routers, ends: u32) {
        let accounts = Stack::ALL.iter().flat_map(|stack| routers.accounts(stack, ends));
        for (address, ProgramAccount { owner, data }) in accounts {
            let account = Account {
                lamports: rent_exempt(data.len()),
                data,
                owner,
                executable: false,
                rent_epoch: u64::MAX,
            };
            self.set_account(&address, account);
        }
    }

    /// A world on a backend that already holds the programs it needs. `authority` is the upgrade authority.
    #[must_use]
    pub fn on(backend: Box<dyn Backend>, authority: &Actor) -> Self {
        let mut world = Self {
            backend,
            payer: Actor::new("fee payer"),
            authority: authority.clone(),
            unix: START,
            slot: START_SLOT,
            transactions: 0,
            feeds: BTreeMap::new(),
            markets: Vec::new(),
            holders: Holders::default(),
            known: BTreeSet::new(),
            check_identities: true,
            check_budgets: true,
            watched: None,
        };
        let payer = world.payer.key();
        world.give_lamports(&payer, LAMPORTS);
        world.give_lamports(&authority.key(), LAMPORTS);
        world.backend.set_clock(world.unix, world.slot);
        world
    }

    /// The actor of this name, with lamports.
    pub fn actor(&mut self, name: &str) -> Actor {
        let actor = Actor::new(name);
        if self.account(&actor.key()).is_none() {
            self.give_lamports(&actor.key(), LAMPORTS);
        }
        actor
    }

    /// The program's upgrade authority, who becomes the protocol's authority.
    #[must_use]
    pub fn authority(&self) -> &Actor {
        &self.authority
    }

    /// Seconds since 1970, as programs see them.
    #[must_use]
    pub fn unix(&self) -> i64 {
        self.unix
    }

    /// The slot, as programs see it.
    #[must_use]
    pub fn slot(&self) -> u64 {
        self.slot
    }

    /// Moves time on, by 5 slots in 2 seconds, and publishes every feed again at the new time.
    pub fn advance(&mut self, seconds: u32) {
        self.advance_silently(seconds);
        self.publish_all();
    }

    /// Moves time on and leaves the feeds as they are, so that they grow old.
    pub fn advance_silently(&mut self, seconds: u32) {
        let slots = (u64::from(seconds) * 5).div_ceil(2);
        self.set_clock(self.unix + i64::from(seconds), self.slot + slots);
    }

    /// Moves to the next slot of the same second.
    pub fn next_slot(&mut self) {
        self.set_clock(self.unix, self.slot + 1);
    }

    /// Sets time to anything.
    pub fn set_clock(&mut self, unix: i64, slot: u64) {
        (self.unix, self.slot) = (unix, slot);
        self.backend.set_clock(unix, slot);
    }

    /// Turns the check of the money identities after every successful transaction on or off; it is on at first. Turn it
    /// off where thousands of accounts would make that slow, and call [`World::assert_identities`] now and then.
    pub fn check_identities(&mut self, check: bool) {
        self.check_identities = check;
    }

    /// Turns the comparison of every successful transaction with the client's compute budget on or off. It is on at
    /// first: the budgets are for markets that somebody touches once a year.
    pub fn check_budgets(&mut self, check: bool) {
        self.check_budgets = check;
    }

    /// The account at an address, `None` if there is none.
    pub fn account(&mut self, address: &Pubkey) -> Option<Account> {
        self.backend.account(address).filter(|account| account.lamports > 0)
    }

    /// The account at an address.
    ///
    /// # Panics
    /// If there is none.
    #[track_caller]
    pub fn existing_account(&mut self, address: &Pubkey) -> Account {
        self.account(address)
            .unwrap_or_else(|| panic!("there is no account {address}"))
    }

    /// Writes an account, whoever owns it.
    pub fn set_account(&mut self, address: &Pubkey, account: Account) {
        self.known.insert(*address);
        self.backend.set_account(address, account);
    }

    /// Writes an account that holds lamports only.
    pub fn give_lamports(&mut self, address: &Pubkey, lamports: u64) {
        self.set_account(
            address,
            Account {
                lamports,
                owner: system_program::ID,
                ..Account::default()
            },
        );
    }

    pub(crate) fn know(&mut self, address: &Pubkey) {
        self.known.insert(*address);
    }

    pub(crate) fn holders(&mut self) -> &mut Holders {
        &mut self.holders
    }

    /// The markets of this world, in order of creation.
    #[must_use]
    pub fn markets(&self) -> &[MarketKeys] {
        &self.markets
    }
}

//! The cells of one instruction: each is one wrong account in one slot.

use super::{
    exceptions::ALLOWED,
    expected::{Code, Given, expected, first_found},
    fixture::Fixture,
    fixtures,
    slots::{Class, REMAINING},
    substitutes::{Change, Kind, Place, Substitute, substitutes},
};
use crate::governance::idl::{self, Slot};
use anchor_lang::{Discriminator, prelude::Pubkey, solana_program::instruction::Instruction};
use breakwater::state;
use breakwater_testkit::{Account, Actor, ExpectedError, Failure, Outcome, Snapshot};
use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// One wrong account; or more, where they are wrong together.
#[derive(Clone, Debug)]
pub struct Cell {
    /// In which slot.
    pub place: Place,
    /// Which of the slots that is.
    index: usize,
    /// The wrong account.
    pub substitute: Substitute,
}

impl Cell {
    /// True if it is in the slot of this number.
    pub fn is_at(&self, index: usize) -> bool {
        self.index == index || matches!(self.substitute.change, Change::Swap(other, _) if other == index)
    }
}

/// Result of a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Refused, with an error that is right, and nothing changed.
    Refused,
    /// Went through, as the line of [`ALLOWED`] of this number says, and all money is accounted for.
    Allowed(usize),
    /// Anything else.
    Wrong(String),
}

/// How many bytes at the beginning of the data say which instruction it is.
const DISCRIMINATOR_LEN: usize = 8;

/// An honest instruction, its slots, and how the world is before it.
pub struct Cells {
    name: String,
    /// Its slots, the remaining accounts behind the declared ones.
    pub places: Vec<Place>,
    /// All cells.
    pub all: Vec<Cell>,
    honest: Instruction,
    before: Snapshot,
}

/// The slots of an instruction as the IDL has them, and those of the accounts behind them.
fn places(name: &str, honest: &Instruction) -> Vec<Place> {
    let declared = idl::instructions().remove(name).expect("an instruction of the IDL");
    let remaining = (declared.len()..honest.accounts.len()).map(|index| Slot {
        name: format!("{REMAINING}{}", index - declared.len()),
        signer: false,
        writable: true,
        optional: false,
    });
    let last = declared.len() - 1;
    let slots: Vec<Slot> = declared.iter().cloned().chain(remaining).collect();
    assert_eq!(slots.len(), honest.accounts.len(), "accounts of the honest {name}");
    let places = slots.into_iter().zip(&honest.accounts).enumerate();
    let places = places.map(|(index, (slot, meta))| {
        let class = Class::of(name, &slot);
        let class = class.unwrap_or_else(|| panic!("matrix/slots.rs does not say what {} of {name} is", slot.name));
        let flags = (meta.is_signer, meta.is_writable);
        assert_eq!(
            flags,
            (slot.signer, slot.writable),
            "{} of the honest {name}",
            slot.name
        );
        Place {
            slot,
            class,
            honest: meta.clone(),
            is_last: index == last,
        }
    });
    places.collect()
}

/// An account too few, and a byte of the data.
fn too_short(honest: &Instruction) -> [Substitute; 2] {
    let data = if honest.data.len() > DISCRIMINATOR_LEN {
        Given::ShortArguments
    } else {
        Given::ShortDiscriminator
    };
    [
        (Kind::TooFew, Given::Missing, Change::Truncate),
        (Kind::ShortData, data, Change::CutData),
    ]
    .map(|(kind, given, change)| Substitute { kind, given, change })
}

impl Cells {
    /// Cells of this instruction. The world is then as it is before the honest form, which goes through.
    ///
    /// # Panics
    /// If it has no honest form, or that is refused, or a slot has no class.
    pub fn of(fixture: &mut Fixture, name: &str) -> Self {
        let honest = fixtures::honest(fixture, name);
        let places = places(name, &honest);
        let mut all = Vec::new();
        for (index, place) in places.iter().enumerate() {
            for substitute in substitutes(fixture, &places, index) {
                // The program's own address says that an optional account was left out: there is nothing to rewrite.
                let left_out = place.honest.pubkey == breakwater::ID;
                if left_out && matches!(substitute.change, Change::Rewrite(_)) {
                    continue;
                }
                all.push(Cell {
                    place: place.clone(),
                    index,
                    substitute,
                });
            }
            if place.is_last {
                all.extend(too_short(&honest).map(|substitute| Cell {
                    place: place.clone(),
                    index,
                    substitute,
                }));
            }
        }
        let put = all.iter().flat_map(|cell| match &cell.substitute.change {
            Change::Put(address) => vec![*address],
            Change::PutAll(address, others) => others.iter().map(|(_, other)| *other).chain([*address]).collect(),
            _ => vec![],
        });
        let named = honest.accounts.iter().map(|meta| meta.pubkey).chain(put);
        let before = fixture.cast.world.snapshot_with(named);
        if let Err(failure) = send(fixture, honest.clone()) {
            panic!("the honest {name} is refused: {failure:?}");
        }
        fixture.cast.world.restore(&before);
        Self {
            name: name.to_owned(),
            places,
            all,
            honest,
            before,
        }
    }

    /// Tries a cell, and leaves the world as it was before.
    pub fn judge(&self, fixture: &mut Fixture, cell: &Cell) -> Verdict {
        let (bent, rewritten) = self.bend(fixture, cell);
        let result = send(fixture, bent);
        let verdict = match result {
            Ok(_) => {
                // What was taken away for the cell, and left alone by the program, counts where the money is.
                if let Some((address, account)) = &rewritten
                    && fixture.cast.world.account(address).unwrap_or_default() == *account
                {
                    let honest = self.before.account(address).cloned();
                    fixture.cast.world.set_account(address, honest.unwrap_or_default());
                }
                self.went_through(fixture, cell)
            }
            Err(failure) => {
                let mut changed = fixture.cast.world.changed_since(&self.before);
                if let Some((address, account)) = &rewritten {
                    let now = fixture.cast.world.account(address).unwrap_or_default();
                    changed.retain(|other| other != address || now != *account);
                }
                self.was_refused(cell, &failure, &changed)
            }
        };
        // Most cells change nothing.
        if rewritten.is_some() || verdict != Verdict::Refused {
            fixture.cast.world.restore(&self.before);
        }
        verdict
    }

    /// The instruction as the cell has it, and what was rewritten for it in the world.
    fn bend(&self, fixture: &mut Fixture, cell: &Cell) -> (Instruction, Option<(Pubkey, Account)>) {
        let mut bent = self.honest.clone();
        let meta = &mut bent.accounts[cell.index];
        let mut rewritten = None;
        match &cell.substitute.change {
            Change::Put(address) => meta.pubkey = *address,
            Change::PutAll(address, others) => {
                meta.pubkey = *address;
                for (index, address) in others {
                    bent.accounts[*index].pubkey = *address;
                }
            }
            Change::Unsigned => meta.is_signer = false,
            Change::ReadOnly => meta.is_writable = false,
            Change::LeaveOut(market, account) => {
                meta.pubkey = breakwater::ID;
                rewritten = Some((*market, account.clone()));
            }
            Change::Rewrite(account) => rewritten = Some((meta.pubkey, account.clone())),
            Change::Swap(other, _) => {
                meta.pubkey = self.places[*other].honest.pubkey;
                bent.accounts[*other].pubkey = cell.place.honest.pubkey;
            }
            Change::Truncate => bent.accounts.truncate(cell.index),
            Change::CutData => {
                bent.data.pop();
            }
        }
        if let Some((address, account)) = &rewritten {
            fixture.cast.world.set_account(address, account.clone());
        }
        (bent, rewritten)
    }

    /// The places in which something is wrong, and what is given there.
    fn wrong<'a>(&'a self, cell: &'a Cell) -> impl Iterator<Item = (&'a Place, Given)> {
        let other = match cell.substitute.change {
            Change::Swap(other, given) => Some((&self.places[other], given)),
            _ => None,
        };
        [(&cell.place, cell.substitute.given)].into_iter().chain(other)
    }

    fn line(&self, (place, given): (&Place, Given)) -> Option<usize> {
        ALLOWED
            .iter()
            .position(|line| line.covers(&self.name, place.class, given))
    }

    /// The line that lets a cell through: where two accounts are wrong, that of the first, if both may be.
    fn allowed(&self, cell: &Cell) -> Option<usize> {
        let lines: Option<Vec<usize>> = self.wrong(cell).map(|wrong| self.line(wrong)).collect();
        lines?.first().copied()
    }

    /// The errors that are right.
    fn codes(&self, cell: &Cell) -> Vec<Code> {
        let refused = self.wrong(cell).filter(|wrong| self.line(*wrong).is_none());
        let of_each = refused.map(|(place, given)| {
            let codes = expected(&self.name, &place.slot, place.class, given);
            (place.class, codes)
        });
        first_found(of_each.collect())
    }

    fn went_through(&self, fixture: &mut Fixture, cell: &Cell) -> Verdict {
        let Some(line) = self.allowed(cell) else {
            return Verdict::Wrong(format!("went through; expected {}", self.right(cell)));
        };
        let world = &mut fixture.cast.world;
        match catch_unwind(AssertUnwindSafe(|| world.assert_identities())) {
            Ok(()) => Verdict::Allowed(line),
            Err(_) => Verdict::Wrong("went through as it may, but money is missing".to_owned()),
        }
    }

    fn was_refused(&self, cell: &Cell, failure: &Failure, changed: &[Pubkey]) -> Verdict {
        if let Some(line) = self.allowed(cell) {
            let why = ALLOWED[line].why;
            return Verdict::Wrong(format!("refused with {failure}, but should go through: {why}"));
        }
        let codes = self.codes(cell);
        if !codes.iter().any(|code| code.is(failure)) {
            return Verdict::Wrong(format!("refused with {failure}; expected {}", self.right(cell)));
        }
        if !changed.is_empty() {
            return Verdict::Wrong(format!("refused with {failure}, but these have changed: {changed:?}"));
        }
        Verdict::Refused
    }

    fn right(&self, cell: &Cell) -> String {
        let names: Vec<String> = self.codes(cell).iter().map(ExpectedError::describe).collect();
        names.join(" or ")
    }

    /// A cell as it is called in messages.
    pub fn title(&self, cell: &Cell) -> String {
        let Substitute { kind, given, change } = &cell.substitute;
        let (slot, class) = (&cell.place.slot.name, cell.place.class);
        let which = match change {
            Change::Put(address) | Change::PutAll(address, _) => self.which(address),
            Change::Swap(other, there) => format!(" from {}, which gets {there:?}", self.places[*other].slot.name),
            _ => String::new(),
        };
        format!("{}.{slot} ({class:?}), {kind:?}: {given:?}{which}", self.name)
    }

    /// Which of the accounts that are given as the same thing.
    fn which(&self, address: &Pubkey) -> String {
        if let Some(place) = self.places.iter().find(|place| place.honest.pubkey == *address) {
            return format!(" from {}", place.slot.name);
        }
        let data = self.before.account(address).map(|account| account.data.as_slice());
        let (name, _) = STATES
            .into_iter()
            .find(|(_, discriminator)| data.is_some_and(|data| data.starts_with(discriminator)))
            .unwrap_or_default();
        format!(" {name}")
    }
}

/// The types of Breakwater's accounts, by the eight bytes that they begin with.
const STATES: [(&str, &[u8]); 7] = [
    ("Protocol", state::Protocol::DISCRIMINATOR),
    ("Market", state::Market::DISCRIMINATOR),
    ("MarginAccount", state::MarginAccount::DISCRIMINATOR),
    ("KeeperLedger", state::KeeperLedger::DISCRIMINATOR),
    ("GuardianPosition", state::GuardianPosition::DISCRIMINATOR),
    ("QueuedChange", state::QueuedChange::DISCRIMINATOR),
    ("DepthBudget", state::DepthBudget::DISCRIMINATOR),
];

/// Sends it alone. Everybody signs who is asked to and has a key.
fn send(fixture: &mut Fixture, mut ix: Instruction) -> Result<Outcome, Failure> {
    let mut signers = BTreeMap::new();
    for meta in ix.accounts.iter_mut().filter(|meta| meta.is_signer) {
        match fixture.signer(&meta.pubkey) {
            Some(actor) => {
                signers.insert(meta.pubkey, actor.clone());
            }
            None => meta.is_signer = false,
        }
    }
    let signers: Vec<&Actor> = signers.values().collect();
    fixture.cast.world.send(&[ix], &signers)
}

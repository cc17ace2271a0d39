//! Accounts put in the place of an honest one.

use super::{
    expected::Given,
    fixture::{Fixture, OTHER_USER, STRANGE_ASSET},
    several::{alone, in_concert, mint_at, swaps},
    slots::Class,
};
use crate::governance::{
    cast::{ID, Role},
    idl::Slot,
};
use anchor_lang::{Discriminator, prelude::Pubkey, solana_program::instruction::AccountMeta};
use anchor_spl::{
    token,
    token_2022::{
        self,
        spl_token_2022::{extension::StateWithExtensions, instruction::transfer_checked, state},
    },
};
use breakwater::state::Market;
use breakwater_client::addresses;
use breakwater_engine::governance::{DEPTH, EMERGENCY_ADMIN, FEEDS, PARAMETERS};
use breakwater_testkit::{
    Account,
    keys::address_for,
    mint::token_account,
    program_file::{rent_exempt, upgradeable_program},
};

/// The ways in which an account can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The same bytes, of a program nobody knows.
    WrongOwner,
    /// An account of another type.
    WrongType,
    /// The same of another market.
    OtherMarket,
    /// The same of another user.
    OtherUser,
    /// Its signature is missing.
    Unsigned,
    /// It may not be written.
    ReadOnly,
    /// The account of another slot of the same instruction.
    Duplicate,
    /// An address at which nothing has been made.
    Uninitialized,
    /// The right address, after the account was closed.
    Closed,
    /// A program.
    Executable,
    /// As like the right one as anybody can make it.
    LookAlike,
    /// A mint of another market, in concert with the signer's token accounts of it: so that it is not they that give it
    /// away.
    InConcert,
    /// Left out, where it is optional and the market knows nothing that could stand for it.
    LeftOut,
    /// The right one, while everything else is of another market.
    Alone,
    /// It and another one change places.
    Swapped,
    /// The last declared account is missing.
    TooFew,
    /// The data is one byte short.
    ShortData,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::WrongOwner,
        Self::WrongType,
        Self::OtherMarket,
        Self::OtherUser,
        Self::Unsigned,
        Self::ReadOnly,
        Self::Duplicate,
        Self::Uninitialized,
        Self::Closed,
        Self::Executable,
        Self::LookAlike,
        Self::InConcert,
        Self::LeftOut,
        Self::Alone,
        Self::Swapped,
        Self::TooFew,
        Self::ShortData,
    ];

    /// True if it could be wrong with the account in place number `index`.
    pub fn is_for(self, places: &[Place], index: usize) -> bool {
        let place = &places[index];
        match self {
            Self::Unsigned => place.slot.signer,
            Self::ReadOnly => place.slot.writable,
            Self::LeftOut => place.slot.optional,
            Self::InConcert => [Class::Mint, Class::LpMint].contains(&place.class),
            // Of less than three, two of another market are not tried together.
            Self::Alone => {
                let of_market = places.iter().filter(|place| place.class.is_of_market());
                place.class.is_of_market() && of_market.count() > 2
            }
            // These are about the whole instruction: they are tried once.
            Self::TooFew | Self::ShortData => place.is_last,
            _ => true,
        }
    }
}

/// Change to one slot.
#[derive(Clone, Debug)]
pub enum Change {
    /// Another account in it.
    Put(Pubkey),
    /// This account in it, and others in the places of these numbers.
    PutAll(Pubkey, Vec<(usize, Pubkey)>),
    /// Another state of the account in it.
    Rewrite(Account),
    /// Nothing in it, and another state of the account at this address.
    LeaveOut(Pubkey, Account),
    /// No signature.
    Unsigned,
    /// No writing.
    ReadOnly,
    /// The account in the place of this number, which gets the one in it: that is this there. The flags stay.
    Swap(usize, Given),
    /// Neither it nor any account behind it.
    Truncate,
    /// No last byte of the data.
    CutData,
}

/// One wrong account.
#[derive(Clone, Debug)]
pub struct Substitute {
    /// The way in which it is wrong.
    pub kind: Kind,
    /// Nature of the account.
    pub given: Given,
    /// Change to be made.
    pub change: Change,
}

/// One slot of an honest instruction.
#[derive(Clone, Debug)]
pub struct Place {
    /// The IDL's description of it.
    pub slot: Slot,
    /// Class of its account.
    pub class: Class,
    /// The honest account.
    pub honest: AccountMeta,
    /// True if it is the last of the declared ones.
    pub is_last: bool,
}

/// Everything wrong that can be put in place number `index`. Makes the accounts that it needs.
pub fn substitutes(fixture: &mut Fixture, places: &[Place], index: usize) -> Vec<Substitute> {
    let place = &places[index];
    let mut all = Vec::new();
    let mut add = |kind, given, change| all.push(Substitute { kind, given, change });
    let address = place.honest.pubkey;
    let relatives = fixture.relatives(&address);

    add(Kind::WrongOwner, Given::Foreign, Change::Put(foreign(fixture, place)));
    for (given, wrong) in wrong_types(fixture, place) {
        if places.iter().all(|other| other.honest.pubkey != wrong) {
            add(Kind::WrongType, given, Change::Put(wrong));
        }
    }
    for (given, other) in [
        (Given::Sibling, relatives.sibling),
        (Given::Stranger, relatives.stranger),
    ] {
        if let Some(other) = other {
            add(Kind::OtherMarket, given, Change::Put(other));
        }
    }
    if let Some(vault) = vault_of_sibling(fixture, place) {
        add(Kind::OtherMarket, Given::OtherOwner, Change::Put(vault));
    }
    if let Some(other) = relatives.other_user {
        add(Kind::OtherUser, Given::OtherUser, Change::Put(other));
    }
    if Kind::Unsigned.is_for(places, index) {
        add(Kind::Unsigned, Given::Unsigned, Change::Unsigned);
    }
    if Kind::ReadOnly.is_for(places, index) {
        add(Kind::ReadOnly, Given::ReadOnly, Change::ReadOnly);
    }
    for other in places {
        if other.honest.pubkey != address {
            let given = nature(other.class, &other.honest.pubkey, place.class);
            add(Kind::Duplicate, given, Change::Put(other.honest.pubkey));
        }
    }
    add(Kind::Uninitialized, Given::Wallet, Change::Put(wallet(fixture, place)));
    for (given, account) in closed(fixture, place) {
        add(Kind::Closed, given, Change::Rewrite(account));
    }
    add(Kind::Executable, Given::Program, Change::Put(fixture.program));
    for (given, like) in look_alikes(fixture, place) {
        add(Kind::LookAlike, given, Change::Put(like));
    }
    if Kind::InConcert.is_for(places, index) {
        let (mint, with) = in_concert(fixture, places, place);
        add(Kind::InConcert, Given::InConcert, Change::PutAll(mint, with));
    }
    if Kind::LeftOut.is_for(places, index) {
        let (market, forgetful) = without_prices(fixture, places);
        let shown_before = places[..index].iter().any(|other| other.honest.pubkey == address);
        let given = if shown_before {
            Given::ShownBefore
        } else {
            Given::LeftOut
        };
        add(Kind::LeftOut, given, Change::LeaveOut(market, forgetful));
    }
    if Kind::Alone.is_for(places, index) {
        for (given, change) in alone(fixture, places, index) {
            add(Kind::Alone, given, change);
        }
    }
    for (given, change) in swaps(fixture, places, index) {
        add(Kind::Swapped, given, change);
    }
    all
}

/// The instruction's market as it would be if it had never accepted a reading: with what it knows of a feed it would go
/// on without its account for a while.
fn without_prices(fixture: &mut Fixture, places: &[Place]) -> (Pubkey, Account) {
    let of_market = |place: &&Place| place.class == Class::Market;
    let address = places
        .iter()
        .find(of_market)
        .expect("feeds are of a market")
        .honest
        .pubkey;
    let mut account = fixture.cast.world.existing_account(&address);
    let bytes = &mut account.data[Market::DISCRIMINATOR.len()..];
    let mut market: breakwater_engine::Market = bytemuck::pod_read_unaligned(bytes);
    market.oracle.known = bytemuck::Zeroable::zeroed();
    bytes.copy_from_slice(bytemuck::bytes_of(&market));
    (address, account)
}

/// The vault of the same mint of another market, for a token account that is somebody's.
fn vault_of_sibling(fixture: &mut Fixture, place: &Place) -> Option<Pubkey> {
    if ![Class::Purse, Class::Receiver].contains(&place.class) {
        return None;
    }
    let mint = mint_at(fixture, &place.honest.pubkey);
    let vaults = [fixture.sibling.collateral_vault, fixture.sibling.quote_vault];
    vaults.into_iter().find(|vault| mint_at(fixture, vault) == mint)
}

/// Nature of the account of one slot in the place of another.
pub fn nature(of: Class, address: &Pubkey, into: Class) -> Given {
    match of {
        Class::BatchMargin if into == Class::BatchMargin => Given::Again,
        Class::Budget | Class::OwnBudget if [Class::Budget, Class::OwnBudget].contains(&into) => Given::OtherBudget,
        _ if of.is_state() => Given::State,
        Class::RentReceiver => Given::Authority,
        Class::Signer | Class::PayingSigner | Class::Payer => Given::Wallet,
        Class::Mint | Class::LpMint | Class::NewMint => Given::Mint,
        Class::Vault | Class::Purse | Class::Receiver => Given::Tokens,
        Class::PullFeed | Class::PushFeed => Given::Feed,
        Class::ProgramData => Given::ProgramData,
        _ if [token::ID, token_2022::ID].contains(address) => Given::TokenProgram,
        Class::TokenProgram | Class::NewTokenProgram | Class::FixedProgram => Given::Program,
        _ => Given::NotYet,
    }
}

/// Writes an account for a place: for that of a signer, at the address of somebody who can sign.
fn make(fixture: &mut Fixture, place: &Place, what: &str, account: Account) -> Pubkey {
    let name = format!("{what} of {}", place.honest.pubkey);
    let address = if place.slot.signer {
        fixture.sign_as(&name)
    } else {
        address_for(&name)
    };
    fixture.cast.world.set_account(&address, account);
    address
}

/// The honest account, or a stub of it if it is to be created.
fn present(fixture: &mut Fixture, place: &Place) -> Account {
    let found = fixture.cast.world.account(&place.honest.pubkey);
    found.unwrap_or_else(|| Account {
        lamports: rent_exempt(8),
        data: vec![0; 8],
        owner: breakwater::ID,
        ..Account::default()
    })
}

fn foreign(fixture: &mut Fixture, place: &Place) -> Pubkey {
    let account = Account {
        owner: address_for("foreign program"),
        executable: false,
        ..present(fixture, place)
    };
    make(fixture, place, "foreign copy", account)
}

fn wallet(fixture: &mut Fixture, place: &Place) -> Pubkey {
    let account = lamports(10_000_000_000);
    make(fixture, place, "wallet in the place", account)
}

fn lamports(lamports: u64) -> Account {
    Account {
        lamports,
        ..Account::default()
    }
}

/// An account of every other type: of the program, of the token programs, of Pyth.
fn wrong_types(fixture: &Fixture, place: &Place) -> Vec<(Given, Pubkey)> {
    use Class::{
        AnyEntry, AnyMargin, BatchMargin, Budget, Entry, Ledger, LpMint, Market, Mint, NewMint, OwnBudget, OwnMargin,
        Position, Protocol, PullFeed, Purse, PushFeed, Receiver, Vault,
    };
    let (market, stranger) = (fixture.cast.market.market, &fixture.stranger);
    let (bob, mallory) = (Role::OtherOwner.actor().key(), OTHER_USER.actor().key());
    let entry = addresses::queued_change(&fixture.sibling.market, PARAMETERS, ID);
    let types: [(&[Class], Given, Pubkey); 10] = [
        (&[Protocol], Given::State, addresses::protocol()),
        (&[Market], Given::State, stranger.market),
        (
            &[AnyMargin, OwnMargin, BatchMargin],
            Given::State,
            addresses::margin_account(&market, &bob, 0),
        ),
        (&[Ledger], Given::State, addresses::keeper_ledger(&market, &mallory)),
        (
            &[Position],
            Given::State,
            addresses::guardian_position(&market, &mallory),
        ),
        (&[Entry, AnyEntry], Given::State, entry),
        (
            &[Budget, OwnBudget],
            Given::State,
            addresses::depth_budget(STRANGE_ASSET),
        ),
        (&[Mint, LpMint, NewMint], Given::Mint, stranger.collateral_mint),
        (&[Vault, Purse, Receiver], Given::Tokens, stranger.quote_of(&bob)),
        (&[PullFeed, PushFeed], Given::Feed, stranger.collateral_feed),
    ];
    let others = types.iter().filter(|(classes, ..)| !classes.contains(&place.class));
    let mut all: Vec<(Given, Pubkey)> = others.map(|(_, given, address)| (*given, *address)).collect();
    if [Entry, AnyEntry].contains(&place.class) {
        all.extend([
            (Given::OtherEntry, addresses::queued_change(&market, PARAMETERS, ID)),
            (Given::OtherEntry, addresses::queued_change(&market, FEEDS, 0)),
            (Given::OtherEntry, addresses::queued_change(&market, DEPTH, 0)),
            (
                Given::EmergencyAdminEntry,
                addresses::queued_change(&addresses::protocol(), EMERGENCY_ADMIN, 0),
            ),
        ]);
    }
    all
}

/// Accounts that may be at the right address after the account was closed.
fn closed(fixture: &mut Fixture, place: &Place) -> Vec<(Given, Account)> {
    match place.class {
        Class::Created => vec![(Given::Prefunded, lamports(rent_exempt(0)))],
        Class::Signer | Class::PayingSigner | Class::Payer | Class::RentReceiver => {
            vec![(Given::Gone, Account::default())]
        }
        Class::TokenProgram | Class::NewTokenProgram | Class::FixedProgram => vec![],
        _ => {
            let mut zeroed = present(fixture, place);
            zeroed.data.fill(0);
            let mut cut = present(fixture, place);
            cut.data.truncate(7);
            vec![
                (Given::Gone, Account::default()),
                (Given::Zeroed, zeroed),
                (Given::Cut, cut),
            ]
        }
    }
}

/// A second token account of the same owner, to which he has moved half of what the first holds.
fn second_account(fixture: &mut Fixture, place: &Place, first: &Account) -> Pubkey {
    let held = StateWithExtensions::<state::Account>::unpack(&first.data).expect("a token account");
    let (mint, owner, half) = (held.base.mint, held.base.owner, held.base.amount / 2);
    let of_mint = fixture.cast.world.existing_account(&mint);
    let decimals = StateWithExtensions::<state::Mint>::unpack(&of_mint.data).expect("a mint");
    let decimals = decimals.base.decimals;
    let second = make(
        fixture,
        place,
        "second account",
        token_account((&mint, &of_mint), &owner, 0),
    );
    let first = (&first.owner, &place.honest.pubkey);
    let transfer = transfer_checked(first.0, first.1, &mint, &second, &owner, &[], half, decimals);
    let signer = fixture.signer(&owner).expect("an owner with a key").clone();
    let sent = fixture
        .cast
        .world
        .send(&[transfer.expect("a token program")], &[&signer]);
    sent.expect("a transfer");
    second
}

/// As like the right one as anybody can make it.
fn look_alikes(fixture: &mut Fixture, place: &Place) -> Vec<(Given, Pubkey)> {
    let honest = present(fixture, place);
    match place.class {
        Class::Protocol
        | Class::Mint
        | Class::LpMint
        | Class::NewMint
        | Class::Vault
        | Class::PullFeed
        | Class::PushFeed => vec![(Given::Twin, make(fixture, place, "twin", honest))],
        Class::Purse | Class::Receiver => vec![(Given::Twin, second_account(fixture, place, &honest))],
        Class::TokenProgram | Class::NewTokenProgram | Class::FixedProgram => {
            let still = Account {
                executable: false,
                ..honest.clone()
            };
            let mut all = vec![
                (Given::Twin, make(fixture, place, "copy that does not run", still)),
                (Given::Clone, make(fixture, place, "second deployment", honest)),
            ];
            let programs = [token::ID, token_2022::ID];
            if programs.contains(&place.honest.pubkey) {
                let other = programs.into_iter().find(|program| *program != place.honest.pubkey);
                all.extend(other.map(|program| (Given::TokenProgram, program)));
            }
            all
        }
        Class::ProgramData => {
            // A program of the signer's own: but for its address, everything is right.
            let program = address_for("program of the signer's own");
            let authority = Role::Upgrade.actor().key();
            let [(address, account), _] = upgradeable_program(&program, &authority, b"");
            fixture.cast.world.set_account(&address, account);
            vec![
                (Given::Twin, make(fixture, place, "twin", honest)),
                (Given::ProgramData, address),
            ]
        }
        _ => vec![],
    }
}

//! Cells with more than one wrong account at once.

use super::{
    expected::Given,
    fixture::{Fixture, Relatives},
    slots::Class,
    substitutes::{Change, Place, nature},
};
use anchor_lang::prelude::Pubkey;
use breakwater_testkit::mint::mint_of;

/// A mint like this one of another market, and the token accounts of it that belong to whom the right ones belong to.
pub fn in_concert(fixture: &mut Fixture, places: &[Place], place: &Place) -> (Pubkey, Vec<(usize, Pubkey)>) {
    let other = |fixture: &Fixture, of: &Pubkey| {
        let relatives = fixture.relatives(of);
        // Tokens are the same in the sibling; LP shares are not.
        relatives.sibling.or(relatives.stranger).expect("another market's")
    };
    let mut with = Vec::new();
    for (index, tokens) in places.iter().enumerate() {
        let of_mint = mint_at(fixture, &tokens.honest.pubkey) == Some(place.honest.pubkey);
        if [Class::Purse, Class::Receiver].contains(&tokens.class) && of_mint {
            with.push((index, other(fixture, &tokens.honest.pubkey)));
        }
    }
    (other(fixture, &place.honest.pubkey), with)
}

type OfOther = fn(Relatives) -> Option<Pubkey>;

/// The right account in place number `index`, while all others are those of another market: for that market, this one
/// is of another. With a single other account it would be what is tried in that one's place.
pub fn alone(fixture: &Fixture, places: &[Place], index: usize) -> Vec<(Given, Change)> {
    let of_other: [(Given, OfOther); 2] = [
        (Given::Sibling, |relatives| relatives.sibling),
        (Given::Stranger, |relatives| relatives.stranger),
    ];
    let mut all = Vec::new();
    for (given, other) in of_other {
        let mut others = replaced(places, |address| other(fixture.relatives(address)));
        let here = others.iter().position(|(at, _)| *at == index);
        // Without one, it is an account of that market as well.
        if here.map(|at| others.remove(at)).is_some() && others.len() > 1 {
            all.push((given, Change::PutAll(places[index].honest.pubkey, others)));
        }
    }
    all
}

fn replaced(places: &[Place], other: impl Fn(&Pubkey) -> Option<Pubkey>) -> Vec<(usize, Pubkey)> {
    let all = places.iter().enumerate();
    all.filter_map(|(index, place)| Some((index, other(&place.honest.pubkey)?)))
        .collect()
}

/// The accounts of places number `index` and each later one change places.
pub fn swaps(fixture: &mut Fixture, places: &[Place], index: usize) -> Vec<(Given, Change)> {
    let place = &places[index];
    let later = places.iter().enumerate().skip(index + 1);
    later
        .filter(|(_, other)| other.honest.pubkey != place.honest.pubkey)
        .map(|(at, other)| {
            let there = swapped(fixture, place, other);
            (swapped(fixture, other, place), Change::Swap(at, there))
        })
        .collect()
}

/// Nature of the account of one place in that of another, where no slot holds it twice.
fn swapped(fixture: &mut Fixture, of: &Place, into: &Place) -> Given {
    if (of.class, into.class) == (Class::BatchMargin, Class::BatchMargin) {
        return Given::Reordered;
    }
    let mints = [of, into].map(|place| mint_at(fixture, &place.honest.pubkey));
    match mints {
        [Some(one), Some(other)] if one == other => Given::OtherOwner,
        [Some(_), Some(_)] => Given::OtherMint,
        _ => nature(of.class, &of.honest.pubkey, into.class),
    }
}

/// The mint of the token account at this address, if there is one.
pub fn mint_at(fixture: &mut Fixture, address: &Pubkey) -> Option<Pubkey> {
    mint_of(&fixture.cast.world.account(address)?)
}

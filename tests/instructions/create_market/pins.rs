//! Where a market's prices are to come from: which pins are refused.

use super::{Draft, key};
use crate::{
    attack::nowhere,
    scene::{all_feed_kinds, redeemable},
};
use breakwater::{error::BreakwaterError, instructions::CreateMarketArgs};
use breakwater_engine::{FeedPin, Key};
use breakwater_testkit::pyth::{PUSH_ORACLE, RECEIVERS};

type Pin = fn(&mut CreateMarketArgs) -> &mut FeedPin;

pub fn collateral(args: &mut CreateMarketArgs) -> &mut FeedPin {
    &mut args.collateral_feed
}

pub fn quote(args: &mut CreateMarketArgs) -> &mut FeedPin {
    &mut args.quote_feed
}

fn base(args: &mut CreateMarketArgs) -> &mut FeedPin {
    args.base_feed.get_or_insert(FeedPin::NONE)
}

fn rate(args: &mut CreateMarketArgs) -> &mut FeedPin {
    args.rate_feed.get_or_insert(FeedPin::NONE)
}

const ALL: [Pin; 4] = [collateral, quote, base, rate];

#[test]
fn incomplete_feed_pins_are_refused() {
    let no_key: fn(&mut FeedPin) = |pin| pin.key = Key::default();
    let padding: fn(&mut FeedPin) = |pin| pin.padding[6] = 1;
    for (spec, pins) in all_feed_kinds()
        .map(|spec| (spec, &ALL[..2]))
        .into_iter()
        .chain([(redeemable(), &ALL[..])])
    {
        let mut draft = Draft::of(&spec);
        for pin in pins {
            for change in [no_key, padding] {
                draft.refused(|args| change(pin(args)), BreakwaterError::FeedPinInvalid);
            }
        }
        draft.honest_passes();
    }
}

#[test]
fn a_pull_feed_is_one_of_a_receiver() {
    for (spec, pins) in [(all_feed_kinds()[0].clone(), &ALL[..2]), (redeemable(), &ALL[..])] {
        let mut draft = Draft::of(&spec);
        for pin in pins {
            for owner in [Key::default(), key(&PUSH_ORACLE), key(&breakwater::ID), key(&nowhere())] {
                draft.refused(|args| pin(args).owner = owner, BreakwaterError::WrongFeedOwner);
            }
        }
        // Either of them, and not the same for all.
        for pin in pins.iter().step_by(2) {
            pin(&mut draft.args).owner = key(&RECEIVERS[1]);
        }
        draft.honest_passes();
    }
}

#[test]
fn a_push_feed_has_an_owner() {
    let [_, push, ..] = all_feed_kinds();
    let mut draft = Draft::of(&push);
    for pin in [collateral, quote] {
        draft.refused(|args| pin(args).owner = Key::default(), BreakwaterError::FeedPinInvalid);
        // As a pull feed it would have to be a receiver.
        draft.refused(|args| pin(args).kind = 1, BreakwaterError::WrongFeedOwner);
    }
    draft.honest_passes();
}

#[test]
fn no_feed_is_pinned_twice() {
    let mut draft = Draft::of(&redeemable());
    let pairs: [(Pin, Pin); 5] = [
        (collateral, quote),
        (base, collateral),
        (base, rate),
        (rate, collateral),
        (rate, quote),
    ];
    for (pin, other) in pairs {
        for (to, from) in [(pin, other), (other, pin)] {
            draft.refused(|args| *to(args) = *from(args), BreakwaterError::FeedPinInvalid);
        }
    }
    // The token that the collateral is redeemed for may be the one that is lent.
    draft.args.base_feed = Some(draft.args.quote_feed);
    draft.honest_passes();
}

#[test]
fn base_and_rate_are_pinned_together_or_not_at_all() {
    let mut draft = Draft::of(&redeemable());
    for pin in [base, rate] {
        draft.refused(|args| *pin(args) = FeedPin::NONE, BreakwaterError::FeedKindUnknown);
        // A pin without a kind is not the absence of one.
        draft.refused(|args| pin(args).kind = 0, BreakwaterError::FeedKindUnknown);
    }
    let remnant = |args: &mut CreateMarketArgs, pin: Pin| {
        (args.base_feed, args.rate_feed) = (None, None);
        pin(args).padding[0] = 1;
    };
    for pin in [base, rate] {
        draft.refused(|args| remnant(args, pin), BreakwaterError::FeedKindUnknown);
    }
    // Zeros say the same as nothing.
    draft.args.base_feed = None;
    draft.args.rate_feed = Some(FeedPin::NONE);
    draft.honest_passes();
}

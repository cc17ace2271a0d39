//! Pyth accounts that no action may take for a price: not the pinned feed, not genuine, or not to be believed.

use crate::attack::{Attack, blank, copy_owned_by, cut, nowhere, twin};
use anchor_lang::prelude::Pubkey;
use breakwater::error::BreakwaterError;
use breakwater_client::MarketKeys;
use breakwater_engine::price::oracle::{MAX_AHEAD, PriceUse};
use breakwater_testkit::{
    Feed, World,
    keys::address_for,
    pyth::{PUSH_ORACLE, PushPrice, Quotation, RECEIVERS, Status, Verification, close_update, feed_id_for},
};

/// Shows the instruction everything that can be wrong with a price, in the place of each of the market's feeds; it must
/// be refused each time. Afterwards the feeds are as before, and the market has accepted what they show.
///
/// [`PriceUse::Borrow`] stands for the actions that also need Pyth's moving average.
#[track_caller]
pub fn refuse_bad_feeds(attack: &mut Attack, market: &MarketKeys, usage: PriceUse) {
    attack.world.observe_price(market).unwrap();
    let mut feeds = vec![
        (market.collateral_feed, market.quote_feed),
        (market.quote_feed, market.collateral_feed),
    ];
    if let Some((base, rate)) = market.redemption_feeds {
        feeds.extend([(base, market.collateral_feed), (rate, market.quote_feed)]);
    }
    for (feed, other) in feeds {
        match attack.world.shown(&feed) {
            Feed::Pull(_) => refuse_wrong_pull_accounts(attack, &feed, &other),
            Feed::Push(_) => refuse_wrong_push_accounts(attack, &feed, &other),
        }
        refuse_unbelievable_prices(attack, market, &feed, usage);
        refuse_closed(attack, &feed);
    }
}

/// An update that its receiver closes in the same transaction is gone by then.
#[track_caller]
fn refuse_closed(attack: &mut Attack, feed: &Pubkey) {
    let receiver = attack.world.existing_account(feed).owner;
    if !RECEIVERS.contains(&receiver) {
        return;
    }
    let poster = attack.world.authority().key();
    let close = close_update(&receiver, feed, &poster);
    let honest = attack.honest.clone();
    attack.all_refused(&[close, honest], BreakwaterError::WrongFeedOwner);
}

/// A pull feed may be shown by any account that its receiver program owns, so the accounts are made aside.
#[track_caller]
fn refuse_wrong_pull_accounts(attack: &mut Attack, feed: &Pubkey, other: &Pubkey) {
    let world = &mut *attack.world;
    let receiver = world.existing_account(feed).owner;
    let other_receiver = RECEIVERS[usize::from(receiver == RECEIVERS[0])];
    let mut wrong = vec![
        (nowhere(), BreakwaterError::WrongFeedOwner),
        (blank(world, feed), BreakwaterError::FeedMalformed),
        // The last byte but one is the last that a fully verified update fills.
        (cut(world, feed, 132), BreakwaterError::FeedMalformed),
        (cut(world, feed, 7), BreakwaterError::FeedMalformed),
        (cut(world, feed, 0), BreakwaterError::FeedMalformed),
        (
            shown_aside(world, feed, "another feed", |update| set_feed_id(update, "BTC/USD")),
            BreakwaterError::WrongFeed,
        ),
    ];
    for owner in [
        other_receiver,
        PUSH_ORACLE,
        breakwater::ID,
        address_for("foreign program"),
    ] {
        wrong.push((copy_owned_by(world, feed, &owner), BreakwaterError::WrongFeedOwner));
    }
    for signatures in [0, 5, u8::MAX] {
        let partly = |update: &mut Feed| set_verification(update, Verification::Partial(signatures));
        let address = shown_aside(world, feed, &format!("{signatures} signatures"), partly);
        wrong.push((address, BreakwaterError::FeedNotVerified));
    }
    // A price of the other kind with the same numbers, also where a receiver owns it.
    let push = Feed::Push(PushPrice::trading(*world.shown(feed).quotation(), world.slot()));
    let push_address = address_for(&format!("push price like {feed}"));
    world.show(&push_address, push);
    wrong.push((push_address, BreakwaterError::WrongFeedOwner));
    wrong.push((
        copy_owned_by(world, &push_address, &receiver),
        BreakwaterError::FeedMalformed,
    ));
    if matches!(world.shown(other), Feed::Pull(_)) {
        wrong.push((*other, BreakwaterError::WrongFeed));
    }
    for (address, error) in wrong {
        attack.swap(feed, &address, error);
    }
}

/// A push feed is one account, so all but its address is spoiled in place.
#[track_caller]
fn refuse_wrong_push_accounts(attack: &mut Attack, feed: &Pubkey, other: &Pubkey) {
    for address in [nowhere(), *other, twin(attack.world, feed)] {
        attack.swap(feed, &address, BreakwaterError::WrongFeed);
    }
    let genuine = attack.world.existing_account(feed);
    for owner in [RECEIVERS[0], breakwater::ID, address_for("foreign program")] {
        let mut foreign = genuine.clone();
        foreign.owner = owner;
        attack.world.set_account(feed, foreign);
        refuse_as_it_is(attack, BreakwaterError::WrongFeedOwner);
    }
    for len in [0, 7, 1_000] {
        let mut short = genuine.clone();
        short.data.truncate(len);
        attack.world.set_account(feed, short);
        refuse_as_it_is(attack, BreakwaterError::FeedMalformed);
    }
    let mut zeros = genuine.clone();
    zeros.data.fill(0);
    attack.world.set_account(feed, zeros);
    refuse_as_it_is(attack, BreakwaterError::FeedMalformed);
    attack.world.set_account(feed, genuine);

    for status in [Status::Unknown, Status::Halted, Status::Auction, Status::Ignored] {
        let not_trading = |shown: &mut Feed| set_status(shown, status);
        refuse_edited(attack, feed, not_trading, BreakwaterError::FeedNotTrading);
    }
}

type Edit = Box<dyn Fn(&mut Quotation)>;

/// The genuine account with numbers that must not be believed.
#[track_caller]
fn refuse_unbelievable_prices(attack: &mut Attack, market: &MarketKeys, feed: &Pubkey, usage: PriceUse) {
    let config = attack.world.market_state(market).config;
    let now = attack.world.unix();
    let price = attack.world.shown(feed).quotation().price;
    let widest = price.unsigned_abs() * u64::from(config.confidence_halt.0) / 10_000;

    let mut edits: Vec<(Edit, BreakwaterError)> = Vec::new();
    for price in [0, -1, i64::MIN] {
        edits.push((
            Box::new(move |shown| shown.price = price),
            BreakwaterError::PriceNotPositive,
        ));
    }
    for expo in [i32::MIN, -19, 13, i32::MAX] {
        edits.push((
            Box::new(move |shown| shown.expo = expo),
            BreakwaterError::PriceExponentOutOfRange,
        ));
    }
    for publish_time in [now + MAX_AHEAD + 1, now + i64::from(i32::MAX), i64::MAX] {
        edits.push((
            Box::new(move |shown| shown.publish_time = publish_time),
            BreakwaterError::PriceFromFuture,
        ));
    }
    // In the range of a feed, but out of the range of a price in the other token.
    edits.push((Box::new(|shown| shown.expo = 12), BreakwaterError::PriceOutOfRange));
    if usage != PriceUse::Observe {
        for conf in [widest + 1, u64::MAX] {
            edits.push((
                Box::new(move |shown| shown.conf = conf),
                BreakwaterError::ConfidenceTooWide,
            ));
        }
    }
    if usage == PriceUse::Borrow && [market.collateral_feed, market.quote_feed].contains(feed) {
        for ema_price in [0, -1, i64::MIN] {
            edits.push((
                Box::new(move |shown| shown.ema_price = ema_price),
                BreakwaterError::EmaUnavailable,
            ));
        }
    }
    for (edit, error) in edits {
        refuse_edited(attack, feed, |shown| edit(shown.quotation_mut()), error);
    }
}

/// Shows the feed edited, and then as before.
#[track_caller]
fn refuse_edited(attack: &mut Attack, feed: &Pubkey, edit: impl FnOnce(&mut Feed), expected: BreakwaterError) {
    let before = attack.world.shown(feed);
    attack.world.edit_feed(feed, edit);
    println!("feed: {:?}", attack.world.shown(feed));
    refuse_as_it_is(attack, expected);
    attack.world.show(feed, before);
}

#[track_caller]
fn refuse_as_it_is(attack: &mut Attack, expected: BreakwaterError) {
    let honest = attack.honest.clone();
    attack.refused(&honest, expected);
}

/// An edited copy of a feed at an address of its own.
pub fn shown_aside(world: &mut World, feed: &Pubkey, name: &str, edit: impl FnOnce(&mut Feed)) -> Pubkey {
    let address = address_for(&format!("{feed} with {name}"));
    let mut shown = world.shown(feed);
    edit(&mut shown);
    world.show(&address, shown);
    address
}

/// Makes a pull update one of another feed.
pub fn set_feed_id(feed: &mut Feed, symbol: &str) {
    let Feed::Pull(update) = feed else {
        panic!("not a pull feed: {feed:?}")
    };
    update.feed_id = feed_id_for(symbol);
}

/// Sets how far a pull update was verified.
pub fn set_verification(feed: &mut Feed, verification: Verification) {
    let Feed::Pull(update) = feed else {
        panic!("not a pull feed: {feed:?}")
    };
    update.verification = verification;
}

/// Sets whether a push price is live.
pub fn set_status(feed: &mut Feed, status: Status) {
    let Feed::Push(price) = feed else {
        panic!("not a push feed: {feed:?}")
    };
    price.status = status;
}

//! Changes of feeds, and what may be taken out after them.

use super::scene::{NOW, SOL, USDC, later, market, pin, prices, refused};
use breakwater_engine::{
    Clock, Collateral, Error, FeedPin, Feeds, Market, Quote, RawReading, Readings, governance::LONGEST_APPROVAL,
    price::oracle::PriceUse,
};

/// A reading of whole dollars.
fn reading(dollars: i64, publish_time: i64) -> RawReading {
    RawReading {
        price: dollars,
        conf: 0,
        expo: 0,
        ema_price: dollars,
        publish_time,
    }
}

fn both(dollars: i64, time: i64) -> Readings {
    Readings::of(reading(dollars, time), reading(1, time))
}

/// Another collateral feed, and the present quote feed.
fn other() -> Feeds {
    Feeds {
        collateral: pin(16),
        quote: pin(7),
        base: FeedPin::NONE,
        rate: FeedPin::NONE,
    }
}

#[test]
fn feeds_change_in_sight_of_each_other() {
    let (mut market, mut account) = market();
    prices(&mut market, 100, NOW);
    let clock = later(1);
    let known = Readings::NONE;
    let change =
        |new: i64| move |market: &mut Market| market.change_feeds(&other(), &known, &both(new, clock.unix), clock);
    // The own EMA's band is 8%.
    refused(&market, change(109), Error::FeedsDisagree);
    refused(&market, change(91), Error::FeedsDisagree);
    change(107)(&mut market.clone()).unwrap();
    change(93)(&mut market.clone()).unwrap();
    // Both must be shown, or known.
    let blind = |market: &mut Market| market.change_feeds(&other(), &known, &known, clock);
    refused(&market, blind, Error::PriceRequired);
    let late = later(15);
    let old = |market: &mut Market| market.change_feeds(&other(), &known, &both(100, late.unix), late);
    refused(&market, old, Error::PriceTooOld);
    let mut wide = both(100, clock.unix);
    wide.collateral.as_mut().unwrap().conf = 4;
    let unsure = |market: &mut Market| market.change_feeds(&other(), &known, &wide, clock);
    refused(&market, unsure, Error::ConfidenceTooWide);

    let before = market;
    change(101)(&mut market).unwrap();
    let mut expected = before;
    expected.oracle.collateral_feed = pin(16);
    expected.oracle.known.newest.collateral = market.oracle.known.newest.collateral;
    expected.oracle.known.newest.quote = market.oracle.known.newest.quote;
    expected.guard.settled_at = clock.unix + 4_200;
    assert!(market == expected);
    assert_eq!(market.oracle.known.newest.collateral.of.price, 101);
    refused(&market, change(100), Error::NoChange);
    // An hour and ten minutes long nobody borrows.
    let borrow = |market: &mut Market, seconds: i64| {
        let clock = later(seconds);
        let prices = prices(market, 101, clock);
        market.borrow(&mut account, Quote(100 * USDC), &prices, clock)
    };
    let mut borrow = borrow;
    assert_eq!(borrow(&mut market.clone(), 4_200), Err(Error::FeedsSettling));
    assert!(borrow(&mut market, 4_201).is_ok());
}

#[test]
fn pins_must_be_complete() {
    let (mut market, _) = market();
    prices(&mut market, 100, NOW);
    let change =
        |market: &mut Market, feeds: Feeds| market.change_feeds(&feeds, &Readings::NONE, &both(100, NOW.unix), NOW);
    let half = Feeds {
        rate: pin(19),
        ..other()
    };
    refused(&market, |market| change(market, half), Error::FeedKindUnknown);
    let same = Feeds {
        quote: pin(16),
        ..other()
    };
    refused(&market, |market| change(market, same), Error::FeedPinInvalid);
}

#[test]
fn a_dead_feed_is_replaced_unless_one_reading_of_it_comes() {
    let (mut market, _) = market();
    prices(&mut market, 100, NOW);
    let queued_at = NOW.unix + 60;
    let then = later(60 + 3 * 86_400);
    let replace = |market: &mut Market| market.replace_dead_feeds(&other(), queued_at, &both(150, then.unix), then);
    // The quote feed lives, and may: it is not replaced. Of the collateral's one reading is enough.
    let mut alive = market;
    prices(&mut alive, 100, later(61));
    refused(&alive, replace, Error::FeedAlive);
    replace(&mut market).unwrap();
    assert_eq!(market.oracle.collateral_feed, pin(16));
    // Another price altogether: the guards judge it as they would the next of the old feed.
    let read = market.known_prices(PriceUse::Observe, then).unwrap();
    assert_eq!(read.conservative().unwrap_err(), Error::MarketGuarded);
    assert!(read.guarded().quote_floor(Collateral(SOL)).unwrap() < Quote(104 * USDC));
}

#[test]
fn a_living_feed_is_not_replaced_beside_a_dead_one() {
    let (mut market, _) = market();
    prices(&mut market, 100, NOW);
    // The quote feed dies ten seconds later, and nobody has shown the last readings of it.
    let both_dead = Feeds {
        quote: pin(17),
        ..other()
    };
    let queued_at = NOW.unix + 60;
    let then = later(60 + 3 * 86_400);
    let replace =
        |feeds| move |market: &mut Market| market.replace_dead_feeds(&feeds, queued_at, &both(150, then.unix), then);
    let observe = |market: &mut Market, readings: &Readings, clock: Clock| {
        let refused = market.observe_price(readings, clock).unwrap_err();
        market.keep_living_feeds(readings, refused, clock)
    };
    let alone = |time: i64| Readings {
        collateral: Some(reading(99, time)),
        ..Readings::NONE
    };
    let shown_at = later(86_400);
    // A reading of the living one is kept, though no price comes of it, and nothing else moves.
    let before = market;
    observe(&mut market, &alone(shown_at.unix - 14), shown_at).unwrap();
    let mut expected = before;
    expected.oracle.known.newest.collateral = market.oracle.known.newest.collateral;
    expected.oracle.known.set = market.oracle.known.set;
    assert!(market == expected);
    let kept = market.oracle.known.newest.collateral;
    assert_eq!(
        (kept.of.price, kept.published, kept.accepted_at),
        (99, shown_at.unix - 14, shown_at.unix)
    );
    // Once: the same again says nothing new.
    let again = |market: &mut Market| observe(market, &alone(shown_at.unix - 14), shown_at);
    refused(&market, again, Error::PriceTooOld);
    // A reading that is too old by itself proves nothing, also beside one that is not.
    let old = Readings {
        quote: Some(reading(1, NOW.unix + 9)),
        ..Readings::NONE
    };
    refused(&market, |market| observe(market, &old, shown_at), Error::PriceTooOld);
    let late = |market: &mut Market| observe(market, &alone(shown_at.unix - 13), later(86_402));
    refused(&market, late, Error::PriceTooOld);
    let beside = Readings {
        collateral: alone(shown_at.unix).collateral,
        ..old
    };
    observe(&mut market, &beside, shown_at).unwrap();
    assert_eq!(market.oracle.known.newest.quote, before.oracle.known.newest.quote);
    // Other refusals stay what they are.
    let other_error = |market: &mut Market| market.keep_living_feeds(&alone(then.unix), Error::FeedsTooFarApart, then);
    refused(&market, other_error, Error::FeedsTooFarApart);

    refused(&market, replace(both_dead), Error::FeedAlive);
    let only_quote = Feeds {
        collateral: pin(6),
        ..both_dead
    };
    replace(only_quote)(&mut market.clone()).unwrap();
    // Nobody has shown the living one: then it is dead for all that the market knows.
    let mut unseen = before;
    replace(both_dead)(&mut unseen).unwrap();
}

#[test]
fn an_equity_withdrawal_is_announced_until_its_slot_and_taken_in_its_time() {
    let (mut market, _) = market();
    let delay = i64::from(market.config.equity_withdrawal_delay);
    let queue = |market: &mut Market, slot| market.queue_equity_withdrawal(Quote(USDC), slot, NOW);
    refused(&market, |market| queue(market, NOW.slot - 1), Error::ApprovalExpired);
    refused(
        &market,
        |market| queue(market, NOW.slot + LONGEST_APPROVAL + 1),
        Error::ApprovalTooLong,
    );
    queue(&mut market, NOW.slot + LONGEST_APPROVAL).unwrap();
    let queued = queue(&mut market, NOW.slot).unwrap();
    let late = later(delay + i64::from(market.config.equity_withdrawal_window) + 1);
    refused(&market, |market| market.withdraw_equity(late), Error::Expired);
    // However many slots have gone by.
    let open = Clock {
        slot: u64::MAX,
        ..later(delay)
    };
    assert_eq!(queued.opens_at, open.unix);
    refused(
        &market,
        |market| market.withdraw_equity(later(delay - 1)),
        Error::TimelockActive,
    );
    let mut canceled = market;
    assert_eq!(canceled.cancel_equity_withdrawal().unwrap().amount, Quote(USDC));
    refused(&canceled, |market| market.withdraw_equity(open), Error::NothingQueued);
    refused(&canceled, Market::cancel_equity_withdrawal, Error::NothingQueued);
    market.withdraw_equity(open).unwrap();
}

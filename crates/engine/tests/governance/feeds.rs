//! Changes of feeds, and what may be taken out after them.

use super::scene::{NOW, SOL, USDC, later, market, pin, prices, refused};
use breakwater_engine::{
    Clock, Collateral, Error, FeedPin, Feeds, Market, Quote, RawReading, Readings, governance::LONGEST_APPROVAL,
    oracle::Purpose,
};

#[test]
fn other_feeds_keep_what_the_market_knows() {
    let (mut market, _) = market();
    prices(&mut market, 100, NOW);
    let before = market;
    let feeds = Feeds {
        collateral: pin(16),
        quote: pin(7),
        base: pin(18),
        rate: pin(19),
    };
    market.change_feeds(&feeds).unwrap();
    let mut expected = before;
    expected.oracle.collateral_feed = pin(16);
    (expected.oracle.base_feed, expected.oracle.rate_feed) = (pin(18), pin(19));
    assert!(market == expected);
    assert_eq!(market.oracle.collateral_published, NOW.unix);
    refused(&market, |market| market.change_feeds(&feeds), Error::NoChange);
    let half = Feeds {
        rate: FeedPin::NONE,
        ..feeds
    };
    refused(&market, |market| market.change_feeds(&half), Error::FeedKindUnknown);
    let same = Feeds {
        quote: pin(16),
        ..feeds
    };
    refused(&market, |market| market.change_feeds(&same), Error::FeedPinInvalid);
}

#[test]
fn a_reading_of_a_new_feed_is_judged_by_what_the_old_one_said() {
    let (mut market, _) = market();
    prices(&mut market, 100, NOW);
    let feeds = Feeds {
        collateral: pin(16),
        quote: pin(7),
        base: FeedPin::NONE,
        rate: FeedPin::NONE,
    };
    market.change_feeds(&feeds).unwrap();
    let reading = |price, publish_time| RawReading {
        price,
        conf: 0,
        expo: 0,
        ema_price: price,
        publish_time,
    };
    let of = |dollars, time| Readings {
        collateral: reading(dollars, time),
        quote: reading(1, NOW.unix),
        redemption: None,
    };
    // Older than what the old feed last said.
    let clock = later(1);
    let old = market.accept_prices(&of(100, NOW.unix - 1), Purpose::Observe, clock);
    assert_eq!(old.unwrap_err(), Error::PriceBehindAccepted);
    // Another price altogether.
    let other = market
        .accept_prices(&of(150, clock.unix), Purpose::Observe, clock)
        .unwrap();
    assert_eq!(other.conservative().unwrap_err(), Error::MarketGuarded);
    assert!(other.guarded().value(Collateral(SOL)).unwrap() < Quote(101 * USDC));
}

#[test]
fn a_take_out_is_announced_until_its_slot_and_taken_in_its_time() {
    let (mut market, _) = market();
    let delay = i64::from(market.config.take_out_delay);
    let queue = |market: &mut Market, slot| market.queue_take_out(Quote(USDC), slot, NOW);
    refused(&market, |market| queue(market, NOW.slot - 1), Error::ApprovalExpired);
    refused(
        &market,
        |market| queue(market, NOW.slot + LONGEST_APPROVAL + 1),
        Error::ApprovalTooLong,
    );
    queue(&mut market, NOW.slot + LONGEST_APPROVAL).unwrap();
    let queued = queue(&mut market, NOW.slot).unwrap();
    let late = later(delay + i64::from(market.config.take_out_window) + 1);
    refused(&market, |market| market.take_out(late), Error::Expired);
    // However many slots have gone by.
    let open = Clock {
        slot: u64::MAX,
        ..later(delay)
    };
    assert_eq!(queued.opens_at, open.unix);
    refused(&market, |market| market.take_out(later(delay - 1)), Error::TooEarly);
    let mut cancelled = market;
    assert_eq!(cancelled.cancel_take_out().unwrap().amount, Quote(USDC));
    refused(&cancelled, |market| market.take_out(open), Error::NothingQueued);
    refused(&cancelled, Market::cancel_take_out, Error::NothingQueued);
    market.take_out(open).unwrap();
}

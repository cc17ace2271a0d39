use super::*;
use breakwater_engine::{Config, Key};
use breakwater_testkit::{
    FeedSpec, MarketSpec, World,
    pyth::{Quotation, RECEIVERS, Routers, feed_id_for, usd},
};

const CRANKS: Cranks = Cranks {
    observe_every: 15,
    observe_urgently: 2,
    claim_above: 0,
    settle: true,
};

/// A market with the guards of the example that was shown $100 a moment ago, and what its feeds say.
fn market() -> (Market, Readings, Clock) {
    let mut world = World::lite();
    let spec = MarketSpec {
        config: Config::EXAMPLE,
        collateral_feed: FeedSpec::pull("SOL/USD", usd(100)),
        ..MarketSpec::default()
    };
    let keys = world.market(&spec);
    world.observe_price(&keys).unwrap();
    let clock = world.clock();
    let told = |symbol, price: i64| reading(&message(symbol, price, clock.unix));
    let readings = Readings::of(told("SOL/USD", usd(100)), told("USDC/USD", usd(1)));
    (world.market_state(&keys), readings, clock)
}

fn message(symbol: &str, price: i64, time: i64) -> Message {
    Quotation::settled(price, -8, price.unsigned_abs() / 1_000, time).message(feed_id_for(symbol))
}

fn update(price: i64, time: i64) -> Update {
    Routers::new(0).update(&[message("SOL/USD", price, time), message("USDC/USD", usd(1), time)])
}

fn later(clock: Clock, seconds: i64) -> Clock {
    Clock {
        unix: clock.unix + seconds,
        ..clock
    }
}

#[test]
fn only_what_is_newer_and_of_one_known_stack_is_offered() {
    let (mut market, chain, clock) = market();
    let offer = |market: &Market, chain: &Readings, seconds| {
        Offer::of(
            market,
            chain,
            &update(usd(101), clock.unix + seconds),
            later(clock, seconds),
        )
    };
    assert_eq!(offer(&market, &chain, 0), None, "as old");
    assert_eq!(offer(&market, &chain, -1), None, "older");
    let both = offer(&market, &chain, 1).unwrap();
    assert_eq!((both.stack, both.feeds.len()), (Stack::REC5, 2));
    assert_eq!(
        both.readings.collateral,
        Some(reading(&message("SOL/USD", usd(101), clock.unix + 1)))
    );

    // A feed of which the chain has nothing is newer in any case.
    let nothing = offer(&market, &Readings::NONE, -1_000).unwrap();
    assert_eq!(nothing.feeds.len(), 2);

    // Of another stack, of none, and a push feed.
    market.oracle.quote_feed.owner = Key(RECEIVERS[1].to_bytes());
    let first = offer(&market, &chain, 1).unwrap();
    assert_eq!((first.stack, first.feeds), (Stack::REC5, vec![feed_id_for("SOL/USD")]));
    assert_eq!(first.readings, both.readings, "the other's is posted next");
    // The stack with the oldest account comes first.
    let mut behind = chain;
    behind.quote.as_mut().unwrap().publish_time -= 1;
    let first = offer(&market, &behind, 1).unwrap();
    assert_eq!((first.stack, first.feeds), (Stack::REC2, vec![feed_id_for("USDC/USD")]));
    market.oracle.collateral_feed.owner = Key([9; 32]);
    assert_eq!(offer(&market, &chain, 1).unwrap().stack, Stack::REC2);
    market.oracle.quote_feed.kind = breakwater_engine::price::oracle::FEED_PUSH;
    assert_eq!(offer(&market, &chain, 1), None);
}

#[test]
fn a_redemption_rate_is_posted_when_half_its_time_has_passed() {
    let (mut market, mut chain, clock) = market();
    market.oracle.rate_feed = market.oracle.quote_feed;
    market.oracle.rate_feed.key = Key(feed_id_for("JITOSOL/SOL.RR"));
    let half = i64::from(market.config.max_age_rate / 2);
    let update = Routers::new(0).update(&[message("JITOSOL/SOL.RR", usd(1), clock.unix + 1)]);
    chain.rate = Some(reading(&message("JITOSOL/SOL.RR", usd(1), clock.unix)));
    let offer = |seconds| Offer::of(&market, &chain, &update, later(clock, seconds));
    assert_eq!(offer(half - 1), None);
    assert_eq!(offer(half).unwrap().feeds, [feed_id_for("JITOSOL/SOL.RR")]);
}

#[test]
fn a_price_is_posted_when_it_is_old_has_moved_or_makes_accounts_due() {
    let (market, chain, clock) = market();
    let index = AccountIndex::new();
    let why = |cranks: &Cranks, seconds, price| {
        let clock = later(clock, seconds);
        let offer = Offer::of(&market, &chain, &update(price, clock.unix), clock).unwrap();
        let scene = Scene {
            address: Key([1; 32]),
            market: &market,
            readings: &chain,
            clock,
        };
        offer.why(&scene, &index, cranks, 50)
    };
    let longest = i64::from(market.config.max_age_long);
    assert_eq!(why(&CRANKS, longest, usd(100)), None);
    // By then it has not been shown for long enough either.
    assert_eq!(why(&CRANKS, longest + 1, usd(100)), Some(Why::Old));
    // Nobody is due and nothing is to be shown: it may be as old as it likes.
    let idle = Cranks {
        observe_every: 0,
        observe_urgently: 0,
        ..CRANKS
    };
    assert_eq!(why(&idle, 1_000, usd(100)), None);
    for (price, expected) in [
        (10_049_999_900, None),
        (10_050_000_100, Some(Why::Moved)),
        (9_950_000_100, None),
        (9_949_999_900, Some(Why::Moved)),
    ] {
        assert_eq!(why(&idle, 1, price), expected, "{price}");
    }
    // The market would refuse it.
    assert_eq!(why(&CRANKS, longest + 1, 0), None);
}

#[test]
fn who_posted_last_goes_first_and_others_wait_a_look_or_three() {
    let keepers: Vec<Pubkey> = (0..60).map(|byte| Pubkey::new_from_array([byte; 32])).collect();
    let mut counts = [0; 4];
    for keeper in &keepers {
        assert_eq!(turn(keeper, true, 7), 0);
        assert_eq!(turn(keeper, false, 7), turn(keeper, false, 7));
        counts[turn(keeper, false, 7) as usize] += 1;
    }
    assert_eq!(counts[0], 0);
    assert!(counts[1..].iter().all(|count| *count > 8), "{counts:?}");
    // Another moment, another order.
    assert!(
        keepers
            .iter()
            .any(|keeper| turn(keeper, false, 7) != turn(keeper, false, 8))
    );
}

#[test]
fn a_markets_shard_is_its_own_and_never_pyths() {
    assert_eq!(own_shard(&Pubkey::new_from_array([7; 32])), 0x0707);
    assert_eq!(own_shard(&Pubkey::default()), 1);
}

use super::*;
use breakwater_engine::{Config, RawReading};
use breakwater_testkit::{FeedSpec, MarketSpec, World, pyth::usd};

const CRANKS: Cranks = Cranks {
    observe_every: 15,
    observe_urgently: 2,
    claim_above: 1_000,
    settle: true,
};

fn reading(price: i64, clock: Clock) -> RawReading {
    RawReading {
        price,
        conf: 0,
        expo: -8,
        ema_price: price,
        publish_time: clock.unix,
    }
}

/// A market with the guards of the example, that was shown $100 a moment ago.
fn market() -> (Market, Clock) {
    let mut world = World::lite();
    let spec = MarketSpec {
        config: Config::EXAMPLE,
        collateral_feed: FeedSpec::pull("SOL/USD", usd(100)),
        ..MarketSpec::default()
    };
    let keys = world.market(&spec);
    world.observe_price(&keys).unwrap();
    (world.market_state(&keys), world.clock())
}

#[test]
fn the_price_is_shown_when_it_matters() {
    let (market, start) = market();
    let observe = |cranks: Cranks, market: &Market, seconds: i64, dollars: i64, waiting: bool| {
        let clock = Clock {
            unix: start.unix + seconds,
            slot: start.slot,
        };
        let readings = Readings::of(reading(usd(dollars), clock), reading(usd(1), clock));
        cranks.observe(market, &readings, clock, waiting)
    };
    assert_eq!(observe(CRANKS, &market, 14, 100, false), None);
    assert_eq!(observe(CRANKS, &market, 15, 100, false), Some(Observe::Quiet));
    assert_eq!(
        observe(CRANKS, &market, 1, 90, false),
        Some(Observe::Level),
        "a fall of a tenth is guarded"
    );
    assert_eq!(observe(CRANKS, &market, 1, 100, true), None);
    assert_eq!(observe(CRANKS, &market, 2, 100, true), Some(Observe::Gap));
    let never = Cranks {
        observe_every: 0,
        observe_urgently: 0,
        ..CRANKS
    };
    assert_eq!(observe(never, &market, 1_000, 90, true), None);
    let mut guarded = market;
    (
        guarded.guard.breaker_level,
        guarded.guard.level,
        guarded.guard.caused_at,
    ) = (1, 1, start.unix);
    assert_eq!(observe(CRANKS, &guarded, 1, 100, false), None);
    assert_eq!(observe(CRANKS, &guarded, 2, 100, false), Some(Observe::Unsettled));
    assert_eq!(
        observe(CRANKS, &guarded, 60, 100, false),
        Some(Observe::Level),
        "calm for long enough"
    );
    // What the program would refuse is not sent.
    assert_eq!(observe(CRANKS, &market, 15, 0, false), None);
}

#[test]
fn what_is_funded_is_claimed_from_a_sum_on_and_deficits_settled_when_there_is_one() {
    let (mut market, clock) = market();
    let mut ledger: KeeperLedger = bytemuck::Zeroable::zeroed();
    ledger.credit = Quote(5_000);
    // Of keepers' credits so much is in the vault; it pays whoever claims first.
    let mut claims = |funded: u64, above: u64| {
        market.books.backstop.funded_credits = Quote(funded);
        let cranks = Cranks {
            claim_above: above,
            ..CRANKS
        };
        (claimable(&market, &ledger).0, cranks.claim(&market, &ledger))
    };
    assert_eq!(claims(0, 1_000), (0, false));
    assert_eq!(claims(999, 1_000), (999, false));
    assert_eq!(claims(1_000, 1_000), (1_000, true));
    assert_eq!(claims(9_000, 1_000), (5_000, true));
    assert_eq!(claims(9_000, 5_001), (5_000, false));
    assert_eq!(claims(9_000, 0), (5_000, false), "zero never does");

    assert!(!CRANKS.settle(&market, None, clock), "it owes nothing");
    let shares = market.books.pool.index.shares_for_loan(Quote(5_000)).unwrap();
    market.books.pool.debt_shares = shares;
    market.books.backstop.debt_shares = shares;
    assert!(CRANKS.settle(&market, None, clock));
    assert!(
        !Cranks {
            settle: false,
            ..CRANKS
        }
        .settle(&market, None, clock)
    );
}

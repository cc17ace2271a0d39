//! A market to try things on.

use breakwater_engine::{
    Bps, Clock, Collateral, Config, Error, FeedPin, Feeds, Key, LpShares, MarginAccount, Market, NewMarket, Parameter,
    ParameterChange, Prices, Quote, RawReading, Readings, Result,
    governance::depth::DepthAllocation,
    price::oracle::{FEED_PULL, PriceUse},
};

pub const SOL: u64 = 1_000_000_000;
pub const USDC: u64 = 1_000_000;
pub const NOW: Clock = Clock {
    unix: 1_700_000_000,
    slot: 1_000_000,
};

pub fn pin(id: u8) -> FeedPin {
    FeedPin {
        key: Key([id; 32]),
        owner: Key([11; 32]),
        kind: FEED_PULL,
        padding: [0; 7],
    }
}

pub const fn later(seconds: i64) -> Clock {
    Clock {
        unix: NOW.unix + seconds,
        slot: NOW.slot + seconds.unsigned_abs() * 5 / 2,
    }
}

pub fn new_market(config: &Config) -> Result<Market> {
    let mut market: Market = bytemuck::Zeroable::zeroed();
    market.initialize(&NewMarket {
        id: 0,
        bump: 255,
        collateral: (Key([1; 32]), 9, Key([2; 32])),
        quote: (Key([3; 32]), 6, Key([4; 32])),
        lp_mint: Key([5; 32]),
        feeds: Feeds {
            collateral: pin(6),
            quote: pin(7),
            base: FeedPin::NONE,
            rate: FeedPin::NONE,
        },
        depth: DepthAllocation {
            budget: Key([7; 32]),
            share: Bps(10_000),
        },
        config: *config,
        clock: NOW,
    })?;
    Ok(market)
}

/// A market with 100,000 USDC in the pool and 10,000 in the backstop, and an account of 100 SOL.
pub fn market() -> (Market, MarginAccount) {
    let config = Config::EXAMPLE;
    let mut market = new_market(&config.first()).unwrap();
    market.config = config;
    market.supply(Quote(100_000 * USDC), LpShares(0), NOW).unwrap();
    market.fund_backstop(Quote(10_000 * USDC), NOW).unwrap();
    // The supply was long ago.
    market.outflow = bytemuck::Zeroable::zeroed();
    let mut account = MarginAccount::new(Key([8; 32]), Key([9; 32]), 0, 255);
    market.deposit_collateral(&mut account, Collateral(100 * SOL)).unwrap();
    (market, account)
}

/// SOL at so many dollars, for borrowing.
pub fn prices(market: &mut Market, dollars: i64, clock: Clock) -> Prices {
    prices_for(market, PriceUse::Borrow, dollars, clock)
}

/// SOL at so many dollars.
pub fn prices_for(market: &mut Market, usage: PriceUse, dollars: i64, clock: Clock) -> Prices {
    let reading = |price: i64| RawReading {
        price,
        conf: 0,
        expo: 0,
        ema_price: price,
        publish_time: clock.unix,
    };
    let readings = Readings::of(reading(dollars), reading(1));
    market.accept_prices(&readings, usage, clock).unwrap()
}

pub fn change(market: &Market, parameter: Parameter, to: u64) -> ParameterChange {
    ParameterChange {
        parameter: parameter.id(),
        from: parameter.get(&market.config),
        to,
    }
}

/// Checks an action's error, and that it changed nothing.
#[track_caller]
pub fn refused<T: core::fmt::Debug>(market: &Market, act: impl FnOnce(&mut Market) -> Result<T>, expected: Error) {
    let mut tried = *market;
    assert_eq!(act(&mut tried).unwrap_err(), expected);
    assert!(tried == *market, "{expected}: it changed the market");
}

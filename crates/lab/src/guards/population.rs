//! Who borrows in the experiment: a market full of accounts, made by the engine's own actions.

use breakwater_engine::{
    Bps, Clock, Config, DepthAllocation, FeedPin, Feeds, Key, LpShares, MarginAccount, Market, NewMarket, Price, Quote,
    RawReading, Readings, Result,
    math::num::BPS,
    price::oracle::{FEED_PULL, PriceUse},
};
use bytemuck::Zeroable;

use super::paths::Print;

/// Number of accounts with a debt ÷ value at the first price from here to there, basis points, evenly spread.
pub const LTVS: [(u64, u64, u64); 4] = [
    (100, 3_000, 6_000),
    (60, 6_000, 7_000),
    (30, 7_000, 7_600),
    (10, 7_600, 7_950),
];

/// Collateral values at the first price, whole quote tokens, in turn.
pub const SIZES: [u64; 6] = [5_000, 10_000, 20_000, 50_000, 100_000, 200_000];

/// How much higher than the first price the price was when everybody borrowed, percent: so that there are LTVs beyond
/// the initial one.
pub const OPENED_ABOVE: i64 = 25;

const QUOTE_UNIT: u64 = 1_000_000;
/// Far more than anybody borrows, and more than the backstop ever needs: only the guards limit what happens.
const SUPPLIED: Quote = Quote(100_000_000 * QUOTE_UNIT);
const FUNDED: Quote = Quote(100_000_000 * QUOTE_UNIT);

/// A market with its accounts, before the first reading of a path.
#[derive(Clone)]
pub struct Population {
    /// With the widest guards.
    pub market: Market,
    /// In the order of their LTV, lowest first.
    pub accounts: Vec<MarginAccount>,
}

/// The widest guards that the bounds allow: as good as none, for paths that more than halve or double no price at once.
pub const UNGUARDED: Config = Config {
    max_velocity: Bps(10_000),
    velocity_horizon: 3_600,
    velocity_slack: Bps(10_000),
    own_ema_band: Bps(10_000),
    ema_band: Bps(10_000),
    // The widest interval that the largest discount outweighs: see `AuctionStuck`.
    confidence_guard: Bps(1_400),
    confidence_halt: Bps(2_500),
    auction_max_discount: Bps(2_500),
    auction_floor_band: Bps(10_000),
    ..Config::EXAMPLE
};

impl Population {
    /// Everybody opens an account and borrows, one second before the first print, at [`OPENED_ABOVE`] its price.
    ///
    /// # Errors
    /// None, unless the engine refuses what a healthy borrower may do.
    pub fn before(first: &Print) -> Result<Self> {
        let clock = Clock {
            unix: first.unix - 1,
            slot: 0,
        };
        let mut market = empty_market(clock)?;
        market.supply(SUPPLIED, LpShares(0), clock)?;
        market.fund_backstop(FUNDED, clock)?;
        let at = |price| Print {
            unix: clock.unix,
            price,
            confidence: 0,
            ema: price,
            fair: price,
        };
        let first_price = spot(&market, &at(first.price), clock)?.divisor()?;
        let opened_at = at(first.price / 100 * (100 + OPENED_ABOVE));
        let prices = market.accept_prices(&readings(&opened_at), PriceUse::Borrow, clock)?;
        let mut accounts = Vec::new();
        for (value, ltv) in wanted() {
            let mut account = MarginAccount::new(Key::default(), Key::default(), 0, 0);
            market.deposit_collateral(&mut account, first_price.collateral_floor(value)?)?;
            market.borrow(&mut account, Quote(value.0 / BPS * ltv), &prices, clock)?;
            accounts.push(account);
        }
        Ok(Self { market, accounts })
    }

    /// The same people in a market with other parameters, that has not seen a price yet.
    ///
    /// # Errors
    /// The errors of [`Config::validate`].
    pub fn under(mut self, config: &Config) -> Result<Self> {
        config.validate()?;
        self.market.config = *config;
        self.market.guard = Zeroable::zeroed();
        Ok(self)
    }
}

/// Collateral value and LTV (bps) of every account at the first price.
pub fn wanted() -> impl Iterator<Item = (Quote, u64)> {
    let ltvs = LTVS
        .iter()
        .flat_map(|&(count, from, to)| (1..=count).map(move |i| from + (to - from) * i / count));
    let sizes = SIZES.iter().cycle().map(|size| Quote(size * QUOTE_UNIT));
    sizes.zip(ltvs)
}

/// A new market of a collateral with 9 decimals and a quote token with 6, with the widest guards.
///
/// # Errors
/// None, unless the engine refuses these parameters.
pub fn empty_market(clock: Clock) -> Result<Market> {
    let pin = |byte| FeedPin {
        key: Key([byte; 32]),
        owner: Key([9; 32]),
        kind: FEED_PULL,
        padding: [0; 7],
    };
    let mut market = Market::zeroed();
    market.initialize(&NewMarket {
        id: 0,
        bump: 0,
        collateral: (Key([1; 32]), 9, Key([2; 32])),
        quote: (Key([3; 32]), 6, Key([4; 32])),
        lp_mint: Key([5; 32]),
        feeds: Feeds {
            collateral: pin(6),
            quote: pin(7),
            base: FeedPin::NONE,
            rate: FeedPin::NONE,
        },
        config: UNGUARDED.first(),
        depth: DepthAllocation {
            budget: Key([8; 32]),
            share: Bps(10_000),
        },
        clock,
    })?;
    // As governance would have raised it.
    market.config = UNGUARDED;
    Ok(market)
}

/// Collateral in quote by a print alone, as the engine composes it.
///
/// # Errors
/// If the engine refuses the print.
pub fn spot(market: &Market, print: &Print, clock: Clock) -> Result<Price> {
    let decimals = (market.collateral_decimals, market.quote_decimals);
    let (oracle_price, _) = market
        .oracle
        .read(&market.config, decimals, &readings(print), PriceUse::Observe, clock)?;
    Ok(oracle_price.spot())
}

/// A print as the engine takes it; the quote token stands at one dollar.
pub fn readings(print: &Print) -> Readings {
    const DOLLAR: i64 = 100_000_000;
    Readings::of(
        RawReading {
            price: print.price,
            conf: print.confidence,
            expo: -8,
            ema_price: print.ema,
            publish_time: print.unix,
        },
        RawReading {
            price: DOLLAR,
            conf: 0,
            expo: -8,
            ema_price: DOLLAR,
            publish_time: print.unix,
        },
    )
}

//! Random markets and prices. A seed gives the same one every time.

use breakwater_engine::{
    Bps, Clock, Collateral, Config, DepthAllocation, FeedPin, Feeds, KeeperLedger, Key, LpShares, MarginAccount,
    Market, NewMarket, Prices, Quote, RawReading, Readings,
    price::oracle::{FEED_PULL, PriceUse},
};

pub const SOL: u64 = 1_000_000_000;
pub const USDC: u64 = 1_000_000;

/// Numbers that look random (SplitMix64).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    /// At least `low`, below `high`.
    pub fn within(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high - low)
    }

    pub fn chance(&mut self, percent: u64) -> bool {
        self.within(0, 100) < percent
    }
}

/// A market, its accounts, and the time.
pub struct World {
    pub market: Market,
    pub accounts: Vec<MarginAccount>,
    pub ledger: KeeperLedger,
    pub clock: Clock,
}

/// Dollars with eight decimals.
pub const DOLLAR: i64 = 100_000_000;

pub fn pin(id: u8) -> FeedPin {
    FeedPin {
        key: Key([id; 32]),
        owner: Key([11; 32]),
        kind: FEED_PULL,
        padding: [0; 7],
    }
}

/// The example, scaled to a small market, with no guard but the bounds of what is Normal.
pub fn open(config: &Config) -> Config {
    Config {
        max_velocity: Bps(10_000),
        velocity_slack: Bps(10_000),
        own_ema_band: Bps(10_000),
        ema_band: Bps(10_000),
        auction_floor_band: Bps(10_000),
        ..*config
    }
}

/// Without interest.
pub fn free(config: &Config) -> Config {
    Config {
        interest_base: Bps(0),
        interest_slope_low: Bps(0),
        interest_slope_high: Bps(0),
        ..*config
    }
}

impl World {
    /// A market with a pool of a billion and nothing in the backstop; SOL at 100 dollars.
    pub fn new(config: &Config) -> Self {
        assert_eq!(config.validate(), Ok(()));
        let clock = Clock {
            unix: 1_700_000_000,
            slot: 1_000_000,
        };
        let mut market: Market = bytemuck::Zeroable::zeroed();
        market
            .initialize(&NewMarket {
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
                config: Config::EXAMPLE.first(),
                clock,
            })
            .unwrap();
        market.config = *config;
        market.config.supply_cap = Quote(u64::MAX);
        market.config.debt_cap = Quote(u64::MAX);
        market.config.account_debt_cap = Quote(u64::MAX);
        let supplied = Quote(1_000_000_000 * USDC);
        market.supply(supplied, LpShares(0), clock).unwrap();
        let mut world = Self {
            market,
            accounts: Vec::new(),
            ledger: KeeperLedger::new(Key([8; 32]), Key([10; 32]), 255),
            clock,
        };
        world.at(100 * DOLLAR, 100 * DOLLAR);
        world
    }

    /// Accepts SOL at so many dollars of eight decimals, and Pyth's EMA of it.
    pub fn at(&mut self, price: i64, ema_price: i64) -> Prices {
        let publish_time = self.clock.unix;
        let reading = |price, ema_price| RawReading {
            price,
            conf: 0,
            expo: -8,
            ema_price,
            publish_time,
        };
        let readings = Readings::of(reading(price, ema_price), reading(DOLLAR, DOLLAR));
        self.market
            .accept_prices(&readings, PriceUse::Observe, self.clock)
            .unwrap()
    }

    pub fn wait(&mut self, seconds: i64) {
        self.clock.unix += seconds;
        self.clock.slot += seconds.unsigned_abs() * 5 / 2 + 1;
    }

    /// An account of so many lamports that owes `ltv` bps of their worth at these prices, whatever the cover.
    pub fn open(&mut self, lamports: u64, ltv: u64, prices: &Prices) {
        let id = u16::try_from(self.accounts.len()).unwrap();
        let mut account = MarginAccount::new(Key([8; 32]), Key([9; 32]), id, 255);
        let market = &mut self.market;
        market.deposit_collateral(&mut account, Collateral(lamports)).unwrap();
        let worth = prices.spot().quote_floor(Collateral(lamports)).unwrap().0;
        let amount = Quote(u64::try_from(u128::from(worth) * u128::from(ltv) / 10_000).unwrap());
        let cash = market.books.backstop.cash;
        market.books.backstop.cash = Quote(1 << 60);
        let known = market.known_prices(PriceUse::Borrow, self.clock).unwrap();
        market.borrow(&mut account, amount, &known, self.clock).unwrap();
        market.books.backstop.cash = cash;
        self.accounts.push(account);
    }

    /// C.
    pub fn cover(&self, prices: &Prices) -> i128 {
        self.market.stress(prices, self.clock).unwrap()[0].cover
    }

    /// A.
    pub fn admission(&self, prices: &Prices) -> i128 {
        let [_, balance_sheet] = self.market.stress(prices, self.clock).unwrap();
        balance_sheet.cover - i128::from(balance_sheet.leaving.0)
    }
}

//! The cast that most tests begin with.

use anchor_lang::prelude::Pubkey;
use anchor_spl::token_2022::spl_token_2022::extension::ExtensionType;
use breakwater_client::MarketKeys;
use breakwater_engine::{Bps, RawReading, Readings};
use breakwater_testkit::{
    Actor, FeedSpec, MarketSpec, MintSpec, Position, World, default_config,
    pyth::{Quotation, RECEIVERS, usd},
};

/// One whole collateral token, atoms.
pub const SOL: u64 = 1_000_000_000;

/// One whole quote token, atoms.
pub const USDC: u64 = 1_000_000;

/// A SOL/USDC market with SOL at $100: a pool of 1,000,000, a backstop of 100,000, and Alice, who has put in 100 SOL
/// and borrowed 6,500 against it.
pub struct Scene {
    /// Where it plays.
    pub world: World,
    /// The market.
    pub market: MarketKeys,
    /// Supplies the pool; has 1,000,000 more.
    pub lena: Actor,
    /// Borrows; has 100 SOL and 10,000 USDC more.
    pub alice: Actor,
    /// Has nothing in the market; 1,000 SOL and 1,000,000 USDC.
    pub mallory: Actor,
    /// A keeper with an open ledger and no money.
    pub kate: Actor,
    /// Alice's account.
    pub position: Position,
}

impl Scene {
    /// On solana-program-test.
    #[track_caller]
    pub fn new() -> Self {
        Self::on(World::program_test(), &MarketSpec::default())
    }

    /// In a world and on a market of the test's choice.
    ///
    /// # Panics
    /// If the program refuses a step.
    #[track_caller]
    pub fn on(world: World, spec: &MarketSpec) -> Self {
        Self::funded(world, spec, 1_000_000 * USDC, 100_000 * USDC)
    }

    /// With this much in the pool and in the backstop, quote atoms; each may be nothing.
    ///
    /// # Panics
    /// If the program refuses a step.
    #[track_caller]
    pub fn funded(mut world: World, spec: &MarketSpec, pool: u64, backstop: u64) -> Self {
        let market = world.market(spec);
        let lena = world.trader(&market, "lena", 0, 3_000_000 * USDC);
        let alice = world.trader(&market, "alice", 200 * SOL, 10_000 * USDC);
        let mallory = world.trader(&market, "mallory", 1_000 * SOL, 1_000_000 * USDC);
        let kate = world.keeper(&market, "kate");
        if pool > 0 {
            world.supply(&market, &lena, pool).unwrap();
        }
        if backstop > 0 {
            world.fund_backstop(&market, &lena, backstop).unwrap();
        }
        let position = world.open(&market, &alice, 0).unwrap();
        world.deposit(&position, 100 * SOL).unwrap();
        world.borrow(&position, 6_500 * USDC).unwrap();
        world.next_slot();
        Self {
            world,
            market,
            lena,
            alice,
            mallory,
            kate,
            position,
        }
    }

    /// Lena leaves with all the cash of the pool; her shares are worth more than that.
    ///
    /// # Panics
    /// If no number of shares is worth exactly that.
    #[track_caller]
    pub fn drain_pool(&mut self) {
        let pool = self
            .world
            .market_state(&self.market)
            .books_at(self.world.clock())
            .unwrap()
            .pool;
        let (cash, assets) = (u128::from(pool.cash.0), u128::from(pool.assets().unwrap().0));
        // The inverse of the price of shares, to be rounded up.
        let shares = (cash * u128::from(pool.lp_supply.0 + 1_000)).div_ceil(assets + 1);
        self.world
            .withdraw(&self.market, &self.lena, u64::try_from(shares).unwrap())
            .unwrap();
        assert_eq!(self.world.market_state(&self.market).books.pool.cash.0, 0);
    }

    /// Publishes a collateral price, in whole US dollars, a minute later: the account can be liquidated if it is low.
    pub fn price(&mut self, dollars: i64) {
        self.world.advance(60);
        let feed = self.market.collateral_feed;
        self.world
            .set_price(&feed, usd(dollars), usd(dollars).unsigned_abs() / 1_000);
    }
}

/// The default market with mints of both token programs.
pub fn both_token_programs() -> [MarketSpec; 2] {
    let token_2022 = MarketSpec {
        collateral: MintSpec::token_2022("SOL", 9, &[]),
        quote: MintSpec::token_2022("USDC", 6, &[ExtensionType::MetadataPointer]),
        ..MarketSpec::default()
    };
    [MarketSpec::default(), token_2022]
}

/// The default market with each kind of price feed, and with one of each.
pub fn all_feed_kinds() -> [MarketSpec; 4] {
    let pull = MarketSpec::default();
    let push = MarketSpec {
        collateral_feed: FeedSpec::push("SOL/USD", usd(100)),
        quote_feed: FeedSpec::push("USDC/USD", usd(1)),
        ..pull.clone()
    };
    let pull_and_push = MarketSpec {
        quote_feed: push.quote_feed.clone(),
        ..pull.clone()
    };
    let push_and_pull = MarketSpec {
        quote_feed: pull.quote_feed.clone(),
        ..push.clone()
    };
    [pull, push, pull_and_push, push_and_pull]
}

/// The default market pinned to each of the two receiver programs.
pub fn both_receivers() -> [MarketSpec; 2] {
    RECEIVERS.map(|receiver| {
        let mut spec = MarketSpec::default();
        (spec.collateral_feed.owner, spec.quote_feed.owner) = (receiver, receiver);
        spec
    })
}

/// A market of a staked token at $125, which is redeemed for 1.25 SOL at $100.
pub fn redeemable() -> MarketSpec {
    MarketSpec {
        collateral: MintSpec::classic("JitoSOL", 9),
        collateral_feed: FeedSpec::pull("JITOSOL/USD", usd(125)),
        redemption_feeds: Some((
            FeedSpec::pull("SOL/USD", usd(100)),
            FeedSpec {
                conf: 0,
                ..FeedSpec::pull("JITOSOL/SOL.RR", usd(125) / 100)
            },
        )),
        ..MarketSpec::default()
    }
}

/// A second market of the default mints and feeds.
#[track_caller]
pub fn sibling(world: &mut World) -> MarketKeys {
    world.market(&MarketSpec {
        id: 1,
        ..MarketSpec::default()
    })
}

/// The market of the default mints the other way round: who borrows there is short SOL.
#[track_caller]
pub fn inverse(world: &mut World) -> MarketKeys {
    let MarketSpec {
        collateral,
        quote,
        collateral_feed,
        quote_feed,
        ..
    } = MarketSpec::default();
    world.market(&MarketSpec {
        collateral: quote,
        quote: collateral,
        collateral_feed: quote_feed,
        quote_feed: collateral_feed,
        ..MarketSpec::default()
    })
}

/// Balances of an actor in a market's collateral, quote token and LP shares, atoms.
#[track_caller]
pub fn purse(world: &mut World, market: &MarketKeys, actor: &Actor) -> (u64, u64, u64) {
    let [collateral, quote, lp] =
        [market.collateral_mint, market.quote_mint, market.lp_mint].map(|mint| world.balance(actor, &mint));
    (collateral, quote, lp)
}

/// Balances of a market's two vaults, atoms: collateral, quote.
pub fn vaults(world: &mut World, market: &MarketKeys) -> (u64, u64) {
    (
        world.token_balance(&market.collateral_vault),
        world.token_balance(&market.quote_vault),
    )
}

/// Readings of a market's feeds, as the engine takes them.
pub fn readings(world: &World, market: &MarketKeys) -> Readings {
    let reading = |feed: &Pubkey| {
        let Quotation {
            price,
            conf,
            expo,
            ema_price,
            publish_time,
            ..
        } = *world.shown(feed).quotation();
        RawReading {
            price,
            conf,
            expo,
            ema_price,
            publish_time,
        }
    };
    let readings = Readings::of(reading(&market.collateral_feed), reading(&market.quote_feed));
    match &market.redemption_feeds {
        Some((base, rate)) => readings.with_redemption(reading(base), reading(rate)),
        None => readings,
    }
}

/// The scene five years later, with all cash lent at the highest rate that a config may have: the debt does not fit
/// 64 bits any more, so interest cannot be accrued.
#[track_caller]
pub fn overgrown() -> Scene {
    let mut config = default_config();
    (config.interest_base, config.interest_slope_low) = (Bps(10_000), Bps(10_000));
    (config.interest_slope_high, config.reserve_factor) = (Bps(30_000), Bps(0));
    let mut scene = Scene::on(
        World::program_test(),
        &MarketSpec {
            config,
            ..MarketSpec::default()
        },
    );
    scene
        .world
        .withdraw(&scene.market, &scene.lena, 993_500 * USDC * 1_000)
        .unwrap();
    scene.world.advance(5 * 365 * 86_400);
    scene
}

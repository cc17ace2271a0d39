extern crate std;

use super::*;
use breakwater_engine::{
    FeedPin, Feeds, GuardianPosition, KeeperLedger, Key, Level, NewMarket, RawReading,
    actions::Liquidation,
    governance::depth::DepthAllocation,
    views::cascade::{Pace, Seller},
};
use proptest::prelude::*;
use std::vec::Vec;

mod feeds;
mod guardians;
mod largest;
mod liquidation;

const NOW: Clock = Clock {
    unix: 1_750_000_000,
    slot: 77,
};

fn readings(price: i64, clock: Clock) -> Readings {
    let reading = |price: i64| RawReading {
        price,
        conf: price.unsigned_abs() / 1_000,
        expo: -8,
        ema_price: price,
        publish_time: clock.unix,
    };
    Readings::of(reading(price), reading(100_000_000))
}

/// The example with the price guards wide open: any price is Normal.
fn open_guards() -> Config {
    Config {
        max_velocity: Bps(10_000),
        velocity_slack: Bps(10_000),
        own_ema_band: Bps(10_000),
        ema_band: Bps(10_000),
        auction_floor_band: Bps(10_000),
        ..Config::EXAMPLE
    }
}

/// Without the limits of velocity: a fall of more than 2.5% in 20 seconds is Guarded, and leaves a gap.
fn velocity_only() -> Config {
    Config {
        own_ema_band: Bps(10_000),
        ema_band: Bps(10_000),
        ..Config::EXAMPLE
    }
}

fn market(config: &Config) -> Market {
    let mut market: Market = bytemuck::Zeroable::zeroed();
    let pin = |byte| FeedPin {
        key: Key([byte; 32]),
        owner: Key([9; 32]),
        kind: breakwater_engine::price::oracle::FEED_PUSH,
        padding: [0; 7],
    };
    let new = NewMarket {
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
            budget: Key([6; 32]),
            share: Bps(10_000),
        },
        config: Config::EXAMPLE.first(),
        clock: NOW,
    };
    market.initialize(&new).unwrap();
    market.config = *config;
    market
}

/// As governance may have a config later, without caps.
fn uncapped(config: &Config) -> Config {
    Config {
        supply_cap: Quote(u64::MAX),
        debt_cap: Quote(u64::MAX),
        account_debt_cap: Quote(u64::MAX),
        ..*config
    }
}

fn account(collateral: u64) -> MarginAccount {
    let mut account = MarginAccount::new(Key([8; 32]), Key([9; 32]), 0, 255);
    account.collateral = Collateral(collateral);
    account
}

fn seconds_after(clock: Clock, seconds: i64) -> Clock {
    Clock {
        unix: clock.unix + seconds,
        slot: clock.slot + seconds.unsigned_abs() * 5 / 2,
    }
}

/// A market with others' loans here and there, and an account in it.
fn scene(config: &Config, backstop: u64, others: &[(u64, u64)], own: (u64, u64)) -> (Quotes, MarginAccount) {
    let mut market = market(&uncapped(config));
    market
        .supply(Quote(1 << 50), bytemuck::Zeroable::zeroed(), NOW)
        .unwrap();
    market.fund_backstop(Quote(backstop), NOW).unwrap();
    let prices = market
        .accept_prices(&readings(100_0000_0000, NOW), PriceUse::Borrow, NOW)
        .unwrap();
    for (collateral, debt) in others {
        let mut other = account(*collateral);
        let _ = market.borrow(&mut other, Quote(*debt), &prices, NOW);
    }
    let mut account = account(own.0);
    let _ = market.borrow(&mut account, Quote(own.1), &prices, NOW);
    (at(&market, 100_0000_0000, seconds_after(NOW, 20)), account)
}

/// Quotes on a market when its feeds say `price`, in 10⁻⁸ USD.
fn at(market: &Market, price: i64, clock: Clock) -> Quotes {
    Quotes::new(market, &readings(price, clock), PriceUse::Observe, clock).unwrap()
}

/// The same market so many seconds later, when its feeds say `price`.
fn later(quotes: &Quotes, seconds: i64, price: i64) -> Quotes {
    at(quotes.market(), price, seconds_after(quotes.clock(), seconds))
}

/// Liquidates, as the program does.
fn liquidate(quotes: &mut Quotes, account: &mut MarginAccount) -> Result<Liquidation> {
    let mut ledger: KeeperLedger = bytemuck::Zeroable::zeroed();
    let Quotes { market, prices, clock } = quotes;
    let _ = prices;
    let prices = market.known_prices(PriceUse::Liquidate, *clock)?;
    market.liquidations(&prices, *clock)?.liquidate(account, &mut ledger)
}

#[test]
fn an_account_by_hand() {
    // 10 SOL at 100, 400 USDC: LTV 40%, of 80%; liquidated when 10 SOL are worth less than 500, and taken over from 95%
    // of their value on. A price of 0.1 is rounded down.
    let config = Config {
        interest_base: Bps(0),
        interest_slope_low: Bps(0),
        ..Config::EXAMPLE
    };
    let (quotes, account) = scene(&config, 1 << 40, &[], (10_000_000_000, 400_000_000));
    let health = quotes.health(&account).unwrap();
    assert_eq!((health.debt, health.value), (Quote(400_000_000), Quote(999_999_999)));
    assert_eq!((health.ltv, health.factor), (Bps(4_001), Some(Bps(19_999))));
    assert!(!health.liquidatable);
    let cost = |price: Option<Price>| price.unwrap().quote_ceil(Collateral(10_000_000_000));
    assert_eq!(cost(health.liquidation_price), Ok(Quote(500_000_000)));
    assert_eq!(cost(health.takeover_price), Ok(Quote(421_052_632)));
    assert_eq!(quotes.liquidation(&account), Err(Error::AccountHealthy));
    assert_eq!(quotes.preview(&account), Err(Error::AccountHealthy));
}

#[test]
fn a_shock_is_told_band_by_band() {
    // 690 USDC on 10 SOL: liquidated from 86.25 on, in a band that reaches to 88.2 at most.
    let (quotes, account) = scene(&Config::EXAMPLE, 1 << 40, &[], (10_000_000_000, 690_000_000));
    let shock = |drop| quotes.shock(Bps(drop)).unwrap();
    let calm = Shock {
        price: shock(1_000).price,
        ..Shock::default()
    };
    assert_eq!(shock(1_000), calm);
    let debt = quotes.health(&account).unwrap().debt;
    let partial = shock(2_000);
    assert!(partial.debt.0.abs_diff(debt.0) <= 1, "{partial:?}");
    // To the target at 80: (690 - 0.75 x 800) / (1 - 0.75 x 1.01) = 371; the band's edge is up to 2.2% nearer.
    assert!((371_000_000..440_000_000).contains(&partial.repaid.0), "{partial:?}");
    assert_eq!(partial.penalties.0, partial.repaid.0 / 100);
    assert_eq!((partial.shared, partial.deficits), (partial.penalties, Quote::ZERO));
    // At 72 it is taken over, with the 30 that are left of it or less; guardians share 1%.
    let taken = shock(2_800);
    assert_eq!(taken.repaid, taken.debt);
    assert!((14_000_000..=30_000_000).contains(&taken.penalties.0), "{taken:?}");
    assert_eq!(taken.shared.0, taken.debt.0 / 100);
    // At 60 it is under water.
    let deep = shock(4_000);
    assert!((90_000_000..110_000_000).contains(&deep.deficits.0), "{deep:?}");
    assert_eq!((deep.penalties, deep.shared), (Quote::ZERO, Quote::ZERO));
}

#[test]
fn a_crowd_makes_a_cascade_if_everyone_dumps_and_none_with_the_backstop() {
    // Half a percent of the debt moves the price by 1%.
    let config = Config {
        market_depth: Quote(3_500_000_000),
        ..open_guards()
    };
    let crowd: Vec<_> = (600..=700).map(|part| (100_000_000_000, part * 10_000_000)).collect();
    let (quotes, _) = scene(&config, 1 << 40, &crowd, (10_000_000_000, 690_000_000));
    let curve = quotes.cascade().unwrap();
    assert!(curve.reached(Bps(5_000)) >= quotes.risk().unwrap().debt_within[4]);
    let end = |seller, pace| curve.end(Bps(2_000), seller, pace).fall;
    assert!(end(Seller::Everyone, Pace::AT_ONCE) >= Bps(5_000));
    assert!(end(Seller::Everyone, Pace::AT_ONCE) >= end(Seller::Keepers, Pace::AT_ONCE));
    for pace in [Pace::AT_ONCE, Pace::hours(6)] {
        let end = end(Seller::Backstop, pace);
        assert!((Bps(2_000)..Bps(2_500)).contains(&end), "{end:?}");
    }
    let critical = |seller| curve.critical(seller, Pace::AT_ONCE);
    assert!(critical(Seller::Everyone) < Bps(2_000) && critical(Seller::Backstop) > Bps(4_500));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    /// The engine is asked at the price and just above it.
    #[test]
    fn the_liquidation_and_the_take_over_price_are_the_last_ones(collateral in 1u64..1 << 50, part in 1u64..7_000) {
        let value = u128::from(collateral) / 10; // 100 USDC for a SOL
        let debt = u64::try_from(value * u128::from(part) / 10_000).unwrap();
        let (quotes, account) = scene(&Config::EXAMPLE, 1 << 50, &[], (collateral, debt));
        let health = quotes.health(&account).unwrap();
        let (Some(price), Some(taken)) = (health.liquidation_price, health.takeover_price) else {
            prop_assert!(!account.has_debt());
            return Ok(());
        };
        let (market, clock) = (quotes.market(), quotes.clock());
        let above = |price: Price| Price::from_raw(price.raw() + 1);
        prop_assert_eq!(market.is_liquidatable(&account, price, clock), Ok(true));
        prop_assert_eq!(market.is_liquidatable(&account, above(price), clock), Ok(false));
        let extent = |price: Price| {
            sizing::terms(&market.config, health.debt, account.collateral, &price.divisor().unwrap()).unwrap().demand.extent
        };
        prop_assert_eq!(extent(taken), Extent::TakeOver);
        prop_assert!(extent(above(taken)) != Extent::TakeOver);
    }
}

#[test]
fn lp_shares_are_worth_what_the_engine_pays_for_them() {
    let (mut quotes, _) = scene(&open_guards(), 1, &[], (0, 0));
    // The backstop owes half of the pool, and holds what is worth a little less.
    let market = &mut quotes.market;
    market.books.backstop.cash = Quote::ZERO;
    let debt = market.books.pool.cash.0 / 2;
    let shares = market.books.pool.lend(Quote(debt)).unwrap();
    market.books.backstop.debt_shares = shares;
    market.books.backstop.inventory = quotes
        .prices
        .spot()
        .divisor()
        .unwrap()
        .collateral_floor(Quote(debt / 10 * 9))
        .unwrap();
    let all = quotes.market.books.pool.lp_supply;
    let part = LpShares(all.0 / 10);
    let value = quotes.lp_value(part).unwrap();
    let mut market = quotes.market;
    let paid = market.withdraw(part, all, Quote(0), quotes.clock).unwrap();
    assert_eq!(value.amount, paid.amount);
    assert!(
        value.impaired.0 >= debt / 10 && value.amount.0 < value.assets.0 / 10,
        "{value:?}"
    );
    // As the statement says.
    assert_eq!(quotes.balance_sheet().unwrap().impaired, value.impaired);
}

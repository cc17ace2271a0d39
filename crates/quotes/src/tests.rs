use super::*;
use breakwater_engine::{FeedPin, Feeds, Key, NewMarket, RawReading};
use proptest::prelude::*;

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
    Readings {
        collateral: reading(price),
        quote: reading(100_000_000),
        redemption: None,
    }
}

fn market(config: &Config) -> Market {
    let mut market: Market = bytemuck::Zeroable::zeroed();
    let pin = |byte| FeedPin {
        key: Key([byte; 32]),
        owner: Key([9; 32]),
        kind: breakwater_engine::oracle::FEED_PUSH,
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
        config: Config::EXAMPLE.first(),
        clock: NOW,
    };
    market.initialise(&new).unwrap();
    // As governance may have it later, without caps.
    market.config = Config {
        supply_cap: Quote(u64::MAX),
        debt_cap: Quote(u64::MAX),
        account_debt_cap: Quote(u64::MAX),
        ..*config
    };
    market
}

fn account(collateral: u64) -> MarginAccount {
    let mut account = MarginAccount::new(Key([8; 32]), Key([9; 32]), 0, 255);
    account.collateral = Collateral(collateral);
    account
}

/// A market with others' loans here and there, and an account in it.
fn scene(config: &Config, backstop: u64, others: &[(u64, u64)], own: (u64, u64)) -> (Quotes, MarginAccount) {
    let mut market = market(config);
    market
        .supply(Quote(1 << 50), bytemuck::Zeroable::zeroed(), NOW)
        .unwrap();
    market.fund_backstop(Quote(backstop), NOW).unwrap();
    let prices = market
        .accept_prices(&readings(100_0000_0000, NOW), Purpose::Trade, NOW)
        .unwrap();
    for (collateral, debt) in others {
        let mut other = account(*collateral);
        let _ = market.borrow(&mut other, Quote(*debt), &prices, NOW);
    }
    let mut account = account(own.0);
    let _ = market.borrow(&mut account, Quote(own.1), &prices, NOW);
    let later = Clock {
        unix: NOW.unix + 20,
        slot: NOW.slot + 50,
    };
    (
        Quotes::new(&market, &readings(100_0000_0000, later), Purpose::Observe, later).unwrap(),
        account,
    )
}

#[test]
fn an_account_by_hand() {
    // 10 SOL at 100, 400 USDC: LTV 40%, of 80%; liquidated when 10 SOL are worth less than 500. A price of 0.1 is rounded down.
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
    let price = health.liquidation_price.unwrap();
    assert_eq!(price.cost(Collateral(10_000_000_000)), Ok(Quote(500_000_000)));
    assert_eq!(quotes.liquidation(&account), Err(Error::AccountHealthy));
    // The lower end of the interval is 99.8: 70% of it, less the debt.
    let most = quotes.max_borrow(&account).unwrap().0;
    assert!((298_000_000..299_000_000).contains(&most), "{most}");
    let most = quotes.max_withdrawal(&account).unwrap().0;
    assert!((4_250_000_000..4_280_000_000).contains(&most), "{most}");
}

#[test]
fn a_liquidation_is_foretold_and_nothing_is_changed() {
    let (quotes, account) = scene(&Config::EXAMPLE, 1 << 40, &[], (10_000_000_000, 690_000_000));
    let wide = Config {
        max_velocity: Bps(10_000),
        velocity_slack: Bps(10_000),
        average_band: Bps(10_000),
        ema_band: Bps(10_000),
        unwind_floor_band: Bps(10_000),
        ..Config::EXAMPLE
    };
    let mut market = *quotes.market();
    market.config = wide;
    let clock = quotes.clock();
    let quotes = Quotes::new(&market, &readings(80_0000_0000, clock), Purpose::Observe, clock).unwrap();
    let health = quotes.health(&account).unwrap();
    assert!(health.liquidatable && health.factor < Some(Bps(10_000)), "{health:?}");
    let foretold = quotes.liquidation(&account).unwrap();
    assert!(!foretold.whole && foretold.repaid > Quote::ZERO);
    let (mut market, mut liquidated) = (*quotes.market(), account);
    let mut ledger: KeeperLedger = bytemuck::Zeroable::zeroed();
    let done = market
        .liquidations(quotes.prices(), clock)
        .unwrap()
        .liquidate(&mut liquidated, &mut ledger);
    assert_eq!(done, Ok(foretold));
    assert_eq!(quotes.statement().unwrap().inventory, Collateral::ZERO);
    // What was taken over is offered from then on, cheaper by the hour.
    let quotes = Quotes::new(&market, &readings(80_0000_0000, clock), Purpose::Observe, clock).unwrap();
    let asks = [0, 3_600, 7_200].map(|seconds| quotes.offer_in(seconds).unwrap());
    assert_eq!(asks.map(|offer| offer.discount), [0, 100, 200]);
    assert!(asks.is_sorted_by(|a, b| a.ask > b.ask));
}

#[test]
fn a_shock_is_told_band_by_band() {
    // 690 USDC on 10 SOL: liquidated from 86.25 on, in a band that reaches to 87.2 at most.
    let (quotes, account) = scene(&Config::EXAMPLE, 1 << 40, &[], (10_000_000_000, 690_000_000));
    assert_eq!(
        quotes.shock(Bps(1_000)).unwrap(),
        Shock {
            price: quotes.shock(Bps(1_000)).unwrap().price,
            ..Shock::default()
        }
    );
    let shock = quotes.shock(Bps(2_000)).unwrap();
    let debt = quotes.health(&account).unwrap().debt;
    assert!(shock.debt.0.abs_diff(debt.0) <= 1, "{shock:?}");
    // To the target at 80: (690 - 0.75 x 800) / (1 - 0.75 x 1.02) = 383; the band's edge is up to 2.2% nearer.
    assert!((383_000_000..450_000_000).contains(&shock.repaid.0), "{shock:?}");
    assert_eq!(shock.penalties.0, shock.repaid.0 * 2 / 100);
    assert_eq!(shock.deficits, Quote::ZERO);
    // At 60 it is under water.
    let deep = quotes.shock(Bps(4_000)).unwrap();
    assert!((90_000_000..110_000_000).contains(&deep.deficits.0), "{deep:?}");
    assert_eq!(deep.penalties, Quote::ZERO);
}

#[test]
fn while_guarded_nothing_can_be_borrowed() {
    let (quotes, account) = scene(&Config::EXAMPLE, 1 << 40, &[], (10_000_000_000, 400_000_000));
    let later = Clock {
        unix: quotes.clock().unix + 1,
        ..quotes.clock()
    };
    let guarded = Quotes::new(quotes.market(), &readings(50_0000_0000, later), Purpose::Observe, later).unwrap();
    assert_eq!(guarded.borrow(&account, Quote(20_000_000)), Err(Error::MarketGuarded));
    assert_eq!(
        (guarded.max_borrow(&account), guarded.max_withdrawal(&account)),
        (Err(Error::MarketGuarded), Err(Error::MarketGuarded))
    );
    assert_eq!(guarded.liquidation(&account), Err(Error::PriceGapTooWide));
}

/// How much debt may be around one price is a limit of each band, not of the loan: what lands beside another's debt is refused,
/// what lands three bands further is not.
#[test]
fn a_larger_loan_may_be_accepted_where_a_smaller_one_is_not() {
    let config = Config {
        band_limit: Bps(300),
        band_floor: Quote(1_000_000_000),
        crowding_bands: 0,
        ..Config::EXAMPLE
    };
    let (quotes, account) = scene(
        &config,
        10_000_000_000,
        &[(40_000_000_000, 2_000_000_000)],
        (40_000_000_000, 0),
    );
    let most = quotes.max_borrow(&account).unwrap();
    assert!(most > Quote(2_100_000_000), "{most:?}");
    assert!(quotes.borrow(&account, most).is_ok());
    assert_eq!(
        quotes.borrow(&account, Quote(2_000_000_000)),
        Err(Error::BandOverloaded)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    /// The engine is asked at the price and just above it.
    #[test]
    fn the_liquidation_price_is_the_last_one(collateral in 1u64..1 << 50, part in 1u64..7_000) {
        let value = u128::from(collateral) / 10; // 100 USDC for a SOL
        let debt = u64::try_from(value * u128::from(part) / 10_000).unwrap();
        let (quotes, account) = scene(&Config::EXAMPLE, 1 << 50, &[], (collateral, debt));
        if let Some(price) = quotes.liquidation_price(&account).unwrap() {
            let (market, clock) = (quotes.market(), quotes.clock());
            prop_assert_eq!(market.is_liquidatable(&account, price, clock), Ok(true));
            let above = Price::from_raw(price.raw() + 1);
            prop_assert_eq!(market.is_liquidatable(&account, above, clock), Ok(false));
        } else {
            prop_assert!(!account.has_debt());
        }
    }

    /// What is quoted is accepted, an atom more is not; and no amount of a sample beyond it is, however the crowd lies.
    #[test]
    fn the_most_that_can_be_borrowed_and_withdrawn(
        others in prop::collection::vec((1_000_000_000u64..1 << 42, 10_000_000u64..1 << 38), 0..6),
        backstop in 1u64..1 << 38, own in 1_000_000_000u64..1 << 42, first in 10_000_000u64..1 << 36,
        sample in prop::collection::vec(0u64..10_000, 20), band_limit in 100u32..3_000, crowding_bands in 0u32..3,
    ) {
        let config = Config { band_limit: Bps(band_limit), crowding_bands, ..Config::EXAMPLE };
        let (quotes, account) = scene(&config, backstop, &others, (own, first));
        let most = quotes.max_borrow(&account).unwrap().0;
        if most > 0 {
            prop_assert!(quotes.borrow(&account, Quote(most)).is_ok());
        }
        let refused = |amount: u64| quotes.borrow(&account, Quote(amount)).is_err_and(search::is_about_the_amount);
        prop_assert!(refused(most + 1));
        let worth = quotes.judged_at().value(account.collateral).unwrap().0;
        for part in &sample {
            let beyond = most + 1 + u64::try_from(u128::from(worth) * u128::from(*part) / 10_000).unwrap();
            prop_assert!(refused(beyond), "{} was quoted, {} is accepted", most, beyond);
        }
        let most = quotes.max_withdrawal(&account).unwrap().0;
        let withdraw = |amount: u64| {
            let (mut market, mut account) = (*quotes.market(), account);
            market.withdraw_collateral(&mut account, Collateral(amount), Some(quotes.prices()), quotes.clock()).is_ok()
        };
        prop_assert!(most == 0 || withdraw(most));
        prop_assert!(most == account.collateral.0 || !withdraw(most + 1));
        for part in &sample {
            let beyond = most + 1 + u64::try_from(u128::from(account.collateral.0) * u128::from(*part) / 10_000).unwrap();
            prop_assert!(!withdraw(beyond), "{} was quoted, {} is accepted", most, beyond);
        }
    }
}

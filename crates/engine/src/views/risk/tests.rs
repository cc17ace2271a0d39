use super::*;
use crate::{
    account::{map::LiquidationMap, position::MarginAccount},
    config::{Config, tests::CONFIG},
    math::{
        num::ONE,
        units::{Collateral, Index},
    },
    pool::Pool,
    price::oracle::tests::{NOW, prices},
};

/// A market whose map begins at a price of one, at an LTV of one and an index of one: its bands are 32 to each doubling
/// of the price from there.
fn market(config: &Config) -> Market {
    let mut market: Market = bytemuck::Zeroable::zeroed();
    market.books.pool = Pool::new(0);
    market.books.pool.index = Index::from_raw(ONE);
    market.config = *config;
    market
}

/// At a price of 2^`octaves` and a little more: a third into its band.
fn view(market: &Market, octaves: u32) -> View<'_> {
    let price = Price::from_raw((ONE << octaves) + (ONE << octaves) / 128);
    View {
        market,
        books: &market.books,
        price,
        ltv: Bps(10_000),
        log: map::log_at(price, market.books.pool.index, Bps(10_000)),
    }
}

#[test]
fn a_fall_liquidates_the_bands_down_to_it() {
    let mut market = market(&CONFIG);
    for band in 0..=70 {
        market.map.bands[band] = DebtShares(1 << (band % 60));
    }
    market.map.bands[60..].fill(DebtShares(0));
    // At a price of two, 32 bands above the map's begin: band 32 is its own, half of the price the map's first.
    let view = view(&market, 1);
    assert_eq!(market.map.band_of(view.log), 32);
    let sum = |from: u32, to: u32| Quote((from..=to).map(|band| 1 << band).sum());
    assert_eq!(view.debt_within(Bps(0)), Ok(sum(32, 32)));
    // log2 of 0.9 is −0.152: 4.9 bands.
    assert_eq!(view.debt_within(Bps(1_000)), Ok(sum(27, 32)));
    // log2 of 0.75 is −0.415: 13.3 bands.
    assert_eq!(view.debt_within(Bps(2_500)), Ok(sum(19, 32)));
}

#[test]
fn proximity_is_the_fall_to_the_nearest_debt() {
    let at = |bands: &[usize], octaves| {
        let mut market = market(&CONFIG);
        for band in bands {
            market.map.bands[*band] = DebtShares(1);
        }
        view(&market, octaves).proximity().unwrap()
    };
    assert_eq!(at(&[], 1), None);
    assert_eq!(at(&[33, 200], 1), None, "above the price");
    assert_eq!(at(&[32], 1), Some(Bps(0)));
    assert_eq!(at(&[5, 32], 1), Some(Bps(0)));
    // To the lower edges of the bands above them: 2, √2 and 2^(1/32).
    assert_eq!(at(&[31], 1), Some(Bps(77)));
    assert_eq!(at(&[5, 15], 1), Some(Bps(2_983)));
    assert_eq!(at(&[0], 2), Some(Bps(7_465)));
}

#[test]
fn the_map_of_these_tests_begins_at_a_price_of_one() {
    let map: LiquidationMap = bytemuck::Zeroable::zeroed();
    assert_eq!(map.edge(0, Index::from_raw(ONE), Bps(10_000)), Ok(Price::from_raw(ONE)));
}

/// One collateral atom is worth a tenth of a quote atom: its accounts at an LTV of 80% owe 0.08, which is in band 171,
/// 0.4 from its lower edge.
fn crowded() -> (Market, Prices) {
    let mut market = market(&CONFIG);
    market.books.pool.accrued_at = NOW.unix;
    market.books.pool.debt_shares = DebtShares(u64::MAX);
    let prices = prices(100_0000_0000, 0);
    let index = market.books.pool.index;
    market.map.center(prices.guarded(), index, Bps(8_000));
    let bands = [
        (172, 7_000),
        (171, 1_000),
        (170, 200),
        (169, 30),
        (166, 4),
        (161, 5),
        (160, 9_000),
    ];
    for (band, shares) in bands {
        market.map.bands[band] = DebtShares(shares);
    }
    (market, prices)
}

#[test]
fn measures_count_what_a_fall_would_liquidate() {
    let (mut market, prices) = crowded();
    // 1% in an hour and nothing more: √24 times that in a day.
    market.volatility.variance = (1 << 46) / 10_000 / 3_600;
    let expected = Risk {
        proximity: Some(Bps(0)),
        // Falls of 1, 2, 5, 10 and 20% reach to the bands 170, 170, 169, 166 and 161.
        debt_within: [1_200, 1_200, 1_230, 1_234, 1_239].map(Quote),
        deviation: Bps(489),
        admission_fall: Bps(3_800 + 2 * 489),
    };
    assert_eq!(market.risk(&prices, NOW), Ok(expected));
}

#[test]
fn a_band_shows_as_price_and_debt() {
    let (market, prices) = crowded();
    let [own, next] = [171, 172].map(|band| market.price_band(band, NOW).unwrap());
    assert_eq!((own.debt, next.debt), (Quote(1_000), Quote(7_000)));
    assert!(own.edge < prices.guarded() && prices.guarded() < next.edge);
    let width = next.edge.raw() as f64 / own.edge.raw() as f64;
    assert!((width - 2f64.powf(1.0 / 32.0)).abs() < 1e-9, "{width}");
}

#[test]
fn an_account_can_be_liquidated_above_its_ltv() {
    let (market, prices) = crowded();
    let is_liquidatable = |debt| {
        let account = MarginAccount {
            debt_shares: DebtShares(debt),
            collateral: Collateral(1_001),
            ..bytemuck::Zeroable::zeroed()
        };
        market.is_liquidatable(&account, prices.guarded(), NOW)
    };
    assert_eq!(is_liquidatable(80), Ok(false));
    assert_eq!(is_liquidatable(81), Ok(true));
}

use super::*;
use crate::{
    config::{Config, tests::CONFIG},
    map::LiquidationMap,
    num::ONE,
    oracle::tests::{NOW, prices},
    pool::Pool,
    units::{Collateral, Index},
};

/// A market whose map begins at a price of one, at an LTV of one and an index of one: its bands are 32 to each doubling of the
/// price from there.
fn market(config: &Config) -> Market {
    let mut market: Market = bytemuck::Zeroable::zeroed();
    market.books.pool = Pool::new(0);
    market.books.pool.index = Index::from_raw(ONE);
    market.config = *config;
    market
}

/// At a price of 2^`octaves` and a little more: a third into its band.
fn view(market: &Market, octaves: u32, room: u64) -> View<'_> {
    let price = Price::from_raw((ONE << octaves) + (ONE << octaves) / 128);
    View {
        market,
        books: &market.books,
        price,
        ltv: Bps(10_000),
        log: map::log_at(price, market.books.pool.index, Bps(10_000)),
        room: Quote(room),
    }
}

fn account(debt: u64, band: u8) -> MarginAccount {
    MarginAccount {
        debt_shares: DebtShares(debt),
        collateral: Collateral(1),
        band,
        ..bytemuck::Zeroable::zeroed()
    }
}

#[test]
fn crowding_is_the_part_of_the_debt_without_room() {
    let crowding = |most, room, debt| {
        let market = market(&Config {
            crowding_max: Bps(most),
            ..CONFIG
        });
        view(&market, 0, room).crowding(Quote(debt))
    };
    assert_eq!(crowding(3_000, 100, 150), Bps(1_000));
    assert_eq!(crowding(3_000, 100, 151), Bps(1_014), "rounded up");
    assert_eq!(crowding(3_000, 0, 150), Bps(3_000));
    assert_eq!(crowding(3_000, 150, 150), Bps(0));
    assert_eq!(crowding(3_000, 0, 0), Bps(0));
    assert_eq!(crowding(0, 100, 150), Bps(0));
    // Beyond 49 bits only the leading bits count, rounded up.
    assert_eq!(crowding(3_000, 1 << 49, 1 << 50), Bps(1_501));
    assert_eq!(crowding(3_000, 1 << 50, 1 << 50), Bps(0));
    assert_eq!(crowding(0, 1 << 49, 1 << 50), Bps(0));
    assert_eq!(crowding(3_000, 0, u64::MAX), Bps(3_000));
}

#[test]
fn a_band_is_overloaded_beyond_its_limit_and_the_floor() {
    let config = Config {
        band_limit: Bps(4_000),
        band_floor: Quote(300),
        crowding_bands: 2,
        ..CONFIG
    };
    // In the account's own band 10, at both ends of its surroundings, and just beyond them.
    let mut market = market(&config);
    for (band, shares) in [(7, 5_000), (8, 100), (10, 50), (12, 30), (13, 5_000)] {
        market.map.bands[band] = DebtShares(shares);
    }
    let before = account(50, 10);
    let check = |room, debt| {
        view(&market, 1, room).check_band(&Move {
            before: &before,
            after: &account(debt, 10),
        })
    };
    // 130 of others, and 40% of 1,000.
    assert_eq!(check(1_000, 270), Ok(()));
    assert_eq!(check(1_000, 271), Err(Error::BandOverloaded));
    assert_eq!(check(0, 170), Ok(()));
    assert_eq!(check(0, 171), Err(Error::BandOverloaded));
}

#[test]
fn debt_moves_with_its_account() {
    let mut market = market(&CONFIG);
    (market.map.bands[3], market.map.bands[40]) = (DebtShares(500), DebtShares(20));
    let view = view(&market, 1, 0);
    let (before, after) = (account(200, 3), account(700, 40));
    let moved = Move {
        before: &before,
        after: &after,
    };
    assert_eq!(view.debt_between(0, 31, None), Ok(Quote(500)));
    assert_eq!(view.debt_between(0, 31, Some(&moved)), Ok(Quote(300)));
    assert_eq!(view.debt_between(3, 40, Some(&moved)), Ok(Quote(1_020)));
    assert_eq!(view.debt_between(32, 255, Some(&moved)), Ok(Quote(720)));
}

#[test]
fn a_fall_liquidates_the_bands_down_to_it() {
    let mut market = market(&CONFIG);
    for band in 0..=70 {
        market.map.bands[band] = DebtShares(1 << (band % 60));
    }
    market.map.bands[60..].fill(DebtShares(0));
    // At a price of two, 32 bands above the map's begin: band 32 is its own, half of the price the map's first.
    let view = view(&market, 1, 0);
    assert_eq!(view.own_band(), 32);
    let sum = |from: u32, to: u32| Quote((from..=to).map(|band| 1 << band).sum());
    assert_eq!(view.debt_within(Bps(0), None), Ok(sum(32, 32)));
    // log2 of 0.9 is −0.152: 4.9 bands.
    assert_eq!(view.debt_within(Bps(1_000), None), Ok(sum(27, 32)));
    // log2 of 0.75 is −0.415: 13.3 bands.
    assert_eq!(view.debt_within(Bps(2_500), None), Ok(sum(19, 32)));
}

#[test]
fn proximity_is_the_fall_to_the_nearest_debt() {
    let at = |bands: &[usize], octaves| {
        let mut market = market(&CONFIG);
        for band in bands {
            market.map.bands[*band] = DebtShares(1);
        }
        view(&market, octaves, 0).proximity().unwrap()
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
fn ratios_say_when_there_is_nothing_to_divide_by() {
    assert_eq!(ratio_of(Quote(3), Quote(4)), Bps(7_500));
    assert_eq!(ratio_of(Quote(0), Quote(4)), Bps(0));
    assert_eq!(ratio_of(Quote(3), Quote(0)), Bps(u32::MAX));
    assert_eq!(ratio_of(Quote(u64::MAX), Quote(1)), Bps(u32::MAX));
}

#[test]
fn the_map_of_these_tests_begins_at_a_price_of_one() {
    let map: LiquidationMap = bytemuck::Zeroable::zeroed();
    assert_eq!(map.edge(0, Index::from_raw(ONE), Bps(10_000)), Ok(Price::from_raw(ONE)));
}

/// One collateral atom is worth a tenth of a quote atom: its accounts at an LTV of 80% owe 0.08, which is in band 160, 0.4 from
/// its lower edge.
fn crowded() -> (Market, Prices) {
    let mut market = market(&Config {
        market_depth: Quote(4_800),
        volatility_max: Bps(0),
        ..CONFIG
    });
    market.books.pool.accrued_at = NOW.unix;
    market.books.pool.debt_shares = DebtShares(u64::MAX);
    market.books.backstop.cash = Quote(700);
    let prices = prices(100_0000_0000, 0);
    let index = market.books.pool.index;
    market.map.centre(prices.guarded(), index, Bps(8_000));
    let bands = [
        (161, 7_000),
        (160, 1_000),
        (159, 200),
        (158, 30),
        (155, 4),
        (150, 5),
        (149, 9_000),
    ];
    for (band, shares) in bands {
        market.map.bands[band] = DebtShares(shares);
    }
    (market, prices)
}

/// 7.2 times the cash, as in the worked example of the backstop.
const ROOM: u64 = 5_048;

#[test]
fn depth_and_cascade_count_what_a_fall_would_liquidate() {
    let (market, prices) = crowded();
    let risk = market.risk(&prices, NOW).unwrap();
    assert_eq!(risk.room, Quote(ROOM));
    assert_eq!(risk.proximity, Some(Bps(0)));
    // Falls of 1, 2, 5, 10 and 20% reach to the bands 159, 159, 158, 155 and 150.
    let ratios = [1_200, 1_200, 1_230, 1_234, 1_239].map(|debt| Bps((ROOM * BPS / debt) as u32));
    assert_eq!(risk.depth_ratios, ratios);
    assert_eq!(risk.cascade, Bps(2_500));
    assert_eq!(risk.deviation, Bps(0));
}

#[test]
fn the_initial_ltv_tells_what_is_taken_off_it() {
    let (mut market, prices) = crowded();
    let nobody = account(0, 0);
    // A fall of 30% would liquidate 10,239.
    let crowding = (2_000 * (10_239 - ROOM)).div_ceil(10_239) as u32;
    let expected = InitialLtv {
        base: Bps(7_000),
        volatility: Bps(0),
        crowding: Bps(crowding),
        limit: Bps(7_000 - crowding),
    };
    assert_eq!(market.initial_ltv(&nobody, &prices, NOW), Ok(expected));
    market.config.crowding_max = Bps(0);
    let uncrowded = InitialLtv {
        crowding: Bps(0),
        limit: Bps(7_000),
        ..expected
    };
    assert_eq!(market.initial_ltv(&nobody, &prices, NOW), Ok(uncrowded));
}

#[test]
fn a_band_shows_as_price_and_debt() {
    let (market, prices) = crowded();
    let [own, next] = [160, 161].map(|band| market.price_band(band, NOW).unwrap());
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
            collateral: Collateral(1_001),
            ..account(debt, 0)
        };
        market.is_liquidatable(&account, prices.guarded(), NOW)
    };
    assert_eq!(is_liquidatable(80), Ok(false));
    assert_eq!(is_liquidatable(81), Ok(true));
}

//! The stress cover and the headroom of the pipeline.

use super::Row;
use breakwater_engine::{
    Bps, Clock, Collateral, Config, DebtShares, Fixed, Index, Market, Quote, RawReading, Readings,
    price::oracle::PriceUse,
};

const NOW: Clock = Clock {
    unix: 1_700_000_000,
    slot: 1,
};

/// Both feeds, the quote token at one dollar.
fn readings(dollars: i64) -> Readings {
    let reading = |price| RawReading {
        price,
        conf: 0,
        expo: -8,
        ema_price: price,
        publish_time: NOW.unix,
    };
    Readings::of(reading(dollars), reading(100_000_000))
}

fn market(row: &Row) -> Market {
    let mut market: Market = bytemuck::Zeroable::zeroed();
    (market.collateral_decimals, market.quote_decimals) = (9, 6);
    market.config = Config {
        stress_fall: Bps(row.get("fall")),
        // What is sold in an hour is the pipeline.
        market_depth: Quote(row.get("pipeline")),
        flow_rate: Bps(10_000),
        pipeline: 3_600,
        ..Config::EXAMPLE
    };
    let map = &mut market.map;
    map.origin = row.get("origin");
    for held in row.0["bands"].split_whitespace() {
        let (band, shares) = held.split_once(':').unwrap();
        map.bands[band.parse::<usize>().unwrap()] = DebtShares(shares.parse().unwrap());
    }
    // The last band alone, which has no weight: the others are walked.
    (map.threshold, map.under_shares) = (255, map.bands[255]);
    let books = &mut market.books;
    books.pool.index = Index::from_raw(row.get("index"));
    books.pool.reserves_owed = Fixed::from_raw(row.get("owed"));
    books.pool.accrued_at = NOW.unix;
    // Somebody owes something: else the map would be centered anew.
    books.pool.debt_shares = DebtShares(1);
    books.backstop.cash = Quote(row.get("cash"));
    books.backstop.inventory = Collateral(row.get("inventory"));
    books.backstop.debt_shares = DebtShares(row.get("debt_shares"));
    books.backstop.unfunded_credits = Quote(row.get("unfunded"));
    market
}

#[test]
fn cover_and_pipeline_are_those_of_the_model() {
    let mut negative = 0;
    for (number, row) in Row::all(include_str!("cover.csv")).enumerate() {
        let line = number + 2;
        let mut market = market(&row);
        let prices = market
            .accept_prices(&readings(row.get("dollars")), PriceUse::Observe, NOW)
            .unwrap();
        assert_eq!(prices.spot().raw(), row.get("price"), "line {line}");
        let [told, _] = market.stress(&prices, NOW).unwrap();
        assert_eq!(told.price.raw(), row.get("fallen"), "line {line}");
        assert_eq!(told.underwater, Quote(row.get("underwater")), "line {line}");
        assert_eq!(told.cover, row.get::<i128>("cover"), "line {line}");
        let headroom = market.pipeline_headroom(&prices).unwrap();
        assert_eq!(headroom, Collateral(row.get("headroom")), "line {line}");
        negative += usize::from(told.cover < 0);
    }
    assert!(negative > 50, "{negative} negative covers");
}

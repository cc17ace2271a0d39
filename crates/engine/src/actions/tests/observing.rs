//! State that an accepted price moves beside the guard.

use super::*;
use crate::{
    Readings,
    price::oracle::{PriceUse, RawReading},
};

fn readings(price: i64, conf: u64) -> Readings {
    Readings::of(raw(price, conf), RawReading { expo: 0, ..raw(1, 0) })
}

#[test]
fn volatility_does_not_see_what_is_too_uncertain() {
    let accept = |conf| {
        let mut market = market();
        (market.collateral_decimals, market.quote_decimals) = (9, 6);
        market
            .accept_prices(&readings(125_0000_0000, conf), PriceUse::Observe, NOW)
            .unwrap();
        market.volatility.updated_at
    };
    // The hard limit is 3%.
    assert_eq!(accept(3_0000_0000), NOW.unix);
    assert_eq!(accept(4_0000_0000), 0);
}

#[test]
fn the_map_is_centered_while_nobody_owes_anything() {
    let accept = |debt| {
        let mut market = market();
        (market.collateral_decimals, market.quote_decimals) = (9, 6);
        market.books.pool.debt_shares = DebtShares(debt);
        market
            .accept_prices(&readings(125_0000_0000, 0), PriceUse::Observe, NOW)
            .unwrap();
        market.map.origin
    };
    // A ratio of 0.1 is liquidated at an eighth: 32 × log2 of it is −106.3; 160 bands lie below, and then whole
    // octaves.
    assert_eq!(accept(0), -288);
    assert_eq!(accept(1), 0);
}

#[test]
fn an_announcement_can_be_taken_back_until_it_begins() {
    let mut market = market();
    market.config = CONFIG;
    market.config.guardian_cooldown = 172_800;
    let (begins, ends) = (NOW.unix + 259_200, NOW.unix + 259_200 + 86_400);
    let announce = |market: &mut Market, unix| {
        let clock = Clock { unix, slot: 0 };
        let (starts, ends) = (unix + 259_200, unix + 259_200 + 86_400);
        let done = market.announce_liquidation_ltv(Bps(7_950), starts, ends, clock)?;
        Ok((done.from, market.config.liquidation_ltv))
    };
    assert_eq!(announce(&mut market, NOW.unix), Ok((Bps(8_000), Bps(8_000))));
    let cancel = |unix| {
        move |market: &mut Market| {
            let done = market.cancel_ramp(Clock { unix, slot: 0 })?;
            Ok((done.stays, done.announced, market.ramp.ends_at))
        }
    };
    says(&market, cancel(begins - 1), Ok((Bps(8_000), Bps(7_950), 0)));
    says(&market, cancel(begins), Err(Error::RampRunning));
    says(&market, cancel(ends - 1), Err(Error::RampRunning));
    says(&market, cancel(ends), Err(Error::NothingQueued));
    // It can be replaced before it begins and after it ends, where it has become the parameter.
    says(&market, |m| announce(m, begins - 1), Ok((Bps(8_000), Bps(8_000))));
    says(&market, |m| announce(m, begins), Err(Error::RampRunning));
    market.ramp.to = Bps(8_010);
    says(&market, |m| announce(m, ends), Ok((Bps(8_010), Bps(8_010))));
}

use super::*;
use crate::{
    Fixed, Index, Key,
    backstop::Backstop,
    config::tests::CONFIG,
    math::num::ONE,
    pool::Pool,
    price::oracle::tests::{NOW, prices},
};

/// A price of exactly an eighth, at which 10,000 collateral atoms are worth 1,250. After a fall of one half 625.
fn eighth() -> Prices {
    prices(125_0000_0000, 0)
}

/// One share of debt is an atom. A fall of one half is to be stood.
fn market() -> Market {
    let mut market: Market = bytemuck::Zeroable::zeroed();
    market.config = crate::Config {
        min_debt: Quote(10),
        stress_fall: Bps(5_000),
        ..CONFIG
    };
    market.books.pool = Pool::new(NOW.unix);
    market.books.pool.index = Index::from_raw(ONE);
    market.books.pool.cash = Quote(1_000_000);
    market.map.center(eighth().guarded(), Index::from_raw(ONE), Bps(8_000));
    market
}

/// An account on the books and the map.
fn account(market: &mut Market, debt: u64, collateral: u64) -> MarginAccount {
    let mut account = MarginAccount::new(Key([1; 32]), Key([2; 32]), 0, 255);
    (account.debt_shares, account.collateral) = (DebtShares(debt), Collateral(collateral));
    let band = market.map.band(account.debt_shares, account.collateral);
    account.place = market.map.place(account.debt_shares, band);
    let to = (account.debt_shares, band);
    market.map.follow((DebtShares(0), 0), to).unwrap();
    market.books.pool.debt_shares.0 += debt;
    account
}

/// C at `stress_fall` and at the fall of admission.
fn covers(market: &Market) -> [i128; 2] {
    market
        .stress(&eighth(), NOW)
        .unwrap()
        .map(|balance_sheet| balance_sheet.cover)
}

#[test]
fn the_cover_is_what_is_owned_less_what_is_owed() {
    let mut market = market();
    assert_eq!(covers(&market), [0, 0]);
    market.books.backstop = Backstop {
        cash: Quote(100),
        // 80 atoms at a sixteenth.
        inventory: Collateral(87),
        debt_shares: DebtShares(30),
        funded_credits: Quote(1_000),
        unfunded_credits: Quote(4),
        reserve: Quote(2_000),
    };
    market.books.pool.debt_shares = DebtShares(30);
    market.books.pool.reserves_owed = Fixed::from_raw((7 << 64) + ONE - 1);
    // Not the fraction of an atom that is owed, and the inventory rounded down: 5.4.
    assert_eq!(covers(&market), [100 + 7 + 5 - 30 - 4; 2]);
    // Debt rounded up: 45.000…1.
    market.books.pool.index = Index::from_raw(ONE + ONE / 2 + 1);
    assert_eq!(covers(&market)[0], 100 + 7 + 5 - 46 - 4);
    // A fall of nothing: 10.875.
    market.config.stress_fall = Bps(0);
    assert_eq!(covers(&market)[0], 100 + 7 + 10 - 46 - 4);
}

#[test]
fn accounts_under_water_count_at_the_upper_edge_of_their_band() {
    let mut market = market();
    // 800 on 10,000, worth 625 after the fall. Its band ends 0.7% above it: so it counts as of 9,925 or so.
    account(&mut market, 800, 10_000);
    let [balance_sheet, _] = market.stress(&eighth(), NOW).unwrap();
    let edge = market.map.edge(
        market.map.band(DebtShares(800), Collateral(10_000)) + 1,
        Index::from_raw(ONE),
        Bps(10_000),
    );
    let collateral = 800.0 / (edge.unwrap().raw() as f64 / 2f64.powi(64)) / (1.0 + 2f64.powi(-12));
    let expected = 800.0 - collateral / 16.0;
    assert_eq!(balance_sheet.underwater.0, expected.ceil() as u64, "{collateral}");
    assert!(collateral < 10_000.0 && collateral > 9_780.0, "{collateral}");
    assert_eq!(
        (balance_sheet.fall, balance_sheet.price.raw(), balance_sheet.cover),
        (Bps(5_000), ONE / 16, -i128::from(balance_sheet.underwater.0))
    );
    // One that could pay counts nothing, on either side.
    account(&mut market, 500, 10_000);
    assert_eq!(market.stress(&eighth(), NOW).unwrap()[0], balance_sheet);
}

#[test]
fn the_cover_falls_from_the_lowest_price() {
    let mut market = market();
    market.books.backstop.inventory = Collateral(8_000);
    let breaker = |guarded, own_ema| crate::price::guard::BreakerReading {
        teaches: true,
        before: crate::Level::Normal,
        level: crate::Level::Normal,
        flags: crate::price::guard::Flags::NONE,
        guarded: Price::from_raw(guarded),
        own_ema: Price::from_raw(own_ema),
    };
    let cover = |guarded, own_ema| {
        let prices = Prices::new(
            *eighth().oracle_price(),
            breaker(guarded, own_ema),
            crate::price::oracle::PriceUse::Observe,
            NOW,
        );
        market.stress(&prices, NOW).unwrap()[0].cover
    };
    assert_eq!(cover(ONE / 8, ONE / 8), 500);
    assert_eq!(cover(ONE / 16, ONE / 8), 250);
    assert_eq!(cover(ONE / 8, ONE / 16), 250);
    assert_eq!(cover(ONE / 4, ONE / 4), 500);
}

#[test]
fn a_cover_is_negative_below_zero() {
    let cover = |assets, liabilities| Cover {
        assets: Quote(assets),
        liabilities: Quote(liabilities),
    };
    let told = |cover: Cover| (cover.is_negative(), cover.value(), cover.spare());
    assert_eq!(told(cover(5, 4)), (false, 1, Quote(1)));
    assert_eq!(told(cover(5, 5)), (false, 0, Quote(0)));
    assert_eq!(told(cover(5, 6)), (true, -1, Quote(0)));
    assert_eq!(told(cover(0, u64::MAX)), (true, -i128::from(u64::MAX), Quote(0)));
    assert_eq!(cover(5, 4).without(Quote(2)), -1);
    assert_eq!(cover(0, 4).without(Quote(u64::MAX)), -i128::from(u64::MAX) - 4);
}

#[test]
fn admission_asks_for_more_while_prices_move() {
    let mut market = market();
    let mut fall = |base, times, most, hundredths: u64| {
        (market.config.stress_fall, market.config.stress_max) = (Bps(base), Bps(most));
        market.config.stress_volatility = Bps(times);
        // A deviation of so many hundredths over the horizon, in units of 2^-46 a second, rounded up.
        market.volatility.variance =
            (hundredths * hundredths * (1 << 46)).div_ceil(10_000 * 86_400) + 1_000 * hundredths.min(1);
        assert_eq!(
            market.volatility.deviation(&market.config).0,
            u32::try_from(hundredths * 100).unwrap()
        );
        market.admission_fall(NOW).0
    };
    assert_eq!(fall(3_800, 20_000, 5_000, 0), 3_800);
    assert_eq!(fall(3_800, 20_000, 5_000, 3), 4_400);
    assert_eq!(fall(3_800, 20_000, 5_000, 6), 5_000);
    assert_eq!(fall(3_800, 20_000, 5_000, 7), 5_000);
    assert_eq!(fall(3_800, 20_000, 4_399, 3), 4_399);
    assert_eq!(fall(3_800, 19_999, 5_000, 3), 4_399, "rounded down");
    assert_eq!(fall(3_800, 0, 5_000, 7), 3_800);
}

/// Admission's answer to a move from so much debt to another, on 10,000 of collateral.
fn admits(market: &Market, from: u64, to: u64) -> Result<()> {
    let mut market = *market;
    let before = account(&mut market, from, 10_000);
    let mut after = before;
    after.debt_shares = DebtShares(to);
    after.place = market
        .map
        .place(after.debt_shares, market.map.band(after.debt_shares, after.collateral));
    let moved = Move {
        before: &before,
        after: &after,
    };
    market.check_admission(&market.books, &moved, eighth().lowest(), NOW)
}

/// Shortfall of 800 of debt on 10,000 of collateral after the fall.
fn lacking() -> u64 {
    let mut market = market();
    account(&mut market, 800, 10_000);
    u64::try_from(-covers(&market)[0]).unwrap()
}

#[test]
fn new_risk_needs_cover_unless_it_takes_none() {
    let mut market = market();
    let lacking = lacking();
    market.books.backstop.cash = Quote(lacking);
    assert_eq!(admits(&market, 0, 800), Ok(()), "nothing is left, and nothing lacks");
    market.books.backstop.cash = Quote(lacking - 1);
    assert_eq!(admits(&market, 0, 800), Err(Error::StressCoverExceeded));
    assert_eq!(admits(&market, 600, 800), Err(Error::StressCoverExceeded));
    // What keeps above water takes none.
    assert_eq!(admits(&market, 0, 500), Ok(()));
    // A that is negative already: what does not lower it passes.
    (market.books.backstop.cash, market.books.backstop.unfunded_credits) = (Quote(0), Quote(1));
    assert_eq!(admits(&market, 0, 500), Ok(()));
    assert_eq!(admits(&market, 800, 800), Ok(()));
    assert_eq!(admits(&market, 800, 700), Ok(()));
    assert_eq!(admits(&market, 800, 810), Err(Error::StressCoverExceeded));
    assert_eq!(admits(&market, 0, 800), Err(Error::StressCoverExceeded));
}

#[test]
fn the_kept_sums_make_no_difference_to_admission() {
    let mut market = market();
    market.books.backstop.cash = Quote(lacking());
    for threshold in [0, 100, 180, 200, 255] {
        market.map.set_threshold(threshold);
        assert_eq!(admits(&market, 0, 800), Ok(()), "{threshold}");
        market.books.backstop.cash.0 -= 1;
        assert_eq!(admits(&market, 0, 800), Err(Error::StressCoverExceeded), "{threshold}");
        market.books.backstop.cash.0 += 1;
    }
}

#[test]
fn capital_that_has_asked_to_leave_does_not_count_for_new_risk() {
    let mut market = market();
    market.books.backstop.cash = Quote(lacking() + 9);
    // Of the fixed claims one waits, and the others are open.
    let with = |market: &mut Market, requested: u64, announced| {
        market.books.guardians.waiting = Quote(requested.min(1));
        market.books.guardians.open = Quote(requested.saturating_sub(1));
        (
            market.announced_withdrawal.amount,
            market.announced_withdrawal.closes_at,
        ) = (Quote(announced), NOW.unix);
        let [c, a] = market.stress(&eighth(), NOW).unwrap();
        assert_eq!((c.leaving, a.leaving), (Quote(requested + announced), c.leaving));
        admits(market, 0, 800)
    };
    assert_eq!(with(&mut market, 9, 0), Ok(()));
    assert_eq!(with(&mut market, 10, 0), Err(Error::StressCoverExceeded));
    assert_eq!(with(&mut market, 0, 9), Ok(()));
    assert_eq!(with(&mut market, 0, 10), Err(Error::StressCoverExceeded));
    assert_eq!(with(&mut market, 5, 4), Ok(()));
    assert_eq!(with(&mut market, 5, 5), Err(Error::StressCoverExceeded));
    // Once its time is over, what was announced cannot be taken out any more.
    market.announced_withdrawal.closes_at = NOW.unix - 1;
    assert_eq!(admits(&market, 0, 800), Ok(()));
    assert_eq!(market.stress(&eighth(), NOW).map(|[_, a]| a.leaving), Ok(Quote(5)));
}

#[test]
fn any_amount_can_be_announced_and_stops_only_what_takes_cover() {
    let mut market = market();
    market.books.backstop.cash = Quote(1 << 50);
    (market.books.guardians.waiting, market.announced_withdrawal.amount) = (Quote(9), Quote(u64::MAX));
    market.announced_withdrawal.closes_at = NOW.unix;
    let [c, a] = market.stress(&eighth(), NOW).unwrap();
    assert_eq!((c.leaving, a.leaving), (Quote(u64::MAX), Quote(u64::MAX)));
    assert_eq!(admits(&market, 0, 500), Ok(()));
    assert_eq!(admits(&market, 0, 800), Err(Error::StressCoverExceeded));
}

#[test]
fn new_risk_is_asked_to_stand_the_fall_of_admission() {
    let mut market = market();
    market.books.backstop.cash = Quote(lacking());
    assert_eq!(admits(&market, 0, 800), Ok(()));
    // A higher fall for admission alone: C is the same.
    (market.config.stress_volatility, market.config.stress_max) = (Bps(10_000), Bps(5_100));
    market.volatility.variance = 1 << 46;
    assert_eq!(market.admission_fall(NOW), Bps(5_100));
    assert_eq!(admits(&market, 0, 800), Err(Error::StressCoverExceeded));
}

#[test]
fn equity_leaves_as_far_as_the_cover_allows() {
    let mut market = market();
    account(&mut market, 800, 10_000);
    market.books.backstop.cash = Quote(lacking());
    let leaves = |market: &Market| market.check_equity_withdrawal(&market.books, eighth().lowest());
    assert_eq!(leaves(&market), Ok(()));
    market.books.backstop.cash.0 -= 1;
    assert_eq!(leaves(&market), Err(Error::StressCoverExceeded));
    // Beside what guardians have asked for.
    market.books.backstop.cash.0 += 6;
    market.books.guardians.waiting = Quote(5);
    assert_eq!(leaves(&market), Ok(()));
    market.books.guardians.open = Quote(1);
    assert_eq!(leaves(&market), Err(Error::StressCoverExceeded));
}

#[test]
fn a_sentinel_raises_the_fall_of_admission_and_nothing_else() {
    let mut market = market();
    market.books.backstop.cash = Quote(lacking());
    let at = |seconds| Clock {
        unix: NOW.unix + seconds,
        ..NOW
    };
    let hours = |hours: i64| at(hours * 3_600);
    let base = market.admission_fall(NOW).0;
    assert_eq!(market.raise_stress(Bps(0), NOW), Err(Error::StressRaiseTooLarge));
    assert_eq!(market.raise_stress(Bps(1_001), NOW), Err(Error::StressRaiseTooLarge));
    assert_eq!(admits(&market, 0, 800), Ok(()));
    let raised = market.raise_stress(Bps(1_000), NOW).unwrap();
    assert_eq!(
        (raised.points, raised.ends_at, raised.rests_until),
        (Bps(1_000), hours(6).unix, hours(12).unix)
    );
    assert_eq!(admits(&market, 0, 800), Err(Error::StressCoverExceeded));
    // Partial liquidations, exits and the protocol's equity are asked for what they were.
    assert_eq!(market.config.stress_fall.0, base);
    assert_eq!(market.volatile_fall(), Bps(base));
    let [c, a] = market.stress(&eighth(), NOW).unwrap();
    assert_eq!((c.fall, a.fall), (Bps(base), Bps(base + 1_000)));
    // It falls on a straight line, rounded up.
    for (clock, points) in [
        (NOW, 1_000),
        (at(1), 1_000),
        (at(22), 999),
        (hours(3), 500),
        (at(6 * 3_600 - 1), 1),
        (hours(6), 0),
        (hours(7), 0),
        (at(-5), 1_000),
    ] {
        assert_eq!(market.admission_fall(clock), Bps(base + points), "{clock:?}");
    }
    // And rests as long again, whatever is asked.
    for clock in [NOW, hours(5), hours(6), at(12 * 3_600 - 1)] {
        let before = market;
        assert_eq!(market.raise_stress(Bps(1), clock), Err(Error::StressRaiseCooldown));
        assert!(market == before);
    }
    assert_eq!(market.raise_stress(Bps(1), hours(12)).unwrap().points, Bps(1));
    assert_eq!(market.admission_fall(hours(12)), Bps(base + 1));
}

#[test]
fn a_raise_lies_over_the_largest_fall() {
    let mut market = market();
    (market.config.stress_volatility, market.config.stress_max) = (Bps(10_000), Bps(5_000));
    market.volatility.variance = 1 << 46;
    assert_eq!(market.admission_fall(NOW), market.config.stress_fall.max(Bps(5_000)));
    let base = market.admission_fall(NOW).0;
    market.raise_stress(Bps(1_000), NOW).unwrap();
    assert_eq!(market.admission_fall(NOW), Bps(base + 1_000));
}

#[test]
fn the_pipeline_has_room_for_what_is_not_held() {
    let mut market = market();
    (market.config.market_depth, market.config.flow_rate) = (Quote(1_000), Bps(10_000));
    market.config.pipeline = 3_600;
    let mut headroom = |held| {
        market.books.backstop.inventory = Collateral(held);
        market.pipeline_headroom(&eighth()).unwrap().0
    };
    assert_eq!(headroom(0), 8_000);
    assert_eq!(headroom(800), 7_200);
    // An atom that is held costs a whole quote atom: rounded down.
    assert_eq!((headroom(801), headroom(808)), (7_192, 7_192));
    assert_eq!(
        (headroom(7_992), headroom(7_993), headroom(8_000), headroom(80_000)),
        (8, 0, 0, 0)
    );
    // Worth more than can be counted, at whatever average Pyth may tell.
    let (config, backstop) = (&market.config, &market.books.backstop);
    assert_eq!(backstop.inventory, Collateral(80_000));
    let headroom = pipeline_headroom(config, backstop, Price::from_raw(u128::MAX >> 25));
    assert_eq!(headroom, Ok(Collateral(0)));
}

#[test]
fn interest_until_now_counts() {
    let mut market = market();
    market.books.backstop.debt_shares = DebtShares(500_000);
    market.books.pool.debt_shares = DebtShares(900_000);
    let year = Clock {
        unix: NOW.unix + 31_536_000,
        ..NOW
    };
    let [balance_sheet, _] = market.stress(&eighth(), year).unwrap();
    let books = market.books_at(year).unwrap();
    let debt = books.pool.index.debt(books.backstop.debt_shares).unwrap();
    assert!(debt > Quote(500_000));
    assert_eq!(
        balance_sheet.cover,
        i128::from(books.reserves_owed().0) + i128::from(books.backstop.cash.0) - i128::from(debt.0)
    );
}

use super::*;
use crate::{
    Collateral, DebtShares, Index, Key, MarginAccount, Pool, config::tests::CONFIG, math::num::ONE,
    price::oracle::tests::NOW,
};
use proptest::prelude::*;

/// An eighth of a quote atom for a collateral atom.
const EIGHTH: u128 = ONE / 8;

/// A pool of a million shares of an atom each. One debt share is an atom; a fall of one half is to be stood, and the
/// price may move by ten bps a second.
fn market() -> Market {
    let mut market: Market = bytemuck::Zeroable::zeroed();
    market.config = crate::Config {
        min_debt: Quote(10),
        stress_fall: Bps(5_000),
        max_velocity: Bps(10),
        velocity_slack: Bps(100),
        ..CONFIG
    };
    market.books.pool = Pool::new(NOW.unix);
    market.books.pool.index = Index::from_raw(ONE);
    market.books.pool.cash = Quote(1_000_000);
    market.books.pool.lp_supply = LpShares(1_000_000_000);
    priced(&mut market, EIGHTH);
    market
        .map
        .center(Price::from_raw(EIGHTH), Index::from_raw(ONE), Bps(8_000));
    market
}

/// The newest accepted price, and the guards at rest there.
fn priced(market: &mut Market, price: u128) {
    let price = Price::from_raw(price);
    (market.guard.spot, market.guard.reference, market.guard.own_ema) = (price, price, price);
    market.guard.priced_at = NOW.unix;
}

fn later(seconds: i64) -> Clock {
    Clock {
        unix: NOW.unix + seconds,
        ..NOW
    }
}

/// The backstop owes so much of what the pool has lent, and holds so much collateral.
fn owing(debt: u64, inventory: u64) -> Market {
    let mut market = market();
    (market.books.pool.cash, market.books.pool.debt_shares) = (Quote(1_000_000 - debt), DebtShares(debt));
    market.books.backstop.debt_shares = DebtShares(debt);
    market.books.backstop.inventory = Collateral(inventory);
    // Without interest.
    let config = &mut market.config;
    (
        config.interest_base,
        config.interest_slope_low,
        config.interest_slope_high,
    ) = (Bps(0), Bps(0), Bps(0));
    market
}

fn impaired(market: &Market, seconds: i64) -> u64 {
    market.lp_value(LpShares(1_000), later(seconds)).unwrap().impaired.0
}

#[test]
fn m_is_the_lowest_stored_price_less_what_it_may_have_fallen_since() {
    let mut market = market();
    let at = |market: &Market, seconds| market.exit_price(later(seconds)).unwrap().raw();
    assert_eq!(at(&market, 0), EIGHTH);
    assert_eq!(
        at(&market, -5),
        EIGHTH,
        "a price from ahead of the clock is as new as can be"
    );
    assert_eq!(at(&market, 1), EIGHTH * 9_990 / 10_000);
    assert_eq!(at(&market, 499), EIGHTH * 5_010 / 10_000);
    // Dead feeds: q, and no further.
    for seconds in [500, 501, 1 << 40, i64::MAX - NOW.unix] {
        assert_eq!(at(&market, seconds), EIGHTH / 2);
    }
    market.guard.own_ema = Price::from_raw(EIGHTH / 5);
    assert_eq!(at(&market, 0), EIGHTH / 5);
    market.guard.own_ema = Price::from_raw(EIGHTH * 2);
    market.guard.spot = Price::from_raw(EIGHTH * 2);
    // The guarded price: the reference and the slack.
    assert_eq!(at(&market, 0), (EIGHTH * 10_100).div_ceil(10_000), "rounded outwards");
    let unseen: Market = bytemuck::Zeroable::zeroed();
    assert_eq!(at(&unseen, 0), 0);
}

#[test]
fn what_the_backstop_lacks_at_m_is_impaired() {
    // 800 atoms are worth 100.
    let market = owing(160, 800);
    assert_eq!(impaired(&market, 0), 60);
    assert_eq!(impaired(&market, 250), 85);
    assert_eq!(impaired(&market, 500), 110);
    assert_eq!(impaired(&market, 50_000), 110);
    // C at q decides at once; and where it is negative, m does.
    assert_eq!(impaired(&owing(50, 800), 50_000), 0);
    assert_eq!(impaired(&owing(51, 800), 50_000), 1);
    assert_eq!(impaired(&owing(51, 800), 0), 0);
    assert_eq!(impaired(&owing(100, 800), 0), 0);
    assert_eq!(impaired(&owing(101, 800), 0), 1);
    // What it holds beside that, and what the pool owes it.
    let mut market = market;
    market.books.backstop.cash = Quote(7);
    market.books.pool.reserves_owed = crate::Fixed::from_raw((2 << 64) + ONE - 1);
    assert_eq!(market.impaired_at(&market.books, Bps(0)), Quote(51));
}

#[test]
fn so_is_what_accounts_under_water_lack() {
    let mut market = owing(0, 0);
    let mut account = MarginAccount::new(Key([1; 32]), Key([2; 32]), 0, 255);
    (account.debt_shares, account.collateral) = (DebtShares(90_000), Collateral(800_000));
    let to = (
        account.debt_shares,
        market.map.band(account.debt_shares, account.collateral),
    );
    market.map.follow((DebtShares(0), 0), to).unwrap();
    (market.books.pool.cash, market.books.pool.debt_shares) = (Quote(910_000), DebtShares(90_000));
    assert_eq!(impaired(&market, 0), 0);
    // At a tenth it lacks 10,000, and up to a band more.
    priced(&mut market, ONE / 10);
    let lacks = impaired(&market, 0);
    assert!((10_000..12_000).contains(&lacks), "{lacks}");
    // Who leaves is paid his part without it, and who stays has what he had.
    let value = market.lp_value(LpShares(500_000_000), NOW).unwrap();
    assert_eq!(value.assets, Quote(1_000_000));
    // A thousand shares of a billion belong to nobody.
    assert_eq!(value.amount.0, (1_000_001 - lacks) * 500_000_000 / 1_000_001_000);
    // The backstop's cash is there for it.
    market.books.backstop.cash = Quote(9_000);
    assert_eq!(impaired(&market, 0), lacks - 9_000);
}

#[test]
fn no_more_than_the_debt_is_impaired() {
    // Keepers are owed more than there is: the suppliers lose no more than was lent.
    let mut market = owing(30, 0);
    market.books.backstop.unfunded_credits = Quote(500);
    assert_eq!(impaired(&market, 0), 30);
    let mut market = owing(0, 0);
    market.books.backstop.unfunded_credits = Quote(500);
    assert_eq!(impaired(&market, 0), 0);
}

#[test]
fn nothing_is_impaired_before_there_is_a_price() {
    let mut market = market();
    market.guard = bytemuck::Zeroable::zeroed();
    assert_eq!(impaired(&market, 0), 0);
    market.books.backstop.cash = Quote(5);
    assert_eq!(impaired(&market, 1 << 30), 0);
}

#[test]
fn inventory_worth_more_than_can_be_counted_keeps_nobody_in() {
    let mut market = owing(1_000, u64::MAX);
    priced(&mut market, ONE << 20);
    assert_eq!(impaired(&market, 0), 0);
    assert_eq!(impaired(&market, 1 << 30), 0);
    assert_eq!(market.lp_value(LpShares(1_000_000), NOW).unwrap().amount, Quote(1_000));
}

#[test]
fn who_leaves_is_paid_his_part_of_the_rest_and_who_comes_is_refused() {
    // 300,160 of a million, with inventory worth 100.
    let before = owing(300_160, 800);
    let mut market = before;
    let paid = market
        .withdraw(LpShares(100_000_000), LpShares(u64::MAX), Quote(0), NOW)
        .unwrap();
    // A tenth of 699,940.
    assert_eq!(paid.amount, Quote(69_994));
    let supply = |market: &Market, amount| {
        let mut tried = *market;
        let done = tried.supply(Quote(amount), LpShares(0), NOW);
        if done.is_err() {
            assert!(tried == *market);
        }
        done.map(|done| done.shares)
    };
    assert_eq!(supply(&before, 1_000), Err(Error::PoolImpaired));
    // A thousandth of a million is tolerated, at par.
    let most = owing(300_100, (300_100 - 1_000) * 8);
    assert_eq!(supply(&most, 1_000), Ok(LpShares(1_000_000)));
    let more = owing(300_101, (300_100 - 1_000) * 8);
    assert_eq!(supply(&more, 1_000), Err(Error::PoolImpaired));
    // The price is not aged for it.
    let mut old = most;
    old.guard.priced_at -= 100_000;
    assert_eq!(supply(&old, 1_000), Ok(LpShares(1_000_000)));
    assert_eq!(most.impaired(later(100_000)), Ok(Quote(1_000)));
}

proptest! {
    #[test]
    fn nobody_who_stays_is_worse_off_by_anothers_exit(
        debt in 0u64..900_000, inventory in 0u64..10_000_000, part in 1u64..1_000_000_000, seconds in 0i64..1_000,
        credits in 0u64..1_000,
    ) {
        let mut market = owing(debt, inventory);
        market.books.backstop.unfunded_credits = Quote(credits);
        let all = market.books.pool.lp_supply;
        let clock = later(seconds);
        let stays = LpShares(all.0 - part);
        let before = market.lp_value(stays, clock).unwrap();
        let mine = market.lp_value(LpShares(part), clock).unwrap().amount;
        // His part of what is there at m, never more.
        let there = before.assets.0 - before.impaired.0;
        let exactly = u128::from(part) * u128::from(there + 1) / u128::from(all.0 + 1_000);
        prop_assert_eq!(u128::from(mine.0), exactly);
        if let Ok(paid) = market.withdraw(LpShares(part), all, Quote(0), clock) {
            prop_assert_eq!(paid.amount, mine);
            let after = market.lp_value(stays, clock).unwrap();
            prop_assert!(after.amount >= before.amount, "{:?} became {:?}", before, after);
            prop_assert_eq!(after.impaired, before.impaired);
        }
    }

    #[test]
    fn less_is_impaired_the_higher_m_is(debt in 0u64..900_000, inventory in 0u64..10_000_000, fall in 0u32..5_000) {
        let market = owing(debt, inventory);
        let at = |fall| market.impaired_at(&market.books, Bps(fall));
        prop_assert!(at(fall) <= at(fall + 1));
        prop_assert!(at(0) <= at(fall));
    }
}

//! What moves in a liquidation, against the backstop and with own capital.

use super::*;
use crate::{
    GuardianShares as Shares, Level, RawReading, Readings,
    actions::Liquidation,
    backstop::{BackstopPrices, Capacity},
    oracle::Purpose,
};

/// An account at 85%: 1,062 of 1,250. Its penalty is 3.65%, and 560 of debt are to go.
fn due() -> (Market, MarginAccount) {
    let mut market = market();
    let account = account(&mut market, 1_062, 10_000);
    (market, account)
}

fn liquidate(market: &mut Market, account: &mut MarginAccount, prices: &Prices) -> Result<(Liquidation, Quote)> {
    let mut ledger = KeeperLedger::new(Key([1; 32]), Key([2; 32]), 255);
    let done = market.liquidations(prices, NOW)?.liquidate(account, &mut ledger)?;
    assert_eq!(market.map.shares_between(0, 255), account.debt_shares.0);
    Ok((done, ledger.credit))
}

#[test]
fn cash_pays_first_and_the_rest_is_assumed() {
    let (mut market, mut account) = due();
    market.books.backstop.cash = Quote(400);
    market.shortage.since = 1;
    (market.guardians.claim, market.guardians.shares) = (Quote(200), Shares(1));
    let (done, credit) = liquidate(&mut market, &mut account, &prices()).unwrap();
    let expected = Liquidation {
        price: prices().guarded(),
        repaid: Quote(560),
        paid_in_cash: Quote(400),
        // 560 and 20 of penalty, times eight.
        seized: Collateral(4_640),
        deficit: Quote(0),
        // A quarter of a percent, lent by the pool.
        bounty: Quote(1),
        bounty_unpaid: Quote(0),
        debt_after: Quote(502),
        collateral_after: Collateral(5_360),
        penalty: Bps(365),
        insolvent: false,
        whole: false,
    };
    assert_eq!((done, credit), (expected, Quote(1)));
    let (pool, backstop) = (&market.books.pool, &market.books.backstop);
    assert_eq!((pool.cash, pool.debt_shares), (Quote(1_000_399), DebtShares(502 + 161)));
    assert_eq!((backstop.cash, backstop.debt_shares), (Quote(0), DebtShares(161)));
    assert_eq!(
        (backstop.inventory, backstop.keeper_credits),
        (Collateral(4_640), Quote(1))
    );
    assert_eq!(
        (account.debt_shares, account.collateral),
        (DebtShares(502), Collateral(5_360))
    );
    assert_eq!((market.shortage.since, market.income.penalties), (0, Quote(20)));
    // Half of the penalties, for their half of the equity.
    assert_eq!(market.guardians.claim, Quote(205));
    assert_eq!((account.stepped_at, market.guard.flow), (0, 0));
}

#[test]
fn a_bounty_that_nobody_can_fund_is_not_owed() {
    let (mut market, mut account) = due();
    market.books.backstop.cash = Quote(560);
    market.books.pool.cash = Quote(0);
    let (done, credit) = liquidate(&mut market, &mut account, &prices()).unwrap();
    // What it paid for the debt is in the pool.
    assert_eq!(
        (done.bounty, done.bounty_unpaid, credit),
        (Quote(1), Quote(0), Quote(1))
    );
    let (mut market, mut account) = due();
    market.books.backstop.inventory = Collateral(8_000);
    market.books.pool.cash = Quote(0);
    let (done, credit) = liquidate(&mut market, &mut account, &prices()).unwrap();
    assert_eq!(
        (done.paid_in_cash, done.bounty, done.bounty_unpaid, credit),
        (Quote(0), Quote(0), Quote(1), Quote(0))
    );
}

#[test]
fn an_insolvent_account_is_taken_whole_whatever_the_room() {
    for (at, level) in [(prices(), Level::Normal), (guarded(), Level::Guarded)] {
        assert_eq!(at.level(), level);
        let mut market = market();
        let mut account = account(&mut market, 1_200, 10_000);
        market.shortage.since = 1;
        let (done, _) = liquidate(&mut market, &mut account, &at).unwrap();
        assert_eq!((done.insolvent, done.whole, done.repaid), (true, true, Quote(1_200)));
        assert_eq!(
            (account.debt_shares, market.books.backstop.debt_shares),
            (DebtShares(0), DebtShares(1_200))
        );
        assert_eq!(
            (market.shortage.since, account.stepped_at, market.guard.flow),
            (1, 0, 0)
        );
    }
}

#[test]
fn what_is_healthy_or_cools_down_or_owes_nothing_is_left_alone() {
    let (mut market, account) = due();
    market.books.backstop.cash = Quote(10_000);
    let try_with = |market: &Market, change: fn(&mut MarginAccount), expected| {
        let mut account = account;
        change(&mut account);
        let (mut market, before) = (*market, account);
        let found = market
            .liquidations(&prices(), NOW)
            .unwrap()
            .liquidate(&mut account, &mut KeeperLedger::new(Key([1; 32]), Key([2; 32]), 255));
        assert_eq!(found.map(|done| done.repaid), expected);
        assert!(account == before || expected.is_ok());
    };
    try_with(&market, |_| {}, Ok(Quote(560)));
    try_with(&market, |a| a.last_risk_slot = NOW.slot, Err(Error::SameSlot));
    try_with(&market, |a| a.debt_shares = DebtShares(0), Err(Error::NoDebt));
    try_with(
        &market,
        |a| a.collateral = Collateral(10_624),
        Err(Error::AccountHealthy),
    );
    // What a finished ramp has raised counts.
    (market.ramp.ends_at, market.ramp.to) = (1, Bps(8_600));
    try_with(&market, |_| {}, Err(Error::AccountHealthy));
}

/// The cash at which the room for the account is `room`, and the room itself.
fn with_room(market: &mut Market, cash: u64) -> u64 {
    market.books.backstop.cash = Quote(cash);
    let at = BackstopPrices::new(&market.config, &prices()).unwrap();
    let capacity = Capacity::of(&market.books.backstop, &market.books.pool, at.stressed).unwrap();
    capacity.room(&market.config, &at, Bps(365)).unwrap().0
}

#[test]
fn what_does_not_fit_is_cut_to_the_room_or_left() {
    let (mut market, account) = due();
    let room = with_room(&mut market, 20);
    assert!((100..200).contains(&room), "{room}");
    let run = |market: &Market| {
        let (mut market, mut account) = (*market, account);
        liquidate(&mut market, &mut account, &prices()).map(|(done, credit)| (done.repaid, credit))
    };
    // A tip is not for crumbs; half a penalty is more than what a quarter of a percent is.
    market.config.bounty_tip = Quote(3);
    (market.config.min_debt, market.config.bounty_share) = (Quote(room), Bps(100));
    assert_eq!(run(&market), Ok((Quote(room), Quote(room / 100))));
    market.config.min_debt = Quote(room + 1);
    assert_eq!(run(&market), Err(Error::BackstopFull));
    with_room(&mut market, 10_000);
    assert_eq!(run(&market), Ok((Quote(560), Quote(8))));
}

fn with_own_capital(most: u64, least: u64) -> impl Fn(&mut Market, &mut MarginAccount) -> Result<(Quote, Collateral)> {
    move |market, account| {
        let willing = Willing {
            max_repay: Quote(most),
            min_collateral: Collateral(least),
        };
        let held = account.collateral.0;
        let done = market.liquidate_external(account, willing, &prices(), NOW)?;
        assert_eq!(account.collateral.0 + done.seized.0, held);
        assert_eq!(market.shortage.seen_at, NOW.unix);
        Ok((done.repaid, done.seized))
    }
}

#[test]
fn who_liquidates_with_own_capital_gets_no_less_than_named() {
    let (market, account) = due();
    let own = |most, least| move |market: &mut Market| with_own_capital(most, least)(market, &mut account.clone());
    // At first without a discount: eight collateral atoms for each.
    says(&market, own(100, 0), Ok((Quote(100), Collateral(800))));
    says(&market, own(100, 800), Ok((Quote(100), Collateral(800))));
    says(&market, own(100, 801), Err(Error::SlippageExceeded));
    says(&market, own(0, 0), Err(Error::ZeroAmount));
}

#[test]
fn own_capital_is_for_what_the_backstop_has_no_room_for() {
    let (mut market, account) = due();
    let own = |market: &mut Market| with_own_capital(100, 0)(market, &mut account.clone());
    let room = with_room(&mut market, 20);
    market.config.min_debt = Quote(room);
    says(&market, own, Err(Error::BackstopHasRoom));
    market.config.min_debt = Quote(room + 1);
    says(&market, own, Ok((Quote(100), Collateral(800))));
    with_room(&mut market, 10_000);
    says(&market, own, Err(Error::BackstopHasRoom));

    let mut market = self::market();
    let insolvent = self::account(&mut market, 1_200, 10_000);
    says(
        &market,
        |m| with_own_capital(100, 0)(m, &mut insolvent.clone()),
        Err(Error::AccountInsolvent),
    );
}

#[test]
fn the_discount_grows_from_nothing_to_the_penalty() {
    let (mut market, account) = due();
    let slope = u64::from(market.config.external_slope.0);
    let waited = |market: &Market, seconds: i64| {
        let mut market = *market;
        market.shortage = crate::Shortage {
            since: NOW.unix - seconds,
            seen_at: NOW.unix - 1,
        };
        let willing = Willing {
            max_repay: Quote(100),
            min_collateral: Collateral(0),
        };
        let done = market
            .liquidate_external(&mut account.clone(), willing, &prices(), NOW)
            .unwrap();
        (u64::from(done.penalty.0), done.waited)
    };
    assert_eq!(waited(&market, 0), (0, 0));
    assert_eq!(waited(&market, 90), (slope * 3 / 2, 90));
    assert_eq!(waited(&market, 1_000_000), (365, 1_000_000));
    market.config.external_slope = Bps(1);
    assert_eq!(waited(&market, 59), (0, 59));
}

/// The same price, of which one and a half percent are uncertain.
fn guarded() -> Prices {
    prices_with(&CONFIG, raw(125_0000_0000, 1_8000_0000))
}

#[test]
fn while_guarded_a_step_is_taken_and_the_account_rests() {
    let (mut market, account) = due();
    market.books.backstop.cash = Quote(10_000);
    market.config.guarded_flow = Quote(6_000);
    let step = |market: &mut Market, account: &mut MarginAccount, part| {
        market.config.guarded_step = Bps(part);
        let (done, _) = liquidate(market, account, &guarded())?;
        assert_eq!((done.penalty, account.stepped_at), (Bps(200), NOW.unix));
        // A hundred atoms a second.
        let flow = (market.guard.flow - NOW.unix * 1_000_000) / 10_000;
        assert_eq!(flow.unsigned_abs(), done.repaid.0);
        Ok::<_, Error>(done.repaid)
    };
    // To the target it is 530; a quarter of that, and then nothing for a while.
    let (mut stepped, mut rests) = (market, account);
    assert_eq!(step(&mut stepped, &mut rests, 2_500), Ok(Quote(132)));
    assert_eq!(step(&mut stepped, &mut rests, 2_500), Err(Error::AccountCooling));
    assert_eq!(step(&mut market.clone(), &mut account.clone(), 10_000), Ok(Quote(530)));
    // A step that is cut to the room counts as what it is.
    with_room(&mut market, 20);
    let cut = step(&mut market.clone(), &mut account.clone(), 10_000).unwrap();
    assert!((100..200).contains(&cut.0), "{cut:?}");
}

#[test]
fn while_guarded_own_capital_takes_a_step_as_well() {
    let (mut market, account) = due();
    market.config.guarded_flow = Quote(6_000);
    market.config.min_debt = Quote(50);
    let own = |most| {
        move |market: &mut Market| {
            let willing = Willing {
                max_repay: Quote(most),
                min_collateral: Collateral(0),
            };
            let mut account = account;
            let done = market.liquidate_external(&mut account, willing, &guarded(), NOW)?;
            assert_eq!(account.stepped_at, NOW.unix);
            Ok((done.repaid.0, (market.guard.flow - NOW.unix * 1_000_000) / 10_000))
        }
    };
    // Without a discount 499 of debt are to go; a quarter of that. Less than the minimum debt would only make the account rest.
    says(&market, own(1_000), Ok((124, 124)));
    says(&market, own(50), Ok((50, 50)));
    says(&market, own(49), Err(Error::RepaymentTooSmall));
}

#[test]
fn a_batch_notes_what_the_backstop_had_no_room_for() {
    let (mut market, _) = due();
    market.liquidations(&prices(), NOW).unwrap().note_shortage();
    assert_eq!((market.shortage.since, market.shortage.seen_at), (NOW.unix, NOW.unix));
}

#[test]
fn spot_above_the_guarded_price_is_part_of_the_discount() {
    let (mut market, mut account) = due();
    (market.collateral_decimals, market.quote_decimals) = (9, 6);
    let mut accept = |price, seconds| {
        let reading = |price| RawReading {
            publish_time: NOW.unix + seconds,
            ..raw(price, 0)
        };
        let readings = Readings {
            collateral: reading(price),
            quote: reading(1_0000_0000),
            redemption: None,
        };
        market
            .accept_prices(&readings, Purpose::Liquidate, later(seconds))
            .unwrap()
    };
    accept(125_0000_0000, 0);
    // In a second the reference follows by 10 bps, and 50 bps from there a price is taken as it is: 125.75. Spot is 0.89% above.
    let prices = accept(126_8750_0000, 1);
    assert_eq!(prices.level(), Level::Guarded);
    let willing = Willing {
        max_repay: Quote(100),
        min_collateral: Collateral(0),
    };
    let done = market
        .liquidate_external(&mut account, willing, &prices, later(1))
        .unwrap();
    assert_eq!((done.penalty, done.waited), (Bps(89), 0));
}

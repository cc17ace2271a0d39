//! Debt, collateral and cash moved by a liquidation.

use super::*;
use crate::{GuardianShares as Shares, actions::Liquidation};

/// An account at 85%: 1,062 of 1,250. 514 of debt are to go: (1,062 − 937.5) ÷ 0.2425.
fn due() -> (Market, MarginAccount) {
    let mut market = market();
    let account = account(&mut market, 1_062, 10_000);
    (market, account)
}

fn ledger() -> KeeperLedger {
    KeeperLedger::new(Key([1; 32]), Key([2; 32]), 255)
}

fn liquidate(market: &mut Market, account: &mut MarginAccount, prices: &Prices) -> Result<(Liquidation, Quote)> {
    let mut ledger = ledger();
    let (before, found) = (*market, *account);
    let prices = &prices.used(PriceUse::Liquidate, NOW);
    let mut running = market.liquidations(prices, NOW)?;
    let done = running.liquidate(account, &mut ledger);
    if done.is_err() {
        // What the batch began with is kept: interest, and the threshold of the kept sums.
        let mut expected = before;
        expected.liquidations(prices, NOW).map(|_| ())?;
        assert!(*market == expected && *account == found && ledger == self::ledger());
    }
    check_map(market, account.debt_shares.0);
    Ok((done?, ledger.credit))
}

#[test]
fn cash_pays_first_and_the_rest_is_assumed() {
    let (mut market, mut account) = due();
    market.books.backstop.cash = Quote(400);
    (market.books.guardians.claim, market.books.guardians.shares) = (Quote(200), Shares(1));
    let (done, credit) = liquidate(&mut market, &mut account, &prices()).unwrap();
    let expected = Liquidation {
        price: prices().guarded(),
        repaid: Quote(514),
        paid_in_cash: Quote(400),
        // 514 and 5 of penalty, times eight.
        seized: Collateral(4_152),
        deficit: Quote(0),
        // A quarter of a percent, and nothing left to pay it with.
        bounty: Quote(1),
        debt_after: Quote(548),
        collateral_after: Collateral(5_848),
        penalty: Bps(100),
        taken_over: false,
        whole: false,
    };
    assert_eq!((done, credit), (expected, Quote(1)));
    let (pool, backstop) = (&market.books.pool, &market.books.backstop);
    assert_eq!((pool.cash, pool.debt_shares), (Quote(1_000_400), DebtShares(548 + 114)));
    assert_eq!((backstop.cash, backstop.debt_shares), (Quote(0), DebtShares(114)));
    assert_eq!(backstop.inventory, Collateral(4_152));
    assert_eq!(
        (backstop.funded_credits, backstop.unfunded_credits),
        (Quote(0), Quote(1))
    );
    assert_eq!(
        (account.debt_shares, account.collateral),
        (DebtShares(548), Collateral(5_848))
    );
    let equity_sources = &market.books.equity_sources;
    assert_eq!(
        (equity_sources.penalties, equity_sources.book, equity_sources.deficits),
        (Quote(5), Quote(519), Quote(0))
    );
    // Half of the penalties, for their half of the equity.
    assert_eq!(market.books.guardians.claim, Quote(201));
    assert_eq!((account.stepped_until, market.guard.flow_used_until), (0, 0));
}

#[test]
fn a_bounty_is_funded_out_of_what_cash_is_left() {
    for (cash, funded, unfunded) in [(513, 0, 1), (514, 0, 1), (515, 1, 0), (900, 1, 0)] {
        let (mut market, mut account) = due();
        market.books.backstop.cash = Quote(cash);
        let (done, credit) = liquidate(&mut market, &mut account, &prices()).unwrap();
        assert_eq!((done.bounty, credit), (Quote(1), Quote(1)));
        let backstop = &market.books.backstop;
        let credits = (backstop.funded_credits.0, backstop.unfunded_credits.0);
        assert_eq!(credits, (funded, unfunded), "{cash}");
        assert_eq!(backstop.cash.0, cash.saturating_sub(514 + funded));
        assert_eq!(backstop.debt_shares.0, 514u64.saturating_sub(cash));
        // The pool lends nothing for it.
        assert_eq!(market.books.pool.cash.0, 1_000_000 + cash.min(514));
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
            .liquidations(&prices().used(PriceUse::Liquidate, NOW), NOW)
            .unwrap()
            .liquidate(&mut account, &mut ledger());
        assert_eq!(found.map(|done| done.repaid), expected);
        assert!(account == before || expected.is_ok());
    };
    try_with(&market, |_| {}, Ok(Quote(514)));
    try_with(&market, |a| a.last_risk_slot = NOW.slot, Err(Error::BorrowedThisSlot));
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

/// Runs on a copy: debt taken off and the market after it.
fn tried(market: &Market, account: &MarginAccount, prices: &Prices) -> Result<(Liquidation, Market)> {
    let (mut market, mut account) = (*market, *account);
    let (done, _) = liquidate(&mut market, &mut account, prices)?;
    Ok((done, market))
}

/// A market that must stand a fall of 38%, and an account at 85%.
fn stressed() -> (Market, MarginAccount) {
    let (mut market, account) = due();
    market.config.stress_fall = Bps(3_800);
    market.config.bounty_share = Bps(0);
    (market, account)
}

/// The least cash at which C is not negative after a liquidation in full.
fn least_cash() -> u64 {
    let (mut market, account) = stressed();
    market.books.backstop.cash = Quote(100_000);
    let (_, after) = tried(&market, &account, &prices()).unwrap();
    let cover = after.stress(&prices(), NOW).unwrap()[0].cover;
    u64::try_from(100_000 - cover).unwrap()
}

#[test]
fn a_partial_is_taken_in_full_while_the_cover_after_it_is_not_negative() {
    let (mut market, account) = stressed();
    // After it: 548 of debt on 5,848 of collateral (453 at 0.0775), and the backstop has 4,152 (321) for 514.
    let least = least_cash();
    assert!((288..=310).contains(&least), "{least}");
    // Nothing fits the pipeline.
    market.config.pipeline = 0;
    for (cash, expected) in [
        (least, Ok(514)),
        (least - 1, Err(Error::PipelineFull)),
        (least + 1, Ok(514)),
    ] {
        market.books.backstop.cash = Quote(cash);
        let found = tried(&market, &account, &prices()).map(|(done, _)| done.repaid.0);
        assert_eq!(found, expected, "{cash}");
    }
}

/// A pipeline of so many quote atoms.
fn with_pipeline(market: &mut Market, value: u64) {
    (market.config.market_depth, market.config.flow_rate) = (Quote(value), Bps(10_000));
    market.config.pipeline = 3_600;
    assert_eq!(market.config.pipeline_value(), Quote(value));
}

#[test]
fn without_cover_a_partial_is_taken_as_far_as_the_pipeline_goes() {
    let (mut market, account) = stressed();
    market.config.min_debt = Quote(50);
    // So many quote atoms of inventory are held, and so many fit.
    let found = |market: &Market, held: u64, value: u64| {
        let mut market = *market;
        market.books.backstop.inventory = Collateral(held * 8);
        market.books.backstop.debt_shares = DebtShares(1_000);
        market.books.pool.debt_shares = DebtShares(2_062);
        with_pipeline(&mut market, value);
        let (done, after) = tried(&market, &account, &prices())?;
        assert!(after.stress(&prices(), NOW).unwrap()[0].cover < 0);
        assert!(
            after.books.backstop.inventory.0 <= value * 8,
            "no more than the pipeline"
        );
        Ok((done.repaid.0, done.seized.0))
    };
    // All of it: 519 with its penalty.
    assert_eq!(found(&market, 0, 520), Ok((514, 4_152)));
    assert_eq!(found(&market, 0, 519), Ok((513, 4_144)));
    // x(1 + 1%) ≤ 101: 100 and 1.
    assert_eq!(found(&market, 0, 101), Ok((100, 808)));
    assert_eq!(found(&market, 300, 401), Ok((100, 808)));
    assert_eq!(found(&market, 0, 100), Ok((99, 792)));
    // Less than the minimum debt is none.
    assert_eq!(found(&market, 0, 51), Ok((50, 400)));
    assert_eq!(found(&market, 0, 50), Err(Error::PipelineFull));
    assert_eq!(found(&market, 300, 350), Err(Error::PipelineFull));
    assert_eq!(found(&market, 300, 299), Err(Error::PipelineFull));
    // Unless no more is wanted.
    market.config.min_debt = Quote(514);
    assert_eq!(found(&market, 0, 520), Ok((514, 4_152)));
    assert_eq!(found(&market, 0, 519), Err(Error::PipelineFull));
}

#[test]
fn the_pipeline_counts_at_the_higher_average_and_what_is_seized_at_the_lower_price() {
    let (mut market, account) = stressed();
    market.books.backstop.debt_shares = DebtShares(1_000);
    market.books.pool.debt_shares = DebtShares(2_062);
    with_pipeline(&mut market, 400);
    // The own EMA stands a quarter above: 400 are 2,560 atoms, which are worth 320: 316 and its penalty.
    let prices = judged(&prices(), price(8, 1), price(32, 5), Level::Normal);
    assert_eq!(market.pipeline_headroom(&prices), Ok(Collateral(2_560)));
    let (done, after) = tried(&market, &account, &prices).unwrap();
    assert_eq!((done.repaid.0, after.books.backstop.inventory.0), (316, 319 * 8));
}

#[test]
fn a_take_over_is_refused_by_nothing() {
    // 10,000 are worth 1,250 at the higher price; 937.5 and 625 at the lower.
    let guarded = at(price(32, 3), price(8, 1), Level::Guarded);
    let far = at(price(16, 1), price(8, 1), Level::Guarded);
    let debt = 1_200;
    for (prices, deficit) in [(prices(), 0), (guarded, 263), (far, 575)] {
        let mut market = market();
        market.config.stress_fall = Bps(3_800);
        // No cover, no pipeline, no flow, and the account has just been stepped.
        (market.config.pipeline, market.config.guarded_flow) = (0, Quote(1));
        market.books.backstop.debt_shares = DebtShares(5_000);
        let mut account = account(&mut market, debt, 10_000);
        market.books.pool.debt_shares.0 += 5_000;
        account.stepped_until = (NOW.unix + 300) * 1_000_000;
        let before = account;
        let (done, _) = liquidate(&mut market, &mut account, &prices).unwrap();
        assert_eq!((done.taken_over, done.whole, done.repaid), (true, true, Quote(debt)));
        assert_eq!(
            (done.seized, done.collateral_after),
            (Collateral(10_000), Collateral(0))
        );
        assert_eq!(done.deficit, Quote(deficit));
        assert_eq!(
            (account.debt_shares, market.books.backstop.debt_shares),
            (DebtShares(0), DebtShares(5_000 + debt))
        );
        assert_eq!(
            (account.stepped_until, market.guard.flow_used_until),
            (before.stepped_until, 0)
        );
        assert_eq!(market.books.equity_sources.deficits, done.deficit);
    }
}

#[test]
fn the_rest_of_the_margin_beyond_the_largest_penalty_stays_with_the_owner() {
    let mut market = market();
    market.config.takeover_ltv = Bps(9_000);
    let mut account = account(&mut market, 1_125, 10_000);
    let (done, _) = liquidate(&mut market, &mut account, &prices()).unwrap();
    // 1,125 and 6%, 67.5, rounded down: 1,192 × 8.
    assert_eq!((done.seized, done.penalty), (Collateral(9_536), Bps(600)));
    assert_eq!(
        (account.collateral, account.debt_shares, account.place),
        (Collateral(464), DebtShares(0), bytemuck::Zeroable::zeroed())
    );
    assert_eq!(market.books.equity_sources.penalties, Quote(67));
}

#[test]
fn guardians_earn_of_a_take_over_what_a_partial_would_pay_and_nothing_while_guarded() {
    let earned = |prices: &Prices, debt, stress| {
        let mut market = market();
        (market.config.stress_fall, market.config.guarded_close_factor) = (Bps(stress), Bps(10_000));
        let mut account = account(&mut market, debt, 10_000);
        market.books.backstop.cash = Quote(2_000);
        (market.books.guardians.claim, market.books.guardians.shares) = (Quote(2_000), Shares(1));
        liquidate(&mut market, &mut account, prices).unwrap();
        market.books.guardians.claim.0 - 2_000
    };
    let guarded = at(price(8, 1), price(8, 1), Level::Guarded);
    // A margin of 50, of which 12 are 1% of the debt.
    assert_eq!((earned(&prices(), 1_200, 0), earned(&guarded, 1_200, 0)), (6, 0));
    // Of a partial half, at either level.
    assert_eq!((earned(&prices(), 1_062, 0), earned(&guarded, 1_062, 0)), (2, 2));
    // Bad debt has no penalty.
    assert_eq!(earned(&prices(), 1_250, 0), 0);
}

#[test]
fn guardians_earn_by_their_part_of_the_equity_after_the_fall() {
    let earned = |stress| {
        let mut market = market();
        (market.config.stress_fall, market.config.guardian_share) = (Bps(stress), Bps(5_000));
        (market.config.penalty, market.config.pipeline) = (Bps(1_000), 0);
        let mut account = account(&mut market, 1_062, 10_000);
        // 4,000 in cash, and 8,000 collateral atoms: worth 1,000 at the price and 500 at half.
        (market.books.backstop.cash, market.books.backstop.inventory) = (Quote(4_000), Collateral(8_000));
        (market.books.guardians.claim, market.books.guardians.shares) = (Quote(900), Shares(1));
        liquidate(&mut market, &mut account, &prices()).unwrap();
        (
            market.books.equity_sources.penalties.0,
            market.books.guardians.claim.0 - 900,
        )
    };
    // A penalty of 71; half of 900 ÷ 5,000, and of 900 ÷ 4,500.
    assert_eq!(earned(0), (71, 6));
    assert_eq!(earned(5_000), (71, 7));
}

/// The same price, of which one and a half percent are uncertain.
fn guarded() -> Prices {
    prices_with(&CONFIG, raw(125_0000_0000, 1_8000_0000))
}

#[test]
fn while_guarded_a_step_is_taken_and_refilled() {
    let (mut market, account) = due();
    market.books.backstop.cash = Quote(10_000);
    market.config.guarded_flow = Quote(6_000);
    let step = |market: &mut Market, account: &mut MarginAccount, part| {
        market.config.guarded_close_factor = Bps(part);
        let (done, _) = liquidate(market, account, &guarded())?;
        // A step in 300 seconds.
        let used = (account.stepped_until - NOW.unix * 1_000_000).unsigned_abs();
        let size = (1_062 * u64::from(part) / 10_000).max(1);
        assert_eq!(
            (done.penalty, used),
            (Bps(100), (done.repaid.0 * 300_000_000).div_ceil(size))
        );
        // A hundred atoms a second.
        let flow = (market.guard.flow_used_until - NOW.unix * 1_000_000) / 10_000;
        assert_eq!(flow.unsigned_abs(), done.repaid.0);
        Ok::<_, Error>(done.repaid)
    };
    // To the target it is 514. A quarter of the debt of 1,062, and then nothing for a while.
    let (mut stepped, mut rests) = (market, account);
    assert_eq!(step(&mut stepped, &mut rests, 2_500), Ok(Quote(265)));
    assert_eq!(step(&mut stepped, &mut rests, 2_500), Err(Error::AccountCooldown));
    assert_eq!(step(&mut market.clone(), &mut account.clone(), 10_000), Ok(Quote(514)));
    // A step that is cut to the pipeline counts as what it is.
    market.config.stress_fall = Bps(3_800);
    (market.books.backstop.cash, market.books.backstop.debt_shares) = (Quote(0), DebtShares(1_000));
    market.books.pool.debt_shares = DebtShares(2_062);
    with_pipeline(&mut market, 101);
    assert_eq!(step(&mut market.clone(), &mut account.clone(), 10_000), Ok(Quote(100)));
    // The smallest of them all counts.
    assert_eq!(step(&mut market.clone(), &mut account.clone(), 500), Ok(Quote(53)));
    market.config.guarded_flow = Quote(60);
    let flow = |market: &Market| tried(market, &account, &guarded()).map(|(done, _)| done.repaid.0);
    market.config.guarded_close_factor = Bps(10_000);
    assert_eq!(flow(&market), Ok(60));
    market.config.min_debt = Quote(61);
    assert_eq!(flow(&market), Err(Error::GuardedFlowUsed));
}

#[test]
fn apart_prices_judge_at_the_higher_and_settle_at_the_lower() {
    let (mut market, account) = due();
    market.config.guarded_close_factor = Bps(10_000);
    market.books.backstop.cash = Quote(10_000);
    let found = |spot, guarded| tried(&market, &account, &at(spot, guarded, Level::Guarded)).map(|(done, _)| done);
    // 1,250 at the higher price. At 1% less: (1,062 − 937.5) ÷ (1 − 0.7575 ÷ 0.99), with 1% of it, at 0.12375.
    for (spot, guarded) in [(price(800, 99), price(8, 1)), (price(8, 1), price(800, 99))] {
        let done = found(spot, guarded).unwrap();
        assert_eq!(done.price, price(800, 99));
        assert_eq!(
            (done.repaid, done.seized, done.penalty),
            (Quote(531), Collateral(4_331), Bps(100))
        );
    }
    // 2% is the largest gap.
    let found = |guarded| found(price(8, 1), guarded).map(|done| done.repaid.0);
    let edge = price(800, 98).raw() + 1;
    assert_eq!(found(Price::from_raw(edge)), Ok(549));
    assert_eq!(found(Price::from_raw(edge - 1)), Err(Error::PriceGapTooWide));
    // At the higher price it is healthy.
    let healthy = MarginAccount {
        collateral: Collateral(10_624),
        ..account
    };
    let found = tried(&market, &healthy, &at(price(10, 1), price(8, 1), Level::Guarded)).map(drop);
    assert_eq!(found, Err(Error::AccountHealthy));
}

#[test]
fn what_stops_liquidations_stops_them_all() {
    let (mut market, account) = due();
    let halted = at(price(8, 1), price(8, 1), Level::Halted);
    assert_eq!(tried(&market, &account, &halted).map(drop), Err(Error::MarketHalted));
    market.pause(crate::governance::pause::Kinds(8), 10, NOW).unwrap();
    assert_eq!(tried(&market, &account, &prices()).map(drop), Err(Error::ActionPaused));
}

#[test]
fn inventory_that_arrives_is_as_cheap_as_what_was_held_justifies() {
    let (mut market, account) = due();
    market.books.backstop.cash = Quote(10_000);
    market.books.auction.anchor = (NOW.unix - 3_600) * 1_000_000;
    let lag = |market: &Market| {
        let (_, after) = tried(market, &account, &prices()).unwrap();
        NOW.unix * 1_000_000 - after.books.auction.anchor
    };
    // 1,000 quote atoms an hour.
    (market.config.market_depth, market.config.flow_rate) = (Quote(1_000), Bps(10_000));
    for (held, expected) in [
        (0, 0),
        (4_000, 1_800_000_000),
        (8_000, 3_600_000_000),
        (9_000, 3_600_000_000),
    ] {
        market.books.backstop.inventory = Collateral(held);
        assert_eq!(lag(&market), expected, "{held}");
    }
}

#[test]
fn a_batch_does_what_one_by_one_does() {
    let mut market = market();
    (market.config.stress_fall, market.config.min_debt) = (Bps(3_800), Quote(30));
    market.config.guarded_flow = Quote(700);
    with_pipeline(&mut market, 900);
    market.books.backstop.cash = Quote(500);
    let debts = [1_062, 1_190, 900, 1_100, 1_300, 1_040, 1_062];
    let accounts = debts.map(|debt| account(&mut market, debt, 10_000));
    for prices in [prices(), guarded(), at(price(800, 99), price(8, 1), Level::Guarded)] {
        let prices = prices.used(PriceUse::Liquidate, NOW);
        let (mut batched, mut single) = (market, market);
        let (mut first, mut second) = (accounts, accounts);
        let (mut one, mut other) = (ledger(), ledger());
        let mut running = batched.liquidations(&prices, NOW).unwrap();
        let together = first.each_mut().map(|account| running.liquidate(account, &mut one));
        let apart = second.each_mut().map(|account| {
            single
                .liquidations(&prices, NOW)
                .unwrap()
                .liquidate(account, &mut other)
        });
        assert_eq!(together, apart);
        assert!(batched == single && first == second && one == other);
        assert_eq!(together[2], Err(Error::AccountHealthy));
        assert!(together.iter().filter(|done| done.is_ok()).count() >= 3, "{together:?}");
        check_map(&batched, first.iter().map(|account| account.debt_shares.0).sum());
    }
}

#[test]
fn a_batch_pays_guardians_what_they_are_due_at_its_beginning() {
    let mut market = market();
    market.config.penalty = Bps(1_000);
    let mut accounts = [1_062, 1_062].map(|debt| account(&mut market, debt, 10_000));
    market.books.backstop.cash = Quote(2_000);
    (market.books.guardians.claim, market.books.guardians.shares) = (Quote(1_000), Shares(1));
    let prices = prices().used(PriceUse::Liquidate, NOW);
    let mut running = market.liquidations(&prices, NOW).unwrap();
    for account in &mut accounts {
        running.liquidate(account, &mut ledger()).unwrap();
    }
    // Half of their half, of 71 each: the equity that the first one earns does not count for the second.
    assert_eq!(market.books.guardians.claim, Quote(1_000 + 2 * 17));
    assert_eq!(market.books.equity_sources.penalties, Quote(2 * 71));
}

//! Buyers, keepers, guardians and the protocol itself.

use super::*;

fn selling() -> Market {
    let mut market = market();
    market.books.backstop.inventory = Collateral(8_000);
    market.books.unwind = crate::Schedule {
        anchor: NOW.unix * 1_000_000,
        used_until: NOW.unix * 1_000_000,
    };
    market
}

#[test]
fn a_buyer_pays_no_more_and_gets_no_less_than_named() {
    let market = selling();
    let buy = |amount, most| {
        move |market: &mut Market| {
            let sale = market.buy_inventory(Collateral(amount), Quote(most), &prices(), NOW)?;
            Ok((sale.cost, sale.inventory_after))
        }
    };
    says(&market, buy(8_001, u64::MAX), Err(Error::InventoryInsufficient));
    says(&market, buy(8_000, 1_000), Ok((Quote(1_000), Collateral(0))));
    says(&market, buy(4_000, 501), Ok((Quote(500), Collateral(4_000))));
    says(&market, buy(4_000, 500), Ok((Quote(500), Collateral(4_000))));
    says(&market, buy(4_000, 499), Err(Error::SlippageExceeded));
    says(&market, buy(4_000, 0), Err(Error::SlippageExceeded));
    let buy_for = |budget, least| {
        move |market: &mut Market| {
            let sale = market.buy_inventory_for(Quote(budget), Collateral(least), &prices(), NOW)?;
            Ok((sale.cost, sale.amount))
        }
    };
    says(&market, buy_for(500, 0), Ok((Quote(500), Collateral(4_000))));
    says(&market, buy_for(500, 4_000), Ok((Quote(500), Collateral(4_000))));
    says(&market, buy_for(500, 4_001), Err(Error::SlippageExceeded));
    says(&market, buy_for(500, u64::MAX), Err(Error::SlippageExceeded));
}

#[test]
fn a_keeper_claims_what_is_funded_and_nothing_twice() {
    let mut market = market();
    (
        market.books.backstop.funded_credits,
        market.books.backstop.unfunded_credits,
    ) = (Quote(7), Quote(3));
    let mut ledger = KeeperLedger::new(Key([1; 32]), Key([2; 32]), 255);
    says(
        &market,
        |m| m.claim_bounty(&mut ledger.clone()),
        Err(Error::NothingToClaim),
    );
    let mut claim = |credit| {
        ledger.credit = Quote(credit);
        let done = market.claim_bounty(&mut ledger);
        let backstop = &market.books.backstop;
        assert_eq!(backstop.unfunded_credits, Quote(3));
        done.map(|done| {
            assert_eq!(done.credit_after, ledger.credit);
            (done.amount.0, done.credit_after.0, backstop.funded_credits.0)
        })
    };
    assert_eq!(claim(5), Ok((5, 0, 2)));
    assert_eq!(claim(0), Err(Error::NothingToClaim));
    // As far as there is cash; the rest stays owed.
    assert_eq!(claim(4), Ok((2, 2, 0)));
    assert_eq!(claim(2), Err(Error::CreditsUnfunded));
    assert_eq!(ledger.credit, Quote(2));
}

fn position(shares: u64) -> GuardianPosition {
    GuardianPosition {
        shares: GuardianShares(shares),
        ..GuardianPosition::new(Key([1; 32]), Key([2; 32]), 255)
    }
}

/// The market's stored price is that of these, and young.
fn show(market: &mut Market, prices: &Prices, clock: Clock) {
    let guard = &mut market.guard;
    (guard.spot, guard.reference, guard.average) = (prices.spot(), prices.guarded(), prices.average());
    (guard.priced_at, guard.level) = (clock.unix, 0);
}

/// With a claim of 11, of which a request of 3 was made now.
fn asked(market: &mut Market) -> GuardianPosition {
    (market.books.guardians.claim, market.books.guardians.shares) = (Quote(11), GuardianShares(11_000));
    let mut position = position(3_000);
    let cash = core::mem::replace(&mut market.books.backstop.cash, Quote(1_000));
    let done = market
        .guardian_request(&mut position, GuardianShares(3_000), Quote(0), NOW)
        .unwrap();
    assert_eq!(done.amount, Quote(3));
    market.books.backstop.cash = cash;
    position
}

#[test]
fn a_guardian_gets_no_fewer_shares_and_no_less_than_named() {
    let mut market = market();
    let deposit = |least| {
        move |market: &mut Market| {
            let done = market.guardian_deposit(&mut position(0), Quote(3), GuardianShares(least), NOW)?;
            Ok(done.shares)
        }
    };
    says(&market, deposit(0), Ok(GuardianShares(3_000)));
    says(&market, deposit(3_000), Ok(GuardianShares(3_000)));
    says(&market, deposit(3_001), Err(Error::SlippageExceeded));

    (market.books.guardians.claim, market.books.guardians.shares) = (Quote(11), GuardianShares(11_000));
    market.books.backstop.cash = Quote(11);
    let request = |shares, least| {
        move |market: &mut Market| {
            let mut position = position(5_000);
            let before = position;
            let done = market.guardian_request(&mut position, GuardianShares(shares), Quote(least), NOW);
            assert!(done.is_ok() || position == before);
            Ok((
                done?.amount.0,
                position.shares.0,
                position.waiting.0,
                market.books.guardians.claim.0,
            ))
        }
    };
    says(&market, request(4_000, 0), Ok((4, 1_000, 4, 7)));
    says(&market, request(5_000, 5), Ok((5, 0, 5, 6)));
    says(&market, request(5_000, 6), Err(Error::SlippageExceeded));
    says(&market, request(5_001, 0), Err(Error::InsufficientGuardianShares));
    says(&market, request(999, 0), Err(Error::ClaimWorthless));
    says(&market, request(0, 0), Err(Error::NothingRequested));
    // Where the backstop has less than the claim, their part of it: 5 of 11.
    market.books.backstop.cash = Quote(5);
    says(&market, request(5_000, 0), Ok((2, 0, 2, 6)));

    market.books.backstop.cash = Quote(11);
    let position = asked(&mut market);
    let cooldown = i64::from(market.config.guardian_cooldown);
    let leave = |market: &Market, wanted, least, expected| {
        let leave = |market: &mut Market| {
            let mut position = position;
            let done = market.guardian_withdraw(&mut position, Quote(wanted), Quote(least), later(cooldown))?;
            assert_eq!(done.unpaid, position.unpaid(&market.books.guardians).unwrap());
            Ok((
                done.amount.0,
                market.books.backstop.cash.0,
                done.unpaid.0,
                done.requested_after.0,
            ))
        };
        says(market, leave, expected);
    };
    leave(&market, u64::MAX, 0, Ok((3, 8, 0, 0)));
    leave(&market, 3, 3, Ok((3, 8, 0, 0)));
    leave(&market, 2, 2, Ok((2, 9, 1, 1)));
    leave(&market, 3, 4, Err(Error::SlippageExceeded));
    leave(&market, 2, 3, Err(Error::SlippageExceeded));
    leave(&market, 0, 0, Err(Error::ZeroAmount));
    let early =
        |market: &mut Market| market.guardian_withdraw(&mut position.clone(), Quote(3), Quote(0), later(cooldown - 1));
    says(&market, early, Err(Error::TooEarly));
    let early = |market: &mut Market| {
        market.guardian_request(&mut position.clone(), GuardianShares(0), Quote(0), later(cooldown - 1))
    };
    says(&market, early, Err(Error::TooEarly));
    let twice = |market: &mut Market| {
        let mut twice = position;
        twice.shares = GuardianShares(1_000);
        market.guardian_request(&mut twice, GuardianShares(1_000), Quote(0), NOW)
    };
    says(&market, twice, Err(Error::RequestRunning));
    // Equity that is due from the pool is equity, and not cash.
    market.books.pool.cash = Quote(0);
    market.books.pool.due = crate::Fixed::from_raw(8 << 64);
    market.books.backstop.cash = Quote(3);
    leave(&market, 3, 0, Ok((3, 0, 0, 0)));
    market.books.backstop.cash = Quote(2);
    market.books.pool.due = crate::Fixed::from_raw(9 << 64);
    leave(&market, 3, 0, Ok((2, 0, 1, 1)));
}

#[test]
fn a_request_keeps_its_own_terms() {
    let mut market = market();
    market.config.stress_fall = Bps(3_800);
    market.books.backstop.cash = Quote(1_000);
    let mut position = asked(&mut market);
    let opens = NOW.unix + i64::from(market.config.guardian_cooldown);
    assert_eq!(
        (position.opens_at, position.fall, position.release),
        (opens, Bps(3_800), 7_776_000)
    );
    // Whatever a thief makes of the parameters.
    market.config.guardian_cooldown = 30 * 86_400;
    (market.config.stress_fall, market.config.guardian_release) = (Bps(5_000), 1);
    let open = Clock { unix: opens, ..NOW };
    assert_eq!(position.fall_at(open), Bps(3_800));
    let done = market.guardian_withdraw(&mut position, Quote(3), Quote(3), open);
    assert_eq!(done.map(|done| done.amount), Ok(Quote(3)));
}

#[test]
fn a_request_is_taken_back_at_the_value_of_then() {
    let mut market = market();
    market.books.backstop.cash = Quote(1_000);
    let mut position = asked(&mut market);
    let open = later(i64::from(market.config.guardian_cooldown));
    // Each share has earned as much as it was worth.
    market.books.guardians.claim = Quote(17);
    let done = market
        .guardian_request(&mut position, GuardianShares(0), Quote(0), open)
        .unwrap();
    assert_eq!(
        (done.amount, done.shares, done.opens_at),
        (Quote(3), GuardianShares(1_500), 0)
    );
    assert_eq!((done.claim_after, position.shares), (Quote(20), GuardianShares(1_500)));
    assert_eq!(market.books.guardians.requested(), Ok(Quote(0)));
    assert!(!position.has_request());
}

#[test]
fn guardians_leave_what_the_cover_needs() {
    let mut market = market();
    market.config.stress_fall = Bps(5_000);
    account(&mut market, 800, 10_000);
    let open = later(i64::from(market.config.guardian_cooldown));
    show(&mut market, &prices(), open);
    let cover = |market: &Market| market.stress(&prices(), NOW).unwrap()[0].cover;
    let lacking = u64::try_from(-cover(&market)).unwrap();
    let position = asked(&mut market);
    // No interest in between.
    market.books.pool.accrued_at = open.unix;
    let leave = |market: &mut Market| {
        let mut position = position;
        let before = position;
        let done = market.guardian_withdraw(&mut position, Quote(3), Quote(1), open);
        assert!(done.is_ok() || position == before);
        Ok((
            done?.amount.0,
            cover(market),
            market.books.guardians.requested().unwrap().0,
        ))
    };
    for (spare, expected) in [
        (0, Err(Error::SlippageExceeded)),
        (2, Ok((2, 0, 1))),
        (3, Ok((3, 0, 0))),
        (4, Ok((3, 1, 0))),
    ] {
        market.books.backstop.cash = Quote(lacking + spare);
        says(&market, leave, expected);
    }
    // Half of the fall, after half of its release: then there is plenty.
    market.books.backstop.cash = Quote(lacking);
    let half = Clock {
        unix: open.unix + 45 * 86_400,
        ..open
    };
    market.books.pool.accrued_at = half.unix;
    show(&mut market, &prices(), half);
    let mut patient = position;
    let done = market.guardian_withdraw(&mut patient, Quote(3), Quote(3), half);
    assert_eq!(done.map(|done| done.amount), Ok(Quote(3)));
    // A take-out of the protocol's counts what they have asked for as well.
    market.books.guardians = bytemuck::Zeroable::zeroed();
    for (waiting, spare, amount, expected) in [
        (0, 6, 5, Ok((lacking + 1, lacking + 1, 0))),
        (0, 6, 6, Ok((lacking, lacking, 0))),
        (0, 6, 7, Err(Error::StressCoverExceeded)),
        (1, 6, 5, Ok((lacking, lacking + 1, 0))),
        (1, 6, 6, Err(Error::StressCoverExceeded)),
    ] {
        market.books.backstop.cash = Quote(lacking + spare);
        market.books.guardians.waiting = Quote(waiting);
        assert_eq!(take_out(&market, amount), expected, "{amount}");
    }
}

#[test]
fn money_leaves_at_young_prices_of_normal_while_anything_depends_on_them() {
    let mut market = market();
    market.books.backstop.cash = Quote(1_000_000);
    let position = asked(&mut market);
    market.queue_take_out(Quote(1), 1_000, NOW).unwrap();
    let open = later(i64::from(market.config.take_out_delay));
    market.books.pool.accrued_at = open.unix;
    let try_both = |market: &Market, clock, guardian: Result<u64>, protocol: Result<u64>| {
        let leave = |market: &mut Market| {
            let done = market.guardian_withdraw(&mut position.clone(), Quote(3), Quote(0), clock)?;
            Ok(done.amount.0)
        };
        says(market, leave, guardian);
        says(
            market,
            |market| market.take_out(clock).map(|done| done.amount.0),
            protocol,
        );
    };
    let both = |market: &Market, expected: Result<u64>| {
        try_both(market, open, expected.map(|_| 3), expected.map(|_| 1));
    };
    // Nothing depends on a price, of which there never was one.
    both(&market, Ok(0));
    for depends in [false, true] {
        (market.books.backstop.inventory, market.books.pool.debt_shares) = if depends {
            (Collateral(1), DebtShares(0))
        } else {
            (Collateral(0), DebtShares(1))
        };
        show(&mut market, &prices(), open);
        both(&market, Ok(0));
        market.guard.level = 1;
        both(&market, Err(Error::MarketGuarded));
        market.guard.level = 2;
        both(&market, Err(Error::MarketHalted));
        market.guard.level = 0;
        market.guard.brake_until = open.unix + 1;
        both(&market, Err(Error::MarketHalted));
        market.guard.brake_until = open.unix;
        both(&market, Ok(0));
        market.guard.priced_at = open.unix - i64::from(market.config.max_age_short);
        both(&market, Ok(0));
        market.guard.priced_at -= 1;
        both(&market, Err(Error::PriceTooOld));
        // Nobody but the authority, who can change feeds, is kept by a dead one.
        market.guard.priced_at = open.unix - 7 * 86_400 + 1;
        both(&market, Err(Error::PriceTooOld));
        market.guard.priced_at -= 1;
        try_both(&market, open, Ok(3), Err(Error::PriceTooOld));
        (market.guard.level, market.guard.brake_until) = (2, open.unix + 1);
        try_both(&market, open, Ok(3), Err(Error::MarketHalted));
        market.guard.brake_until = 0;
    }
}

#[test]
fn a_position_is_closed_when_it_holds_nothing() {
    let market = market();
    assert_eq!(market.check_position_closable(&position(0)), Ok(()));
    assert_eq!(
        market.check_position_closable(&position(1)),
        Err(Error::AccountNotEmpty)
    );
    let voided = GuardianPosition { era: 1, ..position(1) };
    assert_eq!(market.check_position_closable(&voided), Ok(()));
    for asking in [
        GuardianPosition {
            waiting: Quote(1),
            ..position(0)
        },
        GuardianPosition {
            open_shares: GuardianShares(1),
            ..position(0)
        },
    ] {
        assert_eq!(market.check_position_closable(&asking), Err(Error::AccountNotEmpty));
    }
}

/// Takes `amount` out when it can be, at a young price of an eighth: what is left of the equity, of the cash and of what was given for good.
fn take_out(market: &Market, amount: u64) -> Result<(u64, u64, i64)> {
    let mut market = *market;
    market.queue_take_out(Quote(amount), 1_000, NOW).unwrap();
    let opens = later(i64::from(market.config.take_out_delay));
    // No interest in between.
    market.books.pool.accrued_at = opens.unix;
    show(&mut market, &prices(), opens);
    let before = market;
    let done = market.take_out(opens);
    if done.is_err() {
        assert!(market == before);
    } else {
        assert_eq!(market.take_out, bytemuck::Zeroable::zeroed());
    }
    let (cash, paid_in) = (market.books.backstop.cash.0, market.books.income.paid_in);
    done.map(|done| (done.equity_after.0, cash, paid_in))
}

#[test]
fn the_protocol_takes_out_what_leaves_the_claim() {
    let mut market = market();
    market.books.guardians.claim = Quote(20);
    market.books.backstop.cash = Quote(100);
    market.books.income.paid_in = 90;
    assert_eq!(take_out(&market, 79), Ok((1, 21, 11)));
    assert_eq!(take_out(&market, 80), Ok((0, 20, 10)));
    assert_eq!(take_out(&market, 81), Err(Error::EquityBelowClaim));
    assert_eq!(take_out(&market, 101), Err(Error::BackstopCashInsufficient));
    assert_eq!(take_out(&market, 0), Err(Error::NothingQueued));
    // Without anyone else all of the cash may go, more than was given; what was gained goes first.
    market.books.guardians.claim = Quote(0);
    assert_eq!(take_out(&market, 100), Ok((0, 0, 0)));
    // Debt or inventory depends on a price.
    market.books.pool.debt_shares = DebtShares(1);
    assert_eq!(take_out(&market, 1), Ok((99, 99, 90)));
    (market.books.pool.debt_shares, market.books.backstop.inventory) = (DebtShares(0), Collateral(1));
    assert_eq!(take_out(&market, 1), Ok((99, 99, 90)));
    // Those who asked to leave have a claim as good as those who stay.
    market.books.guardians.claim = Quote(20);
    (market.books.guardians.waiting, market.books.guardians.open) = (Quote(3), Quote(2));
    assert_eq!(take_out(&market, 75), Ok((0, 25, 15)));
    assert_eq!(take_out(&market, 76), Err(Error::EquityBelowClaim));
}

#[test]
fn what_was_gained_goes_first_then_what_was_given_then_reserves() {
    let mut market = market();
    market.books.backstop.cash = Quote(100);
    (market.books.income.paid_in, market.books.backstop.reserve) = (30, Quote(40));
    market.books.income.standby = Quote(10);
    // Of 100 the protocol's capital is 60.
    for (amount, paid_in, capital) in [(40, 30, 60), (41, 29, 59), (70, 0, 30), (90, -20, 10), (100, -30, 0)] {
        let left = 100 - amount;
        assert_eq!(take_out(&market, amount), Ok((left, left, paid_in)));
        let mut after = market;
        after.books.income.paid_in = paid_in;
        assert_eq!(after.books.protocol_capital(), Quote(capital));
    }
    // Losses are the protocol's: 50 are left of a capital of 60.
    market.books.backstop.cash = Quote(50);
    assert_eq!(take_out(&market, 20), Ok((30, 30, 10)));
    // And more than any capital.
    market.books.income.paid_in = i64::MIN;
    assert_eq!(market.books.protocol_capital(), Quote(0));
}

#[test]
fn equity_is_taken_out_in_its_time() {
    let mut market = market();
    market.books.backstop.cash = Quote(100);
    let queued = market.queue_take_out(Quote(1), 50, NOW).unwrap();
    let opens = NOW.unix + i64::from(market.config.take_out_delay);
    let closes = opens + i64::from(market.config.take_out_window);
    assert_eq!((queued.opens_at, queued.closes_at), (opens, closes));
    // After the slot until which it could be announced.
    let slot = 51;
    let take = |unix| move |market: &mut Market| market.take_out(Clock { unix, slot }).map(|done| done.amount);
    says(&market, take(opens - 1), Err(Error::TooEarly));
    says(&market, take(opens), Ok(Quote(1)));
    says(&market, take(closes), Ok(Quote(1)));
    says(&market, take(closes + 1), Err(Error::Expired));
    // It keeps its own times.
    (market.config.take_out_delay, market.config.take_out_window) = (1, 30 * 86_400);
    says(&market, take(opens - 1), Err(Error::TooEarly));
    says(&market, take(closes + 1), Err(Error::Expired));
    assert_eq!(market.cancel_take_out().map(|done| done.amount), Ok(Quote(1)));
    says(
        &market,
        |m| m.cancel_take_out().map(|done| done.amount),
        Err(Error::NothingQueued),
    );
}

#[test]
fn a_deficit_is_settled_when_nothing_else_is_left() {
    let mut market = market();
    market.books.pool.debt_shares = DebtShares(70);
    market.books.backstop.debt_shares = DebtShares(30);
    (market.books.backstop.reserve, market.books.income.paid_in) = (Quote(4), 5);
    market.books.guardians.claim = Quote(3);
    (market.books.guardians.waiting, market.books.guardians.open) = (Quote(2), Quote(1));
    market.books.backstop.unfunded_credits = Quote(2);
    let settle = |market: &mut Market| {
        let done = market.settle_deficit(NOW)?;
        assert_eq!(market.books.income, bytemuck::Zeroable::zeroed());
        assert_eq!(
            (market.books.guardians.all_claims(), market.books.guardians.era),
            (Ok(Quote(0)), 1)
        );
        let books = &market.books;
        // Keepers stay owed.
        assert_eq!(books.backstop.unfunded_credits, Quote(2));
        assert_eq!(
            (books.pool.debt_shares, books.backstop.debt_shares),
            (DebtShares(40), DebtShares(0))
        );
        assert_eq!((books.pool.cash, books.backstop.reserve), (Quote(1_000_000), Quote(0)));
        Ok((done.protocol, done.guardians, done.suppliers, done.shares))
    };
    says(&market, settle, Ok((Quote(9), Quote(6), Quote(30), DebtShares(30))));
    let with = |change: fn(&mut crate::Backstop)| {
        let mut market = market;
        change(&mut market.books.backstop);
        says(&market, settle, Err(Error::NothingToSettle));
    };
    with(|backstop| backstop.inventory = Collateral(1));
    with(|backstop| (backstop.cash, backstop.unfunded_credits) = (Quote(1), Quote(0)));
    with(|backstop| backstop.debt_shares = DebtShares(0));
}

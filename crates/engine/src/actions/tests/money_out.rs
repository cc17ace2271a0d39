//! Buyers, keepers, guardians and the protocol itself.

use super::*;

fn selling() -> Market {
    let mut market = market();
    market.books.backstop.inventory = Collateral(8_000);
    market.books.auction = crate::Auction {
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
            let sale = market.buy_inventory(
                Collateral(amount),
                Quote(most),
                &prices().used(PriceUse::Sell, NOW),
                NOW,
            )?;
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
            let sale = market.buy_inventory_for(
                Quote(budget),
                Collateral(least),
                &prices().used(PriceUse::Sell, NOW),
                NOW,
            )?;
            Ok((sale.cost, sale.amount))
        }
    };
    says(&market, buy_for(500, 0), Ok((Quote(500), Collateral(4_000))));
    says(&market, buy_for(500, 4_000), Ok((Quote(500), Collateral(4_000))));
    says(&market, buy_for(500, 4_001), Err(Error::SlippageExceeded));
    says(&market, buy_for(500, u64::MAX), Err(Error::SlippageExceeded));
    // What is there, if that is enough for the buyer.
    says(&market, buy_for(1_500, 8_001), Err(Error::InventoryInsufficient));
    says(&market, buy_for(1_500, 8_000), Ok((Quote(1_000), Collateral(8_000))));
    says(&market, buy_for(0, 0), Err(Error::ZeroAmount));
    let mut thin = market;
    // 500 atoms of quote an hour, ten minutes at once: 83 of them, 664 of collateral.
    (
        thin.config.market_depth,
        thin.config.flow_rate,
        thin.config.auction_burst,
    ) = (Quote(500), Bps(10_000), 600);
    (thin.config.auction_slope, thin.config.auction_max_premium) = (Bps(1), Bps(0));
    says(&thin, buy_for(500, 665), Err(Error::AuctionRateLimited));
    says(&thin, buy_for(500, 664), Ok((Quote(83), Collateral(664))));
    says(&thin, buy(665, u64::MAX), Err(Error::AuctionRateLimited));
    // And of nothing no part.
    thin.books.auction.used_until += 600_000_000;
    says(&thin, buy_for(500, 0), Err(Error::AuctionRateLimited));
    thin.books.backstop.inventory = Collateral(0);
    says(&thin, buy_for(500, 0), Err(Error::InventoryInsufficient));
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
    (guard.spot, guard.reference, guard.own_ema) = (prices.spot(), prices.guarded(), prices.own_ema());
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
            let done = market.guardian_deposit(&mut position(0), Quote(3), GuardianShares(least), Quote(0), NOW)?;
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
    // Whatever the backstop has lost: the payment is cut by that.
    market.books.backstop.cash = Quote(5);
    says(&market, request(5_000, 0), Ok((5, 0, 5, 6)));

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
    says(&market, early, Err(Error::TimelockActive));
    let early = |market: &mut Market| {
        market.guardian_request(&mut position.clone(), GuardianShares(0), Quote(0), later(cooldown - 1))
    };
    says(&market, early, Err(Error::TimelockActive));
    let twice = |market: &mut Market| {
        let mut twice = position;
        twice.shares = GuardianShares(1_000);
        market.guardian_request(&mut twice, GuardianShares(1_000), Quote(0), NOW)
    };
    says(&market, twice, Err(Error::RequestRunning));
    // Equity that is due from the pool is equity, and not cash.
    market.books.pool.cash = Quote(0);
    market.books.pool.reserves_owed = crate::Fixed::from_raw(8 << 64);
    market.books.backstop.cash = Quote(3);
    leave(&market, 3, 0, Ok((3, 0, 0, 0)));
    market.books.backstop.cash = Quote(2);
    market.books.pool.reserves_owed = crate::Fixed::from_raw(9 << 64);
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
        assert_eq!(withdraw_equity(&market, amount), expected, "{amount}");
    }
}

#[test]
fn money_leaves_at_young_prices_of_normal_while_anything_depends_on_them() {
    let mut market = market();
    market.books.backstop.cash = Quote(1_000_000);
    let position = asked(&mut market);
    market.queue_equity_withdrawal(Quote(1), 1_000, NOW).unwrap();
    let open = later(i64::from(market.config.equity_withdrawal_delay));
    market.books.pool.accrued_at = open.unix;
    let try_both = |market: &Market, clock, guardian: Result<u64>, protocol: Result<u64>| {
        let leave = |market: &mut Market| {
            let done = market.guardian_withdraw(&mut position.clone(), Quote(3), Quote(0), clock)?;
            Ok(done.amount.0)
        };
        says(market, leave, guardian);
        says(
            market,
            |market| market.withdraw_equity(clock).map(|done| done.amount.0),
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
        market.guard.halt_until = open.unix + 1;
        both(&market, Err(Error::MarketHalted));
        market.guard.halt_until = open.unix;
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
        (market.guard.level, market.guard.halt_until) = (2, open.unix + 1);
        try_both(&market, open, Ok(3), Err(Error::MarketHalted));
        market.guard.halt_until = 0;
    }
}

#[test]
fn once_the_release_is_over_no_level_and_no_parameter_keeps_a_request_in() {
    let mut market = market();
    market.books.backstop.cash = Quote(1_000_000);
    market.books.backstop.inventory = Collateral(1);
    let position = asked(&mut market);
    let over = later(i64::from(position.release) + position.opens_at - NOW.unix);
    market.books.pool.accrued_at = over.unix;
    let leave = |market: &Market, clock| {
        let mut market = *market;
        let done = market.guardian_withdraw(&mut position.clone(), Quote(3), Quote(0), clock)?;
        Ok(done.amount.0)
    };
    let before = Clock {
        unix: over.unix - 1,
        ..over
    };
    for (level, refused) in [(1, Error::MarketGuarded), (2, Error::MarketHalted)] {
        show(&mut market, &prices(), over);
        market.guard.level = level;
        assert_eq!(leave(&market, before), Err(refused));
        assert_eq!(leave(&market, over), Ok(3));
        // An hour, though borrowing may allow a second.
        market.config.max_age_short = 1;
        market.guard.priced_at = over.unix - 3_600;
        assert_eq!(leave(&market, over), Ok(3));
        market.guard.priced_at -= 1;
        assert_eq!(leave(&market, over), Err(Error::PriceTooOld));
        market.guard.priced_at = over.unix - 7 * 86_400;
        assert_eq!(leave(&market, over), Ok(3));
    }
}

#[test]
fn a_guardian_joins_no_claims_that_lack_more_than_he_accepts() {
    let mut market = market();
    show(&mut market, &prices(), NOW);
    // Two claims of 50, of which one waits, and 60 are there: 40 are lacking of both together.
    (market.books.guardians.claim, market.books.guardians.shares) = (Quote(50), GuardianShares(50_000));
    market.books.guardians.waiting = Quote(50);
    market.books.backstop.cash = Quote(60);
    assert_eq!(market.claim_impairment(NOW), Ok(Quote(40)));
    let join = |most| {
        move |market: &mut Market| {
            let least = GuardianShares(0);
            let done = market.guardian_deposit(&mut position(0), Quote(5), least, Quote(most), NOW)?;
            Ok(done.impaired.0)
        }
    };
    says(&market, join(40), Ok(40));
    says(&market, join(39), Err(Error::ClaimImpaired));
}

#[test]
fn a_position_is_closed_when_it_holds_nothing() {
    let market = market();
    assert_eq!(market.check_position_closable(&position(0)), Ok(()));
    assert_eq!(
        market.check_position_closable(&position(1)),
        Err(Error::AccountNotEmpty)
    );
    let voided = GuardianPosition {
        epoch: 1,
        ..position(1)
    };
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

/// Takes `amount` out when it can be, at a young price of an eighth: what is left of the equity, of the cash and of
/// what was given for good.
fn withdraw_equity(market: &Market, amount: u64) -> Result<(u64, u64, i64)> {
    let mut market = *market;
    market.queue_equity_withdrawal(Quote(amount), 1_000, NOW).unwrap();
    let opens = later(i64::from(market.config.equity_withdrawal_delay));
    // No interest in between.
    market.books.pool.accrued_at = opens.unix;
    show(&mut market, &prices(), opens);
    let before = market;
    let done = market.withdraw_equity(opens);
    if done.is_err() {
        assert!(market == before);
    } else {
        assert_eq!(market.announced_withdrawal, bytemuck::Zeroable::zeroed());
    }
    let (cash, paid_in) = (market.books.backstop.cash.0, market.books.equity_sources.paid_in);
    done.map(|done| (done.equity_after.0, cash, paid_in))
}

#[test]
fn the_protocol_takes_out_what_leaves_the_claim() {
    let mut market = market();
    market.books.guardians.claim = Quote(20);
    market.books.backstop.cash = Quote(100);
    market.books.equity_sources.paid_in = 90;
    assert_eq!(withdraw_equity(&market, 79), Ok((1, 21, 11)));
    assert_eq!(withdraw_equity(&market, 80), Ok((0, 20, 10)));
    assert_eq!(withdraw_equity(&market, 81), Err(Error::EquityBelowClaim));
    assert_eq!(withdraw_equity(&market, 101), Err(Error::BackstopCashInsufficient));
    assert_eq!(withdraw_equity(&market, 0), Err(Error::NothingQueued));
    // Without anyone else all of the cash may go, more than was given; what was gained goes first.
    market.books.guardians.claim = Quote(0);
    assert_eq!(withdraw_equity(&market, 100), Ok((0, 0, 0)));
    // Debt or inventory depends on a price.
    market.books.pool.debt_shares = DebtShares(1);
    assert_eq!(withdraw_equity(&market, 1), Ok((99, 99, 90)));
    (market.books.pool.debt_shares, market.books.backstop.inventory) = (DebtShares(0), Collateral(1));
    assert_eq!(withdraw_equity(&market, 1), Ok((99, 99, 90)));
    // Those who asked to leave have a claim as good as those who stay.
    market.books.guardians.claim = Quote(20);
    (market.books.guardians.waiting, market.books.guardians.open) = (Quote(3), Quote(2));
    assert_eq!(withdraw_equity(&market, 75), Ok((0, 25, 15)));
    assert_eq!(withdraw_equity(&market, 76), Err(Error::EquityBelowClaim));
}

#[test]
fn what_was_gained_goes_first_then_what_was_given_then_reserves() {
    let mut market = market();
    market.books.backstop.cash = Quote(100);
    (market.books.equity_sources.paid_in, market.books.backstop.reserve) = (30, Quote(40));
    market.books.equity_sources.standby = Quote(10);
    // Of 100 the protocol's capital is 60.
    for (amount, paid_in, capital) in [(40, 30, 60), (41, 29, 59), (70, 0, 30), (90, -20, 10), (100, -30, 0)] {
        let left = 100 - amount;
        assert_eq!(withdraw_equity(&market, amount), Ok((left, left, paid_in)));
        let mut after = market;
        after.books.equity_sources.paid_in = paid_in;
        assert_eq!(after.books.protocol_capital(), Quote(capital));
    }
    // Losses are the protocol's: 50 are left of a capital of 60.
    market.books.backstop.cash = Quote(50);
    assert_eq!(withdraw_equity(&market, 20), Ok((30, 30, 10)));
    // And more than any capital.
    market.books.equity_sources.paid_in = i64::MIN;
    assert_eq!(market.books.protocol_capital(), Quote(0));
}

#[test]
fn equity_is_taken_out_in_its_time() {
    let mut market = market();
    market.books.backstop.cash = Quote(100);
    let queued = market.queue_equity_withdrawal(Quote(1), 50, NOW).unwrap();
    let opens = NOW.unix + i64::from(market.config.equity_withdrawal_delay);
    let closes = opens + i64::from(market.config.equity_withdrawal_window);
    assert_eq!((queued.opens_at, queued.closes_at), (opens, closes));
    // After the slot until which it could be announced.
    let slot = 51;
    let take = |unix| move |market: &mut Market| market.withdraw_equity(Clock { unix, slot }).map(|done| done.amount);
    says(&market, take(opens - 1), Err(Error::TimelockActive));
    says(&market, take(opens), Ok(Quote(1)));
    says(&market, take(closes), Ok(Quote(1)));
    says(&market, take(closes + 1), Err(Error::Expired));
    // It keeps its own times.
    (
        market.config.equity_withdrawal_delay,
        market.config.equity_withdrawal_window,
    ) = (1, 30 * 86_400);
    says(&market, take(opens - 1), Err(Error::TimelockActive));
    says(&market, take(closes + 1), Err(Error::Expired));
    assert_eq!(market.cancel_equity_withdrawal().map(|done| done.amount), Ok(Quote(1)));
    says(
        &market,
        |m| m.cancel_equity_withdrawal().map(|done| done.amount),
        Err(Error::NothingQueued),
    );
}

#[test]
fn what_nothing_is_left_for_is_written_off_for_good() {
    let mut market = market();
    market.books.pool.debt_shares = DebtShares(70);
    market.books.backstop.debt_shares = DebtShares(30);
    (market.books.backstop.reserve, market.books.equity_sources.paid_in) = (Quote(4), 5);
    market.books.guardians.claim = Quote(3);
    (market.books.guardians.waiting, market.books.guardians.open) = (Quote(2), Quote(1));
    market.books.backstop.unfunded_credits = Quote(2);
    let settle = |market: &mut Market| {
        let done = market.settle_deficit(None, NOW)?;
        assert_eq!(market.books.equity_sources, bytemuck::Zeroable::zeroed());
        assert_eq!(
            (market.books.guardians.all_claims(), market.books.guardians.epoch),
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
    with(|backstop| backstop.debt_shares = DebtShares(0));
}

/// The backstop owes 160 for 800 atoms, 100 quote atoms' worth; guardians and the protocol are behind it.
fn short() -> Market {
    let mut market = market();
    market.books.pool.debt_shares = DebtShares(200);
    market.books.backstop.debt_shares = DebtShares(160);
    market.books.backstop.inventory = Collateral(800);
    (market.books.backstop.reserve, market.books.equity_sources.paid_in) = (Quote(4), 5);
    (market.books.guardians.claim, market.books.guardians.shares) = (Quote(6), GuardianShares(6_000));
    market.books.equity_sources.book = Quote(150);
    (market.config.auction_max_premium, market.config.auction_max_discount) = (Bps(0), Bps(0));
    market.config.auction_floor_band = Bps(10_000);
    let config = &mut market.config;
    (
        config.interest_base,
        config.interest_slope_low,
        config.interest_slope_high,
    ) = (Bps(0), Bps(0), Bps(0));
    (market.config.market_depth, market.config.flow_rate) = (Quote(1 << 40), Bps(15_000));
    market
}

#[test]
fn with_inventory_left_only_what_the_highest_price_cannot_bring_is_written_off() {
    let market = short();
    let settle = |prices: Option<Prices>| {
        move |market: &mut Market| {
            let books = market.books;
            let prices = prices.map(|prices| prices.used(PriceUse::Borrow, NOW));
            let done = market.settle_deficit(prices.as_ref(), NOW)?;
            let after = market.books;
            assert_eq!((done.protocol, done.guardians), (Quote(0), Quote(0)));
            assert_eq!(
                (after.guardians, after.equity_sources),
                (books.guardians, books.equity_sources)
            );
            assert_eq!(after.recovery.written_off, done.written_off);
            assert_eq!(after.recovery.inventory, done.inventory);
            assert_eq!(after.pool.debt_shares.0 + done.shares.0, books.pool.debt_shares.0);
            Ok((done.suppliers.0, done.written_off.0, after.backstop.debt_shares.0))
        }
    };
    says(&market, settle(None), Err(Error::PriceRequired));
    says(&market, settle(Some(prices())), Ok((60, 60, 100)));
    // At the highest price: own EMA, and what spot may be with its confidence.
    let with = |own_ema, level| judged(&prices(), prices().guarded(), own_ema, level);
    says(
        &market,
        settle(Some(with(price(16, 3), Level::Normal))),
        Ok((10, 10, 150)),
    );
    says(
        &market,
        settle(Some(with(price(5, 1), Level::Normal))),
        Err(Error::NothingToSettle),
    );
    let wide = prices_with(&CONFIG, raw(125_0000_0000, 12_5000_0000));
    let wide = judged(&wide, wide.guarded(), wide.own_ema(), Level::Normal);
    says(&market, settle(Some(wide)), Ok((49, 49, 111)));
    let guarded = with(prices().own_ema(), Level::Guarded);
    says(&market, settle(Some(guarded)), Err(Error::MarketGuarded));
    let halted = with(prices().own_ema(), Level::Halted);
    says(&market, settle(Some(halted)), Err(Error::MarketHalted));
    // Keepers come before the pool.
    let mut owing = market;
    owing.books.backstop.unfunded_credits = Quote(7);
    says(&owing, settle(Some(prices())), Ok((67, 67, 93)));
    owing.books.backstop.unfunded_credits = Quote(1_000);
    says(&owing, settle(Some(prices())), Ok((160, 160, 0)));
    // A second time there is nothing; unless the price has fallen again.
    let mut settled = market;
    settled
        .settle_deficit(Some(&prices().used(PriceUse::Borrow, NOW)), NOW)
        .unwrap();
    says(&settled, settle(Some(prices())), Err(Error::NothingToSettle));
    let lower = prices_with(&CONFIG, raw(62_5000_0000, 0));
    says(&settled, settle(Some(lower)), Ok((50, 110, 50)));
}

#[test]
#[allow(clippy::too_many_lines, reason = "one story")]
fn what_comes_back_pays_what_was_written_off_before_anybody_else() {
    let mut market = short();
    market
        .settle_deficit(Some(&prices().used(PriceUse::Borrow, NOW)), NOW)
        .unwrap();
    let assets = |market: &Market| market.books.pool.assets().unwrap().0;
    assert_eq!(assets(&market), 1_000_200 - 60);
    // Nobody joins.
    says(
        &market,
        |market| market.supply(Quote(1_000), LpShares(0), NOW).map(drop),
        Err(Error::WrittenOff),
    );
    let join = |market: &mut Market| {
        let most = Quote(u64::MAX);
        market
            .guardian_deposit(&mut position(0), Quote(50), GuardianShares(0), most, NOW)
            .map(drop)
    };
    says(&market, join, Err(Error::WrittenOff));
    // A gift pays debt, then what was written off.
    let mut given = market;
    let told = given.fund_backstop(Quote(130), NOW).unwrap();
    assert_eq!((told.repaid, told.recovered), (Quote(100), Quote(30)));
    assert_eq!((assets(&given), given.books.backstop.cash), (1_000_200 - 30, Quote(0)));
    let told = given.fund_backstop(Quote(31), NOW).unwrap();
    assert_eq!((told.repaid, told.recovered), (Quote(0), Quote(30)));
    assert_eq!((assets(&given), given.books.backstop.cash), (1_000_200, Quote(1)));
    assert_eq!(given.books.recovery, bytemuck::Zeroable::zeroed());
    // The claim stands.
    assert_eq!(
        (given.books.guardians.claim, given.books.guardians.epoch),
        (Quote(6), 0)
    );
    assert_eq!(join(&mut given), Ok(()));

    // Sold higher: half of it at a quarter, which pays the debt; and the rest of it.
    let dear = prices_with(&CONFIG, raw(250_0000_0000, 0));
    let dear = judged(&dear, dear.guarded(), dear.own_ema(), Level::Normal);
    let sale = |market: &mut Market, amount| {
        market
            .buy_inventory(
                Collateral(amount),
                Quote(u64::MAX),
                &dear.used(PriceUse::Sell, later(3_600)),
                later(3_600),
            )
            .unwrap()
    };
    let mut sold = market;
    let told = sale(&mut sold, 480);
    assert_eq!(
        (told.cost, told.repaid, told.recovered),
        (Quote(120), Quote(100), Quote(20))
    );
    assert_eq!((told.lost, sold.books.recovery.inventory), (Quote(0), Collateral(320)));
    let mut rest = sold;
    let told = sale(&mut rest, 320);
    assert_eq!(
        (told.repaid, told.recovered, told.lost),
        (Quote(0), Quote(40), Quote(0))
    );
    assert_eq!(
        (rest.books.backstop.cash, rest.books.guardians.claim),
        (Quote(40), Quote(6))
    );
    // What was taken over since is sold after it, and its debt is paid first. The gain of then is in it: so it goes on.
    let mut more = sold;
    more.books.backstop.inventory.0 += 1_000;
    more.books.equity_sources.book.0 += 250;
    more.books.pool.debt_shares.0 += 240;
    more.books.backstop.debt_shares.0 += 240;
    let mut carried = more;
    let told = sale(&mut carried, 320);
    assert_eq!(
        (told.repaid, told.recovered, told.lost),
        (Quote(80), Quote(0), Quote(0))
    );
    assert_eq!(carried.books.recovery.inventory, Collateral(1_000));
    assert_eq!(sale(&mut carried, 1_000).recovered, Quote(40));
    assert_eq!(carried.books.guardians.claim, Quote(6));
    // Unless there is next to none.
    more.books.pool.debt_shares.0 += 87;
    more.books.backstop.debt_shares.0 += 87;
    let told = sale(&mut more, 320);
    assert_eq!(
        (told.repaid, told.recovered, told.lost),
        (Quote(80), Quote(0), Quote(40))
    );
    assert_eq!((told.guardians_lost, told.protocol_lost), (Quote(6), Quote(9)));
    let books = &more.books;
    assert_eq!((books.guardians.claim, books.guardians.epoch), (Quote(0), 1));
    assert_eq!(books.recovery, bytemuck::Zeroable::zeroed());
    assert!(
        books.equity_sources.book > Quote(0) && books.equity_sources.paid_in == 0,
        "{:?}",
        books.equity_sources
    );

    // Sold lower: the rest of the debt is written off with nothing left, and all of it for good.
    let low = prices_with(&CONFIG, raw(62_5000_0000, 0));
    let told = market
        .buy_inventory(
            Collateral(800),
            Quote(u64::MAX),
            &low.used(PriceUse::Sell, later(3_600)),
            later(3_600),
        )
        .unwrap();
    assert_eq!(
        (told.repaid, told.recovered, told.lost),
        (Quote(50), Quote(0), Quote(60))
    );
    assert_eq!(told.guardians_lost, Quote(6));
    let done = market.settle_deficit(None, later(3_600)).unwrap();
    assert_eq!(
        (done.suppliers, done.guardians, done.written_off),
        (Quote(50), Quote(0), Quote(0))
    );
    assert_eq!(market.books.guardians.epoch, 2);
}

#[test]
fn reserves_pay_it_back_too_and_equity_counts_after_it() {
    let mut market = short();
    market
        .settle_deficit(Some(&prices().used(PriceUse::Borrow, NOW)), NOW)
        .unwrap();
    // At a quarter the inventory is worth 200: 100 beyond the debt, of which 60 are written off.
    let equity = market.books.equity(price(4, 1));
    assert_eq!(equity, Ok(40));
    market.books.backstop.debt_shares = DebtShares(0);
    market.books.pool.debt_shares.0 -= 100;
    market.books.pool.reserves_owed = crate::Fixed::from_raw(7 << 64);
    market.books.pay_reserves_owed().unwrap();
    assert_eq!(market.books.recovery.written_off, Quote(53));
    assert_eq!(
        (market.books.backstop.cash, market.books.pool.cash),
        (Quote(0), Quote(1_000_000))
    );
}

#[test]
fn a_guardian_says_how_much_the_claim_may_lack() {
    let mut market = short();
    (market.guard.spot, market.guard.reference) = (prices().spot(), prices().spot());
    market.guard.own_ema = prices().spot();
    let deposit = |most| {
        move |market: &mut Market| {
            let mut joining = position(0);
            let done = market.guardian_deposit(&mut joining, Quote(500), GuardianShares(0), Quote(most), NOW)?;
            Ok(done.impaired)
        }
    };
    // All of it, for debt is not covered either.
    says(&market, deposit(6), Ok(Quote(6)));
    says(&market, deposit(5), Err(Error::ClaimImpaired));
    // 1,300 atoms are worth 162: two are there for six.
    market.books.backstop.inventory = Collateral(1_300);
    says(&market, deposit(4), Ok(Quote(4)));
    says(&market, deposit(3), Err(Error::ClaimImpaired));
    market.books.backstop.inventory = Collateral(1_328);
    says(&market, deposit(0), Ok(Quote(0)));
}

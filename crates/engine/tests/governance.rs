//! Limits, pauses and changes of a market, through its actions.

use breakwater_engine::{
    Bps, Clock, Collateral, Config, Error, FeedPin, Feeds, GuardianPosition, GuardianShares, KeeperLedger, Key,
    LpShares, MarginAccount, Market, NewMarket, Parameter, ParameterChange, Prices, Quote, RawReading, Readings,
    Result,
    actions::Willing,
    governance::{LONGEST_APPROVAL, SLACK},
    oracle::{FEED_PULL, Purpose},
    pause::Kinds,
    ramp,
};

const SOL: u64 = 1_000_000_000;
const USDC: u64 = 1_000_000;
const NOW: Clock = Clock {
    unix: 1_700_000_000,
    slot: 1_000_000,
};

fn pin(id: u8) -> FeedPin {
    FeedPin {
        key: Key([id; 32]),
        owner: Key([11; 32]),
        kind: FEED_PULL,
        padding: [0; 7],
    }
}

const fn later(seconds: i64) -> Clock {
    Clock {
        unix: NOW.unix + seconds,
        slot: NOW.slot + seconds.unsigned_abs() * 5 / 2,
    }
}

fn new_market(config: &Config) -> Result<Market> {
    let mut market: Market = bytemuck::Zeroable::zeroed();
    market.initialise(&NewMarket {
        id: 0,
        bump: 255,
        collateral: (Key([1; 32]), 9, Key([2; 32])),
        quote: (Key([3; 32]), 6, Key([4; 32])),
        lp_mint: Key([5; 32]),
        feeds: Feeds {
            collateral: pin(6),
            quote: pin(7),
            base: FeedPin::NONE,
            rate: FeedPin::NONE,
        },
        config: *config,
        clock: NOW,
    })?;
    Ok(market)
}

/// A market without haircuts, 100,000 USDC in the pool and 10,000 in the backstop, and an account of 100 SOL.
fn market() -> (Market, MarginAccount) {
    let config = Config {
        volatility_max: Bps(0),
        crowding_max: Bps(0),
        band_floor: Quote(u64::MAX),
        ..Config::EXAMPLE
    };
    let mut market = new_market(&config.first()).unwrap();
    market.config = config;
    market.supply(Quote(100_000 * USDC), LpShares(0), NOW).unwrap();
    market.fund_backstop(Quote(10_000 * USDC), NOW).unwrap();
    // The supply was long ago.
    market.outflow = bytemuck::Zeroable::zeroed();
    let mut account = MarginAccount::new(Key([8; 32]), Key([9; 32]), 0, 255);
    market.deposit_collateral(&mut account, Collateral(100 * SOL)).unwrap();
    (market, account)
}

/// SOL at so many dollars.
fn prices(market: &mut Market, dollars: i64, clock: Clock) -> Prices {
    let reading = |price: i64| RawReading {
        price,
        conf: 0,
        expo: 0,
        ema_price: price,
        publish_time: clock.unix,
    };
    let readings = Readings {
        collateral: reading(dollars),
        quote: reading(1),
        redemption: None,
    };
    market.accept_prices(&readings, Purpose::Observe, clock).unwrap()
}

fn change(market: &Market, parameter: Parameter, to: u64) -> ParameterChange {
    ParameterChange {
        parameter: parameter.id(),
        from: parameter.get(&market.config),
        to,
    }
}

/// What an action says, and that it changed nothing if it says no.
#[track_caller]
fn refused<T: core::fmt::Debug>(market: &Market, act: impl FnOnce(&mut Market) -> Result<T>, expected: Error) {
    let mut tried = *market;
    assert_eq!(act(&mut tried).unwrap_err(), expected);
    assert!(tried == *market, "{expected}: it changed the market");
}

#[test]
fn a_new_market_begins_within_the_first_limits() {
    assert_eq!(new_market(&Config::EXAMPLE).unwrap_err(), Error::FirstLimitExceeded);
    assert_eq!(
        new_market(&Config::EXAMPLE.first()).unwrap().config,
        Config::EXAMPLE.first()
    );
    // Bounds come first.
    let wrong = Config {
        min_debt: Quote(0),
        ..Config::EXAMPLE
    };
    assert_eq!(new_market(&wrong).unwrap_err(), Error::ParameterOutOfBounds);
}

#[test]
fn the_supply_cap_is_on_all_that_is_in_the_pool() {
    let (mut market, _) = market();
    market.config.supply_cap = Quote(150_000 * USDC);
    let supply = |market: &mut Market, amount| market.supply(Quote(amount), LpShares(0), NOW);
    refused(
        &market,
        |market| supply(market, 50_000 * USDC + 1),
        Error::SupplyCapReached,
    );
    supply(&mut market, 50_000 * USDC).unwrap();
    refused(&market, |market| supply(market, 1), Error::SupplyCapReached);
    // A cap below what is there stops nothing but supplies.
    market.config.supply_cap = Quote(0);
    market
        .withdraw(LpShares(1_000_000), LpShares(u64::MAX), Quote(0), NOW)
        .unwrap();
    refused(&market, |market| supply(market, 1), Error::SupplyCapReached);
}

#[test]
fn the_debt_caps_are_on_what_is_owed_after_it() {
    let (mut market, account) = market();
    let prices = prices(&mut market, 100, NOW);
    market.config.account_debt_cap = Quote(4_000 * USDC);
    market.config.debt_cap = Quote(6_000 * USDC);
    let borrow = |market: &mut Market, account: &mut MarginAccount, amount: u64| {
        market.borrow(account, Quote(amount), &prices, NOW)
    };
    let over = 4_000 * USDC + 1;
    refused(
        &market,
        |market| borrow(market, &mut account.clone(), over),
        Error::AccountDebtCapReached,
    );
    let (mut first, mut second) = (account, account);
    borrow(&mut market, &mut first, 4_000 * USDC).unwrap();
    let over = 2_000 * USDC + 1;
    refused(
        &market,
        |market| borrow(market, &mut second.clone(), over),
        Error::DebtCapReached,
    );
    borrow(&mut market, &mut second, 2_000 * USDC).unwrap();
    // What the backstop owes counts, and caps stop no liquidation and no repayment.
    (market.config.account_debt_cap, market.config.debt_cap) = (Quote(0), Quote(0));
    let day = later(86_400);
    assert!(market.books_at(day).unwrap().pool.debt().unwrap() > Quote(6_000 * USDC));
    market.repay(&mut second, Quote(u64::MAX), day).unwrap();
    refused(
        &market,
        |market| market.borrow(&mut second.clone(), Quote(20 * USDC), &prices, day),
        Error::AccountDebtCapReached,
    );
}

#[test]
fn the_backstops_debt_counts_against_the_cap_and_is_not_stopped_by_it() {
    let (mut market, mut account) = market();
    let calm = prices(&mut market, 100, NOW);
    market.borrow(&mut account, Quote(6_900 * USDC), &calm, NOW).unwrap();
    let mut other = MarginAccount::new(Key([8; 32]), Key([9; 32]), 1, 255);
    market.deposit_collateral(&mut other, Collateral(100 * SOL)).unwrap();
    market.take_out_all();
    market.config.debt_cap = Quote(0);
    let mut ledger = KeeperLedger::new(Key([8; 32]), Key([10; 32]), 255);
    // At $70 the account is insolvent: the backstop takes it whole.
    let day = later(86_400);
    market.guard = bytemuck::Zeroable::zeroed();
    let low = prices(&mut market, 70, day);
    let done = market
        .liquidations(&low, day)
        .unwrap()
        .liquidate(&mut account, &mut ledger)
        .unwrap();
    assert!(done.whole && done.paid_in_cash < done.repaid);
    market.config.debt_cap = Quote(6_900 * USDC);
    refused(
        &market,
        |market| market.borrow(&mut other.clone(), Quote(20 * USDC), &low, day),
        Error::DebtCapReached,
    );
}

trait Emptied {
    fn take_out_all(&mut self);
}

impl Emptied for Market {
    /// Leaves the backstop without cash, as if it had been spent.
    fn take_out_all(&mut self) {
        self.books.backstop.cash = Quote(0);
    }
}

#[test]
fn the_outflow_limit_is_on_withdrawals_by_suppliers() {
    let (mut market, _) = market();
    let held = market.books.pool.lp_supply;
    let withdraw = |market: &mut Market, part: u64, clock| {
        let shares = LpShares(100_000 * USDC / 1_000 * part * 1_000);
        market.withdraw(shares, held, Quote(0), clock)
    };
    market.config.outflow_limit = Bps(1_000);
    refused(&market, |market| withdraw(market, 101, NOW), Error::OutflowLimitReached);
    withdraw(&mut market, 100, NOW).unwrap();
    refused(&market, |market| withdraw(market, 1, NOW), Error::OutflowLimitReached);
    // What is supplied may leave again at once.
    let supply = market.supply(Quote(500 * USDC), LpShares(0), NOW).unwrap();
    market.withdraw(supply.shares, supply.shares, Quote(0), NOW).unwrap();
    refused(&market, |market| withdraw(market, 1, NOW), Error::OutflowLimitReached);
    withdraw(&mut market, 90, later(86_400)).unwrap();
    market.config.outflow_limit = Bps(10_000);
    withdraw(&mut market, 810, later(86_400)).unwrap();
}

/// Every action that a kind of pause stops, and no other.
/// The bit that stops it (zero: none does), its name, and the action.
type Act<'a> = (u8, &'static str, Box<dyn Fn(&mut Market) -> Result<()> + 'a>);

#[test]
#[allow(clippy::too_many_lines, reason = "a table of every action")]
fn a_pause_stops_its_kind_and_nothing_else() {
    let (mut market, mut account) = market();
    let calm = prices(&mut market, 100, NOW);
    market.borrow(&mut account, Quote(6_900 * USDC), &calm, NOW).unwrap();
    market.books.backstop.inventory = Collateral(SOL);
    let clock = later(1);
    let position = GuardianPosition::new(Key([8; 32]), Key([12; 32]), 255);
    let ledger = KeeperLedger::new(Key([8; 32]), Key([10; 32]), 255);
    let mut fresh = account;
    fresh.debt_shares = breakwater_engine::DebtShares(0);
    let acts: Vec<Act> = vec![
        (
            1,
            "supply",
            Box::new(|market| market.supply(Quote(USDC), LpShares(0), clock).map(drop)),
        ),
        (
            2,
            "borrow",
            Box::new(|market| market.borrow(&mut account.clone(), Quote(1), &calm, clock).map(drop)),
        ),
        (
            4,
            "withdraw against debt",
            Box::new(|market| {
                market
                    .withdraw_collateral(&mut account.clone(), Collateral(1), Some(&calm), clock)
                    .map(drop)
            }),
        ),
        (
            8,
            "liquidate",
            Box::new(|market| market.liquidations(&calm, clock).map(drop)),
        ),
        (
            8,
            "liquidate",
            Box::new(|market| {
                let done = market
                    .liquidations(&calm, clock)?
                    .liquidate(&mut account.clone(), &mut ledger.clone());
                done.map(drop)
            }),
        ),
        (
            8,
            "liquidate externally",
            Box::new(|market| {
                let willing = Willing {
                    max_repay: Quote(1),
                    min_collateral: Collateral(0),
                };
                market
                    .liquidate_external(&mut account.clone(), willing, &calm, clock)
                    .map(drop)
            }),
        ),
        (
            16,
            "buy",
            Box::new(|market| market.buy_inventory(Collateral(1), Quote(9), &calm, clock).map(drop)),
        ),
        (
            16,
            "buy for",
            Box::new(|market| {
                market
                    .buy_inventory_for(Quote(9), Collateral(0), &calm, clock)
                    .map(drop)
            }),
        ),
        (
            32,
            "guardian's deposit",
            Box::new(|market| {
                market
                    .guardian_deposit(&mut position.clone(), Quote(9), GuardianShares(0), clock)
                    .map(drop)
            }),
        ),
        (
            0,
            "repay",
            Box::new(|market| market.repay(&mut account.clone(), Quote(9), clock).map(drop)),
        ),
        (
            0,
            "deposit",
            Box::new(|market| market.deposit_collateral(&mut account.clone(), Collateral(1)).map(drop)),
        ),
        (
            0,
            "withdraw",
            Box::new(|market| {
                market
                    .withdraw(LpShares(9_999), LpShares(u64::MAX), Quote(0), clock)
                    .map(drop)
            }),
        ),
        (
            0,
            "withdraw without debt",
            Box::new(|market| {
                market
                    .withdraw_collateral(&mut fresh.clone(), Collateral(1), None, clock)
                    .map(drop)
            }),
        ),
        (
            0,
            "fund",
            Box::new(|market| market.fund_backstop(Quote(1), clock).map(drop)),
        ),
        (
            0,
            "claim",
            Box::new(|market| market.claim_bounty(&mut ledger.clone()).map(drop)),
        ),
        (0, "settle", Box::new(|market| market.settle_deficit(clock).map(drop))),
        (
            0,
            "request",
            Box::new(|market| {
                market
                    .guardian_request(&mut position.clone(), GuardianShares(0), clock)
                    .map(drop)
            }),
        ),
        (
            0,
            "guardian leaves",
            Box::new(|market| {
                market
                    .guardian_withdraw(&mut position.clone(), GuardianShares(1), Quote(0), Some(&calm), clock)
                    .map(drop)
            }),
        ),
        (
            0,
            "observe",
            Box::new(|market| {
                prices(market, 100, clock);
                Ok(())
            }),
        ),
    ];
    for kinds in 1..=Kinds::ALL.0 {
        let mut paused = market;
        paused.pause(Kinds(kinds), 10, NOW).unwrap();
        for (bits, name, act) in &acts {
            let free = act(&mut market.clone());
            assert_ne!(free, Err(Error::ActionPaused), "{name}");
            let expected = if bits & kinds == 0 {
                free
            } else {
                Err(Error::ActionPaused)
            };
            assert_eq!(act(&mut paused.clone()), expected, "{name} at {kinds}");
        }
    }
}

#[test]
fn tightening_goes_one_way_and_only_for_what_limits() {
    let (market, _) = market();
    for parameter in Parameter::ALL {
        if *parameter == Parameter::liquidation_ltv {
            let lower = change(&market, *parameter, 7_900);
            refused(
                &market,
                |market| market.tighten(&[lower], NOW),
                Error::LiquidationLtvByRamp,
            );
            continue;
        }
        let value = parameter.get(&market.config);
        for to in [value.checked_sub(1), value.checked_add(1)].into_iter().flatten() {
            let one = change(&market, *parameter, to);
            if parameter.tighter().is(value, to) {
                let mut tightened = market;
                tightened.tighten(&[one], NOW).unwrap();
                let mut expected = market;
                parameter.set(&mut expected.config, to).unwrap();
                assert!(tightened == expected, "{parameter:?}");
            } else {
                refused(&market, |market| market.tighten(&[one], NOW), Error::NotTighter);
                // Nor in company.
                let good = change(&market, Parameter::supply_cap, 1);
                if *parameter != Parameter::supply_cap {
                    refused(&market, |market| market.tighten(&[good, one], NOW), Error::NotTighter);
                }
            }
        }
    }
    let stale = ParameterChange {
        from: 2,
        ..change(&market, Parameter::supply_cap, 1)
    };
    refused(&market, |market| market.tighten(&[stale], NOW), Error::StaleChange);
    let beyond = change(&market, Parameter::crowding_drop, 5_001);
    refused(
        &market,
        |market| market.tighten(&[beyond], NOW),
        Error::ParameterOutOfBounds,
    );
    refused(&market, |market| market.tighten(&[], NOW), Error::NoChange);
}

#[test]
fn interest_until_a_change_is_at_the_old_rate() {
    let (mut market, mut account) = market();
    let prices = prices(&mut market, 100, NOW);
    market.borrow(&mut account, Quote(6_900 * USDC), &prices, NOW).unwrap();
    let year = later(365 * 86_400);
    let expected = market.books_at(year).unwrap();
    let dearer = change(&market, Parameter::interest_base, 10_000);
    market.change_parameters(&[dearer], year).unwrap();
    assert!(market.books == expected);
    assert_eq!(market.config.interest_base, Bps(10_000));
    // A change that is refused accrues nothing.
    refused(
        &market,
        |market| market.change_parameters(&[dearer], later(366 * 86_400)),
        Error::StaleChange,
    );
}

#[test]
fn a_change_must_fit_the_present_liquidation_ltv_and_the_announced_one() {
    let (mut market, _) = market();
    let starts_at = NOW.unix + ramp::NOTICE;
    let ends_at = starts_at + 10 * 86_400;
    market
        .announce_liquidation_ltv(Bps(8_800), starts_at, ends_at, NOW)
        .unwrap();
    // Fits 80%, and not 88%.
    let penalty = change(&market, Parameter::penalty_max, 1_400);
    // Fits 88%, and not 80%.
    let target = change(&market, Parameter::target_ltv, 8_100);
    let (middle, after) = (later(8 * 86_400), later(20 * 86_400));
    for clock in [NOW, middle, after] {
        refused(
            &market,
            |market| market.change_parameters(&[penalty], clock),
            Error::PenaltyTooLarge,
        );
    }
    refused(
        &market,
        |market| market.change_parameters(&[target], NOW),
        Error::LtvOrder,
    );
    // Halfway there it is above 81%.
    for clock in [middle, after] {
        let mut changed = market;
        changed.change_parameters(&[target], clock).unwrap();
        assert_eq!(changed.liquidation_ltv(after), Bps(8_800));
    }
    market.cancel_ramp(later(1)).unwrap();
    market.change_parameters(&[penalty], later(2)).unwrap();
}

#[test]
fn a_ramp_is_taken_back_before_it_begins_and_not_after() {
    let (mut market, _) = market();
    let starts_at = NOW.unix + ramp::NOTICE;
    refused(&market, |market| market.cancel_ramp(NOW), Error::NothingQueued);
    let too_long = starts_at + 180 * 86_400 + 1;
    refused(
        &market,
        |market| market.announce_liquidation_ltv(Bps(7_800), starts_at, too_long, NOW),
        Error::RampTooLong,
    );
    market
        .announce_liquidation_ltv(Bps(7_800), starts_at, too_long - 1, NOW)
        .unwrap();
    for running in [starts_at, too_long - 2] {
        let clock = Clock { unix: running, ..NOW };
        refused(&market, |market| market.cancel_ramp(clock), Error::RampRunning);
    }
    let ended = Clock {
        unix: too_long - 1,
        ..NOW
    };
    refused(&market, |market| market.cancel_ramp(ended), Error::NothingQueued);
    assert_eq!(market.liquidation_ltv(ended), Bps(7_800));
    let before = Clock {
        unix: starts_at - 1,
        ..NOW
    };
    let cancelled = market.cancel_ramp(before).unwrap();
    assert_eq!((cancelled.stays, cancelled.announced), (Bps(8_000), Bps(7_800)));
    assert_eq!(market.liquidation_ltv(ended), Bps(8_000));
    refused(&market, |market| market.cancel_ramp(before), Error::NothingQueued);
}

#[test]
fn other_feeds_keep_what_the_market_knows() {
    let (mut market, _) = market();
    prices(&mut market, 100, NOW);
    let before = market;
    let feeds = Feeds {
        collateral: pin(16),
        quote: pin(7),
        base: pin(18),
        rate: pin(19),
    };
    market.change_feeds(&feeds).unwrap();
    let mut expected = before;
    expected.oracle.collateral_feed = pin(16);
    (expected.oracle.base_feed, expected.oracle.rate_feed) = (pin(18), pin(19));
    assert!(market == expected);
    assert_eq!(market.oracle.collateral_published, NOW.unix);
    refused(&market, |market| market.change_feeds(&feeds), Error::NoChange);
    let half = Feeds {
        rate: FeedPin::NONE,
        ..feeds
    };
    refused(&market, |market| market.change_feeds(&half), Error::FeedKindUnknown);
    let same = Feeds {
        quote: pin(16),
        ..feeds
    };
    refused(&market, |market| market.change_feeds(&same), Error::FeedPinInvalid);
}

#[test]
fn a_reading_of_a_new_feed_is_judged_by_what_the_old_one_said() {
    let (mut market, _) = market();
    prices(&mut market, 100, NOW);
    let feeds = Feeds {
        collateral: pin(16),
        quote: pin(7),
        base: FeedPin::NONE,
        rate: FeedPin::NONE,
    };
    market.change_feeds(&feeds).unwrap();
    let reading = |price, publish_time| RawReading {
        price,
        conf: 0,
        expo: 0,
        ema_price: price,
        publish_time,
    };
    let of = |dollars, time| Readings {
        collateral: reading(dollars, time),
        quote: reading(1, NOW.unix),
        redemption: None,
    };
    // Older than what the old feed last said.
    let clock = later(1);
    let old = market.accept_prices(&of(100, NOW.unix - 1), Purpose::Observe, clock);
    assert_eq!(old.unwrap_err(), Error::PriceBehindAccepted);
    // Another price altogether.
    let other = market
        .accept_prices(&of(150, clock.unix), Purpose::Observe, clock)
        .unwrap();
    assert_eq!(other.conservative().unwrap_err(), Error::MarketGuarded);
    assert!(other.guarded().value(Collateral(SOL)).unwrap() < Quote(101 * USDC));
}

#[test]
fn a_take_out_is_good_until_its_slot() {
    let (mut market, _) = market();
    let Config {
        take_out_delay,
        take_out_window,
        ..
    } = market.config;
    let (delay, window) = (i64::from(take_out_delay), i64::from(take_out_window));
    let longest = (delay + window + SLACK).unsigned_abs() * 5 / 2;
    assert!(longest > LONGEST_APPROVAL);
    let queue = |market: &mut Market, slot| market.queue_take_out(Quote(USDC), slot, NOW);
    refused(&market, |market| queue(market, NOW.slot - 1), Error::ApprovalExpired);
    refused(
        &market,
        |market| queue(market, NOW.slot + longest + 1),
        Error::ApprovalTooLong,
    );
    queue(&mut market, NOW.slot + longest).unwrap();
    let open = later(delay);
    let queued = queue(&mut market, open.slot).unwrap();
    assert_eq!((queued.opens_at, queued.expires_slot), (open.unix, open.slot));
    let late = Clock {
        slot: open.slot + 1,
        ..open
    };
    refused(&market, |market| market.take_out(None, late), Error::Expired);
    refused(
        &market,
        |market| market.take_out(None, later(delay - 1)),
        Error::TooEarly,
    );
    let mut cancelled = market;
    assert_eq!(cancelled.cancel_take_out().unwrap().amount, Quote(USDC));
    refused(&cancelled, |market| market.take_out(None, open), Error::NothingQueued);
    refused(&cancelled, Market::cancel_take_out, Error::NothingQueued);
    market.take_out(None, open).unwrap();
}

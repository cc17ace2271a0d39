//! I3: what admission guards never lowers an A that is negative after it, and refuses nothing else; a take-over lowers
//! C by at most the bounty.

use super::scene::{DOLLAR, Random, SOL, USDC, World, open};
use breakwater_engine::{
    Bps, Collateral, Config, Error, GuardianPosition, GuardianShares, Key, MarginAccount, Prices, Quote,
    price::oracle::PriceUse,
};

/// A market in which C and A are about zero, with accounts, inventory, debt, guardians that want to leave and equity
/// announced.
fn world(random: &mut Random) -> (World, Prices) {
    let fall = u32::try_from(random.within(500, 5_001)).unwrap();
    let config = open(&Config {
        stress_fall: Bps(fall),
        ..Config::EXAMPLE
    });
    let mut world = World::new(&config);
    let prices = world.at(100 * DOLLAR, 100 * DOLLAR);
    for _ in 0..random.within(1, 12) {
        let (lamports, ltv) = (random.within(SOL, 3_000 * SOL), random.within(2_000, 7_001));
        world.open(lamports, ltv, &prices);
    }
    world.wait(60);
    let dollars = i64::try_from(random.within(70, 110)).unwrap() * DOLLAR;
    let prices = world.at(dollars, 100 * DOLLAR);
    if random.chance(50) {
        world.market.books.backstop.inventory = Collateral(random.within(0, 2_000 * SOL));
    }
    // What is lacking, give or take a little.
    let needed = -world.cover(&prices) + i128::from(random.within(0, 4_000 * USDC)) - i128::from(1_000 * USDC);
    if let Ok(cash) = u64::try_from(needed) {
        world.market.fund_backstop(Quote(cash.max(1)), world.clock).unwrap();
    }
    if random.chance(50) {
        let mut guardian = GuardianPosition::new(Key([8; 32]), Key([12; 32]), 255);
        let (clock, stake) = (world.clock, Quote(random.within(1, 1_000 * USDC)));
        world
            .market
            .guardian_deposit(&mut guardian, stake, GuardianShares(0), Quote(u64::MAX), clock)
            .unwrap();
        let shares = GuardianShares(random.within(0, guardian.shares.0 + 1));
        // Nothing can be asked for while there is no equity, or for no shares.
        let _ = world.market.guardian_request(&mut guardian, shares, Quote(0), clock);
    }
    (world, prices)
}

fn act(world: &mut World, which: usize, kind: u64, amount: u64) -> Result<(), Error> {
    let (market, account, clock) = (&mut world.market, &mut world.accounts[which], world.clock);
    let prices = &market.known_prices(PriceUse::Borrow, clock)?;
    match kind {
        0 => market.borrow(account, Quote(amount), prices, clock).map(drop),
        1 => market
            .withdraw_collateral(account, Collateral(amount), Some(prices), clock)
            .map(drop),
        _ => market.withdraw_equity(clock).map(drop),
    }
}

#[test]
fn no_new_risk_lowers_a_cover_that_is_negative_after_it() {
    let (mut passed, mut lowered, mut refused) = (0, 0, 0);
    for seed in 0..3_000 {
        let mut random = Random(seed);
        let (mut world, prices) = world(&mut random);
        let kind = random.within(0, 3);
        if kind == 2 {
            let clock = world.clock;
            let amount = Quote(random.within(1, 3_000 * USDC));
            world
                .market
                .queue_equity_withdrawal(amount, clock.slot + 3_000_000, clock)
                .unwrap();
            world.market.announced_withdrawal.opens_at -= i64::from(world.market.config.equity_withdrawal_delay);
        }
        let which = usize::try_from(random.next()).unwrap() % world.accounts.len();
        let amount = if kind == 0 {
            random.within(1, 20_000 * USDC)
        } else {
            random.within(1, 300 * SOL)
        };
        let before = world.admission(&prices);
        let copy = (world.market, world.accounts.clone());
        match act(&mut world, which, kind, amount) {
            Ok(()) => {
                let after = world.admission(&prices);
                assert!(after >= 0 || after >= before, "{seed}: {before} to {after}");
                passed += 1;
                lowered += u32::from(after < before);
            }
            Err(Error::StressCoverExceeded) => {
                assert!(world.market == copy.0 && world.accounts == copy.1, "{seed}");
                // Where there is plenty the same is done; so much is what it takes.
                let plenty = Quote(1 << 50);
                world.market.fund_backstop(plenty, world.clock).unwrap();
                let rich = world.admission(&prices);
                act(&mut world, which, kind, amount).unwrap();
                let after = before - (rich - world.admission(&prices));
                assert!(after < 0 && after < before + 2, "{seed}: {before} to {after}");
                refused += 1;
            }
            Err(_) => assert!(world.market == copy.0 && world.accounts == copy.1, "{seed}"),
        }
    }
    assert!(
        passed > 200 && lowered > 100 && refused > 100,
        "{passed} passed, {lowered} lowered it, {refused} refused"
    );
}

/// All of the margin that is left at the take-over LTV is taken: 9,500 × 1.06 ≥ 10,000.
#[test]
fn a_take_over_lowers_the_cover_by_at_most_its_bounty() {
    let (mut done, mut bad) = (0, 0);
    for seed in 0..600 {
        let mut random = Random(seed);
        let (mut world, _) = world(&mut random);
        world.wait(120);
        let dollars = i64::try_from(random.within(40, 90)).unwrap() * DOLLAR;
        let prices = world.at(dollars, 100 * DOLLAR);
        for which in 0..world.accounts.len() {
            let before = world.cover(&prices);
            let World {
                market,
                accounts,
                ledger,
                clock,
            } = &mut world;
            let prices = market.known_prices(PriceUse::Liquidate, *clock).unwrap();
            let mut running = market.liquidations(&prices, *clock).unwrap();
            let Ok(told) = running.liquidate(&mut accounts[which], ledger) else {
                continue;
            };
            if told.taken_over {
                let after = world.cover(&prices);
                // Two roundings of a sum.
                let most = i128::from(told.bounty.0) + 2;
                assert!(before - after <= most, "{seed}: {before} to {after}, {told:?}");
                done += 1;
                bad += u32::from(told.deficit > Quote(0));
            }
        }
    }
    assert!(done > 300 && bad > 100, "{done}, {bad} with a deficit");
}

/// Leaving guardians take at most C, and leave it as it is but for what they take.
#[test]
fn guardians_leave_the_cover_that_is_needed() {
    let (mut left, mut stayed, mut refused) = (0, 0, 0);
    for seed in 0..400 {
        let mut random = Random(seed);
        let (mut world, prices) = world(&mut random);
        let mut guardian = GuardianPosition::new(Key([8; 32]), Key([13; 32]), 255);
        let (clock, stake) = (world.clock, Quote(random.within(1_000, 4_000 * USDC)));
        let market = &mut world.market;
        market
            .guardian_deposit(&mut guardian, stake, GuardianShares(0), Quote(u64::MAX), clock)
            .unwrap();
        let all = guardian.shares;
        if market.guardian_request(&mut guardian, all, Quote(0), clock).is_err() {
            continue;
        }
        guardian.opens_at -= i64::from(market.config.guardian_cooldown);
        // Some of it is spent.
        let cash = &mut world.market.books.backstop.cash;
        cash.0 -= random.within(0, cash.0 + 1);
        let before = world.cover(&prices);
        let asked = guardian.unpaid(&world.market.books.guardians).unwrap();
        match world
            .market
            .guardian_withdraw(&mut guardian, Quote(u64::MAX), Quote(0), clock)
        {
            Ok(told) => {
                let after = world.cover(&prices);
                assert!(after == before - i128::from(told.amount.0), "{seed}");
                assert!(told.amount == Quote(0) || after >= 0, "{seed}");
                assert!(told.amount <= asked, "{seed}");
                left += u32::from(told.amount > Quote(0));
                stayed += u32::from(told.amount < asked);
                // A second time at once pays no more than rounding leaves.
                let again = world
                    .market
                    .guardian_withdraw(&mut guardian, Quote(u64::MAX), Quote(0), clock);
                assert!(again.is_err() || again.unwrap().amount <= Quote(1), "{seed}");
            }
            Err(error) => {
                assert_eq!(error, Error::MarketGuarded, "{seed}");
                assert_eq!(world.cover(&prices), before);
                refused += 1;
            }
        }
    }
    assert!(
        left > 50 && stayed > 50,
        "{left} left, {stayed} stayed, {refused} refused"
    );
}

/// An account that is refused a loan for the cover alone gets one that is small enough.
#[test]
fn a_loan_that_takes_no_cover_is_never_refused_for_it() {
    let mut random = Random(7);
    let (mut world, _) = world(&mut random);
    world.market.books.backstop.cash = Quote(0);
    world.market.books.backstop.unfunded_credits = Quote(1 << 40);
    let prices = world.at(100 * DOLLAR, 100 * DOLLAR);
    assert!(world.admission(&prices) < 0);
    let mut account = MarginAccount::new(Key([8; 32]), Key([9; 32]), 99, 255);
    let (market, clock) = (&mut world.market, world.clock);
    market.deposit_collateral(&mut account, Collateral(100 * SOL)).unwrap();
    // 100 SOL are worth 5,000 after the largest fall.
    let prices = market.known_prices(PriceUse::Borrow, clock).unwrap();
    market
        .borrow(&mut account, Quote(4_800 * USDC), &prices, clock)
        .unwrap();
    assert_eq!(
        market.borrow(&mut account, Quote(2_000 * USDC), &prices, clock),
        Err(Error::StressCoverExceeded)
    );
}

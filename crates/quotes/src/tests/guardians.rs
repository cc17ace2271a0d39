use super::*;
use breakwater_engine::GuardianShares;

const COOLDOWN: i64 = Config::EXAMPLE.guardian_cooldown as i64;

/// 10% interest whatever the utilization, of which a fifth is the backstop's, and half of that the guardians' and the
/// protocol's in proportion.
fn flat() -> Config {
    Config {
        interest_base: Bps(1_000),
        interest_slope_low: Bps(0),
        interest_slope_high: Bps(0),
        ..open_guards()
    }
}

/// A backstop of 150 of the protocol's own, a loan of 690 on 10 SOL, and a guardian with 50.
fn guarded(config: &Config) -> (Quotes, GuardianPosition, MarginAccount) {
    let (mut quotes, account) = scene(config, 150_000_000, &[], (10_000_000_000, 690_000_000));
    let mut position = GuardianPosition::new(Key([8; 32]), Key([7; 32]), 255);
    quotes
        .market
        .guardian_deposit(
            &mut position,
            Quote(50_000_000),
            GuardianShares::ZERO,
            Quote(u64::MAX),
            quotes.clock,
        )
        .unwrap();
    (quotes, position, account)
}

#[test]
fn what_guardians_earn_by_hand() {
    let (quotes, ..) = guarded(&flat());
    let earns = quotes.guardian_yield(Quote::ZERO).unwrap();
    // 10% of 690 a year, a fifth of it, half of that, for 200 of capital: 3.45%.
    assert_eq!((earns.claim, earns.standing_by), (Quote(50_000_000), Bps(345)));
    // Half of each penalty, for a quarter of the equity.
    assert_eq!(earns.rate, Bps(1_249));
    let shock = quotes.shock(CRASH).unwrap();
    assert_eq!(earns.earned.0, shock.shared.0 * 1_249 / 10_000);
    assert_eq!(
        earns.in_a_crash.0,
        u32::try_from(earns.earned.0 * 10_000 / 50_000_000).unwrap()
    );
    assert!((90..110).contains(&earns.in_a_crash.0), "{earns:?}");
}

#[test]
fn who_thinks_of_joining_sees_what_it_is_like_after_that() {
    let (before, _) = scene(&flat(), 150_000_000, &[], (10_000_000_000, 690_000_000));
    let (after, ..) = guarded(&flat());
    assert_eq!(
        before.guardian_yield(Quote(50_000_000)),
        after.guardian_yield(Quote::ZERO)
    );
    let none = before.guardian_yield(Quote::ZERO).unwrap();
    assert_eq!(
        (none.claim, none.standing_by, none.earned),
        (Quote::ZERO, Bps(0), Quote::ZERO)
    );
    let mut paused = before.clone();
    paused.market.pauses.guardian_deposit = i64::MAX;
    assert_eq!(paused.guardian_yield(Quote(1)), Err(Error::ActionPaused));
}

#[test]
fn a_year_of_standing_by_pays_what_is_quoted() {
    let (quotes, ..) = guarded(&flat());
    let earns = quotes.guardian_yield(Quote::ZERO).unwrap();
    let day = seconds_after(quotes.clock, 86_400);
    let claim = |clock| quotes.market.books_at(clock).unwrap().guardians.claim.0;
    // A day's, × 365: 3.45% of 50.
    let year = (claim(day) - claim(quotes.clock)) * 365;
    let told = u64::from(earns.standing_by.0) * 50_000_000 / 10_000;
    // Up to an atom of a day is not counted, and a basis point.
    assert!(
        (year..year + 365).contains(&told) || (year - 5_000..year).contains(&told),
        "{year} {told}"
    );
}

/// When what was asked for can leave.
fn asked(config: &Config) -> (Quotes, GuardianPosition, MarginAccount) {
    let (mut quotes, mut position, account) = guarded(config);
    let all = position.shares;
    quotes
        .market
        .guardian_request(&mut position, all, Quote::ZERO, quotes.clock)
        .unwrap();
    (quotes, position, account)
}

#[test]
fn leaving_is_bound_by_what_was_asked_for_and_when() {
    let (quotes, position, _) = guarded(&open_guards());
    assert_eq!(quotes.leaving(&position), Err(Error::NothingRequested));
    let (quotes, position, _) = asked(&open_guards());
    assert_eq!(quotes.leaving(&position), Err(Error::TimelockActive));
    // The capital: who waits earns nothing.
    let all = Leaving {
        unpaid: Quote(50_000_000),
        amount: Quote(50_000_000),
        bound_by: Error::NothingRequested,
    };
    for wait in [COOLDOWN, 10 * COOLDOWN] {
        let open = later(&quotes, wait, 100_0000_0000);
        assert_eq!(open.leaving(&position), Ok(all));
    }
}

#[test]
fn leaving_is_bound_by_cover_and_by_cash() {
    let (quotes, position, account) = asked(&open_guards());
    // After a fall of 38% from 85 the 10 SOL are worth 527 of 690: more than 163 of 200 have to stay.
    let mut stressed = later(&quotes, COOLDOWN, 85_0000_0000);
    let cover = stressed.balance_sheet().unwrap().cover.cover;
    let leaving = stressed.leaving(&position).unwrap();
    assert_eq!(leaving.bound_by, Error::StressCoverExceeded);
    assert!(
        leaving.amount < leaving.unpaid && i128::from(leaving.amount.0) == cover,
        "{leaving:?} {cover}"
    );
    let mut left = position;
    let paid = stressed
        .market
        .guardian_withdraw(&mut left, leaving.unpaid, leaving.amount, stressed.clock);
    assert_eq!(paid.map(|paid| paid.amount), Ok(leaving.amount));

    // The account is taken over: what is left is inventory.
    let mut after = later(&quotes, COOLDOWN, 70_0000_0000);
    let mut liquidated = account;
    assert!(liquidate(&mut after, &mut liquidated).unwrap().taken_over);
    let leaving = after.leaving(&position).unwrap();
    assert_eq!(
        (leaving.amount, leaving.bound_by),
        (Quote::ZERO, Error::BackstopCashInsufficient)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]
    /// The quoted amount is paid, and no more whatever is asked for.
    #[test]
    fn leaving_pays_what_is_quoted(
        protocol in 1u64..1 << 30, capital in 1u64..1 << 30, debt in 10_000_000u64..690_000_000, to in 60i64..=100,
        asked in 1u64..=10_000, taken: bool,
    ) {
        let (mut quotes, mut account) = scene(&open_guards(), 1 << 40, &[], (10_000_000_000, debt));
        quotes.market.books.backstop.cash = Quote(protocol);
        let mut position = GuardianPosition::new(Key([8; 32]), Key([7; 32]), 255);
        quotes.market.guardian_deposit(&mut position, Quote(capital), GuardianShares::ZERO, Quote(u64::MAX), quotes.clock).unwrap();
        let shares = u64::try_from(u128::from(position.shares.0) * u128::from(asked) / 10_000).unwrap();
        let request = quotes.market.guardian_request(&mut position, GuardianShares(shares), Quote::ZERO, quotes.clock);
        prop_assume!(request.is_ok());
        let mut quotes = later(&quotes, COOLDOWN, to * 1_0000_0000);
        if taken {
            let _ = liquidate(&mut quotes, &mut account);
        }
        let Leaving { unpaid, amount, bound_by } = quotes.leaving(&position).unwrap();
        let attempt = |amount: u64| quotes.guardian_withdrawal(&position, Quote(amount)).map(|paid| paid.amount);
        prop_assert!(amount <= unpaid && attempt(unpaid.0) == Ok(amount));
        prop_assert_eq!(amount == unpaid, bound_by == Error::NothingRequested);
        if amount.0 > 1 {
            prop_assert_eq!(attempt(amount.0 - 1), Ok(Quote(amount.0 - 1)));
        }
    }
}

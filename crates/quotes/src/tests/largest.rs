use super::*;

#[test]
fn an_account_by_hand() {
    let (quotes, account) = scene(&Config::EXAMPLE, 1 << 40, &[], (10_000_000_000, 400_000_000));
    // The lower end of the interval is 99.8: 70% of it, less the debt.
    let most = quotes.max_borrow(&account).unwrap();
    assert!((298_000_000..299_000_000).contains(&most.amount.0), "{most:?}");
    assert_eq!(most.bound_by, Error::InitialLtvExceeded);
    let most = quotes.max_withdrawal(&account).unwrap();
    assert!((4_250_000_000..4_280_000_000).contains(&most.amount.0), "{most:?}");
    assert_eq!(most.bound_by, Error::InitialLtvExceeded);
}

/// Largest loan of an account of so many SOL without debt, and the rule that binds.
fn bound(quotes: &Quotes, sol: u64) -> (u64, Error) {
    let most = quotes.max_borrow(&account(sol * 1_000_000_000)).unwrap();
    (most.amount.0, most.bound_by)
}

#[test]
fn each_rule_binds_by_its_name() {
    let (quotes, _) = scene(&Config::EXAMPLE, 1 << 40, &[], (1, 0));
    let with = |change: &dyn Fn(&mut Market)| {
        let mut quotes = quotes.clone();
        change(&mut quotes.market);
        bound(&quotes, 10)
    };
    let cash = with(&|market| market.books.pool.cash = Quote(123_000_000));
    assert_eq!(cash, (123_000_000, Error::InsufficientLiquidity));
    let account_cap = with(&|market| market.config.account_debt_cap = Quote(234_000_000));
    assert_eq!(account_cap, (234_000_000, Error::AccountDebtCapReached));
    let cap = with(&|market| market.config.debt_cap = Quote(345_000_000));
    assert_eq!(cap, (345_000_000, Error::DebtCapReached));
    // 10 SOL carry 698.5 USDC.
    let minimum = with(&|market| market.config.min_debt = Quote(700_000_000));
    assert_eq!(minimum, (0, Error::DebtBelowMinimum));
    assert_eq!(bound(&quotes, 0), (0, Error::InitialLtvExceeded));
}

#[test]
fn the_stress_cover_binds_where_the_backstop_is_small() {
    // After a fall of 38% 10 SOL are worth 620: of the loan's 698.5 the backstop would lose more than the 30 that it
    // has.
    let (quotes, account) = scene(&Config::EXAMPLE, 30_000_000, &[], (10_000_000_000, 100_000_000));
    let most = quotes.max_borrow(&account).unwrap();
    assert_eq!(most.bound_by, Error::StressCoverExceeded);
    // Up to a band's width, 2.2% of the debt, less than 650 in all.
    assert!((534_000_000..=550_000_000).contains(&most.amount.0), "{most:?}");
    assert_eq!(
        quotes.borrow(&account, Quote(most.amount.0 + 2)),
        Err(Error::StressCoverExceeded)
    );
    // What has been lent up to the limit keeps its collateral.
    let (mut market, mut account) = (quotes.market, account);
    market
        .borrow(
            &mut account,
            most.amount,
            &quotes.prices_for(PriceUse::Borrow).unwrap(),
            quotes.clock,
        )
        .unwrap();
    let after = Quotes { market, ..quotes };
    let most = after.max_withdrawal(&account).unwrap();
    assert_eq!(most.bound_by, Error::StressCoverExceeded);
    assert!(most.amount.0 < 250_000_000, "{most:?}");
}

#[test]
fn while_a_is_negative_what_adds_nothing_under_water_is_lent() {
    // Everybody at 69% when the backstop's capital has asked to leave.
    let crowd = [(1 << 42, 300_000_000_000)];
    let (mut quotes, account) = scene(&Config::EXAMPLE, 1 << 40, &crowd, (10_000_000_000, 0));
    quotes.market.announced_withdrawal.amount = Quote(2 << 40);
    quotes.market.announced_withdrawal.closes_at = i64::MAX;
    let admission = quotes.balance_sheet().unwrap().admission;
    assert!(admission.cover < i128::from(admission.leaving.0), "{admission:?}");
    let most = quotes.max_borrow(&account).unwrap();
    assert_eq!(most.bound_by, Error::StressCoverExceeded);
    // A loan that would still be covered at 62 is none of its business; the band that 62 is in counts as under water.
    assert!((600_000_000..=620_000_000).contains(&most.amount.0), "{most:?}");
    assert!(quotes.borrow(&account, most.amount).is_ok());
}

#[test]
fn without_debt_all_collateral_can_be_withdrawn() {
    let (quotes, account) = scene(&Config::EXAMPLE, 1, &[], (10_000_000_000, 0));
    let all = Largest {
        amount: Collateral(10_000_000_000),
        bound_by: Error::InsufficientCollateral,
    };
    assert_eq!(quotes.max_withdrawal(&account), Ok(all));
    let halted = at(quotes.market(), 100_0000_0000, quotes.clock());
    assert_eq!(halted.max_withdrawal(&account), Ok(all));
}

#[test]
fn while_guarded_nothing_can_be_borrowed() {
    let (quotes, account) = scene(&Config::EXAMPLE, 1 << 40, &[], (10_000_000_000, 400_000_000));
    let guarded = later(&quotes, 1, 50_0000_0000);
    assert_eq!(guarded.borrow(&account, Quote(20_000_000)), Err(Error::MarketGuarded));
    assert_eq!(guarded.max_borrow(&account), Err(Error::MarketGuarded));
    assert_eq!(guarded.max_withdrawal(&account), Err(Error::MarketGuarded));
}

/// How much beyond the largest amount may pass where the stress cover binds: a collateral atom is worth a tenth of a
/// quote atom.
fn slack(bound_by: Error) -> u64 {
    u64::from(bound_by == Error::StressCoverExceeded)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    /// The quoted amount is accepted, an atom more is refused for the quoted reason; and no amount of a sample beyond
    /// it is accepted, however the crowd lies and however little the backstop has.
    #[test]
    fn the_most_that_can_be_borrowed_and_withdrawn(
        others in prop::collection::vec((1_000_000_000u64..1 << 42, 10_000_000u64..1 << 38), 0..6),
        backstop in 1u64..1 << 38, own in 1_000_000_000u64..1 << 42, first in 10_000_000u64..1 << 36,
        sample in prop::collection::vec(0u64..10_000, 20), leaving in prop::option::of(1u64..1 << 38),
        fall in 0i64..20,
    ) {
        let (quotes, account) = scene(&open_guards(), backstop, &others, (own, first));
        let mut quotes = later(&quotes, 60, (100 - fall) * 1_0000_0000);
        quotes.market.announced_withdrawal.amount = Quote(leaving.unwrap_or(0));

        let Largest { amount, bound_by } = quotes.max_borrow(&account).unwrap();
        let borrow = |amount: u64| quotes.borrow(&account, Quote(amount)).map(drop);
        prop_assert!(amount == Quote::ZERO || borrow(amount.0) == Ok(()));
        if bound_by != Error::DebtBelowMinimum {
            let mut free = quotes.clone();
            free.market.config.min_debt = Quote::ZERO;
            prop_assert_eq!(free.borrow(&account, Quote(amount.0 + 1)), Err(bound_by));
        }
        let worth = quotes.judged_at().quote_floor(account.collateral).unwrap().0;
        for part in &sample {
            let beyond = amount.0 + 1 + slack(bound_by);
            let beyond = beyond + u64::try_from(u128::from(worth) * u128::from(*part) / 10_000).unwrap();
            let refusal = borrow(beyond).unwrap_err();
            prop_assert!(search::is_about_the_amount(refusal), "{:?}", refusal);
        }

        let Largest { amount, bound_by } = quotes.max_withdrawal(&account).unwrap();
        let prices = quotes.prices_for(PriceUse::Borrow).unwrap();
        let withdraw = |amount: u64| {
            let (mut market, mut account) = (quotes.market, account);
            market.withdraw_collateral(&mut account, Collateral(amount), Some(&prices), quotes.clock).map(drop)
        };
        prop_assert!(amount == Collateral::ZERO || withdraw(amount.0) == Ok(()));
        prop_assert_eq!(withdraw(amount.0 + 1), Err(bound_by));
        for part in &sample {
            // A quote atom's worth is ten collateral atoms.
            let beyond = amount.0 + 1 + 20 * slack(bound_by);
            let beyond = beyond + u64::try_from(u128::from(account.collateral.0) * u128::from(*part) / 10_000).unwrap();
            prop_assert!(withdraw(beyond).is_err_and(search::is_about_the_amount), "{:?}, {}", amount, beyond);
        }
    }
}

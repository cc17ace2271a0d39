use super::*;
use crate::{config::tests::CONFIG, units::Price};
use proptest::prelude::*;

fn one() -> Divisor {
    Price::from_raw(1 << 64).divisor().unwrap()
}

fn at_par(debt: u64, collateral: u64) -> Result<Terms> {
    terms(&CONFIG, Quote(debt), Collateral(collateral), &one())
}

#[test]
fn a_worked_example() {
    // D = 850, V = 1,000: LTV 85%. β = 2% + 4% × 5/12 = 3.66%. x = (850 − 750) / (1 − 0.75 × 1.0366) = 449.34…
    let terms = at_par(850_000_000, 1_000_000_000).unwrap();
    assert_eq!(terms.penalty, Bps(366));
    assert_eq!(terms.extent, Extent::Partial);
    assert_eq!(terms.repay, Quote(449_337_228));
    assert_eq!(terms.seize, Collateral(465_782_970));
    // what is left: 400.66 of debt on 534.22 of collateral: 75%
    assert!(!exceeds(
        Quote(850_000_000 - 449_337_228),
        Quote(1_000_000_000 - 465_782_970),
        Bps(7_500)
    ));
}

#[test]
fn the_edges_of_each_extent() {
    assert_eq!(at_par(800_000_000, 1_000_000_000), Err(Error::AccountHealthy));
    assert_eq!(at_par(800_000_001, 1_000_000_000).unwrap().extent, Extent::Partial);
    assert_eq!(at_par(919_999_999, 1_000_000_000).unwrap().extent, Extent::Partial);
    assert_eq!(at_par(920_000_000, 1_000_000_000).unwrap().extent, Extent::Insolvent);
    // x would leave less than the minimum debt of 10,000,000
    let whole = at_par(16_500_000, 20_000_000).unwrap();
    assert_eq!((whole.extent, whole.repay), (Extent::Whole, Quote(16_500_000)));
    assert!(whole.seize < Collateral(20_000_000));
}

#[test]
fn dust_is_less_than_the_minimum_debt() {
    let terms = at_par(850_000_000, 1_000_000_000).unwrap();
    let left = 850_000_000 - terms.repay.0;
    let extent = |min_debt| {
        let config = Config {
            min_debt: Quote(min_debt),
            ..CONFIG
        };
        super::terms(&config, Quote(850_000_000), Collateral(1_000_000_000), &one())
            .unwrap()
            .extent
    };
    assert_eq!(extent(left), Extent::Partial);
    assert_eq!(extent(left + 1), Extent::Whole);
}

#[test]
fn a_penalty_without_a_range_is_that_penalty() {
    let config = Config {
        penalty_min: Bps(300),
        penalty_max: Bps(300),
        ..CONFIG
    };
    let penalty = |debt| super::penalty(&config, Quote(debt), Quote(1_000_000_000));
    assert_eq!(penalty(800_000_000), Err(Error::AccountHealthy));
    assert_eq!(penalty(800_000_001), Ok(Bps(300)));
    assert_eq!(penalty(919_999_999), Ok(Bps(300)));
    assert_eq!(penalty(920_000_000), Ok(Bps(300)));
}

#[test]
fn an_ltv_is_exceeded_beyond_it() {
    assert!(!exceeds(Quote(80), Quote(100), Bps(8_000)));
    assert!(exceeds(Quote(81), Quote(100), Bps(8_000)));
}

#[test]
fn bad_debt_is_taken_at_par_and_its_size_is_told() {
    let terms = at_par(1_100_000_000, 1_000_000_000).unwrap();
    assert_eq!((terms.penalty, terms.deficit), (Bps(0), Quote(100_000_000)));
    assert_eq!(
        (terms.repay, terms.seize),
        (Quote(1_100_000_000), Collateral(1_000_000_000))
    );
    assert_eq!((terms.worth, terms.penalty_amount), (Quote(1_000_000_000), Quote(0)));
    let nothing_left = at_par(1_100_000_000, 0).unwrap();
    assert_eq!(
        (nothing_left.extent, nothing_left.deficit),
        (Extent::Insolvent, Quote(1_100_000_000))
    );
}

#[test]
fn a_cut_never_leaves_dust() {
    let terms = at_par(900_000_000, 1_000_000_000).unwrap();
    let within = |room| {
        terms.within(
            &CONFIG,
            Quote(900_000_000),
            Collateral(1_000_000_000),
            &one(),
            Quote(room),
            Error::BackstopFull,
        )
    };
    assert_eq!(within(0), Err(Error::BackstopFull));
    assert_eq!(within(1_000).unwrap().repay, Quote(1_000));
    assert_eq!(within(u64::MAX).unwrap(), terms);
    let small = at_par(16_500_000, 20_000_000).unwrap();
    let within = |room| {
        small.within(
            &CONFIG,
            Quote(16_500_000),
            Collateral(20_000_000),
            &one(),
            Quote(room),
            Error::BackstopFull,
        )
    };
    let cut = within(16_499_999).unwrap();
    assert_eq!((cut.extent, cut.repay), (Extent::Partial, Quote(6_500_000)));
    assert_eq!(within(16_500_000).unwrap(), small);
}

#[test]
fn the_bounty_is_at_most_half_the_penalty() {
    let terms = at_par(850_000_000, 1_000_000_000).unwrap();
    assert_eq!(terms.bounty(&CONFIG), Ok(Quote(100_000 + 1_123_343)));
    let tiny = Terms {
        repay: Quote(1_000_000),
        penalty_amount: Quote(36_600),
        ..terms
    };
    assert_eq!(tiny.bounty(&CONFIG), Ok(Quote(18_300)));
    let cut = Terms {
        extent: Extent::Cut,
        ..terms
    };
    assert_eq!(cut.bounty(&CONFIG), Ok(Quote(1_123_343)));
    let insolvent = at_par(950_000_000, 1_000_000_000).unwrap();
    assert_eq!(insolvent.bounty(&CONFIG), Ok(Quote(100_000)));
    let dust = at_par(9_999_999, 10_000_000).unwrap();
    assert_eq!(dust.bounty(&CONFIG), Ok(Quote::ZERO));
}

prop_compose! {
    fn config()(
        insolvency in 200u32..=10_000, a in 1u32..10_000, b in 0u32..10_000, c in 1u32..10_000,
        penalty_max in 0u32..=2_500, penalty_min in 0u32..=2_500,
    ) -> Config {
        let liquidation = 100 + a % (insolvency - 100);
        let target = 1 + liquidation - 1 - b % (liquidation - 1);
        Config {
            insolvency_ltv: Bps(insolvency),
            liquidation_ltv: Bps(liquidation.min(insolvency - 1)),
            target_ltv: Bps(target.min(insolvency - 1)),
            initial_ltv: Bps(c % target.max(2)),
            penalty_min: Bps(penalty_min.min(penalty_max)),
            penalty_max: Bps(penalty_max),
            ..CONFIG
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn every_liquidation_keeps_its_promises(
        config in config(), collateral in 1u64..1 << 53, raw in 1u128 << 40..1 << 80, ltv in 1u64..20_000,
    ) {
        prop_assume!(config.validate().is_ok());
        let price = Price::from_raw(raw);
        let Ok(value) = price.value(Collateral(collateral)) else { return Ok(()) };
        prop_assume!(value.0 > 0 && value.0 < 1 << 53);
        let debt = Quote((u128::from(value.0) * u128::from(ltv) / u128::from(BPS)) as u64);
        let result = terms(&config, debt, Collateral(collateral), &price.divisor().unwrap());
        if !exceeds(debt, value, config.liquidation_ltv) {
            prop_assert_eq!(result, Err(Error::AccountHealthy));
            return Ok(());
        }
        let terms = result.unwrap();
        prop_assert!(terms.repay <= debt && terms.seize.0 <= collateral);
        prop_assert!(terms.penalty <= config.penalty_max);
        // seized value ≤ repaid × (1 + β), unless the whole account is taken at par
        if terms.deficit == Quote::ZERO {
            let seized = price.value(terms.seize).unwrap();
            prop_assert!(num::wide(seized.0, BPS) <= num::wide(terms.repay.0, terms.penalty.above_one()));
        }
        let (debt_after, left) = (debt.0 - terms.repay.0, Collateral(collateral - terms.seize.0));
        let value_after = price.value(left).unwrap();
        match terms.extent {
            Extent::Partial => {
                prop_assert!(debt_after >= config.min_debt.0);
                // the account improves, and ends at the target within one atom of each token
                prop_assert!(num::wide(debt_after, value.0) <= num::wide(debt.0, value_after.0 + 1));
                prop_assert!(!exceeds(Quote(debt_after), Quote(value_after.0 + 1), config.target_ltv));
                let one = price.cost(Collateral(1)).unwrap().0 + 2;
                let gap = num::wide(value_after.0, config.target_ltv.factor()) as f64 - num::wide(debt_after, BPS) as f64;
                prop_assert!(gap <= num::wide(one + 2, BPS) as f64 , "gap {}", gap);
            }
            Extent::Whole | Extent::Insolvent => prop_assert_eq!(debt_after, 0),
            Extent::Cut => prop_assert!(false, "nothing was cut"),
        }
        // the bounty never exceeds half of what the account paid
        if terms.extent != Extent::Insolvent {
            let bounty = terms.bounty(&config).unwrap();
            prop_assert!(num::wide(bounty.0, 2 * BPS) <= num::wide(terms.repay.0, terms.penalty.factor()));
        }
    }

    #[test]
    fn the_penalty_rises_with_the_ltv_until_it_would_create_bad_debt(debt in 1u64..1 << 50, more in 0u64..1 << 40) {
        let value = Quote(1 << 50);
        let debt = (1 << 49) + debt;
        let (Ok(a), Ok(b)) = (penalty(&CONFIG, Quote(debt), value), penalty(&CONFIG, Quote(debt + more), value)) else {
            prop_assert!(!exceeds(Quote(debt), value, CONFIG.liquidation_ltv));
            return Ok(());
        };
        // the formula of the doc comment, in floating point
        let (ltv, span) = (debt as f64 / value.0 as f64, 0.12);
        let exact = (200.0 + 400.0 * ((ltv - 0.8) / span).min(1.0)).min((1.0 / ltv - 1.0) * 1e4).max(0.0);
        prop_assert!(f64::from(a.0) <= exact + 1e-6 && f64::from(a.0) > exact - 1.001, "{a:?} {exact}");
        let cap_binds = num::wide(debt + more, b.above_one() + 1) > num::wide(value.0, BPS);
        prop_assert!(a <= b || cap_binds);
        if debt <= value.0 {
            prop_assert!(num::wide(debt, a.above_one()) <= num::wide(value.0, BPS));
        }
    }
}

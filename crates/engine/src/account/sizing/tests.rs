use super::*;
use crate::{config::tests::CONFIG, math::units::Price};
use proptest::prelude::*;

const ONE: u128 = 1 << 64;

fn one() -> Divisor {
    Price::from_raw(ONE).divisor().unwrap()
}

fn at_par(debt: u64, collateral: u64) -> Result<Terms> {
    terms(&CONFIG, Quote(debt), Collateral(collateral), &one())
}

/// Rules where the higher price is one and the lower one `settled` of it, in units of 2^-64.
fn rules_at(config: &Config, settled: u128) -> Rules {
    let prices = LiquidationPrices {
        judged: Price::from_raw(ONE),
        settled: Price::from_raw(settled),
    };
    Rules::new(config, config.liquidation_ltv, &prices)
}

/// Demand where the higher price is one and the lower `percent`.
fn apart(config: &Config, debt: u64, collateral: u64, percent: u64) -> Result<Demand> {
    let settled = u64::try_from(u128::from(collateral) * u128::from(percent) / 100).unwrap();
    let values = Values {
        judged: Quote(collateral),
        settled: Quote(settled),
    };
    Demand::of(&rules_at(config, ONE * u128::from(percent) / 100), Quote(debt), values)
}

#[test]
fn a_worked_example() {
    // D = 850, V = 1,000: LTV 85%. x = (850 − 750) / (1 − 0.75 × 1.01) = 412.37…
    let terms = at_par(850_000_000, 1_000_000_000).unwrap();
    let expected = Terms {
        demand: Demand {
            extent: Extent::Partial,
            repay: Quote(412_371_135),
            penalty: Bps(100),
            value: Quote(1_000_000_000),
        },
        seize: Collateral(416_494_846),
        worth: Quote(416_494_846),
        penalty_amount: Quote(4_123_711),
        deficit: Quote(0),
    };
    assert_eq!(terms, expected);
    // What is left: 437.63 of debt on 583.51 of collateral: 75%.
    assert!(!exceeds(
        Quote(850_000_000 - 412_371_135),
        Quote(1_000_000_000 - 416_494_846),
        Bps(7_500)
    ));
}

#[test]
fn apart_prices_take_more_so_that_the_target_is_met_at_the_higher() {
    // h = 1, l = 0.99: x = (850 − 750) / (1 − 0.75 × 1.01 / 0.99) = 425.81…
    let demand = apart(&CONFIG, 850_000_000, 1_000_000_000, 99).unwrap();
    assert_eq!((demand.extent, demand.penalty), (Extent::Partial, Bps(100)));
    assert_eq!(demand.repay.0 / 100, 4_258_064);
    let settled = Price::from_raw(ONE * 99 / 100).divisor().unwrap();
    let terms = demand
        .terms(&rules_at(&CONFIG, ONE * 99 / 100), Collateral(1_000_000_000), &settled)
        .unwrap();
    // 425.81 × 1.01 ÷ 0.99 of collateral.
    assert_eq!(
        (terms.seize.0 / 100, terms.penalty_amount),
        (4_344_086, Quote(4_258_064))
    );
    let (debt, value) = (850_000_000 - terms.demand.repay.0, 1_000_000_000 - terms.seize.0);
    assert!(!exceeds(Quote(debt), Quote(value), Bps(7_500)));
    assert!(exceeds(Quote(debt + 3), Quote(value), Bps(7_500)), "{debt} {value}");
}

#[test]
fn the_edges_of_each_extent() {
    assert_eq!(at_par(800_000_000, 1_000_000_000), Err(Error::AccountHealthy));
    assert_eq!(
        at_par(800_000_001, 1_000_000_000).unwrap().demand.extent,
        Extent::Partial
    );
    assert_eq!(
        at_par(949_999_999, 1_000_000_000).unwrap().demand.extent,
        Extent::Partial
    );
    assert_eq!(
        at_par(950_000_000, 1_000_000_000).unwrap().demand.extent,
        Extent::TakeOver
    );
    // x would leave less than the minimum debt of 10,000,000.
    let whole = at_par(12_000_000, 14_000_000).unwrap();
    assert_eq!(
        (whole.demand.extent, whole.demand.repay),
        (Extent::Whole, Quote(12_000_000))
    );
    // At a partial's penalty: 1%.
    assert_eq!(
        (whole.seize, whole.penalty_amount),
        (Collateral(12_120_000), Quote(120_000))
    );
}

#[test]
fn accounts_are_judged_at_the_higher_price_alone() {
    // 20% apart: at the lower price all of these would be taken over.
    let config = Config {
        max_gap: Bps(2_000),
        ..CONFIG
    };
    let extent = |debt| apart(&config, debt, 1_000_000_000, 80).map(|demand| demand.extent);
    assert_eq!(extent(800_000_000), Err(Error::AccountHealthy));
    assert_eq!(extent(950_000_000), Ok(Extent::TakeOver));
}

#[test]
fn dust_is_less_than_the_minimum_debt() {
    let terms = at_par(850_000_000, 1_000_000_000).unwrap();
    let left = 850_000_000 - terms.demand.repay.0;
    let extent = |min_debt| {
        let config = Config {
            min_debt: Quote(min_debt),
            ..CONFIG
        };
        super::terms(&config, Quote(850_000_000), Collateral(1_000_000_000), &one())
            .unwrap()
            .demand
            .extent
    };
    assert_eq!(extent(left), Extent::Partial);
    assert_eq!(extent(left + 1), Extent::Whole);
}

#[test]
fn a_gap_too_wide_is_refused_of_a_partial_and_not_of_a_take_over() {
    let at = |settled: u128, debt: u64| {
        let value = u64::try_from((settled * 1_000_000_000) >> 64).unwrap();
        let values = Values {
            judged: Quote(1_000_000_000),
            settled: Quote(value),
        };
        Demand::of(&rules_at(&CONFIG, settled), Quote(debt), values).map(|demand| demand.extent)
    };
    // max_gap is 2%: 0.98 × 2^64 rounded up is the lowest that is no further.
    let edge = (ONE * 98).div_ceil(100);
    assert_eq!(at(edge, 850_000_000), Ok(Extent::Partial));
    assert_eq!(at(edge - 1, 850_000_000), Err(Error::PriceGapTooWide));
    assert_eq!(
        at(edge - 1, 800_000_000),
        Err(Error::AccountHealthy),
        "that comes first"
    );
    assert_eq!(at(edge - 1, 950_000_000), Ok(Extent::TakeOver));
    assert_eq!(at(0, 950_000_000), Ok(Extent::TakeOver));
}

#[test]
fn the_spread_is_rounded_up_at_any_size_of_price() {
    let spread = |judged: u128, settled: u128, gap: u32| {
        let (judged, settled) = (Price::from_raw(judged), Price::from_raw(settled));
        let prices = LiquidationPrices { judged, settled };
        let by_reciprocal = prices.spread_by(&settled.divisor().unwrap(), Bps(gap));
        assert_eq!(by_reciprocal, prices.spread(Bps(gap)));
        by_reciprocal
    };
    assert_eq!(spread(7, 7, 0), Some(1 << 32));
    assert_eq!(spread(1 << 103, 1 << 103, 0), Some(1 << 32));
    assert_eq!(spread(5, 4, 2_000), Some((5u64 << 32).div_ceil(4)));
    assert_eq!(spread(5, 4, 1_999), None);
    assert_eq!(
        spread(10, 9, 1_000),
        Some((10u64 << 32).div_ceil(9)),
        "no binary fraction"
    );
    // Beyond 95 bits eight bits of the divisor are dropped, and the quotient is no smaller for it.
    let (judged, settled) = ((1u128 << 103) + 12_345, (1u128 << 103) - 54_321);
    assert_eq!(spread(judged, settled, 2_500), Some((1 << 32) + 1));
    assert_eq!(
        spread(5 << 100, (4 << 100) + 255, 2_500),
        Some((5u64 << 32).div_ceil(4))
    );
}

proptest! {
    /// Also where the gap needs more than 64 bits, and where h is more than twice l.
    #[test]
    fn the_spread_by_the_reciprocal_is_the_spread(bits in 0u32..104, low: u128, gap: u64, wide in 0u32..40, max_gap in 0u32..=10_000) {
        let settled = ((low >> 24) >> bits).max(1);
        let judged = settled + (u128::from(gap) << wide >> bits.min(64));
        let prices = LiquidationPrices { judged: Price::from_raw(judged), settled: Price::from_raw(settled) };
        let divisor = prices.settled.divisor().unwrap();
        prop_assert_eq!(prices.spread_by(&divisor, Bps(max_gap)), prices.spread(Bps(max_gap)));
    }
}

#[test]
fn at_the_largest_penalty_and_gap_that_are_valid_the_target_is_still_reached() {
    // 80% × 1.2249 = 97.992%, and the gap 2%: the divisor of x is 0.008% of one.
    let config = Config {
        initial_ltv: Bps(100),
        target_ltv: Bps(8_000),
        penalty: Bps(2_249),
        takeover_penalty: Bps(2_500),
        ..CONFIG
    };
    assert_eq!(config.validate(), Ok(()));
    let values = Values {
        judged: Quote(1_000_000_000),
        settled: Quote(980_000_000),
    };
    let rules = rules_at(&config, (ONE * 98).div_ceil(100));
    let demand = Demand::of(&rules, Quote(800_000_001), values).unwrap();
    assert_eq!((demand.extent, demand.penalty), (Extent::Partial, Bps(2_249)));
    // An atom above the target, of which each atom repaid clears 0.008%, and no less for rounding.
    assert!((12_250..=12_260).contains(&demand.repay.0), "{demand:?}");
}

#[test]
fn two_units_of_margin_are_enough_to_divide_by() {
    // 85.02% × 1.1749 = 99.889998%, and the gap 0.11%.
    let config = Config {
        initial_ltv: Bps(100),
        target_ltv: Bps(8_502),
        liquidation_ltv: Bps(8_502),
        penalty: Bps(1_749),
        takeover_penalty: Bps(2_500),
        max_gap: Bps(11),
        min_debt: Quote(1),
        ..CONFIG
    };
    let rules = rules_at(&config, (ONE * 9_989).div_ceil(10_000));
    let values = Values {
        judged: Quote(10_000_000_000_000),
        settled: Quote(9_989_000_000_000),
    };
    // An atom above the target. Each one repaid clears 10^-8, and all of it goes.
    let demand = Demand::of(&rules, Quote(8_502_000_000_001), values).unwrap();
    assert_eq!((demand.extent, demand.repay), (Extent::Partial, Quote(100_000_000)));
}

#[test]
fn a_partial_takes_no_more_penalty_than_there_is() {
    let config = Config {
        takeover_ltv: Bps(10_000),
        ..CONFIG
    };
    let penalty = |debt, percent| apart(&config, debt, 1_000_000, percent).map(|demand| demand.penalty);
    assert_eq!(
        penalty(990_099, 100),
        Ok(Bps(100)),
        "1% more is 1,000,000 less a fraction"
    );
    assert_eq!(penalty(990_100, 100), Ok(Bps(99)));
    assert_eq!(penalty(999_999, 100), Ok(Bps(0)));
    // At the lower price: 990,000.
    assert_eq!(penalty(980_198, 99), Ok(Bps(100)));
    assert_eq!(penalty(980_199, 99), Ok(Bps(99)));
    assert_eq!(penalty(990_000, 99), Ok(Bps(0)));
    assert_eq!(penalty(990_001, 99), Err(Error::CollateralBelowDebt));
}

#[test]
fn an_ltv_is_exceeded_beyond_it() {
    assert!(!exceeds(Quote(80), Quote(100), Bps(8_000)));
    assert!(exceeds(Quote(81), Quote(100), Bps(8_000)));
}

/// An account that is taken over: debt 950 and so much collateral at a price of one.
fn taken_over(takeover_ltv: u32, collateral: u64) -> Terms {
    let config = Config {
        takeover_ltv: Bps(takeover_ltv),
        ..CONFIG
    };
    terms(&config, Quote(950_000_000), Collateral(collateral), &one()).unwrap()
}

#[test]
fn a_take_over_takes_the_margin_up_to_its_penalty() {
    let expected = Terms {
        demand: Demand {
            extent: Extent::TakeOver,
            repay: Quote(950_000_000),
            penalty: Bps(526),
            value: Quote(1_000_000_000),
        },
        seize: Collateral(1_000_000_000),
        worth: Quote(1_000_000_000),
        penalty_amount: Quote(50_000_000),
        deficit: Quote(0),
    };
    assert_eq!(taken_over(9_500, 1_000_000_000), expected);
    // 6% of 950 are 57: what is beyond 1,007 stays with the owner.
    for (collateral, seize, penalty) in [
        (1_006_999_999, 1_006_999_999, 599),
        (1_007_000_000, 1_007_000_000, 600),
        (1_007_000_001, 1_007_000_000, 600),
        (1_050_000_000, 1_007_000_000, 600),
    ] {
        let terms = taken_over(9_000, collateral);
        assert_eq!(
            (terms.seize, terms.demand.penalty),
            (Collateral(seize), Bps(penalty)),
            "{collateral}"
        );
        assert_eq!(
            (terms.demand.extent, terms.penalty_amount),
            (Extent::TakeOver, Quote(seize - 950_000_000))
        );
    }
}

#[test]
fn bad_debt_is_taken_at_par_and_its_size_is_told() {
    let terms = taken_over(9_500, 900_000_000);
    assert_eq!((terms.demand.penalty, terms.deficit), (Bps(0), Quote(50_000_000)));
    assert_eq!(
        (terms.demand.repay, terms.seize),
        (Quote(950_000_000), Collateral(900_000_000))
    );
    assert_eq!((terms.worth, terms.penalty_amount), (Quote(900_000_000), Quote(0)));
    let edge = taken_over(9_500, 950_000_000);
    assert_eq!(
        (edge.demand.penalty, edge.deficit, edge.penalty_amount),
        (Bps(0), Quote(0), Quote(0))
    );
    let nothing_left = taken_over(9_500, 0);
    assert_eq!(
        (nothing_left.demand.extent, nothing_left.deficit),
        (Extent::TakeOver, Quote(950_000_000))
    );
}

#[test]
fn the_deficit_is_told_at_the_lower_price() {
    let demand = apart(&CONFIG, 950_000_000, 1_000_000_000, 90).unwrap();
    let settled = Price::from_raw(ONE * 9 / 10).divisor().unwrap();
    let terms = demand
        .terms(&rules_at(&CONFIG, ONE * 9 / 10), Collateral(1_000_000_000), &settled)
        .unwrap();
    assert_eq!(
        (terms.demand.extent, terms.seize),
        (Extent::TakeOver, Collateral(1_000_000_000))
    );
    assert_eq!((terms.worth, terms.deficit), (Quote(900_000_000), Quote(50_000_000)));
}

#[test]
fn a_cut_leaves_no_dust_and_is_no_crumb() {
    let demand = |debt: u64, value: u64| apart(&CONFIG, debt, value, 100).unwrap();
    let within = |demand: Demand, debt, limit| {
        let cut = demand.within(&CONFIG, Quote(debt), Quote(limit), Error::PipelineFull)?;
        Ok((cut.extent, cut.repay.0))
    };
    let wanted = demand(850_000_000, 1_000_000_000);
    assert_eq!(
        within(wanted, 850_000_000, u64::MAX),
        Ok((Extent::Partial, 412_371_135))
    );
    assert_eq!(
        within(wanted, 850_000_000, 412_371_134),
        Ok((Extent::Partial, 412_371_134))
    );
    // The minimum debt is 10,000,000.
    assert_eq!(
        within(wanted, 850_000_000, 10_000_000),
        Ok((Extent::Partial, 10_000_000))
    );
    assert_eq!(within(wanted, 850_000_000, 9_999_999), Err(Error::PipelineFull));
    // What is wanted is less than that.
    let little = demand(16_500_000, 20_000_000);
    assert_eq!((little.extent, little.repay), (Extent::Partial, Quote(6_185_568)));
    assert_eq!(within(little, 16_500_000, 6_185_567), Err(Error::PipelineFull));
    assert_eq!(within(little, 16_500_000, 6_185_568), Ok((Extent::Partial, 6_185_568)));
    // A whole account that is cut leaves the minimum debt, unless there is no room for that.
    let whole = demand(25_500_000, 28_000_000);
    assert_eq!(whole.extent, Extent::Whole);
    assert_eq!(within(whole, 25_500_000, 25_500_000), Ok((Extent::Whole, 25_500_000)));
    assert_eq!(within(whole, 25_500_000, 25_499_999), Ok((Extent::Partial, 15_500_000)));
    assert_eq!(within(whole, 25_500_000, 12_000_000), Ok((Extent::Partial, 12_000_000)));
    let whole = demand(15_000_000, 17_000_000);
    assert_eq!(whole.extent, Extent::Whole);
    assert_eq!(within(whole, 15_000_000, 12_000_000), Ok((Extent::Partial, 12_000_000)));
    // A take-over is never cut.
    let over = demand(950_000_000, 1_000_000_000);
    assert_eq!(within(over, 950_000_000, 0), Ok((Extent::TakeOver, 950_000_000)));
}

#[test]
fn the_bounty_of_a_partial_is_at_most_half_the_penalty() {
    let terms = at_par(850_000_000, 1_000_000_000).unwrap();
    // 0.05 and a quarter of a percent of 412.37.
    assert_eq!(terms.bounty(&CONFIG), Quote(50_000 + 1_030_927));
    let with = |penalty_amount| Terms {
        penalty_amount: Quote(penalty_amount),
        ..terms
    };
    assert_eq!(with(2_161_854).bounty(&CONFIG), Quote(1_080_927));
    assert_eq!(with(2_161_853).bounty(&CONFIG), Quote(1_080_926));
    assert_eq!(with(1).bounty(&CONFIG), Quote(0));
    let whole = Terms {
        demand: Demand {
            extent: Extent::Whole,
            ..terms.demand
        },
        ..with(1_000)
    };
    assert_eq!(whole.bounty(&CONFIG), Quote(500));
    let capped = |cap| Config {
        bounty_cap: Quote(cap),
        ..CONFIG
    };
    assert_eq!(terms.bounty(&capped(1_080_927)), Quote(1_080_927));
    assert_eq!(terms.bounty(&capped(1_080_926)), Quote(1_080_926));
}

#[test]
fn the_bounty_of_a_take_over_is_of_what_the_collateral_pays() {
    // A quarter of a percent of 950, then of 900, whatever the margin.
    assert_eq!(
        taken_over(9_500, 1_000_000_000).bounty(&CONFIG),
        Quote(50_000 + 2_375_000)
    );
    assert_eq!(
        taken_over(9_500, 950_000_000).bounty(&CONFIG),
        Quote(50_000 + 2_375_000)
    );
    assert_eq!(
        taken_over(9_500, 900_000_000).bounty(&CONFIG),
        Quote(50_000 + 2_250_000)
    );
    assert_eq!(taken_over(9_500, 0).bounty(&CONFIG), Quote(50_000));
    let capped = Config {
        bounty_cap: Quote(2_299_999),
        ..CONFIG
    };
    assert_eq!(taken_over(9_500, 900_000_000).bounty(&capped), Quote(2_299_999));
}

#[test]
fn guardians_share_the_penalty_of_a_partial_alone() {
    let partial = at_par(850_000_000, 1_000_000_000).unwrap();
    assert_eq!(partial.shared_penalty(&CONFIG), Quote(4_123_711));
    // Of 50 of margin 1% of the debt; of 5 the whole.
    assert_eq!(
        taken_over(9_500, 1_000_000_000).shared_penalty(&CONFIG),
        Quote(9_500_000)
    );
    assert_eq!(taken_over(9_500, 955_000_000).shared_penalty(&CONFIG), Quote(5_000_000));
    assert_eq!(taken_over(9_500, 900_000_000).shared_penalty(&CONFIG), Quote(0));
}

prop_compose! {
    fn config()(
        takeover in 8_000u32..10_000, a in 1u32..10_000, b in 0u32..10_000, c in 1u32..10_000, penalty in 1u32..=2_500,
        more in 0u32..=2_500, gap in 0u32..=2_500, share in 0u32..=1_000, tip in 0u64..=100_000,
    ) -> Config {
        let liquidation = 100 + a % (takeover - 100);
        // θ(1 + takeover_penalty) ≥ 1
        let least = 100_000_000u32.div_ceil(takeover) - 10_000;
        let target = 1 + liquidation - 1 - b % (liquidation - 1);
        Config {
            takeover_ltv: Bps(takeover),
            liquidation_ltv: Bps(liquidation.min(takeover - 1)),
            target_ltv: Bps(target.min(takeover - 1)),
            initial_ltv: Bps(c % target.max(2)),
            penalty: Bps(penalty),
            takeover_penalty: Bps((penalty + more).clamp(least, 2_500)),
            max_gap: Bps(gap % (10_000 - takeover).min(2_500)),
            bounty_share: Bps(share.min(penalty / 2)),
            bounty_tip: Quote(tip.min(10_000_000 * u64::from(penalty) / 20_000)),
            stress_fall: Bps(5_000),
            ..CONFIG
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn every_liquidation_keeps_its_promises(
        config in config(), collateral in 1u64..1 << 53, raw in 1u128 << 40..1 << 80, ltv in 1u64..20_000,
        gap in 0u128..=12_000,
    ) {
        prop_assume!(config.validate().is_ok());
        // The lower price, up to a fifth further away than `max_gap`.
        let judged = Price::from_raw(raw);
        let gap = u128::from(config.max_gap.0) * gap / 10_000;
        let settled = Price::from_raw(raw - raw * gap / 10_000);
        let prices = LiquidationPrices { judged, settled };
        let (rules, divisor) = (Rules::new(&config, config.liquidation_ltv, &prices), settled.divisor().unwrap());
        let values = |left| Some(Values { judged: judged.quote_floor(Collateral(left)).ok()?, settled: settled.quote_floor(Collateral(left)).ok()? });
        let Some(before) = values(collateral) else { return Ok(()) };
        prop_assume!(before.judged.0 > 0 && before.judged.0 < 1 << 53);
        let debt = Quote((u128::from(before.judged.0) * u128::from(ltv) / u128::from(BPS)) as u64);
        let is_over = num::wide(debt.0, BPS) >= num::wide(before.judged.0, config.takeover_ltv.factor());
        let demand = Demand::of(&rules, debt, before);
        if !exceeds(debt, before.judged, config.liquidation_ltv) {
            prop_assert_eq!(demand, Err(Error::AccountHealthy));
            return Ok(());
        }
        if !is_over {
            if rules.spread.is_none() {
                prop_assert_eq!(demand, Err(Error::PriceGapTooWide));
                return Ok(());
            }
            if before.settled < debt {
                prop_assert_eq!(demand, Err(Error::CollateralBelowDebt));
                return Ok(());
            }
        }
        let terms = demand.unwrap().terms(&rules, Collateral(collateral), &divisor).unwrap();
        prop_assert_eq!(is_over, terms.demand.extent == Extent::TakeOver);
        prop_assert!(terms.demand.repay <= debt && terms.seize.0 <= collateral);
        // What is seized is worth x(1+β) at l at most; so is what the books say.
        let seized = settled.quote_floor(terms.seize).unwrap();
        let wanted = if is_over { config.takeover_penalty } else { config.penalty };
        prop_assert!(terms.demand.penalty <= wanted);
        prop_assert!(num::wide(seized.0, BPS) <= num::wide(terms.demand.repay.0, wanted.above_one()));
        prop_assert!(seized <= terms.worth && terms.worth.0 - seized.0 <= settled.quote_ceil(Collateral(1)).unwrap().0 + 1);
        prop_assert_eq!(terms.penalty_amount.0, terms.worth.0.saturating_sub(terms.demand.repay.0));
        prop_assert_eq!(terms.deficit.0, terms.demand.repay.0.saturating_sub(terms.worth.0));
        let (debt_after, left) = (debt.0 - terms.demand.repay.0, collateral - terms.seize.0);
        let after = values(left).unwrap();
        match terms.demand.extent {
            Extent::Partial => {
                prop_assert!(debt_after >= config.min_debt.0);
                // The account ends at the target at h or below it, within an atom.
                prop_assert!(!exceeds(Quote(debt_after), Quote(after.judged.0 + 1), config.target_ltv));
                // And not further below than rounding explains: an atom of each token, and two 10^-8 of what is repaid.
                let slack = num::wide(after.judged.0, config.target_ltv.factor()) as f64 - num::wide(debt_after, BPS) as f64;
                let atom = judged.quote_ceil(Collateral(1)).unwrap().0 + 4;
                let inexact = if judged == settled { 0.0 } else { terms.demand.repay.0 as f64 * 2e-8 };
                prop_assert!(slack <= (atom as f64 + inexact) * 1e4, "slack {slack} inexact {inexact} atom {atom}");
            }
            Extent::Whole | Extent::TakeOver => prop_assert_eq!(debt_after, 0),
        }
        let bounty = terms.bounty(&config);
        prop_assert!(bounty <= config.bounty_cap);
        if terms.demand.extent == Extent::TakeOver {
            let paid = terms.demand.repay.min(terms.worth);
            let most = config.bounty_tip.0 + num::part(paid.0, config.bounty_share);
            prop_assert_eq!(bounty.0, most.min(config.bounty_cap.0));
            // All of the collateral, but for what the penalty's rounding leaves.
            prop_assert!(left == 0 || terms.demand.penalty == config.takeover_penalty);
            prop_assert!(after.settled.0 <= settled.quote_ceil(Collateral(1)).unwrap().0 + 1);
        } else {
            prop_assert!(bounty.0 <= terms.penalty_amount.0 / 2);
            prop_assert_eq!(terms.deficit, Quote::ZERO);
        }
        prop_assert!(terms.shared_penalty(&config) <= terms.penalty_amount);
    }
}

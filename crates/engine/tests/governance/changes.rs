//! Changes of parameters, at once and queued, and of the liquidation LTV.

use super::scene::{NOW, USDC, change, later, market, prices, refused};
use breakwater_engine::{Bps, Clock, Error, Parameter, ParameterChange, Quote};

#[test]
fn tightening_goes_one_way_and_only_for_what_limits() {
    let (mut market, _) = market();
    // Where it can still be tightened.
    market.config.stress_max = Bps(4_900);
    market.config.debt_cap.0 /= 2;
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
                if *parameter == Parameter::market_depth {
                    (expected.depth.lowered_from, expected.depth.lowered_at) = (Quote(value), NOW.unix);
                }
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
    let beyond = change(&market, Parameter::stress_max, 5_001);
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
    let starts_at = NOW.unix + market.config.change_delay();
    let ends_at = starts_at + 10 * 86_400;
    market
        .announce_liquidation_ltv(Bps(8_800), starts_at, ends_at, NOW)
        .unwrap();
    // Fits 80%, and not 88%.
    let takeover = [
        change(&market, Parameter::takeover_ltv, 8_800),
        change(&market, Parameter::takeover_penalty, 1_400),
    ];
    // Fits 88%, and not 80%.
    let target = change(&market, Parameter::target_ltv, 8_100);
    let (middle, after) = (later(13 * 86_400), later(20 * 86_400));
    for clock in [NOW, middle, after] {
        refused(
            &market,
            |market| market.change_parameters(&takeover, clock),
            Error::LtvOrder,
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
    market.change_parameters(&takeover, later(2)).unwrap();
}

#[test]
fn a_ramp_is_taken_back_before_it_begins_and_not_after() {
    let (mut market, _) = market();
    let starts_at = NOW.unix + market.config.change_delay();
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
    let canceled = market.cancel_ramp(before).unwrap();
    assert_eq!((canceled.stays, canceled.announced), (Bps(8_000), Bps(7_800)));
    assert_eq!(market.liquidation_ltv(ended), Bps(8_000));
    refused(&market, |market| market.cancel_ramp(before), Error::NothingQueued);
}

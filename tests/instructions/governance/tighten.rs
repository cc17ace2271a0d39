//! Every parameter × both directions, at once: what only limits is done, what does anything else is not.

use super::parameters::{BEFORE, change, governed};
use breakwater::{error::BreakwaterError, events::Tightened};
use breakwater_engine::{Config, Parameter, ParameterChange, Quote};
use breakwater_testkit::{World, ix};

/// Parameters that are tighter when lower.
const LOWER: [Parameter; 5] = [
    Parameter::market_depth,
    Parameter::initial_ltv,
    Parameter::supply_cap,
    Parameter::debt_cap,
    Parameter::account_debt_cap,
];

/// Parameters that are tighter when higher.
const HIGHER: [Parameter; 3] = [
    Parameter::stress_volatility,
    Parameter::stress_max,
    Parameter::equity_withdrawal_delay,
];

/// As tight as each parameter goes at once: the end of its bounds in its direction, half of the depth.
pub fn tightest(parameter: Parameter, config: &Config) -> Option<u64> {
    let (min, max) = parameter.bounds(config);
    if parameter == Parameter::market_depth {
        Some(config.market_depth.0.div_ceil(2))
    } else if LOWER.contains(&parameter) {
        Some(min)
    } else if HIGHER.contains(&parameter) {
        Some(max)
    } else {
        None
    }
}

#[test]
fn every_parameter_is_tightened_to_its_bound_in_its_direction_and_in_no_other() {
    use BreakwaterError::{DepthLoweredTooFar, LiquidationLtvByRamp, NotTighter, ParameterOutOfBounds};
    let (mut world, market, authority, grace) = governed(World::lite());
    let (begun, before) = (world.snapshot(), world.market_state(&market));
    let signers = [&authority, &grace];
    for &parameter in Parameter::ALL {
        let (now, (min, max)) = (parameter.get(&BEFORE), parameter.bounds(&BEFORE));
        let tightest = tightest(parameter, &BEFORE);
        let end = tightest.unwrap_or(now);
        let values = [
            0,
            end.saturating_sub(1),
            end,
            min.saturating_sub(1),
            min,
            now.saturating_sub(1),
            now.saturating_add(1),
            max,
            max.saturating_add(1),
        ];
        for value in values.into_iter().filter(|value| *value != now) {
            let lower = value < now;
            let expected = match tightest {
                _ if parameter == Parameter::liquidation_ltv => Some(LiquidationLtvByRamp),
                None => Some(NotTighter),
                Some(end) if lower != (end < now) => Some(NotTighter),
                Some(end) if parameter == Parameter::market_depth && value < end => Some(DepthLoweredTooFar),
                Some(_) if !(min..=max).contains(&value) => Some(ParameterOutOfBounds),
                Some(_) => None,
            };
            println!("{} from {now} to {value}: {expected:?}", parameter.name());
            for signer in signers {
                let changes = vec![change(parameter, value)];
                let tighten = ix::tighten(&market, &signer.key(), changes.clone());
                if let Some(error) = expected {
                    world.assert_error_unchanged(&[tighten], &[signer], error);
                    continue;
                }
                let event = world.send(&[tighten], &[signer]).unwrap().event::<Tightened>();
                let (market_key, signer) = (market.market, signer.key());
                assert_eq!(
                    event,
                    Tightened {
                        market: market_key,
                        signer,
                        changes
                    }
                );
                let mut after = before;
                parameter.set(&mut after.config, value).unwrap();
                if parameter == Parameter::market_depth {
                    (after.depth.lowered_from, after.depth.lowered_at) = (Quote(now), world.unix());
                }
                assert_eq!(world.market_state(&market), after);
                world.restore(&begun);
            }
        }
    }
}

#[test]
fn all_that_can_be_tightened_goes_to_its_limit_in_one_transaction() {
    let (mut world, market, _, grace) = governed(World::program_test());
    let changes: Vec<ParameterChange> = LOWER
        .into_iter()
        .chain(HIGHER)
        .map(|parameter| change(parameter, tightest(parameter, &BEFORE).unwrap()))
        // The largest fall is as large as it may be already.
        .filter(|change| change.from != change.to)
        .collect();
    let mut after = world.market_state(&market);
    for parameter in LOWER.into_iter().chain(HIGHER) {
        let end = tightest(parameter, &BEFORE).unwrap();
        parameter.set(&mut after.config, end).unwrap();
    }
    (after.depth.lowered_from, after.depth.lowered_at) = (BEFORE.market_depth, world.unix());
    world.tighten(&market, &grace, &changes).unwrap();
    assert_eq!(world.market_state(&market), after);
}

#[test]
fn one_loosening_among_many_tightenings_stops_them_all() {
    let (mut world, market, authority, grace) = governed(World::program_test());
    let limiting = [
        change(Parameter::initial_ltv, 6_000),
        change(Parameter::stress_volatility, 30_000),
    ];
    for loosening in [
        change(Parameter::supply_cap, u64::MAX),
        change(Parameter::stress_max, 4_999),
        change(Parameter::outflow_limit, 500),
    ] {
        for place in 0..=limiting.len() {
            let mut changes = limiting.to_vec();
            changes.insert(place, loosening);
            for signer in [&authority, &grace] {
                let tighten = ix::tighten(&market, &signer.key(), changes.clone());
                world.assert_error_unchanged(&[tighten], &[signer], BreakwaterError::NotTighter);
            }
        }
    }
}

#[test]
fn the_direction_is_told_from_what_the_parameter_is_and_not_from_what_the_change_says() {
    let (mut world, market, _, grace) = governed(World::program_test());
    // "From" higher than it is, so that a loosening looks like a tightening.
    for (parameter, from, to) in [
        (Parameter::initial_ltv, 9_000, 7_400),
        (Parameter::supply_cap, u64::MAX, u64::MAX - 1),
        (Parameter::stress_volatility, 0, 500),
    ] {
        let parameter = parameter.id();
        let lie = ix::tighten(&market, &grace.key(), vec![ParameterChange { parameter, from, to }]);
        world.assert_error_unchanged(&[lie], &[&grace], BreakwaterError::StaleChange);
    }
}

#[test]
fn it_is_done_once() {
    let (mut world, market, _, grace) = governed(World::program_test());
    let changes = vec![change(Parameter::initial_ltv, 6_999)];
    let tighten = ix::tighten(&market, &grace.key(), changes);
    let twice = [tighten.clone(), tighten.clone()];
    world.assert_error_unchanged(&twice, &[&grace], BreakwaterError::StaleChange);
    world.send(std::slice::from_ref(&tighten), &[&grace]).unwrap();
    world.assert_error_unchanged(&[tighten], &[&grace], BreakwaterError::StaleChange);
}

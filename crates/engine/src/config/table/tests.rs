use super::*;
use std::{string::String, vec::Vec};

const CONFIG: Config = Config::EXAMPLE;

/// Sets a value past the type's own check.
fn with(parameter: Parameter, value: u64) -> Option<Config> {
    let mut config = CONFIG;
    parameter.set(&mut config, value).ok()?;
    Some(config)
}

#[test]
fn numbers_are_places_and_names_are_fields() {
    for (place, parameter) in Parameter::ALL.iter().enumerate() {
        assert_eq!(usize::from(parameter.id()), place);
        assert_eq!(Parameter::from_id(parameter.id()), Ok(*parameter));
        assert_eq!(std::format!("{parameter:?}"), parameter.name());
    }
    let beyond = u8::try_from(Parameter::ALL.len()).unwrap();
    for id in [beyond, u8::MAX] {
        assert_eq!(Parameter::from_id(id), Err(Error::ParameterUnknown));
    }
    // The bits of `check_changes`.
    assert!(beyond < 128);
}

#[test]
fn numbers_stay_what_they_are() {
    // Stored in what is queued: a new parameter is added to this list at its end.
    let names: Vec<&str> = Parameter::ALL.iter().map(|parameter| parameter.name()).collect();
    assert_eq!(
        names.join(" "),
        "min_debt bounty_tip guarded_flow market_depth bounty_cap initial_ltv target_ltv liquidation_ltv takeover_ltv \
         penalty takeover_penalty bounty_share flow_rate stress_fall stress_volatility stress_max standby_share \
         auction_slope auction_max_discount auction_max_premium auction_floor_band interest_base interest_kink \
         interest_slope_low interest_slope_high reserve_factor max_velocity velocity_slack own_ema_band ema_band \
         confidence_guard confidence_halt max_gap guarded_close_factor guardian_share pipeline auction_burst max_age_short \
         max_age_long max_skew velocity_horizon own_ema_seconds calm_seconds guarded_refill guarded_window \
         halt_seconds halt_cooldown guardian_cooldown guardian_release equity_withdrawal_delay equity_withdrawal_window volatility_seconds \
         volatility_horizon supply_cap debt_cap account_debt_cap outflow_limit outflow_window \
         volatility_sample max_age_rate"
    );
}

#[test]
fn a_parameter_is_set_alone_and_read_back() {
    for parameter in Parameter::ALL {
        let (min, max) = parameter.bounds(&CONFIG);
        for value in [min, max, parameter.get(&CONFIG)] {
            let config = with(*parameter, value).unwrap();
            assert_eq!(parameter.get(&config), value, "{parameter:?}");
            for other in Parameter::ALL {
                assert!(
                    other == parameter || other.get(&config) == other.get(&CONFIG),
                    "{parameter:?} {other:?}"
                );
            }
        }
    }
}

#[test]
fn what_does_not_fit_its_type_is_out_of_bounds() {
    let mut narrow = 0;
    for parameter in Parameter::ALL {
        let mut config = CONFIG;
        let fits = parameter.set(&mut config, 1 << 32);
        if parameter.get(&config) == 1 << 32 {
            assert_eq!(fits, Ok(()));
        } else {
            narrow += 1;
            assert_eq!((fits, config), (Err(Error::ParameterOutOfBounds), CONFIG));
        }
    }
    let wide = Parameter::ALL.len() - narrow;
    assert_eq!((wide * 8) + (narrow * 4), size_of::<Config>());
}

/// Every parameter at its bounds and one beyond each. A change of one may put another out of bounds that refers to it;
/// so what is asked is whether its own row is obeyed, and beyond it whether the whole is refused.
#[test]
fn every_bound_is_enforced_to_the_unit() {
    let inside = |config: &Config, parameter: Parameter| {
        let (min, max) = parameter.bounds(config);
        (min..=max).contains(&parameter.get(config))
    };
    let mut refused = 0;
    for parameter in Parameter::ALL {
        let (min, max) = parameter.bounds(&CONFIG);
        assert!(min < max && inside(&CONFIG, *parameter), "{parameter:?}");
        for value in [min, max] {
            let config = with(*parameter, value).unwrap();
            let others = Parameter::ALL.iter().all(|other| inside(&config, *other));
            let expected = if others {
                Ok(())
            } else {
                Err(Error::ParameterOutOfBounds)
            };
            assert!(inside(&config, *parameter));
            assert_eq!(config.check_bounds(), expected, "{parameter:?} = {value}");
        }
        for value in [min.checked_sub(1), max.checked_add(1)].into_iter().flatten() {
            let config = with(*parameter, value).unwrap();
            assert_eq!(
                config.validate(),
                Err(Error::ParameterOutOfBounds),
                "{parameter:?} = {value}"
            );
            refused += 1;
        }
    }
    // All upper ends but those of five amounts that have none, and the lower ends that are not zero.
    let from_zero = Parameter::ALL.iter().filter(|row| row.bounds(&CONFIG).0 == 0).count();
    let unbounded = Parameter::ALL.iter().filter(|row| row.bounds(&CONFIG).1 == u64::MAX);
    assert_eq!(unbounded.count(), 5);
    assert_eq!(refused, 2 * Parameter::ALL.len() - 5 - from_zero);
}

#[test]
fn bounds_that_refer_to_others_follow_them() {
    for (parameter, other, side) in [
        (Parameter::bounty_tip, Parameter::min_debt, 1),
        (Parameter::bounty_cap, Parameter::bounty_tip, 0),
        (Parameter::takeover_penalty, Parameter::penalty, 0),
        (Parameter::stress_fall, Parameter::stress_max, 1),
        (Parameter::confidence_guard, Parameter::confidence_halt, 1),
        (Parameter::max_age_short, Parameter::max_age_long, 1),
        (Parameter::halt_cooldown, Parameter::halt_seconds, 0),
    ] {
        let config = with(other, other.get(&CONFIG) - 1).unwrap();
        let (min, max) = parameter.bounds(&config);
        assert_eq!([min, max][side], other.get(&config), "{parameter:?}");
    }
}

#[test]
fn tighter_is_only_what_limits_new_risk_or_the_authority() {
    let named = |tighter| {
        let rows = Parameter::ALL.iter().filter(|row| row.tighter() == tighter);
        rows.map(|row| row.name()).collect::<Vec<_>>().join(" ")
    };
    let lower = String::from("market_depth initial_ltv supply_cap debt_cap account_debt_cap");
    let higher = String::from("stress_volatility stress_max equity_withdrawal_delay");
    assert_eq!((named(Tighter::Lower), named(Tighter::Higher)), (lower, higher));
    for (from, to) in [(1, 2), (2, 1), (2, 2), (0, u64::MAX)] {
        assert_eq!(Tighter::Lower.is(from, to), to < from);
        assert_eq!(Tighter::Higher.is(from, to), to > from);
        assert!(!Tighter::Neither.is(from, to));
    }
}

#[test]
fn first_limits_are_inclusive_and_each_is_enforced() {
    assert_eq!(CONFIG.check_first_limits(), Err(Error::FirstLimitExceeded));
    let first = CONFIG.first();
    assert_eq!((first.validate(), first.check_first_limits()), (Ok(()), Ok(())));
    for (parameter, most) in FIRST_LIMITS {
        let mut config = first;
        parameter.set(&mut config, most).unwrap();
        assert_eq!(config.check_first_limits(), Ok(()), "{parameter:?}");
        parameter.set(&mut config, most + 1).unwrap();
        assert_eq!(config.check_first_limits(), Err(Error::FirstLimitExceeded));
        assert_eq!(parameter.get(&config.first()), most);
    }
    // Nothing else is touched.
    for parameter in Parameter::ALL {
        if FIRST_LIMITS.iter().all(|(limited, _)| limited != parameter) {
            assert_eq!(parameter.get(&first), parameter.get(&CONFIG));
        }
    }
}

#[test]
fn times_are_bounded_in_days() {
    let most = |parameter: Parameter| parameter.bounds(&CONFIG).1;
    assert_eq!(most(Parameter::calm_seconds), 3_600);
    assert_eq!(most(Parameter::own_ema_seconds), 86_400);
    assert_eq!(most(Parameter::outflow_window), 604_800);
    assert_eq!(most(Parameter::guardian_cooldown), 2_592_000);
    assert_eq!(most(Parameter::pipeline), 86_400);
}

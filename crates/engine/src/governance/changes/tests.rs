use super::*;
use crate::math::units::{Bps, Quote};
use std::vec::Vec;

const CONFIG: Config = Config::EXAMPLE;

fn change(parameter: Parameter, to: u64) -> ParameterChange {
    ParameterChange {
        parameter: parameter.id(),
        from: parameter.get(&CONFIG),
        to,
    }
}

fn applied(changes: &[ParameterChange]) -> Result<Config> {
    let config = CONFIG.changed(changes)?;
    config.validate()?;
    Ok(config)
}

#[test]
fn changes_are_made_together_or_not_at_all() {
    let (cap, debt) = (Parameter::supply_cap, Parameter::debt_cap);
    let expected = Config {
        supply_cap: Quote(5),
        debt_cap: Quote(6),
        ..CONFIG
    };
    assert_eq!(applied(&[change(cap, 5), change(debt, 6)]), Ok(expected));
    // The second one alone would do.
    let beyond = change(Parameter::max_skew, 61);
    assert_eq!(applied(&[change(debt, 6), beyond]), Err(Error::ParameterOutOfBounds));
    // Each alone breaks the order, both together do not.
    let (target, initial) = (
        change(Parameter::target_ltv, 6_500),
        change(Parameter::initial_ltv, 6_000),
    );
    assert_eq!(applied(&[target]), Err(Error::LtvOrder));
    assert_eq!(
        applied(&[target, initial]).map(|config| config.initial_ltv),
        Ok(Bps(6_000))
    );
    assert_eq!(
        applied(&[initial, target]).map(|config| config.target_ltv),
        Ok(Bps(6_500))
    );
}

#[test]
fn each_change_begins_where_the_parameter_is() {
    for parameter in Parameter::ALL {
        if *parameter == Parameter::liquidation_ltv {
            continue;
        }
        let honest = change(*parameter, parameter.bounds(&CONFIG).0);
        if honest.from == honest.to {
            continue;
        }
        for from in [honest.from.wrapping_add(1), honest.from.wrapping_sub(1)] {
            if from != honest.to {
                let stale = ParameterChange { from, ..honest };
                assert_eq!(applied(&[stale]), Err(Error::StaleChange), "{parameter:?}");
            }
        }
    }
}

#[test]
fn what_is_no_list_of_changes_is_refused() {
    let honest = change(Parameter::supply_cap, 5);
    let unknown = ParameterChange {
        parameter: u8::try_from(Parameter::ALL.len()).unwrap(),
        ..honest
    };
    let ltv = change(Parameter::liquidation_ltv, 7_900);
    let back = ParameterChange {
        from: 5,
        to: CONFIG.supply_cap.0,
        ..honest
    };
    for (changes, expected) in [
        (&[][..], Error::NoChange),
        (&[change(Parameter::supply_cap, CONFIG.supply_cap.0)], Error::NoChange),
        (&[unknown], Error::ParameterUnknown),
        (
            &[ParameterChange {
                parameter: 255,
                ..honest
            }],
            Error::ParameterUnknown,
        ),
        (&[ltv], Error::LiquidationLtvByRamp),
        (&[honest, ltv], Error::LiquidationLtvByRamp),
        (&[honest, honest], Error::ParameterTwice),
        (&[honest, back], Error::ParameterTwice),
    ] {
        assert_eq!(check_changes(changes), Err(expected));
        assert_eq!(applied(changes), Err(expected), "{changes:?}");
    }
}

#[test]
fn an_entry_has_at_most_sixteen_changes() {
    let changes: Vec<ParameterChange> = Parameter::ALL
        .iter()
        .filter(|parameter| **parameter != Parameter::liquidation_ltv)
        .map(|parameter| change(*parameter, parameter.get(&CONFIG) ^ 1))
        .collect();
    assert_eq!(check_changes(&changes[..MAX_CHANGES]), Ok(()));
    assert_eq!(check_changes(&changes[..=MAX_CHANGES]), Err(Error::TooManyChanges));
    // The last parameter of the table has its own bit as well.
    let last = *changes.last().unwrap();
    assert_eq!(check_changes(&[changes[2], last]), Ok(()));
    assert_eq!(check_changes(&[last, changes[2], last]), Err(Error::ParameterTwice));
}

//! The experiment about the stress cover: what must be true of it whatever its figures are, and that its figures say
//! what the page built on them says.

use std::sync::LazyLock;

use breakwater_engine::{Bps, Config};
use breakwater_lab::{
    risk::{
        CASES, Experiment, Outcome,
        demand::COUNT,
        variants::{self, DEFAULTS, WITHOUT},
    },
    scenario::Scenario,
};

/// Number of a crash.
const FALL_OF_40: usize = 2;
/// Number of a case.
const CROWDED: usize = 0;
const SPREAD: usize = 1;

static EXPERIMENT: LazyLock<Experiment> = LazyLock::new(|| {
    let scenario = Scenario::parse(include_str!("../scenarios/black-thursday.toml")).expect("valid");
    Experiment::new(&scenario).expect("valid")
});

/// Outcomes in the markets that the tables compare.
static COMPARED: LazyLock<Vec<Vec<Outcome>>> =
    LazyLock::new(|| EXPERIMENT.all(&variants::compared()).expect("not refused"));

fn of(config: &Config, case: usize) -> Outcome {
    EXPERIMENT.outcome(&CASES[case], config).expect("not refused")
}

#[test]
fn the_demand_is_the_same_in_every_market() {
    for (variant, outcomes) in variants::compared().iter().zip(&*COMPARED) {
        for Outcome { loans, .. } in outcomes {
            assert_eq!(loans.asked, 11_550_000_000_000, "{}", variant.name);
            let people = loans.at_once + loans.against_more + loans.cut + loans.refused;
            assert_eq!(u64::from(people), COUNT, "{}", variant.name);
            assert_eq!(
                loans.lent < loans.asked,
                loans.cut + loans.refused > 0,
                "{}",
                variant.name
            );
        }
    }
}

#[test]
fn many_markets_at_once_are_the_same_as_one_after_the_other() {
    for (case, outcome) in COMPARED[1].iter().enumerate() {
        assert_eq!(of(&DEFAULTS, case), *outcome, "{case}");
    }
}

#[test]
fn with_the_cover_the_backstop_survives_a_fall_of_40_percent() {
    assert_eq!(EXPERIMENT.crashes[FALL_OF_40].name, "−40% in an hour");
    for case in 0..CASES.len() {
        assert!(of(&DEFAULTS, case).losses[FALL_OF_40].lowest_equity > 0, "{case}");
    }
    let (with, without) = (of(&DEFAULTS, CROWDED), of(&WITHOUT, CROWDED));
    assert!(with.loans.largest_band * 2 < without.loans.largest_band);
    assert!(with.loans.lent * 100 > without.loans.lent * 94);
    assert!(without.losses[FALL_OF_40].lowest_equity < -500_000_000_000);
}

#[test]
fn who_does_not_crowd_does_not_notice_the_cover() {
    assert_eq!(of(&DEFAULTS, SPREAD).loans, of(&WITHOUT, SPREAD).loans);
}

#[test]
fn a_fall_that_follows_volatility_lends_a_crowd_less() {
    let fixed = Config {
        stress_volatility: Bps(0),
        ..DEFAULTS
    };
    assert!(of(&DEFAULTS, CROWDED).loans.lent < of(&fixed, CROWDED).loans.lent);
}

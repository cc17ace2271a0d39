//! The replay, on the compiled program: a small market through the first 18 hours of Black Thursday.

use breakwater_lab::{
    record::{Check, Record, Summary},
    run,
    scenario::Scenario,
};

const HOURS: u32 = 18;
const STEPS: u32 = HOURS * 180;

fn scenario() -> Scenario {
    let text = include_str!("../scenarios/black-thursday.toml");
    let mut scenario = Scenario::parse(text).expect("the scenario of the repository is valid");
    scenario.day.truncate(1);
    scenario.day[0].hours.retain(|hour| hour.hour <= HOURS);
    scenario.accounts.count = 24;
    scenario
}

fn replay(scenario: &Scenario) -> Record {
    run::run(scenario, |_| ()).expect("the replay goes through")
}

fn failed(record: &Record) -> Vec<&str> {
    record
        .checks
        .iter()
        .filter(|check| !check.holds)
        .map(|check| check.claim.as_str())
        .collect()
}

/// Before the first step, quote tokens.
fn largest_band(record: &Record) -> f64 {
    record.map[0].bands.iter().map(|band| band.debt).fold(0.0, f64::max)
}

#[test]
fn everything_holds_and_a_second_run_is_the_same() {
    let scenario = scenario();
    let record = replay(&scenario);
    assert_eq!(failed(&record), Vec::<&str>::new());
    assert_eq!(record.samples.len(), STEPS as usize + 1);
    // Seven identities before the first step, after every step, and after the keeper's claim.
    assert_eq!(record.summary.identities_checked, 7 * (u64::from(STEPS) + 2));
    assert_eq!((record.summary.loans_cut, record.summary.loans_refused), (0, 0));
    // A column every ten minutes; the map that they show is that of the accounts, debt for debt.
    assert_eq!(record.map.len(), HOURS as usize * 6 + 1);
    assert!(record.map.iter().all(|column| !column.bands.is_empty()));
    assert!(largest_band(&record) > 200.0);
    let measures: Vec<_> = record.samples.iter().filter_map(|sample| sample.risk).collect();
    assert!(measures.len() > STEPS as usize / 2);
    assert!(measures.iter().any(|m| m.proximity == Some(0.0)) && measures.iter().any(|m| m.depth_ratio.is_infinite()));
    assert!(record.summary.liquidations > record.summary.accounts_liquidated);
    let (liquidated, sales) = (record.summary.accounts_liquidated, record.sales.len());
    assert!(liquidated > 5 && sales > 5, "{liquidated} {sales}");
    assert_eq!(record.before.len(), 24);
    assert!(record.profits.keeper > 0);
    // They hold the fall of 25% in one hour: Guarded, but never Halted.
    let [normal, guarded, halted] = record.summary.seconds_at;
    assert_eq!(normal + guarded, u64::from(STEPS) * 20);
    assert!(guarded > 0 && halted == 0 && record.summary.level_changes > 0);

    let timeless = |record: &Record| {
        format!(
            "{:?}",
            Summary {
                seconds: 0.0,
                ..record.summary
            }
        )
    };
    assert_eq!(timeless(&record), timeless(&replay(&scenario)));
}

#[test]
fn a_backstop_without_equity_is_noticed() {
    let mut scenario = scenario();
    scenario.backstop.funded = 0.0;
    // Without room the haircut would be at its largest, and the loans too small to fail.
    scenario.market.crowding_max = 0;
    let record = replay(&scenario);
    // Only insolvent accounts are absorbed, and those whole.
    let expected = ["While Normal, no account was left above its liquidation LTV after a step"];
    assert_eq!(failed(&record), expected);
    assert!(!record.holds());
}

#[test]
fn loans_that_would_overload_a_band_are_cut() {
    let mut scenario = scenario();
    scenario.day[0].hours.retain(|hour| hour.hour <= 2);
    scenario.market.band_limit = 0;
    scenario.market.band_floor = 200.0;
    let limited = replay(&scenario);
    // With so little debt nobody is liquidated, so that some checks have nothing to look at.
    let nothing = |check: &&Check| !check.measured.starts_with("0 checked");
    assert!(limited.checks.iter().filter(nothing).all(|check| check.holds));
    assert!(limited.checks.iter().filter(nothing).count() > 5);
    let Summary {
        loans_cut,
        loans_refused,
        ..
    } = limited.summary;
    assert!(loans_cut > 0 && loans_refused > 0, "{loans_cut} {loans_refused}");
    assert_eq!(limited.before.len(), 24 - loans_refused as usize);
    assert!(largest_band(&limited) <= 200.01);
}

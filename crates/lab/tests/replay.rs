//! The replay, on the compiled program: a small market through the first 18 hours of Black Thursday.

use breakwater_lab::{
    record::{Record, Summary},
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

#[test]
fn everything_holds_and_a_second_run_is_the_same() {
    let scenario = scenario();
    let record = replay(&scenario);
    assert_eq!(failed(&record), Vec::<&str>::new());
    assert_eq!(record.samples.len(), STEPS as usize + 1);
    // Six identities before the first step, after every step, and after the keeper's claim.
    assert_eq!(record.summary.identities_checked, 6 * (u64::from(STEPS) + 2));
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
    let record = replay(&scenario);
    // Only insolvent accounts are absorbed, and those whole.
    let expected = ["While Normal, no account was left above its liquidation LTV after a step"];
    assert_eq!(failed(&record), expected);
    assert!(!record.holds());
}

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
    // Seven identities before the first step, after every step, and after the keeper's claim.
    assert_eq!(record.summary.identities_checked, 7 * (u64::from(STEPS) + 2));
    assert_eq!((record.summary.loans_cut, record.summary.loans_refused), (0, 0));
    // A column every ten minutes; the map that they show is that of the accounts, debt for debt.
    assert_eq!(record.map.len(), HOURS as usize * 6 + 1);
    assert!(record.map.iter().all(|column| !column.bands.is_empty()));
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

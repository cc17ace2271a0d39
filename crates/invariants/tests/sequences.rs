//! Thousands of sequences, every step put to every invariant. `BREAKWATER_SEQUENCES` says how many, `BREAKWATER_SEED`
//! which, `BREAKWATER_ONLY` names the one invariant to look at.

use breakwater_invariants::{Counts, figures, invariants, play};
use proptest::{
    prelude::*,
    test_runner::{RngSeed, TestRunner},
};
use serde_json::json;
use std::{cell::RefCell, env};

/// In CI.
const SEQUENCES: u32 = 2_000;

/// One invariant has to have something to say in so many steps of each thousand sequences at least, and an action to go
/// through so often.
const LEAST: u64 = 20;

fn number(name: &str) -> Option<u32> {
    let text = env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is a number, not {text:?}")),
    )
}

#[test]
fn every_invariant_holds_after_every_action() {
    let sequences = number("BREAKWATER_SEQUENCES").unwrap_or(SEQUENCES);
    let only = env::var("BREAKWATER_ONLY").ok();
    let config = ProptestConfig {
        cases: sequences,
        rng_seed: RngSeed::Fixed(number("BREAKWATER_SEED").unwrap_or(9).into()),
        failure_persistence: None,
        // Failures are made smaller by the action, which is more than bytes can tell.
        max_shrink_iters: 0,
        ..ProptestConfig::default()
    };
    let stories = (any::<u8>(), prop::collection::vec(any::<[u8; 14]>(), 1..50));
    let counts = RefCell::new(Counts::default());
    let failure = RefCell::new(None);
    let result = TestRunner::new(config).run(&stories, |(flavor, stories)| {
        play(
            flavor,
            stories.as_flattened(),
            only.as_deref(),
            &mut counts.borrow_mut(),
        )
        .map_err(|found| {
            *failure.borrow_mut() = Some(found);
            TestCaseError::fail("an invariant is violated")
        })
    });
    if let Some(failure) = failure.take() {
        panic!("{}", failure.minimized());
    }
    result.unwrap();
    let counts = counts.into_inner();
    if only.is_some() {
        return;
    }
    println!("{counts:#?}");
    write_figures(&counts);
    let enough = |times: u64| times * 1_000 >= LEAST * u64::from(sequences);
    let idle: Vec<_> = invariants::all()
        .filter(|invariant| !enough(counts.checked.get(invariant.name).copied().unwrap_or(0)))
        .map(|invariant| invariant.name)
        .collect();
    assert!(idle.is_empty(), "hardly ever put to the test: {idle:?}");
    let rare: Vec<_> = counts.done.iter().filter(|(_, times)| !enough(**times)).collect();
    assert!(rare.is_empty(), "hardly ever done: {rare:?}");
    assert_eq!(
        counts.done.len(),
        37,
        "a kind of action was never done: {:?}",
        counts.done.keys()
    );
}

/// For the project's figures.
fn write_figures(counts: &Counts) {
    let figures = json!({
        "invariants": invariants::all().count(),
        "sequences": counts.sequences,
        "steps": counts.done.values().sum::<u64>(),
    });
    figures::write("sequences.json", &figures).unwrap();
}

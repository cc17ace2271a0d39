//! The program and the engine's own state, side by side: the same random sequences of every action, on the compiled
//! program in LiteSVM and on `breakwater_invariants::State`, which calls the engine without a chain. After each action
//! both must have given the same answer, a refusal by its code, and hold the same state to the last byte: so everything
//! that is proved of the state (`crates/invariants`) is true of the program, and the shell between them (accounts,
//! clock, feeds, tokens, what is saved and what is not) adds nothing of its own.
//!
//! The sequences are the same in every run. `BREAKWATER_CHAIN_SEQUENCES` asks for more of them than CI's.

mod chain;
mod compare;
mod instruction;
mod told;

use crate::scene::{all_feed_kinds, both_token_programs};
use anchor_lang::{prelude::Pubkey, system_program};
use anchor_spl::{token, token_2022};
use breakwater_invariants::{Action, Bytes, Flavor, figures, setting, shortest};
use breakwater_testkit::MarketSpec;
use chain::Chain;
use proptest::{
    prelude::*,
    test_runner::{RngSeed, TestRunner},
};
use std::{cell::RefCell, collections::BTreeMap, env};

/// As many as CI runs: with a debug build of the virtual machine half a minute.
const SEQUENCES: u32 = 100;
/// Each kind of call must go through so often at least.
const LEAST: u64 = 3;

/// Tally of the sequences.
#[derive(Default)]
struct Tally {
    sequences: u64,
    actions: u64,
    /// Calls of each kind: how many went through, and how many were refused.
    calls: BTreeMap<&'static str, (u64, u64)>,
}

/// One market with classic tokens and pull feeds, one with Token-2022 and push feeds.
fn markets() -> [MarketSpec; 2] {
    let ([classic, extended], [_, push, ..]) = (both_token_programs(), all_feed_kinds());
    let (collateral_feed, quote_feed) = (push.collateral_feed, push.quote_feed);
    [
        classic,
        MarketSpec {
            collateral_feed,
            quote_feed,
            ..extended
        },
    ]
}

/// The seasoning chooses the parameters and the market.
fn run(chains: &mut [Chain; 2], seasoning: u8, actions: &[Action], tally: &mut Tally) -> Result<(), String> {
    let chain = &mut chains[usize::from(seasoning >> 7)];
    let mut state = chain.begin(Flavor::of(seasoning));
    compare::states(chain, &state).map_err(|error| format!("at the beginning: {error}"))?;
    for action in actions {
        let step = state.act(action);
        chain.follow(&state);
        compare::step(chain, &step).map_err(|error| format!("{action:?}, {:?}: {error}", step.call))?;
        tally.actions += 1;
        if let Some(call) = &step.call {
            let (done, refused) = tally.calls.entry(instruction::name(call)).or_default();
            *(if step.result.is_ok() { done } else { refused }) += 1;
        }
    }
    tally.sequences += 1;
    Ok(())
}

/// The shortest form of a sequence that fails, and how it does.
fn told(chains: &mut [Chain; 2], seasoning: u8, actions: Vec<Action>) -> String {
    let mut how = String::new();
    let actions = shortest(actions, |rest| {
        let again = run(chains, seasoning, rest, &mut Tally::default());
        again.map_err(|error| how = error).is_err()
    });
    format!("seasoning {seasoning}, {actions:?}\n{how}")
}

#[test]
fn the_program_does_what_the_engine_does_to_the_last_byte() {
    let cases = env::var("BREAKWATER_CHAIN_SEQUENCES").map_or(SEQUENCES, |count| count.parse().expect("a number"));
    let config = ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(0),
        failure_persistence: None,
        // Failures are made smaller by the action, which is more than bytes can tell.
        max_shrink_iters: 0,
        ..ProptestConfig::default()
    };
    let (chains, tally) = (RefCell::new(markets().map(Chain::new)), RefCell::new(Tally::default()));
    let failed = RefCell::new(None);
    let stories = (any::<u8>(), prop::collection::vec(any::<[u8; 14]>(), 1..50));
    let outcome = TestRunner::new(config).run(&stories, |(seasoning, stories)| {
        let mut bytes = Bytes::new(stories.as_flattened());
        let mut actions = setting(seasoning).opening();
        while !bytes.is_empty() {
            actions.extend(Action::steps(&mut bytes));
        }
        let done = run(&mut chains.borrow_mut(), seasoning, &actions, &mut tally.borrow_mut());
        done.map_err(|error| {
            *failed.borrow_mut() = Some((seasoning, actions));
            TestCaseError::fail(error)
        })
    });
    if let Some((seasoning, actions)) = failed.take() {
        panic!("{}", told(&mut chains.borrow_mut(), seasoning, actions));
    }
    outcome.unwrap();

    let tally = tally.into_inner();
    println!("{} actions, done and refused: {:#?}", tally.actions, tally.calls);
    let names: Vec<&str> = tally.calls.keys().copied().collect();
    assert_eq!(
        names,
        instruction::NAMES,
        "calls that were never made, or are not listed"
    );
    let rare: Vec<_> = tally.calls.iter().filter(|(_, (done, _))| *done < LEAST).collect();
    assert!(rare.is_empty(), "hardly ever done: {rare:?}");
    // Nobody who could call back: no program of a user's, and no hook.
    let [classic, extended] = chains.into_inner().map(|chain| chain.callees);
    let ids = |programs: &[Pubkey]| programs.iter().map(ToString::to_string).collect();
    assert_eq!(classic, ids(&[token::ID, system_program::ID]));
    assert_eq!(extended, ids(&[token::ID, token_2022::ID, system_program::ID]));
    write(&tally);
}

/// For `docs/reports/assurance.md`.
fn write(tally: &Tally) {
    let figures = serde_json::json!({ "chain_sequences": tally.sequences, "chain_actions": tally.actions });
    figures::write("chain.json", &figures).unwrap();
}

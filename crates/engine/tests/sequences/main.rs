//! Random sequences of all actions on one market, with the tokens counted outside the engine. After every action: the
//! money identities hold, the index has not fallen, nor the LP share price unless a deficit was settled, and a refused
//! action has changed nothing.
#![allow(
    clippy::cast_precision_loss,
    clippy::too_many_lines,
    reason = "expectations in floating point; one line for each action"
)]

mod action;
mod stage;

use action::{Action, action};
use breakwater_engine::{Error, audit};
use proptest::{prelude::*, test_runner::TestRunner};
use stage::{ACCOUNTS, Stage};
use std::{cell::RefCell, collections::BTreeMap};

/// Runs one sequence; counts the successes of each kind of action.
fn run(
    guarded: bool,
    actions: &[Action],
    done: &mut BTreeMap<&'static str, usize>,
) -> core::result::Result<(), TestCaseError> {
    let mut stage = Stage::new(guarded);
    let deposits = (0..ACCOUNTS).map(|account| Action::Deposit(account, 20_000_000_000));
    for first in [Action::Supply(1_000_000_000_000), Action::Fund(300_000_000)]
        .into_iter()
        .chain(deposits)
    {
        prop_assert_eq!(stage.act(&first), Ok(()));
    }
    for action in actions {
        let before = stage.clone();
        let result = stage.act(action);
        prop_assert!(
            result != Err(Error::BooksBroken) && result != Err(Error::Overflow),
            "{action:?}: {result:?}"
        );
        if result.is_ok() {
            *done.entry(action.kind()).or_default() += 1;
        } else {
            // Accepting a price is a step of its own, and so is the interest accrued before a liquidation.
            let mut expected = before.clone();
            expected.market.oracle = stage.market.oracle;
            expected.market.guard = stage.market.guard;
            expected.market.volatility = stage.market.volatility;
            expected.market.map.origin = stage.market.map.origin;
            // A market that is halted, or whose prices are too far apart, refuses before interest is looked at.
            let accrues = matches!(action, Action::Liquidate(_) | Action::External(..));
            if accrues && stage.market.books != before.market.books {
                expected.market.books = before.market.books_at(before.clock).unwrap();
            }
            prop_assert_eq!(&stage, &expected, "a refused action changed something: {:?}", action);
        }
        for (identity, holds) in audit::identities(&stage.market, &stage.totals()) {
            prop_assert!(holds, "{identity:?} is broken by {action:?}");
        }
        prop_assert_eq!(stage.unclaimed(), (0, 0), "tokens without a claim after {:?}", action);
        prop_assert_eq!(
            &stage.market.map.bands[..],
            &stage.recount()[..],
            "the map after {:?}",
            action
        );
        let (old, new) = (&before.market.books.pool, &stage.market.books.pool);
        prop_assert!(new.index.raw() >= old.index.raw());
        let settled = matches!(action, Action::Settle) && result.is_ok();
        prop_assert!(
            settled || stage.share_price() >= before.share_price(),
            "the share price fell with {action:?}"
        );
        prop_assert_eq!(settled, stage.market.guardians.era > before.market.guardians.era);
    }
    Ok(())
}

#[test]
fn money_is_accounted_for_whatever_the_order() {
    let sequences = (any::<bool>(), prop::collection::vec(action(), 1..300));
    let mut runner = TestRunner::new(ProptestConfig::with_cases(400));
    let done = RefCell::new(BTreeMap::new());
    runner
        .run(&sequences, |(guarded, actions)| {
            run(guarded, &actions, &mut done.borrow_mut())
        })
        .unwrap();
    // The sequences mean something only if every kind of action went through many times.
    let done = done.into_inner();
    assert_eq!(done.len(), 22, "{done:?}");
    assert!(done.values().all(|count| *count > 5), "{done:?}");
}

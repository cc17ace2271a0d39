//! Promises that must hold, one sentence each, and how they are checked.
//!
//! A check says nothing (`None`) of a step that it has no business with; else that the step is fine, or what is wrong
//! with it. So it can be counted how often each was put to the test.

use crate::{
    facts::{Facts, View},
    history::History,
};

mod auction;
mod governance;
mod guardians;
mod impairment;
mod liquidation;
mod loans;
mod money;
mod path;
mod pool;
mod prices;
mod repeated;
mod sizing;
mod stress;

/// A check's answer about a step.
pub(crate) type Verdict = Option<Result<(), String>>;

/// One promise.
pub struct Invariant {
    /// Its name, in small letters and hyphens.
    pub name: &'static str,
    /// The promise, in one sentence.
    pub statement: &'static str,
    pub(crate) check: fn(&Facts, &History) -> Verdict,
}

/// Promises of one kind.
pub struct Chapter {
    /// Their subject.
    pub title: &'static str,
    /// The promises.
    pub invariants: &'static [Invariant],
}

/// All of them.
pub const CHAPTERS: [Chapter; 12] = [
    Chapter {
        title: "Money",
        invariants: money::INVARIANTS,
    },
    Chapter {
        title: "The pool",
        invariants: pool::INVARIANTS,
    },
    Chapter {
        title: "Loans, and what calls may touch",
        invariants: loans::INVARIANTS,
    },
    Chapter {
        title: "Prices and breakers",
        invariants: prices::INVARIANTS,
    },
    Chapter {
        title: "Who is liquidated, and how",
        invariants: liquidation::INVARIANTS,
    },
    Chapter {
        title: "How much is taken",
        invariants: sizing::INVARIANTS,
    },
    Chapter {
        title: "The stress cover and the pipeline",
        invariants: stress::INVARIANTS,
    },
    Chapter {
        title: "The auction",
        invariants: auction::INVARIANTS,
    },
    Chapter {
        title: "Guardians, the protocol and keepers",
        invariants: guardians::INVARIANTS,
    },
    Chapter {
        title: "Losses on the way, and what comes back",
        invariants: impairment::INVARIANTS,
    },
    Chapter {
        title: "Doing it twice, or back and forth",
        invariants: repeated::INVARIANTS,
    },
    Chapter {
        title: "Governance",
        invariants: governance::INVARIANTS,
    },
];

/// All of them, in a row.
pub fn all() -> impl Iterator<Item = &'static Invariant> {
    CHAPTERS.iter().flat_map(|chapter| chapter.invariants)
}

/// Holds if `fine`; else what is wrong.
#[allow(clippy::unnecessary_wraps, reason = "it is what a check says")]
fn demand(fine: bool, wrong: impl FnOnce() -> String) -> Verdict {
    Some(if fine { Ok(()) } else { Err(wrong()) })
}

/// Holds if all do that have anything to say; the first that does not speaks for them.
fn every(verdicts: impl IntoIterator<Item = Verdict>) -> Verdict {
    verdicts.into_iter().flatten().reduce(Result::and)
}

/// The prices of a call that was done.
fn priced<'a>(facts: &'a Facts) -> Option<&'a View> {
    facts.done()?;
    facts.view.as_ref()
}

//! Puts every step of a sequence to every test, and counts.

use crate::{
    Step,
    facts::Facts,
    history::History,
    invariants::{Invariant, all},
};
use std::collections::BTreeMap;

/// A violation that was found.
#[derive(Clone, Debug)]
pub struct Violation {
    /// The name of the invariant.
    pub name: &'static str,
    /// A description of the fault.
    pub why: String,
}

/// How often each invariant had something to say, and how often each kind of action went through.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Sequences.
    pub sequences: usize,
    /// By the invariant's name.
    pub checked: BTreeMap<&'static str, u64>,
    /// By the action's kind.
    pub done: BTreeMap<String, u64>,
}

/// The checks over one sequence.
pub struct Proof<'a> {
    invariants: Vec<&'static Invariant>,
    history: History,
    counts: &'a mut Counts,
}

impl<'a> Proof<'a> {
    /// For one sequence; with all invariants, or with the one of this name alone.
    pub fn new(only: Option<&str>, counts: &'a mut Counts) -> Self {
        counts.sequences += 1;
        Self {
            invariants: all()
                .filter(|invariant| only.is_none_or(|only| invariant.name == only))
                .collect(),
            history: History::default(),
            counts,
        }
    }

    /// Checks one step after another.
    ///
    /// # Errors
    /// The first invariant that does not hold.
    pub fn check(&mut self, step: &Step) -> Result<(), Violation> {
        if step.result.is_ok() {
            *self.counts.done.entry(step.action.kind()).or_default() += 1;
        }
        self.history.note(step);
        let facts = Facts::of(step);
        for invariant in &self.invariants {
            match (invariant.check)(&facts, &self.history) {
                None => {}
                Some(Ok(())) => *self.counts.checked.entry(invariant.name).or_default() += 1,
                Some(Err(why)) => {
                    return Err(Violation {
                        name: invariant.name,
                        why,
                    });
                }
            }
        }
        Ok(())
    }
}

impl core::fmt::Display for Violation {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        // Looked for by whoever plants bugs.
        write!(f, "invariant violated: {}\n{}", self.name, self.why)
    }
}

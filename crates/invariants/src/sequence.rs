//! Sequences, and the shortest form of one that fails.

use crate::{Action, Bytes, Counts, Flavor, Proof, Setting, State, Violation};
use core::fmt;

/// A sequence that broke an invariant with its last action.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The promise that was broken.
    pub violation: Violation,
    /// See [`Flavor`].
    pub flavor: u8,
    /// Everything that was done on the new market.
    pub actions: Vec<Action>,
}

/// Plays a sequence of stories out of bytes on a new market of some flavor, and checks every step: against all
/// invariants, or the one of this name.
///
/// # Errors
/// The violation, and every action up to it.
///
/// # Panics
/// If the engine refuses the flavor's parameters.
pub fn play(flavor: u8, bytes: &[u8], only: Option<&str>, counts: &mut Counts) -> Result<(), Failure> {
    let mut bytes = Bytes::new(bytes);
    let stories = core::iter::from_fn(|| {
        (!bytes.is_empty()).then(|| match bytes.byte() {
            // Only here: a chain would have to wait for the timelock.
            0..=7 => vec![Action::Deepen(bytes.between(500, 2_000))],
            _ => Action::steps(&mut bytes),
        })
    });
    let actions = setting(flavor).opening().into_iter().chain(stories.flatten());
    play_actions(flavor, actions, only, counts, |_| {})
}

fn play_actions(
    flavor: u8,
    actions: impl IntoIterator<Item = Action>,
    only: Option<&str>,
    counts: &mut Counts,
    mut tell: impl FnMut(&crate::Step),
) -> Result<(), Failure> {
    let mut state = State::new(&setting(flavor)).expect("every flavor's parameters are valid");
    let mut proof = Proof::new(only, counts);
    let mut played = Vec::new();
    for action in actions {
        let step = state.act(&action);
        tell(&step);
        played.push(action);
        if let Err(violation) = proof.check(&step) {
            return Err(Failure {
                violation,
                flavor,
                actions: played,
            });
        }
    }
    Ok(())
}

/// The market that sequences of some flavor are played on.
#[must_use]
pub fn setting(flavor: u8) -> Setting {
    Setting::example(Flavor::of(flavor))
}

/// Leaves out of `actions` whatever is not needed for them to fail: longer and longer parts while that helps, then
/// shorter ones, down to single actions.
#[must_use]
pub fn shortest(mut actions: Vec<Action>, mut fails: impl FnMut(&[Action]) -> bool) -> Vec<Action> {
    let mut part = actions.len() / 2;
    while part > 0 {
        let mut from = 0;
        let mut helped = false;
        while from < actions.len() {
            let to = (from + part).min(actions.len());
            let rest = [&actions[..from], &actions[to..]].concat();
            if fails(&rest) {
                (actions, helped) = (rest, true);
            } else {
                from = to;
            }
        }
        if !(helped && part == 1) {
            part /= 2;
        }
    }
    actions
}

impl Failure {
    /// Leaves out whatever the violation does not need.
    #[must_use]
    pub fn minimized(self) -> Self {
        let mut last = self.clone();
        let _ = shortest(self.actions, |rest| {
            let again = play_actions(
                self.flavor,
                rest.to_vec(),
                Some(self.violation.name),
                &mut Counts::default(),
                |_| {},
            );
            // What came after the violation is left out as well.
            again.map_err(|shorter| last = shorter).is_err()
        });
        last
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n\nat flavor {}, by the last of", self.violation, self.flavor)?;
        let mut told = Vec::new();
        // It fails again, as it did before.
        let _ = play_actions(
            self.flavor,
            self.actions.clone(),
            Some(self.violation.name),
            &mut Counts::default(),
            |step| told.push(format!("{:?}\n    {:?}", step.action, step.result)),
        );
        f.write_str(&told.join("\n"))
    }
}

//! Sequences that fuzzing has found, and that stay.

use breakwater_invariants::{Action, Counts, Proof, Size, State, setting};

/// Every withdrawal may leave an atom of rounding to those who stay, here to the guardian herself: she gets no more
/// than she put in, and a bound that allowed for eight such atoms in all was wrong.
#[test]
fn a_guardian_who_leaves_in_many_parts_gets_no_more_than_her_part() {
    let flavor = 0x67;
    let part = Size::Atoms(1_006_354_671);
    let leave = |size| {
        [
            Action::GuardianRequest(1, size),
            Action::Wait(3_839),
            Action::GuardianWithdraw(1, size),
        ]
    };
    let actions = setting(flavor)
        .opening()
        .into_iter()
        .chain([Action::GuardianDeposit(1, 50_061_423)])
        .chain((0..20).flat_map(|_| leave(part)))
        .chain(leave(Size::Part(1_000)));

    let mut state = State::new(&setting(flavor)).unwrap();
    let mut counts = Counts::default();
    let mut proof = Proof::new(Some("guardian-gets-its-part-at-most"), &mut counts);
    for action in actions {
        let step = state.act(&action);
        if matches!(action, Action::GuardianWithdraw(..)) {
            assert!(step.result.is_ok(), "{action:?}: {:?}", step.result);
        }
        proof.check(&step).unwrap_or_else(|violation| panic!("{violation}"));
    }
    assert_eq!(counts.checked["guardian-gets-its-part-at-most"], 21);
}

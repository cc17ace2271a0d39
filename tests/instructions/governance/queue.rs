//! Every state of an entry × everything that can be called on it.

use super::{
    entries::{Kind, Stand, State},
    rows::Refusal,
};
use anchor_lang::{prelude::ErrorCode, solana_program::instruction::Instruction};
use breakwater::error::BreakwaterError;
use breakwater_testkit::{Actor, ExpectedError, Failure};

/// Everything that can be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    /// Queue the same again.
    Queue,
    /// Execute what was queued.
    Execute,
    /// Execute something else of the same kind.
    Changed,
    /// Execute what was queued on the other market.
    OtherMarket,
    /// Execute another kind of change with this entry.
    OtherKind,
    /// Cancel, as the authority.
    Cancel,
    /// Cancel, as the emergency admin.
    CancelAsEmergencyAdmin,
    /// Cancel, as nobody in particular.
    CancelAsStranger,
    /// Queue and execute, as the emergency admin.
    QueueAsEmergencyAdmin,
    ExecuteAsEmergencyAdmin,
    /// Execute, as nobody in particular.
    ExecuteAsStranger,
}

const CALLS: [Call; 11] = [
    Call::Queue,
    Call::Execute,
    Call::Changed,
    Call::OtherMarket,
    Call::OtherKind,
    Call::Cancel,
    Call::CancelAsEmergencyAdmin,
    Call::CancelAsStranger,
    Call::QueueAsEmergencyAdmin,
    Call::ExecuteAsEmergencyAdmin,
    Call::ExecuteAsStranger,
];

/// Expected result of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    Passes,
    /// There is an entry already.
    Exists,
    /// There is no entry: the address is the system program's.
    None,
    Is(BreakwaterError),
}

impl ExpectedError for Expected {
    fn is(&self, failure: &Failure) -> bool {
        match self {
            Self::Passes => false,
            Self::Exists => Refusal::Exists.is(failure),
            Self::None => ErrorCode::AccountOwnedByWrongProgram.is(failure),
            Self::Is(error) => error.is(failure),
        }
    }

    fn describe(&self) -> String {
        format!("{self:?}")
    }
}

/// The table, for changes of parameters: a line for each state, its columns as [`CALLS`].
#[rustfmt::skip]
fn table() -> [(State, [Expected; 11]); 12] {
    use Expected::{Exists as X, None as N, Passes as P};
    const EARLY: Expected = Expected::Is(BreakwaterError::TimelockActive);
    const LATE: Expected = Expected::Is(BreakwaterError::Expired);
    const DIFFERS: Expected = Expected::Is(BreakwaterError::ChangeHashMismatch);
    const STALE: Expected = Expected::Is(BreakwaterError::StaleChange);
    const WRONG: Expected = Expected::Is(BreakwaterError::WrongChange);
    const A: Expected = Expected::Is(BreakwaterError::WrongAuthority);
    const G: Expected = Expected::Is(BreakwaterError::WrongEmergencyAdmin);
    // The last three columns: queue and exec by the emergency admin, exec by a stranger.
    //                      queue exec   changed  market kind   cancel  +admin +stranger
    [
        (State::Absent,        [P, N,     N,       N,     N,     N,      N,        N,         A,               N,    N]),
        (State::Queued,        [X, EARLY, EARLY,   WRONG, WRONG, P,      P,        G,         X,               A,    A]),
        (State::Early,         [X, EARLY, EARLY,   WRONG, WRONG, P,      P,        G,         X,               A,    A]),
        (State::Open,          [X, P,     DIFFERS, WRONG, WRONG, P,      P,        G,         X,               A,    A]),
        (State::LastSecond,    [X, P,     DIFFERS, WRONG, WRONG, P,      P,        G,         X,               A,    A]),
        (State::Late,          [X, LATE,  LATE,    WRONG, WRONG, P,      P,        G,         X,               A,    A]),
        (State::SlotsLate,     [X, P,     DIFFERS, WRONG, WRONG, P,      P,        G,         X,               A,    A]),
        (State::Executed,      [P, N,     N,       N,     N,     N,      N,        N,         A,               N,    N]),
        (State::Canceled,     [P, N,     N,       N,     N,     N,      N,        N,         A,               N,    N]),
        (State::Stale,         [X, STALE, DIFFERS, WRONG, WRONG, P,      P,        G,         X,               A,    A]),
        (State::ReplacedEarly, [X, EARLY, EARLY,   WRONG, WRONG, P,      P,        G,         X,               A,    A]),
        (State::Replaced,      [X, P,     DIFFERS, WRONG, WRONG, P,      P,        G,         X,               A,    A]),
    ]
}

/// The table as it is for this kind; `None` where the case is none.
fn expected(kind: Kind, state: State, call: Call) -> Option<Expected> {
    let (_, line) = table().into_iter().find(|(of, _)| *of == state)?;
    let column = CALLS.iter().position(|of| *of == call)?;
    let absent = matches!(state, State::Absent | State::Executed | State::Canceled);
    match (kind, call) {
        // Only parameters are tightened.
        (Kind::Feeds | Kind::EmergencyAdmin | Kind::Depth, _) if state == State::Stale => None,
        // The emergency admin is the protocol's.
        (Kind::EmergencyAdmin, Call::OtherMarket) => None,
        // Nobody stays in office by cancelling.
        (Kind::EmergencyAdmin, Call::CancelAsEmergencyAdmin) if !absent => {
            Some(Expected::Is(BreakwaterError::WrongEmergencyAdmin))
        }
        // What is already so is not queued.
        (Kind::Feeds | Kind::EmergencyAdmin | Kind::Depth, Call::Queue) if state == State::Executed => {
            Some(Expected::Is(BreakwaterError::NoChange))
        }
        _ => Some(line[column]),
    }
}

fn build(stand: &Stand, call: Call, mallory: &Actor) -> (Instruction, Actor) {
    let (authority, grace) = (&stand.authority, &stand.grace);
    let other_kind = match stand.kind {
        Kind::Parameters => Kind::Feeds,
        Kind::Feeds => Kind::EmergencyAdmin,
        Kind::EmergencyAdmin => Kind::Depth,
        Kind::Depth => Kind::Parameters,
    };
    let (built, signer) = match call {
        Call::Queue => (stand.queue(authority, false), authority),
        Call::Execute => (stand.execute(authority, false), authority),
        Call::Changed => (stand.execute(authority, true), authority),
        Call::OtherMarket => (stand.execute_as(stand.kind, &stand.other, authority, false), authority),
        Call::OtherKind => (stand.execute_as(other_kind, &stand.market, authority, false), authority),
        Call::Cancel => (stand.cancel(authority), authority),
        Call::CancelAsEmergencyAdmin => (stand.cancel(grace), grace),
        Call::CancelAsStranger => (stand.cancel(mallory), mallory),
        Call::QueueAsEmergencyAdmin => (stand.queue(grace, false), grace),
        Call::ExecuteAsEmergencyAdmin => (stand.execute(grace, false), grace),
        Call::ExecuteAsStranger => (stand.execute(mallory, false), mallory),
    };
    (built, signer.clone())
}

/// Sends a call that passes, and checks its effect: on the market and the protocol, the entry, and the authority's
/// lamports.
#[track_caller]
fn check_passing(stand: &mut Stand, call: Call, ix: Instruction, signer: &Actor) {
    let (entry, authority) = (stand.entry(), stand.authority.key());
    let lamports = |stand: &mut Stand, of| stand.world.account(of).map_or(0, |account| account.lamports);
    let (rent, before) = (lamports(stand, &entry), lamports(stand, &authority));
    let governed = if call == Call::Execute {
        stand.executed()
    } else {
        stand.governed()
    };
    stand.world.send(&[ix], &[signer]).unwrap();
    assert_eq!(stand.governed(), governed);
    let after = lamports(stand, &authority);
    if call == Call::Queue {
        assert_eq!(after, before - lamports(stand, &entry));
        let queued = stand.queued().unwrap();
        assert_eq!(
            (queued.queued_at, queued.kind),
            (stand.world.unix(), stand.kind.number())
        );
    } else {
        assert_eq!(stand.world.account(&entry), None);
        assert_eq!(after, before + rent);
        assert!(rent > 0);
    }
}

fn try_all(kind: Kind) {
    let mut tried = 0;
    for (state, _) in table() {
        if kind != Kind::Parameters && state == State::Stale {
            continue;
        }
        let mut stand = Stand::in_state(kind, state);
        let mallory = stand.world.actor("mallory");
        let reached = stand.world.snapshot();
        for call in CALLS {
            let Some(expected) = expected(kind, state, call) else {
                continue;
            };
            println!("{kind:?}: {state:?}, {call:?}: {expected:?}");
            stand.world.restore(&reached);
            let (ix, signer) = build(&stand, call, &mallory);
            if expected == Expected::Passes {
                check_passing(&mut stand, call, ix, &signer);
            } else {
                stand.world.assert_error_unchanged(&[ix], &[&signer], expected);
            }
            tried += 1;
        }
    }
    let left_out = match kind {
        Kind::Parameters => 0,
        Kind::Feeds | Kind::Depth => 11,
        Kind::EmergencyAdmin => 11 + 11,
    };
    assert_eq!(tried, 12 * 11 - left_out);
}

#[test]
fn parameters_in_every_state() {
    try_all(Kind::Parameters);
}

#[test]
fn feeds_in_every_state() {
    try_all(Kind::Feeds);
}

#[test]
fn an_emergency_admin_in_every_state() {
    try_all(Kind::EmergencyAdmin);
}

#[test]
fn a_depth_share_in_every_state() {
    try_all(Kind::Depth);
}

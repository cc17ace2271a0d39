use super::*;

const CONFIG: Config = Config::EXAMPLE;
const NOW: Clock = Clock {
    unix: 1_700_000_000,
    slot: 1,
};
const LIMIT: u32 = CONFIG.halt_seconds;

fn later(seconds: u32) -> Clock {
    Clock {
        unix: NOW.unix + i64::from(seconds),
        ..NOW
    }
}

fn never() -> Pauses {
    bytemuck::Zeroable::zeroed()
}

fn paused(pauses: &Pauses, clock: Clock) -> u8 {
    let mut pauses = *pauses;
    let held = pauses.each().map(|(kind, until)| (kind.0, check(*until, clock)));
    held.iter()
        .filter(|(_, open)| *open == Err(Error::ActionPaused))
        .map(|(bit, _)| bit)
        .sum()
}

#[test]
fn every_set_of_kinds_is_paused_alone_and_expires_by_itself() {
    for kinds in 1..=63 {
        let mut pauses = never();
        assert_eq!(paused(&pauses, NOW), 0);
        let pause = pauses.pause(&CONFIG, Kinds(kinds), 60, NOW);
        let until = NOW.unix + 60;
        assert_eq!(pause, Ok(Pause { kinds, until }));
        assert_eq!((paused(&pauses, NOW), paused(&pauses, later(59))), (kinds, kinds));
        assert_eq!(paused(&pauses, later(60)), 0);
    }
}

#[test]
fn unknown_bits_and_none_are_refused() {
    for kinds in [0, 64, 65, 127, 128, 255] {
        let mut pauses = never();
        let pause = pauses.pause(&CONFIG, Kinds(kinds), 60, NOW);
        assert_eq!((pause, pauses), (Err(Error::PauseKindUnknown), never()));
    }
}

#[test]
fn it_holds_a_second_at_least_and_no_longer_than_the_halt_may() {
    for seconds in [0, LIMIT + 1, u32::MAX] {
        let mut pauses = never();
        let pause = pauses.pause(&CONFIG, Kinds::ALL, seconds, NOW);
        assert_eq!((pause, pauses), (Err(Error::PauseTooLong), never()));
    }
    for seconds in [1, LIMIT] {
        assert!(never().pause(&CONFIG, Kinds::ALL, seconds, NOW).is_ok());
    }
}

#[test]
fn each_kind_rests_and_one_that_rests_refuses_all() {
    let mut pauses = never();
    pauses.pause(&CONFIG, Kinds::BORROW, 60, NOW).unwrap();
    let before = pauses;
    let rest = CONFIG.halt_cooldown;
    for wait in [0, 59, 60, 60 + rest - 1] {
        for kinds in [Kinds::BORROW, Kinds::ALL, Kinds(Kinds::BORROW.0 | Kinds::SELL.0)] {
            let again = pauses.pause(&CONFIG, kinds, 1, later(wait));
            assert_eq!((again, pauses), (Err(Error::PauseCooldown), before));
        }
    }
    // Another kind does not rest.
    pauses.pause(&CONFIG, Kinds::SELL, 1, later(1)).unwrap();
    assert_eq!(paused(&pauses, later(1)), Kinds::BORROW.0 | Kinds::SELL.0);
    pauses.pause(&CONFIG, Kinds::BORROW, 1, later(60 + rest)).unwrap();
    assert_eq!(paused(&pauses, later(60 + rest)), Kinds::BORROW.0);
}

#[test]
fn no_chain_of_pauses_holds_longer_than_its_share() {
    // Whoever pauses whenever it can.
    let mut pauses = never();
    let mut held = 0;
    let span = 10 * (LIMIT + CONFIG.halt_cooldown);
    for second in 0..span {
        let _ = pauses.pause(&CONFIG, Kinds::LIQUIDATE, LIMIT, later(second));
        held += u32::from(paused(&pauses, later(second)) != 0);
    }
    assert_eq!(held, 10 * LIMIT);
}

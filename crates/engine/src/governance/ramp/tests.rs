use super::*;

fn ramp(to: u32) -> Ramp {
    Ramp {
        starts_at: 1_000,
        ends_at: 1_300,
        to: Bps(to),
        padding: [0; 4],
    }
}

const NONE: Ramp = Ramp {
    starts_at: 0,
    ends_at: 0,
    to: Bps(0),
    padding: [0; 4],
};

const fn at(unix: i64) -> Clock {
    Clock { unix, slot: 0 }
}

#[test]
fn the_longest_change_is_half_a_year() {
    assert_eq!(LONGEST, 15_552_000);
}

#[test]
fn the_line_is_straight_and_rounded_in_favor_of_the_accounts() {
    let from = Bps(8_000);
    // 100 bps in 300 seconds, down and up: a third of one in each.
    let points = [
        (0, 8_000, 8_000),
        (1_000, 8_000, 8_000),
        (1_001, 8_000, 8_001),
        (1_003, 7_999, 8_001),
        (1_004, 7_999, 8_002),
        (1_150, 7_950, 8_050),
        (1_299, 7_901, 8_100),
        (1_300, 7_900, 8_100),
        (9_999, 7_900, 8_100),
    ];
    for (unix, down, up) in points {
        assert_eq!(ramp(7_900).at(from, at(unix)), Bps(down), "down at {unix}");
        assert_eq!(ramp(8_100).at(from, at(unix)), Bps(up), "up at {unix}");
        assert_eq!(ramp(8_000).at(from, at(unix)), from, "nowhere at {unix}");
        assert_eq!(NONE.at(from, at(unix)), from, "no ramp at {unix}");
    }
}

#[test]
fn a_ramp_is_ahead_until_its_end() {
    assert!(ramp(7_900).is_ahead(at(999)));
    assert!(ramp(7_900).is_ahead(at(1_299)));
    assert!(!ramp(7_900).is_ahead(at(1_300)));
    assert!(!ramp(7_900).is_ahead(at(1_301)));
    assert!(!NONE.is_ahead(at(0)));
}

#[test]
fn without_a_ramp_the_present_ltv_is_the_target() {
    assert_eq!(ramp(7_900).target(Bps(8_000)), Bps(7_900));
    assert_eq!(NONE.target(Bps(8_000)), Bps(8_000));
}

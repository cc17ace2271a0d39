use super::*;

const LIMITS: Limits = Limits {
    capital: Quote(10_000_000_000),
    least: Quote(100_000_000),
    drop: Bps(1_000),
    proximity: Bps(500),
    depth_ratio: Bps(30_000),
    cascade: Bps(5_000),
    least_return: Bps(50),
    further_fall: Bps(1_000),
    calm_seconds: 3_600,
};

const NOW: i64 = 1_750_000_000;

/// 300,000 of debt would be taken over at 2%; the protocol has 100,000; a wallet with plenty.
fn danger() -> Sight {
    Sight {
        config: Config::EXAMPLE,
        level: Level::Normal,
        risk: Some(Risk {
            room: Quote(700_000_000_000),
            proximity: Some(Bps(300)),
            depth_ratios: [Bps(u32::MAX), Bps(u32::MAX), Bps(40_000), Bps(20_000), Bps(15_000)],
            cascade: Bps(100),
            deviation: Bps(200),
        }),
        shock: Shock {
            debt: Quote(350_000_000_000),
            repaid: Quote(300_000_000_000),
            penalties: Quote(6_000_000_000),
            ..Shock::default()
        },
        guardians: bytemuck::Zeroable::zeroed(),
        equity_stressed: 100_000_000_000,
        inventory_value: Quote(0),
        position: bytemuck::Zeroable::zeroed(),
        due: Quote(0),
        payable: None,
        wallet: Quote(50_000_000_000),
        calm_for: 0,
        now: NOW,
    }
}

fn calm() -> Sight {
    let mut sight = danger();
    sight.risk = sight.risk.map(|risk| Risk {
        proximity: Some(Bps(2_500)),
        ..risk
    });
    sight.calm_for = 3_600;
    sight
}

fn inside(mut sight: Sight, requested: u64, since: i64) -> Sight {
    sight.position.shares = GuardianShares(777);
    sight.position.requested = GuardianShares(requested);
    sight.position.requested_at = NOW - since;
    sight.guardians.claim = Quote(10_000_000_000);
    sight.guardians.shares = GuardianShares(777);
    sight.equity_stressed += 10_000_000_000;
    sight
}

#[track_caller]
fn expect(sight: &Sight, step: Step, why: &str) {
    let decision = decide(&LIMITS, sight);
    assert_eq!(decision.step, step, "{}", decision.why);
    assert!(decision.why.contains(why), "{}", decision.why);
}

#[test]
fn it_joins_when_a_cascade_is_near_and_pays() {
    // Half of the penalties times 10,000 ÷ 110,000, of 10,000: 272 of 6,000.
    expect(
        &danger(),
        Step::Join(Quote(10_000_000_000)),
        "the room is 20000 bps of what a fall of 1000 bps liquidates; a fall of 1000 bps would earn 272 bps",
    );
    let poor = Sight {
        wallet: Quote(500_000_000),
        ..danger()
    };
    // 24 bps of them, as the engine rounds it.
    expect(&poor, Step::Join(Quote(500_000_000)), "would earn 288 bps");
    // The map is deep enough, but dumped collateral would feed on itself.
    let mut indicated = danger();
    indicated.risk = indicated.risk.map(|risk| Risk {
        depth_ratios: [Bps(u32::MAX); 5],
        cascade: Bps(5_000),
        ..risk
    });
    expect(
        &indicated,
        Step::Join(Quote(10_000_000_000)),
        "the cascade indicator is 5000 bps",
    );
    // A fall too fast to be believed yet.
    expect(
        &Sight {
            risk: None,
            level: Level::Guarded,
            ..danger()
        },
        Step::Join(Quote(10_000_000_000)),
        "liquidations wait",
    );
}

#[test]
fn it_waits_when_one_of_its_reasons_is_missing() {
    expect(&calm(), Step::Wait, "the nearest debt is 2500 bps below the price");
    expect(
        &Sight {
            level: Level::Halted,
            ..danger()
        },
        Step::Wait,
        "halted",
    );
    expect(
        &Sight {
            wallet: Quote(99_999_999),
            ..danger()
        },
        Step::Wait,
        "only 99999999 quote atoms are at hand",
    );
    let mut deep = danger();
    deep.risk = deep.risk.map(|risk| Risk {
        depth_ratios: [Bps(40_000); 5],
        ..risk
    });
    deep.shock.debt = Quote(175_000_000_000);
    expect(&deep, Step::Wait, "but the room is 40000 bps");
    // What is due already counts, though the map's own measures look below the price.
    deep.shock.debt = Quote(350_000_000_000);
    let join = Step::Join(LIMITS.capital);
    expect(&deep, join, "the room is 20000 bps");
    let passed = Sight {
        due: Quote(1),
        ..calm()
    };
    expect(&passed, join, "debt is 0 bps away");
    let mut empty = danger();
    empty.risk = empty.risk.map(|risk| Risk {
        proximity: None,
        ..risk
    });
    expect(&empty, Step::Wait, "nobody owes anything");
    let mut cheap = danger();
    cheap.shock.penalties = Quote(1_000_000_000);
    expect(&cheap, Step::Wait, "would earn 45 bps, less than 50");
}

#[test]
fn it_does_not_join_to_pay_for_others() {
    // 10% of 300,000 beside 80,000 of deficits are more than the protocol's 100,000 and 6,000 of penalties.
    let mut sight = danger();
    sight.shock.deficits = Quote(80_000_000_000);
    expect(
        &sight,
        Step::Wait,
        "would not bear 80000000000 of deficits and 30000000000",
    );
    sight.shock.deficits = Quote(76_000_000_000);
    expect(&sight, Step::Join(Quote(10_000_000_000)), "would earn");
    // Other guardians' claim is not the protocol's.
    sight.guardians.claim = Quote(1_000_000_000);
    expect(&sight, Step::Wait, "would not bear");
}

#[test]
fn it_stays_while_it_is_near_and_asks_when_it_is_over() {
    expect(&inside(danger(), 0, 0), Step::Wait, "inside, and debt is 300 bps away");
    expect(
        &inside(
            Sight {
                calm_for: 3_599,
                ..calm()
            },
            0,
            0,
        ),
        Step::Wait,
        "for 3599 s of 3600",
    );
    expect(&inside(calm(), 0, 0), Step::Ask(GuardianShares(777)), "for 3600 s");
    let unsold = Sight {
        inventory_value: Quote(1),
        ..calm()
    };
    expect(&inside(unsold, 0, 0), Step::Wait, "still has inventory");
}

#[test]
fn having_asked_it_leaves_in_time_unless_it_is_near_again() {
    let week = i64::from(Config::EXAMPLE.guardian_cooldown);
    let window = i64::from(Config::EXAMPLE.guardian_window);
    let asked = |sight: Sight, since| {
        inside(
            Sight {
                payable: Some(Quote(10_100_000_000)),
                ..sight
            },
            777,
            since,
        )
    };
    expect(&asked(calm(), week - 1), Step::Wait, "1 s to wait");
    expect(&asked(danger(), week - 1), Step::Wait, "1 s to wait");
    let leave = Step::Leave(GuardianShares(777), Quote(10_099_999_999));
    expect(&asked(calm(), week), leave, "the wait is over");
    expect(&asked(calm(), week + window), leave, "the wait is over");
    expect(
        &asked(calm(), week + window + 1),
        Step::Ask(GuardianShares(777)),
        "has passed",
    );
    expect(
        &asked(danger(), week),
        Step::Stay,
        "could leave, but debt is 300 bps away",
    );
    // Near, and no longer worth it.
    let mut bad = danger();
    bad.shock.deficits = Quote(200_000_000_000);
    expect(&asked(bad, week), leave, "the wait is over");
    expect(&inside(calm(), 777, week), Step::Wait, "cannot pay now");
}

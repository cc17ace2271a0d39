use super::*;
use breakwater_engine::{Error, Price};

const LIMITS: Limits = Limits {
    capital: Quote(10_000_000_000),
    least: Quote(100_000_000),
    drop: Bps(2_000),
    proximity: Bps(500),
    depth_ratio: Bps(10_000),
    least_return: Bps(50),
    least_yield: Bps(0),
    reserve: Bps(1_000),
    calm_seconds: 3_600,
};

const NOW: i64 = 1_750_000_000;

/// 300,000 of debt would be taken over at 1%; the backstop has 100,000, of which 50,000 would be left after the stress
/// fall; a wallet with plenty.
fn danger() -> Sight {
    Sight {
        config: Config::EXAMPLE,
        level: Level::Normal,
        risk: Some(Risk {
            proximity: Some(Bps(300)),
            debt_within: [Quote(0), Quote(0), Quote(1), Quote(2), Quote(350_000_000_000)],
            deviation: Bps(200),
            admission_fall: Bps(4_200),
        }),
        shock: Shock {
            debt: Quote(350_000_000_000),
            repaid: Quote(300_000_000_000),
            penalties: Quote(4_000_000_000),
            shared: Quote(3_000_000_000),
            ..Shock::default()
        },
        guardians: bytemuck::Zeroable::zeroed(),
        stress: StressBalanceSheet {
            fall: Bps(3_800),
            price: Price::default(),
            underwater: Quote(50_000_000_000),
            cover: 50_000_000_000,
            leaving: Quote(0),
        },
        depth: Bps(3_333),
        equity: 100_000_000_000,
        inventory_value: Quote(0),
        earns: GuardianYield {
            claim: Quote(10_000_000_000),
            standing_by: Bps(400),
            rate: Bps(454),
            earned: Quote(0),
            in_a_crash: Bps(0),
        },
        position: bytemuck::Zeroable::zeroed(),
        due: Quote(0),
        leaving: None,
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
    if requested > 0 {
        // It asked with all of it.
        sight.position.shares = GuardianShares::ZERO;
        sight.position.waiting = Quote(10_000_000_000);
        sight.position.opens_at = NOW - since + i64::from(Config::EXAMPLE.guardian_cooldown);
        sight.guardians.waiting = Quote(10_000_000_000);
    } else {
        sight.guardians.claim = Quote(10_000_000_000);
        sight.guardians.shares = GuardianShares(777);
    }
    sight.equity += 10_000_000_000;
    sight.stress.cover += 10_000_000_000;
    sight
}

#[track_caller]
fn expect(sight: &Sight, step: Step, why: &str) {
    expect_within(&LIMITS, sight, step, why);
}

#[track_caller]
fn expect_within(limits: &Limits, sight: &Sight, step: Step, why: &str) {
    let decision = decide(limits, sight);
    assert_eq!(decision.step, step, "{}", decision.why);
    assert!(decision.why.contains(why), "{}", decision.why);
}

#[test]
fn it_joins_when_a_cascade_is_near_and_pays() {
    // Half of the penalties times 10,000 ÷ 110,000, of 10,000: 136 of 3,000.
    expect(
        &danger(),
        Step::Join(Quote(10_000_000_000)),
        "debt is 300 bps away, and the backstop has 3333 bps of what a fall of 2000 bps brings it; a fall of 2000 bps would earn \
         136 bps",
    );
    let poor = Sight {
        wallet: Quote(500_000_000),
        ..danger()
    };
    // 24 bps of them, as the engine rounds it.
    expect(&poor, Step::Join(Quote(500_000_000)), "would earn 144 bps");
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
    let deep = Sight {
        depth: Bps(10_001),
        ..danger()
    };
    expect(&deep, Step::Wait, "but the backstop has 10001 bps of what a fall");
    let join = Step::Join(LIMITS.capital);
    let just = Sight {
        depth: Bps(10_000),
        ..danger()
    };
    expect(&just, join, "and the backstop has 10000 bps");
    // What is due already counts, though the map's own measures look below the price.
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
    cheap.shock.shared = Quote(1_000_000_000);
    expect(&cheap, Step::Wait, "would earn 45 bps, less than 50");
}

#[test]
fn it_stands_by_for_enough_and_only_while_the_market_is_normal() {
    let limits = Limits {
        least_yield: Bps(400),
        ..LIMITS
    };
    let join = Step::Join(LIMITS.capital);
    expect_within(
        &limits,
        &calm(),
        join,
        "the nearest debt is 2500 bps below the price; standing by pays 400 bps a year",
    );
    expect_within(
        &limits,
        &inside(calm(), 0, 0),
        Step::Wait,
        "inside, and standing by pays 400 bps",
    );
    // Where a cascade is near and pays less, it is still paid for waiting.
    let mut cheap = danger();
    cheap.shock.shared = Quote(1_000_000_000);
    expect_within(&limits, &cheap, join, "debt is 300 bps away");
    let more = Limits {
        least_yield: Bps(401),
        ..LIMITS
    };
    expect_within(&more, &calm(), Step::Wait, "the nearest debt is");
    let guarded = Sight {
        level: Level::Guarded,
        ..calm()
    };
    expect_within(&limits, &guarded, Step::Wait, "the nearest debt is");
    let mut thin = calm();
    thin.stress.cover = 29_999_999_999;
    expect_within(&limits, &thin, Step::Wait, "guardians would pay");
}

#[test]
fn it_does_not_join_to_pay_for_others() {
    // A tenth of the 300,000 that would be taken over.
    let mut sight = danger();
    sight.stress.cover = 29_999_999_999;
    expect(
        &sight,
        Step::Wait,
        "after a fall of 3800 bps the protocol's own capital would have 29999999999 to spare, less than 30000000000",
    );
    sight.stress.cover = 30_000_000_000;
    expect(&sight, Step::Join(Quote(10_000_000_000)), "would earn");
    // Other guardians' claim is not the protocol's.
    sight.guardians.claim = Quote(1);
    expect(&sight, Step::Wait, "guardians would pay");
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
    let can = |amount, bound_by| Leaving {
        unpaid: Quote(10_000_000_000),
        amount: Quote(amount),
        bound_by,
    };
    let all = can(10_000_000_000, Error::NothingRequested);
    let asked = |sight: Sight, since, leaving| {
        inside(
            Sight {
                leaving: Some(leaving),
                ..sight
            },
            777,
            since,
        )
    };
    expect(&asked(calm(), week - 1, all), Step::Wait, "1 s to wait");
    expect(&asked(danger(), week - 1, all), Step::Wait, "1 s to wait");
    let leave = Step::Leave(Quote(9_999_999_999));
    expect(&asked(calm(), week, all), leave, "the wait is over");
    // However long ago that was.
    expect(&asked(calm(), 50 * week, all), leave, "the wait is over");
    expect(
        &asked(danger(), week, all),
        Step::Stay,
        "could leave, but debt is 300 bps away",
    );
    // Near, and no longer worth it.
    let mut bad = danger();
    bad.stress.cover = 0;
    expect(&asked(bad, week, all), leave, "the wait is over");
    // As much as the cover lets go, and then the rest.
    let part = can(900_000_000, Error::StressCoverExceeded);
    let some = Step::Leave(Quote(899_999_999));
    expect(&asked(calm(), week, part), some, "the wait is over");
    let nothing = can(0, Error::BackstopCashInsufficient);
    let mut stuck = asked(calm(), week, nothing);
    expect(&stuck, Step::Leave(Quote(0)), "what cannot leave yet earns again");
    (stuck.position.waiting, stuck.position.open_shares) = (Quote(0), GuardianShares(1));
    expect(&stuck, Step::Wait, "cannot pay now: BackstopCashInsufficient");
    expect(&inside(calm(), 777, week), Step::Wait, "its prices are not trusted");
}

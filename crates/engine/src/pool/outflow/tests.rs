use super::*;
use proptest::prelude::*;
use std::{vec, vec::Vec};

const NOW: i64 = 1_700_000_000;
const WINDOW: u32 = 86_400;

fn config(limit: u32) -> Config {
    Config {
        outflow_limit: crate::Bps(limit),
        outflow_window: WINDOW,
        ..Config::EXAMPLE
    }
}

fn at(unix: i64) -> Clock {
    Clock { unix, slot: 1 }
}

/// A pool that nothing but suppliers changes.
#[derive(Clone, Copy, Debug)]
struct Tank {
    config: Config,
    outflow: Outflow,
    assets: u64,
    unix: i64,
}

impl Tank {
    fn new(limit: u32, assets: u64) -> Self {
        Self {
            config: config(limit),
            outflow: bytemuck::Zeroable::zeroed(),
            assets,
            unix: NOW,
        }
    }

    fn wait(&mut self, seconds: i64) {
        self.unix += seconds;
    }

    fn supply(&mut self, amount: u64) {
        self.outflow
            .supplied(&self.config, Quote(self.assets), Quote(amount), at(self.unix));
        self.assets += amount;
    }

    fn withdraw(&mut self, amount: u64) -> Result<()> {
        self.outflow
            .withdrawn(&self.config, Quote(self.assets), Quote(amount), at(self.unix))?;
        self.assets -= amount;
        Ok(())
    }

    fn headroom(&self) -> u64 {
        self.outflow.headroom(&self.config, Quote(self.assets), at(self.unix)).0
    }
}

#[test]
fn the_limit_leaves_at_once_and_not_an_atom_more() {
    for limit in [500, 1_000, 9_999] {
        let mut tank = Tank::new(limit, 1_000_000);
        let most = u64::from(limit) * 100;
        assert_eq!(tank.headroom(), most);
        assert_eq!(tank.withdraw(most + 1), Err(Error::OutflowLimitReached));
        // In pieces or whole.
        tank.withdraw(most / 2).unwrap();
        assert_eq!(tank.withdraw(most - most / 2 + 1), Err(Error::OutflowLimitReached));
        tank.withdraw(most - most / 2).unwrap();
        assert_eq!(
            (tank.headroom(), tank.withdraw(1)),
            (0, Err(Error::OutflowLimitReached))
        );
    }
}

#[test]
fn it_is_refilled_over_the_window() {
    let mut tank = Tank::new(1_000, 1_000_000);
    tank.withdraw(100_000).unwrap();
    tank.wait(i64::from(WINDOW) / 2);
    // Half of what left is forgotten: of the 950,000 that are left to remember, a tenth may be gone, and 50,000 are.
    assert_eq!(tank.headroom(), 45_000);
    tank.wait(i64::from(WINDOW) / 2);
    assert_eq!(tank.headroom(), 90_000);
    tank.wait(i64::from(WINDOW));
    assert_eq!(tank.headroom(), 90_000);
}

#[test]
fn a_limit_of_one_is_none() {
    let mut tank = Tank::new(10_000, 1_000_000);
    for _ in 0..10 {
        tank.withdraw(100_000).unwrap();
    }
    assert_eq!((tank.assets, tank.headroom()), (0, u64::MAX));
}

#[test]
fn what_passes_through_changes_nothing() {
    let mut tank = Tank::new(500, 1_000_000);
    tank.withdraw(20_000).unwrap();
    let before = tank.headroom();
    // A borrowed fortune, in one piece and out in others.
    tank.supply(1 << 50);
    for _ in 0..4 {
        tank.withdraw(1 << 48).unwrap();
    }
    assert_eq!((tank.headroom(), tank.assets), (before, 980_000));
    tank.withdraw(before).unwrap();
}

#[test]
fn what_came_lately_may_leave_again_and_less_of_it_later() {
    let mut tank = Tank::new(500, 1_000_000);
    tank.supply(1_000_000);
    assert_eq!(tank.headroom(), 1_050_000);
    tank.wait(i64::from(WINDOW));
    // Half of it is forgotten: a twentieth of the 1,500,000 before, and the 500,000.
    assert_eq!(tank.headroom(), 575_000);
    tank.wait(100 * i64::from(WINDOW));
    assert!(tank.headroom() < 120_000);
}

#[test]
fn the_last_atoms_can_leave() {
    for assets in 1..50 {
        let mut tank = Tank::new(500, assets);
        let mut days = 0;
        while tank.assets > 0 {
            let _ = tank.withdraw(tank.headroom().min(tank.assets));
            tank.wait(i64::from(WINDOW));
            days += 1;
            assert!(days <= 2 * assets, "{tank:?}");
        }
    }
}

#[test]
fn a_clock_that_goes_back_gives_no_room() {
    let mut tank = Tank::new(500, 1_000_000);
    tank.withdraw(50_000).unwrap();
    for back in [1, NOW] {
        tank.unix = NOW - back;
        assert_eq!(tank.withdraw(1), Err(Error::OutflowLimitReached));
    }
}

#[test]
fn a_lower_limit_and_a_shrinking_pool_lock_nobody_in() {
    let mut tank = Tank::new(9_000, 1_000_000);
    tank.withdraw(900_000).unwrap();
    tank.config.outflow_limit = crate::Bps(500);
    assert_eq!(tank.headroom(), 0);
    // A loss on top of it.
    tank.assets /= 2;
    let mut waited = 0;
    while tank.headroom() == 0 {
        tank.wait(3_600);
        waited += 1;
        assert!(waited < 24 * 20);
    }
    tank.withdraw(tank.headroom()).unwrap();
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Supply(u64),
    /// As much as there is room for, or this.
    Withdraw(u64),
    Wait(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => (1u64..1 << 41).prop_map(Step::Supply),
        3 => prop_oneof![Just(u64::MAX), 1u64..1 << 38].prop_map(Step::Withdraw),
        2 => prop_oneof![1i64..60, 1i64..40_000, 1i64..400_000].prop_map(Step::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    /// Over every stretch of every history: what left on balance is within the limit, once and once more for each
    /// window, of the most that the pool held before what has left lately, and of what had come lately.
    #[test]
    fn no_stretch_of_time_sees_more_leave_than_promised(
        limit in 500u32..10_000, assets in 1u64..1 << 42, steps in prop::collection::vec(step(), 1..60),
    ) {
        let mut tank = Tank::new(limit, assets);
        let mut history: Vec<Tank> = vec![tank];
        for step in steps {
            match step {
                Step::Supply(amount) => tank.supply(amount),
                Step::Wait(seconds) => tank.wait(seconds),
                Step::Withdraw(amount) => {
                    let headroom = tank.headroom().min(tank.assets);
                    if amount > headroom && amount <= tank.assets {
                        prop_assert_eq!(tank.withdraw(amount), Err(Error::OutflowLimitReached));
                    }
                    let amount = amount.min(headroom);
                    prop_assert_eq!(tank.withdraw(amount), Ok(()));
                }
            }
            history.push(tank);
        }
        for (first, from) in history.iter().enumerate() {
            let mut most = 0f64;
            let came = (-from.outflow.remembered(&from.config, Quote(from.assets), at(from.unix)).net).max(0) as f64;
            for (steps, to) in history[first..].iter().enumerate() {
                let before = to.outflow.remembered(&to.config, Quote(to.assets), at(to.unix)).net as f64 + to.assets as f64;
                most = most.max(before);
                let left = from.assets as f64 - to.assets as f64;
                let windows = (to.unix - from.unix) as f64 / f64::from(WINDOW);
                let promised = f64::from(limit) / 1e4 * most * (1.0 + windows) + came;
                // An atom for each step, by the roundings.
                prop_assert!(left <= promised * (1.0 + 1e-9) + 2.0 * steps as f64 + 2.0, "{left} > {promised}: {from:?} {to:?}");
            }
        }
    }
}

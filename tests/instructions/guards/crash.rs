//! A real crash: who is absorbed, when, and what it costs.

use super::{liquidation, quiet};
use breakwater_engine::{Config, Level};
use breakwater_testkit::{Position, default_config, pyth::usd};
use std::collections::BTreeMap;

/// LTVs at $100, up to nearly the most that can be borrowed.
const LTVS: [u64; 8] = [5_000, 5_500, 6_000, 6_300, 6_500, 6_700, 6_900, 6_980];

/// Seconds between two rounds of the keeper.
const ROUND: u32 = 5;

/// When the keeper acts.
#[derive(Clone, Copy, PartialEq)]
enum Keeper {
    Always,
    /// Whoever halts everything when prices look strange.
    WhenNormal,
}

/// Toll of a crash.
#[derive(Debug, Default)]
struct Toll {
    /// Liquidations by level.
    liquidations: BTreeMap<Level, usize>,
    /// Liquidations that left something to do.
    steps: usize,
    /// Debt beyond the collateral by the events, quote atoms.
    deficit: u64,
    /// The same in accounts that nobody has liquidated in the end, at spot.
    hidden: u64,
    /// Payments of the backstop above spot, less the penalty, quote atoms.
    overpaid: i128,
    /// Accounts above their liquidation LTV in the end.
    left: usize,
    errors: BTreeMap<String, usize>,
}

impl Toll {
    fn bad_debt(&self) -> u64 {
        self.deficit + self.hidden
    }
}

/// Linear between these points: (second, cents).
fn along(path: &[(i64, i64)], second: i64) -> i64 {
    let next = path.iter().position(|(at, _)| second < *at).unwrap_or(path.len());
    let ((from, low), Some((to, high))) = (path[next - 1], path.get(next)) else {
        return path[next - 1].1 * 1_000_000;
    };
    (low * 1_000_000) + (high - low) * 1_000_000 * (second - from) / (to - from)
}

fn crash(config: Config, keeper: Keeper, path: &[(i64, i64)]) -> Toll {
    let mut scene = quiet(config);
    let positions: Vec<Position> = (0..).zip(LTVS).map(|(id, ltv)| scene.indebted(id, ltv)).collect();
    scene.tick(60, usd(100));
    scene.observed();
    let mut toll = Toll::default();
    let end = path[path.len() - 1].0;
    let mut second = 0;
    while second < end {
        scene.tick(ROUND, along(path, second));
        second += i64::from(ROUND);
        let spot = scene.observed().spot;
        if keeper == Keeper::WhenNormal && scene.level() != Level::Normal {
            continue;
        }
        for position in &positions {
            match liquidation(scene.world.liquidate(&scene.kate, position)) {
                Ok(liquidation) => {
                    *toll.liquidations.entry(scene.level()).or_default() += 1;
                    toll.steps += usize::from(!liquidation.whole);
                    toll.deficit += liquidation.deficit.0;
                    let paid = i128::from(liquidation.repaid.0) - i128::from(liquidation.deficit.0);
                    toll.overpaid += paid - i128::from(spot.quote_floor(liquidation.seized).unwrap().0);
                }
                Err(error) => *toll.errors.entry(error).or_default() += 1,
            }
        }
    }
    let (market, clock, spot) = (
        scene.world.market_state(&scene.market),
        scene.world.clock(),
        scene.observed().spot,
    );
    let index = market.books_at(clock).unwrap().pool.index;
    for position in &positions {
        let account = scene.world.margin_account(position);
        let debt = index.debt(account.debt_shares).unwrap().0;
        toll.hidden += debt.saturating_sub(spot.quote_floor(account.collateral).unwrap().0);
        toll.left += usize::from(market.is_liquidatable(&account, spot, clock).unwrap());
    }
    scene.world.assert_identities();
    toll
}

#[test]
fn minus_forty_percent_over_ten_minutes_is_served_without_bad_debt() {
    let path = [(0, 10_000), (600, 6_000), (3_600, 6_000)];
    let toll = crash(Config::EXAMPLE, Keeper::Always, &path);
    println!("{toll:#?}");
    assert_eq!((toll.left, toll.bad_debt()), (0, 0));
    assert!(toll.liquidations[&Level::Guarded] > LTVS.len() && toll.steps > LTVS.len());
}

/// Minus 30% in a minute, with tight confidence; and then on, slowly or fast.
const CRASHES: [&[(i64, i64)]; 3] = [
    &[(0, 10_000), (60, 7_000), (600, 6_800), (900, 6_600), (3_600, 6_600)],
    &[(0, 10_000), (60, 7_000), (240, 6_000), (3_600, 6_000)],
    &[(0, 10_000), (60, 7_000), (120, 5_500), (3_600, 5_500)],
];

#[test]
fn minus_thirty_percent_in_a_minute_is_absorbed_in_steps_at_a_price_between_no_guards_and_a_halt() {
    for path in CRASHES {
        let guards = crash(Config::EXAMPLE, Keeper::Always, path);
        let none = crash(default_config(), Keeper::Always, path);
        let halt = crash(Config::EXAMPLE, Keeper::WhenNormal, path);
        println!("{path:?}\nguards {guards:#?}\nnone {none:#?}\nhalt {halt:#?}");
        println!(
            "bad debt: guards {}, none {}, halt {}",
            guards.bad_debt(),
            none.bad_debt(),
            halt.bad_debt()
        );
        // Everybody was served in the end; in steps while it was solvent.
        assert_eq!((guards.left, none.left), (0, 0));
        assert!(guards.liquidations[&Level::Guarded] >= LTVS.len() && guards.steps > 0);
        assert!(none.bad_debt() <= guards.bad_debt() && guards.bad_debt() < halt.bad_debt());
    }
}

//! The experiment about price guards itself: what must be true of it whatever its figures are, and that its figures say
//! what the page built on them says.

use breakwater_engine::{Bps, Clock, Collateral, Config, Price, Quote, account::sizing};
use breakwater_lab::{
    guards::{
        Experiment,
        paths::{self, Kind, Path, Print},
        population::{Population, UNGUARDED, spot},
        run::{self, Outcome, Policy},
        variants,
    },
    scenario::Scenario,
};

const SCENARIO: &str = include_str!("../scenarios/black-thursday.toml");

fn paths() -> Vec<Path> {
    paths::all(&Scenario::parse(SCENARIO).expect("valid")).expect("valid")
}

fn named(name: &str) -> Path {
    let found = paths().into_iter().find(|path| path.name == name);
    found.unwrap_or_else(|| panic!("no path {name}"))
}

fn run(path: &Path, config: &Config, policy: Policy) -> (Outcome, Population) {
    let population = Population::before(&path.prints[0]).and_then(|people| people.under(config));
    population
        .and_then(|population| run::run(path, population, policy))
        .unwrap_or_else(|error| panic!("{}: {error:?}", path.name))
}

#[test]
fn a_path_without_moves_liquidates_nobody() {
    let mut still = named("−20% in 10 s");
    let first = still.prints[0];
    for print in &mut still.prints {
        *print = Print {
            unix: print.unix,
            ..first
        };
    }
    for variant in variants::policies() {
        let (outcome, _) = run(&still, &variant.config, variant.policy);
        let seconds = still.prints[still.prints.len() - 1].unix.abs_diff(first.unix);
        let quiet = Outcome {
            seconds_at: [seconds, 0, 0],
            ..Outcome::default()
        };
        assert_eq!(outcome, quiet, "{}", variant.name);
    }
}

#[test]
fn a_wick_is_two_wrong_prints_among_good_ones() {
    let wick = named("−40% for 10 s");
    let wrong: Vec<_> = wick.prints.iter().filter(|print| print.price != print.fair).collect();
    assert_eq!(wrong.len(), 2);
    assert!(wrong.iter().all(|print| print.price * 10 == print.fair * 6));
    assert!(wick.prints.windows(2).all(|pair| pair[1].unix - pair[0].unix == 5));
    assert_eq!(
        (wrong[0].unix, wrong[1].unix),
        (wick.prints[60].unix, wick.prints[61].unix)
    );
    // Ten seconds of an hour's average.
    let last = wrong[1];
    let moved = last.fair - last.ema;
    assert!(
        (moved * 10_000 / last.fair).abs_diff(40 * 10 * 100 / 3_600) <= 1,
        "{moved}"
    );

    let after_quiet = named("−40% for 10 s, after a quiet hour");
    assert_eq!(after_quiet.prints[60].unix - after_quiet.prints[59].unix, 3_605);
}

/// Without interest a debt is a number of atoms, and plain liquidation at spot is a few lines.
#[test]
fn without_guards_it_is_plain_liquidation_at_spot() {
    let config = Config {
        interest_base: Bps(0),
        interest_slope_low: Bps(0),
        interest_slope_high: Bps(0),
        ..UNGUARDED
    };
    for name in [
        "−30% in 5 min",
        "−12% in 3 min and back",
        "−10% for 10 s",
        paths::BLACK_THURSDAY,
    ] {
        let path = named(name);
        let start = Population::before(&path.prints[0]).expect("valid");
        let index = start.market.books.pool.index;
        let mut plain: Vec<(Quote, Collateral)> = start
            .accounts
            .iter()
            .map(|account| (index.debt(account.debt_shares).expect("small"), account.collateral))
            .collect();
        let mut repaid = 0;
        for print in &path.prints {
            let clock = Clock {
                unix: print.unix,
                slot: 1,
            };
            let price = spot(&start.market, print, clock)
                .and_then(Price::divisor)
                .expect("oracle_price");
            for (debt, collateral) in &mut plain {
                let Ok(terms) = sizing::terms(&config, *debt, *collateral, &price) else {
                    continue;
                };
                *debt = debt.minus(terms.demand.repay).expect("at most all");
                *collateral = collateral.minus(terms.seize).expect("at most all");
                repaid += terms.demand.repay.0;
            }
        }
        let (outcome, end) = run(&path, &config, Policy::Engine);
        assert_eq!(outcome.liquidated, repaid, "{name}");
        assert!(repaid > 0 && outcome.gift == 0, "{name}");
        let left: Vec<_> = end
            .accounts
            .iter()
            .map(|account| (index.debt(account.debt_shares).expect("small"), account.collateral))
            .collect();
        assert_eq!(left, plain, "{name}");
    }
}

/// No token moves in a liquidation: collateral, cash and debt shares only change their holder.
#[test]
fn money_is_conserved() {
    let counted = |population: &Population| {
        let books = &population.market.books;
        let accounts = &population.accounts;
        let collateral: u64 = accounts.iter().map(|account| account.collateral.0).sum();
        let shares: u64 = accounts.iter().map(|account| account.debt_shares.0).sum();
        let cash = books.pool.cash.0 + books.backstop.cash.0 + books.backstop.funded_credits.0;
        let shares = (shares + books.backstop.debt_shares.0, books.pool.debt_shares.0);
        (collateral + books.backstop.inventory.0, cash, shares)
    };
    let path = named("−30% in 1 min, −15% in 2 h");
    for variant in variants::policies() {
        let (collateral, cash, (held, owed)) = counted(&Population::before(&path.prints[0]).expect("valid"));
        assert_eq!(held, owed);
        let (outcome, after) = run(&path, &variant.config, variant.policy);
        let (collateral_after, cash_after, (held_after, owed_after)) = counted(&after);
        assert_eq!((collateral_after, cash_after), (collateral, cash), "{}", variant.name);
        assert_eq!(held_after, owed_after, "{}", variant.name);
        let inventory = after.market.books.backstop.inventory;
        assert_eq!(outcome.liquidated > 0, inventory > Collateral(0), "{}", variant.name);
    }
}

/// Claims of the page about the defaults. Seconds long, so only for the paths that are quick.
#[test]
fn the_defaults_do_what_the_page_says() {
    let [no_guard, halts, breakwater] = variants::policies().map(|variant| {
        let of = move |name: &str| run(&named(name), &variant.config, variant.policy).0;
        Box::new(of) as Box<dyn Fn(&str) -> Outcome>
    });
    for deep in [
        "−5% for 10 s",
        "−10% for 10 s",
        "−20% for 10 s",
        "−40% for 10 s",
        "−40% for 10 s, after a quiet hour",
        "−10% for a minute",
        "−20% for a minute",
    ] {
        assert_eq!(breakwater(deep).falsely, 0, "{deep}");
        assert!(no_guard(deep).falsely > 0, "{deep}");
    }
    for followed in ["−20% in 10 s", "−30% in 5 min", "−40% in 10 min"] {
        assert_eq!(breakwater(followed).bad_debt, 0, "{followed}");
    }
    assert!(halts("−40% in 10 min").bad_debt > 0);
    let (fast, halted) = ("−30% in 1 min, −15% in 2 h", halts("−30% in 1 min, −15% in 2 h"));
    assert!(breakwater(fast).bad_debt > 0 && breakwater(fast).bad_debt * 5 < halted.bad_debt);
    assert_eq!(no_guard(fast).bad_debt, 0);
    for path in paths()
        .iter()
        .filter(|path| path.kind == Kind::Crash && path.prints.len() < 2_000)
    {
        let outcome = breakwater(&path.name);
        assert_eq!((outcome.falsely, outcome.largest_gift), (0, 0), "{}", path.name);
    }
}

#[test]
fn many_markets_at_once_are_the_same_as_one_after_the_other() {
    let wicks = paths().into_iter().filter(|path| path.kind == Kind::Wick).collect();
    let experiment = Experiment::on(wicks).expect("valid");
    let markets = variants::policies();
    let one_by_one: Result<Vec<_>, _> = markets.iter().map(|market| experiment.outcomes(market)).collect();
    assert_eq!(experiment.all(&markets), one_by_one);
}

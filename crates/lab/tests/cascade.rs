//! The cascade laboratory itself: what must be true of it whatever its figures are.
#![allow(clippy::cast_precision_loss, reason = "what is compared has tolerances")]

use breakwater_engine::Collateral;
use breakwater_lab::cascade::{
    Kind, LabError, Outcome, Path, Setup, run,
    setup::{DEBT, QUOTE_UNIT},
    simulation::{Buyers, Common, Simulation, recorded, together},
    study::SCENARIOS,
};

/// Few people, who do nothing but fall due, and no random walk.
fn quiet(points: &str) -> Setup {
    let text = format!(
        "name = 'test'\nabout = 'test'\n[path]\nkind = 'trend'\nhours = 12\npoints = {points}\nhourly_volatility = \
        0.0\n\
         [borrowers]\ncount = 60\nattentive = 0.0\n[oracle]\nlatency_steps = 0\n"
    );
    Setup::parse(&text).expect("valid")
}

/// One borrower of all debt at an LTV of 50% at a price of 100: due below 62.5.
fn alone(points: &str) -> Setup {
    let mut setup = quiet(points);
    setup.borrowers.count = 1;
    // So narrow a distribution that its middle is all there is: 0.8 × 0.5 ÷ 0.8.
    (setup.borrowers.alpha, setup.borrowers.beta) = (100.0, 55.2);
    setup.borrowers.largest = 1.0;
    setup.impact.off = true;
    // The stress cover never binds.
    setup.protocol.equity = 1.0;
    setup
}

/// The price, as a fraction of the first, from which [`alone`] is due.
fn due_below() -> f64 {
    let setup = alone("[[0, 1.0]]");
    let path = Path::of(&setup, None).expect("valid");
    let (_, simulation) = recorded(&setup, &path, Kind::None, false).expect("valid");
    DEBT / (0.8 * simulation.lending.accounts[0].collateral.0 as f64 / 1e9) / 100.0
}

fn measured(setup: &Setup, kind: Kind) -> Outcome {
    let path = Path::of(setup, None).expect("valid");
    run(setup, &path, kind).unwrap_or_else(|error| panic!("{}: {error}", kind.name()))
}

fn near(value: f64, wanted: f64, tolerance: f64, what: &str) {
    assert!((value - wanted).abs() <= tolerance, "{what}: {value}, not {wanted}");
}

#[test]
fn without_feedback_all_multipliers_are_one() {
    let mut deep = quiet("[[1, 1.0], [4, 0.6]]");
    // So deep that nothing moves, but the whole machinery of impact runs.
    deep.impact.depth = 1e3;
    let mut off = deep.clone();
    off.impact.off = true;
    for kind in Kind::ALL {
        let (with, without) = (measured(&deep, kind), measured(&off, kind));
        near(
            with.liquidated,
            without.liquidated,
            1e-3 * without.liquidated,
            kind.name(),
        );
        assert!(kind == Kind::None || without.liquidated > 0.1, "{}", kind.name());
        assert!(with.endogenous_drawdown < 1e-4, "{with:?}");
        assert!(without.endogenous_drawdown.abs() < f64::EPSILON);
    }
}

#[test]
fn a_shallow_market_amplifies_every_sale_and_slow_sales_least() {
    let mut setup = quiet("[[1, 1.0], [4, 0.75]]");
    setup.impact.depth = 0.01;
    let drawdown = |kind| measured(&setup, kind).endogenous_drawdown;
    let [dump, full, absorb, breakwater] = [Kind::Dump, Kind::Full, Kind::Absorb, Kind::Breakwater].map(drawdown);
    assert!(breakwater < 0.03 && breakwater > 0.0, "{breakwater}");
    for fast in [dump, full, absorb] {
        assert!(fast > 5.0 * breakwater, "{fast} {breakwater}");
    }
}

#[test]
fn money_is_conserved_by_every_mechanism() {
    for (name, text) in SCENARIOS {
        let mut setup = Setup::parse(text).expect("valid");
        setup.borrowers.count = 100;
        let path = Path::of(&setup, None).expect("valid");
        for kind in Kind::ALL {
            // Every run fails unless both tokens are conserved to the atom.
            let outcome = run(&setup, &path, kind).unwrap_or_else(|error| panic!("{name} {}: {error}", kind.name()));
            assert_eq!(outcome.liquidations > 0, kind != Kind::None, "{name} {}", kind.name());
        }
    }
}

#[test]
fn an_atom_that_appears_is_noticed() {
    let setup = quiet("[[1, 1.0], [4, 0.6]]");
    let path = Path::of(&setup, None).expect("valid");
    let simulation = Simulation::new(&setup, &path, Kind::Breakwater, false).expect("valid");
    let mut once = true;
    let buyers = Buyers {
        capital: 1e18,
        half_life: 60.0,
        tied: 0.0,
    };
    let result = together(vec![simulation], Common::Buyers(buyers), |simulations| {
        if std::mem::take(&mut once) {
            simulations[0].lending.market.books.backstop.cash.0 += 1;
        }
        Ok(())
    });
    match result {
        Err(LabError::NotConserved {
            quote: 1,
            collateral: 0,
        }) => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn nobody_does_anything_and_bad_debt_is_what_is_under_water() {
    let setup = quiet("[[1, 1.0], [4, 0.4]]");
    let path = Path::of(&setup, None).expect("valid");
    let (outcome, simulation) = recorded(&setup, &path, Kind::None, false).expect("valid");
    let index = simulation.lending.index.raw() as f64 / 2f64.powi(64);
    let under: f64 = simulation
        .lending
        .accounts
        .iter()
        .map(|account| {
            let debt = account.debt_shares.0 as f64 * index / QUOTE_UNIT;
            (debt - account.collateral.0 as f64 / 1e9 * 40.0).max(0.0)
        })
        .sum();
    near(outcome.bad_debt, under / DEBT, 1e-9, "bad debt");
    // By hand as well: everybody whose LTV was above 40% owes 1 − 0.4 ÷ LTV of the debt too much.
    assert!((0.1..0.4).contains(&outcome.bad_debt), "{}", outcome.bad_debt);
    near(outcome.supplier_loss, outcome.bad_debt - 0.1, 1e-9, "suppliers");
    assert!(outcome.liquidated.abs() < f64::EPSILON && outcome.borrower_loss.abs() < f64::EPSILON);
}

#[test]
fn one_account_liquidated_once_is_the_closed_form() {
    let mut setup = alone("[[0, 1.0], [1, 0.5]]");
    let path = Path::of(&setup, None).expect("valid");
    let (_, simulation) = recorded(&setup, &path.flat(), Kind::None, false).expect("valid");
    let account = simulation.lending.accounts[0];
    let collateral = account.collateral.0 as f64 / 1e9;
    let threshold = DEBT / (0.8 * collateral);
    // Slowly to just above the threshold, in one step to 1% below it, so that the market stays Normal, and there it
    // stays.
    let (near_it, fall) = (threshold * 1.001 / 100.0, threshold * 0.99 / 100.0);
    setup = alone(&format!("[[0, 1.0], [6, {near_it}], [6.002, {fall}]]"));
    let (price, debt) = (100.0 * fall, DEBT);
    let value = collateral * price;

    let dump = measured(&setup, Kind::Dump);
    // Debts have six hours of interest.
    near(dump.liquidated, 0.5, 1e-4, "half");
    near(dump.borrower_loss, 0.04, 1e-5, "8% of half");
    let needed = (debt - 0.8 * value) / 0.2 / debt;
    near(dump.over_liquidation, 0.5 - needed, 1e-3, "beyond what was needed");

    let whole = measured(&setup, Kind::Full);
    near(whole.liquidated, 1.0, 2e-4, "all");
    near(whole.borrower_loss, 0.08, 1e-4, "8% of all");

    let absorb = measured(&setup, Kind::Absorb);
    near(absorb.liquidated, 1.0, 2e-4, "all");
    near(absorb.borrower_loss, 0.05 * value / debt, 1e-3, "5% of the collateral");
    near(absorb.profit, 0.02 * value / debt, 1e-3, "5% less 3% of the collateral");

    let breakwater = measured(&setup, Kind::Breakwater);
    let config = setup.protocol.config().expect("valid");
    let (beta, target) = (f64::from(config.penalty.0) / 1e4, f64::from(config.target_ltv.0) / 1e4);
    let repay = (debt - target * value) / (1.0 - target * (1.0 + beta)) / debt;
    near(breakwater.liquidated, repay, 0.02 * repay, "to the target");
    near(
        breakwater.borrower_loss,
        beta * repay,
        0.05 * beta * repay,
        "the penalty",
    );
    near(breakwater.least_needed, 1.0 - (0.99f64).powi(5), 2e-3, "the least");
}

#[test]
fn shared_buyers_without_limit_change_nothing() {
    let setup = quiet("[[1, 1.0], [4, 0.6]]");
    let path = Path::of(&setup, None).expect("valid");
    let simulations =
        [Kind::Dump, Kind::Breakwater].map(|kind| Simulation::new(&setup, &path, kind, false).expect("valid"));
    let buyers = Buyers {
        capital: 1e30,
        half_life: 60.0,
        tied: 0.0,
    };
    let outcomes = together(simulations.into(), Common::Buyers(buyers), |_| Ok(())).expect("valid");
    for (outcome, kind) in outcomes.iter().zip([Kind::Dump, Kind::Breakwater]) {
        near(outcome.liquidated, measured(&setup, kind).liquidated, 1e-9, kind.name());
    }
}

#[test]
fn work_grows_with_liquidations_and_not_with_accounts() {
    let looked_at = |setup: &Setup| {
        let path = Path::of(setup, None).expect("valid");
        let (outcome, simulation) = recorded(setup, &path, Kind::Breakwater, false).expect("valid");
        (outcome.liquidations, simulation.lending.order.looked_at)
    };
    let mut calm = quiet("[[1, 1.0], [4, 0.99]]");
    (calm.borrowers.count, calm.borrowers.highest) = (20_000, 0.95);
    assert_eq!(looked_at(&calm), (0, 0));
    let mut crash = quiet("[[1, 1.0], [8, 0.8]]");
    crash.borrowers.count = 20_000;
    let (liquidations, looked_at) = looked_at(&crash);
    assert!(liquidations > 5_000, "{liquidations}");
    assert!(looked_at < 4 * liquidations, "{looked_at} {liquidations}");
}

#[test]
fn a_seed_decides_everything() {
    let mut setup = Setup::parse(SCENARIOS[1].1).expect("valid");
    setup.borrowers.count = 100;
    let described = |setup: &Setup| format!("{:?}", measured(setup, Kind::Breakwater));
    let first = described(&setup);
    assert_eq!(first, described(&setup));
    setup.seed += 1;
    assert_ne!(first, described(&setup));
}

#[test]
fn nothing_is_left_in_the_accounts_of_a_market_that_was_absorbed_whole() {
    let setup = quiet("[[1, 1.0], [4, 0.05]]");
    let path = Path::of(&setup, None).expect("valid");
    let (outcome, simulation) = recorded(&setup, &path, Kind::Absorb, false).expect("valid");
    assert!(
        simulation
            .lending
            .accounts
            .iter()
            .all(|account| account.collateral == Collateral::ZERO)
    );
    near(outcome.liquidated, 1.0, 1e-3, "everything");
}

#[test]
fn a_late_oracle_shows_old_prices_and_nothing_fails() {
    // Down in one step of ten seconds: with a latency of n steps the market sees it n steps later.
    for latency in 0..=1 {
        let mut setup = alone("[[0, 1.0], [1, 1.0], [1.001, 0.5]]");
        setup.oracle.latency_steps = latency;
        setup.check().expect("within the age of a price");
        let path = Path::of(&setup, None).expect("valid");
        let (outcome, simulation) = recorded(&setup, &path, Kind::Breakwater, true).expect("runs");
        assert!(outcome.liquidated > 0.1, "{latency}: {outcome:?}");
        let first = simulation
            .shown
            .iter()
            .position(|shown| shown.point.price < 9_900_000_000)
            .expect("it falls");
        assert_eq!(first, 361 + latency);
        assert!(
            simulation
                .shown
                .windows(2)
                .all(|pair| pair[0].point.unix <= pair[1].point.unix)
        );
        let age = path.unix(first) - simulation.shown[first].point.unix;
        assert_eq!(age, 10 * i64::try_from(latency).expect("small"));
    }
    // Publishers who are behind: the reading is as young as ever, and shows an older price.
    let mut setup = alone("[[0, 1.0], [1, 1.0], [1.001, 0.5]]");
    setup.oracle.unnoticed_steps = 3;
    setup.check().expect("no matter of age");
    let path = Path::of(&setup, None).expect("valid");
    let (outcome, simulation) = recorded(&setup, &path, Kind::Breakwater, true).expect("runs");
    assert!(outcome.liquidated > 0.1, "{outcome:?}");
    let mut shown = simulation.shown.iter();
    let first = shown
        .position(|shown| shown.point.price < 9_900_000_000)
        .expect("it falls");
    assert_eq!(first, 361 + setup.oracle.latency_steps + 3);
    let age = path.unix(first) - simulation.shown[first].point.unix;
    assert_eq!(age, 10 * i64::try_from(setup.oracle.latency_steps).expect("small"));

    let mut setup = alone("[[0, 1.0]]");
    setup.oracle.latency_steps = 2;
    match setup.check() {
        Err(LabError::OutOfRange {
            field: "oracle.latency_steps",
            ..
        }) => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn while_keepers_are_out_nothing_happens() {
    let mut setup = alone("[[0, 1.0], [1, 1.0], [1.25, 0.5]]");
    setup.keepers.outage_minutes = 30.0;
    let path = Path::of(&setup, None).expect("valid");
    let (outcome, simulation) = recorded(&setup, &path, Kind::Breakwater, true).expect("runs");
    let outage = path.steepest(1_800.0);
    let journal = simulation.lending.journal.expect("recorded");
    assert!(journal.iter().all(|(step, _)| !outage.contains(step)));
    assert!(journal.iter().any(|(step, _)| *step >= outage.end));
    assert!(outcome.liquidated > 0.1, "{}", outcome.liquidated);
}

#[test]
fn informed_owners_gain_what_the_price_moved_since_it_was_shown() {
    // Keepers come at hour 6, are shown the price of ten seconds ago, just below the limit, and it is 2% lower by then.
    let [before, at, after] = [1.002, 0.998, 0.97].map(|part| part * due_below());
    let mut setup = alone(&format!("[[0, 1.0], [5.99, {before}], [5.9972, {at}], [6, {after}]]"));
    (setup.keepers.every, setup.oracle.latency_steps) = (6, 1);
    setup.borrowers.informed = 1.0;
    let informed = measured(&setup, Kind::Breakwater);
    setup.borrowers.informed = 0.0;
    let ignorant = measured(&setup, Kind::Breakwater);
    assert!(
        informed.informed_gain > 0.0 && informed.by_informed > 0.0,
        "{informed:?}"
    );
    let penalty = f64::from(setup.protocol.config().expect("valid").penalty.0) / 1e4;
    // At most what the price fell in a minute.
    assert!(
        informed.informed_gain < (0.04 - penalty) * informed.by_informed,
        "{informed:?}"
    );
    assert!(ignorant.informed_gain.abs() < f64::EPSILON);
}

#[test]
fn suppliers_who_run_take_the_cash_that_is_there() {
    let mut setup = quiet("[[1, 1.0], [4, 0.6]]");
    setup.suppliers.run_from = 0.1;
    let path = Path::of(&setup, None).expect("valid");
    let (_, simulation) = recorded(&setup, &path, Kind::Breakwater, false).expect("runs");
    // A fifth of the pool was not lent, and what was repaid came on top.
    assert!(
        simulation.lending.withdrawn as f64 > 0.24 * DEBT * QUOTE_UNIT,
        "{}",
        simulation.lending.withdrawn
    );
    let pool = &simulation.lending.market.books.pool;
    assert!((pool.cash.0 as f64) < 0.01 * DEBT * QUOTE_UNIT, "{:?}", pool.cash);
}

#[test]
fn two_markets_on_one_exchange_move_each_others_price() {
    let mut setup = quiet("[[1, 1.0], [4, 0.6]]");
    setup.impact.depth = 0.01;
    let path = Path::of(&setup, None).expect("valid");
    let both = |kinds: [Kind; 2]| {
        let simulations = kinds.map(|kind| Simulation::new(&setup, &path, kind, false).expect("valid"));
        together(simulations.into(), Common::Exchange, |_| Ok(())).expect("runs")
    };
    let alone = measured(&setup, Kind::Breakwater);
    let beside_nobody = both([Kind::None, Kind::Breakwater]);
    near(
        beside_nobody[1].liquidated,
        alone.liquidated,
        1e-9,
        "nobody sells beside it",
    );
    near(
        beside_nobody[0].endogenous_drawdown,
        alone.endogenous_drawdown,
        1e-4,
        "one price",
    );
    let beside_each_other = both([Kind::Breakwater, Kind::Breakwater]);
    assert!(beside_each_other[1].endogenous_drawdown > 1.5 * alone.endogenous_drawdown);
}

#[test]
fn the_market_is_that_of_the_example_in_proportion() {
    let setup = quiet("[[1, 1.0]]");
    let config = setup.protocol.config().expect("valid");
    assert_eq!(config.validate(), Ok(()));
    let example = breakwater_engine::Config::EXAMPLE;
    for parameter in breakwater_engine::Parameter::ALL {
        let (ours, theirs) = (parameter.get(&config) as f64, parameter.get(&example) as f64);
        let scale = DEBT * QUOTE_UNIT / example.debt_cap.0 as f64;
        let same = (ours - theirs).abs() < f64::EPSILON;
        assert!(same || (ours - theirs * scale).abs() <= 0.5, "{}", parameter.name());
    }
}
